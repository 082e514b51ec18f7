package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/crossing"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// bridges is everything that the ledger says about crossings since the first theft.
type bridges struct {
	crossings []crossing.Crossing
	forged    []crossing.Forgery
	matcher   *crossing.Matcher
	deposits  map[ledger.Chain]map[store.TxNumber][]int       // crossings by deposit
	payouts   map[ledger.Chain]map[store.TxNumber][]payoutRef // payouts by transaction
	carriers  map[ledger.Chain]map[store.TxNumber][]uint32
	faults    map[ledger.Chain]map[store.TxNumber][]int // forgeries by transaction
	speakers  map[ledger.Chain]map[store.TxNumber]bool  // transactions that speak as vaults do
	services  []*serviceMatch
	elsewhere []crossing.Elsewhere // transactions that messages of other chains name
	keys      []crossingKey        // of the crossings
	numbers   map[crossingKey]int
}

// payoutRef names a payout of a crossing.
type payoutRef struct{ crossing, payout int }

func newBridges() *bridges {
	return &bridges{
		matcher: crossing.NewMatcher(), deposits: map[ledger.Chain]map[store.TxNumber][]int{}, payouts: map[ledger.Chain]map[store.TxNumber][]payoutRef{},
		carriers: map[ledger.Chain]map[store.TxNumber][]uint32{}, faults: map[ledger.Chain]map[store.TxNumber][]int{},
		speakers: map[ledger.Chain]map[store.TxNumber]bool{}, numbers: map[crossingKey]int{},
	}
}

func put[V any](m map[ledger.Chain]map[store.TxNumber]V, chain ledger.Chain, number store.TxNumber, change func(V) V) {
	if m[chain] == nil {
		m[chain] = map[store.TxNumber]V{}
	}
	m[chain][number] = change(m[chain][number])
}

// findBridges reads what every chain of the store says about crossings, from the
// first theft on, and joins deposits with payouts.
func (p *plan) findBridges(ctx context.Context) error {
	if err := p.addChains(ctx); err != nil {
		return err
	}
	since, err := p.firstTheft(ctx)
	if err != nil {
		return err
	}
	b, err := p.scanBridges(ctx, since)
	if err != nil {
		return err
	}
	if err := p.findCandidates(ctx, b, since); err != nil {
		return err
	}
	for i := range b.crossings {
		b.index(i)
	}
	for i := range b.forged {
		f := &b.forged[i]
		put(b.faults, f.Place.Chain, store.TxNumber(f.Place.Number), func(list []int) []int { return append(list, i) })
	}
	p.bridges = b
	return nil
}

// scanBridges reads every chain from a moment on.
func (p *plan) scanBridges(ctx context.Context, since int64) (*bridges, error) {
	b := newBridges()
	for _, c := range p.chains {
		h := p.heard[c.chain]
		if h == nil || h.since != since {
			h = &heard{since: since}
		}
		if p.heard != nil {
			p.heard[c.chain] = h
		}
		s := &bridgeScan{plan: p, c: c, h: h}
		if err := s.scan(ctx, since); err != nil {
			return nil, fmt.Errorf("crossings of %s: %w", c.chain.Short(), err)
		}
		for i := range h.said {
			b.hear(&h.said[i])
		}
	}
	if err := p.readElsewhere(ctx, b); err != nil {
		return nil, err
	}
	b.crossings, b.forged = b.matcher.Settle(1<<62 - 1)
	return b, p.dropFalseVaults(ctx, b)
}

func (b *bridges) index(i int) {
	x := &b.crossings[i]
	key := crossingKey{protocol: x.Protocol.Name + " " + x.Protocol.Title, chain: x.Place.Chain, tx: x.Place.Tx, position: x.Position, asset: x.Asset}
	for _, twice := b.numbers[key]; twice; _, twice = b.numbers[key] {
		key.nth++
	}
	b.keys = append(b.keys, key)
	b.numbers[key] = i
	put(b.deposits, x.Place.Chain, store.TxNumber(x.Place.Number), func(list []int) []int { return append(list, i) })
	for j := range x.Payouts {
		at := &x.Payouts[j].Place
		put(b.payouts, at.Chain, store.TxNumber(at.Number), func(list []payoutRef) []payoutRef { return append(list, payoutRef{i, j}) })
	}
}

