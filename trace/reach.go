package trace

import (
	"bytes"
	"cmp"
	"slices"

	"coldtrail/ledger"
	"coldtrail/taint"
)

// reachKey is whom taint reached: one address, asset and class.
type reachKey struct {
	chain   ledger.Chain
	address ledger.Address
	asset   ledger.Asset
	class   taint.Class
}

// heldBy is an output that holds taint.
type heldBy struct {
	chain  ledger.Chain
	output uint64
}

// reach is what went through an address.
type reach struct {
	received, origin, sent ledger.Amount
	hops                   uint32
	first, last            int64  // arrivals
	tx, from               uint64 // the transactions of the last and of the first arrival
	kind                   taint.Kind
}

// reachedBy notes a theft of an output, which no flow shows.
func (r *record) reachedBy(t *taint.Theft) {
	if r.reach == nil || t.Taken.IsZero() || t.Place.Chain.Family() != ledger.UTXO {
		return
	}
	lot := taint.Lot{Class: t.Class, Amount: t.Taken, Origin: t.Taken, First: t.Time, Last: t.Time}
	place := t.Place
	r.arrives(&t.Moment, &place, taint.Held, &lot)
	r.owners[heldBy{place.Chain, place.Output}] = place.Address
}

// reachedIn notes who sent and who received taint.
func (r *record) reachedIn(f *taint.Flow) {
	if r.reach == nil {
		return
	}
	for i := range f.From {
		r.leaves(f, &f.From[i])
	}
	for i := range f.To {
		leg := &f.To[i]
		for j := range leg.Lots {
			if leg.Lots[j].Tainted() {
				r.arrives(&f.Moment, &leg.Place, leg.Kind, &leg.Lots[j])
			}
		}
		if leg.Place.Chain.Family() == ledger.UTXO && leg.Kind == taint.Held {
			r.owners[heldBy{leg.Place.Chain, leg.Place.Output}] = leg.Place.Address
		}
	}
}

// leaves notes what an address sent. The deposit of a crossing left its chain when it
// was made, so that the far side's flow is not another sending.
func (r *record) leaves(f *taint.Flow, leg *taint.Leg) {
	address := leg.Place.Address
	if leg.Place.Chain != f.Chain || f.By != "" {
		return
	}
	if f.Chain.Family() == ledger.UTXO {
		at := heldBy{f.Chain, leg.Place.Output}
		address = r.owners[at]
		delete(r.owners, at)
	}
	if address.IsZero() {
		return
	}
	sums := map[taint.Class]ledger.Amount{}
	for i := range leg.Lots {
		if lot := &leg.Lots[i]; lot.Tainted() {
			sum := sums[lot.Class]
			sum.Add(&sum, &lot.Amount)
			sums[lot.Class] = sum
		}
	}
	for class, amount := range sums {
		key := reachKey{leg.Place.Chain, address, leg.Place.Asset, class}
		if have, ok := r.reach[key]; ok && !r.passes(key, &have, f.Number, &amount) {
			have.sent.Add(&have.sent, &amount)
			r.reach[key] = have
		}
	}
}

// passes says whether what leaves an address came to it in the same transaction: a
// contract passed it on, such as an aggregator's, and it did not reach that. What was
// noted of it before holds again.
func (r *record) passes(key reachKey, have *reach, number uint64, amount *ledger.Amount) bool {
	before, ok := r.through[key]
	if !ok || r.throughTx != number || key.chain.Family() != ledger.Account {
		return false
	}
	var came ledger.Amount
	if came.Sub(&have.received, &before.received); came.Gt(amount) {
		return false // some of it stayed
	}
	if before.received.IsZero() {
		delete(r.reach, key)
	} else {
		r.reach[key] = before
	}
	return true
}

