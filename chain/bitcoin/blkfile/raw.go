package blkfile

import (
	"context"
	"fmt"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// Raw is the serialized block at a height of the chain, as it stands in the file.
func (s *Source) Raw(_ context.Context, height ledger.Height) ([]byte, error) {
	return s.read(height, 0)
}

// RawHeader is its header alone.
func (s *Source) RawHeader(_ context.Context, height ledger.Height) ([]byte, error) {
	return s.read(height, bitcoin.HeaderSize)
}

// read reads a block's first bytes, all of them where most is 0.
func (s *Source) read(height ledger.Height, most uint32) ([]byte, error) {
	if height < s.base || uint64(height-s.base) >= uint64(len(s.chain)) {
		return nil, fmt.Errorf("block %d is not in the files, which have blocks %d to %d", height, s.base, uint64(s.base)+uint64(len(s.chain))-1)
	}
	e := &s.chain[height-s.base]
	if most == 0 {
		most = e.size
	}
	raw := make([]byte, most)
	if err := s.files[e.file].readAt(raw, e.offset); err != nil {
		return nil, &FileError{File: s.files[e.file].name, Offset: e.offset, Err: fmt.Errorf("block %d: %w", height, err)}
	}
	return raw, nil
}
