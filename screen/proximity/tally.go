package proximity

import (
	"math/bits"

	"coldtrail/ledger"
)

// slot numbers hop and direction in the order in which they are worked out: near before
// far, so that what is left out for want of room is the farthest.
type slot int

const slots = slot(MaxHops * directions)

func (s slot) direction() Direction { return Direction(s % slot(directions)) }
func (s slot) hop() int             { return int(s)/int(directions) + 1 }

// tally counts what each slot has to read that none before it has.
type tally struct {
	needs  map[ledger.Address]uint16 // the slots that need an address, as bits
	sizes  map[ledger.Address]int    // steps as they are counted
	counts [slots]struct{ addresses, steps int }
}

func newTally() tally {
	return tally{needs: map[ledger.Address]uint16{}, sizes: map[ledger.Address]int{}}
}

// need notes that a slot needs an address.
func (t *tally) need(a ledger.Address, s slot) { t.set(a, t.needs[a]|1<<s) }

// spare notes that a slot needs an address no more.
func (t *tally) spare(a ledger.Address, s slot) {
	if before := t.needs[a]; before&(1<<s) != 0 {
		t.set(a, before&^(1<<s))
	}
}

func (t *tally) set(a ledger.Address, needs uint16) {
	t.count(t.needs[a], -1, t.sizes[a])
	t.count(needs, +1, t.sizes[a])
	t.needs[a] = needs
	if needs == 0 {
		delete(t.needs, a) // its size stays, as another slot may need it next
	}
}

// resize notes how many steps an address has.
func (t *tally) resize(a ledger.Address, steps int) {
	needs := t.needs[a]
	if needs == 0 {
		return
	}
	t.count(needs, -1, t.sizes[a])
	t.count(needs, +1, steps)
	t.sizes[a] = steps
}

func (t *tally) count(needs uint16, sign, steps int) {
	if needs == 0 {
		return
	}
	c := &t.counts[bits.TrailingZeros16(needs)]
	c.addresses += sign
	c.steps += sign * steps
}

// upTo is what a slot and all before it have to read.
func (t *tally) upTo(s slot) (addresses, steps int) {
	for i := range s + 1 {
		addresses += t.counts[i].addresses
		steps += t.counts[i].steps
	}
	return addresses, steps
}

func (t *tally) steps() (steps int) {
	_, steps = t.upTo(slots - 1)
	return steps
}
