package cluster_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
)

// truthSeed names the payments that the figures in docs/methods/change.md are of.
const truthSeed = 2009

// A wallet of the generator: how one owner pays.
type wallet struct {
	kind       ledger.AddressKind // of its addresses
	changeKind ledger.AddressKind
	returns    bool // change goes back to an input's address
	hoards     bool // spends more inputs than needed
	public     ledger.Address
	coins      []ledger.Output
}

// truth makes payments of which the change is known.
type truth struct {
	rng     *rand.Rand
	wallets []*wallet
	next    uint64
	txs     []*ledger.Resolved
	change  []int // by transaction, -1 for none
}

func (g *truth) address(kind ledger.AddressKind) ledger.Address {
	g.next++
	return ledger.NewAddress(kind, binary.BigEndian.AppendUint64(nil, g.next))
}

// newTruth makes wallets of four script types: a fifth return their change to an
// address of theirs, a tenth make change of another type than they have, a quarter
// spend more coins than they need.
func newTruth(seed uint64, wallets, payments int) *truth {
	g := &truth{rng: rand.New(rand.NewPCG(seed, 1))}
	kinds := []ledger.AddressKind{ledger.P2PKH, ledger.P2SH, ledger.P2WPKH, ledger.P2WPKH, ledger.P2TR}
	for range wallets {
		w := &wallet{kind: kinds[g.rng.IntN(len(kinds))], returns: g.chance(20), hoards: g.chance(25)}
		w.changeKind = w.kind
		if g.chance(10) {
			w.changeKind = kinds[g.rng.IntN(len(kinds))]
		}
		w.public = g.address(w.kind)
		for range 6 {
			w.coins = append(w.coins, ledger.Output{Value: 1_000_000 + g.rng.Uint64N(200_000_000), Address: g.address(w.kind)})
		}
		g.wallets = append(g.wallets, w)
	}
	for len(g.txs) < payments {
		g.pay(g.wallets[g.rng.IntN(len(g.wallets))])
	}
	return g
}

func (g *truth) chance(percent int) bool { return g.rng.IntN(100) < percent }

// pay makes one transaction: of a hundred, five consolidate, six pay out everything,
// ten pay several at once, and the others pay one.
func (g *truth) pay(w *wallet) {
	if len(w.coins) == 0 {
		return
	}
	tx := &ledger.Resolved{Height: ledger.Height(len(g.txs)/20 + 1), Index: uint32(len(g.txs) % 20)}
	binary.BigEndian.PutUint64(tx.ID[:], uint64(len(g.txs)+1))
	g.rng.Shuffle(len(w.coins), func(i, j int) { w.coins[i], w.coins[j] = w.coins[j], w.coins[i] })
	fee, change := 200+g.rng.Uint64N(5_000), -1
	switch sort := g.rng.IntN(100); {
	case sort < 5:
		tx.Inputs, w.coins = slices.Clone(w.coins), nil
		g.spend(tx, w, fee, 0)
	case sort < 11:
		tx.Inputs, w.coins = []ledger.Output{w.coins[0]}, w.coins[1:]
		g.spend(tx, g.wallets[g.rng.IntN(len(g.wallets))], fee, 0)
		if g.chance(50) { // two payees and no change
			tx.Outputs[0].Value /= 2
			g.spend(tx, g.wallets[g.rng.IntN(len(g.wallets))], fee, tx.Outputs[0].Value)
		}
	case sort < 21:
		change = g.ordinary(tx, w, fee, 2+g.rng.IntN(4))
	default:
		change = g.ordinary(tx, w, fee, 1)
	}
	if len(tx.Outputs) == 0 || slices.ContainsFunc(tx.Outputs, func(o ledger.Output) bool { return o.Value == 0 }) {
		return
	}
	g.txs, g.change = append(g.txs, tx), append(g.change, change)
}

// spend pays all that is left to one owner.
func (g *truth) spend(tx *ledger.Resolved, to *wallet, fee, paid uint64) {
	sum := uint64(0)
	for _, in := range tx.Inputs {
		sum += in.Value
	}
	if sum <= fee+paid {
		return
	}
	g.deliver(tx, to, sum-fee-paid)
}

// deliver pays an owner: two in five at an address that is known, the others at a new
// one.
func (g *truth) deliver(tx *ledger.Resolved, to *wallet, value uint64) {
	o := ledger.Output{Value: value, Address: to.public}
	if g.chance(60) {
		o.Address = g.address(to.kind)
	}
	tx.Outputs = append(tx.Outputs, o)
	to.coins = append(to.coins, o)
}