// addChains makes every chain of the store part of the answer: a payout may be on
// any, and that there is none rests on all of them.
func (p *plan) addChains(ctx context.Context) error {
	statuses, err := p.store.Status(ctx)
	if err != nil {
		return err
	}
	for i := range statuses {
		if _, err := p.chain(ctx, string(statuses[i].Chain), statuses); err != nil && !errors.Is(err, errTooEarly) {
			return err
		}
	}
	slices.SortFunc(p.chains, func(a, b *chainPlan) int { return cmp.Compare(a.chain, b.chain) })
	p.decoders = crossing.NewDecoders(p.bridgeConfig(statuses))
	return nil
}

// networkFamilies are the networks of messages that a store may hold as a test
// chain instead.
var networkFamilies = map[string]ledger.Chain{"BTC": ledger.Bitcoin, "ETH": ledger.Ethereum}

// bridgeConfig is what the cases add to the tables of crossings. Where a network is
// neither named nor held, the only chain of its family in the store stands for it.
func (p *plan) bridgeConfig(statuses []store.Status) crossing.Config {
	config := crossing.Config{Notation: p.options.Notations, Chains: map[string]ledger.Chain{}, Contracts: map[string][]crossing.Contract{}}
	for name, chain := range networkFamilies {
		if same := ofFamily(statuses, chain.Family()); len(same) == 1 {
			config.Chains[name] = same[0]
		}
	}
	for _, c := range p.cases {
		for name, text := range c.Networks {
			if chain, err := ledger.ParseChain(text); err == nil { // Case.check has read it
				config.Chains[name] = chain
			}
		}
		for i := range c.Bridges {
			if contract, ok := p.contract(&c.Bridges[i]); ok {
				name := c.Bridges[i].Protocol
				config.Contracts[name] = append(config.Contracts[name], contract)
			}
		}
	}
	return config
}

func ofFamily(statuses []store.Status, family ledger.Family) (chains []ledger.Chain) {
	for i := range statuses {
		if statuses[i].Chain.Family() == family {
			chains = append(chains, statuses[i].Chain)
		}
	}
	return chains
}

// contract reads a bridge of a case; one of a chain without notation here is of no
// account.
func (p *plan) contract(b *Bridge) (c crossing.Contract, ok bool) {
	chain, err := ledger.ParseChain(b.Chain)
	if err != nil {
		return c, false
	}
	notation, err := p.options.Notations(chain)
	if err != nil {
		return c, false
	}
	address, err := notation.ParseAddress(b.Contract)
	return crossing.Contract{Chain: chain, Address: address, Role: b.Role}, err == nil
}

// firstTheft is the time of the earliest block with a theft.
func (p *plan) firstTheft(ctx context.Context) (int64, error) {
	first := int64(1<<63 - 1)
	for _, c := range p.chains {
		if len(c.starts) == 0 {
			continue
		}
		time, err := p.timeOf(ctx, c, c.starts[0])
		if err != nil {
			return 0, err
		}
		first = min(first, time)
	}
	return first, nil
}

func (p *plan) timeOf(ctx context.Context, c *chainPlan, number store.TxNumber) (int64, error) {
	if c.chain.Family() == ledger.UTXO {
		txs, err := p.store.Transactions(ctx, c.chain, []store.TxNumber{number})
		if err != nil {
			return 0, err
		}
		return txs[0].Time, nil
	}
	movements, err := p.store.Movements(ctx, c.chain, []store.TxNumber{number})
	if err != nil {
		return 0, err
	}
	return movements[0].Time, nil
}

// heard is what a chain said about crossings in a span of heights, in chain order.
type heard struct {
	since int64
	next  ledger.Height // the first block that was not read
	said  []saying
}

// saying is what one transaction said.
type saying struct {
	at    crossing.Place
	found crossing.Found
}

// rewind forgets what blocks said from a height on.
func (h *heard) rewind(from ledger.Height) {
	h.next = min(h.next, from)
	for len(h.said) > 0 && h.said[len(h.said)-1].at.Height >= from {
		h.said = h.said[:len(h.said)-1]
	}
}

// bridgeScan reads one chain.
type bridgeScan struct {
	*plan
	c *chainPlan
	h *heard
	// wait are transactions of a UTXO chain whose sender is still to be looked up.
	wait []crossing.View
}

