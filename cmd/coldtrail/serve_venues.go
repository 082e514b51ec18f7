package main

import (
	"context"
	"errors"
	"strings"

	"coldtrail/casebook"
	"coldtrail/guard"
	"coldtrail/screen/breaker"
	"coldtrail/server"
)

// guardedVenues gives the server the venues of a guard.
type guardedVenues struct{ guard *guard.Guard }

// guardErrors are the errors of a guard and what the server makes of them.
var guardErrors = []struct{ is, as error }{
	{guard.ErrNotFound, server.ErrNotFound},
	{guard.ErrConflict, server.ErrConflict},
	{guard.ErrInvalid, server.ErrInvalid},
	{guard.ErrGone, server.ErrGone},
	{guard.ErrBusy, server.ErrUnavailable},
	{guard.ErrClosed, server.ErrUnavailable},
}

// guardAnswered turns an error of a guard into one that the server knows how to answer.
func guardAnswered(err error) error {
	for _, x := range guardErrors {
		if errors.Is(err, x.is) {
			return refuse(x.as, "%s", strings.TrimPrefix(err.Error(), guard.ErrInvalid.Error()+": "))
		}
	}
	if errors.Is(err, guard.ErrLog) {
		return err // it wraps errors of the casebook that are not the caller's
	}
	return answered(err)
}

// Venues lists the venues and their states. One whose log cannot be read is degraded and
// has no states: what is in force there is not known.
func (g guardedVenues) Venues(ctx context.Context) ([]server.Venue, error) {
	list, err := g.guard.Venues(ctx)
	if err != nil {
		return nil, guardAnswered(err)
	}
	venues := make([]server.Venue, len(list))
	for i := range list {
		s := &list[i]
		venues[i] = server.Venue{
			ID: s.ID, Name: s.Name, Kind: string(s.Kind), Config: s.Config, By: s.By, Created: s.Created, Changed: s.Changed, Ended: s.Ended,
			Degraded: s.Degraded, States: venueStates(s.States),
		}
	}
	return venues, nil
}

func venueStates(states []breaker.Status) []server.VenueState {
	list := make([]server.VenueState, len(states))
	for i := range states {
		s := &states[i]
		list[i] = server.VenueState{
			Incident: s.Incident, Route: s.Route, State: string(s.State), Beneath: string(s.Beneath), Since: s.Since, Probing: s.Probing,
			Score: s.Score, Signals: venueReadings(s.Signals),
		}
		if o := s.Override; o != nil {
			list[i].Override = &server.Override{Moment: o.Moment, Incident: o.Incident, Route: o.Route, State: string(o.State), Until: o.Until, Name: o.By, Reason: o.Reason}
		}
	}
	return list
}

func venueReadings(readings []breaker.Reading) (list []server.Reading) {
	for i := range readings {
		r := &readings[i]
		list = append(list, server.Reading{Signal: r.Signal, Value: r.Value, Unit: r.Unit, Points: r.Points, Weight: r.Weight})
	}
	return list
}

func venueTransitions(transitions []breaker.Transition) (list []server.Transition) {
	for i := range transitions {
		t := &transitions[i]
		list = append(list, server.Transition{
			Sequence: t.Sequence, Moment: t.Moment, Incident: t.Incident, Route: t.Route, From: string(t.From), To: string(t.To), Cause: string(t.Cause),
			Score: t.Score, Threshold: t.Threshold, Signals: venueReadings(t.Signals), By: t.By, Reason: t.Reason, Until: t.Until,
		})
	}
	return list
}

// SaveVenue guards a venue, changes how, or ends it.
func (g guardedVenues) SaveVenue(ctx context.Context, v server.Venue) error {
	return guardAnswered(g.guard.SaveVenue(ctx, casebook.Venue{
		ID: v.ID, Name: v.Name, Kind: casebook.VenueKind(v.Kind), Config: v.Config, By: v.By, Created: v.Created, Changed: v.Changed, Ended: v.Ended,
	}))
}

// Use says what is to be done with uses.
func (g guardedVenues) Use(ctx context.Context, venue string, uses []server.Use) ([]server.Decision, error) {
	events := make([]breaker.Event, len(uses))
	for i := range uses {
		u := &uses[i]
		events[i] = breaker.Event{
			ID: u.ID, Moment: u.Moment, Route: u.Route, Sender: u.Sender, Origin: u.Origin, Receiver: u.Receiver, Funder: u.Funder, Cluster: u.Cluster,
			Fingerprint: u.Fingerprint, FunderService: u.FunderService, ReceiverService: u.ReceiverService, Cents: u.Cents, Asset: u.Asset, Amount: u.Amount,
			Provisional: u.Provisional,
		}
	}
	return venueDecisions(g.guard.Use(ctx, venue, events))
}

// Decisions lists what was decided.
func (g guardedVenues) Decisions(ctx context.Context, venue string, after int64, limit int) ([]server.Decision, error) {
	return venueDecisions(g.guard.Decisions(ctx, venue, after, limit))
}

func venueDecisions(decisions []guard.Decision, err error) ([]server.Decision, error) {
	if err != nil {
		return nil, guardAnswered(err)
	}
	list := make([]server.Decision, len(decisions))
	for i := range decisions {
		d := &decisions[i]
		list[i] = server.Decision{
			Sequence: d.Sequence, ID: d.ID, Moment: d.Moment, Action: string(d.Action), Until: d.Until, Reasons: venueReasons(d.Reasons),
			Degraded: d.Degraded, Cold: d.Cold, Transitions: venueTransitions(d.Transitions), Verdict: d.Verdict,
		}
	}
	return list, nil
}

func venueReasons(reasons []breaker.Reason) []server.VenueReason {
	list := make([]server.VenueReason, len(reasons))
	for i := range reasons {
		r := &reasons[i]
		list[i] = server.VenueReason{
			Match: string(r.Match), Action: string(r.Action), Incident: r.Incident, Route: r.Route, State: string(r.State), Shared: r.Shared, Note: r.Note,
			Score: r.Score, Threshold: r.Threshold, Signals: venueReadings(r.Signals),
		}
	}
	return list
}

// Override sets a state by hand.
func (g guardedVenues) Override(ctx context.Context, venue string, o server.Override) ([]server.Transition, error) {
	said, err := g.guard.Override(ctx, venue, o.By, breaker.Override{
		Incident: o.Incident, Route: o.Route, State: breaker.State(o.State), Until: o.Until, By: o.Name + " (" + o.By + ")", Reason: o.Reason,
	})
	return venueTransitions(said), guardAnswered(err)
}

var _ server.Venues = guardedVenues{}
