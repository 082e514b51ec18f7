// Package desk answers questions about cases. It traces a case once for each method and
// moment that somebody asks for, keeps the answer while there is room, and tells of it
// what people look for: the headline, where value is now, how it moved, what could still
// be frozen, and where the methods differ.
//
// An answer rests on one state of the store. Blocks that come while a trace runs do not
// count in it; where blocks are taken back or labels change meanwhile, it is run again.
package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coldtrail/desk/job"
	"coldtrail/store"
	"coldtrail/trace"
)

// The errors that callers can do something about.
var (
	// ErrInvalid says that a question cannot be understood.
	ErrInvalid = errors.New("the question cannot be understood")
	// ErrNotFound says that there is no such case.
	ErrNotFound = errors.New("there is no such case")
	// ErrGone says that a page is of a trace that is kept no longer.
	ErrGone = errors.New("the trace that this page belongs to is kept no longer")
	// ErrUntraceable says that a case cannot be traced over what the store holds.
	ErrUntraceable = errors.New("the case cannot be traced")
	// ErrUnsteady says that the store changed faster than a case can be traced.
	ErrUnsteady = errors.New("blocks were taken back, or labels changed, each time that the case was traced; ask again later")
)

// CaseFile is a case as it stands in the casebook.
type CaseFile struct {
	ID       string
	Revision int64
	Text     string
}

// Job is how one trace is to be made.
type Job struct {
	Method string
	AsOf   int64 // Unix seconds; 0 is the newest block
	// Progress is told of blocks done.
	Progress job.Progress
}

// Options are what a desk works with. All are required but Rewinds, Issuers and MaxRows.
type Options struct {
	Store interface {
		store.Questions
		store.Labels
	}
	// Case gives a case, or ErrNotFound.
	Case func(ctx context.Context, id string) (CaseFile, error)
	// Trace traces cases over a store, with movements.
	Trace func(ctx context.Context, over store.Questions, cases []*trace.Case, how Job) (*trace.Result, error)
	// Rewinds counts how often blocks were taken back.
	Rewinds func() uint64
	Runner  *job.Runner
	Issuers []Issuer
	Now     func() time.Time
	// MaxRows bounds what is kept, in rows of traces; 4 million. The newest trace is kept
	// whatever its size.
	MaxRows int
}

// Desk keeps traces. It is safe for concurrent use.
type Desk struct {
	options Options

	turn  sync.Mutex
	items map[key]*item
	rows  int
	clock uint64 // counts uses
}

// New makes a desk.
func New(o Options) *Desk {
	o.MaxRows = cmp.Or(o.MaxRows, 4_000_000)
	return &Desk{options: o, items: map[key]*item{}}
}

// key says what is kept. A comparison has the method allMethods.
type key struct {
	id       string
	revision int64
	method   string
	asOf     int64
}

// item is a trace that is kept, or a comparison.
type item struct {
	made     *made
	compared *compared
	rows     int
	used     uint64
}

// subject is a case read, and which trace of it is meant.
type subject struct {
	key

	file CaseFile
	by   string
}

func (d *Desk) subject(ctx context.Context, s *Selector, method string) (*subject, error) {
	file, err := d.options.Case(ctx, s.Case)
	if err != nil {
		return nil, err
	}
	return &subject{key{file.ID, file.Revision, method, s.AsOf}, file, s.By}, nil
}

// Kept gives the trace that a selector names. Where it is not there it is made, and where
// that takes longer than the selector would wait the job is given instead.
func (d *Desk) Kept(ctx context.Context, s Selector) (*Kept, *job.Job, error) {
	x, err := d.subject(ctx, &s, s.Method)
	if err != nil {
		return nil, nil, err
	}
	if k, err := d.held(ctx, x.key, s.accepts()); k != nil || err != nil {
		return k, nil, err
	}
	pending, err := d.await(ctx, d.work(x), s.Wait)
	if pending != nil || err != nil {
		return nil, pending, err
	}
	k, err := d.held(ctx, x.key, anyAge)
	if k == nil && err == nil {
		err = ErrUnsteady // it left again at once: others need the room
	}
	return k, nil, err
}

