package slice

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A Recorder passes questions on to a store and keeps the answers. It serves one targeted
// trace at a time.
type Recorder struct {
	*Slice

	from store.Questions
}

// Record begins a slice of a store.
func Record(from store.Questions) *Recorder { return &Recorder{New(), from} }

// errWhole refuses questions for whole chains.
var errWhole = errors.New("evidence is recorded from a targeted trace; it asks for no whole blocks")

// Status lists the chains.
func (r *Recorder) Status(ctx context.Context) ([]store.Status, error) {
	list, err := r.from.Status(ctx)
	for i := range list {
		r.add(list[i].Chain).Status = list[i]
	}
	return list, err
}

// Headers yields headers.
func (r *Recorder) Headers(ctx context.Context, chain ledger.Chain, from ledger.Height) iter.Seq2[store.Header, error] {
	return func(yield func(store.Header, error) bool) {
		for h, err := range r.from.Headers(ctx, chain, from) {
			if err == nil {
				r.add(chain).Headers[h.Height] = h
			}
			if !yield(h, err) {
				return
			}
		}
	}
}

// Find gives the numbers of transactions.
func (r *Recorder) Find(ctx context.Context, chain ledger.Chain, ids []ledger.Hash) ([]store.TxNumber, error) {
	numbers, err := r.from.Find(ctx, chain, ids)
	if err != nil {
		return nil, err
	}
	f := r.add(chain)
	for i, number := range numbers {
		if number == store.NoTx {
			f.Absent[ids[i]] = true
		} else {
			f.name(number, ids[i])
		}
	}
	return numbers, nil
}

// IDs gives the identifiers of transactions.
func (r *Recorder) IDs(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]ledger.Hash, error) {
	ids, err := r.from.IDs(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	for i := range ids {
		r.add(chain).name(numbers[i], ids[i])
	}
	return ids, nil
}

// History gives what touched addresses.
func (r *Recorder) History(ctx context.Context, chain ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	list, err := r.from.History(ctx, chain, questions)
	if err != nil {
		return nil, err
	}
	for i := range list {
		r.add(chain).Histories[questions[i]] = slices.Clone(list[i])
	}
	return list, nil
}

// Numbers resolves outpoints.
func (r *Recorder) Numbers(ctx context.Context, chain ledger.Chain, outpoints []ledger.Outpoint) ([]store.OutputNumber, error) {
	numbers, err := r.from.Numbers(ctx, chain, outpoints)
	if err != nil {
		return nil, err
	}
	for i := range numbers {
		r.add(chain).Outpoints[outpoints[i]] = numbers[i]
	}
	return numbers, nil
}

// Outputs describes outputs.
func (r *Recorder) Outputs(ctx context.Context, chain ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	list, err := r.from.Outputs(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	for i := range list {
		r.add(chain).Outputs[numbers[i]] = list[i]
	}
	return list, nil
}

// Transactions describes transactions.
func (r *Recorder) Transactions(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	list, err := r.from.Transactions(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	for i := range list {
		t := list[i]
		t.Inputs, t.Values, t.Unspendable = slices.Clone(t.Inputs), slices.Clone(t.Values), slices.Clone(t.Unspendable)
		r.add(chain).Transactions[numbers[i]] = t
	}
	return list, nil
}

// Segments is refused.
func (*Recorder) Segments(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*store.Segment, error] {
	return refuse[*store.Segment](errWhole)
}

// Owned is refused.
func (*Recorder) Owned(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*store.Owned, error] {
	return refuse[*store.Owned](errWhole)
}

// Blocks is refused.
func (*Recorder) Blocks(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*ledger.Block, error] {
	return refuse[*ledger.Block](errWhole)
}

func refuse[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}

// Movements describes transactions of account chains.
func (r *Recorder) Movements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	list, err := r.from.Movements(ctx, chain, numbers)
	if err != nil {
		return nil, err
	}
	f := r.add(chain)
	for i := range list {
		if _, ok := f.Movements[numbers[i]]; ok {
			continue
		}
		tx, err := cloneTx(&list[i].Tx)
		if err != nil {
			return nil, err
		}
		f.Movements[numbers[i]] = store.Movement{Number: numbers[i], Height: list[i].Height, Time: list[i].Time, Tx: *tx}
		f.name(numbers[i], tx.ID)
	}
	return list, nil
}

// cloneTx copies a transaction with all that hangs on it.
func cloneTx(tx *ledger.Tx) (*ledger.Tx, error) {
	clone, err := store.DecodeTx(store.EncodeTx(nil, tx))
	if err != nil {
		return nil, fmt.Errorf("transaction %s: %w", tx.ID, err)
	}
	return clone, nil
}

// Balances gives what holdings held.
func (r *Recorder) Balances(ctx context.Context, chain ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	list, err := r.from.Balances(ctx, chain, questions)
	if err != nil {
		return nil, err
	}
	for i := range list {
		r.add(chain).Balances[questions[i]] = list[i]
	}
	return list, nil
}

// Said yields transactions that carry messages.
func (r *Recorder) Said(ctx context.Context, chain ledger.Chain, from, to ledger.Height, topics map[ledger.Hash]bool) iter.Seq2[*store.Said, error] {
	return func(yield func(*store.Said, error) bool) {
		f := r.add(chain)
		numbers := []store.TxNumber{}
		for said, err := range r.from.Said(ctx, chain, from, to, topics) {
			if err == nil {
				numbers = append(numbers, said.Number)
				err = f.keepSaid(said)
			}
			if !yield(said, err) {
				return // a run that was not read to its end is no answer
			}
		}
		f.Said[Span{from, to}] = numbers
	}
}

func (f *Facts) keepSaid(said *store.Said) error {
	if _, ok := f.Spoken[said.Number]; ok {
		return nil
	}
	tx, err := cloneTx(said.Tx)
	if err != nil {
		return err
	}
	f.Spoken[said.Number] = store.Said{Number: said.Number, Height: said.Height, Time: said.Time, Tx: tx}
	f.name(said.Number, tx.ID)
	return nil
}

// Complete asks for what binds the facts of UTXO chains to one another and was not asked
// by the trace: how transactions are called, and which outputs they spend.
func (r *Recorder) Complete(ctx context.Context) error {
	for _, chain := range r.Names() {
		unnamed, outputs := r.Chains[chain].incomplete()
		if len(unnamed) > 0 {
			if _, err := r.IDs(ctx, chain, unnamed); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(outputs, askBatch) {
			if _, err := r.Outputs(ctx, chain, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// askBatch is how many outputs are asked for at once.
const askBatch = 4096

// incomplete lists transactions without a name, and outputs that transactions make or
// spend and of which nothing is known, in order.
func (f *Facts) incomplete() (unnamed []store.TxNumber, outputs []store.OutputNumber) {
	want := func(number store.OutputNumber) {
		if _, ok := f.Outputs[number]; !ok && number != store.NoOutput {
			outputs = append(outputs, number)
		}
	}
	for _, number := range sortedKeys(f.Transactions) {
		if _, ok := f.IDs[number]; !ok {
			unnamed = append(unnamed, number)
		}
		t := f.Transactions[number]
		for i := range t.Inputs {
			want(t.Inputs[i].Output)
		}
		for i := range t.Values {
			want(t.FirstOutput + store.OutputNumber(i))
		}
	}
	slices.Sort(outputs)
	return unnamed, slices.Compact(outputs)
}
