package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldtrail/server"
)

// document reads the document as it is served.
func (w *world) document() map[string]any {
	w.t.Helper()
	got := w.ask("GET", "/openapi.json", "", "")
	if got.status != http.StatusOK {
		w.t.Fatalf("openapi.json: %d", got.status)
	}
	return read[map[string]any](w.t, got.body)
}

// operations gives "METHOD path" and operation.
func operations(spec map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for path, item := range spec["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			out[strings.ToUpper(method)+" "+path] = op.(map[string]any)
		}
	}
	return out
}

// TestRoutesAreDocumented holds table and document together, in both directions, with the
// role that each needs.
func TestRoutesAreDocumented(t *testing.T) {
	w := start(t)
	documented := operations(w.document())
	for _, r := range server.Routes {
		name := r.Method + " " + r.Pattern
		op := documented[name]
		if op == nil {
			t.Errorf("%s is not in the document", name)
			continue
		}
		delete(documented, name)
		role, _ := op["x-role"].(string)
		if role != string(r.Role) {
			t.Errorf("%s needs the role %q and is documented with %q", name, r.Role, role)
		}
		responses := op["responses"].(map[string]any)
		if _, says := responses["501"]; says != (r.Part != "") {
			t.Errorf("%s: that it may not be wired is documented: %v, and its part is %q", name, says, r.Part)
		}
		for _, field := range []string{"operationId", "summary", "tags"} {
			if op[field] == nil {
				t.Errorf("%s has no %s", name, field)
			}
		}
	}
	for name := range documented {
		t.Errorf("%s is in the document and not in the table", name)
	}
}

