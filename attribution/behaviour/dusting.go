package behaviour

import "fmt"

// Dusting is dust that the subject spreads over many addresses.
var Dusting = &Pattern{
	Name: "dusting", Title: "Spreading dust",
	Source: "OFAC, frequently asked question 1078 (2022), on unsolicited tiny amounts; the figures are ours",
	find:   dusting,
}

func dusting(v *view) (out []Finding) {
	ids := v.which(func(f *flow) bool { return f.out && f.kind == dust && !f.poison && !f.nameless() })
	for _, ids := range group(v, ids, byAsset) {
		b := burst{v: v, ids: ids, is: v.p.Dusting, key: byAddress}
		for _, s := range b.spans() {
			f := v.evidence(ids[s.from:s.to], nil)
			asset := v.flows[ids[0]].asset
			limit, _ := v.p.limit(asset, dustOf)
			receivers := v.distinct(ids[s.from:s.to], byAddress)
			f.Parameters = append(v.p.Dusting.parameters("distinct receivers"), worth("dust limit", asset, limit))
			f.Measures = []Parameter{number("distinct receivers", receivers), number("transfers", s.to-s.from), number("most receivers in one window", s.most)}
			f.Text = fmt.Sprintf("%s the subject sent amounts of at most %s %s to %s, to as many as %d within %d seconds.",
				f.when(), limit.Dec(), unitOf(asset), plural(receivers, "address"), s.most, v.p.Dusting.Window)
			out = append(out, f)
		}
	}
	return out
}
