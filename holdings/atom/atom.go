// Package atom writes Atom feeds (RFC 4287): the same events give the same bytes, and an
// event keeps its identifier for ever, so that a reader shows it once.
package atom

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Feed is what a feed is called, and its entries.
type Feed struct {
	ID      string // an IRI that never changes
	Title   string
	Author  string
	Entries []Entry
}

// Entry is one event.
type Entry struct {
	ID      string // an IRI that never changes
	Title   string
	Updated int64 // Unix seconds
	Summary string
	// Links are publications about it.
	Links []string
}

type feedXML struct {
	XMLName xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated string     `xml:"updated"`
	Author  string     `xml:"author>name"`
	Entries []entryXML `xml:"entry"`
}

type entryXML struct {
	ID      string    `xml:"id"`
	Title   string    `xml:"title"`
	Updated string    `xml:"updated"`
	Links   []linkXML `xml:"link"`
	Summary string    `xml:"summary,omitempty"`
}

type linkXML struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

// Write writes the feed, newest entry first. The feed was updated when its newest entry
// was; a feed without entries at the beginning of 1970, as no clock is asked.
func (f *Feed) Write(to io.Writer) error {
	if f.ID == "" || f.Title == "" || f.Author == "" {
		return errors.New("a feed needs an identifier, a title and an author (RFC 4287, section 4.1.1)")
	}
	entries := slices.Clone(f.Entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Or(cmp.Compare(b.Updated, a.Updated), cmp.Compare(a.ID, b.ID)) })
	out := feedXML{ID: clean(f.ID), Title: clean(f.Title), Author: clean(f.Author), Updated: stamp(0)}
	seen := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.ID == "" || e.Title == "" || seen[e.ID] {
			return errors.New("an entry needs a title, and an identifier of its own: " + e.ID)
		}
		seen[e.ID] = true
		x := entryXML{ID: clean(e.ID), Title: clean(e.Title), Updated: stamp(e.Updated), Summary: clean(e.Summary)}
		for _, href := range e.Links {
			x.Links = append(x.Links, linkXML{Rel: "related", Href: clean(href)})
		}
		out.Entries = append(out.Entries, x)
	}
	if len(entries) > 0 {
		out.Updated = stamp(entries[0].Updated)
	}
	text, err := xml.MarshalIndent(&out, "", "  ")
	if err != nil {
		return err
	}
	_, err = to.Write(append([]byte(xml.Header), append(text, '\n')...))
	return err
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// clean replaces what no XML document can hold (XML 1.0, section 2.2).
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
			return '\uFFFD'
		}
		return c
	}, text)
}
