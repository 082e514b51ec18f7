package breaker

// points is the greatest score.
const points = 100

// A Reading is one signal at one moment: what was measured, and what that counts.
type Reading struct {
	Signal string `json:"signal"`
	Value  uint64 `json:"value"`
	Unit   string `json:"unit"`
	// From and To are the ramp: no points up to From, all from To on.
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Points uint64 `json:"points"`
	Weight uint64 `json:"weight"`
}

// read turns a value into points.
func read(signal, unit string, value uint64, r Ramp) Reading {
	return Reading{signal, value, unit, r.From, r.To, r.points(value), r.Weight}
}

// points is where a value is on the ramp.
func (r Ramp) points(value uint64) uint64 {
	switch {
	case value <= r.From:
		return 0
	case value >= r.To:
		return points
	}
	return share(value-r.From, r.To-r.From) / (wholeBP / points)
}

// mean is the weighted mean of the points, rounded down.
func mean(readings []Reading) uint64 {
	sum, weight := uint64(0), uint64(0)
	for i := range readings {
		sum += readings[i].Points * readings[i].Weight
		weight += readings[i].Weight
	}
	if weight == 0 {
		return 0
	}
	return sum / weight
}

// incidentSignals are the signals of an incident's flow, in the order in which they are
// printed. Each is measured on all uses of the window, or only on those that are final.
var incidentSignals = []struct {
	name, unit string
	ramp       func(*IncidentConfig) Ramp
	value      func(*Machine, *incident, *tally) uint64
}{
	{"tainted-senders", "half senders", func(c *IncidentConfig) Ramp { return Ramp{2 * c.Senders.From, 2 * c.Senders.To, c.Senders.Weight} }, func(_ *Machine, _ *incident, t *tally) uint64 { return 2*t.tainted + t.near }},
	{"tainted-inflow", "bp", func(c *IncidentConfig) Ramp { return c.Inflow }, func(m *Machine, _ *incident, t *tally) uint64 { return share(t.cents, m.inflow) }},
	{"near-inflow", "bp", func(c *IncidentConfig) Ramp { return c.Near }, func(m *Machine, _ *incident, t *tally) uint64 { return share(t.cents+t.nearCents, m.inflow) }},
	{"coordination", "points", func(c *IncidentConfig) Ramp { return c.Coordination }, func(m *Machine, i *incident, _ *tally) uint64 { return m.coordination(i) }},
	{"late-labels", "uses", func(c *IncidentConfig) Ramp { return c.Late }, func(_ *Machine, _ *incident, t *tally) uint64 { return t.late }},
}

// coordination is the score of the best group with a tainted member.
func (m *Machine) coordination(i *incident) (best uint64) {
	for k := range i.groups {
		score, _ := m.score(m.groups[k])
		best = max(best, score)
	}
	return best
}

// measure scores an incident's flow.
func (m *Machine) measure(i *incident, t *tally) (uint64, []Reading) {
	c := &m.config.Incident
	if t.tainted < c.MinSenders || t.cents < c.MinCents {
		return 0, nil
	}
	readings := make([]Reading, 0, len(incidentSignals))
	for n := range incidentSignals {
		s := &incidentSignals[n]
		readings = append(readings, read(s.name, s.unit, s.value(m, i, t), s.ramp(c)))
	}
	return mean(readings), readings
}
