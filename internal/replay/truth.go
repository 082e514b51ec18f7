package replay

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"coldtrail/ledger"
)

// Truth keeps where every stolen unit is, for each of the five methods that
// conserve. It is written from the accounting rules alone and shares no code with
// the tracer: one slice of lots for each place, whole numbers of any size.
type Truth struct {
	account, output ledger.Chain
	models          []*model
}

// Methods are the methods that the truth is kept for.
var Methods = []string{"fifo", "lifo", "haircut", "seniority", "tiho"}

// NewTruth makes an empty truth over two chains.
func NewTruth(account, output ledger.Chain) *Truth {
	t := &Truth{account: account, output: output}
	for _, name := range Methods {
		t.models = append(t.models, &model{method: name, pools: map[string][]parcel{}, ended: map[End][2]*big.Int{}, stolen: map[string]*big.Int{}})
	}
	return t
}

// End is where stolen value ended up.
type End struct {
	Colour, Kind, Chain, Asset, At string
}

// Row is an End with its sums.
type Row struct {
	End
	Amount, Origin string
}

// parcel is an amount of one colour; clean ones have none.
type parcel struct {
	colour         string
	amount, origin *big.Int
}

// model is the truth for one method.
type model struct {
	method string
	pools  map[string][]parcel // by place
	ended  map[End][2]*big.Int
	stolen map[string]*big.Int
}

func clean(amount *big.Int) parcel { return parcel{"", new(big.Int).Set(amount), new(big.Int)} }

func total(list []parcel) *big.Int {
	sum := new(big.Int)
	for _, p := range list {
		sum.Add(sum, p.amount)
	}
	return sum
}

func dirty(list []parcel) bool {
	return slices.ContainsFunc(list, func(p parcel) bool { return p.colour != "" })
}

// put lets parcels arrive at a place.
func (m *model) put(place string, list []parcel) { m.pools[place] = m.join(m.pools[place], list) }

// join appends, or for haircut adds up by colour, clean last.
func (m *model) join(pool, list []parcel) []parcel {
	for _, p := range list {
		if p.amount.Sign() == 0 {
			continue
		}
		if m.method != "haircut" {
			pool = append(pool, p)
			continue
		}
		i := slices.IndexFunc(pool, func(have parcel) bool { return have.colour == p.colour })
		if i < 0 {
			pool = append(pool, parcel{p.colour, new(big.Int).Set(p.amount), new(big.Int).Set(p.origin)})
			slices.SortFunc(pool, func(a, b parcel) int {
				return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.colour, b.colour))
			})
			continue
		}
		pool[i] = parcel{p.colour, new(big.Int).Add(pool[i].amount, p.amount), new(big.Int).Add(pool[i].origin, p.origin)}
	}
	return pool
}

// rank puts clean parcels last.
func rank(p parcel) int {
	if p.colour == "" {
		return 1
	}
	return 0
}

// cut takes an amount off a parcel.
func cut(p parcel, amount *big.Int) (taken, rest parcel) {
	origin := new(big.Int).Mul(p.origin, amount)
	origin.Div(origin, p.amount)
	return parcel{p.colour, new(big.Int).Set(amount), origin}, parcel{p.colour, less(p.amount, amount), less(p.origin, origin)}
}

// draw takes an amount out of a pool by the method.
func (m *model) draw(pool []parcel, amount *big.Int) (taken, rest []parcel) {
	switch m.method {
	case "haircut":
		return drawShares(pool, amount)
	case "lifo":
		rest = slices.Clone(pool)
		left := new(big.Int).Set(amount)
		for left.Sign() > 0 && len(rest) > 0 {
			last := rest[len(rest)-1]
			if last.amount.Cmp(left) <= 0 {
				taken = append([]parcel{last}, taken...)
				rest = rest[:len(rest)-1]
				left.Sub(left, last.amount)
				continue
			}
			// What is drawn from the back of a parcel is its later part; a colour is alike throughout.
			piece, keep := cut(last, left)
			taken = append([]parcel{piece}, taken...)
			rest[len(rest)-1] = keep
			left.SetInt64(0)
		}
		return taken, rest
	case "seniority", "tiho":
		first := slices.DeleteFunc(slices.Clone(pool), func(p parcel) bool { return p.colour == "" })
		taken, firstRest := takeFront(first, amount)
		want := less(amount, total(taken))
		at := 0
		for _, p := range pool {
			switch {
			case p.colour != "":
				gone := len(first) - len(firstRest)
				if at >= gone {
					rest = append(rest, firstRest[at-gone])
				}
				at++
			case want.Sign() > 0 && p.amount.Cmp(want) <= 0:
				taken = append(taken, p)
				want.Sub(want, p.amount)
			case want.Sign() > 0:
				piece, keep := cut(p, want)
				taken, rest = append(taken, piece), append(rest, keep)
				want.SetInt64(0)
			default:
				rest = append(rest, p)
			}
		}
		return taken, rest
	}
	return takeFront(pool, amount)
}

