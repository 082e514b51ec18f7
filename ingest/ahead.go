package ingest

import (
	"context"
	"iter"
	"sync"

	"coldtrail/ledger"
)

// aheadBlocks is how many blocks a source may be ahead of the store: enough that
// decoding and storing run side by side, few enough to bound memory.
const aheadBlocks = 32

// ahead lets the source work while the store does. It yields what the source does,
// in the same order, and returns only when the source has ended.
func ahead(ctx context.Context, from Source, start ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		type result struct {
			block *ledger.Block
			err   error
		}
		ctx, cancel := context.WithCancel(ctx)
		results := make(chan result, aheadBlocks)
		var source sync.WaitGroup
		source.Go(func() {
			defer close(results)
			for block, err := range from.Blocks(ctx, start) {
				select {
				case results <- result{block, err}:
				case <-ctx.Done():
					return
				}
			}
		})
		defer source.Wait()
		defer cancel()
		for r := range results {
			if !yield(r.block, r.err) {
				return
			}
		}
	}
}
