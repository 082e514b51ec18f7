package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"

	"coldtrail/trace"
)

// esploraOf answers as an explorer does, out of the bundled first blocks of Bitcoin.
type esploraOf struct {
	mu     sync.Mutex
	raw    [][]byte // by height
	blocks []*wire.MsgBlock
	byHash map[string]int
	byTx   map[string][2]int // height and position
	spends map[wire.OutPoint]string
	asks   int
	lies   int // answers still to spoil
}

func newEsplora(t *testing.T) *esploraOf {
	t.Helper()
	f, err := os.Open("../../testdata/bitcoin/blk_0_to_14131.dat.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	decoder, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	text, err := io.ReadAll(decoder)
	if err != nil {
		t.Fatal(err)
	}
	e := &esploraOf{byHash: map[string]int{}, byTx: map[string][2]int{}, spends: map[wire.OutPoint]string{}}
	for len(text) >= 8 && text[0] != 0 { // a node fills the file up with zeros
		size := binary.LittleEndian.Uint32(text[4:])
		raw := text[8 : 8+size]
		text = text[8+size:]
		block := &wire.MsgBlock{}
		if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		height := len(e.blocks)
		e.raw, e.blocks = append(e.raw, raw), append(e.blocks, block)
		e.byHash[block.BlockHash().String()] = height
		for i, tx := range block.Transactions {
			e.byTx[tx.TxHash().String()] = [2]int{height, i}
			for _, in := range tx.TxIn {
				e.spends[in.PreviousOutPoint] = tx.TxHash().String()
			}
		}
	}
	return e
}

func (e *esploraOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asks++
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	answer, ok := e.answer(path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if e.lies > 0 && len(path) > 2 && path[2] != "status" && path[2] != "outspends" {
		e.lies--
		answer = bytes.Clone(answer)
		answer[len(answer)/2] ^= 1
	}
	_, _ = w.Write(answer)
}

func (e *esploraOf) answer(path []string) ([]byte, bool) {
	switch path[0] {
	case "blocks":
		return []byte(strconv.Itoa(len(e.blocks) - 1)), true
	case "block-height":
		height, err := strconv.Atoi(path[1])
		if err != nil || height >= len(e.blocks) {
			return nil, false
		}
		return []byte(e.blocks[height].BlockHash().String()), true
	case "block":
		height, ok := e.byHash[path[1]]
		if ok && path[2] == "header" {
			return []byte(hex.EncodeToString(e.raw[height][:80])), true
		}
		return e.raw[max(height, 0)], ok
	}
	at, ok := e.byTx[path[1]]
	if !ok {
		return nil, false
	}
	tx := e.blocks[at[0]].Transactions[at[1]]
	switch path[2] {
	case "raw":
		var raw bytes.Buffer
		_ = tx.Serialize(&raw)
		return raw.Bytes(), true
	case "status":
		return e.json(e.status(path[1])), true
	case "merkle-proof":
		return e.json(map[string]any{"block_height": at[0], "pos": at[1], "merkle": e.branch(at[0], at[1])}), true
	}
	spends := []map[string]any{}
	for i := range tx.TxOut {
		by, spent := e.spends[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}]
		one := map[string]any{"spent": spent}
		if spent {
			one["txid"], one["vin"], one["status"] = by, 0, e.status(by)
		}
		spends = append(spends, one)
	}
	return e.json(spends), true
}

func (e *esploraOf) status(tx string) map[string]any {
	at := e.byTx[tx]
	return map[string]any{"confirmed": true, "block_height": at[0], "block_hash": e.blocks[at[0]].BlockHash().String()}
}

func (*esploraOf) json(value any) []byte {
	text, _ := json.Marshal(value)
	return text
}

// branch is the merkle branch of a transaction, the plain way.
func (e *esploraOf) branch(height, position int) []string {
	out := []string{}
	var level []chainhash.Hash
	for _, tx := range e.blocks[height].Transactions {
		level = append(level, tx.TxHash())
	}
	for len(level) > 1 {
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		out = append(out, level[position^1].String())
		next := make([]chainhash.Hash, len(level)/2)
		for i := range next {
			once := sha256.Sum256(append(level[2*i][:], level[2*i+1][:]...))
			next[i] = sha256.Sum256(once[:])
		}
		level, position = next, position/2
	}
	return out
}

// TestEsplora follows the first payment by an explorer's answers, some of them
// spoilt, and gets what the whole chain gives; a second time it asks for little.
func TestEsplora(t *testing.T) {
	explorer := newEsplora(t)
	server := httptest.NewServer(explorer)
	defer server.Close()
	data, elsewhere := t.TempDir(), t.TempDir()
	var out, notes bytes.Buffer
	if code := run([]string{"--data", data, "ingest", "bitcoin", "--from", "blocks:../../testdata/bitcoin/blk_0_to_14131.dat.zst"}, &out, &notes); code != exitDone {
		t.Fatal(notes.String())
	}
	file := filepath.Join(data, "case.yaml")
	if err := os.WriteFile(file, []byte("case: first\nthefts:\n  - {colour: btc, chain: bitcoin, outpoint: \"f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:1\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(data, method string, more ...string) *trace.Result {
		t.Helper()
		out.Reset()
		notes.Reset()
		if code := run(append([]string{"--data", data, "--json", "trace", file, "--method", method}, more...), &out, &notes); code != exitDone {
			t.Fatal(notes.String())
		}
		result := &trace.Result{}
		if err := json.Unmarshal(out.Bytes(), result); err != nil {
			t.Fatal(err)
		}
		return result
	}
	explorer.lies = 3
	for i, method := range []string{"fifo", "lifo", "haircut", "poison", "seniority", "tiho"} {
		before := explorer.asks
		want, got := ask(data, method), ask(elsewhere, method, "--from", "esplora:"+server.URL, "--per-second", "100000")
		if diff := cmp.Diff(want.Dispositions, got.Dispositions, cmpopts.IgnoreUnexported(trace.Disposition{})); diff != "" || len(want.Dispositions) == 0 {
			t.Errorf("%s (-chain +explorer):\n%s", method, diff)
		}
		if got.Basis.Weakest != "node" {
			t.Errorf("%s rests on %s", method, got.Basis.Weakest)
		}
		if i == 0 {
			t.Logf("%d questions, %d dispositions", explorer.asks-before, len(want.Dispositions))
		} else if asked := explorer.asks - before; asked > 60 {
			t.Errorf("%s: %d questions, though answers were kept", method, asked)
		}
	}
	// Labels of one's own stop it too.
	labels := filepath.Join(t.TempDir(), "labels.csv")
	exchange := ask(data, "fifo", "--conclude", "none").Dispositions[0].Address
	if err := os.WriteFile(labels, []byte("chain,address,label,category\nbitcoin,"+exchange+",An Exchange,exchange\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{data, elsewhere} {
		if code := run([]string{"--data", folder, "labels", "import", labels, "--learned", "2020-01-01"}, &out, &notes); code != exitDone {
			t.Fatal(notes.String())
		}
	}
	want, got := ask(data, "fifo"), ask(elsewhere, "fifo", "--from", "esplora:"+server.URL, "--per-second", "100000")
	if diff := cmp.Diff(want.Dispositions, got.Dispositions, cmpopts.IgnoreUnexported(trace.Disposition{})); diff != "" {
		t.Errorf("with labels (-chain +explorer):\n%s", diff)
	}
	if !slices.ContainsFunc(got.Dispositions, func(d trace.Disposition) bool { return d.Kind == "service" && d.Entity == "An Exchange" }) || len(got.Labels) != 1 {
		t.Errorf("no disposition at the exchange: %+v", got.Labels)
	}
	if !strings.Contains(notes.String(), "places were asked for") || explorer.lies > 0 {
		t.Errorf("notes %q, %d lies left", notes.String(), explorer.lies)
	}
}

// TestEsploraBlocks ingests whole blocks from an explorer.
func TestEsploraBlocks(t *testing.T) {
	explorer := newEsplora(t)
	explorer.lies = 2
	server := httptest.NewServer(explorer)
	defer server.Close()
	data := t.TempDir()
	var out, notes bytes.Buffer
	if code := run([]string{"--data", data, "ingest", "bitcoin", "--from", "esplora:" + server.URL, "--to", "250", "--per-second", "100000"}, &out, &notes); code != exitDone {
		t.Fatal(notes.String())
	}
	out.Reset()
	if code := run([]string{"--data", data, "--json", "status"}, &out, &notes); code != exitDone {
		t.Fatal(notes.String())
	}
	var status struct {
		Chains []struct {
			Height  int
			Hash    string
			Weakest string
		}
	}
	if err := json.Unmarshal(out.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(status.Chains); got != fmt.Sprintf("[{250 %s proven}]", explorer.blocks[250].BlockHash()) {
		t.Errorf("status %s", got)
	}
}
