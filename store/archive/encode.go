package archive

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"coldtrail/ledger"
)

// The words of the columns that hold one of a few.
var (
	provenances   = [...]string{"", ledger.File: "file", ledger.Node: "node", ledger.Proven: "proven"}
	transferKinds = [...]string{ledger.Ordinary: "ordinary", ledger.Internal: "internal", ledger.Reward: "reward", ledger.Shares: "shares"}
	messageKinds  = [...]string{"", ledger.OpReturn: "op_return", ledger.Log: "log", ledger.Calldata: "calldata", ledger.Creation: "creation"}
)

// maxData bounds the bytes of a message, so that a page of any file is bounded.
const maxData = 16 << 20

// blockRows are the rows of one block.
type blockRows struct {
	block        blockRow
	transactions []transactionRow
	inputs       []inputRow
	outputs      []outputRow
	transfers    []transferRow
	freezes      []freezeRow
	messages     []messageRow
	openings     []openingRow
	data         int // bytes of the messages
}

func (r *blockRows) reset() {
	r.block, r.data = blockRow{}, 0
	r.transactions, r.inputs, r.outputs, r.transfers = r.transactions[:0], r.inputs[:0], r.outputs[:0], r.transfers[:0]
	r.freezes, r.messages, r.openings = r.freezes[:0], r.messages[:0], r.openings[:0]
}

// size is how many rows there are.
func (r *blockRows) size() int {
	return 1 + len(r.transactions) + len(r.inputs) + len(r.outputs) + len(r.transfers) + len(r.freezes) + len(r.messages) + len(r.openings)
}

// fill turns a block into rows; what they could not give back is refused.
func (r *blockRows) fill(n *notation, b *ledger.Block) error {
	r.reset()
	if int(b.Provenance) >= len(provenances) {
		return fmt.Errorf("provenance %d is not known", b.Provenance)
	}
	chain, height := string(b.Chain), uint64(b.Height)
	r.block = blockRow{
		Chain: chain, Height: height, Hash: b.Hash, Parent: b.Parent, Time: b.Time, Provenance: provenances[b.Provenance],
		Transactions: uint32(len(b.Txs)), Openings: uint32(len(b.Openings)),
	}
	for i := range b.Txs {
		if err := r.tx(n, b, i); err != nil {
			return fmt.Errorf("transaction %s: %w", b.Chain.FormatHash(b.Txs[i].ID), err)
		}
	}
	for i := range b.Openings {
		o := &b.Openings[i]
		address, err := n.write(&o.Address)
		if err = errors.Join(err, checkAsset(o.Asset)); err != nil {
			return fmt.Errorf("opening %d: %w", i, err)
		}
		r.openings = append(r.openings, openingRow{
			Chain: chain, Height: height, Index: uint32(i), Address: address.text, AddressKind: address.kind, Asset: string(o.Asset),
			Amount: o.Amount.Bytes32(), AmountText: o.Amount.Dec(), Before: uint64(o.Before),
		})
	}
	return nil
}

// maxAsset bounds the bytes of an asset's name.
const maxAsset = 200

// checkAsset wants a name that other programs read.
func checkAsset(a ledger.Asset) error {
	if len(a) > maxAsset || !utf8.ValidString(string(a)) {
		return fmt.Errorf("asset %q is longer than %d bytes, or no UTF-8", clip(string(a)), maxAsset)
	}
	return nil
}

func (r *blockRows) tx(n *notation, b *ledger.Block, at int) error {
	tx := &b.Txs[at]
	payer, err := n.write(&tx.Fee.Payer)
	if err != nil {
		return err
	}
	producer, err := n.write(&tx.Fee.Producer)
	if err != nil {
		return err
	}
	chain, height, position := string(b.Chain), uint64(b.Height), uint32(at)
	r.transactions = append(r.transactions, transactionRow{
		Chain: chain, Height: height, Position: position, Index: tx.Index, ID: tx.ID,
		Coinbase: tx.Coinbase, Open: tx.Open, Failed: tx.Failed, Approximate: tx.Approximate, External: tx.External,
		Payer: payer.text, PayerKind: payer.kind, Burned: tx.Fee.Burned.Bytes32(), BurnedText: tx.Fee.Burned.Dec(),
		Tip: tx.Fee.Tip.Bytes32(), TipText: tx.Fee.Tip.Dec(), Producer: producer.text, ProducerKind: producer.kind,
		Inputs: uint32(len(tx.Inputs)), Outputs: uint32(len(tx.Outputs)), Transfers: uint32(len(tx.Transfers)),
		Freezes: uint32(len(tx.Freezes)), Messages: uint32(len(tx.Messages)),
	})
	for i := range tx.Inputs {
		r.inputs = append(r.inputs, inputRow{chain, height, position, uint32(i), tx.Inputs[i].Tx, tx.Inputs[i].Index})
	}
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		address, err := n.write(&o.Address)
		if err != nil {
			return err
		}
		r.outputs = append(r.outputs, outputRow{chain, height, position, uint32(i), o.Value, address.text, address.kind, o.Unspendable})
	}
	for i := range tx.Freezes {
		f := &tx.Freezes[i]
		holder, err := n.write(&f.Holder)
		if err = errors.Join(err, checkAsset(f.Asset)); err != nil {
			return err
		}
		r.freezes = append(r.freezes, freezeRow{chain, height, position, uint32(i), holder.text, holder.kind, string(f.Asset), f.Lifted, f.After})
	}
	if err := r.moves(n, tx, transferRow{Chain: chain, Height: height, Position: position}); err != nil {
		return err
	}
	return r.says(n, tx, messageRow{Chain: chain, Height: height, Position: position})
}

// moves adds the transfers of a transaction.
func (r *blockRows) moves(n *notation, tx *ledger.Tx, row transferRow) error {
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		from, err := n.write(&t.From)
		if err != nil {
			return err
		}
		to, err := n.write(&t.To)
		if err = errors.Join(err, checkAsset(t.Asset)); err != nil {
			return err
		}
		if t.LogIndex < ledger.NoLog || int(t.Kind) >= len(transferKinds) {
			return fmt.Errorf("transfer %d has the log index %d and the kind %d, of which one is none", i, t.LogIndex, t.Kind)
		}
		row.Index, row.From, row.FromKind, row.To, row.ToKind = uint32(i), from.text, from.kind, to.text, to.kind
		row.Asset, row.Amount, row.AmountText, row.Kind = string(t.Asset), t.Amount.Bytes32(), t.Amount.Dec(), transferKinds[t.Kind]
		row.LogIndex = nil
		if t.LogIndex != ledger.NoLog {
			row.LogIndex = &t.LogIndex
		}
		r.transfers = append(r.transfers, row)
	}
	return nil
}

// says adds the messages of a transaction.
func (r *blockRows) says(n *notation, tx *ledger.Tx, row messageRow) error {
	for i := range tx.Messages {
		m := &tx.Messages[i]
		contract, err := n.write(&m.Contract)
		if err != nil {
			return err
		}
		if m.Kind == 0 || int(m.Kind) >= len(messageKinds) || len(m.Data) > maxData {
			return fmt.Errorf("message %d is of kind %d with %d bytes, which this layout has not", i, m.Kind, len(m.Data))
		}
		row.Index, row.Kind, row.Contract, row.ContractKind = uint32(i), messageKinds[m.Kind], contract.text, contract.kind
		row.Place, row.Data = m.Position, m.Data
		r.messages = append(r.messages, row)
		r.data += len(m.Data)
	}
	return nil
}