func takeFront(pool []parcel, amount *big.Int) (taken, rest []parcel) {
	left := new(big.Int).Set(amount)
	for i, p := range pool {
		switch {
		case left.Sign() == 0:
			return taken, append(rest, pool[i:]...)
		case p.amount.Cmp(left) <= 0:
			taken = append(taken, p)
			left.Sub(left, p.amount)
		default:
			piece, keep := cut(p, left)
			taken, rest = append(taken, piece), append(rest, keep)
			left.SetInt64(0)
		}
	}
	return taken, rest
}

// drawShares gives every colour its share by the largest remainder.
func drawShares(pool []parcel, amount *big.Int) (taken, rest []parcel) {
	sum := total(pool)
	left := new(big.Int).Set(amount)
	quota, remainder := make([]*big.Int, len(pool)), make([]*big.Int, len(pool))
	for i, p := range pool {
		product := new(big.Int).Mul(amount, p.amount)
		quota[i], remainder[i] = new(big.Int), new(big.Int)
		quota[i].DivMod(product, sum, remainder[i])
		left.Sub(left, quota[i])
	}
	for ; left.Sign() > 0; left.Sub(left, big.NewInt(1)) {
		most := 0
		for i := range remainder {
			if remainder[i].Cmp(remainder[most]) > 0 {
				most = i
			}
		}
		quota[most].Add(quota[most], big.NewInt(1))
		remainder[most].SetInt64(-1)
	}
	for i, p := range pool {
		switch {
		case quota[i].Sign() == 0:
			rest = append(rest, p)
		case quota[i].Cmp(p.amount) == 0:
			taken = append(taken, p)
		default:
			piece, keep := cut(p, quota[i])
			taken, rest = append(taken, piece), append(rest, keep)
		}
	}
	return taken, rest
}

// take draws from a place; what it lacks is an error of the script.
func (m *model) take(place string, amount *big.Int) []parcel {
	pool := m.pools[place]
	if total(pool).Cmp(amount) < 0 {
		panic("replay: " + place + " has " + total(pool).String() + ", not " + amount.String())
	}
	taken, rest := m.draw(pool, amount)
	if len(rest) == 0 {
		delete(m.pools, place)
	} else {
		m.pools[place] = rest
	}
	return taken
}

// settle ends parcels for good.
func (m *model) settle(kind, chain, asset, at string, list []parcel) {
	for _, p := range list {
		if p.colour == "" {
			continue
		}
		key := End{p.colour, kind, chain, asset, at}
		have := m.ended[key]
		if have[0] == nil {
			have = [2]*big.Int{new(big.Int), new(big.Int)}
		}
		have[0].Add(have[0], p.amount)
		have[1].Add(have[1], p.origin)
		m.ended[key] = have
	}
}

// convert turns parcels into an amount of another asset by running totals.
func (m *model) convert(list []parcel, received *big.Int) (out, lost []parcel) {
	given, passed, paid := total(list), new(big.Int), new(big.Int)
	for _, p := range list {
		passed.Add(passed, p.amount)
		upTo := new(big.Int).Mul(received, passed)
		upTo.Div(upTo, given)
		q := parcel{p.colour, less(upTo, paid), p.origin}
		paid.Set(upTo)
		if q.amount.Sign() == 0 {
			if q.colour != "" {
				lost = append(lost, q)
			}
			continue
		}
		out = append(out, q)
	}
	return out, lost
}

// all applies to every method.
func (t *Truth) all(what func(*model)) {
	for _, m := range t.models {
		what(m)
	}
}

func (t *Truth) place(account, asset string) string { return account + " " + asset }

// Grant lets clean value be somewhere.
func (t *Truth) Grant(account, asset string, amount *big.Int) {
	t.all(func(m *model) { m.put(t.place(account, asset), []parcel{clean(amount)}) })
}

// Steal moves clean value and gives it a colour.
func (t *Truth) Steal(from, to, asset, colour string, amount *big.Int) {
	t.all(func(m *model) {
		m.take(t.place(from, asset), amount)
		m.put(t.place(to, asset), []parcel{{colour, new(big.Int).Set(amount), new(big.Int).Set(amount)}})
		m.count(colour, amount)
	})
}

