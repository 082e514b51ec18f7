//go:build !small

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"coldtrail/chain/evm/parquet"
	"coldtrail/ledger"
	"coldtrail/store"
)

type exportVerb struct {
	Chain      string  `arg:"" optional:"" help:"ethereum, another EVM network by name, or eip155:N."`
	Parquet    string  `type:"path" placeholder:"DIR" help:"Folder to write Parquet files into; made if missing, and must be empty."`
	FromHeight uint64  `placeholder:"HEIGHT" help:"Begin at this height; by default at the first block held."`
	To         *uint64 `placeholder:"HEIGHT" help:"Stop after this height; by default after the last block held."`

	archiveFlags
}

// Run writes blocks of the store into files that other programs read.
func (v *exportVerb) Run(ctx context.Context, s *session) (err error) {
	if v.All != "" {
		return v.everything(ctx, s)
	}
	if v.Chain == "" || v.Parquet == "" {
		return errors.New("say which chain to write where: export CHAIN --parquet DIR; or everything: export --all DIR")
	}
	if v.given() {
		return errors.New("--chain, --resume and --no-casebook go with --all")
	}
	chain, err := parseChain(v.Chain)
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	want, err := v.span(ctx, from, chain)
	if err != nil {
		return err
	}
	bar := newProgress(s, "export "+chain.Short(), want.blocks)
	done := exported{}
	err = parquet.Write(ctx, v.Parquet, chain, done.count(from.Blocks(ctx, chain, want.first, want.last), bar))
	bar.end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"chain": chain, "parquet": v.Parquet, "from_height": done.first, "height": done.last, "blocks": done.blocks, "txs": done.txs})
	}
	fmt.Fprintf(s.stdout, "%s: %d blocks and %d transactions written to %s, height %d to %d\n", chain.Short(), done.blocks, done.txs, v.Parquet, done.first, done.last)
	return nil
}

// span is what to export: the range of heights, and how many blocks of it the store
// holds at most.
func (v *exportVerb) span(ctx context.Context, from store.Reader, chain ledger.Chain) (want exported, err error) {
	statuses, err := from.Status(ctx)
	if err != nil {
		return want, err
	}
	for _, status := range statuses {
		if status.Chain != chain {
			continue
		}
		want.first, want.last = max(status.First, ledger.Height(v.FromHeight)), status.Height
		if v.To != nil {
			want.last = min(want.last, ledger.Height(*v.To))
		}
		if want.first > want.last {
			return want, fmt.Errorf("the store holds %s from height %d to %d, nothing of what was asked for", chain.Short(), status.First, status.Height)
		}
		want.blocks = min(status.Blocks, uint64(want.last-want.first)+1)
		return want, nil
	}
	return want, fmt.Errorf("%s: %w", chain.Short(), store.ErrUnknownChain)
}

// exported is a range of blocks and what it holds.
type exported struct {
	first, last ledger.Height
	blocks, txs uint64
}

// count passes blocks on and counts them.
func (e *exported) count(blocks iter.Seq2[*ledger.Block, error], bar *progress) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for b, err := range blocks {
			if !yield(b, err) {
				return
			}
			if err != nil {
				continue
			}
			if e.blocks == 0 {
				e.first = b.Height
			}
			e.last = b.Height
			e.blocks++
			for i := range b.Txs {
				if !b.Txs[i].Coinbase {
					e.txs++
				}
			}
			bar.set(e.blocks)
		}
	}
}
