package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coldtrail/screen/exposure"
	"coldtrail/server"
)

// TestViewersChangeNothing wants every route that a viewer may use to be a question.
func TestViewersChangeNothing(t *testing.T) {
	questions := []string{"POST /v1/screen", "POST /public/v1/sanctions/screening", "POST /rpc/{chain}", "POST /v1/graph/layout", "POST /auth/logout"}
	for _, r := range server.Routes {
		if server.Viewer.Includes(r.Role) && r.Method != http.MethodGet && !isIn(r.Method+" "+r.Pattern, questions) {
			t.Errorf("a viewer may %s %s", r.Method, r.Pattern)
		}
	}
}

func isIn(text string, list []string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}

// TestReadiness goes through what makes a server not ready, and what does not.
func TestReadiness(t *testing.T) {
	w := start(t)
	now := time.Now().Unix()
	ready := func(what string, want int, texts ...string) {
		t.Helper()
		got := w.ask("GET", "/readyz", "viewer", "")
		if got.status != want {
			t.Errorf("%s: answered %d: %s", what, got.status, got.body)
		}
		for _, text := range texts {
			if !strings.Contains(string(got.body), text) {
				t.Errorf("%s: %s is not in %s", what, text, got.body)
			}
		}
	}
	ready("all is well", 200, `"ready":true`, `{"chain":"eip155:1","height":21900000,`, `{"name":"outbox","length":3,"capacity":1000}`, `/var/lib/x`)
	if got := w.ask("GET", "/readyz", "", ""); strings.Contains(string(got.body), "/var/lib/x") {
		t.Error("strangers read details")
	}
	v := newView(now - 3600)
	w.screening.set(v)
	ready("chains that are followed are an hour old", 503, `{"name":"chain eip155:1","state":"failed","detail":"nothing was heard of it for 36`, `"stale":true`)
	if got := w.ask("GET", "/v1/screen?subject="+cleanAddress, "viewer", ""); got.status != http.StatusOK || len(got.header.Get("Coldtrail-Data-Age")) != 4 {
		t.Errorf("with old data screening answers %d, age %s", got.status, got.header.Get("Coldtrail-Data-Age"))
	}
	v = newView(now - 3600)
	for chain, head := range v.basis.Heads {
		head.Seen = 0
		v.basis.Heads[chain] = head
	}
	w.screening.set(v)
	ready("chains that are not followed are old", 200, `"followed":false,"stale":true`)
	w.screening.set(nil)
	ready("nothing is loaded yet", 503, `{"name":"screening","state":"failed"`)
	w.screening.set(newView(now))
	w.health.state.Store(&server.Part{Name: "store", State: server.Failed, Needed: true, Detail: "disk full"})
	ready("a part that is needed fails", 503, "disk full")
	w.health.state.Store(&server.Part{Name: "mail", State: server.Failed, Detail: "no relay"})
	ready("a part that is not needed fails", 200, "no relay")
	v = newView(now)
	v.basis.Labels = ""
	w.screening.set(v)
	ready("no labels are loaded", 200, `{"name":"screening","state":"degraded"`)
	if got := w.ask("GET", "/metrics", "viewer", ""); !strings.Contains(string(got.body), `coldtrail_head_age_seconds{chain="eip155:1"}`) || !strings.Contains(string(got.body), `coldtrail_queue_length{queue="outbox"} 3`) ||
		!strings.Contains(string(got.body), `coldtrail_verdicts_total{outcome="allow"} 1`) || !strings.Contains(string(got.body), `coldtrail_http_requests_total{route="GET /v1/screen",status="200"} 1`) {
		t.Errorf("the metrics are %s", got.body)
	}
}

