package screen

import (
	"context"
	"maps"
	"slices"

	"coldtrail/attribution"
	"coldtrail/ledger"
	"coldtrail/screen/proximity"
	"coldtrail/store"
)

// readBooks reads the whole histories of addresses for the region. Who was touched too
// often is not read.
func (n *notorious) readBooks(ctx context.Context, s store.Store, list []ledger.Address) error {
	questions := make([]store.Since, len(list))
	for i, a := range list {
		questions[i] = store.Since{Address: a, Limit: n.limits.Touches + 1}
	}
	histories, err := s.History(ctx, n.chain, questions)
	if err != nil {
		return err
	}
	of := map[store.TxNumber][]ledger.Address{}
	for i, touches := range histories {
		a, b, last := list[i], proximity.NewBook(), store.NoTx
		n.region.Put(a, b)
		if len(touches) > n.limits.Touches {
			b.Crowd()
			continue
		}
		for _, t := range touches {
			if t.Tx < n.next && t.Tx != last {
				of[t.Tx] = append(of[t.Tx], a)
			}
			last = t.Tx
		}
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(of)), txsAtOnce) {
		if n.chain.Family() == ledger.UTXO {
			err = n.bookSpends(ctx, s, chunk, of)
		} else {
			err = n.bookMovements(ctx, s, chunk, of)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *notorious) bookSpends(ctx context.Context, s store.Store, numbers []store.TxNumber, of map[store.TxNumber][]ledger.Address) error {
	txs, err := attribution.Resolved(ctx, s, n.chain, numbers)
	if err != nil {
		return err
	}
	for i, tx := range txs {
		spend := n.spendOf(tx, numbers[i])
		for _, a := range of[numbers[i]] {
			if b := n.region.Book(a); !b.Crowded {
				b.Spend(spend, a)
				n.region.Touched(a)
			}
		}
	}
	return nil
}

func (n *notorious) bookMovements(ctx context.Context, s store.Store, numbers []store.TxNumber, of map[store.TxNumber][]ledger.Address) error {
	movements, err := s.Movements(ctx, n.chain, numbers)
	if err != nil {
		return err
	}
	var opens []opening
	for i := range movements {
		for _, a := range of[movements[i].Number] {
			opens = append(opens, opening{a, n.region.Book(a), &movements[i]})
		}
	}
	if err := n.open(ctx, s, opens); err != nil {
		return err
	}
	for _, o := range opens {
		if !o.book.Crowded {
			o.book.Move(&o.movement.Tx, o.address, uint64(o.movement.Number), o.movement.Time, n.chain.Native())
			n.region.Touched(o.address)
		}
	}
	return nil
}

// opening is an address of which a transaction may be the first that moves an asset.
type opening struct {
	address  ledger.Address
	book     *proximity.Book
	movement *store.Movement
}

// open states in books what was held of assets before anything of them moved, as far as a
// source of the ledger said so. What was stated later on is not looked at.
func (n *notorious) open(ctx context.Context, s store.Store, list []opening) error {
	var questions []store.HoldingAt
	var books []*proximity.Book
	asked := map[store.Holding]bool{}
	for _, o := range list {
		if o.book.Crowded {
			continue
		}
		for _, asset := range proximity.Moves(&o.movement.Tx, o.address, n.chain.Native()) {
			h := store.Holding{Address: o.address, Asset: asset}
			if o.book.Accounts[asset] == nil && !asked[h] {
				asked[h] = true
				questions, books = append(questions, store.HoldingAt{Holding: h, Before: o.movement.Number}), append(books, o.book)
			}
		}
	}
	if len(questions) == 0 {
		return nil
	}
	balances, err := s.Balances(ctx, n.chain, questions)
	if err != nil {
		return err
	}
	for i := range balances {
		books[i].Open(questions[i].Asset, &balances[i].Amount)
	}
	return nil
}
