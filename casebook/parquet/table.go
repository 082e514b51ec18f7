package parquet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path/filepath"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/casebook"
	"coldtrail/internal/footer"
)

// tableWriter writes the file of one table.
type tableWriter struct {
	table  *casebook.Table
	file   *os.File
	sum    hash.Hash
	writer *pq.GenericWriter[any]
	at     []int // where a column stands in a row of the file
	row    pq.Row
	rows   uint64
	bytes  uint64 // of the file
	held   int    // bytes of texts in the group of rows
}

func createTable(dir string, t *casebook.Table) (*tableWriter, error) {
	file, err := os.OpenFile(filepath.Join(dir, t.Name+extension), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	w := &tableWriter{table: t, file: file, sum: sha256.New(), row: make(pq.Row, len(t.Columns))}
	var schema *pq.Schema
	schema, w.at = schemaOf(t)
	w.writer = pq.NewGenericWriter[any](w, schema, pq.MaxRowsPerRowGroup(groupRows), pq.KeyValueMetadata(formatKey, fmt.Sprint(version)))
	return w, nil
}

// Write writes to the file, and takes the bytes into the digest.
func (w *tableWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	_, _ = w.sum.Write(p[:n]) // never fails
	w.bytes += uint64(n)
	return n, err
}

// put writes a row of the casebook.
func (w *tableWriter) put(row []any) error {
	for i := range row {
		value := pq.Value{}
		switch v := row[i].(type) {
		case string:
			value = pq.ByteArrayValue([]byte(v))
			w.held += len(v)
		case int64:
			value = pq.Int64Value(v)
		}
		w.row[w.at[i]] = value.Level(0, 0, w.at[i])
	}
	if _, err := w.writer.WriteRows([]pq.Row{w.row}); err != nil {
		return err
	}
	w.rows++
	if w.held < groupBytes {
		return nil
	}
	w.held = 0
	return w.writer.Flush()
}

func (w *tableWriter) finish() (Table, error) {
	err := errors.Join(w.writer.Close(), w.file.Sync(), w.file.Close())
	return Table{w.table.Name, w.rows, w.bytes, hex.EncodeToString(w.sum.Sum(nil))}, err
}

// readTable gives the rows of a table's file, after a look at its digest.
func readTable(dir string, t *casebook.Table, said *Table) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		r := &tableReader{name: t.Name + extension}
		err := r.guard(func() error { return r.open(dir, t, said) })
		if err != nil {
			yield(nil, r.wrong(err))
			return
		}
		defer r.disk.Close()
		for {
			var row []any
			err := r.guard(func() (err error) {
				row, err = r.next(t)
				return err
			})
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, r.wrong(err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// tableReader reads the file of one table.
type tableReader struct {
	name   string
	disk   *os.File
	file   *pq.File
	at     []int
	group  int
	rows   pq.Rows
	left   int64
	buffer []pq.Row
	held   []pq.Row
	row    int64
}

// guard runs work on the file. The decoder panics on some damaged files: that becomes
// an error like any other.
func (r *tableReader) guard(work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the file is damaged: %v", fault)
		}
	}()
	return work()
}

// wrong makes an error one of the file, at the row that is due.
func (r *tableReader) wrong(err error) error {
	e := &Error{File: r.name, Reason: err.Error()}
	if r.file != nil {
		e.Row = r.row + 1
	}
	return e
}

func (r *tableReader) open(dir string, t *casebook.Table, said *Table) (err error) {
	if r.disk, err = os.Open(filepath.Join(dir, r.name)); err != nil {
		return err
	}
	defer func() {
		if r.file == nil {
			_ = r.disk.Close() // it was only read
		}
	}()
	sum, n, err := digestOf(io.LimitReader(r.disk, int64(min(said.Bytes, 1<<62))+1))
	if err != nil {
		return err
	}
	if sum != said.SHA256 || uint64(n) != said.Bytes {
		return errors.New("it is not the file that was written: its SHA-256 is another than the manifest's")
	}
	file, err := footer.Open(r.disk, limits)
	if err != nil {
		return err
	}
	schema, at := schemaOf(t)
	if !pq.EqualNodes(file.Schema(), schema) {
		return errors.New("its columns are not those of the table")
	}
	if file.NumRows() < 0 || uint64(file.NumRows()) != said.Rows {
		return fmt.Errorf("it has %d rows, the manifest says %d", file.NumRows(), said.Rows)
	}
	r.file, r.at = file, at
	return nil
}

// next gives the next row, or io.EOF.
func (r *tableReader) next(t *casebook.Table) ([]any, error) {
	for len(r.held) == 0 {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	from := r.held[0]
	r.held = r.held[1:]
	if len(from) != len(t.Columns) {
		return nil, fmt.Errorf("it has %d values, not %d", len(from), len(t.Columns))
	}
	row := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		v := from[r.at[i]]
		switch {
		case c.Kind == casebook.Text && v.Kind() == pq.ByteArray:
			row[i] = string(v.ByteArray())
		case c.Kind == casebook.Integer && v.Kind() == pq.Int64:
			row[i] = v.Int64()
		default:
			return nil, fmt.Errorf("column %s has no value of its kind", c.Name)
		}
	}
	r.row++
	return row, nil
}

// fill decodes the next rows.
func (r *tableReader) fill() error {
	for r.left == 0 {
		if r.rows != nil {
			if err := r.rows.Close(); err != nil {
				return err
			}
			r.rows = nil
		}
		groups := r.file.RowGroups()
		if r.group == len(groups) {
			return io.EOF
		}
		largest := int64(1)
		described := r.file.Metadata().RowGroups[r.group].Columns
		for i := range described {
			page, err := footer.CheckPages(r.disk, r.file.Size(), &described[i].MetaData, limits)
			if err != nil {
				return err
			}
			largest = max(largest, page)
		}
		if r.left = groups[r.group].NumRows(); r.left < 0 {
			return errors.New("a group has a negative number of rows")
		}
		r.buffer = make([]pq.Row, min(max(memory/largest, 1), 256))
		r.rows = groups[r.group].Rows()
		r.group++
	}
	n, err := r.rows.ReadRows(r.buffer[:min(int64(len(r.buffer)), r.left)])
	if n == 0 && (err == nil || errors.Is(err, io.EOF)) {
		return errors.New("the group has fewer rows than it says")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.left -= int64(n)
	r.held = r.buffer[:n]
	return nil
}
