package store

import (
	"crypto/sha256"
	"encoding/binary"

	"coldtrail/ledger"
)

// Identity is the block's hash where the source gave one, and otherwise SHA-256
// over everything the block says. Two blocks with one identity are one block.
func Identity(b *ledger.Block) ledger.Hash {
	if !b.Hash.IsZero() {
		return b.Hash
	}
	return ledger.Hash(sha256.Sum256(EncodeBlock(nil, b)))
}

// ChainContent extends a running digest of a chain's blocks by one block.
func ChainContent(before ledger.Hash, height ledger.Height, identity ledger.Hash) ledger.Hash {
	var text [72]byte
	copy(text[:], before[:])
	binary.BigEndian.PutUint64(text[32:], uint64(height))
	copy(text[40:], identity[:])
	return ledger.Hash(sha256.Sum256(text[:]))
}
