package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"coldtrail/chain/evm"
	evmrpc "coldtrail/chain/evm/rpc"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ingest"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// liar stands between us and a real node and spoils what it says.
type liar struct {
	mu     sync.Mutex
	to     string
	random *rand.Rand
	faults map[string]int // how often each was made
	chance float64
	turn   int // which lie is due
}

// lies are ways to spoil one answer of a batch; each says whether it did.
var lies = map[string]func(r *rand.Rand, result map[string]any) bool{
	"another state root":    setField("stateRoot", "0x"+strings.Repeat("ab", 32)),
	"another block hash":    setField("hash", "0x"+strings.Repeat("cd", 32)),
	"another parent":        setField("parentHash", "0x"+strings.Repeat("ef", 32)),
	"another time":          setField("timestamp", "0x1"),
	"no transactions":       func(_ *rand.Rand, b map[string]any) bool { return emptied(b, "transactions") },
	"a transaction's value": func(r *rand.Rand, b map[string]any) bool { return inside(r, b, "transactions", "value", "0x7") },
	"a transaction's sender": func(r *rand.Rand, b map[string]any) bool {
		return inside(r, b, "transactions", "from", "0x"+strings.Repeat("11", 20))
	},
	"a field of wrong form": setField("gasUsed", "many"),
}

func setField(name, value string) func(*rand.Rand, map[string]any) bool {
	return func(_ *rand.Rand, result map[string]any) bool {
		if _, ok := result[name]; !ok || result["transactions"] == nil {
			return false
		}
		result[name] = value
		return true
	}
}

func emptied(result map[string]any, name string) bool {
	list, ok := result[name].([]any)
	if !ok || len(list) == 0 {
		return false
	}
	result[name] = []any{}
	return true
}

func inside(r *rand.Rand, result map[string]any, list, name, value string) bool {
	items, ok := result[list].([]any)
	if !ok || len(items) == 0 {
		return false
	}
	item, ok := items[r.IntN(len(items))].(map[string]any)
	if !ok || item[name] == nil || item[name] == value {
		return false
	}
	item[name] = value
	return true
}

// listLies spoil answers that are lists: receipts and traces.
var listLies = map[string]func(r *rand.Rand, items []any) []any{
	"a receipt or trace less": func(_ *rand.Rand, items []any) []any { return items[1:] },
	"a failure hidden":        func(_ *rand.Rand, items []any) []any { return spoil(items, "status", "0x0", "0x1") },
	"a success denied":        func(_ *rand.Rand, items []any) []any { return spoil(items, "status", "0x1", "0x0") },
	"an event changed": func(_ *rand.Rand, items []any) []any {
		for _, item := range items {
			receipt, _ := item.(map[string]any)
			logs, _ := receipt["logs"].([]any)
			if len(logs) > 0 {
				if l, ok := logs[0].(map[string]any); ok {
					l["data"] = "0x" + strings.Repeat("00", 31) + "01"
					return items
				}
			}
		}
		return nil
	},
	"a traced value": func(_ *rand.Rand, items []any) []any {
		for _, item := range items {
			entry, _ := item.(map[string]any)
			if result, ok := entry["result"].(map[string]any); ok {
				result["value"] = "0x123456"
				return items
			}
		}
		return nil
	},
}

func spoil(items []any, name, from, to string) []any {
	for _, item := range items {
		if receipt, ok := item.(map[string]any); ok && receipt[name] == from {
			receipt[name] = to
			return items
		}
	}
	return nil
}

// ServeHTTP passes a question on and spoils the answer, or the connection.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	question, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	spoils := l.random.Float64() < l.chance
	kind := l.random.IntN(16)
	l.mu.Unlock()
	if spoils && kind < 4 {
		l.transport(w, kind)
		return
	}
	asked, err := http.NewRequestWithContext(r.Context(), http.MethodPost, l.to, bytes.NewReader(question)) // one that was left is not asked on
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	asked.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(asked)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(response.Body)
	if spoils {
		answer = l.lie(answer)
	}
	_, _ = w.Write(answer)
}

func (l *liar) made(fault string) {
	l.faults[fault]++
}

// transport spoils the connection.
func (l *liar) transport(w http.ResponseWriter, kind int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch kind {
	case 0:
		l.made("refusal")
		w.Header().Set("Retry-After", "0")
		http.Error(w, "slow down", http.StatusTooManyRequests)
	case 1:
		l.made("garbage")
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":`))
	case 2:
		l.made("drop")
		if hijacker, ok := w.(http.Hijacker); ok {
			if conn, _, err := hijacker.Hijack(); err == nil {
				_ = conn.Close()
			}
		}
	case 3:
		l.made("stall")
		l.mu.Unlock()
		time.Sleep(800 * time.Millisecond)
		l.mu.Lock()
	}
}

