package replay

import (
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// purse is one person's bitcoin.
type purse struct {
	owner            string
	kind, changeKind ledger.AddressKind
	returns          bool // change goes back to an input's address
	hoards           bool // spends more coins than needed
	public           string
	shares           bool // takes payments at one address
	coins            []Coin
	deposits         map[int]string // by service
}

// collector is a service that makes an address for every customer.
type collector struct {
	owner     string
	hot       []string
	coins     []Coin // at hot addresses
	waiting   []Coin // at deposit addresses
	freshRest bool   // change goes to new addresses that nobody labelled
	paysFrom  bool   // pays customers straight from deposits
}

var kindsOfPurses = []ledger.AddressKind{
	ledger.P2WPKH, ledger.P2WPKH, ledger.P2WPKH, ledger.P2WPKH, ledger.P2PKH, ledger.P2PKH, ledger.P2SH, ledger.P2SH, ledger.P2TR,
}

// playOutputs arranges what happens on the chain of outputs.
func (o *owned) playOutputs() {
	for i := range purses {
		o.purses = append(o.purses, o.purse(i))
	}
	for i := range utxoServices {
		c := &collector{owner: fmt.Sprintf("service %d", i), freshRest: i%2 == 1, paysFrom: i == 2}
		for range 2 {
			hot := o.fresh(c.owner, ledger.P2WPKH)
			c.hot = append(c.hot, hot)
			o.label(o.outputs.Chain(), hot, "service", c.owner)
		}
		o.services = append(o.services, c)
		o.at(ownedFrom+60, func() { c.coins = append(c.coins, o.mint(c.hot[0], 100_0000_0000)) })
		for d := int64(1); d < ownedDays; d++ {
			o.at(ownedFrom+d*day+int64(i)*3_600, func() { o.payout(c) })
			if d%2 == int64(i%2) {
				o.at(ownedFrom+d*day+43_200+int64(i)*3_600, func() { o.collect(c) })
			}
		}
	}
	for _, p := range o.purses {
		o.endow(p)
	}
	o.times(payments, 1, o.payment)
	o.times(payments/4, 2, o.depositCoins)
	o.times(25, 5, o.trade)
	o.times(60, 5, o.mine)
	o.mixing()
	o.peels()
}

func (o *owned) mint(to string, value int64) Coin {
	coin, err := o.outputs.Mint(to, value)
	if err != nil {
		o.fail(err)
	}
	return coin
}

// purse begins a person; the first of them mix.
func (o *owned) purse(i int) *purse {
	owner := fmt.Sprintf("person %d", i)
	p := &purse{owner: owner, kind: kindsOfPurses[o.random.IntN(len(kindsOfPurses))], returns: o.chance(150), hoards: o.chance(250), shares: o.chance(400), deposits: map[int]string{}}
	if i < purseMixers {
		p.kind, p.returns = ledger.P2WPKH, false
	}
	if p.changeKind = p.kind; o.chance(80) {
		p.changeKind = kindsOfPurses[o.random.IntN(len(kindsOfPurses))]
	}
	p.public = o.fresh(owner, p.kind)
	return p
}

// endow gives a person coins to begin with; one in twenty has a single large one.
func (o *owned) endow(p *purse) {
	if o.chance(50) {
		value := 5_0000_0000 + o.random.Int64N(50_0000_0000)
		o.at(o.sometime(0, 1), func() { p.coins = append(p.coins, o.mint(o.fresh(p.owner, p.kind), value)) })
		return
	}
	for range 3 + o.random.IntN(5) {
		value := 1_000_000 + o.random.Int64N(200_000_000)
		o.at(o.sometime(0, 20), func() { p.coins = append(p.coins, o.mint(o.fresh(p.owner, p.kind), value)) })
	}
}

// receive is where a person is paid next.
func (o *owned) receive(p *purse) string {
	if p.shares {
		return p.public
	}
	return o.fresh(p.owner, p.kind)
}

// amount is a payment: a third are round.
func (o *owned) amount(most int64) int64 {
	n := 20_000 + o.random.Int64N(most)
	if o.chance(350) {
		unit := []int64{10_000, 100_000, 1_000_000, 10_000_000}[o.random.IntN(4)]
		n = max(unit, n/unit*unit)
	}
	return n
}

// payee is somebody to pay: a person, at an address of his.
func (o *owned) payee(payer *purse) *purse {
	for {
		if p := o.purses[o.random.IntN(len(o.purses))]; p != payer {
			return p
		}
	}
}

// payer is somebody with coins.
func (o *owned) payer(coins int) *purse {
	for range 50 {
		if p := o.purses[o.random.IntN(len(o.purses))]; len(p.coins) >= coins {
			return p
		}
	}
	return nil
}

// gather takes coins that come to at least a value out of a purse.
func (o *owned) gather(p *purse, least int64) []Coin {
	o.random.Shuffle(len(p.coins), func(i, j int) { p.coins[i], p.coins[j] = p.coins[j], p.coins[i] })
	if p.hoards {
		least += o.random.Int64N(50_000_000)
	}
	have := int64(0)
	for i := range p.coins {
		if have += p.coins[i].Value; have >= least {
			taken := slices.Clone(p.coins[:i+1])
			p.coins = slices.Clone(p.coins[i+1:])
			return taken
		}
	}
	taken := p.coins
	p.coins = nil
	return taken
}

const purseDust = 1_000

// payment is one person's transaction: of a hundred, five consolidate, five pay out
// everything, ten pay several, two are PayJoins, and the others pay one.
func (o *owned) payment() {
	p := o.payer(1)
	if p == nil {
		return
	}
	fee := 300 + o.random.Int64N(4_000)
	switch sort := o.random.IntN(100); {
	case sort < 5 && len(p.coins) > 2:
		all := p.coins
		p.coins = nil
		_, p.coins = o.spend(all, []Pay{{o.fresh(p.owner, p.kind), sum(all) - fee}})
	case sort < 10:
		to := o.payee(p)
		coins := o.gather(p, 0)
		if sum(coins) > fee+purseDust {
			_, made := o.spend(coins, []Pay{{o.receive(to), sum(coins) - fee}})
			to.coins = append(to.coins, made...)
			return
		}
		p.coins = append(p.coins, coins...)
	case sort < 20:
		o.pays(p, fee, 2+o.random.IntN(3))
	case sort < 22:
		o.payJoin(p, fee)
	default:
		o.pays(p, fee, 1)
	}
}

// pays pays so many people and returns the rest, at a random place.
func (o *owned) pays(p *purse, fee int64, n int) {
	var pays []Pay
	var to []*purse
	want := fee
	for range n {
		payee := o.payee(p)
		value := o.amount(60_000_000 / int64(n))
		pays, to = append(pays, Pay{o.receive(payee), value}), append(to, payee)
		want += value
	}
	o.pay(p, pays, to, want)
}

// pay pays from a purse and puts the change, where there is any, at a random place.
func (o *owned) pay(p *purse, pays []Pay, to []*purse, want int64) (made []Coin, ok bool) {
	coins := o.gather(p, want)
	rest := sum(coins) - want
	if rest < 0 {
		p.coins = append(p.coins, coins...)
		return nil, false
	}
	if rest > purseDust {
		address := coins[0].Owner
		if !p.returns {
			address = o.fresh(p.owner, p.changeKind)
		}
		at := o.random.IntN(len(pays) + 1)
		pays, to = slices.Insert(pays, at, Pay{address, rest}), slices.Insert(to, at, p)
	}
	_, made = o.spend(coins, pays)
	for i := range made {
		if to[i] != nil {
			to[i].coins = append(to[i].coins, made[i])
		}
	}
	return made, true
}

// payJoin is a payment to which the payee adds a coin of his (BIP-78).
func (o *owned) payJoin(p *purse, fee int64) {
	payee := o.payer(1)
	if payee == nil || payee == p {
		return
	}
	value := o.amount(20_000_000)
	coins := o.gather(p, value+fee)
	rest := sum(coins) - value - fee
	if rest < purseDust || len(payee.coins) == 0 {
		p.coins = append(p.coins, coins...)
		return
	}
	added := payee.coins[0]
	payee.coins = slices.Clone(payee.coins[1:])
	pays := []Pay{{o.receive(payee), value + added.Value}, {o.fresh(p.owner, p.changeKind), rest}}
	all := append(coins, added)
	back := 1
	if o.chance(500) {
		pays[0], pays[1], back = pays[1], pays[0], 0
	}
	o.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	txid, made := o.spend(all, pays)
	o.Shared[txid] = "PayJoin"
	p.coins, payee.coins = append(p.coins, made[back]), append(payee.coins, made[1-back])
}

// depositCoins pays into the address that a service made for the payer.
func (o *owned) depositCoins() {
	p := o.payer(1)
	if p == nil {
		return
	}
	which := o.random.IntN(len(o.services))
	c := o.services[which]
	if p.deposits[which] == "" {
		p.deposits[which] = o.fresh(c.owner, ledger.P2WPKH)
		o.Deposits[p.deposits[which]] = c.owner
	}
	to, value := p.deposits[which], o.amount(30_000_000)
	made, ok := o.pay(p, []Pay{{to, value}}, []*purse{nil}, value+500)
	if !ok {
		return
	}
	c.waiting = append(c.waiting, made[slices.IndexFunc(made, func(m Coin) bool { return m.Owner == to })])
}

// collect sweeps deposits into a hot wallet.
func (o *owned) collect(c *collector) {
	if c.paysFrom {
		return
	}
	for chunk := range slices.Chunk(c.waiting, 40) {
		coins := slices.Clone(chunk)
		if o.chance(200) && len(c.coins) > 0 { // with a coin of the wallet
			coins = append(coins, c.coins[0])
			c.coins = slices.Clone(c.coins[1:])
		}
		_, made := o.spend(coins, []Pay{{c.hot[o.random.IntN(len(c.hot))], sum(coins) - 100*int64(len(coins))}})
		c.coins = append(c.coins, made...)
	}
	c.waiting = nil
}

// payout pays customers in one transaction.
func (o *owned) payout(c *collector) {
	n := 5 + o.random.IntN(25)
	pays, to := make([]Pay, 0, n+1), make([]*purse, 0, n+1)
	want := int64(5_000)
	for range n {
		p := o.payee(nil)
		value := o.amount(3_000_000)
		pays, to = append(pays, Pay{o.receive(p), value}), append(to, p)
		want += value
	}
	var coins []Coin
	if c.paysFrom {
		for len(c.waiting) > 0 && sum(coins) < want && len(coins) < 60 {
			coins, c.waiting = append(coins, c.waiting[0]), slices.Clone(c.waiting[1:])
		}
	}
	for len(c.coins) > 0 && sum(coins) < want {
		coins, c.coins = append(coins, c.coins[0]), slices.Clone(c.coins[1:])
	}
	if sum(coins) < want+purseDust {
		c.coins = append(c.coins, coins...)
		c.coins = append(c.coins, o.mint(c.hot[0], 10_0000_0000)) // a loan
		return
	}
	rest := c.hot[0]
	if c.freshRest {
		rest = o.fresh(c.owner, ledger.P2WPKH)
	}
	_, made := o.spend(coins, append(pays, Pay{rest, sum(coins) - want}))
	for i := range to {
		to[i].coins = append(to[i].coins, made[i])
	}
	c.coins = append(c.coins, made[n])
}

// trade is a sale by half-signed transactions: inputs of both sides, signed so that
// others may add some.
func (o *owned) trade() {
	seller, buyer := o.payer(1), o.payer(2)
	if seller == nil || buyer == nil || seller == buyer {
		return
	}
	item := seller.coins[0]
	price := 500_000 + o.random.Int64N(5_000_000)
	coins := o.gather(buyer, price+10_000)
	rest := sum(coins) - price - 1_000
	if rest < purseDust {
		buyer.coins = append(buyer.coins, coins...)
		return
	}
	seller.coins = slices.Clone(seller.coins[1:])
	txid, made, err := o.coins.SpendOpen(append([]Coin{item}, coins...), []Pay{
		{o.receive(seller), price}, {o.fresh(buyer.owner, buyer.kind), item.Value}, {o.fresh(buyer.owner, buyer.changeKind), rest},
	})
	if err != nil {
		o.fail(err)
		return
	}
	o.Shared[txid] = "trade"
	seller.coins, buyer.coins = append(seller.coins, made[0]), append(buyer.coins, made[1:]...)
}

// mine pays a pool's miners.
func (o *owned) mine() {
	const miners = 40
	coin := o.mint(o.coins.WalletOf(ledger.P2WPKH, "pool", 0), 6_2500_0000)
	o.own(coin.Owner, "mining pool")
	left := coin.Value - 5_000
	var pays []Pay
	var to []*purse
	for i := range miners {
		p := o.purses[(i*7)%len(o.purses)]
		share := 1_000_000 + o.random.Int64N(10_000_000)
		pays, to = append(pays, Pay{p.public, share}), append(to, p)
		left -= share
	}
	_, made := o.spend([]Coin{coin}, append(pays, Pay{coin.Owner, left}))
	for i, p := range to {
		p.coins = append(p.coins, made[i])
	}
}
