package trace_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
	"coldtrail/taint"
	"coldtrail/trace"
)

// variant is another history of the same blocks: from a height on a transaction of each
// block did not happen, so that its hash and all behind it differ.
func variant(rt *rapid.T, blocks []*ledger.Block, from int) []*ledger.Block {
	out := slices.Clone(blocks[:from])
	for i := from; i < len(blocks); i++ {
		b := *blocks[i]
		b.Txs = slices.Clone(b.Txs)
		if n := len(b.Txs); n > 1 && rapid.Bool().Draw(rt, "leave out") {
			b.Txs = b.Txs[:n-1]
		}
		if i > 0 {
			b.Parent = out[i-1].Hash
		}
		b.Hash = ledger.Hash(sha256.Sum256(fmt.Append(nil, "other ", b.Hash, i, len(b.Txs))))
		out = append(out, &b)
	}
	return out
}

// crowded concludes that whoever was touched often is a service: a conclusion that comes
// only with time, about value that has already passed.
func crowded(t *testing.T, s store.Store) func(ledger.Chain, ledger.Address, store.TxNumber) (taint.Terminal, bool) {
	t.Helper()
	return func(c ledger.Chain, a ledger.Address, end store.TxNumber) (taint.Terminal, bool) {
		histories, err := s.History(t.Context(), c, []store.Since{{Address: a}})
		if err != nil {
			t.Error(err)
		}
		n := 0
		for _, touch := range histories[0] {
			if touch.Tx < end {
				n++
			}
		}
		return taint.Terminal{Kind: taint.Service, Entity: "crowded", Score: 9_000, By: "crowd"}, n >= 5
	}
}

// TestLiveIsRun wants the property in memory.
func TestLiveIsRun(t *testing.T) { checkLiveIsRun(t, inMemory, 14) }

// checkLiveIsRun keeps a trace current with a ledger that grows and is reorganised, and
// compares it after each step with one from scratch: all bytes are the same, also where
// later blocks change what earlier ones meant, and where a theft is not held any more.
func checkLiveIsRun(t *testing.T, empty fresh, length int) {
	t.Helper()
	defer trace.SetNear(64)
	rapid.Check(t, func(rt *rapid.T) {
		trace.SetNear(rapid.SampledFrom([]ledger.Height{0, 1, 64}).Draw(rt, "near"))
		generate := storetest.UTXOBlocks
		if rapid.Bool().Draw(rt, "accounts") {
			generate = storetest.AccountBlocks
		}
		blocks := generate(rt, storetest.Shape{Blocks: length})
		s := empty(rt)
		options := trace.Options{
			Method: rapid.SampledFrom(taint.Methods).Draw(rt, "method"), Fees: rapid.SampledFrom([]taint.FeeRule{taint.FeesEnd, taint.FeesFollow}).Draw(rt, "fees"),
			Notations: plain, Reach: true, Subsidy: func(ledger.Chain, ledger.Height) uint64 { return 500 },
		}
		if rapid.Bool().Draw(rt, "concludes") {
			options.Terminals = crowded(t, s)
		}
		cases := drawCases(rt, blocks)
		live, err := trace.NewLive(s, cases, options)
		if err != nil {
			rt.Fatal(err)
		}
		w := watched{s, live, cases, options}
		for at := 0; at < len(blocks); {
			n := min(len(blocks), at+rapid.IntRange(1, 4).Draw(rt, "batch"))
			if err := s.Append(t.Context(), blocks[at:n]); err != nil {
				rt.Skip("the other history is none: " + err.Error())
			}
			at = n
			w.compare(t.Context(), rt)
			if rapid.IntRange(0, 2).Draw(rt, "reorg") == 0 {
				at = rapid.IntRange(0, at-1).Draw(rt, "back to")
				if err := s.Rewind(t.Context(), blocks[0].Chain, blocks[at].Height); err != nil {
					rt.Fatal(err)
				}
				blocks = variant(rt, blocks, at)
				if rapid.Bool().Draw(rt, "look") {
					w.compare(t.Context(), rt)
				}
			}
		}
	})
}

// watched is a live trace over a store that a test changes.
type watched struct {
	store   store.Store
	live    *trace.Live
	cases   []*trace.Case
	options trace.Options
}

// failing is a test that can fail.
type failing interface {
	Fatalf(format string, args ...any)
}