// TestPages walks lists by their cursors, and refuses cursors of others.
func TestPages(t *testing.T) {
	w := start(t)
	w.alerts.raise(7)
	var seen []string
	for path := "/v1/alerts?limit=3"; path != ""; {
		got := w.ask("GET", path, "viewer", "")
		page := read[struct {
			Items []struct{ ID string }
			Next  string
		}](t, got.body)
		for _, item := range page.Items {
			seen = append(seen, item.ID)
		}
		path = ""
		if page.Next != "" {
			path = "/v1/alerts?limit=3&cursor=" + page.Next
		}
	}
	if got := fmt.Sprint(seen); got != "[alert-2 alert-4 alert-6 alert-8 alert-10 alert-12 alert-14]" {
		t.Errorf("walked %s", got)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "cursor=!", "cursor=YWJj", "colour=red"} {
		if got := w.ask("GET", "/v1/alerts?"+query, "viewer", ""); got.status != http.StatusBadRequest {
			t.Errorf("%s answered %d", query, got.status)
		}
	}
	transfers := w.ask("GET", "/v1/addresses/ethereum/"+cleanAddress+"/transfers", "viewer", "")
	next := read[struct{ Next string }](t, transfers.body).Next
	if got := w.ask("GET", "/v1/addresses/ethereum/"+cleanAddress+"/transfers?cursor="+next, "viewer", ""); string(got.body) != `{"items":[]}`+"\n" {
		t.Errorf("the last page is %s", got.body)
	}
}

// TestExposure: the facts come with what conclusions about the owner rest on.
func TestExposure(t *testing.T) {
	w := start(t)
	got := w.ask("GET", "/v1/addresses/ethereum/"+ownedAddress+"/exposure", "viewer", "")
	facts := read[struct{ Facts []exposure.Fact }](t, got.body).Facts
	if len(facts) != 1 || facts[0].Kind != exposure.Owned || facts[0].About != sanctionedAddress || !slices.Equal(facts[0].Evidence, []string{"0xtie"}) {
		t.Errorf("it answers %d %s", got.status, got.body)
	}
}

// TestHoldings: what is asked reaches who answers, and what makes no sense is a problem.
func TestHoldings(t *testing.T) {
	w := start(t)
	for query, want := range map[string]string{
		"": " of  in  false", "?as_of=2025-03-17&actor=lazarus&asset=BTC&all=true": "2025-03-17 of lazarus in BTC true", "?all=false": " of  in  false",
	} {
		got := w.ask("GET", "/v1/holdings"+query, "viewer", "")
		if as := read[struct {
			AsOf string `json:"as_of"`
		}](t, got.body).AsOf; got.status != http.StatusOK || as != want {
			t.Errorf("%s answers %d, %q; want %q", query, got.status, as, want)
		}
	}
	for query, want := range map[string]int{
		"?all=maybe": http.StatusBadRequest, "?day=1": http.StatusBadRequest, "?actor=a&actor=b": http.StatusBadRequest, "?as_of=yesterday": http.StatusBadRequest,
		"?actor=nobody": http.StatusNotFound, "?actor=" + strings.Repeat("x", 201): http.StatusBadRequest,
	} {
		if got := w.ask("GET", "/v1/holdings"+query, "viewer", ""); got.status != want {
			t.Errorf("%s answers %d, want %d", query, got.status, want)
		}
	}
	if got := w.ask("GET", "/v1/incidents/feed", "viewer", ""); got.header.Get("Content-Type") != "application/atom+xml; charset=utf-8" || string(got.body) != "<feed/>" {
		t.Errorf("the feed is %s %s", got.header.Get("Content-Type"), got.body)
	}
	if got := w.ask("GET", "/v1/incidents?actor=lazarus", "viewer", ""); !strings.Contains(string(got.body), `"id":"theft-of-lazarus"`) {
		t.Errorf("the thefts are %s", got.body)
	}
}

