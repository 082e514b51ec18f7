package attribution

import (
	"context"

	"coldtrail/attribution/cluster"
	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
	"coldtrail/store"
)

// Resolved reads transactions of a UTXO chain by their numbers, with what they spend. Of a
// parent that the store does not hold nothing is known: value 0 and no address. A number
// that the store does not hold is an error.
func Resolved(ctx context.Context, s store.Store, chain ledger.Chain, numbers []store.TxNumber) ([]*ledger.Resolved, error) {
	txs, err := s.Transactions(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	ids, err := s.IDs(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	var ask []store.OutputNumber
	for i := range txs {
		for _, in := range txs[i].Inputs {
			if in.Output != store.NoOutput {
				ask = append(ask, in.Output)
			}
		}
		for j := range txs[i].Values {
			ask = append(ask, txs[i].FirstOutput+store.OutputNumber(j))
		}
	}
	outputs, err := s.Outputs(ctx, chain, ask)
	if err != nil {
		return nil, err
	}
	take := func() ledger.Output {
		o := &outputs[0]
		outputs = outputs[1:]
		return ledger.Output{Value: o.Value, Address: o.Address, Unspendable: o.Unspendable}
	}
	list := make([]*ledger.Resolved, len(txs))
	for i := range txs {
		tx := &txs[i]
		r := &ledger.Resolved{ID: ids[i], Height: tx.Height, Index: tx.Index, Time: tx.Time, Coinbase: tx.Coinbase, Inputs: make([]ledger.Output, len(tx.Inputs))}
		for j := range tx.Inputs {
			if tx.Inputs[j].Output != store.NoOutput {
				r.Inputs[j] = take()
			}
		}
		for range tx.Values {
			r.Outputs = append(r.Outputs, take())
		}
		list[i] = r
	}
	return list, nil
}

// mixing says why nothing is concluded from a transaction of a chain in which several
// owners mix, or may.
func mixing(chain ledger.Chain) func(*ledger.Resolved) cluster.Exclusion {
	return func(tx *ledger.Resolved) cluster.Exclusion {
		judged := *tx
		judged.Height = coinjoin.Height(chain, tx.Height)
		if f, ok := coinjoin.Recognise(&judged); ok && f.Confidence >= coinjoin.Threshold && !f.Entry || coinjoin.Stonewall(tx) {
			return cluster.Mixing
		}
		return cluster.Included
	}
}
