package bitcoin

import (
	"crypto/sha256"

	"golang.org/x/crypto/ripemd160" //nolint:gosec,staticcheck // HASH160 is defined by it

	"coldtrail/ledger"
)

// ScriptClass is the form of an output script.
type ScriptClass uint8

// The forms.
const (
	// NonStandard is any script without a form of its own.
	NonStandard ScriptClass = iota
	// PubKey pays a bare public key.
	PubKey
	// PubKeyHash is P2PKH.
	PubKeyHash
	// ScriptHash is P2SH (BIP-16).
	ScriptHash
	// Multisig is a bare m-of-n script (BIP-11).
	Multisig
	// WitnessPubKeyHash is P2WPKH (BIP-141).
	WitnessPubKeyHash
	// WitnessScriptHash is P2WSH (BIP-141).
	WitnessScriptHash
	// Taproot is P2TR (BIP-341).
	Taproot
	// WitnessUnknown is a witness version nobody has defined (BIP-141).
	WitnessUnknown
	// NullData begins with OP_RETURN and can never be spent.
	NullData
	// Oversized is longer than 10,000 bytes and can never be spent.
	Oversized
)

// The opcodes that make the forms.
const (
	opDup           = 0x76
	opEqual         = 0x87
	opEqualVerify   = 0x88
	opHash160       = 0xa9
	opCheckSig      = 0xac
	opCheckMultisig = 0xae
	opReturn        = 0x6a
	op1             = 0x51
	op16            = 0x60
	maxScript       = 10_000
)

// Classify says what form an output script has and who owns it. Unspendable
// scripts have no owner.
func Classify(script []byte) (ledger.Address, ScriptClass) {
	n := len(script)
	switch {
	case n == 25 && script[0] == opDup && script[1] == opHash160 && script[2] == 20 && script[23] == opEqualVerify && script[24] == opCheckSig:
		return ledger.NewAddress(ledger.P2PKH, script[3:23]), PubKeyHash
	case n == 22 && script[0] == 0 && script[1] == 20:
		return ledger.NewAddress(ledger.P2WPKH, script[2:]), WitnessPubKeyHash
	case n == 23 && script[0] == opHash160 && script[1] == 20 && script[22] == opEqual:
		return ledger.NewAddress(ledger.P2SH, script[2:22]), ScriptHash
	case n == 34 && script[0] == op1 && script[1] == 32:
		return ledger.NewAddress(ledger.P2TR, script[2:]), Taproot
	case n == 34 && script[0] == 0 && script[1] == 32:
		return ledger.NewAddress(ledger.P2WSH, script[2:]), WitnessScriptHash
	case n > 0 && script[0] == opReturn:
		return ledger.Address{}, NullData
	case n > maxScript:
		return ledger.Address{}, Oversized
	case isPubKey(script):
		hash := hash160(script[1 : n-1])
		return ledger.NewAddress(ledger.P2PKH, hash[:]), PubKey
	}
	hash := sha256.Sum256(script)
	address := ledger.NewAddress(ledger.Script, hash[:])
	switch {
	case isMultisig(script):
		return address, Multisig
	case n >= 4 && n <= 42 && (script[0] == 0 || script[0] >= op1 && script[0] <= op16) && int(script[1]) == n-2:
		return address, WitnessUnknown
	}
	return address, NonStandard
}

// isPubKey recognises a push of a compressed or uncompressed key and OP_CHECKSIG.
func isPubKey(script []byte) bool {
	switch n := len(script); {
	case n == 35 && script[0] == 33 && script[34] == opCheckSig:
		return script[1] == 2 || script[1] == 3
	case n == 67 && script[0] == 65 && script[66] == opCheckSig:
		return script[1] == 4 || script[1] == 6 || script[1] == 7 // 6 and 7 are OpenSSL's hybrid form
	}
	return false
}

// isMultisig recognises m, n keys, n, OP_CHECKMULTISIG.
func isMultisig(script []byte) bool {
	if len(script) < 3 || script[len(script)-1] != opCheckMultisig || script[0] < op1 || script[0] > op16 {
		return false
	}
	keys := 0
	rest := script[1 : len(script)-2]
	for len(rest) > 0 {
		size := int(rest[0])
		if size != 33 && size != 65 || len(rest) < 1+size {
			return false
		}
		rest = rest[1+size:]
		keys++
	}
	n := script[len(script)-2]
	return int(n) == op1-1+keys && script[0] <= n
}

// hash160 is RIPEMD-160 of SHA-256.
func hash160(data []byte) (out [20]byte) {
	once := sha256.Sum256(data)
	h := ripemd160.New() //nolint:gosec // HASH160 is defined by it
	h.Write(once[:])
	h.Sum(out[:0])
	return out
}
