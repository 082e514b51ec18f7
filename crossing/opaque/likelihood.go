package opaque

import (
	"math/bits"

	"coldtrail/ledger"
)

// Logarithms are natural, in fixed point with 32 bits behind the point, so that every
// machine gives the same score.
const (
	unit   = 1 << 32
	logTwo = 2_977_044_472 // ln 2
	// logRootTwoPi is the logarithm of the square root of two pi.
	logRootTwoPi = 3_946_810_947
)

// logOf is the natural logarithm of a number above 0.
func logOf(n uint64) int64 {
	if n == 0 {
		return -64 * unit // less than any that occurs
	}
	exponent := int64(bits.Len64(n) - 1)
	mantissa := n << (63 - exponent) // 1 to 2, with 63 bits behind the point
	fraction := int64(0)
	for bit := int64(unit >> 1); bit > 0; bit >>= 1 {
		high, low := bits.Mul64(mantissa, mantissa) // the square, with 62 bits behind the point of high
		if high>>63 == 1 {
			mantissa = high
			fraction |= bit
		} else {
			mantissa = high<<1 | low>>63
		}
	}
	return exponent*logTwo + mulUnit(fraction, logTwo)
}

// mulUnit multiplies two numbers in fixed point that are not negative.
func mulUnit(a, b int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	return int64(high<<32 | low>>32)
}

// expOf is the exponential of a number that is not above 0, in fixed point.
func expOf(x int64) uint64 {
	if x > 0 {
		x = 0
	}
	halvings := -x / logTwo
	if halvings > 40 {
		return 0
	}
	rest := -x % logTwo // e^-rest as a series, which alternates and soon ends
	sum, term := int64(unit), int64(unit)
	for n := int64(1); term > 0 && n < 30; n++ {
		term = mulUnit(term, rest) / n
		if n%2 == 1 {
			sum -= term
		} else {
			sum += term
		}
	}
	return uint64(sum) >> halvings
}

// likelihood is the logarithm of the density of a pair per second and part per
// million: what is paid is spread about the service's mean as a normal, the delay as
// a gamma of shape 2, both cut where candidates end.
func (m *Model) likelihood(off, delay, span int64) int64 {
	z := (off << 16) / m.Deviation
	amount := -(z * z / 2) - logOf(uint64(m.Deviation)) - logRootTwoPi
	scale := max(m.Delay/2, 1)
	time := logOf(uint64(max(delay, 1))) - 2*logOf(uint64(scale)) - delay*unit/scale
	// What lies beyond the window: (1 + span/scale) e^(-span/scale).
	beyond := mulUnit(unit+span*unit/scale, int64(expOf(-span*unit/scale)))
	return amount + time - (logOf(uint64(max(unit-beyond, 1))) - logOf(unit))
}

// A Pair is a deposit and the payout that is known to answer it.
type Pair struct{ Deposit, Payout Transfer }

// enough is how many known pairs a model can be learnt from.
const enough = 8

// Learn fits a model to pairs that are known to belong together; where they are too
// few it is the given one. Deviation is never below a tenth of a per cent: the next
// pair is not in the sample.
func (m Model) Learn(known []Pair, rate Rate) Model {
	var residuals, delays []int64
	for i := range known {
		p := &known[i]
		value, ok := rate(p.Deposit.Asset, p.Payout.Asset, p.Deposit.Time)
		if !ok {
			continue
		}
		expected, over := new(ledger.Amount).MulDivOverflow(&p.Deposit.Amount, &value, one)
		if over {
			continue
		}
		if r, fits := above(&p.Payout.Amount, expected); fits && r >= -boxed && r <= boxed {
			residuals = append(residuals, r)
			delays = append(delays, p.Payout.Time-p.Deposit.Time)
		}
	}
	if len(residuals) < enough {
		return m
	}
	m.Mean = mean(residuals)
	sum := uint64(0)
	for _, r := range residuals {
		sum += uint64((r - m.Mean) * (r - m.Mean))
	}
	m.Deviation = max(root(sum/uint64(len(residuals)-1)), 1000)
	m.Delay = max(mean(delays), 1)
	return m
}

func mean(list []int64) int64 {
	sum := int64(0)
	for _, n := range list {
		sum += n
	}
	return sum / int64(len(list))
}

// root is the whole square root.
func root(n uint64) int64 {
	if n == 0 {
		return 0
	}
	x := uint64(1) << ((bits.Len64(n) + 1) / 2)
	for {
		next := (x + n/x) / 2
		if next >= x {
			return int64(x)
		}
		x = next
	}
}
