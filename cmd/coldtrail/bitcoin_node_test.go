package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldtrail/chain/bitcoin"
	btcrpc "coldtrail/chain/bitcoin/rpc"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ingest"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// TestBtcd ingests a real node's chain with the command, over reorganisations, and
// compares what is unspent with what the node's own blocks add up to.
func TestBtcd(t *testing.T) {
	node := nodetest.Btcd(t)
	node.Generate(320)
	data := t.TempDir()
	ingestBtcd(t, node, data)
	compareBtcd(t, node, data)
	for _, depth := range []int{1, 3, 40} {
		node.Invalidate(node.Tip() - depth + 1)
		node.Generate(depth + 2)
		if notes := ingestBtcd(t, node, data); !strings.Contains(notes, fmt.Sprintf("%d blocks were taken back", depth)) {
			t.Errorf("a reorganisation of %d blocks: %q", depth, notes)
		}
		compareBtcd(t, node, data)
	}
}

func ingestBtcd(t *testing.T, node *nodetest.Bitcoin, data string) string {
	t.Helper()
	var out, notes bytes.Buffer
	if code := run([]string{"--data", data, "ingest", "simnet", "--from", "rpc:" + node.URL}, &out, &notes); code != exitDone {
		t.Fatalf("ingest: %s", notes.String())
	}
	return notes.String()
}

// compareBtcd adds up the node's chain with btcd's own decoder.
func compareBtcd(t *testing.T, node *nodetest.Bitcoin, data string) {
	t.Helper()
	unspent := map[wire.OutPoint]int64{}
	for height := 1; height <= node.Tip(); height++ { // the first coinbase is not spendable
		raw, err := hex.DecodeString(node.Block(height))
		if err != nil {
			t.Fatal(err)
		}
		var block wire.MsgBlock
		if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		for _, tx := range block.Transactions {
			for _, in := range tx.TxIn {
				delete(unspent, in.PreviousOutPoint)
			}
			for i, out := range tx.TxOut {
				if len(out.PkScript) == 0 || out.PkScript[0] != 0x6a {
					unspent[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}] = out.Value
				}
			}
		}
	}
	var value int64
	for _, v := range unspent {
		value += v
	}
	s, err := embedded.Open(t.Context(), data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := status[0]; got.Height != ledger.Height(node.Tip()) || got.UnspentOutputs != uint64(len(unspent)) || got.UnspentValue != uint64(value) || got.Weakest != ledger.Proven {
		t.Errorf("%+v, want height %d and %d outputs of %d", got, node.Tip(), len(unspent), value)
	}
}

// TestHostileBtcd ingests through a proxy that gives other blocks, broken ones, half
// a batch and refusals: what is kept is what the node has.
func TestHostileBtcd(t *testing.T) {
	node := nodetest.Btcd(t)
	node.Generate(130)
	var mu sync.Mutex
	random, made := rand.New(rand.NewPCG(1, 2)), map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		answer := node.Ask(r.Context(), question)
		mu.Lock()
		defer mu.Unlock()
		var batch []map[string]any
		if random.IntN(2) == 0 || json.Unmarshal(answer, &batch) != nil || len(batch) == 0 {
			_, _ = w.Write(answer)
			return
		}
		one := batch[random.IntN(len(batch))]
		text, _ := one["result"].(string)
		switch kind := random.IntN(5); {
		case kind == 0:
			made["refusal"]++
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		case kind == 1:
			made["half a batch"]++
			batch = batch[len(batch)/2:]
		case kind == 2 && len(text) > 200:
			made["another block"]++
			one["result"] = batch[0]["result"]
			if batch[0]["id"] == one["id"] {
				one["result"] = text[:100] + "00" + text[102:]
			}
		case kind == 3 && len(text) > 300:
			made["a changed transaction"]++
			one["result"] = text[:len(text)-60] + "00" + text[len(text)-58:]
		case len(text) == 64:
			made["another hash"]++
			one["result"] = strings.Repeat("00", 16) + text[32:]
		}
		spoilt, err := json.Marshal(batch)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(spoilt)
	}))
	defer server.Close()
	fill := func(url string) string {
		source, err := btcrpc.Open(t.Context(), btcrpc.Options{Network: bitcoin.Simnet, Window: 4, Node: jsonrpc.Options{
			URL: url, Auth: node.Auth, Timeout: time.Second, Pause: time.Millisecond, MaxPause: 10 * time.Millisecond, Now: time.Now,
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = source.Close() }()
		s := memory.New()
		if _, err := ingest.Run(t.Context(), s, bitcoin.Simnet.Chain, source, ingest.Options{}); err != nil {
			t.Fatal(err)
		}
		text, err := storetest.Dump(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if fill(server.URL) != fill(node.URL) {
		t.Error("the mistreated store differs from the honest one")
	}
	for _, fault := range []string{"refusal", "half a batch", "another block", "a changed transaction", "another hash"} {
		if made[fault] == 0 {
			t.Errorf("never made: %s (%v)", fault, made)
		}
	}
}
