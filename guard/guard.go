// Package guard keeps venues from being used by a flow of stolen money: for each it has
// one breaker, tells it of every use, of what is learnt later, of blocks that vanish and
// of how good the data is, and keeps all of it in a log from which the breaker can be
// made again.
//
// Nothing is answered before it is in the log: what a breaker's state is follows from the
// log alone, so that a process that was killed goes on where it was, and anybody can play
// the log again and compare every decision (Replay). Whoever gets an error instead of a
// decision does not know that the use is clean.
//
// An on-chain use is ascribed to the account that signed the transaction and to who ends
// up with the proceeds, never to an aggregator in between.
package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/breaker"
	"coldtrail/store"
)

// Book is what a guard keeps its venues and their logs in.
type Book interface {
	casebook.Venues
	casebook.VenueEvents
}

// Options are what a guard works with.
type Options struct {
	Book Book
	// Know gives the newest state of knowledge, nil before there is one.
	Know func() *screen.Knowledge
	// Store holds the chains whose contracts and wallets are venues, and tells who paid an
	// account's gas. Without one only posted uses are seen.
	Store store.Questions
	// Notations are those of the chains of the store.
	Notations func(ledger.Chain) (ledger.Notation, error)
	// Now is the clock, Unix seconds.
	Now func() int64
	// LabelAge says how long ago the sources of labels were last heard, in seconds. Without
	// it only the age of the chains counts.
	LabelAge func() int64
	// Told is told every transition of every venue, in order, at least once: after a crash
	// again, under the same ID. It must not call the guard. An error means that it is to be
	// told again, which Tick does.
	Told func(ctx context.Context, t *Transition) error
	// Every is how many lines a log grows between two snapshots; 0 is 5,000.
	Every int64
}

// The errors. They may be wrapped.
var (
	// ErrNotFound says that no such venue is guarded.
	ErrNotFound = errors.New("no such venue is guarded")
	// ErrConflict says that a use's identifier is in use for another.
	ErrConflict = errors.New("the identifier is in use for another use")
	// ErrInvalid says that something cannot be taken as it is.
	ErrInvalid = errors.New("it cannot be taken as it is")
	// ErrGone says that a use is so old that nobody can tell whether it was decided before.
	ErrGone = errors.New("it is too old to tell whether it was decided before")
	// ErrBusy says that too many others wait. The use was not looked at.
	ErrBusy = errors.New("too many uses wait to be decided")
	// ErrClosed says that the guard has ended.
	ErrClosed = errors.New("the guard has ended")
	// ErrLog says that a venue's log does not read as this program wrote it.
	ErrLog = errors.New("the log of the venue cannot be read")
)

// A Transition is a change of state of one venue, with where it stands in the log.
type Transition struct {
	// Log is the number of the line of the log, Number that of the transition on it.
	Log    int64 `json:"log"`
	Number int   `json:"number"`
	breaker.Transition
}

// ID names the transition for good: told twice, it has the same one.
func (t *Transition) ID() string { return fmt.Sprintf("%s-%d-%d", t.Venue, t.Log, t.Number) }

// Guard keeps venues. It is safe for concurrent use.
type Guard struct {
	options Options
	funders *funders

	mu     sync.Mutex
	venues map[string]*venue
	lag    map[ledger.Chain]uint64
	closed bool

	advancing sync.Mutex // one scan of the chains at a time
}

const defaultEvery = 5000

// Open makes a guard of the venues in the book. Their logs are read when they are first
// needed; Tick reads all, and says what could not be read.
func Open(ctx context.Context, options Options) (*Guard, error) {
	if options.Book == nil || options.Know == nil || options.Now == nil {
		return nil, errors.New("a guard needs a book, knowledge and a clock")
	}
	if options.Store != nil && options.Notations == nil {
		return nil, errors.New("a guard with a store needs notations")
	}
	if options.Every <= 0 {
		options.Every = defaultEvery
	}
	g := &Guard{options: options, funders: &funders{}, venues: map[string]*venue{}, lag: map[ledger.Chain]uint64{}}
	rows, err := options.Book.Venues(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		g.venues[rows[i].ID] = newVenue(g, &rows[i])
	}
	return g, nil
}

// Close saves the state of every venue and ends the guard. What is asked afterwards gives
// ErrClosed.
func (g *Guard) Close(ctx context.Context) error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	g.mu.Unlock()
	var errs []error
	for _, v := range g.all() {
		errs = append(errs, v.close(ctx))
	}
	return errors.Join(errs...)
}

// all lists the venues in order of their identifiers.
func (g *Guard) all() []*venue {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]*venue, 0, len(g.venues))
	for _, v := range g.venues {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *venue) int { return strings.Compare(a.id, b.id) })
	return list
}

// venue finds a venue that is guarded.
func (g *Guard) venue(id string) (*venue, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch v := g.venues[id]; {
	case g.closed:
		return nil, ErrClosed
	case v == nil:
		return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
	default:
		return v, nil
	}
}

// Behind notes how many blocks the ledger is behind a chain's source.
func (g *Guard) Behind(chain ledger.Chain, blocks uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lag[chain] = blocks
}

// behind is how far a chain is behind, or the worst of all.
func (g *Guard) behind(chain ledger.Chain) (worst uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if chain != "" {
		return g.lag[chain]
	}
	for _, n := range g.lag {
		worst = max(worst, n)
	}
	return worst
}

// SaveVenue guards a venue, changes how, or ends it. Under another configuration of the
// breaker what was recorded of the last weeks is played anew, so that the state is as if
// it had always been in force.
func (g *Guard) SaveVenue(ctx context.Context, row casebook.Venue) error {
	if _, err := g.settingsOf(&row); err != nil {
		return err
	}
	v, err := g.admit(ctx, &row)
	if err != nil {
		return err
	}
	return v.do(ctx, func(ctx context.Context) error { return v.change(ctx, &row) })
}

// admit finds a venue, or makes it. One whose settings could not be read is given those.
func (g *Guard) admit(ctx context.Context, row *casebook.Venue) (*venue, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	v := g.venues[row.ID]
	if v != nil {
		if _, err := v.rules(); err == nil {
			return v, nil
		}
	}
	if err := g.options.Book.SaveVenue(ctx, *row); err != nil {
		return nil, err
	}
	if v == nil {
		v = newVenue(g, row)
		g.venues[row.ID] = v
	}
	v.set(row)
	return v, nil
}

// A Status is how a venue is.
type Status struct {
	casebook.Venue
	Degraded bool
	States   []breaker.Status
	Size     breaker.Size
	// Trouble is why the state is not known: the venue's log could not be read.
	Trouble error
}

// Venues says how all venues are, also those that ended, in order of their identifiers.
func (g *Guard) Venues(ctx context.Context) ([]Status, error) {
	var list []Status
	for _, v := range g.all() {
		var s Status
		err := v.do(ctx, func(context.Context) error {
			s = Status{Degraded: v.machine.IsDegraded(), States: v.machine.States(), Size: v.machine.Size()}
			return nil
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			s = Status{Degraded: true, Trouble: err}
		}
		s.Venue = v.row()
		list = append(list, s)
	}
	return list, nil
}
