package report

import (
	"fmt"
	"strings"

	"coldtrail/ledger"
)

// parse reads an amount of an answer, which has checked it.
func parse(text string) (ledger.Amount, error) {
	a, err := ledger.ParseAmount(text)
	if err != nil {
		return a, fmt.Errorf("report: an amount of the trace: %w", err)
	}
	return a, nil
}

// Amount writes base units for people, with all their digits.
func (r *Report) Amount(amount, asset string) string {
	whole, rest, name := r.split(amount, asset)
	if rest != "" {
		whole += "." + rest
	}
	return whole + " " + name
}

// rough writes an amount for drawings, cut after two digits behind the point.
func (r *Report) rough(amount, asset string) string {
	whole, rest, name := r.split(amount, asset)
	if len(rest) > 2 {
		rest = rest[:2]
	}
	if rest = strings.TrimRight(rest, "0"); rest != "" && len(whole) < 7 {
		whole += "." + rest
	}
	return whole + " " + name
}

// Decimal writes base units with all digits behind the point and without grouping, for
// programs, and the asset's name; base units where no unit is known.
func (r *Report) Decimal(amount, asset string) (number, name string) {
	whole, rest, name := r.split(amount, asset)
	whole = strings.ReplaceAll(whole, ",", "")
	if rest != "" {
		whole += "." + rest
	}
	return whole, name
}

// split parts an amount at the point; digits are grouped, zeros at the end left out.
func (r *Report) split(amount, asset string) (whole, rest, name string) {
	u, ok := Unit{}, false
	if r.options.Unit != nil {
		u, ok = r.options.Unit(asset)
	}
	if !ok {
		return group(amount), "", "base units of " + asset
	}
	if len(amount) <= u.Digits {
		amount = strings.Repeat("0", u.Digits+1-len(amount)) + amount
	}
	at := len(amount) - u.Digits
	return group(amount[:at]), strings.TrimRight(amount[at:], "0"), u.Name
}

// group puts a comma after every third digit from the end.
func group(digits string) string {
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

func percent(basisPoints uint64) string {
	return figure(basisPoints) + "\u00a0%" // which no line break parts
}

// figure is a percentage without its sign.
func figure(basisPoints uint64) string {
	return fmt.Sprintf("%d.%02d", basisPoints/100, basisPoints%100)
}

// basisPoints is a part of a whole, cut.
func basisPoints(part, whole *ledger.Amount) uint64 {
	if whole.IsZero() {
		return 0
	}
	full := ledger.NewAmount(10_000)
	var z ledger.Amount
	z.MulDivOverflow(part, &full, whole)
	return z.Uint64()
}

// network is what people call a chain.
func (r *Report) network(chain string) string {
	if r.options.Network != nil {
		if name, ok := r.options.Network(chain); ok {
			return name
		}
	}
	return ledger.Chain(chain).Short()
}

// symbol is the name of an asset alone.
func (r *Report) symbol(asset string) string {
	_, _, name := r.split("0", asset)
	return strings.TrimPrefix(name, "base units of ")
}

// count writes a number with what is counted.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return group(fmt.Sprint(n)) + " " + many
}

// Digits is how many digits of an asset's base units stand behind the point.
func (r *Report) Digits(asset string) int {
	if r.options.Unit != nil {
		if u, ok := r.options.Unit(asset); ok {
			return u.Digits
		}
	}
	return 0
}
