package taint

import (
	"encoding/hex"
	"slices"
	"strings"

	"coldtrail/ledger"
)

// A swap is recognised by its shape, without decoding any exchange: within one
// transaction a tainted principal gives asset A to somebody from whom value runs,
// over any number of contracts, to whoever pays the principal asset B. What lies
// between is pass-through and never holds the taint. Wrapping, unwrapping, minting
// and burning have the same shape: the token's contract stands in for the zero
// address.
type swap struct {
	principal ledger.Address
	given     []flowOf // assets that left, net of refunds
	received  []flowOf // assets that came
	first     int      // index of the first transfer that paid the principal
	last      int      // index of the last one: there the swap is done
}

// flowOf is an amount of an asset.
type flowOf struct {
	asset  ledger.Asset
	amount ledger.Amount
}

// netted is what swaps moved through a holding.
type netted struct {
	in, out ledger.Amount
}

// findSwaps lists the swaps of a transaction, by first appearance of their
// principals, and marks the transfers that they account for in a.swapped.
func (a *Accounts) findSwaps(tx *ledger.Tx) []swap {
	a.swapped = slices.Grow(a.swapped[:0], len(tx.Transfers))[:len(tx.Transfers)]
	clear(a.swapped)
	if !severalAssets(tx.Transfers) {
		return nil
	}
	var swaps []swap
	var seen []ledger.Address
	for i := range tx.Transfers {
		sender := tx.Transfers[i].From
		if a.Watches(sender) && !slices.Contains(seen, sender) {
			seen = append(seen, sender)
			if s, ok := a.findSwap(tx.Transfers, sender); ok {
				swaps = append(swaps, s)
			}
		}
	}
	if len(swaps) > 0 {
		a.settleBetween(tx.Transfers, swaps)
	}
	return swaps
}

func severalAssets(transfers []ledger.Transfer) bool {
	return slices.ContainsFunc(transfers, func(t ledger.Transfer) bool { return t.Asset != transfers[0].Asset })
}

// findSwap finds what a principal gave and received.
func (a *Accounts) findSwap(transfers []ledger.Transfer, principal ledger.Address) (swap, bool) {
	s := swap{principal: principal, first: len(transfers)}
	got, gave := sides(transfers, principal)
	payers := payersOf(transfers, principal, got, gave)
	if len(payers) == 0 {
		return s, false
	}
	between := reaching(transfers, principal, payers)
	for _, asset := range gave {
		n := across(transfers, principal, asset, between)
		net := less(&n.out, &n.in) // refunds come off
		if pool := a.pools[Holding{principal, asset}]; pool != nil && !net.IsZero() {
			s.given = append(s.given, flowOf{asset, net})
		}
	}
	for _, asset := range got {
		n := across(transfers, principal, asset, between)
		if net := less(&n.in, &n.out); !net.IsZero() {
			s.received = append(s.received, flowOf{asset, net})
		}
	}
	if len(s.given) == 0 || len(s.received) == 0 {
		return s, false
	}
	s.mark(transfers, between, a.swapped)
	return s, true
}

// mark marks the principal's transfers with those between as accounted for.
func (s *swap) mark(transfers []ledger.Transfer, between map[ledger.Address]bool, swapped []bool) {
	for i := range transfers {
		t := &transfers[i]
		out := t.From == s.principal && between[receiver(t)]
		in := t.To == s.principal && between[sender(t)]
		if out || in {
			swapped[i] = true
		}
		if in && s.receives(t.Asset) {
			s.first, s.last = min(s.first, i), i
		}
		if !out && !in && between[sender(t)] && between[receiver(t)] {
			swapped[i] = true
		}
	}
}

func (s *swap) receives(asset ledger.Asset) bool {
	return slices.ContainsFunc(s.received, func(f flowOf) bool { return f.asset == asset })
}

func (s *swap) gives(asset ledger.Asset) bool {
	return slices.ContainsFunc(s.given, func(f flowOf) bool { return f.asset == asset })
}

// sides splits the assets a principal moved into those it got more of and those it
// gave, in order of first appearance. Where it passed everything on that it got,
// the last asset that came in counts as got: it was sent on by the principal.
func sides(transfers []ledger.Transfer, principal ledger.Address) (got, gave []ledger.Asset) {
	var assets []ledger.Asset
	net := map[ledger.Asset]*netted{}
	var last ledger.Asset
	for i := range transfers {
		t := &transfers[i]
		if t.From == t.To || (t.From != principal && t.To != principal) || t.Amount.IsZero() {
			continue
		}
		n := net[t.Asset]
		if n == nil {
			n = &netted{}
			net[t.Asset] = n
			assets = append(assets, t.Asset)
		}
		if t.From == principal {
			n.out.Add(&n.out, &t.Amount)
		} else {
			n.in.Add(&n.in, &t.Amount)
			last = t.Asset
		}
	}
	for _, asset := range assets {
		switch n := net[asset]; {
		case n.in.Gt(&n.out):
			got = append(got, asset)
		case n.out.Gt(&n.in):
			gave = append(gave, asset)
		}
	}
	if len(got) == 0 && last != "" && !slices.Contains(gave, last) {
		got = append(got, last)
	}
	return got, gave
}

