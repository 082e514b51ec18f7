package store

import "coldtrail/ledger"

// Settle carries a holding's balance through one account transaction: what came
// in, less what went out and, on the native asset, the fee its address paid. A
// balance never goes below 0: what is missing came in unseen.
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
}

func take(balance, amount *ledger.Amount) {
	if balance.Lt(amount) {
		balance.Clear()
		return
	}
	balance.Sub(balance, amount)
}
