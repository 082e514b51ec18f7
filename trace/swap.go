package trace

import (
	"context"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// Swap is one asset that became another in a transaction. The trader is the
// principal, whose value it was; the routers between are not named, the pools that
// executed the swap are.
type Swap struct {
	Chain     string     `json:"chain"`
	Tx        string     `json:"tx"`
	Height    uint64     `json:"height"`
	Time      string     `json:"time"`
	Initiator string     `json:"initiator"` // who sent the transaction
	Principal string     `json:"principal"`
	Gave      SwapSide   `json:"gave"`
	Received  []SwapSide `json:"received"`
	Pools     []string   `json:"pools"`
}

// SwapSide is what one account gave or received. Tainted is the part of Amount that
// the cases' colours make up.
type SwapSide struct {
	Address string `json:"address"`
	Asset   string `json:"asset"`
	Amount  string `json:"amount"`
	Tainted string `json:"tainted"`
}

// swapRows describes the swaps of a pass, in ledger order.
func (r *record) swapRows(ctx context.Context, n *names) ([]Swap, error) {
	out := make([]Swap, 0, len(r.swaps))
	numbers := map[ledger.Chain][]store.TxNumber{}
	for i := range r.swaps {
		numbers[r.swaps[i].Chain] = append(numbers[r.swaps[i].Chain], store.TxNumber(r.swaps[i].Number))
	}
	txids := map[ledger.Chain]map[store.TxNumber]string{}
	for _, c := range n.plan.chains {
		var err error
		if txids[c.chain], err = n.txids(ctx, c, numbers[c.chain]); err != nil {
			return nil, err
		}
	}
	for i := range r.swaps {
		f := &r.swaps[i]
		s := Swap{
			Chain: string(f.Chain), Tx: txids[f.Chain][store.TxNumber(f.Number)], Height: uint64(f.Height), Time: stamp(f.Time),
			Initiator: n.address(f.Chain, f.Swap.Initiator), Principal: n.address(f.Chain, f.Swap.Principal),
			Gave: n.swapSide(&f.From[0]), Received: []SwapSide{}, Pools: []string{},
		}
		for j := range f.To {
			if f.To[j].Kind != taint.Rounding {
				s.Received = append(s.Received, n.swapSide(&f.To[j]))
			}
		}
		for _, pool := range f.Swap.Pools {
			s.Pools = append(s.Pools, n.address(f.Chain, pool))
		}
		out = append(out, s)
	}
	return out, nil
}

func (n *names) swapSide(leg *taint.Leg) SwapSide {
	amount := taint.Sum(leg.Lots)
	var tainted ledger.Amount
	for i := range leg.Lots {
		if leg.Lots[i].Tainted() {
			tainted.Add(&tainted, &leg.Lots[i].Amount)
		}
	}
	return SwapSide{Address: n.address(leg.Place.Chain, leg.Place.Address), Asset: string(leg.Place.Asset), Amount: amount.Dec(), Tainted: tainted.Dec()}
}
