package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"sync"

	"coldtrail/ledger"
	"coldtrail/store"
)

// groupCache keeps the groups read last, decoded.
type groupCache struct {
	chain *utxo
	mu    sync.Mutex
	held  map[uint64]*group
	order []uint64 // oldest first
}

// cachedGroups bounds the memory of decoded groups to some tens of megabytes.
const cachedGroups = 24

// load reads the group that begins with a transaction.
func (gc *groupCache) load(first uint64) (*group, error) {
	gc.mu.Lock()
	defer gc.mu.Unlock()
	if g := gc.held[first]; g != nil {
		return g, nil
	}
	value, closer, err := gc.chain.store.db.Get(gc.chain.key(keyGroup, first))
	if err != nil {
		return nil, fmt.Errorf("%w: group of transaction %d: %w", store.ErrCorrupt, first, err)
	}
	g, err := decodeGroup(first, value)
	if err = errors.Join(err, closer.Close()); err != nil {
		return nil, err
	}
	if gc.held == nil {
		gc.held = map[uint64]*group{}
	}
	if len(gc.order) >= cachedGroups {
		delete(gc.held, gc.order[0])
		gc.order = slices.Delete(gc.order, 0, 1)
	}
	gc.held[first] = g
	gc.order = append(gc.order, first)
	return g, nil
}

func (gc *groupCache) clear() {
	gc.mu.Lock()
	defer gc.mu.Unlock()
	gc.held, gc.order = nil, nil
}

// view runs a question against a chain under the read lock.
func view[C chain](ctx context.Context, s *Store, id ledger.Chain, ask func(C) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.chains[id].(C)
	if !ok || len(c.base().headers) == 0 {
		return fmt.Errorf("%w: %s", store.ErrUnknownChain, id.Short())
	}
	return ask(c)
}

// idsOf gives the identifiers of transactions from the record.
func (c *utxo) idsOf(numbers []uint64) ([]ledger.Hash, error) {
	out := make([]ledger.Hash, len(numbers))
	for i, n := range numbers {
		if n >= c.txs() {
			continue // under way in this Append; nobody asks for it but addTwin
		}
		g, err := c.groups.load(c.of(n).group)
		if err != nil {
			return nil, err
		}
		at := n - g.firstTx
		if at >= uint64(len(g.inputs)) {
			return nil, fmt.Errorf("%w: transaction %d is not in its group", store.ErrCorrupt, n)
		}
		out[i] = ledger.Hash(g.ids[32*at : 32*at+32])
	}
	return out, nil
}

// find gives the number of a transaction, checked against the record.
func (c *utxo) find(id *ledger.Hash) (store.TxNumber, error) {
	number, ok := c.index.ids.get(c.index.hashID(id))
	if !ok {
		return store.NoTx, nil
	}
	ids, err := c.idsOf([]uint64{uint64(number)})
	if err != nil || ids[0] != *id {
		return store.NoTx, err
	}
	return store.TxNumber(number), nil
}

