package mixes

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

var poolSizes = []uint64{100_000, 1_000_000, 5_000_000, 50_000_000}

// whirlpool plays a mix of five.
func whirlpool(m *maker) { m.whirlpool(poolSizes[m.random.IntN(len(poolSizes))], 5) }

// whirlpoolSurge plays a mix with more remixers.
func whirlpoolSurge(m *maker) {
	m.whirlpool(poolSizes[m.random.IntN(len(poolSizes))], m.between(6, 10))
}

// whirlpoolElsewhere plays one in a pool that the rules do not know.
func whirlpoolElsewhere(m *maker) { m.whirlpool(500_000, 5) }

// whirlpool plays a mix: entrants bring the fee, remixers bring the pool's size.
func (m *maker) whirlpool(size uint64, n int) {
	m.height(575_000, 840_000)
	surplus := m.sats(105, 40_000)
	entrants := m.between(1, 4)
	for i := range n {
		value := size
		if i < entrants {
			value += surplus
			if m.one(3) {
				surplus = m.sats(105, 40_000)
			}
		}
		m.spend(m.owner(), value, m.address(ledger.P2WPKH))
		m.pay(size, m.address(ledger.P2WPKH))
	}
	m.shuffle()
}

// tx0 cuts one owner's coins for Whirlpool.
func tx0(m *maker) {
	m.height(575_000, 840_000)
	m.made.Entry = true
	at := m.random.IntN(len(poolSizes))
	size, fee := poolSizes[at], []uint64{5_000, 50_000, 175_000, 1_750_000}[at]
	coins, surplus := m.between(1, 30), m.sats(150, 12_000)
	if m.one(8) {
		fee /= 4 // a coupon, which the rule does not know
	}
	me := m.owner()
	change := m.fund(me, uint64(coins)*(size+surplus)+fee+2_000, m.between(1, 5), ledger.P2WPKH)
	for range coins {
		m.pay(size+surplus, m.address(ledger.P2WPKH))
	}
	m.pay(fee, m.address(ledger.P2WPKH))
	if change > 1_000 {
		m.pay(change, m.address(ledger.P2WPKH))
	}
	m.data()
	slices.SortStableFunc(m.made.Tx.Outputs, func(a, b ledger.Output) int { return cmp.Compare(a.Value, b.Value) })
}

// coordinator is the address that rounds of Wasabi 1 paid at first,
// bc1qs604c7jv6amk4cxqlnvuxv26hv3e48cds4m0ew.
var coordinator = ledger.NewAddress(ledger.P2WPKH, []byte("\x86\x9f\x5c\x7a\x4c\xd7\x77\x6a\xe0\xc0\xfc\xd9\xc3\x31\x5a\xbb\x23\x9a\x9f\x0d"))

// wasabi1Early plays a round on one level, paying the coordinator's address.
func wasabi1Early(m *maker) {
	m.height(535_000, 609_000)
	base := m.sats(9_950_000, 10_400_000)
	if m.one(4) {
		base = m.sats(2_000_000, 9_000_000) // other bases were tried
	}
	m.wasabi1(base, m.between(5, 60), coordinator)
}

// wasabi1 plays a later round, whose base grew, on several levels.
func wasabi1(m *maker) {
	m.height(610_000, 750_000)
	m.wasabi1(m.sats(9_950_000, 11_200_000), m.between(8, 90), m.address(ledger.P2WPKH))
}

func (m *maker) wasabi1(base uint64, n int, fees ledger.Address) {
	levels := m.between(1, 5)
	for range n {
		me := m.owner()
		held := base + m.sats(1_000, base*uint64(m.between(1, 12)))
		change := m.fund(me, held, m.between(1, 4), ledger.P2WPKH) + held - base
		m.pay(base, m.address(ledger.P2WPKH))
		for level := 1; level < levels; level++ {
			if size := base << level; change > size {
				m.pay(size, m.address(ledger.P2WPKH))
				change -= size
			}
		}
		if spent := base/333 + 3_000; change > spent+1_000 {
			m.pay(change-spent, m.address(ledger.P2WPKH))
		}
	}
	if m.one(30) {
		last := len(m.made.Tx.Outputs) - 1 // somebody uses an address twice
		m.made.Tx.Outputs[last].Address = m.made.Tx.Outputs[0].Address
	}
	if !m.one(10) { // the coordinator's fee is left out where it would be dust
		m.pay(base/333*uint64(n), fees)
	}
	m.shuffle()
}

// standard are the values of WabiSabi from 5,000 satoshi, falling.
var standard = func() (list []uint64) {
	const most = 1 << 36
	for _, first := range []struct{ value, factor uint64 }{{1, 2}, {1, 3}, {2, 3}, {1, 10}, {2, 10}, {5, 10}} {
		for v := first.value; v < most; v *= first.factor {
			if v >= 5_000 {
				list = append(list, v)
			}
		}
	}
	slices.SortFunc(list, func(a, b uint64) int { return cmp.Compare(b, a) })
	return slices.Compact(list)
}()

