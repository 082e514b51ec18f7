package holdings

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/holiman/uint256"

	"coldtrail/ledger"
	"coldtrail/price"
)

// Market sets a holding against the market: how many days' volume it is, and what a sale
// of a part of it would mean by a rule. What lacks its inputs is refused with the reason.
type Market struct {
	Source string `json:"source"` // of volume and prices
	// Volume is what was traded on the day, in hundred-millionths of a whole unit.
	Volume uint64 `json:"volume_e8"`
	// DaysPPM is the holding as days of that volume, in millionths of a day.
	DaysPPM uint64 `json:"days_of_volume_ppm"`
	Sale    *Sale  `json:"sale,omitempty"`
	Refused string `json:"sale_refused,omitempty"`
}

// Sale is what selling a part of a holding within one day would cost by the square-root
// rule: the price moves by Y x sigma x sqrt(Q / V), with Q what is sold, V the day's volume,
// sigma the standard deviation of daily returns and Y = 1. Source: Toth and others,
// "Anomalous price impact and the critical nature of liquidity in financial markets",
// Physical Review X 1, 021006 (2011), which finds Y of the order of 1. It is an estimate for
// sales of a small part of the volume, and no forecast.
type Sale struct {
	Percent   uint64 `json:"percent"`
	Days      int    `json:"sigma_days"` // daily returns behind sigma
	SigmaPPM  uint64 `json:"sigma_ppm"`
	ImpactPPM uint64 `json:"impact_ppm"`
	// Beyond says that more than a tenth of the day's volume would be sold, for which the
	// rule was not measured.
	Beyond bool `json:"beyond_measured_range,omitempty"`
}

// The least and the most daily returns that sigma is taken from.
const (
	leastReturns = 20
	mostReturns  = 30
)

// ErrNoVolume says that no price of the day states what was traded.
var ErrNoVolume = errors.New("no price of the day states a volume")

// MarketOf sets an amount of an asset of so many decimals against the market of the day
// whose price was found. A sale of 0 per cent asks for none.
func MarketOf(book *price.Book, found *price.Found, amount *ledger.Amount, decimals uint8, percent uint64) (*Market, error) {
	if found == nil || found.Volume == nil || *found.Volume == 0 || found.Every != price.Day {
		return nil, ErrNoVolume
	}
	m := &Market{Source: found.Source, Volume: *found.Volume}
	// Base units x 10^8 / 10^decimals are hundred-millionths of a unit.
	unit := price.PowerOfTen(uint(decimals))
	var e8, days ledger.Amount
	if _, over := e8.MulDivOverflow(amount, uint256.NewInt(100_000_000), &unit); over || !e8.IsUint64() {
		return nil, price.ErrTooLarge
	}
	days.MulDivOverflow(&e8, uint256.NewInt(1_000_000), uint256.NewInt(m.Volume))
	if !days.IsUint64() {
		return nil, price.ErrTooLarge
	}
	m.DaysPPM = days.Uint64()
	if percent == 0 {
		return m, nil
	}
	var err error
	if m.Sale, err = sale(book, found, &e8, percent); err != nil {
		m.Refused = err.Error()
	}
	return m, nil
}

func sale(book *price.Book, found *price.Found, e8 *ledger.Amount, percent uint64) (*Sale, error) {
	if percent > 100 {
		return nil, fmt.Errorf("%d per cent of a holding cannot be sold", percent)
	}
	days := book.Daily(found.Asset, found.Source, found.Close, mostReturns+1)
	if len(days) < leastReturns+1 {
		return nil, fmt.Errorf("sigma needs %d daily closes of %s without a gap; there are %d", leastReturns+1, found.Source, len(days))
	}
	s := &Sale{Percent: percent, Days: len(days) - 1, SigmaPPM: sigma(days)}
	var sold, part ledger.Amount
	sold.MulDivOverflow(e8, uint256.NewInt(percent), uint256.NewInt(100))
	part.MulDivOverflow(&sold, uint256.NewInt(1_000_000_000_000), uint256.NewInt(*found.Volume)) // Q/V x 10^12
	s.Beyond = part.GtUint64(100_000_000_000)
	var impact ledger.Amount
	part.Sqrt(&part) // x 10^6
	impact.MulDivOverflow(&part, uint256.NewInt(s.SigmaPPM), uint256.NewInt(1_000_000))
	if !impact.IsUint64() {
		return nil, price.ErrTooLarge
	}
	s.ImpactPPM = impact.Uint64()
	return s, nil
}

// sigma is the standard deviation of daily returns (n - 1 in the denominator) in parts per
// million, rounded down.
func sigma(days []price.Quote) uint64 {
	n := len(days) - 1
	returns := make([]int64, n) // in parts per million, toward zero
	var sum int64
	for i := range returns {
		returns[i] = change(days[i].Value, days[i+1].Value)
		sum += returns[i]
	}
	var squares ledger.Amount // of n x (return - mean), which is whole
	for _, r := range returns {
		off := int64(n)*r - sum
		if off < 0 {
			off = -off
		}
		square := ledger.NewAmount(uint64(off))
		square.Mul(&square, &square)
		squares.Add(&squares, &square)
	}
	squares.Div(&squares, uint256.NewInt(uint64(n)*uint64(n)*uint64(n-1)))
	return squares.Sqrt(&squares).Uint64()
}

// mostReturn bounds a day's return, in parts per million: a thousandfold.
const mostReturn = 1_000_000_000

// change is the return from one close to the next in parts per million.
func change(from, to price.Value) int64 {
	up := to >= from
	off := uint64(from - to)
	if up {
		off = uint64(to - from)
	}
	hi, lo := bits.Mul64(off, 1_000_000)
	if hi >= uint64(from) {
		return mostReturn
	}
	n, _ := bits.Div64(hi, lo, uint64(from))
	r := int64(min(n, mostReturn))
	if !up {
		r = -r
	}
	return r
}