func (m *model) count(colour string, amount *big.Int) {
	if m.stolen[colour] == nil {
		m.stolen[colour] = new(big.Int)
	}
	m.stolen[colour].Add(m.stolen[colour], amount)
}

// Move moves value between accounts. Where kind is not empty it ends there.
func (t *Truth) Move(from, to, asset string, amount *big.Int, kind string) {
	t.all(func(m *model) {
		list := m.take(t.place(from, asset), amount)
		if kind != "" {
			m.settle(kind, string(t.account), asset, to, list)
			return
		}
		m.put(t.place(to, asset), list)
	})
}

// Balance is what an account holds of an asset.
func (t *Truth) Balance(account, asset string) *big.Int {
	return total(t.models[0].pools[t.place(account, asset)])
}

// Fee ends what a sender paid.
func (t *Truth) Fee(payer, native string, s *Sent) {
	t.all(func(m *model) {
		m.settle("burned", string(t.account), native, payer, m.take(t.place(payer, native), s.Burned))
		m.settle("fee", string(t.account), native, payer, m.take(t.place(payer, native), s.Tip))
	})
}

// Swap turns one asset of an account into another, after what had to be sent first.
func (t *Truth) Swap(trader string, give, get string, given, got *big.Int) {
	t.all(func(m *model) {
		out, lost := m.convert(m.take(t.place(trader, give), given), got)
		m.settle("rounding", string(t.account), get, trader, lost)
		m.put(t.place(trader, get), out)
	})
}

// Share is a payment of a crossing: its amount, and whether it is a refund.
type Share struct {
	Amount *big.Int
	Refund bool
}

// Crossing is a deposit with the parcels of every payment to come, by method.
type Crossing struct{ shares [][][]parcel }

// cross hands deposited parcels out to payments: what is swapped draws first and is
// converted into the sum of the payments, refunds take the rest.
func (t *Truth) cross(deposit func(*model) []parcel, shares []Share, lostAt End) *Crossing {
	c := &Crossing{}
	t.all(func(m *model) {
		list := deposit(m)
		back, paid := new(big.Int), new(big.Int)
		for _, s := range shares {
			if s.Refund {
				back.Add(back, s.Amount)
			} else {
				paid.Add(paid, s.Amount)
			}
		}
		var swapped, rest []parcel
		if paid.Sign() == 0 {
			var lost []parcel
			rest, lost = m.convert(list, back)
			m.settle("rounding", lostAt.Chain, lostAt.Asset, lostAt.At, lost)
		} else {
			taken, left := m.draw(m.join(nil, list), less(total(list), back))
			rest = left
			var lost []parcel
			swapped, lost = m.convert(taken, paid)
			m.settle("rounding", lostAt.Chain, lostAt.Asset, lostAt.At, lost)
		}
		swapped, rest = m.join(nil, swapped), m.join(nil, rest)
		parts := make([][]parcel, len(shares))
		for i, s := range shares {
			if s.Refund {
				parts[i], rest = m.draw(rest, s.Amount)
			} else {
				parts[i], swapped = m.draw(swapped, s.Amount)
			}
		}
		c.shares = append(c.shares, parts)
	})
	return c
}

// DepositAccount takes a deposit from an account.
func (t *Truth) DepositAccount(from, asset string, amount *big.Int, shares []Share) *Crossing {
	return t.cross(func(m *model) []parcel { return m.take(t.place(from, asset), amount) }, shares, End{Chain: string(t.account), Asset: asset, At: from})
}

// InTransit ends a deposit that nobody pays for.
func (t *Truth) InTransit(from, asset string, amount *big.Int, vault string) {
	t.Move(from, vault, asset, amount, "in-transit")
}

// PayAccount lets payment number i of a crossing reach an account.
func (t *Truth) PayAccount(c *Crossing, i int, to, asset string) {
	for n, m := range t.models {
		m.put(t.place(to, asset), c.shares[n][i])
	}
}

// PayOutput lets payment number i of a crossing reach an output.
func (t *Truth) PayOutput(c *Crossing, i int, coin *Coin) {
	for n, m := range t.models {
		if dirty(c.shares[n][i]) {
			m.pools[outpoint(coin)] = c.shares[n][i]
		}
	}
}

func outpoint(c *Coin) string { return c.Tx.String() + ":" + big.NewInt(int64(c.Index)).String() }

