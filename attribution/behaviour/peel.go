package behaviour

import (
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// PeelPattern is a large amount from which one payment after another is peeled.
// PeelChain finds it.
var PeelPattern = &Pattern{
	Name: "peel-chain", Title: "Payments peeled off a large amount",
	Source: "Meiklejohn and others, A Fistful of Bitcoins (IMC 2013); BlockSci for the shape; Kappos and others, How to Peel a Million (USENIX Security 2022); the figures are ours",
}

// PeelStep decides one transaction: whether it peels a payment off and which output
// goes on, by index. Change is the output that the caller's rules take for the change,
// or -1. The rule: one spending address, two outputs that can be spent, and of what
// comes in no more than Parameters.Peel.Peeled in the payment; without change, the larger
// output goes on and holds at least Parameters.Peel.Continuing. A caller who knows several
// inputs to be of one owner gives them one address; coinjoins must not be given.
func PeelStep(tx *ledger.Resolved, change int, p Parameters) (continuing int, ok bool) {
	if tx.Coinbase || len(tx.Inputs) == 0 {
		return -1, false
	}
	s := peelable{change: change}
	for i := range tx.Inputs {
		in := &tx.Inputs[i]
		if in.Value == 0 || len(tx.Inputs) > 1 && (in.Address.IsZero() || in.Address != tx.Inputs[0].Address) {
			return -1, false
		}
		amount := ledger.NewAmount(in.Value)
		s.in.add(&amount)
	}
	for i := range tx.Outputs {
		if out := &tx.Outputs[i]; !out.Unspendable {
			amount := ledger.NewAmount(out.Value)
			s.offer(i, &amount)
		}
	}
	return s.decide(&p.Peel)
}

// peelable is a transaction while it is judged.
type peelable struct {
	in      total
	change  int
	outputs int
	index   [2]int
	value   [2]total
}

func (s *peelable) offer(i int, amount *ledger.Amount) {
	if s.outputs < 2 {
		s.index[s.outputs], s.value[s.outputs] = i, totalOf(amount)
	}
	s.outputs++
}

func (s *peelable) decide(p *PeelParameters) (continuing int, ok bool) {
	if s.outputs != 2 || s.value[0].isZero() || s.value[1].isZero() {
		return -1, false
	}
	on, decided := 0, true
	switch s.change {
	case s.index[0]:
	case s.index[1]:
		on = 1
	case -1:
		decided = false
		if s.value[1].exceeds(whole, &s.value[0]) {
			on = 1
		}
	default:
		return -1, false
	}
	rest, peeled := s.value[on], s.value[1-on]
	sum := rest.plus(&peeled)
	if sum.exceeds(whole, &s.in) || peeled.exceeds(p.Peeled, &s.in) || !decided && !rest.reaches(p.Continuing, &s.in) {
		return -1, false
	}
	return s.index[on], true
}

// peelOf judges a step. Its inputs have one owner where they have one address or are
// all the subject's; its change is the only output of the subject. It refuses steps
// marked as coinjoins.
func peelOf(v *view, st *Step) (continuing, peeled int, ok bool) {
	if st.Chain.Family() != ledger.UTXO || st.Mix != "" || len(st.In) == 0 {
		return 0, 0, false
	}
	s := peelable{change: -1}
	for i := range st.In {
		in := &st.In[i]
		same := len(st.In) == 1 || !in.Address.IsZero() && in.Address == st.In[0].Address || v.owns(&in.Party) && v.owns(&st.In[0].Party)
		if in.Amount.IsZero() || !same {
			return 0, 0, false
		}
		s.in.add(&in.Amount)
	}
	own := 0
	for i := range st.Out {
		out := &st.Out[i]
		if out.Amount.IsZero() { // carries data
			continue
		}
		s.offer(i, &out.Amount)
		if v.owns(&out.Party) {
			s.change = i
			own++
		}
	}
	if own > 1 {
		s.change = -1
	}
	if continuing, ok = s.decide(&v.p.Peel); !ok {
		return 0, 0, false
	}
	return continuing, s.index[0] + s.index[1] - continuing, true
}

// peel is one step of a chain.
type peel struct {
	st             *Step
	rest, peeledTo *Part
}

// PeelChain assembles peel chains from steps in the order in which a caller followed the
// continuing output; a step that is no peel, or does not spend what the one before left,
// ends a chain. Outputs marked as own are the change. Chains of fewer than
// Parameters.Peel.Steps steps are not findings.
func PeelChain(steps []Step, p Parameters) (out []Finding) {
	v := &view{p: &p, own: map[ledger.Address]bool{}}
	var chain []peel
	flush := func() {
		if len(chain) >= max(p.Peel.Steps, 1) {
			out = append(out, peelFinding(chain, &p))
		}
		chain = nil
	}
	for i := range steps {
		on, off, ok := peelOf(v, &steps[i])
		if !ok {
			flush()
			continue
		}
		next := peel{&steps[i], &steps[i].Out[on], &steps[i].Out[off]}
		if n := len(chain); n > 0 && !chain[n-1].leadsTo(&next, p.Peel.Within) {
			flush()
		}
		chain = append(chain, next)
	}
	flush()
	return out
}

// leadsTo says that the next step spends what this one left, in time. Block times may
// run backwards a little, which counts as no time.
func (l *peel) leadsTo(next *peel, within uint64) bool {
	if l.st.Chain != next.st.Chain || next.st.Time > l.st.Time && since(l.st.Time, next.st.Time) > within {
		return false
	}
	if !l.rest.Spender.IsZero() {
		return l.rest.Spender == next.st.Tx
	}
	return slices.ContainsFunc(next.st.In, func(in Part) bool {
		return !in.Address.IsZero() && in.Address == l.rest.Address && in.Asset == l.rest.Asset && in.Amount == l.rest.Amount
	})
}

func peelFinding(chain []peel, p *Parameters) Finding {
	first, last := chain[0].st, chain[len(chain)-1]
	f := Finding{Pattern: PeelPattern.Name, Chains: []ledger.Chain{first.Chain}, From: first.Time, To: first.Time, Count: len(chain)}
	sums := map[ledger.Asset]*total{}
	receivers, addresses := newNamed(), newNamed()
	var services []string
	served := map[string]bool{}
	times := make([]int64, len(chain))
	for i := range chain {
		l := &chain[i]
		f.From, f.To = min(f.From, l.st.Time), max(f.To, l.st.Time)
		if i < maxNamed {
			f.Txs = append(f.Txs, l.st.Tx)
		}
		if sums[l.peeledTo.Asset] == nil {
			sums[l.peeledTo.Asset] = &total{}
		}
		sums[l.peeledTo.Asset].add(&l.peeledTo.Amount)
		receivers.add(l.peeledTo.Address)
		addresses.add(l.st.In[0].Address)
		if name := l.peeledTo.Entity; name != "" && l.peeledTo.is(p.Services) && !served[name] {
			served[name] = true
			services = append(services, name)
		}
		times[i] = l.st.Time
		if i > 0 {
			times[i] = max(times[i], times[i-1])
		}
	}
	_, median := intervalsOf(times)
	f.Amounts, f.Parties, f.Addresses = sorted(sums), receivers.list, addresses.list
	f.Parameters = []Parameter{
		number("least steps", p.Peel.Steps), share("greatest share peeled", p.Peel.Peeled),
		share("least share of the larger output, where no change is marked", p.Peel.Continuing), seconds("next step within", p.Peel.Within),
	}
	f.Measures = []Parameter{
		number("steps", len(chain)), number("distinct receivers", len(receivers.seen)), number("services reached", len(services)),
		words("services", listing(services)), seconds("median interval", median), worth("left at the end", last.rest.Asset, &last.rest.Amount),
	}
	f.Text = fmt.Sprintf("%s, in %s that each spend what the one before left, %s went to %s, %s of them named, and %s %s remained.",
		f.when(), plural(len(chain), "step"), f.sums(), plural(len(receivers.seen), "receiver"), plural(len(services), "service"),
		last.rest.Amount.Dec(), unitOf(last.rest.Asset))
	return f
}
