package behaviour

import (
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// EqualFanOut is one amount sent over and over, each time to somebody else.
var EqualFanOut = &Pattern{
	Name: "equal-amount-fan-out", Title: "Splitting into equal amounts",
	Source: "the first hop of the theft from Bybit (21 February 2025): 40 transfers of 10,000 ETH; the figures are ours",
	find:   equalFanOut,
}

type equal struct {
	asset  ledger.Asset
	amount ledger.Amount
}

func equalFanOut(v *view) (out []Finding) {
	for _, ids := range group(v, v.sends(), func(f *flow) equal { return equal{f.asset, *f.amount} }) {
		b := burst{v: v, ids: ids, is: v.p.EqualFanOut, key: byAddress}
		for _, s := range b.spans() {
			part := ids[s.from:s.to]
			f := v.evidence(part, nil)
			each := AssetSum{Asset: v.flows[part[0]].asset, Amount: *v.flows[part[0]].amount}
			receivers := v.distinct(part, byAddress)
			longest, median := v.intervals(part)
			f.Parameters = v.p.EqualFanOut.parameters("distinct receivers")
			f.Measures = []Parameter{
				worth("each", each.Asset, &each.Amount),
				number("distinct receivers", receivers), number("transfers", len(part)), number("most receivers in one window", s.most),
				seconds("longest interval", longest), seconds("median interval", median),
			}
			f.Text = fmt.Sprintf("%s the subject sent %s of exactly %s each to %s, to as many as %d within %d seconds.",
				f.when(), plural(len(part), "transfer"), each.text(), plural(receivers, "receiver"), s.most, v.p.EqualFanOut.Window)
			out = append(out, f)
		}
	}
	return out
}

// intervals are the longest and the median time between flows that follow each other.
func (v *view) intervals(ids []int) (longest, median uint64) {
	times := make([]int64, len(ids))
	for i, id := range ids {
		times[i] = v.flows[id].at
	}
	return intervalsOf(times)
}

// intervalsOf measures times in rising order. The median of an even number is the lower one.
func intervalsOf(times []int64) (longest, median uint64) {
	if len(times) < 2 {
		return 0, 0
	}
	gaps := make([]uint64, 0, len(times)-1)
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, since(times[i-1], times[i]))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)-1], gaps[(len(gaps)-1)/2]
}
