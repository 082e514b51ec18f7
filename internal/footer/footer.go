// Package footer looks at what a Parquet file says of its own sizes, before a decoder
// believes it.
//
// The decoder of the format believes what a file says: a damaged length makes it take
// gigabytes, or count to billions. So the descriptions in a file (its footer, and the
// header of every page that is read) are walked here first, by the rules of Thrift's
// compact protocol in which they are written, and refused where a size does not fit.
package footer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Limits bound what is taken from a file.
type Limits struct {
	Footer int64 // bytes of the description at the end of the file
	Page   int64 // bytes of a page, decompressed
	Values int64 // values of a page
}

const (
	maxDepth  = 32      // structures within structures; the format has some ten
	maxHeader = 1 << 20 // bytes of a page's header
)

// Open opens a file after a look at its footer. The decoder panics on some damaged
// files; who calls it must be ready for that, here and while reading.
func Open(disk *os.File, most Limits) (*pq.File, error) {
	info, err := disk.Stat()
	if err != nil {
		return nil, err
	}
	var tail [8]byte
	if info.Size() < 12 {
		return nil, errors.New("it is too short for a Parquet file")
	}
	if _, err := disk.ReadAt(tail[:], info.Size()-8); err != nil {
		return nil, err
	}
	footer := int64(binary.LittleEndian.Uint32(tail[:4]))
	if footer > min(info.Size()-12, most.Footer) {
		return nil, fmt.Errorf("its footer of %d bytes does not fit", footer)
	}
	text := make([]byte, footer)
	if _, err := disk.ReadAt(text, info.Size()-8-footer); err != nil {
		return nil, err
	}
	if err := (&wire{text: text}).structure(nil); err != nil {
		return nil, err
	}
	return pq.OpenFile(disk, info.Size(), pq.SkipPageIndex(true), pq.SkipBloomFilters(true), pq.ReadBufferSize(1<<16))
}

var (
	errCut  = errors.New("a description in the file is cut off")
	errSize = errors.New("a size in the file is larger than the file")
	errDeep = errors.New("a description in the file is nested too deeply")
	errType = errors.New("a description in the file has a value of unknown type")
)

// wire walks a description.
type wire struct {
	text []byte
	at   int
	// field sees every whole number, with the numbers of the fields around it.
	field func(path []int16, value int64) error
}

func (w *wire) byte() (byte, error) {
	if w.at >= len(w.text) {
		return 0, errCut
	}
	w.at++
	return w.text[w.at-1], nil
}

func (w *wire) varint() (uint64, error) {
	v, n := binary.Uvarint(w.text[w.at:])
	if n <= 0 {
		return 0, errCut
	}
	w.at += n
	return v, nil
}

// size reads how many bytes or elements follow, each of at least one byte.
func (w *wire) size() (int, error) {
	n, err := w.varint()
	if err == nil && n > uint64(len(w.text)-w.at) {
		err = errSize
	}
	return int(n), err
}

func (w *wire) skip(n int) error {
	if n > len(w.text)-w.at {
		return errCut
	}
	w.at += n
	return nil
}

// The types of the compact protocol.
const (
	wireStop = iota
	wireTrue
	wireFalse
	wireByte
	wireI16
	wireI32
	wireI64
	wireDouble
	wireBinary
	wireList
	wireSet
	wireMap
	wireStruct
)

// structure walks the fields of a structure to its end.
func (w *wire) structure(path []int16) error {
	if len(path) > maxDepth {
		return errDeep
	}
	id := int16(0)
	for {
		head, err := w.byte()
		if err != nil || head == wireStop {
			return err
		}
		if delta := head >> 4; delta > 0 {
			id += int16(delta)
		} else {
			raw, err := w.varint()
			if err != nil {
				return err
			}
			id = int16(zigzag(raw))
		}
		if kind := head & 15; kind != wireTrue && kind != wireFalse { // the head has the value
			if err := w.value(kind, append(path, id)); err != nil {
				return err
			}
		}
	}
}

