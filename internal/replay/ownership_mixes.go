package replay

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// mixing arranges coinjoins of several protocols, some that no rule knows, and payments
// that look like them.
func (o *owned) mixing() {
	o.times(60, 3, o.whirlpool)
	o.times(12, 10, o.wabiSabi)
	o.times(40, 3, func() { o.joinMarket(3 + o.random.IntN(6)) })
	o.times(10, 3, func() { o.joinMarket(2) })
	o.times(12, 3, o.byHand)
	o.times(15, 3, o.stonewall)
	o.times(120, 12, o.spendMixed)
}

// pool is the size of Whirlpool's coins and what an entrant brings for the fee.
const (
	pool    = 1_000_000
	entrant = 4_000
)

// mixers draws so many different people who mix and have a coin of at least a value.
func (o *owned) mixers(n int, least int64) (list []*purse) {
	for range 20 * n {
		p := o.purses[o.random.IntN(purseMixers)]
		if len(list) < n && !slices.Contains(list, p) && slices.ContainsFunc(p.coins, func(c Coin) bool { return c.Value >= least }) {
			list = append(list, p)
		}
	}
	if len(list) < n {
		return nil
	}
	return list
}

// take takes one coin of at least a value out of a purse.
func (p *purse) take(least int64) Coin {
	at := slices.IndexFunc(p.coins, func(c Coin) bool { return c.Value >= least })
	coin := p.coins[at]
	p.coins = slices.Delete(slices.Clone(p.coins), at, at+1)
	return coin
}

// whirlpool is a mix of five: two who enter and three who mix again.
func (o *owned) whirlpool() {
	people := o.mixers(5, pool+100_000)
	var coins []Coin
	var pays []Pay
	for i, p := range people {
		value := int64(pool)
		if i < 2 {
			value += entrant
		}
		coins = append(coins, o.cut(p, value))
		pays = append(pays, Pay{o.fresh(p.owner, ledger.P2WPKH), pool})
	}
	o.share("Whirlpool", coins, pays, people)
}

// cut makes a coin of exactly a value, as Tx0 does.
func (o *owned) cut(p *purse, value int64) Coin {
	coin := p.take(value + 10_000)
	_, made := o.spend([]Coin{coin}, []Pay{{o.fresh(p.owner, ledger.P2WPKH), value}, {o.fresh(p.owner, ledger.P2WPKH), coin.Value - value - 2_000}})
	p.coins = append(p.coins, made[1])
	return made[0]
}

// share spends coins of several and gives everybody theirs.
func (o *owned) share(protocol string, coins []Coin, pays []Pay, to []*purse) {
	if len(coins) == 0 {
		return
	}
	order := make([]int, len(pays))
	for i := range order {
		order[i] = i
	}
	o.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	o.random.Shuffle(len(coins), func(i, j int) { coins[i], coins[j] = coins[j], coins[i] })
	if protocol == "Wasabi 2" { // falling on both sides
		slices.SortStableFunc(coins, func(a, b Coin) int { return cmp.Compare(b.Value, a.Value) })
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(pays[b].Value, pays[a].Value) })
	}
	shuffled := make([]Pay, len(pays))
	for i, from := range order {
		shuffled[i] = pays[from]
	}
	txid, made := o.spend(coins, shuffled)
	for i, from := range order {
		to[from].coins = append(to[from].coins, made[i])
	}
	if protocol != "" {
		o.noteMix(txid, protocol)
	}
}

// wabiSabi is a round of Wasabi 2 with 52 inputs at least.
func (o *owned) wabiSabi() {
	people := o.mixers(30, 100_000)
	var coins []Coin
	var pays []Pay
	var to []*purse
	for _, p := range people {
		share := int64(0)
		for range 2 + o.random.IntN(2) {
			if at := slices.IndexFunc(p.coins, func(c Coin) bool { return c.Value >= 50_000 }); at >= 0 {
				coin := p.take(50_000)
				coins, share = append(coins, coin), share+coin.Value
			}
		}
		for _, pay := range decompose(share, func() string { return o.fresh(p.owner, ledger.P2WPKH) }) {
			pays, to = append(pays, pay), append(to, p)
		}
	}
	o.share("Wasabi 2", coins, pays, to)
}

// joinMarket is a join of so many, each of whom gets an equal output and change. One of
// two has the shape of a Stonewall.
func (o *owned) joinMarket(n int) {
	amount := 100_000 + o.random.Int64N(2_000_000)
	people := o.mixers(n, amount+50_000)
	var coins []Coin
	var pays []Pay
	var to []*purse
	for i, p := range people {
		coin := p.take(amount + 50_000)
		pays = append(pays, Pay{o.fresh(p.owner, ledger.P2WPKH), amount}, Pay{o.fresh(p.owner, ledger.P2WPKH), coin.Value - amount - 5_000*int64(1-min(i, 1)) + 100*int64(min(i, 1))})
		coins, to = append(coins, coin), append(to, p, p)
	}
	o.share("JoinMarket", coins, pays, to)
}

