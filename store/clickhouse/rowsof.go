package clickhouse

import (
	"coldtrail/ledger"
	"coldtrail/store"
)

// What follows from a block alone, whatever lies before it, is staged: any worker can insert
// it at any time, and it counts once a seal covers it.

// kinds of rows share a block and an attempt.
type staging struct {
	sheets  *sheets
	store   *Store
	attempt uint64
}

// block stages one block.
func (w *staging) block(b *ledger.Block) {
	height := uint64(b.Height)
	here := w.store.byHeight(height)
	outputs, chain := uint32(0), string(b.Chain)
	for i := range b.Txs {
		tx := &b.Txs[i]
		body := string(store.EncodeTx(nil, tx))
		w.sheets.add("transactions", here, chain, height, uint32(i), w.attempt, string(tx.ID[:]), speaks(tx), body)
		w.sheets.add("ids", w.store.byText(string(tx.ID[:])), chain, string(tx.ID[:]), height, uint32(i), w.attempt, outputs, uint32(len(tx.Outputs)))
		if b.Chain.Family() == ledger.UTXO {
			w.outputs(b, i, outputs)
		} else {
			w.touched(b, i)
		}
		outputs += uint32(len(tx.Outputs))
	}
	for i := range b.Openings {
		o := &b.Openings[i]
		value := o.Amount.Bytes32()
		address := addressBytes(o.Address)
		w.sheets.add("openings", w.store.byText(address), chain, address, height, uint32(i), w.attempt, string(o.Asset), uint64(o.Before), string(value[:]))
	}
}

// outputs stages what a transaction of the UTXO family makes.
func (w *staging) outputs(b *ledger.Block, position int, first uint32) {
	height, chain := uint64(b.Height), string(b.Chain)
	for i := range b.Txs[position].Outputs {
		o := &b.Txs[position].Outputs[i]
		address, output := addressBytes(o.Address), first+uint32(i)
		w.sheets.add("outputs", w.store.byHeight(height), chain, height, output, w.attempt, uint32(position), uint32(i), o.Value, address, bit(o.Unspendable))
		if address != "" {
			w.sheets.add("postings", w.store.byText(address), chain, address, height, uint32(position), w.attempt, uint8(0), height, output, o.Value, "")
		}
	}
}

// touched stages whom an account transaction is in the history of, each with what it did to
// that address, so that a balance is added up without looking at the transactions.
func (w *staging) touched(b *ledger.Block, position int) {
	tx, chain := &b.Txs[position], string(b.Chain)
	for _, a := range store.Touched(tx) {
		address := addressBytes(a)
		effect := string(store.EncodeTx(nil, concerning(tx, a)))
		w.sheets.add("postings", w.store.byText(address), chain, address, uint64(b.Height), uint32(position), w.attempt, uint8(0), uint64(0), uint32(0), uint64(0), effect)
	}
}

// concerning is the part of a transaction that changes what an address holds or may move.
func concerning(tx *ledger.Tx, a ledger.Address) *ledger.Tx {
	part := &ledger.Tx{Failed: tx.Failed}
	for _, t := range tx.Transfers {
		if t.From == a || t.To == a {
			part.Transfers = append(part.Transfers, t)
		}
	}
	if tx.Fee.Payer == a || tx.Fee.Producer == a {
		part.Fee = tx.Fee
	}
	for _, f := range tx.Freezes {
		if f.Holder == a {
			f.After = 0
			part.Freezes = append(part.Freezes, f)
		}
	}
	return part
}

func speaks(tx *ledger.Tx) uint8 { return bit(len(tx.Messages) > 0) }

func bit(set bool) uint8 { //nolint:revive // a bit is what is written, it controls nothing
	if set {
		return 1
	}
	return 0
}
