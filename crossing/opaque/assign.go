package opaque

import (
	"cmp"
	"slices"
)

// maxAssigned bounds the deposits of one tangle for which the best assignment is
// worked out exactly; its time grows with the square. In larger tangles the likeliest
// pair goes first.
const maxAssigned = 512

// assign marks the one-to-one assignment of the greatest total odds. Pairs less
// likely than chance are never in it.
func (m *matcher) assign() {
	for _, tangle := range m.tangles() {
		deposits := map[int]bool{}
		for _, c := range tangle {
			deposits[m.out.Candidates[c].Deposit] = true
		}
		if len(deposits) > maxAssigned {
			m.assignInTurn(tangle)
			continue
		}
		m.assignBest(tangle)
	}
}

// tangles groups candidates that compete with one another, through any number of
// others.
func (m *matcher) tangles() (groups [][]int) {
	parent := make([]int, len(m.deposits)+len(m.payouts))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i := range m.out.Candidates {
		c := &m.out.Candidates[i]
		parent[find(c.Deposit)] = find(len(m.deposits) + c.Payout)
	}
	index := map[int]int{}
	for i := range m.out.Candidates {
		c := &m.out.Candidates[i]
		if c.odds <= 0 {
			continue
		}
		root := find(c.Deposit)
		at, ok := index[root]
		if !ok {
			at = len(groups)
			index[root] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], i)
	}
	return groups
}

func (m *matcher) assignInTurn(tangle []int) {
	slices.SortFunc(tangle, func(a, b int) int {
		return cmp.Or(cmp.Compare(m.out.Candidates[b].odds, m.out.Candidates[a].odds), cmp.Compare(a, b))
	})
	gone := map[int]bool{}
	for _, i := range tangle {
		c := &m.out.Candidates[i]
		if d, p := c.Deposit, len(m.deposits)+c.Payout; !gone[d] && !gone[p] {
			gone[d], gone[p] = true, true
			c.Assigned = true
		}
	}
}

// assignBest improves the assignment along the path that adds most, until none adds
// anything: successive longest augmenting paths, found as Bellman and Ford did.
func (m *matcher) assignBest(tangle []int) {
	g := newGraph(m, tangle)
	for g.augment() {
	}
	for _, c := range g.chosen {
		if c >= 0 {
			m.out.Candidates[c].Assigned = true
		}
	}
}

// graph is a tangle while it is assigned; deposits and payouts are numbered anew.
type graph struct {
	m       *matcher
	edges   [][]int // candidates, by deposit
	payout  map[int]int
	chosen  []int // candidate by deposit, or -1
	takenBy []int // deposit by payout, or -1
}

func newGraph(m *matcher, tangle []int) *graph {
	g := &graph{m: m, payout: map[int]int{}}
	deposit := map[int]int{}
	for _, c := range tangle {
		x := &m.out.Candidates[c]
		d, ok := deposit[x.Deposit]
		if !ok {
			d = len(g.edges)
			deposit[x.Deposit] = d
			g.edges, g.chosen = append(g.edges, nil), append(g.chosen, -1)
		}
		if _, ok := g.payout[x.Payout]; !ok {
			g.payout[x.Payout] = len(g.takenBy)
			g.takenBy = append(g.takenBy, -1)
		}
		g.edges[d] = append(g.edges[d], c)
	}
	return g
}

const unreached = -1 << 62

// augment finds the best path from a free deposit over payouts that others gave up to
// a free one, and takes it. Nothing is left to gain where it says false.
func (g *graph) augment() bool {
	gain := make([]int64, len(g.edges)) // of the best path to a deposit that needs a payout
	reach := make([]int64, len(g.takenBy))
	via := make([]int, len(g.takenBy)) // candidate by which a payout is reached
	for d := range gain {
		gain[d] = unreached
		if g.chosen[d] < 0 {
			gain[d] = 0
		}
	}
	for p := range reach {
		reach[p], via[p] = unreached, -1
	}
	for range len(g.edges) + 1 {
		if !g.relax(gain, reach, via) {
			break
		}
	}
	best := -1
	for p := range reach {
		if g.takenBy[p] < 0 && reach[p] > 0 && (best < 0 || reach[p] > reach[best]) {
			best = p
		}
	}
	if best < 0 {
		return false
	}
	for p := best; p >= 0; {
		c := via[p]
		d := g.deposit(c)
		p, g.takenBy[p] = g.held(d), d
		g.chosen[d] = c
	}
	return true
}

// relax lengthens every path by one exchange.
func (g *graph) relax(gain, reach []int64, via []int) (changed bool) {
	for d, edges := range g.edges {
		if gain[d] == unreached {
			continue
		}
		for _, c := range edges {
			p := g.payout[g.m.out.Candidates[c].Payout]
			if sum := gain[d] + g.m.out.Candidates[c].odds; g.chosen[d] != c && sum > reach[p] {
				reach[p], via[p], changed = sum, c, true
				if holder := g.takenBy[p]; holder >= 0 {
					gain[holder] = max(gain[holder], sum-g.m.out.Candidates[g.chosen[holder]].odds)
				}
			}
		}
	}
	return changed
}

// deposit is the deposit of a candidate, as numbered here.
func (g *graph) deposit(c int) int {
	for d, edges := range g.edges {
		if slices.Contains(edges, c) {
			return d
		}
	}
	return -1
}

// held is the payout that a deposit has, or -1.
func (g *graph) held(d int) int {
	if g.chosen[d] < 0 {
		return -1
	}
	return g.payout[g.m.out.Candidates[g.chosen[d]].Payout]
}
