package evidence_test

import (
	"bytes"
	"testing"

	"coldtrail/evidence"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
)

// BenchmarkTenThousandPaths makes and checks the bundle of a laundering that ends in more
// than ten thousand places.
func BenchmarkTenThousandPaths(b *testing.B) {
	s, _, text := played(b, replay.Options{Seed: 1, Scale: 1, Thin: 1, Scenario: "bybit", Wallets: 6_954})
	o := options()
	o.Trace.Notations = laundering.Notations
	var raw []byte
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			raw = build(b, s, text, o)
		}
		b.ReportMetric(float64(len(raw))/1e6, "MB")
	})
	b.Run("verify", func(b *testing.B) {
		places := 0
		for b.Loop() {
			r, held, err := evidence.Verify(b.Context(), bytes.NewReader(raw), int64(len(raw)), laundering.Notations)
			if err != nil || r.State != evidence.OK {
				b.Fatalf("%+v, %v", r, err)
			}
			places = len(held.Result.Dispositions)
		}
		if places < 10_000 {
			b.Fatalf("%d places", places)
		}
		b.ReportMetric(float64(places), "paths")
	})
}
