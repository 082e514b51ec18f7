package evidence_test

import (
	"bytes"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"coldtrail/evidence"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

// played is a replayed laundering in a store, and its case file.
func played(tb testing.TB, o replay.Options) (*memory.Store, *laundering.Laundering, string) {
	tb.Helper()
	l, err := laundering.Play(o)
	if err != nil {
		tb.Fatal(err)
	}
	s := memory.New()
	for _, chain := range []ledger.Chain{ledger.Ethereum, replay.Regtest} {
		if err := s.Append(tb.Context(), laundering.Of(chain, l.Blocks)); err != nil {
			tb.Fatal(err)
		}
	}
	text, err := yaml.Marshal(l.Case)
	if err != nil {
		tb.Fatal(err)
	}
	return s, l, string(text)
}

// TestLaundering makes a bundle of a laundering across two chains: swaps, bridges, mixers,
// an opaque service. Its answer is that of a trace of the whole store, by every method.
func TestLaundering(t *testing.T) {
	s, l, text := played(t, replay.Options{Seed: 7, Scale: 1000, Thin: 40, Scenario: "bybit", Wallets: 60})
	for _, method := range taint.Methods {
		o := options()
		o.Trace.Method, o.Trace.Notations = method, laundering.Notations
		raw := build(t, s, text, o)
		streamed := o.Trace
		streamed.Mode = trace.Streaming
		want, err := trace.Run(t.Context(), s, []*trace.Case{l.Case}, streamed)
		if err != nil {
			t.Fatal(err)
		}
		r, held, err := evidence.Verify(t.Context(), bytes.NewReader(raw), int64(len(raw)), laundering.Notations)
		if err != nil || r.State != evidence.OK {
			t.Fatalf("%s: %+v, %v", method.Name, r, err)
		}
		if r.Statement.Digest != want.Digest || held.Result.Digest != want.Digest {
			t.Errorf("%s: digest %s, a trace of the whole store gives %s", method.Name, r.Statement.Digest, want.Digest)
		}
		if len(r.Statement.Chains) != 2 || len(held.Result.Crossings) == 0 || len(r.Decisions) == 0 {
			t.Errorf("%s: %d chains, %d crossings, %d decisions", method.Name, len(r.Statement.Chains), len(held.Result.Crossings), len(r.Decisions))
		}
		if x, ok := restsOn(r, "transactions and their place"); !ok || !strings.HasPrefix(x.On, "a file") || len(r.Proven) > 0 {
			t.Errorf("%s: a replay proves nothing; %+v, proven %+v", method.Name, r.Rests, r.Proven)
		}
	}
}

// TestAsOf makes a bundle of another time.
func TestAsOf(t *testing.T) {
	s, l, text := played(t, replay.Options{Seed: 9, Scale: 1000, Thin: 40, Scenario: "bybit", Wallets: 30})
	o := options()
	o.Trace.Notations = laundering.Notations
	middle := l.Blocks[len(l.Blocks)/2]
	o.Trace.AsOf = middle.When()
	r, held, err := evidence.Verify(t.Context(), bytes.NewReader(build(t, s, text, o)), 1<<40, laundering.Notations)
	if err != nil || r.State == evidence.OK {
		t.Fatalf("a bundle of another size passed: %+v, %v, %v", r, held, err)
	}
	raw := build(t, s, text, o)
	if r, held, err = evidence.Verify(t.Context(), bytes.NewReader(raw), int64(len(raw)), laundering.Notations); err != nil || r.State != evidence.OK {
		t.Fatalf("%+v, %v", r, err)
	}
	if head := held.Result.Basis.Heads[string(middle.Chain)]; head.Height != uint64(middle.Height) {
		t.Errorf("it ends at block %d, want %d", head.Height, middle.Height)
	}
}
