package behaviour

import (
	"cmp"
	"fmt"
	"slices"
)

// PassThrough is a receipt that the very next movement sends on, nearly whole.
var PassThrough = &Pattern{
	Name: "pass-through", Title: "Receipts passed straight on",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on deposit and immediate withdrawal; the figures are ours: one hop of a layering chain",
	find:   passThrough,
}

// passage is a receipt and the sending that follows it.
type passage struct{ in, out int }

// passThrough looks at one address and asset at a time: the next movement of that asset
// there is a sending of at least the share kept, and of no more than the receipt.
func passThrough(v *view) (out []Finding) {
	moved := v.which(func(f *flow) bool { return f.counts() && !f.nameless() && !f.own.IsZero() })
	var all []passage
	for _, ids := range group(v, moved, func(f *flow) holding { return holding{f.own, f.asset} }) {
		for i := 1; i < len(ids); i++ {
			if v.passes(ids[i-1], ids[i], v.p.PassThroughKept) && since(v.flows[ids[i-1]].at, v.flows[ids[i]].at) <= v.p.PassThroughWithin && v.alone(ids, i) {
				all = append(all, passage{ids[i-1], ids[i]})
			}
		}
	}
	slices.SortFunc(all, func(a, b passage) int {
		return cmp.Or(cmp.Compare(v.flows[a.in].asset, v.flows[b.in].asset), cmp.Compare(a.in, b.in))
	})
	for start := 0; start < len(all); {
		end, until := start+1, v.flows[all[start].out].at
		for end < len(all) && v.flows[all[end].in].asset == v.flows[all[start].in].asset && v.near(until, v.flows[all[end].in].at) {
			until = max(until, v.flows[all[end].out].at)
			end++
		}
		out = append(out, v.passageFinding(all[start:end]))
		start = end
	}
	return out
}

// near says that a passage begins within the window of the end of those before it.
func (v *view) near(until, next int64) bool {
	return next <= until || since(until, next) <= v.p.PassThroughWithin
}

// passes says that a receipt is followed by a sending of nearly the same.
func (v *view) passes(in, out int, kept uint64) bool {
	x, y := &v.flows[in], &v.flows[out]
	if x.out || !y.out || y.amount.Gt(x.amount) {
		return false
	}
	received, sent := totalOf(x.amount), totalOf(y.amount)
	return sent.reaches(kept, &received)
}

// alone says that the transaction of a sending pays nobody else of the same holding.
func (v *view) alone(ids []int, i int) bool {
	return i+1 >= len(ids) || v.flows[ids[i+1]].step != v.flows[ids[i]].step || !v.flows[ids[i+1]].out
}

func (v *view) passageFinding(all []passage) Finding {
	ids, delays := make([]int, 0, 2*len(all)), make([]uint64, 0, len(all))
	var in, out total
	for _, p := range all {
		ids = append(ids, p.in, p.out)
		delays = append(delays, since(v.flows[p.in].at, v.flows[p.out].at))
		in.add(v.flows[p.in].amount)
		out.add(v.flows[p.out].amount)
	}
	slices.Sort(delays)
	f := v.evidence(ids, nil)
	received, sent := AssetSum{Asset: v.flows[ids[0]].asset}, AssetSum{Asset: v.flows[ids[0]].asset}
	received.Amount, received.Saturated = in.amount()
	sent.Amount, sent.Saturated = out.amount()
	f.Amounts = []AssetSum{sent}
	f.Parameters = []Parameter{share("least share sent on", v.p.PassThroughKept), seconds("sent on within", v.p.PassThroughWithin)}
	f.Measures = []Parameter{
		number("passages", len(all)), worth("received", received.Asset, &received.Amount), worth("sent on", sent.Asset, &sent.Amount),
		seconds("median delay", delays[(len(delays)-1)/2]),
	}
	f.Text = fmt.Sprintf("%s the subject passed on %s, %s of %s, each by the next movement of the asset at the address and within %d seconds.",
		f.when(), plural(len(all), "receipt"), sent.text(), received.text(), v.p.PassThroughWithin)
	return f
}
