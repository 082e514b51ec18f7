package view

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// NewSankey draws the flow chart of a colour, or of every one where it is empty.
func NewSankey(r *trace.Result, colour string, names Names) (*Sankey, error) {
	colours, err := coloursOf(r, colour)
	if err != nil {
		return nil, err
	}
	s := &Sankey{Of: of(r), Colours: []Chart{}}
	said := asserters(r)
	for i := range colours {
		c := &colours[i]
		if _, ok := r.Summary[c.Colour]; !ok {
			continue // the method claims no origins
		}
		m := &moves{colour: c, names: names, said: said, nodes: map[string]*ChartNode{}, bands: map[[2]string]*sum{}}
		if err := m.read(r); err != nil {
			return nil, fmt.Errorf("colour %s: %w", c.Colour, err)
		}
		m.unloop()
		s.Colours = append(s.Colours, *m.chart())
	}
	return s, nil
}

// moves is a chart while it is made.
type moves struct {
	colour  *trace.Colour
	names   Names
	said    map[string]bool
	nodes   map[string]*ChartNode
	bands   map[[2]string]*sum
	divided ledger.Amount
	looped  ledger.Amount
}

// sum is how much moved, and how certain the least certain part of it is.
type sum struct {
	origin    ledger.Amount
	certainty uint32
}

func (s *sum) add(origin *ledger.Amount, certainty uint32) {
	if s.origin.IsZero() || certainty < s.certainty {
		s.certainty = certainty
	}
	s.origin.Add(&s.origin, origin)
}

// The keys of nodes.
const stolenKey = "stolen"

func assetKey(asset string) string { return "asset " + asset }

// pass adds to the band between two nodes.
func (m *moves) pass(from, to string, origin *ledger.Amount, certainty uint32) {
	if origin.IsZero() {
		return
	}
	key := [2]string{from, to}
	if m.bands[key] == nil {
		m.bands[key] = &sum{}
	}
	m.bands[key].add(origin, certainty)
}

func (m *moves) node(n ChartNode) string {
	if m.nodes[n.Key] == nil {
		m.nodes[n.Key] = &n
	}
	return n.Key
}

func (m *moves) asset(asset string) string {
	return m.node(ChartNode{Key: assetKey(asset), Label: m.names.of(asset), Class: ClassAsset, Chain: chainOf(asset), Asset: asset})
}

// read adds everything that moved, and where it ended.
func (m *moves) read(r *trace.Result) error {
	m.node(ChartNode{Key: stolenKey, Label: "Stolen", Class: ClassStolen, Chain: m.colour.Chain, Asset: m.colour.Asset})
	for i := range r.Flows() {
		f := &r.Flows()[i]
		if err := m.flow(f); err != nil {
			return fmt.Errorf("transaction %s on %s: %w", f.Tx, f.Chain, err)
		}
	}
	ended := map[string]*ledger.Amount{}
	for i := range r.Dispositions {
		d := &r.Dispositions[i]
		if d.Colour != m.colour.Colour {
			continue
		}
		origin, err := number(d.Origin)
		if err != nil {
			return err
		}
		asset := m.asset(d.Asset)
		chain := m.node(ChartNode{Key: "chain " + d.Chain, Label: ledger.Chain(d.Chain).Short(), Class: ClassChain, Chain: d.Chain})
		kind := m.node(ChartNode{Key: "kind " + d.Kind, Label: d.Kind, Class: ClassKind, Kind: d.Kind})
		m.pass(asset, chain, &origin, d.Certainty)
		m.pass(chain, kind, &origin, d.Certainty)
		if ended[kind] == nil {
			ended[kind] = new(ledger.Amount)
		}
		ended[kind].Add(ended[kind], &origin)
	}
	for key, sum := range ended {
		m.nodes[key].Ended = sum.Dec()
	}
	return m.balance()
}

// flow adds what one transaction did.
func (m *moves) flow(f *trace.Flow) error {
	in, err := m.sums(f.From)
	if err != nil {
		return err
	}
	out, err := m.sums(f.To)
	if err != nil || len(out) == 0 {
		return err
	}
	if len(in) == 0 && f.Link == "" { // a theft, maybe of what another had stolen
		for _, o := range out {
			m.pass(stolenKey, m.asset(o.asset), &o.origin, o.certainty)
		}
		return nil
	}
	came, went := total(in), total(out)
	switch {
	case f.Link != "" && !came.IsZero():
		share(in, &came, &went) // a payout may be one of several for what went in
	case came != went:
		return fmt.Errorf("%w: %s went in and %s came out", ErrUnbalanced, came.Dec(), went.Dec())
	default:
		stay(in, out)
	}
	m.join(f, in, out)
	return nil
}

