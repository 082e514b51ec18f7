package proximity

import (
	"coldtrail/ledger"
)

// Role is what an address is to a region.
type Role uint8

// The roles.
const (
	// Free addresses are read, and pass on what they got.
	Free Role = iota
	// Stop is who is known to keep many people's money: value is told of it and not
	// followed any further.
	Stop
	// Source is who the others are near to.
	Source
)

// Limits bound what a region reads and keeps.
type Limits struct {
	Addresses int // that are read
	Steps     int // of all their balances
	Parts     int // of payments, of one direction and hop
	// Touches is how often one address may be touched, and Each how many changes of
	// balances it may have, to be read.
	Touches, Each int
}

// Region is everybody near to the sources of one chain. It is told of payments of the
// sources and of what the addresses in it did, and works out what changed by that. All that
// it tells is as if it had been told everything at once. How far it tells may not be:
// what was left out once for want of room stays so while nothing nearer needs room, even if
// there would be some by now. To look again with each block would take longer than a block.
type Region struct {
	limits  Limits
	role    func(ledger.Address) Role
	books   map[ledger.Address]*Book
	touched map[ledger.Address]bool
	layers  [directions][MaxHops]layer
	cut     [directions]int // the first hop that is left out, from 1; 0 where none is
	tally   tally
	changed map[ledger.Address]bool
}

// layer is what came to addresses at one hop in one direction.
type layer struct {
	in    map[ledger.Address]map[ledger.Address][]Part // by whom it came to, then from whom
	out   map[ledger.Address][]ledger.Address          // whom it goes on to at the next hop
	dirty map[ledger.Address]bool                      // whose in has changed
	parts int
}

func newLayer() layer {
	return layer{in: map[ledger.Address]map[ledger.Address][]Part{}, out: map[ledger.Address][]ledger.Address{}, dirty: map[ledger.Address]bool{}}
}

// NewRegion is a region that was told nothing. role must not change.
func NewRegion(limits Limits, role func(ledger.Address) Role) *Region {
	r := &Region{limits: limits, role: role, books: map[ledger.Address]*Book{}, touched: map[ledger.Address]bool{}, changed: map[ledger.Address]bool{}, tally: newTally()}
	for d := range r.layers {
		for h := range r.layers[d] {
			r.layers[d][h] = newLayer()
		}
	}
	return r
}

// Add tells of a part of a payment between a source and somebody, in chain order.
func (r *Region) Add(d Direction, party, source ledger.Address, part *Part) {
	if part.Amount.IsZero() || r.role(party) == Source {
		return
	}
	l := &r.layers[d][0]
	if l.in[party] == nil {
		l.in[party] = map[ledger.Address][]Part{}
	}
	l.in[party][source] = append(l.in[party][source], *part)
	l.parts++
	l.dirty[party], r.changed[party] = true, true
}

// Book is what is known of an address, nil where it is not read. Who writes to it has to
// say so by Touched.
func (r *Region) Book(a ledger.Address) *Book { return r.books[a] }

// Len is how many addresses are read, and how many changes of balances they have.
func (r *Region) Len() (addresses, steps int) { return len(r.books), r.tally.steps() }

// Put gives the region the book of an address that it asked for.
func (r *Region) Put(a ledger.Address, b *Book) {
	r.books[a] = b
	r.Touched(a)
}

// Touched says that the book of an address was written to, and closes it for good where
// there is too much in it.
func (r *Region) Touched(a ledger.Address) {
	if b := r.books[a]; b.Touches > r.limits.Touches || b.Steps() > r.limits.Each {
		b.Crowd()
	}
	r.touched[a], r.changed[a] = true, true
}

// Complete is the last hop of a direction of which everything is known.
func (r *Region) Complete(d Direction) int {
	if r.cut[d] == 0 {
		return MaxHops
	}
	return max(r.cut[d]-1, 1) // the sources' own payments are known whatever is read
}

// Changed lists whose Sums or Book may have changed since it was asked last.
func (r *Region) Changed() map[ledger.Address]bool {
	changed := r.changed
	r.changed = map[ledger.Address]bool{}
	return changed
}

// Near gives everybody something came to, some more than once.
func (r *Region) Near(give func(ledger.Address)) {
	for d := range r.layers {
		for h := range r.layers[d] {
			for a := range r.layers[d][h].in {
				give(a)
			}
		}
	}
}

// Sum is what came to an address of a class, over so many hops.
type Sum struct {
	Class       uint32
	Asset       ledger.Asset
	Direction   Direction
	Hops        int
	Amount      ledger.Amount
	First, Last Part // the first and the last that came
}

// Sums adds up what came to an address from further than one hop, in no order.
func (r *Region) Sums(a ledger.Address) (list []Sum) {
	type key struct {
		class uint32
		asset ledger.Asset
	}
	for d := range r.layers {
		for h := 1; h < MaxHops; h++ {
			at := map[key]int{}
			for _, parts := range r.layers[d][h].in[a] {
				for i := range parts {
					p := &parts[i]
					n, ok := at[key{p.Class, p.Asset}]
					if !ok {
						n = len(list)
						at[key{p.Class, p.Asset}] = n
						list = append(list, Sum{Class: p.Class, Asset: p.Asset, Direction: Direction(d), Hops: h + 1, First: *p, Last: *p})
					}
					list[n].add(p)
				}
			}
		}
	}
	return list
}

func (s *Sum) add(p *Part) {
	_, _ = s.Amount.AddOverflow(&s.Amount, &p.Amount)
	if p.At.Compare(s.First.At) < 0 {
		s.First = *p
	}
	if p.At.Compare(s.Last.At) > 0 {
		s.Last = *p
	}
}
