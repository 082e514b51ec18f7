package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"coldtrail/chain/evm"
	evmrpc "coldtrail/chain/evm/rpc"
	"coldtrail/chain/jsonrpc"
	"coldtrail/ingest"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
	"coldtrail/store/embedded"
)

// BenchmarkNode compares an ingest from a real node into the embedded store with a
// bare client that asks the same questions, as many at once, and throws the answers
// away: what is left over is our own cost.
func BenchmarkNode(b *testing.B) {
	w := newWorld(b, nodetest.Anvil(b), 11)
	w.traffic(150, 24)
	tip := w.node.Tip()
	chain := ledger.Chain("eip155:" + w.node.ID.String())
	fetchBare(b, w.node.URL, tip) // warms the node's caches
	var bare, ours time.Duration
	for b.Loop() {
		began := time.Now()
		size := fetchBare(b, w.node.URL, tip)
		bare += time.Since(began)
		b.SetBytes(size)
		began = time.Now()
		source, err := evmrpc.Open(b.Context(), evmrpc.Options{Network: evm.NetworkOf(chain), Traces: evmrpc.TracesCall, Node: jsonrpc.Options{URL: w.node.URL, Now: time.Now}})
		if err != nil {
			b.Fatal(err)
		}
		into, err := embedded.Open(b.Context(), b.TempDir(), embedded.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := ingest.Run(b.Context(), into, chain, source, ingest.Options{}); err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(into.Close(), source.Close()); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
	}
	b.ReportMetric(100*bare.Seconds()/ours.Seconds(), "bare_%")
}

// fetchBare asks what the source asks and throws the answers away.
func fetchBare(b *testing.B, url string, tip uint64) (total int64) {
	b.Helper()
	tracer := map[string]any{"tracer": "callTracer", "tracerConfig": map[string]any{"withLog": true}, "timeout": "120s"}
	var mu sync.Mutex
	var group sync.WaitGroup
	room := make(chan struct{}, 8)
	for first := uint64(0); first <= tip; first += 4 {
		var batch []map[string]any
		for n := first; n <= min(first+3, tip); n++ {
			hex := fmt.Sprintf("0x%x", n)
			for i, params := range [][]any{{hex, true}, {hex}, {hex, tracer}} {
				method := []string{"eth_getBlockByNumber", "eth_getBlockReceipts", "debug_traceBlockByNumber"}[i]
				if n == 0 && i == 2 {
					method, params = "eth_chainId", nil
				}
				batch = append(batch, map[string]any{"jsonrpc": "2.0", "id": len(batch), "method": method, "params": params})
			}
		}
		question, err := json.Marshal(batch)
		if err != nil {
			b.Fatal(err)
		}
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			response, err := http.Post(url, "application/json", bytes.NewReader(question)) //nolint:noctx // a bare client
			if err != nil {
				b.Error(err)
				return
			}
			n, _ := io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			mu.Lock()
			total += n
			mu.Unlock()
		})
	}
	group.Wait()
	return total
}
