package taint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// Holding is an account and one asset in it.
type Holding struct {
	Address ledger.Address
	Asset   ledger.Asset
}

// Opening is what a holding held just before a transaction. Known is false where
// the amount is only the least it can have been.
type Opening struct {
	Amount ledger.Amount
	Known  bool
}

// OpeningFunc answers for a holding and the number of a transaction.
type OpeningFunc func(holding Holding, before uint64) (Opening, error)

// Step is one transaction of an account chain.
type Step struct {
	Moment
	Tx *ledger.Tx
	// Claims are the thefts among its transfers, by index.
	Claims map[int][]Class
	// Credits arrive at holdings just before the transaction (analysts' links).
	Credits []Credit
	// Deposits are what the transaction puts into bridges.
	Deposits []Deposited
	// Payouts are what bridges pay in it, by the transfer that pays.
	Payouts []PaidOut
}

// Deposited says that what reaches a holding in a transaction enters a crossing.
type Deposited struct {
	Into     Holding
	Crossing int // the caller's number
	// Amount is what the deposit says. Where several have one holding, each takes
	// its amount, in order, and the last the rest.
	Amount ledger.Amount
}

// PaidOut is what a crossing brings with a transfer of a transaction, or with the
// whole transaction where its movement is not in the data.
type PaidOut struct {
	Transfer int // or Unseen
	To       Holding
	Lots     []Lot
	From     []Leg // the deposit's
	By       string
	// Vault says that the payer is a known vault, whose own lots do not count.
	Vault bool
}

// Unseen stands for a movement that a source without traces could not show.
const Unseen = -1

// Cross takes what reached a crossing's deposit, clean lots included.
type Cross func(crossing int, when Moment, place Place, lots []Lot)

// Credit is lots that an analyst's link lets arrive at a holding.
type Credit struct {
	To   Holding
	Lots []Lot
	From []Leg  // what the link stands for
	By   string // who asserts it
}

// Deposit takes the lots that reach an address an analyst named as the near side
// of a link.
type Deposit func(holding Holding, when Moment, lots []Lot) bool

// Accounts is the tainted state of one account chain: the pool of every holding
// that holds taint, and nothing of any other.
type Accounts struct {
	chain    ledger.Chain
	method   *Method
	palette  *Palette
	maxHops  uint32
	record   Recorder
	hooks    AccountHooks
	pools    map[Holding]*Pool
	watched  map[ledger.Address]int // how many pools an address has
	assets   map[ledger.Asset]bool  // every asset that ever held taint
	given    map[ledger.Address]gift
	spoken   map[Holding]bool                    // openings already recorded as unknown
	met      map[ledger.Address][]ledger.Address // real counterparties of tainted addresses
	step     *Step
	drawn    []Lot
	taken    []ledger.Amount // of the current step's deposits
	swapped  []bool          // transfers of the current step that a swap accounts for
	net      map[Holding]*netted
	order    []Holding
	problems error
}

// AccountHooks is what an Accounts asks the world.
type AccountHooks struct {
	Opening  OpeningFunc
	Terminal func(ledger.Address) (Terminal, bool)
	Deposit  Deposit
	Cross    Cross
	// Watch is told of every address that begins to hold taint.
	Watch func(ledger.Address)
	// Rebases says that an asset's balances change without transfers.
	Rebases func(ledger.Asset) bool
}

// gift remembers a tainted asset that an address gave away last.
type gift struct {
	asset  ledger.Asset
	amount ledger.Amount
	height ledger.Height
	spoken int // anomalies recorded for it
}

// maxSpoken bounds the missing legs recorded for one gift, and so the look-ups a
// busy address costs.
const maxSpoken = 8

// mayLack says that an address gave a tainted asset away and now sends another:
// what it got for the first may be missing from the data.
func (a *Accounts) mayLack(sender ledger.Address, asset ledger.Asset) bool {
	gave, ok := a.given[sender]
	return ok && gave.asset != asset && gave.spoken < maxSpoken
}

// NewAccounts makes an empty state for a chain.
func NewAccounts(chain ledger.Chain, pool *Pool, rules Rules, record Recorder, hooks AccountHooks) *Accounts {
	return &Accounts{
		chain: chain, method: pool.method, palette: pool.palette, maxHops: rules.MaxHops, record: record, hooks: hooks,
		pools: map[Holding]*Pool{}, watched: map[ledger.Address]int{}, assets: map[ledger.Asset]bool{},
		given: map[ledger.Address]gift{}, spoken: map[Holding]bool{}, net: map[Holding]*netted{},
		met: map[ledger.Address][]ledger.Address{},
	}
}

// Watches reports whether the address has a holding that holds taint.
func (a *Accounts) Watches(address ledger.Address) bool { return a.watched[address] > 0 }

