package taint

import (
	"encoding/hex"
	"slices"
	"strings"

	"coldtrail/ledger"
)

// A swap is recognised by its shape, without decoding any exchange: within one
// transaction a tainted principal gives asset A to somebody from whom value runs,
// over any number of contracts, to whoever pays asset B to the principal or to the
// recipients it named. What lies between is pass-through and never holds the taint.
// Wrapping, unwrapping, minting and burning have the same shape: the token's
// contract stands in for the zero address.
type swap struct {
	principal ledger.Address
	given     []flowOf  // assets that left, net of refunds
	passed    []receipt // parts of a given asset that went on unchanged to others
	received  []receipt // what came for it, and to whom
	pools     []ledger.Address
	last      int // index of the last transfer that paid for it: there the swap is done
}

// flowOf is an amount of an asset.
type flowOf struct {
	asset  ledger.Asset
	amount ledger.Amount
}

// receipt is what somebody got out of a swap.
type receipt struct {
	Holding
	amount ledger.Amount
	first  int // index of the first transfer that brought it
}

// netted is what moved through a holding.
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

// findSwap finds what a principal gave, and what it and its recipients received.
func (a *Accounts) findSwap(transfers []ledger.Transfer, principal ledger.Address) (swap, bool) {
	s := swap{principal: principal}
	got, gave := sides(transfers, principal)
	if !a.anyPool(principal, gave) {
		return s, false
	}
	p := newParties(transfers, principal)
	paid := func(t *ledger.Transfer) bool { return t.To == principal && slices.Contains(got, t.Asset) }
	named := p.recipients(gave)
	rivals := p.rivals()
	if rivals && len(got) == 0 && len(named) > 0 {
		a.found(AmbiguousSwap, Holding{principal, gave[0]}, ledger.Amount{}, "several accounts gave in this transaction and others received; who received for whom is not known, so nothing was converted")
		return s, false
	}
	if len(got) == 0 {
		paid = func(t *ledger.Transfer) bool { return !slices.Contains(gave, t.Asset) && named[Holding{t.To, t.Asset}] }
	}
	between := p.reaching(p.payers(paid))
	a.addPrincipal(&s, p.across(between), got, gave)
	s.pools = p.converters(between)
	if len(s.given) == 0 || len(got) == 0 && len(s.pools) == 0 {
		return s, false
	}
	if !rivals {
		s.addNamed(p, between, named, gave)
	}
	if len(s.received) == 0 {
		return s, false
	}
	s.mark(transfers, between, a.swapped)
	return s, true
}

// addPrincipal adds what the principal itself gave and received, net of refunds.
func (a *Accounts) addPrincipal(s *swap, crossed map[ledger.Asset]*netted, got, gave []ledger.Asset) {
	for _, asset := range gave {
		n := crossed[asset]
		if n == nil || a.pools[Holding{s.principal, asset}] == nil {
			continue
		}
		if net := less(&n.out, &n.in); !net.IsZero() {
			s.given = append(s.given, flowOf{asset, net})
		}
	}
	for _, asset := range got {
		if n := crossed[asset]; n != nil && n.in.Gt(&n.out) {
			s.received = append(s.received, receipt{Holding: Holding{s.principal, asset}, amount: less(&n.in, &n.out)})
		}
	}
}

// anyPool reports whether the principal holds taint in one of the assets.
func (a *Accounts) anyPool(principal ledger.Address, assets []ledger.Asset) bool {
	return slices.ContainsFunc(assets, func(asset ledger.Asset) bool { return a.pools[Holding{principal, asset}] != nil })
}

// addNamed adds what recipients other than the principal got from those between:
// other assets as received; a given asset as passed on, where the rest of it went
// into a pool. Where none did, whoever kept it is the counterparty of the swap.
func (s *swap) addNamed(p *parties, between map[ledger.Address]bool, named map[Holding]bool, gave []ledger.Asset) {
	for i := range p.transfers {
		t := &p.transfers[i]
		h := Holding{t.To, t.Asset}
		if !named[h] || !between[sender(t)] || between[t.To] {
			continue
		}
		list := &s.received
		if slices.Contains(gave, t.Asset) {
			if list = &s.passed; !p.pooled(s.pools, t.Asset) {
				continue
			}
		}
		at := slices.IndexFunc(*list, func(r receipt) bool { return r.Holding == h })
		if at < 0 {
			at = len(*list)
			*list = append(*list, receipt{Holding: h, first: i})
		}
		(*list)[at].amount.Add(&(*list)[at].amount, &t.Amount)
	}
}

// mark marks the transfers between the parties of the swap as accounted for.
func (s *swap) mark(transfers []ledger.Transfer, between map[ledger.Address]bool, swapped []bool) {
	for i := range s.received {
		if s.received[i].Address == s.principal {
			s.received[i].first = len(transfers)
		}
	}
	for i := range transfers {
		t := &transfers[i]
		inside := (t.From == s.principal || between[sender(t)]) && (t.To == s.principal || between[receiver(t)])
		if inside && t.From != t.To {
			swapped[i] = true
		}
		h := Holding{t.To, t.Asset}
		if !between[sender(t)] {
			continue
		}
		for j := range s.received {
			if r := &s.received[j]; r.Holding == h {
				swapped[i] = true
				r.first, s.last = min(r.first, i), max(s.last, i)
			}
		}
		if slices.ContainsFunc(s.passed, func(r receipt) bool { return r.Holding == h }) {
			swapped[i] = true
			s.last = max(s.last, i)
		}
	}
}

// converts reports whether the swap itself settles a holding.
func (s *swap) converts(h Holding) bool {
	is := func(r receipt) bool { return r.Holding == h }
	return slices.ContainsFunc(s.received, is) || slices.ContainsFunc(s.passed, is) ||
		h.Address == s.principal && slices.ContainsFunc(s.given, func(f flowOf) bool { return f.asset == h.Asset })
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
	if address != zeroAccount {
		return address
	}
	_, contract, ok := strings.Cut(string(asset), "/erc20:0x")
	if payload, err := hex.DecodeString(contract); ok && err == nil && len(payload) == 20 {
		return ledger.NewAddress(ledger.EVMAccount, payload)
	}
	return address
}