// scanBatch is how many senders are asked for at once.
const scanBatch = 1024

// clockSlack is how far block times of different chains may disagree, in seconds.
const clockSlack = 2 * 3600

func (s *bridgeScan) scan(ctx context.Context, since int64) error {
	from, err := s.headerAt(ctx, s.c, since-clockSlack)
	if err != nil {
		return err
	}
	first := max(from.Height, s.h.next)
	s.h.next = s.c.to.Height + 1
	for said, err := range s.store.Said(ctx, s.c.chain, first, s.c.to.Height, s.decoders.Topics()) {
		if err != nil {
			return err
		}
		v := crossing.View{Chain: s.c.chain, Height: said.Height, Time: said.Time, Number: uint64(said.Number), Tx: said.Tx}
		if !s.decoders.Speaks(v.Chain, v.Tx) {
			continue
		}
		if s.c.chain.Family() == ledger.Account {
			s.add(&v)
			continue
		}
		if first := s.decoders.Read(&v); len(first.Deposits)+len(first.Payouts)+len(first.Moves)+len(first.Faults) > 0 {
			tx := *v.Tx
			v.Tx = &tx
			s.wait = append(s.wait, v)
		}
		if len(s.wait) >= scanBatch {
			if err := s.addSenders(ctx); err != nil {
				return err
			}
		}
	}
	return s.addSenders(ctx)
}

// readElsewhere looks up what messages name on UTXO chains that carry no word of it.
// What the store does not hold stays unsaid.
func (p *plan) readElsewhere(ctx context.Context, b *bridges) error {
	for _, c := range p.chains {
		var named []*crossing.Elsewhere
		var ids []ledger.Hash
		for i := range b.elsewhere {
			if x := &b.elsewhere[i]; x.Chain == c.chain && c.chain.Family() == ledger.UTXO {
				named, ids = append(named, x), append(ids, x.Tx)
			}
		}
		numbers, err := p.store.Find(ctx, c.chain, ids)
		if err != nil {
			return err
		}
		for i, number := range numbers {
			if number == store.NoTx || number >= c.end {
				continue
			}
			if err := p.readNamed(ctx, b, c, number, named[i]); err != nil {
				return err
			}
		}
	}
	b.elsewhere = nil
	return nil
}

func (p *plan) readNamed(ctx context.Context, b *bridges, c *chainPlan, number store.TxNumber, named *crossing.Elsewhere) error {
	txs, err := p.store.Transactions(ctx, c.chain, []store.TxNumber{number})
	if err != nil {
		return err
	}
	t := &txs[0]
	ask := make([]store.OutputNumber, len(t.Values))
	for i := range ask {
		ask[i] = t.FirstOutput + store.OutputNumber(i)
	}
	outputs, err := p.store.Outputs(ctx, c.chain, ask)
	if err != nil {
		return err
	}
	tx := &ledger.Tx{ID: named.Tx, Outputs: make([]ledger.Output, len(outputs))}
	for i := range outputs {
		tx.Outputs[i] = ledger.Output{Value: outputs[i].Value, Address: outputs[i].Address, Unspendable: outputs[i].Unspendable}
	}
	v := crossing.View{Chain: c.chain, Height: t.Height, Time: t.Time, Number: uint64(number), Tx: tx}
	var found crossing.Found
	named.Read(&v, &found)
	b.matcher.Add(&crossing.Place{Chain: v.Chain, Height: v.Height, Time: v.Time, Number: v.Number, Tx: tx.ID}, &found)
	return nil
}

// headerAt is the first header at or after a moment, or one behind the last.
func (p *plan) headerAt(ctx context.Context, c *chainPlan, moment int64) (store.Header, error) {
	for h, err := range p.store.Headers(ctx, c.chain, c.status.First) {
		if err != nil || h.Time >= moment {
			return h, err
		}
	}
	return store.Header{Height: c.to.Height + 1, FirstTx: c.end}, nil
}

func (s *bridgeScan) add(v *crossing.View) {
	at := crossing.Place{Chain: v.Chain, Height: v.Height, Time: v.Time, Number: v.Number, Tx: v.Tx.ID}
	s.h.said = append(s.h.said, saying{at, s.decoders.Read(v)})
}

