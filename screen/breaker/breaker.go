// Package breaker guards a venue against a coordinated flow of stolen money: it measures
// how tainted and how concerted the use of the last hour is, and holds the flow that
// matches, and nobody else's.
//
// A Machine is a pure state machine. It is fed events, labels that come later,
// retractions, the health of the data, overrides by people, and the time; it answers with
// decisions and transitions. Equal inputs give equal answers, byte for byte, also across a
// snapshot.
package breaker

import (
	"fmt"
	"slices"
)

// Machine is the breaker of one venue. It is not safe for concurrent use.
type Machine struct {
	config   Config
	digest   string
	clock    int64 // the latest moment, Unix seconds
	started  int64 // the first one
	running  bool
	degraded bool
	sequence uint64
	said     []Transition // since the last answer
	size     Size         // only what went beyond the bounds

	flow   []bucket // of the window, by minute
	inflow uint64   // their sum, in cents

	records    []*record // of the long window, by moment
	windowHead int       // the first that is in the window
	passed     int       // those before it were looked at when room was made
	forgotten  int       // that are only still in the list
	byID       map[string]*record
	groups     map[routed]*group

	marks     []*mark
	markHead  int // the first that is in the window
	liveMarks int
	full      int64 // when there last was no room for a mark
	incidents map[string]*incident
	links     map[groupKey]map[string]int

	cells map[cellKey]*cell
	order []*cell

	senders *census
	places  *census
}

// bucket is the inflow of one minute.
type bucket struct {
	minute int64
	cents  uint64
}

// Size says how much is remembered, and what went beyond the bounds since the start.
type Size struct {
	Events    int `json:"events"`
	Marks     int `json:"marks"`
	Groups    int `json:"groups"`
	Cells     int `json:"cells"`
	Incidents int `json:"incidents"`
	Senders   int `json:"senders"`
	Places    int `json:"places"`
	// Overflow counts uses that were not, or not wholly, counted by the signals because
	// there was no room; Forgotten counts events that a label or a retraction can no longer
	// reach, and Lost names whose history was dropped.
	Overflow  uint64 `json:"overflow"`
	Forgotten uint64 `json:"forgotten"`
	Lost      uint64 `json:"lost"`
}

// New makes a machine that has seen nothing.
func New(config *Config) (*Machine, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	digest, err := config.Digest()
	if err != nil {
		return nil, err
	}
	return &Machine{
		config: *config, digest: digest, full: never,
		byID: map[string]*record{}, groups: map[routed]*group{}, incidents: map[string]*incident{},
		links: map[groupKey]map[string]int{}, cells: map[cellKey]*cell{},
		senders: newCensus(config.Bounds.Senders), places: newCensus(config.Bounds.Places),
	}, nil
}

// Size says how much the machine remembers.
func (m *Machine) Size() Size {
	s := m.size
	s.Events, s.Marks, s.Groups, s.Cells, s.Incidents = len(m.byID), m.liveMarks, len(m.groups), len(m.cells), len(m.incidents)
	s.Senders, s.Places, s.Lost = m.senders.size(), m.places.size(), plus(m.senders.lost, m.places.lost)
	return s
}

// The bounds of time. A machine that is told of nothing must be told the time at least
// once in maxGap; a moment further ahead is a mistake, or an attack on the clock.
const (
	maxMoment = 1 << 40
	maxGap    = 31 * daySeconds
)

// reach moves the clock to a moment. An earlier one is taken for now: blocks of several
// chains come a little out of order.
func (m *Machine) reach(moment int64) error {
	switch {
	case moment < 0 || moment > maxMoment:
		return fmt.Errorf("%w: the moment %d", ErrEvent, moment)
	case !m.running:
		m.running, m.clock, m.started = true, moment, moment
	case moment > m.clock+maxGap:
		return fmt.Errorf("%w: the moment %d is more than %d days ahead", ErrEvent, moment, maxGap/daySeconds)
	case moment > m.clock:
		m.advance(moment)
	}
	return nil
}

