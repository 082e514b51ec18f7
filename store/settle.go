package store

import (
	"slices"

	"coldtrail/ledger"
)

// Settle carries a holding's balance through one account transaction: what came
// in, less what went out and, on the native asset, the fee its address paid or, as
// the block's producer, the tip it earned. A balance never goes below 0: what is missing came in unseen.
func Settle(balance *ledger.Amount, h Holding, native ledger.Asset, tx *ledger.Tx) {
	if !tx.Failed {
		for i := range tx.Transfers {
			t := &tx.Transfers[i]
			if t.Asset != h.Asset || t.From == t.To {
				continue
			}
			if t.To == h.Address {
				balance.Add(balance, &t.Amount)
			}
			if t.From == h.Address {
				take(balance, &t.Amount)
			}
		}
	}
	if h.Asset == native && tx.Fee.Payer == h.Address {
		take(balance, &tx.Fee.Burned)
		take(balance, &tx.Fee.Tip)
	}
	if h.Asset == native && tx.Fee.Producer == h.Address {
		balance.Add(balance, &tx.Fee.Tip)
	}
}

// FrozenBy is whether a holding is frozen after a transaction, given whether it was
// before.
func FrozenBy(tx *ledger.Tx, h Holding, before bool) bool {
	for i := range tx.Freezes {
		if f := &tx.Freezes[i]; f.Holder == h.Address && f.Asset == h.Asset {
			before = !f.Lifted
		}
	}
	return before
}

func take(balance, amount *ledger.Amount) {
	if balance.Lt(amount) {
		balance.Clear()
		return
	}
	balance.Sub(balance, amount)
}

// Touched lists the addresses that an account transaction is in the history of,
// each once: senders, receivers, who pays the fee and who earns it, holders whose
// units are frozen or released, and contracts that are created with who creates them.
func Touched(tx *ledger.Tx) []ledger.Address {
	few := make([]ledger.Address, 0, 2*len(tx.Transfers)+len(tx.Freezes)+2)
	var many map[ledger.Address]bool // once a linear search would be slow
	add := func(a ledger.Address) {
		if a.IsZero() || many[a] || many == nil && slices.Contains(few, a) {
			return
		}
		few = append(few, a)
		if many != nil {
			many[a] = true
		} else if len(few) == 32 {
			many = make(map[ledger.Address]bool, cap(few))
			for _, have := range few {
				many[have] = true
			}
		}
	}
	for i := range tx.Transfers {
		add(tx.Transfers[i].From)
		add(tx.Transfers[i].To)
	}
	add(tx.Fee.Payer)
	add(tx.Fee.Producer)
	for i := range tx.Freezes {
		add(tx.Freezes[i].Holder)
	}
	for i := range tx.Messages {
		if m := &tx.Messages[i]; m.Kind == ledger.Creation {
			add(m.Contract)
			add(m.Creator())
		}
	}
	return few
}

// Issuances counts the entries of a block that are no transactions but what the
// protocol paid out on an account chain; Status.Txs leaves them out.
func Issuances(b *ledger.Block) (n uint64) {
	if b.Chain.Family() == ledger.Account {
		for i := range b.Txs {
			if b.Txs[i].Coinbase {
				n++
			}
		}
	}
	return n
}
