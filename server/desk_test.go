package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cases "coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/server"
	"coldtrail/trace"
)

// works keeps jobs, and cases' traces: one that is there and one that is being made.
type works struct {
	mu      sync.Mutex
	jobs    []job.Job
	members map[string]server.CaseMember
	asked   []cases.Selector
	places  cases.PlaceQuery
}

func (w *works) Jobs(_ context.Context, after string, limit int) ([]job.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Clone(w.jobs)
	slices.Reverse(list)
	if at := slices.IndexFunc(list, func(j job.Job) bool { return j.ID == after }); at >= 0 {
		list = list[at+1:]
	}
	return list[:min(limit, len(list))], nil
}

func (w *works) Job(_ context.Context, id string) (job.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.ID == id {
			return j, nil
		}
	}
	return job.Job{}, fmt.Errorf("job %s: %w", id, server.ErrNotFound)
}

func (w *works) StartJob(_ context.Context, r server.JobRequest) (job.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := uint64(3)
	w.jobs = append(w.jobs, job.Job{
		ID: fmt.Sprint("job-", len(w.jobs)+1), Kind: r.Kind, Title: "x", Case: r.Case, Method: "fifo", AsOf: 5, State: job.Done, By: r.By, Created: 1, Started: 2, Ended: 3,
		Done: 1, Total: 4, Unit: "blocks", Rate: 1, ETA: &left, Result: &job.Info{Name: "a.zip", MediaType: "application/zip", Bytes: 4},
	})
	return w.jobs[len(w.jobs)-1], nil
}

func (w *works) EndJob(ctx context.Context, id string) (job.Job, error) {
	found, err := w.Job(ctx, id)
	found.State = job.Cancelled
	return found, err
}

func (w *works) JobResult(ctx context.Context, id string) (job.File, error) {
	_, err := w.Job(ctx, id)
	return job.File{Name: "a \"file\".zip", MediaType: "application/zip", Body: []byte("PK..")}, err
}

func (w *works) Traced(_ context.Context, s cases.Selector) (server.Traced, *job.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, s)
	switch s.Case {
	case "making":
		return nil, &job.Job{ID: "job-9", Kind: "trace", State: job.Running, Unit: "blocks"}, nil
	case "none":
		return nil, nil, fmt.Errorf("case none: %w", cases.ErrNotFound)
	case "empty":
		return nil, nil, fmt.Errorf("%w: no transaction 0x1 is held", cases.ErrUntraceable)
	}
	return traced{w, cases.About{Case: s.Case, Revision: 1, Method: s.Method, AsOf: s.AsOf, Made: 7, Current: true, Digest: "sha256:aa"}}, nil, nil
}

func (w *works) Compared(_ context.Context, s cases.Selector, _ string, _ int) (*cases.Comparison, *job.Job, error) {
	if s.Case == "making" {
		return nil, &job.Job{ID: "job-9", Kind: "trace", State: job.Waiting, Unit: "blocks"}, nil
	}
	share := uint64(9900)
	return &cases.Comparison{
		Case: s.Case, Revision: 1,
		Methods: []cases.MethodSummary{{Method: "fifo", Digest: "sha256:aa", Colours: []cases.MethodColour{{Colour: "c/eth", Traceable: &share}}}, {Method: "poison", Note: "n", Digest: "sha256:bb", Colours: []cases.MethodColour{{Colour: "c/eth"}}}},
		Items:   []cases.Difference{{Colour: "c/eth", Chain: "eip155:1", Asset: "eip155:1/slip44:60", At: "0x1", Address: "0x1", Origins: map[string]string{"fifo": "5", "lifo": "0"}, Spread: "5", ShareBP: 1, Poison: "9"}}, Total: 1,
	}, nil, nil
}

// traced is the answer of a trace with one row of each sort.
type traced struct {
	works *works
	about cases.About
}

var place = trace.Disposition{Colour: "c/eth", Kind: "service", Chain: "eip155:1", Asset: "eip155:1/slip44:60", At: "0x1", Address: "0x1", Entity: "X", Amount: "5", Origin: "5", Certainty: 10000, Hops: 2, First: "2025-02-21T14:13:35Z", Last: "2025-02-21T14:13:35Z"}

func (t traced) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, `{"case":"c","method":"fifo","basis":{"heads":{"eip155:1":{"height":1,"hash":"0x1"}},"labels":"l","rules":"v2","cases":"c","weakest":"file"},"colours":[],"summary":{},"dispositions":[],"crossings":[],"swaps":[],"anomalies":[],"digest":"d"}`+"\n")
	return int64(n), err
}

