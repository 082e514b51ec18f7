package attribution

import (
	"context"
	"errors"
	"slices"

	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
	"coldtrail/store"
)

// peels follows peel chains forward from every transaction that the subject made and
// that no chain passed before.
func (c *conduct) peels(ctx context.Context, steps []behaviour.Step, numbers []store.TxNumber) (found []behaviour.Finding, err error) {
	passed := map[store.TxNumber]bool{}
	for i := range steps {
		spends := slices.ContainsFunc(steps[i].In, func(in behaviour.Part) bool { return in.Own })
		if !spends || passed[numbers[i]] {
			continue
		}
		if c.exhausted() {
			c.leaveOut("peel chains from transaction %s on: at most %d steps are followed", c.chain.FormatHash(steps[i].Tx), c.bound.Hops)
			break
		}
		chain, walked, err := c.peel(ctx, numbers[i])
		if err != nil {
			return nil, err
		}
		for _, n := range walked {
			passed[n] = true
		}
		found = append(found, behaviour.PeelChain(chain, c.o.Parameters)...)
	}
	return found, nil
}

// exhausted says that no more may be followed.
func (c *conduct) exhausted() bool { return c.hops >= c.bound.Hops || c.parts > 2*maxParts }

// peel follows one chain from a transaction, output by output, to where a step is none,
// the output is not spent or the bounds end it.
func (c *conduct) peel(ctx context.Context, from store.TxNumber) (steps []behaviour.Step, walked []store.TxNumber, err error) {
	for next := from; next < c.end; {
		if len(steps) >= c.bound.Path || c.exhausted() {
			c.leaveOut("a peel chain beyond transaction %s: at most %d steps of one and %d of all are followed", c.chain.FormatHash(steps[len(steps)-1].Tx), c.bound.Path, c.bound.Hops)
			break
		}
		c.hops++
		p, err := c.peelAt(ctx, next)
		if err != nil {
			return nil, nil, err
		}
		if p == nil {
			break
		}
		steps, walked = append(steps, p.step), append(walked, next)
		next = p.spender
	}
	return steps, walked, c.name(ctx, receivers(steps))
}

func receivers(steps []behaviour.Step) (list []*behaviour.Party) {
	for i := range steps {
		for j := range steps[i].Out {
			list = append(list, &steps[i].Out[j].Party)
		}
	}
	return list
}

// peeled is one step of a peel chain, and what spends its rest.
type peeled struct {
	step    behaviour.Step
	spender store.TxNumber // NoTx where nothing before the cut-off does
}

// peelAt judges one transaction; nil where it peels nothing off.
func (c *conduct) peelAt(ctx context.Context, number store.TxNumber) (*peeled, error) {
	txs, err := Resolved(ctx, c.store, c.chain, []store.TxNumber{number})
	if err != nil {
		return nil, err
	}
	tx := txs[0]
	c.parts += len(tx.Inputs) + len(tx.Outputs)
	mix := mixing(c.chain)(tx)
	if mix != cluster.Included {
		return nil, nil //nolint:nilnil // several owners; not one who peels
	}
	together, err := c.together(ctx, tx)
	if err != nil {
		return nil, err
	}
	change, err := c.change(ctx, tx, number)
	if err != nil {
		return nil, err
	}
	judged := *tx
	if together {
		judged.Inputs = slices.Clone(tx.Inputs)
		for i := range judged.Inputs {
			judged.Inputs[i].Address = judged.Inputs[0].Address
		}
	}
	on, ok := behaviour.PeelStep(&judged, change, c.o.Parameters)
	if !ok {
		return nil, nil //nolint:nilnil // no step of a peel chain
	}
	p := &peeled{step: c.spend(tx, nil)}
	for i := range p.step.In {
		p.step.In[i].Own = together
	}
	p.step.Out[on].Own = change == on
	spender, err := c.spender(ctx, number, on)
	if err != nil {
		return nil, err
	}
	if p.spender = spender; spender != store.NoTx {
		ids, err := c.store.IDs(ctx, c.chain, []store.TxNumber{spender})
		if err != nil {
			return nil, err
		}
		p.step.Out[on].Spender = ids[0]
	}
	for i := range tx.Outputs { // data carries nothing on, whatever is burnt with it
		if tx.Outputs[i].Unspendable {
			p.step.Out[i].Amount.Clear()
		}
	}
	return p, nil
}

// spender is what spent an output before the cut-off.
func (c *conduct) spender(ctx context.Context, tx store.TxNumber, output int) (store.TxNumber, error) {
	txs, err := c.store.Transactions(ctx, c.chain, []store.TxNumber{tx})
	if err != nil {
		return store.NoTx, err
	}
	outputs, err := c.store.Outputs(ctx, c.chain, []store.OutputNumber{txs[0].FirstOutput + store.OutputNumber(output)})
	if err != nil || outputs[0].Spender >= c.end {
		return store.NoTx, err
	}
	return outputs[0].Spender, nil
}

// together says that clusters give all inputs of several addresses to one owner.
func (c *conduct) together(ctx context.Context, tx *ledger.Resolved) (bool, error) {
	if c.o.Clusters == nil || len(tx.Inputs) < 2 {
		return false, nil
	}
	var root cluster.Member
	seen := map[ledger.Address]bool{}
	for i := range tx.Inputs {
		a := tx.Inputs[i].Address
		if a.IsZero() {
			return false, nil
		}
		if seen[a] {
			continue
		}
		seen[a] = true
		m, err := c.o.Clusters.member(ctx, a)
		if errors.Is(err, ErrNoMember) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		r := c.o.Clusters.forest.RootAt(m, c.links)
		if i > 0 && r != root {
			return false, nil
		}
		root = r
	}
	return true, nil
}

// change is the output that the rules take for the change, or -1.
func (c *conduct) change(ctx context.Context, tx *ledger.Resolved, number store.TxNumber) (int, error) {
	if c.o.Change == nil {
		return -1, nil
	}
	known, err := c.known(ctx, tx, number)
	if err != nil {
		return -1, err
	}
	return c.o.Change.In(tx, &cluster.Facts{Outputs: known}).Output, nil
}

// lookedAt is how many appearances of an output's address are looked at, from its first
// and from the transaction on: rules tell none from one from more.
const lookedAt = 16

// known is what the ledger holds of the outputs' addresses up to the cut-off.
func (c *conduct) known(ctx context.Context, tx *ledger.Resolved, number store.TxNumber) ([]cluster.Known, error) {
	questions := make([]store.Since, 0, 2*len(tx.Outputs))
	for i := range tx.Outputs {
		a := tx.Outputs[i].Address
		questions = append(questions, store.Since{Address: a, Limit: lookedAt}, store.Since{Address: a, From: number, Limit: lookedAt})
	}
	histories, err := c.store.History(ctx, c.chain, questions)
	if err != nil {
		return nil, err
	}
	list := make([]cluster.Known, len(tx.Outputs))
	for i := range list {
		k := &list[i]
		received, spent := map[store.TxNumber]bool{}, map[store.TxNumber]bool{}
		for _, t := range append(histories[2*i], histories[2*i+1]...) {
			switch {
			case t.Tx >= c.end || tx.Outputs[i].Address.IsZero():
			case t.Spent:
				spent[t.Tx] = true
			default:
				received[t.Tx] = true
				k.ReusedAfter = k.ReusedAfter || t.Tx > number
			}
			k.SeenBefore = k.SeenBefore || t.Tx < number
		}
		k.Received, k.Spent = uint32(len(received)), uint32(len(spent))
	}
	return list, nil
}