// Find gives the numbers of transactions.
func (s *Store) Find(ctx context.Context, id ledger.Chain, ids []ledger.Hash) ([]store.TxNumber, error) {
	out := make([]store.TxNumber, len(ids))
	return out, view(ctx, s, id, func(c chain) (err error) {
		for i := range ids {
			switch c := c.(type) {
			case *utxo:
				out[i], err = c.find(&ids[i])
			case *accounts:
				out[i], err = c.find(&ids[i])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// IDs gives the identifiers of transactions.
func (s *Store) IDs(ctx context.Context, id ledger.Chain, numbers []store.TxNumber) ([]ledger.Hash, error) {
	var out []ledger.Hash
	return out, view(ctx, s, id, func(c chain) (err error) {
		asked := make([]uint64, len(numbers))
		for i, n := range numbers {
			if uint64(n) >= c.base().txs() {
				return fmt.Errorf("transaction number %d is not held", n)
			}
			asked[i] = uint64(n)
		}
		switch c := c.(type) {
		case *utxo:
			out, err = c.idsOf(asked)
		case *accounts:
			out, err = c.idsOf(asked)
		}
		return err
	})
}

// Numbers resolves outpoints.
func (s *Store) Numbers(ctx context.Context, id ledger.Chain, outpoints []ledger.Outpoint) ([]store.OutputNumber, error) {
	out := make([]store.OutputNumber, len(outpoints))
	return out, view(ctx, s, id, func(c *utxo) error {
		for i := range outpoints {
			out[i] = store.NoOutput
			tx, err := c.find(&outpoints[i].Tx)
			if err != nil {
				return err
			}
			if tx == store.NoTx {
				continue
			}
			if ref := c.index.resolve(&outpoints[i]); ref != noRef {
				out[i] = store.OutputNumber(ref)
			}
		}
		return nil
	})
}

// maker is the transaction that made an output.
func (c *utxo) maker(output uint64) uint64 {
	at := sort.Search(len(c.headers), func(i int) bool { return c.headers[i].outputs > output }) - 1
	h := &c.headers[at]
	first := uint64(h.FirstTx)
	n := sort.Search(int(h.Txs), func(i int) bool { return uint64(c.index.firstOut.Data[first+uint64(i)+1]) > output })
	return first + uint64(n)
}

func spenderOf(word uint32) (tx store.TxNumber, unspendable bool) {
	switch word {
	case unspent:
		return store.NoTx, false
	case wordUnspendable, wordOverwritten:
		return store.NoTx, true
	}
	return store.TxNumber(word - 1), false
}

// Outputs describes outputs.
func (s *Store) Outputs(ctx context.Context, id ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	out := make([]store.Output, len(numbers))
	return out, view(ctx, s, id, func(c *utxo) error {
		for i, number := range numbers {
			if uint64(number) >= c.index.counts.outputs {
				return fmt.Errorf("output number %d is not held", number)
			}
			n := uint64(number)
			tx := c.maker(n)
			g, err := c.groups.load(c.of(tx).group)
			if err != nil {
				return err
			}
			at := n - g.firstOutput
			if at >= uint64(len(g.addresses)) || tx < g.firstTx || tx-g.firstTx >= uint64(len(g.inputs)) {
				return fmt.Errorf("%w: output %d is not in its group", store.ErrCorrupt, n)
			}
			o := &out[i]
			*o = store.Output{Number: number, Value: c.index.values.Data[n], Address: g.addresses[at], Tx: store.TxNumber(tx)}
			o.Outpoint = ledger.Outpoint{Tx: ledger.Hash(g.ids[32*(tx-g.firstTx):][:32]), Index: uint32(n - uint64(c.index.firstOut.Data[tx]))}
			o.Spender, o.Unspendable = spenderOf(c.index.spender.Data[n])
		}
		return nil
	})
}

// Transactions describes transactions.
func (s *Store) Transactions(ctx context.Context, id ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	out := make([]store.Transaction, len(numbers))
	return out, view(ctx, s, id, func(c *utxo) error {
		for i, number := range numbers {
			if uint64(number) >= c.index.counts.txs {
				return fmt.Errorf("transaction number %d is not held", number)
			}
			if err := c.transaction(uint64(number), &out[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *utxo) transaction(n uint64, t *store.Transaction) error {
	h, ix := c.of(n), c.index
	in, out := ix.refs.Data[ix.firstIn.Data[n]:ix.firstIn.Data[n+1]], ix.firstOut.Data[n]
	outputs := ix.firstOut.Data[n+1] - out
	*t = store.Transaction{
		Number: store.TxNumber(n), Height: h.Height, Index: uint32(n - uint64(h.FirstTx)), Time: h.Time, Coinbase: len(in) == 0,
		FirstOutput: store.OutputNumber(out),
	}
	if len(in) > 0 {
		t.Inputs = make([]store.Input, len(in))
	}
	for i, ref := range in {
		if ref == noRef {
			outpoint, err := c.unknownParent(n, i)
			if err != nil {
				return err
			}
			t.Inputs[i] = store.Input{Output: store.NoOutput, Outpoint: outpoint}
			continue
		}
		t.Inputs[i] = store.Input{Output: store.OutputNumber(ref), Value: ix.values.Data[ref]}
	}
	if outputs == 0 {
		return nil
	}
	t.Values = slices.Clone(ix.values.Data[out : out+outputs])
	t.Unspendable = make([]bool, outputs)
	for i := range t.Unspendable {
		_, t.Unspendable[i] = spenderOf(ix.spender.Data[out+uint32(i)])
	}
	return nil
}

// unknownParent reads from the record what an input without a parent spends.
func (c *utxo) unknownParent(tx uint64, input int) (ledger.Outpoint, error) {
	g, err := c.groups.load(c.of(tx).group)
	if err != nil {
		return ledger.Outpoint{}, err
	}
	at := input
	for _, n := range g.inputs[:tx-g.firstTx] {
		at += int(n)
	}
	return g.unknown[at], nil
}

// Headers yields headers from a height on.
func (s *Store) Headers(ctx context.Context, id ledger.Chain, from ledger.Height) iter.Seq2[store.Header, error] {
	return func(yield func(store.Header, error) bool) {
		var headers []header
		err := view(ctx, s, id, func(c chain) error {
			headers = c.base().headers
			headers = headers[c.base().from(from):len(headers):len(headers)]
			return nil
		})
		if err != nil {
			yield(store.Header{}, err)
			return
		}
		for i := range headers {
			if !yield(headers[i].Header, nil) {
				return
			}
		}
	}
}

// Segments yields blocks as columns.
func (s *Store) Segments(ctx context.Context, id ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Segment, error] {
	return func(yield func(*store.Segment, error) bool) {
		seg := &store.Segment{}
		for next := from; ; {
			done := true
			err := view(ctx, s, id, func(c *utxo) error {
				at := c.from(next)
				done = at == len(c.headers) || c.headers[at].Height > to
				if !done {
					next = c.segment(seg, at, to) + 1
				}
				return nil
			})
			if err != nil {
				yield(nil, err)
				return
			}
			if done || !yield(seg, nil) || next > to {
				return
			}
		}
	}
}

// segment fills seg with blocks from a header on and returns the last height.
func (c *utxo) segment(seg *store.Segment, at int, to ledger.Height) (last ledger.Height) {
	first := &c.headers[at]
	ix := c.index
	tx := uint64(first.FirstTx)
	seg.First, seg.FirstTx, seg.FirstOutput = first.Height, first.FirstTx, store.OutputNumber(first.outputs)
	seg.BlockStart = append(seg.BlockStart[:0], 0)
	for ; at < len(c.headers) && c.headers[at].Height <= to && len(seg.BlockStart) <= groupTxs; at++ {
		h := &c.headers[at]
		tx += uint64(h.Txs)
		last = h.Height
		seg.BlockStart = append(seg.BlockStart, uint32(tx-uint64(first.FirstTx)))
		if tx-uint64(first.FirstTx) >= groupTxs {
			break
		}
	}
	begin := uint64(first.FirstTx)
	firstIn, firstOut := ix.firstIn.Data[begin], ix.firstOut.Data[begin]
	seg.InputStart, seg.OutputStart = seg.InputStart[:0], seg.OutputStart[:0]
	for n := begin; n <= tx; n++ {
		seg.InputStart = append(seg.InputStart, ix.firstIn.Data[n]-firstIn)
		seg.OutputStart = append(seg.OutputStart, ix.firstOut.Data[n]-firstOut)
	}
	refs := ix.refs.Data[firstIn:ix.firstIn.Data[tx]]
	seg.Inputs = slices.Grow(seg.Inputs[:0], len(refs))[:len(refs)]
	for i, ref := range refs {
		seg.Inputs[i] = store.OutputNumber(ref)
		if ref == noRef {
			seg.Inputs[i] = store.NoOutput
		}
	}
	seg.Values = append(seg.Values[:0], ix.values.Data[firstOut:ix.firstOut.Data[tx]]...)
	return last
}

// Owned yields blocks as columns with their owners.
func (s *Store) Owned(ctx context.Context, id ledger.Chain, from, to ledger.Height) iter.Seq2[*store.Owned, error] {
	return func(yield func(*store.Owned, error) bool) {
		owned := &store.Owned{}
		for next := from; ; {
			done := true
			err := view(ctx, s, id, func(c *utxo) error {
				at := c.from(next)
				done = at == len(c.headers) || c.headers[at].Height > to
				if !done {
					next = c.segment(&owned.Segment, at, to) + 1
					c.own(owned, at)
				}
				return nil
			})
			if err != nil {
				yield(nil, err)
				return
			}
			if done || !yield(owned, nil) || next > to {
				return
			}
		}
	}
}

// own adds the owners to a segment that begins with a header.
func (c *utxo) own(o *store.Owned, at int) {
	ix := c.index
	o.Hashes = o.Hashes[:0]
	for i := range len(o.BlockStart) - 1 {
		o.Hashes = append(o.Hashes, c.headers[at+i].Hash)
	}
	first, n := uint64(o.FirstOutput), len(o.Values)
	o.Previous, o.Kinds = slices.Grow(o.Previous[:0], n)[:n], slices.Grow(o.Kinds[:0], n)[:n]
	previous, kinds := ix.prev.Data[first:first+uint64(n)], ix.kinds.Data[first:first+uint64(n)]
	for i := range n {
		o.Previous[i] = store.OutputNumber(uint64(previous[i]) - 1) // 0 becomes NoOutput
		o.Kinds[i] = ledger.AddressKind(kinds[i] &^ openBit)
	}
	o.Open = slices.Grow(o.Open[:0], len(o.OutputStart))[:len(o.OutputStart)-1]
	for i, out := range o.OutputStart[1:] {
		o.Open[i] = out > o.OutputStart[i] && kinds[o.OutputStart[i]]&openBit != 0
	}
	m := len(o.Inputs)
	o.InputKinds, o.InputValues = slices.Grow(o.InputKinds[:0], m)[:m], slices.Grow(o.InputValues[:0], m)[:m]
	for i, input := range o.Inputs {
		if input == store.NoOutput {
			o.InputKinds[i], o.InputValues[i] = ledger.NoAddress, 0
			continue
		}
		o.InputKinds[i], o.InputValues[i] = ledger.AddressKind(ix.kinds.Data[input]&^openBit), ix.values.Data[input]
	}
}

// History gives what touched addresses.
func (s *Store) History(ctx context.Context, id ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	out := make([][]store.Touch, len(questions))
	return out, view(ctx, s, id, func(c chain) (err error) {
		for i := range questions {
			switch c := c.(type) {
			case *utxo:
				out[i] = c.history(&questions[i])
			case *accounts:
				out[i], err = c.history(&questions[i])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// history walks the address's outputs from the newest back.
func (c *utxo) history(q *store.Since) []store.Touch {
	touches := []store.Touch{}
	ix := c.index
	at, ok := ix.heads.get(ix.hashAddress(&q.Address))
	for ok {
		output, value := store.OutputNumber(at), ix.values.Data[at]
		if tx := store.TxNumber(c.maker(uint64(at))); tx >= q.From {
			touches = append(touches, store.Touch{Tx: tx, Output: output, Value: value})
		}
		if spender, _ := spenderOf(ix.spender.Data[at]); spender != store.NoTx && spender >= q.From {
			touches = append(touches, store.Touch{Tx: spender, Output: output, Value: value, Spent: true})
		}
		if ok = ix.prev.Data[at] != 0; ok {
			at = ix.prev.Data[at] - 1
		}
	}
	slices.SortFunc(touches, func(a, b store.Touch) int {
		spent := 0
		if a.Spent != b.Spent {
			spent = 1
			if b.Spent {
				spent = -1
			}
		}
		return cmp.Or(cmp.Compare(a.Tx, b.Tx), spent, cmp.Compare(a.Output, b.Output))
	})
	if q.Limit > 0 && len(touches) > q.Limit {
		touches = touches[:q.Limit]
	}
	return touches
}
