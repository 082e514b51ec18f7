package taint

import "coldtrail/ledger"

// Poison taints every output of a transaction with any tainted input, wholly, by
// each colour that went in. Source: Möser, Böhme, Breuker (2014). It is an upper
// bound for screening: it carries no origin and conserves nothing.
var Poison = &Method{Name: "poison", Serving: ByIndex, Conserves: false, add: addPoison, draw: drawPoison, lack: lackPoison}

// A poisoned pool holds one lot per class, each of the pool's whole amount, and
// where nothing is tainted yet one clean lot.
func poisonHeld(p *Pool) (held ledger.Amount) {
	if lots := p.Lots(); len(lots) > 0 {
		held = lots[0].Amount
	}
	return held
}

// addPoison adds the arrival's amount to every class. The lots of one arrival
// all stand for the same units, so its amount is that of its first class; clean
// lots beside them do not occur in what poison draws.
func addPoison(p *Pool, arrival []Lot) {
	if len(arrival) == 0 {
		return
	}
	held := poisonHeld(p)
	held.Add(&held, &arrival[0].Amount)
	for i := range arrival {
		if lot := arrival[i]; lot.Tainted() {
			lot.Origin.Clear()
			addMerged(p, []Lot{lot})
		}
	}
	if len(p.lots) == 0 {
		p.lots = append(p.lots, CleanLot(held))
	}
	if len(p.lots) > 1 && !p.lots[len(p.lots)-1].Tainted() {
		p.lots = p.lots[:len(p.lots)-1]
	}
	for i := range p.lots {
		p.lots[i].Amount = held
	}
}

func drawPoison(p *Pool, dst []Lot, amount *ledger.Amount) []Lot {
	for i := range p.lots {
		part := p.lots[i]
		part.Amount = *amount
		dst = append(dst, part)
		p.lots[i].Amount.Sub(&p.lots[i].Amount, amount)
	}
	if len(p.lots) > 0 && p.lots[0].Amount.IsZero() {
		p.lots = p.lots[:0]
	}
	return dst
}

// lackPoison stretches the lots already drawn, so that an output is still wholly
// tainted where the pool's own amount was too small.
func lackPoison(dst []Lot, shortfall *ledger.Amount) []Lot {
	if len(dst) == 0 {
		return append(dst, CleanLot(*shortfall))
	}
	for i := range dst {
		dst[i].Amount.Add(&dst[i].Amount, shortfall)
	}
	return dst
}
