// Package taint says how stolen money crosses one transaction: exactly, in
// integers, by every published method.
//
// Money sits in lots. A lot has a class (a colour and how certain it is), an
// amount in base units of the asset it sits in now, and an origin in base units
// of the asset that was stolen. A transaction pools the lots that come in and
// draws them out again; a Method is nothing but the rule by which it draws. Per
// colour the origins always add up to what was stolen.
//
// The package is pure: it knows no store, no clock and no floating point, so the
// same transactions give the same lots on every machine.
package taint

import (
	"math/bits"

	"coldtrail/ledger"
)

// Lot is an amount of one class.
type Lot struct {
	Class  Class
	Hops   uint32        // transactions since the theft, the fewest where lots were merged
	Amount ledger.Amount // base units of the asset the lot sits in now
	Origin ledger.Amount // base units of the asset that was stolen; 0 for clean lots
	First  int64         // Unix time the lot reached the place where it sits
	Last   int64         // the same, the latest where lots were merged
}

// Tainted reports whether the lot has a colour.
func (l *Lot) Tainted() bool { return l.Class != Clean }

// CleanLot is an amount without a colour.
func CleanLot(amount ledger.Amount) Lot { return Lot{Class: Clean, Amount: amount} }

// split takes amount units off the lot and leaves the rest. A split at d of
// (a, o) gives (d, floor(o*d/a)) and (a-d, o - that); a lot taken whole takes its
// whole origin.
func (l *Lot) split(amount *ledger.Amount) Lot {
	part := *l
	part.Amount = *amount
	if l.Tainted() {
		part.Origin = mulDiv(&l.Origin, amount, &l.Amount)
		l.Origin.Sub(&l.Origin, &part.Origin)
	}
	l.Amount.Sub(&l.Amount, amount)
	return part
}

// mulDiv is floor(x*y/d) with a 512-bit product. The callers have y <= d or
// x <= d, so the quotient fits.
func mulDiv(x, y, d *ledger.Amount) ledger.Amount {
	if x[1]|x[2]|x[3]|y[1]|y[2]|y[3]|d[1]|d[2]|d[3] == 0 {
		high, low := bits.Mul64(x[0], y[0])
		if high < d[0] {
			quotient, _ := bits.Div64(high, low, d[0])
			return ledger.NewAmount(quotient)
		}
	}
	var z ledger.Amount
	if _, overflow := z.MulDivOverflow(x, y, d); overflow {
		panic("taint: a share is larger than its whole")
	}
	return z
}

// Sum adds the amounts of lots.
func Sum(lots []Lot) (total ledger.Amount) {
	for i := range lots {
		total.Add(&total, &lots[i].Amount)
	}
	return total
}

// AnyTainted reports whether one of the lots has a colour.
func AnyTainted(lots []Lot) bool {
	for i := range lots {
		if lots[i].Tainted() {
			return true
		}
	}
	return false
}
