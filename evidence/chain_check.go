package evidence

import (
	"cmp"
	"maps"
	"slices"

	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/store"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// words says whose word a chain's facts were when they came into the store from which the
// bundle was made.
var words = map[ledger.Provenance]string{
	ledger.Proven: "whoever made the bundle: it says that the blocks were proven when they were read, and holds no proof of it",
	ledger.Node:   "a node",
	ledger.File:   "a file: somebody's export",
}

// checkChain checks the proofs of a chain and tells what has none.
func (v *verifier) checkChain(s *ChainStatement) {
	f := v.held.slice.Chains[ledger.Chain(s.Chain)]
	word := words[f.Status.Weakest]
	switch s.Proof {
	case proofBitcoin:
		c := bitcoinCheck{verifier: v, s: s, f: f, placed: map[store.TxNumber]bool{}, seen: map[ledger.Hash]bool{}}
		c.run()
		v.tellOutputs(s.Chain, f, c.unproven(), word)
		return
	case proofEthereum:
		c := ethereumCheck{verifier: v, s: s, f: f, word: word}
		c.run()
		v.tellHoldings(s.Chain, f, word)
		return
	case "":
	default:
		v.unknown(checkProofs, "proofs of kind %.20q are not known", s.Proof)
	}
	v.rests(s.Chain, "transactions and their place in the chain", len(f.Transactions)+len(f.Movements), word)
	v.tellOutputs(s.Chain, f, 0, word)
	v.tellHoldings(s.Chain, f, word)
}

// tellOutputs tells what proofs of a UTXO chain leave open.
func (v *verifier) tellOutputs(chain string, f *slice.Facts, unproven int, word string) {
	v.rests(chain, "transactions without a proof", unproven, word)
	unspent := 0
	for _, o := range f.Outputs {
		if o.Spender == store.NoTx && !o.Unspendable {
			unspent++
		}
	}
	v.rests(chain, "outputs that were not spent up to the last block that counts", unspent, "whoever made the bundle: nothing proves an absence")
	if said := len(f.Spoken); said > 0 {
		v.rests(chain, "transactions with messages to bridges, and that there are no others", said, word)
	}
}

// tellHoldings tells what rests on words on an account chain whatever the proofs.
func (v *verifier) tellHoldings(chain string, f *slice.Facts, word string) {
	v.rests(chain, "balances just before a transaction", len(f.Balances), word)
	if len(f.Movements) > 0 {
		v.rests(chain, "histories of addresses: that no other transaction touched them", len(f.Histories), word)
	}
}
