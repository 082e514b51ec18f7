// Package mixes makes transactions that mix coins, and others that only look so, with
// the truth of who owned each input. Rules that recognise coinjoins are measured on it.
//
// The same seed gives the same transactions. Frequencies are chosen so that every shape
// is seen often, not as they are on the chain: shares of errors say how a rule takes a
// shape, not how many of its findings on the chain are wrong. Among the mixes are some
// that no rule can see, and among the others some that fool every rule.
package mixes

import (
	"math/rand/v2"

	"coldtrail/ledger"
)

// Planted is a transaction and its truth.
type Planted struct {
	Tx     ledger.Resolved
	Truth  string // protocol, as coinjoin.Rule has it; empty where nothing is mixed
	Shape  string
	Entry  bool  // one owner makes coins for a later mix
	Owners []int // of each input
}

// Mixed says that coins of several owners are mixed in it.
func (p *Planted) Mixed() bool { return p.Truth != "" && !p.Entry }

// kind is a way to make a transaction.
type kind struct {
	shape  string
	truth  string
	weight int
	make   func(*maker)
}

// kinds are all of them. Those after the empty line mix nothing.
var kinds = []kind{
	{"whirlpool 5x5", "Whirlpool", 50, whirlpool},
	{"whirlpool surge", "Whirlpool", 10, whirlpoolSurge},
	{"whirlpool of another pool size", "Whirlpool", 3, whirlpoolElsewhere},
	{"whirlpool tx0", "Whirlpool", 20, tx0},
	{"wasabi1 round", "Wasabi 1", 40, wasabi1},
	{"wasabi1 round, first months", "Wasabi 1", 10, wasabi1Early},
	{"wasabi2 round", "Wasabi 2", 40, wasabi2},
	{"wasabi2 round, small", "Wasabi 2", 15, wasabi2Small},
	{"joinmarket", "JoinMarket", 50, joinMarket},
	{"joinmarket of two", "JoinMarket", 5, joinMarketPair},
	{"joinmarket, change dropped or shared", "JoinMarket", 4, joinMarketOdd},
	{"equal outputs by hand", "unknown", 8, byHand},

	{"payment", "", 40, payment},
	{"exchange batch", "", 40, exchangeBatch},
	{"exchange batch from many addresses", "", 20, exchangeSweep},
	{"airdrop", "", 20, airdrop},
	{"pool payout", "", 20, poolPayout},
	{"consolidation", "", 30, consolidation},
	{"mint", "", 20, mint},
	{"mint from many addresses", "", 5, mintWide},
	{"stonewall", "", 20, stonewall},
	{"payjoin", "", 20, payJoin},
	{"equal split", "", 20, equalSplit},
	{"equal split with changes", "", 5, payees},
	{"mixed wallet pays in standard values", "", 8, denominated},
	{"small data payment", "", 10, dataPayment},
	{"own coins in a pool's size", "", 2, ownPool},
}

// Generate makes n transactions.
func Generate(seed uint64, n int) []Planted {
	random := rand.New(rand.NewPCG(seed, 0x6d69786573)) //nolint:gosec // the same for everybody is the point
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	list := make([]Planted, n)
	for i := range list {
		at := random.IntN(total)
		k := 0
		for ; at >= kinds[k].weight; k++ {
			at -= kinds[k].weight
		}
		m := &maker{random: random, made: &list[i]}
		list[i] = Planted{Truth: kinds[k].truth, Shape: kinds[k].shape}
		kinds[k].make(m)
		m.finish()
	}
	return list
}

// maker makes one transaction.
type maker struct {
	random *rand.Rand
	made   *Planted
	owners int
}

// between draws a number from low to high, both included.
func (m *maker) between(low, high int) int { return low + m.random.IntN(high-low+1) }

// sats draws an amount from low to high, as often small as large.
func (m *maker) sats(low, high uint64) uint64 {
	for range m.random.IntN(4) {
		high = max(low, high/4)
	}
	return low + m.random.Uint64N(high-low+1)
}

// one is true once in n draws.
func (m *maker) one(n int) bool { return m.random.IntN(n) == 0 }

func (m *maker) height(low, high int) { m.made.Tx.Height = ledger.Height(m.between(low, high)) }

// address is a fresh address of a kind.
func (m *maker) address(kind ledger.AddressKind) ledger.Address {
	size := 20
	if kind == ledger.P2WSH || kind == ledger.P2TR {
		size = 32
	}
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(m.random.Uint32())
	}
	return ledger.NewAddress(kind, payload)
}

// anyKind draws a kind of address as payees have them.
func (m *maker) anyKind() ledger.AddressKind {
	return []ledger.AddressKind{ledger.P2WPKH, ledger.P2WPKH, ledger.P2PKH, ledger.P2SH, ledger.P2TR, ledger.P2WSH}[m.random.IntN(6)]
}

// owner begins an owner and gives their number.
func (m *maker) owner() int { m.owners++; return m.owners }

// spend adds an input of an owner.
func (m *maker) spend(owner int, value uint64, from ledger.Address) {
	m.made.Tx.Inputs = append(m.made.Tx.Inputs, ledger.Output{Value: value, Address: from})
	m.made.Owners = append(m.made.Owners, owner)
}

// pay adds an output.
func (m *maker) pay(value uint64, to ledger.Address) {
	m.made.Tx.Outputs = append(m.made.Tx.Outputs, ledger.Output{Value: value, Address: to})
}

// data adds an output that nobody owns.
func (m *maker) data() {
	m.made.Tx.Outputs = append(m.made.Tx.Outputs, ledger.Output{Unspendable: true})
}

// fund adds inputs of an owner that come to at least an amount, each from an address
// of its own but for some reuse, and gives what they are above it.
func (m *maker) fund(owner int, amount uint64, inputs int, kind ledger.AddressKind) (change uint64) {
	address := m.address(kind)
	sum := uint64(0)
	for i := range inputs {
		value := amount/uint64(inputs) + m.sats(1, amount/uint64(inputs)/2+1000)
		if i > 0 && !m.one(20) {
			address = m.address(kind)
		}
		m.spend(owner, value, address)
		sum += value
	}
	return sum - amount
}

// shuffle puts inputs and outputs in no order.
func (m *maker) shuffle() {
	tx := &m.made.Tx
	m.random.Shuffle(len(tx.Inputs), func(i, j int) {
		tx.Inputs[i], tx.Inputs[j] = tx.Inputs[j], tx.Inputs[i]
		m.made.Owners[i], m.made.Owners[j] = m.made.Owners[j], m.made.Owners[i]
	})
	m.random.Shuffle(len(tx.Outputs), func(i, j int) { tx.Outputs[i], tx.Outputs[j] = tx.Outputs[j], tx.Outputs[i] })
}

// unknownOne is how many transactions there are to one whose parents are partly or
// wholly missing.
const unknownOne = 20

// finish gives the transaction its identifier, and forgets parents now and then.
func (m *maker) finish() {
	for i := range m.made.Tx.ID {
		m.made.Tx.ID[i] = byte(m.random.Uint32())
	}
	if m.one(unknownOne) {
		all := m.one(2)
		for i := range m.made.Tx.Inputs {
			if all || m.one(3) {
				m.made.Tx.Inputs[i] = ledger.Output{}
			}
		}
	}
}
