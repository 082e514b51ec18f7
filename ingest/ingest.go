// Package ingest brings blocks from a source into a store: checked, in chain
// order, in batches that are whole or absent.
//
// An ingest may be killed at any moment; run again, it goes on where the last
// whole batch ended. An ingest whose source turns out bad takes back what it had
// added, so that the store is as before.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Source yields blocks of one chain in chain order, from a height on.
type Source interface {
	Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error]
}

// A Node is a source whose chain may be reorganised while it is read.
type Node interface {
	Source
	// HashAt is the hash of the node's block at a height, zero where it has none.
	HashAt(ctx context.Context, height ledger.Height) (ledger.Hash, error)
}

// Store is what an ingest asks of a store.
type Store interface {
	store.Writer
	Status(ctx context.Context) ([]store.Status, error)
	Headers(ctx context.Context, chain ledger.Chain, from ledger.Height) iter.Seq2[store.Header, error]
}

// Fault says what becomes of good blocks before a bad one.
type Fault uint8

// The choices.
const (
	// RestoreOnFault takes them back: the store is as before.
	RestoreOnFault Fault = iota
	// KeepOnFault keeps them.
	KeepOnFault
)

// Options are the choices of an ingest. The zero value takes everything.
type Options struct {
	To      *ledger.Height // the last height wanted
	Fault   Fault
	BatchTx int // transactions in a batch; 0 is a good default
	// Progress is told after every batch.
	Progress func(Progress)
	// MaxReorg is how many blocks a node may take back; 0 is DefaultReorg.
	MaxReorg int
	// Reorganised is told when blocks were taken back, and how many.
	Reorganised func(fork ledger.Height, depth int)
	// From is the first height wanted where the store holds nothing of the chain.
	From ledger.Height
}

// DefaultReorg is deeper than any reorganisation of a chain with finality.
const DefaultReorg = 128

// Progress is how far an ingest has come.
type Progress struct {
	Height ledger.Height
	Blocks uint64 // added by this ingest
	Txs    uint64
}

// DefaultBatch is how many transactions make a batch: some megabytes, so that syncing it to disk is
// cheap next to making it.
const DefaultBatch = 16_384

// Run adds what the source yields. It returns how far it came, also on error.
func Run(ctx context.Context, into Store, chain ledger.Chain, from Source, options Options) (Progress, error) {
	before, held, err := head(ctx, into, chain)
	if err != nil {
		return Progress{}, err
	}
	run := runner{into: into, options: options, before: before, held: held}
	if run.options.BatchTx <= 0 {
		run.options.BatchTx = DefaultBatch
	}
	if node, ok := from.(Node); ok {
		err := run.follow(ctx, chain, node)
		return run.done, err
	}
	start := options.From
	if held {
		start = before // again, so that the link is checked
	}
	err = run.pull(ctx, from, start)
	if err != nil && ctx.Err() == nil && options.Fault == RestoreOnFault && run.done.Blocks > 0 {
		if restoreErr := run.restore(ctx, chain); restoreErr != nil {
			return run.done, errors.Join(err, fmt.Errorf("take back the blocks added before the fault: %w", restoreErr))
		}
		run.done = Progress{Height: before}
	}
	return run.done, err
}

func head(ctx context.Context, into Store, chain ledger.Chain) (ledger.Height, bool, error) {
	statuses, err := into.Status(ctx)
	if err != nil {
		return 0, false, err
	}
	for _, s := range statuses {
		if s.Chain == chain {
			return s.Height, true, nil
		}
	}
	return 0, false, nil
}

// runner is one ingest.
type runner struct {
	into    Store
	options Options
	before  ledger.Height // head before the ingest
	held    bool          // whether there was one
	batch   []*ledger.Block
	txs     int
	done    Progress
}

func (r *runner) pull(ctx context.Context, from Source, start ledger.Height) error {
	for block, err := range ahead(ctx, from, start) {
		if err != nil {
			return err
		}
		if r.options.To != nil && block.Height > *r.options.To {
			break
		}
		r.batch = append(r.batch, block)
		if r.txs += len(block.Txs); r.txs >= r.options.BatchTx {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
	return r.flush(ctx)
}

func (r *runner) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return ctx.Err()
	}
	if err := r.into.Append(ctx, r.batch); err != nil {
		return err
	}
	for _, block := range r.batch {
		if !r.held || block.Height > r.before {
			r.done.Blocks++
			r.done.Txs += uint64(len(block.Txs))
		}
		r.done.Height = block.Height
	}
	r.batch, r.txs = r.batch[:0], 0
	if r.options.Progress != nil {
		r.options.Progress(r.done)
	}
	return nil
}

// restore takes back everything above the head that was there before.
func (r *runner) restore(ctx context.Context, chain ledger.Chain) error {
	if !r.held {
		return r.into.Rewind(ctx, chain, 0)
	}
	return r.into.Rewind(ctx, chain, r.before+1)
}
