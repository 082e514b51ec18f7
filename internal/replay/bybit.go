package replay

import (
	"math/big"
)

// The control totals of the case, as published. Times are Unix seconds.
const (
	theftTime = 1_740_147_215 // 2025-02-21T14:13:35Z, the Safe's pointer is replaced
	rateDay   = 1_740_182_400 // 2025-02-22T00:00:00Z, the first row of rates and days
)

// stolen is what left the cold wallet, in wei.
var stolen = []struct{ colour, token, amount string }{
	{"eth", "", "401346768858404671846374"},
	{"steth", "steth", "90375547907685258392043"},
	{"meth", "meth", "8000000000000000000000"},
	{"cmeth", "cmeth", "15000000000000000000000"},
}

// rates are the market's ether per bitcoin by day, in hundredths, from 22 February.
var rates = []int64{3494, 3412, 3637, 3559, 3618, 3674, 3770, 3881, 3740, 4011}

// emptied is how many tranches were emptied on each day from 22 February on.
var emptied = []int{3, 2, 4, 5, 7, 6, 2, 5, 10, 5}

// shares is where the ether of the tranches went by 4 March, in ether: THORChain,
// eXch, the OKX proxy as far as it could be traced, and the rest of it.
var shares = []struct {
	route string
	ether int64
}{{"thorchain", 361_255}, {"exch", 79_655}, {"okx traced", 16_680}, {"okx dark", 23_553}, {"mixer", 6_000}, {"frozen", 1_200}, {"held", 11_052}}

// What the bitcoin side did by 21 April, in bitcoin of 12,836: mixed, and back to
// ether.
const (
	mixedBitcoin = 944
	backBitcoin  = 531
	allBitcoin   = 12_836
)

// amounts and gaps are the transactions of one tranche as observed: (share in per
// mille, thousandths of an ether) and (share, seconds).
var (
	amounts = [][2]int64{{0, 12_000}, {100, 32_000}, {250, 50_100}, {500, 107_700}, {750, 200_600}, {900, 289_400}, {1000, 303_300}}
	gaps    = [][2]int64{{0, 12}, {250, 12}, {500, 24}, {750, 48}, {900, 204}, {1000, 2316}}
)

const victim = "bybit cold wallet"

// bybit plays the whole case.
func (w *World) bybit() {
	w.now = theftTime - 86_400
	w.at(w.now, func() { w.thor = newThorchain(w, w.scaled(big.NewInt(40_000_00000000)).Int64()) })
	if !w.Quiet {
		w.noise(w.now+60, 21)
	}
	w.labels()
	w.publish()
	w.at(theftTime, w.theft)
	for day := range 14 {
		w.at(theftTime+int64(day+1)*3*86_400+3600, func() { w.thor.churn() })
	}
	l := &launderer{World: w, spent: map[string]*big.Int{}, receivers: map[string]int{}}
	w.at(theftTime+900, l.moveTokens)
	w.at(theftTime+2556, func() { l.split(w.accounts.Account("receiver", 0), 0, 1, 0) })
	w.at(theftTime+5676, func() { l.split(w.accounts.Account("receiver", 0), 1, 39, 10) })
	w.at(theftTime+6648, func() { l.split(w.accounts.Account("second", 0), 40, 9, 6) })
	w.at(rateDay+9*86_400+56_579, func() { l.forward(w.accounts.Account("second", 0)) })
	l.schedule()
}

// labels says where a trace stops: what everybody knew by the end.
func (w *World) labels() {
	label := func(role string, n int, kind, entity string) {
		for i := range n {
			w.Labels = append(w.Labels, Label{string(w.accounts.Chain()), w.accounts.Account(role, i), kind, entity})
		}
	}
	label("exch deposit", services, "dark", "eXch")
	label("okx dark", services, "dark", "OKX web3 proxy")
	label("mixer", 1, "mixer", "Tornado Cash")
	for i := range services {
		w.Labels = append(w.Labels,
			Label{string(w.outputs.Chain()), w.outputs.Wallet("exchange", i), "service", "an exchange"},
			Label{string(w.outputs.Chain()), w.outputs.Wallet("mixer", i), "mixer", "CryptoMixer"})
	}
}

// services is how many deposit addresses a labelled service has in a replay.
const services = 40

// grant lets an account hold something clean from the next block on.
func (w *World) grant(account, token string, amount *big.Int) {
	w.accounts.Grant(account, token, amount)
	w.Truth.Grant(account, w.accounts.Token(token), amount)
}

// fee is what a transaction of so much gas costs.
func (*World) fee(gas int64) *big.Int { return big.NewInt(gas * (baseFee + tipFee)) }

// send sends value and books the truth.
func (w *World) send(from, to, token string, amount *big.Int, kind string) bool {
	sent, err := w.accounts.Send(from, to, token, amount)
	if err != nil {
		w.fail(err)
		return false
	}
	w.Truth.Move(from, to, w.accounts.Token(token), amount, kind)
	w.Truth.Fee(from, w.accounts.Token(""), &sent)
	return true
}

