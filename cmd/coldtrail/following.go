package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/store"
)

// followFlags say how chains are followed.
type followFlags struct {
	Every time.Duration `default:"1s" placeholder:"TIME" help:"Pause between two questions for new blocks."`
	NoPow bool          `help:"Accept blocks without proof of work (test chains); their facts are marked file."`
	Since uint64        `placeholder:"HEIGHT" help:"Begin here where the store holds nothing of a chain yet."`
	Reorg int           `default:"128" placeholder:"BLOCKS" help:"Most blocks that a node may take back."`

	nodeFlags
}

// followed is a chain and where its blocks come from.
type followed struct {
	chain ledger.Chain
	from  string
}

// parseFollowed reads CHAIN=KIND:PLACE.
func parseFollowed(flag string, texts []string) (list []followed, err error) {
	seen := map[ledger.Chain]bool{}
	for _, text := range texts {
		name, from, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("%s %q: want CHAIN=KIND:PLACE, such as bitcoin=rpc:http://127.0.0.1:8332", flag, text)
		}
		chain, err := parseChain(name)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", flag, text, err)
		}
		if seen[chain] {
			return nil, fmt.Errorf("%s: %s is named twice", flag, chain.Short())
		}
		seen[chain] = true
		list = append(list, followed{chain, from})
	}
	return list, nil
}

// gated is a store that does not change while an engine reads it.
type gated struct {
	store.Store

	engine *screen.Engine
}

// Append adds blocks in its turn.
func (g gated) Append(ctx context.Context, blocks []*ledger.Block) error {
	return g.engine.Hold(func() error { return g.Store.Append(ctx, blocks) })
}

// Rewind takes blocks back in its turn.
func (g gated) Rewind(ctx context.Context, chain ledger.Chain, from ledger.Height) error {
	return g.engine.Hold(func() error { return g.Store.Rewind(ctx, chain, from) })
}

// watcher is told what happens to chains that are followed.
type watcher struct {
	// changed is told after verdicts rest on the new blocks.
	changed func(ctx context.Context, chain ledger.Chain, at ingest.Progress) error
	// current is told that a chain's node had nothing newer, failed what went wrong.
	current func(chain ledger.Chain)
	failed  func(chain ledger.Chain, err error, again time.Duration)
	// reorganised is told of blocks that were taken back.
	reorganised func(chain ledger.Chain, fork ledger.Height, depth int)
}

// follow keeps chains at the tips of their nodes, and the engine with them, until the
// context ends.
func (f *followFlags) follow(ctx context.Context, s *session, o *opened, chains []followed, w watcher) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, one := range chains {
		following := f.following(s, o, one, w)
		if s.store != "" {
			others := &standby{o: o, chain: one.chain, w: w}
			following = others.shared(following)
			group.Go(func() error { return others.watch(ctx, max(f.Every, time.Second)) })
		}
		group.Go(func() error {
			err := ingest.Follow(ctx, gated{o.store, o.engine}, one.chain, following)
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was to end
			}
			return err
		})
	}
	return group.Wait()
}

func (f *followFlags) following(s *session, o *opened, one followed, w watcher) ingest.Following {
	options := ingest.Options{MaxReorg: f.Reorg, From: ledger.Height(f.Since)}
	options.Reorganised = func(fork ledger.Height, depth int) {
		if w.reorganised != nil {
			w.reorganised(one.chain, fork, depth)
		}
	}
	options.Progress = func(p ingest.Progress) { release(o.store, p) }
	return ingest.Following{
		Options: options, Every: f.Every,
		Open: func(ctx context.Context) (ingest.Node, func() error, error) {
			v := &ingestVerb{From: one.from, NoPow: f.NoPow, Since: f.Since, nodeFlags: f.nodeFlags}
			source, err := v.open(ctx, s, one.chain, o.store)
			if err != nil {
				return nil, nil, err
			}
			node, ok := source.(ingest.Node)
			if !ok {
				return nil, nil, errors.Join(fmt.Errorf("%s: only a node can be followed (rpc:URL); use ingest for files", one.from), source.Close())
			}
			return node, source.Close, nil
		},
		Changed: func(ctx context.Context, p ingest.Progress) error {
			if err := o.engine.Advance(ctx); err != nil {
				return err
			}
			if w.changed == nil {
				return nil
			}
			return w.changed(ctx, one.chain, p)
		},
		Current: func() {
			o.engine.Heard(one.chain, time.Now().Unix())
			if w.current != nil {
				w.current(one.chain)
			}
		},
		Failed: func(err error, again time.Duration) {
			if w.failed != nil {
				w.failed(one.chain, err, again)
			}
		},
	}
}
