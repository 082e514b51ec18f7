package taint

import (
	"slices"

	"coldtrail/ledger"
)

// Payment is one payout of a crossing, in the order of (height, index) on the
// chain that it is on.
type Payment struct {
	Asset  ledger.Asset
	Amount ledger.Amount
	// Refund says that it gives the deposited asset back.
	Refund bool
}

// PayOut says which lots each payment of a crossing carries. What was swapped draws
// first from the deposited lots and is converted, like a swap, into the sum of the
// payments; refunds take the rest. Payments draw from converted lots by the method,
// in order. Several assets carry equal parts of the origin. What a conversion
// rounds to nothing is returned apart.
func PayOut(method *Method, palette *Palette, lots []Lot, payments []Payment) (shares [][]Lot, rounded []Lot) {
	shares = make([][]Lot, len(payments))
	if !method.Conserves {
		for i := range payments {
			shares[i] = stain(lots, &payments[i].Amount)
		}
		return shares, nil
	}
	deposited := Sum(lots)
	var refunded ledger.Amount
	var refunds []int
	byAsset := [][]int{}
	for i := range payments {
		p := &payments[i]
		if p.Refund {
			refunded.Add(&refunded, &p.Amount)
			refunds = append(refunds, i)
			continue
		}
		at := slices.IndexFunc(byAsset, func(list []int) bool { return payments[list[0]].Asset == p.Asset })
		if at < 0 {
			at = len(byAsset)
			byAsset = append(byAsset, nil)
		}
		byAsset[at] = append(byAsset[at], i)
	}
	x := payOut{method: method, palette: palette, payments: payments, shares: shares}
	if len(byAsset) == 0 {
		x.convert(lots, refunds)
		return shares, x.rounded
	}
	pool := NewPool(method, palette)
	pool.Add(lots)
	swapped := less(&deposited, &refunded)
	given, _ := pool.Draw(nil, &swapped)
	x.serve(pool.DrawRest(nil), refunds)
	parts := splitOrigins(given, len(byAsset))
	for i, list := range byAsset {
		x.convert(parts[i], list)
	}
	return shares, x.rounded
}

// payOut hands lots out to payments.
type payOut struct {
	method   *Method
	palette  *Palette
	payments []Payment
	shares   [][]Lot
	rounded  []Lot
}

// convert turns lots into the sum of some payments and hands them out.
func (x *payOut) convert(lots []Lot, list []int) {
	var sum ledger.Amount
	for _, i := range list {
		sum.Add(&sum, &x.payments[i].Amount)
	}
	if len(lots) == 0 || len(list) == 0 {
		return
	}
	c := Conversion{Lots: lots, Given: Sum(lots), Received: sum}
	converted, rounded := c.Convert()
	x.rounded = append(x.rounded, rounded...)
	x.serve(converted, list)
}

// serve lets payments draw from lots in order; the last takes what is left.
func (x *payOut) serve(lots []Lot, list []int) {
	pool := NewPool(x.method, x.palette)
	pool.Add(lots)
	for n, i := range list {
		if n == len(list)-1 {
			x.shares[i] = pool.DrawRest(nil)
		} else {
			x.shares[i], _ = pool.Draw(nil, &x.payments[i].Amount)
		}
	}
}

// stain covers an amount with every class of the lots once.
func stain(lots []Lot, amount *ledger.Amount) (out []Lot) {
	for i := range lots {
		if lots[i].Tainted() && !slices.ContainsFunc(out, func(have Lot) bool { return have.Class == lots[i].Class }) {
			out = append(out, lots[i])
			out[len(out)-1].Amount = *amount
		}
	}
	return out
}
