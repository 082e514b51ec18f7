// Package slice is the part of a ledger that a trace asked for: every answer of a store
// is recorded as facts about named transactions, written as lines that people and other
// programs can read, and answered from again, so that the same trace over the slice gives
// the same result with no store.
//
// A slice answers what was asked when it was recorded and refuses everything else: a gap
// is an error and never reads as "nothing there".
package slice

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// ErrNotHeld says that a slice holds no answer to a question.
var ErrNotHeld = errors.New("the slice holds no answer to this question")

// Slice is a part of a ledger.
type Slice struct {
	Chains map[ledger.Chain]*Facts
}

// Facts are what a slice holds of one chain.
type Facts struct {
	Status       store.Status
	Headers      map[ledger.Height]store.Header
	IDs          map[store.TxNumber]ledger.Hash
	Absent       map[ledger.Hash]bool // transactions that the store did not hold
	Outpoints    map[ledger.Outpoint]store.OutputNumber
	Outputs      map[store.OutputNumber]store.Output
	Transactions map[store.TxNumber]store.Transaction
	Movements    map[store.TxNumber]store.Movement
	Histories    map[store.Since][]store.Touch
	Balances     map[store.HoldingAt]store.Balance
	Spoken       map[store.TxNumber]store.Said
	Said         map[Span][]store.TxNumber

	found map[ledger.Hash]store.TxNumber
}

// Span is a run of blocks, both ends included.
type Span struct{ From, To ledger.Height }

// New makes an empty slice.
func New() *Slice { return &Slice{Chains: map[ledger.Chain]*Facts{}} }

// add gives the facts of a chain, new ones where there are none.
func (s *Slice) add(chain ledger.Chain) *Facts {
	f := s.Chains[chain]
	if f == nil {
		f = &Facts{
			Headers: map[ledger.Height]store.Header{}, IDs: map[store.TxNumber]ledger.Hash{}, Absent: map[ledger.Hash]bool{},
			Outpoints: map[ledger.Outpoint]store.OutputNumber{}, Outputs: map[store.OutputNumber]store.Output{},
			Transactions: map[store.TxNumber]store.Transaction{}, Movements: map[store.TxNumber]store.Movement{},
			Histories: map[store.Since][]store.Touch{}, Balances: map[store.HoldingAt]store.Balance{},
			Spoken: map[store.TxNumber]store.Said{}, Said: map[Span][]store.TxNumber{}, found: map[ledger.Hash]store.TxNumber{},
		}
		s.Chains[chain] = f
	}
	return f
}

// name keeps how a transaction is called. Of two with one identifier (BIP-30) the later
// is meant.
func (f *Facts) name(number store.TxNumber, id ledger.Hash) {
	f.IDs[number] = id
	if have, ok := f.found[id]; !ok || have < number {
		f.found[id] = number
	}
}

// Find gives the number of a transaction that the slice names.
func (f *Facts) Find(id ledger.Hash) (store.TxNumber, bool) {
	number, ok := f.found[id]
	return number, ok
}

// Names lists the chains in order.
func (s *Slice) Names() []ledger.Chain { return sortedKeys(s.Chains) }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// facts finds a chain that is held.
func (s *Slice) facts(chain ledger.Chain) (*Facts, error) {
	f := s.Chains[chain]
	if f == nil {
		return nil, fmt.Errorf("%w: %s", store.ErrUnknownChain, chain.Short())
	}
	return f, nil
}

// An InconsistentError says which facts of a slice contradict one another.
type InconsistentError struct {
	Chain  ledger.Chain
	Reason string
}

// Error is "chain: reason".
func (e *InconsistentError) Error() string { return e.Chain.Short() + ": " + e.Reason }
