package blkfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// entry is where a block is and what its header says.
type entry struct {
	hash, parent ledger.Hash
	offset       int64 // of the block's first byte
	size         uint32
	time, bits   uint32
	file         uint32
}

// maxBlock bounds a serialized block (4,000,000 weight units, BIP-141).
const maxBlock = 4_000_000

// scanner reads the headers of all files.
type scanner struct {
	source  *Source
	entries []entry
}

// frame is the magic and the length before each block.
const frame = 8

// file reads the headers of one file.
func (s *scanner) file(ctx context.Context, index int) error {
	f := s.source.files[index]
	var head [frame + bitcoin.HeaderSize]byte
	for at := int64(0); at < f.size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(int64(len(head)), f.size-at)
		if err := f.readAt(head[:n], at); err != nil {
			return &FileError{File: f.name, Offset: at, Err: err}
		}
		next, err := s.record(f, index, at, head[:n])
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// record takes what stands at an offset, given its first bytes, and returns the
// offset behind it.
func (s *scanner) record(f *file, index int, at int64, head []byte) (next int64, err error) {
	if empty(head[:min(len(head), frame)]) { // preallocated, not written yet
		if next, err = f.nextWritten(at); err != nil {
			err = &FileError{File: f.name, Offset: at, Err: err}
		}
		return next, err
	}
	if len(head) < frame+bitcoin.HeaderSize || [4]byte(head[:4]) != s.source.options.Network.Magic {
		if at == 0 && s.rawBlock(f, index) {
			return f.size, nil
		}
		return f.size, s.unframed(f, at, head)
	}
	size := binary.LittleEndian.Uint32(head[4:])
	if size < bitcoin.HeaderSize || size > maxBlock {
		return at, &FileError{File: f.name, Offset: at, Err: fmt.Errorf("a block cannot have %d bytes", size)}
	}
	next = at + frame + int64(size)
	if next > f.size {
		return f.size, s.torn(f, at)
	}
	return next, s.add(f, index, at+frame, size, head[frame:])
}

// add keeps a header whose work is valid.
func (s *scanner) add(f *file, index int, offset int64, size uint32, raw []byte) error {
	header, err := bitcoin.DecodeHeader(raw)
	if err == nil && s.source.options.Proof == bitcoin.WithWork {
		err = header.CheckWork(s.source.options.Network)
	}
	if err != nil {
		return &FileError{File: f.name, Offset: offset, Err: err}
	}
	s.entries = append(s.entries, entry{
		hash: header.Hash, parent: header.Parent, offset: offset, size: size, time: header.Time, bits: header.Bits, file: uint32(index),
	})
	return nil
}

// torn handles a record that runs past the end of its file: in the last file it is
// still being written, anywhere else data is lost.
func (s *scanner) torn(f *file, at int64) error {
	if !f.last {
		return &FileError{File: f.name, Offset: at, Err: errors.New("the file ends inside a block")}
	}
	s.source.notes = append(s.source.notes, fmt.Sprintf("%s: offset %d: the last block is not complete; it was left out", f.name, at))
	return nil
}

// unframed explains bytes that are no record of this network, unless they are the
// beginning of one that is still being written.
func (s *scanner) unframed(f *file, at int64, head []byte) error {
	magic := s.source.options.Network.Magic
	for _, other := range bitcoin.Networks {
		if len(head) >= 4 && [4]byte(head[:4]) == other.Magic && other.Magic != magic {
			return &FileError{File: f.name, Offset: at, Err: fmt.Errorf("the blocks are of network %s, not %s", other.Name, s.source.options.Network.Name)}
		}
	}
	if begins := string(head[:min(4, len(head))]) == string(magic[:min(4, len(head))]); begins {
		return s.torn(f, at)
	}
	return &FileError{File: f.name, Offset: at, Err: errors.New("no block begins here; the file is damaged")}
}

// rawBlock accepts a file that is one serialized block without framing.
func (s *scanner) rawBlock(f *file, index int) bool {
	if f.size < bitcoin.HeaderSize || f.size > maxBlock {
		return false
	}
	raw := make([]byte, f.size)
	if f.readAt(raw, 0) != nil {
		return false
	}
	if _, err := bitcoin.Decode(raw, 0, s.source.options.Network, s.source.options.Proof); err != nil {
		return false
	}
	return s.add(f, index, 0, uint32(f.size), raw) == nil
}

// nextWritten finds the first byte after at that is not zero, or the end.
func (f *file) nextWritten(at int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for at < f.size {
		n := min(int64(len(buf)), f.size-at)
		if err := f.readAt(buf[:n], at); err != nil {
			return at, err
		}
		for i := range buf[:n] {
			if buf[i] != 0 {
				return at + int64(i), nil
			}
		}
		at += n
	}
	return at, nil
}

func empty(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// noParent marks an entry whose parent is not among the files.
const noParent = math.MaxUint32
