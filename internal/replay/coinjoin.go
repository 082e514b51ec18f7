package replay

import (
	"cmp"
	"fmt"
	"slices"
)

// joined is how many stolen coins meet in one coinjoin, and joiners how many innocent
// people; together they have more inputs than the fifty that tell a round of WabiSabi.
const (
	joined  = 5
	joiners = 40
)

// denominations are the amounts that WabiSabi pays out: powers of two and three, and
// one, two and five times powers of ten, from 5,000 satoshi; the greatest first.
var denominations = func() (list []int64) {
	add := func(n int64) {
		if n >= 5_000 && n < 1<<42 && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	for two, three := int64(1), int64(1); two < 1<<42; two *= 2 {
		add(two)
		if three < 1<<42 {
			add(three)
			add(2 * three)
			three *= 3
		}
	}
	for ten := int64(1); ten < 1<<42; ten *= 10 {
		add(ten)
		add(2 * ten)
		add(5 * ten)
	}
	slices.SortFunc(list, func(a, b int64) int { return cmp.Compare(b, a) })
	return list
}()

// join lets a stolen coin wait until a round is full.
func (l *launderer) join(coin Coin) {
	l.joining = append(l.joining, coin)
	if len(l.joining) == joined {
		l.coinJoin(l.joining, l.wallet)
		l.joining = nil
	}
}

// coinJoin plays a round of WabiSabi: everybody's coins go in and come out in common
// denominations, greatest first, so that nothing tells whose is whose. Which units are
// stolen afterwards is the method's answer alone.
func (w *World) coinJoin(coins []Coin, wallet func() string) {
	var all []Coin
	var pays []Pay
	for i := range joiners {
		person := fmt.Sprintf("joiner %d of coinjoin %d", i, len(w.CoinJoins))
		own := func() string {
			address := w.outputs.Wallet("joiner", w.random.IntN(1_000_000))
			w.own(address, person)
			return address
		}
		for range 1 + w.random.IntN(2) {
			coin, err := w.outputs.Mint(own(), 100_000+w.random.Int64N(50_000_000))
			if err != nil {
				w.fail(err)
				return
			}
			all = append(all, coin)
			pays = append(pays, decompose(coin.Value, own)...)
		}
	}
	for _, coin := range coins {
		all = append(all, coin)
		pays = append(pays, decompose(coin.Value, wallet)...)
	}
	slices.SortStableFunc(all, func(a, b Coin) int { return cmp.Compare(b.Value, a.Value) })
	slices.SortStableFunc(pays, func(a, b Pay) int { return cmp.Compare(b.Value, a.Value) })
	txid, made, err := w.outputs.Spend(all, pays, "")
	if err != nil {
		w.fail(err)
		return
	}
	w.noteMix(txid, "Wasabi 2")
	w.Truth.Spend(txid, all, made, nil)
}

// noteMix notes a coinjoin.
func (w *World) noteMix(txid, protocol string) {
	w.CoinJoins = append(w.CoinJoins, txid)
	w.Mixes[txid], w.Shared[txid] = protocol, protocol
}

// decompose pays an amount out in denominations, each to an address of its own; what
// is less than the least of them is the fee.
func decompose(amount int64, to func() string) (pays []Pay) {
	amount -= networkFee
	for _, d := range denominations {
		for ; amount >= d && len(pays) < 10; amount -= d {
			pays = append(pays, Pay{to(), d})
		}
	}
	return pays
}
