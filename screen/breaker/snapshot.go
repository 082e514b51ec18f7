package breaker

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
)

// magic begins every snapshot; the number rises when the layout changes.
const magic = "coldtrail breaker 1\n"

// Snapshot writes the whole state into bytes. Equal states give equal bytes. It holds
// only what cannot be worked out again: the tallies are made anew by Restore.
func (m *Machine) Snapshot() []byte {
	c := &codec{data: []byte(magic)}
	c.text(&m.digest)
	m.body(c)
	sum := sha256.Sum256(c.data)
	return append(c.data, sum[:]...)
}

// Restore makes a machine that goes on where a snapshot was taken, under the same
// configuration.
func Restore(config *Config, snapshot []byte) (*Machine, error) {
	m, err := New(config)
	if err != nil {
		return nil, err
	}
	n := len(snapshot) - sha256.Size
	if n < len(magic) || string(snapshot[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrSnapshot)
	}
	if sha256.Sum256(snapshot[:n]) != [sha256.Size]byte(snapshot[n:]) {
		return nil, fmt.Errorf("%w: its sum is wrong", ErrSnapshot)
	}
	c, digest := &codec{data: snapshot[len(magic):n], reading: true}, ""
	if c.text(&digest); digest != m.digest {
		return nil, fmt.Errorf("%w: it was taken under another configuration", ErrSnapshot)
	}
	m.body(c)
	if c.bad || len(c.data) != 0 {
		return nil, fmt.Errorf("%w: it is cut off or has too much", ErrSnapshot)
	}
	return m, nil
}

// body goes over everything that is kept, in order.
func (m *Machine) body(c *codec) {
	c.signed(&m.clock)
	c.signed(&m.started)
	c.flag(&m.running)
	c.require(m.clock >= 0 && m.clock <= maxMoment && m.started >= 0 && m.started <= m.clock)
	c.flag(&m.degraded)
	c.unsigned(&m.sequence)
	c.signed(&m.full)
	c.unsigned(&m.size.Overflow)
	c.unsigned(&m.size.Forgotten)
	last := m.clock/60 - m.config.Window/60
	each(c, &m.flow, func(b *bucket) {
		c.signed(&b.minute)
		c.unsigned(&b.cents)
		c.require(b.minute > last && b.minute <= m.clock/60 && b.cents <= maxInflow)
		if last = b.minute; c.reading {
			m.inflow += b.cents
		}
	})
	table := m.recordTable(c)
	m.markTable(c, table)
	m.cellTable(c)
	for _, s := range []*census{m.senders, m.places} {
		s.body(c)
	}
}

// recordTable goes over the records: those that are remembered, and behind them those
// that only a mark still needs.
func (m *Machine) recordTable(c *codec) []*record {
	live, passed := make([]*record, 0, len(m.byID)), 0
	for i, r := range m.records {
		if r.gone {
			continue
		}
		if i < m.passed {
			passed++
		}
		live = append(live, r)
	}
	kept := c.count(len(live))
	before := uint64(passed)
	c.unsigned(&before)
	table := live
	if !c.reading {
		seen := map[*record]bool{}
		for _, k := range m.marks {
			if r := k.record; !k.gone && m.byID[r.id] != r && !seen[r] {
				seen[r] = true
				table = append(table, r)
			}
		}
	}
	each(c, &table, func(r **record) {
		if c.reading {
			*r = &record{}
		}
		(*r).body(c)
	})
	c.require(kept <= len(table))
	for i := 0; i < kept && c.reading && !c.bad; i++ {
		r := table[i]
		c.require(i == 0 || r.moment >= table[i-1].moment)
		c.require(m.byID[r.id] == nil)
		m.byID[r.id] = r
	}
	if c.reading && !c.bad {
		m.rebuildRecords(table, kept)
		m.passed = int(min(before, uint64(m.windowHead)))
	}
	return table
}

func (r *record) body(c *codec) {
	c.text(&r.id)
	c.signed(&r.moment)
	c.text(&r.actor)
	c.text(&r.route)
	c.unsigned(&r.cents)
	for _, flag := range []*bool{&r.novel, &r.final, &r.unknown} {
		c.flag(flag)
	}
	each(c, &r.keys, func(k *groupKey) { k.body(c) })
	c.unsigned(&r.in)
	each(c, &r.taint, func(t *Taint) {
		c.text(&t.Incident)
		share, hops := uint64(t.Share), uint64(t.Hops)
		c.unsigned(&share)
		c.unsigned(&hops)
		c.require(share <= wholeBP && hops <= math.MaxUint32)
		t.Share, t.Hops = uint32(share), uint32(hops)
	})
	c.require(len(r.keys) <= int(kinds) && r.in < 1<<len(r.keys) && r.cents <= maxCents)
	for i := 1; i < len(r.keys); i++ {
		c.require(r.keys[i-1].kind < r.keys[i].kind)
	}
}

