package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	casedesk "coldtrail/desk"
	"coldtrail/desk/job"
	deskview "coldtrail/desk/view"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/trace"
)

// drawings are views of one case. What was asked stands in the digest.
type drawings struct{}

func (drawings) of(of casedesk.Selector) (deskview.Of, error) {
	switch {
	case of.Case == "slow":
		return deskview.Of{}, &server.PendingError{Job: job.Job{
			ID: "j1", Kind: "trace", Title: "Trace of slow", Case: "slow", State: job.Running, By: of.By, Created: 1, Done: 3, Total: 9, Unit: "blocks", Rate: 2,
		}}
	case of.Case != "bybit-2025":
		return deskview.Of{}, fmt.Errorf("case %s: %w", of.Case, server.ErrNotFound)
	}
	return deskview.Of{Case: of.Case, Method: "fifo", Digest: fmt.Sprint(of.Method, " ", of.AsOf, " ", of.Wait, " ", of.Fresh, " ", of.By), Current: true}, nil
}

func (d drawings) Sankey(_ context.Context, of casedesk.Selector, colour string) (*deskview.Sankey, error) {
	about, err := d.of(of)
	return &deskview.Sankey{Of: about, Colours: []deskview.Chart{{
		Colour: colour, Chain: "eip155:1", Asset: "eip155:1/slip44:60", Stolen: "9", Columns: 2, Returned: "0", Divided: "0",
		Nodes: []deskview.ChartNode{{Key: "stolen", Label: "Stolen", Class: deskview.ClassStolen, Origin: "9", Ended: "0"}}, Bands: []deskview.Band{{From: "stolen", To: "kind held", Origin: "9", Class: "held", Certainty: 10000}},
	}}}, err
}

func (d drawings) Timeline(_ context.Context, of casedesk.Selector, colour string) (*deskview.Timeline, error) {
	about, err := d.of(of)
	return &deskview.Timeline{
		Of: about, First: 1, Last: 2, Step: 60, Buckets: 1, Lanes: []deskview.Lane{{Lane: "theft", Label: "Thefts", Flows: 1}},
		Series: []deskview.Series{{Lane: "theft", Colour: colour, Points: []deskview.Point{{Origin: "9", Ends: 1}}}},
		Events: []deskview.Event{{Lane: "theft", Time: 1, Chain: "eip155:1", Tx: "0x1", Colour: colour, Asset: "eip155:1/slip44:60", Amount: "9", Origin: "9", At: "0x2", Address: "0x2"}},
	}, err
}

func (d drawings) Graph(_ context.Context, of casedesk.Selector, s *deskview.Selection) (*deskview.Graph, error) {
	if s.Least == "much" {
		return nil, fmt.Errorf("%w: least is no amount", deskview.ErrSelection)
	}
	about, err := d.of(of)
	about.Digest += fmt.Sprintf(" %+v", *s)
	none := []deskview.Share{}
	return &deskview.Graph{
		Of: about, Width: 480, Height: 48, Total: 3, LeftOut: deskview.LeftOut{Nodes: 1, Edges: 1, Origin: []deskview.Share{{Colour: "c", Origin: "1"}}},
		Nodes: []deskview.Node{{Key: "a", Label: "a", Class: deskview.NodeAddress, Chain: "eip155:1", Address: "0x1", Theft: true, Addresses: 1, Received: []deskview.Share{{Colour: "c", Origin: "9"}}, Ended: none, Costs: none, First: 1, Last: 2}},
		Edges: []deskview.Edge{{From: "a", To: "b", Colour: "c", Asset: "eip155:1/slip44:60", Amount: "9", Origin: "9", Transactions: 1, Txs: []string{"0x1"}, First: 1, Last: 2, Certainty: 10000}},
	}, err
}

