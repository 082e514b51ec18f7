package main

import (
	"context"
	"slices"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
)

// moved is a transfer before it is written for people.
type moved struct {
	server.Transfer

	own bool // from the address to itself
}

// visited is a transaction with what it moved for one address.
type visited struct {
	number store.TxNumber
	id     ledger.Hash
	height ledger.Height
	moves  []moved
}

// touching lists transactions that touch an address, from a number on, at most so many.
// On chains of outputs they come with what was received and sent.
func (l *storeLedger) touching(ctx context.Context, v *chainView, a ledger.Address, from store.TxNumber, most int) ([]sums, error) {
	question := store.Since{Address: a, From: from}
	if v.chain.Family() == ledger.Account {
		question.Limit = most
	} // elsewhere a transaction has several touches, and the store reads all of them anyway
	histories, err := l.store.History(ctx, v.chain, []store.Since{question})
	if err != nil {
		return nil, err
	}
	var list []sums
	for _, touch := range histories[0] {
		if touch.Tx >= v.end() {
			break
		}
		if n := len(list); n == 0 || list[n-1].number != touch.Tx {
			if n == most {
				break
			}
			list = append(list, sums{number: touch.Tx})
		}
		sum, value := &list[len(list)-1], ledger.NewAmount(touch.Value)
		if touch.Spent {
			sum.spends = true
			plus(&sum.sent, &value)
		} else {
			sum.receives = true
			plus(&sum.received, &value)
		}
	}
	return list, nil
}

// sums is what a transaction on a chain of outputs moved for one address.
type sums struct {
	number           store.TxNumber
	receives, spends bool
	received, sent   ledger.Amount
}

// plus adds up. What does not fit stays at the most that does: only a hostile contract
// moves as much.
func plus(to, amount *ledger.Amount) {
	if _, overflow := to.AddOverflow(to, amount); overflow {
		to.SetAllOne()
	}
}

// moves says what transactions moved for an address.
func (l *storeLedger) moves(ctx context.Context, v *chainView, a ledger.Address, list []sums) ([]visited, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	numbers := make([]store.TxNumber, len(list))
	for i := range list {
		numbers[i] = list[i].number
	}
	if v.chain.Family() == ledger.UTXO {
		return l.outputMoves(ctx, v, a, list, numbers)
	}
	movements, err := l.store.Movements(ctx, v.chain, numbers)
	if err != nil {
		return nil, err
	}
	out := make([]visited, len(list))
	for i := range movements {
		m := &movements[i]
		out[i] = visited{m.Number, m.Tx.ID, m.Height, accountMoves(v, a, m)}
	}
	return out, nil
}

// accountMoves lists what an account's transaction moved for it, in the order of
// execution, then what it cost or earned.
func accountMoves(v *chainView, a ledger.Address, m *store.Movement) (list []moved) {
	add := func(d exposure.Direction, t *ledger.Transfer, other ledger.Address) {
		move := moved{own: t.From == t.To}
		move.Tx, move.Height, move.Time = v.chain.FormatHash(m.Tx.ID), uint64(m.Height), m.Time
		move.Direction, move.Asset, move.Amount, move.Kind = d, t.Asset, exposure.Decimal{Amount: t.Amount}, kindOf(t.Kind)
		if !other.IsZero() {
			move.Counterparties = []string{v.notation.FormatAddress(other)}
		}
		list = append(list, move)
	}
	for i := range m.Tx.Transfers {
		t := &m.Tx.Transfers[i]
		if m.Tx.Failed {
			break
		}
		if t.To == a {
			add(exposure.Received, t, t.From)
		}
		if t.From == a {
			add(exposure.Sent, t, t.To)
		}
	}
	fee := &m.Tx.Fee
	cost := feeOf(fee)
	if fee.Producer == a && !fee.Tip.IsZero() {
		add(exposure.Received, &ledger.Transfer{From: fee.Payer, To: a, Asset: v.chain.Native(), Amount: fee.Tip}, fee.Payer)
		list[len(list)-1].Kind = kindFee
	}
	if fee.Payer == a && !cost.IsZero() {
		add(exposure.Sent, &ledger.Transfer{From: a, To: fee.Producer, Asset: v.chain.Native(), Amount: cost}, fee.Producer)
		list[len(list)-1].Kind = kindFee
	}
	return list
}

