package behaviour

import (
	"encoding/hex"
	"fmt"

	"coldtrail/ledger"
)

// Poisoning is movements of nothing, of dust or of a counterfeit token, to or from an
// address that begins and ends as a real counterparty does, so that it be copied.
var Poisoning = &Pattern{
	Name: "address-poisoning", Title: "Address poisoning",
	Source: "Tsuchiya and others, Blockchain Address Poisoning (arXiv 2501.16681)",
	find:   poisoning,
}

// poisoned marks address poisoning. The counterparty resembled must have been real
// within the window before, and the look-alike never.
func (v *view) poisoned() {
	met := map[string]*lately{}
	dealt := map[ledger.Address]bool{}
	for i := range v.flows {
		f := &v.flows[i]
		ends, ok := endsOf(f.party.Address, v.p.PoisoningDigits)
		if !ok {
			continue
		}
		last := met[ends]
		if !f.counts() {
			if last != nil && !dealt[f.party.Address] {
				f.resembles, f.poison = last.other(f, v.p.PoisoningWithin)
			}
			continue
		}
		dealt[f.party.Address] = true
		if last == nil {
			last = &lately{}
			met[ends] = last
		}
		last.met(f)
	}
}

// endsOf is what a look-alike shares with the original: the first and the last digits
// of an EVM address.
func endsOf(a ledger.Address, digits int) (string, bool) {
	const size = 20
	if a.Kind != ledger.EVMAccount || a.Size != size {
		return "", false
	}
	text := hex.EncodeToString(a.Bytes())
	n := min(max(digits, 1), size)
	return text[:n] + text[len(text)-n:], true
}

// lately remembers the two counterparties of like ends that were dealt with last.
type lately struct {
	address [2]ledger.Address
	at      [2]int64
}

func (l *lately) met(f *flow) {
	if l.address[0] != f.party.Address {
		l.address[1], l.at[1] = l.address[0], l.at[0]
	}
	l.address[0], l.at[0] = f.party.Address, f.at
}

// other is the counterparty dealt with last that is not the flow's own.
func (l *lately) other(f *flow, within uint64) (ledger.Address, bool) {
	for i, a := range l.address {
		if !a.IsZero() && a != f.party.Address && since(l.at[i], f.at) <= within {
			return a, true
		}
	}
	return ledger.Address{}, false
}

func poisoning(v *view) (out []Finding) {
	ids := v.which(func(f *flow) bool { return f.poison })
	for _, s := range gather(len(ids), v.p.PoisoningWithin, func(i int) int64 { return v.flows[ids[i]].at }) {
		part := ids[s.from:s.to]
		f := v.evidence(part, nil)
		var of [4]int
		resembled := map[ledger.Address]ledger.Address{}
		for _, id := range part {
			flow := &v.flows[id]
			of[flow.kind]++
			if _, ok := resembled[flow.party.Address]; !ok {
				resembled[flow.party.Address] = flow.resembles
			}
		}
		for _, a := range f.Parties {
			f.Resembles = append(f.Resembles, resembled[a])
		}
		f.Parameters = []Parameter{
			number("digits alike at either end", v.p.PoisoningDigits), seconds("counterparty dealt with within", v.p.PoisoningWithin),
			number("tokens listed as real", len(v.p.Listed)),
		}
		f.Measures = []Parameter{
			number("movements", len(part)), number("of nothing", of[nothing]), number("of dust", of[dust]), number("of unlisted tokens", of[unlisted]),
			number("look-alike addresses", len(resembled)),
		}
		first := &v.flows[part[0]]
		f.Text = fmt.Sprintf("%s the subject's record shows %s of nothing, of dust or of unlisted tokens with %s that begin and end as real counterparties do; the first, 0x%x, as 0x%x.",
			f.when(), plural(len(part), "movement"), plural(len(resembled), "address"), first.party.Address.Bytes(), first.resembles.Bytes())
		out = append(out, f)
	}
	return out
}
