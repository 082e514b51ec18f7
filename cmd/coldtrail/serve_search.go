package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/register"
	"coldtrail/server"
	"coldtrail/store"
)

// searcher tells the server what a text may mean.
type searcher struct {
	store  store.Store
	labels *catalogues
	known  *register.Register
	book   casebook.Casework
}

var _ server.Search = (*searcher)(nil)

// How well something fits a text.
const (
	fitsExactly = iota
	fitsBeginning
	fitsInside
	fitsNot
)

// search is one search on its way.
type search struct {
	*searcher

	text, fold string
	most       int
	statuses   []store.Status
	found      []ranked
	complete   bool
}

// ranked is something found, and how well it fits.
type ranked struct {
	server.FoundItem

	rank int
}

// The bounds of one search.
const (
	mostCases   = 10_000
	casesAtOnce = 1_000
)

// Search lists what a text may mean: what is equal, then what begins so, then what
// contains it.
func (f *searcher) Search(ctx context.Context, q server.SearchQuestion) (server.Found, error) {
	statuses, err := f.store.Status(ctx)
	if err != nil {
		return server.Found{}, err
	}
	s := &search{searcher: f, text: q.Text, fold: label.Fold(q.Text), most: q.Limit, statuses: statuses, complete: true}
	for _, look := range []func(context.Context) error{s.addresses, s.transactions, s.blocks, s.entities, s.register, s.cases, s.labelTexts} {
		if err := look(ctx); err != nil {
			return server.Found{}, err
		}
	}
	slices.SortStableFunc(s.found, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(unheld(a), unheld(b))) })
	out := server.Found{Items: []server.FoundItem{}, Complete: s.complete && len(s.found) <= q.Limit}
	for i := range s.found[:min(len(s.found), q.Limit)] {
		out.Items = append(out.Items, s.found[i].FoundItem)
	}
	return out, nil
}

func unheld(r ranked) int {
	if r.Held {
		return 0
	}
	return 1
}

func (s *search) add(rank int, item server.FoundItem) {
	if rank < fitsNot {
		s.found = append(s.found, ranked{item, rank})
	}
}

// fits says how well the best of some names fits.
func (s *search) fits(names ...string) int {
	best := fitsNot
	if s.fold == "" {
		return best
	}
	for _, name := range names {
		folded := label.Fold(name)
		switch {
		case folded == s.fold:
			return fitsExactly
		case strings.HasPrefix(folded, s.fold):
			best = min(best, fitsBeginning)
		case len(s.fold) >= leastInside && strings.Contains(folded, s.fold):
			best = min(best, fitsInside)
		}
	}
	return best
}

// leastInside is from how many letters on a text is looked for inside of names.
const leastInside = 3

// entities looks for actors by their names.
func (s *search) entities(ctx context.Context) error {
	c, err := s.labels.now(ctx)
	if err != nil {
		return err
	}
	for _, x := range c.actors.All() {
		rank := s.fits(append([]string{x.ID}, x.Names...)...)
		if rank == fitsNot {
			continue
		}
		detail := strings.Join(c.actors.Line(x.ID)[1:], " < ")
		if detail != "" {
			detail = "belongs to " + detail
		}
		if n := c.named[x.ID]; n != nil {
			detail = joinDetail(detail, fmt.Sprintf("%d addresses", n.count))
		}
		s.add(rank, server.FoundItem{Type: server.FoundEntity, ID: x.ID, Title: x.Label, Detail: detail, Held: true})
	}
	for _, id := range sortedKeys(c.named) { // whom no list of actors has
		if line := c.actors.Line(id); len(c.actors.Find(line[0])) == 0 {
			s.add(s.fits(id), server.FoundItem{Type: server.FoundEntity, ID: id, Title: id, Detail: fmt.Sprintf("%d addresses", c.named[id].count), Held: true})
		}
	}
	return nil
}

