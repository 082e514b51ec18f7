package layout

import "slices"

// cut leaves out edges so that no cycle remains: those that meet the way on which a search
// from the sources is, and those that go against the layers that callers gave.
func (p *plan) cut() {
	n := len(p.graph.Layers)
	edges := make([][]int, n)
	sources := make([]bool, n)
	for i := range sources {
		sources[i] = true
	}
	for i, e := range p.graph.Edges {
		from, to := p.graph.Layers[e.From], p.graph.Layers[e.To]
		if e.From == e.To || from != Free && to != Free && from >= to {
			p.cuts[i] = true
			continue
		}
		edges[e.From] = append(edges[e.From], i)
		sources[e.To] = false
	}
	state := make([]uint8, n)
	for _, wanted := range []bool{true, false} {
		for v := range n {
			if sources[v] == wanted && state[v] == unseen {
				p.search(v, edges, state)
			}
		}
	}
	p.out, p.in = make([][]int, n), make([][]int, n)
	for i, e := range p.graph.Edges {
		if !p.cuts[i] {
			p.out[e.From] = append(p.out[e.From], e.To)
			p.in[e.To] = append(p.in[e.To], e.From)
		}
	}
}

// The states of a node in a search.
const (
	unseen = iota
	onWay
	done
)

// search goes depth first from a node and cuts the edges that lead back.
func (p *plan) search(root int, edges [][]int, state []uint8) {
	type visit struct{ node, next int }
	way := []visit{{root, 0}}
	state[root] = onWay
	for len(way) > 0 {
		v := &way[len(way)-1]
		if v.next == len(edges[v.node]) {
			state[v.node] = done
			way = way[:len(way)-1]
			continue
		}
		i := edges[v.node][v.next]
		v.next++
		switch to := p.graph.Edges[i].To; state[to] {
		case unseen:
			state[to] = onWay
			way = append(way, visit{to, 0})
		case onWay:
			p.cuts[i] = true
		}
	}
}

// layer gives every node its layer: the one that the caller wants, or one after the last
// of those that lead to it. What nothing leads to stands just before what it leads to.
func (p *plan) layer() {
	n := len(p.layers)
	waits := make([]int, n)
	ready := make([]int, 0, n)
	for v := range n {
		if waits[v] = len(p.in[v]); waits[v] == 0 {
			ready = append(ready, v)
		}
	}
	for i := 0; i < len(ready); i++ {
		v := ready[i]
		p.layers[v] = p.graph.Layers[v]
		if p.layers[v] == Free {
			p.layers[v] = 0
			for _, u := range p.in[v] {
				p.layers[v] = max(p.layers[v], p.layers[u]+1)
			}
		}
		for _, w := range p.out[v] {
			if waits[w]--; waits[w] == 0 {
				ready = append(ready, w)
			}
		}
	}
	p.pull()
	p.close()
}

// pull puts nodes that nothing leads to just before what they lead to.
func (p *plan) pull() {
	for v := range p.layers {
		if p.graph.Layers[v] != Free || len(p.in[v]) > 0 || len(p.out[v]) == 0 {
			continue
		}
		nearest := p.layers[p.out[v][0]]
		for _, w := range p.out[v] {
			nearest = min(nearest, p.layers[w])
		}
		p.layers[v] = max(0, nearest-1)
	}
}

// close numbers the layers that have nodes without gaps.
func (p *plan) close() {
	used := slices.Clone(p.layers)
	slices.Sort(used)
	used = slices.Compact(used)
	for v := range p.layers {
		p.layers[v], _ = slices.BinarySearch(used, p.layers[v])
	}
}