func (d drawings) Path(ctx context.Context, of casedesk.Selector, colour, at string) (*deskview.Path, error) {
	if at == "nowhere" {
		return nil, fmt.Errorf("%w: no such place", deskview.ErrNothing)
	}
	graph, err := d.Graph(ctx, of, &deskview.Selection{})
	about, _ := d.of(of)
	end := trace.FlowEnd{At: at, Address: at, Asset: "eip155:1/slip44:60", Kind: "held", Colour: colour, Amount: "9", Origin: "9", Certainty: 10000}
	return &deskview.Path{Of: about, Colour: colour, At: at, Flows: []trace.Flow{{Chain: "eip155:1", Tx: "0x1", Height: 1, Time: "2025-02-21T14:16:11Z", From: []trace.FlowEnd{}, To: []trace.FlowEnd{end}}}, Graph: graph}, err
}

// leads follows value by hand.
type leads struct{}

func (leads) Neighbours(_ context.Context, c ledger.Chain, address string, q *server.NeighbourQuestion) (*server.Neighbours, error) {
	if address == bitcoinAddress {
		return nil, fmt.Errorf("%s on %s: %w", address, c, server.ErrNotFound)
	}
	return &server.Neighbours{Items: []server.Neighbour{{
		Address: fmt.Sprintf("%s %d %d %s %s %d %q", q.Direction, q.Since, q.Until, q.Asset, q.Least.Dec(), q.Page.Limit, q.Page.After), Entity: "A shop", Service: true, Direction: exposure.Sent,
		Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("7")}, Transfers: 2, First: 1, Last: 2, Txs: []string{"0x1", "0x2"},
	}}, Looked: 2, Complete: true, Next: "after 7", Total: 2}, nil
}

func (leads) TransactionGraph(_ context.Context, c ledger.Chain, id string) (*server.TransactionGraph, error) {
	log := 3
	return &server.TransactionGraph{
		Chain: string(c), Tx: id, Height: 1, Time: 2, DrawnWidth: 480, DrawnHeight: 48,
		Nodes: []server.TransactionNode{{Key: "a", Label: "a", Class: "address", Address: "a"}, {Key: "b", Label: "b", Class: "address", Address: "b", X: 240}},
		Edges: []server.TransactionEdge{{From: "a", To: "b", Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("7")}, Log: &log}},
	}, nil
}

func (leads) Paths(_ context.Context, c ledger.Chain, q *server.PathQuestion) (*server.Ways, error) {
	step := server.WayStep{From: q.From, To: q.To, Tx: "0x1", Height: 1, Time: q.Since, Asset: c.Native(), Amount: exposure.Decimal{Amount: amount("7")}}
	return &server.Ways{Items: []server.Way{{Steps: []server.WayStep{step}}}, Looked: q.Hops*100 + q.Limit, Complete: true}, nil
}

// TestViewsAreAskedWhole: everything that the query says reaches the part.
func TestViewsAreAskedWhole(t *testing.T) {
	w := start(t)
	for path, want := range map[string]string{
		"/v1/cases/bybit-2025/sankey?method=haircut&as_of=2025-03-01&wait=3&fresh=true&colour=red":                               `"digest":"haircut 1740873599 3s true key-1"`,
		"/v1/cases/bybit-2025/timeline?wait=0&fresh=false":                                                                       `"digest":"fifo 0 0s false key-1"`,
		"/v1/cases/bybit-2025/graph?colour=c&least=5&since=1970-01-01T00:01:00Z&until=70&hops=3&root=0x1&group=entity&limit=300": `{Colour:c Least:5 Since:60 Until:70 Hops:3 Root:0x1 Group:entity Limit:300}`,
		"/v1/cases/bybit-2025/graph":                             `{Colour: Least: Since:0 Until:0 Hops:0 Root: Group:address Limit:2000}`,
		"/v1/cases/bybit-2025/path?at=tx:1&colour=red":           `"colour":"red","at":"tx:1"`,
		"/v1/addresses/ethereum/" + cleanAddress + "/neighbours": `"both 0 0  0 100 \"\""`,
		"/v1/addresses/ethereum/" + cleanAddress + "/neighbours?direction=in&since=5&until=9&asset=eip155:1/slip44:60&least=4&limit=500&cursor=YQ": `"in 5 9 eip155:1/slip44:60 4 500 \"a\""`,
		"/v1/paths/ethereum?from=a&to=b&hops=4&since=9&limit=2": `"looked":402`,
		"/v1/paths/ethereum?from=a&to=b":                        `"looked":603`,
	} {
		got := w.ask("GET", path, "viewer", "")
		if text := strings.ReplaceAll(string(got.body), w.who("viewer"), "key-1"); got.status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s\nlacks %s", path, got.status, text, want)
		}
	}
}

