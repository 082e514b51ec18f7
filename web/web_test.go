package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"coldtrail/web"
)

func open(t *testing.T) *web.Site {
	t.Helper()
	site, err := web.New()
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func get(t *testing.T, site *web.Site, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	site.ServeHTTP(recorder, request)
	return recorder
}

// TestFront wants the first page with a policy that lets nothing in from elsewhere.
func TestFront(t *testing.T) {
	got := get(t, open(t), "/")
	if got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/html") || !strings.Contains(got.Body.String(), `<div id="app">`) {
		t.Fatalf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	policy := got.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	for _, bad := range []string{"unsafe", "http:", "https:", "*"} {
		if strings.Contains(policy, bad) {
			t.Errorf("the policy %q has %q", policy, bad)
		}
	}
	again := get(t, open(t), "/", "If-None-Match", got.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("with its tag: %d, %d bytes", again.Code, again.Body.Len())
	}
}

// TestPacked wants the same bytes packed and plain, and the size of all pages within
// what a slow line bears: 450 KB.
func TestPacked(t *testing.T) {
	site, total := open(t), 0
	for _, name := range site.Paths() {
		plain, packed := get(t, site, name), get(t, site, name, "Accept-Encoding", "gzip")
		body := io.Reader(packed.Body)
		if packed.Body.Len() != site.Packed(name) {
			t.Errorf("%s: %d bytes were sent, Packed says %d", name, packed.Body.Len(), site.Packed(name))
		}
		if packed.Header().Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = unpacked
		}
		text, err := io.ReadAll(body)
		if err != nil || string(text) != plain.Body.String() {
			t.Errorf("%s: packed it is not what it is (%v)", name, err)
		}
		if name != "/index.html" { // it is "/"
			total += site.Packed(name)
		}
		if lasting := strings.Contains(plain.Header().Get("Cache-Control"), "immutable"); lasting != (path.Dir(name) == "/assets") {
			t.Errorf("%s: kept for ever: %v", name, lasting)
		}
	}
	t.Logf("all pages: %d bytes packed", total)
	if total > 450_000 {
		t.Errorf("all pages are %d bytes packed, at most 450,000 are wanted", total)
	}
	if site.Packed("/none") != -1 {
		t.Error("a path that is not there has a size")
	}
}

// TestNothingElse wants nothing outside of the pages to be served.
func TestNothingElse(t *testing.T) {
	site := open(t)
	for _, name := range []string{"/dist/index.html", "/../web.go", "/assets/", "/assets", "//", "/assets/..%2findex.html"} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		request.URL.Path = name
		recorder := httptest.NewRecorder()
		site.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, recorder.Code)
		}
	}
}

// TestNothingFromElsewhere wants no page to name a place outside.
func TestNothingFromElsewhere(t *testing.T) {
	site := open(t)
	for _, name := range site.Paths() {
		text := get(t, site, name).Body.String()
		for _, bad := range []string{"fonts.googleapis", "cdn.", "unpkg", "jsdelivr", `src="http`, `href="http`, "import('http", `import("http`, "@import url(http"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
}
