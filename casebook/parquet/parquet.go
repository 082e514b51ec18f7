// Package parquet writes a casebook into a folder of Parquet files, a file for each
// table, and fills an empty casebook from such a folder.
//
// The files have everything that the casebook has, the secrets of webhooks and the
// digests of keys too: only their owner may read them. A manifest, written last, names
// each file with its digest. docs/formats/archive.md describes the folder.
package parquet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/casebook"
	"coldtrail/internal/footer"
)

// Manifest is the name of the file that says what the folder holds.
const Manifest = "manifest.json"

const (
	format     = "coldtrail-casebook"
	version    = 1
	extension  = ".parquet"
	partialEnd = ".partial"
	groupRows  = 1 << 12  // rows that are in memory until they are written
	groupBytes = 32 << 20 // and bytes of their texts
	maxFile    = 1 << 20  // bytes of the manifest
	memory     = 64 << 20 // bytes of rows that are decoded at once
	formatKey  = "coldtrail.casebook"
)

// limits bound what is taken from a file.
var limits = footer.Limits{Footer: 16 << 20, Page: 32 << 20, Values: 1 << 20}

// An Error says what is wrong in a file of the folder. Row counts from 1 and is 0 where
// the fault is the whole file's.
type Error struct {
	File   string
	Row    int64
	Reason string
}

// Error is "file: row N: reason".
func (e *Error) Error() string {
	if e.Row > 0 {
		return fmt.Sprintf("casebook/%s: row %d: %s", e.File, e.Row, e.Reason)
	}
	return fmt.Sprintf("casebook/%s: %s", e.File, e.Reason)
}

// Summary is what the folder holds.
type Summary struct {
	Tables []Table
	Rows   uint64
	Bytes  uint64
}

// Table is the file of one table.
type Table struct {
	Name   string `json:"name"`
	Rows   uint64 `json:"rows"`
	Bytes  uint64 `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// manifest is the content of the manifest.
type manifest struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Schema  int     `json:"schema"` // of the casebook
	Tables  []Table `json:"tables"`
}

func (m *manifest) summary() *Summary {
	s := &Summary{Tables: m.Tables}
	for i := range m.Tables {
		s.Rows += m.Tables[i].Rows
		s.Bytes += m.Tables[i].Bytes
	}
	return s
}

// prepare makes the folder ready. Files of a casebook that were written before are
// removed, and nothing else.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	names := []string{Manifest, Manifest + partialEnd}
	for i := range casebook.Tables() {
		names = append(names, casebook.Tables()[i].Name+extension)
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder
}

// Write writes a casebook into a folder, in place of a casebook that it held before.
func Write(ctx context.Context, db casebook.Database, dir string) (*Summary, error) {
	if err := prepare(dir); err != nil {
		return nil, err
	}
	m := manifest{Format: format, Version: version, Schema: casebook.Newest()}
	var open *tableWriter
	err := casebook.Export(ctx, db, func(t *casebook.Table, row []any) error {
		for open == nil || open.table.Name != t.Name {
			if err := m.follow(&open, dir); err != nil {
				return err
			}
		}
		return open.put(row)
	})
	for err == nil && (open != nil || len(m.Tables) < len(casebook.Tables())) {
		err = m.follow(&open, dir)
	}
	if err != nil {
		if open != nil {
			_ = open.file.Close() // the folder has no manifest, so what it holds is nothing
		}
		return nil, err
	}
	text, err := json.MarshalIndent(&m, "", " ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, Manifest)
	if err := os.WriteFile(path+partialEnd, append(text, '\n'), 0o600); err != nil {
		return nil, err
	}
	return m.summary(), os.Rename(path+partialEnd, path)
}

// follow completes the file that is open, and opens that of the next table. A table
// without rows has a file too.
func (m *manifest) follow(open **tableWriter, dir string) error {
	if *open != nil {
		t, err := (*open).finish()
		if err != nil {
			return err
		}
		m.Tables = append(m.Tables, t)
		*open = nil
	}
	if len(m.Tables) == len(casebook.Tables()) {
		return nil
	}
	var err error
	*open, err = createTable(dir, &casebook.Tables()[len(m.Tables)])
	return err
}

// Read fills an empty casebook of the newest schema from a folder: with everything or,
// where a file is not what the manifest says, with nothing.
func Read(ctx context.Context, db casebook.Database, dir string) (*Summary, error) {
	m, err := readManifest(filepath.Join(dir, Manifest))
	if err != nil {
		return nil, err
	}
	next := 0
	err = casebook.Import(ctx, db, func(t *casebook.Table) iter.Seq2[[]any, error] {
		next++
		return readTable(dir, t, &m.Tables[next-1])
	})
	return m.summary(), err
}

func readManifest(path string) (*manifest, error) {
	fault := func(reason string, args ...any) (*manifest, error) {
		return nil, &Error{File: Manifest, Reason: fmt.Sprintf(reason, args...)}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return fault("it is larger than %d bytes", maxFile)
	}
	m := &manifest{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(m); err != nil {
		return fault("it is not JSON as it should be: %v", err)
	}
	switch {
	case m.Format != format || m.Version != version:
		return fault("it is of format %.40q, version %d; known is %s, version %d", m.Format, m.Version, format, version)
	case m.Schema != casebook.Newest():
		return fault("it is of a casebook with schema version %d, this program works with %d; import it with the version that wrote it", m.Schema, casebook.Newest())
	case len(m.Tables) != len(casebook.Tables()):
		return fault("it names %d tables, not %d", len(m.Tables), len(casebook.Tables()))
	}
	for i := range m.Tables {
		if m.Tables[i].Name != casebook.Tables()[i].Name {
			return fault("table %.40q stands where %s is due", m.Tables[i].Name, casebook.Tables()[i].Name)
		}
	}
	return m, nil
}

// schemaOf gives the columns of a table's file, and where each column of the table
// stands in a row of it: the format puts them in the order of their names.
func schemaOf(t *casebook.Table) (schema *pq.Schema, at []int) {
	group := pq.Group{}
	for _, c := range t.Columns {
		group[c.Name] = pq.Compressed(pq.String(), &pq.Zstd)
		if c.Kind == casebook.Integer {
			group[c.Name] = pq.Compressed(pq.Int(64), &pq.Zstd)
		}
	}
	schema = pq.NewSchema(t.Name, group)
	for _, c := range t.Columns {
		leaf, _ := schema.Lookup(c.Name) // it was put there
		at = append(at, leaf.ColumnIndex)
	}
	return schema, at
}

// digestOf is SHA-256 in hexadecimal.
func digestOf(r io.Reader) (sum string, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), n, err
}
