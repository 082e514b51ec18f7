package slice

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Questions answers from the slice as the store did from which it was recorded.
func (s *Slice) Questions() store.Questions { return answers{s} }

type answers struct{ slice *Slice }

// Status lists the chains.
func (a answers) Status(ctx context.Context) ([]store.Status, error) {
	var list []store.Status
	for _, chain := range a.slice.Names() {
		list = append(list, a.slice.Chains[chain].Status)
	}
	return list, ctx.Err()
}

// Headers yields the headers that were read.
func (a answers) Headers(ctx context.Context, chain ledger.Chain, from ledger.Height) iter.Seq2[store.Header, error] {
	return func(yield func(store.Header, error) bool) {
		f, err := a.slice.facts(chain)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(store.Header{}, err)
			return
		}
		for _, height := range sortedKeys(f.Headers) {
			if height >= from && !yield(f.Headers[height], nil) {
				return
			}
		}
	}
}

// ask answers a list of questions one by one.
func ask[Q comparable, A any](ctx context.Context, s *Slice, chain ledger.Chain, questions []Q, answer func(*Facts, Q) (A, bool)) ([]A, error) {
	f, err := s.facts(chain)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	list := make([]A, len(questions))
	for i, q := range questions {
		var ok bool
		if list[i], ok = answer(f, q); !ok {
			return nil, fmt.Errorf("%w: %s: %T %v", ErrNotHeld, chain.Short(), q, q)
		}
	}
	return list, nil
}

// Find gives the numbers of transactions.
func (a answers) Find(ctx context.Context, chain ledger.Chain, ids []ledger.Hash) ([]store.TxNumber, error) {
	return ask(ctx, a.slice, chain, ids, func(f *Facts, id ledger.Hash) (store.TxNumber, bool) {
		if number, ok := f.found[id]; ok {
			return number, true
		}
		return store.NoTx, f.Absent[id]
	})
}

// IDs gives the identifiers of transactions.
func (a answers) IDs(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]ledger.Hash, error) {
	return ask(ctx, a.slice, chain, numbers, func(f *Facts, n store.TxNumber) (ledger.Hash, bool) { return of(f.IDs, n) })
}

func of[K comparable, V any](m map[K]V, key K) (V, bool) {
	value, ok := m[key]
	return value, ok
}

// History gives what touched addresses.
func (a answers) History(ctx context.Context, chain ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	return ask(ctx, a.slice, chain, questions, func(f *Facts, q store.Since) ([]store.Touch, bool) {
		touches, ok := f.Histories[q]
		return slices.Clone(touches), ok
	})
}

// Numbers resolves outpoints.
func (a answers) Numbers(ctx context.Context, chain ledger.Chain, outpoints []ledger.Outpoint) ([]store.OutputNumber, error) {
	return ask(ctx, a.slice, chain, outpoints, func(f *Facts, o ledger.Outpoint) (store.OutputNumber, bool) { return of(f.Outpoints, o) })
}

// Outputs describes outputs.
func (a answers) Outputs(ctx context.Context, chain ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	return ask(ctx, a.slice, chain, numbers, func(f *Facts, n store.OutputNumber) (store.Output, bool) { return of(f.Outputs, n) })
}

// Transactions describes transactions.
func (a answers) Transactions(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	return ask(ctx, a.slice, chain, numbers, func(f *Facts, n store.TxNumber) (store.Transaction, bool) { return of(f.Transactions, n) })
}

// Segments is refused.
func (answers) Segments(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*store.Segment, error] {
	return refuse[*store.Segment](errWhole)
}

// Owned is refused.
func (answers) Owned(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*store.Owned, error] {
	return refuse[*store.Owned](errWhole)
}

// Blocks is refused.
func (answers) Blocks(context.Context, ledger.Chain, ledger.Height, ledger.Height) iter.Seq2[*ledger.Block, error] {
	return refuse[*ledger.Block](errWhole)
}

// Movements describes transactions of account chains.
func (a answers) Movements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	return ask(ctx, a.slice, chain, numbers, func(f *Facts, n store.TxNumber) (store.Movement, bool) { return of(f.Movements, n) })
}

// Balances gives what holdings held.
func (a answers) Balances(ctx context.Context, chain ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	return ask(ctx, a.slice, chain, questions, func(f *Facts, q store.HoldingAt) (store.Balance, bool) { return of(f.Balances, q) })
}

// Said yields transactions that carry messages.
func (a answers) Said(ctx context.Context, chain ledger.Chain, from, to ledger.Height, _ map[ledger.Hash]bool) iter.Seq2[*store.Said, error] {
	return func(yield func(*store.Said, error) bool) {
		f, err := a.slice.facts(chain)
		if err == nil {
			err = ctx.Err()
		}
		numbers, ok := []store.TxNumber(nil), false
		if err == nil {
			if numbers, ok = f.Said[Span{from, to}]; !ok {
				err = fmt.Errorf("%w: %s: messages of blocks %d to %d", ErrNotHeld, chain.Short(), from, to)
			}
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, number := range numbers {
			said, ok := f.Spoken[number]
			if !ok {
				yield(nil, fmt.Errorf("%w: %s: message of transaction number %d", ErrNotHeld, chain.Short(), number))
				return
			}
			if !yield(&said, nil) {
				return
			}
		}
	}
}
