package replay

import (
	"fmt"
	"math/big"
	"math/rand/v2"

	"coldtrail/ledger"
)

// courses are the patterns that several accounts, a second chain or a theft are needed
// for. They are played beside everything else and draw from a source of their own, so
// that the rest of the world is the same with and without them.
var courses = []coursePlan{
	// A friend or a shop pays a newcomer's first gas; or an exchange does, that a label names.
	{"gas-funding", ledger.Account, planted, fundGas(byHelper), 3, []playingCourse{fundGas(byHelper), fundGas(byExchange)}},
	// A service pays its customer's fees; or somebody gets gas, and sends his tokens half a day later.
	{"gas-top-up", ledger.Account, planted, topUpGas(1_500), 3, []playingCourse{topUpGas(1_500), topUpGas(40_000)}},
	// Players of a lottery, who pay from no deposit wallets.
	{"hot-wallet", ledger.Account, 2, hotWallet(60), 2, []playingCourse{hotWallet(0)}},
	// A market maker; somebody who crosses twice; somebody who tries three bridges.
	{"bridge-spraying", ledger.Account, planted, cross(0, 0, 0, 0), 2, []playingCourse{cross(0, 0, 0), cross(1, 1), cross(0, 1, 2)}},
	// A shop at which the thieves of two cases buy; a shop at which one thief buys twice.
	{"commingling", ledger.Account, planted, meet, 3, []playingCourse{sell(0, 1), sell(0, 0)}},
	// The same on the chain of outputs: what the shop was paid is put together.
	{"commingled-transaction", ledger.UTXO, planted, bringTogether(0, 1), 3, []playingCourse{bringTogether(0, 1), bringTogether(0, 0)}},
	// A firm whose coins pass through five custodians; a chain of brokers of whom each
	// keeps a tenth; three custodians.
	{"layering", ledger.Account, planted, launder, 2, []playingCourse{relay(5, 995_000), relay(5, 900_000), relay(3, 995_000)}},
	// A trader whose coins come back after two changes; after one; after two, in two months.
	{"round-trip", ledger.Account, planted, circle(2, 7_200), 2, []playingCourse{circle(2, day), circle(1, day), circle(2, 15*day)}},
}

// coursePlan is how often a pattern is played, and by whom.
type coursePlan struct {
	pattern string
	family  ledger.Family // of the chain
	planted int           // by launderers
	play    playingCourse
	// alike are what innocent people do, so many of each: within the definition or just
	// outside.
	each  int
	alike []playingCourse
}

type playingCourse = func(c *course)

// planting plays courses.
type planting struct {
	o        *owned
	batches  batchesOfAccount
	random   *rand.Rand
	serial   int // of people
	thefts   []*robbery
	payers   []string // who pay into hot wallets, and are paid by them
	bridges  []string
	exchange string // of newcomers
	spreader string // a contract that pays many
}

// course is one pattern while it is played.
type course struct {
	*planting
	actor string
	begin int64
	txs   []string
}

// plant arranges the courses.
func (o *owned) plant() {
	batches, ok := o.ledger.(batchesOfAccount)
	if !ok {
		o.fail(fmt.Errorf("scenario owners needs a ledger that pays many at once"))
		return
	}
	p := &planting{o: o, batches: batches, random: rand.New(rand.NewPCG(o.Seed, 0x706c616e)), spreader: o.accounts.Account("spreader", 0)} //nolint:gosec // a replay must repeat
	p.thefts = []*robbery{p.robbery("north"), p.robbery("south")}
	p.exchange = o.account("exchange of newcomers")
	o.rich(p.exchange, milliEther(50_000), nil)
	o.label(o.accounts.Chain(), p.exchange, "service", "exchange of newcomers")
	for i := range 3 {
		bridge := fmt.Sprintf("bridge %d", i)
		p.bridges = append(p.bridges, o.account(bridge))
		o.label(o.accounts.Chain(), p.bridges[i], "in-transit", bridge)
	}
	for range payersOfHotWallets {
		payer := p.somebody()
		o.rich(payer, milliEther(1), dollars(10_000))
		p.payers = append(p.payers, payer)
	}
	for i := range courses {
		for n := range courses[i].planted + courses[i].each*len(courses[i].alike) {
			p.run(&courses[i], n)
		}
	}
	p.dusted()
	for _, r := range p.thefts {
		p.rob(r)
	}
}

// run arranges one course: launderers come first.
func (p *planting) run(plan *coursePlan, n int) {
	owner, play, chain := fmt.Sprintf("launderer by %s %d", plan.pattern, n), plan.play, p.o.accounts.Chain()
	innocent := n >= plan.planted
	if innocent {
		owner, play = fmt.Sprintf("innocent with %s %d", plan.pattern, n), plan.alike[(n-plan.planted)/plan.each]
	}
	c := &course{planting: p, begin: p.moment(10, 40)}
	if plan.family == ledger.UTXO {
		chain, c.actor = p.o.outputs.Chain(), p.o.fresh(owner, ledger.P2WPKH)
	} else {
		c.actor = p.o.account(owner)
	}
	play(c)
	p.o.at(ownedFrom+(ownedDays+230)*day, func() {
		p.o.Conducts = append(p.o.Conducts, Conduct{plan.pattern, string(chain), c.actor, innocent, c.txs})
	})
}

