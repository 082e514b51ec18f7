// Package evm turns blocks of EVM chains into ledger blocks: native value moved by
// transactions and by the calls inside them, tokens moved by their own contracts'
// events, wrapping, rewards and withdrawals, fees burned and paid, issuers' freezes.
//
// It is pure: sources (the folders below) fill a Block, and Ledger says what moved.
// What a source could not know is marked on the transaction, never guessed.
package evm

import (
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/sha3"

	"coldtrail/ledger"
)

// Notation writes EVM addresses with the checksum of EIP-55 and reads them in one
// case without a checksum or in mixed case with a right one.
type Notation struct{}

// FormatAddress prints an address with its checksum; none is the empty string.
func (Notation) FormatAddress(a ledger.Address) string {
	if a.Kind != ledger.EVMAccount {
		return ""
	}
	text := [2 + 2*20]byte{'0', 'x'}
	digits := text[2:]
	hex.Encode(digits, a.Bytes())
	state, _ := keccaks.Get().(keccak)
	state.Reset()
	_, _ = state.Write(digits)
	var sum [20]byte
	_, _ = state.Read(sum[:])
	keccaks.Put(state)
	for i, c := range digits { // without branches, which nobody could predict: a letter has bit 6, a capital lacks bit 5
		nibble := sum[i/2] >> (4 * (1 - i%2)) & 15
		digits[i] = c - (nibble>>3&(c>>6))<<5
	}
	return string(text[:])
}

// mixed says whether hexadecimal digits have letters of both cases.
func mixed(digits string) bool {
	var kinds byte
	for i := range len(digits) {
		if c := digits[i]; c > '9' {
			kinds |= c & 0x20 // which capitals lack
			kinds |= (^c & 0x20) >> 1
		}
	}
	return kinds == 0x30
}

// keccak is Keccak-256 that can be read without a copy of its state. Addresses are printed
// a million times a second, so that states are used again.
type keccak interface {
	hash.Hash
	io.Reader
}

var keccaks = sync.Pool{New: func() any { return sha3.NewLegacyKeccak256() }}

// ParseAddress reads 0x and 40 hexadecimal digits. In mixed case the checksum
// must be right.
func (n Notation) ParseAddress(text string) (ledger.Address, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	var payload [20]byte
	if ok = ok && len(digits) == 2*len(payload); ok {
		_, err := hex.Decode(payload[:], []byte(digits))
		ok = err == nil
	}
	if !ok {
		return ledger.Address{}, fmt.Errorf("address %q: want 0x and 40 hexadecimal digits", text)
	}
	address := ledger.NewAddress(ledger.EVMAccount, payload[:])
	if mixed(digits) && n.FormatAddress(address) != text {
		return ledger.Address{}, fmt.Errorf("address %q: its EIP-55 checksum is wrong; one character is likely mistyped", text)
	}
	return address, nil
}

func hexOf(a *ledger.Address) string { return hex.EncodeToString(a.Bytes()) }

// AssetOf is the asset of a token's contract, or the native one where there is none.
func AssetOf(chain ledger.Chain, contract ledger.Address) ledger.Asset {
	if contract.IsZero() {
		return chain.Native()
	}
	return ledger.Asset(string(chain) + "/erc20:0x" + hexOf(&contract))
}

// ContractOf is the contract of a token, or none for a native asset.
func ContractOf(asset ledger.Asset) ledger.Address {
	_, digits, ok := strings.Cut(string(asset), "/erc20:0x")
	payload, err := hex.DecodeString(digits)
	if !ok || err != nil || len(payload) != 20 {
		return ledger.Address{}
	}
	return ledger.NewAddress(ledger.EVMAccount, payload)
}

// IsZeroAddress knows the address of twenty zero bytes, from which tokens are made
// and to which they are burned.
func IsZeroAddress(a ledger.Address) bool { return a == zeroAddress }
