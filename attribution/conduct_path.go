package attribution

import (
	"context"
	"slices"

	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

const (
	// busy is how many transactions an address may have and still be one that passes
	// money on.
	busy = 64
	// mostSwaps bounds the changes of asset at one address.
	mostSwaps = 8
)

// paths follows what the subject sent, where the receiver got it once and sent it once,
// and so on: chains of such receivers are layering, what comes back a round trip.
func (c *conduct) paths(ctx context.Context, subject *behaviour.Subject) (layered, returned []behaviour.Finding, err error) {
	var first []*behaviour.Subject
	if len(subject.Steps) <= busy {
		first = []*behaviour.Subject{subject}
	}
	known := map[ledger.Address]*behaviour.Subject{}
	for _, start := range c.starts(subject) {
		if c.exhausted() {
			c.leaveOut("paths from the payment to %s in %s on: at most %d hops are followed", c.o.Notation.FormatAddress(start.To), c.chain.FormatHash(start.Tx), c.bound.Hops)
			break
		}
		p := &trail{known: known, hops: first, legs: []behaviour.Leg{start}}
		if err := c.walk(ctx, p); err != nil {
			return nil, nil, err
		}
		layered = addNew(layered, behaviour.Layering(p.hops, c.o.Parameters)...)
		if f, ok := behaviour.RoundTrip(c.own, p.legs, c.o.Parameters); ok {
			returned = addNew(returned, f)
		}
	}
	return layered, returned, nil
}

// addNew adds findings that are not there yet: paths may share their hops.
func addNew(list []behaviour.Finding, more ...behaviour.Finding) []behaviour.Finding {
	for i := range more {
		same := func(f behaviour.Finding) bool { return f.Text == more[i].Text && slices.Equal(f.Txs, more[i].Txs) }
		if !slices.ContainsFunc(list, same) {
			list = append(list, more[i])
		}
	}
	return list
}

// starts are the payments of the subject to addresses that it paid once in an asset.
func (c *conduct) starts(subject *behaviour.Subject) (list []behaviour.Leg) {
	type paid struct {
		to    ledger.Address
		asset ledger.Asset
	}
	times := map[paid]int{}
	for i := range subject.Steps {
		out, _ := c.moved(&subject.Steps[i], func(a ledger.Address) bool { return c.own[a] })
		for _, leg := range out {
			if !leg.To.IsZero() {
				list = append(list, leg)
				times[paid{leg.To, leg.Asset}]++
			}
		}
	}
	return slices.DeleteFunc(list, func(leg behaviour.Leg) bool { return times[paid{leg.To, leg.Asset}] > 1 })
}

// moved lists what a transaction moves out of and into the hands of somebody.
func (c *conduct) moved(st *behaviour.Step, own func(ledger.Address) bool) (out, in []behaviour.Leg) {
	leg := behaviour.Leg{Chain: c.chain, Tx: st.Tx, Time: st.Time}
	if st.Mix != "" {
		return nil, nil
	}
	for i := range st.Moves {
		m := &st.Moves[i]
		from, to := own(m.From.Address), own(m.To.Address)
		if from == to || !c.real(m.Asset, &m.Amount) {
			continue
		}
		leg.From, leg.To, leg.Asset, leg.Amount = m.From.Address, m.To.Address, m.Asset, m.Amount
		if from {
			out = append(out, leg)
		} else {
			in = append(in, leg)
		}
	}
	spends := false
	payers := map[ledger.Address]bool{}
	for i := range st.In {
		payers[st.In[i].Address] = true
		if own(st.In[i].Address) && !spends {
			spends, leg.From = true, st.In[i].Address
		}
	}
	for i := range st.Out {
		o := &st.Out[i]
		if !c.real(o.Asset, &o.Amount) || own(o.Address) == spends || spends && payers[o.Address] {
			continue
		}
		leg.To, leg.Asset, leg.Amount = o.Address, o.Asset, o.Amount
		if spends {
			out = append(out, leg)
		} else {
			in = append(in, leg)
		}
	}
	return out, in
}

// trail is a walk forward: the hops passed, with their records, and the movements.
type trail struct {
	known map[ledger.Address]*behaviour.Subject // read before; nil where too busy
	hops  []*behaviour.Subject
	legs  []behaviour.Leg
}

// walk follows the last movement of a path for as long as every hop got the asset once
// and sent it once; where it swapped it, what it got for it.
func (c *conduct) walk(ctx context.Context, p *trail) error {
	seen := map[ledger.Address]bool{}
	for range c.bound.Path {
		at := p.legs[len(p.legs)-1].To
		if c.own[at] || seen[at] || at.IsZero() || c.exhausted() {
			return nil
		}
		seen[at] = true
		hop, err := c.hop(ctx, p, at)
		if hop == nil || err != nil {
			return err
		}
		p.hops = append(p.hops, hop)
		if !c.pass(p, hop, at) {
			return nil
		}
	}
	c.leaveOut("a path beyond %s: at most %d hops of one path are followed", c.o.Notation.FormatAddress(p.legs[len(p.legs)-1].To), c.bound.Path)
	return nil
}

// hop reads the whole record of an address; nil where it is too busy to be a hop.
func (c *conduct) hop(ctx context.Context, p *trail, a ledger.Address) (*behaviour.Subject, error) {
	if hop, read := p.known[a]; read {
		return hop, nil
	}
	c.hops++
	p.known[a] = nil
	numbers, until, err := c.touching(ctx, []ledger.Address{a}, busy)
	if err != nil || until < c.end || len(numbers) == 0 {
		return nil, err
	}
	own := map[ledger.Address]bool{a: true}
	steps, err := c.read(ctx, numbers, own)
	if err != nil {
		return nil, err
	}
	p.known[a] = &behaviour.Subject{Own: own, Steps: steps}
	return p.known[a], nil
}

// pass adds what a hop did with what the last movement brought, and says whether it sent
// it on.
func (c *conduct) pass(p *trail, hop *behaviour.Subject, at ledger.Address) bool {
	for range mostSwaps {
		asset := p.legs[len(p.legs)-1].Asset
		out, swapped, ok := c.only(hop, at, asset)
		if !ok {
			return false
		}
		p.legs = append(p.legs, out)
		if swapped == nil {
			return true
		}
		p.legs = append(p.legs, *swapped)
	}
	return false
}

// only is the one sending of an asset by a hop that got it once, and what it got in
// another asset by the same transaction, if that is one receipt.
func (c *conduct) only(hop *behaviour.Subject, at ledger.Address, asset ledger.Asset) (out behaviour.Leg, swapped *behaviour.Leg, ok bool) {
	receipts, sendings := 0, 0
	for i := range hop.Steps {
		outs, ins := c.moved(&hop.Steps[i], func(a ledger.Address) bool { return a == at })
		for j := range outs {
			if outs[j].Asset == asset {
				out, sendings = outs[j], sendings+1
				swapped = other(ins, asset)
			}
		}
		for j := range ins {
			if ins[j].Asset == asset {
				receipts++
				ok = sendings == 0 // it came before it went
			}
		}
	}
	return out, swapped, ok && receipts == 1 && sendings == 1
}

// other is the one receipt of another asset, as a leg that a swap joins.
func other(ins []behaviour.Leg, asset ledger.Asset) *behaviour.Leg {
	if len(ins) != 1 || ins[0].Asset == asset {
		return nil
	}
	leg := ins[0]
	leg.Joined = true
	return &leg
}
