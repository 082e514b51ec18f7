package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"coldtrail/server"
)

// TestKnownRefusals wants a reason for whatever cannot be asked.
func TestKnownRefusals(t *testing.T) {
	w := start(t)
	long := strings.Repeat("é", 251) // 502 bytes
	tests := []struct {
		method, path, key, body string
		status                  int
		part                    string
	}{
		{"GET", "/v1/search", "viewer", "", 400, "q is missing"},
		{"GET", "/v1/search?q=%20%20", "viewer", "", 400, "q is missing"},
		{"GET", "/v1/search?q=" + url.QueryEscape(long), "viewer", "", 400, "too long"},
		{"GET", "/v1/search?q=" + url.QueryEscape(long[:500]), "viewer", "", 200, "lazarus-group"},
		{"GET", "/v1/search?q=%ff", "viewer", "", 400, "not UTF-8"},
		{"GET", "/v1/search?q=a%00b", "viewer", "", 400, "cannot be printed"},
		{"GET", "/v1/search?q=a%E2%80%AEb", "viewer", "", 400, "cannot be printed"},
		{"GET", "/v1/search?q=a&q=b", "viewer", "", 400, "there twice"},
		{"GET", "/v1/search?q=a&limit=0", "viewer", "", 400, "limit is a number"},
		{"GET", "/v1/search?q=a&limit=101", "viewer", "", 400, "limit is a number"},
		{"GET", "/v1/search?q=nothing", "viewer", "", 200, `"items":[],"complete":true`},
		{"GET", "/v1/search?q=a", "", "", 401, "credentials"},
		{"GET", "/v1/assets/one", "viewer", "", 400, "CAIP-19"},
		{"GET", "/v1/assets/one?asset=" + strings.Repeat("a", 161), "viewer", "", 400, "CAIP-19"},
		{"GET", "/v1/assets/one?asset=a%20b", "viewer", "", 400, "CAIP-19"},
		{"GET", "/v1/assets/one?asset=eip155:1/erc20:0x00", "viewer", "", 404, "not-found"},
		{"GET", "/v1/entities/nobody", "viewer", "", 404, "not-found"},
		{"GET", "/v1/entities/Lazarus%20Group", "viewer", "", 200, "Lazarus Group"},
		{"GET", "/v1/entities/%0a", "viewer", "", 400, "cannot be printed"},
		{"GET", "/v1/entities/" + strings.Repeat("a", 201), "viewer", "", 400, "201 bytes"},
		{"GET", "/v1/entities/x?limit=1001", "viewer", "", 400, "limit"},
		{"GET", "/v1/incidents/a%20b", "viewer", "", 400, "no identifier"},
		{"GET", "/v1/incidents/feed", "viewer", "", 200, "<feed/>"},
		{"POST", "/v1/incidents/feed", "viewer", "", 405, "GET, HEAD"},
		{"POST", "/v1/incidents/x", "viewer", "", 405, "GET, HEAD"},
		{"GET", "/v1/addresses/nochain/x/cluster", "viewer", "", 400, "invalid"},
		{"GET", "/v1/addresses/ethereum/x/cluster?to=a%20b", "viewer", "", 400, "no address"},
		{"GET", "/v1/addresses/ethereum/x/cluster?cursor=%21", "viewer", "", 400, "cursor"},
		{"GET", "/v1/addresses/ethereum/x/behaviour?owner=perhaps", "viewer", "", 400, "owner is true or false"},
		{"GET", "/v1/addresses/ethereum/x/behaviour?depth=9", "viewer", "", 400, "no parameter"},
		{"GET", "/v1/txs/ethereum/a%20b/proof", "viewer", "", 400, "no identifier"},
		{"POST", "/v1/labels/preview?name=x.csv", "viewer", "a", 403, "analyst"},
		{"POST", "/v1/labels/preview", "analyst", "a", 400, "name is missing"},
		{"POST", "/v1/labels/preview?name=..", "analyst", "a", 400, "not the name of a file"},
		{"POST", "/v1/labels/preview?name=..%2Fx.csv", "analyst", "a", 400, "not the name of a file"},
		{"POST", "/v1/labels/preview?name=a%0Ab.csv", "analyst", "a", 400, "cannot be printed"},
		{"POST", "/v1/labels/preview?name=x.csv&by=a%07", "analyst", "a", 400, "by has characters"},
		{"POST", "/v1/labels/preview?name=x.csv&keep_going=1", "analyst", "a", 400, "keep_going is true or false"},
		{"POST", "/v1/labels/import?name=x.csv", "analyst", "a", 400, "ask for a preview first"},
		{"POST", "/v1/labels/import?name=x.csv&digest=d2", "analyst", "a", 409, "changed"},
		{"POST", "/v1/labels/import?name=x.csv&digest=d1", "viewer", "a", 403, "analyst"},
	}
	for _, test := range tests {
		got := w.ask(test.method, test.path, test.key, test.body)
		if got.status != test.status || !strings.Contains(string(got.body), test.part) {
			t.Errorf("%s %.80s: %d %s, want %d and %q", test.method, test.path, got.status, got.body, test.status, test.part)
		}
	}
}

