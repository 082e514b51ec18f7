package server

import (
	"context"
	"io"
	"net/http"

	"coldtrail/desk"
	"coldtrail/desk/job"
)

// Desk answers questions about cases from traces that it keeps. Where a trace is not
// there yet its methods give the job that makes it, and nothing else.
type Desk interface {
	// Traced gives the trace that a selector names.
	Traced(ctx context.Context, s desk.Selector) (Traced, *job.Job, error)
	// Compared says where the six methods differ.
	Compared(ctx context.Context, s desk.Selector, after string, limit int) (*desk.Comparison, *job.Job, error)
}

// Traced is a trace that is kept.
type Traced interface {
	// WriteTo writes it as `coldtrail trace --json` prints it.
	WriteTo(w io.Writer) (int64, error)
	Summary() (desk.Summary, error)
	Places(q desk.PlaceQuery) (desk.PlacePage, error)
	Flows(q desk.FlowQuery) (desk.FlowPage, error)
	Freezable(q desk.FreezeQuery) (desk.FreezePage, error)
}

// selected are the parameters that say which trace is meant.
var selected = []string{"method", "as_of", "fresh", "wait"}

// selector reads which trace is meant.
func (x *exchange) selector() (desk.Selector, bool) {
	id, ok := x.pathID("id")
	if !ok {
		return desk.Selector{}, false
	}
	query := x.request.URL.Query()
	for name := range query {
		if len(query.Get(name)) > maxParameter {
			x.fail(invalid("the parameter %.50q has more than %d bytes", name, maxParameter))
			return desk.Selector{}, false
		}
	}
	s, err := desk.Query{
		Case: id, Method: query.Get("method"), AsOf: query.Get("as_of"), Fresh: query.Get("fresh"), Wait: query.Get("wait"), By: x.who.id,
	}.Selector()
	if err != nil {
		x.fail(err)
		return s, false
	}
	return s, true
}

// pending answers that a trace is being made.
func (x *exchange) pending(j *job.Job) {
	x.Header().Set("Location", "/v1/jobs/"+j.ID)
	x.Header().Set("Retry-After", "1")
	x.json(http.StatusAccepted, j)
}

// aboutTrace answers out of a kept trace.
func (x *exchange) aboutTrace(known []string, ask func(t Traced, after string, limit int) (any, error)) {
	after, limit, ok := x.paging(append(known, selected...)...)
	if !ok {
		return
	}
	s, ok := x.selector()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(x.request.Context(), x.options.AnswerTimeout+s.Wait)
	defer cancel()
	traced, making, err := x.parts.Desk.Traced(ctx, s)
	switch {
	case err != nil:
		x.fail(err)
		return
	case making != nil:
		x.pending(making)
		return
	}
	answer, err := ask(traced, after, limit)
	if err != nil {
		x.fail(err)
		return
	}
	if answer != nil {
		x.json(http.StatusOK, answer)
	}
}

// getTrace sends a trace as the command prints it.
func getTrace(x *exchange) {
	x.aboutTrace(nil, func(t Traced, _ string, _ int) (any, error) {
		x.Header()["Content-Type"] = typeJSON
		_, err := t.WriteTo(x)
		if err != nil && x.status != 0 {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		return nil, err
	})
}

// getCaseSummary gives the headline of a case.
func getCaseSummary(x *exchange) {
	x.aboutTrace(nil, func(t Traced, _ string, _ int) (any, error) { return t.Summary() })
}

// listPlaces gives where value of a case is.
func listPlaces(x *exchange) {
	known := []string{"sort", "order", "colour", "kind", "chain", "asset", "entity", "q", "least"}
	x.aboutTrace(known, func(t Traced, after string, limit int) (any, error) {
		query := x.request.URL.Query()
		page, err := t.Places(desk.PlaceQuery{
			Sort: query.Get("sort"), Order: query.Get("order"), Colour: query.Get("colour"), Kind: query.Get("kind"), Chain: query.Get("chain"),
			Asset: query.Get("asset"), Entity: query.Get("entity"), Text: query.Get("q"), Least: query.Get("least"), After: after, Limit: limit,
		})
		page.Next = nextOf(page.Next)
		return page, err
	})
}

// listFlows gives how value of a case moved.
func listFlows(x *exchange) {
	x.aboutTrace([]string{"at", "colour"}, func(t Traced, after string, limit int) (any, error) {
		query := x.request.URL.Query()
		page, err := t.Flows(desk.FlowQuery{At: query.Get("at"), Colour: query.Get("colour"), After: after, Limit: limit})
		page.Next = nextOf(page.Next)
		return page, err
	})
}

// listFreezable gives what could still be frozen.
func listFreezable(x *exchange) {
	x.aboutTrace([]string{"colour", "act", "who"}, func(t Traced, after string, limit int) (any, error) {
		query := x.request.URL.Query()
		page, err := t.Freezable(desk.FreezeQuery{Colour: query.Get("colour"), Act: query.Get("act"), Who: query.Get("who"), After: after, Limit: limit})
		page.Next = nextOf(page.Next)
		return page, err
	})
}

// compareMethods says where the six methods differ.
func compareMethods(x *exchange) {
	after, limit, ok := x.paging("as_of", "fresh", "wait")
	if !ok {
		return
	}
	s, ok := x.selector()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(x.request.Context(), x.options.AnswerTimeout+s.Wait)
	defer cancel()
	compared, making, err := x.parts.Desk.Compared(ctx, s, after, limit)
	switch {
	case err != nil:
		x.fail(err)
	case making != nil:
		x.pending(making)
	default:
		compared.Next = nextOf(compared.Next)
		x.json(http.StatusOK, compared)
	}
}

// nextOf is the cursor for what follows, where something does.
func nextOf(cursor string) string {
	if cursor == "" {
		return ""
	}
	return cursorOf(cursor)
}