func joinDetail(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// register looks for thefts and assets.
func (s *search) register(context.Context) error {
	for i := range s.known.Incidents {
		in := &s.known.Incidents[i]
		names := []string{in.ID, in.Title}
		s.add(s.fits(names...), server.FoundItem{Type: server.FoundIncident, ID: in.ID, Title: in.Title, Detail: in.Date, Held: true})
	}
	for i := range s.known.Assets {
		a := &s.known.Assets[i]
		line := lineOf(a, s.statuses)
		rank := s.fits(a.Symbol, a.Name, string(a.Asset))
		if line.Contract != "" && strings.EqualFold(line.Contract, s.text) {
			rank = fitsExactly
		}
		s.add(rank, server.FoundItem{Type: server.FoundAsset, Chain: line.Chain, ID: string(a.Asset), Title: a.Symbol, Detail: a.Name, Held: true})
	}
	return nil
}

// cases looks for cases of the casebook.
func (s *search) cases(ctx context.Context) error {
	looked := 0
	for after := ""; ; {
		page, err := s.book.Cases(ctx, casebook.CaseFilter{After: after, Limit: casesAtOnce})
		if err != nil {
			return answered(err)
		}
		for i := range page {
			c := &page[i]
			s.add(s.fits(c.ID, c.Title), server.FoundItem{Type: server.FoundCase, ID: c.ID, Title: c.Title, Detail: string(c.State), Held: true})
		}
		if looked += len(page); len(page) == 0 {
			return nil
		}
		if looked >= mostCases {
			s.complete = false
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// labelTexts looks for labels by their text.
func (s *search) labelTexts(ctx context.Context) error {
	if s.fold == "" {
		return nil
	}
	c, err := s.labels.now(ctx)
	if err != nil {
		return err
	}
	s.complete = s.complete && c.complete
	begin, _ := slices.BinarySearchFunc(c.labels, s.fold, func(l labelled, fold string) int { return strings.Compare(l.fold, fold) })
	end := begin
	for ; end < len(c.labels) && strings.HasPrefix(c.labels[end].fold, s.fold); end++ {
		if !s.bearers(&c.labels[end]) {
			return nil
		}
	}
	if len(s.fold) < leastInside {
		return nil
	}
	for i := range c.labels {
		if i >= begin && i < end || !strings.Contains(c.labels[i].fold, s.fold) {
			continue
		}
		if !s.bearers(&c.labels[i]) {
			return nil
		}
	}
	return nil
}

// bearers adds the addresses of a label, and says false where there are enough.
func (s *search) bearers(l *labelled) bool {
	if len(s.found) > s.most+mostLabelled {
		s.complete = false
		return false
	}
	rank := s.fits(l.text)
	if rank == fitsNot {
		return true
	}
	detail := "by " + l.by
	if l.count > len(l.first) {
		detail = joinDetail(detail, fmt.Sprintf("%d addresses in all", l.count))
		s.complete = false
	}
	for _, subject := range l.first {
		s.add(rank, server.FoundItem{
			Type: server.FoundLabel, Chain: string(subject.Network), ID: asWritten(subject), Title: l.text, Detail: detail, Held: s.holds(ledger.Chain(subject.Network)),
		})
	}
	return true
}

// asWritten is an address as its chain writes it, where a ledger can hold it.
func asWritten(subject label.Subject) string {
	chain, err := ledger.ParseChain(string(subject.Network))
	if err != nil {
		return subject.Address
	}
	n, err := notations(chain)
	if err != nil {
		return subject.Address
	}
	a, err := n.ParseAddress(subject.Address)
	if err != nil {
		return subject.Address
	}
	return n.FormatAddress(a)
}

// holds says whether blocks of a chain are held.
func (s *search) holds(chain ledger.Chain) bool { return holdsChain(s.statuses, chain) }

func holdsChain(statuses []store.Status, chain ledger.Chain) bool {
	return slices.ContainsFunc(statuses, func(st store.Status) bool { return st.Chain == chain && st.Blocks > 0 })
}
