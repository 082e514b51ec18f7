package taint

import (
	"slices"

	"coldtrail/ledger"
)

// depositAt is the crossing that takes what reaches a holding in this transaction.
func (a *Accounts) depositAt(to Holding) *Deposited {
	for i := range a.step.Deposits {
		if a.step.Deposits[i].Into == to {
			return &a.step.Deposits[i]
		}
	}
	return nil
}

// paidAt is what a crossing brings with a transfer of this transaction.
func (a *Accounts) paidAt(index int) *PaidOut {
	for i := range a.step.Payouts {
		if a.step.Payouts[i].Transfer == index {
			return &a.step.Payouts[i]
		}
	}
	return nil
}

// payOut lets the lots of a crossing arrive with the transfer that paid them. What
// the payer holds itself never taints a payout: if it is tainted it stays in the
// bridge, unless the payer is no known vault; then its own lots go, and the
// crossing's stay behind.
func (a *Accounts) payOut(t *ledger.Transfer, paid *PaidOut) {
	from, to := Holding{t.From, t.Asset}, Holding{t.To, t.Asset}
	lots, flow := slices.Clone(paid.Lots), Flow{Moment: a.step.Moment, Chain: a.chain, From: paid.From, By: paid.By}
	if pool := a.pools[from]; pool != nil {
		own := a.draw(from, pool, nil, &t.Amount)
		a.drop(from)
		if AnyTainted(own) && !paid.Vault {
			flow.From, flow.By = []Leg{{Place: a.place(from), Lots: slices.Clone(own)}}, ""
			lots, own = own, lots
		}
		a.stayBehind(from, paid, own)
	}
	arrive(lots, a.step.Time)
	flow.To = []Leg{{Place: a.place(to), Kind: a.deliver(to, lots, max(paid.Transfer, 0)), Lots: lots}}
	a.record.Moved(flow)
}

// stayBehind ends lots that a payout did not take along.
func (a *Accounts) stayBehind(at Holding, paid *PaidOut, lots []Lot) {
	if AnyTainted(lots) {
		arrive(lots, a.step.Time)
		a.record.Settled(Settlement{Moment: a.step.Moment, Place: a.place(at), Kind: InTransit, Entity: paid.By, Lots: lots})
	}
}

// payUnseen lets the lots of payouts arrive whose movements are not in the data.
func (a *Accounts) payUnseen() {
	for i := range a.step.Payouts {
		if paid := &a.step.Payouts[i]; paid.Transfer == Unseen {
			amount := Sum(paid.Lots)
			a.payOut(&ledger.Transfer{To: paid.To.Address, Asset: paid.To.Asset, Amount: amount}, paid)
		}
	}
}
