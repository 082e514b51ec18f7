package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coldtrail/evidence/audit"
)

// receiver is a webhook's receiver that can be down.
type receiver struct {
	*httptest.Server

	turn sync.Mutex
	down bool
	got  map[string][]string // bodies by delivery
	last string              // attempt
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: map[string][]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.turn.Lock()
		defer r.turn.Unlock()
		if r.down || err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		id := q.Header.Get("Coldtrail-Delivery")
		r.got[id], r.last = append(r.got[id], string(body)), q.Header.Get("Coldtrail-Attempt")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) set(down bool) {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.down = down
}

// bodies are all that came, by delivery.
func (r *receiver) bodies() map[string][]string {
	r.turn.Lock()
	defer r.turn.Unlock()
	out := map[string][]string{}
	for id, list := range r.got {
		out[id] = append([]string{}, list...)
	}
	return out
}

// readiness is what /readyz says.
type readiness struct {
	Ready bool
	Parts []struct {
		Name, State, Detail string
	}
	Chains []struct {
		Chain string
		Age   int64 `json:"age_seconds"`
		Stale bool
	}
}

func (s *served) ready() (code int, r readiness) {
	s.t.Helper()
	code, text := s.get("/readyz")
	return code, parse[readiness](s.t, text)
}

// post sends JSON and wants it taken.
func (s *served) send(method, path string, body any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= 300 {
		said, _ := io.ReadAll(answer.Body)
		s.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, said)
	}
}

// TestServeHardship: the node goes away, the receiver of webhooks is down, the server is
// killed. Verdicts go on with their age, /readyz tells the truth, an alert that was kept
// arrives once the receiver is back, also after the kill, and the audit log is whole.
func TestServeHardship(t *testing.T) {
	c, file := newChase(t)
	between := newBetween(t, c.accounts.URL()) // so that the node can go away
	hooks := newReceiver(t)
	hooks.set(true)
	data := t.TempDir()
	args := append(c.follow(data, file, between.URL), "--stale", "3s", "--receivers", "127.0.0.0/8")
	s := serve(t, args...)
	s.wait("at both tips", func() bool { return c.atTips(s) })
	next, last := c.accounts.Account("mule", c.serial+1), c.accounts.Account("mule", c.serial+2) // whom the thief pays
	s.send(http.MethodPut, "/v1/targets/desk", map[string]any{"name": "desk", "kind": "webhook", "address": hooks.URL})
	s.send(http.MethodPut, "/v1/subscriptions/all", map[string]any{"name": "all", "target": "desk"})
	s.send(http.MethodPut, "/v1/watchlists/ours", map[string]any{"name": "ours"})
	s.send(http.MethodPost, "/v1/watchlists/ours/members", map[string]any{"add": []map[string]any{
		{"chain": string(c.accounts.Chain()), "address": next}, {"chain": string(c.accounts.Chain()), "address": last},
	}})
	s.wait("clean", func() bool { v, err := s.screen(next); return err == nil && v.Outcome == "allow" })
	c.step()
	s.wait("refused", func() bool { v, err := s.screen(next); return err == nil && v.Outcome == "refuse" })
	s.wait("an alert kept", func() bool { _, text := s.get("/v1/alerts"); return strings.Contains(text, "watch-hit") })
	s.kill()
	s = serve(t, args...)
	s.wait("at both tips", func() bool { return c.atTips(s) })
	if len(hooks.bodies()) > 0 {
		t.Error("something arrived at a receiver that was down")
	}
	hooks.set(false)
	hits := func(subject string) (n int) {
		for id, bodies := range hooks.bodies() {
			if strings.Contains(bodies[0], "watch-hit") && strings.Contains(strings.ToLower(bodies[0]), `"subject":"`+subject) {
				n++
			}
			if len(bodies) > 1 {
				t.Errorf("delivery %s arrived %d times", id, len(bodies))
			}
		}
		return n
	}
	s.wait("told", func() bool { return hits(next) > 0 })
	c.step() // what comes of this is told after all that waited
	s.wait("told of the last", func() bool { return hits(last) > 0 })
	if hits(next) != 1 || hits(last) != 1 {
		t.Errorf("the hits were told in %d and %d deliveries: %v", hits(next), hits(last), hooks.bodies())
	}
	if code, r := s.ready(); code != http.StatusOK || !r.Ready {
		t.Errorf("all is well, and it says %d %+v", code, r)
	}
	between.away(true)
	s.wait("not ready", func() bool { code, r := s.ready(); return code == http.StatusServiceUnavailable && !r.Ready })
	if v, err := s.screen(next); err != nil || v.Outcome != "refuse" {
		t.Errorf("while the node is away: %s %v", v.Outcome, err)
	}
	between.away(false)
	s.wait("ready", func() bool { code, _ := s.ready(); return code == http.StatusOK })
	s.kill()
	if out := must(t, "--data", data, "verify"); !strings.Contains(out, "every record is as it was written") {
		if !strings.Contains(out, "TORN") {
			t.Error(out)
		}
	}
	kinds := map[string]int{}
	for r, err := range audit.Records(filepath.Join(data, "audit"), 0) {
		if err == nil {
			kinds[r.What]++
		}
	}
	if kinds["screen"] < 10 || kinds["PUT:/v1/targets"] != 1 || kinds["POST:/v1/watchlists"] != 1 {
		t.Errorf("the audit log has %v", kinds)
	}
}

// kill ends the server without a word.
func (s *served) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// between stands before a node and can be away.
type between struct {
	*httptest.Server

	turn sync.Mutex
	gone bool
}

func newBetween(t *testing.T, node string) *between {
	t.Helper()
	to, err := url.Parse(node)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b.turn.Lock()
		gone := b.gone
		b.turn.Unlock()
		if gone {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		request := q.Clone(q.Context())
		request.URL, request.RequestURI, request.Host = to, "", to.Host
		answer, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = answer.Body.Close() }()
		w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *between) away(gone bool) {
	b.turn.Lock()
	defer b.turn.Unlock()
	b.gone = gone
}
