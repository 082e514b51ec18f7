package bitcoin

import (
	"fmt"

	"coldtrail/ledger"
)

// Contents are a block's transactions as bytes, with what proves that they are in it.
type Contents struct {
	Header Header

	raw    []byte
	starts []int      // of the transactions, and the end of the last
	ids    [][32]byte // in wire order
}

// ReadContents takes a serialized block apart and checks that its transactions are those
// of its header's merkle root. It keeps raw.
func ReadContents(raw []byte) (*Contents, error) {
	header, err := DecodeHeader(raw)
	if err != nil {
		return nil, err
	}
	d := decoder{raw: raw, at: HeaderSize}
	n := d.count(60)
	d.ids = make([][32]byte, n)
	c := &Contents{Header: header, raw: raw, starts: []int{d.at}}
	for i := range n {
		d.transaction(&ledger.Tx{}, i)
		c.starts = append(c.starts, d.at)
	}
	if d.bad == nil && (n == 0 || d.at != len(raw)) {
		d.fail("not one block")
	}
	if d.bad != nil {
		return nil, d.bad
	}
	c.ids = append(c.ids, d.ids...)
	if d.merkleRoot() != header.merkle {
		return nil, &DecodeError{Offset: 36, Reason: "merkle root does not match the transactions"}
	}
	return c, nil
}

// Find gives the position of a transaction.
func (c *Contents) Find(id ledger.Hash) (uint32, bool) {
	wire := reversed((*[32]byte)(&id))
	for i := range c.ids {
		if c.ids[i] == [32]byte(wire) {
			return uint32(i), true
		}
	}
	return 0, false
}

// Plain is a transaction without its witnesses: the bytes of which the double SHA-256 is
// its identifier (BIP-141).
func (c *Contents) Plain(position uint32) ([]byte, error) {
	if int(position) >= len(c.ids) {
		return nil, fmt.Errorf("the block has no transaction %d", position)
	}
	whole := c.raw[c.starts[position]:c.starts[position+1]]
	if whole[4] != 0 || whole[5] != 1 { // no marker and flag
		return whole, nil
	}
	d := decoder{raw: whole, ids: make([][32]byte, min(position, 1)+1)}
	d.transaction(&ledger.Tx{}, len(d.ids)-1)
	return d.scratch, d.bad
}

// Branch is what stands beside a transaction's way to the merkle root, lowest first.
func (c *Contents) Branch(position uint32) []ledger.Hash {
	return merkleBranch(append([][32]byte(nil), c.ids...), position)
}

// MerkleBranch is what stands beside the way of one of a block's transactions to its
// merkle root, lowest first; none where the block has no transaction of that position.
func MerkleBranch(ids []ledger.Hash, position uint32) []ledger.Hash {
	if int(position) >= len(ids) {
		return nil
	}
	wire := make([][32]byte, len(ids))
	for i := range ids {
		wire[i] = reversed((*[32]byte)(&ids[i]))
	}
	return merkleBranch(wire, position)
}

// merkleBranch is a branch over identifiers in wire order, using their memory.
func merkleBranch(level [][32]byte, position uint32) (branch []ledger.Hash) {
	for at := int(position); len(level) > 1; at /= 2 {
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		branch = append(branch, reversed(&level[at^1]))
		var pair [64]byte
		for i := 0; i < len(level); i += 2 {
			copy(pair[:32], level[i][:])
			copy(pair[32:], level[i+1][:])
			level[i/2] = doubleHash(pair[:])
		}
		level = level[:len(level)/2]
	}
	return branch
}

// CoinbaseHeight is the height that a coinbase states (BIP-34).
func CoinbaseHeight(plain []byte) (ledger.Height, bool) {
	header := make([]byte, HeaderSize, HeaderSize+1+len(plain))
	header[0] = 2 // blocks that state it have at least this version
	return HeightOf(append(append(header, 1), plain...))
}