// lie spoils the answer of one question or answers of a batch.
func (l *liar) lie(answer []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch []map[string]any
	var one map[string]any
	switch {
	case json.Unmarshal(answer, &one) == nil && one != nil:
		l.lieOnce([]map[string]any{one})
		if out, err := json.Marshal(one); err == nil {
			return out
		}
		return answer
	case json.Unmarshal(answer, &batch) != nil || len(batch) == 0:
		return answer
	}
	if l.random.IntN(6) == 0 {
		l.made("half a batch")
		batch = batch[:len(batch)/2]
	} else {
		l.lieOnce(batch)
	}
	out, err := json.Marshal(batch)
	if err != nil {
		return answer
	}
	return out
}

func (l *liar) lieOnce(batch []map[string]any) {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range lies {
			_ = yield(name)
		}
		for name := range listLies {
			_ = yield(name)
		}
	})
	for try := range 40 * len(names) { // every lie has its turn
		name := names[(l.turn+try/40)%len(names)]
		one := batch[l.random.IntN(len(batch))]
		switch result := one["result"].(type) {
		case map[string]any:
			if spoil := lies[name]; spoil != nil && spoil(l.random, result) {
				l.made(name)
				l.turn += try/40 + 1
				return
			}
		case []any:
			if spoil := listLies[name]; spoil != nil && len(result) > 0 {
				if spoilt := spoil(l.random, result); spoilt != nil {
					one["result"] = spoilt
					l.made(name)
					l.turn += try/40 + 1
					return
				}
			}
		}
	}
}

// TestHostileNode ingests through a proxy that lies, stalls, drops and forgets, from
// a node that also takes back 1 to 64 blocks: in the end the store holds what an
// honest node says, each reason was told once, and nobody had to intervene.
func TestHostileNode(t *testing.T) {
	node := nodetest.Anvil(t)
	w := newWorld(t, node, 5)
	w.traffic(10, 6)
	proxy := &liar{to: node.URL, random: rand.New(rand.NewPCG(3, 4)), faults: map[string]int{}, chance: 0.5}
	server := httptest.NewServer(proxy)
	defer server.Close()
	chain := ledger.Chain("eip155:" + node.ID.String())
	network := evm.NetworkOf(chain)
	network.Wrapped = ledger.NewAddress(ledger.EVMAccount, w.wrapped[:])

	var told []string
	var mu sync.Mutex
	ask := func(url string, into *memory.Store) int {
		options := evmrpc.Options{Network: network, Window: 2, Openings: true, Known: knownHoldings(sourceAt{chain: chain, into: into}), Node: jsonrpc.Options{
			URL: url, Timeout: 600 * time.Millisecond, Pause: time.Millisecond, MaxPause: 20 * time.Millisecond, Now: time.Now,
			Log: func(text string) { mu.Lock(); told = append(told, text); mu.Unlock() },
		}}
		source, err := evmrpc.Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = source.Close() }()
		depth := 0
		_, err = ingest.Run(t.Context(), into, chain, source, ingest.Options{BatchTx: 20, Reorganised: func(_ ledger.Height, n int) { depth = n }})
		if err != nil {
			t.Fatal(err)
		}
		return depth
	}
	mistreated := memory.New()
	ask(server.URL, mistreated)
	for _, depth := range []int{1, 2, 7, 64} {
		var snapshot string
		node.Call(&snapshot, "evm_snapshot")
		for range depth {
			w.act()
			w.mine()
		}
		ask(server.URL, mistreated)
		node.Call(nil, "evm_revert", snapshot)
		w.nonce = map[common.Address]uint64{}
		w.traffic(3, 5)
		if got := ask(server.URL, mistreated); got < min(depth, 3) {
			t.Errorf("a reorganisation of %d blocks: %d taken back", depth, got)
		}
	}
	honest := memory.New()
	ask(node.URL, honest)
	want, err := storetest.Dump(t.Context(), honest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := storetest.Dump(t.Context(), mistreated)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
		for i := range a {
			if i >= len(b) || a[i] != b[i] {
				t.Fatalf("the mistreated store differs from the honest one:\nhonest     %.1500s\nmistreated %.1500s", a[i], b[min(i, len(b)-1)])
			}
		}
	}
	for _, fault := range []string{"refusal", "garbage", "drop", "stall", "half a batch", "another state root", "an event changed", "a traced value", "a transaction's sender"} {
		if proxy.faults[fault] == 0 {
			t.Errorf("never made: %s (%v)", fault, proxy.faults)
		}
	}
	count := map[string]int{}
	for _, text := range told {
		if count[text]++; count[text] > 20 { // once for each of two kinds of trouble in each of ten sources
			t.Errorf("told again and again: %s", text)
		}
	}
	if len(told) == 0 {
		t.Error("nobody was told")
	}
	t.Log(fmt.Sprint(proxy.faults))
}