// TestVenue posts uses once, twice and otherwise, and sets states by hand.
func TestVenue(t *testing.T) {
	w := start(t)
	use := `{"id":"order-1","moment":1740160000,"route":"ETH>BTC","sender":"` + sanctionedAddress + `"}`
	first := w.ask("POST", "/v1/venues/swap/events", "analyst", use)
	again := w.ask("POST", "/v1/venues/swap/events", "analyst", use)
	if first.status != http.StatusOK || string(first.body) != string(again.body) || !strings.Contains(string(first.body), `"action":"refuse"`) {
		t.Errorf("answered %d %s, then %d %s", first.status, first.body, again.status, again.body)
	}
	if first.header.Get("Coldtrail-Audit") != "1" || first.header.Get("Coldtrail-Data-Age") == "" {
		t.Errorf("the headers are %v", first.header)
	}
	other := w.ask("POST", "/v1/venues/swap/events", "analyst", strings.Replace(use, "ETH>BTC", "BTC>ETH", 1))
	if other.status != http.StatusConflict || other.problem(t)["action"] != "review" {
		t.Errorf("another use of the same id answered %d %s", other.status, other.body)
	}
	until := time.Now().Unix() + 60
	tests := []struct {
		name, path, body string
		want             int
	}{
		{"no venue", "/v1/venues/none/events", use, 404},
		{"no sender", "/v1/venues/swap/events", `{"id":"a","moment":1,"route":"x"}`, 400},
		{"no moment", "/v1/venues/swap/events", `{"id":"a","route":"x","sender":"y"}`, 400},
		{"the caller says that it is clean", "/v1/venues/swap/events", `{"id":"a","moment":1,"route":"x","sender":"y","taint":[]}`, 400},
		{"a long text", "/v1/venues/swap/events", `{"id":"` + strings.Repeat("a", 257) + `","moment":1,"route":"x","sender":"y"}`, 400},
		{"no use", "/v1/venues/swap/events", `[]`, 400},
		{"too many uses", "/v1/venues/swap/events", "[" + strings.Repeat(use+",", 1000) + use + "]", 400},
		{"an override without a name", "/v1/venues/swap/override", fmt.Sprintf(`{"incident":"i","route":"*","state":"HALT","until":%d,"name":" ","reason":"r"}`, until), 400},
		{"an override without a reason", "/v1/venues/swap/override", fmt.Sprintf(`{"incident":"i","route":"*","state":"HALT","until":%d,"name":"n"}`, until), 400},
		{"an override without an end", "/v1/venues/swap/override", `{"incident":"i","route":"*","state":"HALT","name":"n","reason":"r"}`, 400},
		{"an override to no state", "/v1/venues/swap/override", fmt.Sprintf(`{"incident":"i","route":"*","state":"OPEN","until":%d,"name":"n","reason":"r"}`, until), 400},
		{"an override by somebody else", "/v1/venues/swap/override", fmt.Sprintf(`{"incident":"i","route":"*","state":"HALT","until":%d,"name":"n","reason":"r","by":"key-admin"}`, until), 400},
		{"an override", "/v1/venues/swap/override", fmt.Sprintf(`{"incident":"i","route":"*","state":"HALT","until":%d,"name":"n","reason":"r"}`, until), 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			method := "POST"
			if strings.HasSuffix(test.path, "override") {
				method = "PUT"
			}
			if got := w.ask(method, test.path, "operator", test.body); got.status != test.want {
				t.Errorf("answered %d, want %d: %s", got.status, test.want, got.body)
			}
		})
	}
	if r := w.audit.last(); r.Who != "key-operator" || r.Action != "PUT /v1/venues/swap/override" || !strings.Contains(string(r.Question), `"name":"n"`) {
		t.Errorf("the record is %+v", r)
	}
}

// TestFailures checks what the errors of parts become.
func TestFailures(t *testing.T) {
	w := start(t)
	w.ask("PUT", "/v1/cases/c", "analyst", `{"title":"a","text":"b"}`)
	tests := []struct {
		name, method, path, key, body string
		status                        int
		kind                          string
	}{
		{"not there", "GET", "/v1/cases/none", "viewer", "", 404, "not-found"},
		{"changed in the meantime", "PUT", "/v1/cases/c", "analyst", `{"title":"x","text":"y","expect":0}`, 409, "changed"},
		{"a policy changed in the meantime", "PUT", "/v1/policy", "operator", `{"text":"x","reason":"y","expect":"sha256:old"}`, 409, "changed"},
		{"a policy that is none", "POST", "/v1/policy", "analyst", `{"text":"broken"}`, 400, "invalid"},
		{"a policy without a reason", "PUT", "/v1/policy", "operator", `{"text":"x"}`, 400, "invalid"},
		{"a target that is not there", "PUT", "/v1/subscriptions/x", "analyst", `{"target":"none"}`, 404, "not-found"},
		{"a chain that is none", "GET", "/v1/addresses/dogecoin/x", "viewer", "", 400, "invalid"},
		{"nothing held", "GET", "/v1/addresses/bitcoin/" + bitcoinAddress, "viewer", "", 404, "not-found"},
		{"a list that is not there", "POST", "/v1/watchlists/none/members", "analyst", `{"add":[{"address":"a"}]}`, 404, "not-found"},
		{"a key without a name", "POST", "/v1/keys", "admin", `{"role":"viewer"}`, 400, "invalid"},
		{"a key of no role", "POST", "/v1/keys", "admin", `{"name":"x","role":"owner"}`, 400, "invalid"},
		{"a key of the past", "POST", "/v1/keys", "admin", `{"name":"x","role":"viewer","expires":5}`, 400, "invalid"},
		{"nowhere", "GET", "/v2", "viewer", "", 404, "not-found"},
		{"another method", "DELETE", "/v1/screen", "viewer", "", 405, "method"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask(test.method, test.path, test.key, test.body)
			if got.status != test.status || got.problem(t)["type"] != "/docs#"+test.kind {
				t.Errorf("answered %d %s", got.status, got.body)
			}
		})
	}
	w.desk.mu.Lock()
	w.desk.full = true
	w.desk.mu.Unlock()
	if got := w.ask("PUT", "/v1/watchlists/x", "analyst", `{}`); got.status != http.StatusInsufficientStorage {
		t.Errorf("a full disk answered %d %s", got.status, got.body)
	}
}

