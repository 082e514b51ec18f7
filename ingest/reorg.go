package ingest

import (
	"context"
	"errors"
	"fmt"

	"coldtrail/ledger"
	"coldtrail/store"
)

// maxFutile is how often in a row a node may contradict itself without a block won.
const maxFutile = 16

// ErrReorgTooDeep says that a node's chain left the store's further back than may be.
var ErrReorgTooDeep = errors.New("the node's chain departs from the store's too far back")

// follow pulls a node's blocks up to its tip. Where the node has replaced blocks that
// the store holds, they are taken back to the fork and the new ones taken in: one
// code path for a backfill and for the tip.
func (r *runner) follow(ctx context.Context, chain ledger.Chain, node Node) error {
	for futile := 0; ; futile++ {
		start, err := r.fork(ctx, chain, node)
		if err != nil {
			return err
		}
		won := r.done.Blocks
		err = r.pull(ctx, node, start)
		r.batch, r.txs = r.batch[:0], 0
		var link *store.LinkError
		if !errors.As(err, &link) {
			return err
		}
		if r.done.Blocks > won {
			futile = 0
		}
		if futile >= maxFutile {
			return fmt.Errorf("the node contradicts itself again and again: %w", err)
		}
	}
}

// fork takes back what the node has replaced and says where to go on.
func (r *runner) fork(ctx context.Context, chain ledger.Chain, node Node) (ledger.Height, error) {
	head, held, err := head(ctx, r.into, chain)
	if err != nil || !held {
		return r.options.From, err
	}
	most := r.options.MaxReorg
	if most <= 0 {
		most = DefaultReorg
	}
	from := head - min(head, ledger.Height(most))
	var headers []store.Header
	for header, err := range r.into.Headers(ctx, chain, from) {
		if err != nil {
			return 0, err
		}
		headers = append(headers, header)
	}
	replaced := false // a node that has no block at a height is behind, no more
	for i := len(headers) - 1; i >= 0; i-- {
		hash, err := node.HashAt(ctx, headers[i].Height)
		if err != nil {
			return 0, err
		}
		if hash != headers[i].Hash && !headers[i].Hash.IsZero() {
			replaced = replaced || !hash.IsZero()
			continue
		}
		if !replaced {
			return head + 1, nil
		}
		return headers[i].Height + 1, r.takeBack(ctx, chain, headers[i].Height, len(headers)-1-i)
	}
	if !replaced {
		return head + 1, nil
	}
	return 0, fmt.Errorf("%w: block %d differs, %d blocks below the head; is it the right network? coldtrail keeps what it has", ErrReorgTooDeep, headers[0].Height, len(headers)-1)
}

func (r *runner) takeBack(ctx context.Context, chain ledger.Chain, fork ledger.Height, depth int) error {
	if depth == 0 {
		return nil
	}
	if err := r.into.Rewind(ctx, chain, fork+1); err != nil {
		return err
	}
	r.before = min(r.before, fork)
	if r.options.Reorganised != nil {
		r.options.Reorganised(fork, depth)
	}
	return nil
}
