package index_test

import (
	"encoding/binary"
	"flag"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"coldtrail/ledger"
	"coldtrail/screen/index"
)

var addresses = flag.Int("addresses", 1_000_000, "how many addresses the benchmarks hold")

// account is the n-th of a reproducible row of addresses that look random.
func account(n uint64) ledger.Address {
	var payload [20]byte
	pcg := rand.NewPCG(n, 1)
	binary.BigEndian.PutUint64(payload[:], pcg.Uint64())
	binary.BigEndian.PutUint64(payload[8:], pcg.Uint64())
	binary.BigEndian.PutUint32(payload[16:], uint32(n))
	return ledger.NewAddress(ledger.EVMAccount, payload[:])
}

// ground is the n-th address of somebody who makes them alike in all but the last bytes.
func ground(n uint64) ledger.Address {
	var payload [20]byte
	binary.BigEndian.PutUint64(payload[12:], n*0x9e3779b97f4a7c15) // odd: no two are equal
	return ledger.NewAddress(ledger.EVMAccount, payload[:])
}

func build(tb testing.TB, n int, address func(uint64) ledger.Address) *index.Index {
	tb.Helper()
	var b index.Builder
	for i := range uint64(n) {
		if err := b.Add(address(i), uint32(i%1000)); err != nil {
			tb.Fatal(err)
		}
	}
	x, err := b.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// A histogram counts durations in steps of an eighth of a power of two.
type histogram [512]uint64

func (h *histogram) add(d time.Duration) {
	n := uint64(max(d, 1))
	power := bits.Len64(n) - 1
	h[power*8+int(n<<3>>power&7)]++
}

// quantile is the upper end of the step in which the share of durations lies.
func (h *histogram) quantile(share float64) float64 {
	total := uint64(0)
	for _, n := range h {
		total += n
	}
	rank, seen := uint64(float64(total)*share), uint64(0)
	for i, n := range h {
		if seen += n; seen > rank {
			return float64(uint64(1)<<(i/8)) * float64(9+i%8) / 8
		}
	}
	return 0
}

// looksUp measures look-ups of n random addresses from some first one on, each timed for
// the quantiles (which adds the clock's own 40 ns or so), then all together for the
// mean. Held are those from the 0th.
func looksUp(b *testing.B, first uint64, address func(uint64) ledger.Address, find func(ledger.Address) bool) {
	b.Helper()
	want := first == 0
	asked := make([]ledger.Address, 1<<20)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range asked {
		asked[i] = address(first + r.Uint64N(uint64(*addresses)))
	}
	var h histogram
	for i := range asked {
		before := time.Now()
		found := find(asked[i])
		h.add(time.Since(before))
		if found != want {
			b.Fatalf("address %d: found is %v", i, found)
		}
	}
	i := 0
	for b.Loop() {
		if find(asked[i&(1<<20-1)]) != want {
			b.Fatal("wrong")
		}
		i++
	}
	b.ReportMetric(h.quantile(.5), "p50-ns")
	b.ReportMetric(h.quantile(.99), "p99-ns")
	b.ReportMetric(h.quantile(.999), "p99.9-ns")
}

// pause is the longest stop of the world in some collections, and how long each took;
// its unit is the collection.
func pause(b *testing.B) {
	b.Helper()
	read := func() *metrics.Float64Histogram {
		samples := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
		metrics.Read(samples)
		return samples[0].Value.Float64Histogram()
	}
	runtime.GC()
	before := append([]uint64(nil), read().Counts...)
	start := time.Now()
	times := 0
	for b.Loop() {
		runtime.GC()
		times++
	}
	b.ReportMetric(float64(time.Since(start).Microseconds())/float64(times), "us/collection")
	after := read()
	for i := len(after.Counts) - 1; i >= 0; i-- {
		if after.Counts[i] > before[i] {
			b.ReportMetric(after.Buckets[i+1]*1e6, "max-pause-us")
			return
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	start := time.Now()
	x := build(b, *addresses, account)
	whole := time.Since(start)
	b.Run("held", func(b *testing.B) {
		pause(b)
		b.ReportMetric(float64(x.Bytes())/float64(x.Len()), "B/address")
		b.ReportMetric(whole.Seconds(), "build-s")
	})
	find := func(a ledger.Address) bool { _, ok := x.Find(a); return ok }
	b.Run("hit", func(b *testing.B) { looksUp(b, 0, account, find) })
	b.Run("miss", func(b *testing.B) { looksUp(b, uint64(*addresses), account, find) })
	b.Run("many", func(b *testing.B) {
		asked := make([]ledger.Address, 10_000)
		r := rand.New(rand.NewPCG(7, 7))
		var numbers []uint32
		for b.Loop() {
			b.StopTimer()
			for i := range asked {
				asked[i] = account(r.Uint64N(2 * uint64(*addresses)))
			}
			b.StartTimer()
			numbers = x.FindMany(numbers[:0], asked)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(asked)), "ns/address")
	})
	runtime.KeepAlive(x)
}

// BenchmarkGround holds only addresses that were made alike.
func BenchmarkGround(b *testing.B) {
	start := time.Now()
	x := build(b, *addresses, ground)
	whole := time.Since(start)
	find := func(a ledger.Address) bool { _, ok := x.Find(a); return ok }
	b.Run("hit", func(b *testing.B) {
		looksUp(b, 0, ground, find)
		b.ReportMetric(whole.Seconds(), "build-s")
	})
	b.Run("miss", func(b *testing.B) { looksUp(b, uint64(*addresses), ground, find) })
}

// BenchmarkMap is the baseline.
func BenchmarkMap(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	x := make(map[ledger.Address]uint32)
	for i := range uint64(*addresses) {
		x[account(i)] = uint32(i % 1000)
	}
	whole := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.Run("held", func(b *testing.B) {
		pause(b)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(x)), "B/address")
		b.ReportMetric(whole.Seconds(), "build-s")
	})
	find := func(a ledger.Address) bool { _, ok := x[a]; return ok }
	b.Run("hit", func(b *testing.B) { looksUp(b, 0, account, find) })
	b.Run("miss", func(b *testing.B) { looksUp(b, uint64(*addresses), account, find) })
	runtime.KeepAlive(x)
}

func BenchmarkOverlay(b *testing.B) {
	for name, address := range map[string]func(uint64) ledger.Address{"random": account, "ground": ground} {
		tainted := make([]ledger.Address, 100_000)
		for i := range tainted {
			tainted[i] = address(uint64(i))
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var builder index.Builder
				for i, a := range tainted {
					if err := builder.Add(a, uint32(i)); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := builder.Build(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
