package cluster

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// Facts is what the caller knows of a UTXO transaction beyond the transaction itself,
// as of its cut-off height.
type Facts struct {
	// Excluded is a reason of the caller's to draw no conclusion, such as Mixing.
	Excluded Exclusion
	// Outputs says what is known of the address of each output, by output.
	Outputs []Known
}

// Known is what the ledger holds of one address at the cut-off height.
type Known struct {
	SeenBefore  bool // in a transaction that stands before the one judged
	ReusedAfter bool // paid again by a later one, up to the cut-off
	// Received and Spent count the transactions that pay the address and that spend
	// from it up to the cut-off, the one judged included.
	Received, Spent uint32
}

// Spends is what one UTXO address spent.
type Spends struct {
	Of ledger.Address
	// Txs are all transactions that spend from the address up to the cut-off, in any
	// order. Where some are missing, rules take those given for all.
	Txs []*ledger.Resolved
	// Service names the service whose wallet an address is; false for all others.
	Service func(ledger.Address) (entity string, ok bool)
	// Excluded is a reason to draw no conclusion from a transaction; nil for none.
	Excluded func(*ledger.Resolved) Exclusion
}

// History is what one account did and what was done to it.
type History struct {
	Chain ledger.Chain
	Of    ledger.Address
	// Txs are all transactions of the account up to the cut-off, in any order. Rules
	// take those given for all: an account whose beginning is missing is misjudged.
	Txs     []ledger.Placed
	Parties Parties
}

// Parties answers what the caller knows of accounts. A nil function knows nothing.
type Parties struct {
	// Service names the service whose own wallet an account is: the wallets into which
	// deposits are collected and from which payouts are made, never deposit addresses.
	Service func(ledger.Address) (entity string, ok bool)
	// Contract says that an account is known to be code.
	Contract func(ledger.Address) bool
	// Signs says that an account is known to have signed a transaction, so that it has
	// a key and is no contract.
	Signs func(ledger.Address) bool
	// Crowded says that an account deals with too many others to stand for one of them:
	// faucets, relayers, gas stations, airdrops.
	Crowded func(ledger.Address) bool
	// Payers counts the distinct accounts that paid an account.
	Payers func(ledger.Address) uint64
}

func (p *Parties) service(a ledger.Address) (string, bool) {
	if p.Service == nil {
		return "", false
	}
	return p.Service(a)
}

func (p *Parties) contract(a ledger.Address) bool { return p.Contract != nil && p.Contract(a) }

func (p *Parties) signs(a ledger.Address) bool { return p.Signs != nil && p.Signs(a) }

func (p *Parties) payers(a ledger.Address) uint64 {
	if p.Payers == nil {
		return 0
	}
	return p.Payers(a)
}

// private says that nothing speaks against an account's being one person's own.
func (p *Parties) private(a ledger.Address) bool {
	if a.IsZero() || a == zeroAccount || p.contract(a) || p.Crowded != nil && p.Crowded(a) {
		return false
	}
	_, ok := p.service(a)
	return !ok
}

// zeroAccount is where EIP-20 tokens come from and end.
var zeroAccount = ledger.NewAddress(ledger.EVMAccount, make([]byte, 20))

// inOrder is the history as it happened: without reverted transactions, which move
// nothing, and each once.
func (h *History) inOrder() []ledger.Placed {
	list := make([]ledger.Placed, 0, len(h.Txs))
	for _, p := range h.Txs {
		if p.Tx != nil {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b ledger.Placed) int {
		return cmp.Or(cmp.Compare(a.Height, b.Height), cmp.Compare(a.Tx.Index, b.Tx.Index), slices.Compare(a.Tx.ID[:], b.Tx.ID[:]))
	})
	return slices.CompactFunc(list, func(a, b ledger.Placed) bool {
		return a.Height == b.Height && a.Tx.Index == b.Tx.Index && a.Tx.ID == b.Tx.ID
	})
}

// signed says that the account itself signed a transaction.
func (h *History) signed(tx *ledger.Tx) bool { return !tx.Coinbase && tx.Fee.Payer == h.Of }

// real says that a transfer certainly happened as the ledger has it. Movements of the
// native asset did. A token's event is written by its contract, and whoever writes a
// contract can have it name anybody as the sender; an event in a transaction that the
// account itself signed is at least its own doing.
func (h *History) real(tx *ledger.Tx, t *ledger.Transfer) bool {
	return t.Asset == h.Chain.Native() || h.signed(tx)
}