// StealOutput gives a whole output a colour.
func (t *Truth) StealOutput(coin *Coin, colour string) {
	value := big.NewInt(coin.Value)
	t.all(func(m *model) {
		m.pools[outpoint(coin)] = []parcel{{colour, value, value}}
		m.count(colour, value)
	})
}

// Fate is what becomes of an output that does not stay spendable: where value ends
// by a label, or a deposit with its payments.
type Fate struct {
	Kind   string
	Shares []Share
}

// Spend spends outputs; fates names outputs whose value ends or crosses. It returns
// the crossing of the output that is a deposit, or nil.
func (t *Truth) Spend(txid string, coins, made []Coin, fates map[int]Fate) (crossing *Crossing) {
	asset := string(t.output.Native())
	tainted := slices.ContainsFunc(coins, func(c Coin) bool { return dirty(t.models[0].pools[outpoint(&c)]) })
	if !tainted {
		for i, f := range fates {
			if f.Shares != nil {
				return t.cross(func(*model) []parcel { return []parcel{clean(big.NewInt(made[i].Value))} }, f.Shares, End{})
			}
		}
		return nil
	}
	deposits := make([][]parcel, 0, len(t.models))
	var shares []Share
	at := ""
	t.all(func(m *model) {
		for i, list := range m.spend(txid, t.output, coins, made, fates) {
			deposits, shares, at = append(deposits, list), fates[i].Shares, outpoint(&made[i])
		}
	})
	if shares == nil {
		return nil
	}
	return t.cross(func(m *model) []parcel { return deposits[slices.Index(t.models, m)] }, shares, End{Chain: string(t.output), Asset: asset, At: at})
}

// spend draws the coins over what was made, and gives what reached a deposit.
func (m *model) spend(txid string, chain ledger.Chain, coins, made []Coin, fates map[int]Fate) map[int][]parcel {
	var pool []parcel
	for i := range coins {
		list := m.pools[outpoint(&coins[i])]
		if list == nil {
			list = []parcel{clean(big.NewInt(coins[i].Value))}
		}
		pool = m.join(pool, list)
		delete(m.pools, outpoint(&coins[i]))
	}
	order := make([]int, len(made))
	for i := range order {
		order[i] = i
	}
	if m.method == "tiho" {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(made[b].Value, made[a].Value) })
	}
	deposits := map[int][]parcel{}
	for _, i := range order {
		var list []parcel
		list, pool = m.draw(pool, big.NewInt(made[i].Value))
		f, special := fates[i]
		switch {
		case special && f.Shares != nil:
			deposits[i] = list
		case special:
			m.settle(f.Kind, string(chain), string(chain.Native()), outpoint(&made[i]), list)
		case dirty(list):
			m.pools[outpoint(&made[i])] = list
		}
	}
	m.settle("fee", string(chain), string(chain.Native()), txid, pool)
	return deposits
}

// Freeze ends what an account holds of a token.
func (t *Truth) Freeze(holder, asset string) {
	t.all(func(m *model) {
		m.settle("frozen", string(t.account), asset, holder, m.pools[t.place(holder, asset)])
		delete(m.pools, t.place(holder, asset))
	})
}

// Rows lists where everything is, for one method, sorted.
func (t *Truth) Rows(method string) []Row {
	m := t.models[slices.Index(Methods, method)]
	sums := map[End][2]*big.Int{}
	add := func(key End, amount, origin *big.Int) {
		have := sums[key]
		if have[0] == nil {
			have = [2]*big.Int{new(big.Int), new(big.Int)}
		}
		have[0].Add(have[0], amount)
		have[1].Add(have[1], origin)
		sums[key] = have
	}
	for key, sum := range m.ended {
		add(key, sum[0], sum[1])
	}
	for place, list := range m.pools {
		chain, at, asset := string(t.output), place, string(t.output.Native())
		if account, token, ok := strings.Cut(place, " "); ok {
			chain, at, asset = string(t.account), account, token
		}
		for _, p := range list {
			if p.colour != "" {
				add(End{p.colour, "held", chain, asset, at}, p.amount, p.origin)
			}
		}
	}
	rows := make([]Row, 0, len(sums))
	for key, sum := range sums {
		rows = append(rows, Row{key, sum[0].String(), sum[1].String()})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Colour, b.Colour), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Chain, b.Chain), strings.Compare(a.Asset, b.Asset), strings.Compare(a.At, b.At))
	})
	return rows
}

// Stolen is how much each colour took.
func (t *Truth) Stolen() map[string]*big.Int { return t.models[0].stolen }
