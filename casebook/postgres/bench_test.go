package postgres_test

import (
	"fmt"
	"testing"

	"coldtrail/casebook"
	"coldtrail/casebook/postgres"
	"coldtrail/internal/postgrestest"
	"coldtrail/screen/exposure"
)

func openBench(b *testing.B) *casebook.SQL {
	b.Helper()
	book, err := postgres.Open(b.Context(), postgrestest.Start(b).URL("postgres"), 1, postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := book.Close(); err != nil {
			b.Error(err)
		}
	})
	return book
}

// BenchmarkRaise raises alerts one at a time, each on the disk.
func BenchmarkRaise(b *testing.B) {
	book := openBench(b)
	for n := 0; b.Loop(); n++ {
		if _, err := book.Raise(b.Context(), []casebook.Alert{{Kind: casebook.WatchHit, Subject: "a", Cause: casebook.Cause{Chain: "eip155:1", Height: uint64(n), Block: "0x1"}}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeepScreened keeps batches of ten thousand subjects, half of them known.
func BenchmarkKeepScreened(b *testing.B) {
	book, n := openBench(b), 0
	for b.Loop() {
		batch := make([]casebook.Screened, casebook.MaxBatch)
		for i := range batch {
			n++
			batch[i] = casebook.Screened{Subject: fmt.Sprintf("0x%040x", n*7919%(1<<20)), Chain: "eip155:1", Outcome: exposure.Allow, Level: exposure.None, Judged: int64(n), Asked: int64(n), By: "key-1"}
		}
		if err := book.KeepScreened(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(casebook.MaxBatch)*float64(b.N)/b.Elapsed().Seconds(), "subjects/s")
}

// BenchmarkCase reads a case, as one request of many does.
func BenchmarkCase(b *testing.B) {
	book := openBench(b)
	if _, err := book.SaveCase(b.Context(), casebook.CaseChange{ID: "a", State: casebook.CaseOpen, Text: "case: a", By: "k", At: 1}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := book.Case(b.Context(), "a"); err != nil {
			b.Fatal(err)
		}
	}
}
