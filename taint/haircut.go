package taint

import (
	"math/bits"
	"slices"

	"coldtrail/ledger"
)

// Haircut draws from every class in proportion. Source: Möser, Böhme, Breuker,
// "Towards Risk Scoring of Bitcoin Transactions" (2014). Rounding is by largest
// remainder, draw after draw, so every output and every class adds up exactly.
var Haircut = &Method{Name: "haircut", Serving: ByIndex, Conserves: true, add: addMerged, draw: drawShare, lack: cleanShortfall}

// share is one class's part of a draw.
type share struct {
	quota, remainder ledger.Amount
}

// addMerged merges arrivals per class; classes stay sorted, clean last.
func addMerged(p *Pool, arrival []Lot) {
	for i := range arrival {
		lot := &arrival[i]
		if lot.Amount.IsZero() {
			continue
		}
		at, found := slices.BinarySearchFunc(p.lots, lot, func(have Lot, want *Lot) int {
			return p.palette.Compare(have.Class, want.Class)
		})
		if !found {
			p.lots = slices.Insert(p.lots, at, *lot)
			continue
		}
		have := &p.lots[at]
		have.Amount.Add(&have.Amount, &lot.Amount)
		have.Origin.Add(&have.Origin, &lot.Origin)
		if lot.Tainted() {
			have.Hops = min(have.Hops, lot.Hops)
			have.First = min(have.First, lot.First)
			have.Last = max(have.Last, lot.Last)
		}
	}
}

// drawShare takes floor(v*T/S) of every class, then one unit more of those with
// the largest remainders, ties to the earlier class.
func drawShare(p *Pool, dst []Lot, amount *ledger.Amount) []Lot {
	if len(p.lots) == 1 {
		return drawMerged(p, dst, 0, amount)
	}
	total := Sum(p.lots)
	left := *amount
	p.scratch = p.scratch[:0]
	for i := range p.lots {
		s := proportion(amount, &p.lots[i].Amount, &total)
		left.Sub(&left, &s.quota)
		p.scratch = append(p.scratch, s)
	}
	for n := left.Uint64(); n > 0; n-- { // fewer than there are classes
		largest := 0
		for i := range p.scratch {
			if p.scratch[i].remainder.Gt(&p.scratch[largest].remainder) {
				largest = i
			}
		}
		p.scratch[largest].quota.AddUint64(&p.scratch[largest].quota, 1)
		p.scratch[largest].remainder.Clear()
	}
	for i := range p.scratch {
		if !p.scratch[i].quota.IsZero() {
			dst = drawMerged(p, dst, i, &p.scratch[i].quota)
		}
	}
	p.lots = slices.DeleteFunc(p.lots, func(lot Lot) bool { return lot.Amount.IsZero() })
	return dst
}

// drawMerged takes amount out of one class.
func drawMerged(p *Pool, dst []Lot, at int, amount *ledger.Amount) []Lot {
	lot := &p.lots[at]
	if amount.Eq(&lot.Amount) {
		dst = append(dst, *lot)
		lot.Amount.Clear()
		lot.Origin.Clear()
		if len(p.lots) == 1 {
			p.lots = p.lots[:0]
		}
		return dst
	}
	return append(dst, lot.split(amount))
}

// proportion is v*T divided by S, with remainder.
func proportion(v, part, total *ledger.Amount) share {
	if v[1]|v[2]|v[3]|part[1]|part[2]|part[3]|total[1]|total[2]|total[3] == 0 {
		high, low := bits.Mul64(v[0], part[0])
		quotient, remainder := bits.Div64(high, low, total[0]) // v <= total, so high < total
		return share{ledger.NewAmount(quotient), ledger.NewAmount(remainder)}
	}
	var s share
	s.quota = mulDiv(v, part, total)
	s.remainder.MulMod(v, part, total)
	return s
}
