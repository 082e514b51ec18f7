package coinjoin

import (
	"coldtrail/ledger"
)

// Figures of Whirlpool. Values are in satoshi.
const (
	firstWhirlpool       = 570_000 // height
	whirlpoolLeast       = 5       // inputs, and outputs
	whirlpoolMost        = 8
	surplusLeast         = 100 // that a new entrant brings for the fee
	surplusMost          = 110_000
	entrantsMost         = 4
	whirlpoolConfidence  = 60
	whirlpoolUnconfirmed = 50 // where parents are missing
)

// pool is a size of coins that are mixed, and the fee of its coordinator (0: not known).
type pool struct{ size, fee uint64 }

// pools are those of Samourai, as both sources have them, and one of its successor
// Ashigaru (ours; a real transaction is in testdata/SOURCE.md). Others of Ashigaru may
// be missing.
var pools = []pool{
	{100_000, 5_000},
	{1_000_000, 50_000},
	{2_500_000, 0},
	{5_000_000, 175_000},
	{50_000_000, 1_750_000},
}

func isPool(value uint64) bool {
	for _, p := range pools {
		if p.size == value {
			return true
		}
	}
	return false
}

// whirlpool: five to eight inputs and as many outputs, each with a script of its own;
// every output has the size of a pool; every input has that, or 100 to 110,000 satoshi
// more, and one to four have more.
//
// Where values or scripts of inputs are unknown, the rest is unmistakable enough: from
// height 570,000 on, with outputs and known inputs all P2WPKH, it is recognised with
// confidence 50, unless a known input contradicts.
var whirlpool = &Rule{
	Name: "whirlpool", Title: "Whirlpool", Protocol: "Whirlpool", Source: graphSense,
	recognise: func(s *shape) (Finding, bool) {
		size, ok := s.isWhirlpool(whirlpoolMost)
		if !ok {
			return Finding{}, false
		}
		entrants, ok := s.entrants(size)
		if !ok || entrants > entrantsMost || entrants+s.unvalued == 0 {
			return Finding{}, false
		}
		confidence := whirlpoolConfidence
		if s.unvalued > 0 || s.scripts.unknown > 0 {
			if s.height < firstWhirlpool || !s.knownInputs(ledger.P2WPKH) || !s.allOutputs(ledger.P2WPKH) {
				return Finding{}, false
			}
			confidence = whirlpoolUnconfirmed
		}
		return s.mix(confidence, len(s.owned), only(size))
	},
}

// isWhirlpool says that there are as many inputs as outputs, from five to a number, with
// a script each as far as they are known, and that all outputs have the size of a pool.
func (s *shape) isWhirlpool(most int) (size uint64, ok bool) {
	n := len(s.owned)
	if n < whirlpoolLeast || n > most || len(s.inputs) != n || len(s.groups) != 1 {
		return 0, false
	}
	size = s.groups[0].value
	return size, s.unshared() && s.scripts.atMost() == n && isPool(size)
}

// entrants counts the known inputs that bring a surplus; it is not ok where one is
// neither of the size nor that of an entrant.
func (s *shape) entrants(size uint64) (n int, ok bool) {
	for i := range s.inputs {
		v := s.inputs[i].Value
		switch {
		case v == 0 || v == size:
		case v >= size+surplusLeast && v <= size+surplusMost:
			n++
		default:
			return 0, false
		}
	}
	return n, true
}
