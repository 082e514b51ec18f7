package slice

import (
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

func readStatus(r *reader, f *Facts, line []byte) {
	x := row[statusRow](r, line)
	if f.Status.Chain != "" {
		r.fail("it is stated twice")
	}
	f.Status = store.Status{
		Chain: ledger.Chain(x.Chain), First: ledger.Height(x.First), Height: ledger.Height(x.Height), Hash: r.hash(x.Hash),
		Weakest: r.provenance(x.Provenance),
	}
	if x.Content != "" {
		f.Status.Content = r.hash(x.Content)
	}
}

func readHeader(r *reader, f *Facts, line []byte) {
	x := row[headerRow](r, line)
	h := store.Header{
		Height: ledger.Height(x.Height), Hash: r.hash(x.Hash), Time: x.Time, Provenance: r.provenance(x.Provenance),
		FirstTx: store.TxNumber(r.number(x.First)), Txs: x.Txs,
	}
	put(r, f.Headers, h.Height, h)
}

func readName(r *reader, f *Facts, line []byte) {
	x := row[nameRow](r, line)
	id := r.hash(x.ID)
	if x.Number == nil {
		put(r, f.Absent, id, true)
		return
	}
	put(r, f.IDs, store.TxNumber(r.number(*x.Number)), id)
	f.name(store.TxNumber(*x.Number), id)
}

func readOutpoint(r *reader, f *Facts, line []byte) {
	x := row[outpointRow](r, line)
	put(r, f.Outpoints, r.outpoint(x.Outpoint), store.OutputNumber(orNone(x.Output)))
}

func readOutput(r *reader, f *Facts, line []byte) {
	x := row[outputRow](r, line)
	put(r, f.Outputs, store.OutputNumber(r.number(x.Output)), store.Output{
		Number: store.OutputNumber(x.Output), Outpoint: r.outpoint(x.Outpoint), Value: x.Value, Address: r.address(x.Address), Unspendable: x.Unspendable,
		Tx: store.TxNumber(r.number(x.Tx)), Spender: store.TxNumber(orNone(x.Spender)),
	})
}

func readTransaction(r *reader, f *Facts, line []byte) {
	x := row[transactionRow](r, line)
	put(r, f.Transactions, store.TxNumber(x.Number), r.transaction(&x))
}

func readMovement(r *reader, f *Facts, line []byte) {
	x := row[movementRow](r, line)
	number := store.TxNumber(r.number(x.Number))
	put(r, f.Movements, number, store.Movement{Number: number, Height: ledger.Height(x.Height), Time: x.Time, Tx: *r.tx(&x.Tx)})
}

func readHistory(r *reader, f *Facts, line []byte) {
	x := row[historyRow](r, line)
	touches := []store.Touch{}
	for _, t := range x.Touches {
		touches = append(touches, store.Touch{
			Tx: store.TxNumber(r.number(t.Tx)), Output: store.OutputNumber(orNone(t.Output)), Value: t.Value, Spent: t.Spent,
		})
	}
	put(r, f.Histories, store.Since{Address: r.address(x.Address), From: store.TxNumber(x.From), Limit: x.Limit}, touches)
}

func readBalance(r *reader, f *Facts, line []byte) {
	x := row[balanceRow](r, line)
	holding := store.Holding{Address: r.address(x.Address), Asset: r.asset(x.Asset)}
	put(r, f.Balances, store.HoldingAt{Holding: holding, Before: store.TxNumber(x.Before)}, store.Balance{Amount: r.amount(x.Amount), Known: x.Known, Frozen: x.Frozen})
}

func readMessage(r *reader, f *Facts, line []byte) {
	x := row[movementRow](r, line)
	number := store.TxNumber(r.number(x.Number))
	if _, ok := f.Movements[number]; ok {
		r.fail("it stands among the movements")
	}
	put(r, f.Spoken, number, store.Said{Number: number, Height: ledger.Height(x.Height), Time: x.Time, Tx: r.tx(&x.Tx)})
}

// readSpoken finds what is said among movements and messages.
func readSpoken(r *reader, f *Facts, line []byte) {
	x := row[spanRow](r, line)
	numbers := []store.TxNumber{}
	for _, n := range x.Numbers {
		number := store.TxNumber(n)
		numbers = append(numbers, number)
		if _, ok := f.Spoken[number]; ok {
			continue
		}
		m, ok := f.Movements[number]
		if !ok {
			r.fail("transaction number %d is not held", n)
			return
		}
		f.Spoken[number] = store.Said{Number: number, Height: m.Height, Time: m.Time, Tx: &m.Tx}
	}
	if !slices.IsSorted(numbers) {
		r.fail("its numbers are not in order")
	}
	put(r, f.Said, Span{ledger.Height(x.From), ledger.Height(x.To)}, numbers)
}
