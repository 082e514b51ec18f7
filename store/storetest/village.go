package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"coldtrail/ledger"
)

// Village is a small random UTXO chain whose last blocks may be taken back and replaced by
// others: sixteen addresses that pay one another, often with coins of two.
type Village struct {
	Blocks  []*ledger.Block
	unspent [][]ledger.Outpoint // after each block
	made    int
}

// VillageAddress is one of the sixteen.
func VillageAddress(n int) ledger.Address { return name(fmt.Sprintf("a%02d", n)) }

// TakeBack drops the last blocks, and gives the height of the first that is gone.
func (v *Village) TakeBack(blocks int) ledger.Height {
	at := len(v.Blocks) - blocks
	v.Blocks, v.unspent = v.Blocks[:at], v.unspent[:at]
	return ledger.Height(at)
}

// Grow adds a random block.
func (v *Village) Grow(t *rapid.T) *ledger.Block {
	pay := func(tx *ledger.Tx) {
		v.made++
		tx.ID = ledger.Hash(sha256.Sum256(fmt.Append(nil, "tx ", v.made)))
		for range rapid.IntRange(1, 3).Draw(t, "outputs") {
			tx.Outputs = append(tx.Outputs, ledger.Output{Value: 10, Address: VillageAddress(rapid.IntRange(0, 15).Draw(t, "to"))})
		}
	}
	var open []ledger.Outpoint
	b := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(len(v.Blocks)), Time: int64(len(v.Blocks))}
	if len(v.Blocks) > 0 {
		b.Parent, open = v.Blocks[len(v.Blocks)-1].Hash, slices.Clone(v.unspent[len(v.unspent)-1])
	}
	coinbase := ledger.Tx{Coinbase: true}
	pay(&coinbase)
	b.Txs = append(b.Txs, coinbase)
	for range rapid.IntRange(0, 3).Draw(t, "payments") {
		tx := ledger.Tx{Index: uint32(len(b.Txs))}
		for range rapid.IntRange(1, 2).Draw(t, "inputs") {
			if len(open) > 0 {
				at := rapid.IntRange(0, len(open)-1).Draw(t, "coin")
				tx.Inputs = append(tx.Inputs, open[at])
				open = slices.Delete(open, at, at+1)
			}
		}
		if len(tx.Inputs) > 0 {
			pay(&tx)
			tx.Outputs = tx.Outputs[:1] // no payment for two looks like a mix or a PayJoin
			b.Txs = append(b.Txs, tx)
		}
	}
	for i := range b.Txs {
		for j := range b.Txs[i].Outputs {
			open = append(open, ledger.Outpoint{Tx: b.Txs[i].ID, Index: uint32(j)})
		}
	}
	b.Hash = ledger.Hash(sha256.Sum256(fmt.Append(nil, "block ", v.made, b.Parent)))
	v.Blocks, v.unspent = append(v.Blocks, b), append(v.unspent, open)
	return b
}
