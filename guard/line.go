package guard

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

// line is one line of a venue's log. Lines are numbered from 1 without gaps; the number
// is the event's identifier in the casebook, so that two processes that guard one venue
// cannot both write: the second one's line is a conflict.
type line struct {
	// Input is what the breaker was told, Output what it said, Error why it did not take
	// it.
	Input  *breaker.Input  `json:"in,omitempty"`
	Output *breaker.Output `json:"out,omitempty"`
	Error  string          `json:"error,omitempty"`
	// Use says more of an event, Config begins under other parameters, Proposal waits for
	// a second person, Heads is how far the chains were looked at.
	Use      *used         `json:"use,omitempty"`
	Config   *configured   `json:"config,omitempty"`
	Proposal *proposal     `json:"proposal,omitempty"`
	Heads    map[string]at `json:"heads,omitempty"`
	// Part is a part of a snapshot. It has no number.
	Part []byte `json:"part,omitempty"`

	number   int64 // in the venue's log
	sequence int64 // in the casebook, once it is kept
	moment   int64
	size     int
}

// used is what an event's line says beside what the breaker was told.
type used struct {
	// Asked is a digest of the use as it was posted; see identity.
	Asked string `json:"asked,omitempty"`
	// Chain is the chain of the addresses, where it is known, and Block where the
	// transaction stands.
	Chain ledger.Chain `json:"chain,omitempty"`
	Block *at          `json:"block,omitempty"`
	// Verdict is what screening said of the origin, with what that rests on. Receiver and
	// Funder are the levels of those.
	Verdict  json.RawMessage `json:"verdict,omitempty"`
	Receiver exposure.Level  `json:"receiver,omitempty"`
	Funder   exposure.Level  `json:"funder,omitempty"`
}

// at is a block.
type at struct {
	Height ledger.Height `json:"height"`
	Hash   ledger.Hash   `json:"-"`
	Text   string        `json:"hash,omitempty"`
}

func atBlock(height ledger.Height, hash ledger.Hash) *at {
	a := &at{Height: height, Hash: hash}
	if !hash.IsZero() {
		a.Text = hash.String()
	}
	return a
}

// read fills in the hash.
func (a *at) read() error {
	if a == nil || a.Text == "" {
		return nil
	}
	var err error
	a.Hash, err = ledger.ParseHash(a.Text)
	return err
}

// configured is the whole configuration of the breaker from then on. The lines after
// casebook number After are played into the new breaker first.
type configured struct {
	Text  string `json:"text"`
	After int64  `json:"after"`
}

// proposal is an override that a second person has to ask for as well.
type proposal struct {
	breaker.Override

	Key string `json:"key"` // who asked, as the server knows them
}

// event writes a line for the casebook.
func (l *line) event(received int64) (casebook.Event, error) {
	body, err := json.Marshal(l)
	if err != nil {
		return casebook.Event{}, err
	}
	l.size = len(body)
	return casebook.Event{ID: strconv.FormatInt(l.number, 10), At: l.moment, Received: received, Body: body}, nil
}

// partPrefix begins the identifiers of parts of snapshots.
const partPrefix = "state-"

// readLine reads a line of the log.
func readLine(e *casebook.Event) (*line, error) {
	l := &line{sequence: e.Sequence, moment: e.At, size: len(e.Body)}
	fail := func(err error) (*line, error) {
		return nil, fmt.Errorf("%w: line %d of %q: %w", ErrLog, e.Sequence, e.Venue, err)
	}
	if err := json.Unmarshal(e.Body, l); err != nil {
		return fail(err)
	}
	if strings.HasPrefix(e.ID, partPrefix) {
		return l, nil
	}
	var err error
	if l.number, err = strconv.ParseInt(e.ID, 10, 64); err != nil {
		return fail(err)
	}
	if l.Use != nil {
		if err := l.Use.Block.read(); err != nil {
			return fail(err)
		}
	}
	for name, head := range l.Heads {
		if err := head.read(); err != nil {
			return fail(err)
		}
		l.Heads[name] = head
	}
	return l, nil
}

// decided says whether a line has a decision to hand out.
func (l *line) decided() bool { return l.Output != nil && l.Output.Decision != nil && l.Error == "" }

// plain writes the verdict of a line that was read as it was first written: the casebook
// keeps JSON in an order of its own.
func (l *line) plain() error {
	if l.Use == nil || len(l.Use.Verdict) == 0 {
		return nil
	}
	var v exposure.Verdict
	err := json.Unmarshal(l.Use.Verdict, &v)
	if err == nil {
		l.Use.Verdict, err = json.Marshal(&v)
	}
	if err != nil {
		return fmt.Errorf("%w: line %d: %w", ErrLog, l.sequence, err)
	}
	return nil
}

// decision is the decision on a line.
func (l *line) decision() Decision {
	d := Decision{Sequence: l.sequence, Decision: *l.Output.Decision}
	d.Transitions = l.Output.Transitions
	if l.Use != nil {
		d.Verdict = l.Use.Verdict
	}
	return d
}

// A Decision is what is to be done with a use, with its number in the log and what
// screening said of the origin.
type Decision struct {
	Sequence int64
	breaker.Decision

	Verdict json.RawMessage
}
