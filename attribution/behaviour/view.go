package behaviour

import (
	"maps"
	"slices"

	"coldtrail/ledger"
)

// kind is what a flow may count for.
type kind uint8

const (
	ordinary kind = iota
	dust          // within the asset's dust limit
	nothing       // an amount of 0
	unlisted      // a token that may be a counterfeit
)

// flow is value that crosses the border of the subject.
type flow struct {
	step, part int // part is the movement, or the output
	at         int64
	out        bool // leaves the subject
	kind       kind
	poison     bool // address poisoning, of a kind that is not ordinary
	// own is the subject's address; none where several spent together.
	own    ledger.Address
	party  *Party // who is on the other side; for a UTXO sender its first input
	asset  ledger.Asset
	amount *ledger.Amount
	// resembles is the real counterparty whose likeness a poisoner took.
	resembles ledger.Address
}

// counts says whether a flow is real.
func (f *flow) counts() bool { return f.kind == ordinary }

// nameless says that nothing is known of the other side.
func (f *flow) nameless() bool { return f.party.Address.IsZero() && f.party.Entity == "" }

// view is a subject put in order for the patterns.
type view struct {
	subject *Subject
	p       *Parameters
	own     map[ledger.Address]bool
	steps   []*Step
	flows   []flow
	first   []int  // of each step's flows; one more at the end
	sent    []bool // steps in which the subject acted
}

func newView(s *Subject, p *Parameters) *view {
	v := &view{subject: s, p: p, own: s.addresses()}
	for i := range s.Steps {
		v.steps = append(v.steps, &s.Steps[i])
	}
	slices.SortStableFunc(v.steps, compareSteps)
	type place struct {
		chain ledger.Chain
		tx    ledger.Hash
	}
	seen := map[place]bool{}
	v.steps = slices.DeleteFunc(v.steps, func(st *Step) bool {
		at := place{st.Chain, st.Tx}
		again := seen[at]
		seen[at] = true
		return again
	})
	for i, st := range v.steps {
		v.first = append(v.first, len(v.flows))
		if st.Chain.Family() == ledger.UTXO {
			v.spend(i, st)
		} else {
			v.transfer(i, st)
		}
	}
	v.first = append(v.first, len(v.flows))
	v.poisoned()
	v.acted()
	return v
}

// addresses are the subject's, whichever way the caller said so.
func (s *Subject) addresses() map[ledger.Address]bool {
	own := maps.Clone(s.Own)
	if own == nil {
		own = map[ledger.Address]bool{}
	}
	mark := func(p *Party) {
		if p.Own {
			own[p.Address] = true
		}
	}
	for i := range s.Steps {
		st := &s.Steps[i]
		for n := range st.Moves {
			mark(&st.Moves[n].From)
			mark(&st.Moves[n].To)
		}
		for n := range st.In {
			mark(&st.In[n].Party)
		}
		for n := range st.Out {
			mark(&st.Out[n].Party)
		}
	}
	delete(own, ledger.Address{}) // no address is nobody's
	return own
}

// owns says whether a party is of the subject.
func (v *view) owns(p *Party) bool { return p.Own || v.own[p.Address] }

// transfer reads the movements of an account chain.
func (v *view) transfer(i int, st *Step) {
	for n := range st.Moves {
		m := &st.Moves[n]
		from, to := v.owns(&m.From), v.owns(&m.To)
		f := flow{step: i, part: n, at: st.Time, asset: m.Asset, amount: &m.Amount, kind: v.kindOf(st.Chain, m.Asset, &m.Amount)}
		switch {
		case from == to || st.Mix != "":
			continue
		case from:
			f.out, f.own, f.party = true, m.From.Address, &m.To
		default:
			f.own, f.party = m.To.Address, &m.From
		}
		v.flows = append(v.flows, f)
	}
}

// spend reads a UTXO transaction. One that spends an output of the subject is its own,
// and pays every output that goes neither to the subject nor back to an input; any
// other one is paid by one sender, whatever the number of its inputs.
func (v *view) spend(i int, st *Step) {
	if st.Mix != "" {
		return
	}
	payers := map[ledger.Address]bool{}
	var own []ledger.Address
	sender := &Party{}
	for n := range st.In {
		in := &st.In[n]
		payers[in.Address] = true
		if v.owns(&in.Party) && !slices.Contains(own, in.Address) && len(own) < 2 {
			own = append(own, in.Address)
		}
		if sender.Address.IsZero() && !in.Address.IsZero() {
			sender = &in.Party
		}
	}
	for n := range st.Out {
		out := &st.Out[n]
		mine := v.owns(&out.Party)
		f := flow{step: i, part: n, at: st.Time, asset: out.Asset, amount: &out.Amount, kind: v.kindOf(st.Chain, out.Asset, &out.Amount)}
		switch {
		case len(own) > 0 && !mine && (out.Address.IsZero() || !payers[out.Address]):
			f.out, f.party = true, &out.Party
			if len(own) == 1 {
				f.own = own[0]
			}
		case len(own) == 0 && mine:
			f.own, f.party = out.Address, sender
		default:
			continue
		}
		v.flows = append(v.flows, f)
	}
}

func (v *view) kindOf(chain ledger.Chain, asset ledger.Asset, amount *ledger.Amount) kind {
	switch {
	case !v.p.listed(chain, asset):
		return unlisted
	case amount.IsZero():
		return nothing
	case v.p.isDust(asset, amount):
		return dust
	}
	return ordinary
}

// acted marks the steps in which the subject signed, spent or paid. A transfer of
// nothing or of a counterfeit proves nothing: anybody can make one in another's name.
func (v *view) acted() {
	v.sent = make([]bool, len(v.steps))
	for i, st := range v.steps {
		if st.Chain.Family() == ledger.UTXO {
			v.sent[i] = slices.ContainsFunc(st.In, func(in Part) bool { return v.owns(&in.Party) })
			continue
		}
		v.sent[i] = v.own[st.Sender]
		for _, f := range v.of(i) {
			v.sent[i] = v.sent[i] || f.out && !f.poison && (f.kind == ordinary || f.kind == dust)
		}
	}
}

// of are the flows of a step.
func (v *view) of(step int) []flow { return v.flows[v.first[step]:v.first[step+1]] }

// at finds the flow of a step's movement or output.
func (v *view) at(step, part int) (id int, ok bool) {
	i, ok := slices.BinarySearchFunc(v.of(step), part, func(f flow, part int) int { return f.part - part })
	return v.first[step] + i, ok
}

// which lists the flows that satisfy a condition, in order.
func (v *view) which(condition func(*flow) bool) (ids []int) {
	for i := range v.flows {
		if condition(&v.flows[i]) {
			ids = append(ids, i)
		}
	}
	return ids
}

// sends and receipts list the real flows out of and into the subject that have a
// known other side.
func (v *view) sends() []int {
	return v.which(func(f *flow) bool { return f.out && f.counts() && !f.nameless() })
}

func (v *view) receipts() []int {
	return v.which(func(f *flow) bool { return !f.out && f.counts() && !f.nameless() })
}

func byAsset(f *flow) ledger.Asset { return f.asset }
func byAddress(f *flow) key        { return key{address: f.party.Address} }
func byName(f *flow) key           { return f.party.byName() }
func byStep(f *flow) key           { return key{n: f.step} }
func itself(f *flow) key           { return key{n: f.step, part: f.part} }
