package behaviour

import (
	"fmt"

	"coldtrail/ledger"
)

// GasFunding is the first money for fees that an address ever got.
var GasFunding = &Pattern{
	Name: "gas-funding", Title: "First money for fees",
	Source: "common practice of Ethereum tracing; the figures are ours",
	find:   gasFunding,
}

// gasFunding takes each address by itself: its first native receipt in the record, from
// outside the subject and from no exchange, below the limit, and a transaction of its
// own soon after. An address that acted or held value before has no first receipt here.
func gasFunding(v *view) (out []Finding) {
	g := newFunded()
	v.firstPaid(g)
	for _, k := range g.order {
		f, addressed := v.fundedFinding(g, k)
		limit, _ := v.p.limit(k.asset, gasOf)
		f.Parameters = []Parameter{
			worth("first receipt below", k.asset, limit), seconds("transaction within", v.p.GasFundingWithin),
			words("funder is none of", listing(v.p.Exchanges)),
		}
		f.Text = fmt.Sprintf("%s one outside address made the first payment of native value, %s in all, to %s of the subject, each of which made a transaction within %d seconds.",
			f.when(), f.sums(), plural(addressed, "address"), v.p.GasFundingWithin)
		out = append(out, f)
	}
	return out
}

func (v *view) firstPaid(g *funded) {
	past := map[ledger.Address]bool{}
	for i := range v.subject.Openings {
		if o := &v.subject.Openings[i]; isNative(o.Asset) && !o.Amount.IsZero() {
			past[o.Address] = true
		}
	}
	waiting := map[ledger.Address]payment{}
	for i, st := range v.steps {
		if st.Chain.Family() == ledger.UTXO {
			continue
		}
		for _, a := range v.actors(i) {
			p, ok := waiting[a]
			past[a] = true
			delete(waiting, a)
			if ok && since(v.steps[p.step].Time, st.Time) <= v.p.GasFundingWithin {
				g.add(p, i)
			}
		}
		v.firstReceipts(i, past, waiting)
	}
}

// firstReceipts notes which addresses a step gives their first native value.
func (v *view) firstReceipts(step int, past map[ledger.Address]bool, waiting map[ledger.Address]payment) {
	st := v.steps[step]
	for n := range st.Moves {
		m := &st.Moves[n]
		if !v.owns(&m.To) || m.Asset != st.Chain.Native() || m.Amount.IsZero() || past[m.To.Address] {
			continue
		}
		past[m.To.Address] = true
		if v.mayFund(m) {
			waiting[m.To.Address] = payment{step, &m.From, m.To.Address, m}
		}
	}
}

// mayFund says that a payment is small and from outside, and not from an exchange.
func (v *view) mayFund(m *Move) bool {
	limit, given := v.p.limit(m.Asset, gasOf)
	return given && m.Amount.Lt(limit) && !v.owns(&m.From) && !m.From.Address.IsZero() && !m.From.is(v.p.Exchanges)
}

// actors are the subject's addresses that made a step: its sender or, where the source
// does not name it, those that gave native value or a listed token away.
func (v *view) actors(step int) (list []ledger.Address) {
	st := v.steps[step]
	if !st.Sender.IsZero() {
		if v.own[st.Sender] {
			list = append(list, st.Sender)
		}
		return list
	}
	for n := range st.Moves {
		m := &st.Moves[n]
		if v.owns(&m.From) && !m.From.Address.IsZero() && !m.Amount.IsZero() && v.p.listed(st.Chain, m.Asset) {
			list = append(list, m.From.Address)
		}
	}
	return list
}

func isNative(asset ledger.Asset) bool { return !isToken(asset) }