// samples are requests with a good answer, in an order in which each can be answered.
var samples = []struct{ method, path, pattern, key, body string }{
	{"GET", "/v1/screen?subject=" + sanctionedAddress + "&chain=ethereum&purpose=withdrawal&amount=5&asset=eip155:1/slip44:60", "", "viewer", ""},
	{"GET", "/v1/screen?subject=" + bitcoinAddress + "&at=2024-01-01T00:00:00Z&known=1704067200", "", "viewer", ""},
	{"POST", "/v1/screen", "", "viewer", `[{"subject":"` + sanctionedAddress + `"},{"subject":"` + bitcoinAddress + `","at":5,"known":"2024-01-01T00:00:00Z"}]`},
	{"POST", "/v1/screen", "", "viewer", `{"questions":[{"subject":"` + cleanAddress + `","chain":"eip155:1","purpose":"swap","asset":"eip155:1/slip44:60","amount":"10"}]}`},
	{"GET", "/api/v1/address/" + sanctionedAddress, "/api/v1/address/{address}", "viewer", ""},
	{"GET", "/api/v1/address/" + cleanAddress, "/api/v1/address/{address}", "viewer", ""},
	{"GET", "/api/risk/v2/entities/" + sanctionedAddress, "/api/risk/v2/entities/{address}", "viewer", ""},
	{"GET", "/api/risk/v2/entities/" + cleanAddress, "/api/risk/v2/entities/{address}", "viewer", ""},
	{"POST", "/public/v1/sanctions/screening", "", "viewer", `[{"address":"` + sanctionedAddress + `"},{"address":"` + cleanAddress + `","chain":"ethereum"}]`},
	{"POST", "/rpc/ethereum", "/rpc/{chain}", "viewer", `{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`},
	{"POST", "/rpc/ethereum", "/rpc/{chain}", "viewer", `[{"jsonrpc":"2.0","id":"a","method":"eth_gasPrice","params":[]}]`},
	{"GET", "/v1/blocklists", "", "viewer", ""},
	{"GET", "/v1/blocklists/refused", "/v1/blocklists/{name}", "viewer", ""},
	{"GET", "/v1/alerts?limit=2", "", "viewer", ""},
	{"GET", "/v1/alerts/alert-2", "/v1/alerts/{id}", "viewer", ""},
	{"PUT", "/v1/targets/desk", "/v1/targets/{id}", "operator", `{"name":"The desk","kind":"webhook","address":"https://desk.example/hook"}`},
	{"GET", "/v1/targets", "", "analyst", ""},
	{"PUT", "/v1/subscriptions/severe", "/v1/subscriptions/{id}", "analyst", `{"name":"Severe","target":"desk","levels":["severe"]}`},
	{"GET", "/v1/subscriptions", "", "viewer", ""},
	{"DELETE", "/v1/subscriptions/severe", "/v1/subscriptions/{id}", "analyst", ""},
	{"DELETE", "/v1/targets/desk", "/v1/targets/{id}", "operator", ""},
	{"PUT", "/v1/watchlists/march", "/v1/watchlists/{id}", "analyst", `{"name":"Suspects of March","note":"n"}`},
	{"GET", "/v1/watchlists", "", "viewer", ""},
	{"GET", "/v1/watchlists/march", "/v1/watchlists/{id}", "viewer", ""},
	{"POST", "/v1/watchlists/march/members", "/v1/watchlists/{id}/members", "analyst", `{"add":[{"address":"` + cleanAddress + `","chain":"eip155:1","note":"x"},{"address":"` + bitcoinAddress + `"}],"remove":[{"address":"0x1"}]}`},
	{"GET", "/v1/watchlists/march/members?limit=1", "/v1/watchlists/{id}/members", "viewer", ""},
	{"DELETE", "/v1/watchlists/march", "/v1/watchlists/{id}", "analyst", ""},
	{"GET", "/v1/venues", "", "viewer", ""},
	{"GET", "/v1/venues/swap", "/v1/venues/{id}", "viewer", ""},
	{"PUT", "/v1/venues/other", "/v1/venues/{id}", "operator", `{"name":"Other","kind":"events","config":{"a":1}}`},
	{"POST", "/v1/venues/swap/events", "/v1/venues/{id}/events", "analyst", `{"id":"order-1","moment":1740160000,"route":"ETH>BTC","sender":"` + sanctionedAddress + `","usd_cents":5,"amount":"7"}`},
	{"POST", "/v1/venues/swap/events", "/v1/venues/{id}/events", "analyst", `[{"id":"order-2","moment":1740160000,"route":"ETH>BTC","sender":"` + cleanAddress + `"}]`},
	{"PUT", "/v1/venues/swap/override", "/v1/venues/{id}/override", "operator", `{"incident":"bybit-2025","route":"*","state":"HALT","until":` + strconv.FormatInt(time.Now().Unix()+3600, 10) + `,"name":"A. Analyst","reason":"confirmed"}`},
	{"GET", "/v1/venues/swap/decisions?limit=2", "/v1/venues/{id}/decisions", "viewer", ""},
	{"GET", "/v1/policy", "", "viewer", ""},
	{"POST", "/v1/policy", "", "analyst", `{"text":"rules: [x]"}`},
	{"PUT", "/v1/policy", "", "operator", `{"text":"rules: [x]","reason":"the board said so","expect":"sha256:p1"}`},
	{"PUT", "/v1/cases/bybit-2025", "/v1/cases/{id}", "analyst", `{"title":"Bybit","text":"case: bybit-2025\n"}`},
	{"GET", "/v1/cases", "", "viewer", ""},
	{"GET", "/v1/cases/bybit-2025", "/v1/cases/{id}", "viewer", ""},
	{"POST", "/v1/cases/bybit-2025/notes", "/v1/cases/{id}/notes", "analyst", `{"text":"The exchange has confirmed."}`},
	{"GET", "/v1/cases/bybit-2025/notes", "/v1/cases/{id}/notes", "viewer", ""},
	{"POST", "/v1/jobs", "", "analyst", `{"kind":"report","case":"bybit-2025","method":"lifo","as_of":"2025-03-01","formats":["html","stix"],"analyst":"A","tlp":"green"}`},
	{"GET", "/v1/jobs?limit=1", "", "viewer", ""},
	{"GET", "/v1/jobs/job-1", "/v1/jobs/{id}", "viewer", ""},
	{"GET", "/v1/jobs/job-1/result", "/v1/jobs/{id}/result", "viewer", ""},
	{"DELETE", "/v1/jobs/job-1", "/v1/jobs/{id}", "analyst", ""},
	{"GET", "/v1/cases/c/trace", "/v1/cases/{id}/trace", "viewer", ""},
	{"GET", "/v1/cases/c/summary?method=haircut", "/v1/cases/{id}/summary", "viewer", ""},
	{"GET", "/v1/cases/c/places?sort=amount&order=asc", "/v1/cases/{id}/places", "viewer", ""},
	{"GET", "/v1/cases/c/flows", "/v1/cases/{id}/flows", "viewer", ""},
	{"GET", "/v1/cases/c/freezelist", "/v1/cases/{id}/freezelist", "viewer", ""},
	{"GET", "/v1/cases/c/methods", "/v1/cases/{id}/methods", "viewer", ""},
	{"GET", "/v1/cases/c/revisions", "/v1/cases/{id}/revisions", "viewer", ""},
	{"PUT", "/v1/cases/c/members/ann", "/v1/cases/{id}/members/{person}", "analyst", `{"role":"lead"}`},
	{"GET", "/v1/cases/c/members", "/v1/cases/{id}/members", "viewer", ""},
	{"DELETE", "/v1/cases/c/members/ann", "/v1/cases/{id}/members/{person}", "analyst", ""},
	{"GET", "/v1/addresses/ethereum/" + cleanAddress, "/v1/addresses/{chain}/{address}", "viewer", ""},
	{"GET", "/v1/addresses/eip155:1/" + cleanAddress + "/labels", "/v1/addresses/{chain}/{address}/labels", "viewer", ""},
	{"GET", "/v1/addresses/ethereum/" + cleanAddress + "/transfers?limit=1", "/v1/addresses/{chain}/{address}/transfers", "viewer", ""},
	{"GET", "/v1/addresses/ethereum/" + sanctionedAddress + "/exposure", "/v1/addresses/{chain}/{address}/exposure", "viewer", ""},
	{"GET", "/v1/txs/ethereum/0xaa", "/v1/txs/{chain}/{id}", "viewer", ""},
	{"GET", "/v1/cases/slow/sankey", "/v1/cases/{id}/sankey", "viewer", ""},
	{"GET", "/v1/cases/bybit-2025/sankey?colour=red", "/v1/cases/{id}/sankey", "viewer", ""},
	{"GET", "/v1/cases/bybit-2025/timeline", "/v1/cases/{id}/timeline", "viewer", ""},
	{"GET", "/v1/cases/bybit-2025/graph", "/v1/cases/{id}/graph", "viewer", ""},
	{"GET", "/v1/cases/bybit-2025/path?at=0x2&colour=red", "/v1/cases/{id}/path", "viewer", ""},
	{"GET", "/v1/addresses/ethereum/" + cleanAddress + "/neighbours", "/v1/addresses/{chain}/{address}/neighbours", "viewer", ""},
	{"GET", "/v1/txs/ethereum/0xaa/graph", "/v1/txs/{chain}/{id}/graph", "viewer", ""},
	{"GET", "/v1/paths/ethereum?from=a&to=b", "/v1/paths/{chain}", "viewer", ""},
	{"POST", "/v1/graph/layout", "", "viewer", `{"nodes":[{"key":"a"},{"key":"b","layer":3}],"edges":[{"from":"a","to":"b"}]}`},
	{"GET", "/v1/holdings?as_of=2025-03-17&actor=lazarus&asset=BTC&all=true", "", "viewer", ""},
	{"GET", "/v1/entities", "", "viewer", ""},
	{"GET", "/v1/incidents?actor=lazarus", "", "viewer", ""},
	{"GET", "/v1/incidents/feed", "", "viewer", ""},
	{"GET", "/v1/search?q=lazarus&limit=5", "", "viewer", ""},
	{"GET", "/v1/assets", "", "viewer", ""},
	{"GET", "/v1/assets/one?asset=eip155:1/slip44:60", "", "viewer", ""},
	{"GET", "/v1/prices?at=2025-03-17", "", "viewer", ""},
	{"GET", "/v1/entities/lazarus-group?limit=5", "/v1/entities/{id}", "viewer", ""},
	{"GET", "/v1/incidents/bybit-2025", "/v1/incidents/{id}", "viewer", ""},
	{"GET", "/v1/addresses/ethereum/" + cleanAddress + "/cluster?to=" + sanctionedAddress + "&limit=1", "/v1/addresses/{chain}/{address}/cluster", "viewer", ""},
	{"GET", "/v1/addresses/ethereum/" + cleanAddress + "/behaviour?pattern=fan-out&owner=true", "/v1/addresses/{chain}/{address}/behaviour", "viewer", ""},
	{"GET", "/v1/addresses/ethereum/" + cleanAddress + "/conflicts", "/v1/addresses/{chain}/{address}/conflicts", "viewer", ""},
	{"GET", "/v1/status", "", "viewer", ""},
	{"GET", "/v1/txs/bitcoin/aa/proof", "/v1/txs/{chain}/{id}/proof", "viewer", ""},
	{"GET", "/v1/labels/lists", "", "viewer", ""},
	{"POST", "/v1/labels/preview?name=desk.json&by=me", "/v1/labels/preview", "analyst", `{"type":"bundle","objects":[]}`},
	{"POST", "/v1/labels/import?name=desk.json&by=me&digest=d1", "/v1/labels/import", "analyst", `{"type":"bundle","objects":[]}`},
	{"GET", "/v1/keys", "", "admin", ""},
	{"POST", "/v1/keys", "", "admin", `{"name":"The shop","role":"viewer"}`},
	{"DELETE", "/v1/keys/key-6", "/v1/keys/{id}", "admin", ""},
	{"GET", "/auth/session", "", "viewer", ""},
	{"GET", "/healthz", "", "", ""},
	{"GET", "/readyz", "", "", ""},
	{"GET", "/metrics", "", "viewer", ""},
	{"GET", "/openapi.json", "", "", ""},
	{"GET", "/docs", "", "", ""},
}

