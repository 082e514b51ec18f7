// Package opaque scores which payout of a swap service answers which deposit, where
// nothing on chain joins the two: the amount, the market's rate, the service's fee
// and the time between them are all there is.
//
// A score is a probability in basis points, by a stated model, and never a fact.
// Nothing here follows anything: who accepts a candidate does, and answers for it.
//
// Sources: Yousaf, Kappos, Meiklejohn, "Tracing Transactions Across Cryptocurrency
// Ledgers", USENIX Security 2019 (amount and time, the windows); the model itself,
// its error and where it fails are in docs/methods/opaque-services.md.
package opaque

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// A Transfer is one deposit into a service or one payout of it.
type Transfer struct {
	Chain  ledger.Chain
	Asset  ledger.Asset
	Amount ledger.Amount // base units of Asset
	Time   int64         // Unix seconds, of the block
	Tx     ledger.Hash
	Index  uint32 // output, or movement of the transaction
	// Party is who paid the deposit, or whom the payout reached.
	Party ledger.Address
}

// Compare orders transfers by time, then chain, transaction and index.
func (t *Transfer) Compare(other *Transfer) int {
	return cmp.Or(cmp.Compare(t.Time, other.Time), cmp.Compare(t.Chain, other.Chain), slices.Compare(t.Tx[:], other.Tx[:]), cmp.Compare(t.Index, other.Index))
}

// A Model is how a service behaves: what it keeps, and how long it takes.
type Model struct {
	// Mean and Deviation are of what is paid above what the market's rate gives, in
	// parts per million; a service that keeps its fee is below 0.
	Mean, Deviation int64
	Delay           int64 // mean seconds between deposit and payout
	Window          int64 // seconds after which no payout is expected; 0 decides by chain
}

// Prior is what is assumed of a service of which no pair is known: one per cent
// kept, give or take one, paid after twelve minutes.
var Prior = Model{Mean: -10_000, Deviation: 10_000, Delay: 720}

const (
	// answered is the share of deposits whose payout is among those given, in parts
	// per million: others are held back, paid late, or paid from a wallet that nobody
	// knows to be the service's.
	answered = 800_000
	// boxed is how far from the market, in parts per million, a payout still counts
	// as traffic that could match by chance.
	boxed = 100_000
	// tails is beyond how many deviations a payout is no candidate at all.
	tails = 4
	// certain is the most that a score can be: the highest below a fact.
	certain = 9_999
	// maxAlike is how many deposits of one round amount may compete within a window
	// before every answer is refused.
	maxAlike = 3
)

// window is how long after a deposit its payout may come. Bitcoin takes blocks of ten
// minutes, and services wait for some.
func (m *Model) window(a, b ledger.Chain) int64 {
	switch {
	case m.Window > 0:
		return m.Window
	case a.Family() == ledger.UTXO || b.Family() == ledger.UTXO:
		return 2 * 3600
	}
	return 1800
}

// Class is how a score is to be read.
type Class string

// The classes. Below Possible nothing is shown: all that is known is that the value
// reached the service.
const (
	Strong   Class = "strong"   // from 9,500 basis points
	Probable Class = "probable" // from 8,000
	Possible Class = "possible" // from 5,000
	Weak     Class = ""         // below
)

// ClassOf is the class of a score in basis points.
func ClassOf(score uint32) Class {
	switch {
	case score >= 9500:
		return Strong
	case score >= 8000:
		return Probable
	case score >= 5000:
		return Possible
	}
	return Weak
}

// A Candidate is a payout that may answer a deposit.
type Candidate struct {
	Deposit, Payout int   // by index
	Residual        int64 // what was paid above what the rate gives, in parts per million
	Delay           int64 // seconds
	// Score is the probability that they belong together, in basis points: the lesser
	// of those seen from the deposit and from the payout.
	Score uint32
	// Rivals is how many other pairs compete with this one from either side.
	Rivals int
	// Assigned says that the pair is in the one-to-one assignment of all deposits and
	// payouts that is likeliest as a whole.
	Assigned bool

	odds int64 // logarithm of its likelihood over chance
}

