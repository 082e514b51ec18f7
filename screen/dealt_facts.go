package screen

import (
	"context"
	"maps"
	"slices"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/store"
)

// dealings are the facts about dealings as they were filed last. Those of earlier blocks
// stay in the sets until these are made anew.
type dealings struct {
	sets    index.SetsBuilder
	numbers map[ledger.Address]uint32
	layer   index.Layer
}

// dealtLayer reads what the chains show since the last time, and makes facts of it. Where
// nothing has changed the layer is the last one.
func (e *Engine) dealtLayer(ctx context.Context, statuses []store.Status) (index.Layer, error) {
	anew := e.dealings.numbers == nil || e.dealings.layer.Sets.Bytes() > maxSetBytes
	dirty := map[ledger.Address]bool{}
	for chain, n := range e.known {
		gone := !slices.ContainsFunc(statuses, func(s store.Status) bool { return s.Chain == chain })
		if gone && n.next > 0 {
			n.forget()
		}
		anew = anew || n.anew
	}
	for i := range statuses {
		n := e.known[statuses[i].Chain]
		if n == nil {
			continue
		}
		if err := n.read(ctx, e.store, &statuses[i]); err != nil {
			return index.Layer{}, err
		}
		maps.Copy(n.dirty, n.region.Changed())
		anew = anew || n.anew
		maps.Copy(dirty, n.dirty)
	}
	if !anew && len(dirty) == 0 {
		return e.dealings.layer, nil
	}
	if anew {
		e.dealings, dirty = dealings{numbers: map[ledger.Address]uint32{}}, e.near()
	}
	if err := e.tellDealings(ctx, dirty); err != nil {
		e.dealings = dealings{} // some are told by now, and some are not
		return index.Layer{}, err
	}
	for _, n := range e.known {
		n.anew, n.dirty = false, map[ledger.Address]bool{}
	}
	return e.dealings.layer, nil
}

// near is everybody who dealt with notorious addresses, directly or not.
func (e *Engine) near() map[ledger.Address]bool {
	all := map[ledger.Address]bool{}
	for _, n := range e.known {
		for a := range n.deals {
			all[a] = true
		}
		n.region.Near(func(a ledger.Address) { all[a] = true })
	}
	return all
}

// tellDealings files the facts about addresses anew.
func (e *Engine) tellDealings(ctx context.Context, dirty map[ledger.Address]bool) error {
	d := &e.dealings
	about := map[ledger.Address][]exposure.Fact{}
	for _, chain := range slices.Sorted(maps.Keys(e.known)) {
		if err := e.known[chain].tell(ctx, e.store, dirty, about); err != nil {
			return err
		}
	}
	for a := range dirty {
		if len(about[a]) == 0 {
			delete(d.numbers, a)
			continue
		}
		number, err := d.sets.Intern(policy.Normal(about[a]))
		if err != nil {
			return err
		}
		d.numbers[a] = number
	}
	var b index.Builder
	for a, number := range d.numbers {
		if err := b.Add(a, number); err != nil {
			return err
		}
	}
	built, err := b.Build()
	d.layer = index.Layer{Index: built, Sets: d.sets.Build()}
	return err
}

// tell makes facts of what addresses have to do with notorious ones.
func (n *notorious) tell(ctx context.Context, s store.Store, dirty map[ledger.Address]bool, into map[ledger.Address][]exposure.Fact) error {
	var list []told
	for a := range dirty {
		list = n.tellDirect(list, a)
		list = n.tellIndirect(list, a)
	}
	name, err := n.names(ctx, s, list)
	if err != nil {
		return err
	}
	for i := range list {
		t := &list[i]
		t.fact.Evidence = []string{name(t.first)}
		if t.last != t.first {
			t.fact.Evidence = append(t.fact.Evidence, name(t.last))
		}
		into[t.address] = append(into[t.address], t.fact)
	}
	return nil
}

// told is a fact and the transactions that show it.
type told struct {
	addressed
	first, last store.TxNumber
}

// tellDirect tells of what was moved with nobody in between, of each notorious address by
// itself.
func (n *notorious) tellDirect(list []told, a ledger.Address) []told {
	for d, x := range n.deals[a] {
		f := n.facts[d.with][d.fact]
		f.Kind, f.Direction, f.Asset, f.Amount, f.Hops, f.Chain = exposure.Dealt, d.direction, d.asset, exposure.Decimal{Amount: x.amount}, 1, string(n.chain)
		f.From, f.To, f.Sanction = x.first, x.last, f.Sanction && d.inForce
		n.measure(&f, a)
		list = append(list, told{addressed{a, f}, x.firstTx, x.lastTx})
	}
	return list
}

// tellIndirect tells of what came from, or went to, further away.
func (n *notorious) tellIndirect(list []told, a ledger.Address) []told {
	for _, x := range n.region.Sums(a) {
		f := n.classes.facts[x.Class]
		f.Direction, f.Asset, f.Amount, f.Hops, f.Chain = directionOf(x.Direction), x.Asset, exposure.Decimal{Amount: x.Amount}, uint32(x.Hops), string(n.chain)
		f.From, f.To = x.First.Time, x.Last.Time
		n.measure(&f, a)
		list = append(list, told{addressed{a, f}, store.TxNumber(x.First.At.Tx), store.TxNumber(x.Last.At.Tx)})
	}
	return list
}

// measure adds what part of all that the address received or sent an amount is, where
// its whole history was read.
func (n *notorious) measure(f *exposure.Fact, a ledger.Address) {
	b := n.region.Book(a)
	if b == nil || b.Accounts[f.Asset] == nil {
		return
	}
	total := b.Accounts[f.Asset].Received
	if f.Direction == exposure.Sent {
		total = b.Accounts[f.Asset].Sent
	}
	if total.IsZero() || total.Lt(&f.Amount.Amount) {
		return
	}
	f.Total, f.Share = exposure.Decimal{Amount: total}, share(&f.Amount.Amount, &total)
}

// names looks up the identifiers of the transactions that facts rest on.
func (n *notorious) names(ctx context.Context, s store.Store, list []told) (func(store.TxNumber) string, error) {
	numbers := make([]store.TxNumber, 0, 2*len(list))
	for i := range list {
		numbers = append(numbers, list[i].first, list[i].last)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	var ids []ledger.Hash
	if len(numbers) > 0 {
		var err error
		if ids, err = s.IDs(ctx, n.chain, numbers); err != nil {
			return nil, err
		}
	}
	return func(number store.TxNumber) string {
		i, _ := slices.BinarySearch(numbers, number)
		return n.chain.FormatHash(ids[i])
	}, nil
}