func (r *record) arrives(when *taint.Moment, place *taint.Place, kind taint.Kind, lot *taint.Lot) {
	if place.Address.IsZero() {
		return
	}
	key := reachKey{place.Chain, place.Address, place.Asset, lot.Class}
	have, ok := r.reach[key]
	if r.throughTx != when.Number || r.through == nil {
		r.through, r.throughTx = map[reachKey]reach{}, when.Number
	}
	if _, noted := r.through[key]; !noted {
		r.through[key] = have
	}
	if !ok {
		have = reach{hops: lot.Hops, first: when.Time, from: when.Number}
	}
	have.received.Add(&have.received, &lot.Amount)
	have.origin.Add(&have.origin, &lot.Origin)
	have.hops = min(have.hops, lot.Hops)
	have.last, have.tx = when.Time, when.Number
	if kind != taint.Held {
		have.kind = kind
	}
	r.reach[key] = have
}

// Reached is what taint of one colour did at one address. Amounts are base units of
// Asset, Origin units of the stolen asset; Received and Sent count everything that ever
// went through, Held is still there.
type Reached struct {
	Chain                        ledger.Chain
	Address                      ledger.Address
	Asset                        ledger.Asset
	Colour                       string // "case/colour"
	Certainty                    uint32 // basis points
	By                           string // inferences on the way
	Received, Origin, Sent, Held ledger.Amount
	Hops                         uint32
	First, Last                  int64 // arrivals, Unix seconds
	// FirstTx and LastTx are the transactions of the first and the last arrival, as
	// numbers of the store.
	FirstTx, LastTx uint64
	// Kind is what became of value there where that is not plain holding: it ended at a
	// service, a mixer, a bridge, a victim.
	Kind taint.Kind
}

// Reached lists what taint did at every address that it reached, sorted by chain,
// address, asset, colour and certainty.
func (l *Live) Reached() []Reached {
	if l.final == nil {
		return nil
	}
	return l.final.reachedRows(l.palette)
}

// Reached lists what taint did at every address that it reached, where Options.Reach
// asked for it.
func (r *Result) Reached() []Reached { return r.reached }

func (r *record) reachedRows(palette *taint.Palette) []Reached {
	held := r.heldByAddress()
	for key, amount := range held { // what stains without moving, as by poison, may have no arrival left
		if _, ok := r.reach[key]; !ok && !key.address.IsZero() {
			r.reach[key] = reach{received: amount}
		}
	}
	list := make([]Reached, 0, len(r.reach))
	for key, x := range r.reach {
		paint := palette.Paint(key.class)
		list = append(list, Reached{
			Chain: key.chain, Address: key.address, Asset: key.asset, Colour: paint.Colour, Certainty: paint.Score, By: paint.By,
			Received: x.received, Origin: x.origin, Sent: x.sent, Held: held[key], Hops: x.hops, First: x.first, Last: x.last,
			FirstTx: x.from, LastTx: x.tx, Kind: x.kind,
		})
	}
	slices.SortFunc(list, func(a, b Reached) int {
		return cmp.Or(
			cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Address.Kind, b.Address.Kind), bytes.Compare(a.Address.Bytes(), b.Address.Bytes()),
			cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Colour, b.Colour), cmp.Compare(b.Certainty, a.Certainty), cmp.Compare(a.By, b.By),
		)
	})
	return list
}

// heldByAddress adds up what is held at the end. An output that a later coinbase with
// the same identifier overwrote (BIP-30, 2010) counts as held.
func (r *record) heldByAddress() map[reachKey]ledger.Amount {
	held := map[reachKey]ledger.Amount{}
	add := func(key reachKey, amount *ledger.Amount) {
		sum := held[key]
		sum.Add(&sum, amount)
		held[key] = sum
	}
	for i := range r.heldAt {
		h := &r.heldAt[i]
		owner := r.owners[heldBy{h.chain.chain, h.output}]
		for j := range h.lots {
			if h.lots[j].Tainted() {
				add(reachKey{h.chain.chain, owner, h.chain.chain.Native(), h.lots[j].Class}, &h.lots[j].Amount)
			}
		}
	}
	for key, w := range r.rows {
		if key.place.Chain.Family() == ledger.Account && (key.kind == taint.Held || key.kind == taint.Frozen) {
			add(reachKey{key.place.Chain, key.place.Address, key.place.Asset, key.class}, &w.amount)
		}
	}
	return held
}
