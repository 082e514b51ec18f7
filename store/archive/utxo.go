package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"coldtrail/ledger"
	"coldtrail/store"
)

// batchTxs is about how many transactions of a UTXO chain are asked for at once.
const batchTxs = 4096

// batchBlocks bounds the blocks of a batch; before there were payments, blocks had one
// transaction.
const batchBlocks = 4096

// unspent puts the blocks of a UTXO chain together from what a store answers. A store
// keeps of such a chain what its questions need: of a block the parent is known only as
// the block before, what stands in fields of account chains is not kept, and whether an
// output was unspendable by itself is told by its transaction's latest twin where a
// twin overwrote it (BIP-30).
type unspent struct {
	from    store.Questions
	chain   ledger.Chain
	makers  *makers
	before  store.Header // the block before the batch
	some    bool
	headers []store.Header
	txs     []store.Transaction
	ids     []ledger.Hash
	outputs []store.Output
	open    []bool
	said    map[store.TxNumber]*ledger.Tx
}

// blocksOf yields the blocks of a chain from one height to another, both included.
func (w *writing) blocksOf(ctx context.Context, chain ledger.Chain, first, last ledger.Height) iter.Seq2[*ledger.Block, error] {
	if chain.Family() == ledger.Account {
		return w.from.Blocks(ctx, chain, first, last)
	}
	return func(yield func(*ledger.Block, error) bool) {
		m, err := openMakers(filepath.Join(w.dir, scratchName))
		if err != nil {
			yield(nil, err)
			return
		}
		u := &unspent{from: w.from, chain: chain, makers: m}
		stopped := false
		err = u.each(ctx, first, last, func(b *ledger.Block) bool {
			stopped = !yield(b, nil)
			return !stopped
		})
		if err = errors.Join(err, m.close()); err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// each goes through the blocks, a batch of them at a time.
func (u *unspent) each(ctx context.Context, first, last ledger.Height, visit func(*ledger.Block) bool) error {
	begin := first - min(first, 1) // the block before the first is wanted for its hash
	var txs uint64
	for h, err := range u.from.Headers(ctx, u.chain, begin) {
		if err != nil {
			return err
		}
		if h.Height > last {
			break
		}
		if h.Height < first {
			u.before, u.some = h, true
			continue
		}
		u.headers = append(u.headers, h)
		if txs += uint64(h.Txs); txs < batchTxs && len(u.headers) < batchBlocks {
			continue
		}
		txs = 0
		if more, err := u.flush(ctx, visit); err != nil || !more {
			return err
		}
	}
	_, err := u.flush(ctx, visit)
	return err
}

// flush puts the blocks of the batch together, and says whether more are wanted.
func (u *unspent) flush(ctx context.Context, visit func(*ledger.Block) bool) (more bool, err error) {
	if len(u.headers) == 0 {
		return true, nil
	}
	if err := u.ask(ctx); err != nil {
		return false, err
	}
	for i := range u.headers {
		b, err := u.block(ctx, &u.headers[i])
		if err != nil || !visit(b) {
			return false, err
		}
		u.before, u.some = u.headers[i], true
	}
	u.headers = u.headers[:0]
	return true, nil
}

// ask asks for everything about the blocks of the batch.
func (u *unspent) ask(ctx context.Context) (err error) {
	first, last := &u.headers[0], &u.headers[len(u.headers)-1]
	numbers := make([]store.TxNumber, uint64(last.FirstTx)+uint64(last.Txs)-uint64(first.FirstTx))
	for i := range numbers {
		numbers[i] = first.FirstTx + store.TxNumber(i)
	}
	if u.txs, err = u.from.Transactions(ctx, u.chain, numbers); err != nil {
		return err
	}
	if u.ids, err = u.from.IDs(ctx, u.chain, numbers); err != nil {
		return err
	}
	var wanted []store.OutputNumber
	for i := range u.txs {
		for j := range u.txs[i].Values {
			wanted = append(wanted, u.txs[i].FirstOutput+store.OutputNumber(j))
		}
	}
	if u.outputs, err = u.from.Outputs(ctx, u.chain, wanted); err != nil {
		return err
	}
	u.open = u.open[:0]
	for owned, err := range u.from.Owned(ctx, u.chain, first.Height, last.Height) {
		if err != nil {
			return err
		}
		u.open = append(u.open, owned.Open...)
	}
	if len(u.open) != len(numbers) {
		return fmt.Errorf("%s: blocks %d to %d have %d transactions, and %d of which owners are told; did another program write meanwhile?", u.chain.Short(), first.Height, last.Height, len(numbers), len(u.open))
	}
	u.said = map[store.TxNumber]*ledger.Tx{}
	for said, err := range u.from.Said(ctx, u.chain, first.Height, last.Height, nil) {
		if err != nil {
			return err
		}
		tx := *said.Tx
		u.said[said.Number] = &tx
	}
	if err := u.makers.fill(ctx, u.from, u.chain, first.FirstTx); err != nil {
		return err
	}
	return u.makers.add(u.txs, u.ids)
}

// block puts one block together.
func (u *unspent) block(ctx context.Context, h *store.Header) (*ledger.Block, error) {
	b := &ledger.Block{Chain: u.chain, Height: h.Height, Hash: h.Hash, Time: h.Time, Provenance: h.Provenance}
	if u.some && !h.Hash.IsZero() && u.before.Height+1 == h.Height {
		b.Parent = u.before.Hash
	}
	if h.Txs > 0 {
		b.Txs = make([]ledger.Tx, h.Txs)
	}
	for i := range b.Txs {
		at := int(h.FirstTx-u.headers[0].FirstTx) + i
		if err := u.tx(ctx, &b.Txs[i], at); err != nil {
			var named *BlockError
			if !errors.As(err, &named) {
				err = fmt.Errorf("%s: block %d: %w", u.chain.Short(), h.Height, err)
			}
			return nil, err
		}
	}
	return b, nil
}

// tx puts one transaction together; at is its place in the batch.
func (u *unspent) tx(ctx context.Context, tx *ledger.Tx, at int) error {
	t := &u.txs[at]
	tx.ID, tx.Index, tx.Coinbase, tx.Open = u.ids[at], t.Index, t.Coinbase, u.open[at]
	said := u.said[t.Number]
	if said != nil {
		tx.Messages, tx.Open = said.Messages, said.Open
	}
	for i := range t.Inputs {
		in := &t.Inputs[i]
		outpoint := in.Outpoint
		if in.Output != store.NoOutput {
			var err error
			if outpoint, err = u.makers.outpoint(in.Output); err != nil {
				return err
			}
		}
		tx.Inputs = append(tx.Inputs, outpoint)
	}
	first := int(t.FirstOutput - u.txs[0].FirstOutput)
	for i, o := range u.outputs[first : first+len(t.Values)] {
		output := ledger.Output{Value: o.Value, Address: o.Address, Unspendable: o.Unspendable}
		if o.Unspendable && said != nil && i < len(said.Outputs) {
			output.Unspendable = said.Outputs[i].Unspendable
		} else if o.Unspendable {
			var err error
			if output.Unspendable, err = u.byItself(ctx, t.Height, &o); err != nil {
				return err
			}
		}
		tx.Outputs = append(tx.Outputs, output)
	}
	return nil
}

// byItself says whether an output that cannot be spent was so from the beginning: where
// a later transaction has the same identifier, that one's output tells, because an
// identifier commits to the outputs.
func (u *unspent) byItself(ctx context.Context, height ledger.Height, o *store.Output) (bool, error) {
	latest, err := u.from.Find(ctx, u.chain, []ledger.Hash{o.Outpoint.Tx})
	if err != nil || latest[0] == o.Tx {
		return err == nil, err
	}
	number, err := u.from.Numbers(ctx, u.chain, []ledger.Outpoint{o.Outpoint})
	if err != nil {
		return false, err
	}
	if number[0] != store.NoOutput {
		twin, err := u.from.Outputs(ctx, u.chain, number)
		if err != nil {
			return false, err
		}
		if twin[0].Value == o.Value && twin[0].Address == o.Address {
			return twin[0].Unspendable, nil
		}
	}
	return false, &BlockError{u.chain, height, fmt.Sprintf("whether output %s:%d was unspendable by itself cannot be told: a later transaction with the same identifier has other outputs", o.Outpoint.Tx, o.Outpoint.Index)}
}