// compare advances the live trace and compares it with one from scratch.
func (w *watched) compare(ctx context.Context, t failing) {
	want, wantErr := trace.Run(ctx, w.store, w.cases, w.options)
	err := w.live.Advance(ctx)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("live says %v, a new trace %v", err, wantErr)
	}
	if err != nil {
		return
	}
	got, err := w.live.Result(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if got.Digest != want.Digest {
		t.Fatalf("live says\n%s\na new trace\n%s", inJSON(t, got), inJSON(t, want))
	}
	compareReached(t, w.live.Reached(), got)
}

func inJSON(t failing, result *trace.Result) string {
	text, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(text)
}

// compareReached checks that what is said of addresses adds up to the dispositions.
func compareReached(rt failing, reached []trace.Reached, result *trace.Result) {
	type key struct{ chain, colour string }
	sums := map[key]ledger.Amount{}
	for i := range reached {
		k := key{string(reached[i].Chain), reached[i].Colour}
		sum := sums[k]
		sum.Add(&sum, &reached[i].Held)
		sums[k] = sum
		if reached[i].Held.Gt(&reached[i].Received) && result.Note == "" { // poison stains what arrives clean, too
			rt.Fatalf("%+v holds more than it received", reached[i])
		}
	}
	want := map[key]ledger.Amount{}
	for i := range result.Dispositions {
		d := &result.Dispositions[i]
		if d.Kind == "burned" && strings.Contains(d.At, ":") {
			return // perhaps overwritten by a coinbase with the same identifier (BIP-30)
		}
		if d.Kind != "held" && d.Kind != "frozen" {
			continue
		}
		amount, err := ledger.ParseAmount(d.Amount)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		k := key{d.Chain, d.Colour}
		sum := want[k]
		sum.Add(&sum, &amount)
		want[k] = sum
	}
	for k, sum := range want {
		if got := sums[k]; !got.Eq(&sum) {
			rt.Fatalf("%v: addresses hold %s, dispositions %s", k, got.Dec(), sum.Dec())
		}
	}
}

// TestPassingThrough: a contract that passes all it gets on in the same transaction was not
// reached, one that keeps something was; by a method that does not conserve both were,
// as what is sent on has stained the sender.
func TestPassingThrough(t *testing.T) {
	who := func(name string) ledger.Address {
		a, err := ledger.NameAddress(name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	move := func(from, to string, amount uint64) ledger.Transfer {
		return ledger.Transfer{From: who(from), To: who(to), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}
	}
	txs := []ledger.Tx{
		{ID: ledger.Hash{1}, Transfers: []ledger.Transfer{move("victim", "thief", 20)}},
		{ID: ledger.Hash{2}, Index: 1, Transfers: []ledger.Transfer{move("thief", "aggregator", 10), move("aggregator", "router", 4), move("aggregator", "router", 6)}},
		{ID: ledger.Hash{3}, Index: 2, Transfers: []ledger.Transfer{move("thief", "keeper", 10), move("keeper", "router", 9)}},
	}
	s := memory.New()
	if err := s.Append(t.Context(), []*ledger.Block{{Chain: ledger.Ethereum, Height: 1, Hash: ledger.Hash{9}, Txs: txs}}); err != nil {
		t.Fatal(err)
	}
	c := &trace.Case{File: "test", Name: "theft", Thefts: []trace.Theft{{Colour: "eth", Chain: string(ledger.Ethereum), Tx: ledger.Ethereum.FormatHash(txs[0].ID)}}}
	for method, want := range map[*taint.Method]map[string]string{
		taint.FIFO:   {"thief": "received 20, sent 20, held 0", "keeper": "received 10, sent 9, held 1", "router": "received 19, sent 0, held 19"},
		taint.Poison: {"aggregator": "", "thief": "", "keeper": "", "router": ""},
	} {
		result, err := trace.Run(t.Context(), s, []*trace.Case{c}, trace.Options{Method: method, Notations: plain, Reach: true})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range result.Reached() {
			name := string(r.Address.Bytes())
			if got[name] = fmt.Sprintf("received %s, sent %s, held %s", r.Received.Dec(), r.Sent.Dec(), r.Held.Dec()); !method.Conserves {
				got[name] = "" // amounts overlap
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", method.Name, got, want)
		}
	}
}
