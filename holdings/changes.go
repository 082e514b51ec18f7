package holdings

import (
	"context"
	"fmt"
	"slices"
	"time"

	"coldtrail/ledger"
	"coldtrail/register"
)

// Change is an event between two reports: somebody came in, left, or passed others.
type Change struct {
	Day   string `json:"day"`
	Actor string `json:"actor"`
	Name  string `json:"name"`
	// Event is entered, left, rose or fell.
	Event string `json:"event"`
	From  int    `json:"from_rank,omitempty"`
	To    int    `json:"to_rank,omitempty"`
	// Passed are those who were above and are below now, by their names.
	Passed []string `json:"passed,omitempty"`
}

// place is somebody's place in a ranking.
type place struct {
	actor, name string
	rank        int
}

// changes compares two rankings.
func changes(day string, before, after []place) (list []Change) {
	old, now := map[string]place{}, map[string]place{}
	for _, p := range before {
		old[p.actor] = p
	}
	for _, p := range after {
		now[p.actor] = p
	}
	for _, p := range after {
		was, had := old[p.actor]
		c := Change{Day: day, Actor: p.actor, Name: p.name, From: was.rank, To: p.rank}
		for _, q := range after {
			if prior, ok := old[q.actor]; ok && q.rank > p.rank && (!had || prior.rank < was.rank) {
				c.Passed = append(c.Passed, q.name)
			}
		}
		switch {
		case !had:
			c.Event = "entered"
		case p.rank < was.rank:
			c.Event = "rose"
		case p.rank > was.rank:
			c.Event = "fell"
		default:
			continue
		}
		list = append(list, c)
	}
	for _, p := range before {
		if _, still := now[p.actor]; !still {
			list = append(list, Change{Day: day, Actor: p.actor, Name: p.name, Event: "left", From: p.rank})
		}
	}
	return list
}

func (s *Stated) places() (list []place) {
	for i := range s.Rows {
		if s.Rows[i].Rank > 0 {
			list = append(list, place{s.Rows[i].Actor, s.Rows[i].Name, s.Rows[i].Rank})
		}
	}
	return list
}

func (d *Derived) places() (list []place) {
	for i := range d.Entities {
		if d.Entities[i].Rank > 0 {
			list = append(list, place{d.Entities[i].Actor, d.Entities[i].Name, d.Entities[i].Rank})
		}
	}
	return list
}

// Point is what an entity held on a day.
type Point struct {
	Day      string `json:"day"`
	Actor    string `json:"actor"`
	Name     string `json:"name"`
	Rank     int    `json:"rank,omitempty"`
	Strict   Range  `json:"strict"`
	Probable Range  `json:"probable"`
	Possible Range  `json:"possible"`
	// Amounts are sums of base units by asset and kind of evidence.
	Amounts map[ledger.Asset]map[register.Kind]string `json:"amounts"`
}

// StatedPoint is what somebody was said to hold on a day.
type StatedPoint struct {
	Day    string  `json:"day"`
	Actor  string  `json:"actor"`
	Name   string  `json:"name"`
	Rank   int     `json:"rank,omitempty"`
	Amount string  `json:"amount"`
	Cents  *string `json:"value_cents"`
	USD    string  `json:"value_usd,omitempty"`
}

// Step is from one report of a series to the next.
type Step string

// The steps.
const (
	Daily   Step = "day"
	Weekly  Step = "week"
	Monthly Step = "month"
)

// mostSteps bounds a series.
const mostSteps = 4000

// Days lists the days of a series from one to another, both included.
func Days(since, until string, step Step) (days []string, err error) {
	from, err := register.Day(since)
	if err != nil {
		return nil, err
	}
	to, err := register.Day(until)
	if err != nil {
		return nil, err
	}
	next := map[Step]func(time.Time, int) time.Time{
		Daily:   func(t time.Time, n int) time.Time { return t.AddDate(0, 0, n) },
		Weekly:  func(t time.Time, n int) time.Time { return t.AddDate(0, 0, 7*n) },
		Monthly: func(t time.Time, n int) time.Time { return t.AddDate(0, n, 0) },
	}[step]
	if next == nil || from > to {
		return nil, fmt.Errorf("no days from %s to %s by %q", since, until, step)
	}
	first := time.Unix(from, 0).UTC()
	for n := 0; ; n++ {
		day := next(first, n)
		if day.Unix() >= to {
			return append(days, until), nil
		}
		if n == mostSteps {
			return nil, fmt.Errorf("more than %d steps; take longer ones", mostSteps)
		}
		days = append(days, day.Format("2006-01-02"))
	}
}

// Series reports on the last of some rising days, with what changed in the rankings since
// the first, and the balances of every one of them.
func Series(ctx context.Context, s Store, days []string, o *Options) (*Report, error) {
	chains, err := held(ctx, s)
	if err != nil {
		return nil, err
	}
	moments := make([]int64, len(days))
	for i, day := range days {
		if moments[i], err = register.Day(day); err != nil {
			return nil, err
		}
	}
	ends := make([][]End, len(days))
	for _, chain := range chains {
		of, err := Ends(ctx, s, chain, moments)
		if err != nil {
			return nil, err
		}
		for i := range of {
			ends[i] = append(ends[i], of[i])
		}
	}
	var last *Report
	var stated, derived []Change
	var saidPoints []StatedPoint
	var points []Point
	for i, day := range days {
		r, err := report(ctx, s, day, ends[i], o)
		if err != nil {
			return nil, err
		}
		if last != nil {
			stated = append(stated, changes(day, last.Stated.places(), r.Stated.places())...)
			derived = append(derived, changes(day, last.Derived.places(), r.Derived.places())...)
		}
		saidPoints, points = append(saidPoints, r.Stated.points(day)...), append(points, r.Derived.points(day)...)
		last = r
	}
	last.Stated.Changes, last.Derived.Changes = slices.Concat([]Change{}, stated), slices.Concat([]Change{}, derived)
	last.Stated.History, last.Derived.History = saidPoints, points
	return last, last.seal()
}

func (s *Stated) points(day string) (list []StatedPoint) {
	for i := range s.Rows {
		r := &s.Rows[i]
		list = append(list, StatedPoint{Day: day, Actor: r.Actor, Name: r.Name, Rank: r.Rank, Amount: r.Amount, Cents: r.Cents, USD: r.USD})
	}
	return list
}

func (d *Derived) points(day string) (list []Point) {
	for i := range d.Entities {
		e := &d.Entities[i]
		p := Point{Day: day, Actor: e.Actor, Name: e.Name, Rank: e.Rank, Strict: e.Strict, Probable: e.Probable, Possible: e.Possible, Amounts: map[ledger.Asset]map[register.Kind]string{}}
		sums := map[ledger.Asset]map[register.Kind]ledger.Amount{}
		for j := range e.Rows {
			r := &e.Rows[j]
			if sums[r.Asset] == nil {
				sums[r.Asset], p.Amounts[r.Asset] = map[register.Kind]ledger.Amount{}, map[register.Kind]string{}
			}
			sum := sums[r.Asset][r.Kind]
			sum.Add(&sum, &r.units)
			sums[r.Asset][r.Kind], p.Amounts[r.Asset][r.Kind] = sum, sum.Dec()
		}
		list = append(list, p)
	}
	return list
}
