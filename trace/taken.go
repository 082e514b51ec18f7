package trace

import (
	"context"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// crossingKey names a crossing, however crossings are numbered.
type crossingKey struct {
	protocol string
	chain    ledger.Chain
	tx       ledger.Hash
	position uint32
	asset    ledger.Asset
	nth      int // of those that are the same in all else
}

// taken is what a walk takes from elsewhere, by the transaction at which it does:
// thefts, deposits and payouts of bridges, credits of links.
type taken struct {
	thefts   map[store.TxNumber][]theftPart
	deposits map[store.TxNumber][]depositPart
	payouts  map[store.TxNumber][]payoutPart
	credits  map[store.TxNumber][]creditPart
	carriers map[store.TxNumber][]uint32
}

// theftPart is an output or a transfer that takes a colour.
type theftPart struct {
	at    uint64
	class taint.Class
}

type depositPart struct {
	key    crossingKey
	into   taint.Holding
	output uint32
	amount ledger.Amount
}

type payoutPart struct {
	key      crossingKey
	transfer int
	to       taint.Holding
	by       string
	vault    bool
	lots     []taint.Lot
	from     []taint.Leg
}

type creditPart struct {
	link int
	lots []taint.Lot
	from []taint.Leg
}

// takes lists what a walk of a chain would now take from elsewhere.
func (p *plan) takes(c *chainPlan, given *inflow) *taken {
	t := &taken{thefts: c.thefts, credits: map[store.TxNumber][]creditPart{}, deposits: map[store.TxNumber][]depositPart{}, payouts: map[store.TxNumber][]payoutPart{}}
	for i := range given.links {
		if l := &p.links[i]; l.to == c && len(given.links[i].lots) > 0 {
			t.credits[l.before] = append(t.credits[l.before], creditPart{i, given.links[i].lots, given.links[i].from})
		}
	}
	if p.bridges == nil {
		return t
	}
	t.carriers = p.bridges.carriers[c.chain]
	for number := range p.bridges.deposits[c.chain] {
		for _, d := range p.bridges.depositsIn(c.chain, number, given) {
			part := depositPart{p.bridges.keys[d.Crossing], d.Into, p.bridges.crossings[d.Crossing].Output, d.Amount}
			t.deposits[number] = append(t.deposits[number], part)
		}
	}
	for ref := range given.payouts {
		at := &p.bridges.crossings[ref.crossing].Payouts[ref.payout].Place
		number := store.TxNumber(at.Number)
		if at.Chain != c.chain || t.payouts[number] != nil {
			continue
		}
		for _, ref := range p.bridges.payouts[c.chain][number] {
			if paid, ok := p.paid(ref, given); ok {
				t.payouts[number] = append(t.payouts[number], payoutPart{p.bridges.keys[ref.crossing], paid.Transfer, paid.To, paid.By, paid.Vault, paid.Lots, paid.From})
			}
		}
	}
	return t
}

// firstChange is the first transaction at which two walks would take something else;
// store.NoTx where there is none.
func (t *taken) firstChange(now *taken) store.TxNumber {
	if t == nil {
		return 0
	}
	return min(
		firstOther(t.thefts, now.thefts, func(a, b theftPart) bool { return a == b }),
		firstOther(t.deposits, now.deposits, func(a, b depositPart) bool { return a == b }),
		firstOther(t.payouts, now.payouts, payoutPart.same),
		firstOther(t.credits, now.credits, func(a, b creditPart) bool {
			return a.link == b.link && slices.Equal(a.lots, b.lots) && sameLegs(a.from, b.from)
		}),
		firstOther(t.carriers, now.carriers, func(a, b uint32) bool { return a == b }),
	)
}

func (p payoutPart) same(o payoutPart) bool {
	return p.key == o.key && p.transfer == o.transfer && p.to == o.to && p.by == o.by && p.vault == o.vault && slices.Equal(p.lots, o.lots) && sameLegs(p.from, o.from)
}

func sameLegs(a, b []taint.Leg) bool {
	return slices.EqualFunc(a, b, func(x, y taint.Leg) bool {
		return x.Place == y.Place && x.Kind == y.Kind && slices.Equal(x.Lots, y.Lots)
	})
}

// firstOther is the first transaction at which two lists differ.
func firstOther[V any](before, now map[store.TxNumber][]V, same func(V, V) bool) store.TxNumber {
	first := store.NoTx
	for n, list := range before {
		if n < first && !slices.EqualFunc(list, now[n], same) {
			first = n
		}
	}
	for n, list := range now {
		if n < first && len(list) > 0 && len(before[n]) == 0 {
			first = n
		}
	}
	return first
}

// stopAnswer is what was said of an address: whether value stops there.
type stopAnswer struct {
	terminal taint.Terminal
	ok       bool
	// by is who said it.
	by answerer
}

type answerer uint8

const (
	byCase answerer = iota
	byBridge
	byLabels // or by nobody
)

// asked is an answer that a walk went by: first is the transaction at which it asked
// first, end where the chain ended as the answer was given.
type asked struct {
	stopAnswer

	first, end store.TxNumber
}

// recheck asks again what may have another answer now: of addresses that blocks touch
// which changed since, from a transaction on. Marks behind the first other answer go.
func (k *track) recheck(ctx context.Context, p *plan, c *chainPlan, changed store.TxNumber) error {
	addresses := make([]ledger.Address, 0, len(k.asked))
	questions := make([]store.Since, 0, len(k.asked))
	for a := range k.asked {
		addresses = append(addresses, a)
		questions = append(questions, store.Since{Address: a, From: changed, Limit: 1})
	}
	histories := make([][]store.Touch, len(addresses))
	if p.options.Terminals != nil && changed < c.end {
		var err error
		if histories, err = p.store.History(ctx, c.chain, questions); err != nil {
			return err
		}
	}
	from := store.NoTx
	for i, a := range addresses {
		before := k.asked[a]
		now, again := before.stopAnswer, len(histories[i]) > 0 || before.end > changed
		if again || before.by == byBridge != p.established(c, a) {
			now = p.answer(c, a)
		}
		switch {
		case now != before.stopAnswer:
			from = min(from, before.first)
		case again:
			before.end = c.end
			k.asked[a] = before
		}
	}
	k.drop(from)
	return nil
}
