package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func listVenues(x *exchange) { list(x, x.parts.Venues.Venues) }

// venue finds the venue that the path names.
func (x *exchange) venue() (*Venue, bool) {
	ctx, cancel := x.within()
	defer cancel()
	all, err := x.parts.Venues.Venues(ctx)
	return held(x, all, err, func(v *Venue) bool { return v.ID == x.request.PathValue("id") })
}

func getVenue(x *exchange) {
	if v, ok := x.venue(); ok {
		x.json(http.StatusOK, v)
	}
}

// venueBody is what a caller says of a venue.
type venueBody struct {
	Name   string          `json:"name"`
	Kind   string          `json:"kind"`
	Config json.RawMessage `json:"config"`
	Ended  bool            `json:"ended"`
}

// putVenue guards a venue, changes how, or ends it.
func putVenue(x *exchange) {
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	var in venueBody
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	now := x.started.Unix()
	v := Venue{ID: id, Name: in.Name, Kind: in.Kind, Config: in.Config, By: x.who.id, Created: now, Changed: now, States: []VenueState{}}
	if in.Ended {
		v.Ended = now
	}
	if !slices.Contains([]string{"contract", "hot-wallet", "events"}, v.Kind) {
		x.fail(invalid("the kind is none of contract, hot-wallet and events"))
		return
	}
	if len(v.Config) == 0 {
		v.Config = json.RawMessage("{}")
	}
	before, ok := one(x, x.parts.Venues.Venues, func(v *Venue) bool { return v.ID == id })
	if !ok {
		return
	}
	if before != nil { // whose it is, and how it is, stay
		v.By, v.Created, v.States, v.Degraded = before.By, before.Created, before.States, before.Degraded
	}
	ctx, cancel := x.within()
	defer cancel()
	if err := x.parts.Venues.SaveVenue(ctx, v); err != nil {
		x.fail(err)
		return
	}
	x.change(http.StatusOK, body, v)
}

// maxUses is how many uses one request may post.
const maxUses = 1000

// postUses says what is to be done with uses of a venue: one, or an array of them. The
// same use again has the same answer. Whoever gets no answer must hold the payment.
func postUses(x *exchange) {
	var body []byte
	if _, ok := x.readBody(&body, "application/json"); !ok {
		return
	}
	uses, isMany, err := parseUses(body)
	if err != nil {
		x.fail(err)
		return
	}
	if !x.charge(ClassGuarding, len(uses)) {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	decisions, err := x.parts.Venues.Use(ctx, x.request.PathValue("id"), uses)
	switch {
	case err != nil:
		x.fail(err)
		return
	case len(decisions) != len(uses):
		x.problem(problemInternal, "not every use was decided")
		return
	}
	for i := range decisions {
		if decisions[i].Reasons == nil {
			decisions[i].Reasons = []VenueReason{}
		}
	}
	if view := x.view(); view != nil {
		x.age(x.basisOf(view.Basis()).all)
	} else {
		x.age(none)
	}
	if isMany {
		x.change(http.StatusOK, body, decisions)
		return
	}
	x.change(http.StatusOK, body, decisions[0])
}

// parseUses reads one use or an array of them.
func parseUses(body []byte) (uses []Use, isMany bool, err error) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		isMany = true
		err = DecodeJSON(body, &uses)
	} else {
		uses = make([]Use, 1)
		err = DecodeJSON(body, &uses[0])
	}
	switch {
	case err != nil:
		return nil, isMany, err
	case len(uses) == 0 || len(uses) > maxUses:
		return nil, isMany, invalid("1 to %d uses are taken at once, and these are %d", maxUses, len(uses))
	}
	for i := range uses {
		if err := uses[i].check(); err != nil {
			return nil, isMany, err
		}
	}
	return uses, isMany, nil
}

func (u *Use) check() error {
	if u.ID == "" || u.Route == "" || u.Sender == "" || u.Moment <= 0 {
		return invalid("a use has an id, a moment, a route and a sender")
	}
	for _, text := range []string{u.ID, u.Route, u.Sender, u.Origin, u.Receiver, u.Funder, u.Cluster, u.Fingerprint, string(u.Asset)} {
		if len(text) > 256 {
			return invalid("a text of the use %.50q has more than 256 bytes", u.ID)
		}
	}
	return nil
}

// putOverride sets the state of an incident on a route by hand. Somebody answers for it by
// name, with a reason.
func putOverride(x *exchange) {
	var in Override
	body, ok := decode(x, &in)
	if !ok {
		return
	}
	if in.Moment != 0 || in.By != "" {
		x.fail(invalid("moment and by are not the caller's to say"))
		return
	}
	if strings.TrimSpace(in.Name) == "" || strings.TrimSpace(in.Reason) == "" {
		x.fail(invalid("an override has the name of a person and a reason"))
		return
	}
	if !slices.Contains([]string{"NORMAL", "WATCH", "LIMIT", "HALT"}, in.State) || in.Route == "" || in.Until <= x.started.Unix() {
		x.fail(invalid("an override has a route, a state of NORMAL, WATCH, LIMIT and HALT, and an end in the future in until"))
		return
	}
	in.Moment, in.By = x.started.Unix(), x.who.id
	ctx, cancel := x.within()
	defer cancel()
	transitions, err := x.parts.Venues.Override(ctx, x.request.PathValue("id"), in)
	if err != nil {
		x.fail(err)
		return
	}
	if transitions == nil {
		transitions = []Transition{}
	}
	x.change(http.StatusOK, body, overridden{in, transitions})
}

// overridden is an override and what it changed.
type overridden struct {
	Override    Override     `json:"override"`
	Transitions []Transition `json:"transitions"`
}

// listDecisions gives what was decided, in order.
func listDecisions(x *exchange) {
	after, limit, ok := x.numbered()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	decisions, err := x.parts.Venues.Decisions(ctx, x.request.PathValue("id"), after, limit)
	if err != nil {
		x.fail(err)
		return
	}
	for i := range decisions {
		if decisions[i].Reasons == nil {
			decisions[i].Reasons = []VenueReason{}
		}
	}
	x.json(http.StatusOK, pageOf(decisions, limit, func(d *Decision) string { return strconv.FormatInt(d.Sequence, 10) }))
}
