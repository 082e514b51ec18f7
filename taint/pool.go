package taint

import "coldtrail/ledger"

// Pool is the ordered lots inside one transaction (UTXO) or one holding
// (account). Lots keep their order of arrival. Adjacent clean lots are kept as
// one: they have no origin, so no later split can tell.
type Pool struct {
	method  *Method
	palette *Palette
	lots    []Lot
	head    int // lots before head are spent
	scratch []share
}

// NewPool makes an empty pool that draws by the method.
func NewPool(method *Method, palette *Palette) *Pool {
	return &Pool{method: method, palette: palette}
}

// Reset empties the pool and keeps its memory.
func (p *Pool) Reset() { p.lots, p.head = p.lots[:0], 0 }

// Lots are the lots still in the pool, in order. The caller must not change them.
func (p *Pool) Lots() []Lot { return p.lots[p.head:] }

// Tainted reports whether any lot in the pool has a colour.
func (p *Pool) Tainted() bool { return AnyTainted(p.Lots()) }

// Add lets one arrival in: the lots of one output, or of one transfer.
func (p *Pool) Add(arrival []Lot) {
	p.compact()
	p.method.add(p, arrival)
}

// Draw takes amount units out of the pool and appends them to dst by the pool's
// method. Where the pool holds less, the shortfall is one clean lot at the end
// and is also returned, for the caller to record.
func (p *Pool) Draw(dst []Lot, amount *ledger.Amount) (drawn []Lot, shortfall ledger.Amount) {
	if amount.IsZero() {
		return dst, shortfall
	}
	held := p.held()
	want := *amount
	if held.Lt(amount) {
		shortfall.Sub(amount, &held)
		want = held
	}
	fresh := dst[len(dst):] // so that clean lots never join those of an earlier draw
	if !want.IsZero() {
		fresh = p.method.draw(p, fresh, &want)
	}
	if !shortfall.IsZero() {
		fresh = p.method.lack(fresh, &shortfall)
	}
	return append(dst, fresh...), shortfall
}

// DrawRest takes everything that is left.
func (p *Pool) DrawRest(dst []Lot) []Lot {
	held := p.held()
	drawn, _ := p.Draw(dst, &held)
	return drawn
}

func (p *Pool) held() ledger.Amount {
	if p.method == Poison {
		return poisonHeld(p)
	}
	return Sum(p.Lots())
}

// compact drops spent lots from the front once they are the larger part.
func (p *Pool) compact() {
	if p.head > 32 && p.head*2 > len(p.lots) {
		n := copy(p.lots, p.lots[p.head:])
		p.lots, p.head = p.lots[:n], 0
	}
}

// appendLot appends a lot, joining adjacent clean ones.
func appendLot(dst []Lot, lot *Lot) []Lot {
	if lot.Amount.IsZero() {
		return dst
	}
	if n := len(dst); n > 0 && !lot.Tainted() && !dst[n-1].Tainted() {
		dst[n-1].Amount.Add(&dst[n-1].Amount, &lot.Amount)
		return dst
	}
	return append(dst, *lot)
}

// append appends a lot behind those still in the pool. A clean lot joins a clean
// one before it, but never one that is already spent.
func (p *Pool) append(lot *Lot) []Lot {
	if p.head == len(p.lots) {
		p.lots, p.head = p.lots[:0], 0
	}
	return appendLot(p.lots, lot)
}

// addInOrder is the arrival rule of every method that keeps lots in order.
func addInOrder(p *Pool, arrival []Lot) {
	for i := range arrival {
		p.lots = p.append(&arrival[i])
	}
}

// cleanShortfall is the shortfall rule of every method but poison.
func cleanShortfall(dst []Lot, shortfall *ledger.Amount) []Lot {
	lot := CleanLot(*shortfall)
	return appendLot(dst, &lot)
}
