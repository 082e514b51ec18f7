package watch_test

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/internal/laundering"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/store/memory"
	"coldtrail/watch"
)

var size = flag.Int("subjects", 100_000, "how many subjects the benchmarks hold")

// crowd is an engine that knows something of every n-th of some addresses.
func crowd(b *testing.B, nth int) (*screen.Engine, func(int) string, *memory.Store) {
	b.Helper()
	s := memory.New()
	address := func(i int) string { return fmt.Sprintf("0x%08x%032x", uint32(i+1)*2654435761, i+1) }
	var claims []label.Claim
	for i := 0; i < *size; i += nth {
		claims = append(claims, label.Claim{
			Subject: label.Subject{Network: "eip155:1", Address: address(i)}, Label: fmt.Sprintf("hack %d", i/50), Abuse: "service_hack", By: "somebody",
			Confidence: "forensic", Score: 70, From: start - day, Learned: start - day,
		})
	}
	block := &ledger.Block{Chain: ledger.Ethereum, Height: 1, Hash: ledger.Hash{1}, Time: start}
	_, err := s.AddClaims(b.Context(), claims)
	if err = errors.Join(err, s.Append(b.Context(), []*ledger.Block{block})); err != nil {
		b.Fatal(err)
	}
	e, err := screen.NewEngine(s, screen.Options{Notations: laundering.Notations, Now: func() int64 { return start }})
	if err == nil {
		err = e.Rebuild(b.Context(), nil, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return e, address, s
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkChanged looks at everybody once, who was screened and does not change.
func BenchmarkChanged(b *testing.B) {
	e, address, _ := crowd(b, 100)
	path := filepath.Join(b.TempDir(), "casebook.db")
	book, err := sqlite.Open(b.Context(), path, 1, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	options := watch.Options{Book: book, Clock: func() time.Time { return time.Unix(start, 0) }, Queue: 1 << 16}
	w, err := watch.New(options)
	if err != nil {
		b.Fatal(err)
	}
	before, begin := heap(), time.Now()
	called := time.Duration(0)
	for i := 0; i < *size; {
		for ; i < *size && w.Health().Queued < 1<<16; i++ {
			a := watch.Asked{Question: exposure.Question{Subject: address(i), Chain: "eip155:1"}, Outcome: exposure.Allow, Level: exposure.None, At: start, By: "key-1"}
			if i%100 == 0 {
				a.Outcome, a.Level = exposure.Refuse, exposure.High
			}
			at := time.Now()
			w.Screened(&a)
			called += time.Since(at)
		}
		if err := w.Flush(b.Context(), e.Now()); err != nil {
			b.Fatal(err)
		}
	}
	noted := time.Since(begin)
	b.Logf("Screened %v each; noted %d in %v; %.0f MiB more", called/time.Duration(*size), w.Health().Subjects, noted, heap()-before)
	begin = time.Now()
	r, err := w.Changed(b.Context(), e.Now())
	b.Logf("first round %v: %+v, %v", time.Since(begin), r, err)
	for b.Loop() {
		if r, err := w.Changed(b.Context(), e.Now()); err != nil || r.Left != 0 {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(*size), "ns/subject")

	again, err := watch.New(options)
	if err != nil {
		b.Fatal(err)
	}
	begin = time.Now()
	r, err = again.Changed(b.Context(), e.Now())
	b.Logf("after a restart %v: %+v, %v", time.Since(begin), r, err)
}

// BenchmarkAlerts makes an alert of everybody: lists were imported.
func BenchmarkAlerts(b *testing.B) {
	e, address, s := crowd(b, *size)
	book, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "casebook.db"), 1, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	err = errors.Join(
		book.SaveTarget(b.Context(), casebook.Target{ID: "desk", Kind: casebook.Webhook, Address: "https://127.0.0.1:1/", Secrets: []string{secret}, By: "k", Created: 1}),
		book.SaveSubscription(b.Context(), casebook.Subscription{ID: "all", Target: "desk", By: "k", Created: 1}))
	if err != nil {
		b.Fatal(err)
	}
	w, err := watch.New(watch.Options{Book: book, Clock: func() time.Time { return time.Unix(start, 0) }})
	if err != nil {
		b.Fatal(err)
	}
	n := min(*size, 5000)
	for i := range n {
		w.Screened(&watch.Asked{Question: exposure.Question{Subject: address(i), Chain: "eip155:1"}, Outcome: exposure.Allow, Level: exposure.None, At: start})
	}
	if err := w.Flush(b.Context(), e.Now()); err != nil {
		b.Fatal(err)
	}
	for turn := 0; b.Loop(); turn++ {
		b.StopTimer()
		var claims []label.Claim
		for i := range n {
			claims = append(claims, listed(address(i), start-int64(turn)))
		}
		_, err := s.AddClaims(b.Context(), claims)
		if err = errors.Join(err, e.Rebuild(b.Context(), nil, nil)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		r, err := w.Changed(b.Context(), e.Now())
		if err != nil || turn == 0 && r.Raised < n-1 {
			b.Fatal(r, err)
		}
		if turn == 0 {
			b.Logf("%d alerts in %v", r.Raised, b.Elapsed())
		}
	}
}

// BenchmarkPublish publishes lists of everybody.
func BenchmarkPublish(b *testing.B) {
	e, address, s := crowd(b, 1)
	var mu sync.Mutex
	now := int64(start)
	p, err := watch.NewPublisher(watch.PublisherOptions{Key: key, Path: filepath.Join(b.TempDir(), "blocklists.json"), Clock: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Unix(now, 0)
	}})
	if err != nil {
		b.Fatal(err)
	}
	before, begin := heap(), time.Now()
	made, err := p.Publish(b.Context(), e.Now())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("first: %d entries in %v, %.0f MiB", made["refused"].Entries, time.Since(begin), heap()-before)
	f, err := p.File("refused", watch.Lines, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("the file has %d bytes", len(f.Body))
	begin = time.Now()
	if _, err := p.Publish(b.Context(), e.Now()); err != nil {
		b.Fatal(err)
	}
	b.Logf("nothing changed: %v", time.Since(begin))
	for turn := 0; b.Loop(); turn++ {
		b.StopTimer()
		var claims []label.Claim
		for i := range 100 {
			c := listed(address(turn*100+i), start-day)
			c.Label = fmt.Sprint(turn)
			claims = append(claims, c)
		}
		_, err := s.AddClaims(b.Context(), claims)
		if err = errors.Join(err, e.Rebuild(b.Context(), nil, nil)); err != nil {
			b.Fatal(err)
		}
		now++
		b.StartTimer()
		made, err := p.Publish(b.Context(), e.Now())
		if err != nil || len(made) != 2 {
			b.Fatal(made, err)
		}
	}
	b.Logf("in the end %.0f MiB more", heap()-before)
}
