package policy

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/holiman/uint256"
	"gopkg.in/yaml.v3"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// asset says what one is worth and what is too little of it to count.
type asset struct {
	Symbol   string           `json:"symbol,omitempty"`
	Decimals uint8            `json:"decimals"`
	Price    int64            `json:"price_cents"` // US cents per whole unit; -1 where none is given
	Source   string           `json:"price_source,omitempty"`
	Dust     exposure.Decimal `json:"dust,omitzero"` // base units; zero: by its worth
}

const unpriced = -1

func (p *Policy) readAssets(n *yaml.Node) error {
	p.assets = map[string]asset{}
	return pairs(n, "assets", maxAssets, func(key, value *yaml.Node) error {
		id := strings.ToLower(key.Value)
		where := "assets." + clip(id)
		chain, _, ok := strings.Cut(id, "/")
		if _, err := ledger.ParseChain(chain); err != nil || !ok || len(id) > maxName {
			return &Error{key.Line, "assets", fmt.Sprintf("%q is no CAIP-19 identifier", clip(key.Value))}
		}
		if _, twice := p.assets[id]; twice {
			return &Error{key.Line, "assets", fmt.Sprintf("%q comes twice", id)}
		}
		a := asset{Price: unpriced}
		err := object(value, where, keys{
			"symbol":       func(n *yaml.Node) error { return text(n, where+".symbol", maxName, &a.Symbol) },
			"decimals":     func(n *yaml.Node) error { return small(n, where+".decimals", 77, &a.Decimals) },
			"price_cents":  func(n *yaml.Node) error { return whole(n, where+".price_cents", 0, math.MaxInt64, &a.Price) },
			"price_source": func(n *yaml.Node) error { return text(n, where+".price_source", maxWhy, &a.Source) },
			"dust":         func(n *yaml.Node) error { return decimal(n, where+".dust", &a.Dust) },
		})
		if err == nil && a.Price != unpriced && a.Source == "" {
			err = &Error{value.Line, where, "a price needs its price_source: who says so"}
		}
		p.assets[id] = a
		return err
	})
}

// cents is what an amount is worth, rounded down, and whether the policy has a price for
// it. What is worth more than 2^63-1 cents is worth 2^63-1.
func (a *asset) cents(amount *exposure.Decimal) int64 {
	if a.Decimals <= 19 && amount.IsUint64() { // 10^19 fits 64 bits
		high, low := bits.Mul64(amount.Uint64(), uint64(a.Price))
		if scale := powers[a.Decimals]; high < scale {
			quotient, _ := bits.Div64(high, low, scale)
			return int64(min(quotient, math.MaxInt64))
		}
		return math.MaxInt64
	}
	var scale, value uint256.Int
	scale.Exp(uint256.NewInt(10), uint256.NewInt(uint64(a.Decimals)))
	_, overflow := value.MulDivOverflow(&amount.Amount, uint256.NewInt(uint64(a.Price)), &scale)
	if overflow || !value.IsUint64() {
		return math.MaxInt64
	}
	return int64(min(value.Uint64(), math.MaxInt64))
}

// powers are those of ten that fit 64 bits.
var powers = func() (list [20]uint64) {
	list[0] = 1
	for i := 1; i < len(list); i++ {
		list[i] = 10 * list[i-1]
	}
	return list
}()
