package trace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// link is an analyst's link resolved against the store.
type link struct {
	source *Link
	from   *chainPlan
	near   map[taint.Holding]bool
	until  store.TxNumber // deposits count before this transaction
	to     *chainPlan
	far    taint.Holding
	amount ledger.Amount
	before store.TxNumber // the credit arrives just before it
}

// bucket is what reached the near side of a link, in order of arrival.
type bucket struct {
	lots        []taint.Lot
	legs        []taint.Leg // the same, by holding
	first, last taint.Moment
}

// credits are what each link credits, by index of the link.
type credits []credit

type credit struct {
	lots []taint.Lot
	from []taint.Leg
}

// ErrLinkCycle says that links feed one another, so that no answer is consistent.
var ErrLinkCycle = errors.New("the links of the cases feed one another in a circle; remove one of them")

func (p *plan) addLink(ctx context.Context, source *Link, statuses []store.Status) error {
	from, err := p.chain(ctx, source.From.Chain, statuses)
	if err != nil {
		return err
	}
	to, err := p.chain(ctx, source.To.Chain, statuses)
	if err != nil {
		return err
	}
	if from.chain.Family() != ledger.Account || to.chain.Family() != ledger.Account {
		return errors.New("links between UTXO chains are not supported yet; both sides must be account chains")
	}
	l := link{source: source, from: from, to: to, near: map[taint.Holding]bool{}, until: from.end}
	asset, err := from.asset(source.From.Asset)
	if err != nil {
		return err
	}
	for _, text := range source.From.Addresses {
		address, err := from.notation.ParseAddress(text)
		if err != nil {
			return err
		}
		l.near[taint.Holding{Address: address, Asset: asset}] = true
	}
	if source.From.Until != "" {
		if l.until, err = p.findTx(ctx, from, source.From.Until); err != nil {
			return err
		}
	}
	if l.far.Asset, err = to.asset(source.To.Asset); err != nil {
		return err
	}
	if l.far.Address, err = to.notation.ParseAddress(source.To.Address); err != nil {
		return err
	}
	if l.amount, err = ledger.ParseAmount(source.To.Amount); err != nil {
		return err
	}
	if l.before, err = p.findTx(ctx, to, source.To.Before); err != nil {
		return err
	}
	p.links = append(p.links, l)
	return nil
}

// convertDeposits turns what each link took in into what it credits.
func (p *plan) convertDeposits(records map[ledger.Chain]*record, rounding *[]taint.Settlement) credits {
	next := make(credits, len(p.links))
	for i := range p.links {
		l := &p.links[i]
		b := &records[l.from.chain].deposits[i]
		if len(b.lots) == 0 {
			continue
		}
		lots := slices.Clone(b.lots)
		for j := range lots {
			lots[j].Class = p.palette.Infer(lots[j].Class, l.source.Score, "link by "+l.source.By)
		}
		c := taint.Conversion{Lots: lots, Given: taint.Sum(lots), Received: l.amount}
		converted, rounded := c.Convert()
		if !p.method().Conserves {
			converted, rounded = wholly(lots, &l.amount), nil
		}
		next[i] = credit{lots: converted, from: b.legs}
		if len(rounded) > 0 {
			place := taint.Place{Chain: l.to.chain, Asset: l.far.Asset, Address: l.far.Address}
			*rounding = append(*rounding, taint.Settlement{Moment: b.last, Place: place, Kind: taint.Rounding, Lots: rounded})
		}
	}
	return next
}

// wholly stains the amount with every class once.
func wholly(lots []taint.Lot, amount *ledger.Amount) []taint.Lot {
	var out []taint.Lot
	for i := range lots {
		same := func(have taint.Lot) bool { return have.Class == lots[i].Class }
		if lots[i].Tainted() && !slices.ContainsFunc(out, same) {
			out = append(out, lots[i])
			out[len(out)-1].Amount = *amount
		}
	}
	return out
}

// deposit takes lots that reach the near side of a link.
func (p *plan) deposit(c *chainPlan, r *record) taint.Deposit {
	if r.deposits == nil {
		return nil
	}
	return func(holding taint.Holding, when taint.Moment, lots []taint.Lot) bool {
		for i := range p.links {
			l := &p.links[i]
			if l.from != c || !l.near[holding] || store.TxNumber(when.Number) >= l.until {
				continue
			}
			b := &r.deposits[i]
			if len(b.lots) == 0 {
				b.first = when
			}
			b.last = when
			b.lots = append(b.lots, lots...)
			b.leg(taint.Place{Chain: c.chain, Asset: holding.Asset, Address: holding.Address}, lots)
			return true
		}
		return false
	}
}

// leg adds lots to the leg of a place.
func (b *bucket) leg(place taint.Place, lots []taint.Lot) {
	i := slices.IndexFunc(b.legs, func(l taint.Leg) bool { return l.Place == place })
	if i < 0 {
		i = len(b.legs)
		b.legs = append(b.legs, taint.Leg{Place: place, Kind: taint.InTransit})
	}
	b.legs[i].Lots = append(b.legs[i].Lots, lots...)
}

// crossing describes a link in the result.
func (l *link) crossing(b *bucket) Crossing {
	in, out := Side{Chain: string(l.from.chain)}, Side{Chain: string(l.to.chain)}
	for h := range l.near {
		in.Asset = string(h.Asset)
		in.Addresses = append(in.Addresses, l.from.notation.FormatAddress(h.Address))
	}
	slices.Sort(in.Addresses)
	sum := taint.Sum(b.lots)
	in.Amount = sum.Dec()
	out.Asset, out.Amount = string(l.far.Asset), l.amount.Dec()
	out.Addresses = []string{l.to.notation.FormatAddress(l.far.Address)}
	return Crossing{
		Protocol: "analyst-link", In: in, Out: []Side{out}, Certainty: l.source.Score,
		Evidence: fmt.Sprintf("asserted by %s: %s", l.source.By, l.source.Why),
	}
}
