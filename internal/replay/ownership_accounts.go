package replay

import (
	"fmt"
	"math/big"
	"slices"
)

// client is one person with accounts.
type client struct {
	owner    string
	accounts []string       // the first is the main one
	deposits map[int]string // by exchange
	friend   *client        // who pays for him at times
	banks    [2]int         // the exchanges that he uses
}

// exchange is a service on the account chain.
type exchange struct {
	owner           string
	hot, gasStation string
	listed          bool
	batches         bool // collects several receipts at once
	tokens          map[string]bool
}

// milliEther is thousandths of an ether in wei.
func milliEther(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }

// dollars are units of USDT.
func dollars(n int64) *big.Int { return big.NewInt(n * 1_000_000) }

// account is the address of an owner.
func (o *owned) account(owner string) string {
	o.serial["account of "+owner]++
	address := o.accounts.Account("account of "+owner, o.serial["account of "+owner])
	o.Owners[address] = owner
	return address
}

// rich gives an account something that it had before everything began.
func (o *owned) rich(account string, ether *big.Int, usdt *big.Int) {
	o.accounts.Grant(account, "", ether)
	if usdt != nil {
		o.accounts.Grant(account, "usdt", usdt)
	}
}

// move sends value if there is enough of it, and says so.
func (o *owned) move(from, to, token string, amount *big.Int) (string, bool) {
	fee, need := o.fee(gasSend), new(big.Int).Set(amount)
	if token != "" {
		fee = o.fee(gasToken)
		if o.ledger.Balance(from, token).Cmp(amount) < 0 {
			return "", false
		}
		need.SetInt64(0)
	}
	if o.ledger.Balance(from, "").Cmp(need.Add(need, fee)) < 0 || amount.Sign() <= 0 {
		return "", false
	}
	sent, err := o.accounts.Send(from, to, token, amount)
	if err != nil {
		o.fail(err)
	}
	return sent.ID, err == nil
}

// rest is what an account can send of ether.
func (o *owned) rest(account string) *big.Int {
	return less(o.ledger.Balance(account, ""), o.fee(gasSend))
}

// playAccounts arranges what happens on the account chain.
func (o *owned) playAccounts() {
	for i := range 4 {
		e := &exchange{owner: fmt.Sprintf("exchange %d", i), listed: i < 3, batches: i == 1, tokens: map[string]bool{}}
		e.hot, e.gasStation = o.account(e.owner), o.account(e.owner)
		o.rich(e.hot, milliEther(100_000_000), dollars(100_000_000))
		o.rich(e.gasStation, milliEther(1_000_000), nil)
		if e.listed {
			o.label(o.accounts.Chain(), e.hot, "service", e.owner)
		}
		o.exchanges = append(o.exchanges, e)
	}
	for i := range 3 { // thieves whose accounts have signed something
		account := o.account(fmt.Sprintf("phisher %d", i))
		o.rich(account, milliEther(100), nil)
		o.phishers = append(o.phishers, account)
		o.at(ownedFrom+day, func() { o.move(account, o.any().accounts[0], "", milliEther(1)) })
	}
	faucet, shop := o.account("faucet"), o.account("gas shop")
	o.rich(faucet, milliEther(1_000_000), nil)
	o.rich(shop, milliEther(1_000_000), nil)
	for i := range clients {
		o.client(fmt.Sprintf("client %d", i))
	}
	for i := range 600 { // a crowd at the faucet
		o.at(o.sometime(0, ownedDays), func() { o.visit(faucet, fmt.Sprintf("visitor %d", i)) })
	}
	for _, c := range o.clients {
		c.friend = o.clients[o.random.IntN(len(o.clients))]
		for range o.random.IntN(4) {
			o.at(o.sometime(2, ownedDays-5), func() { o.open(c, faucet, shop) })
		}
	}
	o.times(1_800, 3, o.deposit)
	o.times(600, 3, o.transfer)
	o.times(200, 20, o.withdraw)
	o.times(160, 10, o.approve)
	o.times(120, 10, o.topUp)
	o.times(60, 10, o.make)
	o.times(40, 10, o.likeDeposit)
	o.unlisted()
	o.conducts()
}

