package parquet

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"coldtrail/casebook"
)

// FuzzTable reads a table's file with bytes changed, under the digest that it has then:
// rows with a value of its kind for each column, or an error that names the file.
func FuzzTable(f *testing.F) {
	table := &casebook.Tables()[0]
	w, err := createTable(f.TempDir(), table)
	if err != nil {
		f.Fatal(err)
	}
	for i := range int64(300) {
		if err := w.put([]any{"id", "title", "open", "text of a case", i, "somebody", i * i, "somebody", -i}); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := w.finish(); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(w.file.Name())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{})
	f.Add(uint32(40), bytes.Repeat([]byte{0xff}, 9))
	f.Add(uint32(len(seed)-8), []byte{0xff, 0xff, 0xff, 0x7f})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		file := slices.Clone(seed)
		copy(file[int(at)%len(file):], patch)
		if err := os.WriteFile(filepath.Join(dir, table.Name+extension), file, 0o600); err != nil {
			t.Fatal(err)
		}
		sum, n, err := digestOf(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []uint64{300, 1, 0} {
			for row, err := range readTable(dir, table, &Table{Name: table.Name, Rows: said, Bytes: uint64(n), SHA256: sum}) {
				var located *Error
				if err != nil && (!errors.As(err, &located) || located.File != "cases.parquet") {
					t.Fatalf("an error without a place: %v", err)
				}
				if err == nil && len(row) != len(table.Columns) {
					t.Fatalf("a row of %d values", len(row))
				}
			}
		}
	})
}
