package cluster

import "coldtrail/ledger"

// The parameters of deposit addresses of services that nobody listed; all ours.
const (
	UnlistedFunders = 5      // distinct payers at least
	UnlistedSeconds = 86_400 // from receipt to sweep
	UnlistedPercent = 90     // of what left, asset by asset, left in that time
	UnlistedPayers  = 1_000  // distinct payers of the collecting wallet at least
)

// DepositUnlisted ties a deposit address to the wallet it is swept into where no list
// names the service. Its payers are tied to nobody: an address with five of them is as
// likely shared.
var DepositUnlisted = &Rule{
	Name: "deposit-unlisted", Title: "deposit address of a service that no list names", Source: "ours",
	Family: ledger.Account, Input: AllHistory, Kind: Depositing, Confidence: 60,
	Published: "none published", Needs: "how many pay the collecting wallet, which accounts are contracts",
	history: func(r *Rule, h *History) []Edge {
		u, ok := Unlisted(h)
		if !ok {
			return nil
		}
		e, ok := r.tie(h.Of, u.Into, u.Tx, u.Height)
		if !ok {
			return nil
		}
		return []Edge{e}
	},
}

// Collected is an account that collects for another.
type Collected struct {
	Into    ledger.Address
	Funders int // distinct payers
	// Tx is the sweep from which on the evidence has been complete.
	Tx     ledger.Hash
	Height ledger.Height
}

// Unlisted recognises a deposit address without a list: five payers or more; one
// account to which everything goes, itself paid by 1,000 or more; nine tenths of what
// left, of every asset, left within a day of its receipt, first in, first out; and no
// sweep of the native asset left more than 0.01 ether. What left without having arrived
// counts as late.
func Unlisted(h *History) (Collected, bool) {
	if h.Of.IsZero() || h.Parties.contract(h.Of) {
		return Collected{}, false
	}
	c := collector{h: h, books: map[ledger.Asset]*book{}, funders: map[ledger.Address]bool{}}
	for _, p := range h.inOrder() {
		if !c.take(&p) {
			return Collected{}, false
		}
	}
	c.out.Funders = len(c.funders)
	return c.out, c.complete && h.Parties.payers(c.out.Into) >= UnlistedPayers
}

// collector walks through a history.
type collector struct {
	h       *History
	books   map[ledger.Asset]*book
	funders map[ledger.Address]bool // who paid what was swept
	late    int                     // assets of which too much left late
	// complete says that the evidence is.
	complete bool
	out      Collected
}

// book is what of one asset arrived and left.
type book struct {
	queue        []lot
	payers       []ledger.Address // since the last sweep
	left, prompt ledger.Amount
	late         bool
}

// lot is what is left of a receipt.
type lot struct {
	amount ledger.Amount
	time   int64
}

func (c *collector) book(asset ledger.Asset) *book {
	b := c.books[asset]
	if b == nil {
		b = &book{}
		c.books[asset] = b
	}
	return b
}

// take takes in a transaction; false where it refutes the pattern.
func (c *collector) take(p *ledger.Placed) bool {
	if c.h.signed(p.Tx) { // the fee leaves too, and is nobody's sweep
		native := c.book(c.h.Chain.Native())
		native.draw(&p.Tx.Fee.Burned, p.Time)
		native.draw(&p.Tx.Fee.Tip, p.Time)
	}
	if p.Tx.Failed {
		return true
	}
	for i := range p.Tx.Transfers {
		t := &p.Tx.Transfers[i]
		switch {
		case t.Amount.IsZero() || t.From == t.To:
		case t.To == c.h.Of:
			b := c.book(t.Asset)
			b.queue = append(b.queue, lot{t.Amount, p.Time})
			if c.h.Parties.private(t.From) {
				b.payers = append(b.payers, t.From)
			}
		case t.From == c.h.Of && c.h.real(p.Tx, t):
			if !c.sweep(p, t) {
				return false
			}
		}
	}
	return true
}

func (c *collector) sweep(p *ledger.Placed, t *ledger.Transfer) bool {
	if !c.out.Into.IsZero() && c.out.Into != t.To {
		return false
	}
	c.out.Into = t.To
	b := c.book(t.Asset)
	for _, from := range b.payers { // an event of a token that nobody sweeps shows nothing
		c.funders[from] = true
	}
	b.payers = nil
	prompt := b.draw(&t.Amount, p.Time)
	_, over1 := b.left.AddOverflow(&b.left, &t.Amount)
	_, over2 := b.prompt.AddOverflow(&b.prompt, &prompt)
	if over1 || over2 || t.Asset == c.h.Chain.Native() && b.exceeds(&DepositTolerance) {
		return false
	}
	if late := !b.isPrompt(); late != b.late {
		b.late = late
		if late {
			c.late++
		} else {
			c.late--
		}
	}
	complete := c.late == 0 && len(c.funders) >= UnlistedFunders
	if complete && !c.complete {
		c.out.Tx, c.out.Height = p.Tx.ID, p.Height
	}
	c.complete = complete
	return true
}

// draw takes an amount out, oldest first, and says how much of it had arrived within
// a day.
func (b *book) draw(amount *ledger.Amount, now int64) (prompt ledger.Amount) {
	want := *amount
	for len(b.queue) > 0 && !want.IsZero() {
		l := &b.queue[0]
		part := l.amount
		if want.Lt(&part) {
			part = want
		}
		want.Sub(&want, &part)
		l.amount.Sub(&l.amount, &part)
		if now-l.time <= UnlistedSeconds {
			prompt.Add(&prompt, &part) // never more than amount
		}
		if l.amount.IsZero() {
			b.queue = b.queue[1:]
		}
	}
	return prompt
}

// exceeds says that more than an amount is left.
func (b *book) exceeds(most *ledger.Amount) bool {
	var sum ledger.Amount
	for i := range b.queue {
		if _, over := sum.AddOverflow(&sum, &b.queue[i].amount); over || sum.Gt(most) {
			return true
		}
	}
	return false
}

// isPrompt says that nine tenths of what left, left within a day.
func (b *book) isPrompt() bool {
	hundred, share := ledger.NewAmount(100), ledger.NewAmount(UnlistedPercent)
	var have, want ledger.Amount
	_, over1 := have.MulOverflow(&b.prompt, &hundred)
	_, over2 := want.MulOverflow(&b.left, &share)
	return !over1 && !over2 && !have.Lt(&want)
}
