package taint

import (
	"slices"

	"coldtrail/ledger"
)

// enters hands lots that reach a holding to the deposits that this transaction made
// there, and says whether there is one.
func (a *Accounts) enters(to Holding, lots []Lot) bool {
	last := -1
	for i := range a.step.Deposits {
		if a.step.Deposits[i].Into == to {
			last = i
		}
	}
	if last < 0 {
		return false
	}
	for i := 0; i < last && len(lots) > 0; i++ {
		d := &a.step.Deposits[i]
		if !a.method.Conserves && d.Into == to { // poison stains every deposit
			a.hooks.Cross(d.Crossing, a.step.Moment, a.place(to), lots)
			continue
		}
		room := less(&d.Amount, &a.taken[i])
		if d.Into != to || room.IsZero() {
			continue
		}
		var part []Lot
		part, lots = upTo(lots, &room)
		amount := Sum(part)
		a.taken[i].Add(&a.taken[i], &amount)
		a.hooks.Cross(d.Crossing, a.step.Moment, a.place(to), part)
	}
	if len(lots) > 0 {
		a.hooks.Cross(a.step.Deposits[last].Crossing, a.step.Moment, a.place(to), lots)
	}
	return true
}

// upTo splits lots at an amount, in order.
func upTo(lots []Lot, amount *ledger.Amount) (part, rest []Lot) {
	left := *amount
	for i := range lots {
		if left.IsZero() {
			return part, append(rest, lots[i:]...)
		}
		lot := lots[i]
		if !lot.Amount.Gt(&left) {
			left.Sub(&left, &lot.Amount)
			part = append(part, lot)
			continue
		}
		part = append(part, lot.split(&left))
		rest = append(rest, lot)
		left.Clear()
	}
	return part, rest
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
