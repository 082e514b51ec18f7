package archive_test

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/archive"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// openEmbedded opens a store of one machine in a folder of its own.
func openEmbedded(t *testing.T) store.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openMemory(*testing.T) store.Store { return memory.New() }

// fewer bounds how many random ledgers a test makes: each is written to many files.
func fewer(t *testing.T) {
	t.Helper()
	if err := flag.Set("rapid.checks", "12"); err != nil {
		t.Fatal(err)
	}
}

// TestRoundTrip writes random ledgers of both families, and claims, from each kind of
// store and reads them into the other: content and every answer are the same.
func TestRoundTrip(t *testing.T) {
	fewer(t)
	defer archive.SetParts(6, 7, 4)()
	open := map[string]func(*testing.T) store.Store{"memory": openMemory, "embedded": openEmbedded}
	kinds := rapid.SampledFrom([]string{"memory", "embedded"})
	rapid.Check(t, func(rt *rapid.T) {
		from, into := open[kinds.Draw(rt, "from")](t), open[kinds.Draw(rt, "into")](t)
		defer func() {
			if err := errors.Join(from.Close(), into.Close()); err != nil {
				t.Error(err)
			}
		}()
		for _, blocks := range [][]*ledger.Block{
			storetest.UTXOBlocks(rt, storetest.Shape{Blocks: rapid.IntRange(1, 14).Draw(rt, "utxo blocks")}),
			storetest.AccountBlocks(rt, storetest.Shape{Blocks: rapid.IntRange(1, 14).Draw(rt, "account blocks")}),
		} {
			if rapid.IntRange(0, 3).Draw(rt, "without hashes") == 0 {
				nameless(blocks)
			}
			if err := from.Append(t.Context(), blocks); err != nil {
				rt.Fatal(err)
			}
		}
		addClaims(rt, from, rapid.IntRange(0, 9).Draw(rt, "claims"))
		dir := filepath.Join(t.TempDir(), "archive")
		wrote, err := archive.Write(t.Context(), from, dir, archive.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		read, err := archive.Read(t.Context(), dir, into, archive.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(wrote, read); diff != "" || len(read.Chains) != 2 || read.Others {
			rt.Fatalf("summaries differ: %s", diff)
		}
		same(rt, from, into)
		check(rt, from, into)
	})
}

// nameless takes the hashes of blocks away, as a list of movements has none: then their
// content rests on everything that they say.
func nameless(blocks []*ledger.Block) {
	for _, b := range blocks {
		b.Hash, b.Parent = ledger.Hash{}, ledger.Hash{}
	}
}

// check compares the claims word by word; a revision is a sum only.
func check(t failer, want, got store.Store) {
	t.Helper()
	lists := [2][]label.Claim{}
	for i, s := range []store.Store{want, got} {
		for c, err := range s.ClaimsOn(context.Background(), "") {
			if err != nil {
				t.Fatal(err)
			}
			lists[i] = append(lists[i], *c)
		}
	}
	if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
		t.Fatalf("claims differ (-want +got):\n%s", diff)
	}
}

// failer is what *testing.T and *rapid.T share.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// same compares everything two stores answer.
func same(t failer, want, got store.Store) {
	t.Helper()
	dumps := [2]string{}
	for i, s := range []store.Store{want, got} {
		text, err := storetest.Dump(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.LabelRevision(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		dumps[i] = text + r.String()
	}
	if dumps[0] != dumps[1] {
		t.Fatalf("stores differ (-want +got):\n%s", cmp.Diff(strings.Split(dumps[0], "\n"), strings.Split(dumps[1], "\n")))
	}
}

// addClaims adds some claims of every kind of field.
func addClaims(t failer, s store.Store, n int) {
	t.Helper()
	var list []label.Claim
	for i := range n {
		c := label.Claim{
			Subject: label.Subject{Network: label.Network(ledger.Ethereum), Address: "0x" + strings.Repeat("0", 39) + string(rune('1'+i%9))},
			Label:   "label " + string(rune('a'+i)), Actor: "somebody", Confidence: "forensic", Score: uint8(i), By: "tester", Source: "a page", Why: "because\nof this",
			From: 5, Until: 9, Stated: 7, Learned: int64(100 + i), File: "list.csv", Line: i, Cluster: i%2 == 0, Unchecked: i%3 == 0,
		}
		if i%2 == 1 {
			c.Aliases, c.Jurisdictions, c.Parent = []string{"one", ""}, []string{"KP"}, "parent"
		}
		list = append(list, c)
	}
	if _, err := s.AddClaims(context.Background(), list); err != nil {
		t.Fatal(err)
	}
}
