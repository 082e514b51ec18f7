package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/desk/view"
)

// Views draws the traces of cases. A trace that is still being made is a PendingError.
type Views interface {
	// Sankey draws a flow chart of one colour, or of all where it is empty.
	Sankey(ctx context.Context, of desk.Selector, colour string) (*view.Sankey, error)
	// Timeline says how much happened when.
	Timeline(ctx context.Context, of desk.Selector, colour string) (*view.Timeline, error)
	// Graph says who passed value to whom.
	Graph(ctx context.Context, of desk.Selector, selection *view.Selection) (*view.Graph, error)
	// Path is the shortest way from a theft of a colour to a place.
	Path(ctx context.Context, of desk.Selector, colour, at string) (*view.Path, error)
}

// A PendingError is the error of a trace that is still being made.
type PendingError struct{ Job job.Job }

// Error says that the trace is being made.
func (p *PendingError) Error() string {
	return "the trace is still being made by the job " + p.Job.ID
}

// traceOf reads which trace is asked for, and the parameters of a route beside. It says
// false where it has answered.
func (x *exchange) traceOf(more map[string]*string) (desk.Selector, bool) {
	id, ok := x.pathID("id")
	if !ok {
		return desk.Selector{}, false
	}
	q := desk.Query{Case: id, By: x.who.id}
	known := map[string]*string{"method": &q.Method, "as_of": &q.AsOf, "wait": &q.Wait, "fresh": &q.Fresh}
	maps.Copy(known, more)
	if !x.parameters(known) {
		return desk.Selector{}, false
	}
	of, err := q.Selector()
	if err != nil {
		x.fail(err)
		return of, false
	}
	return of, true
}

// drawn answers with a view, with the work that makes its trace, or with what is wrong.
func (x *exchange) drawn(drawing any, err error) {
	var making *PendingError
	switch {
	case errors.As(err, &making):
		x.pending(&making.Job)
	case errors.Is(err, view.ErrSelection):
		x.fail(invalid("%s", err))
	case errors.Is(err, view.ErrNothing):
		x.fail(fmt.Errorf("%w: %w", ErrNotFound, err))
	case err != nil:
		x.fail(err)
	default:
		x.json(http.StatusOK, drawing)
	}
}

// withinWait bounds what is looked up for a request that waits for a trace.
func (x *exchange) withinWait(of desk.Selector) (context.Context, context.CancelFunc) {
	return context.WithTimeout(x.request.Context(), of.Wait+x.options.AnswerTimeout)
}

// getSankey draws the flow chart of a case.
func getSankey(x *exchange) {
	colour := ""
	of, ok := x.traceOf(map[string]*string{"colour": &colour})
	if !ok {
		return
	}
	ctx, cancel := x.withinWait(of)
	defer cancel()
	drawing, err := x.parts.Views.Sankey(ctx, of, colour)
	x.drawn(drawing, err)
}

// getTimeline says how much of a case happened when.
func getTimeline(x *exchange) {
	colour := ""
	of, ok := x.traceOf(map[string]*string{"colour": &colour})
	if !ok {
		return
	}
	ctx, cancel := x.withinWait(of)
	defer cancel()
	drawing, err := x.parts.Views.Timeline(ctx, of, colour)
	x.drawn(drawing, err)
}

// getGraph draws who passed the value of a case to whom.
func getGraph(x *exchange) {
	s := &view.Selection{}
	group, since, until, hops, limit := "", "", "", "", ""
	of, ok := x.traceOf(map[string]*string{
		"colour": &s.Colour, "least": &s.Least, "since": &since, "until": &until, "hops": &hops, "root": &s.Root, "group": &group, "limit": &limit,
	})
	if !ok {
		return
	}
	var err error
	s.Group = view.Group(unless(group, string(view.ByAddress)))
	if s.Since, s.Until, err = span(since, until); err != nil {
		x.fail(err)
		return
	}
	if s.Hops, err = count("hops", hops, maxHops, 0); err != nil {
		x.fail(err)
		return
	}
	if s.Limit, err = count("limit", limit, view.MostNodes, view.DefaultNodes); err != nil {
		x.fail(err)
		return
	}
	ctx, cancel := x.withinWait(of)
	defer cancel()
	drawing, err := x.parts.Views.Graph(ctx, of, s)
	x.drawn(drawing, err)
}

// getPath gives the way from a theft to a place.
func getPath(x *exchange) {
	colour, at := "", ""
	of, ok := x.traceOf(map[string]*string{"colour": &colour, "at": &at})
	if !ok {
		return
	}
	if at == "" {
		x.fail(invalid("at is missing: the place to which the way is wanted"))
		return
	}
	ctx, cancel := x.withinWait(of)
	defer cancel()
	drawing, err := x.parts.Views.Path(ctx, of, colour, at)
	x.drawn(drawing, err)
}

// maxHops bounds a number of hops that is asked for.
const maxHops = 1_000_000

// count reads a number from 1 on of a parameter.
func count(name, text string, most, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, invalid("%s is a number from 1 to %d", name, most)
	}
	return n, nil
}

// span reads two moments, 0 where there is none.
func span(since, until string) (from, to int64, err error) {
	if since != "" {
		if from, err = parseMoment("since", since); err != nil {
			return 0, 0, err
		}
	}
	if until != "" {
		if to, err = parseMoment("until", until); err != nil {
			return 0, 0, err
		}
	}
	if to != 0 && to < from {
		return 0, 0, invalid("until is before since")
	}
	return from, to, nil
}
