package breaker

// Action is what is to be done with one use.
type Action string

// The actions, from the mildest.
const (
	Pass   Action = "pass"
	Delay  Action = "delay"  // ask again at Until
	Review Action = "review" // hold until somebody has looked, at most to Until where it is set
	Refuse Action = "refuse" // where Until is set, ask again then
)

var actions = []Action{Pass, Delay, Review, Refuse}

func (a Action) level() int {
	for i := range actions {
		if actions[i] == a {
			return i
		}
	}
	return 0
}

// Match is what ties a use to a state.
type Match string

// The matches, the strongest first. All but the first hold a sender for at most one window.
const (
	Tainted     Match = "tainted"     // value of the incident is in the sender's hands
	Near        Match = "near"        // a little of it, or close by
	Linked      Match = "linked"      // shares funder or cluster with a tainted sender
	Coordinated Match = "coordinated" // a novel sender in a suspicious group
	Unsure      Match = "unknown"     // screening could not tell
	Newcomer    Match = "novel"       // a novel sender of much value
	Nothing     Match = ""
)

// held is what each state does with each match.
var held = map[Match]map[State]Action{
	Tainted:     {Limit: Refuse, Halt: Refuse},
	Near:        {Limit: Review, Halt: Refuse},
	Linked:      {Limit: Review, Halt: Refuse},
	Coordinated: {Limit: Delay, Halt: Review},
	Unsure:      {Limit: Delay, Halt: Delay},
	Newcomer:    {Limit: Pass, Halt: Delay},
}

// bounded says whether the match holds for one window at most: all but stolen money do,
// and where people halted by name, all that no evidence ties to it.
func (x Match) bounded(byHand bool) bool {
	return x == Unsure || x == Newcomer || x != Tainted && !byHand
}

// A Decision is the answer to an event.
type Decision struct {
	ID     string `json:"id"`
	Moment int64  `json:"moment"`
	Action Action `json:"action"`
	// Until is when to ask again with the same ID, Unix seconds; 0 where nothing is gained
	// by it.
	Until   int64    `json:"until,omitempty"`
	Reasons []Reason `json:"reasons,omitempty"`
	// Degraded says that the data is stale, Cold that the machine has not run for long
	// enough to call anybody novel.
	Degraded    bool         `json:"degraded,omitempty"`
	Cold        bool         `json:"cold,omitempty"`
	Transitions []Transition `json:"transitions,omitempty"`
}

// A Reason is one state that a use met.
type Reason struct {
	Match    Match  `json:"match"`
	Action   Action `json:"action"`
	Incident string `json:"incident,omitempty"`
	Route    string `json:"route"`
	State    State  `json:"state"`
	// Shared is what the use has in common with others, where that is the match.
	Shared string `json:"shared,omitempty"`
	// Note is waited where the sender has been held for one window already, probe where
	// the way back let it through, override where people set the state.
	Note      string    `json:"note,omitempty"`
	Score     uint64    `json:"score"`
	Threshold uint64    `json:"threshold"`
	Signals   []Reading `json:"signals,omitempty"`
}

// The notes of a reason.
const (
	noteWaited   = "waited"
	noteProbe    = "probe"
	noteOverride = "override"
)

// ask is one event while it is decided.
type ask struct {
	*record
	entry *entry
	again bool
}

// decide says what is to be done with a use, by every state on its route.
func (m *Machine) decide(a *ask) Decision {
	d := Decision{ID: a.id, Moment: m.clock, Action: Pass, Degraded: m.degraded, Cold: m.cold()}
	links := m.linkedTo(a.record)
	for _, c := range m.order {
		if c.key.route != a.route && c.key.route != Everywhere {
			continue
		}
		state := c.effective()
		if state == Normal {
			continue
		}
		match, shared := m.match(a, c, links)
		if match == Nothing {
			continue
		}
		reason := Reason{Match: match, Incident: c.key.incident, Route: c.key.route, State: state, Shared: shared, Action: Pass}
		if action, ok := held[match][state]; ok {
			reason.Action = action
		}
		until := m.soften(a, c, &reason)
		v := m.judge(c)
		reason.Score, reason.Signals, reason.Threshold = v.score, v.readings, m.threshold(state).Score
		if reason.Action.level() > d.Action.level() {
			d.Action, d.Until = reason.Action, until
		} else if reason.Action == d.Action {
			d.Until = later(d.Until, until)
		}
		d.Reasons = append(d.Reasons, reason)
	}
	return d
}

