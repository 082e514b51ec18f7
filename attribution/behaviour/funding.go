package behaviour

import "coldtrail/ledger"

// payment is native value from somebody to an address of the subject.
type payment struct {
	step int
	from *Party
	to   ledger.Address
	move *Move
}

// funded gathers payments by who made them, in which asset.
type funded struct {
	order  []holding
	by     map[holding][]payment
	within map[holding][]int // steps in which the money was used
}

func (g *funded) add(p payment, used int) {
	k := holding{p.from.Address, p.move.Asset}
	if g.by[k] == nil {
		g.order = append(g.order, k)
	}
	g.by[k] = append(g.by[k], p)
	g.within[k] = append(g.within[k], used)
}

func newFunded() *funded { return &funded{by: map[holding][]payment{}, within: map[holding][]int{}} }

// fundedFinding makes one finding of what a funder paid.
func (v *view) fundedFinding(g *funded, k holding) (f Finding, addressed int) {
	var sum total
	var steps []int
	parties, addresses := newNamed(), newNamed()
	for _, p := range g.by[k] {
		steps = append(steps, p.step)
		sum.add(&p.move.Amount)
		parties.add(p.from.Address)
		addresses.add(p.to)
	}
	steps = append(steps, g.within[k]...)
	amount, saturated := sum.amount()
	f.Amounts = []AssetSum{{g.by[k][0].move.Asset, amount, saturated}}
	f.Parties, f.Addresses = parties.list, addresses.list
	v.dated(&f, steps)
	f.Measures = []Parameter{number("addresses funded", len(addresses.seen)), number("payments", len(g.by[k]))}
	return f, len(addresses.seen)
}
