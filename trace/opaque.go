package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"coldtrail/crossing"
	"coldtrail/crossing/opaque"
	"coldtrail/ledger"
	"coldtrail/taint"
)

// Candidate is a payout of an opaque service that may answer a tainted deposit, or
// the reason why a deposit has none. It is no part of the answer unless somebody
// follows it.
type Candidate struct {
	Service string `json:"service"`
	In      Side   `json:"in"`
	Out     *Side  `json:"out,omitempty"`
	// Score is the probability that they belong together, in basis points; Class is
	// strong, probable or possible.
	Score uint32 `json:"score_bp,omitempty"`
	Class string `json:"class,omitempty"`
	// Residual is what was paid above what the market gave, in parts per million.
	Residual int64  `json:"residual_ppm,omitempty"`
	Delay    int64  `json:"delay_seconds,omitempty"`
	Rivals   int    `json:"rivals,omitempty"` // pairs that compete with this one
	Followed string `json:"followed_by,omitempty"`
	Reason   string `json:"reason,omitempty"` // why there is none
}

// arrival is where tainted value reached a service.
type arrival struct {
	chain   ledger.Chain
	number  uint64
	address ledger.Address
	asset   ledger.Asset
	output  uint64 // UTXO chains
}

// serviceMatch is what one service of a case took in and paid, and what may belong
// together.
type serviceMatch struct {
	source   *Service
	file     string
	protocol *crossing.Protocol
	deposits []serviceTransfer
	payouts  []serviceTransfer
	out      opaque.Matching
	index    map[arrival]int // deposits
	followed map[int]decision
}

// decision is who answers for following a pair, by index of the payout.
type decision struct {
	by, why string
	deposit int
	score   uint32
}

// serviceTransfer is a deposit or payout with its place in the store.
type serviceTransfer struct {
	opaque.Transfer
	place crossing.Place
	into  ledger.Address // the service's own address
	at    arrival        // deposits
}

func (p *plan) hasServices() bool {
	return slices.ContainsFunc(p.cases, func(c *Case) bool { return len(c.Services) > 0 })
}

// decides says whether anybody follows a payout of a service.
func (p *plan) decides() bool {
	return p.bridges != nil && slices.ContainsFunc(p.bridges.services, func(m *serviceMatch) bool { return len(m.followed) > 0 })
}

// assumed says whether a crossing is a payout that somebody follows without proof.
func (b *bridges) assumed(c *crossing.Crossing) bool {
	return slices.ContainsFunc(b.services, func(m *serviceMatch) bool { return m.protocol == c.Protocol })
}

// decision is who answers for an assumed crossing.
func (b *bridges) decision(c *crossing.Crossing) (decision, bool) {
	for _, m := range b.services {
		if m.protocol != c.Protocol {
			continue
		}
		for i, d := range m.followed {
			if p := &m.payouts[i]; p.Tx == c.Payouts[0].Place.Tx && p.Index == c.Payouts[0].Position {
				return d, true
			}
		}
	}
	return decision{}, false
}

// findCandidates scores the payouts of every service, and makes crossings of those
// that somebody follows.
func (p *plan) findCandidates(ctx context.Context, b *bridges, since int64) error {
	rates := crossing.RatesOf(b.crossings)
	known := map[ledger.Hash]bool{} // payouts of bridges are facts already
	for i := range b.crossings {
		for j := range b.crossings[i].Payouts {
			known[b.crossings[i].Payouts[j].Place.Tx] = true
		}
	}
	for _, c := range p.cases {
		for i := range c.Services {
			m := &serviceMatch{source: &c.Services[i], file: c.File, index: map[arrival]int{}, followed: map[int]decision{}}
			m.protocol = &crossing.Protocol{Name: "opaque-service", Title: m.source.Name}
			s := &serviceScan{plan: p, m: m, since: since, known: known}
			if err := s.scan(ctx); err != nil {
				return fmt.Errorf("service %s: %w", m.source.Name, err)
			}
			if err := m.match(rates); err != nil {
				return &CaseError{File: c.File, Place: fmt.Sprintf("services[%d] (%s)", i, m.source.Name), Reason: err.Error()}
			}
			b.services = append(b.services, m)
			b.crossings = append(b.crossings, m.crossings()...)
		}
	}
	slices.SortStableFunc(b.crossings, func(x, y crossing.Crossing) int {
		return cmp.Or(x.Place.Compare(&y.Place), cmp.Compare(x.Position, y.Position), cmp.Compare(x.Asset, y.Asset))
	})
	return nil
}

