package breaker

import (
	"slices"
	"strings"
)

// record is an event as it is remembered.
type record struct {
	id      string
	moment  int64
	actor   string
	route   string
	cents   uint64
	novel   bool
	final   bool
	gone    bool       // retracted
	keys    []groupKey // its groups, and the links it makes when it is tainted
	in      uint64     // bits of keys whose groups counted it
	marks   []*mark
	taint   []Taint
	unknown bool
}

// mark says that a use belongs to an incident. Its moment is when that was known, so
// that a late label counts when it comes.
type mark struct {
	record   *record
	incident string
	moment   int64
	cents    uint64 // the tainted part, or all of a near-tainted use
	near     bool
	late     bool
	gone     bool
	counted  bool   // in the window's tally
	sender   bool   // its sender had room there
	final    bool   // it counted as final
	linked   uint64 // bits of the record's keys that are links
	grouped  uint64 // bits of the record's keys among the incident's groups
}

// incident is what is known of one incident's flow through the venue.
type incident struct {
	name    string
	senders map[string]*sender
	all     tally
	final   tally // of uses that are final
	long    uint64
	routes  map[string]int
	groups  map[routed]int // of tainted uses, in the window
	marks   int            // that are remembered
}

// sender counts one sender's uses: tainted and near, all and final.
type sender struct{ tainted, near, finalTainted, finalNear int }

// tally is what the signals are read from.
type tally struct {
	tainted, near    uint64 // distinct senders; near ones are not tainted as well
	cents, nearCents uint64
	late             uint64
}

// shift counts one sender as tainted or near, before and after a change.
func (t *tally) shift(taintedBefore, nearBefore, tainted, near int) {
	count := func(tainted, near int, by uint64) {
		switch {
		case tainted > 0:
			t.tainted += by
		case near > 0:
			t.near += by
		}
	}
	count(taintedBefore, nearBefore, ^uint64(0)) // less one
	count(tainted, near, 1)
}

// turn is +1 to count and −1 to take out again.
type turn int

const (
	in  turn = 1
	out turn = -1
)

func (t *tally) value(k *mark, way turn) {
	by := k.cents
	if way == out {
		by = -by
	}
	switch {
	case k.near:
		t.nearCents += by
	default:
		t.cents += by
	}
	if k.late {
		t.late += uint64(way)
	}
}

// book counts a mark in its incident's window, or takes it out.
func (i *incident) book(k *mark, way turn) {
	i.all.value(k, way)
	if k.final {
		i.final.value(k, way)
	}
	r := k.record
	if i.routes[r.route] += int(way); i.routes[r.route] == 0 {
		delete(i.routes, r.route)
	}
	for n, key := range r.keys {
		if k.grouped&(1<<n) == 0 {
			continue
		}
		at := routed{key, r.route}
		if i.groups[at] += int(way); i.groups[at] == 0 {
			delete(i.groups, at)
		}
	}
	if k.sender {
		i.bookSender(k, way)
	}
}

func (i *incident) bookSender(k *mark, way turn) {
	actor := k.record.actor
	s := i.senders[actor]
	if s == nil {
		s = &sender{}
		i.senders[actor] = s
	}
	before := *s
	if k.near {
		s.near += int(way)
	} else {
		s.tainted += int(way)
	}
	if k.final && k.near {
		s.finalNear += int(way)
	} else if k.final {
		s.finalTainted += int(way)
	}
	i.all.shift(before.tainted, before.near, s.tainted, s.near)
	i.final.shift(before.finalTainted, before.finalNear, s.finalTainted, s.finalNear)
	if s.tainted == 0 && s.near == 0 {
		delete(i.senders, actor)
	}
}

// incident finds or makes the tally of an incident.
func (m *Machine) incident(name string) *incident {
	i := m.incidents[name]
	if i == nil {
		i = &incident{name: name, senders: map[string]*sender{}, routes: map[string]int{}, groups: map[routed]int{}}
		m.incidents[name] = i
	}
	return i
}

