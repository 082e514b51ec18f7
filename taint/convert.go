package taint

import (
	"slices"

	"coldtrail/ledger"
)

// settleBetween keeps the holdings between exact where they are themselves
// tracked: what swaps brought them, net, dilutes them as clean value.
func (a *Accounts) settleBetween(transfers []ledger.Transfer, swaps []swap) {
	clear(a.net)
	a.order = a.order[:0]
	for i := range transfers {
		if t := &transfers[i]; a.swapped[i] && t.From != t.To {
			from, to := a.netOf(Holding{t.From, t.Asset}, swaps), a.netOf(Holding{t.To, t.Asset}, swaps)
			from.out.Add(&from.out, &t.Amount)
			to.in.Add(&to.in, &t.Amount)
		}
	}
	for _, h := range a.order {
		n := a.net[h]
		switch {
		case n.in.Gt(&n.out):
			a.arriveClean(h, new(ledger.Amount).Sub(&n.in, &n.out))
		case n.out.Gt(&n.in):
			a.found(SwapThrough, h, *new(ledger.Amount).Sub(&n.out, &n.in), "a contract that holds taint paid into a swap without receiving; its taint stays with it")
		}
	}
}

// netOf is the counter of a tracked holding that no swap converts; others share
// one that nobody reads.
func (a *Accounts) netOf(h Holding, swaps []swap) *netted {
	if a.pools[h] == nil || slices.ContainsFunc(swaps, func(s swap) bool { return s.converts(h) }) {
		return &netted{}
	}
	n := a.net[h]
	if n == nil {
		n = &netted{}
		a.net[h] = n
		a.order = append(a.order, h)
	}
	return n
}

// convert turns what the principal gave into what it and its recipients received.
// The lots keep their order and their origin; where several assets came, each
// carries an equal part of the origin; where several were given, each takes an equal
// part of what came. Parts that only passed through are drawn first.
func (a *Accounts) convert(s *swap) {
	for i := range s.passed {
		a.passOn(s, &s.passed[i])
	}
	assets := s.receivedAssets()
	givers := ledger.NewAmount(uint64(len(s.given)))
	for g := range s.given {
		from := Holding{s.principal, s.given[g].asset}
		if s.given[g].amount.IsZero() { // all of it was passed on
			continue
		}
		pool := a.pools[from]
		if pool == nil { // spent to the last unit since the swap was recognised
			pool = NewPool(a.method, a.palette)
		}
		lots := a.draw(from, pool, nil, &s.given[g].amount)
		sent := slices.Clone(lots)
		a.drop(from)
		parts := splitOrigins(lots, len(assets))
		for r := range assets {
			amount := shareOf(&assets[r].amount, g, &givers)
			c := Conversion{Lots: parts[r], Given: s.given[g].amount, Received: amount}
			a.deliverConverted(s, from, sent, assets[r].asset, &c)
		}
	}
}

// passOn moves a part of a given asset on to whom it reached in the end.
func (a *Accounts) passOn(s *swap, to *receipt) {
	from := Holding{s.principal, to.Asset}
	at := slices.IndexFunc(s.given, func(f flowOf) bool { return f.asset == to.Asset })
	if at < 0 || a.pools[from] == nil || s.given[at].amount.Lt(&to.amount) {
		a.arriveClean(to.Holding, &to.amount)
		return
	}
	s.given[at].amount.Sub(&s.given[at].amount, &to.amount)
	lots := a.draw(from, a.pools[from], nil, &to.amount)
	sent := slices.Clone(lots)
	a.drop(from)
	if !AnyTainted(lots) {
		a.arriveClean(to.Holding, &to.amount)
		return
	}
	arrive(lots, a.step.Time)
	leg := Leg{Place: a.place(to.Holding), Kind: a.deliver(to.Holding, lots, to.first), Lots: lots}
	a.record.Moved(Flow{Moment: a.step.Moment, Chain: a.chain, From: []Leg{{Place: a.place(from), Lots: sent}}, To: []Leg{leg}, Swap: a.note(s)})
}

// receivedAssets sums what was received by asset, in order of first appearance.
func (s *swap) receivedAssets() (assets []flowOf) {
	for i := range s.received {
		at := slices.IndexFunc(assets, func(f flowOf) bool { return f.asset == s.received[i].Asset })
		if at < 0 {
			at = len(assets)
			assets = append(assets, flowOf{asset: s.received[i].Asset})
		}
		assets[at].amount.Add(&assets[at].amount, &s.received[i].amount)
	}
	return assets
}

// note describes the swap for results.
func (a *Accounts) note(s *swap) *SwapNote {
	return &SwapNote{Initiator: a.step.Tx.Fee.Payer, Principal: s.principal, Pools: s.pools}
}

