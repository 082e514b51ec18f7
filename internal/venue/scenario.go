package venue

import (
	"errors"

	"coldtrail/screen/breaker"
)

// honestPerUse is how many honest uses come for one of the thief's.
const honestPerUse = 100

// warmUp is how many days of honest traffic come before what is measured.
const warmUp = 21

// Attack is the laundering among honest traffic.
type Attack struct {
	// From is when measuring begins: midnight before the first stolen use.
	From int64
	// PerDay is how many ordinary honest uses a day has.
	PerDay int
	Stolen int // uses by the thief
	Uses   []Use
}

// NewAttack mixes the laundering with honest traffic: a hundred ordinary uses for each of
// the thief's while he is at work, and three weeks of them before.
func NewAttack(seed uint64) (*Attack, error) {
	stolen, err := Laundering(seed)
	if err != nil {
		return nil, err
	}
	a := &Attack{Stolen: len(stolen)}
	first, last := stolen[0].Moment, stolen[len(stolen)-1].Moment
	a.From = first / day * day
	days := int((last-a.From)/day) + 1
	a.PerDay = honestPerUse * len(stolen) / days
	h := NewHonest(seed, a.PerDay, a.From-warmUp*day)
	for i := range warmUp + days {
		if i == warmUp {
			h.Bystanders = Incident
		}
		a.Uses = append(a.Uses, h.Day()...)
	}
	a.Uses = ordered(append(a.Uses, stolen...))
	return a, nil
}

// Play plays the attack through a breaker.
func (a *Attack) Play(config *breaker.Config, quality *Quality) (*Result, error) {
	uses := a.Uses
	return Simulate(config, quality, a.From, func() []Use {
		all := uses
		uses = nil
		return all
	})
}

// honestStart is when honest traffic begins that no attack fixes: 2024-01-01T00:00:00Z.
const honestStart = 1_704_067_200

// HonestDays is how an honest stream of so many days after warming up is played; done is
// told of every day, and may stop it.
func HonestDays(config *breaker.Config, seed uint64, perDay, days int, done func(day int) error) (*Result, error) {
	h, today := NewHonest(seed, perDay, honestStart), 0
	var stopped error
	result, err := Simulate(config, &Qualities[0], honestStart+warmUp*day, func() []Use {
		if done != nil && today > warmUp {
			stopped = done(today - warmUp)
		}
		if today == warmUp+days || stopped != nil {
			return nil
		}
		today++
		return h.Day()
	})
	return result, errors.Join(stopped, err)
}
