package export

import (
	"io"
	"strconv"

	"coldtrail/report"
)

// GraphML is the graph of movements for graph programs. Source: GraphML 1.1 (Brandes et al.).
var GraphML = one("graphml", "graph of movements (GraphML)", "movements.graphml", writeGraphML)

// graphKeys are the attributes of nodes and edges, with their types. Amounts are strings:
// they have more digits than any number of a graph program.
var graphKeys = []struct{ of, name, kind string }{
	{"node", "kind", "string"},
	{"node", "label", "string"},
	{"node", "chain", "string"},
	{"node", "entity", "string"},
	{"node", "time", "string"},
	{"node", "height", "long"},
	{"node", "asserted_by", "string"},
	{"edge", "asset", "string"},
	{"edge", "kind", "string"},
	{"edge", "colour", "string"},
	{"edge", "amount", "string"},
	{"edge", "origin", "string"},
	{"edge", "amount_decimal", "string"},
	{"edge", "unit", "string"},
	{"edge", "certainty_bp", "int"},
	{"edge", "mark", "string"},
	{"edge", "time", "string"},
}

// values are a node's or an edge's attributes in the order of graphKeys.
func (n *node) values() []string {
	height := ""
	if n.height > 0 {
		height = strconv.FormatUint(n.height, 10)
	}
	return []string{n.kind, n.label, n.chain, n.entity, n.time, height, n.by}
}

func (e *edge) values() []string {
	return []string{e.asset, e.kind, e.colour, e.amount, e.origin, e.number, e.unit, strconv.FormatUint(uint64(e.certainty), 10), mark(e.certainty), e.time}
}

// nodeKeys is how many of graphKeys are of nodes.
const nodeKeys = 7

func writeGraphML(w io.Writer, r *report.Report, _ *Options) error {
	g := newGraph(r)
	x := newWriter(w)
	x.open("graphml", "xmlns", "http://graphml.graphdrawing.org/xmlns", "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance",
		"xsi:schemaLocation", "http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.1/graphml.xsd")
	x.raw("\n")
	for i, key := range graphKeys {
		x.empty("key", "id", "k"+itoa(i), "for", key.of, "attr.name", key.name, "attr.type", key.kind)
	}
	x.open("graph", "id", "movements", "edgedefault", "directed")
	x.element("desc", r.Title()+"; answer "+r.Result.Digest)
	data := func(values []string, first int) {
		for i, value := range values {
			if value != "" {
				x.element("data", value, "key", "k"+itoa(first+i))
			}
		}
	}
	for i := range g.nodes {
		x.open("node", "id", g.nodes[i].id)
		data(g.nodes[i].values(), 0)
		x.closing("node")
	}
	for i := range g.edges {
		e := &g.edges[i]
		x.open("edge", "id", "e"+itoa(i), "source", g.nodes[e.from].id, "target", g.nodes[e.to].id)
		data(e.values(), nodeKeys)
		x.closing("edge")
	}
	x.closing("graph")
	x.closing("graphml")
	return x.flush()
}
