package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store"
)

// takeOver is the longest pause between two tries to write a chain that another process
// writes: so long, and a session of the keeper, nobody follows it after a writer has died.
const takeOver = 3 * time.Second

// A standby keeps an engine at the head of a chain that several processes follow on a shared
// store. One of them holds the chain's lease and writes; each of the others sees what it
// wrote, so that it answers as fresh, and writes on when the lease is free.
type standby struct {
	o     *opened
	chain ledger.Chain
	w     watcher

	mu   sync.Mutex
	seen ledger.Hash // content up to which the engine knows the chain
}

// content is what the store holds of the chain now.
func (b *standby) content(ctx context.Context) (now store.Status, err error) {
	list, err := b.o.store.Status(ctx)
	if err != nil {
		return now, err
	}
	for i := range list {
		if list[i].Chain == b.chain {
			return list[i], nil
		}
	}
	return now, nil
}

// catchUp brings the engine to the head, and tells of it. A chain that changed meanwhile is
// looked at again.
func (b *standby) catchUp(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		now, err := b.content(ctx)
		if err != nil || now.Content == b.seen {
			return err
		}
		if err := b.o.engine.Advance(ctx); err != nil {
			return err
		}
		b.seen = now.Content
		b.o.engine.Heard(b.chain, time.Now().Unix())
		if b.w.changed != nil {
			if err := b.w.changed(ctx, b.chain, ingest.Progress{Height: now.Height}); err != nil {
				return err
			}
		}
	}
}

// watch looks for what others wrote until the context ends. A store that does not answer is
// asked again.
func (b *standby) watch(ctx context.Context, every time.Duration) error {
	for {
		if err := b.catchUp(ctx); err != nil && ctx.Err() == nil && b.w.failed != nil {
			b.w.failed(b.chain, err, every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// shared makes a chain be followed together with other processes: what this one wrote goes
// the same way as what others wrote, and that another writes is no failure.
func (b *standby) shared(f ingest.Following) ingest.Following {
	f.Patience = takeOver
	f.Changed = func(ctx context.Context, _ ingest.Progress) error { return b.catchUp(ctx) }
	failed := f.Failed
	f.Failed = func(err error, again time.Duration) {
		if !errors.Is(err, store.ErrLocked) {
			failed(err, again)
		}
	}
	return f
}
