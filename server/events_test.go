package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldtrail/server"
)

// reader reads a stream of events.
type reader struct {
	t      *testing.T
	cancel context.CancelFunc
	answer *http.Response
	lines  *bufio.Scanner
}

func (w *world) listen(path string, headers ...string) *reader {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Second)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("X-API-Key", "ctk_viewer")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	got, err := w.client.Do(request) //nolint:bodyclose // the reader closes it
	if err != nil {
		w.t.Fatal(err)
	}
	r := &reader{t: w.t, cancel: cancel, answer: got, lines: bufio.NewScanner(got.Body)}
	w.t.Cleanup(r.close)
	return r
}

func (r *reader) close() {
	r.cancel()
	_ = r.answer.Body.Close()
}

// next reads one block: its fields by name, "" for a comment.
func (r *reader) next() map[string]string {
	r.t.Helper()
	block := map[string]string{}
	for r.lines.Scan() {
		line := r.lines.Text()
		if line == "" {
			return block
		}
		name, value, _ := strings.Cut(line, ":")
		block[name] = strings.TrimSpace(value)
	}
	return nil
}

// TestEvents reads the stream from now on, and again from where it ended.
func TestEvents(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) { o.Heartbeat = 50 * time.Millisecond })
	w.listen("/v1/events").next() // the feed has begun
	w.alerts.raise(2)             // before the next listens
	w.server.Notify()
	before := w.listen("/v1/events?after=0")
	for before.next()["id"] != "4" {
		continue // which the feed now holds
	}
	before.close()
	r := w.listen("/v1/events")
	if kind := r.answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("the type is %q", kind)
	}
	if first := r.next(); first["retry"] != "2000" {
		t.Errorf("the stream begins with %v", first)
	}
	w.alerts.raise(3)
	w.server.Notify()
	for _, want := range []string{"6", "8", "10"} {
		block := r.next()
		for block != nil && block["id"] == "" {
			block = r.next() // a comment that it lives
		}
		if block["id"] != want || block["event"] != "alert" || !strings.Contains(block["data"], `"id":"alert-`+want+`"`) {
			t.Fatalf("got %v, want alert %s", block, want)
		}
	}
	for {
		block := r.next()
		if block == nil {
			t.Fatal("the stream ended")
		}
		if block[""] == "alive" {
			break
		}
	}
	r.close()
	w.alerts.raise(2)
	again := w.listen("/v1/events", "Last-Event-ID: 6")
	again.next()
	for _, want := range []string{"8", "10", "12", "14"} {
		block := again.next()
		for block != nil && block["id"] == "" {
			block = again.next()
		}
		if block["id"] != want {
			t.Fatalf("after 6 came %v, want %s", block, want)
		}
	}
	eventually(t, "readers that went are forgotten", func() bool {
		return strings.Contains(string(w.ask("GET", "/metrics", "viewer", "").body), "coldtrail_streams 2\n")
	})
}

// TestEventsFromTheBeginning reads more than the ring holds out of the casebook, filtered.
func TestEventsFromTheBeginning(t *testing.T) {
	w := start(t, func(o *server.Options, p *server.Parts) {
		o.EventBuffer = 10
		p.Alerts.(*alerts).raise(1500)
	})
	r := w.listen("/v1/events?after=0&kind=watch-hit")
	r.next()
	for i := range 750 {
		block := r.next()
		if want := fmt.Sprint(4*i + 2); block["id"] != want {
			t.Fatalf("event %d is %v, want %s", i, block, want)
		}
	}
	w.alerts.raise(1) // a watch-hit
	if block := r.next(); block["id"] != "3002" {
		t.Errorf("what is new came as %v", block)
	}
}

// TestSlowReader wants a reader that does not read to be dropped: it is told, if it can
// be, and holds nobody up.
func TestSlowReader(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) {
		o.EventBuffer = 3
		o.StreamPatience = 300 * time.Millisecond
	})
	r := w.listen("/v1/events")
	r.next()
	quick := w.listen("/v1/events")
	quick.next()
	w.alerts.raise(50_000) // one look of the feed passes over more than the ring holds
	w.server.Notify()
	dropped := false
	for block := quick.next(); block != nil; block = quick.next() {
		if block["event"] == "dropped" {
			dropped = strings.Contains(block["data"], "connect again with Last-Event-ID")
		}
	}
	if !dropped {
		t.Error("the reader was dropped without a word")
	}
	eventually(t, "both were dropped, and it is counted", func() bool {
		metrics := string(w.ask("GET", "/metrics", "viewer", "").body)
		return strings.Contains(metrics, "coldtrail_streams 0\n") && strings.Contains(metrics, "coldtrail_streams_dropped_total 2")
	})
}

// TestDeafReader wants a reader whose connection takes nothing any more to be dropped.
func TestDeafReader(t *testing.T) {
	w := start(t, func(o *server.Options, p *server.Parts) {
		o.StreamPatience = 300 * time.Millisecond
		p.Alerts.(*alerts).raise(100_000)
	})
	w.listen("/v1/events?after=0") // and never read
	eventually(t, "it was dropped", func() bool {
		metrics := string(w.ask("GET", "/metrics", "viewer", "").body)
		return strings.Contains(metrics, "coldtrail_streams 0\n") && strings.Contains(metrics, "coldtrail_streams_dropped_total 1")
	})
}

// TestStreamNeedsKey checks who may listen, and how many.
func TestStreamNeedsKey(t *testing.T) {
	w := start(t, func(o *server.Options, _ *server.Parts) { o.Streams = 1 })
	if got := w.ask("GET", "/v1/events", "", ""); got.status != http.StatusUnauthorized {
		t.Errorf("without a key it answered %d", got.status)
	}
	for _, path := range []string{"/v1/events?after=x", "/v1/events?after=-1", "/v1/events?colour=red"} {
		if got := w.ask("GET", path, "viewer", ""); got.status != http.StatusBadRequest {
			t.Errorf("%s answered %d", path, got.status)
		}
	}
	w.listen("/v1/events").next()
	if got := w.ask("GET", "/v1/events", "viewer", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("one reader too many answered %d", got.status)
	}
}