// moment is a time in the days from one to another.
func (p *planting) moment(from, to int64) int64 {
	return ownedFrom + from*day + p.random.Int64N((to-from)*day)
}

// some is an amount of thousandths.
func (p *planting) some(from, width int64) *big.Int { return milliEther(from + p.random.Int64N(width)) }

// somebody is an account of somebody new. Whoever helps has an owner of his own, as
// hired people are, so that no rule about owners is measured by them.
func (p *planting) somebody() string {
	p.serial++
	return p.o.account(fmt.Sprintf("helper %d", p.serial))
}

// helper is somebody new who had ether, and of a token.
func (p *planting) helper(token string, amount *big.Int) string {
	account := p.somebody()
	p.o.rich(account, milliEther(500), nil)
	if token != "" {
		p.o.accounts.Grant(account, token, amount)
	}
	return account
}

// at lets something happen some seconds after the course began.
func (c *course) at(after int64, what func()) { c.o.at(c.begin+after, what) }

func (c *course) record(tx string) { c.txs = append(c.txs, tx) }

// pays arranges a payment that belongs to the pattern.
func (c *course) pays(after int64, from, to, token string, amount *big.Int) {
	c.at(after, func() { c.o.note(c.record, from, to, token, amount) })
}

// paid does not record: what happens beside the pattern.
func (c *course) paid(after int64, from, to, token string, amount *big.Int) {
	c.at(after, func() { c.o.note(func(string) {}, from, to, token, amount) })
}

// gas arranges that the actor and one more get ether through a contract that pays many.
// Payments by hand are what the rules about who funds whom are measured by.
func (c *course) gas(after int64, amount *big.Int) {
	from, to := c.helper("", nil), []string{c.actor, c.somebody()}
	c.at(after, func() {
		sent, err := c.batches.Spread(from, c.spreader, amount, to)
		if err != nil {
			c.o.fail(err)
		}
		c.record(sent.ID)
	})
}

func byHelper(c *course) { c.gas(0, c.some(20, 100)) }

func byExchange(c *course) {
	c.pays(0, c.exchange, c.actor, "", c.some(20, 100))
}

// fundGas gives an account its first ether, with which it does something within two days.
func fundGas(by playingCourse) playingCourse {
	return func(c *course) {
		by(c)
		c.paid(3_600+c.random.Int64N(day), c.actor, c.somebody(), "", milliEther(5))
	}
}

// topUpGas gives ether to an account that has dollars and nothing else, and sends them
// so many seconds later at the latest, half of that at the earliest.
func topUpGas(most int64) playingCourse {
	return func(c *course) {
		amount := dollars(500 + c.random.Int64N(1_000))
		c.paid(0, c.helper("usdt", amount), c.actor, "usdt", amount)
		c.gas(day, c.o.fee(2*gasToken))
		c.pays(day+most/2+c.random.Int64N(most/2), c.actor, c.somebody(), "usdt", amount)
	}
}

// cross pays into bridges, by number, a quarter of an hour apart.
func cross(bridges ...int) playingCourse {
	return func(c *course) {
		c.o.rich(c.actor, milliEther(50_000), nil)
		for i, bridge := range bridges {
			c.pays(int64(i)*900, c.actor, c.bridges[bridge], "", c.some(1_000, 5_000))
		}
	}
}

// launder sends money through four to seven hired accounts.
func launder(c *course) { relay(4+c.random.IntN(4), 985_000)(c) }

// relay sends coins through so many accounts, of which each sends so many millionths on,
// some hours later.
func relay(hops int, kept int64) playingCourse {
	return func(c *course) {
		const token = "steth"
		amount, from, after := c.some(20_000, 60_000), c.actor, int64(0)
		c.o.rich(from, milliEther(500), nil)
		c.o.accounts.Grant(from, token, milliEther(100_000))
		for range hops + 1 {
			to := c.helper("", nil)
			c.pays(after, from, to, token, amount)
			from, amount, after = to, part(amount, kept), after+3_600+c.random.Int64N(7*3_600)
		}
	}
}

// circle sends coins to somebody, who changes them; to a second one, who changes them
// back if two changes are asked for; and from there home. Between any two steps lie so
// many seconds.
func circle(changes int, seconds int64) playingCourse {
	return func(c *course) {
		amount, first, second := c.some(20_000, 60_000), c.helper("", nil), c.helper("", nil)
		c.o.rich(c.actor, milliEther(500), nil)
		c.o.accounts.Grant(c.actor, "steth", milliEther(100_000))
		c.pays(0, c.actor, first, "steth", amount)
		other := part(amount, 940_000)
		c.swap(seconds, first, Leg{"steth", amount}, Leg{"meth", other})
		c.pays(2*seconds, first, second, "meth", other)
		if changes == 1 {
			c.pays(3*seconds, second, c.actor, "meth", other)
			return
		}
		back := part(amount, 990_000)
		c.swap(3*seconds, second, Leg{"meth", other}, Leg{"steth", back})
		c.pays(4*seconds, second, c.actor, "steth", back)
	}
}

func (c *course) swap(after int64, trader string, give, get Leg) {
	c.at(after, func() {
		sent, err := c.o.accounts.Swap(trader, give, get)
		if err != nil {
			c.o.fail(err)
		}
		c.record(sent.ID)
	})
}
