package casebook

import (
	"context"
	"encoding/json"
	"fmt"
)

// VenueKind says how a venue's flow is seen.
type VenueKind string

// The kinds of venue.
const (
	Contract  VenueKind = "contract"   // calls of contracts on a chain
	HotWallet VenueKind = "hot-wallet" // addresses on a chain
	Posted    VenueKind = "events"     // the venue posts events itself
)

// A Venue is a place where value flows through and whose flow is guarded.
type Venue struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	Kind VenueKind `json:"kind"`
	// Config is what the breaker wants to know; the casebook only keeps it.
	Config  json.RawMessage `json:"config"`
	By      string          `json:"by"`
	Created int64           `json:"created"`
	Changed int64           `json:"changed"`
	// Ended is when the venue was no longer guarded, 0 for one that is.
	Ended int64 `json:"ended,omitempty"`
}

// Venues keeps venues.
type Venues interface {
	// SaveVenue makes a venue, or changes name, kind, configuration and end of one.
	SaveVenue(ctx context.Context, venue Venue) error
	// Venue gives a venue, or ErrNotFound.
	Venue(ctx context.Context, id string) (Venue, error)
	// Venues gives all venues, also ended ones, in order of their identifiers.
	Venues(ctx context.Context) ([]Venue, error)
}

const venueColumns = `id, name, kind, config, by_whom, created_at, changed_at, ended_at`

func scanVenue(r row) (Venue, error) {
	var v Venue
	var config string
	err := r.Scan(&v.ID, &v.Name, &v.Kind, &config, &v.By, &v.Created, &v.Changed, &v.Ended)
	v.Config = json.RawMessage(config)
	return v, err
}

// SaveVenue implements Venues.
func (b *SQL) SaveVenue(ctx context.Context, v Venue) error {
	switch v.Kind {
	case Contract, HotWallet, Posted:
	default:
		return &InvalidError{"venue", fmt.Sprintf("kind %q is not known", v.Kind)}
	}
	config, err := canonical("config", v.Config)
	if err != nil {
		return err
	}
	if err := first(checkID("venue", v.ID), checkLine("name", v.Name), checkID("by", v.By)); err != nil {
		return err
	}
	return b.change(ctx, "save venue "+v.ID, func(s session) error {
		_, err := s.exec(ctx, `INSERT INTO venues (`+venueColumns+`) VALUES `+questionMarks(8)+`
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, config = excluded.config, changed_at = excluded.changed_at, ended_at = excluded.ended_at`,
			v.ID, v.Name, v.Kind, string(config), v.By, v.Created, v.Changed, v.Ended)
		return err
	})
}

// Venue implements Venues.
func (b *SQL) Venue(ctx context.Context, id string) (Venue, error) {
	return told[Venue]("venue " + id)(one(ctx, b.reading(), scanVenue, `SELECT `+venueColumns+` FROM venues WHERE id = ?`, id))
}

// Venues implements Venues.
func (b *SQL) Venues(ctx context.Context) ([]Venue, error) {
	return told[[]Venue]("venues")(rows(ctx, b.reading(), scanVenue, `SELECT `+venueColumns+` FROM venues ORDER BY id`))
}

// An Override is a state that somebody set a venue's breaker to, against what it says.
type Override struct {
	Sequence int64  `json:"sequence"` // numbers all overrides from 1
	Venue    string `json:"venue"`
	State    string `json:"state"` // in the breaker's words
	Why      string `json:"why"`
	By       string `json:"by"`
	At       int64  `json:"at"`
	Until    int64  `json:"until"` // when it ends by itself
	// Lifted is when somebody ended it before, 0 where nobody did.
	Lifted   int64  `json:"lifted,omitempty"`
	LiftedBy string `json:"lifted_by,omitempty"`
}

// InForce says whether an override counts at a moment.
func (o *Override) InForce(at int64) bool { return o.At <= at && at < o.Until && o.Lifted == 0 }

// Overrides keeps what people decided against a breaker.
type Overrides interface {
	// Override sets an override and gives it with its number. It must have a reason and
	// an end. The override of the venue that was in force is lifted by it.
	Override(ctx context.Context, override Override) (Override, error)
	// LiftOverride ends what is in force at a venue, or gives ErrNotFound.
	LiftOverride(ctx context.Context, venue, by string, at int64) error
	// Overrides gives all overrides of a venue, oldest first.
	Overrides(ctx context.Context, venue string) ([]Override, error)
}

const overrideColumns = `sequence, venue, state, why, by_whom, at, until, lifted_at, lifted_by`

func scanOverride(r row) (Override, error) {
	var o Override
	err := r.Scan(&o.Sequence, &o.Venue, &o.State, &o.Why, &o.By, &o.At, &o.Until, &o.Lifted, &o.LiftedBy)
	return o, err
}

// lift ends what is in force at a venue and says how many overrides that were.
func lift(ctx context.Context, s session, venue, by string, at int64) (int64, error) {
	return s.exec(ctx, `UPDATE overrides SET lifted_at = ?, lifted_by = ? WHERE venue = ? AND lifted_at = 0 AND until > ?`, max(at, 1), by, venue, at)
}

// Override implements Overrides.
func (b *SQL) Override(ctx context.Context, o Override) (Override, error) {
	switch {
	case o.Why == "":
		return Override{}, &InvalidError{"override", "has no reason"}
	case o.Until <= o.At:
		return Override{}, &InvalidError{"override", "ends before it begins"}
	}
	if err := first(checkID("venue", o.Venue), checkID("state", o.State), checkText("why", o.Why, MaxLine), checkID("by", o.By)); err != nil {
		return Override{}, err
	}
	o.Lifted, o.LiftedBy = 0, ""
	err := b.change(ctx, "override the breaker of "+o.Venue, func(s session) error {
		if _, err := one(ctx, s, text, `SELECT id FROM venues WHERE id = ?`, o.Venue); err != nil {
			return err
		}
		if _, err := lift(ctx, s, o.Venue, o.By, o.At); err != nil {
			return err
		}
		var err error
		if o.Sequence, err = next(ctx, s, "overrides"); err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO overrides (`+overrideColumns+`) VALUES `+questionMarks(9),
			o.Sequence, o.Venue, o.State, o.Why, o.By, o.At, o.Until, o.Lifted, o.LiftedBy)
		return err
	})
	return o, err
}

// LiftOverride implements Overrides.
func (b *SQL) LiftOverride(ctx context.Context, venue, by string, at int64) error {
	if err := checkID("by", by); err != nil {
		return err
	}
	return b.change(ctx, "lift the override of "+venue, func(s session) error { return touched(lift(ctx, s, venue, by, at)) })
}

// Overrides implements Overrides.
func (b *SQL) Overrides(ctx context.Context, venue string) ([]Override, error) {
	return told[[]Override]("overrides of " + venue)(rows(ctx, b.reading(), scanOverride, `SELECT `+overrideColumns+` FROM overrides WHERE venue = ? ORDER BY sequence`, venue))
}
