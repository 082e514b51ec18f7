package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/store"
)

type actorsVerb struct {
	List actorsListVerb `cmd:"" help:"List actors, and to whom each belongs."`
	Show actorsShowVerb `cmd:"" help:"Show an actor by any of its names: who says so, whom it belongs to, who belongs to it, thefts and addresses."`
}

// onActors opens the store and reads who is known of.
func (s *session) onActors(ctx context.Context, known knownFlags, ask func(store.Store, label.When, *attribution.Actors) error) (err error) {
	when, err := known.when()
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	actors, err := attribution.LoadActors(ctx, from, when)
	if err != nil {
		return err
	}
	return ask(from, when, actors)
}

type actorsListVerb struct {
	knownFlags
}

// Run lists actors.
func (v *actorsListVerb) Run(ctx context.Context, s *session) error {
	return s.onActors(ctx, v.knownFlags, func(_ store.Store, _ label.When, a *attribution.Actors) error {
		all := a.All()
		if s.json {
			return s.printJSON(map[string]any{"actors": all})
		}
		w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ACTOR\tNAME\tBELONGS TO\tSOURCES")
		for _, x := range all {
			fmt.Fprintf(w, "%s\t%q\t%s\t%d\n", inert(x.ID), x.Label, inert(strings.Join(a.Line(x.ID)[1:], " < ")), len(x.Claims))
		}
		return w.Flush()
	})
}

type actorsShowVerb struct {
	Name string `arg:"" name:"NAME" help:"An identifier, a name or an alias, such as TraderTraitor."`
	knownFlags
}

// shownActor is an actor in JSON.
type shownActor struct {
	*attribution.Actor
	Line      []string               `json:"line"`  // itself, and whom it belongs to, nearest first
	Under     []string               `json:"under"` // itself, and who belongs to it
	Incidents []attribution.Incident `json:"incidents"`
	Addresses map[string]int         `json:"addresses"` // by actor
}

// Run shows an actor.
func (v *actorsShowVerb) Run(ctx context.Context, s *session) error {
	found := []shownActor{}
	err := s.onActors(ctx, v.knownFlags, func(from store.Store, when label.When, actors *attribution.Actors) (err error) {
		for _, x := range actors.Find(v.Name) {
			shown := shownActor{Actor: x, Line: actors.Line(x.ID), Under: actors.Under(x.ID), Incidents: actors.Incidents(x.ID)}
			if shown.Addresses, err = actors.Addresses(ctx, from, x.ID, when); err != nil {
				return err
			}
			found = append(found, shown)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"actors": found})
	}
	if len(found) == 0 {
		return fmt.Errorf("nobody is known by the name %q; coldtrail labels import --bundled brings the groups behind known thefts", v.Name)
	}
	for i := range found {
		s.printActor(&found[i])
	}
	return nil
}

func (s *session) printActor(x *shownActor) {
	fmt.Fprintf(s.stdout, "%s: %q\n  names: %q\n", inert(x.ID), x.Label, x.Names)
	if len(x.Line) > 1 {
		fmt.Fprintf(s.stdout, "  belongs to: %s\n", inert(strings.Join(x.Line[1:], " < ")))
	}
	if len(x.Under) > 1 {
		fmt.Fprintf(s.stdout, "  with: %s\n", inert(strings.Join(x.Under, ", ")))
	}
	for i := range x.Claims {
		c := &x.Claims[i]
		fmt.Fprintf(s.stdout, "  by %s", inert(c.By))
		if c.Stated != 0 {
			fmt.Fprintf(s.stdout, ", %s", stampDay(c.Stated))
		}
		fmt.Fprintf(s.stdout, ": %q, also %q; %s\n", c.Label, c.Aliases, inert(c.Source))
	}
	for i := range x.Incidents {
		in := &x.Incidents[i]
		fmt.Fprintf(s.stdout, "  theft %s, %s: attributed to %s by %s", inert(in.Case), stampDay(in.By.From), inert(in.By.Actor), inert(in.By.By))
		if in.By.Stated != 0 {
			fmt.Fprintf(s.stdout, " on %s", stampDay(in.By.Stated))
		}
		fmt.Fprintf(s.stdout, " (confidence %d); %s\n", in.By.Score, inert(in.By.Source))
	}
	total := 0
	for _, id := range sortedKeys(x.Addresses) {
		total += x.Addresses[id]
		fmt.Fprintf(s.stdout, "  %d addresses of %s\n", x.Addresses[id], inert(id))
	}
	if len(x.Addresses) > 1 {
		fmt.Fprintf(s.stdout, "  %d addresses in all\n", total)
	}
}