// elsewhere are routes whose good answers other tests check.
var elsewhere = []string{"GET /v1/events", "GET /auth/login", "GET /auth/callback", "POST /auth/logout"}

// TestAnswersMatchDocument asks every route and holds the answers against the document.
func TestAnswersMatchDocument(t *testing.T) {
	w := start(t)
	w.alerts.raise(3)
	spec := w.document()
	check := &schemas{spec}
	documented := operations(spec)
	asked := slices.Clone(elsewhere)
	for _, s := range samples {
		pattern := s.pattern
		if pattern == "" {
			pattern, _, _ = strings.Cut(s.path, "?")
		}
		name := s.method + " " + pattern
		asked = append(asked, name)
		t.Run(name, func(t *testing.T) {
			op := documented[name]
			if op == nil {
				t.Fatal("is not in the document")
			}
			if s.body != "" {
				checkRequest(t, check, op, s.body)
			}
			got := w.ask(s.method, s.path, s.key, s.body)
			if got.status < 200 || got.status > 299 {
				t.Fatalf("answered %d: %s", got.status, got.body)
			}
			checkResponse(t, check, op, &got)
			checkHeaders(t, &got)
		})
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if !slices.Contains(asked, name) {
			t.Errorf("%s was not asked", name)
		}
	}
}

