package cluster

import (
	"bytes"
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// OpenScripts lists the addresses that rules know by name, sorted: a caller that gives
// owners stand-ins for their addresses must leave these as they are.
func OpenScripts() []ledger.Address {
	list := make([]ledger.Address, 0, len(openScripts))
	for a := range openScripts {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b ledger.Address) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Payload[:], b.Payload[:]))
	})
	return list
}
