package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A Backfill is the common work of several processes that fill one chain of a store.
type Backfill interface {
	// Claim takes the lowest range of heights that nobody is at; nil where there is none
	// at the moment.
	Claim(ctx context.Context) (store.Claim, error)
	// Seal makes what is staged count, in order, where this process is the one to do it,
	// and says how many blocks did.
	Seal(ctx context.Context) (blocks uint64, err error)
	// Sealed is the next height, and whether all is done.
	Sealed(ctx context.Context) (next ledger.Height, done bool, err error)
}

// ErrGap says that a source does not yield every block of a range, which several processes
// can only share where it does.
var ErrGap = errors.New("the source leaves out a block")

// Share works at a backfill until all of it is sealed, by whomever. It stages ranges from
// its source and, where it may, seals what is staged in the meantime. Progress counts the
// blocks that this process staged; its Height is what is sealed.
func Share(ctx context.Context, b Backfill, from Source, options Options) (Progress, error) {
	if options.BatchTx <= 0 {
		options.BatchTx = DefaultBatch
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sealed := make(chan struct{})
	go func() {
		defer close(sealed)
		if err := sealing(ctx, b); err != nil {
			cancel(err)
		}
	}()
	w := &worker{backfill: b, from: from, options: options, failed: cancel}
	err := w.run(ctx)
	if err != nil {
		cancel(err)
	}
	<-sealed
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return w.done, err
}

// pause is how long a worker waits where there is nothing to do.
const pause = 50 * time.Millisecond

// sealing seals beside the staging, so that neither waits for the other.
func sealing(ctx context.Context, b Backfill) error {
	for {
		n, err := b.Seal(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if _, done, err := b.Sealed(ctx); done || err != nil {
			return err
		}
		if !sleep(ctx, pause) {
			return context.Cause(ctx)
		}
	}
}

type worker struct {
	backfill Backfill
	from     Source
	options  Options
	failed   func(error) // ends the work

	inserts errgroup.Group // one at a time, while the next range is read
	mu      sync.Mutex
	done    Progress
}

func (w *worker) run(ctx context.Context) (err error) {
	w.inserts.SetLimit(1)
	defer func() { err = errors.Join(err, w.inserts.Wait()) }()
	for {
		next, over, err := w.backfill.Sealed(ctx)
		if err != nil || over {
			w.reached(next)
			return err
		}
		w.reached(next)
		claim, err := w.backfill.Claim(ctx)
		if err != nil {
			return err
		}
		if claim == nil { // others are at the last ranges; one of them may yet die
			if !sleep(ctx, pause) {
				return context.Cause(ctx)
			}
			continue
		}
		if err := w.stage(ctx, claim); err != nil {
			claim.Drop()
			return err
		}
	}
}

// reached tells how far the chain is sealed.
func (w *worker) reached(next ledger.Height) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if next > 0 {
		w.done.Height = next - 1
	}
	if w.options.Progress != nil {
		w.options.Progress(w.done)
	}
}

// stage reads a range from the source and hands it on to be inserted, a batch at a time.
func (w *worker) stage(ctx context.Context, claim store.Claim) error {
	next, to := claim.Bounds()
	var batch []*ledger.Block
	txs := 0
	for block, err := range w.from.Blocks(ctx, next) {
		if err != nil {
			return err
		}
		if block.Height != next {
			return fmt.Errorf("%w: after block %d came %d", ErrGap, next-1, block.Height)
		}
		batch, txs = append(batch, block), txs+len(block.Txs)
		if next++; block.Height == to {
			break
		}
		if txs >= w.options.BatchTx {
			if err := w.insert(ctx, claim, batch, claim.Stage); err != nil {
				return err
			}
			batch, txs = nil, 0
		}
	}
	if next <= to {
		return fmt.Errorf("%w: it ends before block %d", ErrGap, next)
	}
	return w.insert(ctx, claim, batch, func(ctx context.Context, blocks []*ledger.Block) error {
		if err := claim.Stage(ctx, blocks); err != nil {
			return err
		}
		return claim.Finish(ctx)
	})
}

// insert waits for the insert before this one and begins this one.
func (w *worker) insert(ctx context.Context, claim store.Claim, batch []*ledger.Block, do func(context.Context, []*ledger.Block) error) error {
	w.inserts.Go(func() error {
		if err := do(ctx, batch); err != nil {
			claim.Drop()
			w.failed(err)
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.done.Blocks += uint64(len(batch))
		for _, b := range batch {
			w.done.Txs += uint64(len(b.Txs))
		}
		return nil
	})
	return context.Cause(ctx)
}
