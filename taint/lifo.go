package taint

import "coldtrail/ledger"

// LIFO draws from the back: last in, first out. What one draw takes stays in
// order of arrival. Source: compared in Tironsakkul et al., "Probing the Mystery
// of Cryptocurrency Theft" (2019).
var LIFO = &Method{Name: "lifo", Serving: ByIndex, Conserves: true, add: addInOrder, draw: drawBack, lack: cleanShortfall}

func drawBack(p *Pool, dst []Lot, amount *ledger.Amount) []Lot {
	want := *amount
	first := len(p.lots)
	for !want.IsZero() {
		first--
		lot := &p.lots[first]
		if want.Lt(&lot.Amount) {
			break
		}
		want.Sub(&want, &lot.Amount)
	}
	whole := first
	if !want.IsZero() {
		// The lot is split; what leaves is its later part, whose share of the
		// origin is floor(o*d/a) like that of any drawn part.
		part := p.lots[first].split(&want)
		dst = appendLot(dst, &part)
		whole++
	}
	for i := whole; i < len(p.lots); i++ {
		dst = appendLot(dst, &p.lots[i])
	}
	p.lots = p.lots[:whole]
	return dst
}