// match scores all pairs and decides which are followed.
func (m *serviceMatch) match(rates *crossing.Rates) error {
	model := opaque.Prior
	if window, err := time.ParseDuration(m.source.Window); err == nil {
		model.Window = int64(window / time.Second)
	}
	accepted, err := m.accepted()
	if err != nil {
		return err
	}
	known := make([]opaque.Pair, len(accepted))
	for i, a := range accepted {
		known[i] = opaque.Pair{Deposit: m.deposits[a.deposit].Transfer, Payout: m.payouts[a.payout].Transfer}
	}
	m.out = opaque.Match(model.Learn(known, rates.At), transfersOf(m.deposits), transfersOf(m.payouts), rates.At)
	taken := map[int]bool{}
	for i, a := range accepted {
		d := decision{by: m.source.Accept[i].By, why: m.source.Accept[i].Why, deposit: a.deposit, score: m.source.Accept[i].Score}
		if d.score == 0 {
			if d.score = m.scoreOf(a); d.score == 0 {
				return fmt.Errorf("accept[%d]: the payout is no candidate of the deposit (amount, rate or time do not fit); give a score_bp of your own to follow it", i)
			}
		}
		if _, twice := m.followed[a.payout]; twice || taken[a.deposit] {
			return fmt.Errorf("accept[%d]: the deposit or the payout is accepted twice", i)
		}
		m.followed[a.payout], taken[a.deposit] = d, true
	}
	m.applyPolicy(taken)
	return nil
}

// applyPolicy follows what the policy allows and no analyst decided on.
func (m *serviceMatch) applyPolicy(taken map[int]bool) {
	policy := m.source.Follow
	if policy == nil {
		return
	}
	for _, c := range m.out.Candidates {
		if _, gone := m.followed[c.Payout]; !gone && !taken[c.Deposit] && c.Assigned && c.Score >= policy.Least {
			m.followed[c.Payout] = decision{by: policy.By, why: fmt.Sprintf("policy from %d basis points: %s", policy.Least, policy.Why), deposit: c.Deposit, score: c.Score}
		}
	}
}

// acceptedPair is an acceptance resolved to a deposit and a payout.
type acceptedPair struct{ deposit, payout int }

func (m *serviceMatch) accepted() (list []acceptedPair, err error) {
	for i := range m.source.Accept {
		a := &m.source.Accept[i]
		deposit, err := ledger.ParseHash(a.Deposit)
		if err != nil {
			return nil, fmt.Errorf("accept[%d]: deposit: %w", i, err)
		}
		left, right, _ := cutLast(a.Payout)
		tx, err := ledger.ParseHash(left)
		if err != nil {
			return nil, fmt.Errorf("accept[%d]: payout: %w", i, err)
		}
		index, err := strconv.ParseUint(right, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("accept[%d]: payout %q: want TXID:VOUT", i, a.Payout)
		}
		pair := acceptedPair{
			deposit: slices.IndexFunc(m.deposits, func(t serviceTransfer) bool { return t.Tx == deposit }),
			payout:  slices.IndexFunc(m.payouts, func(t serviceTransfer) bool { return t.Tx == tx && t.Index == uint32(index) }),
		}
		switch {
		case pair.deposit < 0:
			return nil, fmt.Errorf("accept[%d]: transaction %s puts nothing into a labelled address of %s since the first theft", i, a.Deposit, m.source.Name)
		case pair.payout < 0:
			return nil, fmt.Errorf("accept[%d]: %s is not paid by a wallet of %s since the first theft", i, a.Payout, m.source.Name)
		}
		list = append(list, pair)
	}
	return list, nil
}

func (m *serviceMatch) scoreOf(a acceptedPair) uint32 {
	for _, c := range m.out.Candidates {
		if c.Deposit == a.deposit && c.Payout == a.payout {
			return c.Score
		}
	}
	return 0
}

func transfersOf(list []serviceTransfer) []opaque.Transfer {
	out := make([]opaque.Transfer, len(list))
	for i := range list {
		out[i] = list[i].Transfer
	}
	return out
}