func zigzag(raw uint64) int64 { return int64(raw>>1) ^ -int64(raw&1) }

// value walks one value.
func (w *wire) value(kind byte, path []int16) error {
	switch kind {
	case wireTrue, wireFalse, wireByte:
		return w.skip(1)
	case wireI16, wireI32, wireI64:
		raw, err := w.varint()
		if err != nil || w.field == nil {
			return err
		}
		return w.field(path, zigzag(raw))
	case wireDouble:
		return w.skip(8)
	case wireBinary:
		n, err := w.size()
		if err != nil {
			return err
		}
		return w.skip(n)
	case wireList, wireSet:
		return w.list(path)
	case wireMap:
		return w.pairs(path)
	case wireStruct:
		return w.structure(path)
	}
	return errType
}

func (w *wire) list(path []int16) error {
	if len(path) > maxDepth {
		return errDeep
	}
	head, err := w.byte()
	if err != nil {
		return err
	}
	n := int(head >> 4)
	if n == 15 {
		if n, err = w.size(); err != nil {
			return err
		}
	}
	for range n {
		if err := w.value(head&15, append(path, -1)); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) pairs(path []int16) error {
	n, err := w.size()
	if err != nil || n == 0 {
		return err
	}
	if len(path) > maxDepth {
		return errDeep
	}
	kinds, err := w.byte()
	if err != nil {
		return err
	}
	for range n {
		if err := w.value(kinds>>4, append(path, -1)); err != nil {
			return err
		}
		if err := w.value(kinds&15, append(path, -1)); err != nil {
			return err
		}
	}
	return nil
}

// pageSizes are what the header of a page says of it.
type pageSizes struct{ header, compressed, uncompressed, values int64 }

// sizesOf walks the header of a page.
func sizesOf(text []byte) (s pageSizes, err error) {
	w := wire{text: text, field: func(path []int16, value int64) error {
		switch {
		case len(path) == 1 && path[0] == 2:
			s.uncompressed = value
		case len(path) == 1 && path[0] == 3:
			s.compressed = value
		case len(path) == 2 && (path[0] == 5 || path[0] == 7 || path[0] == 8) && path[1] == 1:
			s.values = value
		}
		return nil
	}}
	err = w.structure(nil)
	s.header = int64(w.at)
	return s, err
}

// CheckPages walks the headers of the pages of a column in one row group of a file of a
// size in bytes. It gives the bytes of the largest page, decompressed.
func CheckPages(r io.ReaderAt, size int64, m *format.ColumnMetaData, most Limits) (largest int64, err error) {
	at := m.DataPageOffset
	if m.DictionaryPageOffset != 0 {
		at = m.DictionaryPageOffset
	}
	if at < 4 || at > m.DataPageOffset || at > size || m.TotalCompressedSize < 0 || m.TotalCompressedSize > size-at {
		return 0, errSize
	}
	end := at + m.TotalCompressedSize
	buffer := make([]byte, 512)
	for at < end {
		buffer = buffer[:min(int64(cap(buffer)), end-at)]
		if n, err := r.ReadAt(buffer, at); err != nil && n < len(buffer) {
			return 0, fmt.Errorf("a page cannot be read: %w", err)
		}
		s, err := sizesOf(buffer)
		if (errors.Is(err, errCut) || errors.Is(err, errSize)) && int64(len(buffer)) < end-at && len(buffer) < maxHeader {
			buffer = make([]byte, 4*len(buffer))
			continue
		}
		if err != nil {
			return 0, err
		}
		if s.compressed < 0 || s.compressed > end-at-s.header || s.uncompressed < 0 || s.uncompressed > most.Page || s.values < 0 || s.values > most.Values {
			return 0, errSize
		}
		at += s.header + s.compressed
		largest = max(largest, s.uncompressed)
	}
	return largest, nil
}
