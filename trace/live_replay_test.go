package trace_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

// played is a laundering with its blocks in the order of their times.
func played(tb testing.TB, options replay.Options) ([]*ledger.Block, *trace.Case) {
	tb.Helper()
	l, err := laundering.Play(options)
	if err != nil {
		tb.Fatal(err)
	}
	return l.Blocks, l.Case
}

// liveOptions are those of a live trace with crossings.
func liveOptions() trace.Options {
	return trace.Options{Notations: realNotation, Crossings: true, Reach: true}
}

// TestLiveFollowsLaundering plays the laundering through THORChain and a swap service into
// a store block by block, both chains at once and now and then reorganised, and compares
// the live trace with one from scratch on the way.
func TestLiveFollowsLaundering(t *testing.T) {
	blocks, c := played(t, replay.Options{Seed: 5, Scale: 1000, Thin: 40, Wallets: 400, Scenario: "bybit"})
	s, random := memory.New(), rand.New(rand.NewPCG(5, 5))
	options := liveOptions()
	concluded := crowded(t, s)
	options.Terminals = func(c ledger.Chain, a ledger.Address, end store.TxNumber) (taint.Terminal, bool) {
		if a.Payload[0]%8 != 0 { // few enough that most goes on
			return taint.Terminal{}, false
		}
		return concluded(c, a, end)
	}
	live, err := trace.NewLive(s, []*trace.Case{c}, options)
	if err != nil {
		t.Fatal(err)
	}
	w := watched{s, live, []*trace.Case{c}, options}
	compared, crossed := 0, 0
	for at := 0; at < len(blocks); {
		end := min(len(blocks), at+1+random.IntN(60))
		for ; at < end; at++ {
			if err := s.Append(t.Context(), blocks[at:at+1]); err != nil {
				t.Fatal(err)
			}
			if at%10 == 0 {
				_ = live.Advance(t.Context()) // before the thefts there is nothing to trace
			}
		}
		if random.IntN(3) == 0 {
			at = takeBack(t, s, blocks, at, random.IntN(12))
		}
		w.compare(t.Context(), t)
		if result, err := live.Result(t.Context()); err == nil { // the thefts are there
			compared, crossed = compared+1, len(result.Crossings)
		}
	}
	if compared < 20 || crossed < 20 {
		t.Errorf("compared %d times, %d crossings in the end", compared, crossed)
	}
}

// takeBack rewinds one of the chains by so many blocks and says from where on blocks have
// to be appended again; those of the other chain that are held are skipped.
func takeBack(t *testing.T, s store.Store, blocks []*ledger.Block, at, depth int) int {
	t.Helper()
	chain := blocks[at-1].Chain
	for at--; at > 0; at-- {
		if blocks[at].Chain == chain {
			if depth--; depth < 0 {
				break
			}
		}
	}
	if err := s.Rewind(t.Context(), chain, blocks[at].Height); err != nil {
		t.Fatal(err)
	}
	return at
}

// BenchmarkLiveBlock advances a live trace of the whole laundering of Bybit by a block at
// its end, and tells what a trace from scratch costs there.
func BenchmarkLiveBlock(b *testing.B) {
	blocks, c := played(b, replay.Options{Seed: 1, Scale: 1, Wallets: 6954, Scenario: "bybit"})
	s, err := embedded.Open(b.Context(), b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	const last = 400
	for at := 0; at < len(blocks)-last; at += 256 {
		for _, chain := range []ledger.Chain{ledger.Ethereum, replay.Regtest} {
			if err := s.Append(b.Context(), laundering.Of(chain, blocks[at:min(at+256, len(blocks)-last)])); err != nil {
				b.Fatal(err)
			}
		}
	}
	live, err := trace.NewLive(s, []*trace.Case{c}, liveOptions())
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if err := live.Advance(b.Context()); err != nil {
		b.Fatal(err)
	}
	first := time.Since(begin)
	begin = time.Now()
	if _, err := trace.Run(b.Context(), s, []*trace.Case{c}, trace.Options{Method: taint.FIFO, Mode: trace.Targeted, Notations: realNotation, Crossings: true}); err != nil {
		b.Fatal(err)
	}
	scratch := time.Since(begin)
	at, reached := len(blocks)-last, 0
	b.ResetTimer()
	for b.Loop() {
		if at < len(blocks) {
			if err := s.Append(b.Context(), blocks[at:at+1]); err != nil {
				b.Fatal(err)
			}
			at++
		}
		if err := live.Advance(b.Context()); err != nil {
			b.Fatal(err)
		}
		reached = len(live.Reached())
	}
	b.ReportMetric(float64(reached), "addresses")
	b.ReportMetric(first.Seconds()*1000, "ms/first")
	b.ReportMetric(scratch.Seconds()*1000, "ms/scratch")
}