// swapped books a swap: what had to be sent before it, the trade, its fee.
func (w *World) swapped(trader string, give, get Leg, sent *Sent) {
	if sent.Before != nil {
		w.Truth.Fee(trader, w.accounts.Token(""), sent.Before)
	}
	w.Truth.Swap(trader, w.accounts.Token(give.Token), w.accounts.Token(get.Token), give.Amount, get.Amount)
	w.Truth.Fee(trader, w.accounts.Token(""), sent)
}

// theft empties the cold wallet.
func (w *World) theft() {
	from, to := w.accounts.Account(victim, 0), w.accounts.Account("receiver", 0)
	w.Victims = append(w.Victims, from)
	w.grant(from, "", big.NewInt(1e17)) // for gas; the thief pays none
	for _, s := range stolen {
		amount := w.scaled(number(s.amount))
		w.grant(from, s.token, amount)
		sent, err := w.accounts.Send(from, to, s.token, amount)
		if err != nil {
			w.fail(err)
			return
		}
		w.Truth.Steal(from, to, w.accounts.Token(s.token), "bybit-2025/"+s.colour, amount)
		w.Truth.Fee(from, w.accounts.Token(""), &sent)
		w.Thefts = append(w.Thefts, Theft{Colour: s.colour, Chain: string(w.accounts.Chain()), Asset: w.accounts.Token(s.token), Tx: sent.ID, To: to, Amount: amount})
		w.add("stolen "+s.colour, amount)
	}
}

// launderer is the group at work.
type launderer struct {
	*World
	routed    *big.Int
	spent     map[string]*big.Int // by route
	received  *big.Int            // satoshi that arrived from THORChain
	receivers map[string]int
	next      int
	wallets   int
	serial    int
	joining   []Coin // that wait for a coinjoin
}

// moveTokens sends the tokens on, sells them and hands the proceeds to the second
// address.
func (l *launderer) moveTokens() {
	w := l.World
	receiver, swapper, holder, second := w.accounts.Account("receiver", 0), w.accounts.Account("swapper", 0), w.accounts.Account("cmeth holder", 0), w.accounts.Account("second", 0)
	gas := new(big.Int).Mul(w.fee(gasSwap), big.NewInt(20))
	w.send(receiver, swapper, "", gas.Add(gas, w.ether(1000)), "")
	steth, meth := w.Truth.Balance(receiver, w.accounts.Token("steth")), w.Truth.Balance(receiver, w.accounts.Token("meth"))
	w.send(receiver, swapper, "steth", steth, "")
	w.send(receiver, swapper, "meth", meth, "")
	w.send(receiver, holder, "", w.fee(4*gasToken), "")
	w.send(receiver, holder, "cmeth", w.Truth.Balance(receiver, w.accounts.Token("cmeth")), "")
	// Nine sales of staked ether and three of mETH; the proceeds of each group are published.
	groups := []struct {
		sales    []Leg
		proceeds *big.Int
	}{
		{[]Leg{{"steth", w.ether(10_000_000)}}, w.ether(9_980_000)},
		{[]Leg{{"steth", w.ether(25_000_000)}, {"steth", w.ether(12_000_000)}, {"steth", w.ether(7_000_000)}, {"steth", w.ether(6_000_000)}}, w.ether(49_755_000)},
		{[]Leg{{"steth", w.ether(15_187_770)}, {"steth", w.ether(7_187_770)}, {"steth", w.ether(4_000_000)}, {"steth", nil}, {"meth", w.ether(1_000_000)}, {"meth", w.ether(3_500_000)}, {"meth", nil}}, w.scaled(number("38313794800000000000000"))},
	}
	for i, g := range groups {
		w.after(int64(i+1)*780, func() { l.sell(swapper, second, g.sales, g.proceeds) })
	}
	w.after(86_400, func() {
		w.send(holder, w.accounts.Account(victim, 0), "cmeth", w.Truth.Balance(holder, w.accounts.Token("cmeth")), "recovered")
	})
}

// sell sells pieces for proceeds in proportion; a piece without amount is the rest.
func (l *launderer) sell(swapper, second string, sales []Leg, proceeds *big.Int) {
	w := l.World
	sum := new(big.Int)
	for i := range sales {
		if sales[i].Amount == nil {
			sales[i].Amount = w.Truth.Balance(swapper, w.accounts.Token(sales[i].Token))
			for j := range i {
				if sales[j].Token == sales[i].Token {
					sales[i].Amount = less(sales[i].Amount, sales[j].Amount)
				}
			}
		}
		sum.Add(sum, sales[i].Amount)
	}
	got := new(big.Int)
	for i, s := range sales {
		get := new(big.Int).Mul(proceeds, s.Amount)
		get.Div(get, sum)
		if i == len(sales)-1 {
			get = less(proceeds, got)
		}
		got.Add(got, get)
		sent, err := w.accounts.Swap(swapper, s, Leg{"", get})
		if err != nil {
			w.fail(err)
			return
		}
		w.swapped(swapper, s, Leg{"", get}, &sent)
	}
	w.add("proceeds", proceeds)
	w.send(swapper, second, "", proceeds, "")
}