// TestLabelsOfManyKinds checks sizes and types of files, and that the audit log keeps the
// digest of an import and not the file.
func TestLabelsOfManyKinds(t *testing.T) {
	w := start(t)
	five := strings.Repeat("0x098B716B8Aaf21512996dC57EB0615e2383E2f96\n", 5<<20/43) // more than other bodies may have
	before := w.audit.count()
	if got := w.ask("POST", "/v1/labels/preview?name=x.txt", "analyst", five, "Content-Type: text/plain; charset=utf-8"); got.status != http.StatusOK || !strings.Contains(string(got.body), `"added":1`) {
		t.Errorf("5 MiB: %d %s", got.status, got.body)
	}
	if after := w.audit.count(); after != before {
		t.Errorf("a preview wrote %d records", after-before)
	}
	got := w.ask("POST", "/v1/labels/import?name=x.txt&digest=d1", "analyst", five, "Content-Type: application/octet-stream")
	if got.status != http.StatusOK || !strings.Contains(string(got.body), fmt.Sprintf(`"added":%d`, len(five))) {
		t.Errorf("import: %d %s", got.status, got.body)
	}
	record := w.audit.last()
	if record.Action != "POST /v1/labels/import" || len(record.Question) > 1000 || !strings.Contains(string(record.Question), `"digest":"d1"`) {
		t.Errorf("the audit log has %q of %d bytes: %.200s", record.Action, len(record.Question), record.Question)
	}
	large := strings.Repeat("x", server.MaxLabels+1)
	if got := w.ask("POST", "/v1/labels/preview?name=x.txt", "analyst", large, "Content-Type: text/plain"); got.status != http.StatusRequestEntityTooLarge || !strings.Contains(string(got.body), "33554432 bytes") {
		t.Errorf("too large: %d %s", got.status, got.body)
	}
	for _, header := range []string{"Content-Type: image/png", "Content-Type: text/plain; charset=utf-16", "Content-Encoding: gzip"} {
		if got := w.ask("POST", "/v1/labels/preview?name=x.txt", "analyst", "x", header); got.status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %d %s", header, got.status, got.body)
		}
	}
}

// slowLabels holds every preview until it is let go.
type slowLabels struct {
	known

	entered, leave chan struct{}
}

func (s slowLabels) Preview(ctx context.Context, f server.LabelFile) (server.LabelChanges, error) {
	s.entered <- struct{}{}
	<-s.leave
	return s.known.Preview(ctx, f)
}

// TestLabelFilesAreBounded wants 503 and not memory where many files come at once.
func TestLabelFilesAreBounded(t *testing.T) {
	slow := slowLabels{entered: make(chan struct{}), leave: make(chan struct{})}
	w := start(t, func(_ *server.Options, p *server.Parts) { p.LabelDesk = slow })
	done := make(chan answer)
	go func() { done <- w.ask("POST", "/v1/labels/preview?name=x.txt", "analyst", "{}") }()
	<-slow.entered
	if got := w.ask("POST", "/v1/labels/preview?name=x.txt", "analyst", "{}"); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("the second: %d %s", got.status, got.body)
	}
	close(slow.leave)
	if got := <-done; got.status != http.StatusOK {
		t.Errorf("the first: %d %s", got.status, got.body)
	}
}
