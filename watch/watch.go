// Package watch looks again at those about whom somebody wants to hear: the members of
// watch-lists, and everybody who was ever screened. Whoever was told that an address is
// clean hears of it when that is no longer so. It also says which chains have fallen
// silent, and publishes who is refused as lists that others subscribe to.
//
// An alert is made where outcome or level of a verdict changed, not where a verdict merely
// cannot be given: data that grew old, or a chain that is not held, says nothing about
// anybody, and would make an alert for each of a million. What was last found of a member
// follows from the alerts that stand, of others from what the casebook keeps, so that a
// restart, or the same block again, makes no second alert. Alerts of a block that vanished
// are withdrawn, and what they changed is forgotten: if it still holds, it is found again.
package watch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
)

// Book is what a watch asks of a casebook.
type Book interface {
	casebook.Watchlists
	casebook.Subjects
	casebook.Alerts
}

// Options are the choices of a watch. Book and Clock are required.
type Options struct {
	Book  Book
	Clock func() time.Time
	// Held gives the hash of the block that is held at a height, as its chain writes it;
	// empty where there is none. It must not wait for the engine. Nil takes every block
	// above a fork for gone, and cannot tell what vanished while the program was away.
	Held func(ctx context.Context, chain ledger.Chain, height ledger.Height) (hash string, err error)
	// Followed are the chains that are meant to be current. One whose source was heard
	// since the start is followed anyway.
	Followed []ledger.Chain
	// Keep is for how long a subject is looked at again after somebody asked; 0 is 180 days.
	Keep time.Duration
	// Most is how many of them are; 0 is 1,000,000. Beyond, those about whom nobody has
	// asked for the longest are let go, also from the casebook.
	Most int
	// Budget is how long a round of looking may take, counted by Clock; 0 is one second.
	Budget time.Duration
	// Queue is how many answers may wait to be noted; 0 is 65,536.
	Queue int
	// Raised, where it is set, hears of alerts that were kept.
	Raised func(alerts []casebook.Alert)
	// Log hears of failures; nil is silent.
	Log *slog.Logger
}

// Watch looks again. Screened and Health may be called at any time and never wait; all
// else takes turns.
type Watch struct {
	options Options
	started int64
	queue   chan Asked
	dropped atomic.Uint64
	dirty   atomic.Bool
	wake    chan struct{}
	health  atomic.Pointer[Health]

	doubting sync.Mutex
	forks    map[ledger.Chain]ledger.Height // from which height on blocks may have vanished

	turn     sync.Mutex
	loaded   bool
	basis    *exposure.Basis // of the pass that is under way or was last
	eye      eye
	members  table
	screened table
	lists    map[place]place // members as written, and what they are
	listed   int64           // when the lists were read
	begun    int64           // when a pass was begun
	last     map[topic]heard // the newest alert that stands
	silent   map[ledger.Chain]bool
	pending  []Asked
	reading  bool              // who was screened is not all read yet
	after    casebook.Screened // the last that was
	trimmed  int64             // when subjects were last let go
	count    counts
	troubles [4]error // by what was done
}

// counts only rise.
type counts struct{ raised, withdrawn, refused, letGo uint64 }

// New makes a watch. It reads the casebook when it is first given a state of knowledge.
func New(options Options) (*Watch, error) {
	if options.Book == nil || options.Clock == nil {
		return nil, errors.New("a watch needs a casebook and a clock")
	}
	options.Keep = orElse(options.Keep, 180*24*time.Hour)
	options.Most = orElse(options.Most, 1_000_000)
	options.Budget = orElse(options.Budget, time.Second)
	options.Queue = orElse(options.Queue, 1<<16)
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watch{
		options: options, started: options.Clock().Unix(), queue: make(chan Asked, options.Queue), wake: make(chan struct{}, 1), eye: newEye(),
		lists: map[place]place{}, last: map[topic]heard{}, forks: map[ledger.Chain]ledger.Height{}, silent: map[ledger.Chain]bool{},
	}
	w.health.Store(&Health{})
	return w, nil
}

