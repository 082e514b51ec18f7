package cluster

import "coldtrail/ledger"

// The limits of OneTime.
const (
	leastOneTime = 2     // outputs
	mostOneTime  = 10    // outputs
	niceAmount   = 1_000 // satoshi; change is no multiple of it
)

// OneTime is the one-time change rule of GraphSense, as its code has it: 2 to 10
// outputs, data outputs counted; and of the output that it is of the same script type
// as all inputs, no multiple of 1,000 satoshi, worth less than the smallest input, the
// only one to its address, and that its address was never seen before, is paid once and
// spends at most once. Source: graphsense-lib, heuristics_service.py, one-time change.
//
// GraphSense counts an address first seen in an earlier block as seen before; here an
// earlier transaction of the same block counts too.
var OneTime = &Named{
	Name: "one-time", Title: "one-time change", Source: "graphsense-lib, heuristics_service.py, one-time change", Confidence: 50,
	find: oneTime,
}

func oneTime(q *question) candidates {
	if n := len(q.tx.Outputs); n < leastOneTime || n > mostOneTime || q.kind == ledger.NoAddress {
		return make(candidates, len(q.open))
	}
	paid := q.each()
	return q.at(50, q.where(func(i int, o *ledger.Output) bool {
		k := &q.known[i]
		return o.Address.Kind == q.kind && o.Value%niceAmount != 0 && o.Value < q.smallest && paid[o.Address] == 1 &&
			!k.SeenBefore && k.Received <= 1 && k.Spent <= 1
	}))
}