// crossings are the pairs that somebody follows.
func (m *serviceMatch) crossings() (list []crossing.Crossing) {
	for i, decided := range m.followed {
		d, p := &m.deposits[decided.deposit], &m.payouts[i]
		list = append(list, crossing.Crossing{
			Deposit: crossing.Deposit{
				Protocol: m.protocol, Key: d.Tx, Position: d.Index, Into: d.into, Output: d.Index, Asset: d.Asset, Amount: d.Amount, From: d.Party,
			},
			Place: d.place, Via: m.protocol, Status: statusAssumed, Score: decided.score,
			Payouts: []crossing.PlacedPayout{{
				Payout: crossing.Payout{Protocol: m.protocol, Key: d.Tx, Position: p.Index, Asset: p.Asset, Amount: p.Amount, To: p.Party, Payer: p.into, Transfer: int(p.Index)},
				Place:  p.place,
			}},
		})
	}
	return list
}

// statusAssumed is of crossings that rest on somebody's decision.
const statusAssumed crossing.Status = "assumed"

// noteService keeps tainted value that ends at a service, or is assumed to pass it.
func (r *record) noteService(s *taint.Settlement) {
	if r.plan.bridges == nil || len(r.plan.bridges.services) == 0 || s.Place.Address.IsZero() {
		return
	}
	at := arrival{s.Place.Chain, s.Number, s.Place.Address, s.Place.Asset, s.Place.Output}
	if s.Place.Chain.Family() == ledger.Account {
		at.output = 0
	}
	for _, m := range r.plan.bridges.services {
		if _, ok := m.index[at]; ok {
			sum := r.reached[at]
			for i := range s.Lots {
				if s.Lots[i].Tainted() {
					sum.Add(&sum, &s.Lots[i].Amount)
				}
			}
			r.reached[at] = sum
		}
	}
}

// candidateRows describes what may answer the tainted deposits, in order of time.
func (r *record) candidateRows(n *names) (rows []Candidate) {
	if r.plan.bridges == nil {
		return nil
	}
	type entry struct {
		tx   ledger.Hash
		into ledger.Address
	}
	passed := map[entry]ledger.Amount{} // what went on because somebody follows it
	for i, b := range r.crossed {
		if c := &r.plan.bridges.crossings[i]; r.plan.bridges.assumed(c) {
			passed[entry{c.Place.Tx, c.Into}] = tainted(b.lots)
		}
	}
	for _, m := range r.plan.bridges.services {
		order := make([]int, len(m.deposits))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return m.deposits[a].Compare(&m.deposits[b].Transfer) })
		for _, i := range order {
			d := &m.deposits[i]
			amount, reached := r.reached[d.at]
			if !reached {
				amount, reached = passed[entry{d.Tx, d.into}]
			}
			if reached && !amount.IsZero() {
				rows = append(rows, m.rows(n, i, &amount)...)
			}
		}
	}
	return rows
}

func tainted(lots []taint.Lot) (sum ledger.Amount) {
	for i := range lots {
		if lots[i].Tainted() {
			sum.Add(&sum, &lots[i].Amount)
		}
	}
	return sum
}

// rows describes one deposit: its candidates, or why there is none.
func (m *serviceMatch) rows(n *names, deposit int, amount *ledger.Amount) (rows []Candidate) {
	d := &m.deposits[deposit]
	in := n.side(&d.place, d.Asset, []taint.Lot{taint.CleanLot(d.Amount)}, d.Party)
	in.Tainted, in.Into = amount.Dec(), n.address(d.Chain, d.into)
	for _, c := range m.out.Candidates {
		followed, decided := m.followed[c.Payout]
		decided = decided && followed.deposit == deposit
		if class := opaque.ClassOf(c.Score); c.Deposit == deposit && (class != opaque.Weak || decided) {
			p := &m.payouts[c.Payout]
			out := n.side(&p.place, p.Asset, []taint.Lot{taint.CleanLot(p.Amount)}, p.Party)
			out.Tainted = ""
			row := Candidate{Service: m.source.Name, In: in, Out: &out, Score: c.Score, Class: string(class), Residual: c.Residual, Delay: c.Delay, Rivals: c.Rivals}
			if decided {
				row.Followed = followed.by
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		reason := m.out.Refused[deposit]
		if reason == "" {
			reason = "no payout is likelier than even"
		}
		rows = append(rows, Candidate{Service: m.source.Name, In: in, Reason: reason})
	}
	return rows
}
