package behaviour

import "coldtrail/ledger"

// holding is an address of the subject and an asset; no address stands for the subject
// as a whole.
type holding struct {
	address ledger.Address
	asset   ledger.Asset
}

// book keeps what the subject holds, as far as its record tells. A holding that gives
// more than it had shows that the record is not complete; it is unknown from then on.
type book struct {
	v       *view
	held    map[holding]*total
	unknown map[holding]bool
	tokens  map[ledger.Address]int // tokens of which an address holds some
}

func newBook(v *view) *book {
	b := &book{v: v, held: map[holding]*total{}, unknown: map[holding]bool{}, tokens: map[ledger.Address]int{}}
	for i := range v.subject.Openings {
		o := &v.subject.Openings[i]
		b.give(holding{o.Address, o.Asset}, &o.Amount)
		if !o.Address.IsZero() {
			b.give(holding{asset: o.Asset}, &o.Amount)
		}
	}
	return b
}

// has is what a holding holds; false where that is not known.
func (b *book) has(h holding) (total, bool) {
	if held := b.held[h]; held != nil {
		return *held, !b.unknown[h]
	}
	return total{}, !b.unknown[h]
}

func (b *book) give(h holding, amount *ledger.Amount) {
	held := b.held[h]
	if held == nil {
		held = &total{}
		b.held[h] = held
	}
	if held.isZero() && !amount.IsZero() && isToken(h.asset) {
		b.tokens[h.address]++
	}
	held.add(amount)
}

func (b *book) take(h holding, amount *ledger.Amount) {
	held := b.held[h]
	if held == nil {
		held = &total{}
		b.held[h] = held
	}
	had := !held.isZero()
	if !held.take(amount) {
		b.unknown[h] = true
	}
	if had && held.isZero() && isToken(h.asset) {
		b.tokens[h.address]--
	}
}

// isToken says that an asset is no chain's own.
func isToken(asset ledger.Asset) bool {
	for i := 0; i+1 < len(asset); i++ {
		if asset[i] == '/' {
			return len(asset) < i+8 || asset[i+1:i+8] != "slip44:"
		}
	}
	return true
}

// step books a whole transaction.
func (b *book) step(i int) {
	st := b.v.steps[i]
	if st.Chain.Family() == ledger.UTXO {
		b.spend(st)
		return
	}
	for n := range st.Moves {
		b.move(st, &st.Moves[n])
	}
	b.fee(st)
}

func (b *book) move(st *Step, m *Move) {
	if !b.v.p.listed(st.Chain, m.Asset) {
		return
	}
	if b.v.owns(&m.From) {
		b.out(m.From.Address, m.Asset, &m.Amount)
	}
	if b.v.owns(&m.To) {
		b.in(m.To.Address, m.Asset, &m.Amount)
	}
}

func (b *book) fee(st *Step) {
	if b.v.own[st.Sender] {
		b.out(st.Sender, st.Chain.Native(), &st.Fee)
	}
}

func (b *book) spend(st *Step) {
	for i := range st.In {
		if in := &st.In[i]; b.v.owns(&in.Party) {
			b.out(in.Address, in.Asset, &in.Amount)
		}
	}
	for i := range st.Out {
		if out := &st.Out[i]; b.v.owns(&out.Party) {
			b.in(out.Address, out.Asset, &out.Amount)
		}
	}
}

// out and in book an amount at an address and at the subject as a whole.
func (b *book) out(address ledger.Address, asset ledger.Asset, amount *ledger.Amount) {
	b.take(holding{asset: asset}, amount)
	if !address.IsZero() {
		b.take(holding{address, asset}, amount)
	}
}

func (b *book) in(address ledger.Address, asset ledger.Asset, amount *ledger.Amount) {
	b.give(holding{asset: asset}, amount)
	if !address.IsZero() {
		b.give(holding{address, asset}, amount)
	}
}
