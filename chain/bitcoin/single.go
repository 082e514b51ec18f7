package bitcoin

import (
	"coldtrail/ledger"
)

// DecodeTx reads one transaction that stands at a position of its block, to the last
// byte. Of 64 bytes none is taken: it could be a node of a merkle tree in disguise
// (CVE-2017-12842).
func DecodeTx(raw []byte, position uint32) (ledger.Tx, error) {
	d := decoder{raw: raw, ids: make([][32]byte, 1)}
	tx := ledger.Tx{Index: position}
	index := 0
	if position > 0 {
		index = 1
		d.ids = make([][32]byte, 2)
	}
	d.transaction(&tx, index)
	if d.bad == nil && (d.at != len(raw) || len(raw) == 64) {
		d.fail("not one transaction")
	}
	if d.bad != nil {
		return ledger.Tx{}, d.bad
	}
	tx.Outputs = d.outputs
	if !tx.Coinbase {
		tx.Inputs = d.inputs
	}
	return tx, nil
}

// Contains reports whether the header's merkle root follows from a transaction at a
// position and the branch beside it, lowest first (BIP-37). A tree of an odd number of
// nodes repeats its last; a position that only the repetition has is none.
func (h *Header) Contains(tx ledger.Hash, position uint32, branch []ledger.Hash) bool {
	node := reversed((*[32]byte)(&tx))
	var pair [64]byte
	for i := range branch {
		beside := reversed((*[32]byte)(&branch[i]))
		if position&1 == 1 {
			if beside == node {
				return false
			}
			copy(pair[:32], beside[:])
			copy(pair[32:], node[:])
		} else {
			copy(pair[:32], node[:])
			copy(pair[32:], beside[:])
		}
		node = ledger.Hash(doubleHash(pair[:]))
		position >>= 1
	}
	return position == 0 && [32]byte(node) == h.merkle
}
