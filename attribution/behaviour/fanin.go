package behaviour

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// FanIn is one asset collected from many and sent on soon.
var FanIn = &Pattern{
	Name: "fan-in", Title: "Collecting from many senders",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on transfers from many wallets into one; the figures are ours",
	find:   fanIn,
}

// fanIn judges each asset by itself. A window counts where, from its first receipt to
// the time allowed after its last, enough of what it brought has left.
func fanIn(v *view) (out []Finding) {
	leaving := map[ledger.Asset]*outflow{}
	for _, ids := range group(v, v.sends(), byAsset) {
		leaving[v.flows[ids[0]].asset] = &outflow{v: v, ids: ids, sums: v.totals(ids)}
	}
	for _, ids := range group(v, v.receipts(), byAsset) {
		left := leaving[v.flows[ids[0]].asset]
		if left == nil {
			continue
		}
		sums := v.totals(ids)
		b := burst{v: v, ids: ids, is: v.p.FanIn, key: byName, also: func(from, to int) bool {
			received := sums.between(from, to)
			gone := left.within(v.flows[ids[from]].at, v.flows[ids[to-1]].at, v.p.FanInWithin)
			return gone.reaches(v.p.FanInForward, &received)
		}}
		for _, s := range b.spans() {
			out = append(out, v.fanInFinding(ids[s.from:s.to], s, left))
		}
	}
	return out
}

func (v *view) fanInFinding(ids []int, s span, left *outflow) Finding {
	f := v.evidence(ids, nil)
	senders := v.distinct(ids, byName)
	gone := left.within(f.From, f.To, v.p.FanInWithin)
	sum := AssetSum{Asset: v.flows[ids[0]].asset}
	sum.Amount, sum.Saturated = gone.amount()
	f.Parameters = append(v.p.FanIn.parameters("distinct senders"),
		share("least share sent on", v.p.FanInForward), seconds("sent on within", v.p.FanInWithin))
	f.Measures = []Parameter{
		number("distinct senders", senders), number("receipts", len(ids)), number("most senders in one window", s.most),
		worth("sent on", sum.Asset, &sum.Amount),
	}
	f.Text = fmt.Sprintf("%s the subject received %s from %s, from as many as %d within %d seconds, and had sent %s on by %d seconds after the last receipt.",
		f.when(), f.sums(), plural(senders, "sender"), s.most, v.p.FanIn.Window, sum.text(), v.p.FanInWithin)
	return f
}

// outflow is what leaves of one asset, in order of time.
type outflow struct {
	v    *view
	ids  []int
	sums totals
}

// within is what left from a time until so many seconds after another.
func (o *outflow) within(from, to int64, seconds uint64) total {
	first, _ := slices.BinarySearchFunc(o.ids, from, func(id int, t int64) int { return cmp.Compare(o.v.flows[id].at, t) })
	last, _ := slices.BinarySearchFunc(o.ids, to, func(id int, t int64) int {
		if at := o.v.flows[id].at; at <= t || since(t, at) <= seconds {
			return -1
		}
		return 1
	})
	return o.sums.between(first, last)
}
