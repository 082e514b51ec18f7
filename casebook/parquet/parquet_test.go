package parquet_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"coldtrail/casebook"
	"coldtrail/casebook/casebooktest"
	"coldtrail/casebook/parquet"
	"coldtrail/casebook/sqlite"
)

// opened opens an empty casebook.
func opened(t *testing.T) (casebook.Database, *casebook.SQL) {
	t.Helper()
	db, err := sqlite.OpenDatabase(t.Context(), filepath.Join(t.TempDir(), "casebook.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	book, err := casebook.Open(t.Context(), db, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, book
}

// rows are all rows of a casebook.
func rows(t *testing.T, db casebook.Database) (all [][]any) {
	t.Helper()
	err := casebook.Export(t.Context(), db, func(table *casebook.Table, row []any) error {
		all = append(all, append([]any{table.Name}, row...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestThereAndBack writes a casebook with a row in every table, and fills another from
// the files, which nobody else may read.
func TestThereAndBack(t *testing.T) {
	from, book := opened(t)
	casebooktest.Write(t, book)
	for i := range 300 { // more than are decoded at once
		_, err := book.AddNote(t.Context(), casebook.Note{ID: "n" + strings.Repeat("x", i%9) + string(rune('a'+i%26)) + string(rune('a'+i/26)), About: casebook.Topic{Kind: casebook.AboutCase, Subject: "a"}, Text: strings.Repeat("text ", i+1), By: "key-1", At: int64(-i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "casebook")
	wrote, err := parquet.Write(t.Context(), from, dir)
	if err != nil {
		t.Fatal(err)
	}
	want := rows(t, from)
	if wrote.Rows != uint64(len(want)) || len(wrote.Tables) != len(casebook.Tables()) {
		t.Errorf("%d rows of %d tables were written, want %d of %d", wrote.Rows, len(wrote.Tables), len(want), len(casebook.Tables()))
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", f.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v (%v), want 0700", info.Mode(), err)
	}
	into, _ := opened(t)
	read, err := parquet.Read(t.Context(), into, dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, wrote) || !reflect.DeepEqual(rows(t, into), want) {
		t.Error("what came in is not what went out")
	}
	if _, err := parquet.Read(t.Context(), into, dir); !errors.Is(err, casebook.ErrNotEmpty) {
		t.Errorf("a second time: %v", err)
	}
	if again, err := parquet.Write(t.Context(), from, dir); err != nil || !reflect.DeepEqual(again, wrote) {
		t.Errorf("written again: %v", err)
	}
}

// written is a folder with a casebook in it.
func written(t *testing.T) string {
	t.Helper()
	db, book := opened(t)
	if _, err := book.SaveCase(t.Context(), casebook.CaseChange{ID: "a", State: casebook.CaseOpen, Text: "case: a", By: "k", At: 1}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := parquet.Write(t.Context(), db, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDamaged wants every kind of damage to be named, and nothing to be left behind.
func TestDamaged(t *testing.T) {
	manifest := func(change func(m map[string]any)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			text, err := os.ReadFile(filepath.Join(dir, parquet.Manifest))
			var m map[string]any
			if err = errors.Join(err, json.Unmarshal(text, &m)); err != nil {
				t.Fatal(err)
			}
			change(m)
			if text, err = json.Marshal(m); err == nil {
				err = os.WriteFile(filepath.Join(dir, parquet.Manifest), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for want, damage := range map[string]func(t *testing.T, dir string){
		"its SHA-256 is another": func(t *testing.T, dir string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, "cases.parquet"), []byte("PAR1"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"no such file": func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "notes.parquet")); err != nil {
				t.Fatal(err)
			}
		},
		"is of format":           manifest(func(m map[string]any) { m["version"] = 2 }),
		"schema version 1":       manifest(func(m map[string]any) { m["schema"] = 1 }),
		"names 0 tables":         manifest(func(m map[string]any) { m["tables"] = []any{} }),
		"unknown field":          manifest(func(m map[string]any) { m["more"] = 1 }),
		"stands where":           manifest(func(m map[string]any) { m["tables"].([]any)[0].(map[string]any)["name"] = "../x" }),
		"rows, the manifest say": manifest(func(m map[string]any) { m["tables"].([]any)[0].(map[string]any)["rows"] = 9 }),
	} {
		t.Run(want, func(t *testing.T) {
			dir := written(t)
			damage(t, dir)
			into, _ := opened(t)
			if _, err := parquet.Read(t.Context(), into, dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want it to say %q", err, want)
			}
			if left := rows(t, into); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