// hear takes in what one transaction said.
func (b *bridges) hear(s *saying) {
	b.matcher.Add(&s.at, &s.found)
	b.elsewhere = append(b.elsewhere, s.found.Elsewhere...)
	number := store.TxNumber(s.at.Number)
	if len(s.found.Carriers) > 0 {
		put(b.carriers, s.at.Chain, number, func([]uint32) []uint32 { return s.found.Carriers })
	}
	if len(s.found.Payouts)+len(s.found.Moves) > 0 {
		put(b.speakers, s.at.Chain, number, func(bool) bool { return true })
	}
}

// addSenders looks up who owns the first input of the transactions that wait.
func (s *bridgeScan) addSenders(ctx context.Context) error {
	if len(s.wait) == 0 {
		return nil
	}
	numbers := make([]store.TxNumber, len(s.wait))
	for i := range s.wait {
		numbers[i] = store.TxNumber(s.wait[i].Number)
	}
	txs, err := s.store.Transactions(ctx, s.c.chain, numbers)
	if err != nil {
		return err
	}
	var ask []store.OutputNumber
	for i := range txs {
		if len(txs[i].Inputs) > 0 && txs[i].Inputs[0].Output != store.NoOutput {
			ask = append(ask, txs[i].Inputs[0].Output)
		}
	}
	outputs, err := s.store.Outputs(ctx, s.c.chain, ask)
	if err != nil {
		return err
	}
	for i := range txs {
		if len(txs[i].Inputs) > 0 && txs[i].Inputs[0].Output != store.NoOutput {
			s.wait[i].Spent = []ledger.Output{{Address: outputs[0].Address, Value: outputs[0].Value}}
			outputs = outputs[1:]
		}
		s.add(&s.wait[i])
	}
	s.wait = s.wait[:0]
	return nil
}

// dropFalseVaults takes back deposits that nobody paid for and whose "vault" acts
// like anybody: a thief can write a memo on a payment to himself. On UTXO chains a
// vault spends what it took only with a vault's memo.
func (p *plan) dropFalseVaults(ctx context.Context, b *bridges) error {
	kept := b.crossings[:0]
	for i := range b.crossings {
		x := &b.crossings[i]
		suspect := x.Protocol.Vaults && x.Status == crossing.InTransit && !b.matcher.Established(x.Place.Chain, x.Into) &&
			(x.Vault.IsZero() || !b.matcher.Established(x.Place.Chain, x.Vault))
		if suspect {
			alone, err := p.actsAlone(ctx, b, x)
			if err != nil {
				return err
			}
			if alone {
				b.forged = append(b.forged, crossing.Forgery{
					Protocol: x.Protocol, Place: x.Place, Position: x.Position, Asset: x.Asset, Amount: x.Amount, To: x.Into,
					Reason: "a deposit's memo, but who took the value spent it like anybody, not as a vault",
				})
				continue
			}
		}
		kept = append(kept, *x)
	}
	b.crossings = kept
	return nil
}

// actsAlone says whether the taker of a deposit moved value on without a vault's
// words.
func (p *plan) actsAlone(ctx context.Context, b *bridges, x *crossing.Crossing) (bool, error) {
	chain := x.Place.Chain
	speaks := func(n store.TxNumber) bool { return b.speakers[chain][n] }
	if chain.Family() == ledger.UTXO {
		numbers, err := p.store.Numbers(ctx, chain, []ledger.Outpoint{{Tx: x.Place.Tx, Index: x.Output}})
		if err != nil || numbers[0] == store.NoOutput {
			return false, err
		}
		outputs, err := p.store.Outputs(ctx, chain, numbers)
		if err != nil {
			return false, err
		}
		return outputs[0].Spender != store.NoTx && !speaks(outputs[0].Spender), nil
	}
	taker := x.Vault
	if taker.IsZero() {
		taker = x.Into
	}
	histories, err := p.store.History(ctx, chain, []store.Since{{Address: taker, From: store.TxNumber(x.Place.Number) + 1, Limit: 64}})
	if err != nil {
		return false, err
	}
	for _, touch := range histories[0] {
		if speaks(touch.Tx) {
			continue
		}
		movements, err := p.store.Movements(ctx, chain, []store.TxNumber{touch.Tx})
		if err != nil {
			return false, err
		}
		sends := func(t ledger.Transfer) bool { return t.From == taker && t.Asset == x.Asset && !t.Amount.IsZero() }
		if tx := &movements[0].Tx; !tx.Failed && slices.ContainsFunc(tx.Transfers, sends) {
			return true, nil
		}
	}
	return false, nil
}