// Held calls visit for every holding that holds taint, ordered by address, then
// asset. The caller must not change the lots.
func (a *Accounts) Held(visit func(holding Holding, lots []Lot)) {
	holdings := make([]Holding, 0, len(a.pools))
	for h := range a.pools {
		holdings = append(holdings, h)
	}
	slices.SortFunc(holdings, CompareHoldings)
	for _, h := range holdings {
		visit(h, a.pools[h].Lots())
	}
}

// CompareHoldings orders holdings by address bytes, then asset.
func CompareHoldings(x, y Holding) int {
	return cmp.Or(
		cmp.Compare(x.Address.Kind, y.Address.Kind),
		bytes.Compare(x.Address.Bytes(), y.Address.Bytes()),
		cmp.Compare(x.Asset, y.Asset),
	)
}

// Concerns reports whether Apply would do anything with the transaction.
func (a *Accounts) Concerns(step *Step) bool {
	if len(step.Claims) > 0 || len(step.Credits) > 0 || len(step.Payouts) > 0 {
		return true
	}
	if len(a.watched) == 0 {
		return false
	}
	return a.Watches(step.Tx.Fee.Payer) || a.Watches(step.Tx.Fee.Producer) || !step.Tx.Failed && a.touches(step.Tx)
}

// Apply moves lots through a transaction. Transactions come in chain order; those
// that it does not concern may be left out.
func (a *Accounts) Apply(step *Step) error {
	a.step, a.problems = step, nil
	a.taken = append(a.taken[:0], make([]ledger.Amount, len(step.Deposits))...)
	for i := range step.Credits {
		a.credit(&step.Credits[i])
	}
	if !step.Tx.Failed {
		a.move(step.Tx)
		a.payUnseen()
	}
	a.payFee(&step.Tx.Fee)
	a.arriveClean(Holding{step.Tx.Fee.Producer, a.chain.Native()}, &step.Tx.Fee.Tip) // lots of the tip have ended as fee
	if a.problems != nil {
		return fmt.Errorf("transaction %s at height %d: %w", a.chain.FormatHash(step.Tx.ID), step.Height, a.problems)
	}
	return nil
}

func (a *Accounts) move(tx *ledger.Tx) {
	swaps := a.findSwaps(tx)
	if tx.Approximate && a.touches(tx) {
		a.found(ApproximateOrder, Holding{Asset: a.chain.Native()}, ledger.Amount{}, "the source does not give the order of this transaction's movements; file order was used")
	}
	if tx.External && a.touches(tx) {
		a.found(InternalUnknown, Holding{Asset: a.chain.Native()}, ledger.Amount{}, "a contract ran here and the source has no trace: native value it moved is not known")
	}
	for i := range tx.Transfers {
		t := &tx.Transfers[i]
		switch {
		case a.paidAt(i) != nil:
			a.payOut(t, a.paidAt(i))
		case a.swapped[i]:
			a.convertAt(swaps, i)
		case t.Amount.IsZero():
			a.reportZero(t)
		case t.From == t.To: // moving nothing to nowhere must not reorder lots
		default:
			a.transfer(t, i)
		}
	}
}

// convertAt converts the swaps whose principal is paid for the last time here.
func (a *Accounts) convertAt(swaps []swap, index int) {
	for i := range swaps {
		if swaps[i].last == index {
			a.convert(&swaps[i])
		}
	}
}

func (a *Accounts) touches(tx *ledger.Tx) bool {
	return slices.ContainsFunc(tx.Transfers, func(t ledger.Transfer) bool {
		return a.Watches(t.From) || a.Watches(t.To) || a.mayLack(t.From, t.Asset)
	})
}

func (a *Accounts) reportZero(t *ledger.Transfer) {
	a.reportLookAlike(t)
	for _, end := range []ledger.Address{t.From, t.To} {
		if a.Watches(end) && t.Asset != a.chain.Native() {
			a.found(ZeroTransfer, Holding{Address: end, Asset: t.Asset}, t.Amount, "a transfer of nothing, as address poisoning makes; it changes nothing")
			return
		}
	}
}

