package label

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"

	"coldtrail/chain/evm"
)

// base58Form is Base58Check with one version byte and twenty bytes.
func base58Form(version byte) func(string) (string, error) {
	return func(text string) (string, error) {
		payload, got, err := base58.CheckDecode(text)
		switch {
		case err != nil:
			return "", err
		case got != version || len(payload) != 20:
			return "", fmt.Errorf("version %#x with %d bytes, want %#x with 20", got, len(payload), version)
		}
		return text, nil
	}
}

// bech32Form is a witness program (BIP-173, BIP-350) of a network.
func bech32Form(prefix string) func(string) (string, error) {
	return func(text string) (string, error) {
		got, words, version, err := bech32.DecodeGeneric(text)
		if err != nil {
			return "", err
		}
		if got != prefix || len(words) == 0 || words[0] > 16 || (words[0] == 0) != (version == bech32.Version0) {
			return "", fmt.Errorf("not a witness program of %s", prefix)
		}
		program, err := bech32.ConvertBits(words[1:], 5, 8, false)
		if err != nil || len(program) < 2 || len(program) > 40 || words[0] == 0 && len(program) != 20 && len(program) != 32 {
			return "", fmt.Errorf("not a witness program of %s", prefix)
		}
		return strings.ToLower(text), nil
	}
}

// readAvalanche reads an address of Avalanche's exchange or platform chain.
func readAvalanche(text string) (string, error) {
	chain, rest, ok := strings.Cut(text, "-")
	if !ok || len(chain) != 1 || !strings.Contains("XPC", chain) {
		return "", errors.New("not an address of Avalanche's own form")
	}
	prefix, words, version, err := bech32.DecodeGeneric(rest)
	if err != nil {
		return "", err
	}
	payload, err := bech32.ConvertBits(words, 5, 8, false)
	if err != nil || prefix != "avax" || version != bech32.Version0 || len(payload) != 20 {
		return "", errors.New("not an address of Avalanche's own form")
	}
	return text, nil
}

// readTron reads Base58Check of 0x41 and twenty bytes, or the same in hexadecimal.
func readTron(text string) (string, error) {
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == 21 && raw[0] == 0x41 {
		return base58.CheckEncode(raw[1:], 0x41), nil
	}
	return base58Form(0x41)(text)
}

// readZcash reads a transparent address: two version bytes.
func readZcash(text string) (string, error) {
	payload, version, err := base58.CheckDecode(text)
	if err != nil {
		return "", err
	}
	if version != 0x1c || len(payload) != 21 || payload[0] != 0xb8 && payload[0] != 0xbd {
		return "", errors.New("not a transparent address of Zcash")
	}
	return text, nil
}

// readSolana reads 32 bytes in Base58, which have no checksum.
func readSolana(text string) (string, error) {
	if n := len(text); n < 32 || n > 44 {
		return "", errors.New("want 32 to 44 characters")
	}
	if len(base58.Decode(text)) != 32 {
		return "", errors.New("want 32 bytes in Base58")
	}
	return text, nil
}

const (
	bitcoinAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	rippleAlphabet  = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
)

// readRipple reads Base58Check in Ripple's alphabet, version 0 (XRP Ledger, "Base58
// Encodings").
func readRipple(text string) (string, error) {
	in := make([]byte, len(text))
	for i := range len(text) {
		at := strings.IndexByte(rippleAlphabet, text[i])
		if at < 0 {
			return "", fmt.Errorf("character %q is not of Ripple's alphabet", text[i])
		}
		in[i] = bitcoinAlphabet[at]
	}
	if _, err := base58Form(0)(string(in)); err != nil {
		return "", err
	}
	return text, nil
}

// readEOS reads a name: up to twelve of a to z, 1 to 5 and dots.
func readEOS(text string) (string, error) {
	if len(text) > 12 {
		return "", errors.New("want at most 12 characters")
	}
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '1' || c > '5') && c != '.' {
			return "", fmt.Errorf("character %q is not of EOS's alphabet", c)
		}
	}
	return text, nil
}

const cashAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// readCash reads CashAddr (Bitcoin Cash, spec/cashaddr.md): a prefix, a version byte with
// twenty bytes or more, and a checksum of forty bits.
func readCash(text string) (string, error) {
	lower := strings.ToLower(text)
	if lower != text && strings.ToUpper(text) != text {
		return "", errors.New("mixed capitals")
	}
	prefix, body, ok := strings.Cut(lower, ":")
	if !ok {
		prefix, body = "bitcoincash", lower
	}
	if prefix != "bitcoincash" && prefix != "ecash" && prefix != "simpleledger" || len(body) < 42 {
		return "", errors.New("not an address of Bitcoin Cash")
	}
	values := make([]byte, 0, len(prefix)+1+len(body))
	for i := range len(prefix) {
		values = append(values, prefix[i]&0x1f)
	}
	values = append(values, 0)
	for i := range len(body) {
		at := strings.IndexByte(cashAlphabet, body[i])
		if at < 0 {
			return "", fmt.Errorf("character %q is not of the alphabet", body[i])
		}
		values = append(values, byte(at))
	}
	if cashSum(values) != 0 {
		return "", errors.New("wrong checksum")
	}
	payload, err := bech32.ConvertBits(values[len(prefix)+1:len(values)-8], 5, 8, false)
	if err != nil || len(payload) != 21 || payload[0] != 0 && payload[0] != 8 {
		return "", errors.New("not an address of Bitcoin Cash")
	}
	return prefix + ":" + body, nil
}

func cashSum(values []byte) uint64 {
	generators := [5]uint64{0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8, 0x1e4f43e470}
	c := uint64(1)
	for _, v := range values {
		top := c >> 35
		c = (c&0x07ffffffff)<<5 ^ uint64(v)
		for i, g := range generators {
			if top>>i&1 == 1 {
				c ^= g
			}
		}
	}
	return c ^ 1
}

// Monero's blocks of eight bytes are eleven characters each; the last is shorter.
var moneroSizes = map[int]int{2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8}

// readMonero reads an address of Monero: network byte, two keys, four bytes of Keccak
// (Monero, src/common/base58.cpp and src/cryptonote_basic).
func readMonero(text string) (string, error) {
	if len(text) != 95 && len(text) != 106 {
		return "", errors.New("want 95 or 106 characters")
	}
	var raw []byte
	for at := 0; at < len(text); at += 11 {
		block, err := moneroBlock(text[at:min(at+11, len(text))])
		if err != nil {
			return "", err
		}
		raw = append(raw, block...)
	}
	sum := evm.Keccak(raw[:len(raw)-4])
	switch {
	case !bytes.Equal(sum[:4], raw[len(raw)-4:]):
		return "", errors.New("wrong checksum")
	case raw[0] != 18 && raw[0] != 19 && raw[0] != 42:
		return "", errors.New("not an address of Monero's main network")
	}
	return text, nil
}

func moneroBlock(text string) ([]byte, error) {
	size, ok := moneroSizes[len(text)]
	if !ok {
		return nil, fmt.Errorf("a block of %d characters", len(text))
	}
	n, base := new(big.Int), big.NewInt(58)
	for i := range len(text) {
		at := strings.IndexByte(bitcoinAlphabet, text[i])
		if at < 0 {
			return nil, fmt.Errorf("character %q is not of Base58", text[i])
		}
		n.Mul(n, base).Add(n, big.NewInt(int64(at)))
	}
	if n.BitLen() > 8*size {
		return nil, errors.New("a block that is too large")
	}
	return n.FillBytes(make([]byte, size)), nil
}
