package main

import (
	"context"
	"slices"
	"strconv"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
)

// Transaction says what the ledger holds of a transaction.
func (l *storeLedger) Transaction(ctx context.Context, chain ledger.Chain, id string) (answer server.Transaction, err error) {
	err = l.steadily(ctx, chain, func(v *chainView) error {
		hash, err := ledger.ParseHash(id)
		if err != nil {
			return refuse(server.ErrInvalid, "%s", err)
		}
		numbers, err := l.store.Find(ctx, v.chain, []ledger.Hash{hash})
		if err != nil {
			return err
		}
		if numbers[0] >= v.end() { // also where there is none
			return v.nothing(v.chain.FormatHash(hash))
		}
		answer = server.Transaction{Chain: string(v.chain), ID: v.chain.FormatHash(hash)}
		var height ledger.Height
		if v.chain.Family() == ledger.UTXO {
			height, err = l.outputTransaction(ctx, v, numbers[0], &answer)
		} else {
			height, err = l.accountTransaction(ctx, v, numbers[0], &answer)
		}
		if err != nil {
			return err
		}
		h, err := l.header(ctx, v.chain, height)
		answer.Height, answer.Time, answer.Provenance = uint64(height), h.Time, h.Provenance.String()
		if !h.Hash.IsZero() {
			answer.Block = v.chain.FormatHash(h.Hash)
		}
		return err
	})
	return answer, err
}

func (l *storeLedger) accountTransaction(ctx context.Context, v *chainView, number store.TxNumber, answer *server.Transaction) (ledger.Height, error) {
	movements, err := l.store.Movements(ctx, v.chain, []store.TxNumber{number})
	if err != nil {
		return 0, err
	}
	tx := &movements[0].Tx
	if cost := feeOf(&tx.Fee); !cost.IsZero() {
		answer.Fee = &server.Leg{Address: v.notation.FormatAddress(tx.Fee.Payer), Asset: v.chain.Native(), Amount: exposure.Decimal{Amount: cost}}
	}
	if tx.Failed {
		answer.Status = "failed"
		return movements[0].Height, nil
	}
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		m := server.Movement{
			From: v.notation.FormatAddress(t.From), To: v.notation.FormatAddress(t.To), Asset: t.Asset, Amount: exposure.Decimal{Amount: t.Amount}, Kind: kindOf(t.Kind),
		}
		if t.LogIndex != ledger.NoLog {
			at := int(t.LogIndex)
			m.Log = &at
		}
		answer.Movements = append(answer.Movements, m)
	}
	return movements[0].Height, nil
}

func (l *storeLedger) outputTransaction(ctx context.Context, v *chainView, number store.TxNumber, answer *server.Transaction) (ledger.Height, error) {
	txs, err := l.store.Transactions(ctx, v.chain, []store.TxNumber{number})
	if err != nil {
		return 0, err
	}
	tx := &txs[0]
	var ask []store.OutputNumber
	for _, in := range tx.Inputs {
		if in.Output != store.NoOutput {
			ask = append(ask, in.Output)
		}
	}
	for i := range tx.Values {
		ask = append(ask, tx.FirstOutput+store.OutputNumber(i))
	}
	held := make(map[store.OutputNumber]store.Output, len(ask))
	if err := l.outputs(ctx, v, ask, func(o *store.Output) { held[o.Number] = *o }); err != nil {
		return 0, err
	}
	leg := func(o *store.Output) server.Leg {
		return server.Leg{
			Address: v.notation.FormatAddress(o.Address), Asset: v.chain.Native(), Amount: exposure.Decimal{Amount: ledger.NewAmount(o.Value)}, Outpoint: outpoint(v, o.Outpoint),
		}
	}
	var in, out ledger.Amount
	whole := !tx.Coinbase
	for i := range tx.Inputs {
		x := &tx.Inputs[i]
		value := ledger.NewAmount(x.Value)
		plus(&in, &value)
		if x.Output == store.NoOutput {
			whole = false
			answer.Inputs = append(answer.Inputs, server.Leg{Asset: v.chain.Native(), Outpoint: outpoint(v, x.Outpoint)})
			continue
		}
		o := held[x.Output]
		answer.Inputs = append(answer.Inputs, leg(&o))
	}
	spenders := map[int]store.TxNumber{}
	for i := range tx.Values {
		o := held[tx.FirstOutput+store.OutputNumber(i)]
		value := ledger.NewAmount(o.Value)
		plus(&out, &value)
		answer.Outputs = append(answer.Outputs, leg(&o))
		if o.Spender < v.end() {
			spenders[i] = o.Spender
		}
	}
	if whole && !in.Lt(&out) {
		answer.Fee = &server.Leg{Asset: v.chain.Native()}
		answer.Fee.Amount.Sub(&in, &out)
	}
	return tx.Height, l.spenders(ctx, v, spenders, answer.Outputs)
}

func outpoint(v *chainView, o ledger.Outpoint) string {
	return v.chain.FormatHash(o.Tx) + ":" + strconv.FormatUint(uint64(o.Index), 10)
}

// spenders names who spent outputs.
func (l *storeLedger) spenders(ctx context.Context, v *chainView, numbers map[int]store.TxNumber, legs []server.Leg) error {
	var at []int
	for i := range numbers {
		at = append(at, i)
	}
	slices.Sort(at)
	for chunk := range slices.Chunk(at, outputsAtOnce) {
		if err := ctx.Err(); err != nil {
			return err
		}
		ask := make([]store.TxNumber, len(chunk))
		for i := range chunk {
			ask[i] = numbers[chunk[i]]
		}
		ids, err := l.store.IDs(ctx, v.chain, ask)
		if err != nil {
			return err
		}
		for i := range chunk {
			legs[chunk[i]].SpentBy = v.chain.FormatHash(ids[i])
		}
	}
	return nil
}
