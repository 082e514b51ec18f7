package taint

import (
	"maps"
	"slices"

	"coldtrail/ledger"
)

// SavedUTXO is the state of a UTXO at the end of a block, to go on from later. It is
// never changed.
type SavedUTXO struct{ holdings map[uint64][]Lot }

// Save keeps the state at the end of a block.
func (u *UTXO) Save() *SavedUTXO { return &SavedUTXO{maps.Clone(u.holdings)} }

// Restore makes this state, which must be empty, the saved one.
func (u *UTXO) Restore(s *SavedUTXO) {
	u.holdings = maps.Clone(s.holdings)
	for output := range s.holdings {
		u.members.add(output)
	}
}

// SavedAccounts is the state of an Accounts between two transactions, to go on from
// later. It is never changed.
type SavedAccounts struct {
	pools   map[Holding][]Lot
	watched map[ledger.Address]int
	assets  map[ledger.Asset]bool
	given   map[ledger.Address]gift
	spoken  map[Holding]bool
	met     map[ledger.Address][]ledger.Address
}

// Save keeps the state between two transactions.
func (a *Accounts) Save() *SavedAccounts {
	s := &SavedAccounts{
		pools: make(map[Holding][]Lot, len(a.pools)), watched: maps.Clone(a.watched), assets: maps.Clone(a.assets), given: maps.Clone(a.given),
		spoken: maps.Clone(a.spoken), met: maps.Clone(a.met),
	}
	for h, pool := range a.pools {
		s.pools[h] = slices.Clone(pool.Lots())
	}
	for address, list := range s.met {
		s.met[address] = slices.Clone(list)
	}
	return s
}

// Restore makes this state, which must be empty, the saved one.
func (a *Accounts) Restore(s *SavedAccounts) {
	for h, lots := range s.pools {
		pool := NewPool(a.method, a.palette)
		pool.lots = slices.Clone(lots)
		a.pools[h] = pool
	}
	a.watched, a.assets, a.given, a.spoken, a.met = maps.Clone(s.watched), maps.Clone(s.assets), maps.Clone(s.given), maps.Clone(s.spoken), maps.Clone(s.met)
	for address, list := range a.met {
		a.met[address] = slices.Clone(list)
	}
}
