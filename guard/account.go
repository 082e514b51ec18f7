package guard

import (
	"slices"
	"strconv"

	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

// calls are the uses of contracts in a block: transactions that move value into one or
// out of one, or in which one writes an event. What only calls a contract and leaves
// neither behind is not seen.
func calls(s *settings, b *ledger.Block, block *at) (list []found) {
	for i := range b.Txs {
		tx := &b.Txs[i]
		if tx.Failed || tx.Coinbase || !touches(s, tx) {
			continue
		}
		f := flow{settings: s, tx: tx}
		e := breaker.Event{ID: string(b.Chain) + "/" + b.Chain.FormatHash(tx.ID), Moment: b.Time, Provisional: true}
		f.into(&e)
		f.outOf(&e)
		if e.Sender != "" {
			list = append(list, found{e, block})
		}
	}
	return list
}

func touches(s *settings, tx *ledger.Tx) bool {
	for i := range tx.Transfers {
		if s.own[tx.Transfers[i].To] || s.own[tx.Transfers[i].From] {
			return true
		}
	}
	return slices.ContainsFunc(tx.Messages, func(m ledger.Message) bool { return m.Kind == ledger.Log && s.own[m.Contract] })
}

// flow is what one transaction moved.
type flow struct {
	*settings

	tx    *ledger.Tx
	asset ledger.Asset // that went in
}

func (f *flow) format(a ledger.Address) string {
	if a.IsZero() {
		return ""
	}
	return f.notation.FormatAddress(a)
}

// into fills in who uses the contract, and with what. The origin is who paid the
// transaction's fee, for only the account that signed it does; the sender is who handed
// the value over, which may be an aggregator.
func (f *flow) into(e *breaker.Event) {
	payer := f.tx.Fee.Payer
	var first *ledger.Transfer
	for i := range f.tx.Transfers {
		t := &f.tx.Transfers[i]
		if f.own[t.To] && !f.own[t.From] && !t.Amount.IsZero() {
			first = t
			break
		}
	}
	if first == nil { // value only came out, or went around the contract
		for i := range f.tx.Transfers {
			if t := &f.tx.Transfers[i]; t.From == payer && !payer.IsZero() && !t.Amount.IsZero() {
				first = t
				break
			}
		}
	}
	e.Sender = f.format(payer)
	if first == nil {
		return
	}
	var sum ledger.Amount
	for i := range f.tx.Transfers {
		if t := &f.tx.Transfers[i]; t.Asset == first.Asset && t.To == first.To && t.From == first.From {
			add(&sum, &t.Amount)
		}
	}
	f.asset, e.Asset, e.Amount = first.Asset, first.Asset, exposure.Decimal{Amount: sum}
	if sender := f.format(first.From); sender != "" {
		e.Sender = sender
	}
	if origin := f.format(payer); origin != "" && origin != e.Sender {
		e.Origin = origin
	}
}

// outOf fills in the route and who ends up with the proceeds: of the asset that last
// reached somebody who kept it, other than what went in, whoever kept the most.
func (f *flow) outOf(e *breaker.Event) {
	gains := f.gains()
	var last *ledger.Transfer
	for i := len(f.tx.Transfers) - 1; i >= 0; i-- {
		t := &f.tx.Transfers[i]
		if g := gains[whose{t.To, t.Asset}]; f.own[t.To] || t.To.IsZero() || g.IsZero() {
			continue
		}
		if last == nil {
			last = t
		}
		if t.Asset != f.asset {
			last = t
			break
		}
	}
	if last == nil || last.Asset == f.asset && last.To != f.tx.Fee.Payer && f.asset != "" && !f.left(last) {
		e.Route = string(f.asset) + ">"
		return
	}
	to, most := last.To, gains[whose{last.To, last.Asset}]
	for i := range f.tx.Transfers {
		t := &f.tx.Transfers[i]
		if g := gains[whose{t.To, t.Asset}]; t.Asset == last.Asset && !f.own[t.To] && g.Gt(&most) {
			to, most = t.To, g
		}
	}
	e.Route, e.Receiver = string(f.asset)+">"+string(last.Asset), f.format(to)
}

// left says whether a transfer came out of one of the venue's contracts.
func (f *flow) left(t *ledger.Transfer) bool { return f.own[t.From] }

// whose is a holding.
type whose struct {
	address ledger.Address
	asset   ledger.Asset
}

// gains is what everybody has more of after the transaction.
func (f *flow) gains() map[whose]ledger.Amount {
	in, out := map[whose]ledger.Amount{}, map[whose]ledger.Amount{}
	book := func(to map[whose]ledger.Amount, at whose, amount *ledger.Amount) {
		sum := to[at]
		add(&sum, amount)
		to[at] = sum
	}
	for i := range f.tx.Transfers {
		t := &f.tx.Transfers[i]
		book(in, whose{t.To, t.Asset}, &t.Amount)
		book(out, whose{t.From, t.Asset}, &t.Amount)
	}
	for at, sum := range in {
		less := out[at]
		if sum.Lt(&less) {
			less = sum
		}
		sum.Sub(&sum, &less)
		in[at] = sum
	}
	return in
}

// add adds without overflow: what is too much stays at the greatest number.
func add(sum, amount *ledger.Amount) {
	if _, over := sum.AddOverflow(sum, amount); over {
		sum.SetAllOne()
	}
}

// transfers are the payments into and out of wallets in a block. What goes between the
// venue's own wallets is nobody's use.
func transfers(s *settings, b *ledger.Block, block *at) (list []found) {
	for i := range b.Txs {
		tx := &b.Txs[i]
		if tx.Failed || tx.Coinbase {
			continue
		}
		for n := range tx.Transfers {
			t := &tx.Transfers[n]
			if s.own[t.To] == s.own[t.From] || t.Amount.IsZero() || t.From.IsZero() || t.To.IsZero() {
				continue
			}
			e := breaker.Event{
				ID:     string(b.Chain) + "/" + b.Chain.FormatHash(tx.ID) + "/" + strconv.Itoa(n),
				Moment: b.Time, Asset: t.Asset, Amount: exposure.Decimal{Amount: t.Amount}, Provisional: true,
			}
			if s.own[t.To] {
				e.Route, e.Sender = string(t.Asset)+">", s.notation.FormatAddress(t.From)
				if payer := tx.Fee.Payer; !payer.IsZero() && payer != t.From && !s.own[payer] {
					e.Origin = s.notation.FormatAddress(payer)
				}
			} else {
				to := s.notation.FormatAddress(t.To)
				e.Route, e.Sender, e.Receiver = ">"+string(t.Asset), to, to
			}
			list = append(list, found{e, block})
		}
	}
	return list
}