// Matching is what can be said of a service's traffic.
type Matching struct {
	Candidates []Candidate // by deposit, then likeliest first
	// Refused says of deposits, by index, why they have no candidate.
	Refused map[int]string
}

// Rate is what one unit of an asset buys of another at a time, in units times 2^128;
// false where it is not known.
type Rate func(from, to ledger.Asset, time int64) (ledger.Amount, bool)

// Match scores the payouts of a service against its deposits. Both are all there
// are, tainted or not: who leaves out honest customers takes their payouts for the
// thief's.
func Match(model Model, deposits, payouts []Transfer, rate Rate) Matching {
	m := matcher{model: model, deposits: deposits, payouts: payouts, rate: rate, out: Matching{Refused: map[int]string{}}}
	m.order, m.inTurn = orderOf(payouts), orderOf(deposits)
	m.byDeposit, m.byPayout = make([]side, len(deposits)), make([]side, len(payouts))
	for _, d := range m.inTurn {
		m.find(d)
	}
	m.score()
	m.assign()
	slices.SortFunc(m.out.Candidates, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Deposit, b.Deposit), cmp.Compare(b.Score, a.Score), cmp.Compare(b.odds, a.odds), cmp.Compare(a.Payout, b.Payout))
	})
	return m.out
}

// orderOf lists indexes in order of the transfers.
func orderOf(list []Transfer) []int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return list[a].Compare(&list[b]) })
	return order
}

type matcher struct {
	model             Model
	deposits, payouts []Transfer
	rate              Rate
	order, inTurn     []int // of payouts and deposits, by time
	byDeposit         []side
	byPayout          []side
	out               Matching
}

// side is a deposit or payout with everything that competes for it.
type side struct {
	candidates []int // of Matching.Candidates
	near       int64 // transfers on the other side that could match by chance
	span       int64 // the window they were looked for in, in seconds
}

// find lists the candidates of a deposit.
func (m *matcher) find(d int) {
	deposit := &m.deposits[d]
	if round(&deposit.Amount) && m.alike(deposit) > maxAlike {
		m.out.Refused[d] = "several deposits of the same round amount within the window; nothing tells their payouts apart"
		return
	}
	rates := map[ledger.Asset]*ledger.Amount{}
	known := false
	first, _ := slices.BinarySearchFunc(m.order, deposit.Time+1, func(p int, t int64) int { return cmp.Compare(m.payouts[p].Time, t) })
	for _, p := range m.order[first:] {
		payout := &m.payouts[p]
		span := m.model.window(deposit.Chain, payout.Chain)
		if payout.Time-deposit.Time > max(span, 2*3600) {
			break
		}
		if payout.Time-deposit.Time > span {
			continue
		}
		rate, asked := rates[payout.Asset]
		if !asked {
			if value, ok := m.rate(deposit.Asset, payout.Asset, deposit.Time); ok {
				rate = &value
			}
			rates[payout.Asset] = rate
		}
		if rate == nil {
			continue
		}
		known = true
		m.consider(d, p, rate, span)
	}
	if !known && m.out.Refused[d] == "" && len(m.byDeposit[d].candidates) == 0 {
		m.out.Refused[d] = "no payout within the window whose rate to the deposited asset is known"
	}
}

// alike counts deposits of the same asset within half a per cent of the amount and a
// window of the time.
func (m *matcher) alike(deposit *Transfer) (n int) {
	span := m.model.window(deposit.Chain, deposit.Chain)
	first, _ := slices.BinarySearchFunc(m.inTurn, deposit.Time-span, func(d int, t int64) int { return cmp.Compare(m.deposits[d].Time, t) })
	for _, i := range m.inTurn[first:] {
		o := &m.deposits[i]
		if o.Time-deposit.Time > span {
			break
		}
		if r, ok := above(&o.Amount, &deposit.Amount); ok && o.Asset == deposit.Asset && r <= 5000 && r >= -5000 {
			n++
		}
	}
	return n
}

