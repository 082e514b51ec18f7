package cluster

// Feature is one sign of change. Most are right more often than not and none is right
// always; they are for putting together.
type Feature struct {
	Name, Title, Source string
	Weight              int // in Score

	votes func(q *question) []int8
}

// Features lists the features, sorted by name. Signs that the ledger does not hold
// (version, locktime and sequence of the transaction that spends an output, the form of
// its signatures) are not among them.
var Features = []*Feature{Fresh, Optimal, OptimalFee, PowerOfTen, Reuse, SameType}

// votes asks every feature.
func (q *question) votes() []Vote {
	list := make([]Vote, len(Features))
	for i, f := range Features {
		list[i] = Vote{f, f.votes(q)}
	}
	return list
}

// vote gives a vote to every open output of which something holds.
func (q *question) vote(value int8, holds func(i int) bool) []int8 {
	votes := make([]int8, len(q.open))
	for i := range votes {
		if q.open[i] && holds(i) {
			votes[i] = value
		}
	}
	return votes
}

// split keeps votes that tell outputs apart: where all open outputs have the same,
// nobody has one.
func (q *question) split(votes []int8) []int8 {
	for i := range votes {
		if q.open[i] && votes[i] == 0 {
			return votes
		}
	}
	return make([]int8, len(votes))
}