// mark notes that a record belongs to an incident.
func (m *Machine) mark(r *record, k *mark) {
	if m.liveMarks >= m.config.Bounds.Marks {
		m.size.Overflow++
		m.full = m.clock
		if len(m.cells) < m.config.Bounds.Cells+m.config.Bounds.Marks {
			m.open(cellKey{k.incident, r.route})
		}
		return
	}
	k.record, k.moment, k.final = r, m.clock, r.final
	i := m.incident(k.incident)
	if _, ok := i.senders[r.actor]; ok || len(i.senders) < m.config.Bounds.Senders {
		k.sender = true
	} else {
		m.size.Overflow++
	}
	for n, key := range r.keys {
		if k.near {
			break // what is only near ties nobody else to the incident
		}
		if _, ok := i.groups[routed{key, r.route}]; ok || len(i.groups) < m.config.Bounds.Members {
			k.grouped |= 1 << n
		}
		k.linked |= 1 << n
	}
	m.tidy()
	m.marks = append(m.marks, k)
	r.marks = append(r.marks, k)
	m.enter(i, k)
	m.open(cellKey{k.incident, r.route})
}

// tidy takes marks that were withdrawn off the list when they are most of it.
func (m *Machine) tidy() {
	if len(m.marks) < 64 || len(m.marks) < 2*m.liveMarks {
		return
	}
	kept, head := make([]*mark, 0, m.liveMarks+1), 0
	for i, k := range m.marks {
		if k.gone {
			continue
		}
		if i < m.markHead {
			head++
		}
		kept = append(kept, k)
	}
	m.marks, m.markHead = kept, head
}

// enter counts a new mark in everything.
func (m *Machine) enter(i *incident, k *mark) {
	m.liveMarks++
	i.marks++
	k.counted = true
	i.book(k, in)
	m.bookLong(i, k, in)
}

// bookLong counts a mark in what lasts the long window: the value, and the links.
func (m *Machine) bookLong(i *incident, k *mark, way turn) {
	if !k.near {
		if way == in {
			i.long += k.cents
		} else {
			i.long -= k.cents
		}
	}
	for n, key := range k.record.keys {
		if k.linked&(1<<n) == 0 {
			continue
		}
		of := m.links[key]
		if of == nil {
			of = map[string]int{}
			m.links[key] = of
		}
		if of[k.incident] += int(way); of[k.incident] == 0 {
			delete(of, k.incident)
		}
		if len(of) == 0 {
			delete(m.links, key)
		}
	}
}

// unmark takes a mark out of everything.
func (m *Machine) unmark(k *mark) {
	if k.gone {
		return
	}
	k.gone = true
	i := m.incidents[k.incident]
	m.outOfWindow(k)
	m.bookLong(i, k, out)
	m.liveMarks--
	if i.marks--; i.marks == 0 {
		delete(m.incidents, i.name)
	}
}

// outOfWindow takes a mark out of the window's tally.
func (m *Machine) outOfWindow(k *mark) {
	if k.counted {
		k.counted = false
		m.incidents[k.incident].book(k, out)
	}
}

// finalise lets a record's marks count as final.
func (m *Machine) finalise(r *record) {
	r.final = true
	for _, k := range r.marks {
		if k.gone || k.final {
			continue
		}
		counted := k.counted
		m.outOfWindow(k)
		k.final = true
		if counted {
			k.counted = true
			m.incidents[k.incident].book(k, in)
		}
	}
}

// linkedTo lists the incidents whose tainted uses share something with a record, sorted,
// each with what it is; what ties to an owner goes first.
func (m *Machine) linkedTo(r *record) (list []link) {
	for n, key := range r.keys {
		for name := range m.links[key] {
			if !m.linkedBy(r, name, n) {
				list = append(list, link{name, key})
			}
		}
	}
	slices.SortFunc(list, func(a, b link) int {
		if c := strings.Compare(a.incident, b.incident); c != 0 {
			return c
		}
		return compareKeys(a.key, b.key)
	})
	return slices.CompactFunc(list, func(a, b link) bool { return a.incident == b.incident })
}

// linkedBy says whether all links of an incident by one key are the record's own.
func (m *Machine) linkedBy(r *record, name string, n int) bool {
	own := 0
	for _, k := range r.marks {
		if !k.gone && k.incident == name && k.linked&(1<<n) != 0 {
			own++
		}
	}
	return m.links[r.keys[n]][name] == own
}

type link struct {
	incident string
	key      groupKey
}
