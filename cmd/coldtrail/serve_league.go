package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/holdings"
	"coldtrail/price"
	"coldtrail/register"
	"coldtrail/server"
	"coldtrail/store"
)

// leagueFlags say what holdings and thefts rest on, beside the store.
type leagueFlags struct {
	registerFlags

	Prices []string `placeholder:"[ASSET=]FILE" sep:"none" help:"CSV files of prices for /v1/holdings; ASSET says what a file prices that does not say so itself. They are read once."`
}

// league tells the server who holds how much. One report is made at a time, and the last
// few are kept.
type league struct {
	store store.Store
	known *register.Register
	book  *price.Book
	now   func() time.Time

	turn sync.Mutex
	kept map[leagueKey]*holdings.Report
}

var _ server.League = (*league)(nil)

// leagueKey is what a report follows from.
type leagueKey struct {
	q                server.HoldingsQuestion
	labels, statuses string
}

// mostTries is how often holdings are read anew because blocks came or went meanwhile.
const mostTries = 3

// mostReports bounds the reports that are kept.
const mostReports = 16

// openLeague reads the register and the prices.
func (f *leagueFlags) openLeague(ctx context.Context, from store.Store) (*league, error) {
	known, err := f.open()
	if err != nil {
		return nil, err
	}
	files := priceFiles{Prices: f.Prices}
	quotes, err := files.quotes(ctx, priced{})
	if err != nil {
		return nil, err
	}
	book, err := bookOf(quotes, known)
	return &league{store: from, known: known, book: book, now: time.Now, kept: map[leagueKey]*holdings.Report{}}, err
}

// Holdings is who held how much at the beginning of a day.
func (l *league) Holdings(ctx context.Context, q server.HoldingsQuestion) (*holdings.Report, error) {
	if q.AsOf == "" {
		q.AsOf = l.now().UTC().Format("2006-01-02")
	}
	if _, err := register.Day(q.AsOf); err != nil {
		return nil, refuse(server.ErrInvalid, "as_of: %v", err)
	}
	if q.Asset == "" {
		q.Asset = "bitcoin"
	}
	asset, err := assetNamed(q.Asset, l.known)
	if err != nil {
		return nil, refuse(server.ErrInvalid, "asset: %v", err)
	}
	o := &holdings.Options{Register: l.known, Book: l.book, Asset: asset, All: q.All, Actor: q.Actor, Notation: notations}
	l.turn.Lock()
	defer l.turn.Unlock()
	for range mostTries {
		before, err := l.key(ctx, q)
		if err != nil {
			return nil, err
		}
		if r := l.kept[before]; r != nil {
			return r, nil
		}
		if o.Actors, err = l.actors(ctx, q.Actor); err != nil {
			return nil, err
		}
		r, failed := holdings.AsOf(ctx, l.store, q.AsOf, o)
		after, err := l.key(ctx, q)
		if err != nil {
			return nil, err
		}
		if before != after { // blocks came or went while it was read
			continue
		}
		if failed != nil {
			return nil, failed
		}
		if len(l.kept) >= mostReports {
			clear(l.kept)
		}
		l.kept[before] = r
		return r, nil
	}
	return nil, refuse(server.ErrUnavailable, "the chains change faster than holdings can be read")
}

func (l *league) key(ctx context.Context, q server.HoldingsQuestion) (k leagueKey, err error) {
	revision, err := l.store.LabelRevision(ctx)
	if err != nil {
		return k, err
	}
	statuses, err := l.store.Status(ctx)
	if err != nil {
		return k, err
	}
	k = leagueKey{q: q, labels: revision.String()}
	for i := range statuses {
		k.statuses += fmt.Sprintf("%s %x ", statuses[i].Chain, statuses[i].Content)
	}
	return k, nil
}

// actors is who is known of; it refuses a name that nobody has.
func (l *league) actors(ctx context.Context, name string) (*attribution.Actors, error) {
	actors, err := whoIsWho(ctx, l.store, label.When{})
	if err == nil && name != "" && len(actors.Find(name)) == 0 {
		return nil, refuse(server.ErrNotFound, "nobody is known by the name %.50q", name)
	}
	return actors, err
}

// Entities lists who is known of.
func (l *league) Entities(ctx context.Context) ([]server.Actor, error) {
	actors, err := l.actors(ctx, "")
	if err != nil {
		return nil, err
	}
	list := []server.Actor{}
	for _, x := range actors.All() {
		list = append(list, serverActor(actors, x))
	}
	slices.SortFunc(list, func(a, b server.Actor) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// Incidents lists thefts.
func (l *league) Incidents(ctx context.Context, actor string) (out server.Incidents, err error) {
	actors, err := l.actors(ctx, actor)
	if err != nil {
		return out, err
	}
	out = server.Incidents{Items: incidentsOf(l.known, actors, actor), Sources: []register.Source{}, Register: l.known.Digest()}
	c := &citations{register: l.known}
	for i := range out.Items {
		c.incident(&out.Items[i])
	}
	out.Sources = append(out.Sources, c.list...)
	return out, nil
}

// Feed is the thefts as an Atom feed.
func (l *league) Feed(context.Context) ([]byte, error) {
	var text bytes.Buffer
	err := incidentFeed(l.known, l.now().UTC().Format("2006-01-02")).Write(&text)
	return text.Bytes(), err
}
