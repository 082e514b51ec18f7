package guard

import (
	"slices"

	"coldtrail/ledger"
	"coldtrail/screen/breaker"
)

// use is a use as long as it is remembered. What stands before who never changes.
type use struct {
	id     string
	asked  string // see identity
	moment int64
	who    parties

	block       *at // where its transaction stands; nil for one that was posted
	line        *line
	sequence    int64 // of the line with the last decision; 0 while it is not kept
	first       int64 // of the first one
	until       int64 // when it may be asked about again
	cents       uint64
	provisional bool
	taint       []breaker.Taint
	event       *breaker.Event // while it is provisional
	gone        bool
}

// parties are whom a use is judged by.
type parties struct {
	chain                          ledger.Chain
	origin, receiver, funder       string
	receiverService, funderService bool
}

// memory is the uses of the breaker's long window, so that they can be asked about again,
// labelled, made final and taken back.
type memory struct {
	long    int64
	room    int
	byID    map[string]*use
	order   []*use // by moment; some are gone
	head    int
	horizon int64  // uses before are forgotten
	open    []*use // provisional ones with a block, in the order of their blocks
}

func newMemory(c *breaker.Config) memory {
	m := memory{byID: map[string]*use{}}
	m.bound(c)
	return m
}

// bound sets how much is remembered: as much as the breaker does.
func (m *memory) bound(c *breaker.Config) {
	m.long, m.room = c.Long, c.Bounds.Events+c.Bounds.Marks
}

// add takes a line with an event.
func (m *memory) add(l *line) {
	e := l.Input.Event
	u := m.byID[e.ID]
	if u == nil {
		u = &use{id: e.ID, moment: e.Moment, cents: e.Cents}
		u.who = parties{origin: e.Sender, receiver: e.Receiver, funder: e.Funder, receiverService: e.ReceiverService, funderService: e.FunderService}
		if e.Origin != "" {
			u.who.origin = e.Origin
		}
		if l.Use != nil {
			u.asked, u.block, u.who.chain = l.Use.Asked, l.Use.Block, l.Use.Chain
		}
		m.byID[e.ID] = u
		m.order = append(m.order, u)
		if e.Provisional && u.block != nil {
			m.open = append(m.open, u)
		}
		m.prune(l.moment)
	}
	u.line, u.sequence, u.provisional, u.taint, u.event = l, 0, e.Provisional, e.Taint, nil
	if l.Output.Decision != nil {
		u.until = l.Output.Decision.Until
	}
	if e.Provisional {
		u.event = e
	}
}

// prune forgets what is too old, and the oldest where there is no room.
func (m *memory) prune(clock int64) {
	for m.head < len(m.order) && (m.order[m.head].gone || m.order[m.head].moment <= clock-m.long || len(m.byID) > m.room) {
		if u := m.order[m.head]; !u.gone {
			u.gone = true
			delete(m.byID, u.id)
			m.horizon = max(m.horizon, u.moment)
		}
		m.order[m.head] = nil
		m.head++
	}
	if m.head > 1024 && m.head > len(m.order)/2 {
		m.order, m.head = slices.Clone(m.order[m.head:]), 0
	}
	if len(m.open) > 0 && m.open[0].gone {
		m.open = slices.DeleteFunc(m.open, func(u *use) bool { return u.gone })
	}
}

// label takes what was learnt of a use.
func (m *memory) label(l *breaker.Label) {
	if u := m.byID[l.ID]; u != nil {
		u.taint = l.Taint
	}
}

// drop takes a use back: it may happen again.
func (m *memory) drop(id string) {
	u := m.byID[id]
	if u == nil {
		return
	}
	u.gone = true
	delete(m.byID, id)
	m.open = slices.DeleteFunc(m.open, func(o *use) bool { return o == u })
}

// settle notes that a line is kept: its decision is read from the log from now on.
func (m *memory) settle(l *line) {
	if l.Input == nil || l.Input.Event == nil {
		return
	}
	if u := m.byID[l.Input.Event.ID]; u != nil && u.line == l {
		u.sequence, u.line = l.sequence, nil
		if u.first == 0 {
			u.first = l.sequence
		}
	}
}

// all lists what is remembered.
func (m *memory) all() []*use {
	list := make([]*use, 0, len(m.byID))
	for _, u := range m.order[m.head:] {
		if !u.gone {
			list = append(list, u)
		}
	}
	return list
}