func (t traced) Summary() (cases.Summary, error) {
	return cases.Summary{About: t.about, Title: "T", Aliases: []string{}, AttributedTo: &cases.Attribution{Actor: "a", By: "b", Confidence: "high"}, Basis: trace.Basis{Heads: map[string]trace.Head{}}, Colours: []cases.ColourSummary{{Colour: "c/eth", Stolen: "5", Kinds: []cases.KindSum{{Kind: "held", Origin: "5", Places: 1}}}}}, nil
}

func (t traced) Places(q cases.PlaceQuery) (cases.PlacePage, error) {
	t.works.mu.Lock()
	defer t.works.mu.Unlock()
	t.works.places = q
	return cases.PlacePage{About: t.about, Items: []trace.Disposition{place}, Total: 1, Origins: []cases.OriginSum{{Colour: "c/eth", Asset: "eip155:1/slip44:60", Origin: "5"}}, Next: "x"}, nil
}

func (t traced) Flows(cases.FlowQuery) (cases.FlowPage, error) {
	return cases.FlowPage{About: t.about, Items: []trace.Flow{{Chain: "eip155:1", Tx: "0x1", Height: 1, Time: "2025-02-21T14:13:35Z", From: []trace.FlowEnd{}, To: []trace.FlowEnd{{At: "0x1", Amount: "5", Origin: "5"}}}}, Total: 1}, nil
}

func (t traced) Freezable(q cases.FreezeQuery) (cases.FreezePage, error) {
	if q.Act == "nobody" {
		return cases.FreezePage{}, fmt.Errorf("%w: act: %q", cases.ErrInvalid, q.Act)
	}
	return cases.FreezePage{About: t.about, Items: []cases.Freezable{{Disposition: place, Act: cases.ByService, Who: "X", Why: "it keeps the books", Source: &trace.Source{}, Cites: []cases.Citation{{By: "b", Title: "t"}}}}, Total: 1, Origins: []cases.OriginSum{}}, nil
}

func (w *works) Revisions(_ context.Context, _ string, after int64, _ int) ([]server.Revision, error) {
	if after > 0 {
		return nil, nil
	}
	return []server.Revision{{Number: 1, Title: "T", State: "open", Text: "case: x", By: "b", At: 1, Why: "w"}}, nil
}

func (w *works) CaseMembers(context.Context, string) ([]server.CaseMember, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return values(w.members), nil
}

func (w *works) SaveCaseMember(_ context.Context, _ string, m server.CaseMember) (server.CaseMember, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[m.Person] = m
	return m, nil
}

func (w *works) RemoveCaseMember(_ context.Context, _ string, off server.CaseMember) (server.CaseMember, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.members[off.Person]
	if !ok {
		return m, fmt.Errorf("person %s: %w", off.Person, server.ErrNotFound)
	}
	delete(w.members, off.Person)
	return m, nil
}

// TestSelectors asks for traces in every way that is refused, and reads what arrives of
// one that is not.
func TestSelectors(t *testing.T) {
	w := start(t)
	for query, want := range map[string]int{
		"method=magic": 400, "as_of=yesterday": 400, "as_of=1969-01-01": 400, "wait=26": 400, "wait=-1": 400, "wait=x": 400, "fresh=maybe": 400, "method=fifo&method=lifo": 400,
		"colour=red": 400, "method=" + strings.Repeat("x", 300): 400, "%00": 400, "method=lifo&as_of=2025-03-01&wait=3&fresh=true": 200,
	} {
		if got := w.ask("GET", "/v1/cases/c/summary?"+query, "viewer", ""); got.status != want {
			t.Errorf("%.60s answered %d: %s", query, got.status, got.body)
		}
	}
	want := cases.Selector{Case: "c", Method: "lifo", AsOf: 1740873599, Fresh: true, Wait: 3 * time.Second, By: "key-viewer"}
	if len(w.works.asked) != 1 || w.works.asked[0] != want {
		t.Errorf("asked %+v, want %+v", w.works.asked, want)
	}
	for id, want := range map[string]int{"none": http.StatusNotFound, "empty": http.StatusConflict, "a%22b": http.StatusBadRequest} {
		got := w.ask("GET", "/v1/cases/"+id+"/flows", "viewer", "")
		got.problem(t)
		if got.status != want {
			t.Errorf("%s answered %d: %s", id, got.status, got.body)
		}
	}
	if got := w.ask("GET", "/v1/cases/c/freezelist?act=nobody", "viewer", ""); got.status != http.StatusBadRequest {
		t.Errorf("an act that is none answered %d", got.status)
	}
	if got := w.ask("GET", "/v1/cases/c/places?q=b%C3%A4r&least=7&sort=hops&limit=3&cursor=NQ", "viewer", ""); got.status != http.StatusOK {
		t.Errorf("answered %d", got.status)
	}
	if got, want := w.works.places, (cases.PlaceQuery{Sort: "hops", Text: "bär", Least: "7", After: "5", Limit: 3}); got != want {
		t.Errorf("asked %+v, want %+v", got, want)
	}
}

