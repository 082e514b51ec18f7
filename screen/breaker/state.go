package breaker

import (
	"math"
	"slices"
	"strings"
)

// State is how far a breaker is open.
type State string

// The states, in order. Limit and Halt hold what matches an incident or a group; they
// differ in how hard. Nothing holds an established sender of whom nothing is known.
const (
	Normal State = "NORMAL"
	Watch  State = "WATCH"
	Limit  State = "LIMIT"
	Halt   State = "HALT"
)

// States lists all, the loosest first.
var States = []State{Normal, Watch, Limit, Halt}

func (s State) level() int { return slices.Index(States, s) }

// Everywhere stands for every route of an incident.
const Everywhere = "*"

// Cause is why a state changed, or why it was tried.
type Cause string

// The causes.
const (
	ByScore       Cause = "score"
	ByGate        Cause = "gate"         // the absolute value over the long window, or evidence without room
	ByCalm        Cause = "calm"         // nothing for long enough; WATCH ends without a probe
	ProbeBegun    Cause = "probe-begun"  // the state stays
	ProbePassed   Cause = "probe-passed" // one state down
	ProbeFailed   Cause = "probe-failed" // the state stays, its cooldown begins anew
	ByOverride    Cause = "override"
	OverrideEnded Cause = "override-ended"
	DataStale     Cause = "data-stale" // of the whole venue: from now on only tightening
	DataFresh     Cause = "data-fresh"
)