// later is the later of two moments to ask again; none is later than all.
func later(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// soften lets a held use through where it has waited, or where the way back is tried. It
// says until when it is held.
func (m *Machine) soften(a *ask, c *cell, reason *Reason) (until int64) {
	if reason.Action == Pass {
		return 0
	}
	overridden := c.override != nil
	if overridden {
		reason.Note = noteOverride
	}
	if reason.Match.bounded(overridden && reason.State == Halt) {
		if a.entry.held == 0 {
			a.entry.held = max(m.clock, 1)
		}
		if until = a.entry.held + m.config.Window; m.clock >= until {
			reason.Action, reason.Note = Pass, noteWaited
			return 0
		}
	}
	if c.probing == never || a.again || overridden {
		return until
	}
	c.probed++
	c.probeCents = plus(c.probeCents, a.cents)
	if c.probed%m.config.Probe.OneIn == 0 {
		reason.Action, reason.Note = actions[reason.Action.level()-1], noteProbe
		if reason.Action == Delay && until == 0 {
			until = m.clock + m.config.Window
		}
	}
	if c.probeCents > m.config.Probe.Cents {
		v := m.judge(c)
		m.failProbe(c, &v)
	}
	return until
}

// match says what ties a use to a cell.
func (m *Machine) match(a *ask, c *cell, links []link) (Match, string) {
	if known := m.known(a.record, c.key.incident); known != Nothing {
		return known, ""
	}
	if a.established(m) {
		return Nothing, ""
	}
	if shared := m.shares(a, c, links); shared != nil {
		if c.key.incident != "" && shared.kind.owns() {
			return Linked, shared.String()
		}
		if a.novel {
			return Coordinated, shared.String()
		}
	}
	switch {
	case a.unknown:
		return Unsure, ""
	case a.novel && a.cents >= m.config.Novel.Cents:
		return Newcomer, ""
	}
	return Nothing, ""
}

// known is what is known of the sender's money and an incident.
func (m *Machine) known(r *record, incident string) Match {
	best := Nothing
	for i := range r.taint {
		if r.taint[i].Incident != incident {
			continue
		}
		match := m.class(&r.taint[i])
		if match == Tainted {
			return Tainted
		}
		if match == Near {
			best = Near
		}
	}
	return best
}

// established says whether the sender has proven itself and nothing is known against it.
func (a *ask) established(m *Machine) bool {
	return !a.unknown && m.config.Novel.isEstablished(a.entry, m.clock)
}

// shares is what a use has in common with a cell: a link to the incident's tainted
// senders, or a strong group of coordination.
func (m *Machine) shares(a *ask, c *cell, links []link) *groupKey {
	if c.key.incident != "" {
		for i := range links {
			if links[i].incident == c.key.incident {
				return &links[i].key
			}
		}
		return nil
	}
	for i := range c.groups {
		if !c.groups[i].strong {
			continue
		}
		for n := range a.keys {
			if a.keys[n] == c.groups[i].key {
				return &a.keys[n]
			}
		}
	}
	return nil
}

// class says what one statement about the sender's money makes of a use. Who holds the
// theft itself is tainted whatever the share.
func (m *Machine) class(t *Taint) Match {
	c := &m.config.Incident
	switch {
	case t.Hops == 0 || t.Share >= c.Share:
		return Tainted
	case t.Share >= c.NearShare && t.Hops <= c.NearHops:
		return Near
	}
	return Nothing
}
