package cluster

import "coldtrail/ledger"

// SameType votes for an output of the script type that all inputs have, where another
// output has not. Bare public keys count as P2PKH, as the ledger files them.
var SameType = &Feature{
	Name: "type", Title: "same script type as all inputs", Source: moser, Weight: 2,
	votes: func(q *question) []int8 {
		if q.kind == ledger.NoAddress {
			return make([]int8, len(q.open))
		}
		return q.split(q.vote(1, func(i int) bool { return q.tx.Outputs[i].Address.Kind == q.kind }))
	},
}