// consider counts a payout as traffic of its deposit and, where it is near what the
// service pays, as a candidate.
func (m *matcher) consider(d, p int, rate *ledger.Amount, span int64) {
	deposit, payout := &m.deposits[d], &m.payouts[p]
	expected, over := new(ledger.Amount).MulDivOverflow(&deposit.Amount, rate, one)
	if over {
		return
	}
	residual, ok := above(&payout.Amount, expected)
	if !ok || residual > boxed || residual < -boxed {
		return
	}
	for _, s := range []*side{&m.byDeposit[d], &m.byPayout[p]} {
		s.near++
		s.span = max(s.span, span)
	}
	off := residual - m.model.Mean
	if off > tails*m.model.Deviation || off < -tails*m.model.Deviation {
		return
	}
	c := Candidate{Deposit: d, Payout: p, Residual: residual, Delay: payout.Time - deposit.Time}
	c.odds = m.model.likelihood(off, c.Delay, span)
	m.byDeposit[d].candidates = append(m.byDeposit[d].candidates, len(m.out.Candidates))
	m.byPayout[p].candidates = append(m.byPayout[p].candidates, len(m.out.Candidates))
	m.out.Candidates = append(m.out.Candidates, c)
}

// one is a rate of one.
var one = new(ledger.Amount).Lsh(new(ledger.Amount).SetOne(), 128)

// above is by how many parts per million an amount is more than another; false where
// it is more than twice as much or the other is nothing.
func above(amount, other *ledger.Amount) (int64, bool) {
	million := ledger.NewAmount(1_000_000)
	var z ledger.Amount
	if other.IsZero() {
		return 0, false
	}
	if _, over := z.MulDivOverflow(amount, &million, other); over || !z.IsUint64() || z.Uint64() > 2_000_000 {
		return 0, false
	}
	return int64(z.Uint64()) - 1_000_000, true
}

// round says whether an amount is what people choose: three digits and then zeros.
func round(amount *ledger.Amount) bool {
	digits := amount.Dec()
	for i := 3; i < len(digits); i++ {
		if digits[i] != '0' {
			return false
		}
	}
	return true
}

// score turns likelihoods into probabilities: from either side, a pair against all
// its rivals and against chance.
func (m *matcher) score() {
	seen := make([]uint32, len(m.out.Candidates))
	for i := range seen {
		seen[i] = 10_000
	}
	for _, sides := range [][]side{m.byDeposit, m.byPayout} {
		for i := range sides {
			s := &sides[i]
			chance := s.chance()
			for j, share := range m.shares(s, chance) {
				c := s.candidates[j]
				seen[c] = min(seen[c], share)
				m.out.Candidates[c].Rivals += len(s.candidates) - 1
			}
		}
	}
	for i := range m.out.Candidates {
		c := &m.out.Candidates[i]
		c.Score = seen[i]
		c.odds += odds - max(m.byDeposit[c.Deposit].chance(), m.byPayout[c.Payout].chance())
	}
}

// chance is the logarithm of the density of transfers that would match by chance,
// per second and part per million: those that were near less the one that is meant,
// and half a one, as none seen is not none.
func (s *side) chance() int64 {
	if s.span == 0 {
		return 0
	}
	return logOf(uint64(2*max(s.near-1, 0)+1)) - logOf(2) - logOf(uint64(s.span)) - logOf(2*boxed)
}

// odds is the logarithm of the odds that a deposit is answered.
var odds = logOf(answered) - logOf(1_000_000-answered)

// shares are the probabilities of a side's candidates, in basis points.
func (m *matcher) shares(s *side, chance int64) []uint32 {
	if len(s.candidates) == 0 {
		return nil
	}
	logs := make([]int64, len(s.candidates))
	most := chance
	for i, c := range s.candidates {
		logs[i] = m.out.Candidates[c].odds + odds
		most = max(most, logs[i])
	}
	sum := expOf(chance - most)
	parts := make([]uint64, len(logs))
	for i := range logs {
		parts[i] = expOf(logs[i] - most)
		sum += parts[i]
	}
	shares := make([]uint32, len(logs))
	for i := range parts {
		shares[i] = uint32(min(parts[i]*10_000/sum, certain))
	}
	return shares
}
