package main

import (
	"context"

	"coldtrail/desk"
	"coldtrail/desk/view"
	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/trace"
)

// keptTrace gives the trace that is asked for, with its flows, and says whether the store
// holds nothing newer that would count. One that is being made is a server.PendingError.
type keptTrace func(ctx context.Context, of desk.Selector) (result *trace.Result, current bool, err error)

// caseViews draws traces that are kept.
type caseViews struct {
	kept  keptTrace
	names view.Names
	// clusters says whose the addresses of a trace are; nil where there are no clusters.
	clusters func(context.Context, *trace.Result) (view.Clusters, error)
}

var _ server.Views = caseViews{}

// openViews draws what the desk keeps.
func (x *serving) openViews(o *owners) caseViews {
	return caseViews{
		clusters: o.together,
		kept: func(ctx context.Context, of desk.Selector) (*trace.Result, bool, error) {
			kept, making, err := x.desk.Kept(ctx, of)
			switch {
			case err != nil:
				return nil, false, err
			case making != nil:
				return nil, false, &server.PendingError{Job: *making}
			}
			return kept.Result(), kept.About().Current, nil
		},
		names: func(asset string) string {
			if known, ok := x.league.known.Asset(ledger.Asset(asset)); ok {
				return known.Symbol
			}
			return units[asset].name
		},
	}
}

// Sankey draws a flow chart of one colour, or of all where it is empty.
func (c caseViews) Sankey(ctx context.Context, of desk.Selector, colour string) (*view.Sankey, error) {
	result, current, err := c.kept(ctx, of)
	if err != nil {
		return nil, err
	}
	s, err := view.NewSankey(result, colour, c.names)
	if err == nil {
		s.Current = current
	}
	return s, err
}

// Timeline says how much happened when.
func (c caseViews) Timeline(ctx context.Context, of desk.Selector, colour string) (*view.Timeline, error) {
	result, current, err := c.kept(ctx, of)
	if err != nil {
		return nil, err
	}
	t, err := view.NewTimeline(result, colour)
	if err == nil {
		t.Current = current
	}
	return t, err
}

// Graph says who passed value to whom.
func (c caseViews) Graph(ctx context.Context, of desk.Selector, selection *view.Selection) (*view.Graph, error) {
	result, current, err := c.kept(ctx, of)
	if err != nil {
		return nil, err
	}
	var clusters view.Clusters
	if selection.Group == view.ByCluster && c.clusters != nil {
		if clusters, err = c.clusters(ctx, result); err != nil {
			return nil, err
		}
	}
	g, err := view.NewGraph(result, selection, clusters)
	if err == nil {
		g.Current = current
	}
	return g, err
}

// Path is the shortest way from a theft of a colour to a place.
func (c caseViews) Path(ctx context.Context, of desk.Selector, colour, at string) (*view.Path, error) {
	result, current, err := c.kept(ctx, of)
	if err != nil {
		return nil, err
	}
	p, err := view.NewPath(result, colour, at)
	if err == nil {
		p.Current, p.Graph.Current = current, current
	}
	return p, err
}