func (k *groupKey) body(c *codec) {
	kind := uint64(k.kind)
	c.unsigned(&kind)
	k.kind = Kind(kind)
	c.text(&k.name)
}

// rebuildRecords works out what follows from the records.
func (m *Machine) rebuildRecords(table []*record, kept int) {
	window := m.clock/60 - m.config.Window/60
	m.records = slices.Clone(table[:kept])
	for _, r := range table[kept:] {
		r.gone = true
	}
	for _, r := range m.records {
		if r.moment/60 <= window {
			m.windowHead++
			continue
		}
		for n, k := range r.keys {
			if r.in&(1<<n) == 0 {
				continue
			}
			k := routed{k, r.route}
			g := m.groups[k]
			if g == nil {
				g = &group{}
				m.groups[k] = g
			}
			g.add(r, math.MaxInt)
		}
	}
}

// markTable goes over the marks.
func (m *Machine) markTable(c *codec, table []*record) {
	index := make(map[*record]uint64, len(table))
	for i, r := range table {
		index[r] = uint64(i)
	}
	live := slices.DeleteFunc(slices.Clone(m.marks), func(k *mark) bool { return k.gone })
	latest := int64(0)
	each(c, &live, func(k **mark) {
		if c.reading {
			*k = &mark{}
		}
		at := index[(*k).record]
		c.unsigned(&at)
		(*k).body(c)
		c.require(at < uint64(len(table)) && (*k).moment >= latest && (*k).moment <= m.clock && (*k).cents <= maxCents)
		latest = (*k).moment
		if !c.reading || c.bad {
			return
		}
		(*k).record = table[at]
		n := len(table[at].keys)
		c.require((*k).linked < 1<<n && (*k).grouped < 1<<n)
		m.rebuildMark(*k)
	})
}

func (k *mark) body(c *codec) {
	c.text(&k.incident)
	c.signed(&k.moment)
	c.unsigned(&k.cents)
	for _, flag := range []*bool{&k.near, &k.late, &k.sender, &k.final} {
		c.flag(flag)
	}
	c.unsigned(&k.linked)
	c.unsigned(&k.grouped)
}

// rebuildMark works out what follows from a mark.
func (m *Machine) rebuildMark(k *mark) {
	i := m.incident(k.incident)
	k.record.marks = append(k.record.marks, k)
	m.marks = append(m.marks, k)
	m.liveMarks++
	i.marks++
	m.bookLong(i, k, in)
	if k.moment/60 <= m.clock/60-m.config.Window/60 {
		m.markHead++
		return
	}
	k.counted = true
	i.book(k, in)
}

// cellTable goes over the states.
func (m *Machine) cellTable(c *codec) {
	cells := m.order
	if c.reading {
		cells = nil
	}
	each(c, &cells, func(x **cell) {
		if c.reading {
			*x = &cell{}
		}
		(*x).body(c)
		c.require(!c.reading || m.cells[(*x).key] == nil)
		if c.reading && !c.bad {
			m.place(*x)
		}
	})
}

func (x *cell) body(c *codec) {
	c.text(&x.key.incident)
	c.text(&x.key.route)
	level := uint64(max(x.state.level(), 0))
	c.unsigned(&level)
	if c.require(level < uint64(len(States))); c.bad {
		return
	}
	x.state = States[level]
	c.signed(&x.since)
	for i := range x.above {
		c.signed(&x.above[i])
	}
	c.signed(&x.calm)
	c.signed(&x.probing)
	c.unsigned(&x.probed)
	c.unsigned(&x.probeCents)
	each(c, &x.groups, func(i *implicated) {
		i.key.body(c)
		c.flag(&i.strong)
	})
	set := x.override != nil
	c.flag(&set)
	if !set {
		return
	}
	if c.reading {
		x.override = &Override{}
	}
	o := x.override
	state := string(o.State)
	for _, text := range []*string{&o.Incident, &o.Route, &state, &o.By, &o.Reason} {
		c.text(text)
	}
	o.State = State(state)
	c.require(o.State.level() >= 0)
	c.signed(&o.Moment)
	c.signed(&o.Until)
}

// body goes over a census, generation by generation, sorted.
func (s *census) body(c *codec) {
	c.unsigned(&s.lost)
	for i := range s.halves {
		for _, generation := range []*map[key]entry{&s.halves[i].young, &s.halves[i].older} {
			keys := sortedKeys(*generation)
			each(c, &keys, func(k *key) {
				e := (*generation)[*k]
				name := string(k[:])
				c.text(&name)
				for _, x := range []*int64{&e.first, &e.last, &e.counted, &e.held} {
					c.signed(x)
				}
				for _, x := range []*uint64{&e.days, &e.senders, &e.tainted} {
					c.unsigned(x)
				}
				c.require(len(name) == len(key{}))
				if !c.reading || c.bad {
					return
				}
				*k = key([]byte(name))
				(*generation)[*k] = e
			})
		}
	}
}
