package casebook

import (
	"context"
	"encoding/json"
	"fmt"
)

// An Event is something that a venue said happened there.
type Event struct {
	// Sequence numbers the events of all venues from 1 in the order they were kept.
	Sequence int64  `json:"sequence"`
	Venue    string `json:"venue"`
	ID       string `json:"id"` // the venue's own, so that it may post again
	// At is when it happened by the venue's word, Received when it was posted.
	At       int64           `json:"at"`
	Received int64           `json:"received"`
	Body     json.RawMessage `json:"body"`
}

// A Snapshot is the state of a venue's breaker after an event, in the breaker's form.
type Snapshot struct {
	Venue    string          `json:"venue"`
	Sequence int64           `json:"sequence"` // the last event it contains
	At       int64           `json:"at"`
	Body     json.RawMessage `json:"body"`
}

// snapshots is how many snapshots of a venue are kept.
const snapshots = 16

// VenueEvents keeps what venues posted, and how far their breakers are.
type VenueEvents interface {
	// PostEvents appends events of a venue, all or none, and gives those that were new
	// with their numbers. An event that is held is skipped; its identifier with another
	// moment or body is ErrConflict.
	PostEvents(ctx context.Context, venue string, events []Event) ([]Event, error)
	// EventsAfter gives the events of a venue after a number, in order.
	EventsAfter(ctx context.Context, venue string, after int64, limit int) ([]Event, error)
	// ForgetEvents removes the events of a venue received before a moment, except those
	// that are in no snapshot yet, and says how many went. An event that was forgotten
	// and is posted again counts as new: keep them longer than venues repeat themselves.
	ForgetEvents(ctx context.Context, venue string, before int64) (int64, error)
	// KeepSnapshot keeps the state of a breaker; the last few of a venue stay.
	KeepSnapshot(ctx context.Context, snapshot Snapshot) error
	// LastSnapshot gives the newest snapshot of a venue, or ErrNotFound.
	LastSnapshot(ctx context.Context, venue string) (Snapshot, error)
}

const eventColumns = `sequence, venue, id, at, received_at, body`

func scanEvent(r row) (Event, error) {
	var e Event
	var body string
	err := r.Scan(&e.Sequence, &e.Venue, &e.ID, &e.At, &e.Received, &body)
	e.Body = json.RawMessage(body)
	return e, err
}

// PostEvents implements VenueEvents.
func (b *SQL) PostEvents(ctx context.Context, venue string, events []Event) ([]Event, error) {
	if err := checkBatch("events", len(events)); err != nil {
		return nil, err
	}
	posted := make([]Event, len(events))
	for i, e := range events {
		body, err := canonical("body", e.Body)
		if err := first(err, checkID("event", e.ID)); err != nil {
			return nil, err
		}
		e.Venue, e.Body = venue, body
		posted[i] = e
	}
	var kept []Event
	err := b.change(ctx, "post events of "+venue, func(s session) error {
		kept = nil
		if _, err := one(ctx, s, text, `SELECT id FROM venues WHERE id = ?`, venue); err != nil {
			return err
		}
		sequence, err := next(ctx, s, "events")
		if err != nil {
			return err
		}
		for _, e := range posted {
			e.Sequence = sequence
			isNew, err := e.keep(ctx, s)
			if err != nil {
				return err
			}
			if isNew {
				kept = append(kept, e)
				sequence++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// keep keeps an event unless it is held.
func (e *Event) keep(ctx context.Context, s session) (bool, error) {
	held, err := rows(ctx, s, scanEvent, `SELECT `+eventColumns+` FROM events WHERE venue = ? AND id = ?`, e.Venue, e.ID)
	if err != nil {
		return false, err
	}
	if len(held) > 0 {
		if held[0].At != e.At || string(held[0].Body) != string(e.Body) {
			return false, fmt.Errorf("event %s: %w", e.ID, ErrConflict)
		}
		return false, nil
	}
	_, err = s.exec(ctx, `INSERT INTO events (`+eventColumns+`) VALUES `+questionMarks(6), e.Sequence, e.Venue, e.ID, e.At, e.Received, string(e.Body))
	return err == nil, err
}

// EventsAfter implements VenueEvents.
func (b *SQL) EventsAfter(ctx context.Context, venue string, after int64, most int) ([]Event, error) {
	return told[[]Event]("events of " + venue)(rows(ctx, b.reading(), scanEvent,
		`SELECT `+eventColumns+` FROM events WHERE venue = ? AND sequence > ? ORDER BY sequence LIMIT ?`, venue, after, limit(most)))
}

// ForgetEvents implements VenueEvents. The newest event of all stays, because numbers are
// counted on from it.
func (b *SQL) ForgetEvents(ctx context.Context, venue string, before int64) (int64, error) {
	var gone int64
	err := b.change(ctx, "forget events of "+venue, func(s session) error {
		var err error
		gone, err = s.exec(ctx, `DELETE FROM events WHERE venue = ? AND received_at < ?
			AND sequence <= (SELECT COALESCE(MAX(sequence), 0) FROM snapshots WHERE venue = ?)
			AND sequence < (SELECT MAX(sequence) FROM events)`, venue, before, venue)
		return err
	})
	return gone, err
}

// KeepSnapshot implements VenueEvents.
func (b *SQL) KeepSnapshot(ctx context.Context, snap Snapshot) error {
	body, err := canonical("body", snap.Body)
	if err != nil {
		return err
	}
	return b.change(ctx, "keep the breaker of "+snap.Venue, func(s session) error {
		if _, err := one(ctx, s, text, `SELECT id FROM venues WHERE id = ?`, snap.Venue); err != nil {
			return err
		}
		_, err := s.exec(ctx, `INSERT INTO snapshots (venue, at, sequence, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (venue, at) DO UPDATE SET sequence = excluded.sequence, body = excluded.body`, snap.Venue, snap.At, snap.Sequence, string(body))
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `DELETE FROM snapshots WHERE venue = ? AND at NOT IN (SELECT at FROM snapshots WHERE venue = ? ORDER BY at DESC LIMIT ?)`, snap.Venue, snap.Venue, snapshots)
		return err
	})
}

// LastSnapshot implements VenueEvents.
func (b *SQL) LastSnapshot(ctx context.Context, venue string) (Snapshot, error) {
	return told[Snapshot]("snapshot of " + venue)(one(ctx, b.reading(), func(r row) (Snapshot, error) {
		var s Snapshot
		var body string
		err := r.Scan(&s.Venue, &s.At, &s.Sequence, &body)
		s.Body = json.RawMessage(body)
		return s, err
	}, `SELECT venue, at, sequence, body FROM snapshots WHERE venue = ? ORDER BY at DESC LIMIT 1`, venue))
}
