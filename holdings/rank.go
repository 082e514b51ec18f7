package holdings

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// standing is what a row is ranked by: its value, where that is known, then its amount,
// then its name.
type standing struct {
	value  *ledger.Amount // cents; nil where unknown
	amount ledger.Amount
	name   string
}

// ranked gives rows their order and their ranks. Rows of equal value share a rank, and the
// next rank counts them all: 1, 2, 2, 4. Where no value is known but all rows count one
// asset, they are ranked by amount; otherwise a row without a value has no rank, which is 0.
func ranked(rows []standing, oneAsset bool) (order, ranks []int) {
	byAmount := oneAsset && !slices.ContainsFunc(rows, func(r standing) bool { return r.value != nil })
	key := func(r *standing) *ledger.Amount {
		if byAmount {
			return &r.amount
		}
		return r.value
	}
	order = make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		a, b := &rows[x], &rows[y]
		return cmp.Or(compareKnown(key(a), key(b)), b.amount.Cmp(&a.amount), cmp.Compare(a.name, b.name))
	})
	ranks = make([]int, len(rows))
	for place, i := range order {
		k := key(&rows[i])
		switch {
		case k == nil:
		case place > 0 && key(&rows[order[place-1]]).Eq(k):
			ranks[i] = ranks[order[place-1]]
		default:
			ranks[i] = place + 1
		}
	}
	return order, ranks
}

// compareKnown puts the larger first and what is unknown last.
func compareKnown(a, b *ledger.Amount) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return b.Cmp(a)
}
