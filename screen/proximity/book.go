package proximity

import (
	"coldtrail/ledger"
)

// Book is what one address did, by asset.
type Book struct {
	Accounts map[ledger.Asset]*Account
	// Touches is how often the address was touched, as a store counts: on account chains
	// once for each transaction, on others once for each output received or spent.
	Touches int
	// Contract says that the ledger shows how the address was made.
	Contract bool
	// Crowded says that it was touched so often that it is not read: its Accounts are
	// empty.
	Crowded bool
}

// NewBook is an empty book.
func NewBook() *Book { return &Book{Accounts: map[ledger.Asset]*Account{}} }

// Steps is how much memory a book takes, in changes of balances.
func (b *Book) Steps() (n int) {
	for _, a := range b.Accounts {
		n += len(a.steps)
	}
	return n
}

// Crowd closes the book of an address that is touched too often.
func (b *Book) Crowd() { b.Crowded, b.Accounts = true, nil }

// ends says that what came to the address is not followed any further.
func (b *Book) ends() bool { return b.Contract || b.Crowded }

// of is the account of an asset.
func (b *Book) of(asset ledger.Asset) *Account {
	a := b.Accounts[asset]
	if a == nil {
		a = &Account{}
		b.Accounts[asset] = a
	}
	return a
}

// Open states what was held of an asset before the first that the ledger shows.
func (b *Book) Open(asset ledger.Asset, amount *ledger.Amount) { b.of(asset).Open(amount) }

// Moves lists the assets of which a transaction changes what an address holds.
func Moves(tx *ledger.Tx, self ledger.Address, native ledger.Asset) (list []ledger.Asset) {
	if !tx.Failed {
		for i := range tx.Transfers {
			if t := &tx.Transfers[i]; t.From != t.To && (t.From == self || t.To == self) {
				list = append(list, t.Asset)
			}
		}
	}
	if tx.Fee.Payer == self || tx.Fee.Producer == self {
		list = append(list, native)
	}
	return list
}

// Transfer is one of the transfers of a transaction as a payment; false where it is none.
func Transfer(tx *ledger.Tx, i int, number uint64, time int64) (Payment, bool) {
	t := &tx.Transfers[i]
	p := Payment{From: t.From, To: t.To, Asset: t.Asset, Amount: t.Amount, At: Place{number, uint64(i)}, Time: time}
	return p, !tx.Failed && t.From != t.To
}

// Move takes in a transaction of an account chain that touches the address: its transfers
// in their order, then the fee, as store.Settle does.
func (b *Book) Move(tx *ledger.Tx, self ledger.Address, number uint64, time int64, native ledger.Asset) {
	b.Touches++
	for i := range tx.Messages {
		if m := &tx.Messages[i]; m.Kind == ledger.Creation && m.Contract == self {
			b.Contract = true
		}
	}
	for i := range tx.Transfers {
		p, ok := Transfer(tx, i, number, time)
		switch {
		case !ok:
		case p.From == self && p.To.IsZero():
			b.of(p.Asset).Lose(&p.Amount)
		case p.From == self:
			b.of(p.Asset).Pay(&p)
		case p.To == self && p.From.IsZero():
			b.of(p.Asset).Gain(&p.Amount)
		case p.To == self:
			b.of(p.Asset).Receive(&p)
		}
	}
	if tx.Fee.Payer == self {
		b.of(native).Lose(&tx.Fee.Burned)
		b.of(native).Lose(&tx.Fee.Tip)
	}
	if tx.Fee.Producer == self {
		b.of(native).Gain(&tx.Fee.Tip)
	}
}

// Spend takes in a transaction of a UTXO chain that touches the address: what it pays,
// what is left as the fee, and then what it gets.
func (b *Book) Spend(s *Spend, self ledger.Address) {
	touches, got := s.touches(self)
	b.Touches += touches
	a := b.of(s.asset)
	in, out := s.gave[self], got // of the address: in is what it had or gets from others
	s.Got(self, func(p *Payment) { in.Add(&in, &p.Amount) })
	s.Paid(self, func(p *Payment) { out.Add(&out, &p.Amount); a.Pay(p) })
	if out.Lt(&in) {
		a.Lose(new(ledger.Amount).Sub(&in, &out))
	}
	s.Got(self, a.Receive)
	if in.Lt(&out) { // new coins, or of parents that are not held
		a.Gain(new(ledger.Amount).Sub(&out, &in))
	}
}
