package bitcoin

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"

	"coldtrail/ledger"
)

// Notation writes and reads the addresses of a network: Base58Check for P2PKH and
// P2SH, bech32 (BIP-173) and bech32m (BIP-350) for witness programs, and
// "script:" with the SHA-256 of the script where it has no address of its own.
type Notation struct{ Network *Network }

const scriptPrefix = "script:"

// FormatAddress prints an address; none is the empty string.
func (n Notation) FormatAddress(a ledger.Address) string {
	switch a.Kind {
	case ledger.P2PKH:
		return base58.CheckEncode(a.Bytes(), n.Network.PubKey)
	case ledger.P2SH:
		return base58.CheckEncode(a.Bytes(), n.Network.Script)
	case ledger.P2WPKH, ledger.P2WSH:
		return n.segwit(0, a.Bytes())
	case ledger.P2TR:
		return n.segwit(1, a.Bytes())
	case ledger.Script:
		return scriptPrefix + hex.EncodeToString(a.Bytes())
	case ledger.NoAddress, ledger.EVMAccount, ledger.Named:
	}
	return ""
}

func (n Notation) segwit(version byte, program []byte) string {
	words, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return ""
	}
	encode := bech32.Encode
	if version > 0 {
		encode = bech32.EncodeM
	}
	text, err := encode(n.Network.Bech32, append([]byte{version}, words...))
	if err != nil {
		return ""
	}
	return text
}

// ParseAddress reads an address. A wrong checksum, length or network is an error.
func (n Notation) ParseAddress(text string) (ledger.Address, error) {
	if digest, ok := strings.CutPrefix(text, scriptPrefix); ok {
		payload, err := hex.DecodeString(digest)
		if err != nil || len(payload) != 32 {
			return ledger.Address{}, fmt.Errorf("address %q: want script: and 64 hexadecimal digits", text)
		}
		return ledger.NewAddress(ledger.Script, payload), nil
	}
	if len(text) > 90 {
		return ledger.Address{}, fmt.Errorf("address of %d characters is longer than any", len(text))
	}
	if strings.HasPrefix(strings.ToLower(text), n.Network.Bech32+"1") {
		return n.parseSegwit(text)
	}
	payload, version, err := base58.CheckDecode(text)
	switch {
	case err != nil:
		return ledger.Address{}, fmt.Errorf("address %q: %w", text, err)
	case len(payload) != 20:
		return ledger.Address{}, fmt.Errorf("address %q has %d bytes, want 20", text, len(payload))
	case version == n.Network.PubKey:
		return ledger.NewAddress(ledger.P2PKH, payload), nil
	case version == n.Network.Script:
		return ledger.NewAddress(ledger.P2SH, payload), nil
	}
	return ledger.Address{}, fmt.Errorf("address %q is not of network %s", text, n.Network.Name)
}

func (n Notation) parseSegwit(text string) (ledger.Address, error) {
	prefix, words, encoding, err := bech32.DecodeGeneric(text)
	if err != nil {
		return ledger.Address{}, fmt.Errorf("address %q: %w", text, err)
	}
	if prefix != n.Network.Bech32 || len(words) == 0 {
		return ledger.Address{}, fmt.Errorf("address %q is not of network %s", text, n.Network.Name)
	}
	program, err := bech32.ConvertBits(words[1:], 5, 8, false)
	if err != nil {
		return ledger.Address{}, fmt.Errorf("address %q: %w", text, err)
	}
	version := words[0]
	if version == 0 != (encoding == bech32.Version0) {
		return ledger.Address{}, fmt.Errorf("address %q has the checksum of another witness version", text)
	}
	switch {
	case version == 0 && len(program) == 20:
		return ledger.NewAddress(ledger.P2WPKH, program), nil
	case version == 0 && len(program) == 32:
		return ledger.NewAddress(ledger.P2WSH, program), nil
	case version == 1 && len(program) == 32:
		return ledger.NewAddress(ledger.P2TR, program), nil
	case version >= 1 && version <= 16 && len(program) >= 2 && len(program) <= 40:
		script := append([]byte{op1 - 1 + version, byte(len(program))}, program...)
		address, _ := Classify(script)
		return address, nil
	}
	return ledger.Address{}, fmt.Errorf("address %q has a witness program of a wrong length", text)
}
