package behaviour

import "fmt"

// ExchangeHopping is sending to several services within a day.
var ExchangeHopping = &Pattern{
	Name: "exchange-hopping", Title: "Sending to several services at once",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on immediate transfer to several providers; the figures are ours",
	find:   exchangeHopping,
}

// exchangeHopping counts services by name. A labelled address that nobody names is not
// counted: two of them may be one service.
func exchangeHopping(v *view) (out []Finding) {
	ids := v.which(func(f *flow) bool { return f.out && f.counts() && f.party.Entity != "" && f.party.is(v.p.Services) })
	b := burst{v: v, ids: ids, is: v.p.Hopping, key: byName}
	for _, s := range b.spans() {
		part := ids[s.from:s.to]
		f := v.evidence(part, nil)
		names := v.entities(part)
		f.Parameters = append(v.p.Hopping.parameters("distinct services"), words("labels of services", listing(v.p.Services)))
		f.Measures = []Parameter{number("distinct services", len(names)), words("services", listing(names)), number("most services in one window", s.most)}
		f.Text = fmt.Sprintf("%s the subject sent %s to %s (%s), to as many as %d within %d seconds.",
			f.when(), f.sums(), plural(len(names), "service"), listing(names), s.most, v.p.Hopping.Window)
		out = append(out, f)
	}
	return out
}

// entities are the names of the other sides, in order of appearance.
func (v *view) entities(ids []int) (names []string) {
	seen := map[string]bool{}
	for _, id := range ids {
		if name := v.flows[id].party.Entity; name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
