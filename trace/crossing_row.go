package trace

import (
	"fmt"

	"coldtrail/crossing"
	"coldtrail/ledger"
	"coldtrail/taint"
)

// crossingRows describes the crossings that took in taint, in order of time.
func (r *record) crossingRows(n *names) []Crossing {
	rows := []Crossing{}
	for _, i := range r.crossedInOrder() {
		b := r.crossed[i]
		if !taint.AnyTainted(b.lots) {
			continue
		}
		c := &r.plan.bridges.crossings[i]
		row := n.crossing(c, b.lots)
		row.Evidence = r.plan.bridges.evidence(c)
		rows = append(rows, row)
	}
	return rows
}

// crossing describes a crossing that took lots in.
func (n *names) crossing(c *crossing.Crossing, lots []taint.Lot) Crossing {
	row := Crossing{
		Protocol: c.Via.Name, Out: []Side{}, Certainty: c.Score, Status: string(c.Status), Reason: c.Why, Through: c.Front,
		In: n.side(&c.Place, c.Asset, lots, c.From),
	}
	row.In.Into = n.address(c.Place.Chain, c.Into)
	if len(c.Targets) > 0 {
		row.Destination = c.Targets[0].Text
		if t := &c.Targets[0]; row.Destination == "" && t.Chain != "" {
			row.Destination = n.known(t.Chain, t.Address)
		}
	}
	for j := range c.Payouts {
		p := &c.Payouts[j]
		out := n.side(&p.Place, p.Asset, []taint.Lot{taint.CleanLot(p.Amount)}, p.To)
		out.Tainted = ""
		if p.Kind == crossing.Refunded {
			out.Kind = "refund"
		}
		row.Out = append(row.Out, out)
	}
	return row
}

// evidence says what joins the two sides.
func (b *bridges) evidence(c *crossing.Crossing) string {
	if d, ok := b.decision(c); ok {
		return fmt.Sprintf("accepted by %s: %s", d.by, d.why)
	}
	switch {
	case len(c.Payouts) == 0:
		return ""
	case c.Via.Vaults:
		return "memo"
	}
	return "event"
}

func (n *names) side(at *crossing.Place, asset ledger.Asset, lots []taint.Lot, who ledger.Address) Side {
	sum := taint.Sum(lots)
	var tainted ledger.Amount
	for i := range lots {
		if lots[i].Tainted() {
			tainted.Add(&tainted, &lots[i].Amount)
		}
	}
	s := Side{Chain: string(at.Chain), Asset: string(asset), Amount: sum.Dec(), Tainted: tainted.Dec(), Tx: at.Chain.FormatHash(at.Tx), Time: stamp(at.Time)}
	if text := n.known(at.Chain, who); text != "" {
		s.Addresses = []string{text}
	}
	return s
}

// known prints an address where the plan knows its chain.
func (n *names) known(chain ledger.Chain, a ledger.Address) string {
	if n.chain[chain] == nil {
		return ""
	}
	return n.address(chain, a)
}
