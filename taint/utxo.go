package taint

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// FeeRule says what becomes of lots that a UTXO transaction pays as its fee.
type FeeRule uint8

// The fee rules.
const (
	// FeesEnd lets them end as Fee.
	FeesEnd FeeRule = iota
	// FeesFollow hands them to the block's coinbase, after the subsidy.
	FeesFollow
)

// SpentOutput is an input of a transaction.
type SpentOutput struct {
	Output uint64
	Value  uint64 // satoshi
	// Unknown marks an input whose parent the ledger does not hold: its value is
	// unknown and Output means nothing.
	Unknown bool
}

// NewOutput is an output of a transaction.
type NewOutput struct {
	Value       uint64 // satoshi
	Unspendable bool
	Terminal    *Terminal // where the trace stops, or nil
	Address     ledger.Address
	Claims      []Class // of the thefts that take this output
	// Deposit is the crossing that takes what reaches this output, or nil.
	Deposit *Deposited
	// Payout is what a crossing brings with this output, or nil.
	Payout *PaidOut
}

// Spend is one transaction of a UTXO chain with its inputs resolved.
type Spend struct {
	Moment
	Coinbase bool
	Inputs   []SpentOutput
	First    uint64 // number of the first output
	Outputs  []NewOutput
}

// UTXO is the tainted state of one UTXO chain: the lots of every unspent output
// that holds taint, and nothing of any other.
type UTXO struct {
	chain    ledger.Chain
	asset    ledger.Asset
	method   *Method
	palette  *Palette
	rules    Rules
	record   Recorder
	cross    Cross
	holdings map[uint64][]Lot
	members  members

	pool     *Pool
	order    []int
	fees     map[uint64][]Lot // tainted fees of the current block, under FeesFollow
	drawn    []Lot
	starts   []int
	from, to []Leg
}

// Rules are the choices of a run that are not the method.
type Rules struct {
	Fees FeeRule
	// MaxHops ends lots as Truncated once they are further from the theft; 0 is no limit.
	MaxHops uint32
}

// NewUTXO makes an empty state for a chain. Cross takes what enters crossings, and
// may be nil where no output has one.
func NewUTXO(chain ledger.Chain, pool *Pool, rules Rules, record Recorder, cross Cross) *UTXO {
	return &UTXO{
		chain: chain, asset: chain.Native(), method: pool.method, palette: pool.palette, rules: rules, record: record, cross: cross,
		holdings: map[uint64][]Lot{}, pool: pool, fees: map[uint64][]Lot{},
	}
}

// Holds reports whether the output is unspent and holds taint.
func (u *UTXO) Holds(output uint64) bool { return u.members.has(output) }

// Held calls visit for every output that holds taint, in order of number. The
// caller must not change the lots.
func (u *UTXO) Held(visit func(output uint64, lots []Lot)) {
	outputs := make([]uint64, 0, len(u.holdings))
	for output := range u.holdings {
		outputs = append(outputs, output)
	}
	slices.Sort(outputs)
	for _, output := range outputs {
		visit(output, u.holdings[output])
	}
}

// Apply moves lots through a transaction. Transactions come in chain order; those
// that neither spend a held output nor make a claimed one may be left out.
func (u *UTXO) Apply(tx *Spend) {
	u.pool.Reset()
	u.from = u.from[:0]
	tainted := false
	for i := range tx.Inputs {
		tainted = u.spend(&tx.Inputs[i]) || tainted
	}
	if !tainted {
		u.applyClean(tx)
		return
	}
	u.spread(tx)
}

// spread draws the pool over the outputs and the fee.
func (u *UTXO) spread(tx *Spend) {
	u.distribute(tx)
	u.to = u.to[:0]
	for i := range tx.Outputs {
		u.receive(tx, i, u.drawn[u.starts[2*i]:u.starts[2*i+1]])
	}
	u.payFee(tx)
	if len(u.from) > 0 && len(u.to) > 0 {
		u.record.Moved(Flow{Moment: tx.Moment, Chain: u.chain, From: u.from, To: u.to})
	}
}

