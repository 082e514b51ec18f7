package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coldtrail/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server that runs, with the parts behind it.
type world struct {
	t         *testing.T
	server    *server.Server
	url       string
	client    *http.Client
	screening *screening
	audit     *audit
	keys      *keys
	alerts    *alerts
	desk      *desk
	health    *health
	works     *works
}

// start runs a server with all parts. The changes are made to options and parts before.
func start(t *testing.T, changes ...func(*server.Options, *server.Parts)) *world {
	t.Helper()
	w := &world{t: t, screening: &screening{now: newView(time.Now().Unix())}, audit: &audit{}, keys: newKeys(), alerts: &alerts{}, desk: newDesk(), health: &health{}, works: &works{members: map[string]server.CaseMember{}}}
	options := server.Options{Now: time.Now, EventsEvery: 20 * time.Millisecond, KeysEvery: 20 * time.Millisecond, ShutdownTimeout: 5 * time.Second}
	parts := server.Parts{
		Screening: w.screening, Audit: w.audit, Keys: w.keys, Alerts: w.alerts, Subscriptions: w.desk, WatchLists: w.desk, Venues: w.desk,
		Blocklists: lists{}, Policies: w.desk, Cases: w.desk, Ledger: chain{}, League: table{}, Health: w.health,
		Jobs: w.works, Desk: w.works, Casework: w.works,
		Search: known{}, Assets: known{}, Owners: known{}, Chains: known{}, LabelDesk: known{},
		Views: drawings{}, Graphs: leads{},
	}
	for _, change := range changes {
		change(&options, &parts)
	}
	s, err := server.New(options, parts)
	if err != nil {
		t.Fatal(err)
	}
	listener := listenOn(t, "127.0.0.1:0")
	scheme := "http://"
	if options.Certificate != "" {
		scheme = "https://"
	}
	w.server, w.url = s, scheme+listener.Addr().String()
	transport := &http.Transport{}
	w.client = &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		transport.CloseIdleConnections()
	})
	return w
}

func listenOn(t *testing.T, address string) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request as the bearer of a key; headers are of the form "Name: value".
func (w *world) ask(method, path, key, body string, headers ...string) answer {
	w.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("X-API-Key", "ctk_"+key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	got, err := w.client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, text}
}

// problem reads a problem document and checks that it is one.
func (a *answer) problem(t *testing.T) map[string]any {
	t.Helper()
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Fatalf("answered %d as %s: %s", a.status, kind, a.body)
	}
	var p map[string]any
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatal(err)
	}
	if p["next"] == "" || p["title"] == "" || p["status"] != float64(a.status) {
		t.Errorf("the problem %s does not say what to do", a.body)
	}
	return p
}

// read reads JSON.
func read[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}
