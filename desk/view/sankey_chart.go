package view

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// balance wants that what comes into a node goes out of it, but at the beginning, where it
// goes out only, and at the end.
func (m *moves) balance() error {
	in, out := m.throughput()
	for key, n := range m.nodes {
		came, went := in[key], out[key]
		switch n.Class {
		case ClassStolen:
			if went.Dec() != m.colour.Stolen {
				return fmt.Errorf("%w: %s were stolen, and thefts come to %s", ErrUnbalanced, m.colour.Stolen, went.Dec())
			}
		case ClassKind:
			if came.Dec() != n.Ended {
				return fmt.Errorf("%w: %s of %s ended, and %s came in", ErrUnbalanced, n.Ended, key, came.Dec())
			}
		case ClassAsset, ClassProtocol, ClassChain:
			if came != went {
				return fmt.Errorf("%w: %s came into %s and %s went out of it", ErrUnbalanced, came.Dec(), key, went.Dec())
			}
		}
	}
	return nil
}

// throughput adds up what comes into nodes and goes out of them.
func (m *moves) throughput() (in, out map[string]ledger.Amount) {
	in, out = map[string]ledger.Amount{}, map[string]ledger.Amount{}
	for key, b := range m.bands {
		came, went := in[key[1]], out[key[0]]
		came.Add(&came, &b.origin)
		went.Add(&went, &b.origin)
		in[key[1]], out[key[0]] = came, went
	}
	return in, out
}

// outgoing lists where bands lead to, in the order of the keys.
func (m *moves) outgoing() map[string][]string {
	out := map[string][]string{}
	for key := range m.bands {
		out[key[0]] = append(out[key[0]], key[1])
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// unloop takes out of the bands what came back to where it was: as long as there is a
// loop, the smallest of its bands is taken from them all.
func (m *moves) unloop() {
	for {
		loop := m.loop()
		if loop == nil {
			return
		}
		least := m.bands[[2]string{loop[len(loop)-1], loop[0]}].origin
		for i := 1; i < len(loop); i++ {
			if b := m.bands[[2]string{loop[i-1], loop[i]}]; b.origin.Lt(&least) {
				least = b.origin
			}
		}
		m.looped.Add(&m.looped, &least)
		for i := range loop {
			key := [2]string{loop[i], loop[(i+1)%len(loop)]}
			b := m.bands[key]
			if b.origin.Sub(&b.origin, &least); b.origin.IsZero() {
				delete(m.bands, key)
			}
		}
	}
}

// loop finds a loop, if there is one, by going depth first from every node.
func (m *moves) loop() []string {
	out := m.outgoing()
	keys := make([]string, 0, len(out))
	for key := range out {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	done := map[string]bool{}
	for _, key := range keys {
		way, next := []string{key}, []int{0}
		for len(way) > 0 {
			at := way[len(way)-1]
			i := next[len(next)-1]
			if done[at] || i == len(out[at]) {
				done[at] = true
				way, next = way[:len(way)-1], next[:len(next)-1]
				continue
			}
			next[len(next)-1]++
			to := out[at][i]
			if begin := slices.Index(way, to); begin >= 0 {
				return way[begin:]
			}
			if !done[to] {
				way, next = append(way, to), append(next, 0)
			}
		}
	}
	return nil
}

// chart puts nodes into columns and writes everything down.
func (m *moves) chart() *Chart {
	c := &Chart{
		Colour: m.colour.Colour, Chain: m.colour.Chain, Asset: m.colour.Asset, Stolen: m.colour.Stolen,
		Nodes: []ChartNode{}, Bands: []Band{}, Returned: m.looped.Dec(), Divided: m.divided.Dec(),
	}
	in, _ := m.throughput()
	in[stolenKey], _ = number(m.colour.Stolen) // it balances, so it is a number
	columns := m.columns()
	for key, n := range m.nodes {
		origin := in[key]
		if origin.IsZero() {
			continue
		}
		n.Origin, n.Column, n.Ended = origin.Dec(), columns[key], cmp.Or(n.Ended, "0")
		c.Nodes = append(c.Nodes, *n)
		c.Columns = max(c.Columns, n.Column+1)
	}
	slices.SortFunc(c.Nodes, func(a, b ChartNode) int {
		x, y := in[a.Key], in[b.Key]
		return cmp.Or(cmp.Compare(a.Column, b.Column), y.Cmp(&x), cmp.Compare(a.Key, b.Key))
	})
	for key, b := range m.bands {
		class := string(m.nodes[key[1]].Class)
		if kind := m.nodes[key[1]].Kind; kind != "" {
			class = kind
		}
		c.Bands = append(c.Bands, Band{From: key[0], To: key[1], Origin: b.origin.Dec(), Class: class, Certainty: b.certainty})
	}
	slices.SortFunc(c.Bands, func(a, b Band) int {
		return cmp.Or(cmp.Compare(columns[a.From], columns[b.From]), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return c
}

// columns puts every node after the last that leads to it, and all chains in one column,
// and all kinds in the last.
func (m *moves) columns() map[string]int {
	out := m.outgoing()
	waits := map[string]int{}
	for key := range m.bands {
		waits[key[1]]++
	}
	columns := map[string]int{stolenKey: 0}
	last := 0
	for ready := []string{stolenKey}; len(ready) > 0; ready = ready[1:] {
		at := ready[0]
		for _, to := range out[at] {
			columns[to] = max(columns[to], columns[at]+1)
			if waits[to]--; waits[to] == 0 {
				ready = append(ready, to)
			}
		}
		if class := m.nodes[at].Class; class == ClassAsset || class == ClassProtocol {
			last = max(last, columns[at])
		}
	}
	for key, n := range m.nodes {
		switch n.Class {
		case ClassChain:
			columns[key] = last + 1
		case ClassKind:
			columns[key] = last + 2
		case ClassStolen, ClassAsset, ClassProtocol:
		}
	}
	return columns
}
