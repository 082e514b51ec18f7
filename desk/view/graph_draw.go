package view

import (
	"cmp"
	"slices"

	"coldtrail/desk/layout"
	"coldtrail/ledger"
	"coldtrail/trace"
)

// NewGraph says who passed value to whom, as far as a selection goes. Clusters may be nil
// where nobody groups by them.
func NewGraph(r *trace.Result, s *Selection, clusters Clusters) (*Graph, error) {
	g, err := newGrower(r, s, clusters)
	if err != nil {
		return nil, err
	}
	if err := g.grow(r.Flows()); err != nil {
		return nil, err
	}
	return g.graph()
}

func (g *grower) graph() (*Graph, error) {
	w, err := g.filter()
	if err != nil {
		return nil, err
	}
	limit := g.selection.Limit
	if limit <= 0 {
		limit = DefaultNodes
	}
	w.choose(min(limit, MostNodes))
	return w.draw()
}

// drawer writes down what is shown.
type drawer struct {
	*web

	graph *Graph
	index map[int]int // of places among the nodes
	ends  [][2]int    // of each edge, among the nodes
}

func (w *web) draw() (*Graph, error) {
	d := &drawer{web: w, index: map[int]int{}, graph: &Graph{Of: of(w.result), Nodes: []Node{}, Edges: []Edge{}, Total: w.total, LeftOut: LeftOut{Origin: []Share{}}}}
	d.nodes()
	d.edges()
	d.rests()
	return d.graph, d.positions()
}

// nodes writes the places that are shown, by hops and then by what went through them.
func (d *drawer) nodes() {
	var order []int
	left := map[string]*ledger.Amount{}
	for i, p := range d.places {
		switch {
		case d.shown[i]:
			order = append(order, i)
		case d.hops[i] != unreached:
			d.graph.LeftOut.Nodes++
			for colour, ended := range p.ended {
				addTo(left, colour, ended)
			}
		}
	}
	d.graph.LeftOut.Origin = d.shares(left)
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.hops[a], d.hops[b]), cmp.Compare(d.flowed[b], d.flowed[a]), cmp.Compare(d.places[a].Key, d.places[b].Key))
	})
	for _, i := range order {
		p := d.places[i]
		n := p.Node
		n.Hops, n.Addresses = d.hops[i], len(p.addresses)
		n.Received, n.Ended, n.Costs = d.shares(p.received), d.shares(p.ended), d.shares(p.costs)
		d.index[i] = len(d.graph.Nodes)
		d.graph.Nodes = append(d.graph.Nodes, n)
	}
}

// shares writes sums by colour, in the order of the trace.
func (g *grower) shares(sums map[string]*ledger.Amount) []Share {
	list := []Share{}
	for i := range g.result.Colours {
		if sum := sums[g.result.Colours[i].Colour]; sum != nil && !sum.IsZero() {
			list = append(list, Share{g.result.Colours[i].Colour, sum.Dec()})
		}
	}
	return list
}

// edges writes what moved between nodes that are shown, the thickest first where there
// are too many to be placed.
func (d *drawer) edges() {
	var order []int
	for i, l := range d.lines {
		_, from := d.index[l.from]
		_, to := d.index[l.to]
		switch {
		case from && to:
			order = append(order, i)
		case d.hops[l.from] != unreached && d.hops[l.to] != unreached:
			d.graph.LeftOut.Edges++
		}
	}
	if most := layout.MostEdges - layout.MostNodes; len(order) > most {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(d.weight[b], d.weight[a]) })
		d.graph.LeftOut.Edges += len(order) - most
		order = order[:most]
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := d.lines[a], d.lines[b]
		return cmp.Or(cmp.Compare(d.index[x.from], d.index[y.from]), cmp.Compare(d.index[x.to], d.index[y.to]), cmp.Compare(x.Colour, y.Colour), cmp.Compare(x.Asset, y.Asset), cmp.Compare(x.Link, y.Link))
	})
	for _, i := range order {
		l := d.lines[i]
		d.edge(l, d.index[l.from], d.index[l.to])
	}
}

func (d *drawer) edge(l *line, from, to int) {
	e := l.Edge
	e.From, e.To, e.Amount, e.Origin = d.graph.Nodes[from].Key, d.graph.Nodes[to].Key, l.amount.Dec(), l.origin.Dec()
	d.graph.Edges = append(d.graph.Edges, e)
	d.ends = append(d.ends, [2]int{from, to})
}

// rests puts a node behind every place that leads to what is left out.
func (d *drawer) rests() {
	nodes := len(d.graph.Nodes)
	places := make([]int, nodes)
	for place, at := range d.index {
		places[at] = place
	}
	for at, place := range places {
		if len(d.graph.Nodes) == layout.MostNodes {
			return
		}
		d.rest(at, place)
	}
}

// rest sums up what a place leads to and is left out, by colour and asset.
func (d *drawer) rest(at, from int) {
	beyond := map[int]bool{}
	received := map[string]*ledger.Amount{}
	sums := map[[2]string]*line{}
	var order [][2]string
	for _, i := range d.out[from] {
		l := d.lines[i]
		if d.shown[l.to] || d.hops[l.to] == unreached {
			continue
		}
		beyond[l.to] = true
		addTo(received, l.Colour, &l.origin)
		key := [2]string{l.Colour, l.Asset}
		sum := sums[key]
		if sum == nil {
			sum = &line{Edge: l.Edge}
			sum.Transactions, sum.Txs, sum.Link = 0, []string{}, ""
			sums[key], order = sum, append(order, key)
		}
		sum.amount.Add(&sum.amount, &l.amount)
		sum.origin.Add(&sum.origin, &l.origin)
		sum.Transactions += l.Transactions
		sum.First, sum.Last, sum.Certainty = min(sum.First, l.First), max(sum.Last, l.Last), min(sum.Certainty, l.Certainty)
	}
	if len(beyond) == 0 {
		return
	}
	n := Node{Class: NodeRest, Chain: d.graph.Nodes[at].Chain, Key: "rest " + d.graph.Nodes[at].Key, Label: "more", Addresses: len(beyond), Hops: d.graph.Nodes[at].Hops + 1, Received: d.shares(received), Ended: []Share{}, Costs: []Share{}}
	for i, key := range order {
		sum := sums[key]
		if n.Last = max(n.Last, sum.Last); i == 0 || sum.First < n.First {
			n.First = sum.First
		}
	}
	to := len(d.graph.Nodes)
	d.graph.Nodes = append(d.graph.Nodes, n)
	for _, key := range order {
		d.edge(sums[key], at, to)
	}
}

// positions places everything.
func (d *drawer) positions() error {
	g := &layout.Graph{Layers: make([]int, len(d.graph.Nodes)), Edges: make([]layout.Edge, len(d.ends))}
	for i := range g.Layers {
		g.Layers[i] = layout.Free
	}
	for i, e := range d.ends {
		g.Edges[i] = layout.Edge{From: e[0], To: e[1]}
	}
	placed, err := layout.Place(g)
	if err != nil {
		return err
	}
	for i := range d.graph.Nodes {
		d.graph.Nodes[i].X, d.graph.Nodes[i].Y = placed.X[i], placed.Y[i]
	}
	for i := range d.graph.Edges {
		d.graph.Edges[i].Back = placed.Back[i]
	}
	d.graph.Width, d.graph.Height = placed.Width, placed.Height
	return nil
}
