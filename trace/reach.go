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
	for i := range leg.Lots {
		if lot := &leg.Lots[i]; lot.Tainted() {
			r.sends(reachKey{leg.Place.Chain, address, leg.Place.Asset, lot.Class}, f.Number, &lot.Amount)
		}
	}
}

// sends notes that an address sent taint on. What came to it in the same transaction, as
// to an aggregator's contract, only passed and did not reach it: once as much has left,
// what was noted before holds again. By a method that does not conserve nothing passes,
// as what is sent on has stained the sender.
func (r *record) sends(key reachKey, number uint64, amount *ledger.Amount) {
	have, ok := r.reach[key]
	if !ok {
		return
	}
	have.sent.Add(&have.sent, amount)
	if before, noted := r.before[key]; noted && r.beforeTx == number && r.plan.method().Conserves {
		var came, left ledger.Amount
		came.Sub(&have.received, &before.received)
		left.Sub(&have.sent, &before.sent)
		if !came.Gt(&left) {
			have = before
			have.sent.Add(&have.sent, left.Sub(&left, &came))
		}
	}
	if r.reach[key] = have; have.received.IsZero() {
		delete(r.reach, key)
	}
}

func (r *record) arrives(when *taint.Moment, place *taint.Place, kind taint.Kind, lot *taint.Lot) {
	if place.Address.IsZero() {
		return
	}
	key := reachKey{place.Chain, place.Address, place.Asset, lot.Class}
	have, ok := r.reach[key]
	if place.Chain.Family() == ledger.Account {
		if r.beforeTx != when.Number {
			clear(r.before)
			r.beforeTx = when.Number
		}
		if _, noted := r.before[key]; !noted {
			r.before[key] = have
		}
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
