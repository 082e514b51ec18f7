package crossing

import (
	"cmp"
	"slices"

	"github.com/holiman/uint256"

	"coldtrail/ledger"
)

// rateBook is what deposits of one asset bought of another, by time: the only
// prices there are on chain alone. It bounds what a deposit can have bought.
type rateBook struct {
	lists map[pair]*rateList
	tail  []rate // room for sort
}

// rateList is in order of time up to sorted.
type rateList struct {
	all    []rate
	sorted int
}

type pair struct{ from, to ledger.Asset }

// rate is units bought per unit given, times 2^128.
type rate struct {
	time  int64
	id    ledger.Hash
	value ledger.Amount
}

const (
	rateWindow    = 24 * 3600 // how far in time a neighbour may be
	rateNeighbour = 16        // how many of the nearest count
	rateEnough    = 3         // fewer say nothing
)

func newRateBook() rateBook {
	return rateBook{lists: map[pair]*rateList{}}
}

// retract removes what deposits bought that are to be noted again.
func (b *rateBook) retract(again []*entry) {
	gone := map[ledger.Hash]bool{}
	for _, e := range again {
		if e.noted {
			gone[e.key.id], e.noted = true, false
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, l := range b.lists {
		n := 0
		for i := range l.all {
			if i < l.sorted && gone[l.all[i].id] {
				n++
			}
		}
		l.sorted -= n
		l.all = slices.DeleteFunc(l.all, func(r rate) bool { return gone[r.id] })
	}
}

// note adds what a deposit bought.
func (b *rateBook) note(at pair, r rate) {
	l := b.lists[at]
	if l == nil {
		l = &rateList{}
		b.lists[at] = l
	}
	l.all = append(l.all, r)
}

// earlier orders rates by time.
func earlier(x, y rate) int {
	return cmp.Or(cmp.Compare(x.time, y.time), slices.Compare(x.id[:], y.id[:]))
}

// sort puts the rates in order of time: what is new is sorted and then merged, as most
// of it is later than all before.
func (b *rateBook) sort() {
	for _, l := range b.lists {
		b.tail = append(b.tail[:0], l.all[l.sorted:]...)
		slices.SortFunc(b.tail, earlier)
		i, j := l.sorted-1, len(b.tail)-1
		for at := len(l.all) - 1; j >= 0; at-- {
			if i >= 0 && earlier(l.all[i], b.tail[j]) > 0 {
				l.all[at] = l.all[i]
				i--
			} else {
				l.all[at] = b.tail[j]
				j--
			}
		}
		l.sorted = len(l.all)
	}
}

// forget drops rates older than a moment.
func (b *rateBook) forget(before int64) {
	for at, l := range b.lists {
		n, _ := slices.BinarySearchFunc(l.all[:l.sorted], before, func(r rate, t int64) int { return cmp.Compare(r.time, t) })
		l.all, l.sorted = slices.Delete(l.all, 0, n), l.sorted-n
		if len(l.all) == 0 {
			delete(b.lists, at)
		}
	}
}

// of lists the rates of a pair in order of time.
func (b *rateBook) of(at pair) []rate {
	if l := b.lists[at]; l != nil {
		return l.all
	}
	return nil
}

func rateOf(given, paid *ledger.Amount) (value ledger.Amount, ok bool) {
	if given.IsZero() || paid.IsZero() {
		return value, false
	}
	one := new(ledger.Amount).Lsh(uint256.NewInt(1), 128)
	_, over := value.MulDivOverflow(paid, one, given)
	return value, !over
}

// Rates is what crossings bought, by time: the market as far as the ledger itself knows
// it, less what the bridges kept.
type Rates struct{ book rateBook }

// RatesOf takes the rates of crossings that were paid in one asset.
func RatesOf(crossings []Crossing) *Rates {
	r := &Rates{newRateBook()}
	for i := range crossings {
		c := &crossings[i]
		if c.Status != PaidOut || c.Score != Fact {
			continue
		}
		var paid ledger.Amount
		over, asset := false, c.Payouts[0].Asset
		for j := range c.Payouts {
			if _, more := paid.AddOverflow(&paid, &c.Payouts[j].Amount); more || c.Payouts[j].Asset != asset {
				over = true
			}
		}
		if value, ok := rateOf(&c.Amount, &paid); ok && !over {
			r.book.note(pair{c.Asset, asset}, rate{c.Place.Time, c.Key, value})
		}
	}
	r.book.sort()
	return r
}

// At is what one unit of an asset bought of another at a time, in units times 2^128:
// the median of the nearest crossings of a day before and after, this way or the
// other. False where there were too few.
func (r *Rates) At(from, to ledger.Asset, time int64) (ledger.Amount, bool) {
	one := new(ledger.Amount).Lsh(uint256.NewInt(1), 128)
	if from == to {
		return *one, true
	}
	near := nearest(nil, r.book.of(pair{from, to}), time, &ledger.Hash{})
	for _, back := range nearest(nil, r.book.of(pair{to, from}), time, &ledger.Hash{}) {
		if !back.value.IsZero() {
			back.value.Div(new(ledger.Amount).SetAllOne(), &back.value)
			near = append(near, back)
		}
	}
	if len(near) < rateEnough {
		return ledger.Amount{}, false
	}
	slices.SortFunc(near, func(x, y rate) int { return x.value.Cmp(&y.value) })
	return near[len(near)/2].value, true
}

// rateBound is the most that a deposit can have bought, by asset.
type rateBound struct {
	m *Matcher
	d *placedDeposit
}

// exceeded says that a sum is more than a tenth above what the dearest quarter of
// the nearest deposits of the same kind bought. Swaps of all sizes have fees, so
// most buy less; a tenth is more than the market moves between neighbours.
func (b rateBound) exceeded(asset ledger.Asset, sum *ledger.Amount) bool {
	list := b.m.rates.of(pair{b.d.Asset, asset})
	mine, ok := rateOf(&b.d.Amount, sum)
	if !ok {
		return false
	}
	near := nearest(b.m.near[:0], list, b.d.place.Time, &b.d.Key)
	b.m.near = near
	if len(near) < rateEnough {
		return false
	}
	slices.SortFunc(near, func(x, y rate) int { return y.value.Cmp(&x.value) })
	limit := near[len(near)/4].value
	tenth := new(ledger.Amount).Div(&limit, uint256.NewInt(10))
	_, over := limit.AddOverflow(&limit, tenth)
	return !over && mine.Gt(&limit)
}

// nearest appends the rates of other deposits nearest in time.
func nearest(near, list []rate, time int64, self *ledger.Hash) []rate {
	right, _ := slices.BinarySearchFunc(list, time, func(r rate, t int64) int { return cmp.Compare(r.time, t) })
	left := right - 1
	for len(near) < rateNeighbour && (left >= 0 || right < len(list)) {
		var r rate
		if right == len(list) || left >= 0 && time-list[left].time <= list[right].time-time {
			r = list[left]
			left--
		} else {
			r = list[right]
			right++
		}
		if r.time < time-rateWindow || r.time > time+rateWindow {
			break
		}
		if r.id != *self {
			near = append(near, r)
		}
	}
	return near
}
