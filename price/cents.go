package price

import (
	"errors"

	"github.com/holiman/uint256"

	"coldtrail/ledger"
)

// MostDecimals is the most decimals of an asset that can be valued.
const MostDecimals = 38

// ErrTooLarge says that a value does not fit into 256 bits.
var ErrTooLarge = errors.New("the value is too large to be written")

// Cents is what an amount of an asset of so many decimals is worth, in US cents. It is
// rounded once, half to even (IEEE 754, roundTiesToEven).
func Cents(amount *ledger.Amount, decimals uint8, value Value) (cents ledger.Amount, err error) {
	if decimals > MostDecimals {
		return cents, errors.New("an asset with so many decimals cannot be valued")
	}
	// amount x value is in 10^-(decimals+8) dollars, of which a cent is 10^-2.
	unit := PowerOfTen(uint(decimals) + Decimals - 2)
	return divideHalfEven(amount, uint256.NewInt(uint64(value)), &unit)
}

// PowerOfTen is 10 to a power below 78.
func PowerOfTen(power uint) (n ledger.Amount) {
	n.SetOne()
	ten := uint256.NewInt(10)
	for range power {
		n.Mul(&n, ten)
	}
	return n
}

// divideHalfEven is a x b / unit, rounded half to even.
func divideHalfEven(a, b, unit *uint256.Int) (n ledger.Amount, err error) {
	if _, over := n.MulDivOverflow(a, b, unit); over {
		return ledger.Amount{}, ErrTooLarge
	}
	var rest, half uint256.Int
	rest.MulMod(a, b, unit)
	half.Sub(unit, &rest) // what is missing to the next whole
	switch c := rest.Cmp(&half); {
	case c > 0, c == 0 && !rest.IsZero() && n.Uint64()&1 == 1:
		if _, over := n.AddOverflow(&n, uint256.NewInt(1)); over {
			return ledger.Amount{}, ErrTooLarge
		}
	}
	return n, nil
}