// wasabi2 plays a round of the first coordinator.
func wasabi2(m *maker) {
	m.height(745_000, 845_000)
	m.wasabi2(m.between(12, 60), 50)
}

// wasabi2Small plays a round of a later coordinator, some smaller than the rules know.
func wasabi2Small(m *maker) {
	m.height(847_000, 930_000)
	m.wasabi2(m.between(3, 15), m.between(12, 40))
}

// wasabi2 plays a round of n owners with at least so many inputs: everybody's sum is
// paid out in values that the round favours, the greatest first; what is left is change.
func (m *maker) wasabi2(n, inputs int) {
	favoured := slices.DeleteFunc(slices.Clone(standard), func(uint64) bool { return m.one(2) })
	fees, charges := uint64(0), m.one(2)
	for i := 0; i < n || len(m.made.Tx.Inputs) < inputs; i++ {
		me, sum := m.owner(), uint64(0)
		for range m.between(1, 7) {
			value := m.sats(20_000, 400_000_000)
			if m.one(2) {
				value = standard[m.between(10, len(standard)-1)]
			}
			m.spend(me, value, m.address(m.segwit()))
			sum += value
		}
		sum -= min(sum, 3_000)
		if charges {
			fees += sum / 333
			sum -= sum / 333
		}
		m.decompose(sum, favoured)
	}
	if fees >= 5_000 {
		m.pay(fees, m.address(ledger.P2WPKH)) // the coordinator's
	}
	m.fall()
}

// segwit is one of the two kinds of address that WabiSabi knows.
func (m *maker) segwit() ledger.AddressKind {
	if m.one(2) {
		return ledger.P2TR
	}
	return ledger.P2WPKH
}

// decompose pays a sum in favoured values, and at times a change.
func (m *maker) decompose(sum uint64, favoured []uint64) {
	paid := 0
	for _, v := range favoured {
		for sum >= v && paid < 8 && !m.one(4) {
			m.pay(v, m.address(m.segwit()))
			sum -= v
			paid++
		}
	}
	if sum >= 5_000 && !m.one(3) {
		m.pay(sum, m.address(m.segwit()))
	}
}

// fall puts inputs and outputs in falling order.
func (m *maker) fall() {
	tx := &m.made.Tx
	order := make([]int, len(tx.Inputs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(tx.Inputs[b].Value, tx.Inputs[a].Value) })
	inputs, owners := slices.Clone(tx.Inputs), slices.Clone(m.made.Owners)
	for to, from := range order {
		tx.Inputs[to], m.made.Owners[to] = inputs[from], owners[from]
	}
	slices.SortStableFunc(tx.Outputs, func(a, b ledger.Output) int { return cmp.Compare(b.Value, a.Value) })
}

func joinMarket(m *maker) { m.joinMarket(m.between(3, 13), 0) }

// joinMarketPair is a join of two, which has the shape of a Stonewall.
func joinMarketPair(m *maker) { m.joinMarket(2, 0) }

// joinMarketOdd is a join in which changes are not paid, or an address is used twice.
func joinMarketOdd(m *maker) {
	m.joinMarket(m.between(3, 9), 3)
	if m.one(2) {
		last := len(m.made.Tx.Outputs) - 1
		m.made.Tx.Outputs[last].Address = m.made.Tx.Outputs[0].Address
	}
}

// joinMarket plays a join: makers earn a little, the taker pays for all, and sweeps at
// times. One change in so many is not paid; 0 is none.
func (m *maker) joinMarket(n, dropped int) {
	m.height(400_000, 930_000)
	kind := []ledger.AddressKind{ledger.P2SH, ledger.P2WPKH}[m.random.IntN(2)]
	amount := m.sats(200_000, 500_000_000)
	if m.one(3) {
		amount = amount/1_000_000*1_000_000 + 1_000_000
	}
	costs := uint64(2_000 * n)
	for i := range n {
		me := m.owner()
		m.pay(amount, m.address(kind))
		if i == 0 && m.one(4) { // the taker sweeps: the amount is what there is
			half := (amount + costs) / 2
			m.spend(me, half, m.address(kind))
			m.spend(me, amount+costs-half, m.address(kind))
			continue
		}
		need, earned := amount, m.sats(10, 1_500)
		if i == 0 {
			need, earned = amount+costs, 0
		}
		change := m.fund(me, need, 1+m.random.IntN(m.between(1, 5)), kind) + earned
		if change > 2_730 && (dropped == 0 || !m.one(dropped)) {
			m.pay(change, m.address(kind))
		}
	}
	m.shuffle()
}

// byHand is a join that people of some forum agreed on: no protocol's rules hold.
func byHand(m *maker) {
	m.height(280_000, 900_000)
	amount := uint64(m.between(1, 30)) * 10_000_000
	n := m.between(2, 6)
	for range n {
		change := m.fund(m.owner(), amount+5_000, m.between(1, 4), m.anyKind())
		if m.one(2) { // some split their change once more
			m.pay(change/3+1, m.address(m.anyKind()))
			change -= change/3 + 1
		}
		m.pay(change+1, m.address(m.anyKind()))
		m.pay(amount, m.address(m.anyKind()))
	}
	m.shuffle()
}
