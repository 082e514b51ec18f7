package behaviour

import (
	"fmt"

	"coldtrail/ledger"
)

// Sweep is a balance emptied into one address soon after every receipt, as services do
// with the addresses they give their customers.
var Sweep = &Pattern{
	Name: "sweep", Title: "Emptied into one address after each receipt",
	Source: "Victor, Address Clustering Heuristics for Ethereum (FC 2020), on deposit addresses; the figures are ours",
	find:   sweep,
}

// drain is where from, what and where to.
type drain struct {
	holding holding
	to      ledger.Address
}

// sweeper looks for sweeps in one pass over the record.
type sweeper struct {
	v     *view
	b     *book
	last  map[holding]int64 // receipts
	found map[drain][]int
	steps map[drain]map[int]bool
	order []drain
}

func sweep(v *view) (out []Finding) {
	s := &sweeper{v: v, b: newBook(v), last: map[holding]int64{}, found: map[drain][]int{}, steps: map[drain]map[int]bool{}}
	for i, st := range v.steps {
		if st.Chain.Family() == ledger.UTXO {
			s.spend(i, st)
			continue
		}
		for n := range st.Moves {
			if id, ok := v.at(i, n); ok {
				s.move(id)
			}
			s.b.move(st, &st.Moves[n])
		}
		s.b.fee(st)
	}
	for _, d := range s.order {
		if times := len(s.steps[d]); times >= max(v.p.Sweep.Number, 1) {
			f := v.evidence(s.found[d], nil)
			f.Parameters = append(v.p.Sweep.parameters("sweeps into one address"), share("least share of the balance", v.p.SweepShare))
			f.Measures = []Parameter{number("sweeps", times)}
			f.Text = fmt.Sprintf("%s one address of the subject was emptied of an asset, %s in all, into one other address in %s, each within %d seconds of a receipt.",
				f.when(), f.sums(), plural(f.Count, "transaction"), v.p.Sweep.Window)
			out = append(out, f)
		}
	}
	return out
}

// move judges a movement; the book stands just before it.
func (s *sweeper) move(id int) {
	f := &s.v.flows[id]
	if !f.counts() || f.nameless() || f.own.IsZero() {
		return
	}
	h := holding{f.own, f.asset}
	if !f.out {
		s.last[h] = f.at
		return
	}
	sent := totalOf(f.amount)
	s.judge(h, &sent, []int{id})
}

// judge notes a sending, by its flows to one address, that empties a holding soon after
// a receipt.
func (s *sweeper) judge(h holding, sent *total, ids []int) {
	f := &s.v.flows[ids[0]]
	held, known := s.b.has(h)
	received, ok := s.last[h]
	if !known || !ok || held.isZero() || since(received, f.at) > s.v.p.Sweep.Window || !sent.reaches(s.v.p.SweepShare, &held) {
		return
	}
	d := drain{h, f.party.Address}
	if s.steps[d] == nil {
		s.steps[d] = map[int]bool{}
		s.order = append(s.order, d)
	}
	s.steps[d][f.step] = true
	s.found[d] = append(s.found[d], ids...)
}

// spend judges a UTXO transaction that pays one outside address only: each address of
// the subject that it spends from.
func (s *sweeper) spend(i int, st *Step) {
	if ids := s.onlyPaid(i); ids != nil {
		spent := map[ledger.Address]*total{}
		var order []ledger.Address
		for n := range st.In {
			in := &st.In[n]
			if !s.v.owns(&in.Party) || in.Address.IsZero() || in.Asset != s.v.flows[ids[0]].asset {
				continue
			}
			if spent[in.Address] == nil {
				spent[in.Address] = &total{}
				order = append(order, in.Address)
			}
			spent[in.Address].add(&in.Amount)
		}
		for _, a := range order {
			s.judge(holding{a, s.v.flows[ids[0]].asset}, spent[a], ids)
		}
	}
	s.b.step(i)
	for n := range s.v.of(i) {
		if f := &s.v.of(i)[n]; f.counts() && !f.out {
			s.last[holding{f.own, f.asset}] = f.at
		}
	}
}

// onlyPaid are the flows of a step to the only outside address that it pays; none where
// it pays several.
func (s *sweeper) onlyPaid(step int) (ids []int) {
	for id := s.v.first[step]; id < s.v.first[step+1]; id++ {
		f := &s.v.flows[id]
		if !f.out || !f.counts() {
			continue
		}
		if f.nameless() || ids != nil && s.v.flows[ids[0]].party.Address != f.party.Address {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}
