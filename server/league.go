package server

import (
	"context"
	"fmt"
	"net/http"

	"coldtrail/holdings"
	"coldtrail/register"
)

// League says who holds how much, and which thefts are on record.
type League interface {
	// Holdings is who held how much at the beginning of a day. It may be slow.
	Holdings(ctx context.Context, q HoldingsQuestion) (*holdings.Report, error)
	// Entities lists who is known of, by identifier, and to whom each belongs.
	Entities(ctx context.Context) ([]Actor, error)
	// Incidents lists the thefts on record, newest first: those that anybody attributes to an
	// actor or to whom he commands, or all.
	Incidents(ctx context.Context, actor string) (Incidents, error)
	// Feed is the thefts as an Atom feed.
	Feed(ctx context.Context) ([]byte, error)
}

// HoldingsQuestion asks who held how much.
type HoldingsQuestion struct {
	AsOf  string // the day; today where it is empty
	Actor string // only he and whom he commands; everybody where it is empty
	Asset string // that statements are compared in: a symbol, a chain or CAIP-19; bitcoin where it is empty
	All   bool   // rank also what the register leaves out of the ranking
}

// Actor is somebody who may be behind addresses.
type Actor struct {
	ID            string   `json:"id"`
	Label         string   `json:"label"`
	Names         []string `json:"names"`
	Line          []string `json:"line"` // himself, and whom he belongs to, nearest first
	Jurisdictions []string `json:"jurisdictions"`
}

// Incidents are thefts on record, and the publications that they refer to.
type Incidents struct {
	Items    []register.Incident `json:"items"`
	Sources  []register.Source   `json:"sources"`
	Register string              `json:"register"` // digest
}

// getHoldings gives who held how much.
func getHoldings(x *exchange) {
	q := HoldingsQuestion{}
	all := ""
	if !x.parameters(map[string]*string{"as_of": &q.AsOf, "actor": &q.Actor, "asset": &q.Asset, "all": &all}) {
		return
	}
	switch all {
	case "", "false":
	case "true":
		q.All = true
	default:
		x.problem(problemInvalid, fmt.Sprintf("all is true or false, not %.20q", all))
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	report, err := x.parts.League.Holdings(ctx, q)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, report)
}

// listEntities gives who is known of.
func listEntities(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.League.Entities(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(list, 0, nil))
}

// listIncidents gives the thefts on record.
func listIncidents(x *exchange) {
	actor := ""
	if !x.parameters(map[string]*string{"actor": &actor}) {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	list, err := x.parts.League.Incidents(ctx, actor)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, list)
}

// getFeed gives the thefts on record to programs that read news.
func getFeed(x *exchange) {
	ctx, cancel := x.within()
	defer cancel()
	feed, err := x.parts.League.Feed(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.send(http.StatusOK, atomFeed, feed)
}

var atomFeed = []string{"application/atom+xml; charset=utf-8"}

// maxParameter bounds a parameter that names something.
const maxParameter = 200

// parameters reads the query. One that is not known, or is there twice, is a problem.
func (x *exchange) parameters(known map[string]*string) bool {
	return x.parametersUpTo(maxParameter, known)
}
