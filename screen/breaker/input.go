package breaker

import "fmt"

// An Input is one line of a log: exactly one of its fields is set. Playing the log of a
// machine into a new one of the same configuration gives the same answers.
type Input struct {
	Event    *Event      `json:"event,omitempty"`
	Label    *Label      `json:"label,omitempty"`
	Retract  *Retraction `json:"retract,omitempty"`
	Override *Override   `json:"override,omitempty"`
	Health   *Health     `json:"health,omitempty"`
	Tick     int64       `json:"tick,omitempty"` // Unix seconds
}

// An Output is the answer to an input. Decision is set for events.
type Output struct {
	Decision    *Decision    `json:"decision,omitempty"`
	Transitions []Transition `json:"transitions,omitempty"`
}

// Apply plays one input.
func (m *Machine) Apply(in *Input) (out Output, err error) {
	set := 0
	for _, have := range []bool{in.Event != nil, in.Label != nil, in.Retract != nil, in.Override != nil, in.Health != nil, in.Tick != 0} {
		if have {
			set++
		}
	}
	if set != 1 {
		return out, fmt.Errorf("%w: an input is exactly one of event, label, retract, override, health and tick", ErrEvent)
	}
	switch {
	case in.Event != nil:
		d, err := m.Step(in.Event)
		out.Transitions, d.Transitions = d.Transitions, nil
		out.Decision = &d
		return out, err
	case in.Label != nil:
		out.Transitions, err = m.Label(in.Label)
	case in.Retract != nil:
		out.Transitions, err = m.Retract(in.Retract)
	case in.Override != nil:
		out.Transitions, err = m.Override(in.Override)
	case in.Health != nil:
		out.Transitions, err = m.Health(*in.Health)
	default:
		out.Transitions, err = m.Tick(in.Tick)
	}
	return out, err
}

// A Status is the state of one incident on one route, and what it rests on now.
type Status struct {
	Incident string `json:"incident"`
	Route    string `json:"route"`
	// State counts; Beneath is what the signals alone would have it be.
	State    State     `json:"state"`
	Beneath  State     `json:"beneath"`
	Since    int64     `json:"since"`
	Probing  bool      `json:"probing,omitempty"`
	Score    uint64    `json:"score"`
	Final    uint64    `json:"final_score"` // of what can no longer vanish
	Signals  []Reading `json:"signals,omitempty"`
	Groups   []string  `json:"groups,omitempty"`
	Override *Override `json:"override,omitempty"`
}

// States lists every incident and route that is watched, sorted, also those that are
// still NORMAL.
func (m *Machine) States() []Status {
	list := make([]Status, 0, len(m.order))
	for _, c := range m.order {
		v := m.judge(c)
		s := Status{
			Incident: c.key.incident, Route: c.key.route, State: c.effective(), Beneath: c.state, Since: c.since,
			Probing: c.probing != never, Score: v.score, Final: v.final, Signals: v.readings,
		}
		for i := range c.groups {
			s.Groups = append(s.Groups, c.groups[i].key.String())
		}
		if c.override != nil {
			set := *c.override
			s.Override = &set
		}
		list = append(list, s)
	}
	return list
}

// IsDegraded says whether the data is stale, so that nothing is loosened.
func (m *Machine) IsDegraded() bool { return m.degraded }

// Clock is the latest moment, Unix seconds.
func (m *Machine) Clock() int64 { return m.clock }

// Inflow is the value of all uses of the window, in cents.
func (m *Machine) Inflow() uint64 { return m.inflow }

// Digest identifies the configuration.
func (m *Machine) Digest() string { return m.digest }

// IsEstablished says whether a sender has proven itself at the venue and nothing is known
// against it.
func (m *Machine) IsEstablished(sender string) bool {
	e, _, ok := m.senders.find(keyOf(bySender, sender))
	return ok && m.config.Novel.isEstablished(&e, m.clock)
}
