package screen_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/store/embedded"
	"coldtrail/trace"
)

// BenchmarkAdvance takes in a block at the end of the whole laundering of Bybit, in full
// volume: the time from a block in the store to verdicts that rest on it.
func BenchmarkAdvance(b *testing.B) {
	p := played(b, replay.Options{Seed: 1, Scale: 1, Wallets: 6954, Scenario: "bybit"})
	blocks, c := p.Blocks, p.Case
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
		for chunk := range slices.Chunk(laundering.Of(chain, blocks[:len(blocks)-last]), 256) {
			if err := s.Append(b.Context(), chunk); err != nil {
				b.Fatal(err)
			}
		}
	}
	e, err := screen.NewEngine(s, screen.Options{
		Notations: laundering.Notations, Now: func() int64 { return time.Now().Unix() },
		Clusters: func(ctx context.Context) (list []*attribution.Clusters, err error) {
			for _, chain := range []ledger.Chain{replay.Regtest, ledger.Ethereum} {
				notation, err := laundering.Notations(chain)
				if err != nil {
					return nil, err
				}
				c, err := attribution.OpenClusters(ctx, s, chain, cluster.InMemory(chain.Family()), attribution.ClusterOptions{
					Notation: notation, Service: attribution.NewView(s, label.When{}, 0).Services(ctx, chain, notation),
				})
				if err != nil {
					return nil, err
				}
				list = append(list, c)
			}
			return list, nil
		},
	})
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
