package main

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/server"
	"coldtrail/store"
)

// The bounds of what is kept in memory of all claims.
const (
	mostLabelTexts = 250_000 // different texts of labels that are found by search
	mostNamed      = 1_000   // addresses of an actor that are listed
	mostLabelled   = 3       // addresses of a label that are listed
	mostWords      = 100_000 // texts that are kept once for all claims
)

// catalogue is what is found out by going through all claims once.
type catalogue struct {
	revision label.Revision
	actors   *attribution.Actors
	lists    []server.LabelList
	named    map[string]*namedBy // by actor, as claims write it
	labels   []labelled          // by folded text
	complete bool                // all texts of labels are there
}

// namedBy is the addresses that claims give to an actor, each counted once.
type namedBy struct {
	count int
	first []server.EntityAddress
}

// labelled is a label and what bears it.
type labelled struct {
	fold, text, by string
	count          int
	first          []label.Subject
}

// catalogues keeps the catalogue of the newest labels.
type catalogues struct {
	store store.Labels
	turn  chan struct{}
	again chan struct{}
	kept  *catalogue
}

func newCatalogues(from store.Labels) *catalogues {
	return &catalogues{store: from, turn: make(chan struct{}, 1), again: make(chan struct{}, 1)}
}

// now is the catalogue of the labels that are held. It is made when it is first asked for,
// and again when labels have changed.
func (c *catalogues) now(ctx context.Context) (*catalogue, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	revision, err := c.store.LabelRevision(ctx)
	if err != nil {
		return nil, err
	}
	if c.kept != nil && c.kept.revision == revision {
		return c.kept, nil
	}
	made, err := readCatalogue(ctx, c.store)
	if err != nil {
		return nil, err
	}
	made.revision = revision
	c.kept = made
	return made, nil
}

// cataloguing is a catalogue on its way.
type cataloguing struct {
	*catalogue

	byList map[string]*listed
	byText map[string]*labelled
	words  map[string]string // texts that many claims have, each kept once
}

// word is a text that is kept once, however many claims have it.
func (r *cataloguing) word(text string) string {
	if kept, ok := r.words[text]; ok {
		return kept
	}
	if len(r.words) < mostWords {
		r.words[text] = text
	}
	return text
}

// listed is a list while its claims are counted.
type listed struct {
	server.LabelList

	sum label.Revision
}

// keep makes the catalogue whenever it may have become another, so that nobody who asks
// has to wait for it, until the context ends.
func (c *catalogues) keep(ctx context.Context, log func(error)) error {
	for {
		if _, err := c.now(ctx); err != nil && ctx.Err() == nil {
			log(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.again:
		}
	}
}

// wake says that labels may have changed.
func (c *catalogues) wake() {
	select {
	case c.again <- struct{}{}:
	default:
	}
}

// readCatalogue goes through all claims.
func readCatalogue(ctx context.Context, from store.Labels) (*catalogue, error) {
	r := &cataloguing{&catalogue{named: map[string]*namedBy{}, complete: true}, map[string]*listed{}, map[string]*labelled{}, map[string]string{}}
	var err error
	if r.actors, err = whoIsWho(ctx, from, label.When{}); err != nil {
		return nil, err
	}
	var group []label.Claim
	for c, err := range from.ClaimsOn(ctx, "") {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(group) > 0 && group[0].Subject != c.Subject {
			r.subject(group)
			group = group[:0]
		}
		group = append(group, *c)
		r.count(c)
	}
	r.subject(group)
	for _, l := range r.byList {
		l.Digest = l.sum.String()
		r.lists = append(r.lists, l.LabelList)
	}
	slices.SortFunc(r.lists, func(a, b server.LabelList) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), strings.Compare(a.Name, b.Name), strings.Compare(a.By, b.By))
	})
	for _, l := range r.byText {
		r.labels = append(r.labels, *l)
	}
	slices.SortFunc(r.labels, func(a, b labelled) int {
		return cmp.Or(strings.Compare(a.fold, b.fold), strings.Compare(a.text, b.text))
	})
	return r.catalogue, nil
}

// count adds a claim to its list.
func (r *cataloguing) count(c *label.Claim) {
	key := c.By + "\x00" + path.Base(c.File)
	l := r.byList[key]
	if l == nil {
		l = &listed{LabelList: server.LabelList{Name: path.Base(c.File), By: c.By, First: c.Learned, Last: c.Learned}}
		r.byList[key] = l
	}
	l.First, l.Last = min(l.First, c.Learned), max(l.Last, c.Learned)
	l.sum.Add(c.ID(), c.Learned)
	if c.Withdraws != "" {
		l.Withdrawn++
		return
	}
	l.Claims++
}

// subject notes what holds of one address.
func (r *cataloguing) subject(group []label.Claim) {
	if len(group) == 0 || !group[0].OnAddress() {
		return
	}
	actors, texts := map[string]bool{}, map[string]bool{}
	claims := label.At(group, label.When{})
	for i := range claims {
		c := &claims[i]
		if c.Actor != "" && !actors[c.Actor] {
			actors[c.Actor] = true
			r.give(c)
		}
		if fold := label.Fold(c.Label); fold != "" && !texts[fold] {
			texts[fold] = true
			r.label(fold, c)
		}
	}
}

// give gives an address to an actor.
func (r *cataloguing) give(c *label.Claim) {
	n := r.named[c.Actor]
	if n == nil {
		n = &namedBy{}
		r.named[c.Actor] = n
	}
	n.count++
	if len(n.first) < mostNamed {
		n.first = append(n.first, server.EntityAddress{
			Network: r.word(string(c.Subject.Network)), Address: c.Subject.Address, Label: c.Label, By: r.word(c.By), Confidence: int(c.Score),
		})
	}
}

// label notes a text and what bears it.
func (r *cataloguing) label(fold string, c *label.Claim) {
	l := r.byText[fold]
	if l == nil {
		if len(r.byText) >= mostLabelTexts {
			r.complete = false
			return
		}
		l = &labelled{fold: fold, text: c.Label, by: r.word(c.By)}
		r.byText[l.fold] = l
	}
	l.count++
	if len(l.first) < mostLabelled {
		l.first = append(l.first, label.Subject{Network: label.Network(r.word(string(c.Subject.Network))), Address: c.Subject.Address})
	}
}
