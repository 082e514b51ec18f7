// Package casebook keeps what people made and nobody can compute again: cases, notes,
// keys and roles, watch-lists, alerts and who was told of them, the state of guarded
// venues, policies. Chain facts and all that follows from them live in a store; a store
// may be deleted and rebuilt, a casebook may not.
//
// Nothing that somebody said is overwritten without a trace: a case keeps every
// revision, an alert whose block vanished is withdrawn by another alert, a policy stays
// after the next one is active.
//
// The questions are small interfaces; SQL answers all of them over database/sql. Moments
// are Unix seconds and come from the caller, as does all randomness. Who did something is
// the identifier of a key or of a person. All methods are safe for concurrent use, writes
// are all or none, and what a write acknowledged survives the end of the process.
// The suite in casebook/casebooktest is the full contract.
package casebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Book is everything that a casebook does. Callers ask for the part they need.
type Book interface {
	Casework
	Access
	Watching
	Alerting
	Guarding
}

// Casework is the work of analysts.
type Casework interface {
	Cases
	Notes
	Teams
}

// Access is who may do what.
type Access interface {
	Keys
	People
}

// Watching is what is looked at again and again, and who wants to know.
type Watching interface {
	Watchlists
	Subscriptions
	Subjects
}

// Alerting is what was found, and who was told.
type Alerting interface {
	Alerts
	Outbox
}

// Guarding is the state of guarded venues, and the policies by which it is decided.
type Guarding interface {
	Venues
	Overrides
	VenueEvents
	Policies
	DryRuns
}

var (
	// ErrNotFound says that there is no such thing.
	ErrNotFound = errors.New("the casebook holds no such thing")
	// ErrChanged says that somebody else has changed it since the caller read it.
	ErrChanged = errors.New("somebody has changed it in the meantime")
	// ErrConflict says that the identifier is held with other content.
	ErrConflict = errors.New("the identifier is in use for something else")
	// ErrFull says that there is no room: the write left nothing behind, and reading
	// goes on.
	ErrFull = errors.New("the casebook has no room left on its disk")
)

// An InvalidError says what the casebook does not take, and why.
type InvalidError struct {
	Field  string
	Reason string
}

// Error names the field and the reason.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// What a casebook takes. The limits are far above what people write and keep a hostile
// caller from filling the disk with one call.
const (
	MaxID    = 200     // bytes of an identifier
	MaxLine  = 1000    // bytes of a name, a title or a reason
	MaxText  = 1 << 20 // bytes of a case file, a policy or a note
	MaxBody  = 1 << 18 // bytes of the JSON of an alert, an event or a configuration
	MaxBatch = 10_000  // things in one call
	MaxPage  = 1000    // things in one answer; a question that names no limit gets that
)

// limit is how many things an answer may have.
func limit(asked int) int {
	if asked <= 0 || asked > MaxPage {
		return MaxPage
	}
	return asked
}

// first gives the first of several errors.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkID wants an identifier: printable ASCII without spaces.
func checkID(field, id string) error {
	switch {
	case id == "":
		return &InvalidError{field, "is empty"}
	case len(id) > MaxID:
		return &InvalidError{field, fmt.Sprintf("has %d bytes, at most %d are taken", len(id), MaxID)}
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return &InvalidError{field, fmt.Sprintf("%q has other characters than printable ASCII", id)}
		}
	}
	return nil
}

// checkOptional wants an identifier or nothing.
func checkOptional(field, id string) error {
	if id == "" {
		return nil
	}
	return checkID(field, id)
}

// checkText wants UTF-8 without NUL, which some databases cannot hold.
func checkText(field, text string, most int) error {
	switch {
	case len(text) > most:
		return &InvalidError{field, fmt.Sprintf("has %d bytes, at most %d are taken", len(text), most)}
	case !utf8.ValidString(text):
		return &InvalidError{field, "is not UTF-8"}
	case strings.ContainsRune(text, 0):
		return &InvalidError{field, "has a NUL character"}
	}
	return nil
}

// checkLine wants a text of one line.
func checkLine(field, text string) error {
	if strings.ContainsAny(text, "\r\n") {
		return &InvalidError{field, "has more than one line"}
	}
	return checkText(field, text, MaxLine)
}

// checkNumber wants a height or sequence that every database can hold.
func checkNumber(field string, n uint64) error {
	if n > 1<<63-1 {
		return &InvalidError{field, fmt.Sprintf("%d is no such number", n)}
	}
	return nil
}

// checkBatch wants a bounded batch.
func checkBatch(field string, n int) error {
	if n > MaxBatch {
		return &InvalidError{field, fmt.Sprintf("has %d entries, at most %d are taken", n, MaxBatch)}
	}
	return nil
}

// canonical gives JSON with sorted keys and without spaces, so that equal content has
// equal bytes. Numbers keep the digits they were written with. Nothing is an empty object.
func canonical(field string, body json.RawMessage) (json.RawMessage, error) {
	if len(body) == 0 {
		return json.RawMessage("{}"), nil
	}
	if len(body) > MaxBody {
		return nil, &InvalidError{field, fmt.Sprintf("has %d bytes, at most %d are taken", len(body), MaxBody)}
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, &InvalidError{field, "is not JSON: " + err.Error()}
	}
	if decoder.More() {
		return nil, &InvalidError{field, "has something after its JSON"}
	}
	out, err := json.Marshal(value)
	if err != nil {
		return nil, &InvalidError{field, "is not JSON: " + err.Error()}
	}
	if strings.Contains(string(out), `\u0000`) {
		return nil, &InvalidError{field, "has a NUL character"}
	}
	return out, nil
}