// client begins a person: six in ten had ether before, the others get it from an exchange.
func (o *owned) client(owner string) {
	c := &client{owner: owner, accounts: []string{o.account(owner)}, deposits: map[int]string{}, banks: [2]int{o.random.IntN(len(o.exchanges)), o.random.IntN(len(o.exchanges))}}
	o.clients = append(o.clients, c)
	if o.chance(600) {
		o.rich(c.accounts[0], milliEther(10_000+o.random.Int64N(40_000)), dollars(o.random.Int64N(20_000)))
		return
	}
	e := o.exchanges[o.random.IntN(len(o.exchanges))]
	o.at(o.sometime(0, 2), func() { o.move(e.hot, c.accounts[0], "", milliEther(8_000+o.random.Int64N(9_000))) })
}

func (o *owned) visit(faucet, visitor string) {
	account := o.account(visitor)
	o.move(faucet, account, "", milliEther(20))
	o.after(600+o.random.Int64N(2*day), func() {
		o.move(account, o.any().accounts[0], "", milliEther(5))
	})
}

func (o *owned) any() *client { return o.clients[o.random.IntN(len(o.clients))] }

// some is one of a person's accounts, the main one mostly.
func (o *owned) some(c *client) string {
	if o.chance(600) {
		return c.accounts[0]
	}
	return c.accounts[o.random.IntN(len(c.accounts))]
}

// open begins another account of a person. Its first gas is his own, an exchange's, a
// friend's, a faucet's or a small shop's that no label names.
func (o *owned) open(c *client, faucet, shop string) {
	account := o.account(c.owner)
	from, amount := c.accounts[0], milliEther(10+o.random.Int64N(190))
	if o.chance(150) {
		amount = milliEther(300 + o.random.Int64N(2_000))
	}
	switch sort := o.random.IntN(100); {
	case sort < 45:
	case sort < 73:
		from = o.exchanges[o.random.IntN(len(o.exchanges))].hot
	case sort < 85:
		from = c.friend.accounts[0]
	case sort < 93:
		from = faucet
	default:
		from = shop
	}
	if _, ok := o.move(from, account, "", amount); !ok {
		return
	}
	c.accounts = append(c.accounts, account)
	wait := 3_600 + o.random.Int64N(30*3_600)
	if o.chance(150) {
		wait += 4 * day
	}
	o.after(wait, func() {
		o.move(account, o.some(o.any()), "", new(big.Int).Div(o.rest(account), big.NewInt(3)))
	})
	o.after(wait+day, func() { // the person fills it
		o.move(c.accounts[0], account, "", milliEther(1_000+o.random.Int64N(3_000)))
	})
}

// depositAt is a person's address at an exchange.
func (o *owned) depositAt(c *client, which int) string {
	e := o.exchanges[which]
	if c.deposits[which] == "" {
		c.deposits[which] = o.account(e.owner)
		o.Deposits[c.deposits[which]] = e.owner
	}
	return c.deposits[which]
}

// deposit pays into a person's address at an exchange: mostly he himself, at times a
// friend or somebody who owes him. The exchange sweeps it.
func (o *owned) deposit() {
	c := o.any()
	which := c.banks[o.random.IntN(2)]
	to, from := o.depositAt(c, which), o.some(c)
	switch sort := o.random.IntN(1000); {
	case sort < 30:
		from = o.some(c.friend)
	case sort < 45:
		from = o.some(o.any())
	}
	e := o.exchanges[which]
	if o.chance(300) {
		if _, ok := o.move(from, to, "usdt", dollars(50+o.random.Int64N(2_000))); ok {
			o.after(600+o.random.Int64N(6*3_600), func() { o.sweepToken(e, to) })
		}
		return
	}
	if _, ok := o.move(from, to, "", milliEther(50+o.random.Int64N(3_000))); !ok {
		return
	}
	wait := 600 + o.random.Int64N(6*3_600)
	if e.batches {
		wait += 3 * day
	}
	o.after(wait, func() { o.move(to, e.hot, "", o.rest(to)) })
}

// sweepToken pays for the gas of a deposit address and collects its tokens.
func (o *owned) sweepToken(e *exchange, deposit string) {
	o.move(e.gasStation, deposit, "", o.fee(gasToken))
	o.after(slot*5, func() { o.move(deposit, e.hot, "usdt", o.ledger.Balance(deposit, "usdt")) })
}

// transfer moves ether between accounts of one person, or to somebody.
func (o *owned) transfer() {
	c := o.any()
	to := o.some(o.any())
	if o.chance(400) {
		to = c.accounts[len(c.accounts)-1]
	}
	if from := o.some(c); from != to {
		o.move(from, to, "", milliEther(10+o.random.Int64N(500)))
	}
}