func checkRequest(t *testing.T, check *schemas, op map[string]any, body string) {
	t.Helper()
	value, err := plainJSON([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	schema := op["requestBody"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["schema"].(map[string]any)
	for _, wrong := range check.check(schema, value, "request") {
		t.Error(wrong)
	}
}

func checkResponse(t *testing.T, check *schemas, op map[string]any, got *answer) {
	t.Helper()
	responses := op["responses"].(map[string]any)
	response, ok := responses[strconv.Itoa(got.status)].(map[string]any)
	if !ok {
		if response, ok = responses["default"].(map[string]any); !ok {
			t.Fatalf("the status %d is not in the document", got.status)
		}
	}
	content, _ := check.resolve(response)["content"].(map[string]any)
	if content == nil {
		if len(got.body) > 0 {
			t.Errorf("a body is not in the document: %s", got.body)
		}
		return
	}
	kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	media, ok := content[kind].(map[string]any)
	if !ok {
		t.Fatalf("the type %q of %d is not in the document: %s", kind, got.status, got.body)
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	value, err := plainJSON(got.body)
	if err != nil {
		t.Fatalf("%s: %v", got.body, err)
	}
	for _, wrong := range check.check(media["schema"].(map[string]any), value, "answer") {
		t.Errorf("%s in %s", wrong, got.body)
	}
}

func checkHeaders(t *testing.T, got *answer) {
	t.Helper()
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if have := got.header.Get(name); have != want {
			t.Errorf("%s is %q, want %q", name, have, want)
		}
	}
	if csp := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("the policy of content is %q", csp)
	}
	if got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("scripts of other origins may read the answer")
	}
}

// TestLinesMatchDocument asks in lines and holds every line against the document.
func TestLinesMatchDocument(t *testing.T) {
	w := start(t)
	spec := w.document()
	check := &schemas{spec}
	got := w.ask("POST", "/v1/screen?chain=ethereum&purpose=deposit", "viewer", sanctionedAddress+"\n\n"+cleanAddress+"\r\n", "Content-Type: text/plain")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/jsonl" {
		t.Fatalf("answered %d as %s: %s", got.status, got.header.Get("Content-Type"), got.body)
	}
	lines := strings.Split(strings.TrimSuffix(string(got.body), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want the basis and two verdicts", len(lines))
	}
	for i, line := range lines {
		value, err := plainJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range check.check(map[string]any{"$ref": "#/components/schemas/VerdictLine"}, value, fmt.Sprint("line ", i)) {
			t.Error(wrong)
		}
	}
	for i, want := range []string{`"basis"`, `"subject":"` + sanctionedAddress + `","chain":"ethereum","purpose":"deposit","level":"severe"`, `"subject":"` + cleanAddress + `","chain":"ethereum","purpose":"deposit","level":"unknown"`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want %s in it", i, lines[i], want)
		}
	}
}

