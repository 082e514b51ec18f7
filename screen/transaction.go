package screen

import (
	"context"
	"slices"
	"time"

	"coldtrail/attribution"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
	"coldtrail/store"
)

// parties are who gave and who took value in a transaction.
type parties struct {
	chain              ledger.Chain
	senders, receivers []ledger.Address
}

// transactionWait bounds how long the ledger may take to find a transaction.
const transactionWait = 2 * time.Second

// transaction judges a transaction by its parties: what is known of who sent counts as
// received by it, one hop further away, and of who was paid as sent. One that the ledger
// does not hold is unknown.
func (k *Knowledge) transaction(q *exposure.Question) exposure.Verdict {
	ctx, cancel := context.WithTimeout(context.Background(), transactionWait)
	defer cancel()
	subject := policy.Subject{Address: q.Subject, Chain: q.Chain}
	p, err := k.parties(ctx, q)
	if err != nil || p == nil {
		subject.Stale = err != nil
		v := k.policy.Decide(q, subject, nil, k.now())
		v.Subject, v.Purpose = q.Subject, q.Purpose
		return v
	}
	subject.Chain = string(p.chain)
	subject.Held, subject.Seen = k.age(p.chain, p.chain.Family())
	var facts []exposure.Fact
	for _, side := range []struct {
		list      []ledger.Address
		direction exposure.Direction
	}{{p.senders, exposure.Received}, {p.receivers, exposure.Sent}} {
		for _, a := range side.list {
			for _, f := range k.facts(&target{keys: []ledger.Address{a}, chain: p.chain}) {
				facts = append(facts, dealt(&f, side.direction))
			}
		}
	}
	facts = policy.Normal(facts)
	v := k.policy.Decide(q, subject, facts, k.now())
	v.Subject, v.Chain, v.Purpose = q.Subject, string(p.chain), q.Purpose
	return v
}

// dealt turns a fact about a party of a transaction into one about the transaction.
func dealt(f *exposure.Fact, direction exposure.Direction) exposure.Fact {
	d := *f
	switch d.Kind {
	case exposure.Labelled, exposure.Owned:
		d.Kind, d.Direction, d.Hops = exposure.Dealt, direction, 1
	case exposure.Tainted, exposure.Dealt:
		d.Direction, d.Hops = direction, d.Hops+1
	}
	return d
}

// parties finds a transaction in any chain that is held, or in the one asked for.
func (k *Knowledge) parties(ctx context.Context, q *exposure.Question) (*parties, error) {
	id, err := ledger.ParseHash(q.Subject)
	if err != nil {
		return nil, err
	}
	for _, c := range k.chains {
		if q.Chain != "" && string(c.chain) != q.Chain {
			continue
		}
		numbers, err := k.store.Find(ctx, c.chain, []ledger.Hash{id})
		if err != nil {
			return nil, err
		}
		if numbers[0] == store.NoTx {
			continue
		}
		if c.chain.Family() == ledger.UTXO {
			return k.spend(ctx, c.chain, numbers)
		}
		movements, err := k.store.Movements(ctx, c.chain, numbers)
		if err != nil {
			return nil, err
		}
		p := &parties{chain: c.chain, senders: []ledger.Address{movements[0].Tx.Fee.Payer}}
		for i := range movements[0].Tx.Transfers {
			t := &movements[0].Tx.Transfers[i]
			p.senders, p.receivers = append(p.senders, t.From), append(p.receivers, t.To)
		}
		return p.distinct(), nil
	}
	return nil, nil //nolint:nilnil // not held
}

func (k *Knowledge) spend(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) (*parties, error) {
	txs, err := attribution.Resolved(ctx, k.store, chain, numbers)
	if err != nil {
		return nil, err
	}
	p := &parties{chain: chain}
	for i := range txs[0].Inputs {
		p.senders = append(p.senders, txs[0].Inputs[i].Address)
	}
	for i := range txs[0].Outputs {
		p.receivers = append(p.receivers, txs[0].Outputs[i].Address)
	}
	return p.distinct(), nil
}

// distinct leaves each party once, and change out of who was paid.
func (p *parties) distinct() *parties {
	once := func(list []ledger.Address, not []ledger.Address) (out []ledger.Address) {
		for _, a := range list {
			if !a.IsZero() && !slices.Contains(out, a) && !slices.Contains(not, a) {
				out = append(out, a)
			}
		}
		return out
	}
	p.senders = once(p.senders, nil)
	p.receivers = once(p.receivers, p.senders)
	return p
}