// byHand is a join without equal outputs, which no rule can see.
func (o *owned) byHand() {
	people := o.mixers(3, 200_000)
	var coins []Coin
	var pays []Pay
	var to []*purse
	for _, p := range people {
		coin := p.take(200_000)
		part := coin.Value/3 + o.random.Int64N(1_000)
		pays = append(pays, Pay{o.fresh(p.owner, ledger.P2WPKH), part}, Pay{o.fresh(p.owner, ledger.P2WPKH), coin.Value - part - 1_000})
		coins, to = append(coins, coin), append(to, p, p)
	}
	o.share("unknown", coins, pays, to)
}

// stonewall is one owner's payment that looks like a join of two.
func (o *owned) stonewall() {
	people := o.mixers(2, 1_000_000)
	if people == nil || len(people[0].coins) < 3 {
		return
	}
	p, payee := people[0], people[1]
	coins := []Coin{p.take(1_000_000)}
	coins = append(coins, p.coins[0])
	p.coins = slices.Clone(p.coins[1:])
	value := 100_000 + o.random.Int64N(300_000)
	rest := sum(coins) - 2*value - 1_000
	o.share("", coins, []Pay{
		{o.fresh(payee.owner, payee.kind), value}, {o.fresh(p.owner, p.kind), value}, {o.fresh(p.owner, p.kind), rest / 3}, {o.fresh(p.owner, p.kind), rest - rest/3},
	}, []*purse{payee, p, p, p})
}

// spendMixed puts coins that were mixed together again, as careless people do.
func (o *owned) spendMixed() {
	p := o.purses[o.random.IntN(purseMixers)]
	if len(p.coins) < 3 {
		return
	}
	coins := slices.Clone(p.coins[:2])
	p.coins = slices.Clone(p.coins[2:])
	to := o.payee(p)
	if value := sum(coins) / 2; value > 20_000 {
		_, made := o.spend(coins, []Pay{{o.receive(to), value}, {o.fresh(p.owner, p.kind), sum(coins) - value - 700}})
		to.coins, p.coins = append(to.coins, made[0]), append(p.coins, made[1])
		return
	}
	p.coins = append(p.coins, coins...)
}

// peels arranges peel chains: of thieves, and of people who live on one large coin.
func (o *owned) peels() {
	for i := range 36 {
		c := &Conduct{Pattern: "peel-chain", Chain: string(o.outputs.Chain()), Innocent: i >= 24}
		owner := fmt.Sprintf("thief %d", i)
		if c.Innocent {
			owner = fmt.Sprintf("spender %d", i)
		}
		o.at(o.sometime(2, 60), func() {
			coin := o.mint(o.fresh(owner, ledger.P2WPKH), 10_0000_0000+o.random.Int64N(40_0000_0000))
			c.Subject = coin.Owner
			o.peelOne(owner, coin, 8+o.random.IntN(23), c)
		})
	}
}

// peelOne pays a little off a coin and goes on with the rest. One step in twenty pays more
// than it keeps.
func (o *owned) peelOne(owner string, coin Coin, steps int, c *Conduct) {
	if steps == 0 || coin.Value < 10_000_000 {
		o.Conducts = append(o.Conducts, *c)
		return
	}
	little := coin.Value * (1 + o.random.Int64N(8)) / 100
	if o.chance(50) {
		little = coin.Value * (55 + o.random.Int64N(20)) / 100
	}
	to, paid := o.peeled()
	pays := []Pay{{to, little}, {o.fresh(owner, ledger.P2WPKH), coin.Value - little - 1_500}}
	rest := 1
	if o.chance(500) {
		pays[0], pays[1], rest = pays[1], pays[0], 0
	}
	txid, made := o.spend([]Coin{coin}, pays)
	c.Txs = append(c.Txs, txid)
	paid(made[1-rest])
	o.after(1_800+o.random.Int64N(7_200), func() { o.peelOne(owner, made[rest], steps-1, c) })
}

// peeled is whom a thief pays: a service by a deposit address made for him, or somebody.
func (o *owned) peeled() (address string, paid func(Coin)) {
	if o.chance(500) {
		c := o.services[o.random.IntN(len(o.services))]
		address := o.fresh(c.owner, ledger.P2WPKH)
		o.Deposits[address] = c.owner
		return address, func(coin Coin) { c.waiting = append(c.waiting, coin) }
	}
	p := o.payee(nil)
	return o.receive(p), func(coin Coin) { p.coins = append(p.coins, coin) }
}
