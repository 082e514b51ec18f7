package coinjoin

import (
	"slices"

	"coldtrail/ledger"
)

// Coordinators lists the addresses that rules know by name: a caller that gives owners
// stand-ins for their addresses must leave these as they are.
func Coordinators() []ledger.Address { return slices.Clone(coordinators) }

// Height is the height by which rules tell eras apart. They know those of Bitcoin's main
// network; on any other chain every protocol may be met at any time.
func Height(chain ledger.Chain, h ledger.Height) ledger.Height {
	if chain == ledger.Bitcoin {
		return h
	}
	return 1 << 40
}