// Start makes a trace unless it is kept and rests on everything that the store holds now.
// The job of one that is kept has nothing to do.
func (d *Desk) Start(ctx context.Context, s Selector) (job.Job, error) {
	x, err := d.subject(ctx, &s, s.Method)
	if err != nil {
		return job.Job{}, err
	}
	return d.options.Runner.Start(d.work(x))
}

// age says which answers will do.
type age int

// The ages: any that is kept, or only one beside which the store holds nothing newer.
const (
	anyAge age = iota
	currentOnly
)

func (s *Selector) accepts() age {
	if s.Fresh {
		return currentOnly
	}
	return anyAge
}

// held gives what is kept, and nothing where it is not, or is not current and has to be.
func (d *Desk) held(ctx context.Context, k key, accept age) (*Kept, error) {
	m := d.use(k)
	if m == nil || m.made == nil {
		return nil, nil //nolint:nilnil // it is not there
	}
	is, err := d.isCurrent(ctx, &m.made.state, k.asOf)
	if err != nil || accept == currentOnly && !is {
		return nil, err
	}
	return &Kept{m.made, is}, nil
}

// use finds an item and notes that somebody wanted it.
func (d *Desk) use(k key) *item {
	d.turn.Lock()
	defer d.turn.Unlock()
	found := d.items[k]
	if found != nil {
		d.clock++
		found.used = d.clock
	}
	return found
}

// await begins work and waits for it. It gives the job where it has not ended well.
func (d *Desk) await(ctx context.Context, w job.Work, most time.Duration) (*job.Job, error) {
	started, err := d.options.Runner.Start(w)
	if err != nil {
		return nil, err
	}
	ended, err := d.options.Runner.Wait(ctx, started.ID, most)
	switch {
	case errors.Is(err, job.ErrCancelled):
		return &ended, nil
	case err != nil:
		return nil, err
	case ended.State != job.Done:
		return &ended, nil
	}
	return nil, nil //nolint:nilnil // it is done
}

// work is the making of a trace.
func (d *Desk) work(x *subject) job.Work {
	return job.Work{
		Kind: "trace", Title: "Trace " + x.id + " by " + x.method, Case: x.id, Method: x.method, AsOf: x.asOf, By: x.by, Unit: "blocks",
		Key: fmt.Sprintf("trace %q %d %s %d", x.id, x.revision, x.method, x.asOf),
		Do: func(ctx context.Context, progress job.Progress) (*job.File, error) {
			_, err := d.make(ctx, x, progress)
			return nil, err
		},
	}
}

// Make gives a trace that rests on everything the store holds now. It is made at once,
// without a job of its own, unless it is kept.
func (d *Desk) Make(ctx context.Context, s Selector, progress job.Progress) (*Kept, error) {
	x, err := d.subject(ctx, &s, s.Method)
	if err != nil {
		return nil, err
	}
	return d.make(ctx, x, progress)
}

func (d *Desk) make(ctx context.Context, x *subject, progress job.Progress) (*Kept, error) {
	if k, err := d.held(ctx, x.key, currentOnly); k != nil || err != nil {
		return k, err
	}
	list, err := d.traced(ctx, x, []string{x.method}, progress)
	if err != nil {
		return nil, err
	}
	d.keep(x.key, &item{made: list[0], rows: list[0].rows()})
	return &Kept{list[0], true}, nil
}

// keep keeps an item, and lets go those that were not used for the longest time until
// there is room.
func (d *Desk) keep(k key, added *item) {
	d.turn.Lock()
	defer d.turn.Unlock()
	if before := d.items[k]; before != nil {
		d.rows -= before.rows
	}
	d.clock++
	added.used = d.clock
	d.items[k] = added
	d.rows += added.rows
	for d.rows > d.options.MaxRows && len(d.items) > 1 {
		var oldest key
		var least *item
		for other, one := range d.items {
			if one != added && (least == nil || one.used < least.used) {
				oldest, least = other, one
			}
		}
		d.rows -= least.rows
		delete(d.items, oldest)
	}
}
