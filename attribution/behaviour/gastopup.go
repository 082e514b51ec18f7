package behaviour

import (
	"fmt"

	"coldtrail/ledger"
)

// GasTopUp is money for fees sent to an address that holds tokens and cannot move them.
var GasTopUp = &Pattern{
	Name: "gas-top-up", Title: "Money for fees, and tokens moved at once",
	Source: "common practice of Ethereum tracing; the figures are ours",
	find:   gasTopUp,
}

// gasTopUp takes each address by itself: native value arrives where there is none, or
// dust, beside a token, and a listed token leaves soon after.
func gasTopUp(v *view) (out []Finding) {
	g := newFunded()
	v.toppedUpAll(g)
	for _, k := range g.order {
		f, addressed := v.fundedFinding(g, k)
		most := words("native balance before at most", "0")
		if limit, given := v.p.limit(k.asset, dustOf); given {
			most = worth(most.Name, k.asset, limit)
		}
		f.Parameters = []Parameter{seconds("token sent within", v.p.GasTopUpWithin), most}
		f.Text = fmt.Sprintf("%s one outside address sent native value, %s in all, to %s of the subject that held tokens and nothing to pay fees with, and each sent a token within %d seconds.",
			f.when(), f.sums(), plural(addressed, "address"), v.p.GasTopUpWithin)
		out = append(out, f)
	}
	return out
}

func (v *view) toppedUpAll(g *funded) {
	b := newBook(v)
	waiting := map[ledger.Address]payment{}
	for i, st := range v.steps {
		if st.Chain.Family() == ledger.UTXO {
			continue
		}
		for n := range st.Moves {
			m := &st.Moves[n]
			if v.toppedUp(b, st, m) {
				waiting[m.To.Address] = payment{i, &m.From, m.To.Address, m}
			}
			if v.sendsToken(st, m) {
				p, ok := waiting[m.From.Address]
				delete(waiting, m.From.Address)
				if ok && p.step < i && since(v.steps[p.step].Time, st.Time) <= v.p.GasTopUpWithin {
					g.add(p, i)
				}
			}
			b.move(st, m)
		}
		b.fee(st)
	}
}

// sendsToken says that a movement takes a listed token from an address of the subject.
func (v *view) sendsToken(st *Step, m *Move) bool {
	return v.owns(&m.From) && isToken(m.Asset) && v.p.listed(st.Chain, m.Asset) && !m.Amount.IsZero()
}

// toppedUp says that a movement brings native value from outside to an address that has
// tokens and no native value to speak of; the book stands just before it.
func (v *view) toppedUp(b *book, st *Step, m *Move) bool {
	if !v.owns(&m.To) || v.owns(&m.From) || m.From.Address.IsZero() || m.Asset != st.Chain.Native() || m.Amount.IsZero() || b.tokens[m.To.Address] <= 0 {
		return false
	}
	held, known := b.has(holding{m.To.Address, m.Asset})
	amount, _ := held.amount()
	return known && (held.isZero() || v.p.isDust(m.Asset, &amount))
}
