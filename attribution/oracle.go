package attribution

import (
	"context"
	"fmt"
	"slices"

	"coldtrail/attribution/feed"
	"coldtrail/ledger"
	"coldtrail/store"
)

// OracleDepth is how many blocks must stand on an event of the sanctions oracle before
// it counts: claims are never taken back, and no reorganisation reaches so deep.
const OracleDepth = 64

// ReplayOracle replays the events of a chain's sanctions oracle that the store holds.
func ReplayOracle(ctx context.Context, s store.Store, chain ledger.Chain) (*feed.Batch, error) {
	oracle, ok := feed.NewOracle(chain)
	if !ok {
		return nil, fmt.Errorf("no sanctions oracle is known on %s", chain.Short())
	}
	statuses, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(statuses, func(st store.Status) bool { return st.Chain == chain })
	if at < 0 {
		return nil, fmt.Errorf("%w: %s; ingest it first", store.ErrUnknownChain, chain.Short())
	}
	status := &statuses[at]
	if status.Height < status.First+OracleDepth {
		return oracle.Batch(), nil
	}
	topics := map[ledger.Hash]bool{feed.OracleAdded: true, feed.OracleRemoved: true}
	for said, err := range s.Said(ctx, chain, status.First, status.Height-OracleDepth, topics) {
		if err != nil {
			return nil, err
		}
		oracle.Take(said.Tx, said.Height, said.Time)
	}
	return oracle.Batch(), nil
}
