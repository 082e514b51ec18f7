package cluster

const (
	leastMargin = 3  // by which the best output must lead
	baseScore   = 50 // confidence before the lead counts
	perMargin   = 5  // confidence for every point of the lead
	mostScore   = 90
)

// Score adds the votes of all features by their weights; the change is the output that
// leads every other by three or more. Confidence is 50 and five for every point of the
// lead, at most 90. It stands in for the trained model of Möser and Narayanan: the
// features are theirs, the weights are ours and fitted to nothing. A payment with
// change to an input's own address is left to Direct.
var Score = &Named{Name: "score", Title: "sum of features", Source: moser + "; weights of our own", Confidence: baseScore, find: score}

func score(q *question) candidates {
	found := make(candidates, len(q.open))
	if q.returns() {
		return found
	}
	points := make([]int, len(q.open))
	for _, v := range q.votes() {
		for i, vote := range v.Outputs {
			points[i] += v.Feature.Weight * int(vote)
		}
	}
	best, second := -1, -1
	for i := range points {
		switch {
		case !q.open[i]:
		case best < 0 || points[i] > points[best]:
			best, second = i, best
		case second < 0 || points[i] > points[second]:
			second = i
		}
	}
	margin := points[best] - points[second] // two outputs at least are open
	if margin < leastMargin {
		return found
	}
	found[best] = uint8(min(baseScore+perMargin*margin, mostScore))
	return found
}

// returns says that an open output pays an input's address.
func (q *question) returns() bool {
	for i := range q.open {
		if q.open[i] && q.payers[q.tx.Outputs[i].Address] {
			return true
		}
	}
	return false
}
