package parquet

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"coldtrail/ledger"
)

// walk reads all tables side by side, block by block.
type walk struct {
	source  *Source
	from    ledger.Height
	streams [tableCount][]*stream
	head    *ledger.Block // the block before
}

func newWalk(s *Source, from ledger.Height) *walk {
	w := &walk{source: s, from: from}
	for t := range tableCount {
		for _, f := range s.tables[t] {
			if f.rows > 0 && f.highest >= from {
				w.streams[t] = append(w.streams[t], &stream{file: f, from: from})
			}
		}
	}
	return w
}

func (w *walk) close() {
	for t := range w.streams {
		for _, s := range w.streams[t] {
			s.close()
		}
	}
}

// next is the next block; nil after the last.
func (w *walk) next() (*ledger.Block, error) {
	number, more, err := w.lowest(blocks)
	if err != nil {
		return nil, err
	}
	if !more {
		return nil, w.leftover()
	}
	g := &gathered{number: number}
	for t := range tableCount {
		if g.rows[t], err = w.rows(t, number); err != nil {
			return nil, err
		}
	}
	at := g.rows[blocks][0]
	if len(g.rows[blocks]) > 1 {
		return nil, g.rows[blocks][1].bad("block %d is there twice", number)
	}
	if w.head != nil && number != w.head.Height+1 && !w.source.own {
		return nil, at.bad("block %d follows block %d; the blocks between are missing", number, w.head.Height)
	}
	var block *ledger.Block
	if w.source.own {
		block, err = g.exact(w.source.network.Chain())
	} else {
		block, err = g.block(&w.source.network)
	}
	if err != nil {
		return nil, err
	}
	if w.head != nil && !w.source.own {
		if block.Parent.IsZero() {
			block.Parent = w.head.Hash
		} else if block.Parent != w.head.Hash {
			return nil, at.bad("block %d names 0x%s as its parent, and block %d is 0x%s", number, block.Parent, w.head.Height, w.head.Hash)
		}
	}
	w.head = &ledger.Block{Height: block.Height, Hash: block.Hash}
	return block, nil
}

// lowest is the lowest block that a table still has rows of.
func (w *walk) lowest(t table) (number ledger.Height, found bool, err error) {
	for _, s := range w.streams[t] {
		if found && s.file.lowest > number {
			break
		}
		at, err := s.peek()
		if err != nil {
			return 0, false, err
		}
		if at != nil && (!found || at.block < number) {
			number, found = at.block, true
		}
	}
	return number, found, nil
}

// rows takes the rows of one block out of a table. Rows of blocks that the table
// blocks does not have are an error.
func (w *walk) rows(t table, number ledger.Height) (rows []*row, err error) {
	streams := w.streams[t]
	done := 0
	for _, s := range streams {
		if s.file.lowest > number {
			break
		}
		for {
			at, err := s.peek()
			if err != nil {
				return nil, err
			}
			if at == nil || at.block > number {
				break
			}
			if at.block < number {
				return nil, at.bad("block %d is not in the table blocks", at.block)
			}
			rows = append(rows, at)
			s.current = nil
		}
		if s.ended && streams[done] == s {
			done++
		}
	}
	w.streams[t] = streams[done:]
	return rows, nil
}

// leftover refuses rows behind the last block.
func (w *walk) leftover() error {
	for t := range tableCount {
		for _, s := range w.streams[t] {
			at, err := s.peek()
			if err != nil {
				return err
			}
			if at != nil {
				return at.bad("block %d is not in the table blocks", at.block)
			}
		}
	}
	return nil
}

// stream gives the rows of one file in block order, from a block on.
type stream struct {
	file    *file
	from    ledger.Height
	handle  *handle
	reader  *reader
	current *row
	ended   bool
	pass    int    // passes done
	held    []*row // rows of the pass, in block order
}

func (s *stream) close() {
	if s.reader != nil {
		s.reader.close()
		s.reader = nil
	}
	if s.handle != nil {
		_ = s.handle.disk.Close() // it was only read
		s.handle = nil
	}
}

// peek is the next row, without taking it; nil after the last.
func (s *stream) peek() (*row, error) {
	if s.current != nil || s.ended {
		return s.current, nil
	}
	err := guard(s.file.path, func() (err error) {
		if s.handle == nil {
			if s.handle, err = s.file.open(); err != nil {
				return err
			}
		}
		if len(s.file.passes) > 0 {
			return s.sorted()
		}
		return s.straight()
	})
	if err != nil {
		return nil, err
	}
	if s.current == nil {
		s.ended = true
		s.close()
	}
	return s.current, nil
}

// straight reads the next row of a file that is in block order.
func (s *stream) straight() (err error) {
	if s.reader == nil {
		if s.reader, err = s.file.reader(s.handle); err != nil {
			return err
		}
		s.reader.skipTo(s.from)
	}
	s.current, err = s.reader.next(func(block ledger.Height) bool { return block >= s.from })
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// sorted reads the next row of a file that is not: every pass reads the whole file
// and keeps the rows of some blocks.
func (s *stream) sorted() error {
	for len(s.held) == 0 {
		if s.pass == len(s.file.passes) {
			return nil
		}
		p := s.file.passes[s.pass]
		s.pass++
		if p.to < s.from {
			continue
		}
		if err := s.hold(max(p.from, s.from), p.to); err != nil {
			return err
		}
	}
	s.current, s.held = s.held[0], s.held[1:]
	return nil
}

func (s *stream) hold(from, to ledger.Height) error {
	r, err := s.file.reader(s.handle)
	if err != nil {
		return err
	}
	defer r.close()
	s.held = nil
	for {
		at, err := r.next(func(block ledger.Height) bool { return from <= block && block <= to })
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s.held = append(s.held, at)
	}
	slices.SortStableFunc(s.held, func(a, b *row) int { return cmp.Compare(a.block, b.block) })
	return nil
}

// gathered is one block's rows of all tables.
type gathered struct {
	number ledger.Height
	rows   [tableCount][]*row
}

// key names a transaction of a block.
func (g *gathered) key(index uint32) string {
	return fmt.Sprintf("transaction %d of block %d", index, g.number)
}