// spend adds one input to the pool and reports whether it is tainted.
func (u *UTXO) spend(in *SpentOutput) bool {
	if in.Unknown {
		return false // its value, and so its place in the pool, is not known
	}
	if lots, ok := u.holdings[in.Output]; ok && u.members.has(in.Output) {
		u.pool.Add(lots)
		delete(u.holdings, in.Output)
		u.members.remove(in.Output)
		u.from = append(u.from, Leg{Place: u.place(in.Output), Lots: lots})
		return true
	}
	u.pool.Add([]Lot{CleanLot(ledger.NewAmount(in.Value))})
	return false
}

// applyClean handles a transaction without tainted inputs: only claims matter.
func (u *UTXO) applyClean(tx *Spend) {
	u.to = u.to[:0]
	for i := range tx.Outputs {
		if len(tx.Outputs[i].Claims) > 0 || tx.Outputs[i].Payout != nil {
			u.receive(tx, i, []Lot{CleanLot(ledger.NewAmount(tx.Outputs[i].Value))})
		}
	}
	if len(u.to) > 0 { // what was stolen here comes from nowhere
		u.record.Moved(Flow{Moment: tx.Moment, Chain: u.chain, To: u.to})
	}
}

// distribute draws every output's lots into u.drawn, output i between
// starts[2i] and starts[2i+1]; what is left in the pool is the fee.
func (u *UTXO) distribute(tx *Spend) {
	n := len(tx.Outputs)
	u.order = u.order[:0]
	for i := range n {
		u.order = append(u.order, i)
	}
	if u.method.Serving == ByValue {
		slices.SortStableFunc(u.order, func(a, b int) int { return cmp.Compare(tx.Outputs[b].Value, tx.Outputs[a].Value) })
	}
	u.drawn, u.starts = u.drawn[:0], slices.Grow(u.starts[:0], 2*n)[:2*n]
	for _, i := range u.order {
		u.starts[2*i] = len(u.drawn)
		value := ledger.NewAmount(tx.Outputs[i].Value)
		var shortfall ledger.Amount
		u.drawn, shortfall = u.pool.Draw(u.drawn, &value)
		u.starts[2*i+1] = len(u.drawn)
		if !shortfall.IsZero() {
			u.lacking(tx, i, &shortfall)
		}
	}
}

// lacking records that an output was paid by inputs the ledger does not hold.
func (u *UTXO) lacking(tx *Spend, output int, shortfall *ledger.Amount) {
	kind, detail := Shortfall, "the outputs are worth more than the inputs"
	if slices.ContainsFunc(tx.Inputs, func(in SpentOutput) bool { return in.Unknown }) {
		kind, detail = UnknownParent, "paid by an input whose parent the ledger does not hold; counted as clean"
	}
	u.record.Found(Anomaly{Moment: tx.Moment, Kind: kind, Place: u.place(tx.First + uint64(output)), Amount: *shortfall, Detail: detail})
}

// receive lets drawn lots arrive at an output.
func (u *UTXO) receive(tx *Spend, i int, drawn []Lot) {
	out := &tx.Outputs[i]
	number := tx.First + uint64(i)
	place := u.place(number)
	place.Address = out.Address
	paid := out.Payout != nil
	if paid {
		drawn, paid = u.payOut(tx, out.Payout, place, drawn)
	}
	if AnyTainted(drawn) || len(out.Claims) > 0 {
		arrive(drawn, tx.Time)
		for _, class := range out.Claims {
			u.record.Stolen(u.pool.claim(drawn, class, tx.Moment, place))
		}
	}
	if !AnyTainted(drawn) {
		return
	}
	kind, entity, ends := u.end(out, drawn)
	lots := drawn
	switch {
	case out.Deposit != nil:
		kind = InTransit
		u.cross(out.Deposit.Crossing, tx.Moment, place, lots)
	case !ends:
		lots = slices.Clone(drawn)
		u.holdings[number] = lots
		u.members.add(number)
	default:
		lots = out.Terminal.conclude(u.palette, lots)
		u.record.Settled(Settlement{Moment: tx.Moment, Place: place, Kind: kind, Entity: entity, Lots: lots})
	}
	if paid {
		u.record.Moved(Flow{Moment: tx.Moment, Chain: u.chain, From: out.Payout.From, To: []Leg{{Place: place, Kind: kind, Lots: lots}}, By: out.Payout.By})
		return
	}
	u.to = append(u.to, Leg{Place: place, Kind: kind, Lots: lots})
}

