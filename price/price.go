// Package price says what one whole unit of an asset cost, by whom and when, and what an
// amount was worth by that. A price that is missing is missing: it is never zero, never
// guessed, and it is carried on for a few days only, which then is said.
package price

import (
	"errors"
	"fmt"
	"strings"

	"coldtrail/ledger"
)

// Decimals is how many decimals a price has: it counts hundred-millionths of a US dollar.
const Decimals = 8

// Day is the granularity of daily prices, in seconds.
const Day = 24 * 60 * 60

// Value is a price in US dollars x 10^8 of one whole unit; never 0.
type Value uint64

// Quote is one bar of a market: what its last trade paid.
type Quote struct {
	Asset ledger.Asset `json:"asset"`
	Value Value        `json:"value_e8"`
	Close int64        `json:"close"`         // when the bar ended, Unix seconds
	Every int64        `json:"every_seconds"` // how long bars are
	// Source is who says so, Market where it was paid, as the source names it.
	Source string `json:"source"`
	Market string `json:"market,omitempty"`
	// Volume is what was traded within the bar, in hundred-millionths of a whole unit;
	// nil where the source does not say.
	Volume *uint64 `json:"volume_e8,omitempty"`
}

// Check says whether a quote is one.
func (q *Quote) Check() error {
	switch {
	case !strings.Contains(string(q.Asset), "/"):
		return fmt.Errorf("asset %q is no CAIP-19 identifier", q.Asset)
	case q.Value == 0:
		return errors.New("a price of 0 is no price")
	case q.Close <= 0:
		return errors.New("a price needs the time at which its bar closed")
	case q.Every <= 0:
		return errors.New("a price needs the length of its bar")
	case strings.TrimSpace(q.Source) == "":
		return errors.New("a price needs a source")
	}
	return nil
}

// Parse reads a decimal number of dollars. More than eight decimals, signs, exponents and
// separators of thousands are refused: nothing is rounded.
func Parse(text string) (Value, error) {
	n, err := ParseUnits(text)
	if err == nil && n == 0 {
		err = errors.New("a price of 0 is no price")
	}
	return Value(n), err
}

// ParseUnits reads a decimal number as hundred-millionths.
func ParseUnits(text string) (uint64, error) {
	whole, part, point := strings.Cut(text, ".")
	if whole == "" || point && part == "" {
		return 0, fmt.Errorf("%q is no decimal number", clip(text))
	}
	part = strings.TrimRight(part, "0")
	if len(part) > Decimals {
		return 0, fmt.Errorf("%q has more than %d decimals", clip(text), Decimals)
	}
	var n uint64
	for _, c := range whole + part + strings.Repeat("0", Decimals-len(part)) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is no decimal number", clip(text))
		}
		if n > (1<<64-10)/10 {
			return 0, fmt.Errorf("%q is too large", clip(text))
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}

func clip(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}

// String writes the price with two decimals or as many as it has.
func (v Value) String() string { return FormatUnits(uint64(v)) }

// FormatUnits writes hundred-millionths with two decimals or as many as there are.
func FormatUnits(n uint64) string {
	const unit = 100_000_000
	part := strings.TrimRight(fmt.Sprintf("%08d", n%unit), "0")
	for len(part) < 2 {
		part += "0"
	}
	return fmt.Sprintf("%d.%s", n/unit, part)
}
