// Package era reads era1 files: Ethereum's blocks before the merge with their
// receipts, as clients archive them (github.com/eth-clients/e2store-format-specs).
//
// Every hash and root in a file is recomputed, the parent of each block, the running
// total of difficulty and the accumulator over the whole file. What is left to trust
// is the hash of the last block, which the status of the store shows.
package era

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/s2"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
)

// The kinds of entry of an era1 file.
const (
	entryVersion     = 0x3265
	entryHeader      = 0x03
	entryBody        = 0x04
	entryReceipts    = 0x05
	entryDifficulty  = 0x06
	entryAccumulator = 0x07
	entryIndex       = 0x3266
)

// maxEntry bounds an entry, packed and unpacked; the largest blocks have megabytes.
const maxEntry = 64 << 20

// epoch is how many blocks a file has at most.
const epoch = 8192

// A FileError says what is wrong in a file, and where.
type FileError struct {
	File   string
	Offset int64
	Reason string
}

// Error is "file: byte offset: reason".
func (e *FileError) Error() string {
	return fmt.Sprintf("%s: byte %d: %s", e.File, e.Offset, e.Reason)
}

// Source is one era1 file or a folder of them.
type Source struct {
	network evm.Network
	files   []file
}

// file is an era1 file and what its index says.
type file struct {
	path  string
	first ledger.Height
	count uint64
}

// Open finds the files and reads their indexes.
func Open(place string, network evm.Network) (*Source, error) {
	paths := []string{place}
	info, err := os.Stat(place)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(place, "*.era1")); err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("%s: no era1 file in this folder", place)
		}
	}
	s := &Source{network: network}
	for _, path := range paths {
		f, err := readIndex(path)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	slices.SortFunc(s.files, func(x, y file) int { return int(int64(x.first) - int64(y.first)) })
	for i := 1; i < len(s.files); i++ {
		if before := s.files[i-1]; before.first+ledger.Height(before.count) != s.files[i].first {
			return nil, fmt.Errorf("%s begins at block %d, the file before it ends at %d", s.files[i].path, s.files[i].first, before.first+ledger.Height(before.count)-1)
		}
	}
	return s, nil
}

// readIndex reads the block index at the end of a file: the first block's number,
// an offset for each block, and how many there are.
func readIndex(path string) (f file, err error) {
	f.path = path
	handle, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer handle.Close()
	info, err := handle.Stat()
	if err != nil {
		return f, err
	}
	bad := func(reason string) error { return &FileError{path, info.Size(), reason} }
	if info.Size() < 8+8+16 {
		return f, bad("it is too short for an era1 file")
	}
	var last [8]byte
	if _, err := handle.ReadAt(last[:], info.Size()-8); err != nil {
		return f, bad(err.Error())
	}
	f.count = binary.LittleEndian.Uint64(last[:])
	size := int64(16 + 8*(f.count&0xffff))
	if f.count == 0 || f.count > epoch || info.Size() < size+8 {
		return f, bad("its block index is missing or broken; is the file complete?")
	}
	head := make([]byte, 16)
	if _, err := handle.ReadAt(head, info.Size()-size-8); err != nil {
		return f, bad(err.Error())
	}
	if binary.LittleEndian.Uint16(head) != entryIndex || int64(binary.LittleEndian.Uint32(head[2:])) != size {
		return f, bad("its block index is missing or broken; is the file complete?")
	}
	f.first = ledger.Height(binary.LittleEndian.Uint64(head[8:]))
	return f, nil
}

// Total is how many blocks the files have.
func (s *Source) Total() (n uint64) {
	for _, f := range s.files {
		n += f.count
	}
	return n
}

// Notes tells what the files lack.
func (s *Source) Notes() []string {
	return []string{"era1 files have no traces: native value that contracts move inside transactions is not known"}
}

// Close does nothing; files are open only while they are read.
func (*Source) Close() error { return nil }

// Blocks yields the blocks from a height on, in order. A file is checked from its
// beginning, because its accumulator is over all of it.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for _, f := range s.files {
			if f.first+ledger.Height(f.count) <= from {
				continue
			}
			w := walk{network: &s.network, file: f, from: from, yield: yield}
			if err := w.run(ctx); err != nil {
				yield(nil, err)
				return
			}
			if w.stopped {
				return
			}
		}
	}
}

// walk reads one file.
type walk struct {
	network *evm.Network
	file    file
	from    ledger.Height
	yield   func(*ledger.Block, error) bool
	stopped bool

	reader  *bufio.Reader
	offset  int64
	parent  ledger.Hash
	total   [32]byte   // difficulty up to the last block, little-endian
	records [][32]byte // leaves of the accumulator
}

func (w *walk) fail(reason string) error {
	return &FileError{w.file.path, w.offset, reason}
}

func (w *walk) run(ctx context.Context) error {
	handle, err := os.Open(w.file.path)
	if err != nil {
		return err
	}
	defer handle.Close()
	w.reader = bufio.NewReaderSize(handle, 1<<20)
	if _, err := w.entry(entryVersion); err != nil {
		return err
	}
	for n := range w.file.count {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.block(w.file.first + ledger.Height(n)); err != nil || w.stopped {
			return err
		}
	}
	accumulator, err := w.entry(entryAccumulator)
	if err != nil {
		return err
	}
	if got := accumulate(w.records); !bytes.Equal(accumulator, got[:]) {
		return w.fail(fmt.Sprintf("its accumulator is %x, its blocks give %x", accumulator, got))
	}
	return nil
}