// payOut puts the lots of a crossing in the place of those that its payer's inputs
// would give; see Accounts.payOut. It reports whether it did.
func (u *UTXO) payOut(tx *Spend, paid *PaidOut, place Place, own []Lot) ([]Lot, bool) {
	lots, behind, does := slices.Clone(paid.Lots), slices.Clone(own), true
	if AnyTainted(own) && !paid.Vault {
		lots, behind, does = behind, lots, false
	}
	if AnyTainted(behind) {
		arrive(behind, tx.Time)
		u.record.Settled(Settlement{Moment: tx.Moment, Place: place, Kind: InTransit, Entity: paid.By, Lots: behind})
	}
	return lots, does
}

// end says whether lots that reach an output end there.
func (u *UTXO) end(out *NewOutput, lots []Lot) (Kind, string, bool) {
	switch {
	case out.Terminal != nil:
		return out.Terminal.Kind, out.Terminal.Entity, true
	case out.Unspendable:
		return Burned, "", true
	case u.rules.MaxHops > 0 && fewestHops(lots) > u.rules.MaxHops:
		return Truncated, "", true
	}
	return Held, "", false
}

// payFee ends, or hands on, what is left in the pool.
func (u *UTXO) payFee(tx *Spend) {
	rest := u.pool.DrawRest(nil)
	if tx.Coinbase {
		u.settleRest(tx, Burned, rest) // a reward its miner did not claim is nobody's
		return
	}
	if u.rules.Fees == FeesFollow {
		if AnyTainted(rest) {
			u.fees[tx.Number] = rest
			u.to = append(u.to, Leg{Place: u.place(feeOutput), Kind: Fee, Lots: rest})
		}
		return
	}
	u.settleRest(tx, Fee, rest)
}

func (u *UTXO) settleRest(tx *Spend, kind Kind, rest []Lot) {
	if !AnyTainted(rest) {
		return
	}
	arrive(rest, tx.Time)
	place := Place{Chain: u.chain, Asset: u.asset, Output: feeOutput}
	u.record.Settled(Settlement{Moment: tx.Moment, Place: place, Kind: kind, Lots: rest})
	u.to = append(u.to, Leg{Place: place, Kind: kind, Lots: rest})
}

// feeOutput is the Place.Output of the fee of the transaction at hand, which no output
// holds; that of another transaction is as much less as its number and one.
const feeOutput = 1<<64 - 1

// TaintedFees reports whether a fee of the current block holds taint, under
// FeesFollow: then its coinbase needs a Reward.
func (u *UTXO) TaintedFees() bool { return len(u.fees) > 0 }

// PaidFee is what a transaction of a block paid.
type PaidFee struct {
	Number uint64 // of the transaction
	Value  uint64 // satoshi
}

// Reward applies a block's coinbase under FeesFollow, after all its other
// transactions: its inputs are the subsidy (satoshi) and then the fees of
// transactions 1 to n, in order. What the miner did not claim ends as Burned.
func (u *UTXO) Reward(tx *Spend, subsidy uint64, fees []PaidFee) {
	u.pool.Reset()
	u.pool.Add([]Lot{CleanLot(ledger.NewAmount(subsidy))})
	u.from = u.from[:0]
	for _, fee := range fees {
		if lots, ok := u.fees[fee.Number]; ok {
			u.pool.Add(lots)
			u.from = append(u.from, Leg{Place: u.place(feeOutput - 1 - fee.Number), Kind: Fee, Lots: lots})
			continue
		}
		u.pool.Add([]Lot{CleanLot(ledger.NewAmount(fee.Value))})
	}
	clear(u.fees)
	u.spread(tx)
}

func (u *UTXO) place(output uint64) Place {
	return Place{Chain: u.chain, Asset: u.asset, Output: output}
}

// arrive stamps tainted lots with one more hop and the time of arrival.
func arrive(lots []Lot, time int64) {
	for i := range lots {
		if lots[i].Tainted() {
			lots[i].Hops++
			lots[i].First, lots[i].Last = time, time
		}
	}
}

func fewestHops(lots []Lot) uint32 {
	fewest := uint32(1<<32 - 1)
	for i := range lots {
		if lots[i].Tainted() {
			fewest = min(fewest, lots[i].Hops)
		}
	}
	return fewest
}
