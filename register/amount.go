package register

import (
	"fmt"
	"strings"

	"coldtrail/ledger"
)

// Asset finds what is known of an asset.
func (r *Register) Asset(asset ledger.Asset) (*Asset, bool) {
	for i := range r.Assets {
		if r.Assets[i].Asset == asset {
			return &r.Assets[i], true
		}
	}
	return nil, false
}

// Amount reads a quantity in whole units of an asset of the register as base units. More
// decimals than the asset has are refused.
func (r *Register) Amount(asset ledger.Asset, quantity string) (n ledger.Amount, err error) {
	a, ok := r.Asset(asset)
	if !ok {
		return n, fmt.Errorf("asset %q is not in the register, so that its decimals are not known", clip(string(asset)))
	}
	whole, part, point := strings.Cut(quantity, ".")
	if whole == "" || point && part == "" || len(part) > int(a.Decimals) {
		return n, fmt.Errorf("%q is no quantity of %s with at most %d decimals", clip(quantity), a.Symbol, a.Decimals)
	}
	return ledger.ParseAmount(whole + part + strings.Repeat("0", int(a.Decimals)-len(part)))
}

// Quantity writes base units in whole units, with as many decimals as there are.
func Quantity(n *ledger.Amount, decimals uint8) string {
	text := n.Dec()
	if decimals == 0 {
		return text
	}
	if short := int(decimals) + 1 - len(text); short > 0 {
		text = strings.Repeat("0", short) + text
	}
	point := len(text) - int(decimals)
	return strings.TrimRight(strings.TrimRight(text[:point]+"."+text[point:], "0"), ".")
}
