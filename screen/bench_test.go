package screen_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/store/embedded"
	"coldtrail/trace"
)

// BenchmarkAdvance takes in a block at the end of the whole laundering of Bybit, in full
// volume: the time from a block in the store to verdicts that rest on it.
func BenchmarkAdvance(b *testing.B) {
	var blocks []*ledger.Block
	sink := func(x *ledger.Block) error {
		blocks = append(blocks, x)
		return nil
	}
	p, err := replay.Play(replay.Options{Seed: 1, Scale: 1, Wallets: 6954, Scenario: "bybit"}, replay.NewAccounts(1, 21_895_237, sink), replay.NewOutputs(1, sink))
	if err != nil {
		b.Fatal(err)
	}
	slices.SortStableFunc(blocks, func(x, y *ledger.Block) int { return int(x.Time - y.Time) })
	c := &trace.Case{File: "replay", Victims: p.Victims, Networks: map[string]string{"BTC": string(replay.Regtest), "ETH": string(ledger.Ethereum)}}
	for colour := range p.Truth.Stolen() {
		c.Name, _, _ = strings.Cut(colour, "/")
	}
	for _, t := range p.Thefts {
		c.Thefts = append(c.Thefts, trace.Theft{Colour: t.Colour, Chain: t.Chain, Asset: t.Asset, Tx: t.Tx, To: t.To, Amount: t.Amount.String()})
	}
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
	for _, chain := range []ledger.Chain{ledger.Ethereum, replay.Regtest} {
		of := slices.DeleteFunc(slices.Clone(blocks[:len(blocks)-last]), func(x *ledger.Block) bool { return x.Chain != chain })
		for chunk := range slices.Chunk(of, 256) {
			if err := s.Append(b.Context(), chunk); err != nil {
				b.Fatal(err)
			}
		}
	}
	e, err := screen.NewEngine(s, screen.Options{Notations: notations, Now: func() int64 { return time.Now().Unix() }})
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Rebuild(b.Context(), []*trace.Case{c}, nil); err != nil {
		b.Fatal(err)
	}
	at := len(blocks) - last
	for b.Loop() {
		if at < len(blocks) {
			if err := s.Append(b.Context(), blocks[at:at+1]); err != nil {
				b.Fatal(err)
			}
			at++
		}
		if err := e.Advance(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(e.Now().Len()), "addresses")
}
