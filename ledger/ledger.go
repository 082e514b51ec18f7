// Package ledger is Coldtrail's vocabulary: chains, assets, addresses, amounts,
// blocks and the value that moves in them.
//
// Every chain is brought into these words before anything else looks at it, and
// every other package speaks only them. The package holds values and nothing
// else: no I/O, no clock, no floating point. Amounts are integers in the base
// unit of their asset (satoshi, wei, token units).
package ledger

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/holiman/uint256"
)

// Amount is an unsigned integer in base units of an asset, up to 256 bits wide
// because EVM balances are (Ethereum yellow paper, section 4.1).
type Amount = uint256.Int

// NewAmount makes an Amount of a 64-bit number of base units.
func NewAmount(units uint64) Amount { return *uint256.NewInt(units) }

// ParseAmount reads a decimal string of base units. It refuses signs, fractions,
// exponents, spaces and anything wider than 256 bits.
func ParseAmount(text string) (Amount, error) {
	if text == "" {
		return Amount{}, fmt.Errorf("amount is empty")
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return Amount{}, fmt.Errorf("amount %q is not a whole number of base units", text)
		}
	}
	amount, err := uint256.FromDecimal(text)
	if err != nil {
		return Amount{}, fmt.Errorf("amount %q does not fit 256 bits", text)
	}
	return *amount, nil
}

// Height numbers the blocks of a chain from 0.
type Height uint64

// Hash is a 32-byte identifier (block or transaction) in the order in which
// people print it. Bitcoin hashes are therefore stored reversed against the wire.
type Hash [32]byte

// IsZero reports whether the hash is absent.
func (h Hash) IsZero() bool { return h == Hash{} }

// String prints the hash as 64 lower-case hexadecimal digits without prefix.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads 64 hexadecimal digits, with or without a 0x prefix.
func ParseHash(text string) (Hash, error) {
	var h Hash
	digits := strings.TrimPrefix(text, "0x")
	if len(digits) != 2*len(h) {
		return Hash{}, fmt.Errorf("hash %q has %d hexadecimal digits, want 64", text, len(digits))
	}
	if _, err := hex.Decode(h[:], []byte(digits)); err != nil {
		return Hash{}, fmt.Errorf("hash %q is not hexadecimal", text)
	}
	return h, nil
}

// Provenance says how far a fact can be trusted. Larger is stronger.
type Provenance uint8

// The three provenances, weakest first.
const (
	// File marks somebody's export: nothing in it could be checked.
	File Provenance = iota + 1
	// Node marks what a node said.
	Node
	// Proven marks facts whose hashes, roots and proof of work were recomputed.
	Proven
)

// String is the word results use for the provenance.
func (p Provenance) String() string {
	switch p {
	case File:
		return "file"
	case Node:
		return "node"
	case Proven:
		return "proven"
	}
	return "unknown"
}

// Weakest is the weaker of two provenances; a zero value stands for "none yet".
func Weakest(a, b Provenance) Provenance {
	if a == 0 {
		return b
	}
	if b == 0 || a < b {
		return a
	}
	return b
}
