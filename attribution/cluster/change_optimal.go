package cluster

// moser is where most features were described together.
const moser = "Möser and Narayanan, Resurrecting Address Clustering in Bitcoin (FC 2022), and BlockSci, change_address.cpp"

// Optimal votes for an output worth less than the smallest of two or more inputs: had
// it been a payment, that input would not have been needed.
var Optimal = &Feature{
	Name: "optimal", Title: "worth less than every input", Source: moser, Weight: 2,
	votes: func(q *question) []int8 { return q.lessThan(q.smallest) },
}

// OptimalFee is Optimal where the input would have had to pay for the fee as well.
var OptimalFee = &Feature{
	Name: "optimal-fee", Title: "worth less than every input less the fee", Source: moser, Weight: 1,
	votes: func(q *question) []int8 { return q.lessThan(q.smallest - min(q.fee, q.smallest)) },
}

// lessThan votes for outputs below a value in satoshi, where others are not.
func (q *question) lessThan(value uint64) []int8 {
	if len(q.tx.Inputs) < 2 {
		return make([]int8, len(q.open))
	}
	return q.split(q.vote(1, func(i int) bool { return q.tx.Outputs[i].Value < value }))
}
