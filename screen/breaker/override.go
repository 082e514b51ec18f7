package breaker

import "fmt"

// An Override is a state that people set, above what the signals say.
type Override struct {
	Moment   int64  `json:"moment"`
	Incident string `json:"incident"`
	// Route is the route, or Everywhere.
	Route string `json:"route"`
	State State  `json:"state"`
	// Until is when it ends, at most a week later. The state that the signals called for
	// meanwhile is then in force.
	Until int64 `json:"until"`
	// By and Reason are who, and why. Neither may be empty.
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// longestOverride is how long people may answer for a state without looking again.
const longestOverride = 7 * daySeconds

// maxReason bounds the words of an override.
const maxReason = 4096

func (o *Override) check() error {
	switch {
	case o.By == "" || o.Reason == "":
		return fmt.Errorf("%w: it needs a name and a reason", ErrOverride)
	case len(o.By) > maxText || len(o.Reason) > maxReason || len(o.Incident) > maxText || len(o.Route) > maxText:
		return fmt.Errorf("%w: a text is too long", ErrOverride)
	case o.Route == "":
		return fmt.Errorf("%w: it needs a route, or %s", ErrOverride, Everywhere)
	case o.State.level() < 0:
		return fmt.Errorf("%w: there is no state %q", ErrOverride, o.State)
	}
	return nil
}

// Override sets a state by hand. While the data is stale it may only tighten. A halt by
// hand holds near, linked and coordinated senders for as long as it lasts, and not for
// one window: somebody answers for it by name. Established senders of whom nothing is known
// pass even then.
func (m *Machine) Override(o *Override) ([]Transition, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := m.reach(o.Moment); err != nil {
		return nil, err
	}
	if o.Until <= m.clock || o.Until > m.clock+longestOverride {
		return m.saying(), fmt.Errorf("%w: it must end within a week", ErrOverride)
	}
	k := cellKey{o.Incident, o.Route}
	was := Normal
	if c := m.cells[k]; c != nil {
		was = c.effective()
	}
	if m.degraded && o.State.level() < was.level() {
		return m.saying(), fmt.Errorf("%w: the data is stale, and only tightening is allowed", ErrOverride)
	}
	c := m.cells[k]
	if c == nil {
		if len(m.cells) >= m.config.Bounds.Cells {
			return m.saying(), fmt.Errorf("%w: there are %d states already", ErrOverride, len(m.cells))
		}
		c = m.open(k)
	}
	set := *o
	c.override = &set
	m.announce(c, was, &Transition{To: o.State, Cause: ByOverride, By: o.By, Reason: o.Reason, Until: o.Until})
	return m.saying(), nil
}

// endOverride lets an override end when its time has come. While the data is stale it
// stays where its end would loosen anything.
func (m *Machine) endOverride(c *cell) {
	if c.override == nil || m.clock < c.override.Until {
		return
	}
	o := c.override
	if m.degraded && c.state.level() < o.State.level() {
		o.Until = m.clock + 60
		return
	}
	c.override = nil
	m.announce(c, o.State, &Transition{Cause: OverrideEnded, By: o.By, Reason: o.Reason})
}

// Health tells the machine how good the data is. While it is stale nothing is loosened.
func (m *Machine) Health(h Health) ([]Transition, error) {
	if err := m.reach(h.Moment); err != nil {
		return nil, err
	}
	stale := h.LabelAge > m.config.Stale.Labels || h.Lag > m.config.Stale.Lag
	if stale == m.degraded {
		return m.saying(), nil
	}
	m.degraded = stale
	cause := DataFresh
	if stale {
		cause = DataStale
	}
	m.sequence++
	m.said = append(m.said, Transition{Sequence: m.sequence, Moment: m.clock, Venue: m.config.Venue, From: Normal, To: Normal, Cause: cause})
	return m.saying(), nil
}
