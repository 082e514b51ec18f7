package guard

import (
	"cmp"
	"slices"

	"coldtrail/screen/breaker"
)

// What a line may hold, so that none is longer than the casebook takes, whatever a hostile
// flow makes of the breaker: more transitions go on lines of their own, the mildest of too
// many reasons are left out, and of many only the first say what was measured.
const (
	maxSaid     = 20
	maxReasons  = 200
	maxMeasured = 16
)

// bounded divides an answer into what lines hold. There is at least one part, and the
// decision is in the first. Replay divides what it is told in the same way.
func bounded(out *breaker.Output) []breaker.Output {
	first := breaker.Output{Decision: out.Decision, Transitions: out.Transitions[:min(len(out.Transitions), maxSaid)]}
	if d := out.Decision; d != nil && len(d.Reasons) > maxMeasured {
		short := *d
		short.Reasons = slices.Clone(d.Reasons)
		slices.SortStableFunc(short.Reasons, func(a, b breaker.Reason) int { return cmp.Compare(gravity(b.Action), gravity(a.Action)) })
		short.Reasons = short.Reasons[:min(len(short.Reasons), maxReasons)]
		for i := maxMeasured; i < len(short.Reasons); i++ {
			short.Reasons[i].Signals = nil
		}
		first.Decision = &short
	}
	parts := []breaker.Output{first}
	for rest := range slices.Chunk(out.Transitions[len(first.Transitions):], maxSaid) {
		parts = append(parts, breaker.Output{Transitions: rest})
	}
	return parts
}

// gravity orders actions from the mildest.
func gravity(a breaker.Action) int {
	return slices.Index([]breaker.Action{breaker.Pass, breaker.Delay, breaker.Review, breaker.Refuse}, a)
}