// transfer moves value from one holding to another.
func (a *Accounts) transfer(t *ledger.Transfer, index int) {
	from := Holding{t.From, t.Asset}
	claims := a.step.Claims[index]
	pool := a.pools[from]
	if pool == nil && len(claims) == 0 {
		a.arriveClean(Holding{t.To, t.Asset}, &t.Amount)
		a.reportLacking(t)
		a.reportUnbacked(t)
		return
	}
	lots := a.drawn[:0]
	if pool != nil {
		lots = a.draw(from, pool, lots, &t.Amount)
	} else {
		lots = append(lots, CleanLot(t.Amount))
	}
	a.drawn = lots
	if !AnyTainted(lots) && len(claims) == 0 {
		a.drop(from)
		a.arriveClean(Holding{t.To, t.Asset}, &t.Amount)
		return
	}
	tainted := AnyTainted(lots)
	sent := slices.Clone(lots)
	arrive(lots, a.step.Time)
	for _, class := range claims {
		a.record.Stolen(NewPool(a.method, a.palette).claim(lots, class, a.step.Moment, a.place(from)))
	}
	a.drop(from)
	kind := a.deliver(Holding{t.To, t.Asset}, lots, index)
	flow := Flow{Moment: a.step.Moment, Chain: a.chain, To: []Leg{{Place: a.place(Holding{t.To, t.Asset}), Kind: kind, Lots: lots}}}
	if tainted {
		flow.From = []Leg{{Place: a.place(from), Lots: sent}}
		a.given[t.From] = gift{asset: t.Asset, amount: t.Amount, height: a.step.Height}
	}
	a.record.Moved(flow)
	a.meet(t)
}

// draw takes units out of a holding and records a shortfall.
func (a *Accounts) draw(from Holding, pool *Pool, dst []Lot, amount *ledger.Amount) []Lot {
	lots, shortfall := pool.Draw(dst, amount)
	if shortfall.IsZero() {
		return lots
	}
	switch {
	case a.hooks.Rebases != nil && a.hooks.Rebases(from.Asset):
		a.found(Rebase, from, shortfall, "more left than arrived: this token's balances grow without transfers; the difference is counted as clean")
	case a.mayLack(from.Address, from.Asset):
		a.missingLeg(from, shortfall)
	default:
		a.found(Shortfall, from, shortfall, "more left than is known to have arrived; the difference is counted as clean")
	}
	return lots
}

// missingLeg records that the proceeds of a gift are not in the data.
func (a *Accounts) missingLeg(from Holding, shortfall ledger.Amount) {
	gave := a.given[from.Address]
	gave.spoken++
	a.given[from.Address] = gave
	a.found(MissingIncomingLeg, from, shortfall, fmt.Sprintf(
		"more left than is known to have arrived; at height %d the address gave %s of %s away, and what came back is not in the data; the difference is counted as clean",
		gave.height, gave.amount.Dec(), gave.asset))
}

// reportLacking notices that an address without tracked lots sends more than it
// is known to hold, after it gave a tainted asset away.
func (a *Accounts) reportLacking(t *ledger.Transfer) {
	from := Holding{t.From, t.Asset}
	if a.hooks.Opening == nil || !a.mayLack(t.From, t.Asset) || t.Asset != a.chain.Native() && !a.assets[t.Asset] {
		return
	}
	opening := a.openingOf(from)
	if !opening.Amount.Lt(&t.Amount) {
		return
	}
	a.missingLeg(from, less(&t.Amount, &opening.Amount))
}

// drop forgets a holding whose taint is gone.
func (a *Accounts) drop(h Holding) {
	pool := a.pools[h]
	if pool == nil || pool.Tainted() {
		return
	}
	delete(a.pools, h)
	if a.watched[h.Address]--; a.watched[h.Address] == 0 {
		delete(a.watched, h.Address)
	}
}

// arriveClean dilutes a tracked holding; the dilution is real.
func (a *Accounts) arriveClean(to Holding, amount *ledger.Amount) {
	if a.enters(to, []Lot{CleanLot(*amount)}) {
		return
	}
	if pool := a.pools[to]; pool != nil {
		pool.Add([]Lot{CleanLot(*amount)})
	}
}

// deliver lets lots arrive at a holding and says what became of them.
func (a *Accounts) deliver(to Holding, lots []Lot, index int) Kind {
	if a.enters(to, lots) {
		return InTransit
	}
	if a.hooks.Deposit != nil && a.hooks.Deposit(to, a.step.Moment, lots) {
		return InTransit
	}
	if end, ends := a.end(to, lots); ends {
		a.record.Settled(Settlement{Moment: a.step.Moment, Place: a.place(to), Kind: end.Kind, Entity: end.Entity, Lots: end.conclude(a.palette, lots)})
		return end.Kind
	}
	pool := a.pools[to]
	if pool == nil {
		pool = a.open(to, index)
	}
	pool.Add(lots)
	return Held
}

func (a *Accounts) end(to Holding, lots []Lot) (Terminal, bool) {
	if a.hooks.Terminal != nil {
		if terminal, ok := a.hooks.Terminal(to.Address); ok {
			return terminal, true
		}
	}
	switch {
	case isBurnAddress(to.Address):
		return Terminal{Kind: Burned}, true
	case a.maxHops > 0 && fewestHops(lots) > a.maxHops:
		return Terminal{Kind: Truncated}, true
	}
	return Terminal{}, false
}

