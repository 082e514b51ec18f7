package trace

import (
	"maps"
	"math/bits"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// nearBlocks, a variable for tests, is how far behind the head a walk may be and still read every block
// instead of asking what its addresses did.
var nearBlocks ledger.Height = 64

// A mark is a walk as it stood at the end of a block, to go on from. It is never
// changed.
type mark struct {
	end      store.TxNumber // the first transaction behind it
	height   ledger.Height
	hash     ledger.Hash
	record   *record
	keys     map[int]crossingKey // of the record's crossings
	outputs  *taint.SavedUTXO
	accounts *taint.SavedAccounts
	listed   map[ledger.Address]bool
}

// restore gives the mark's record to a plan, whose crossings may be numbered otherwise.
func (m *mark) restore(p *plan) *record {
	r := m.record.copy()
	r.plan = p
	if len(r.crossed) == 0 {
		return r
	}
	crossed := make(map[int]*bucket, len(r.crossed))
	for i, b := range r.crossed {
		if n, ok := p.bridges.numbers[m.keys[i]]; ok {
			crossed[n] = b
		}
	}
	r.crossed = crossed
	return r
}

// copy copies a record so that neither sees what the other takes in from then on.
func (r *record) copy() *record {
	c := *r
	c.plan, c.track = nil, nil
	c.thefts, c.swaps, c.flows, c.anomalies = slices.Clip(r.thefts), slices.Clip(r.swaps), slices.Clip(r.flows), slices.Clip(r.anomalies)
	c.heldAt = slices.Clone(r.heldAt)
	c.rows = make(map[rowKey]*row, len(r.rows))
	for key, w := range r.rows {
		one := *w
		c.rows[key] = &one
	}
	c.seen, c.external, c.reached = maps.Clone(r.seen), maps.Clone(r.external), maps.Clone(r.reached)
	c.reach, c.owners, c.before = maps.Clone(r.reach), maps.Clone(r.owners), maps.Clone(r.before)
	c.visited = map[ledger.Chain]map[store.TxNumber]bool{}
	for chain, numbers := range r.visited {
		c.visited[chain] = maps.Clone(numbers)
	}
	c.deposits = make([]bucket, len(r.deposits))
	for i := range r.deposits {
		c.deposits[i] = r.deposits[i].copy()
	}
	if r.deposits == nil {
		c.deposits = nil
	}
	c.crossed = make(map[int]*bucket, len(r.crossed))
	for i, b := range r.crossed {
		one := b.copy()
		c.crossed[i] = &one
	}
	return &c
}

func (b *bucket) copy() bucket {
	c := *b
	c.lots, c.legs = slices.Clip(b.lots), slices.Clone(b.legs)
	for i := range c.legs {
		c.legs[i].Lots = slices.Clip(c.legs[i].Lots)
	}
	return c
}

// tracks are the marks of one pass, by chain. A nil tracks keeps nothing.
type tracks struct{ chains map[ledger.Chain]*track }

// track is the marks on one chain, oldest first, and all they rest on beside the
// chain's own blocks.
type track struct {
	marks []*mark
	took  *taken
	asked map[ledger.Address]asked
}

func newTracks() *tracks { return &tracks{map[ledger.Chain]*track{}} }

func (t *tracks) of(chain ledger.Chain) *track {
	if t == nil {
		return nil
	}
	k := t.chains[chain]
	if k == nil {
		k = &track{asked: map[ledger.Address]asked{}}
		t.chains[chain] = k
	}
	return k
}

func (t *tracks) forget() {
	if t != nil {
		clear(t.chains)
	}
}

// resume finds where a walk may go on: the last mark before anything that is not as it
// was when the marks were made.
func (t *tracks) resume(p *plan, c *chainPlan, given *inflow) *mark {
	if t == nil {
		return nil
	}
	k := t.of(c.chain)
	now := p.takes(c, given)
	k.drop(k.took.firstChange(now))
	k.took = now
	if len(k.marks) == 0 {
		return nil
	}
	return k.marks[len(k.marks)-1]
}

// drop forgets marks that lie behind a transaction, and what was asked there.
func (k *track) drop(from store.TxNumber) {
	for len(k.marks) > 0 && k.marks[len(k.marks)-1].end > from {
		k.marks = k.marks[:len(k.marks)-1]
	}
	end := store.TxNumber(0)
	if len(k.marks) > 0 {
		end = k.marks[len(k.marks)-1].end
	}
	maps.DeleteFunc(k.asked, func(_ ledger.Address, a asked) bool { return a.first >= end })
}

// keep makes a mark of a walk that reached its end.
func (t *tracks) keep(c *chainPlan, r *record, w walk) {
	if t == nil {
		return
	}
	m := &mark{end: c.end, height: c.to.Height, hash: c.to.Hash, record: r.copy(), keys: map[int]crossingKey{}}
	for i := range r.crossed {
		m.keys[i] = r.plan.bridges.keys[i]
	}
	w.save(m)
	k := t.of(c.chain)
	if n := len(k.marks); n > 0 && k.marks[n-1].end == m.end {
		k.marks = k.marks[:n-1]
	}
	k.marks = thin(append(k.marks, m))
}

// thin keeps, of the marks at each order of distance from the newest, the newest and
// the oldest: enough to go back far without walking far.
func thin(marks []*mark) []*mark {
	head := marks[len(marks)-1].height
	order := func(i int) int { return bits.Len64(uint64(head - marks[i].height)) }
	kept := marks[:0:0]
	for i := range marks {
		first := i == 0 || order(i-1) != order(i)
		last := i == len(marks)-1 || order(i+1) != order(i)
		if first || last {
			kept = append(kept, marks[i])
		}
	}
	return kept
}