// who is the identifier of a key.
func (w *world) who(key string) string {
	w.t.Helper()
	got := w.ask("GET", "/auth/session", key, "")
	return read[struct{ ID string }](w.t, got.body).ID
}

// TestTraceIsBeingMade: the work is answered, and where it can be looked at.
func TestTraceIsBeingMade(t *testing.T) {
	w := start(t)
	for _, what := range []string{"sankey", "timeline", "graph", "path?at=x"} {
		got := w.ask("GET", "/v1/cases/slow/"+what, "viewer", "")
		if got.status != http.StatusAccepted || got.header.Get("Location") != "/v1/jobs/j1" || got.header.Get("Retry-After") != "1" || !strings.Contains(string(got.body), `"state":"running"`) {
			t.Errorf("%s: %d, %v, %s", what, got.status, got.header, got.body)
		}
	}
}

// TestViewRefusals: what cannot be understood is refused, and what is not there is said to
// be missing; nothing reads as an empty drawing.
func TestViewRefusals(t *testing.T) {
	w := start(t)
	long := strings.Repeat("x", 300)
	for path, want := range map[string]int{
		"/v1/cases/none/sankey":                                    http.StatusNotFound,
		"/v1/cases/bybit-2025/sankey?wait=26":                      http.StatusBadRequest,
		"/v1/cases/bybit-2025/sankey?wait=-1":                      http.StatusBadRequest,
		"/v1/cases/bybit-2025/sankey?fresh=yes":                    http.StatusBadRequest,
		"/v1/cases/bybit-2025/sankey?colour=" + long:               http.StatusBadRequest,
		"/v1/cases/bybit-2025/sankey?limit=5":                      http.StatusBadRequest,
		"/v1/cases/bybit-2025/timeline?colour=a&colour=b":          http.StatusBadRequest,
		"/v1/cases/bybit-2025/graph?limit=10001":                   http.StatusBadRequest,
		"/v1/cases/bybit-2025/graph?limit=0":                       http.StatusBadRequest,
		"/v1/cases/bybit-2025/graph?hops=x":                        http.StatusBadRequest,
		"/v1/cases/bybit-2025/graph?since=tomorrow":                http.StatusBadRequest,
		"/v1/cases/bybit-2025/graph?since=9&until=8":               http.StatusBadRequest,
		"/v1/cases/bybit-2025/graph?least=much":                    http.StatusBadRequest,
		"/v1/cases/bybit-2025/path":                                http.StatusBadRequest,
		"/v1/cases/bybit-2025/path?at=nowhere":                     http.StatusNotFound,
		"/v1/addresses/ethereum/" + bitcoinAddress + "/neighbours": http.StatusNotFound,
		"/v1/addresses/ethereum/0x1/neighbours?limit=501":          http.StatusBadRequest,
		"/v1/addresses/ethereum/0x1/neighbours?direction=up":       http.StatusBadRequest,
		"/v1/addresses/ethereum/0x1/neighbours?least=-1":           http.StatusBadRequest,
		"/v1/addresses/ethereum/0x1/neighbours?asset=%22":          http.StatusBadRequest,
		"/v1/addresses/ethereum/0x1/neighbours?until=x":            http.StatusBadRequest,
		"/v1/addresses/no%20chain/0x1/neighbours":                  http.StatusBadRequest,
		"/v1/paths/ethereum?from=a":                                http.StatusBadRequest,
		"/v1/paths/ethereum?from=a&to=%00":                         http.StatusBadRequest,
		"/v1/paths/ethereum?from=a&to=b&hops=13":                   http.StatusBadRequest,
		"/v1/paths/ethereum?from=a&to=b&limit=21":                  http.StatusBadRequest,
		"/v1/paths/ethereum?from=a&to=b&since=-4":                  http.StatusBadRequest,
		"/v1/txs/nowhere:/0x1/graph":                               http.StatusBadRequest,
	} {
		got := w.ask("GET", path, "viewer", "")
		if got.status != want {
			t.Errorf("%s answered %d, want %d: %s", path, got.status, want, got.body)
			continue
		}
		got.problem(t)
	}
}

