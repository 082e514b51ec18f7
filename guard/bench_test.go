package guard_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/casebook"
	"coldtrail/screen/breaker"
	"coldtrail/trace"
)

// BenchmarkUse is one use after another: screened, decided and on disk.
func BenchmarkUse(b *testing.B) {
	r := newRig(b, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	r.to(r.now)
	took := make([]time.Duration, 0, b.N)
	for i := 0; b.Loop(); i++ {
		e := r.swap(fmt.Sprint("use-", i), account(i%5000), 100)
		begun := time.Now()
		r.use("dex", e)
		took = append(took, time.Since(begun))
	}
	percentiles(b, took)
}

// BenchmarkUseMany is 64 callers at once.
func BenchmarkUseMany(b *testing.B) {
	r := newRig(b, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	r.to(r.now)
	var n atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	b.SetParallelism(32) // on two cores
	b.RunParallel(func(p *testing.PB) {
		var mine []time.Duration
		for p.Next() {
			i := int(n.Add(1))
			e := r.swap(fmt.Sprint("use-", i), account(i%5000), 100)
			begun := time.Now()
			if _, err := r.guard.Use(b.Context(), "dex", []breaker.Event{e}); err != nil {
				b.Error(err)
				return
			}
			mine = append(mine, time.Since(begun))
		}
		mu.Lock()
		took = append(took, mine...)
		mu.Unlock()
	})
	percentiles(b, took)
}

// BenchmarkAgain is a use that was decided before.
func BenchmarkAgain(b *testing.B) {
	r := newRig(b, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	r.to(r.now)
	e := r.swap("use", account(1), 100)
	for b.Loop() {
		r.use("dex", e)
	}
}

func percentiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("µs-p%d", p))
	}
}

// full is a rig whose venue has many uses, each by somebody else.
func full(tb testing.TB, n int) *rig {
	tb.Helper()
	r := newRig(tb, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	for i := 0; i < n; {
		var many []breaker.Event
		for range 1000 {
			e := r.swap(fmt.Sprint("use-", i), account(i), 100)
			e.Receiver = account(1_000_000 + i)
			many = append(many, e)
			i++
		}
		r.use("dex", many...)
		r.now++
	}
	return r
}

// BenchmarkRelabel looks at 20,000 uses of as many senders again, as after each block.
func BenchmarkRelabel(b *testing.B) {
	r := full(b, 20_000)
	for i := range b.N {
		b.StopTimer()
		cases := []*trace.Case{played().Case}
		r.must(r.engine.Rebuild(b.Context(), cases[:i%2], nil))
		b.StartTimer()
		r.must(r.guard.Advance(b.Context()))
	}
}

// BenchmarkRestart reads a venue with 20,000 uses from its snapshot and its log.
func BenchmarkRestart(b *testing.B) {
	r := full(b, 20_000)
	for b.Loop() {
		b.StopTimer()
		r.shut()
		b.StartTimer()
		r.open()
		r.must(r.guard.Tick(b.Context()))
	}
	row, err := r.book.LastSnapshot(b.Context(), "dex")
	r.must(err)
	b.ReportMetric(float64(len(row.Body)), "B-row")
}

// BenchmarkReplay plays a log of 20,000 uses.
func BenchmarkReplay(b *testing.B) {
	r := full(b, 20_000)
	for b.Loop() {
		if report, err := r.guard.Replay(b.Context(), "dex"); err != nil || report.First != nil {
			b.Fatal(report, err)
		}
	}
}
