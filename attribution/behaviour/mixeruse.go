package behaviour

import (
	"fmt"

	"coldtrail/ledger"
)

// MixerUse is any direct dealing with a mixer, and any part in a coinjoin.
var MixerUse = &Pattern{
	Name: "mixer-use", Title: "Use of a mixer",
	Source: "FATF, Virtual Assets Red Flag Indicators (2020), on mixers and tumblers",
	find:   mixerUse,
}

// mixing is what the subject did with one mixer or protocol.
type mixing struct {
	name         string
	protocol     bool
	flows, steps []int
	into, outOf  int // transfers
}

// mixerUse makes one finding of everything done with one mixer. Dust and nothing do not
// count: anybody can send them.
func mixerUse(v *view) (out []Finding) {
	found := map[key]*mixing{}
	var order []*mixing
	of := func(k key, name string) *mixing {
		if found[k] == nil {
			found[k] = &mixing{name: name}
			order = append(order, found[k])
		}
		return found[k]
	}
	for i, st := range v.steps {
		if st.Mix != "" && v.takesPart(st) {
			m := of(key{entity: st.Mix, part: 1}, st.Mix)
			m.protocol = true
			m.steps = append(m.steps, i)
			continue
		}
		for id := v.first[i]; id < v.first[i+1]; id++ {
			f := &v.flows[id]
			if !f.counts() || !f.party.is(v.p.Mixers) {
				continue
			}
			m := of(f.party.byName(), f.party.Entity)
			m.flows = append(m.flows, id)
			if f.out {
				m.into++
			} else {
				m.outOf++
			}
		}
	}
	for _, m := range order {
		out = append(out, v.mixingFinding(m))
	}
	return out
}

func (v *view) mixingFinding(m *mixing) Finding {
	f := v.evidence(m.flows, m.steps)
	if m.protocol {
		f.Parameters = []Parameter{words("protocol, as given", m.name)}
		f.Measures = []Parameter{number("coinjoins", len(m.steps))}
		f.Text = fmt.Sprintf("%s the subject took part in %s of %s.", f.when(), plural(len(m.steps), "coinjoin"), m.name)
		return f
	}
	name := m.name
	if name == "" {
		name = "an address that nobody names"
	}
	f.Parameters = []Parameter{words("labels of mixers", listing(v.p.Mixers))}
	f.Measures = []Parameter{words("mixer", name), number("transfers into it", m.into), number("transfers out of it", m.outOf)}
	f.Text = fmt.Sprintf("%s the subject made %s into a labelled mixer (%s) and received %s from it, %s in all.",
		f.when(), plural(m.into, "transfer"), name, plural(m.outOf, "transfer"), f.sums())
	return f
}

// takesPart says that a step has an end of the subject.
func (v *view) takesPart(st *Step) bool {
	if st.Chain.Family() == ledger.UTXO {
		for _, parts := range [][]Part{st.In, st.Out} {
			for i := range parts {
				if v.owns(&parts[i].Party) {
					return true
				}
			}
		}
		return false
	}
	for i := range st.Moves {
		if v.owns(&st.Moves[i].From) || v.owns(&st.Moves[i].To) {
			return true
		}
	}
	return false
}
