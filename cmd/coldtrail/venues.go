package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"coldtrail/attribution"
	"coldtrail/ledger"
	"coldtrail/register"
	"coldtrail/trace"
)

type venuesVerb struct {
	Cases  []string `arg:"" name:"CASE.yaml" type:"existingfile" help:"Case files; each is traced by itself."`
	Method string   `default:"fifo" help:"fifo, haircut, lifo, poison, seniority or tiho."`
	AsOf   string   `placeholder:"TIME" help:"RFC 3339 time or date; by default the newest block."`

	registerFlags
	knownFlags
}

// venuesOf is what one theft sent through whom.
type venuesOf struct {
	Incident string        `json:"incident"`
	Actors   []string      `json:"actors"` // whom the case file, or else the register, holds responsible, and whom he belongs to
	Venues   []trace.Venue `json:"venues"`
	Digest   string        `json:"trace_digest"`
}

// Run prints tainted volume by protocol and service, for each theft and actor.
func (v *venuesVerb) Run(ctx context.Context, s *session) error {
	known, err := v.open()
	if err != nil {
		return err
	}
	actors, err := v.actors(ctx, s)
	if err != nil {
		return err
	}
	var list []venuesOf
	for _, file := range v.Cases {
		of, err := v.one(ctx, s, file, known, actors)
		if err != nil {
			return err
		}
		list = append(list, *of)
	}
	sums, err := byActor(list)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"incidents": list, "actors": sums})
	}
	for i := range list {
		if err := s.printVenues(list[i].Incident, list[i].Venues, known); err != nil {
			return err
		}
	}
	for _, actor := range sortedKeys(sums) {
		if err := s.printVenues("everything attributed to "+actor, sums[actor], known); err != nil {
			return err
		}
	}
	return nil
}

// one traces one case.
func (v *venuesVerb) one(ctx context.Context, s *session, file string, known *register.Register, actors *attribution.Actors) (*venuesOf, error) {
	cases, err := readCases([]string{file})
	if err != nil {
		return nil, err
	}
	as := traceFlags{Method: v.Method, Mode: "streaming", AsOf: v.AsOf, Fees: "end", CoinJoin: "end", Conclude: "deposits", knownFlags: v.knownFlags}
	options, err := as.options(s)
	if err != nil {
		return nil, err
	}
	result, err := as.trace(ctx, s, cases, options)
	if err != nil {
		return nil, err
	}
	of := &venuesOf{Incident: cases[0].Name, Actors: []string{}, Digest: result.Digest}
	if actor := responsible(cases[0], known); actor != "" {
		of.Actors = actors.Line(actor)
	}
	of.Venues, err = result.Venues()
	return of, err
}

// responsible is whom the case file names, or else the first whom the register does.
func responsible(c *trace.Case, known *register.Register) string {
	if c.AttributedTo.Actor != "" {
		return c.AttributedTo.Actor
	}
	for i := range known.Incidents {
		if in := &known.Incidents[i]; in.Case == c.Name && len(in.By) > 0 {
			return in.By[0].Actor
		}
	}
	return ""
}

func (v *venuesVerb) actors(ctx context.Context, s *session) (actors *attribution.Actors, err error) {
	when, err := v.when()
	if err != nil {
		return nil, err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	return whoIsWho(ctx, from, when)
}

// byActor adds thefts up for everybody whom they are attributed to.
func byActor(list []venuesOf) (map[string][]trace.Venue, error) {
	sums := map[string][]trace.Venue{}
	for i := range list {
		for _, actor := range list[i].Actors {
			for _, venue := range list[i].Venues {
				if err := addVenue(sums, actor, venue); err != nil {
					return nil, err
				}
			}
		}
	}
	return sums, nil
}

func addVenue(sums map[string][]trace.Venue, actor string, more trace.Venue) error {
	for i := range sums[actor] {
		have := &sums[actor][i]
		if have.Name != more.Name || have.Kind != more.Kind || have.Chain != more.Chain || have.Asset != more.Asset {
			continue
		}
		a, err := ledger.ParseAmount(have.Amount)
		if err != nil {
			return err
		}
		b, err := ledger.ParseAmount(more.Amount)
		if err != nil {
			return err
		}
		if _, over := a.AddOverflow(&a, &b); over {
			return fmt.Errorf("tainted volume of %s: %w", more.Name, errTooMuch)
		}
		have.Amount, have.Times, have.Certainty = a.Dec(), have.Times+more.Times, min(have.Certainty, more.Certainty)
		return nil
	}
	sums[actor] = append(sums[actor], more)
	return nil
}

// errTooMuch says that a sum does not fit into 256 bits.
var errTooMuch = errors.New("the sum is too large to be written")

func (s *session) printVenues(title string, list []trace.Venue, known *register.Register) error {
	fmt.Fprintf(s.stdout, "%s: tainted volume, in which what passes twice counts twice\n", inert(title))
	if len(list) == 0 {
		fmt.Fprintln(s.stdout, "  nothing reached a bridge or a service that is known")
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  VENUE\tKIND\tCHAIN\tAMOUNT\tTIMES\tCERTAINTY")
	for i := range list {
		x := &list[i]
		amount := x.Amount + " base units of " + x.Asset
		if a, ok := known.Asset(ledger.Asset(x.Asset)); ok {
			n := mustAmount(x.Amount)
			amount = grouped(register.Quantity(&n, a.Decimals)) + " " + a.Symbol
		}
		name := x.Name
		if strings.TrimSpace(name) == "" {
			name = "(nobody named)"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%d\t%d.%02d %%\n", inert(name), x.Kind, ledger.Chain(x.Chain).Short(), inert(amount), x.Times, x.Certainty/100, x.Certainty%100)
	}
	return w.Flush()
}
