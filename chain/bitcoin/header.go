package bitcoin

import (
	"encoding/binary"
	"fmt"

	"github.com/holiman/uint256"

	"coldtrail/ledger"
)

// HeaderSize is the length of a block header in bytes.
const HeaderSize = 80

// Header is a block header.
type Header struct {
	Hash, Parent ledger.Hash
	Time         uint32 // Unix seconds
	Bits         uint32 // the target in compact form
	merkle       [32]byte
}

// DecodeHeader reads the header at the start of a block.
func DecodeHeader(raw []byte) (Header, error) {
	if len(raw) < HeaderSize {
		return Header{}, &DecodeError{Offset: len(raw), Reason: "block ends inside its header"}
	}
	hash := doubleHash(raw[:HeaderSize])
	return Header{
		Hash: reversed(&hash), Parent: reversed((*[32]byte)(raw[4:36])), merkle: [32]byte(raw[36:68]),
		Time: binary.LittleEndian.Uint32(raw[68:]), Bits: binary.LittleEndian.Uint32(raw[72:]),
	}, nil
}

// CheckWork checks that the hash is not above the target and the target not above
// the network's limit.
func (h *Header) CheckWork(network *Network) error {
	target, ok := Target(h.Bits)
	limit, _ := Target(network.LimitBits)
	if !ok || target.Gt(&limit) {
		return &DecodeError{Offset: 72, Reason: fmt.Sprintf("target %08x is easier than %s allows", h.Bits, network.Name)}
	}
	if hash := new(uint256.Int).SetBytes(h.Hash[:]); hash.Gt(&target) {
		return &DecodeError{Offset: 0, Reason: "block " + h.Hash.String() + " has no valid proof of work"}
	}
	return nil
}

// Work is the expected number of hashes behind a target: 2^256 / (target+1).
func Work(bits uint32) uint256.Int {
	target, ok := Target(bits)
	if !ok {
		return uint256.Int{}
	}
	// 2^256/(t+1) = (2^256-1-t)/(t+1) + 1, which fits.
	var inverse, next uint256.Int
	inverse.Not(&target)
	next.AddUint64(&target, 1)
	inverse.Div(&inverse, &next)
	return *inverse.AddUint64(&inverse, 1)
}

// Target expands a compact target. Negative, zero and overflowing ones are not ok.
func Target(bits uint32) (target uint256.Int, ok bool) {
	size, word := bits>>24, uint64(bits&0x7fffff)
	if bits&0x800000 != 0 || word == 0 || size > 34 || size == 34 && word > 0xff || size == 33 && word > 0xffff {
		return target, false
	}
	target.SetUint64(word)
	if size <= 3 {
		target.Rsh(&target, uint(8*(3-size)))
	} else {
		target.Lsh(&target, uint(8*(size-3)))
	}
	return target, !target.IsZero()
}

// The difficulty rule: every 2016 blocks the target is set so that the last 2016
// would have taken two weeks; a step is at most fourfold.
const (
	RetargetBlocks  = 2016
	retargetSeconds = 14 * 24 * 60 * 60
)

// NextBits is the compact target of the block after a period, given the period's
// target and the times of its first and last block.
func NextBits(network *Network, bits, first, last uint32) uint32 {
	limit, _ := Target(network.LimitBits)
	target, _ := Target(bits)
	span := min(max(int64(last)-int64(first), retargetSeconds/4), retargetSeconds*4)
	var next uint256.Int
	next.Mul(&target, uint256.NewInt(uint64(span)))
	next.Div(&next, uint256.NewInt(retargetSeconds))
	if next.Gt(&limit) {
		next = limit
	}
	return compact(&next)
}

func compact(target *uint256.Int) uint32 {
	size := uint32((target.BitLen() + 7) / 8)
	var word uint32
	if size <= 3 {
		word = uint32(target.Uint64()) << (8 * (3 - size))
	} else {
		word = uint32(new(uint256.Int).Rsh(target, uint(8*(size-3))).Uint64())
	}
	if word&0x800000 != 0 {
		word >>= 8
		size++
	}
	return size<<24 | word
}
