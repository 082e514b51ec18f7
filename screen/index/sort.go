package index

import "bytes"

// few is up to how many rows are sorted by insertion.
const few = 24

// A sorter puts rows in the order of their bytes, in place, byte by byte from the front
// (McIlroy, Bostic, McIlroy, "Engineering Radix Sort", 1993: the American flag). The
// time grows with the rows times the bytes of a row at worst, whatever they hold.
type sorter struct {
	rows  []byte
	size  int // bytes of a row
	spare [40]byte
}

func (s *sorter) row(i int) []byte { return s.rows[i*s.size : (i+1)*s.size] }

func (s *sorter) swap(i, j int) {
	a, b := s.row(i), s.row(j)
	copy(s.spare[:s.size], a)
	copy(a, b)
	copy(b, s.spare[:s.size])
}

// sort sorts the rows from one up to another, which agree in the bytes before the
// depth. It calls itself once for each byte of a row at the deepest.
func (s *sorter) sort(from, to, depth int) {
	for ; depth < s.size; depth++ {
		if to-from <= few {
			s.insert(from, to)
			return
		}
		var next, ends [256]int
		for i := from; i < to; i++ {
			ends[s.rows[i*s.size+depth]]++
		}
		if ends[s.rows[from*s.size+depth]] == to-from {
			continue // all agree in this byte too
		}
		at := from
		for value := range ends {
			next[value] = at
			at += ends[value]
			ends[value] = at
		}
		s.deal(&next, &ends, depth)
		start := from
		for _, end := range ends {
			if end-start > 1 {
				s.sort(start, end, depth+1)
			}
			start = end
		}
		return
	}
}

// deal moves every row to the part of its byte.
func (s *sorter) deal(next, ends *[256]int, depth int) {
	for value := range next {
		for next[value] < ends[value] {
			home := s.rows[next[value]*s.size+depth]
			if int(home) != value {
				s.swap(next[value], next[home])
			}
			next[home]++
		}
	}
}

func (s *sorter) insert(from, to int) {
	for i := from + 1; i < to; i++ {
		for j := i; j > from && bytes.Compare(s.row(j), s.row(j-1)) < 0; j-- {
			s.swap(j, j-1)
		}
	}
}
