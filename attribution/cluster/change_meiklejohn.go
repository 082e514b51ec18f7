package cluster

import "coldtrail/ledger"

// Meiklejohn is one-time change as first published: no output pays an input's address,
// exactly one output address is seen for the first time here, and all others were seen
// before. Of the refinements the one that needs no list of services is applied: the
// address is not paid again up to the cut-off. Source: Meiklejohn et al., "A Fistful of
// Bitcoins", IMC 2013, heuristic 2, doi 10.1145/2504730.2504747.
var Meiklejohn = &Named{
	Name: "meiklejohn", Title: "one-time change as published in 2013", Source: "Meiklejohn et al. 2013, heuristic 2", Confidence: 50,
	find: meiklejohn,
}

func meiklejohn(q *question) candidates {
	fresh := q.where(func(i int, _ *ledger.Output) bool { return !q.known[i].SeenBefore })
	for i := range q.open {
		if q.payers[q.tx.Outputs[i].Address] {
			return make(candidates, len(q.open))
		}
	}
	if at := only(fresh); at >= 0 && (q.known[at].ReusedAfter || q.known[at].Received > 1) {
		fresh[at] = false
	}
	return q.at(50, fresh)
}
