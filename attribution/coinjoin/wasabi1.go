package coinjoin

import "math/bits"

// Figures of Wasabi 1. Values are in satoshi.
const (
	wasabi1Inputs     = 10         // of a round at least
	wasabi1Small      = 20         // inputs below which an even split is refused
	wasabi1Base       = 10_000_000 // 0.1 bitcoin
	wasabi1Width      = 500_000    // the base may be off by this
	wasabi1PerOwner   = 7          // scripts an owner may register
	wasabi1Confidence = 70
)

// wasabi1: at least ten inputs, of which no script has more than a tenth; the commonest
// value within 500,000 satoshi of 0.1 bitcoin has at least three outputs and at least
// half of all but the coordinator's; scripts of inputs number from once to seven times
// as many; outputs have as many scripts. With fewer than twenty inputs the outputs must
// not come to a whole multiple of their commonest value, within a ten-thousandth: then
// one owner has split a sum. That there are four outputs is ours: a round pays its
// coordinator.
//
// From the first height of Wasabi 2 on, more than half of the outputs must not have
// standard values of WabiSabi (ours; Dumplings asks for Wasabi 2 first).
//
// Each condition must hold whatever the unknown inputs are; where most parents are
// missing, it says nothing.
var wasabi1 = &Rule{
	Name: "wasabi1", Title: "Wasabi 1.0", Protocol: "Wasabi 1", Source: graphSense, exchangeless: true,
	recognise: func(s *shape) (Finding, bool) {
		d := s.commonest(wasabi1Base-wasabi1Width, wasabi1Base+wasabi1Width)
		if d.count < leastEqual || 2*d.count < len(s.owned)-1 || !s.isWasabi1Round(d.count) {
			return Finding{}, false
		}
		return s.mix(wasabi1Confidence, d.count, only(d.value))
	},
}

// isWasabi1Round is what Wasabi 1.0 and 1.1 share, for n owners at least.
func (s *shape) isWasabi1Round(n int) bool {
	return len(s.inputs) >= wasabi1Inputs && len(s.owned) >= leastOutputs && s.dispersed() && s.unshared() &&
		n <= s.scripts.atLeast() && s.scripts.atMost() <= wasabi1PerOwner*n &&
		(len(s.inputs) >= wasabi1Small || !s.isEvenSplit()) && !s.isStandardRound()
}

// isStandardRound says that more than half of the outputs have standard values, at a
// height at which WabiSabi pays them.
func (s *shape) isStandardRound() bool {
	standard, _ := s.standard()
	return s.height >= firstWasabi2 && 2*standard > len(s.owned)
}

// isEvenSplit says that the outputs come to a whole multiple of the commonest value,
// within a ten-thousandth of their sum.
func (s *shape) isEvenSplit() bool {
	d := s.commonest(1, s.total).value
	if d == 0 {
		return true
	}
	rest := s.total % d
	rest = min(rest, d-rest)
	high, low := bits.Mul64(rest, 10_000)
	return high == 0 && low <= s.total
}
