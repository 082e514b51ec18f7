package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/desk/view"
	"coldtrail/report/reporttest"
	"coldtrail/server"
	"coldtrail/trace"
)

// TestViewsOfReplay asks the server for every view of a played laundering.
func TestViewsOfReplay(t *testing.T) {
	played, err := reporttest.Replay(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := func(_ context.Context, of desk.Selector) (*trace.Result, bool, error) {
		switch of.Case {
		case "replay":
			return played.Result, true, nil
		case "waiting":
			return nil, false, &server.PendingError{Job: job.Job{ID: "7"}}
		}
		return nil, false, refuse(server.ErrNotFound, "there is no case %s", of.Case)
	}
	d := serveParts(t, server.Options{Open: true}, server.Parts{Views: caseViews{kept: kept}})
	const of = "GET /v1/cases/replay/"
	chart := decoded[view.Sankey](t, d.wants(http.StatusOK, of+"sankey?colour=bybit-2025/eth", "", nil))
	if len(chart.Colours) != 1 || chart.Digest != played.Result.Digest || !chart.Current || chart.Colours[0].Returned == "0" || len(chart.Colours[0].Bands) < 6 {
		t.Errorf("%+v", chart)
	}
	if line := decoded[view.Timeline](t, d.wants(http.StatusOK, of+"timeline", "", nil)); line.Buckets < 24 || len(line.Events) == 0 || !line.Current {
		t.Errorf("%+v", line)
	}
	g := decoded[view.Graph](t, d.wants(http.StatusOK, of+"graph?limit=100&group=entity", "", nil))
	if len(g.Nodes) < 100 || g.LeftOut.Nodes == 0 || g.Width == 0 || !g.Current {
		t.Errorf("%d nodes, %+v, %d wide", len(g.Nodes), g.LeftOut, g.Width)
	}
	at := slices.IndexFunc(played.Result.Dispositions, func(x trace.Disposition) bool { return x.Kind == "mixer" && x.Hops > 3 })
	place := &played.Result.Dispositions[at]
	way := decoded[view.Path](t, d.wants(http.StatusOK, of+"path?"+url.Values{"at": {place.At}, "colour": {place.Colour}}.Encode(), "", nil))
	if len(way.Flows) < 3 || !way.Graph.Nodes[0].Theft || !way.Current {
		t.Errorf("%+v", way)
	}
	d.wants(http.StatusAccepted, "GET /v1/cases/waiting/graph", "", nil, `"id":"7"`)
	d.wants(http.StatusNotFound, "GET /v1/cases/none/graph", "", nil, "there is no case none")
	d.wants(http.StatusNotFound, of+"path?at=nowhere&colour=bybit-2025/eth", "", nil, "no such disposition")
	d.wants(http.StatusNotFound, of+"graph?root=0x00", "", nil, "no value of the case")
	d.wants(http.StatusBadRequest, of+"graph?group=cluster", "", nil, "no clusters are held here")
	d.wants(http.StatusBadRequest, of+"graph?least=x", "", nil, "least")
	d.wants(http.StatusBadRequest, of+"sankey?colour=red", "", nil, "no colour")
}
