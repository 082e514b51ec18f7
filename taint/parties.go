package taint

import (
	"slices"

	"coldtrail/ledger"
)

// parties is who gains and who loses in a transaction, seen from a principal. A
// mint or burn counts for the token's contract.
type parties struct {
	transfers []ledger.Transfer
	principal ledger.Address
	net       map[Holding]*netted
	order     []Holding // of first appearance
	gains     map[ledger.Address]bool
	loses     map[ledger.Address]bool
	into      map[ledger.Address][]int // transfers by receiver
	out       map[ledger.Address][]int // transfers by sender
	indirect  map[Holding]bool         // somebody other than the principal paid it
	largest   map[ledger.Asset]ledger.Amount
}

func newParties(transfers []ledger.Transfer, principal ledger.Address) *parties {
	p := &parties{
		transfers: transfers, principal: principal, net: map[Holding]*netted{}, gains: map[ledger.Address]bool{}, loses: map[ledger.Address]bool{},
		into: map[ledger.Address][]int{}, out: map[ledger.Address][]int{}, indirect: map[Holding]bool{}, largest: map[ledger.Asset]ledger.Amount{},
	}
	for i := range transfers {
		t := &transfers[i]
		if t.From == t.To || t.Amount.IsZero() {
			continue
		}
		giver, taker := sender(t), receiver(t)
		from, to := p.of(Holding{giver, t.Asset}), p.of(Holding{taker, t.Asset})
		from.out.Add(&from.out, &t.Amount)
		to.in.Add(&to.in, &t.Amount)
		p.out[giver], p.into[taker] = append(p.out[giver], i), append(p.into[taker], i)
		if t.From != principal {
			p.indirect[Holding{t.To, t.Asset}] = true
		}
		if most := p.largest[t.Asset]; t.Amount.Gt(&most) {
			p.largest[t.Asset] = t.Amount
		}
	}
	for _, h := range p.order {
		n := p.net[h]
		p.gains[h.Address] = p.gains[h.Address] || n.in.Gt(&n.out)
		p.loses[h.Address] = p.loses[h.Address] || n.out.Gt(&n.in)
	}
	return p
}

func (p *parties) of(h Holding) *netted {
	n := p.net[h]
	if n == nil {
		n = &netted{}
		p.net[h] = n
		p.order = append(p.order, h)
	}
	return n
}

// payers lists who made the payments, each once.
func (p *parties) payers(paid func(*ledger.Transfer) bool) (payers []ledger.Address) {
	for i := range p.transfers {
		if t := &p.transfers[i]; paid(t) && t.From != p.principal && !t.Amount.IsZero() {
			payers = append(payers, sender(t))
		}
	}
	return payers
}

// reaching is every address from which value runs to one of the payers without
// passing the principal, the payers included.
func (p *parties) reaching(payers []ledger.Address) map[ledger.Address]bool {
	reach := map[ledger.Address]bool{}
	for len(payers) > 0 {
		payer := payers[len(payers)-1]
		payers = payers[:len(payers)-1]
		if reach[payer] || payer == p.principal {
			continue
		}
		reach[payer] = true
		for _, i := range p.into[payer] {
			payers = append(payers, sender(&p.transfers[i]))
		}
	}
	return reach
}

// across is what crossed between the principal and those between, by asset.
func (p *parties) across(between map[ledger.Address]bool) map[ledger.Asset]*netted {
	crossed := map[ledger.Asset]*netted{}
	of := func(asset ledger.Asset) *netted {
		if crossed[asset] == nil {
			crossed[asset] = &netted{}
		}
		return crossed[asset]
	}
	for i := range p.transfers {
		t := &p.transfers[i]
		switch {
		case t.From == t.To:
		case t.From == p.principal && between[receiver(t)]:
			n := of(t.Asset)
			n.out.Add(&n.out, &t.Amount)
		case t.To == p.principal && between[sender(t)]:
			n := of(t.Asset)
			n.in.Add(&n.in, &t.Amount)
		}
	}
	return crossed
}

// reached is every address that value of the principal can have reached.
func (p *parties) reached() map[ledger.Address]bool {
	reach := map[ledger.Address]bool{}
	open := []ledger.Address{p.principal}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, i := range p.out[at] {
			if to := receiver(&p.transfers[i]); to != p.principal && !reach[to] {
				reach[to] = true
				open = append(open, to)
			}
		}
	}
	return reach
}

// feeParts says what counts as a fee of a swap: what accounts that only receive get,
// up to one part in so many of the asset's largest movement. Aggregators take up to
// a few per cent.
const feeParts = 10

// recipients is what accounts that only gained got, over others, of what ran from
// the principal: the recipients it named. Small parts are fees, unless there is
// nothing larger.
func (p *parties) recipients(gave []ledger.Asset) map[Holding]bool {
	reached := p.reached()
	named := map[Holding]bool{}
	total := map[ledger.Asset]*ledger.Amount{}
	var all []Holding
	for _, h := range p.order {
		if n := p.net[h]; reached[h.Address] && p.gains[h.Address] && !p.loses[h.Address] && p.indirect[h] && n.in.Gt(&n.out) && !isToken(h) {
			all = append(all, h)
			if total[h.Asset] == nil {
				total[h.Asset] = new(ledger.Amount)
			}
			total[h.Asset].Add(total[h.Asset], new(ledger.Amount).Sub(&n.in, &n.out))
		}
	}
	large := map[ledger.Asset]bool{} // somebody got more than a fee
	for _, h := range all {
		limit := p.feeLimit(h.Asset)
		if net := less(&p.net[h].in, &p.net[h].out); net.Gt(&limit) {
			named[h], large[h.Asset] = true, true
		}
	}
	for _, h := range all { // a sum split into many small parts is no fee
		limit := p.feeLimit(h.Asset)
		if !large[h.Asset] && total[h.Asset].Gt(&limit) && !slices.Contains(gave, h.Asset) {
			named[h] = true
		}
	}
	return named
}

// feeLimit is the most that counts as a fee in an asset.
func (p *parties) feeLimit(asset ledger.Asset) ledger.Amount {
	most, parts := p.largest[asset], ledger.NewAmount(feeParts)
	return *most.Div(&most, &parts)
}

// pooled says that one of the pools gained the asset.
func (p *parties) pooled(pools []ledger.Address, asset ledger.Asset) bool {
	return slices.ContainsFunc(pools, func(pool ledger.Address) bool {
		n := p.net[Holding{pool, asset}]
		return n != nil && n.in.Gt(&n.out)
	})
}

// isToken says that a holding is a token's contract standing in for units that were
// made or burned.
func isToken(h Holding) bool {
	return isBurnAddress(h.Address) || h.Address == behindZero(zeroAccount, h.Asset)
}

// rivals says that somebody else gave and received nothing: whoever only received
// may have received for them. A token's contract that makes units gives nothing.
func (p *parties) rivals() bool {
	return slices.ContainsFunc(p.order, func(h Holding) bool {
		n := p.net[h]
		return h.Address != p.principal && n.out.Gt(&n.in) && !p.gains[h.Address] && !isToken(h)
	})
}

// converters lists the addresses between that gained one asset and gave another, or
// made a token: the pools, wrappers and vaults that executed the swap.
func (p *parties) converters(between map[ledger.Address]bool) (pools []ledger.Address) {
	for _, h := range p.order {
		n := p.net[h]
		executes := p.gains[h.Address] && p.loses[h.Address] || isToken(h) && n.out.Gt(&n.in)
		if between[h.Address] && executes && !slices.Contains(pools, h.Address) {
			pools = append(pools, h.Address)
		}
	}
	return pools
}