// entry reads the next entry of a kind, skipping kinds that are not known.
func (w *walk) entry(kind uint16) ([]byte, error) {
	for {
		var head [8]byte
		if _, err := io.ReadFull(w.reader, head[:]); err != nil {
			return nil, w.fail("the file breaks off")
		}
		got, size := binary.LittleEndian.Uint16(head[:]), binary.LittleEndian.Uint32(head[2:])
		if size > maxEntry {
			return nil, w.fail(fmt.Sprintf("an entry of %d bytes", size))
		}
		known := got == entryVersion || got >= entryHeader && got <= entryAccumulator || got == entryIndex
		if known && got != kind {
			return nil, w.fail(fmt.Sprintf("an entry of kind %#x where %#x is due", got, kind))
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(w.reader, body); err != nil {
			return nil, w.fail("the file breaks off")
		}
		w.offset += 8 + int64(size)
		if got == kind {
			return body, nil
		}
	}
}

// unpack reads an entry that is packed with framed Snappy.
func (w *walk) unpack(kind uint16) ([]byte, error) {
	packed, err := w.entry(kind)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(s2.NewReader(bytes.NewReader(packed)), maxEntry+1))
	if err != nil || len(plain) > maxEntry {
		return nil, w.fail("an entry does not unpack")
	}
	return plain, nil
}

// block reads, proves and yields one block.
func (w *walk) block(height ledger.Height) error {
	var parts [3][]byte
	for i, kind := range []uint16{entryHeader, entryBody, entryReceipts} {
		var err error
		if parts[i], err = w.unpack(kind); err != nil {
			return err
		}
	}
	total, err := w.entry(entryDifficulty)
	if err != nil {
		return err
	}
	p, err := proof.Decode(parts[0], parts[1], parts[2])
	if err == nil {
		err = p.Verify()
	}
	if err != nil {
		return w.fail(err.Error())
	}
	if err := w.link(p, height, total); err != nil {
		return err
	}
	if height < w.from {
		return nil
	}
	raw, err := p.Block(w.network, nil)
	if err != nil {
		return w.fail(err.Error())
	}
	block, err := raw.Ledger(w.network)
	if err != nil {
		return w.fail(err.Error())
	}
	w.stopped = !w.yield(block, nil)
	return nil
}

// genesis is the hash of Ethereum's first block.
const genesis = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"

// link checks that a block continues the one before it.
func (w *walk) link(p *proof.Parts, height ledger.Height, total []byte) error {
	hash := p.Hash()
	switch {
	case p.Height() != height:
		return w.fail(fmt.Sprintf("block %d where %d is due", p.Height(), height))
	case height > w.file.first && ledger.Hash(p.Header.ParentHash) != w.parent:
		return w.fail(fmt.Sprintf("block %d does not continue the one before it", height))
	case height == 0 && w.network.Chain() == ledger.Ethereum && hash.String() != genesis:
		return w.fail("block 0 is not Ethereum's")
	case len(total) != 32:
		return w.fail(fmt.Sprintf("a total difficulty of %d bytes", len(total)))
	}
	w.parent = hash
	sum, ok := addDifficulty(w.total, p)
	if have := [32]byte(total); height > w.file.first && (!ok || sum != have) {
		return w.fail(fmt.Sprintf("the total difficulty of block %d does not follow", height))
	}
	w.total = [32]byte(total)
	w.records = append(w.records, sha256.Sum256(append(hash[:], total...)))
	return nil
}

// addDifficulty adds a block's difficulty to a little-endian total.
func addDifficulty(total [32]byte, p *proof.Parts) (sum [32]byte, ok bool) {
	slices.Reverse(total[:])
	var a, d ledger.Amount
	a.SetBytes32(total[:])
	if p.Header.Difficulty.Sign() < 0 || d.SetFromBig(p.Header.Difficulty) {
		return sum, false
	}
	if _, over := a.AddOverflow(&a, &d); over {
		return sum, false
	}
	sum = a.Bytes32()
	slices.Reverse(sum[:])
	return sum, true
}

// accumulate is the SSZ root of a list of at most 8192 header records, of which the
// leaves are given (the pre-merge accumulator of the portal network).
func accumulate(leaves [][32]byte) [32]byte {
	level := slices.Clone(leaves)
	var zero [32]byte // root of an empty subtree of the level's height
	for width := epoch; width > 1; width /= 2 {
		if len(level)%2 == 1 {
			level = append(level, zero)
		}
		next := make([][32]byte, len(level)/2)
		for i := range next {
			next[i] = sha256.Sum256(append(level[2*i][:], level[2*i+1][:]...))
		}
		level = next
		zero = sha256.Sum256(append(zero[:], zero[:]...))
	}
	root := zero
	if len(level) > 0 {
		root = level[0]
	}
	var length [32]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(leaves)))
	return sha256.Sum256(append(root[:], length[:]...))
}