// TestWhoseItIs wants a change to leave who made a thing, and when.
func TestWhoseItIs(t *testing.T) {
	w := start(t)
	w.ask("PUT", "/v1/targets/desk", "operator", `{"kind":"mail","address":"desk@example.com"}`)
	for path, body := range map[string]string{"/v1/watchlists/x": `{"name":"x"}`, "/v1/subscriptions/x": `{"target":"desk"}`, "/v1/venues/x": `{"name":"x","kind":"events"}`} {
		w.ask("PUT", path, "operator", body)
		got := w.ask("PUT", path, "admin", body)
		if got.status != http.StatusOK || !strings.Contains(string(got.body), `"by":"key-operator"`) {
			t.Errorf("%s answered %d %s", path, got.status, got.body)
		}
		if r := w.audit.last(); r.Who != "key-admin" {
			t.Errorf("the audit log says that %s did it", r.Who)
		}
	}
}

// TestTargetSecret tells a secret once and writes it down nowhere.
func TestTargetSecret(t *testing.T) {
	w := start(t)
	body := `{"kind":"webhook","address":"https://desk.example/hook"}`
	got := w.ask("PUT", "/v1/targets/desk", "operator", body)
	if !strings.Contains(string(got.body), `"secret":"made for desk"`) {
		t.Errorf("answered %s", got.body)
	}
	if r := w.audit.last(); strings.Contains(string(r.Answer), "made for") {
		t.Errorf("the audit log holds %s", r.Answer)
	}
	for _, again := range []answer{w.ask("PUT", "/v1/targets/desk", "operator", body), w.ask("GET", "/v1/targets", "analyst", "")} {
		if strings.Contains(string(again.body), "secret") {
			t.Errorf("the secret is told again: %s", again.body)
		}
	}
}

// TestShutdown lets what is being answered end, tells readers of the stream, and returns.
func TestShutdown(t *testing.T) {
	slow := &slowScreening{screening: &screening{}, entered: make(chan struct{}, 1), leave: make(chan struct{})}
	slow.set(newView(time.Now().Unix()))
	s, err := server.New(server.Options{Now: time.Now, Open: true}, server.Parts{Screening: slow, Alerts: &alerts{}})
	if err != nil {
		t.Fatal(err)
	}
	listener := listenOn(t, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	w := &world{t: t, url: "http://" + listener.Addr().String(), client: &http.Client{Transport: transport}}
	r := w.listen("/v1/events")
	r.next()
	answered := make(chan answer, 1)
	go func() { answered <- w.ask("GET", "/v1/screen?at=5&subject="+cleanAddress, "", "") }()
	<-slow.entered
	cancel()
	if block := r.next(); block["event"] != "closing" {
		t.Errorf("the stream ends with %v", block)
	}
	close(slow.leave)
	if got := <-answered; got.status != http.StatusOK {
		t.Errorf("what was being answered ended with %d", got.status)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := s.Serve(t.Context()); err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("serving on nothing gave %v", err)
	}
}
