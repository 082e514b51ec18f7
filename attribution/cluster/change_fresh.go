package cluster

import "coldtrail/ledger"

// Fresh votes for the only output whose address is seen for the first time. Where an
// output returns to an input's address it says nothing: the new address is then more
// likely the payee's.
var Fresh = &Feature{
	Name: "fresh", Title: "the only address not seen before", Source: moser, Weight: 2,
	votes: func(q *question) []int8 {
		if q.returns() {
			return make([]int8, len(q.open))
		}
		at := only(q.where(func(i int, _ *ledger.Output) bool { return !q.known[i].SeenBefore }))
		return q.vote(1, func(i int) bool { return i == at })
	},
}
