package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"coldtrail/trace"
)

// TestCrossings lists what went across, and asks for a second opinion: one that agrees,
// one that knows of a payout more, one that names another.
func TestCrossings(t *testing.T) {
	folder, _ := playInto(t, "--scale", "1000", "--thin", "40", "--wallets", "300", "--scenario", "honest-week")
	data := filepath.Join(folder, "ledger")
	var listed trace.Bridged
	if err := json.Unmarshal([]byte(must(t, "crossings", "--data", data, "--json")), &listed); err != nil {
		t.Fatal(err)
	}
	if len(listed.Crossings) < 20 || len(listed.Forged) != 0 {
		t.Fatalf("%d crossings, %d forged", len(listed.Crossings), len(listed.Forged))
	}
	for i := range listed.Crossings {
		if c := &listed.Crossings[i]; c.Protocol != "thorchain" || c.Status == "in-transit" || c.Evidence != "memo" || c.In.Tx == "" || c.Out[0].Tx == "" {
			t.Errorf("%+v", c)
		}
	}
	if out := must(t, "crossings", "--data", data); !strings.Contains(out, "thorchain  paid") || !strings.Contains(out, "The newest 20") {
		t.Error(out)
	}
	if out := must(t, "crossings", "--data", data, "--since", "2026-01-01", "--json"); !strings.Contains(out, `"crossings":[]`) {
		t.Errorf("after the end: %s", out)
	}

	paid := map[string][]string{}
	for i := range listed.Crossings {
		c := &listed.Crossings[i]
		id := strings.ToUpper(strings.TrimPrefix(c.In.Tx, "0x"))
		for j := range c.Out {
			paid[id] = append(paid[id], c.Out[j].Tx)
		}
	}
	var change atomic.Value // what the index says instead of the last payout
	change.Store(func(string) string { return "" })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("txid")
		var out []string
		for _, tx := range paid[id] {
			out = append(out, fmt.Sprintf(`{"txID":"%s"}`, strings.ToUpper(strings.TrimPrefix(tx, "0x"))))
		}
		if instead, _ := change.Load().(func(string) string); instead(id) != "" {
			out = append(out[:len(out)-1], instead(id))
		}
		fmt.Fprintf(w, `{"actions":[{"in":[{"txID":"%s"}],"out":[%s]}]}`, id, strings.Join(out, ","))
	}))
	defer server.Close()
	confirm := []string{"crossings", "--data", data, "--confirm", "midgard:" + server.URL, "--most", "5"}
	if out := must(t, confirm...); out != "5 confirmed\n" {
		t.Errorf("%q", out)
	}
	change.Store(func(string) string { return `{"txID":"` + strings.Repeat("AB", 32) + `"}` })
	mustFail(t, "a link is contradicted", confirm...)
	change.Store(func(id string) string {
		last := paid[id][len(paid[id])-1]
		return fmt.Sprintf(`{"txID":"%s"},{"txID":"%s"}`, strings.TrimPrefix(last, "0x"), strings.Repeat("AB", 32))
	})
	if out := must(t, confirm...); !strings.HasPrefix(out, "5 incomplete\n") {
		t.Errorf("%q", out)
	}
	mustFail(t, "midgard:URL or thornode:URL", "crossings", "--data", data, "--confirm", "oracle:http://x")
}
