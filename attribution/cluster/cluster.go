// Package cluster says which addresses have one owner, by which rule, and why.
//
// A rule never merges anything. It yields edges: two addresses, the rule, the
// transaction that completes the evidence, and how sure the rule is. A cluster is a
// view of the edges that a reader accepts, so that taking a rule away is a second
// run and not a repair.
//
// Rules judge what they are given and nothing else. What one transaction or one
// address's history does not say (whether an address was used before, who is behind
// an account, what mixes) comes from the caller, as it stood at the cut-off height.
package cluster

import "coldtrail/ledger"

// Edge says that two addresses have one owner.
type Edge struct {
	A, B ledger.Address // never the same, never without an owner
	Rule *Rule
	// Tx is the transaction that completes the evidence, and Height where it stands:
	// nothing later is needed to see the edge.
	Tx         ledger.Hash
	Height     ledger.Height
	Confidence uint8 // 0 to 100
}

// tie makes an edge, or none where it would say nothing.
func (r *Rule) tie(a, b ledger.Address, tx ledger.Hash, height ledger.Height) (Edge, bool) {
	if a == b || a.IsZero() || b.IsZero() {
		return Edge{}, false
	}
	return Edge{A: a, B: b, Rule: r, Tx: tx, Height: height, Confidence: r.Confidence}, true
}
