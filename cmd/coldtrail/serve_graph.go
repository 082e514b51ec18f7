package main

import (
	"context"
	"slices"
	"sort"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/store"
)

// storeGraphs follows value by hand in what a store holds.
type storeGraphs struct{ *storeLedger }

var _ server.Graphs = storeGraphs{}

// passage is value that passed between an address and another.
type passage struct {
	number store.TxNumber
	index  int // within the transaction; 0 on chains of outputs, where all of it happens at once
	id     ledger.Hash
	height ledger.Height
	time   int64
	out    bool // from the address that was asked about
	other  ledger.Address
	asset  ledger.Asset
	amount ledger.Amount
	shared bool // others paid in too
}

// passages says what transactions moved between an address and others, in order. What was
// issued, destroyed or paid as a fee has no other side, and what an address paid to itself
// has none either.
func (l *storeLedger) passages(ctx context.Context, v *chainView, a ledger.Address, numbers []store.TxNumber) ([]passage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if v.chain.Family() == ledger.UTXO {
		return l.outputPassages(ctx, v, a, numbers)
	}
	movements, err := l.store.Movements(ctx, v.chain, numbers)
	if err != nil {
		return nil, err
	}
	var list []passage
	for i := range movements {
		m := &movements[i]
		if m.Tx.Failed {
			continue
		}
		for j := range m.Tx.Transfers {
			t := &m.Tx.Transfers[j]
			if t.From == t.To || t.From.IsZero() || t.To.IsZero() || t.From != a && t.To != a {
				continue
			}
			p := passage{number: m.Number, index: j, id: m.Tx.ID, height: m.Height, time: m.Time, out: t.From == a, other: t.From, asset: t.Asset, amount: t.Amount}
			if p.out {
				p.other = t.To
			}
			list = append(list, p)
		}
	}
	return list, nil
}

// outputPassages does it on a chain of outputs. Who pays with others is marked: which of
// them paid whom cannot be told. Change is nobody else's.
func (l *storeLedger) outputPassages(ctx context.Context, v *chainView, a ledger.Address, numbers []store.TxNumber) ([]passage, error) {
	txs, err := l.store.Transactions(ctx, v.chain, numbers)
	if err != nil {
		return nil, err
	}
	ids, err := l.store.IDs(ctx, v.chain, numbers)
	if err != nil {
		return nil, err
	}
	var list []passage
	for i := range txs {
		payers, outputs, err := l.sides(ctx, v, &txs[i])
		if err != nil {
			return nil, err
		}
		list = append(list, outputsBetween(v, a, &txs[i], payers, outputs, ids[i])...)
	}
	return list, nil
}

// payers are who paid for a transaction; unknown says that some are not known.
type payers struct {
	list    []ledger.Address
	unknown bool
}

// sides gives who paid for a transaction, and the outputs that it made.
func (l *storeLedger) sides(ctx context.Context, v *chainView, tx *store.Transaction) (p payers, made []store.Output, err error) {
	if len(tx.Inputs)+len(tx.Values) > mostLegs {
		return p, nil, refuse(server.ErrUnavailable, "a transaction in block %d has %d inputs and outputs, too many to look through", tx.Height, len(tx.Inputs)+len(tx.Values))
	}
	var spent, ask []store.OutputNumber
	for i := range tx.Inputs {
		if tx.Inputs[i].Output == store.NoOutput {
			p.unknown = true
			continue
		}
		spent = append(spent, tx.Inputs[i].Output)
	}
	for i := range tx.Values {
		ask = append(ask, tx.FirstOutput+store.OutputNumber(i))
	}
	seen := map[ledger.Address]bool{}
	err = l.outputs(ctx, v, spent, func(o *store.Output) {
		switch {
		case o.Address.IsZero():
			p.unknown = true
		case !seen[o.Address]:
			seen[o.Address] = true
			p.list = append(p.list, o.Address)
		}
	})
	if err == nil {
		err = l.outputs(ctx, v, ask, func(o *store.Output) { made = append(made, *o) })
	}
	return p, made, err
}

// mostLegs bounds the inputs and outputs of a transaction that is looked through. A block
// of Bitcoin has room for fewer.
const mostLegs = 150_000

func outputsBetween(v *chainView, a ledger.Address, tx *store.Transaction, paid payers, outputs []store.Output, id ledger.Hash) (list []passage) { //nolint:revive // it is one transaction
	base := passage{number: tx.Number, id: id, height: tx.Height, time: tx.Time, asset: v.chain.Native()}
	base.shared = len(paid.list) > 1 || paid.unknown
	if slices.Contains(paid.list, a) {
		for i := range outputs {
			o := &outputs[i]
			if o.Address == a || o.Address.IsZero() {
				continue
			}
			p := base
			p.out, p.other, p.amount = true, o.Address, ledger.NewAmount(o.Value)
			list = append(list, p)
		}
		return list
	}
	var received ledger.Amount
	for i := range outputs {
		if outputs[i].Address == a {
			value := ledger.NewAmount(outputs[i].Value)
			plus(&received, &value)
		}
	}
	if received.IsZero() {
		return nil
	}
	for _, other := range paid.list {
		p := base
		p.other, p.amount = other, received
		list = append(list, p)
	}
	return list
}

// clockSlack is how far the times of blocks may be out of order, in seconds: Bitcoin
// takes a block whose time is two hours ahead.
const clockSlack = 3 * 3600

// firstAfter is the number of the first transaction that may be of a moment or later.
func (l *storeLedger) firstAfter(ctx context.Context, v *chainView, moment int64) (store.TxNumber, error) {
	if moment <= 0 {
		return 0, nil
	}
	first, err := l.header(ctx, v.chain, 0)
	if err != nil {
		return 0, err
	}
	var failed error
	blocks := int(v.head.Height-first.Height) + 1
	at := sort.Search(blocks, func(i int) bool {
		h, err := l.header(ctx, v.chain, first.Height+ledger.Height(i))
		if err != nil {
			failed = err
		}
		return failed != nil || h.Time >= moment-clockSlack
	})
	if failed != nil || at == blocks {
		return v.end(), failed
	}
	h, err := l.header(ctx, v.chain, first.Height+ledger.Height(at))
	return h.FirstTx, err
}

// touched lists transactions that touch an address, from a number on, at most so many.
// More says that there are others after them.
func (l *storeLedger) touched(ctx context.Context, v *chainView, a ledger.Address, from store.TxNumber, most int) (numbers []store.TxNumber, more bool, err error) {
	list, err := l.touching(ctx, v, a, from, most+1)
	for i := range list {
		if i == most {
			return numbers, true, err
		}
		numbers = append(numbers, list[i].number)
	}
	return numbers, false, err
}

// keepers says whose addresses are.
type keepers struct {
	view *attribution.View
	v    *chainView
}

func (l *storeLedger) keepers(v *chainView) *keepers {
	return &keepers{attribution.NewView(l.store, label.When{}, 0), v}
}

// of gives who keeps an address, and whether he holds value for others.
func (n *keepers) of(ctx context.Context, text string) (entity string, service bool, err error) {
	stop, claim, err := n.view.StopOf(ctx, n.v.chain, text)
	if err != nil {
		return "", false, err
	}
	if claim != nil {
		entity, err = n.view.Entity(ctx, claim)
		return entity, stop == label.StopService, err
	}
	claims, err := n.view.Of(ctx, label.SubjectOf(n.v.chain, text))
	for i := range claims {
		if entity, err = n.view.Entity(ctx, &claims[i]); err != nil || entity != "" {
			return entity, false, err
		}
	}
	return "", false, err
}