// TestPending wants the job where a trace is not there yet, in the form of the document.
func TestPending(t *testing.T) {
	w := start(t)
	spec := w.document()
	documented := operations(spec)
	for _, what := range []string{"trace", "summary", "places", "flows", "freezelist", "methods"} {
		got := w.ask("GET", "/v1/cases/making/"+what+"?wait=0", "viewer", "")
		if got.status != http.StatusAccepted || got.header.Get("Location") != "/v1/jobs/job-9" || got.header.Get("Retry-After") != "1" {
			t.Errorf("%s answered %d, %v", what, got.status, got.header)
		}
		checkResponse(t, &schemas{spec}, documented["GET /v1/cases/{id}/"+what], &got)
	}
}

// TestJobRequests refuses what is no work, and lets nobody pass who may not begin it.
func TestJobRequests(t *testing.T) {
	w := start(t)
	for body, want := range map[string]int{
		`{"kind":"mining","case":"c"}`: 400, `{"kind":"trace"}`: 400, `{"kind":"trace","case":"a b"}`: 400, `{"kind":"trace","case":"c","formats":["html"]}`: 400,
		`{"kind":"report","case":"c","analyst":"` + strings.Repeat("x", 201) + `"}`: 400, `{"kind":"report","case":"c","by":"me"}`: 400, `{"kind":"report","case":"c","formats":["html"]}`: 202,
	} {
		if got := w.ask("POST", "/v1/jobs", "analyst", body); got.status != want {
			t.Errorf("%.60s answered %d: %s", body, got.status, got.body)
		}
	}
	if got := w.ask("POST", "/v1/jobs", "viewer", `{"kind":"trace","case":"c"}`); got.status != http.StatusForbidden {
		t.Errorf("a viewer was answered %d", got.status)
	}
	if len(w.works.jobs) != 1 || w.works.jobs[0].By != "key-analyst" {
		t.Fatalf("the jobs are %+v", w.works.jobs)
	}
	if last := w.audit.last(); last.Who != "key-analyst" || last.Action != "POST /v1/jobs" {
		t.Errorf("the audit log has %+v", last)
	}
	got := w.ask("GET", "/v1/jobs/job-1/result", "viewer", "")
	if got.header.Get("Content-Disposition") != `attachment; filename="a \"file\".zip"` || got.header.Get("Content-Type") != "application/zip" || string(got.body) != "PK.." {
		t.Errorf("the file came as %v", got.header)
	}
	if got := w.ask("GET", "/v1/jobs/job-7/result", "viewer", ""); got.status != http.StatusNotFound {
		t.Errorf("a job that is none answered %d", got.status)
	}
}

// TestCaseMembers goes through who works on a case.
func TestCaseMembers(t *testing.T) {
	w := start(t)
	for body, want := range map[string]int{`{"role":"boss"}`: 400, `{}`: 400, `{"role":"lead","by":"me"}`: 400, `{"role":"lead"}`: 200} {
		if got := w.ask("PUT", "/v1/cases/c/members/ann@example.org", "analyst", body); got.status != want {
			t.Errorf("%s answered %d: %s", body, got.status, got.body)
		}
	}
	if got := w.ask("PUT", "/v1/cases/c/members/a%20b", "analyst", `{"role":"lead"}`); got.status != http.StatusBadRequest {
		t.Errorf("a person with a space answered %d", got.status)
	}
	if m := w.works.members["ann@example.org"]; m.Role != "lead" || m.By != "key-analyst" || m.At == 0 {
		t.Errorf("kept is %+v", m)
	}
	for _, want := range []int{200, 404} {
		if got := w.ask("DELETE", "/v1/cases/c/members/ann@example.org", "analyst", ""); got.status != want {
			t.Errorf("answered %d, want %d", got.status, want)
		}
	}
}
