package archive_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/archive"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// cut exports until some blocks and claims are done.
func cut(t *testing.T, from store.Store, dir string, o archive.Options, after uint64) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o.Progress = func(done, _ uint64) {
		if done >= after {
			stop()
		}
	}
	_, err := archive.Write(ctx, from, dir, o)
	return err
}

// TestResume cuts exports off at any block, again and again, damages what they left, and
// goes on: the manifest in the end is that of an export in one go.
func TestResume(t *testing.T) {
	fewer(t)
	defer archive.SetParts(3, 7, 4)()
	rapid.Check(t, func(rt *rapid.T) {
		from := memory.New()
		for _, blocks := range [][]*ledger.Block{
			storetest.UTXOBlocks(rt, storetest.Shape{Blocks: rapid.IntRange(1, 9).Draw(rt, "utxo blocks")}),
			storetest.AccountBlocks(rt, storetest.Shape{Blocks: rapid.IntRange(1, 9).Draw(rt, "account blocks")}),
		} {
			if rapid.IntRange(0, 3).Draw(rt, "without hashes") == 0 {
				nameless(blocks)
			}
			if err := from.Append(t.Context(), blocks); err != nil {
				rt.Fatal(err)
			}
		}
		addClaims(rt, from, rapid.IntRange(0, 9).Draw(rt, "claims"))
		folder := t.TempDir()
		whole, parts := filepath.Join(folder, "whole"), filepath.Join(folder, "parts")
		if _, err := archive.Write(t.Context(), from, whole, archive.Options{}); err != nil {
			rt.Fatal(err)
		}
		o := archive.Options{}
		for range rapid.IntRange(1, 3).Draw(rt, "cuts") {
			err := cut(t, from, parts, o, uint64(rapid.IntRange(1, 20).Draw(rt, "after")))
			if err != nil && !errors.Is(err, context.Canceled) {
				rt.Fatal(err)
			}
			if err == nil {
				return // it came to its end
			}
			o.Resume = true
			if _, err := archive.Read(t.Context(), parts, memory.New(), archive.Options{}); !errors.Is(err, archive.ErrUnfinished) {
				rt.Fatalf("an unfinished archive: %v", err)
			}
			if rapid.IntRange(0, 2).Draw(rt, "damage") == 0 {
				_ = os.Truncate(filepath.Join(parts, "blocks/part-000001.parquet"), 9) // it may not be there
			}
		}
		s, err := archive.Write(t.Context(), from, parts, o)
		if err != nil {
			rt.Fatal(err)
		}
		for _, name := range []string{"manifest.json", "blocks/part-000000.parquet"} {
			want, err1 := os.ReadFile(filepath.Join(whole, name))
			got, err2 := os.ReadFile(filepath.Join(parts, name))
			if err := errors.Join(err1, err2); err != nil || string(want) != string(got) {
				rt.Fatalf("%s of a resumed export (%d parts kept) is another: %v\n%s\n%s", name, s.Kept, err, want, got)
			}
		}
		left, err := filepath.Glob(filepath.Join(parts, "*", "*.partial"))
		if hidden, _ := filepath.Glob(filepath.Join(parts, ".*")); err != nil || len(left)+len(hidden) > 0 {
			rt.Fatalf("left behind: %v %v %v", left, hidden, err)
		}
	})
}

// TestResumeAfterReorganisation keeps the parts that are still what the store holds.
func TestResumeAfterReorganisation(t *testing.T) {
	defer archive.SetParts(1, 7, 4)()
	s := memory.New()
	blocks := utxoBlocks()
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a")
	if err := cut(t, s, dir, archive.Options{}, 2); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := s.Rewind(t.Context(), ledger.Bitcoin, 6); err != nil {
		t.Fatal(err)
	}
	other := &ledger.Block{Chain: ledger.Bitcoin, Height: 6, Hash: hash(206), Parent: hash(105)}
	if err := s.Append(t.Context(), []*ledger.Block{other}); err != nil {
		t.Fatal(err)
	}
	done, err := archive.Write(t.Context(), s, dir, archive.Options{Resume: true})
	if err != nil || done.Kept != 1 || done.Chains[0].Height != 6 {
		t.Fatalf("%+v, %v", done, err)
	}
	into := memory.New()
	if _, err := archive.Read(t.Context(), dir, into, archive.Options{}); err != nil {
		t.Fatal(err)
	}
	same(t, s, into)
}

// TestBegin wants a folder of its own, and no finished archive to be touched.
func TestBegin(t *testing.T) {
	s := filled(t)
	dir := write(t, s)
	for _, o := range []archive.Options{{}, {Resume: true}} {
		if _, err := archive.Write(t.Context(), s, dir, o); !errors.Is(err, archive.ErrFinished) {
			t.Errorf("over a finished archive: %v", err)
		}
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(t.Context(), s, other, archive.Options{Resume: true}); err == nil {
		t.Error("wrote into a folder with other files")
	}
	begun := filepath.Join(t.TempDir(), "begun")
	if err := cut(t, s, begun, archive.Options{}, 1); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := archive.Write(t.Context(), s, begun, archive.Options{}); !errors.Is(err, archive.ErrUnfinished) {
		t.Errorf("over an unfinished archive: %v", err)
	}
	var located *archive.Error
	if _, err := archive.Write(t.Context(), s, begun, archive.Options{Resume: true, Chains: []ledger.Chain{ledger.Bitcoin}}); !errors.As(err, &located) || located.File != "journal.jsonl" {
		t.Errorf("with other chains: %v", err)
	}
}

// TestAside puts a file beside the tables, and wants it to be there unchanged.
func TestAside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	name := "more/notes.txt"
	path := filepath.Join(dir, name)
	_, err := archive.Write(t.Context(), filled(t), dir, archive.Options{Aside: func() ([]string, error) {
		return []string{name}, errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600))
	}})
	if err != nil {
		t.Fatal(err)
	}
	if has, err := archive.Has(dir, name); err != nil || !has {
		t.Errorf("the archive has not %s: %v", name, err)
	}
	o := archive.Options{Beside: []string{name}}
	if _, err := archive.Read(t.Context(), dir, memory.New(), o); err != nil {
		t.Error(err)
	}
	var located *archive.Error
	for _, damage := range []func() error{func() error { return os.WriteFile(path, []byte("y"), 0o600) }, func() error { return os.Remove(path) }} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Read(t.Context(), dir, memory.New(), o); !errors.As(err, &located) || located.File != name {
			t.Errorf("got %v", err)
		}
	}
	_, err = archive.Write(t.Context(), filled(t), filepath.Join(t.TempDir(), "b"), archive.Options{Aside: func() ([]string, error) { return []string{"../x"}, nil }})
	if err == nil {
		t.Error("a file outside was put beside")
	}
}
