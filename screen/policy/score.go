package policy

import (
	"github.com/holiman/uint256"

	"coldtrail/screen/exposure"
)

var tenThousand = *uint256.NewInt(10000)

// Scores is how grave what is known is, 0 to 100, apart by the way value went. The two
// directions are never netted.
type Scores struct {
	Total    uint32 `json:"total"`    // the highest of the three
	Received uint32 `json:"received"` // where the subject's value came from
	Sent     uint32 `json:"sent"`     // where it went
	About    uint32 `json:"about"`    // claims about the subject and its owner
}

// Score is the number of a verdict, taken apart: per direction the highest, over the
// categories, of
//
//	severity · share · confidence/100 · certainty · decay^(hops-1)
//
// in integers, rounded down once. The share of direct exposure that is material is the
// whole, that of indirect exposure its part of all that moved; the shares of one category
// add up. (Definitions as vendors publish them; the formula is ours.)
func (p *Policy) Score(q *exposure.Question, facts []exposure.Fact, now int64) Scores {
	s := p.scenes.Get().(*scene)
	defer s.release()
	s.observe(q, facts, now)
	return s.scores
}

// tally is what the facts of one category, kind and direction weigh: those that add up,
// and the heaviest of those that do not.
type tally struct{ sum, most uint64 }

// tallies are by kind, direction and category.
type tallies [kindCount][3][maxConcepts]tally

// weigh works out what each fact weighs, in billionths of the whole, and the scores.
func (s *scene) weigh() {
	at := func(v *view) *tally { return &s.tallies[v.kind][wayOf(v.fact.Direction)][v.graded.number] }
	for i := range s.views {
		v := &s.views[i]
		var additive bool
		v.weight, additive = s.policy.weight(v, s.mode)
		v.score = uint32(v.weight * uint64(v.graded.severity) / billion)
		if v.weight == 0 || v.graded.severity == 0 {
			continue
		}
		t := at(v)
		if additive {
			t.sum = min(t.sum+v.weight, billion)
		} else {
			t.most = max(t.most, v.weight)
		}
		s.scores.raise(v.fact.Direction, uint32(max(t.sum, t.most)*uint64(v.graded.severity)/billion))
	}
	for i := range s.views { // clears what was used, and not the whole table
		if v := &s.views[i]; v.weight != 0 {
			*at(v) = tally{}
		}
	}
}

func (s *Scores) raise(d exposure.Direction, score uint32) {
	way := [3]*uint32{&s.About, &s.Received, &s.Sent}[wayOf(d)]
	*way = max(*way, score)
	s.Total = max(s.Total, score)
}

func wayOf(d exposure.Direction) int {
	switch d {
	case exposure.Received:
		return 1
	case exposure.Sent:
		return 2
	}
	return 0
}

// weight is how much a fact weighs, in billionths, and whether it adds up with others.
func (p *Policy) weight(v *view, mode valueMode) (weight uint64, additive bool) {
	if v.aside != judged || v.state != inForce {
		return 0, false
	}
	share, decay := uint64(10000), uint64(billion)
	switch v.kind {
	case labelKind:
	case clusterKind:
		share = uint64(p.numbers.engine.owned)
	default:
		hops := v.fact.Hops
		if mode == noValue || v.trifling || int64(hops) > p.numbers.engine.maxHops {
			return 0, false
		}
		decay = p.decay[hops]
		switch {
		case mode == wholeValue && v.material:
		case v.shareKnown:
			share, additive = uint64(v.share), true
		case mode == shareValue: // a pool of unknown size: no share to go by
			return 0, false
		}
	}
	// 10^4 · 10^2 · 10^4 · 10^9 = 10^19 fits 64 bits.
	return share * uint64(v.confidence) * uint64(v.certainty) * decay / (10000 * 100 * 10000), additive
}
