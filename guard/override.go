package guard

import (
	"context"
	"fmt"
	"slices"

	"coldtrail/screen/breaker"
)

// Proposed is the cause of a transition that a second person has to ask for as well: the
// state stays until then.
const Proposed breaker.Cause = "override-proposed"

const (
	// maxProposals bounds how many overrides wait for a second person.
	maxProposals = 64
	// proposalAge is how long they wait, in seconds.
	proposalAge = 3600
)

// Override sets a state by hand and says what changed. key is who asks, as the server
// knows them; By is their name. Where the venue's configuration wants four eyes, the first
// time only proposes it (the answer is a transition of cause Proposed), and the same
// incident, route and state asked for with another key within an hour brings it into
// force, until the earlier of both ends.
func (g *Guard) Override(ctx context.Context, venue, key string, o breaker.Override) ([]breaker.Transition, error) {
	v, err := g.venue(venue)
	if err != nil {
		return nil, err
	}
	if !v.guarded() {
		return nil, fmt.Errorf("%w: %q has ended", ErrNotFound, venue)
	}
	if !isText(o.By + o.Reason + o.Incident + o.Route) {
		return nil, fmt.Errorf("%w: a text of the override is no UTF-8", ErrInvalid)
	}
	var said []breaker.Transition
	err = v.do(ctx, func(context.Context) error {
		said, err = v.override(key, o, g.options.Now())
		return err
	})
	return said, err
}

func (v *venue) override(key string, o breaker.Override, now int64) ([]breaker.Transition, error) {
	if err := v.beat(now); err != nil {
		return nil, err
	}
	o.Moment = max(now, v.machine.Clock())
	from := v.stateOf(o.Incident, o.Route)
	if v.fourEyes(from, o.State) {
		first := v.second(key, &o)
		if first == nil {
			return v.propose(key, &o, from)
		}
		o.By = first.By + " and " + o.By
		o.Reason = first.Reason + " / " + o.Reason
		o.Until = min(first.Until, o.Until)
	}
	l, err := v.apply(&breaker.Input{Override: &o}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	v.proposals = slices.DeleteFunc(v.proposals, func(p proposal) bool { return p.Incident == o.Incident && p.Route == o.Route })
	return l.Output.Transitions, nil
}

// stateOf is the state of an incident on a route.
func (v *venue) stateOf(incident, route string) breaker.State {
	for _, s := range v.machine.States() {
		if s.Incident == incident && s.Route == route {
			return s.State
		}
	}
	return breaker.Normal
}

// fourEyes says whether two people have to ask.
func (v *venue) fourEyes(from, to breaker.State) bool {
	isLooser := slices.Index(breaker.States, to) < slices.Index(breaker.States, from)
	return slices.ContainsFunc(v.settings.FourEyes, func(s string) bool { return s == string(to) || s == Looser && isLooser })
}

// second finds the proposal of somebody else that an override repeats.
func (v *venue) second(key string, o *breaker.Override) *proposal {
	for i := len(v.proposals) - 1; i >= 0; i-- {
		p := &v.proposals[i]
		if p.Key != key && p.Incident == o.Incident && p.Route == o.Route && p.State == o.State && o.Moment-p.Moment <= proposalAge && p.Until > o.Moment {
			return p
		}
	}
	return nil
}

// propose writes an override down that waits for a second person.
func (v *venue) propose(key string, o *breaker.Override, from breaker.State) ([]breaker.Transition, error) {
	const week = 7 * 86_400
	switch {
	case o.By == "" || o.Reason == "" || o.Route == "" || !slices.Contains(breaker.States, o.State):
		return nil, fmt.Errorf("%w: an override has a route, a state, a name and a reason", ErrInvalid)
	case o.Until <= o.Moment || o.Until > o.Moment+week:
		return nil, fmt.Errorf("%w: an override ends within a week", ErrInvalid)
	case len(o.By) > maxText/2-8 || len(o.Reason) > 2000 || len(o.Incident) > maxText || len(o.Route) > maxText:
		return nil, fmt.Errorf("%w: a text of the override is too long", ErrInvalid)
	}
	l := v.next()
	l.Proposal, l.moment = &proposal{*o, key}, v.machine.Clock()
	said := breaker.Transition{
		Moment: o.Moment, Venue: v.id, Incident: o.Incident, Route: o.Route, From: from, To: from, Cause: Proposed,
		By: o.By, Reason: string(o.State) + ": " + o.Reason, Until: min(o.Until, o.Moment+proposalAge),
	}
	l.Output = &breaker.Output{Transitions: []breaker.Transition{said}}
	v.remember(l)
	return l.Output.Transitions, nil
}
