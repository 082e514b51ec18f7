package bitcoin

import "math"

// anyoneCanPay is the bit of a signature's hash type by which it signs its own input and
// no other, so that others may add inputs (SIGHASH_ANYONECANPAY; BIP-143, BIP-341).
const anyoneCanPay = 0x80

// The lengths of signatures in bytes, their hash type included.
const (
	leastDER   = 9  // integers of one byte each
	mostDER    = 73 // integers of 33 bytes each
	schnorr    = 65 // with a hash type; without one it is 64 and signs all inputs (BIP-341)
	controlled = 33 // control block of a script without a branch (BIP-341)
	branch     = 32
	maxBranch  = 128
)

// The first bytes that tell spends of Taproot outputs from others. No other spend has
// them: the last item of P2WPKH is a key, that of P2WSH a script, and no script that
// begins with one of these can succeed.
const (
	annexTag    = 0x50
	leafMask    = 0xfe
	tapscript   = 0xc0 // leaf version of BIP-342
	derSequence = 0x30
	derInteger  = 0x02
)

// The opcodes that push data.
const (
	lastDirectPush = 0x4b
	opPushData1    = 0x4c
	opPushData2    = 0x4d
	opPushData4    = 0x4e
)

// AnyoneCanPay says whether an input script pushes a signature that lets others add
// inputs to its transaction. Signatures are known by their form: what is inside a
// pushed script is not looked at, nor are encodings that only the rules before BIP-66
// allowed. Data that looks like such a signature is taken for one.
func AnyoneCanPay(script []byte) bool {
	for len(script) > 0 {
		opcode := script[0]
		script = script[1:]
		if opcode > opPushData4 {
			continue
		}
		size, width := int(opcode), 0
		if opcode > lastDirectPush {
			width = 1 << (opcode - opPushData1)
			if size = littleEndian(script, width); size < 0 {
				return false
			}
		}
		if script = script[width:]; size > len(script) {
			return false
		}
		if opensDER(script[:size]) {
			return true
		}
		script = script[size:]
	}
	return false
}

// littleEndian reads a length of 1, 2 or 4 bytes; -1 where it is cut short or beyond any
// script.
func littleEndian(data []byte, width int) (n int) {
	if len(data) < width {
		return -1
	}
	for i := width - 1; i >= 0; i-- {
		if n = n<<8 | int(data[i]); n > math.MaxInt32 {
			return -1
		}
	}
	return n
}

// opensDER says that data has the form of an ECDSA signature (BIP-66: a sequence of two
// integers, whose lengths fill it, and a hash type) that lets others add inputs. Nearly
// all that is not is told at once, so that it costs little.
func opensDER(data []byte) bool {
	n := len(data)
	return n >= leastDER && data[n-1]&anyoneCanPay != 0 && n <= mostDER && isDER(data[:n-1])
}

// isDER knows a sequence of two integers whose lengths fill it.
func isDER(data []byte) bool {
	n := len(data)
	if data[0] != derSequence || int(data[1]) != n-2 || data[2] != derInteger {
		return false
	}
	r := int(data[3])
	if r == 0 || r+7 > n || data[4+r] != derInteger {
		return false
	}
	s := int(data[5+r])
	return s > 0 && r+s+6 == n
}

// opensSchnorr says that data has the form of a Schnorr signature that lets others add
// inputs. Of hash types with the bit only these three are valid (BIP-341).
func opensSchnorr(data []byte) bool {
	return len(data) == schnorr && data[schnorr-1] >= anyoneCanPay|1 && data[schnorr-1] <= anyoneCanPay|3
}

// witness is where the witness of one input stands.
type witness struct {
	items      int
	last, next []byte // the last item, and the one before it
}

// signatures says how many of the first items can be Schnorr signatures: all but the
// annex on the key path, all but annex, script and control block on the script path.
func (w *witness) signatures() int {
	n, last := w.items, w.last
	if n > 1 && len(last) > 0 && last[0] == annexTag {
		n, last = n-1, w.next
	}
	size := len(last) - controlled
	switch {
	case n == 1:
		return 1
	case n > 2 && size >= 0 && size%branch == 0 && size/branch <= maxBranch && last[0]&leafMask == tapscript:
		return n - 2
	}
	return 0
}