// payersOf lists who paid the principal an asset it got, if it gave another.
func payersOf(transfers []ledger.Transfer, principal ledger.Address, got, gave []ledger.Asset) []ledger.Address {
	var payers []ledger.Address
	if len(got) == 0 || len(gave) == 0 {
		return nil
	}
	for i := range transfers {
		t := &transfers[i]
		if t.To == principal && t.From != principal && slices.Contains(got, t.Asset) && !t.Amount.IsZero() {
			payers = append(payers, sender(t))
		}
	}
	return payers
}

// reaching is every address from which value runs to one of the payers without
// passing the principal, the payers included.
func reaching(transfers []ledger.Transfer, principal ledger.Address, payers []ledger.Address) map[ledger.Address]bool {
	reach := map[ledger.Address]bool{}
	for len(payers) > 0 {
		payer := payers[len(payers)-1]
		payers = payers[:len(payers)-1]
		if reach[payer] || payer == principal {
			continue
		}
		reach[payer] = true
		for i := range transfers {
			if t := &transfers[i]; receiver(t) == payer && !t.Amount.IsZero() {
				payers = append(payers, sender(t))
			}
		}
	}
	return reach
}

// across is what crossed between the principal and those between, of one asset.
func across(transfers []ledger.Transfer, principal ledger.Address, asset ledger.Asset, between map[ledger.Address]bool) (n netted) {
	for i := range transfers {
		t := &transfers[i]
		switch {
		case t.Asset != asset || t.From == t.To:
		case t.From == principal && between[receiver(t)]:
			n.out.Add(&n.out, &t.Amount)
		case t.To == principal && between[sender(t)]:
			n.in.Add(&n.in, &t.Amount)
		}
	}
	return n
}

// less is x - y, or 0 where y is larger.
func less(x, y *ledger.Amount) ledger.Amount {
	if x.Lt(y) {
		return ledger.Amount{}
	}
	return *new(ledger.Amount).Sub(x, y)
}

// sender is who a transfer comes from; a mint comes from its token's contract.
func sender(t *ledger.Transfer) ledger.Address { return behindZero(t.From, t.Asset) }

// receiver is who a transfer goes to; a burn goes to its token's contract.
func receiver(t *ledger.Transfer) ledger.Address { return behindZero(t.To, t.Asset) }

func behindZero(address ledger.Address, asset ledger.Asset) ledger.Address {
	if !isBurnAddress(address) {
		return address
	}
	_, contract, ok := strings.Cut(string(asset), "/erc20:0x")
	if payload, err := hex.DecodeString(contract); ok && err == nil && len(payload) == 20 {
		return ledger.NewAddress(ledger.EVMAccount, payload)
	}
	return address
}

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
	converts := func(s swap) bool { return s.principal == h.Address && (s.gives(h.Asset) || s.receives(h.Asset)) }
	if a.pools[h] == nil || slices.ContainsFunc(swaps, converts) {
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

// convert turns what the principal gave into what it received. The lots keep
// their order and their origin; where several assets came, each carries an equal
// part of the origin; where several were given, each takes an equal part of what
// came.
func (a *Accounts) convert(s *swap) {
	givers := ledger.NewAmount(uint64(len(s.given)))
	for g := range s.given {
		from := Holding{s.principal, s.given[g].asset}
		pool := a.pools[from]
		if pool == nil { // spent to the last unit since the swap was recognised
			pool = NewPool(a.method, a.palette)
		}
		lots := a.draw(from, pool, nil, &s.given[g].amount)
		sent := slices.Clone(lots)
		a.drop(from)
		parts := splitOrigins(lots, len(s.received))
		for r := range s.received {
			amount := shareOf(&s.received[r].amount, g, &givers)
			a.deliverConverted(s, from, sent, Conversion{Lots: parts[r], Given: s.given[g].amount, Received: amount, To: Holding{s.principal, s.received[r].asset}})
		}
	}
}

// Conversion is lots of one asset that become lots of another.
type Conversion struct {
	Lots            []Lot // sum to Given
	Given, Received ledger.Amount
	To              Holding
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

func (a *Accounts) deliverConverted(s *swap, from Holding, sent []Lot, c Conversion) {
	converted, rounded := c.Convert()
	leg := Leg{Place: a.place(c.To), Kind: Held}
	if !a.method.Conserves {
		converted, rounded = poisonAll(sent, &c.Received), nil
	}
	arrive(converted, a.step.Time)
	arrive(rounded, a.step.Time)
	if AnyTainted(converted) {
		leg.Kind = a.deliver(c.To, converted, s.first)
	} else {
		for i := range converted {
			a.arriveClean(c.To, &converted[i].Amount)
		}
	}
	leg.Lots = converted
	to := []Leg{leg}
	if AnyTainted(rounded) {
		a.record.Settled(Settlement{Moment: a.step.Moment, Place: a.place(c.To), Kind: Rounding, Lots: rounded})
		to = append(to, Leg{Place: a.place(c.To), Kind: Rounding, Lots: rounded})
	}
	if AnyTainted(sent) {
		a.record.Moved(Flow{Moment: a.step.Moment, Chain: a.chain, From: []Leg{{Place: a.place(from), Lots: sent}}, To: to})
	}
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
