package crossing

import (
	"cmp"
	"slices"

	"github.com/holiman/uint256"

	"coldtrail/ledger"
)

// rateBook is what deposits of one asset bought of another, by time: the only
// prices there are on chain alone. It bounds what a deposit can have bought.
type rateBook map[pair]*[]rate

type pair struct{ from, to ledger.Asset }

// rate is units bought per unit given, times 2^128.
type rate struct {
	time  int64
	id    ledger.Hash
	value ledger.Amount
	fresh bool // of what is in flight now: counted again at the next look
}

const (
	rateWindow    = 24 * 3600 // how far in time a neighbour may be
	rateNeighbour = 16        // how many of the nearest count
	rateEnough    = 3         // fewer say nothing
)

// begin drops what the last look counted of deposits still in flight then.
func (b rateBook) begin() {
	for _, list := range b {
		*list = slices.DeleteFunc(*list, func(r rate) bool { return r.fresh })
	}
}

// note adds what a deposit bought.
func (b rateBook) note(d *placedDeposit, asset ledger.Asset, paid *ledger.Amount) {
	value, ok := rateOf(&d.Amount, paid)
	if !ok || asset == "" {
		return
	}
	at := pair{d.Asset, asset}
	if b[at] == nil {
		b[at] = &[]rate{}
	}
	*b[at] = append(*b[at], rate{d.place.Time, d.Key, value, true})
}

// end puts the rates in order of time.
func (b rateBook) end() {
	for _, list := range b {
		slices.SortFunc(*list, func(x, y rate) int { return cmp.Or(cmp.Compare(x.time, y.time), slices.Compare(x.id[:], y.id[:])) })
	}
}

// settled keeps the rates of deposits that are decided, for their neighbours.
func (b rateBook) settled(crossings []Crossing) {
	ids := make(map[ledger.Hash]bool, len(crossings))
	for i := range crossings {
		ids[crossings[i].Key] = true
	}
	for _, list := range b {
		for i := range *list {
			if r := &(*list)[i]; ids[r.id] {
				r.fresh = false
			}
		}
	}
}

// forget drops rates older than a moment.
func (b rateBook) forget(before int64) {
	for at, list := range b {
		*list = slices.DeleteFunc(*list, func(r rate) bool { return r.time < before })
		if len(*list) == 0 {
			delete(b, at)
		}
	}
}

func rateOf(given, paid *ledger.Amount) (value ledger.Amount, ok bool) {
	if given.IsZero() || paid.IsZero() {
		return value, false
	}
	one := new(ledger.Amount).Lsh(uint256.NewInt(1), 128)
	_, over := value.MulDivOverflow(paid, one, given)
	return value, !over
}

// rateBound is the most that a deposit can have bought, by asset.
type rateBound struct {
	book rateBook
	d    *placedDeposit
}

func (b rateBook) bound(d *placedDeposit) rateBound { return rateBound{b, d} }

// exceeded says that a sum is more than a tenth above what the dearest quarter of
// the nearest deposits of the same kind bought. Swaps of all sizes have fees, so
// most buy less; a tenth is more than the market moves between neighbours.
func (b rateBound) exceeded(asset ledger.Asset, sum *ledger.Amount) bool {
	list := b.book[pair{b.d.Asset, asset}]
	if list == nil {
		return false
	}
	mine, ok := rateOf(&b.d.Amount, sum)
	if !ok {
		return false
	}
	near := nearest(*list, b.d.place.Time, &b.d.Key)
	if len(near) < rateEnough {
		return false
	}
	slices.SortFunc(near, func(x, y rate) int { return y.value.Cmp(&x.value) })
	limit := near[len(near)/4].value
	tenth := new(ledger.Amount).Div(&limit, uint256.NewInt(10))
	_, over := limit.AddOverflow(&limit, tenth)
	return !over && mine.Gt(&limit)
}

// nearest are the rates of other deposits nearest in time.
func nearest(list []rate, time int64, self *ledger.Hash) (near []rate) {
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
