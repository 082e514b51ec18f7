package index

import (
	"bytes"
	"hash/maphash"
)

// A numbering finds the number of a set by its encoding. It holds no pointers, so that
// a builder with millions of sets costs the garbage collector nothing. The seed differs
// between runs, as that of Go's maps does, and no number depends on it.
type numbering struct {
	seed  maphash.Seed
	slots []uint64 // 32 bits of the hash, then the number plus 1; 0 is free
	used  int
}

// find returns the number of an encoding among those that at gives, or else the slot
// where note is to put it, and its hash.
func (n *numbering) find(encoding []byte, at func(uint32) []byte) (number, hash uint32, slot int) {
	if n.slots == nil {
		n.seed, n.slots = maphash.MakeSeed(), make([]uint64, 64)
	}
	hash = uint32(maphash.Bytes(n.seed, encoding))
	for slot = n.home(hash); n.slots[slot] != 0; slot = (slot + 1) & (len(n.slots) - 1) {
		number = uint32(n.slots[slot]) - 1
		if uint32(n.slots[slot]>>32) == hash && bytes.Equal(at(number), encoding) {
			return number, hash, slot
		}
	}
	return Absent, hash, slot
}

// note puts a number where find said, and makes room while less than half is free.
func (n *numbering) note(number, hash uint32, slot int) {
	n.slots[slot] = uint64(hash)<<32 | uint64(number+1)
	n.used++
	if 2*n.used < len(n.slots) {
		return
	}
	old := n.slots
	n.slots = make([]uint64, 2*len(old))
	for _, entry := range old {
		if entry == 0 {
			continue
		}
		slot := n.home(uint32(entry >> 32))
		for n.slots[slot] != 0 {
			slot = (slot + 1) & (len(n.slots) - 1)
		}
		n.slots[slot] = entry
	}
}

func (n *numbering) home(hash uint32) int { return int(hash) & (len(n.slots) - 1) }
