package index

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// crowd is how many rows share one place of the directory on average. Four lie in one or
// two lines of memory, so that fewer would save no time; the directory takes one byte an
// address.
const crowd = 4

// A table holds the addresses of one kind: rows of key and number, sorted by key, and
// where each place of the directory begins.
type table struct {
	width     int    // bytes of a key, at least 8
	rows      []byte // key, then the number in four bytes, both big-endian
	directory []uint32
}

// A span is a range of rows.
type span struct{ from, to uint32 }

// newTable takes rows that are sorted and differ in their keys.
func newTable(width int, rows []byte) table {
	t := table{width: width, rows: rows}
	n := t.len()
	if n == 0 {
		return table{}
	}
	t.directory = make([]uint32, n/crowd+2)
	place := 0
	for i := range n {
		for home := t.place(t.lead(i)); place < home; place++ {
			t.directory[place+1] = uint32(i)
		}
	}
	for place++; place < len(t.directory); place++ {
		t.directory[place] = uint32(n)
	}
	return t
}

// place is where in the directory a key with these leading bytes belongs. It rises with
// them, so rows in the order of their keys are in the order of their places.
func (t *table) place(lead uint64) int {
	high, _ := bits.Mul64(lead, uint64(len(t.directory)-1))
	return int(high)
}

func (t *table) span(lead uint64) span {
	if len(t.directory) == 0 {
		return span{}
	}
	place := t.place(lead)
	return span{t.directory[place], t.directory[place+1]}
}

func (t *table) find(key []byte) (uint32, bool) {
	return t.findIn(t.span(binary.BigEndian.Uint64(key)), key)
}

// findIn looks for a key among some rows, in at most 32 steps.
func (t *table) findIn(s span, key []byte) (uint32, bool) {
	lead := binary.BigEndian.Uint64(key)
	for s.from < s.to {
		middle := s.from + (s.to-s.from)/2
		order := 0
		if at := t.lead(int(middle)); at == lead {
			order = bytes.Compare(t.key(int(middle))[8:], key[8:])
		} else if at > lead {
			order = 1
		} else {
			order = -1
		}
		switch {
		case order == 0:
			return t.number(int(middle)), true
		case order > 0:
			s.to = middle
		default:
			s.from = middle + 1
		}
	}
	return Absent, false
}

func (t *table) len() int {
	if t.width == 0 {
		return 0
	}
	return len(t.rows) / (t.width + 4)
}

func (t *table) row(i int) []byte {
	size := t.width + 4
	return t.rows[i*size : (i+1)*size]
}

func (t *table) key(i int) []byte { return t.row(i)[:t.width] }

func (t *table) lead(i int) uint64 { return binary.BigEndian.Uint64(t.row(i)) }

func (t *table) number(i int) uint32 { return binary.BigEndian.Uint32(t.row(i)[t.width:]) }
