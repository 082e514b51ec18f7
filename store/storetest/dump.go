package storetest

import (
	"context"
	"fmt"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Dump prints everything a store answers, in one order, so that two stores with
// the same facts give the same text. Its work grows with the ledger's size.
func Dump(ctx context.Context, s store.Store) (string, error) {
	statuses, err := s.Status(ctx)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i := range statuses {
		d := dumper{store: s, status: &statuses[i], out: &out, seen: map[ledger.Address]bool{}}
		fmt.Fprintf(&out, "%+v\n", statuses[i])
		if err := d.dump(ctx); err != nil {
			return "", fmt.Errorf("%s: %w", statuses[i].Chain, err)
		}
	}
	return out.String(), nil
}

type dumper struct {
	store  store.Store
	status *store.Status
	out    *strings.Builder
	seen   map[ledger.Address]bool
}

func (d *dumper) dump(ctx context.Context) error {
	for h, err := range d.store.Headers(ctx, d.status.Chain, 0) {
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "header %+v\n", h)
	}
	numbers := make([]store.TxNumber, d.status.Txs)
	for i := range numbers {
		numbers[i] = store.TxNumber(i)
	}
	ids, err := d.store.IDs(ctx, d.status.Chain, numbers)
	if err != nil {
		return err
	}
	found, err := d.store.Find(ctx, d.status.Chain, ids)
	if err != nil {
		return err
	}
	for i := range ids {
		fmt.Fprintf(d.out, "tx %d %s found %d\n", i, ids[i], found[i])
	}
	if d.status.Chain.Family() == ledger.UTXO {
		err = d.dumpUTXO(ctx, numbers, ids)
	} else {
		err = d.dumpAccounts(ctx, numbers)
	}
	if err == nil {
		err = d.dumpSaid(ctx)
	}
	if err != nil {
		return err
	}
	return d.dumpHistories(ctx)
}

// dumpSaid prints what transactions say, of all blocks and of the upper half.
func (d *dumper) dumpSaid(ctx context.Context) error {
	for _, from := range []ledger.Height{0, d.status.Height / 2} {
		for said, err := range d.store.Said(ctx, d.status.Chain, from, d.status.Height-min(1, d.status.Height), saidTopics) {
			if err != nil {
				return err
			}
			fmt.Fprintf(d.out, "said %d %d %d %+v\n", said.Number, said.Height, said.Time, *said.Tx)
		}
	}
	return nil
}

// saidTopics are the events that random account ledgers speak of.
var saidTopics = map[ledger.Hash]bool{{1}: true}

func (d *dumper) dumpUTXO(ctx context.Context, numbers []store.TxNumber, ids []ledger.Hash) error {
	txs, err := d.store.Transactions(ctx, d.status.Chain, numbers)
	if err != nil {
		return err
	}
	var outputs []store.OutputNumber
	var outpoints []ledger.Outpoint
	for i := range txs {
		fmt.Fprintf(d.out, "%+v\n", txs[i])
		for j := range txs[i].Values {
			outputs = append(outputs, txs[i].FirstOutput+store.OutputNumber(j))
			outpoints = append(outpoints, ledger.Outpoint{Tx: ids[i], Index: uint32(j)})
		}
	}
	described, err := d.store.Outputs(ctx, d.status.Chain, outputs)
	if err != nil {
		return err
	}
	resolved, err := d.store.Numbers(ctx, d.status.Chain, outpoints)
	if err != nil {
		return err
	}
	for i := range described {
		fmt.Fprintf(d.out, "%+v resolved %d\n", described[i], resolved[i])
		d.seen[described[i].Address] = true
	}
	for seg, err := range d.store.Segments(ctx, d.status.Chain, 0, d.status.Height) {
		if err != nil {
			return err
		}
		for b := range len(seg.BlockStart) - 1 {
			for i := seg.BlockStart[b]; i < seg.BlockStart[b+1]; i++ {
				fmt.Fprintf(d.out, "segment %d %d %v %v from %d\n", seg.First+ledger.Height(b), seg.FirstTx+store.TxNumber(i),
					seg.Inputs[seg.InputStart[i]:seg.InputStart[i+1]], seg.Values[seg.OutputStart[i]:seg.OutputStart[i+1]],
					seg.FirstOutput+store.OutputNumber(seg.OutputStart[i]))
			}
		}
	}
	for owned, err := range d.store.Owned(ctx, d.status.Chain, d.status.Height/3, d.status.Height) {
		if err != nil {
			return err
		}
		for i, hash := range owned.Hashes {
			fmt.Fprintf(d.out, "owned %d %s\n", owned.First+ledger.Height(i), hash)
		}
		for i := range owned.Values {
			fmt.Fprintf(d.out, "owned output %d after %d kind %d\n", owned.FirstOutput+store.OutputNumber(i), owned.Previous[i], owned.Kinds[i])
		}
		for i, open := range owned.Open {
			fmt.Fprintf(d.out, "owned transaction %d open %v\n", owned.FirstTx+store.TxNumber(i), open)
		}
		for i := range owned.Inputs {
			fmt.Fprintf(d.out, "owned input %d kind %d of %d\n", owned.Inputs[i], owned.InputKinds[i], owned.InputValues[i])
		}
	}
	return nil
}

func (d *dumper) dumpAccounts(ctx context.Context, numbers []store.TxNumber) error {
	movements, err := d.store.Movements(ctx, d.status.Chain, numbers)
	if err != nil {
		return err
	}
	for i := range movements {
		fmt.Fprintf(d.out, "%+v\n", movements[i])
		for _, a := range store.Touched(&movements[i].Tx) {
			d.seen[a] = true
		}
	}
	for b, err := range d.store.Blocks(ctx, d.status.Chain, 0, d.status.Height) {
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "block %x\n", store.EncodeBlock(nil, b))
	}
	return nil
}

func (d *dumper) dumpHistories(ctx context.Context) error {
	var questions []store.Since
	for _, a := range sortedKeys(d.seen) {
		questions = append(questions, store.Since{Address: a}, store.Since{Address: a, From: store.TxNumber(d.status.Txs / 2), Limit: 2})
	}
	histories, err := d.store.History(ctx, d.status.Chain, questions)
	if err != nil {
		return err
	}
	for i := range histories {
		fmt.Fprintf(d.out, "history of %q from %d: %+v\n", questions[i].Address.Bytes(), questions[i].From, histories[i])
	}
	return nil
}
