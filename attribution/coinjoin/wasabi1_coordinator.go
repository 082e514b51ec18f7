package coinjoin

import (
	"slices"

	"coldtrail/ledger"
)

// Figures of Wasabi's coordinator.
const (
	firstWasabi1       = 530_500 // height
	lastCoordinator    = 610_000 // height from which rounds pay changing addresses
	coordinatorEqual   = 10
	coordinatorWidth   = 2_000_000 // satoshi
	coordinatorSurety  = 80
	coordinatorSingles = 2
)

// coordinators are the two addresses to which rounds of Wasabi 1 paid the coordinator's
// fee: bc1qs604c7jv6amk4cxqlnvuxv26hv3e48cds4m0ew and
// bc1qa24tsgchvuxsaccp8vrnkfd85hrcpafg20kmjw.
var coordinators = []ledger.Address{
	ledger.NewAddress(ledger.P2WPKH, []byte("\x86\x9f\x5c\x7a\x4c\xd7\x77\x6a\xe0\xc0\xfc\xd9\xc3\x31\x5a\xbb\x23\x9a\x9f\x0d")),
	ledger.NewAddress(ledger.P2WPKH, []byte("\xea\xaa\xb8\x23\x17\x67\x0d\x0e\xe3\x01\x3b\x07\x3b\x25\xa7\xa5\xc7\x80\xf5\x28")),
}

// wasabi1Coordinator: from height 530,500 to 609,999 a transaction with three or more
// equal outputs that pays an address of the coordinator; from 610,000 on, when the
// addresses changed, inputs and outputs that are all P2WPKH, at least ten equal outputs
// within 0.02 of 0.1 bitcoin, which are the commonest, no fewer inputs than that, and at
// least two values that occur once (a change and the coordinator's fee).
//
// Ours in the first period: four outputs or more, no fewer inputs than equal outputs,
// and none of the coordinator's own, whose payments would be taken for rounds. Ours in
// the second, without which a payout from one address would do: no script has more than
// a tenth of the inputs, they have as many scripts as there are equal outputs, and
// outputs have a script each; nor, from Wasabi 2 on, has more than half of them standard
// values of WabiSabi.
//
// The first period needs no parents; in the second, inputs of unknown script say
// nothing. Values that occur three times count as mixed in the first; in the second the
// commonest, and those that occur twice within a hundredth of its doublings, which are
// the levels of Wasabi 1.1.
var wasabi1Coordinator = &Rule{
	Name: "wasabi1-coordinator", Title: "Wasabi 1, by coordinator", Protocol: "Wasabi 1", Source: dumplings, exchangeless: true,
	recognise: func(s *shape) (Finding, bool) {
		d := s.commonest(1, s.total)
		if s.height < firstWasabi1 || d.count < leastEqual || len(s.inputs) < d.count || len(s.owned) < leastOutputs {
			return Finding{}, false
		}
		if s.height < lastCoordinator {
			if !s.paysCoordinator() {
				return Finding{}, false
			}
			return s.mix(coordinatorSurety, d.count, func(g group) bool { return g.count >= leastEqual })
		}
		singles := 0
		for _, g := range s.groups {
			if g.count == 1 {
				singles++
			}
		}
		if d.count < coordinatorEqual || singles < coordinatorSingles || s.scripts.unknown > 0 ||
			d.value < wasabi1Base-coordinatorWidth || d.value > wasabi1Base+coordinatorWidth ||
			d.count > s.scripts.known || s.isStandardRound() || !s.dispersed() || !s.unshared() ||
			!s.knownInputs(ledger.P2WPKH) || !s.allOutputs(ledger.P2WPKH) {
			return Finding{}, false
		}
		return s.mix(coordinatorSurety, d.count, func(g group) bool {
			return g.value == d.value || g.count >= 2 && isDoubling(g.value, d.value)
		})
	},
}

// isDoubling says that a value is within a hundredth of a base doubled once or more. The
// base is not above 0.12 bitcoin.
func isDoubling(value, base uint64) bool {
	for level := 1; level < maxLevels; level++ {
		want := base << level
		if max(value, want)-min(value, want) <= want/100 {
			return true
		}
	}
	return false
}

// paysCoordinator says that an output, and no input, is the coordinator's.
func (s *shape) paysCoordinator() bool {
	theirs := func(o ledger.Output) bool { return slices.Contains(coordinators, o.Address) }
	return slices.ContainsFunc(s.outputs, theirs) && !slices.ContainsFunc(s.inputs, theirs)
}
