package proximity

import (
	"maps"
	"slices"

	"coldtrail/ledger"
)

// readAtOnce is how many addresses are asked for together.
const readAtOnce = 512

// Advance works out what follows from all that was told. read has to Put a book for each
// address it is asked for. An error leaves the region unusable.
func (r *Region) Advance(read func([]ledger.Address) error) error {
	for a := range r.touched {
		r.tally.resize(a, r.books[a].Steps())
	}
	full := false
	err := r.work(read, func(slot) (goOn bool) { full = true; return false })
	if err == nil && full {
		r.restart()
		err = r.work(read, r.leaveOut)
	}
	clear(r.touched)
	r.tidy()
	return err
}

// tidy drops the books that nobody needs any more.
func (r *Region) tidy() {
	unneeded := func(a ledger.Address) bool { return r.tally.needs[a] == 0 }
	maps.DeleteFunc(r.books, func(a ledger.Address, _ *Book) bool { return unneeded(a) })
	maps.DeleteFunc(r.tally.sizes, func(a ledger.Address, _ int) bool { return unneeded(a) })
}

// restart lets everything be worked out anew from the sources' payments: where a near hop
// has to be left out there may be room for one that had been left out before.
func (r *Region) restart() {
	for d := range r.layers {
		for h := 1; h < MaxHops; h++ {
			for a := range r.layers[d][h].in {
				r.changed[a] = true
			}
			r.layers[d][h] = newLayer()
		}
		first := &r.layers[d][0]
		first.out = map[ledger.Address][]ledger.Address{}
		for a := range first.in {
			first.dirty[a], r.changed[a] = true, true
		}
	}
	r.cut = [directions]int{}
	sizes := r.tally.sizes
	r.tally = newTally()
	for a := range r.books { // what is not needed goes at the end
		r.tally.sizes[a] = sizes[a]
	}
}

// work goes through hops and directions. full is asked what to do where there is no room
// for one: whether to go on.
func (r *Region) work(read func([]ledger.Address) error, full func(slot) bool) error {
	for s := range slots {
		d, hop := s.direction(), s.hop()
		if r.cut[d] != 0 && hop >= r.cut[d] {
			clear(r.layers[d][hop-1].dirty)
			continue
		}
		fits, err := r.gather(s, read)
		if err != nil {
			return err
		}
		if fits {
			r.pass(d, hop)
		} else if !full(s) {
			return nil
		}
	}
	return nil
}

// gather reads whom something new came to in a slot, as far as there is room.
func (r *Region) gather(s slot, read func([]ledger.Address) error) (fits bool, err error) {
	l := &r.layers[s.direction()][s.hop()-1]
	var unread []ledger.Address
	for a := range l.dirty {
		if len(l.in[a]) == 0 || r.role(a) != Free {
			r.tally.spare(a, s)
			continue
		}
		r.tally.need(a, s)
		if r.books[a] == nil {
			unread = append(unread, a)
		}
	}
	if !r.fits(s) {
		return false, nil
	}
	for chunk := range slices.Chunk(unread, readAtOnce) {
		if err := read(chunk); err != nil {
			return false, err
		}
		for _, a := range chunk {
			r.tally.resize(a, r.books[a].Steps())
		}
		if !r.fits(s) {
			return false, nil
		}
	}
	return true, nil
}

func (r *Region) fits(s slot) bool {
	addresses, steps := r.tally.upTo(s)
	return addresses <= r.limits.Addresses && steps <= r.limits.Steps && r.layers[s.direction()][s.hop()-1].parts <= r.limits.Parts
}

// leaveOut drops a slot for which there is no room, and lets the others go on. What the
// sources paid themselves is kept, though nobody reads who got it.
func (r *Region) leaveOut(s slot) (goOn bool) {
	d, hop := s.direction(), s.hop()
	r.cut[d] = hop
	l := &r.layers[d][hop-1]
	for a := range l.in {
		r.tally.spare(a, s)
		r.changed[a] = true
	}
	if hop > 1 {
		*l = newLayer()
	}
	clear(l.dirty)
	return true
}

// pass lets whoever got something new, or did something new, pass on what he got.
func (r *Region) pass(d Direction, hop int) {
	l := &r.layers[d][hop-1]
	if hop < MaxHops && r.cut[d] != hop+1 {
		for a := range r.touched {
			if len(l.in[a]) > 0 {
				l.dirty[a] = true
			}
		}
		for a := range l.dirty {
			r.passOn(d, hop, a)
			if r.layers[d][hop].parts > r.limits.Parts {
				break // the next hop is left out whole
			}
		}
	}
	clear(l.dirty)
}

// passOn replaces what an address passes on to the next hop.
func (r *Region) passOn(d Direction, hop int, a ledger.Address) {
	from, to := &r.layers[d][hop-1], &r.layers[d][hop]
	next := r.follow(d, from.in[a], a)
	for _, party := range from.out[a] {
		if next[party] == nil {
			to.replace(party, a, nil)
			r.changed[party] = true
		}
	}
	for party, parts := range next {
		if !slices.Equal(to.in[party][a], parts) {
			to.replace(party, a, parts)
			r.changed[party] = true
		}
	}
	delete(from.out, a)
	if len(next) > 0 {
		from.out[a] = slices.Collect(maps.Keys(next))
	}
}

// follow is what an address passes on, by whom it goes to.
func (r *Region) follow(d Direction, in map[ledger.Address][]Part, a ledger.Address) map[ledger.Address][]Part {
	b := r.books[a]
	if b == nil || b.ends() || r.role(a) != Free {
		return nil
	}
	byAsset := map[ledger.Asset][]Part{}
	for _, parts := range in {
		for i := range parts {
			byAsset[parts[i].Asset] = append(byAsset[parts[i].Asset], parts[i])
		}
	}
	next := map[ledger.Address][]Part{}
	for _, asset := range slices.Sorted(maps.Keys(byAsset)) {
		if account := b.Accounts[asset]; account != nil {
			account.Pass(byAsset[asset], d, func(party ledger.Address, p Part) {
				if r.role(party) != Source {
					next[party] = append(next[party], p)
				}
			})
		}
	}
	return next
}

// replace sets what came to an address from another.
func (l *layer) replace(party, from ledger.Address, parts []Part) {
	l.parts += len(parts) - len(l.in[party][from])
	l.dirty[party] = true
	switch {
	case len(parts) > 0:
		if l.in[party] == nil {
			l.in[party] = map[ledger.Address][]Part{}
		}
		l.in[party][from] = parts
	default:
		delete(l.in[party], from)
		if len(l.in[party]) == 0 {
			delete(l.in, party)
		}
	}
}
