package trace

import (
	"cmp"
	"context"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A distant store counts its round trips, because every question costs one or more. A
// targeted walk asks it ahead.
type distant interface{ Trips() uint64 }

// aheadBounds bound what is asked ahead.
type aheadBounds struct {
	Txs     int // transactions at once
	Outputs int // outputs at once
	Touches int // an address that was touched as often may be a hub, which is asked for only where it holds taint
	Kept    int // transactions, outputs or addresses kept before all is forgotten
}

var lookingAhead = aheadBounds{Txs: 512, Outputs: 1 << 16, Touches: 64, Kept: 1 << 16}

// ahead stands before a distant store. When a walk comes to a transaction that is not there
// yet, it reads all that wait in the queue, and what their visits will ask, in a few
// questions. So a walk pays by hops, however many addresses each has. What is not there is
// asked for as always: answers are the same.
type ahead struct {
	Store

	movements    map[store.TxNumber]*store.Movement
	transactions map[store.TxNumber]*store.Transaction
	outputs      map[store.OutputNumber]*store.Output
	histories    map[ledger.Address][]store.Touch // whole ones
	balances     map[store.HoldingAt]store.Balance
}

// askAhead gives the store that a walk asks, and what stands before it, if anything.
func (p *plan) askAhead() (Store, *ahead) {
	if _, ok := p.store.(distant); !ok {
		return p.store, nil
	}
	a := &ahead{Store: p.store}
	a.forget()
	return a, a
}

func (a *ahead) forget() {
	a.movements, a.transactions = map[store.TxNumber]*store.Movement{}, map[store.TxNumber]*store.Transaction{}
	a.outputs, a.histories = map[store.OutputNumber]*store.Output{}, map[ledger.Address][]store.Touch{}
	a.balances = map[store.HoldingAt]store.Balance{}
}

// bound forgets everything once it is much. What is needed again is asked for again.
func (a *ahead) bound() {
	if max(len(a.movements), len(a.transactions), len(a.outputs), len(a.histories), len(a.balances)) > lookingAhead.Kept {
		a.forget()
	}
}

// Movements answers from what was read ahead, if all of it was.
func (a *ahead) Movements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	if out, ok := among(a.movements, numbers); ok {
		return out, nil
	}
	return a.Store.Movements(ctx, chain, numbers)
}

// Transactions answers from what was read ahead, if all of it was.
func (a *ahead) Transactions(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	if out, ok := among(a.transactions, numbers); ok {
		return out, nil
	}
	return a.Store.Transactions(ctx, chain, numbers)
}

// Outputs answers from what was read ahead, if all of it was.
func (a *ahead) Outputs(ctx context.Context, chain ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	if out, ok := among(a.outputs, numbers); ok {
		return out, nil
	}
	return a.Store.Outputs(ctx, chain, numbers)
}

// among gives what is kept for keys, if everything is.
func among[K comparable, V any](kept map[K]*V, keys []K) ([]V, bool) {
	out := make([]V, len(keys))
	for i, key := range keys {
		one, ok := kept[key]
		if !ok {
			return nil, false
		}
		out[i] = *one
	}
	return out, true
}

// Balances answers from what was read ahead, if all of it was.
func (a *ahead) Balances(ctx context.Context, chain ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	out := make([]store.Balance, len(questions))
	for i := range questions {
		balance, ok := a.balances[questions[i]]
		if !ok {
			return a.Store.Balances(ctx, chain, questions)
		}
		out[i] = balance
	}
	return out, nil
}

// History answers from what was read ahead, if all of it was.
func (a *ahead) History(ctx context.Context, chain ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	out := make([][]store.Touch, len(questions))
	for i := range questions {
		q := &questions[i]
		touches, ok := a.histories[q.Address]
		if !ok || q.Limit != 0 {
			return a.Store.History(ctx, chain, questions)
		}
		at, _ := slices.BinarySearchFunc(touches, q.From, func(t store.Touch, from store.TxNumber) int { return cmp.Compare(t.Tx, from) })
		out[i] = touches[at:]
	}
	return out, nil
}