// ordinary pays so many and returns the rest, at a random place; it says where.
func (g *truth) ordinary(tx *ledger.Resolved, w *wallet, fee uint64, payees int) int {
	var sum, want uint64
	amounts := make([]uint64, payees)
	for i := range amounts {
		amounts[i] = 10_000 + g.rng.Uint64N(60_000_000)/uint64(payees)
		if g.chance(35) { // what people choose
			unit := []uint64{10_000, 100_000, 1_000_000, 10_000_000}[g.rng.IntN(4)]
			amounts[i] = max(unit, amounts[i]/unit*unit)
		}
		want += amounts[i]
	}
	need := want + fee
	if w.hoards {
		need += g.rng.Uint64N(50_000_000)
	}
	used := 0
	for used < len(w.coins) && sum < need {
		sum += w.coins[used].Value
		used++
	}
	if sum <= want+fee+546 {
		return -1
	}
	tx.Inputs = slices.Clone(w.coins[:used])
	w.coins = w.coins[used:]
	at := g.rng.IntN(payees + 1)
	for i := range payees + 1 {
		if i != at {
			amount := amounts[0]
			amounts = amounts[1:]
			g.deliver(tx, g.other(w), amount)
			continue
		}
		o := ledger.Output{Value: sum - want - fee, Address: tx.Inputs[0].Address}
		if !w.returns {
			o.Address = g.address(w.changeKind)
		}
		tx.Outputs = append(tx.Outputs, o)
		w.coins = append(w.coins, o)
	}
	return at
}

func (g *truth) other(w *wallet) *wallet {
	for {
		if o := g.wallets[g.rng.IntN(len(g.wallets))]; o != w {
			return o
		}
	}
}

// factsOf is what a ledger of just these transactions, in order, holds of their output
// addresses at its end.
func factsOf(txs []*ledger.Resolved) []*cluster.Facts {
	type life struct {
		first, last     int
		received, spent uint32
	}
	lives := map[ledger.Address]*life{}
	touch := func(list []ledger.Output, i int, count func(l *life)) {
		met := map[ledger.Address]bool{}
		for _, o := range list {
			if met[o.Address] || o.Address.IsZero() {
				continue
			}
			met[o.Address] = true
			if lives[o.Address] == nil {
				lives[o.Address] = &life{first: i, last: -1}
			}
			count(lives[o.Address])
		}
	}
	for i, tx := range txs {
		touch(tx.Inputs, i, func(l *life) { l.spent++ })
		touch(tx.Outputs, i, func(l *life) { l.received++; l.last = i })
	}
	facts := make([]*cluster.Facts, len(txs))
	for i, tx := range txs {
		facts[i] = &cluster.Facts{Outputs: make([]cluster.Known, len(tx.Outputs))}
		for j, o := range tx.Outputs {
			if l := lives[o.Address]; l != nil {
				facts[i].Outputs[j] = cluster.Known{SeenBefore: l.first < i, ReusedAfter: l.last > i, Received: l.received, Spent: l.spent}
			}
		}
	}
	return facts
}

// TestChangeOnPlantedTruth measures rules where the truth is known. The payments are
// made up, and so are the shares of habits in them: the figures rank rules and notice
// regressions; they are no error rates of the real chain.
func TestChangeOnPlantedTruth(t *testing.T) {
	g := newTruth(truthSeed, 400, 20_000)
	facts := factsOf(g.txs)
	have := 0
	for _, c := range g.change {
		if c >= 0 {
			have++
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "seed %d: %d payments, %d with change\n", truthSeed, len(g.txs), have)
	for _, want := range []struct {
		set               string
		precision, recall int // per mille, at least
	}{
		{"direct", 1000, 220},
		{"one-time", 910, 385},
		{"meiklejohn", 945, 260},
		{"score", 950, 390},
		{"optimal", 665, 70},
		{"optimal-fee", 665, 70},
		{"type", 960, 620},
		{"power-of-ten", 975, 320},
		{"fresh", 935, 260},
		{"reuse", 950, 340},
		{"optimal&type", 930, 620},
		{"one-time&power-of-ten", 910, 380},
		{"type&reuse&power-of-ten", 970, 825},
		{"direct|one-time", 965, 590},
		{"direct|score", 970, 615},
	} {
		c := change(t, want.set)
		right, wrong := 0, 0
		for i, tx := range g.txs {
			switch d := c.In(tx, facts[i]); {
			case d.Output < 0:
			case d.Output == g.change[i]:
				right++
			default:
				wrong++
			}
		}
		precision, recall := right*1000/max(right+wrong, 1), right*1000/have
		fmt.Fprintf(&table, "| `%s` | %d | %d | %d.%d %% | %d.%d %% |\n", want.set, right+wrong, wrong, precision/10, precision%10, recall/10, recall%10)
		if precision < want.precision || recall < want.recall {
			t.Errorf("%s: precision %d, recall %d per mille; at least %d and %d were reached before", want.set, precision, recall, want.precision, want.recall)
		}
	}
	t.Log(table.String())
}
