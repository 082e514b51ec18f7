package policy

import (
	"cmp"
	"math"
	"slices"

	"coldtrail/screen/exposure"
)

// Change is an example on which two policies do not agree.
type Change struct {
	Example int    `json:"example"` // its number among the examples
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Before  Side   `json:"before"`
	After   Side   `json:"after"`
}

// Side is what one of the two policies says.
type Side struct {
	Outcome exposure.Outcome `json:"outcome"`
	Level   exposure.Level   `json:"level"`
	Score   uint32           `json:"score"`
	// Deciding are the codes of the reasons that give the outcome.
	Deciding []string `json:"deciding"`
	// Only are the codes of reasons that the other policy does not give.
	Only []string `json:"only,omitempty"`
}

// Compare says what a new policy would have changed: every example whose outcome or
// level is another, and by which rules.
func Compare(before, after *Policy, examples []Example) (changes []Change) {
	for i := range examples {
		e := &examples[i]
		a, b := before.decideExample(e), after.decideExample(e)
		if a.Outcome == b.Outcome && a.Level == b.Level {
			continue
		}
		changes = append(changes, Change{i, e.Name, e.Subject.Address, side(&a, &b), side(&b, &a)})
	}
	return changes
}

func side(v, other *exposure.Verdict) Side {
	s := Side{Outcome: v.Outcome, Level: v.Level, Score: v.Score}
	for _, r := range v.Reasons {
		if r.Outcome == v.Outcome {
			s.Deciding = append(s.Deciding, r.Code)
		}
	}
	s.Deciding = unique(s.Deciding)
	theirs := codes(other)
	s.Only = slices.DeleteFunc(codes(v), func(c string) bool { return slices.Contains(theirs, c) })
	return s
}

// codes lists the codes of a verdict's reasons, once each.
func codes(v *exposure.Verdict) (list []string) {
	for _, r := range v.Reasons {
		list = append(list, r.Code)
	}
	return unique(list)
}

// unique drops what came before, and keeps the order.
func unique(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Remainder is what is left of a verdict without its smallest reasons.
type Remainder struct {
	Removed []exposure.Fact  `json:"removed"`
	Scores  Scores           `json:"scores"`
	Level   exposure.Level   `json:"level"`
	Outcome exposure.Outcome `json:"outcome"`
	// Cents is what the value still held against the subject is worth, as far as there
	// are prices; Unvalued counts the facts without one.
	Cents    int64 `json:"cents"`
	Unvalued int   `json:"unvalued"`
}

// removedFacts is how many of the smallest facts a remainder leaves out.
const removedFacts = 3

// Remainder says how much of a verdict stands without the three facts that contribute
// least to its score: a flag that rests on dust, airdrops or a shared address does not
// survive it.
func (p *Policy) Remainder(q *exposure.Question, subject Subject, facts []exposure.Fact, now int64) Remainder {
	s := p.scenes.Get().(*scene)
	s.observe(q, facts, now)
	var order []int
	for i := range s.views {
		if contribution(&s.views[i]) > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(contribution(&s.views[a]), contribution(&s.views[b]))
	})
	removed := order[:min(removedFacts, len(order))]
	slices.Sort(removed)
	var r Remainder
	rest := make([]exposure.Fact, 0, len(s.facts))
	for i := range s.facts {
		if slices.Contains(removed, i) {
			r.Removed = append(r.Removed, s.facts[i])
			continue
		}
		rest = append(rest, s.facts[i])
		if v := &s.views[i]; v.kind >= taintKind && contribution(v) > 0 {
			if v.valued {
				r.Cents += min(v.cents, math.MaxInt64-r.Cents)
			} else {
				r.Unvalued++
			}
		}
	}
	s.release()
	v := p.Decide(q, subject, rest, now)
	r.Level, r.Outcome, r.Scores = v.Level, v.Outcome, p.Score(q, rest, now)
	return r
}

// contribution is what a fact adds to the score, before it is rounded.
func contribution(v *view) uint64 { return v.weight * uint64(v.graded.severity) }