// A Transition is a change of state, with everything that it was decided by.
type Transition struct {
	// Sequence numbers the transitions of a machine from 1 on.
	Sequence uint64 `json:"sequence"`
	Moment   int64  `json:"moment"`
	Venue    string `json:"venue"`
	// Incident and Route are whose state it is. The incident is empty for coordination
	// that is ascribed to none; both are where the whole venue is meant.
	Incident string `json:"incident"`
	Route    string `json:"route"`
	From     State  `json:"from"`
	To       State  `json:"to"`
	Cause    Cause  `json:"cause"`
	Score    uint64 `json:"score"`
	// Threshold is what the score was compared with, where it was.
	Threshold uint64    `json:"threshold,omitempty"`
	Signals   []Reading `json:"signals,omitempty"`
	// Groups are what suspicious senders have in common, the first 16.
	Groups []string `json:"groups,omitempty"`
	// Beneath says that an override is in force, and this is the state underneath it.
	Beneath bool   `json:"beneath,omitempty"`
	By      string `json:"by,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Until   int64  `json:"until,omitempty"`
}

type cellKey struct{ incident, route string }

func compareCells(a, b cellKey) int {
	if c := strings.Compare(a.incident, b.incident); c != 0 {
		return c
	}
	return strings.Compare(a.route, b.route)
}

// never is a moment that has not come.
const never = math.MinInt64

// cell is the state of one incident on one route.
type cell struct {
	key   cellKey
	state State
	since int64
	// above is since when the score has been at what each state is entered by, calm since
	// when it is low enough to leave, probing since when the way back is tried.
	above      [4]int64
	calm       int64
	probing    int64
	probed     uint64 // events that met the probe
	probeCents uint64
	groups     []implicated // sorted
	override   *Override
}

// implicated is a group that a state rests on. Only a strong one, which alone is enough
// for a limit, is held.
type implicated struct {
	key    groupKey
	strong bool
}

// effective is the state that counts.
func (c *cell) effective() State {
	if c.override != nil {
		return c.override.State
	}
	return c.state
}

// open finds or makes the cell of an incident on a route. Where there is no room for
// more, it is the one of the incident on every route.
func (m *Machine) open(k cellKey) *cell {
	if c := m.cells[k]; c != nil {
		return c
	}
	if len(m.cells) >= m.config.Bounds.Cells && k.route != Everywhere { // of coordination it then only holds what people set
		m.size.Overflow++
		return m.open(cellKey{k.incident, Everywhere})
	}
	c := &cell{key: k, state: Normal, since: m.clock, above: [4]int64{never, never, never, never}, calm: never, probing: never}
	m.place(c)
	return c
}

// place puts a cell where it is found.
func (m *Machine) place(c *cell) {
	m.cells[c.key] = c
	i, _ := slices.BinarySearchFunc(m.order, c, func(a, b *cell) int { return compareCells(a.key, b.key) })
	m.order = slices.Insert(m.order, i, c)
}

func (m *Machine) close(c *cell) {
	delete(m.cells, c.key)
	i, _ := slices.BinarySearchFunc(m.order, c, func(a, b *cell) int { return compareCells(a.key, b.key) })
	m.order = slices.Delete(m.order, i, i+1)
}

// verdict is what a cell is judged by at one moment.
type verdict struct {
	score, final uint64
	readings     []Reading
	gate         bool
}

// judge reads the signals of a cell.
func (m *Machine) judge(c *cell) (v verdict) {
	if c.key.incident == "" {
		for i := range c.groups {
			if score, readings := m.score(m.groups[routed{c.groups[i].key, c.key.route}]); score > v.score {
				v.score, v.readings = score, readings
			}
		}
		return v
	}
	// Where there was no room for evidence, that there is little of it means nothing.
	v.gate = m.full != never && m.clock-m.full < m.config.Window
	i := m.incidents[c.key.incident]
	if i == nil || c.key.route != Everywhere && i.routes[c.key.route] == 0 {
		return v
	}
	v.gate = v.gate || i.long >= m.config.Incident.Gate
	v.score, v.readings = m.measure(i, &i.all)
	v.final, _ = m.measure(i, &i.final)
	return v
}

// evaluate lets a cell change its state, as far as the moment allows.
func (m *Machine) evaluate(c *cell) {
	m.endOverride(c)
	v := m.judge(c)
	m.note(c, &v)
	for m.rise(c, &v) {
	}
	m.fall(c, &v)
	if c.state == Normal && c.override == nil {
		m.prune(c)
	}
}

func (m *Machine) threshold(s State) Threshold {
	switch s {
	case Watch:
		return m.config.Watch
	case Limit:
		return m.config.Limit
	case Halt:
		return m.config.Halt
	case Normal:
	}
	return Threshold{}
}

// note keeps since when the score has been where it is.
func (m *Machine) note(c *cell, v *verdict) {
	for level, s := range States {
		score := v.score
		if s == Halt {
			score = v.final // what may still vanish halts nothing
		}
		switch {
		case s == Normal || score < m.threshold(s).Score:
			c.above[level] = never
		case c.above[level] == never:
			c.above[level] = m.clock
		}
	}
	m.noteCalm(c, v)
}

// noteCalm keeps since when the score has been low. Calm counts for nothing while the data
// is stale.
func (m *Machine) noteCalm(c *cell, v *verdict) {
	loud := v.gate || v.score+m.config.Calm.Margin >= m.threshold(c.state).Score
	switch {
	case c.state == Normal:
		c.calm = never
	case loud:
		c.calm = never
		if c.probing != never {
			m.failProbe(c, v)
		}
	case m.degraded:
		c.calm, c.probing = never, never
	case c.calm == never:
		c.calm = m.clock
	}
}

// rise goes one state up if the score lasted, or the gate demands it. Coordination that
// is ascribed to no incident never halts by itself.
func (m *Machine) rise(c *cell, v *verdict) bool {
	for level := len(States) - 1; level > c.state.level(); level-- {
		s, cause := States[level], ByScore
		t := m.threshold(s)
		lasted := c.above[level] != never && m.clock-c.above[level] >= t.For
		if s == Limit && v.gate {
			lasted, cause = true, ByGate
		}
		if !lasted || s == Halt && c.key.incident == "" {
			continue
		}
		next := States[c.state.level()+1]
		m.move(c, next, &Transition{Cause: cause, Score: v.score, Threshold: t.Score, Signals: v.readings})
		c.calm = never
		return true
	}
	return false
}

// fall goes one state down when it was calm for long enough: WATCH at once, the others
// after a probe.
func (m *Machine) fall(c *cell, v *verdict) {
	if c.state == Normal || c.calm == never || m.clock-c.calm < m.config.Calm.For {
		return
	}
	if c.state == Halt && m.clock-c.since < m.config.Calm.Cooldown {
		return
	}
	down := States[c.state.level()-1]
	t := Transition{Cause: ByCalm, Score: v.score, Threshold: m.threshold(c.state).Score - m.config.Calm.Margin, Signals: v.readings}
	switch {
	case c.state == Watch:
		m.move(c, down, &t)
	case c.probing == never:
		c.probing, c.probed, c.probeCents = m.clock, 0, 0
		t.Cause = ProbeBegun
		m.announce(c, c.state, &t)
	case m.clock-c.probing >= m.config.Probe.For:
		t.Cause = ProbePassed
		m.move(c, down, &t)
		c.calm = m.clock // the next state is left after a calm of its own
	}
}

// failProbe ends the way back: the state stays, and its times begin anew.
func (m *Machine) failProbe(c *cell, v *verdict) {
	c.probing, c.calm, c.since = never, never, m.clock
	m.announce(c, c.state, &Transition{Cause: ProbeFailed, Score: v.score, Signals: v.readings})
}

// move changes the state.
func (m *Machine) move(c *cell, to State, t *Transition) {
	from := c.state
	c.state, c.since, c.probing = to, m.clock, never
	t.To = to
	m.announce(c, from, t)
}

// maxNamed bounds how many groups a transition names.
const maxNamed = 16

// announce writes a transition down.
func (m *Machine) announce(c *cell, from State, t *Transition) {
	m.sequence++
	t.Sequence, t.Moment, t.Venue = m.sequence, m.clock, m.config.Venue
	t.Incident, t.Route, t.From = c.key.incident, c.key.route, from
	if t.To == "" {
		t.To = c.state
	}
	t.Beneath = c.override != nil && t.Cause != ByOverride && t.Cause != OverrideEnded
	for i := range c.groups {
		if len(t.Groups) < maxNamed {
			t.Groups = append(t.Groups, c.groups[i].key.String())
		}
	}
	m.said = append(m.said, *t)
}

// prune forgets groups that are weak by now, and a cell that has nothing left.
func (m *Machine) prune(c *cell) {
	weak := m.config.Watch.Score - m.config.Calm.Margin
	c.groups = slices.DeleteFunc(c.groups, func(i implicated) bool {
		score, _ := m.score(m.groups[routed{i.key, c.key.route}])
		return score < weak
	})
	i := m.incidents[c.key.incident]
	if len(c.groups) > 0 || i != nil && (c.key.route == Everywhere || i.routes[c.key.route] > 0) {
		return
	}
	m.close(c)
}

// suspect opens the cells of groups that a new use makes suspicious.
func (m *Machine) suspect(r *record) {
	for n, k := range r.keys {
		if r.in&(1<<n) == 0 {
			continue
		}
		score, _ := m.score(m.groups[routed{k, r.route}])
		if score >= m.config.Watch.Score {
			m.implicate(m.open(cellKey{"", r.route}), k, score)
		}
	}
}

func (m *Machine) implicate(c *cell, k groupKey, score uint64) {
	i, found := slices.BinarySearchFunc(c.groups, k, func(a implicated, k groupKey) int { return compareKeys(a.key, k) })
	if !found {
		if len(c.groups) >= m.config.Bounds.Members {
			m.size.Overflow++
			return
		}
		c.groups = slices.Insert(c.groups, i, implicated{key: k})
	}
	c.groups[i].strong = c.groups[i].strong || score >= m.config.Limit.Score
}
