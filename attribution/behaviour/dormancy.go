package behaviour

import "fmt"

// Dormancy is a long sleep, and a large part of a balance gone on the day of waking.
var Dormancy = &Pattern{
	Name: "dormancy", Title: "Long dormant, then moved",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on accounts that wake; the figures are ours",
	find:   dormancy,
}

// dormancy measures sleep from the last transaction that the subject made itself, or
// from its first receipt where it never made one. An asset of unknown balance is not judged.
func dormancy(v *view) (out []Finding) {
	b := newBook(v)
	var last int64
	known, until := false, 0
	for i, st := range v.steps {
		if v.sent[i] {
			if slept := since(last, st.Time); known && i >= until && slept >= v.p.DormancyFor {
				var f *Finding
				if f, until = v.wake(b, i, slept); f != nil {
					out = append(out, *f)
				}
			}
			last, known = st.Time, true
		} else if !known && v.receives(i) {
			last, known = st.Time, true
		}
		b.step(i)
	}
	return out
}

func (v *view) receives(step int) bool {
	for _, f := range v.of(step) {
		if f.counts() && !f.out {
			return true
		}
	}
	return false
}

// wake looks at what leaves from a step on; the book stands just before it. It says
// also where the window ends.
func (v *view) wake(b *book, from int, slept uint64) (*Finding, int) {
	to := from
	for to < len(v.steps) && since(v.steps[from].Time, v.steps[to].Time) <= v.p.DormancyWithin {
		to++
	}
	var leaving []int
	for id := v.first[from]; id < v.first[to]; id++ {
		if f := &v.flows[id]; f.out && f.counts() {
			leaving = append(leaving, id)
		}
	}
	var gone []int
	var shares []Parameter
	for _, ids := range group(v, leaving, byAsset) {
		asset := v.flows[ids[0]].asset
		held, ok := b.has(holding{asset: asset})
		left := v.totals(ids).between(0, len(ids))
		if !ok || held.isZero() || !left.reaches(v.p.DormancyMoved, &held) {
			continue
		}
		amount, _ := held.amount()
		shares = append(shares, worth("held before", asset, &amount))
		gone = append(gone, ids...)
	}
	if gone == nil {
		return nil, to
	}
	f := v.evidence(gone, nil)
	f.Parameters = []Parameter{
		seconds("nothing sent for", v.p.DormancyFor), share("least share moved", v.p.DormancyMoved), seconds("moved within", v.p.DormancyWithin),
	}
	f.Measures = append(shares, seconds("slept", slept))
	f.Text = fmt.Sprintf("%s the subject, which had sent nothing for %s, moved %s.", f.when(), plural(int(min(slept/day, 1<<31)), "day"), f.sums())
	return &f, to
}