// isBurnAddress knows where value ends: the zero address, to which tokens are
// burned (EIP-20), 0x…dEaD by convention, and no address at all.
func isBurnAddress(address ledger.Address) bool {
	return address.IsZero() || address == zeroAccount || address == deadAccount
}

var (
	zeroAccount = ledger.NewAddress(ledger.EVMAccount, make([]byte, 20))
	deadAccount = ledger.NewAddress(ledger.EVMAccount, append(make([]byte, 18), 0xde, 0xad))
)

// open begins to track a holding. What it held before the first tainted lot
// arrives stands before that lot, clean: its balance before the transaction and
// what the transaction moved before this transfer.
func (a *Accounts) open(h Holding, index int) *Pool {
	pool := NewPool(a.method, a.palette)
	opening := a.openingOf(h)
	balance := opening.Amount
	for i := range a.step.Tx.Transfers[:max(index, 0)] {
		t := &a.step.Tx.Transfers[i]
		if t.Asset != h.Asset || t.From == t.To {
			continue
		}
		if t.To == h.Address {
			balance.Add(&balance, &t.Amount)
		}
		if t.From == h.Address && balance.Lt(&t.Amount) {
			balance.Clear()
		} else if t.From == h.Address {
			balance.Sub(&balance, &t.Amount)
		}
	}
	if !balance.IsZero() {
		pool.Add([]Lot{CleanLot(balance)})
	}
	if !opening.Known && !a.spoken[h] {
		a.spoken[h] = true
		a.found(UnknownOpening, h, balance, "what the holding held before is not known; the least it can have held was used")
	}
	a.pools[h] = pool
	a.watched[h.Address]++
	if a.hooks.Watch != nil {
		a.hooks.Watch(h.Address)
	}
	a.assets[h.Asset] = true
	return pool
}

// openingOf asks for what a holding held before the current transaction. A
// failure to answer ends the step.
func (a *Accounts) openingOf(h Holding) Opening {
	if a.hooks.Opening == nil {
		return Opening{Known: true}
	}
	opening, err := a.hooks.Opening(h, a.step.Number)
	if err != nil && a.problems == nil {
		a.problems = err
	}
	return opening
}

// payFee ends the fee's lots after all movements: the base and blob fee are
// burned (EIP-1559, EIP-4844), the tip goes to the producer.
func (a *Accounts) payFee(fee *ledger.Fee) {
	from := Holding{fee.Payer, a.chain.Native()}
	pool := a.pools[from]
	if pool == nil {
		return
	}
	a.settleFee(from, pool, &fee.Burned, Burned)
	a.settleFee(from, pool, &fee.Tip, Fee)
	a.drop(from)
}

func (a *Accounts) settleFee(from Holding, pool *Pool, amount *ledger.Amount, kind Kind) {
	if amount.IsZero() {
		return
	}
	lots := a.draw(from, pool, nil, amount)
	if !AnyTainted(lots) {
		return
	}
	sent := slices.Clone(lots)
	arrive(lots, a.step.Time)
	place := a.place(from) // the payer: nobody holds a fee
	a.record.Settled(Settlement{Moment: a.step.Moment, Place: place, Kind: kind, Lots: lots})
	a.record.Moved(Flow{Moment: a.step.Moment, Chain: a.chain, From: []Leg{{Place: a.place(from), Lots: sent}}, To: []Leg{{Place: place, Kind: kind, Lots: lots}}})
}

// credit lets a link's lots arrive before the transaction.
func (a *Accounts) credit(c *Credit) {
	lots := slices.Clone(c.Lots)
	arrive(lots, a.step.Time)
	kind := a.deliver(c.To, lots, 0)
	a.record.Moved(Flow{Moment: a.step.Moment, Chain: a.chain, From: c.From, To: []Leg{{Place: a.place(c.To), Kind: kind, Lots: lots}}, By: c.By})
}

// reportUnbacked notices a token that a watched address seems to send without
// ever having held it.
func (a *Accounts) reportUnbacked(t *ledger.Transfer) {
	if !a.Watches(t.From) || t.Asset == a.chain.Native() || a.assets[t.Asset] || a.hooks.Opening == nil {
		return
	}
	if opening := a.openingOf(Holding{t.From, t.Asset}); !opening.Amount.IsZero() {
		return
	}
	a.reportLookAlike(t)
	a.found(Unbacked, Holding{t.From, t.Asset}, t.Amount, "a token this address was never seen to hold, as look-alike tokens pretend; it carries no taint")
}

func (a *Accounts) found(kind AnomalyKind, h Holding, amount ledger.Amount, detail string) {
	a.record.Found(Anomaly{Moment: a.step.Moment, Kind: kind, Place: a.place(h), Amount: amount, Detail: detail})
}

func (a *Accounts) place(h Holding) Place {
	return Place{Chain: a.chain, Asset: h.Asset, Address: h.Address}
}
