package cluster

import (
	"cmp"
	"slices"
)

// Evidence is a transaction that ties addresses, all of which a rule takes for one
// owner's.
type Evidence struct {
	Tx        uint32
	Addresses []Member
}

// Weakness is one transaction without which a cluster falls apart.
type Weakness struct {
	Tx    uint32
	Parts []uint32 // addresses of each part, largest first
	// Apart counts the pairs of actors, named in labels, that it alone holds together.
	Apart int
}

// Structure is how well a cluster hangs together.
type Structure struct {
	Addresses uint32
	// Cohesion is the share, in basis points, of the addresses that stay together
	// whatever single transaction is wrong: 10,000 where no single one matters.
	Cohesion uint32
	// Weak lists the transactions that matter, those first that part the most actors,
	// then those that part the largest pieces, then the latest: what joins two clusters
	// by mistake comes when both are there.
	Weak []Weakness
}

// Examine finds how a cluster hangs together. The evidence is every transaction that
// ties its addresses, not only those by which it grew; the actors are who labels say is
// behind an address. It takes time in proportion to the evidence.
func Examine(evidence []Evidence, actors map[Member]string) Structure {
	g := newGraph(evidence, actors)
	g.search()
	s := Structure{Addresses: uint32(len(g.members)), Cohesion: 10_000}
	for tx := range evidence {
		if w, ok := g.weakness(tx); ok {
			w.Tx = evidence[tx].Tx
			s.Weak = append(s.Weak, w)
		}
	}
	slices.SortStableFunc(s.Weak, func(a, b Weakness) int {
		return cmp.Or(cmp.Compare(b.Apart, a.Apart), cmp.Compare(b.Parts[1], a.Parts[1]), cmp.Compare(b.Tx, a.Tx))
	})
	if len(g.members) > 0 && len(s.Weak) > 0 {
		s.Cohesion = uint32(uint64(g.core()) * 10_000 / uint64(len(g.members)))
	}
	return s
}

// graph has the addresses and the transactions of a cluster as vertices: first the
// addresses, then the transactions.
type graph struct {
	members []Member
	names   []string // actors, sorted
	actor   []int    // of an address; -1 where nobody is named
	edges   [][]int

	entered, low, parent, order []int
	size                        []uint32 // addresses at and below a vertex
	named                       [][]int  // of these, by actor
	cut                         []bool   // transactions that matter
}

func newGraph(evidence []Evidence, actors map[Member]string) *graph {
	g := &graph{}
	for i := range evidence {
		g.members = append(g.members, evidence[i].Addresses...)
	}
	slices.Sort(g.members)
	g.members = slices.Compact(g.members)
	for _, m := range g.members {
		if actors[m] != "" {
			g.names = append(g.names, actors[m])
		}
	}
	slices.Sort(g.names)
	g.names = slices.Compact(g.names)
	n := len(g.members) + len(evidence)
	g.edges, g.cut = make([][]int, n), make([]bool, n)
	for _, m := range g.members {
		at, found := slices.BinarySearch(g.names, actors[m])
		if !found {
			at = -1
		}
		g.actor = append(g.actor, at)
	}
	for i := range evidence {
		tx := len(g.members) + i
		for _, m := range evidence[i].Addresses {
			at, _ := slices.BinarySearch(g.members, m)
			g.edges[tx] = append(g.edges[tx], at)
			g.edges[at] = append(g.edges[at], tx)
		}
	}
	return g
}

// search walks the graph depth first and finds, for every vertex, the earliest that can
// be reached from below it (Hopcroft and Tarjan, "Algorithm 447", 1973).
func (g *graph) search() {
	n := len(g.edges)
	g.entered, g.low, g.parent = make([]int, n), make([]int, n), make([]int, n)
	g.size, g.named = make([]uint32, n), make([][]int, n)
	next := make([]int, n) // edge to look at next
	for root := range n {
		if g.entered[root] != 0 {
			continue
		}
		g.parent[root] = -1
		stack := []int{root}
		g.enter(root)
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			if next[v] == len(g.edges[v]) {
				stack = stack[:len(stack)-1]
				g.leave(v)
				continue
			}
			to := g.edges[v][next[v]]
			next[v]++
			switch {
			case g.entered[to] == 0:
				g.parent[to] = v
				g.enter(to)
				stack = append(stack, to)
			case to != g.parent[v]:
				g.low[v] = min(g.low[v], g.entered[to])
			}
		}
	}
}

func (g *graph) enter(v int) {
	g.order = append(g.order, v)
	g.entered[v], g.low[v] = len(g.order), len(g.order)
	g.named[v] = make([]int, len(g.names))
	if v < len(g.members) {
		g.size[v] = 1
		if g.actor[v] >= 0 {
			g.named[v][g.actor[v]] = 1
		}
	}
}

func (g *graph) leave(v int) {
	up := g.parent[v]
	if up < 0 {
		return
	}
	g.low[up] = min(g.low[up], g.low[v])
	g.size[up] += g.size[v]
	for i, n := range g.named[v] {
		g.named[up][i] += n
	}
}

// weakness says what falls apart without a transaction.
func (g *graph) weakness(tx int) (w Weakness, ok bool) {
	v := len(g.members) + tx
	root := v
	for g.parent[root] >= 0 {
		root = g.parent[root]
	}
	rest, restNamed := g.size[root], slices.Clone(g.named[root])
	var named [][]int
	for _, to := range slices.Compact(slices.Sorted(slices.Values(g.edges[v]))) {
		if g.parent[to] != v || g.low[to] < g.entered[v] {
			continue
		}
		w.Parts = append(w.Parts, g.size[to])
		named = append(named, g.named[to])
		rest -= g.size[to]
		for i, n := range g.named[to] {
			restNamed[i] -= n
		}
	}
	if rest > 0 {
		w.Parts, named = append(w.Parts, rest), append(named, restNamed)
	}
	if len(w.Parts) < 2 {
		return w, false
	}
	g.cut[v] = true
	slices.SortFunc(w.Parts, func(a, b uint32) int { return cmp.Compare(b, a) })
	w.Apart = apart(named, len(g.names))
	return w, true
}

// apart counts the pairs of actors that no part names together.
func apart(named [][]int, names int) (pairs int) {
	for i := range names {
		for j := i + 1; j < names; j++ {
			if !slices.ContainsFunc(named, func(part []int) bool { return part[i] > 0 && part[j] > 0 }) {
				pairs++
			}
		}
	}
	return pairs
}

// core is the most addresses that stay together without all transactions that matter.
func (g *graph) core() (most uint32) {
	seen := make([]bool, len(g.edges))
	for start := range g.members {
		if seen[start] {
			continue
		}
		var count uint32
		stack := []int{start}
		seen[start] = true
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if v < len(g.members) {
				count++
			}
			for _, to := range g.edges[v] {
				if !seen[to] && !g.cut[to] {
					seen[to] = true
					stack = append(stack, to)
				}
			}
		}
		most = max(most, count)
	}
	return most
}
