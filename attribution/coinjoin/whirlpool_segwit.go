package coinjoin

import (
	"coldtrail/ledger"
)

// Figures of the other reading of Whirlpool.
const (
	segwitMost       = 10
	segwitConfidence = 80
)

// whirlpoolSegwit: from height 570,000 on, five to ten inputs and as many outputs, all
// P2WPKH; every output has the size of a pool; at least one input has that, and the
// others at most 110,000 satoshi more.
//
// That inputs and outputs have a script each is ours. It needs every parent.
var whirlpoolSegwit = &Rule{
	Name: "whirlpool-segwit", Title: "Whirlpool, by script", Protocol: "Whirlpool", Source: dumplings,
	recognise: func(s *shape) (Finding, bool) {
		size, ok := s.isWhirlpool(segwitMost)
		if !ok || s.height < firstWhirlpool || s.unvalued > 0 || s.scripts.unknown > 0 ||
			!s.knownInputs(ledger.P2WPKH) || !s.allOutputs(ledger.P2WPKH) {
			return Finding{}, false
		}
		exact := false
		for i := range s.inputs {
			v := s.inputs[i].Value
			if v < size || v > size+surplusMost {
				return Finding{}, false
			}
			exact = exact || v == size
		}
		if !exact {
			return Finding{}, false
		}
		return s.mix(segwitConfidence, len(s.owned), only(size))
	},
}
