package behaviour

import (
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// Structuring is payments kept just under an amount that must be reported.
var Structuring = &Pattern{
	Name: "structuring", Title: "Payments just under a reporting threshold",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on amounts under record-keeping thresholds; the figures are ours",
	find:   structuring,
}

// band is a threshold and whom payments under it went to.
type band struct {
	asset     ledger.Asset
	threshold ledger.Amount
	to        key
}

// structuring looks at each threshold of each asset by itself. An asset without
// thresholds has no findings.
func structuring(v *view) (out []Finding) {
	under := map[band][]int{}
	var order []band
	for _, id := range v.sends() {
		f := &v.flows[id]
		amount := totalOf(f.amount)
		for _, threshold := range v.p.Limits[f.asset].Reporting {
			limit := totalOf(&threshold)
			if threshold.IsZero() || !amount.reaches(v.p.StructuringLeast, &limit) || amount.exceeds(v.p.StructuringMost, &limit) {
				continue
			}
			b := band{f.asset, threshold, f.party.byName()}
			if under[b] == nil {
				order = append(order, b)
			}
			under[b] = append(under[b], id)
		}
	}
	for _, b := range order {
		ids := slices.Compact(under[b]) // a threshold may be given twice
		n := burst{v: v, ids: ids, is: v.p.Structuring, key: itself}
		for _, s := range n.spans() {
			f := v.evidence(ids[s.from:s.to], nil)
			f.Parameters = append(v.p.Structuring.parameters("transfers to one target"),
				worth("reporting threshold", b.asset, &b.threshold),
				share("least share of it", v.p.StructuringLeast), share("greatest share of it", v.p.StructuringMost))
			f.Measures = []Parameter{number("transfers", s.to-s.from), number("most transfers in one window", s.most)}
			f.Text = fmt.Sprintf("%s the subject made %s to one target, %s in all, each of %d to %d hundredths of a per cent of %s %s.",
				f.when(), plural(s.to-s.from, "transfer"), f.sums(), v.p.StructuringLeast, v.p.StructuringMost, b.threshold.Dec(), unitOf(b.asset))
			out = append(out, f)
		}
	}
	return out
}
