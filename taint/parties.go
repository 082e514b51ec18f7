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
}

func newParties(transfers []ledger.Transfer, principal ledger.Address) *parties {
	p := &parties{transfers: transfers, principal: principal, net: map[Holding]*netted{}, gains: map[ledger.Address]bool{}, loses: map[ledger.Address]bool{}}
	for i := range transfers {
		if t := &transfers[i]; t.From != t.To {
			from, to := p.of(Holding{sender(t), t.Asset}), p.of(Holding{receiver(t), t.Asset})
			from.out.Add(&from.out, &t.Amount)
			to.in.Add(&to.in, &t.Amount)
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
		for i := range p.transfers {
			if t := &p.transfers[i]; receiver(t) == payer && !t.Amount.IsZero() {
				payers = append(payers, sender(t))
			}
		}
	}
	return reach
}

// reached is every address that value of the principal can have reached.
func (p *parties) reached() map[ledger.Address]bool {
	reach := map[ledger.Address]bool{}
	open := []ledger.Address{p.principal}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for i := range p.transfers {
			t := &p.transfers[i]
			if to := receiver(t); sender(t) == at && !t.Amount.IsZero() && to != p.principal && !reach[to] {
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
		if n := p.net[h]; reached[h.Address] && p.gains[h.Address] && !p.loses[h.Address] && p.indirect(h) && n.in.Gt(&n.out) && !isToken(h) {
			all = append(all, h)
			if total[h.Asset] == nil {
				total[h.Asset] = new(ledger.Amount)
			}
			total[h.Asset].Add(total[h.Asset], new(ledger.Amount).Sub(&n.in, &n.out))
		}
	}
	for _, h := range all {
		limit := p.feeLimit(h.Asset)
		many := !slices.Contains(gave, h.Asset) && total[h.Asset].Gt(&limit) && p.allSmall(all, h.Asset, &limit)
		if net := less(&p.net[h].in, &p.net[h].out); many || net.Gt(&limit) {
			named[h] = true
		}
	}
	return named
}

// allSmall says that no recipient of the asset got more than the limit: a sum split
// into many small parts is no fee.
func (p *parties) allSmall(all []Holding, asset ledger.Asset, limit *ledger.Amount) bool {
	return !slices.ContainsFunc(all, func(h Holding) bool {
		net := less(&p.net[h].in, &p.net[h].out)
		return h.Asset == asset && net.Gt(limit)
	})
}

// feeLimit is the most that counts as a fee in an asset.
func (p *parties) feeLimit(asset ledger.Asset) ledger.Amount {
	var most ledger.Amount
	for i := range p.transfers {
		if t := &p.transfers[i]; t.Asset == asset && t.Amount.Gt(&most) {
			most = t.Amount
		}
	}
	parts := ledger.NewAmount(feeParts)
	return *most.Div(&most, &parts)
}

// pooled says that one of the pools gained the asset.
func (p *parties) pooled(pools []ledger.Address, asset ledger.Asset) bool {
	return slices.ContainsFunc(pools, func(pool ledger.Address) bool {
		n := p.net[Holding{pool, asset}]
		return n != nil && n.in.Gt(&n.out)
	})
}

// indirect says that somebody other than the principal paid the holding.
func (p *parties) indirect(h Holding) bool {
	return slices.ContainsFunc(p.transfers, func(t ledger.Transfer) bool {
		return t.To == h.Address && t.Asset == h.Asset && t.From != p.principal && !t.Amount.IsZero()
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
