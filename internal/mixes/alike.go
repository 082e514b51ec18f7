package mixes

import (
	"slices"

	"coldtrail/ledger"
)

// round is an amount as people choose it.
func (m *maker) round() uint64 {
	return []uint64{100_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000}[m.random.IntN(9)]
}

// payment is what most transactions are, with many inputs and a pair of equal outputs at
// times.
func payment(m *maker) {
	m.height(300_000, 930_000)
	kind := m.anyKind()
	payees, total, value := 1, uint64(0), m.sats(10_000, 300_000_000)
	if m.one(6) {
		payees = m.between(2, 6)
	}
	for range payees {
		m.pay(value, m.address(m.anyKind()))
		total += value
		if !m.one(3) { // else the next is paid the same
			value = m.sats(10_000, 300_000_000)
		}
	}
	change := m.fund(m.owner(), total+3_000, m.between(1, 1+m.random.IntN(25)), kind)
	if change > 1_000 {
		m.pay(change, m.address(kind))
	}
	m.shuffle()
}

// exchangeBatch pays customers from one hot address; many of them ask for round sums.
func exchangeBatch(m *maker) {
	m.height(400_000, 930_000)
	m.batch(m.between(1, 4))
	for i := range m.made.Tx.Inputs {
		m.made.Tx.Inputs[i].Address = m.made.Tx.Inputs[0].Address
	}
}

// exchangeSweep pays customers straight from the deposits of others, so that the inputs
// have many scripts and one owner.
func exchangeSweep(m *maker) {
	m.height(400_000, 930_000)
	m.batch(m.between(10, 120))
}

// batch pays customers of one owner out of so many inputs.
func (m *maker) batch(inputs int) {
	kind := []ledger.AddressKind{ledger.P2WPKH, ledger.P2WPKH, ledger.P2SH, ledger.P2PKH}[m.random.IntN(4)]
	favourite := m.round()
	total := uint64(0)
	for range m.between(4, 60) {
		value := favourite
		if !m.one(3) {
			value = m.sats(50_000, 300_000_000)
		}
		total += value
		m.pay(value, m.address(m.anyKind()))
	}
	if m.one(4) { // everybody gets the same: a promotion
		total = 0
		for i := range m.made.Tx.Outputs {
			m.made.Tx.Outputs[i].Value = favourite
			total += favourite
		}
	}
	change := m.fund(m.owner(), total+20_000, inputs, kind)
	m.pay(change, m.address(kind))
}

// airdrop gives many the same small sum.
func airdrop(m *maker) {
	m.height(500_000, 930_000)
	value, n := m.sats(1_000, 100_000), m.between(20, 400)
	change := m.fund(m.owner(), value*uint64(n)+20_000, m.between(1, 3), ledger.P2WPKH)
	for range n {
		m.pay(value, m.address(m.anyKind()))
	}
	m.pay(change, m.address(ledger.P2WPKH))
}

// poolPayout pays miners, some of them the least sum that is paid.
func poolPayout(m *maker) {
	m.height(300_000, 930_000)
	least, total, n := m.round()/10, uint64(0), m.between(20, 300)
	for range n {
		value := least
		if !m.one(6) {
			value = m.sats(least, 200_000_000)
		}
		total += value
		m.pay(value, m.address(m.anyKind()))
	}
	m.pay(m.fund(m.owner(), total+20_000, m.between(1, 6), ledger.P2PKH), m.address(ledger.P2PKH))
}

// consolidation gathers coins into one or two.
func consolidation(m *maker) {
	m.height(300_000, 930_000)
	kind := m.anyKind()
	amount := m.sats(5_000_000, 2_000_000_000)
	change := m.fund(m.owner(), amount, m.between(5, 250), kind)
	if m.one(3) {
		m.pay(amount, m.address(kind))
	} else {
		amount += change
		change = 0
		m.pay(amount-min(amount, 50_000), m.address(kind))
	}
	if change > 1_000 {
		m.pay(change, m.address(kind))
	}
	if m.one(2) {
		m.fall()
	}
}

// mint makes many small equal outputs from few coins.
func mint(m *maker) {
	m.height(770_000, 930_000)
	value := []uint64{330, 546, 600, 10_000}[m.random.IntN(4)]
	n := m.between(5, 200)
	change := m.fund(m.owner(), value*uint64(n)+30_000, m.between(1, 4), ledger.P2TR)
	to := m.address(ledger.P2TR)
	for range n {
		if !m.one(2) {
			to = m.address(ledger.P2TR)
		}
		m.pay(value, to)
	}
	m.pay(change, m.address(ledger.P2TR))
}

