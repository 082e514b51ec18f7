package proximity

import (
	"slices"

	"coldtrail/ledger"
)

// step is a change of a balance. Steps never take more than there is: what the ledger
// does not show the arrival of arrives just before it leaves.
type step struct {
	other   ledger.Address // on the other side of a payment; none where there is nobody
	amount  ledger.Amount
	at      Place
	time    int64
	arrives bool
	mixed   bool
}

// Account is what one address did with one asset, from the first that is known of it. The
// zero Account has done nothing.
type Account struct {
	steps   []step
	balance ledger.Amount
	// Received is all that came in, without what came of unknown origin before the ledger
	// begins; Sent is all that was paid to others, without fees.
	Received, Sent ledger.Amount
}

// Open states what was held before anything that the ledger shows.
func (a *Account) Open(amount *ledger.Amount) { a.arrive(&step{amount: *amount}) }

// Gain is value that nobody paid, such as new coins.
func (a *Account) Gain(amount *ledger.Amount) {
	_, _ = a.Received.AddOverflow(&a.Received, amount)
	a.arrive(&step{amount: *amount})
}

// Lose is value that leaves to nobody, such as a fee; at most what is held.
func (a *Account) Lose(amount *ledger.Amount) {
	lost := *amount
	if a.balance.Lt(&lost) {
		lost = a.balance
	}
	a.leave(&step{amount: lost})
}

// Receive takes a payment in.
func (a *Account) Receive(p *Payment) {
	_, _ = a.Received.AddOverflow(&a.Received, &p.Amount)
	a.arrive(&step{other: p.From, amount: p.Amount, at: p.At, time: p.Time, mixed: p.Mixed})
}

// Pay lets a payment out.
func (a *Account) Pay(p *Payment) {
	_, _ = a.Sent.AddOverflow(&a.Sent, &p.Amount)
	if a.balance.Lt(&p.Amount) {
		unseen := new(ledger.Amount).Sub(&p.Amount, &a.balance)
		a.arrive(&step{amount: *unseen})
	}
	a.leave(&step{other: p.To, amount: p.Amount, at: p.At, time: p.Time, mixed: p.Mixed})
}

// arrive adds a step. Where a hostile token makes a balance overflow, what is too much is
// left out, as no holder can have it.
func (a *Account) arrive(s *step) {
	if _, over := new(ledger.Amount).AddOverflow(&a.balance, &s.amount); over {
		s.amount.Sub(new(ledger.Amount).SetAllOne(), &a.balance)
	}
	if s.amount.IsZero() {
		return
	}
	a.balance.Add(&a.balance, &s.amount)
	s.arrives = true
	a.steps = append(a.steps, *s)
}

func (a *Account) leave(s *step) {
	if s.amount.IsZero() {
		return
	}
	a.balance.Sub(&a.balance, &s.amount)
	a.steps = append(a.steps, *s)
}

// Pass spreads parts of what came in over what went out (Received), or of what went out
// over what had come in (Sent), and gives each part that is worth following with who is on
// the other side. Parts of one payment that are of one class have to be one part; no part
// may be larger than its payment.
func (a *Account) Pass(parts []Part, d Direction, give func(ledger.Address, Part)) {
	slices.SortFunc(parts, compareParts)
	var p pool
	if d == Sent {
		slices.Reverse(parts)
		p.balance = a.balance
	}
	for i := range a.steps {
		s := &a.steps[i]
		if d == Sent {
			s = &a.steps[len(a.steps)-1-i]
		}
		if s.arrives != (d == Received) {
			p.draw(s, give)
			continue
		}
		p.balance.Add(&p.balance, &s.amount)
		if s.other.IsZero() {
			continue
		}
		for len(parts) > 0 && parts[0].reached(s.at, d) {
			if parts[0].At == s.at && !s.mixed {
				p.add(&parts[0], &s.amount)
			}
			parts = parts[1:]
		}
		if len(parts) == 0 && len(p.held) == 0 {
			return
		}
	}
}

// reached says whether going through an account in a direction has come to a part.
func (p *Part) reached(at Place, d Direction) bool {
	if d == Sent {
		return p.At.Compare(at) >= 0
	}
	return p.At.Compare(at) <= 0
}

// pool is what is held, and what of it is of which class.
type pool struct {
	balance ledger.Amount
	held    []holding
}

type holding struct {
	class  uint32
	asset  ledger.Asset
	amount ledger.Amount // never more than the pool's balance
}

// add takes a part of an arrival in, which is no more than what arrived.
func (p *pool) add(part *Part, arrived *ledger.Amount) {
	amount := part.Amount
	if arrived.Lt(&amount) {
		amount = *arrived
	}
	for i := range p.held {
		if h := &p.held[i]; h.class == part.Class {
			h.amount.Add(&h.amount, &amount)
			return
		}
	}
	p.held = append(p.held, holding{part.Class, part.Asset, amount})
}

// draw takes a step's amount out of the pool. What is left of a class is never more than
// what is left of the balance: with T ≤ S, T − ⌊v·T/S⌋ ≤ S − v.
func (p *pool) draw(s *step, give func(ledger.Address, Part)) {
	followed := !s.other.IsZero() && !s.mixed
	kept := p.held[:0]
	for i := range p.held {
		h := &p.held[i]
		part, _ := new(ledger.Amount).MulDivOverflow(&s.amount, &h.amount, &p.balance)
		h.amount.Sub(&h.amount, part)
		if followed && worthFollowing(part, &s.amount) {
			give(s.other, Part{At: s.at, Time: s.time, Asset: h.asset, Class: h.class, Amount: *part})
		}
		if !h.amount.IsZero() {
			kept = append(kept, *h)
		}
	}
	p.held = kept
	p.balance.Sub(&p.balance, &s.amount)
}