// reportForged records payouts that name a tainted deposit and do not count, and
// faulty messages of transactions that moved taint.
func (p *plan) reportForged(r *record) {
	if p.bridges == nil {
		return
	}
	tainted := map[ledger.Hash]bool{}
	for i := range r.crossed {
		tainted[p.bridges.crossings[i].Key] = true
	}
	for i := range p.bridges.forged {
		f := &p.bridges.forged[i]
		number := store.TxNumber(f.Place.Number)
		if (f.Key == ledger.Hash{} || !tainted[f.Key]) && !r.visited[f.Place.Chain][number] {
			continue
		}
		asset := f.Asset
		if asset == "" {
			asset = f.Place.Chain.Native()
		}
		place := taint.Place{Chain: f.Place.Chain, Asset: asset, Address: f.To}
		if f.Place.Chain.Family() == ledger.UTXO {
			place = taint.Place{Chain: f.Place.Chain, Asset: asset, Output: noOutput - 1 - f.Place.Number}
		}
		r.Found(taint.Anomaly{
			Moment: taint.Moment{Number: f.Place.Number, Height: f.Place.Height, Time: f.Place.Time}, Kind: taint.Forged, Place: place, Amount: f.Amount,
			Detail: f.Protocol.Title + ": " + f.Reason + "; it links nothing",
		})
	}
}

// crossedBy keeps what reached a crossing's deposit.
func (r *record) crossedBy(c *chainPlan) taint.Cross {
	return func(i int, when taint.Moment, place taint.Place, lots []taint.Lot) {
		b := r.crossed[i]
		if b == nil {
			b = &bucket{first: when}
			r.crossed[i] = b
		}
		b.last = when
		if c.chain.Family() == ledger.UTXO {
			place.Address = ledger.Address{}
		}
		b.lots = append(b.lots, lots...)
		b.leg(place, slices.Clone(lots))
	}
}

func (r *record) crossedInOrder() []int {
	order := make([]int, 0, len(r.crossed))
	for i := range r.crossed {
		order = append(order, i)
	}
	slices.Sort(order)
	return order
}

// depositsIn lists the deposits of a transaction.
func (b *bridges) depositsIn(chain ledger.Chain, number store.TxNumber, given *inflow) (list []taint.Deposited) {
	if b == nil {
		return nil
	}
	for _, i := range b.deposits[chain][number] {
		c := &b.crossings[i]
		if given.factsOnly && b.assumed(c) {
			continue // the facts end at the service
		}
		list = append(list, taint.Deposited{Into: taint.Holding{Address: c.Into, Asset: c.Asset}, Crossing: i, Amount: c.Amount})
	}
	return list
}

// paidIn lists what crossings bring with a transaction.
func (p *plan) paidIn(chain ledger.Chain, number store.TxNumber, given *inflow) (list []taint.PaidOut) {
	if p.bridges == nil {
		return nil
	}
	for _, ref := range p.bridges.payouts[chain][number] {
		if paid, ok := p.paid(ref, given); ok {
			list = append(list, paid)
		}
	}
	return list
}

// paid is what a crossing brings with one payout, if it brings anything.
func (p *plan) paid(ref payoutRef, given *inflow) (taint.PaidOut, bool) {
	c := &p.bridges.crossings[ref.crossing]
	out := &c.Payouts[ref.payout]
	return taint.PaidOut{
		Transfer: out.Transfer, To: taint.Holding{Address: out.To, Asset: out.Asset}, Lots: given.payouts[ref], From: given.legs[ref.crossing], By: c.Via.Title,
		Vault: !c.Via.Vaults || p.bridges.matcher.Established(out.Place.Chain, out.Payer),
	}, len(given.payouts[ref]) > 0
}

// arrivals are the transactions of a chain in which crossings bring something.
func (p *plan) arrivals(chain ledger.Chain, given *inflow) (numbers []store.TxNumber) {
	if p.bridges == nil {
		return nil
	}
	for number, refs := range p.bridges.payouts[chain] {
		if slices.ContainsFunc(refs, func(ref payoutRef) bool { return len(given.payouts[ref]) > 0 }) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}