// assetSum is what moved of one asset.
type assetSum struct {
	asset string
	sum
}

// sums adds up the ends of a flow by asset.
func (m *moves) sums(ends []trace.FlowEnd) (list []*assetSum, err error) {
	for i := range ends {
		e := &ends[i]
		if e.Colour != m.colour.Colour {
			continue
		}
		origin, err := number(e.Origin)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(list, func(s *assetSum) bool { return s.asset == e.Asset })
		if at < 0 {
			at = len(list)
			list = append(list, &assetSum{asset: e.Asset})
		}
		list[at].add(&origin, e.Certainty)
	}
	slices.SortFunc(list, func(a, b *assetSum) int { return cmp.Compare(a.asset, b.asset) })
	return list, nil
}

func total(list []*assetSum) (sum ledger.Amount) {
	for _, s := range list {
		sum.Add(&sum, &s.origin)
	}
	return sum
}

// share makes a list come to a part of what it comes to, in proportion. What division
// leaves over is the last one's.
func share(list []*assetSum, whole, part *ledger.Amount) {
	left := *part
	for i, s := range list {
		if i == len(list)-1 {
			s.origin = left
			return
		}
		s.origin.MulDivOverflow(&s.origin, part, whole)
		left.Sub(&left, &s.origin)
	}
}

// stay takes out what came out in the asset in which it went in.
func stay(in, out []*assetSum) {
	for _, i := range in {
		for _, o := range out {
			if i.asset != o.asset {
				continue
			}
			same := i.origin
			if o.origin.Lt(&same) {
				same = o.origin
			}
			i.origin.Sub(&i.origin, &same)
			o.origin.Sub(&o.origin, &same)
		}
	}
}

// join leads what went in through a protocol to what came out.
func (m *moves) join(f *trace.Flow, in, out []*assetSum) {
	empty := func(s *assetSum) bool { return s.origin.IsZero() }
	in, out = slices.DeleteFunc(in, empty), slices.DeleteFunc(out, empty)
	if len(in) == 0 {
		return
	}
	for _, i := range in {
		if len(in) > 1 && len(out) > 1 {
			m.divided.Add(&m.divided, &i.origin)
		}
		via := m.protocol(f, i.asset)
		parts := divide(&i.origin, out)
		for j, o := range out {
			m.pass(m.asset(i.asset), via, &parts[j], min(i.certainty, o.certainty))
			m.pass(via, m.asset(o.asset), &parts[j], o.certainty)
			o.origin.Sub(&o.origin, &parts[j])
		}
	}
}

// divide gives each of a list its part of an amount, in proportion to what it still takes.
// What division leaves over goes to the first that take it.
func divide(amount *ledger.Amount, list []*assetSum) []ledger.Amount {
	room, left := total(list), *amount
	parts := make([]ledger.Amount, len(list))
	for i, s := range list {
		parts[i].MulDivOverflow(&s.origin, amount, &room)
		left.Sub(&left, &parts[i])
	}
	for i := 0; i < len(list) && !left.IsZero(); i++ {
		var more ledger.Amount
		if more.Sub(&list[i].origin, &parts[i]); left.Lt(&more) {
			more = left
		}
		parts[i].Add(&parts[i], &more)
		left.Sub(&left, &more)
	}
	return parts
}

// protocol is what turned an asset into another: who links the two, or a swap. There is
// one node for each asset that goes in, so that no ways are mixed that never met.
func (m *moves) protocol(f *trace.Flow, asset string) string {
	key, label := "swap "+f.Chain+" "+asset, "Swap"
	if f.Link != "" {
		key, label = "link "+f.Link+" "+asset, f.Link
		if m.said[f.Link] {
			label = "Asserted by " + f.Link
		}
	}
	return m.node(ChartNode{Key: key, Label: label, Class: ClassProtocol, Chain: chainOf(asset), Asset: asset})
}
