package ledger

import "fmt"

// AddressKind says what the payload of an Address commits to.
type AddressKind uint8

// The kinds of address. The numbers are part of the on-disk format: never reorder.
const (
	// NoAddress is the absence of an owner: unspendable outputs have none.
	NoAddress AddressKind = iota
	// P2PKH is HASH160 of a public key. Bare public keys (P2PK) are filed here
	// too, under the hash of their key, because the same key controls both.
	P2PKH
	// P2SH is HASH160 of a redeem script (BIP-16).
	P2SH
	// P2WPKH is a version 0 witness program of 20 bytes (BIP-141).
	P2WPKH
	// P2WSH is a version 0 witness program of 32 bytes (BIP-141).
	P2WSH
	// P2TR is a version 1 witness program of 32 bytes (BIP-341).
	P2TR
	// Script is SHA-256 of an output script that has no address of its own:
	// bare multisig, unassigned witness versions, non-standard scripts.
	Script
	// EVMAccount is a 20-byte account address.
	EVMAccount
	// Named is a plain name of up to 32 bytes, as scenario files use.
	Named
)

// Address says who controls a holding. It is a comparable value without
// pointers, so it can be a map key and costs no allocation.
type Address struct {
	Kind    AddressKind
	Size    uint8 // bytes of Payload in use
	Payload [32]byte
}

// NewAddress makes an address of a kind and its payload. It panics on payloads
// over 32 bytes, which no decoder produces.
func NewAddress(kind AddressKind, payload []byte) Address {
	a := Address{Kind: kind, Size: uint8(len(payload))}
	if len(payload) > len(a.Payload) {
		panic(fmt.Sprintf("ledger: address payload of %d bytes", len(payload)))
	}
	copy(a.Payload[:], payload)
	return a
}

// NameAddress makes a Named address, refusing empty names and names over 32 bytes.
func NameAddress(name string) (Address, error) {
	if name == "" || len(name) > 32 {
		return Address{}, fmt.Errorf("name %q must have 1 to 32 bytes", name)
	}
	return NewAddress(Named, []byte(name)), nil
}

// Bytes is the payload in use.
func (a *Address) Bytes() []byte { return a.Payload[:a.Size] }

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.Kind == NoAddress }

// A Notation prints and reads the addresses of one chain as its users write them.
type Notation interface {
	// FormatAddress prints an address; the empty string stands for none.
	FormatAddress(Address) string
	// ParseAddress reads what FormatAddress prints and every other accepted
	// spelling; a wrong checksum, network or length is an error.
	ParseAddress(string) (Address, error)
}
