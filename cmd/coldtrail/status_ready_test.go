package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestReadyOfARealServer asks a server that is ready, and then one that has ended.
func TestReadyOfARealServer(t *testing.T) {
	s := serve(t, "--data", t.TempDir(), "serve", "--open")
	if out := must(t, "status", "--ready", s.url); !strings.HasPrefix(out, "ready\n") || !strings.Contains(out, "\naudit: working, needed\n") {
		t.Errorf("%q", out)
	}
	var answer struct{ Ready bool }
	if err := json.Unmarshal([]byte(must(t, "status", "--json", "--ready", s.url)), &answer); err != nil || !answer.Ready {
		t.Errorf("%v %v", answer, err)
	}
	s.stop()
	if r := coldtrail(t, "status", "--ready", s.url); r.code != 2 || !strings.Contains(r.stderr, "refused") || r.stdout != "" {
		t.Errorf("a server that has ended: %+v", r)
	}
}

// TestReadyOfOthers takes nothing but a whole answer for ready.
func TestReadyOfOthers(t *testing.T) {
	const notReady = `{"ready":false,"parts":[{"name":"screening","state":"failed","needed":true,"detail":"loading\u001b[2J"}],` +
		`"chains":[{"chain":"eip155:1","height":7,"age_seconds":900,"stale":true}]}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		code   int
		want   string // in what is printed
	}{
		{"not ready", 503, notReady, 1, "not ready\nscreening: failed, needed: \"loading\\x1b[2J\"\nchain eip155:1: height 7, 900 s old, stale\n"},
		{"a proxy before a dead server", 503, "no upstream", 2, "not that of a Coldtrail server"},
		{"another program", 200, `{"status":"ok"}`, 2, "not that of a Coldtrail server"},
		{"a contradiction", 503, `{"ready":true}`, 2, "contradicts itself"},
		{"a page that is not there", 404, `{"ready":true}`, 2, "404"},
		{"a redirection", 302, `{"ready":true}`, 2, "302"},
		{"an answer without end", 200, `{"ready":true,"x":"` + strings.Repeat("x", 2<<20), 2, "not that of a Coldtrail server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/readyz" {
					t.Errorf("asks %s", r.URL.Path)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			if r := coldtrail(t, "status", "--ready", server.URL); r.code != c.code || !strings.Contains(r.stdout+r.stderr, c.want) {
				t.Errorf("exit %d, want %d with %q: %q %q", r.code, c.code, c.want, r.stdout, r.stderr)
			}
		})
	}
	mustFail(t, "want the address of a server", "status", "--ready", "127.0.0.1:8801")
	mustFail(t, "want the address of a server", "status", "--ready", "file:///etc/passwd")
}
