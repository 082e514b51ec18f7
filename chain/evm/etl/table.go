package etl

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"coldtrail/ledger"
)

// maxLine bounds a row; calldata of a transaction has at most some hundred kilobytes.
const maxLine = 64 << 20

var errNoTable = errors.New("no such table")

// columns names what is read of a table; those behind "|" may be missing.
type columns []string

// table is one file: where the rows of each block are.
type table struct {
	name  string
	file  *os.File
	json  bool
	names []string // of the columns read, in the order in which rows give them
	place []int    // of each of them in a CSV's record; -1 where it is missing
	runs  []run    // by block, then by line
}

// run is consecutive rows of one block.
type run struct {
	height ledger.Height
	line   int // of the first row
	rows   int
	offset int64
	size   int64
}

// row is the columns read of one row.
type row struct {
	table  *table
	line   int
	fields []string
}

// openTable opens NAME.csv or NAME.json in the folder and indexes it by block.
func openTable(ctx context.Context, folder, name, key string, want columns) (t *table, err error) {
	t = &table{}
	for _, extension := range []string{".csv", ".json", ".jsonl"} {
		path := filepath.Join(folder, name+extension)
		if t.file, err = os.Open(path); err == nil {
			t.name, t.json = path, extension != ".csv"
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	if t.file == nil {
		return nil, fmt.Errorf("%s: %w: neither %s.csv nor %s.json", folder, errNoTable, name, name)
	}
	for _, column := range want {
		if column != "|" {
			t.names = append(t.names, column)
		}
	}
	if err = t.index(ctx, key, want); err != nil {
		return nil, errors.Join(err, t.file.Close())
	}
	slices.SortStableFunc(t.runs, func(x, y run) int { return cmp.Compare(x.height, y.height) })
	return t, nil
}

// has reports whether a CSV has a column; JSON lines may have any.
func (t *table) has(column string) bool {
	at := slices.Index(t.names, column)
	return t.json || at >= 0 && t.place[at] >= 0
}

func (t *table) fail(line int, column, reason string) error {
	return &RowError{File: t.name, Line: line, Column: column, Reason: reason}
}

// index looks at every row once for its block.
func (t *table) index(ctx context.Context, key string, want columns) error {
	lines := lineReader{r: bufio.NewReaderSize(t.file, 1<<20)}
	number := -1
	for {
		offset, line, text, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.fail(line, "", err.Error())
		}
		if line&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !t.json && number < 0 {
			if number, err = t.header(text, key, want); err != nil {
				return err
			}
			continue
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		height, ok := t.heightOf(text, key, number)
		if !ok {
			return t.fail(line, key, fmt.Sprintf("no block number in %.60q", text))
		}
		t.add(height, line, offset, int64(len(text)))
	}
	if !t.json && number < 0 {
		return t.fail(1, "", "the file is empty; a header is required")
	}
	return nil
}

// heightOf is the block of a row.
func (t *table) heightOf(text []byte, key string, place int) (ledger.Height, bool) {
	var digits []byte
	var err error
	if t.json {
		digits, err = jsonField(text, key)
	} else {
		digits, err = csvField(text, place)
	}
	if err != nil {
		return 0, false
	}
	height, err := strconv.ParseUint(string(digits), 10, 62)
	return ledger.Height(height), err == nil
}

func (t *table) add(height ledger.Height, line int, offset, size int64) {
	if n := len(t.runs); n > 0 {
		if last := &t.runs[n-1]; last.height == height && last.offset+last.size == offset && last.line+last.rows == line {
			last.rows++
			last.size += size
			return
		}
	}
	t.runs = append(t.runs, run{height, line, 1, offset, size})
}

// header finds the columns of a CSV and gives the place of the key.
func (t *table) header(text []byte, key string, want columns) (int, error) {
	record, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).Read()
	if err != nil {
		return 0, t.fail(1, "", "the header is not CSV")
	}
	optional := false
	for _, column := range want {
		if column == "|" {
			optional = true
			continue
		}
		place := slices.Index(record, column)
		if place < 0 && !optional {
			return 0, t.fail(1, column, "the column is missing")
		}
		t.place = append(t.place, place)
	}
	return slices.Index(record, key), nil
}

// heights lists the blocks of the table, which must be without gaps and doubles.
func (t *table) heights() ([]ledger.Height, error) {
	var out []ledger.Height
	for _, r := range t.runs {
		switch {
		case r.rows > 1 || len(out) > 0 && out[len(out)-1] == r.height:
			return nil, t.fail(r.line+min(r.rows-1, 1), "number", fmt.Sprintf("block %d is there twice", r.height))
		case len(out) > 0 && out[len(out)-1]+1 != r.height:
			return nil, t.fail(r.line, "number", fmt.Sprintf("block %d follows block %d", r.height, out[len(out)-1]))
		}
		out = append(out, r.height)
	}
	if len(out) == 0 {
		return nil, t.fail(1, "", "no block in the file")
	}
	return out, nil
}

// each reads the rows of a block.
func (t *table) each(height ledger.Height, read func(*row) error) error {
	from, _ := slices.BinarySearchFunc(t.runs, height, func(r run, h ledger.Height) int { return cmp.Compare(r.height, h) })
	for _, r := range t.runs[from:] {
		if r.height != height {
			return nil
		}
		text := make([]byte, r.size)
		if _, err := t.file.ReadAt(text, r.offset); err != nil {
			return t.fail(r.line, "", err.Error())
		}
		var err error
		if t.json {
			err = t.readJSON(text, r.line, read)
		} else {
			err = t.readCSV(text, r.line, read)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *table) readCSV(text []byte, line int, read func(*row) error) error {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.ReuseRecord = true
	r := row{table: t, fields: make([]string, len(t.place))}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			var wrong *csv.ParseError
			if errors.As(err, &wrong) {
				return t.fail(line+wrong.StartLine-1, "", wrong.Err.Error())
			}
			return t.fail(line, "", err.Error())
		}
		at, _ := reader.FieldPos(0)
		r.line = line + at - 1
		for i, place := range t.place {
			r.fields[i] = ""
			if place >= len(record) {
				return t.fail(r.line, t.names[i], "the row is too short")
			}
			if place >= 0 {
				r.fields[i] = record[place]
			}
		}
		if err := read(&r); err != nil {
			return err
		}
	}
}

func (t *table) readJSON(text []byte, line int, read func(*row) error) error {
	r := row{table: t, fields: make([]string, len(t.names))}
	for one := range bytes.Lines(text) {
		r.line = line
		line++
		if len(bytes.TrimSpace(one)) == 0 {
			continue
		}
		clear(r.fields)
		err := jx.DecodeBytes(one).ObjBytes(func(d *jx.Decoder, key []byte) error {
			at := slices.Index(t.names, string(key))
			if at < 0 {
				return d.Skip()
			}
			value, err := jsonText(d)
			r.fields[at] = value
			return err
		})
		if err != nil {
			return t.fail(r.line, "", "the row is not a JSON object: "+err.Error())
		}
		if err := read(&r); err != nil {
			return err
		}
	}
	return nil
}

// jsonText is a value as CSV would hold it: lists of strings are joined by commas,
// other lists and objects stay JSON.
func jsonText(d *jx.Decoder) (string, error) {
	kind := d.Next()
	if kind == jx.Null {
		return "", d.Null()
	}
	if kind == jx.String {
		return d.Str()
	}
	if kind == jx.Array {
		raw, err := d.Raw()
		if err != nil {
			return "", err
		}
		var items []string
		err = jx.DecodeBytes(raw).Arr(func(d *jx.Decoder) error {
			item, err := d.Str()
			items = append(items, item)
			return err
		})
		if err != nil {
			return string(raw), nil //nolint:nilerr // not a list of strings: kept as it is
		}
		return strings.Join(items, ","), nil
	}
	raw, err := d.Raw()
	return string(raw), err
}

// lineReader reads lines, a quoted line break not being one.
type lineReader struct {
	r      *bufio.Reader
	offset int64
	line   int
	long   []byte
}

// next gives a line with its end, where it begins and its number.
func (l *lineReader) next() (offset int64, line int, text []byte, err error) { //nolint:revive // where it is and what it says
	offset, line = l.offset, l.line+1
	l.long = l.long[:0]
	quotes := 0
	for {
		part, err := l.r.ReadSlice('\n')
		l.offset += int64(len(part))
		if len(l.long)+len(part) > maxLine {
			return offset, line, nil, fmt.Errorf("the row is longer than %d bytes", maxLine)
		}
		if bytes.HasSuffix(part, []byte{'\n'}) {
			l.line++
		}
		quotes += bytes.Count(part, []byte{'"'})
		done := err == nil && quotes%2 == 0
		if done && len(l.long) == 0 {
			return offset, line, part, nil
		}
		l.long = append(l.long, part...)
		switch {
		case done:
			return offset, line, l.long, nil
		case errors.Is(err, io.EOF) && len(l.long) == 0:
			return offset, line, nil, io.EOF
		case errors.Is(err, io.EOF):
			l.line++
			return offset, line, l.long, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return offset, line, nil, err
		}
	}
}

// csvField is one field of a CSV line, quotes taken off.
func csvField(text []byte, place int) ([]byte, error) {
	text = bytes.TrimRight(text, "\r\n")
	quoted, from := false, 0
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			if place == 0 {
				return bytes.Trim(text[from:i], `"`), nil
			}
			place--
			from = i + 1
		}
	}
	if place == 0 {
		return bytes.Trim(text[from:], `"`), nil
	}
	return nil, errors.New("the row is too short")
}

// jsonField is one field of a JSON object, as text.
func jsonField(text []byte, name string) (value []byte, err error) {
	err = jx.DecodeBytes(text).ObjBytes(func(d *jx.Decoder, key []byte) error {
		if string(key) != name {
			return d.Skip()
		}
		one, err := jsonText(d)
		value = []byte(one)
		return err
	})
	return value, err
}