// split fills tranches of 10,000 ether, some seconds apart.
func (l *launderer) split(from string, first, n int, seconds int64) {
	for i := range n {
		l.after(int64(i)*seconds, func() {
			l.send(from, l.accounts.Account("tranche", first+i), "", l.ether(10_000_000), "")
		})
	}
}

// schedule empties the tranches on their days.
func (l *launderer) schedule() {
	tranche := 0
	for day, n := range emptied {
		for i := range n {
			at := rateDay + int64(day)*86_400 + 3600 + int64(i)*79_200/int64(n)
			which := tranche
			tranche++
			l.at(at, func() { l.empty(which) })
		}
	}
}

// empty sends a tranche out in transactions as they were observed; the last takes
// the exact rest.
func (l *launderer) empty(tranche int) {
	from := l.accounts.Account("tranche", tranche)
	left := less(l.Truth.Balance(from, l.accounts.Token("")), l.fee(gasSend))
	amount := l.ether(l.quantiles(amounts) * int64(l.Thin))
	last := new(big.Int).Add(amount, l.ether(15_000))
	if left.Cmp(last) <= 0 {
		amount = left
	}
	to := l.receiver(tranche)
	if !l.send(from, to, "", amount, "") {
		return
	}
	if !l.Quiet && l.chance(15) {
		l.poison(from, to)
	}
	if !l.Quiet && l.chance(10) {
		l.airdrop(to)
	}
	wait := 120 + l.random.Int64N(3600)
	l.after(wait, func() { l.forward(to) })
	if amount.Cmp(left) < 0 {
		l.after((l.quantiles(gaps)+slot-1)/slot*slot, func() { l.empty(tranche) })
	}
}

// receiver is the next address to be paid: 14 of 100 get several payments, and four
// are paid from two tranches.
func (l *launderer) receiver(tranche int) string {
	if tranche > 0 && tranche <= 4 && l.receivers["shared"] < 4 && l.chance(50) {
		l.receivers["shared"]++
		return l.accounts.Account("receiver of", tranche*10)
	}
	if l.chance(260) && l.next > 0 {
		return l.accounts.Account("receiver of", l.next)
	}
	l.next++
	return l.accounts.Account("receiver of", l.next)
}

// forward sends all that a receiver holds on, by the route that lags most behind its
// published share.
func (l *launderer) forward(from string) {
	native := l.accounts.Token("")
	balance := l.Truth.Balance(from, native)
	if balance.Cmp(new(big.Int).Mul(l.fee(gasSwap), big.NewInt(4))) < 0 {
		return
	}
	route := l.route(balance)
	l.add("routed "+route, balance)
	rest := less(balance, l.fee(gasSend))
	l.serial++
	switch route {
	case "thorchain":
		via := ""
		if l.chance(50) {
			via = l.accounts.Account("aggregator", 0)
		}
		l.thor.toBitcoin(from, l.wallet(), via, l.arrives, func() { l.after(600, func() { l.again(from) }) })
	case "okx traced":
		l.thor.toBitcoin(from, l.wallet(), l.accounts.Account("okx aggregator", 0), l.arrives, func() { l.after(600, func() { l.again(from) }) })
	case "exch":
		l.opaque(from, "dark", rest, l.outputs.Wallet("dark wallet", l.serial))
	case "okx dark":
		l.send(from, l.accounts.Account("okx dark", l.serial%services), "", rest, "dark")
	case "mixer":
		l.send(from, l.accounts.Account("mixer", 0), "", rest, "mixer")
	case "frozen":
		l.freeze(from, less(balance, l.fee(gasSwap)))
	}
}

// again puts a refund into THORChain once more.
func (l *launderer) again(from string) {
	l.thor.toBitcoin(from, l.wallet(), "", l.arrives, func() {})
}

// route is the route that is furthest behind its share.
func (l *launderer) route(amount *big.Int) string {
	if l.routed == nil {
		l.routed = new(big.Int)
	}
	l.routed.Add(l.routed, amount)
	best, most := "", new(big.Int)
	for _, s := range shares {
		due := new(big.Int).Mul(l.routed, big.NewInt(s.ether))
		due.Div(due, big.NewInt(499_395))
		if l.spent[s.route] == nil {
			l.spent[s.route] = new(big.Int)
		}
		if due.Sub(due, l.spent[s.route]); best == "" || due.Cmp(most) > 0 {
			best, most = s.route, due
		}
	}
	l.spent[best].Add(l.spent[best], amount)
	return best
}

// freeze buys dollars that their issuer freezes a day later.
func (l *launderer) freeze(from string, amount *big.Int) {
	dollars := new(big.Int).Div(new(big.Int).Mul(amount, big.NewInt(2_400)), big.NewInt(1e12))
	sent, err := l.accounts.Swap(from, Leg{"", amount}, Leg{"usdt", dollars})
	if err != nil {
		l.fail(err)
		return
	}
	l.swapped(from, Leg{"", amount}, Leg{"usdt", dollars}, &sent)
	l.after(86_400, func() {
		if _, err := l.accounts.Freeze("usdt", from); err != nil {
			l.fail(err)
			return
		}
		l.Truth.Freeze(from, l.accounts.Token("usdt"))
	})
}
