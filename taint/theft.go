package taint

import "coldtrail/ledger"

// claim gives the clean lots among those that arrived a colour. First taint wins
// (nemo dat quod non habet): lots that have a colour keep it, and the theft
// reports them as already stolen.
func (p *Pool) claim(lots []Lot, class Class, when Moment, place Place) Theft {
	theft := Theft{Moment: when, Class: class, Place: place, Already: map[string]ledger.Amount{}}
	for i := range lots {
		lot := &lots[i]
		if lot.Tainted() {
			colour := p.palette.Paint(lot.Class).Colour
			already := theft.Already[colour]
			already.Add(&already, &lot.Amount)
			theft.Already[colour] = already
			continue
		}
		lot.Class, lot.Hops, lot.First, lot.Last = class, 0, when.Time, when.Time
		if p.method.Conserves {
			lot.Origin = lot.Amount
		}
		theft.Taken.Add(&theft.Taken, &lot.Amount)
	}
	return theft
}