// Conversion is lots of one asset that become lots of another.
type Conversion struct {
	Lots            []Lot // sum to Given
	Given, Received ledger.Amount
}

// Convert relabels the lots by running totals: b_j = floor(Y*(a_1+..+a_j)/X) -
// floor(Y*(a_1+..+a_(j-1))/X), origin carried unchanged. Lots whose amount rounds
// to nothing are returned apart, as rounded.
func (c *Conversion) Convert() (converted, rounded []Lot) {
	var passed, given ledger.Amount
	for i := range c.Lots {
		lot := c.Lots[i]
		passed.Add(&passed, &lot.Amount)
		total := mulDiv(&c.Received, &passed, &c.Given)
		lot.Amount.Sub(&total, &given)
		given = total
		if lot.Amount.IsZero() && lot.Tainted() {
			rounded = append(rounded, lot)
			continue
		}
		converted = appendLot(converted, &lot)
	}
	return converted, rounded
}

// deliverConverted converts lots into an asset and shares them out among those who
// received it: each draws its amount by the method, in the order of first payment.
func (a *Accounts) deliverConverted(s *swap, from Holding, sent []Lot, asset ledger.Asset, c *Conversion) {
	converted, rounded := c.Convert()
	if !a.method.Conserves {
		converted, rounded = poisonAll(sent, &c.Received), nil
	}
	arrive(converted, a.step.Time)
	arrive(rounded, a.step.Time)
	var legs []Leg
	pool := NewPool(a.method, a.palette)
	pool.Add(converted)
	owners := s.ownersOf(asset)
	for i, r := range owners {
		var lots []Lot
		switch {
		case !a.method.Conserves: // poison stains all that anybody got
			lots = poisonAll(sent, &r.amount)
		case i == len(owners)-1:
			lots = pool.DrawRest(nil)
		default: // where several assets were given, each brings its part
			share := mulDiv(&r.amount, &c.Received, s.totalOf(asset))
			lots, _ = pool.Draw(nil, &share)
		}
		legs = append(legs, a.deliverShare(r, lots))
	}
	if AnyTainted(rounded) {
		to := a.place(Holding{s.principal, asset})
		a.record.Settled(Settlement{Moment: a.step.Moment, Place: to, Kind: Rounding, Lots: rounded})
		legs = append(legs, Leg{Place: to, Kind: Rounding, Lots: rounded})
	}
	if AnyTainted(sent) {
		a.record.Moved(Flow{Moment: a.step.Moment, Chain: a.chain, From: []Leg{{Place: a.place(from), Lots: sent}}, To: legs, Swap: a.note(s)})
	}
}

// deliverShare lets one recipient's lots arrive.
func (a *Accounts) deliverShare(r *receipt, lots []Lot) Leg {
	leg := Leg{Place: a.place(r.Holding), Kind: Held, Lots: lots}
	if AnyTainted(lots) {
		leg.Kind = a.deliver(r.Holding, lots, r.first)
		return leg
	}
	for i := range lots {
		a.arriveClean(r.Holding, &lots[i].Amount)
	}
	return leg
}

// ownersOf lists who received an asset, in the order of first payment.
func (s *swap) ownersOf(asset ledger.Asset) (owners []*receipt) {
	for i := range s.received {
		if s.received[i].Asset == asset {
			owners = append(owners, &s.received[i])
		}
	}
	slices.SortStableFunc(owners, func(x, y *receipt) int { return x.first - y.first })
	return owners
}

// totalOf is what was received of an asset in all.
func (s *swap) totalOf(asset ledger.Asset) *ledger.Amount {
	for _, f := range s.receivedAssets() {
		if f.asset == asset {
			return &f.amount
		}
	}
	return new(ledger.Amount)
}

// poisonAll stains the whole amount with every class.
func poisonAll(lots []Lot, amount *ledger.Amount) []Lot {
	out := slices.Clone(lots)
	for i := range out {
		out[i].Amount = *amount
	}
	return out
}

// splitOrigins copies lots n times and divides each lot's origin equally, by
// running totals, so that nothing is lost.
func splitOrigins(lots []Lot, n int) [][]Lot {
	parts := make([][]Lot, n)
	count := ledger.NewAmount(uint64(n))
	for p := range parts {
		parts[p] = slices.Clone(lots)
		for i := range parts[p] {
			parts[p][i].Origin = shareOf(&lots[i].Origin, p, &count)
		}
	}
	return parts
}

// shareOf is part number i of an amount divided into count equal parts.
func shareOf(amount *ledger.Amount, i int, count *ledger.Amount) ledger.Amount {
	before, after := ledger.NewAmount(uint64(i)), ledger.NewAmount(uint64(i)+1)
	low, high := mulDiv(amount, &before, count), mulDiv(amount, &after, count)
	return *new(ledger.Amount).Sub(&high, &low)
}
