package behaviour

import (
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// Dusted is dust that reaches the subject from a transaction that spreads it.
var Dusted = &Pattern{
	Name: "dusted", Title: "Reached by spread dust",
	Source: Dusting.Source,
	find:   dusted,
}

// dusted counts the others who got dust of the same sender in the same transaction; what
// a sender did in other transactions is not in the subject's record.
func dusted(v *view) (out []Finding) {
	var ids, others []int
	var spread map[spreader]map[ledger.Address]bool
	of := -1
	for id := range v.flows {
		f := &v.flows[id]
		if f.out || f.kind != dust || f.poison {
			continue
		}
		if of != f.step {
			of, spread = f.step, v.spread(f.step)
		}
		by := spreader{asset: f.asset}
		if v.steps[f.step].Chain.Family() == ledger.Account {
			by.sender = f.party.Address
		}
		if n := len(spread[by]); n >= max(v.p.Dusting.Number, 1) {
			ids, others = append(ids, id), append(others, n)
		}
	}
	runs := gather(len(ids), v.p.Dusting.Window, func(i int) int64 { return v.flows[ids[i]].at })
	for _, s := range runs {
		part := ids[s.from:s.to]
		f := v.evidence(part, nil)
		most := slices.Max(others[s.from:s.to])
		f.Parameters = v.p.Dusting.parameters("other receivers in the transaction")
		for _, sum := range f.Amounts {
			limit, _ := v.p.limit(sum.Asset, dustOf)
			f.Parameters = append(f.Parameters, worth("dust limit", sum.Asset, limit))
		}
		f.Measures = []Parameter{number("receipts", len(part)), number("most other receivers in one transaction", most)}
		f.Text = fmt.Sprintf("%s the subject received dust, %s, in %s that sent the like to as many as %s.",
			f.when(), f.sums(), plural(f.Count, "transaction"), plural(most, "other address"))
		out = append(out, f)
	}
	return out
}

// spreader is who sends dust of an asset; nobody in particular on UTXO chains, where all
// inputs pay every output.
type spreader struct {
	asset  ledger.Asset
	sender ledger.Address
}

// spread lists the addresses, none of the subject's, to which a step sends dust.
func (v *view) spread(step int) map[spreader]map[ledger.Address]bool {
	others := map[spreader]map[ledger.Address]bool{}
	consider := func(by spreader, to *Party, amount *ledger.Amount) {
		if to.Address.IsZero() || v.owns(to) || !v.p.isDust(by.asset, amount) {
			return
		}
		if others[by] == nil {
			others[by] = map[ledger.Address]bool{}
		}
		others[by][to.Address] = true
	}
	st := v.steps[step]
	if st.Chain.Family() == ledger.UTXO {
		for i := range st.Out {
			consider(spreader{asset: st.Out[i].Asset}, &st.Out[i].Party, &st.Out[i].Amount)
		}
		return others
	}
	for i := range st.Moves {
		m := &st.Moves[i]
		consider(spreader{m.Asset, m.From.Address}, &m.To, &m.Amount)
	}
	return others
}
