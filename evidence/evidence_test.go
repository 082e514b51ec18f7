package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/chain/evm"
	"coldtrail/evidence"
	"coldtrail/evidence/bundle"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

// theft is block 170: what Satoshi Nakamoto paid to Hal Finney out of the coinbase of block
// 9, and the change, called stolen and traced to the last block of the bundled chain.
const theft = `case: block-170
title: The first payment, called a theft
thefts:
  - {colour: btc, chain: bitcoin, outpoint: "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:0"}
  - {colour: btc, chain: bitcoin, outpoint: "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:1"}
`

func notations(chain ledger.Chain) (ledger.Notation, error) {
	if chain.Family() == ledger.Account {
		return evm.Notation{}, nil
	}
	network, err := bitcoin.NetworkOf(chain)
	return bitcoin.Notation{Network: network}, err
}

// realChain is the first 14,132 blocks of Bitcoin.
func realChain(tb testing.TB) (*memory.Store, *blkfile.Source) {
	tb.Helper()
	source, err := blkfile.Open(tb.Context(), "../testdata/bitcoin/blk_0_to_14131.dat.zst", blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = source.Close() })
	s := memory.New()
	if _, err := ingest.Run(tb.Context(), s, ledger.Bitcoin, source, ingest.Options{}); err != nil {
		tb.Fatal(err)
	}
	return s, source
}

func options() evidence.Options {
	return evidence.Options{
		Trace: trace.Options{Notations: notations, Crossings: true, Method: taint.FIFO, LabelRevision: "sha256:none", Subsidy: func(_ ledger.Chain, h ledger.Height) uint64 { return bitcoin.Subsidy(h) }},
		Tool:  evidence.Tool{Name: "coldtrail", Version: "test"},
	}
}

