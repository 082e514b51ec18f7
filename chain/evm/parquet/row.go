package parquet

import (
	"errors"
	"fmt"
	"io"
	"math"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/internal/footer"
	"coldtrail/ledger"
)

// row is one row of a table: a value for every column of the table that the file
// has, and the values of its one list.
type row struct {
	file   *file
	leaves []*leaf
	number int64 // from 1
	block  ledger.Height
	cells  []pq.Value
	list   []pq.Value
}

// fault is an error at a column of the row.
func (r *row) fault(column int, err error) error {
	name := r.file.columns[column]
	if name == "" {
		name = columns[r.file.table][column].names[0]
	}
	return &Error{File: r.file.path, Row: r.number, Column: name, Reason: err.Error()}
}

// bad is an error of the whole row.
func (r *row) bad(format string, args ...any) error {
	return &Error{File: r.file.path, Row: r.number, Reason: fmt.Sprintf(format, args...)}
}

// has says whether the row has a value in a column.
func (r *row) has(column int) bool { return r.leaves[column] != nil && !r.cells[column].IsNull() }

var errEmpty = errors.New("the value is missing")

// take reads a value that must be there.
func take[T any](r *row, column int, read func(*leaf, pq.Value) (T, error)) (value T, err error) {
	if !r.has(column) {
		return value, r.fault(column, errEmpty)
	}
	if value, err = read(r.leaves[column], r.cells[column]); err != nil {
		return value, r.fault(column, err)
	}
	return value, nil
}

// maybe reads a value that may be missing; the zero value stands for none.
func maybe[T any](r *row, column int, read func(*leaf, pq.Value) (T, error)) (value T, err error) {
	if !r.has(column) {
		return value, nil
	}
	return take(r, column, read)
}

func hashOf(l *leaf, v pq.Value) (h ledger.Hash, err error) {
	err = l.bytes(v, h[:])
	return h, err
}

func addressOf(l *leaf, v pq.Value) (ledger.Address, error) {
	if len(v.ByteArray()) == 0 { // some writers leave text empty for none
		return ledger.Address{}, nil
	}
	var raw [20]byte
	if err := l.bytes(v, raw[:]); err != nil {
		return ledger.Address{}, err
	}
	return ledger.NewAddress(ledger.EVMAccount, raw[:]), nil
}

func smallOf(l *leaf, v pq.Value) (uint32, error) {
	n, err := l.number(v)
	if err == nil && n > math.MaxInt32 {
		err = fmt.Errorf("%d is above %d", n, math.MaxInt32)
	}
	return uint32(n), err
}

func textOf(_ *leaf, v pq.Value) (string, error) { return string(v.ByteArray()), nil }

// reader reads rows of a file in the order of the file.
type reader struct {
	file   *file
	handle *handle
	leaves []*leaf
	groups []pq.RowGroup
	group  int // how many groups were begun
	left   int64
	at     int64 // rows read
	pipes  []*pipe
}

// pipe is one column of a row group.
type pipe struct {
	values pq.ColumnChunkValueReader
	buffer [128]pq.Value
	next   int
	filled int
}

// reader prepares to read some columns of an open file, or all that the table has.
func (f *file) reader(h *handle, only ...int) (*reader, error) {
	leaves, err := f.bind(h)
	if err != nil {
		return nil, err
	}
	if len(only) > 0 {
		kept := make([]*leaf, len(leaves))
		for _, i := range only {
			kept[i] = leaves[i]
		}
		leaves = kept
	}
	return &reader{file: f, handle: h, leaves: leaves, groups: h.RowGroups(), pipes: make([]*pipe, len(leaves))}, nil
}

func (r *reader) close() {
	for i, p := range r.pipes {
		if p != nil {
			_ = p.values.Close() // it was only read
			r.pipes[i] = nil
		}
	}
}

