package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/screen/breaker"
)

// breakerRun is everything that a run printed, and its code.
func breakerRun(t *testing.T, args ...string) (string, int) {
	t.Helper()
	r := coldtrail(t, args...)
	return r.stdout + r.stderr, r.code
}

// breakerHistory writes a log of a venue in which four tainted senders come within minutes.
func breakerHistory(t *testing.T, more ...string) string {
	t.Helper()
	var b strings.Builder
	write := func(in *breaker.Input) {
		line, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	const start = 1_740_182_400
	for i := range int64(60) {
		write(&breaker.Input{Event: &breaker.Event{ID: fmt.Sprint("u", i), Moment: start + i*60, Route: "ETH>BTC", Sender: fmt.Sprint("user", i%10), Cents: 1_000_000}})
	}
	for i := range int64(5) {
		write(&breaker.Input{Event: &breaker.Event{
			ID: fmt.Sprint("t", i), Moment: start + 3600 + i*240, Route: "ETH>BTC", Sender: fmt.Sprint("thief", i), Cents: 40_000_000,
			Taint: []breaker.Taint{{Incident: "case", Share: 10_000, Hops: 2}},
		}})
	}
	for _, line := range more {
		b.WriteString(line + "\n")
	}
	file := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBreakerHistory(t *testing.T) {
	out, code := breakerRun(t, "breaker", "replay", "--events", breakerHistory(t))
	if code != 1 || !strings.Contains(out, "NORMAL -> WATCH  score  incident case, route ETH>BTC") || !strings.Contains(out, "64 passed, 0 delayed, 0 for review, 1 refused") {
		t.Errorf("code %d\n%s", code, out)
	}
	out, code = breakerRun(t, "--json", "breaker", "replay", "--events", breakerHistory(t))
	if lines := strings.Count(out, "\n"); code != 1 || lines != 65 || !strings.Contains(out, `"action":"refuse"`) {
		t.Errorf("code %d, %d lines", code, lines)
	}
	for name, line := range map[string]string{
		"a field nobody knows": `{"event":{"id":"x","moment":1740190000,"route":"r","sender":"s","colour":1}}`,
		"no input":             `{}`,
		"two inputs":           `{"tick":1740190000,"retract":{"id":"u1","moment":1740190000}}`,
		"two values":           `{"tick":1740190000} {"tick":1740190000}`,
		"no share":             `{"event":{"id":"x","moment":1740190000,"route":"r","sender":"s","taint":[{"incident":"i","share_bp":20000}]}}`,
	} {
		if out, code := breakerRun(t, "breaker", "replay", "--events", breakerHistory(t, line)); code != 2 || !strings.Contains(out, "line 66") {
			t.Errorf("%s: code %d\n%s", name, code, out)
		}
	}
}

func TestBreakerConfig(t *testing.T) {
	out, code := breakerRun(t, "breaker", "replay", "--defaults")
	if code != 0 || !strings.Contains(out, "watch:\n    score: 40\n") {
		t.Fatalf("code %d\n%s", code, out)
	}
	file := filepath.Join(t.TempDir(), "breaker.yaml")
	if err := os.WriteFile(file, []byte("limit: {score: 100}\nhalt: {score: 100}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := breakerRun(t, "breaker", "replay", "--config", file, "--events", breakerHistory(t)); code != 0 || strings.Contains(out, "LIMIT") {
		t.Errorf("code %d\n%s", code, out)
	}
	if err := os.WriteFile(file, []byte("limmit: {score: 100}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := breakerRun(t, "breaker", "replay", "--config", file, "--events", breakerHistory(t)); code != 2 || !strings.Contains(out, "limmit") {
		t.Errorf("code %d\n%s", code, out)
	}
}

func TestBreakerSimulation(t *testing.T) {
	out, code := breakerRun(t, "breaker", "replay", "--scenario", "honest-year", "--days", "3")
	if code != 0 || !strings.Contains(out, "most in 30 days") {
		t.Errorf("code %d\n%s", code, out)
	}
}
