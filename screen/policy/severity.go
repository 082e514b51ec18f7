package policy

import (
	"slices"

	"gopkg.in/yaml.v3"

	"coldtrail/attribution/label"
	"coldtrail/screen/exposure"
)

// severities say how grave each concept is, 0 to 100. A concept without a severity of
// its own has its parent's.
type severities struct {
	own map[string]uint32
	of  map[string]graded
}

// graded is a concept's severity, and its place in the taxonomy's list.
type graded struct {
	severity uint32
	number   uint32
}

// maxConcepts bounds the taxonomy, for tables by concept.
const maxConcepts = 128

func (s *severities) read(n *yaml.Node) error {
	s.own = map[string]uint32{}
	return pairs(n, "severities", maxConcepts, func(key, value *yaml.Node) error {
		var c string
		var severity uint32
		if err := concept(key, "severities", &c); err != nil {
			return err
		}
		if err := small(value, "severities."+c, 100, &severity); err != nil {
			return err
		}
		s.own[c] = severity
		return nil
	})
}

// resolve works out the severity of every concept: that of its nearest kin upwards.
func (s *severities) resolve() {
	s.of = map[string]graded{}
	for i, c := range append(label.Concepts(), "concept") {
		nearest := ""
		for above := range s.own {
			if label.Is(c, above) && (nearest == "" || label.Is(above, nearest)) {
				nearest = above
			}
		}
		s.of[c] = graded{s.own[nearest], uint32(i)}
	}
}

// levels are the least scores of the levels above none.
type levels struct{ low, medium, high, severe uint32 }

var defaultLevels = levels{1, 25, 50, 80}

func (l *levels) read(n *yaml.Node) error {
	err := object(n, "levels", keys{
		"low":    func(n *yaml.Node) error { return small(n, "levels.low", 100, &l.low) },
		"medium": func(n *yaml.Node) error { return small(n, "levels.medium", 100, &l.medium) },
		"high":   func(n *yaml.Node) error { return small(n, "levels.high", 100, &l.high) },
		"severe": func(n *yaml.Node) error { return small(n, "levels.severe", 100, &l.severe) },
	})
	if err == nil && (l.low == 0 || l.low >= l.medium || l.medium >= l.high || l.high >= l.severe) {
		err = &Error{n.Line, "levels", "want 0 < low < medium < high < severe"}
	}
	return err
}

// of is the level of a score.
func (l *levels) of(score uint32) exposure.Level {
	switch {
	case score >= l.severe:
		return exposure.Severe
	case score >= l.high:
		return exposure.High
	case score >= l.medium:
		return exposure.Medium
	case score >= l.low:
		return exposure.Low
	}
	return exposure.None
}

// ranks lists the levels from the mildest to the gravest. Not knowing ranks between
// medium and high: what is known to be high is not hidden by it, and nothing below high
// hides it.
var ranks = []exposure.Level{exposure.None, exposure.Low, exposure.Medium, exposure.Unknown, exposure.High, exposure.Severe}

// graver is the graver of two levels.
func graver(a, b exposure.Level) exposure.Level {
	if slices.Index(ranks, b) > slices.Index(ranks, a) {
		return b
	}
	return a
}
