package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/evidence"
	"coldtrail/internal/nodetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
)

// provenBy makes a bundle of a theft with proofs of a node, and checks it.
func provenBy(t *testing.T, data, theft string, flags ...string) *evidence.Report {
	t.Helper()
	folder := t.TempDir()
	path, bundle := filepath.Join(folder, "case.yaml"), filepath.Join(folder, "bundle.zip")
	if err := os.WriteFile(path, []byte("case: node\nthefts:\n  - "+theft+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, notes bytes.Buffer
	if code := run(append([]string{"--data", data, "evidence", path, "-o", bundle}, flags...), &out, &notes); code != exitDone {
		t.Fatal(notes.String())
	}
	out.Reset()
	if code := run([]string{"--json", "verify", bundle}, &out, &notes); code != exitDone {
		t.Fatal(out.String(), notes.String())
	}
	r := &evidence.Report{}
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func countProven(r *evidence.Report, part string) int {
	for _, f := range r.Proven {
		if strings.Contains(f.What, part) {
			return f.Count
		}
	}
	return 0
}

// TestEvidenceOfBtcd takes proofs from a real node; the height of the first header follows
// from a coinbase (BIP-34).
func TestEvidenceOfBtcd(t *testing.T) {
	node := nodetest.Btcd(t)
	node.Generate(120)
	data := t.TempDir()
	ingestBtcd(t, node, data)
	s, err := embedded.Open(t.Context(), data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids, err := s.IDs(t.Context(), status[0].Chain, []store.TxNumber{5})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	r := provenBy(t, data, fmt.Sprintf(`{colour: coins, chain: "%s", outpoint: "%s:0"}`, status[0].Chain, ids[0]), "--from", "rpc:"+node.URL)
	if countProven(r, "merkle branch") != 1 || countProven(r, "headers 5 to 120") != 116 {
		t.Errorf("%+v", r.Proven)
	}
}

// TestEvidenceOfAnvil takes proofs from a real node of an EVM chain, for every movement of
// whoever held what was stolen.
func TestEvidenceOfAnvil(t *testing.T) {
	w := newWorld(t, nodetest.Anvil(t), 11)
	data := t.TempDir()
	w.traffic(12, 10)
	w.ingest(t, data, "call")
	s, err := embedded.Open(t.Context(), data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chain := ledger.Chain("eip155:" + w.node.ID.String())
	theft := ""
	for b, err := range s.Blocks(t.Context(), chain, 3, 1000) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Txs {
			tx := &b.Txs[i]
			for j := range tx.Transfers {
				if x := &tx.Transfers[j]; theft == "" && !tx.Coinbase && !tx.Failed && x.Asset == chain.Native() && !x.From.IsZero() && x.From != x.To {
					theft = fmt.Sprintf(`{colour: ether, chain: "%s", transfer: "%s:%d"}`, chain, chain.FormatHash(tx.ID), j)
				}
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := provenBy(t, data, theft, "--from", "rpc:"+w.node.URL, "--wrapped", w.wrapped.Hex())
	if n := countProven(r, "with their receipts"); n < 2 {
		t.Errorf("%d transactions proven: %+v, %+v", n, r.Proven, r.Checks)
	}
}