// advance lets time pass. What expires does so at full minutes, and states are looked at
// then, so that it makes no difference how often the machine is told the time.
func (m *Machine) advance(to int64) {
	for minute := m.clock/60 + 1; minute*60 <= to; minute++ {
		if len(m.order) == 0 {
			m.clock = to
			m.expire(to / 60)
			return
		}
		m.clock = minute * 60
		m.expire(minute)
		m.evaluateAll()
	}
	m.clock = to
}

func (m *Machine) evaluateAll() {
	for i := 0; i < len(m.order); {
		c := m.order[i]
		m.evaluate(c)
		if i < len(m.order) && m.order[i] == c {
			i++
		}
	}
}

// same refuses an ID that comes again for something else: who asks, the way, or more than
// a tenth more value than was looked at.
func (m *Machine) same(e *Event) error {
	r := m.byID[e.ID]
	if r == nil {
		return nil
	}
	if r.actor != e.actor() || r.route != e.Route || m.cents(e) > r.cents+r.cents/10 {
		return fmt.Errorf("%w: %q was another event before", ErrEvent, e.ID)
	}
	return nil
}

// Step takes an event and says what is to be done with it. The same ID again is counted
// once; what is now known of it replaces what was. With an error the answer is to hold it.
func (m *Machine) Step(e *Event) (Decision, error) {
	err := e.check(m.config.Venue)
	if err == nil {
		err = m.reach(e.Moment)
	}
	if err == nil {
		err = m.same(e)
	}
	if err != nil {
		return Decision{ID: e.ID, Moment: m.clock, Action: Review, Degraded: m.degraded, Cold: m.cold(), Transitions: m.saying()}, err
	}
	a := &ask{record: m.byID[e.ID]}
	if a.record == nil {
		m.first(a, e)
	} else {
		m.repeat(a, e)
	}
	m.look(a.record)
	d := m.decide(a)
	m.remember(a, d.Action)
	d.Transitions = m.saying()
	return d, nil
}

// first counts an event that was not seen before.
func (m *Machine) first(a *ask, e *Event) {
	cents := m.cents(e)
	r := &record{id: e.ID, moment: m.clock, actor: e.actor(), route: e.Route, cents: cents, final: !e.Provisional, unknown: e.Unknown}
	a.record = r
	m.know(a)
	r.novel = !m.cold() && !a.established(m)
	r.keys = m.groupKeys(e, cents)
	m.meet(e, a)
	m.pour(cents)
	if !m.keep(r, e.Taint) {
		r.taint = append([]Taint(nil), e.Taint...)
		return
	}
	m.join(r)
	m.learn(a, e.Taint, 0)
	if !a.established(m) {
		for _, l := range m.linkedTo(r) {
			if l.key.kind.owns() && !r.isMarked(l.incident) {
				m.mark(r, &mark{incident: l.incident, cents: cents, near: true})
			}
		}
	}
	m.suspect(r)
}

// repeat takes an event that is asked about again.
func (m *Machine) repeat(a *ask, e *Event) {
	a.again = true
	m.know(a)
	if !e.Provisional && !a.final {
		m.finalise(a.record)
	}
	a.unknown = e.Unknown
	m.learn(a, e.Taint, 0)
}

// know looks the sender up.
func (m *Machine) know(a *ask) {
	e, _, ok := m.senders.find(keyOf(bySender, a.actor))
	if !ok {
		e = entry{first: m.clock}
	}
	a.entry = &e
}

// meet books the places that an event shares with others.
func (m *Machine) meet(e *Event, a *ask) {
	newcomer := a.entry.last == 0
	for _, place := range []groupKey{{ByFunder, e.Funder}, {ByReceiver, e.Receiver}, {ByFingerprint, e.Fingerprint}} {
		if place.name == "" || place.name == a.actor {
			continue
		}
		k := keyOf(place.kind, place.name)
		at, where, ok := m.places.find(k)
		if !ok {
			at.first = m.clock
		}
		at.last = m.clock
		at.count(m.clock)
		if newcomer {
			at.senders++
		}
		if m.config.Common.isCommon(&at, m.clock) {
			where = proven
		}
		m.places.put(k, &at, where)
	}
}