// TestNothingIsWired wants 501 and a problem document wherever a part is missing, and the
// rest to work.
func TestNothingIsWired(t *testing.T) {
	w := start(t, func(o *server.Options, p *server.Parts) {
		*p = server.Parts{}
		o.Open = true
	})
	spec := w.document()
	check := &schemas{spec}
	documented := operations(spec)
	for _, r := range server.Routes {
		path := strings.NewReplacer("{address}", cleanAddress, "{chain}", "ethereum", "{id}", "x", "{name}", "x").Replace(r.Pattern)
		got := w.ask(r.Method, path, "", "")
		if r.Part == "" {
			if got.status == http.StatusNotImplemented {
				t.Errorf("%s %s needs nothing and is 501", r.Method, path)
			}
			continue
		}
		if got.status != http.StatusNotImplemented {
			t.Errorf("%s %s answered %d: %s", r.Method, path, got.status, got.body)
			continue
		}
		checkResponse(t, check, documented[r.Method+" "+r.Pattern], &got)
	}
	ready := w.ask("GET", "/readyz", "", "")
	if ready.status != http.StatusServiceUnavailable {
		t.Errorf("a server without screening is ready: %s", ready.body)
	}
}

// TestDocs checks that the page for people tells of every route and problem, and runs no
// script.
func TestDocs(t *testing.T) {
	w := start(t)
	got := w.ask("GET", "/docs", "", "")
	page := string(got.body)
	if strings.Contains(page, "<script") || strings.Contains(page, "src=") {
		t.Error("the page loads something")
	}
	for name, op := range operations(w.document()) {
		_, path, _ := strings.Cut(name, " ")
		if !strings.Contains(page, "<code>"+path+"</code>") || !strings.Contains(page, `id="`+op["operationId"].(string)+`"`) {
			t.Errorf("%s is not on the page", name)
		}
	}
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(got.header.Get("Content-Security-Policy"), want) {
		t.Errorf("the policy %q does not allow the page's own style", got.header.Get("Content-Security-Policy"))
	}
	problem := w.ask("GET", "/v1/nothing", "", "")
	kind := problem.problem(t)["type"].(string)
	if _, slug, _ := strings.Cut(kind, "#"); !strings.Contains(page, `<tr id="`+slug+`">`) {
		t.Errorf("the problem %s is not on the page", kind)
	}
}
