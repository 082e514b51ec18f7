// Package replay plays a laundering from its published figures: the theft from
// Bybit of February 2025, and others, as ledgers of two chains with a THORChain
// between them, and with the exact truth of where every stolen unit went.
//
// The truth is kept by a model of its own, written apart from the tracer and in
// other types, so that the two can disagree. Amounts, tranches, daily volumes and
// shares are the published ones (control totals below); addresses but the public
// ones of the case, times of the day and the choices in between are drawn from a
// seed. The same options give the same bytes.
//
// What is published about the bitcoin side are conversions at a fixed rate
// (34.2857 ether per bitcoin), never sums of outputs: the replay converts at each
// day's market rate and keeps its own sums.
package replay

import (
	"container/heap"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"coldtrail/ledger"
)

// Options say what to play.
type Options struct {
	Seed uint64
	// Scale divides every amount; 1 is the full volume.
	Scale uint64
	// Thin divides the number of transactions of every tranche and of the noise; the
	// amounts of those that are left are larger. 1 is all.
	Thin uint64
	// Scenario is one of Scenarios; empty is bybit.
	Scenario string
	// Wallets is how many bitcoin wallets the money ends in; 0 is 6,954, as on 4
	// March 2025.
	Wallets int
	// Quiet leaves out everybody else's traffic.
	Quiet bool
}

// Scenarios lists what can be played.
var Scenarios = map[string]func(*World){
	"bybit": (*World).bybit, "honest-week": (*World).honestWeek, "harmony": (*World).harmony, "ronin": (*World).ronin,
	"coinex": (*World).coinex, "dmm": (*World).dmm, "owners": (*World).ownership,
}

// A Played is what a replay leaves behind beside the blocks.
type Played struct {
	Truth  *Truth
	Thefts []Theft
	Labels []Label
	// Victims are addresses that stolen value may come back to.
	Victims []string
	Totals  map[string]*big.Int // control totals as played, in base units
	// CoinJoins are the transactions of everybody's coinjoins.
	CoinJoins []string
	// Published are labels as they became known, right and wrong.
	Published []Published
	// Pairs are the deposits into the opaque service and what it paid for them, which
	// nothing on chain tells.
	Pairs []Pair
	// Hot is the wallet that the opaque service pays from.
	Hot string
	Ownership
}

// Pair is a deposit's transaction and the output that paid for it.
type Pair struct {
	Deposit string `json:"deposit"`
	Payout  string `json:"payout"`
	Stolen  bool   `json:"stolen"`
}

// Theft is one stolen asset as a case file names it.
type Theft struct {
	Colour, Chain, Asset, Tx, To, Outpoint string
	Amount                                 *big.Int
}

// Label is where the trace stops.
type Label struct {
	Chain   string `json:"chain"`
	Address string `json:"address"`
	Kind    string `json:"kind"`
	Entity  string `json:"entity"`
}

// Play plays a scenario on two chains. Blocks are handed to the drivers' sinks in
// order of time.
func Play(options Options, accounts AccountChain, outputs UTXOChain) (*Played, error) {
	if options.Scale == 0 {
		options.Scale = 1
	}
	if options.Thin == 0 {
		options.Thin = 1
	}
	if options.Wallets == 0 {
		options.Wallets = 6954
	}
	if options.Scenario == "" {
		options.Scenario = "bybit"
	}
	play := Scenarios[options.Scenario]
	if play == nil {
		return nil, fmt.Errorf("scenario %q is not known", options.Scenario)
	}
	w := &World{
		Options: options, random: rand.New(rand.NewPCG(options.Seed, 0x636f6c64)), //nolint:gosec // a replay must repeat
		Played: Played{Truth: NewTruth(accounts.Chain(), outputs.Chain()), Totals: map[string]*big.Int{}},
	}
	w.Ownership = Ownership{Owners: map[string]string{}, Deposits: map[string]string{}, Mixes: map[string]string{}, Shared: map[string]string{}}
	w.accounts, w.outputs = knownAccounts{accounts, w}, knownOutputs{outputs, w}
	w.Hot = w.outputs.Wallet(exchWallet, 0)
	w.outputs.Wallet("miner", 0) // who is paid by every block
	play(w)
	if err := w.run(); err != nil {
		return nil, err
	}
	return &w.Played, nil
}

// World is a laundering while it is played: what is still to happen, in order of time.
type World struct {
	Options
	Played
	accounts  AccountChain
	outputs   UTXOChain
	random    *rand.Rand
	now       int64
	queue     eventQueue
	order     int
	fault     error
	thor      *thorchain
	exchanged int // deposits into the opaque service
}

// at lets something happen at a time; what is due at one time happens in the order
// in which it was arranged.
func (w *World) at(time int64, what func()) {
	w.order++
	heap.Push(&w.queue, event{time, w.order, what})
}

// after lets something happen some seconds from now.
func (w *World) after(seconds int64, what func()) { w.at(w.now+seconds, what) }