// isMarked says whether a record belongs to an incident.
func (r *record) isMarked(name string) bool {
	for _, k := range r.marks {
		if !k.gone && k.incident == name {
			return true
		}
	}
	return false
}

// learn books what is known of the sender's money, in place of what was known before.
// late is 1 where it was learnt after the event.
func (m *Machine) learn(a *ask, taint []Taint, late uint64) {
	r := a.record
	if slices.Equal(r.taint, taint) {
		return
	}
	for _, k := range r.marks {
		m.unmark(k)
	}
	r.marks = nil
	r.taint = append([]Taint(nil), taint...)
	a.entry.tainted = 0
	for i := range taint {
		t := &taint[i]
		match := m.class(t)
		if match == Nothing || r.isMarked(t.Incident) {
			continue
		}
		a.entry.tainted = 1
		k := &mark{incident: t.Incident, near: match == Near, late: late > 0, cents: r.cents}
		if !k.near && t.Hops > 0 {
			k.cents = part(r.cents, t.Share)
		}
		m.mark(r, k)
	}
}

// look evaluates the states that a record bears on.
func (m *Machine) look(r *record) {
	for i := 0; i < len(m.order); {
		c := m.order[i]
		if c.key.route == r.route || r.isMarked(c.key.incident) {
			m.evaluate(c)
		}
		if i < len(m.order) && m.order[i] == c {
			i++
		}
	}
}

// remember writes the sender's history.
func (m *Machine) remember(a *ask, action Action) {
	e := a.entry
	e.last = max(m.clock, 1)
	if action == Pass {
		e.count(m.clock)
	}
	m.write(a)
}

// write keeps what is known of a sender; who is established has room apart from the
// others.
func (m *Machine) write(a *ask) {
	where := fresh
	if m.config.Novel.isEstablished(a.entry, m.clock) {
		where = proven
	}
	m.senders.put(keyOf(bySender, a.actor), a.entry, where)
}

// cold says whether the machine is too young to call anybody novel.
func (m *Machine) cold() bool { return m.clock-m.started < m.config.Novel.WarmUp }

// saying hands out what was announced since the last answer.
func (m *Machine) saying() []Transition {
	said := m.said
	m.said = nil
	return said
}

// Tick tells the machine the time.
func (m *Machine) Tick(moment int64) ([]Transition, error) {
	err := m.reach(moment)
	return m.saying(), err
}

// Label takes what was learnt of an event after it happened: it counts now, in the window
// of the moment at which it was learnt.
func (m *Machine) Label(l *Label) ([]Transition, error) {
	if err := checkTaint(l.Taint); err != nil {
		return nil, err
	}
	if err := m.reach(l.Moment); err != nil {
		return nil, err
	}
	r := m.byID[l.ID]
	if r == nil {
		return m.saying(), fmt.Errorf("%w: %q", ErrUnknown, l.ID)
	}
	a := &ask{record: r}
	m.know(a)
	m.learn(a, l.Taint, 1)
	a.unknown = false
	m.look(r)
	m.write(a)
	return m.saying(), nil
}

// Retract takes an event back that did not happen after all. What it made of the states
// falls by the ordinary way back.
func (m *Machine) Retract(t *Retraction) ([]Transition, error) {
	if err := m.reach(t.Moment); err != nil {
		return nil, err
	}
	r := m.byID[t.ID]
	if r == nil {
		return m.saying(), fmt.Errorf("%w: %q", ErrUnknown, t.ID)
	}
	for i := range m.flow {
		if b := &m.flow[i]; b.minute == r.moment/60 {
			less := min(r.cents, b.cents)
			b.cents -= less
			m.inflow -= less
		}
	}
	m.leave(r)
	for _, k := range r.marks {
		m.unmark(k)
	}
	r.marks = nil
	m.erase(r)
	m.look(r)
	return m.saying(), nil
}