// withdraw pays a person out of an exchange.
func (o *owned) withdraw() {
	e, c := o.exchanges[o.random.IntN(len(o.exchanges))], o.any()
	token, amount := "", milliEther(200+o.random.Int64N(3_000))
	if o.chance(300) {
		token, amount = "usdt", dollars(100+o.random.Int64N(3_000))
	}
	o.move(e.hot, o.some(c), token, amount)
}

// approve lets an account spend tokens: half are a person's own second account, a quarter
// a contract, an eighth a friend's account, the rest a thief's who phished it.
func (o *owned) approve() {
	c := o.any()
	owner, spender := c.accounts[0], ""
	switch sort := o.random.IntN(100); {
	case sort < 50 && len(c.accounts) > 1:
		spender = c.accounts[1]
	case sort < 75:
		spender = o.accounts.Account("exchange router", 0)
	case sort < 87:
		spender = c.friend.accounts[0]
	default:
		spender = o.phishers[o.random.IntN(len(o.phishers))]
	}
	if owner == spender || o.ledger.Balance(owner, "").Cmp(o.fee(gasToken)) < 0 {
		return
	}
	if _, err := o.ledger.Approve(owner, spender, "usdt", dollars(1_000_000)); err != nil {
		o.fail(err)
	}
}

// topUp gives gas to an account that has tokens and nothing else, so that they can move.
func (o *owned) topUp() {
	c := o.any()
	account := o.account(c.owner)
	if _, ok := o.move(o.exchanges[0].hot, account, "usdt", dollars(500+o.random.Int64N(1_000))); !ok {
		return
	}
	from := c.accounts[0]
	switch sort := o.random.IntN(100); {
	case sort < 60:
	case sort < 80:
		from = c.friend.accounts[0]
	default:
		from = o.exchanges[o.random.IntN(len(o.exchanges))].hot
	}
	o.after(day, func() {
		if _, ok := o.move(from, account, "", o.fee(2*gasToken)); ok {
			o.after(300+o.random.Int64N(2_000), func() { o.move(account, o.some(o.any()), "usdt", o.ledger.Balance(account, "usdt")) })
		}
	})
}

// make makes a contract: a person's own, or his safe by a factory that many use.
func (o *owned) make() {
	c := o.any()
	from := c.accounts[0]
	if o.ledger.Balance(from, "").Cmp(o.fee(gasSwap)) < 0 {
		return
	}
	creator := from
	if o.chance(500) {
		creator = o.accounts.Account("factory", 0)
	}
	o.contracts++
	contract := o.accounts.Account("contract", o.contracts)
	o.Owners[contract] = c.owner
	if _, err := o.ledger.Create(from, creator, contract); err != nil {
		o.fail(err)
	}
}

// likeDeposit is a person who sends all that an account gets to an exchange by hand.
func (o *owned) likeDeposit() {
	c, e := o.any(), o.exchanges[o.random.IntN(3)]
	account := o.account(c.owner)
	if _, ok := o.move(o.some(o.any()), account, "", milliEther(300+o.random.Int64N(900))); ok {
		o.after(3_600+o.random.Int64N(day), func() { o.move(account, e.hot, "", o.rest(account)) })
	}
}

// unlisted is a payment processor that no label names: 1,100 shops, an address for each,
// and one wallet into which all is collected. A tenth of the shops have many customers.
func (o *owned) unlisted() {
	const shops = 1_100
	processor := "processor"
	wallet := o.account(processor)
	for i := range max(shops/int(o.Thin), 1) {
		address := o.account(processor)
		o.Deposits[address] = processor
		customers := 1
		if i%10 == 0 {
			customers = 6
		}
		for range customers {
			o.at(o.sometime(1, ownedDays-1), func() { o.buy(address, wallet) })
		}
	}
}

func (o *owned) buy(address, wallet string) {
	o.people++
	shopper := o.account(fmt.Sprintf("shopper %d", o.people))
	o.rich(shopper, milliEther(400), nil)
	if _, ok := o.move(shopper, address, "", milliEther(30+o.random.Int64N(200))); ok {
		o.after(600+o.random.Int64N(20*3_600), func() { o.move(address, wallet, "", o.rest(address)) })
	}
}

// conduct notes a pattern that was planted.
func (o *owned) conduct(pattern, subject string, innocent bool, txs []string) {
	o.Conducts = append(o.Conducts, Conduct{pattern, string(o.accounts.Chain()), subject, innocent, slices.Clone(txs)})
}
