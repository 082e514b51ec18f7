package midgard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coldtrail/chain/jsonrpc"
	"coldtrail/crossing/midgard"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
)

// serve answers with what a path and query have to be for.
func serve(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.RequestURI()]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func ask(t *testing.T, kind, url string, deposit ledger.Hash) (paid []ledger.Hash, known bool, err error) {
	t.Helper()
	s, err := midgard.Open(kind, jsonrpc.Options{URL: url, Pause: time.Millisecond, MaxPause: time.Millisecond, Patience: 20 * time.Millisecond, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.Paid(t.Context(), deposit)
}

// TestMidgard reads answers that the index gave about real payouts: each is among those
// of the deposit that its memo names.
func TestMidgard(t *testing.T) {
	var cases []struct {
		File string
		Tx   struct {
			TxID string
			Vout []struct{ OpReturn string }
		}
		Actions []json.RawMessage
	}
	if err := json.Unmarshal(nodetest.Wallet(t), &cases); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, c := range cases {
		_, memo, ok := strings.Cut(c.File, "SwapOutbound")
		if !ok || memo != "" || len(c.Tx.Vout) == 0 {
			continue
		}
		asked++
		memo = c.Tx.Vout[len(c.Tx.Vout)-1].OpReturn
		deposit, err := ledger.ParseHash(strings.TrimSuffix(memo[strings.Index(memo, ":")+1:], ")"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(map[string]any{"actions": c.Actions})
		if err != nil {
			t.Fatal(err)
		}
		url := serve(t, map[string]string{"/v2/actions?txid=" + strings.ToUpper(deposit.String()): string(body)})
		paid, known, err := ask(t, "midgard", url, deposit)
		if err != nil || !known || len(paid) != 1 || paid[0].String() != c.Tx.TxID {
			t.Errorf("%s: %v %v %v, want %s", c.File, paid, known, err, c.Tx.TxID)
		}
		if _, known, err := ask(t, "midgard", url, ledger.Hash{1}); err != nil || known {
			t.Errorf("another deposit: %v %v", known, err)
		}
	}
	if asked != 2 {
		t.Errorf("%d answers read, want 2", asked)
	}
}

func TestThornode(t *testing.T) {
	deposit, out := ledger.Hash{1}, ledger.Hash{2}
	path := "/thorchain/tx/" + strings.ToUpper(deposit.String())
	url := serve(t, map[string]string{path: `{"observed_tx":{"tx":{"id":"` + deposit.String() + `"},"out_hashes":["0x` + out.String() + `","` + ledger.Hash{}.String() + `"]}}`})
	if paid, known, err := ask(t, "thornode", url, deposit); err != nil || !known || len(paid) != 1 || paid[0] != out {
		t.Errorf("%v %v %v", paid, known, err)
	}
	if paid, known, err := ask(t, "thornode", url, ledger.Hash{9}); err != nil || known || len(paid) != 0 {
		t.Errorf("unknown: %v %v %v", paid, known, err)
	}
	if _, err := midgard.Open("oracle", jsonrpc.Options{URL: url, Now: time.Now}); err == nil {
		t.Error("an oracle is asked")
	}
}

// TestHostile: an answer that is none is an error, never "not paid".
func TestHostile(t *testing.T) {
	deposit := ledger.Hash{1}
	for kind, path := range map[string]string{"midgard": "/v2/actions?txid=", "thornode": "/thorchain/tx/"} {
		for _, body := range []string{"", "<html>", `{"actions":[{"in":[{"txID":"` + deposit.String() + `"}],"out":[{"txID":"zz"}]}],"observed_tx":{"out_hashes":["zz"]}}`, `[]`} {
			url := serve(t, map[string]string{path + strings.ToUpper(deposit.String()): body})
			if paid, known, err := ask(t, kind, url, deposit); err == nil {
				t.Errorf("%s %q: %v %v", kind, body, paid, known)
			}
		}
	}
}
