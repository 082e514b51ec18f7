package era

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
)

// Parts reads one block, checked against its header. That the header is of the chain is
// for the caller, who knows its hash.
func (s *Source) Parts(ctx context.Context, height ledger.Height) (*proof.Parts, error) {
	var parts [3][]byte
	err := s.entries(ctx, height, []uint16{entryHeader, entryBody, entryReceipts}, parts[:])
	if err != nil {
		return nil, err
	}
	p, err := proof.Decode(parts[0], parts[1], parts[2])
	if err == nil {
		err = p.Verify()
	}
	if err == nil && p.Height() != height {
		err = fmt.Errorf("the file has block %d there", p.Height())
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	return p, nil
}

// RawHeader reads the RLP of one header.
func (s *Source) RawHeader(ctx context.Context, height ledger.Height) ([]byte, error) {
	var header [1][]byte
	err := s.entries(ctx, height, []uint16{entryHeader}, header[:])
	return header[0], err
}

// entries reads the first entries of a block.
func (s *Source) entries(ctx context.Context, height ledger.Height, kinds []uint16, into [][]byte) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, f := range s.files {
		if height < f.first || height >= f.first+ledger.Height(f.count) {
			continue
		}
		handle, err := os.Open(f.path)
		if err != nil {
			return err
		}
		defer handle.Close()
		at, err := f.offset(handle, uint64(height-f.first))
		if err != nil {
			return err
		}
		w := walk{file: f, offset: at, reader: bufio.NewReader(io.NewSectionReader(handle, at, 1<<40))}
		for i, kind := range kinds {
			if into[i], err = w.unpack(kind); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("block %d is not in the files", height)
}

// offset finds where a block begins: the index states it relative to itself.
func (f *file) offset(handle *os.File, n uint64) (int64, error) {
	info, err := handle.Stat()
	if err != nil {
		return 0, err
	}
	index := info.Size() - int64(24+8*f.count)
	var text [8]byte
	if _, err := handle.ReadAt(text[:], index+16+8*int64(n)); err != nil {
		return 0, &FileError{f.path, index, "its block index breaks off"}
	}
	at := index + int64(binary.LittleEndian.Uint64(text[:]))
	if at < 0 || at >= index {
		return 0, &FileError{f.path, index, fmt.Sprintf("its index has block %d outside the file", uint64(f.first)+n)}
	}
	return at, nil
}
