package trace

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"coldtrail/crossing"
	"coldtrail/ledger"
	"coldtrail/taint"
)

// usable says whether the payouts of a crossing may be followed: those that are
// facts always, others where inferences count.
func (x *settling) usable(i int) bool {
	c := &x.plan.bridges.crossings[i]
	return len(c.Payouts) > 0 && (c.Score == taint.Fact || !x.factsOnly)
}

// settling walks the chains until what crosses between them agrees.
type settling struct {
	plan      *plan
	factsOnly bool
	records   map[ledger.Chain]*record
	given     inflow
	tracks    *tracks // nil where nothing is to be gone on with
}

// inflow is what reaches chains from elsewhere.
type inflow struct {
	links    credits // by link
	payouts  map[payoutRef][]taint.Lot
	legs     map[int][]taint.Leg // of the deposits, by crossing
	rounding []taint.Settlement
	// factsOnly leaves out deposits whose payouts somebody assumes.
	factsOnly bool
}

// errRounds says that crossings never settle.
var errRounds = fmt.Errorf("%w; or a defect of ours: please report this", ErrLinkCycle)

// settle walks every chain, then again those whose inflow changed, until nothing
// does: what leaves one chain may return to it. The result does not depend on the
// order, because value arrives only after it left.
func (p *plan) settle(ctx context.Context, factsOnly bool) (*record, error) {
	x := &settling{plan: p, factsOnly: factsOnly, records: map[ledger.Chain]*record{}, given: inflow{factsOnly: factsOnly}}
	return x.run(ctx)
}

func (x *settling) run(ctx context.Context) (*record, error) {
	for round := 0; ; round++ {
		changed, err := x.round(ctx)
		if err != nil {
			return nil, err
		}
		if !changed {
			return x.merge(), nil
		}
		if round > x.limit() {
			return nil, errRounds
		}
	}
}

// A walk is one pass over one chain, which may go on where another ended.
type walk interface {
	run(ctx context.Context, from *mark) error
	// save keeps the state at the end of the pass, hold describes it.
	save(m *mark)
	hold(ctx context.Context) error
}

// walk walks a chain with what now reaches it from others.
func (x *settling) walk(ctx context.Context, c *chainPlan) (*record, error) {
	p := x.plan
	from := x.tracks.resume(p, c, &x.given)
	r := newRecord(p)
	if from != nil {
		r = from.restore(p)
	} else if !x.factsOnly {
		r.deposits = make([]bucket, len(p.links))
	}
	r.track = x.tracks.of(c.chain)
	var w walk
	if c.chain.Family() == ledger.UTXO {
		w = p.newUTXOWalk(c, r, &x.given)
	} else {
		w = p.newAccountWalk(ctx, c, r, &x.given)
	}
	if err := w.run(ctx, from); err != nil {
		return nil, err
	}
	x.tracks.keep(c, r, w)
	return r, w.hold(ctx)
}

func (x *settling) limit() int {
	n := len(x.plan.links) + 4
	if x.plan.bridges != nil {
		n += len(x.plan.bridges.crossings)
	}
	return n
}

// round walks the chains that have no record yet and finds what now crosses.
func (x *settling) round(ctx context.Context) (changed bool, err error) {
	p := x.plan
	for _, c := range p.chains {
		if x.records[c.chain] != nil {
			continue
		}
		r, err := x.walk(ctx, c)
		if err != nil {
			return false, fmt.Errorf("trace %s: %w", c.chain.Short(), err)
		}
		x.records[c.chain] = r
		if r.spoke && p.bridges == nil && p.options.Crossings {
			if err := p.findBridges(ctx); err != nil {
				return false, err
			}
			x.tracks.forget()
			clear(x.records)
			return true, nil
		}
	}
	next := x.crossOver()
	for _, c := range p.chains {
		if !x.same(c, &next) {
			delete(x.records, c.chain)
			changed = true
		}
	}
	x.given = next
	return changed, nil
}