// lookAhead reads the transactions that wait, and of those who may be paid taint in them:
// what they held, and what touches them.
func (w *accountWalk) lookAhead(ctx context.Context) error {
	a := w.ahead
	if a == nil || a.movements[w.queue.numbers[0]] != nil {
		return nil
	}
	a.bound()
	movements, err := a.Store.Movements(ctx, w.c.chain, missing(a.movements, w.queue.next(lookingAhead.Txs)))
	if err != nil {
		return err
	}
	var paid []store.HoldingAt
	for i := range movements {
		a.movements[movements[i].Number] = &movements[i]
		paid = append(paid, w.mayReach(&movements[i])...)
	}
	return a.lookAt(ctx, w.c.chain, paid)
}

// mayReach lists who is paid in a transaction by somebody who may hold taint, as far as
// nothing was asked of them.
func (w *accountWalk) mayReach(m *store.Movement) (paid []store.HoldingAt) {
	reached := map[ledger.Address]bool{}
	for i := range m.Tx.Transfers {
		t := &m.Tx.Transfers[i]
		if m.Tx.Failed || !w.listed[t.From] && !reached[t.From] && len(w.c.transfers[m.Number]) == 0 {
			continue
		}
		reached[t.To] = true
		if _, ends := w.c.terminals[t.To]; !ends && !w.listed[t.To] {
			paid = append(paid, store.HoldingAt{Holding: store.Holding{Address: t.To, Asset: t.Asset}, Before: m.Number})
		}
	}
	return paid
}

// lookAt reads the histories of addresses, where they are short, and then what they held.
func (a *ahead) lookAt(ctx context.Context, chain ledger.Chain, paid []store.HoldingAt) error {
	var questions []store.Since
	seen := map[ledger.Address]bool{}
	for i := range paid {
		address := paid[i].Address
		if _, have := a.histories[address]; !have && !seen[address] {
			seen[address] = true
			questions = append(questions, store.Since{Address: address, Limit: lookingAhead.Touches})
		}
	}
	if len(questions) > 0 {
		histories, err := a.Store.History(ctx, chain, questions)
		if err != nil {
			return err
		}
		for i, touches := range histories {
			if len(touches) < lookingAhead.Touches {
				a.histories[questions[i].Address] = touches
			}
		}
	}
	paid = slices.DeleteFunc(paid, func(h store.HoldingAt) bool {
		_, short := a.histories[h.Address]
		return !short
	})
	if len(paid) == 0 {
		return nil
	}
	balances, err := a.Store.Balances(ctx, chain, paid)
	if err != nil {
		return err
	}
	for i := range paid {
		a.balances[paid[i]] = balances[i]
	}
	return nil
}

// lookAhead reads the transactions that wait, and what they pay to whom.
func (w *utxoWalk) lookAhead(ctx context.Context) error {
	a := w.ahead
	if a == nil || a.transactions[w.queue.numbers[0]] != nil {
		return nil
	}
	a.bound()
	txs, err := a.Store.Transactions(ctx, w.c.chain, missing(a.transactions, w.queue.next(lookingAhead.Txs)))
	if err != nil {
		return err
	}
	var numbers []store.OutputNumber
	for i := range txs {
		a.transactions[txs[i].Number] = &txs[i]
		if len(numbers)+len(txs[i].Values) > lookingAhead.Outputs {
			continue
		}
		for k := range txs[i].Values {
			numbers = append(numbers, txs[i].FirstOutput+store.OutputNumber(k))
		}
	}
	outputs, err := a.Store.Outputs(ctx, w.c.chain, numbers)
	if err != nil {
		return err
	}
	for i := range outputs {
		a.outputs[outputs[i].Number] = &outputs[i]
	}
	return nil
}

// missing leaves out the keys that are kept.
func missing[K comparable, V any](kept map[K]*V, keys []K) []K {
	return slices.DeleteFunc(keys, func(key K) bool { return kept[key] != nil })
}
