package store

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"coldtrail/ledger"
)

// Identity is the block's hash where the source gave one, and otherwise SHA-256
// over everything the block says but Tx.Open. Two blocks with one identity are one
// block. Open is read from signatures, which not every source has: it is what somebody
// saw of a transaction that its identifier names, and no other transaction.
func Identity(b *ledger.Block) ledger.Hash {
	if !b.Hash.IsZero() {
		return b.Hash
	}
	if slices.ContainsFunc(b.Txs, func(tx ledger.Tx) bool { return tx.Open }) {
		plain := *b
		plain.Txs = slices.Clone(b.Txs)
		for i := range plain.Txs {
			plain.Txs[i].Open = false
		}
		b = &plain
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
