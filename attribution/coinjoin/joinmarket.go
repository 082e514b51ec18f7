package coinjoin

import "math"

// JoinMarket's figures. Values are in satoshi.
const (
	joinMarketDust       = 2730 // equal outputs up to this are inscriptions and the like
	joinMarketConfidence = 49
	// joinMarketWeak is for the shape of a payout: few owners get change.
	joinMarketWeak  = 30
	joinMarketLarge = 50 // inputs from which a round must look like one
)

// joinMarket: one value above dust has at least half of the outputs, which have as many
// scripts, and there is another; at least three of it, and no more than the inputs have
// scripts. From fifty inputs on there are at most twenty to an equal output and at
// least 1.7 outputs.
//
// Two conditions are ours; where one of them fails, the confidence is below Threshold.
// Every maker gets change and only a taker who sweeps gets none, so that the other
// outputs are as many as the equal ones, or one less; a payout has a single one. And the
// owner of the largest input must have got it back: as an equal output with the largest
// change, and 2 % and 100,000 satoshi for fees.
//
// Inputs of unknown script count as one script at least, and as no more than that if
// none is known: where parents are missing, it says nothing.
var joinMarket = &Rule{
	Name: "joinmarket", Title: "JoinMarket", Protocol: "JoinMarket", Source: graphSense, exchangeless: true,
	recognise: func(s *shape) (Finding, bool) {
		d := s.commonest(joinMarketDust+1, math.MaxUint64)
		n, others := d.count, len(s.owned)-d.count
		if n < leastEqual || n < others || others == 0 || n > s.scripts.atLeast() || !s.unshared() {
			return Finding{}, false
		}
		if len(s.inputs) >= joinMarketLarge && (len(s.inputs) > 20*n || 10*len(s.owned) < 17*n) {
			return Finding{}, false
		}
		confidence := joinMarketConfidence
		if others < n-1 || !s.covered(d.value) {
			confidence = joinMarketWeak
		}
		return s.mix(confidence, n, only(d.value))
	},
}

// covered says that no known input is too large for an equal output and the largest
// other one.
func (s *shape) covered(d uint64) bool {
	change := uint64(0)
	for _, g := range s.groups {
		if g.value != d {
			change = g.value // groups fall, so the first is the largest
			break
		}
	}
	limit := plus(plus(d, change), plus(d/50, 100_000))
	for i := range s.inputs {
		if s.inputs[i].Value > limit {
			return false
		}
	}
	return true
}
