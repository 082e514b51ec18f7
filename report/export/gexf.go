package export

import (
	"io"

	"coldtrail/report"
)

// GEXF is the graph of movements for Gephi. Source: GEXF 1.3 (gexf.net).
var GEXF = one("gexf", "graph of movements (GEXF)", "movements.gexf", writeGEXF)

// gexfTypes are GEXF's names for the types of graphKeys.
var gexfTypes = map[string]string{"string": "string", "long": "long", "int": "integer"}

func writeGEXF(w io.Writer, r *report.Report, _ *Options) error {
	g := newGraph(r)
	x := newWriter(w)
	x.open("gexf", "xmlns", "http://gexf.net/1.3", "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance",
		"xsi:schemaLocation", "http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd", "version", "1.3")
	x.open("meta")
	x.element("creator", "Coldtrail")
	x.element("description", r.Title()+"; answer "+r.Result.Digest)
	x.closing("meta")
	x.open("graph", "defaultedgetype", "directed", "mode", "static")
	for _, class := range []string{"node", "edge"} {
		x.open("attributes", "class", class)
		for i, key := range graphKeys {
			if key.of == class {
				x.empty("attribute", "id", "k"+itoa(i), "title", key.name, "type", gexfTypes[key.kind])
			}
		}
		x.closing("attributes")
	}
	values := func(list []string, first int) {
		x.open("attvalues")
		for i, value := range list {
			if value != "" {
				x.empty("attvalue", "for", "k"+itoa(first+i), "value", value)
			}
		}
		x.closing("attvalues")
	}
	x.open("nodes", "count", itoa(len(g.nodes)))
	for i := range g.nodes {
		x.open("node", "id", g.nodes[i].id, "label", g.nodes[i].label)
		values(g.nodes[i].values(), 0)
		x.closing("node")
	}
	x.closing("nodes")
	x.open("edges", "count", itoa(len(g.edges)))
	for i := range g.edges {
		e := &g.edges[i]
		x.open("edge", "id", "e"+itoa(i), "source", g.nodes[e.from].id, "target", g.nodes[e.to].id, "label", e.number+" "+e.unit)
		values(e.values(), nodeKeys)
		x.closing("edge")
	}
	x.closing("edges")
	x.closing("graph")
	x.closing("gexf")
	return x.flush()
}
