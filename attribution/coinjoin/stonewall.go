package coinjoin

import "coldtrail/ledger"

// stonewallLeast is the least value of the equal outputs, in satoshi.
const stonewallLeast = 5000

// Stonewall says that a transaction has the shape of Samourai's Stonewall: two or more
// inputs, three or four outputs with as many scripts, of which exactly one value occurs
// twice, at least 5,000 satoshi, and no data output. One wallet alone makes it, and two
// together make the same; nothing tells which, so that its inputs must not be merged
// and no output of it counts as mixed. A coinjoin of two, such as JoinMarket's
// smallest, falls under it too.
//
// Source: graphsense-lib; that there is no data output is ours, because otherwise an
// entry into Whirlpool with two coins would be taken for it.
func Stonewall(tx *ledger.Resolved) bool {
	if tx.Coinbase || len(tx.Inputs) < 2 || len(tx.Outputs) < 3 || len(tx.Outputs) > 4 {
		return false
	}
	return newShape(tx).stonewall()
}

func (s *shape) stonewall() bool {
	if n := len(s.owned); n < 3 || n > 4 || s.data > 0 || len(s.inputs) < 2 || !s.unshared() {
		return false
	}
	twice := 0
	for _, g := range s.groups {
		switch {
		case g.count > 2 || g.count == 2 && g.value < stonewallLeast:
			return false
		case g.count == 2:
			twice++
		}
	}
	return twice == 1
}
