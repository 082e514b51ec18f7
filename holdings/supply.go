package holdings

import (
	"fmt"

	"github.com/holiman/uint256"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
	"coldtrail/register"
)

// Supply is how many base units of an asset there were, and by which rule.
type Supply struct {
	Amount string `json:"amount"`
	Rule   string `json:"rule"`
	Source string `json:"source,omitempty"` // of the register

	units ledger.Amount
}

// Issued is how many satoshi block subsidies allowed up to a height, itself included. What
// miners left unclaimed and what was lost is counted too.
func Issued(height ledger.Height) (n ledger.Amount) {
	const era = 210_000
	for start := ledger.Height(0); start <= height; start += era {
		subsidy := bitcoin.Subsidy(start)
		if subsidy == 0 {
			break
		}
		blocks := min(height-start+1, era)
		n.AddUint64(&n, uint64(blocks)*subsidy)
	}
	return n
}

// lastSubsidy is a height after the last block that creates anything.
const lastSubsidy = 64 * 210_000

// supplyOf is the supply of an asset on a day: of Bitcoin what its rules had issued at the
// block that was read, or, where the ledger does not reach the day, what they ever will; of
// any other asset what the register says of the day; nil where nobody does.
func supplyOf(asset ledger.Asset, day string, ends []End, r *register.Register) *Supply {
	if asset == ledger.Bitcoin.Native() {
		for i := range ends {
			if e := &ends[i]; e.Chain == ledger.Bitcoin && !e.Empty && !e.Behind {
				return supply(Issued(e.Height), fmt.Sprintf("subsidies of blocks 0 to %d", e.Height))
			}
		}
		return supply(Issued(lastSubsidy), "all that will ever be issued, as the ledger held here does not reach the day")
	}
	for i := range r.Supplies {
		s := &r.Supplies[i]
		if s.Asset == asset && s.AsOf == day {
			amount, err := r.Amount(asset, s.Quantity)
			if err == nil && !amount.IsZero() {
				of := supply(amount, "stated for the day")
				of.Source = s.Sources[0]
				return of
			}
		}
	}
	return nil
}

func supply(n ledger.Amount, rule string) *Supply {
	return &Supply{Amount: n.Dec(), Rule: rule, units: n}
}

// share is a part of the supply in parts per million, rounded down.
func (s *Supply) share(amount *ledger.Amount) *uint64 {
	if s == nil {
		return nil
	}
	var n ledger.Amount
	n.MulDivOverflow(amount, uint256.NewInt(1_000_000), &s.units)
	if !n.IsUint64() {
		return nil
	}
	share := n.Uint64()
	return &share
}
