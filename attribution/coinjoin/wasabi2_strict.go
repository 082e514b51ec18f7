package coinjoin

import (
	"slices"

	"coldtrail/ledger"
)

// Figures of the stricter reading. Values are in satoshi.
const (
	strictConfidence = 80
	strictUnknown    = 60 // where parents are missing
	strictOutputs    = 10
	strictMost       = 134_375_000_000
	// strictValues is how many standard values must occur where parents are missing.
	strictValues = 8
)

// standardValues are what WabiSabi pays out, rising: powers of two, three and ten, twice
// the powers of three and ten, and five times those of ten, from 5,000 to 134,375,000,000
// satoshi.
var standardValues = func() (list []uint64) {
	add := func(v uint64) {
		if v >= wasabi2Least && v <= strictMost {
			list = append(list, v)
		}
	}
	for v := uint64(1); v <= strictMost; v *= 2 {
		add(v)
	}
	for v := uint64(1); v <= strictMost; v *= 3 {
		add(v)
		add(2 * v)
	}
	for v := uint64(1); v <= strictMost; v *= 10 {
		add(v)
		add(2 * v)
		add(5 * v)
	}
	slices.Sort(list)
	return slices.Compact(list)
}()

func isStandard(value uint64) bool {
	_, ok := slices.BinarySearch(standardValues, value)
	return ok
}

// wasabi2Strict: from height 741,213 at least fifty inputs, all P2WPKH or P2TR, of
// falling value; outputs of falling value, of which more than four in five have standard
// values.
//
// Ours: at least ten outputs, without which a large consolidation to a round sum would
// do. Where values or scripts of inputs are unknown, those known must agree; then the
// outputs are also P2WPKH or P2TR with a script each, at least eight standard values
// occur, and the confidence is 60. Standard values, and others that occur twice, count
// as mixed.
var wasabi2Strict = &Rule{
	Name: "wasabi2-strict", Title: "Wasabi 2, stricter", Protocol: "Wasabi 2", Source: dumplings,
	recognise: func(s *shape) (Finding, bool) {
		if s.height < firstWasabi2 || len(s.inputs) < wasabi2Large || len(s.owned) < strictOutputs ||
			!s.knownInputs(ledger.P2WPKH, ledger.P2TR) || !s.falls() {
			return Finding{}, false
		}
		standard, values := s.standard()
		if 5*standard <= 4*len(s.owned) {
			return Finding{}, false
		}
		confidence := strictConfidence
		if s.unvalued > 0 || s.scripts.unknown > 0 {
			if values < strictValues || !s.unshared() || !s.allOutputs(ledger.P2WPKH, ledger.P2TR) {
				return Finding{}, false
			}
			confidence = strictUnknown
		}
		return s.mix(confidence, max(s.scripts.atLeast()/wasabi2PerOwner, 2), func(g group) bool {
			return g.count >= 2 || isStandard(g.value)
		})
	},
}

// standard counts the outputs that have standard values, and the values.
func (s *shape) standard() (outputs, values int) {
	for _, g := range s.groups {
		if isStandard(g.value) {
			outputs += g.count
			values++
		}
	}
	return outputs, values
}

// falls says that no known input and no owned output is greater than one before it.
func (s *shape) falls() bool {
	last := uint64(0)
	for i := range s.inputs {
		v := s.inputs[i].Value
		if v > last && last != 0 {
			return false
		}
		if v != 0 {
			last = v
		}
	}
	for n, i := range s.owned {
		if n > 0 && s.outputs[i].Value > s.outputs[s.owned[n-1]].Value {
			return false
		}
	}
	return true
}
