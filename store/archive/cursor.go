package archive

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/internal/footer"
)

// limits bound what is taken from a file: the writer makes pages far below them.
var limits = footer.Limits{Footer: 64 << 20, Page: 32 << 20, Values: 1 << 20}

// cursorRows is how many rows of a file are decoded at once. Each text of a row may be
// as large as a page, so fewer are where pages are large.
const (
	cursorRows  = 256
	cursorBytes = 64 << 20
)

func newSum() hash.Hash { return sha256.New() }

// cursor goes through the rows of one file of a table. Without a file it has no rows.
type cursor[T any] struct {
	name   string
	disk   *os.File
	file   *pq.File
	group  int
	reader *pq.GenericReader[T]
	left   int64 // rows of the group that are not read
	buffer []T
	at     int
	row    int64 // the number of the row that was given last
	end    bool
}

// openCursor checks a file against its digest and opens it. Of a table without rows
// there is no file.
func openCursor[T any](dir string, f *File) (*cursor[T], error) {
	c := &cursor[T]{name: f.Path}
	if f.Bytes == 0 {
		c.end = true
		return c, nil
	}
	var err error
	if c.disk, err = os.Open(filepath.Join(dir, filepath.FromSlash(f.Path))); err != nil {
		return nil, c.wrong(err)
	}
	sum, n, err := digestOf(io.LimitReader(c.disk, int64(min(f.Bytes, 1<<62))+1))
	switch {
	case err != nil:
	case uint64(n) != f.Bytes:
		err = fmt.Errorf("it has not the %d bytes that the manifest says", f.Bytes)
	case sum != f.SHA256:
		err = errors.New("it is not the file that was written: its SHA-256 is another than the manifest's")
	default:
		err = c.guard(func() error { return c.open(f.Rows) })
	}
	if err != nil {
		c.close()
		return nil, c.wrong(err)
	}
	return c, nil
}

// open opens the file, whose columns must be the table's very ones.
func (c *cursor[T]) open(rows uint64) (err error) {
	if c.file, err = footer.Open(c.disk, limits); err != nil {
		return err
	}
	if version, _ := c.file.Lookup(formatKey); version != fmt.Sprint(Version) {
		return fmt.Errorf("it says of itself version %q, not %d", clip(version), Version)
	}
	if !pq.EqualNodes(c.file.Schema(), pq.SchemaOf(new(T))) {
		return errors.New("its columns are not those of the table")
	}
	if c.file.NumRows() < 0 || uint64(c.file.NumRows()) != rows {
		return fmt.Errorf("it has %d rows, the manifest says %d", c.file.NumRows(), rows)
	}
	return nil
}

// guard runs work on the file. The decoder panics on some damaged files: that becomes
// an error like any other.
func (c *cursor[T]) guard(work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the file is damaged: %v", fault)
		}
	}()
	return work()
}

// wrong makes an error one of the file.
func (c *cursor[T]) wrong(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{File: c.name, Reason: err.Error()}
}

// fault makes an error one of the row that was given last.
func (c *cursor[T]) fault(err error) error {
	return &Error{File: c.name, Row: c.row, Reason: err.Error()}
}

func (c *cursor[T]) close() {
	if c != nil && c.disk != nil {
		_ = c.disk.Close() // it was only read
	}
}

// next gives the next row, or nil at the end. It is valid until the next call.
func (c *cursor[T]) next() (*T, error) {
	if c.at == len(c.buffer) && !c.end {
		if err := c.guard(c.fill); err != nil {
			return nil, &Error{File: c.name, Row: c.row + 1, Reason: err.Error()}
		}
	}
	if c.end {
		return nil, nil
	}
	c.at++
	c.row++
	return &c.buffer[c.at-1], nil
}

// fill decodes the next rows.
func (c *cursor[T]) fill() error {
	for c.left == 0 {
		groups := c.file.RowGroups()
		if c.group == len(groups) {
			c.end = true
			return nil
		}
		described := c.file.Metadata().RowGroups[c.group].Columns
		largest := int64(1)
		for i := range described {
			page, err := footer.CheckPages(c.disk, c.file.Size(), &described[i].MetaData, limits)
			if err != nil {
				return err
			}
			largest = max(largest, page)
		}
		c.buffer = make([]T, min(max(cursorBytes/largest, 1), cursorRows))
		c.left = groups[c.group].NumRows()
		if c.left < 0 {
			return errors.New("a group has a negative number of rows")
		}
		c.reader = pq.NewGenericRowGroupReader[T](groups[c.group])
		c.group++
	}
	c.buffer = c.buffer[:min(int64(cap(c.buffer)), c.left)]
	clear(c.buffer) // what was given must not be overwritten in place
	n, err := c.reader.Read(c.buffer)
	if n == 0 && (err == nil || errors.Is(err, io.EOF)) {
		return errors.New("the group has fewer rows than it says")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	c.buffer, c.at = c.buffer[:n], 0
	c.left -= int64(n)
	return nil
}
