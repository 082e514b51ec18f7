package ingest

import (
	"context"
	"errors"
	"time"

	"coldtrail/ledger"
)

// Following says how a chain is kept at the tip of its node.
type Following struct {
	Options

	// Open makes the node ready to be asked, and says how to be done with it. It is called
	// at first, and again after each failure.
	Open func(ctx context.Context) (node Node, done func() error, err error)
	// Every is the pause between two questions for new blocks; 0 is one second.
	Every time.Duration
	// Patience is the longest pause after a failure; 0 is one minute. Pauses grow from
	// Every.
	Patience time.Duration
	// Changed is told that blocks were added or taken back.
	Changed func(ctx context.Context, done Progress) error
	// Current is told that the node had nothing newer.
	Current func()
	// Failed is told what went wrong, and when it is tried again.
	Failed func(err error, again time.Duration)
}

// Follow keeps a chain of a store at the tip of its node until the context ends, whose
// error it then gives, or what is told of a change fails. A node that does not answer, or contradicts itself, is asked
// again.
func Follow(ctx context.Context, into Store, chain ledger.Chain, f Following) error {
	if f.Every <= 0 {
		f.Every = time.Second
	}
	if f.Patience <= 0 {
		f.Patience = time.Minute
	}
	wait := f.Every
	for ctx.Err() == nil {
		went, err := f.stay(ctx, into, chain)
		var told *toldError
		if errors.As(err, &told) {
			return told.err
		}
		if ctx.Err() != nil {
			break
		}
		if went {
			wait = f.Every
		}
		if f.Failed != nil {
			f.Failed(err, wait)
		}
		sleep(ctx, wait)
		wait = min(2*wait, f.Patience)
	}
	return ctx.Err()
}

// toldError is a failure of whoever is told of a change.
type toldError struct{ err error }

// Error is that failure.
func (e *toldError) Error() string { return e.err.Error() }

// stay asks one node again and again until something goes wrong, and says whether
// anything went well before.
func (f *Following) stay(ctx context.Context, into Store, chain ledger.Chain) (went bool, err error) {
	node, done, err := f.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, done()) }()
	for {
		if err := f.once(ctx, into, chain, node); err != nil {
			return went, err
		}
		if went = true; f.Current != nil {
			f.Current()
		}
		if !sleep(ctx, f.Every) {
			return went, ctx.Err()
		}
	}
}

// once takes in what the node has by now.
func (f *Following) once(ctx context.Context, into Store, chain ledger.Chain, node Node) error {
	options, changed := f.Options, false
	options.Reorganised = func(fork ledger.Height, depth int) {
		changed = true
		if f.Reorganised != nil {
			f.Reorganised(fork, depth)
		}
	}
	var told error
	tell := func(p Progress) {
		if changed = false; f.Changed != nil && told == nil {
			told = f.Changed(ctx, p)
		}
	}
	options.Progress = func(p Progress) {
		if f.Progress != nil {
			f.Progress(p)
		}
		tell(p)
	}
	at, err := Run(ctx, into, chain, node, options)
	if changed { // blocks were taken back, and none added yet
		tell(at)
	}
	if told != nil {
		return &toldError{told}
	}
	return err
}

// sleep waits, and says false where the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
