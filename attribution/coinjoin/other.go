package coinjoin

// Figures of the rule for no protocol in particular.
const (
	otherConfidence = 30
	otherSlack      = 10_000 // satoshi
)

// other: one value only occurs more than once, and has exactly half of the outputs;
// outputs and inputs have at least as many scripts as it has outputs; and the largest
// input is at least 10,000 satoshi less than such an output and the largest other
// together.
//
// That there are three equal outputs is ours: two tell nothing. Every parent must be
// known.
var other = &Rule{
	Name: "other", Title: "Equal outputs of no known protocol", Protocol: "unknown", Source: dumplings,
	recognise: func(s *shape) (Finding, bool) {
		var equal group
		largest, repeated := uint64(0), 0
		for _, g := range s.groups {
			if g.count > 1 {
				repeated++
				equal = g
			} else {
				largest = max(largest, g.value)
			}
		}
		n := equal.count
		if repeated != 1 || n < leastEqual || 2*n != len(s.owned) || s.distinct < n || s.scripts.atLeast() < n || s.unvalued > 0 {
			return Finding{}, false
		}
		for i := range s.inputs {
			if plus(s.inputs[i].Value, otherSlack) > plus(equal.value, largest) {
				return Finding{}, false
			}
		}
		return s.mix(otherConfidence, n, only(equal.value))
	},
}
