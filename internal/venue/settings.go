package venue

import "coldtrail/screen/breaker"

// A Setting is one point of the operating curve: how early a breaker trips.
type Setting struct {
	Name               string
	Watch, Limit, Halt uint64
	GroupCents         uint64
	MinSenders         uint64 // tainted ones
}

// Settings are the curve, from the most nervous to the calmest. The fourth is the
// default.
var Settings = []Setting{
	{"nervous", 20, 35, 55, 100_000 * dollar, 1},
	{"tight", 30, 45, 65, 250_000 * dollar, 2},
	{"tighter", 35, 55, 75, 350_000 * dollar, 2},
	{"default", 40, 60, 80, 650_000 * dollar, 2},
	{"loose", 50, 70, 90, 650_000 * dollar, 2},
	{"looser", 60, 80, 95, 1_000_000 * dollar, 3},
	{"calm", 70, 90, 100, 2_000_000 * dollar, 4},
}

// Apply changes a configuration to the setting.
func (s *Setting) Apply(c breaker.Config) breaker.Config {
	c.Watch.Score, c.Limit.Score, c.Halt.Score = s.Watch, s.Limit, s.Halt
	c.Calm.Margin = min(c.Calm.Margin, s.Watch/2)
	c.Group.MinCents, c.Incident.MinSenders = s.GroupCents, s.MinSenders
	return c
}

// Config is the breaker's default for the generated venue.
func Config() breaker.Config {
	c := breaker.Default()
	c.Venue = Name
	return c
}

// Per30Days is a number of trips in a time of traffic, per 30 days, in hundredths.
func (r *Result) Per30Days(trips int) int64 {
	return int64(trips) * 30 * day * 100 / max(r.Seconds, 1)
}
