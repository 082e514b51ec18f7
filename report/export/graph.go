package export

import (
	"coldtrail/report"
	"coldtrail/report/document"
	"coldtrail/trace"
)

// graph is the movements of a report as places and transactions. A transaction has many
// senders and many receivers, and which gave to which is not a fact: so it is a node, with
// one edge for each of its ends, and the sums of edges are those of the movements.
type graph struct {
	nodes []node
	edges []edge
	index map[string]int // of nodes by key
}

// node is a place or a transaction.
type node struct {
	id, kind, label, chain, entity string
	time                           string
	height                         uint64
	by                             string // of a transaction that a link stands for
}

// edge is one end of a movement.
type edge struct {
	from, to                            int
	asset, kind, colour, amount, origin string
	number, unit                        string
	certainty                           uint32
	time                                string
}

// newGraph makes the graph of a report.
func newGraph(r *report.Report) *graph {
	g := &graph{index: map[string]int{}}
	entities := map[string]string{}
	for i := range r.Result.Dispositions {
		if d := &r.Result.Dispositions[i]; d.Entity != "" {
			entities[d.Chain+" "+d.At] = d.Entity
		}
	}
	for i := range r.Flows {
		f := &r.Flows[i]
		key := "tx " + f.Chain + " " + f.Tx
		if f.Link != "" {
			key += " by " + f.Link
		}
		kind := "transaction"
		if len(f.From) == 0 {
			kind = "theft"
		}
		tx := g.node(key, node{kind: kind, label: f.Tx, chain: f.Chain, time: f.Time, height: f.Height, by: document.Plain(f.Link)})
		for j := range f.From {
			g.edges = append(g.edges, newEdge(r, f, &f.From[j], g.place(&f.From[j], entities), tx))
		}
		for j := range f.To {
			g.edges = append(g.edges, newEdge(r, f, &f.To[j], tx, g.place(&f.To[j], entities)))
		}
	}
	return g
}

func newEdge(r *report.Report, f *trace.Flow, e *trace.FlowEnd, from, to int) edge {
	number, unit := r.Decimal(e.Amount, e.Asset)
	return edge{from: from, to: to, asset: e.Asset, kind: e.Kind, colour: e.Colour, amount: e.Amount, origin: e.Origin, number: number, unit: unit, certainty: e.Certainty, time: f.Time}
}

// node adds a node once, and tells its number.
func (g *graph) node(key string, n node) int {
	if i, ok := g.index[key]; ok {
		return i
	}
	n.id = "n" + itoa(len(g.nodes))
	g.index[key] = len(g.nodes)
	g.nodes = append(g.nodes, n)
	return len(g.nodes) - 1
}

// place adds the place of an end.
func (g *graph) place(e *trace.FlowEnd, entities map[string]string) int {
	chain := chainOf(e.Asset)
	label := e.Address
	if label == "" {
		label = e.At
	}
	return g.node("at "+chain+" "+e.At, node{kind: "place", label: label, chain: chain, entity: document.Plain(entities[chain+" "+e.At])})
}
