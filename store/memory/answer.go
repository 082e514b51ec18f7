package memory

import (
	"context"
	"fmt"
	"iter"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Numbers resolves outpoints.
func (s *Store) Numbers(ctx context.Context, id ledger.Chain, outpoints []ledger.Outpoint) ([]store.OutputNumber, error) {
	out := make([]store.OutputNumber, len(outpoints))
	return out, s.view(ctx, id, func(c *chain) error {
		for i := range outpoints {
			out[i] = c.number(outpoints[i])
		}
		return nil
	})
}

// IDs gives the identifiers of transactions.
func (s *Store) IDs(ctx context.Context, id ledger.Chain, numbers []store.TxNumber) ([]ledger.Hash, error) {
	out := make([]ledger.Hash, len(numbers))
	return out, s.view(ctx, id, func(c *chain) error {
		for i, number := range numbers {
			if uint64(number) >= uint64(len(c.txs)) {
				return fmt.Errorf("transaction number %d is not held", number)
			}
			out[i] = c.tx(&c.txs[number]).ID
		}
		return nil
	})
}

// Outputs describes outputs.
func (s *Store) Outputs(ctx context.Context, id ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	out := make([]store.Output, len(numbers))
	return out, s.view(ctx, id, func(c *chain) error {
		for i, number := range numbers {
			if uint64(number) >= uint64(len(c.outputs)) {
				return fmt.Errorf("output number %d is not held", number)
			}
			o := &c.outputs[number]
			out[i] = store.Output{
				Number: number, Outpoint: ledger.Outpoint{Tx: c.tx(&c.txs[o.tx]).ID, Index: o.index}, Value: o.output.Value,
				Address: o.output.Address, Unspendable: o.output.Unspendable || o.overwritten, Tx: o.tx, Spender: o.spender,
			}
		}
		return nil
	})
}

// Transactions describes transactions.
func (s *Store) Transactions(ctx context.Context, id ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	out := make([]store.Transaction, len(numbers))
	return out, s.view(ctx, id, func(c *chain) error {
		for i, number := range numbers {
			if uint64(number) >= uint64(len(c.txs)) {
				return fmt.Errorf("transaction number %d is not held", number)
			}
			out[i] = c.transaction(number)
		}
		return nil
	})
}

func (c *chain) transaction(number store.TxNumber) store.Transaction {
	e := &c.txs[number]
	block, tx := c.blocks[e.block], c.tx(e)
	t := store.Transaction{
		Number: number, Height: block.Height, Index: tx.Index, Time: block.Time, Coinbase: tx.Coinbase,
		Inputs: append([]store.Input(nil), e.inputs...), FirstOutput: e.firstOutput,
	}
	for i := range tx.Outputs {
		o := &c.outputs[e.firstOutput+store.OutputNumber(i)]
		t.Values = append(t.Values, o.output.Value)
		t.Unspendable = append(t.Unspendable, o.output.Unspendable || o.overwritten)
	}
	return t
}

// segmentTxs is about how many transactions a segment holds.
const segmentTxs = 4096

// Segments yields blocks as columns.
func (s *Store) Segments(ctx context.Context, id ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Segment, error] {
	var segments []*store.Segment
	err := s.view(ctx, id, func(c *chain) error {
		for i := c.from(from); i < len(c.blocks) && c.blocks[i].Height <= to; {
			segment := c.segment(&i, to)
			segments = append(segments, segment)
		}
		return nil
	})
	return stream(segments, err)
}

// Owned yields blocks as columns with their owners.
func (s *Store) Owned(ctx context.Context, id ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Owned, error] {
	var list []*store.Owned
	err := s.view(ctx, id, func(c *chain) error {
		for i := c.from(from); i < len(c.blocks) && c.blocks[i].Height <= to; {
			first := i
			list = append(list, c.own(c.segment(&i, to), first))
		}
		return nil
	})
	return stream(list, err)
}

// own adds the owners to a segment that begins with a block.
func (c *chain) own(segment *store.Segment, at int) *store.Owned {
	o := &store.Owned{Segment: *segment}
	for i := range len(o.BlockStart) - 1 {
		o.Hashes = append(o.Hashes, c.blocks[at+i].Hash)
	}
	for i := range o.Values {
		number := o.FirstOutput + store.OutputNumber(i)
		address := c.outputs[number].output.Address
		o.Kinds = append(o.Kinds, address.Kind)
		previous := store.NoOutput
		for _, touch := range c.history[address] {
			if !address.IsZero() && !touch.Spent && touch.Output < number {
				previous = touch.Output
			}
		}
		o.Previous = append(o.Previous, previous)
	}
	for _, input := range o.Inputs {
		var spent ledger.Output
		if input != store.NoOutput {
			spent = c.outputs[input].output
		}
		o.InputKinds = append(o.InputKinds, spent.Address.Kind)
		o.InputValues = append(o.InputValues, spent.Value)
	}
	for i := range len(o.InputStart) - 1 {
		o.Open = append(o.Open, c.tx(&c.txs[uint64(o.FirstTx)+uint64(i)]).Open)
	}
	return o
}

// segment takes blocks from index *at until it is large enough.
func (c *chain) segment(at *int, to ledger.Height) *store.Segment {
	first := c.firstTx[*at]
	seg := &store.Segment{First: c.blocks[*at].Height, BlockStart: []uint32{0}, FirstTx: first, InputStart: []uint32{0}, OutputStart: []uint32{0}}
	seg.FirstOutput = store.OutputNumber(len(c.outputs))
	if uint64(first) < uint64(len(c.txs)) {
		seg.FirstOutput = c.txs[first].firstOutput
	}
	number := first
	for ; *at < len(c.blocks) && c.blocks[*at].Height <= to && len(seg.InputStart) <= segmentTxs; *at++ {
		for range c.blocks[*at].Txs {
			e := &c.txs[number]
			for i := range e.inputs {
				seg.Inputs = append(seg.Inputs, e.inputs[i].Output)
			}
			for i := range c.tx(e).Outputs {
				seg.Values = append(seg.Values, c.tx(e).Outputs[i].Value)
			}
			seg.InputStart = append(seg.InputStart, uint32(len(seg.Inputs)))
			seg.OutputStart = append(seg.OutputStart, uint32(len(seg.Values)))
			number++
		}
		seg.BlockStart = append(seg.BlockStart, uint32(number-first))
	}
	return seg
}

// Movements describes account transactions.
func (s *Store) Movements(ctx context.Context, id ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	out := make([]store.Movement, len(numbers))
	return out, s.view(ctx, id, func(c *chain) error {
		for i, number := range numbers {
			if uint64(number) >= uint64(len(c.txs)) {
				return fmt.Errorf("transaction number %d is not held", number)
			}
			block := c.blocks[c.txs[number].block]
			out[i] = store.Movement{Number: number, Height: block.Height, Time: block.Time, Tx: *c.tx(&c.txs[number])}
		}
		return nil
	})
}

// Blocks yields whole blocks.
func (s *Store) Blocks(ctx context.Context, id ledger.Chain, from, to ledger.Height) iter.Seq2[*ledger.Block, error] {
	var blocks []*ledger.Block
	err := s.view(ctx, id, func(c *chain) error {
		for i := c.from(from); i < len(c.blocks) && c.blocks[i].Height <= to; i++ {
			blocks = append(blocks, c.blocks[i])
		}
		return nil
	})
	return stream(blocks, err)
}

// Said yields transactions that carry messages.
func (s *Store) Said(ctx context.Context, id ledger.Chain, from, to ledger.Height, topics map[ledger.Hash]bool) iter.Seq2[*store.Said, error] {
	var said []*store.Said
	err := s.view(ctx, id, func(c *chain) error {
		for i := c.from(from); i < len(c.blocks) && c.blocks[i].Height <= to; i++ {
			b := c.blocks[i]
			for j := range b.Txs {
				if !store.Speaks(&b.Txs[j], topics) {
					continue
				}
				tx := b.Txs[j]
				tx.Inputs = nil
				said = append(said, &store.Said{Number: c.firstTx[i] + store.TxNumber(j), Height: b.Height, Time: b.Time, Tx: &tx})
			}
		}
		return nil
	})
	return stream(said, err)
}

// Balances adds up what holdings held.
func (s *Store) Balances(ctx context.Context, id ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	out := make([]store.Balance, len(questions))
	return out, s.view(ctx, id, func(c *chain) error {
		for i := range questions {
			out[i] = c.balance(&questions[i])
		}
		return nil
	})
}

// balance starts from the latest opening stated before the transaction and goes
// through everything that touched the address since.
func (c *chain) balance(q *store.HoldingAt) (b store.Balance) {
	if q.Before > store.TxNumber(len(c.txs)) {
		q.Before = store.TxNumber(len(c.txs))
	}
	limit := c.blocks[len(c.blocks)-1].Height + 1
	if uint64(q.Before) < uint64(len(c.txs)) {
		limit = c.blocks[c.txs[q.Before].block].Height
	}
	since := ledger.Height(0)
	for _, o := range c.opening[q.Holding] {
		if o.Before <= limit && (!b.Known || o.Before >= since) {
			b, since = store.Balance{Amount: o.Amount, Known: true}, o.Before
		}
	}
	for _, touch := range c.history[q.Address] {
		e := &c.txs[min(uint64(touch.Tx), uint64(len(c.txs)-1))]
		if touch.Tx >= q.Before {
			break
		}
		b.Frozen = store.FrozenBy(c.tx(e), q.Holding, b.Frozen)
		if c.blocks[e.block].Height >= since {
			store.Settle(&b.Amount, q.Holding, c.id.Native(), c.tx(e))
		}
	}
	return b
}