// kindFee is what an account pays for its transactions, or earns by those of others.
const kindFee = "fee"

func feeOf(fee *ledger.Fee) ledger.Amount {
	cost := fee.Burned
	plus(&cost, &fee.Tip)
	return cost
}

func kindOf(kind ledger.TransferKind) string {
	switch kind {
	case ledger.Ordinary:
	case ledger.Internal:
		return "internal"
	case ledger.Reward:
		return "reward"
	case ledger.Shares:
		return "shares"
	}
	return ""
}

// outputMoves says what transactions on a chain of outputs moved for an address. What it
// received and what it sent are never netted, so that change shows as received.
func (l *storeLedger) outputMoves(ctx context.Context, v *chainView, a ledger.Address, list []sums, numbers []store.TxNumber) ([]visited, error) {
	txs, err := l.store.Transactions(ctx, v.chain, numbers)
	if err != nil {
		return nil, err
	}
	ids, err := l.store.IDs(ctx, v.chain, numbers)
	if err != nil {
		return nil, err
	}
	payers, payees := make([][]store.OutputNumber, len(txs)), make([][]store.OutputNumber, len(txs))
	var ask []store.OutputNumber
	for i := range txs {
		payers[i], payees[i] = firstSides(&txs[i])
		ask = append(append(ask, payers[i]...), payees[i]...)
	}
	owners, err := l.owners(ctx, v, ask)
	if err != nil {
		return nil, err
	}
	out := make([]visited, len(list))
	for i := range txs {
		tx, sum := &txs[i], &list[i]
		out[i] = visited{number: tx.Number, id: ids[i], height: tx.Height}
		add := func(d exposure.Direction, amount ledger.Amount, others []store.OutputNumber) {
			move := moved{}
			move.Tx, move.Height, move.Time = v.chain.FormatHash(ids[i]), uint64(tx.Height), tx.Time
			move.Direction, move.Asset, move.Amount = d, v.chain.Native(), exposure.Decimal{Amount: amount}
			if tx.Coinbase {
				move.Kind = kindOf(ledger.Reward)
			}
			move.Counterparties = named(v, others, owners, a)
			out[i].moves = append(out[i].moves, move)
		}
		if sum.receives {
			add(exposure.Received, sum.received, payers[i])
		}
		if sum.spends {
			add(exposure.Sent, sum.sent, payees[i])
		}
	}
	return out, nil
}

// named writes owners of outputs, the first few, each once and without the address itself.
func named(v *chainView, numbers []store.OutputNumber, owners map[store.OutputNumber]ledger.Address, itself ledger.Address) (list []string) {
	for _, n := range numbers {
		owner := owners[n]
		if owner == itself || owner.IsZero() || len(list) == mostOthers {
			continue
		}
		if text := v.notation.FormatAddress(owner); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// firstSides are the outputs that a transaction spends and makes, the first few of each.
func firstSides(tx *store.Transaction) (spent, made []store.OutputNumber) {
	for _, in := range tx.Inputs[:min(len(tx.Inputs), mostSides)] {
		if in.Output != store.NoOutput {
			spent = append(spent, in.Output)
		}
	}
	for i := range min(len(tx.Values), mostSides) {
		made = append(made, tx.FirstOutput+store.OutputNumber(i))
	}
	return spent, made
}

// owners says whose outputs are, a few at a time: each may be read from another place.
func (l *storeLedger) owners(ctx context.Context, v *chainView, numbers []store.OutputNumber) (map[store.OutputNumber]ledger.Address, error) {
	owners := map[store.OutputNumber]ledger.Address{}
	err := l.outputs(ctx, v, numbers, func(o *store.Output) { owners[o.Number] = o.Address })
	return owners, err
}

func (l *storeLedger) outputs(ctx context.Context, v *chainView, numbers []store.OutputNumber, visit func(*store.Output)) error {
	for chunk := range slices.Chunk(numbers, outputsAtOnce) {
		if err := ctx.Err(); err != nil {
			return err
		}
		outputs, err := l.store.Outputs(ctx, v.chain, chunk)
		if err != nil {
			return err
		}
		for i := range outputs {
			visit(&outputs[i])
		}
	}
	return nil
}