func orElse[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// Health is how a watch is.
type Health struct {
	Members  int `json:"members"`  // of watch-lists, each once
	Subjects int `json:"subjects"` // that were screened and are looked at again
	// Left is how many are still to be looked at by the newest knowledge.
	Left int `json:"left"`
	// Reading says that not all Subjects are known yet, after a start.
	Reading bool `json:"reading,omitempty"`
	// Queued answers wait to be noted, of at most Capacity. Dropped were not, for want of
	// room, since the start.
	Queued   int    `json:"queued"`
	Capacity int    `json:"capacity"`
	Dropped  uint64 `json:"dropped"`
	// Raised and Withdrawn count alerts, Refused those that the casebook would not take,
	// LetGo subjects that are looked at no longer, since the start.
	Raised    uint64 `json:"raised"`
	Withdrawn uint64 `json:"withdrawn"`
	Refused   uint64 `json:"refused"`
	LetGo     uint64 `json:"let_go"`
	// Trouble is what went wrong, empty once it went well.
	Trouble string `json:"trouble,omitempty"`
}

// Health says how the watch is. It is quick.
func (w *Watch) Health() Health {
	h := *w.health.Load()
	h.Queued, h.Capacity, h.Dropped = len(w.queue), cap(w.queue), w.dropped.Load()
	return h
}

// What a watch does.
const (
	looking = iota
	noting
	listening
	withdrawing
)

// report notes how the watch is after something was done.
func (w *Watch) report(what int, err error) {
	w.troubles[what] = err
	h := Health{
		Members: len(w.members.list), Subjects: len(w.screened.list), Left: w.members.remaining() + w.screened.remaining(), Reading: w.reading,
		Raised: w.count.raised, Withdrawn: w.count.withdrawn, Refused: w.count.refused, LetGo: w.count.letGo,
	}
	if err := errors.Join(w.troubles[:]...); err != nil {
		h.Trouble = err.Error()
	}
	w.health.Store(&h)
}

// ListsChanged says that a watch-list was changed. It never waits; the next round reads
// the lists anew. Without it they are read every ten minutes.
func (w *Watch) ListsChanged() {
	w.dirty.Store(true)
	w.Wake()
}

// Wake says that there is something new to look at. It never waits.
func (w *Watch) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// pause is how long Run waits where nobody wakes it.
const pause = time.Second

// Run does all that a watch does by what now gives, until the context ends. Failures are
// logged and tried again: nothing that was found is lost by them.
func (w *Watch) Run(ctx context.Context, now func() *screen.Knowledge) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			w.finish(ctx, now())
			return ctx.Err()
		case <-timer.C:
		case <-w.wake:
		}
		if k := now(); k != nil {
			if err := w.step(ctx, k); err != nil && ctx.Err() == nil {
				w.options.Log.LogAttrs(ctx, slog.LevelError, "the watch could not do all", slog.Any("error", err))
			}
		}
		timer.Reset(pause)
	}
}

func (w *Watch) step(ctx context.Context, k *screen.Knowledge) error {
	err := w.Flush(ctx, k)
	if w.due(k) {
		_, failed := w.Changed(ctx, k)
		err = errors.Join(err, failed)
	}
	return errors.Join(err, w.Stale(ctx, k))
}

// due says whether there is anything to look at.
func (w *Watch) due(k *screen.Knowledge) bool {
	w.turn.Lock()
	defer w.turn.Unlock()
	return !w.loaded || w.dirty.Load() || w.options.Clock().Unix()-w.begun >= idle || len(w.doubts()) > 0 || w.reading || w.members.remaining()+w.screened.remaining() > 0 || !sameFacts(w.basis, k.Basis())
}

// finish notes what was asked last.
func (w *Watch) finish(ctx context.Context, k *screen.Knowledge) {
	if k == nil {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := w.Flush(last, k); err != nil {
		w.options.Log.LogAttrs(last, slog.LevelError, "who asked last could not be noted", slog.Any("error", err))
	}
}

// sameFacts says that two states of knowledge rest on the same, whatever their age.
func sameFacts(a, b *exposure.Basis) bool {
	if a == nil || b == nil || a.Labels != b.Labels || a.Policy != b.Policy || a.Cases != b.Cases || a.Rules != b.Rules || len(a.Heads) != len(b.Heads) {
		return false
	}
	for chain, head := range a.Heads {
		other, ok := b.Heads[chain]
		if !ok || head.Height != other.Height || head.Hash != other.Hash {
			return false
		}
	}
	return true
}
