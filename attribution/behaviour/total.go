package behaviour

import (
	"cmp"
	"math/bits"

	"coldtrail/ledger"
)

// total is a sum of amounts, least limb first: 64 bits wider than an amount, so that
// sums of hostile amounts stay exact.
type total [5]uint64

func (t *total) add(a *ledger.Amount) {
	carry := uint64(0)
	for i, limb := range a {
		t[i], carry = bits.Add64(t[i], limb, carry)
	}
	t[4] += carry
}

// take subtracts an amount. Where there is less it leaves 0 and says false.
func (t *total) take(a *ledger.Amount) bool {
	was := *t
	borrow := uint64(0)
	for i, limb := range a {
		t[i], borrow = bits.Sub64(t[i], limb, borrow)
	}
	t[4] -= borrow
	if borrow > was[4] {
		*t = total{}
		return false
	}
	return true
}

// less is the difference from a total that is not greater.
func (t total) less(o *total) total {
	borrow := uint64(0)
	for i := range t {
		t[i], borrow = bits.Sub64(t[i], o[i], borrow)
	}
	return t
}

func (t total) plus(o *total) total {
	carry := uint64(0)
	for i := range t {
		t[i], carry = bits.Add64(t[i], o[i], carry)
	}
	return t
}

func (t *total) isZero() bool { return *t == total{} }

// amount is the sum, or the most that 256 bits hold and true.
func (t *total) amount() (sum ledger.Amount, saturated bool) {
	if t[4] != 0 {
		return *sum.SetAllOne(), true
	}
	return ledger.Amount(t[:4]), false
}

// reaches says whether the total is at least a share, in basis points, of another;
// exceeds whether it is more.
func (t *total) reaches(share uint64, of *total) bool { return t.against(share, of) >= 0 }

func (t *total) exceeds(share uint64, of *total) bool { return t.against(share, of) > 0 }

// against compares the total with a share of another.
func (t *total) against(share uint64, of *total) int {
	x, y := t.times(whole), of.times(share)
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] != y[i] {
			return cmp.Compare(x[i], y[i])
		}
	}
	return 0
}

func (t *total) times(n uint64) (product [6]uint64) {
	carry := uint64(0)
	for i, limb := range t {
		high, low := bits.Mul64(limb, n)
		var c uint64
		product[i], c = bits.Add64(low, carry, 0)
		carry = high + c
	}
	product[5] = carry
	return product
}

func totalOf(a *ledger.Amount) (t total) {
	t.add(a)
	return t
}

// totals holds sums of a list's beginnings, from which the sum of any part follows.
type totals []total

func (v *view) totals(ids []int) totals {
	sums := make(totals, len(ids)+1)
	for i, id := range ids {
		sums[i+1] = sums[i]
		sums[i+1].add(v.flows[id].amount)
	}
	return sums
}

func (s totals) between(from, to int) total { return s[to].less(&s[from]) }
