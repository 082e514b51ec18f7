package cluster

// Reuse votes against addresses that were seen before: wallets make a new address for
// change. An input's own address is left to Direct.
var Reuse = &Feature{
	Name: "reuse", Title: "address not seen before", Source: moser, Weight: 2,
	votes: func(q *question) []int8 {
		return q.vote(-1, func(i int) bool { return q.known[i].SeenBefore && !q.payers[q.tx.Outputs[i].Address] })
	},
}