// TestPlacing: a graph is placed as it was sent, and one that contradicts itself is not.
func TestPlacing(t *testing.T) {
	w := start(t)
	got := w.ask("POST", "/v1/graph/layout", "viewer", `{"nodes":[{"key":"b"},{"key":"a"},{"key":"c","layer":7}],"edges":[{"from":"a","to":"b"},{"from":"b","to":"c"},{"from":"c","to":"a"}]}`)
	want := `{"nodes":[{"key":"b","x":0,"y":0,"layer":0},{"key":"a","x":480,"y":0,"layer":2},{"key":"c","x":240,"y":0,"layer":1}],"edges":[{"from":"a","to":"b","back":true},{"from":"b","to":"c","back":false},{"from":"c","to":"a","back":false}],"width":720,"height":48}`
	if got.status != http.StatusOK || strings.TrimSpace(string(got.body)) != want {
		t.Errorf("%d: %s\nwant %s", got.status, got.body, want)
	}
	many := `{"nodes":[` + strings.TrimSuffix(strings.Repeat(`{"key":"a"},`, 10_001), ",") + `],"edges":[]}`
	for _, body := range []string{
		`{"nodes":[],"edges":[]}`, `{"edges":[]}`, many, `{"nodes":[{"key":"a"},{"key":"a"}],"edges":[]}`, `{"nodes":[{"key":""}],"edges":[]}`,
		`{"nodes":[{"key":"a"}],"edges":[{"from":"a","to":"b"}]}`, `{"nodes":[{"key":"a","layer":-1}],"edges":[]}`, `{"nodes":[{"key":"a","layer":1000001}],"edges":[]}`,
		`{"nodes":[{"key":"` + strings.Repeat("x", 301) + `"}],"edges":[]}`, `{"nodes":[{"key":"a","x":1}],"edges":[]}`,
	} {
		if got := w.ask("POST", "/v1/graph/layout", "viewer", body); got.status != http.StatusBadRequest {
			t.Errorf("%.80s answered %d: %s", body, got.status, got.body)
		}
	}
}

// TestWaitIsBounded: the wait for a trace is on top of the time for an answer.
func TestWaitIsBounded(t *testing.T) {
	slow := make(chan time.Duration, 1)
	w := start(t, func(o *server.Options, p *server.Parts) {
		o.AnswerTimeout = time.Minute
		p.Views = patient{p.Views, slow}
	})
	if got := w.ask("GET", "/v1/cases/bybit-2025/sankey?wait=25", "viewer", ""); got.status != http.StatusOK {
		t.Fatalf("%d: %s", got.status, got.body)
	}
	if left := <-slow; left < 80*time.Second || left > 85*time.Second {
		t.Errorf("it has %s", left)
	}
}

// patient says how long it has for an answer.
type patient struct {
	server.Views

	left chan time.Duration
}

func (p patient) Sankey(ctx context.Context, of casedesk.Selector, colour string) (*deskview.Sankey, error) {
	deadline, _ := ctx.Deadline()
	p.left <- time.Until(deadline)
	return p.Views.Sankey(ctx, of, colour)
}
