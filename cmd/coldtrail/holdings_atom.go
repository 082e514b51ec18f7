package main

import (
	"errors"
	"os"
	"strings"
	"time"

	"coldtrail/holdings"
	"coldtrail/holdings/atom"
	"coldtrail/ledger"
	"coldtrail/register"
)

// namespace begins the identifiers of entries (RFC 4151). They follow from what an entry is
// about alone.
const namespace = "tag:coldtrail.invalid,2025:"

// writeAtom writes thefts up to the day of a report, and its rank changes, as a feed.
func writeAtom(name string, r *holdings.Report, known *register.Register, asset ledger.Asset) (err error) {
	f := incidentFeed(known, r.AsOf)
	for _, of := range []struct {
		table string
		list  []holdings.Change
	}{{"stated/" + string(asset), r.Stated.Changes}, {"derived", r.Derived.Changes}} {
		for i := range of.list {
			c := &of.list[i]
			day, err := register.Day(c.Day)
			if err != nil {
				return err
			}
			table, _, _ := strings.Cut(of.table, "/")
			f.Entries = append(f.Entries, atom.Entry{
				ID: namespace + "rank/" + of.table + "/" + c.Day + "/" + c.Actor + "/" + c.Event, Title: sentence(c), Updated: day,
				Summary: "By what is " + table + ", on " + c.Day + ".",
			})
		}
	}
	to, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return f.Write(to)
}

// incidentFeed is the thefts up to a day.
func incidentFeed(known *register.Register, day string) *atom.Feed {
	f := &atom.Feed{ID: namespace + "events", Title: "Coldtrail: thefts and rank changes", Author: "Coldtrail"}
	for i := range known.Incidents {
		if in := &known.Incidents[i]; in.Date <= day {
			f.Entries = append(f.Entries, incidentEntry(in, known))
		}
	}
	return f
}

// incidentEntry is a theft; it was updated on its day, or on the first of its month.
func incidentEntry(in *register.Incident, known *register.Register) atom.Entry {
	e := atom.Entry{ID: namespace + "incident/" + in.ID, Title: in.Date + ": theft, " + in.Title}
	for _, form := range []string{"2006-01-02", "2006-01", "2006"} {
		if day, err := time.Parse(form, in.Date); err == nil {
			e.Updated = day.Unix()
		}
	}
	var text, ids []string
	for i := range in.Losses {
		text = append(text, "taken: "+lossText(&in.Losses[i], known))
		ids = append(ids, in.Losses[i].Sources...)
	}
	for _, by := range in.By {
		text = append(text, "attributed to "+by.Actor+" by "+by.By)
		ids = append(ids, by.Sources...)
	}
	e.Summary = strings.Join(text, "; ")
	seen := map[string]bool{}
	for _, id := range ids {
		if of, ok := known.Source(id); ok && of.URI != "" && !seen[id] {
			seen[id] = true
			e.Links = append(e.Links, of.URI)
		}
	}
	return e
}