// next reads the next row whose block is kept; io.EOF ends the file. A nil keep keeps
// every row.
func (r *reader) next(keep func(ledger.Height) bool) (*row, error) {
	for {
		for r.left == 0 {
			if err := r.begin(); err != nil {
				return nil, err
			}
		}
		r.left--
		r.at++
		at := &row{file: r.file, leaves: r.leaves, number: r.at}
		number, err := r.value(blockNumber, at)
		if err != nil {
			return nil, err
		}
		if number.IsNull() {
			return nil, at.fault(blockNumber, errEmpty)
		}
		n, err := r.leaves[blockNumber].number(number)
		if err == nil && n > 1<<40 {
			err = fmt.Errorf("%d is no block number", n)
		}
		if err != nil {
			return nil, at.fault(blockNumber, err)
		}
		at.block = ledger.Height(n)
		kept := keep == nil || keep(at.block)
		if err := r.fill(at, kept); err != nil {
			return nil, err
		}
		if kept {
			return at, nil
		}
	}
}

// fill reads the other columns of a row, and drops them where the row is not kept.
func (r *reader) fill(at *row, kept bool) error { //nolint:revive // it must advance either way
	if kept {
		at.cells = make([]pq.Value, len(r.leaves))
	}
	for i, l := range r.leaves {
		if l == nil || i == blockNumber {
			continue
		}
		v, err := r.value(i, at)
		if err != nil {
			return err
		}
		if l.repeated == 0 {
			if kept {
				at.cells[i] = v.Clone()
			}
			continue
		}
		if err := r.rest(i, v, at, kept); err != nil {
			return err
		}
	}
	return nil
}

// maxList bounds the values of one list: a log has at most four topics (yellow paper,
// section 9.4.1).
const maxList = 4

// rest reads what follows in a list whose first value is read.
func (r *reader) rest(i int, first pq.Value, at *row, kept bool) error { //nolint:revive // it must advance either way
	p := r.pipes[i]
	for v := first; ; {
		if !v.IsNull() {
			if len(at.list) == maxList {
				return at.fault(i, fmt.Errorf("more than %d values", maxList))
			}
			if kept {
				at.list = append(at.list, v.Clone())
			}
		} else if v.DefinitionLevel() >= at.leaves[i].list {
			return at.fault(i, errEmpty)
		}
		more, err := p.fill()
		if err != nil && !errors.Is(err, io.EOF) {
			return at.fault(i, err)
		}
		if !more || p.buffer[p.next].RepetitionLevel() == 0 {
			return nil
		}
		v = p.buffer[p.next]
		p.next++
	}
}

// begin opens the next row group.
func (r *reader) begin() error {
	r.close()
	if r.group == len(r.groups) {
		return io.EOF
	}
	g := r.groups[r.group]
	described := r.handle.Metadata().RowGroups[r.group].Columns
	r.group++
	r.left = g.NumRows()
	chunks := g.ColumnChunks()
	for i, l := range r.leaves {
		if l != nil {
			if _, err := footer.CheckPages(r.handle.disk, r.handle.Size(), &described[l.index].MetaData, limits); err != nil {
				return &Error{File: r.file.path, Column: l.name, Reason: err.Error()}
			}
			r.pipes[i] = &pipe{values: pq.NewColumnChunkValueReader(chunks[l.index])}
		}
	}
	return nil
}

// skipTo passes over the row groups whose rows are all below a block.
func (r *reader) skipTo(from ledger.Height) {
	for r.group < len(r.groups) && r.group < len(r.file.groups) && r.file.groups[r.group] < from {
		r.at += r.groups[r.group].NumRows()
		r.group++
	}
}

// fill makes sure that a value stands in the buffer, and says whether one does.
func (p *pipe) fill() (bool, error) {
	for p.next == p.filled {
		n, err := p.values.ReadValues(p.buffer[:])
		p.next, p.filled = 0, n
		if n == 0 && err != nil {
			return false, err
		}
	}
	return true, nil
}

// value is the next value of a column.
func (r *reader) value(i int, at *row) (pq.Value, error) {
	p := r.pipes[i]
	more, err := p.fill()
	if errors.Is(err, io.EOF) || err == nil && !more {
		err = errors.New("the column has fewer values than the file has rows")
	}
	if err != nil {
		return pq.Value{}, at.fault(i, err)
	}
	p.next++
	return p.buffer[p.next-1], nil
}