func (w *World) run() error {
	for len(w.queue) > 0 && w.fault == nil {
		e, _ := heap.Pop(&w.queue).(event)
		w.now = e.time
		if err := w.accounts.At(w.now); err != nil {
			return err
		}
		if err := w.outputs.At(w.now); err != nil {
			return err
		}
		e.what()
	}
	if w.fault == nil {
		w.fault = w.accounts.Close()
	}
	if w.fault == nil {
		w.fault = w.outputs.Close()
	}
	return w.fault
}

func (w *World) fail(err error) {
	if w.fault == nil {
		w.fault = err
	}
}

type event struct {
	time  int64
	order int
	what  func()
}

type eventQueue []event

// Len, Less and Swap order by time, then arrangement.
func (q eventQueue) Len() int { return len(q) }

// Less says whether event i comes before event j.
func (q eventQueue) Less(i, j int) bool {
	return q[i].time < q[j].time || q[i].time == q[j].time && q[i].order < q[j].order
}

// Swap exchanges two events.
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends; package heap calls it.
func (q *eventQueue) Push(x any) {
	e, _ := x.(event)
	*q = append(*q, e)
}

// Pop takes the last; package heap calls it.
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}

// quantiles interpolates a table of (share in per mille, value) at a random place.
func (w *World) quantiles(table [][2]int64) int64 {
	p := w.random.Int64N(1001)
	i := slices.IndexFunc(table, func(row [2]int64) bool { return row[0] >= p })
	if i <= 0 {
		return table[0][1]
	}
	a, b := table[i-1], table[i]
	return a[1] + (b[1]-a[1])*(p-a[0])/(b[0]-a[0])
}

// chance is true in so many of a thousand cases.
func (w *World) chance(perMille int) bool { return w.random.IntN(1000) < perMille }

// add adds to a control total.
func (w *World) add(name string, amount *big.Int) {
	if w.Totals[name] == nil {
		w.Totals[name] = new(big.Int)
	}
	w.Totals[name].Add(w.Totals[name], amount)
}

// scaled divides an amount by the scale.
func (w *World) scaled(amount *big.Int) *big.Int {
	return new(big.Int).Div(amount, new(big.Int).SetUint64(w.Scale))
}

// ether is thousandths of an ether in wei, scaled.
func (w *World) ether(milli int64) *big.Int {
	return w.scaled(new(big.Int).Mul(big.NewInt(milli), big.NewInt(1e15)))
}

// part is so many of a million parts of an amount.
func part(amount *big.Int, millionths int64) *big.Int {
	z := new(big.Int).Mul(amount, big.NewInt(millionths))
	return z.Div(z, big.NewInt(1e6))
}

func less(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

func number(text string) *big.Int {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		panic("replay: number " + text)
	}
	return n
}

// AccountChain is a chain of accounts on which a replay is played.
type AccountChain interface {
	AccountNames
	AccountTraffic
	Clock
}

// Clock is told of the time of what comes next, and of the end.
type Clock interface {
	At(time int64) error
	Close() error
}

// AccountNames is who is who on an account chain.
type AccountNames interface {
	Chain() ledger.Chain
	// Account is the address of a role, such as tranche 7.
	Account(role string, index int) string
	// Grant lets an account hold something from the beginning.
	Grant(account, token string, amount *big.Int)
	// Token is the asset of a token's name; the empty name is the native one.
	Token(name string) string
	Router() string
}

// AccountTraffic sends one transaction with every method and says what it cost.
type AccountTraffic interface {
	Send(from, to, token string, amount *big.Int) (Sent, error)
	// Swap sells one asset for another through a router and a pool.
	Swap(trader string, give, get Leg) (Sent, error)
	// Deposit goes through THORChain's router; via names an aggregator's contract in
	// front of it, or is empty.
	Deposit(from, vault string, amount *big.Int, memo, via string) (Sent, error)
	PayOut(vault, to string, amount *big.Int, memo string) (Sent, error)
	Freeze(token, holder string) (Sent, error)
}

// Leg is an amount of a token, by name; the native asset has none.
type Leg struct {
	Token  string
	Amount *big.Int
}

// Sent is a transaction and what its sender paid for it.
type Sent struct {
	ID          string // as the chain's users write it
	Hash        ledger.Hash
	Burned, Tip *big.Int
	// Before is a transaction that had to be sent first, such as an approval.
	Before *Sent
}

// Coin is an unspent output.
type Coin struct {
	Tx    ledger.Hash
	Index uint32
	Value int64
	Owner string
}

// Pay is one output to be made.
type Pay struct {
	To    string
	Value int64
}

// UTXOChain is a chain of outputs on which a replay is played.
type UTXOChain interface {
	Chain() ledger.Chain
	Wallet(role string, index int) string
	// Mint makes clean coins.
	Mint(to string, value int64) (Coin, error)
	// Spend spends coins; the memo goes into an OP_RETURN output behind the others,
	// a long one into outputs behind that.
	Spend(coins []Coin, pays []Pay, memo string) (txid string, made []Coin, err error)
	Clock
}
