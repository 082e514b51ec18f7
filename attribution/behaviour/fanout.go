package behaviour

import "fmt"

// FanOut is one asset sent to many within a short time.
var FanOut = &Pattern{
	Name: "fan-out", Title: "Splitting to many receivers",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on transactions and patterns; the figures are ours",
	find:   fanOut,
}

// fanOut judges each asset by itself: receivers in the window and, where the asset has a
// limit, the sum in it.
func fanOut(v *view) (out []Finding) {
	for _, ids := range group(v, v.sends(), byAsset) {
		asset := v.flows[ids[0]].asset
		least, given := v.p.limit(asset, fanOutOf)
		b := burst{v: v, ids: ids, is: v.p.FanOut, key: byAddress}
		condition := words("least sum in the window", notGiven)
		if given {
			sums, wanted := v.totals(ids), totalOf(least)
			b.also = func(from, to int) bool {
				sum := sums.between(from, to)
				return sum.reaches(whole, &wanted)
			}
			condition = worth("least sum in the window", asset, least)
		}
		for _, s := range b.spans() {
			f := v.evidence(ids[s.from:s.to], nil)
			f.Parameters = append(v.p.FanOut.parameters("distinct receivers"), condition)
			receivers := v.distinct(ids[s.from:s.to], byAddress)
			f.Measures = []Parameter{
				number("distinct receivers", receivers), number("transfers", s.to-s.from), number("most receivers in one window", s.most),
			}
			f.Text = fmt.Sprintf("%s the subject sent %s to %s in %s, to as many as %d within %d seconds.",
				f.when(), f.sums(), plural(receivers, "receiver"), plural(f.Count, "transaction"), s.most, v.p.FanOut.Window)
			out = append(out, f)
		}
	}
	return out
}

// parameters states a burst.
func (b Burst) parameters(of string) []Parameter {
	return []Parameter{number("least "+of, b.Number), seconds("window", b.Window)}
}