// crossOver converts what every link and crossing took in into what it gives.
func (x *settling) crossOver() inflow {
	p := x.plan
	next := inflow{factsOnly: x.factsOnly, payouts: map[payoutRef][]taint.Lot{}, legs: map[int][]taint.Leg{}}
	if !x.factsOnly {
		next.links = p.convertDeposits(x.records, &next.rounding)
	}
	for _, c := range p.chains {
		r := x.records[c.chain]
		for _, i := range r.crossedInOrder() {
			if b := r.crossed[i]; x.usable(i) && taint.AnyTainted(b.lots) {
				x.payOut(i, b, &next)
			}
		}
	}
	return next
}

// payOut converts one crossing.
func (x *settling) payOut(i int, b *bucket, next *inflow) {
	p := x.plan
	c := &p.bridges.crossings[i]
	lots := slices.Clone(b.lots)
	if c.Score != taint.Fact {
		by := c.Via.Name
		if d, ok := p.bridges.decision(c); ok {
			by = "payout of " + c.Via.Title + " by " + d.by
		}
		for j := range lots {
			lots[j].Class = p.palette.Infer(lots[j].Class, c.Score, by)
		}
	}
	order := make([]int, len(c.Payouts))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int {
		m, n := &c.Payouts[a], &c.Payouts[b]
		return cmp.Or(cmp.Compare(m.Place.Height, n.Place.Height), cmp.Compare(m.Place.Number, n.Place.Number), cmp.Compare(m.Transfer, n.Transfer))
	})
	payments := make([]taint.Payment, len(order))
	for n, j := range order {
		payments[n] = taint.Payment{Asset: c.Payouts[j].Asset, Amount: c.Payouts[j].Amount, Refund: c.Payouts[j].Kind == crossing.Refunded}
	}
	shares, rounded := taint.PayOut(p.method(), p.palette, lots, payments)
	for n, j := range order {
		if taint.AnyTainted(shares[n]) {
			next.payouts[payoutRef{i, j}] = shares[n]
		}
	}
	next.legs[i] = b.legs
	if len(rounded) > 0 {
		out := &c.Payouts[order[0]]
		place := taint.Place{Chain: out.Place.Chain, Asset: out.Asset, Address: out.To}
		if place.Chain.Family() == ledger.UTXO {
			place = b.legs[0].Place // no output took it
		}
		next.rounding = append(next.rounding, taint.Settlement{Moment: b.last, Place: place, Kind: taint.Rounding, Lots: rounded})
	}
}

// same says whether a chain's inflow is what it was walked with.
func (x *settling) same(c *chainPlan, next *inflow) bool {
	for i := range x.plan.links {
		if x.plan.links[i].to == c && !x.factsOnly {
			var before credit
			if x.given.links != nil {
				before = x.given.links[i]
			}
			if !reflect.DeepEqual(before, next.links[i]) {
				return false
			}
		}
	}
	if x.plan.bridges == nil {
		return true
	}
	for _, refs := range x.plan.bridges.payouts[c.chain] {
		for _, ref := range refs {
			if !slices.Equal(x.given.payouts[ref], next.payouts[ref]) || !reflect.DeepEqual(x.given.legs[ref.crossing], next.legs[ref.crossing]) {
				return false
			}
		}
	}
	return true
}

// merge joins the records of the chains, and ends what is still in transit.
func (x *settling) merge() *record {
	all := newRecord(x.plan)
	if !x.factsOnly {
		all.deposits = make([]bucket, len(x.plan.links))
	}
	for _, c := range x.plan.chains {
		r := x.records[c.chain]
		for _, i := range r.crossedInOrder() {
			b := r.crossed[i]
			if x.usable(i) || !taint.AnyTainted(b.lots) {
				continue
			}
			for _, leg := range b.legs {
				r.Settled(taint.Settlement{Moment: b.last, Place: leg.Place, Kind: taint.InTransit, Entity: x.plan.bridges.crossings[i].Protocol.Title, Lots: leg.Lots})
			}
		}
		all.merge(r)
	}
	for i := range x.given.rounding {
		all.Settled(x.given.rounding[i])
	}
	x.plan.reportForged(all)
	slices.SortStableFunc(all.anomalies, compareAnomalies)
	return all
}
