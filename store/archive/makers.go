package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"coldtrail/internal/mapped"
	"coldtrail/ledger"
	"coldtrail/store"
)

// makers knows which transaction made each output of a UTXO chain so far. Inputs name
// any output before them, in no order: a store would have to unpack its record for
// nearly every one. The arrays are files beside the archive, not memory.
type makers struct {
	folder string
	ids    *mapped.Array[ledger.Hash]
	firsts *mapped.Array[uint64] // of each transaction its first output
	txs    int
}

// openMakers makes the arrays anew.
func openMakers(folder string) (*makers, error) {
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o750)); err != nil {
		return nil, err
	}
	m := &makers{folder: folder}
	var err error
	if m.ids, err = mapped.Open[ledger.Hash](folder, "ids"); err != nil {
		return nil, err
	}
	if m.firsts, err = mapped.Open[uint64](folder, "first-outputs"); err != nil {
		return nil, errors.Join(err, m.ids.Close())
	}
	return m, nil
}

// fill adds all transactions before a number, of an export that is resumed.
func (m *makers) fill(ctx context.Context, from store.Questions, chain ledger.Chain, until store.TxNumber) error {
	for m.txs < int(until) {
		numbers := make([]store.TxNumber, min(batchTxs, int(until)-m.txs))
		for i := range numbers {
			numbers[i] = store.TxNumber(m.txs + i)
		}
		txs, err := from.Transactions(ctx, chain, numbers)
		if err != nil {
			return err
		}
		ids, err := from.IDs(ctx, chain, numbers)
		if err != nil {
			return err
		}
		if err := m.add(txs, ids); err != nil {
			return err
		}
	}
	return nil
}

// add adds the transactions that follow.
func (m *makers) add(txs []store.Transaction, ids []ledger.Hash) error {
	n := m.txs + len(txs)
	if err := errors.Join(m.ids.Grow(uint64(n)), m.firsts.Grow(uint64(n))); err != nil {
		return err
	}
	for i := range txs {
		if uint64(txs[i].Number) != uint64(m.txs) {
			return fmt.Errorf("transaction number %d where %d is due", txs[i].Number, m.txs)
		}
		m.ids.Data[m.txs], m.firsts.Data[m.txs] = ids[i], uint64(txs[i].FirstOutput)
		m.txs++
	}
	return nil
}

// outpoint names an output.
func (m *makers) outpoint(o store.OutputNumber) (ledger.Outpoint, error) {
	after, _ := slices.BinarySearch(m.firsts.Data[:m.txs], uint64(o)+1)
	if after == 0 {
		return ledger.Outpoint{}, fmt.Errorf("output %d is of no transaction", o)
	}
	return ledger.Outpoint{Tx: m.ids.Data[after-1], Index: uint32(uint64(o) - m.firsts.Data[after-1])}, nil
}

func (m *makers) close() error {
	return errors.Join(m.ids.Close(), m.firsts.Close(), os.RemoveAll(m.folder))
}
