package taint

import "coldtrail/ledger"

// FIFO draws from the front: first in, first out. Source: Anderson, Shumailov,
// Ahmed, "Making Bitcoin Legal" (2018), after Clayton's case, Devaynes v Noble
// (1816).
var FIFO = &Method{Name: "fifo", Serving: ByIndex, Conserves: true, add: addInOrder, draw: drawFront, lack: cleanShortfall}

func drawFront(p *Pool, dst []Lot, amount *ledger.Amount) []Lot {
	want := *amount
	for !want.IsZero() {
		lot := &p.lots[p.head]
		if want.Lt(&lot.Amount) {
			part := lot.split(&want)
			return appendLot(dst, &part)
		}
		want.Sub(&want, &lot.Amount)
		dst = appendLot(dst, lot)
		p.head++
	}
	return dst
}
