package embedded

import (
	"context"
	"iter"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Said yields transactions that carry messages, a group or a block at a time.
func (s *Store) Said(ctx context.Context, id ledger.Chain, from, to ledger.Height, topics map[ledger.Hash]bool) iter.Seq2[*store.Said, error] {
	return func(yield func(*store.Said, error) bool) {
		for next := from; next <= to; {
			said, last, err := s.saidFrom(ctx, id, next, to, topics)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range said {
				if !yield(&said[i], nil) {
					return
				}
			}
			next = last + 1
		}
	}
}

// saidFrom reads the next group or block, and says up to which height.
func (s *Store) saidFrom(ctx context.Context, id ledger.Chain, from, to ledger.Height, topics map[ledger.Hash]bool) (said []store.Said, last ledger.Height, err error) {
	last = to
	err = view(ctx, s, id, func(c chain) (err error) {
		base := c.base()
		at := base.from(from)
		if at == len(base.headers) || base.headers[at].Height > to {
			return nil
		}
		switch c := c.(type) {
		case *utxo:
			said, at, err = c.said(at, to)
		case *accounts:
			said, err = c.said(at, topics)
		}
		last = base.headers[at].Height
		return err
	})
	return said, last, err
}

// said reads the group of a block, and of those after it that share the group. It
// returns the last block that it covered.
func (c *utxo) said(at int, to ledger.Height) (said []store.Said, last int, err error) {
	first := &c.headers[at]
	last = at
	for last+1 < len(c.headers) && c.headers[last+1].group == first.group && c.headers[last+1].Height <= to {
		last++
	}
	end := uint64(c.headers[last].FirstTx) + uint64(c.headers[last].Txs)
	if end == uint64(first.FirstTx) {
		return nil, last, nil
	}
	g, err := c.groups.load(first.group)
	if err != nil {
		return nil, last, err
	}
	out := 0
	for i := range g.inputs {
		number := g.firstTx + uint64(i)
		outputs := int(g.outputs[i])
		if number >= uint64(first.FirstTx) && number < end && len(g.messages[i]) > 0 {
			tx := &ledger.Tx{ID: ledger.Hash(g.ids[32*i : 32*i+32]), Coinbase: g.inputs[i] == 0, Messages: g.messages[i], Open: g.open[i]}
			h := c.of(number)
			tx.Index = uint32(number - uint64(h.FirstTx))
			for j := range outputs {
				tx.Outputs = append(tx.Outputs, ledger.Output{Value: g.values[out+j], Address: g.addresses[out+j], Unspendable: g.barred[out+j]})
			}
			said = append(said, store.Said{Number: store.TxNumber(number), Height: h.Height, Time: h.Time, Tx: tx})
		}
		out += outputs
	}
	return said, last, nil
}

// said reads one block.
func (c *accounts) said(at int, topics map[ledger.Hash]bool) (said []store.Said, err error) {
	h := &c.headers[at]
	if h.Txs == 0 {
		return nil, nil
	}
	block, err := c.block(h.Height)
	if err != nil {
		return nil, err
	}
	for i := range block.Txs {
		if store.Speaks(&block.Txs[i], topics) {
			said = append(said, store.Said{Number: h.FirstTx + store.TxNumber(i), Height: h.Height, Time: h.Time, Tx: &block.Txs[i]})
		}
	}
	return said, nil
}
