package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/register"
)

type incidentsVerb struct {
	Actor string `placeholder:"NAME" help:"Only what somebody attributes to this actor or anybody who belongs to it."`

	registerFlags
}

// Run lists thefts.
func (v *incidentsVerb) Run(ctx context.Context, s *session) (err error) {
	r, err := v.open()
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	actors, err := whoIsWhoWith(ctx, from, label.When{}, v.Actor)
	if err != nil {
		return err
	}
	list := incidentsOf(r, actors, v.Actor)
	c := &citations{register: r}
	if s.json {
		for i := range list {
			c.incident(&list[i])
		}
		return s.printJSON(map[string]any{"incidents": list, "sources": c.list, "register": r.Digest()})
	}
	return s.printIncidents(list, c, actors)
}

// incidentsOf lists thefts, newest first: those that anybody attributes to an actor or to
// whom he commands, or all where none is named.
func incidentsOf(r *register.Register, actors *attribution.Actors, actor string) []register.Incident {
	list := []register.Incident{}
	for i := range r.Incidents {
		if in := r.Incidents[i]; actor == "" || slices.ContainsFunc(in.By, func(by register.Attribution) bool { return actors.Is(by.Actor, actor) }) {
			list = append(list, in)
		}
	}
	slices.SortStableFunc(list, func(a, b register.Incident) int { return strings.Compare(b.Date, a.Date) })
	return list
}

// citations number the sources that rows refer to.
type citations struct {
	register *register.Register
	list     []register.Source
}

func (c *citations) numbers(ids []string) string {
	text := ""
	for _, id := range ids {
		at := slices.IndexFunc(c.list, func(x register.Source) bool { return x.ID == id })
		if of, ok := c.register.Source(id); at < 0 && ok {
			c.list, at = append(c.list, *of), len(c.list)
		}
		text += fmt.Sprintf("[%d]", at+1)
	}
	return text
}

func (c *citations) incident(in *register.Incident) {
	for i := range in.Losses {
		c.numbers(in.Losses[i].Sources)
	}
	for i := range in.By {
		c.numbers(in.By[i].Sources)
	}
}

func (c *citations) print(s *session) {
	fmt.Fprintln(s.stdout, "\nSources:")
	for i := range c.list {
		fmt.Fprintf(s.stdout, "  [%d] %s\n", i+1, inert(citation(&c.list[i])))
	}
}

func (s *session) printIncidents(list []register.Incident, c *citations, actors *attribution.Actors) error {
	for i := range list {
		in := &list[i]
		fmt.Fprintf(s.stdout, "%s  %s  %s\n", in.Date, inert(in.ID), inert(in.Title))
		for j := range in.Losses {
			fmt.Fprintf(s.stdout, "  taken: %s %s\n", lossText(&in.Losses[j], c.register), c.numbers(in.Losses[j].Sources))
		}
		if len(in.By) == 0 {
			fmt.Fprintln(s.stdout, "  attributed to nobody that the register knows of")
		}
		for _, by := range in.By {
			line := actors.Line(by.Actor)
			fmt.Fprintf(s.stdout, "  attributed to %s by %s", inert(strings.Join(line, " < ")), inert(by.By))
			if by.Date != "" {
				fmt.Fprintf(s.stdout, ", %s", by.Date)
			}
			fmt.Fprintf(s.stdout, " %s\n", c.numbers(by.Sources))
		}
		for _, more := range []struct{ name, text string }{{"route", in.Route}, {"recovered", in.Recovery}, {"note", in.Note}} {
			if more.text != "" {
				fmt.Fprintf(s.stdout, "  %s: %s\n", more.name, inert(more.text))
			}
		}
	}
	s.printRollUp(list, actors)
	c.print(s)
	return nil
}

// lossText is one figure of what was taken.
func lossText(l *register.Loss, r *register.Register) string {
	var parts []string
	if l.Quantity != "" {
		symbol := string(l.Asset)
		if a, ok := r.Asset(l.Asset); ok {
			symbol = a.Symbol
		}
		parts = append(parts, grouped(l.Quantity)+" "+symbol)
	}
	if l.USD > 0 {
		text := "USD " + grouped(fmt.Sprint(l.USD))
		if l.USDTo > 0 {
			text += " to " + grouped(fmt.Sprint(l.USDTo))
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, ", ")
	if l.Basis != "" {
		text += " (" + l.Basis + ")"
	}
	return inert(text)
}

// printRollUp counts, for each actor and whom it belongs to, the thefts that anybody
// attributes to it, with the lowest and the highest dollar figure of each added up: figures
// of different sources are bounds, not one number.
func (s *session) printRollUp(list []register.Incident, actors *attribution.Actors) {
	type sum struct {
		thefts, without int
		low, high       uint64
	}
	sums := map[string]*sum{}
	for i := range list {
		low, high := dollarsOf(&list[i])
		seen := map[string]bool{}
		for _, by := range list[i].By {
			for _, id := range actors.Line(by.Actor) {
				if seen[id] {
					continue
				}
				seen[id] = true
				if sums[id] == nil {
					sums[id] = &sum{}
				}
				sums[id].thefts++
				sums[id].low, sums[id].high = sums[id].low+low, sums[id].high+high
				if high == 0 {
					sums[id].without++
				}
			}
		}
	}
	fmt.Fprintln(s.stdout, "\nBy actor, dollars as sources state them:")
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  ACTOR\tTHEFTS\tUSD FROM\tUSD TO\tWITHOUT FIGURE")
	for _, id := range sortedKeys(sums) {
		x := sums[id]
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\t%d\n", inert(id), x.thefts, grouped(fmt.Sprint(x.low)), grouped(fmt.Sprint(x.high)), x.without)
	}
	_ = w.Flush() // to a writer that printed everything before
}

// dollarsOf is the lowest and the highest dollar figure of a theft; 0 where nobody has one.
func dollarsOf(in *register.Incident) (low, high uint64) {
	for i := range in.Losses {
		l := &in.Losses[i]
		if l.USD > 0 && (low == 0 || l.USD < low) {
			low = l.USD
		}
		high = max(high, l.USD, l.USDTo)
	}
	return low, high
}

type assetsVerb struct {
	registerFlags
}

// Run lists assets.
func (v *assetsVerb) Run(s *session) error {
	r, err := v.open()
	if err != nil {
		return err
	}
	c := &citations{register: r}
	if s.json {
		for i := range r.Assets {
			c.numbers(r.Assets[i].Sources)
		}
		return s.printJSON(map[string]any{"assets": r.Assets, "sources": c.list, "register": r.Digest()})
	}
	for i := range r.Assets {
		a := &r.Assets[i]
		fmt.Fprintf(s.stdout, "%s  %s  %s, %d decimals\n  %s\n", inert(a.Symbol), inert(a.Name), a.Kind, a.Decimals, a.Asset)
		if a.Redeems != nil {
			fmt.Fprintf(s.stdout, "  priced as %s, %d for %d: %s\n", a.Redeems.As, a.Redeems.Den, a.Redeems.Num, inert(a.Redeems.Why))
		}
		fmt.Fprintf(s.stdout, "  %s %s\n", inert(a.Background), c.numbers(a.Sources))
	}
	c.print(s)
	return nil
}