func build(tb testing.TB, s store.Questions, text string, o evidence.Options) []byte {
	tb.Helper()
	var out bytes.Buffer
	if _, err := evidence.Build(tb.Context(), &out, s, []evidence.CaseFile{{Name: "case.yaml", Text: []byte(text)}}, o); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func verify(tb testing.TB, raw []byte) *evidence.Report {
	tb.Helper()
	report, _, err := evidence.Verify(tb.Context(), bytes.NewReader(raw), int64(len(raw)), notations)
	if err != nil {
		tb.Fatal(err)
	}
	return report
}

// wrong is the first thing that is wrong.
func wrong(r *evidence.Report) evidence.Check {
	for _, c := range r.Checks {
		if c.State != evidence.OK {
			return c
		}
	}
	return evidence.Check{}
}

func proven(r *evidence.Report, part string) int {
	for _, f := range r.Proven {
		if strings.Contains(f.What, part) {
			return f.Count
		}
	}
	return 0
}

func restsOn(r *evidence.Report, part string) (evidence.Rest, bool) {
	i := slices.IndexFunc(r.Rests, func(x evidence.Rest) bool { return strings.Contains(x.What, part) })
	if i < 0 {
		return evidence.Rest{}, false
	}
	return r.Rests[i], true
}

// proving asks to be told of proofs, and gives what was told last and how often.
func proving(o *evidence.Options) (told func() string) {
	last, steps := "", 0
	o.Proving = func(chain ledger.Chain, done, total uint64) {
		steps++
		last = fmt.Sprintf("%s %d of %d", chain, done, total)
	}
	return func() string { return fmt.Sprintf("%s in %d steps", last, steps) }
}

// TestBlock170 proves the first payment from the bundle alone: every transaction on the
// way of the stolen value, in the real chain of headers with its work.
func TestBlock170(t *testing.T) {
	s, source := realChain(t)
	for _, method := range taint.Methods {
		o := options()
		o.Trace.Method = method
		o.Bitcoin = map[ledger.Chain]evidence.BitcoinSource{ledger.Bitcoin: source}
		told := proving(&o)
		raw := build(t, s, theft, o)
		if want := "bip122:000000000019d6689c085ae165831e93 14142 of 14142 in 14142 steps"; told() != want { // ten blocks, headers 0 to 14131
			t.Errorf("%s: told of %s, want %s", method.Name, told(), want)
		}
		if !bytes.Equal(raw, build(t, s, theft, o)) {
			t.Errorf("%s: the same basis gave other bytes", method.Name)
		}
		c, err := trace.ParseCase("case.yaml", strings.NewReader(theft))
		if err != nil {
			t.Fatal(err)
		}
		streamed := o.Trace
		streamed.Mode = trace.Streaming
		want, err := trace.Run(t.Context(), s, []*trace.Case{c}, streamed)
		if err != nil {
			t.Fatal(err)
		}
		r := verify(t, raw)
		if r.State != evidence.OK || r.Statement.Digest != want.Digest {
			t.Fatalf("%s: %s %+v; digest %s, a trace of the whole store gives %s", method.Name, r.State, wrong(r), r.Statement.Digest, want.Digest)
		}
		if n := proven(r, "merkle branch"); n < 1 {
			t.Errorf("%s: %d transactions proven", method.Name, n)
		}
		if n := proven(r, "headers 0 to 14131"); n != 14132 {
			t.Errorf("%s: %d headers with work: %+v", method.Name, n, r.Proven)
		}
		if n := proven(r, "only make what others spend"); n < 1 {
			t.Errorf("%s: the coinbase of block 9 is not proven: %+v", method.Name, r.Proven)
		}
		if x, ok := restsOn(r, "without a proof"); ok {
			t.Errorf("%s: %+v", method.Name, x)
		}
		if _, ok := restsOn(r, "not spent up to"); !ok {
			t.Errorf("%s: that outputs are unspent is proven by nothing, and not said", method.Name)
		}
	}
}

// TestWithoutSource wants a bundle without proofs to say whose word it is.
func TestWithoutSource(t *testing.T) {
	s, _ := realChain(t)
	r := verify(t, build(t, s, theft, options()))
	if x, ok := restsOn(r, "transactions and their place"); r.State != evidence.OK || !ok || !strings.HasPrefix(x.On, "whoever made the bundle") || len(r.Proven) > 0 {
		t.Errorf("%s, %+v, %+v", r.State, r.Rests, r.Proven)
	}
}

// rewritten is a bundle with one file replaced, its hashes made right again: what somebody
// can do who wants to lie, and not only a broken disk.
func rewritten(t *testing.T, raw []byte, name string, change func([]byte) []byte) []byte {
	t.Helper()
	b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var files []bundle.File
	found := false
	for _, e := range b.Files {
		content, err := b.Content(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if e.Name == name {
			found = true
			content = change(content)
		}
		files = append(files, bundle.File{Name: e.Name, Content: content})
	}
	if !found {
		t.Fatalf("no file %s", name)
	}
	var out bytes.Buffer
	if err := bundle.Write(&out, b.Statement, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTamperedFiles changes one byte of every file in turn, hashes and all: whatever
// carries the proof or the answer is found, and the file named.
func TestTamperedFiles(t *testing.T) {
	s, source := realChain(t)
	o := options()
	o.Bitcoin = map[ledger.Chain]evidence.BitcoinSource{ledger.Bitcoin: source}
	raw := build(t, s, theft, o)
	b, err := bundle.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Files {
		for _, at := range []uint32{0, e.Size / 3, e.Size / 2, e.Size - 2} {
			changed := rewritten(t, raw, e.Name, func(content []byte) []byte {
				content = bytes.Clone(content)
				content[at] ^= 1
				return content
			})
			r := verify(t, changed)
			if r.State == evidence.OK {
				t.Errorf("byte %d of %s was changed, and nothing is wrong", at, e.Name)
			}
		}
		removed := rewritten(t, raw, e.Name, func([]byte) []byte { return nil })
		if r := verify(t, removed); r.State == evidence.OK {
			t.Errorf("%s was emptied, and nothing is wrong", e.Name)
		}
	}
}

// TestLies makes the claims that a thief's lawyer would like.
func TestLies(t *testing.T) {
	s, source := realChain(t)
	o := options()
	o.Bitcoin = map[ledger.Chain]evidence.BitcoinSource{ledger.Bitcoin: source}
	raw := build(t, s, theft, o)
	const folder = "bip122-000000000019d6689c085ae165831e93/"
	for _, lie := range []struct{ file, old, new, named string }{
		{"ledger/" + folder + "outputs.jsonl", `"value":1000000000`, `"value":900000000`, ""},
		{"ledger/" + folder + "transactions.jsonl", `"height":170,`, `"height":171,`, "proofs/" + folder + "transactions.jsonl"},
		{"ledger/" + folder + "transactions.jsonl", `"time":1231731025`, `"time":1231731026`, ""},
		{"proofs/" + folder + "transactions.jsonl", `"height":170,"index":1`, `"height":170,"index":0`, "proofs/" + folder + "transactions.jsonl"},
		{"proofs/" + folder + "transactions.jsonl", `"height":170,"index":1`, `"height":169,"index":1`, "proofs/" + folder + "transactions.jsonl"},
		{"result.json", `"method":"fifo"`, `"method":"lifo"`, "result.json"},
		{"flows.jsonl", `"kind":"held"`, `"kind":"fee"`, "flows.jsonl"},
	} {
		changed := rewritten(t, raw, lie.file, func(content []byte) []byte {
			if !bytes.Contains(content, []byte(lie.old)) {
				t.Fatalf("%s has no %s:\n%.3000s", lie.file, lie.old, content)
			}
			return bytes.Replace(content, []byte(lie.old), []byte(lie.new), 1)
		})
		r := verify(t, changed)
		if r.State != evidence.Wrong {
			t.Errorf("%s for %s in %s: %s", lie.new, lie.old, lie.file, r.State)
		} else if named := func(c evidence.Check) bool { return c.State == evidence.Wrong && c.File == lie.named }; lie.named != "" && !slices.ContainsFunc(r.Checks, named) {
			t.Errorf("%s for %s in %s: %+v", lie.new, lie.old, lie.file, r.Checks)
		}
	}
}

// TestUnreadable tells a bundle that is broken from one that cannot be read.
func TestUnreadable(t *testing.T) {
	_, _, err := evidence.Verify(t.Context(), failing{}, 100, notations)
	if err == nil {
		t.Error("a bundle that cannot be read was judged")
	}
	r, _, err := evidence.Verify(t.Context(), strings.NewReader("PK"), 2, notations)
	if err != nil || r.State != evidence.Wrong {
		t.Errorf("%+v, %v", r, err)
	}
}

type failing struct{}

var errDisk = errors.New("disk")

// ReadAt fails.
func (failing) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

var _ io.ReaderAt = failing{}
