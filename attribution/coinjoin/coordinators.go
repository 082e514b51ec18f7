package coinjoin

import (
	"slices"

	"coldtrail/ledger"
)

// Coordinators lists the addresses that rules know by name: a caller that gives owners
// stand-ins for their addresses must leave these as they are.
func Coordinators() []ledger.Address { return slices.Clone(coordinators) }
