package attribution_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store/memory"
)

// listed is a batch of claims by one source, each a subject and what is said of it.
func listed(snapshot bool, learned int64, rows ...[2]string) *feed.Batch {
	b := &feed.Batch{File: "list.csv", Format: "csv", Snapshot: snapshot}
	for i, row := range rows {
		b.Claims = append(b.Claims, label.Claim{Subject: label.SubjectOf(ledger.Bitcoin, row[0]), Label: row[1], By: "a desk", Score: 50, Learned: learned, File: b.File, Line: i + 1})
	}
	return b
}

func compared(t *testing.T, s *memory.Store, b *feed.Batch) *attribution.Difference {
	t.Helper()
	d, err := attribution.NewImporter(s).Compare(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func imported(t *testing.T, s *memory.Store, b *feed.Batch) *attribution.Imported {
	t.Helper()
	out, err := attribution.NewImporter(s).Import(t.Context(), b, false)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCompare: what a complete list says otherwise of a subject is changed, what it no
// longer names is withdrawn, and what came back after it was withdrawn stays ended.
func TestCompare(t *testing.T) {
	s := memory.New()
	first := listed(true, 100, [2]string{one, "a"}, [2]string{two, "b"}, [2]string{two, "b"})
	if d := compared(t, s, first); len(d.Added) != 2 || d.Added[0].Before != nil || d.Unchanged+len(d.Changed)+len(d.Withdrawn) != 0 {
		t.Errorf("a first list: %+v", d)
	}
	imported(t, s, first)
	d := compared(t, s, listed(true, 200, [2]string{one, "c"}))
	if len(d.Changed) != 1 || d.Changed[0].Label != "c" || d.Changed[0].Before.Label != "a" || len(d.Withdrawn) != 1 || d.Withdrawn[0].Label != "b" || len(d.Added) != 0 {
		t.Errorf("the second: %+v", d)
	}
	if r, _ := s.LabelRevision(t.Context()); r.Count != 2 {
		t.Errorf("comparing left %d claims", r.Count)
	}
	imported(t, s, listed(true, 200, [2]string{one, "c"}))
	d = compared(t, s, listed(true, 300, [2]string{one, "c"}, [2]string{two, "b"}))
	if d.Unchanged != 1 || len(d.Ended) != 1 || d.Ended[0].Label != "b" || len(d.Added)+len(d.Changed)+len(d.Withdrawn) != 0 {
		t.Errorf("what came back: %+v", d)
	}
	d = compared(t, s, listed(false, 300, [2]string{one, "d"}))
	if len(d.Added) != 1 || d.Added[0].Before == nil || d.Added[0].Before.Label != "c" || len(d.Withdrawn) != 0 {
		t.Errorf("a list that is not complete ends nothing: %+v", d)
	}
}

// TestCompareForetells: whatever a list says, importing it adds and withdraws as many
// claims as were foretold, and afterwards it changes nothing.
func TestCompareForetells(t *testing.T) {
	addresses := []string{one, two, "1FeexV6bAHb8ybZjqQMjJrcCrHGW9sb6uF"}
	rapid.Check(t, func(r *rapid.T) {
		s := memory.New()
		for round := range 4 {
			var rows [][2]string
			for range rapid.IntRange(1, 5).Draw(r, "rows") {
				rows = append(rows, [2]string{rapid.SampledFrom(addresses).Draw(r, "address"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "label")})
			}
			b := listed(rapid.Bool().Draw(r, "complete"), int64(100*(round+1)), rows...)
			d := compared(t, s, b)
			out := imported(t, s, b)
			if fresh := len(d.Added) + len(d.Changed); out.Added != fresh {
				r.Fatalf("%d claims were new, foretold were %d: %+v", out.Added, fresh, d)
			}
			replaced := map[label.ID]bool{}
			for i := range d.Changed {
				replaced[d.Changed[i].Before.ID()] = true
			}
			if ended := len(replaced) + len(d.Withdrawn); out.Withdrawn != ended {
				r.Fatalf("%d claims were withdrawn, foretold were %d: %+v", out.Withdrawn, ended, d)
			}
			again := compared(t, s, b)
			if len(again.Added)+len(again.Changed)+len(again.Withdrawn) != 0 {
				r.Fatalf("importing it again would change %+v", again)
			}
			if slices.ContainsFunc(again.Ended, func(c label.Claim) bool {
				return !slices.ContainsFunc(d.Ended, func(x label.Claim) bool { return x.ID() == c.ID() })
			}) {
				r.Fatalf("it ends what it says: %+v", again.Ended)
			}
		}
	})
}