// mintWide makes them from many addresses, to as many.
func mintWide(m *maker) {
	m.height(770_000, 930_000)
	n := m.between(5, 40)
	change := m.fund(m.owner(), 10_000*uint64(n)+30_000, n+m.between(0, 20), ledger.P2TR)
	for range n {
		m.pay(10_000, m.address(ledger.P2TR))
	}
	m.pay(change, m.address(ledger.P2TR))
}

// stonewall is one wallet that pays as if it were two.
func stonewall(m *maker) {
	m.height(500_000, 840_000)
	me, amount := m.owner(), m.sats(100_000, 200_000_000)
	for range 2 {
		change := m.fund(me, amount+2_000, m.between(1, 3), ledger.P2WPKH)
		m.pay(amount, m.address(ledger.P2WPKH))
		m.pay(change, m.address(ledger.P2WPKH))
	}
	m.shuffle()
}

// payJoin is a payment to which the payee adds a coin (BIP-78): two owners, and no
// outputs that are equal.
func payJoin(m *maker) {
	m.height(600_000, 930_000)
	amount, theirs := m.sats(10_000, 100_000_000), m.sats(10_000, 100_000_000)
	change := m.fund(m.owner(), amount+1_000, m.between(1, 3), ledger.P2WPKH)
	m.spend(m.owner(), theirs, m.address(ledger.P2WPKH))
	m.pay(amount+theirs, m.address(ledger.P2WPKH))
	m.pay(change, m.address(ledger.P2WPKH))
	m.shuffle()
}

// equalSplit is one owner who splits coins into equal ones, with one change.
func equalSplit(m *maker) {
	m.height(300_000, 930_000)
	value, n := m.round(), m.between(3, 25)
	change := m.fund(m.owner(), value*uint64(n)+5_000, m.between(1, 20), m.anyKind())
	for range n {
		m.pay(value, m.address(ledger.P2WPKH))
	}
	if change > 1_000 && !m.one(5) {
		m.pay(change, m.address(ledger.P2WPKH))
	}
}

// payees is one owner who pays n people the same and as many another sum each, from n
// coins: wages and expenses. Nothing tells it from JoinMarket but the sums.
func payees(m *maker) {
	m.height(400_000, 930_000)
	value, n := m.round(), m.between(3, 10)
	others := uint64(0)
	for range n - m.random.IntN(2) {
		v := m.sats(10_000, value)
		others += v
		m.pay(v, m.address(m.anyKind()))
	}
	for range n {
		m.pay(value, m.address(m.anyKind()))
	}
	m.fund(m.owner(), value*uint64(n)+others+5_000, n+m.between(0, 3), ledger.P2WPKH)
	m.shuffle()
}

// denominated is one owner who gathers coins that a WabiSabi round made, and pays in
// the same values.
func denominated(m *maker) {
	m.height(850_000, 930_000)
	me := m.owner()
	for range m.between(15, 60) {
		m.spend(me, standard[m.between(15, len(standard)-1)], m.address(ledger.P2WPKH))
	}
	sum := uint64(0)
	for i := range m.made.Tx.Inputs {
		sum += m.made.Tx.Inputs[i].Value
	}
	sum -= min(sum, 10_000)
	for _, v := range standard {
		if v > sum/4 || m.one(2) {
			continue
		}
		for range m.between(1, 5) {
			if sum >= v {
				m.pay(v, m.address(ledger.P2WPKH))
				sum -= v
			}
		}
		if len(m.made.Tx.Outputs) > 20 {
			break
		}
	}
	if sum >= 600 {
		m.pay(sum, m.address(ledger.P2WPKH))
	}
	m.fall()
}

// dataPayment writes a note and pays: outputs that may be in the range of an entry.
func dataPayment(m *maker) {
	m.height(500_000, 930_000)
	value := m.sats(546, 2_000_000)
	change := m.fund(m.owner(), value+1_000, m.between(1, 3), ledger.P2WPKH)
	m.data()
	m.pay(value, m.address(m.anyKind()))
	if change > 546 {
		m.pay(change, m.address(ledger.P2WPKH))
	}
}

// ownPool is one owner who moves coins out of a mix one by one into a wallet of theirs,
// in one transaction: the worst likeness of Whirlpool.
func ownPool(m *maker) {
	m.height(600_000, 840_000)
	size, me := poolSizes[m.random.IntN(len(poolSizes))], m.owner()
	for i := range 5 {
		value := size
		if i == 0 {
			value += m.sats(500, 5_000)
		}
		m.spend(me, value, m.address(ledger.P2WPKH))
		m.pay(size, m.address(ledger.P2WPKH))
	}
	slices.Reverse(m.made.Tx.Inputs)
}
