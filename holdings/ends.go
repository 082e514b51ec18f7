package holdings

import (
	"context"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// End is where a chain is read up to: its last block with a time at or before a moment.
type End struct {
	Chain  ledger.Chain   `json:"chain"`
	Height ledger.Height  `json:"height"`
	Hash   string         `json:"hash"`
	Time   int64          `json:"time"`
	Before store.TxNumber `json:"-"` // the first transaction that does not count
	// Empty says that the store holds no block of the chain so early.
	Empty bool `json:"empty,omitempty"`
	// Behind says that the chain as it is held ends before the moment by more than a day,
	// so that later movements are not known.
	Behind bool `json:"behind,omitempty"`
}

// behind is for how many seconds a chain may end before the moment.
const behind = 24 * 60 * 60

// Ends finds where a chain is read up to at each of some rising moments, in one pass over
// its headers. Times of blocks need not rise; the last block counts whose time is early
// enough, and all before it.
func Ends(ctx context.Context, s store.Reader, chain ledger.Chain, moments []int64) ([]End, error) {
	ends := make([]End, len(moments))
	for i := range ends {
		ends[i] = End{Chain: chain, Empty: true}
	}
	newest := int64(0)
	for h, err := range s.Headers(ctx, chain, 0) {
		if err != nil {
			return nil, err
		}
		newest = max(newest, h.Time)
		if i, _ := slices.BinarySearch(moments, h.Time); i < len(ends) {
			ends[i] = End{Chain: chain, Height: h.Height, Time: h.Time, Before: h.FirstTx + store.TxNumber(h.Txs)}
			if !h.Hash.IsZero() {
				ends[i].Hash = chain.FormatHash(h.Hash)
			}
		}
	}
	for i := range ends {
		if i > 0 && !ends[i-1].Empty && (ends[i].Empty || ends[i].Height < ends[i-1].Height) {
			ends[i] = ends[i-1]
		}
	}
	for i := range ends {
		ends[i].Behind = moments[i]-newest > behind
	}
	return ends, nil
}
