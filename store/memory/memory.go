// Package memory is the reference store: plain slices and maps, correct before
// fast. It is the oracle that every other store is compared with, and it serves
// scenarios and small investigations.
package memory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Store keeps chains in memory. Its zero value is not usable; call New.
type Store struct {
	mu     sync.RWMutex
	chains map[ledger.Chain]*chain
	labels labels
}

// New makes an empty store.
func New() *Store { return &Store{chains: map[ledger.Chain]*chain{}} }

// Close does nothing; there is nothing to keep.
func (*Store) Close() error { return nil }

// chain is one chain: its blocks, and for every question an index over them.
type chain struct {
	id      ledger.Chain
	blocks  []*ledger.Block
	content []ledger.Hash    // running content digest after each block
	firstTx []store.TxNumber // of each block
	txs     []txEntry
	outputs []outputEntry
	byID    map[ledger.Hash][]store.TxNumber // the last is the one meant (BIP-30)
	history map[ledger.Address][]store.Touch
	opening map[store.Holding][]ledger.Opening // by rising height

	unspent      uint64
	unspentValue uint64
}

type txEntry struct {
	block       int // index in blocks
	index       int // index in the block's transactions
	inputs      []store.Input
	firstOutput store.OutputNumber
}

type outputEntry struct {
	tx          store.TxNumber
	index       uint32
	output      ledger.Output
	spender     store.TxNumber
	overwritten bool
}

func newChain(id ledger.Chain) *chain {
	return &chain{
		id: id, byID: map[ledger.Hash][]store.TxNumber{}, history: map[ledger.Address][]store.Touch{},
		opening: map[store.Holding][]ledger.Opening{},
	}
}

// Append adds blocks, all or none.
func (s *Store) Append(ctx context.Context, blocks []*ledger.Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	undo := map[ledger.Chain]ledger.Height{} // first height added to each chain
	for _, b := range blocks {
		err := ctx.Err()
		var added bool
		if err == nil {
			added, err = s.append(b)
		}
		if err != nil {
			for id, height := range undo {
				s.rewind(id, height)
			}
			return err
		}
		if _, ok := undo[b.Chain]; added && !ok {
			undo[b.Chain] = b.Height
		}
	}
	return nil
}

func (s *Store) append(b *ledger.Block) (added bool, err error) {
	c := s.chains[b.Chain]
	if c == nil {
		c = newChain(b.Chain)
	}
	held, err := c.link(b)
	if held || err != nil {
		return false, err
	}
	if err := c.check(b); err != nil {
		return false, fmt.Errorf("block %d: %w", b.Height, err)
	}
	c.add(b)
	s.chains[b.Chain] = c
	return true, nil
}

// link says whether the block is held already, and refuses one that does not
// continue the chain.
func (c *chain) link(b *ledger.Block) (held bool, err error) {
	if len(c.blocks) == 0 {
		return false, nil
	}
	head := c.blocks[len(c.blocks)-1]
	return store.Head{Height: head.Height, Hash: head.Hash}.Link(b, func(height ledger.Height) (identity ledger.Hash, ok bool) {
		at := c.from(height)
		if c.blocks[at].Height != height {
			return identity, false
		}
		return store.Identity(c.blocks[at]), true
	})
}

// check refuses inputs that are spent already, not made yet, or worth less than
// what they pay for.
func (c *chain) check(b *ledger.Block) error {
	if c.id.Family() == ledger.Account {
		return nil
	}
	made := map[ledger.Outpoint]ledger.Output{} // in this block
	spent := map[ledger.Outpoint]bool{}
	for i := range b.Txs {
		tx := &b.Txs[i]
		if tx.Coinbase != (len(tx.Inputs) == 0) {
			return fmt.Errorf("transaction %s: a coinbase has no inputs, and only a coinbase", tx.ID)
		}
		var in, out uint64
		known := true
		for _, outpoint := range tx.Inputs {
			value, ok, err := c.spendable(b, outpoint, made)
			if err == nil && spent[outpoint] {
				err = fmt.Errorf("output %s:%d is spent already", outpoint.Tx, outpoint.Index)
			}
			if err != nil {
				return fmt.Errorf("transaction %s: %w", tx.ID, err)
			}
			spent[outpoint] = true
			known = known && ok
			in += value
		}
		for j := range tx.Outputs {
			made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = tx.Outputs[j]
			out += tx.Outputs[j].Value
		}
		if !tx.Coinbase && known && in < out {
			return fmt.Errorf("transaction %s pays %d out of %d", tx.ID, out, in)
		}
	}
	return nil
}

// spendable gives the value of an output that may be spent now. An unknown parent
// is possible only where the chain is not held from its start.
func (c *chain) spendable(b *ledger.Block, outpoint ledger.Outpoint, made map[ledger.Outpoint]ledger.Output) (value uint64, known bool, err error) {
	if o, ok := made[outpoint]; ok {
		if o.Unspendable {
			return 0, true, fmt.Errorf("output %s:%d can never be spent", outpoint.Tx, outpoint.Index)
		}
		return o.Value, true, nil
	}
	number := c.number(outpoint)
	if number == store.NoOutput {
		first := b.Height
		if len(c.blocks) > 0 {
			first = c.blocks[0].Height
		}
		if first == 0 {
			return 0, false, fmt.Errorf("output %s:%d does not exist", outpoint.Tx, outpoint.Index)
		}
		return 0, false, nil
	}
	o := &c.outputs[number]
	switch {
	case o.output.Unspendable || o.overwritten:
		return 0, true, fmt.Errorf("output %s:%d can never be spent", outpoint.Tx, outpoint.Index)
	case o.spender != store.NoTx:
		return 0, true, fmt.Errorf("output %s:%d is spent already", outpoint.Tx, outpoint.Index)
	}
	return o.output.Value, true, nil
}

func (c *chain) number(outpoint ledger.Outpoint) store.OutputNumber {
	numbers := c.byID[outpoint.Tx]
	if len(numbers) == 0 {
		return store.NoOutput
	}
	tx := &c.txs[numbers[len(numbers)-1]]
	if int(outpoint.Index) >= len(c.tx(tx).Outputs) {
		return store.NoOutput
	}
	return tx.firstOutput + store.OutputNumber(outpoint.Index)
}

func (c *chain) tx(e *txEntry) *ledger.Tx { return &c.blocks[e.block].Txs[e.index] }

// add takes a checked block in.
func (c *chain) add(b *ledger.Block) {
	var before ledger.Hash
	if len(c.content) > 0 {
		before = c.content[len(c.content)-1]
	}
	c.content = append(c.content, store.ChainContent(before, b.Height, store.Identity(b)))
	c.firstTx = append(c.firstTx, store.TxNumber(len(c.txs)))
	c.blocks = append(c.blocks, b)
	for i := range b.Openings {
		o := b.Openings[i]
		h := store.Holding{Address: o.Address, Asset: o.Asset}
		c.opening[h] = append(c.opening[h], o)
	}
	for i := range b.Txs {
		if c.id.Family() == ledger.UTXO {
			c.addOutputs(&b.Txs[i], i)
		} else {
			c.addMovements(&b.Txs[i], i)
		}
	}
}

func (c *chain) addOutputs(tx *ledger.Tx, index int) {
	number := store.TxNumber(len(c.txs))
	entry := txEntry{block: len(c.blocks) - 1, index: index, firstOutput: store.OutputNumber(len(c.outputs))}
	var spent []store.Touch
	for _, outpoint := range tx.Inputs {
		in := store.Input{Output: c.number(outpoint)}
		if in.Output == store.NoOutput {
			in.Outpoint = outpoint
		} else {
			o := &c.outputs[in.Output]
			in.Value = o.output.Value
			o.spender = number
			c.count(o, -1)
			if !o.output.Address.IsZero() {
				spent = append(spent, store.Touch{Tx: number, Output: in.Output, Value: in.Value, Spent: true})
			}
		}
		entry.inputs = append(entry.inputs, in)
	}
	c.overwrite(tx.ID)
	for i := range tx.Outputs {
		o := outputEntry{tx: number, index: uint32(i), output: tx.Outputs[i], spender: store.NoTx}
		c.count(&o, 1)
		if a := o.output.Address; !a.IsZero() {
			c.history[a] = append(c.history[a], store.Touch{Tx: number, Output: store.OutputNumber(len(c.outputs)), Value: o.output.Value})
		}
		c.outputs = append(c.outputs, o)
	}
	slices.SortStableFunc(spent, func(a, b store.Touch) int { return int(a.Output) - int(b.Output) })
	for _, touch := range spent {
		a := c.outputs[touch.Output].output.Address
		c.history[a] = append(c.history[a], touch)
	}
	c.txs = append(c.txs, entry)
	c.byID[tx.ID] = append(c.byID[tx.ID], number)
}

// count keeps the totals of spendable outputs.
func (c *chain) count(o *outputEntry, change int) {
	if o.output.Unspendable || o.overwritten {
		return
	}
	if change > 0 {
		c.unspent++
		c.unspentValue += o.output.Value
	} else {
		c.unspent--
		c.unspentValue -= o.output.Value
	}
}

// overwrite makes the unspent outputs of an earlier transaction with the same
// identifier unspendable, as happened to two coinbases before BIP-30.
func (c *chain) overwrite(id ledger.Hash) {
	for _, number := range c.byID[id] {
		tx := &c.txs[number]
		for i := range c.tx(tx).Outputs {
			if o := &c.outputs[tx.firstOutput+store.OutputNumber(i)]; o.spender == store.NoTx && !o.overwritten {
				c.count(o, -1)
				o.overwritten = true
			}
		}
	}
}

func (c *chain) addMovements(tx *ledger.Tx, index int) {
	number := store.TxNumber(len(c.txs))
	for _, a := range store.Touched(tx) {
		c.history[a] = append(c.history[a], store.Touch{Tx: number, Output: store.NoOutput})
	}
	c.txs = append(c.txs, txEntry{block: len(c.blocks) - 1, index: index})
	c.byID[tx.ID] = append(c.byID[tx.ID], number)
}

// Rewind removes blocks from a height on. It builds the chain again from the
// blocks that stay: the reference store has no second way to get it wrong.
func (s *Store) Rewind(ctx context.Context, id ledger.Chain, from ledger.Height) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rewind(id, from)
	return nil
}

func (s *Store) rewind(id ledger.Chain, from ledger.Height) {
	old := s.chains[id]
	if old == nil || old.blocks[len(old.blocks)-1].Height < from {
		return
	}
	delete(s.chains, id)
	c := newChain(id)
	for _, b := range old.blocks {
		if b.Height < from {
			c.add(b)
			s.chains[id] = c
		}
	}
}

// Status lists the chains held.
func (s *Store) Status(ctx context.Context) ([]store.Status, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]store.Status, 0, len(s.chains))
	for _, c := range s.chains {
		head := c.blocks[len(c.blocks)-1]
		status := store.Status{
			Chain: c.id, First: c.blocks[0].Height, Height: head.Height, Hash: head.Hash, Time: head.Time,
			Blocks: uint64(len(c.blocks)), Txs: uint64(len(c.txs)), Content: c.content[len(c.content)-1],
		}
		for _, b := range c.blocks {
			status.Weakest = ledger.Weakest(status.Weakest, b.Provenance)
			status.Txs -= store.Issuances(b)
		}
		if c.id.Family() == ledger.UTXO {
			status.UnspentOutputs, status.UnspentValue = c.unspent, c.unspentValue
		} else {
			status.Accounts = uint64(len(c.history))
		}
		out = append(out, status)
	}
	slices.SortFunc(out, func(a, b store.Status) int { return strings.Compare(string(a.Chain), string(b.Chain)) })
	return out, ctx.Err()
}

// view runs a question against a chain under the read lock.
func (s *Store) view(ctx context.Context, id ledger.Chain, ask func(*chain) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.chains[id]
	if c == nil {
		return fmt.Errorf("%w: %s", store.ErrUnknownChain, id.Short())
	}
	return ask(c)
}

// stream takes what a question selects under the lock and yields it after.
func stream[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// from is the index of the first block at or above a height.
func (c *chain) from(height ledger.Height) int {
	at, _ := slices.BinarySearchFunc(c.blocks, height, func(b *ledger.Block, h ledger.Height) int { return int(b.Height) - int(h) })
	return at
}

// Headers yields headers from a height on.
func (s *Store) Headers(ctx context.Context, id ledger.Chain, from ledger.Height) iter.Seq2[store.Header, error] {
	var headers []store.Header
	err := s.view(ctx, id, func(c *chain) error {
		for i := c.from(from); i < len(c.blocks); i++ {
			b := c.blocks[i]
			headers = append(headers, store.Header{
				Height: b.Height, Hash: b.Hash, Time: b.Time, Provenance: b.Provenance, FirstTx: c.firstTx[i], Txs: uint32(len(b.Txs)),
			})
		}
		return nil
	})
	return stream(headers, err)
}

// Find gives the numbers of transactions.
func (s *Store) Find(ctx context.Context, id ledger.Chain, ids []ledger.Hash) ([]store.TxNumber, error) {
	out := make([]store.TxNumber, len(ids))
	return out, s.view(ctx, id, func(c *chain) error {
		for i := range ids {
			out[i] = store.NoTx
			if numbers := c.byID[ids[i]]; len(numbers) > 0 {
				out[i] = numbers[len(numbers)-1]
			}
		}
		return nil
	})
}

// History gives what touched addresses.
func (s *Store) History(ctx context.Context, id ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	out := make([][]store.Touch, len(questions))
	return out, s.view(ctx, id, func(c *chain) error {
		for i, q := range questions {
			all := c.history[q.Address]
			at, _ := slices.BinarySearchFunc(all, q.From, func(t store.Touch, n store.TxNumber) int {
				if t.Tx < n {
					return -1
				}
				return 1
			})
			touches := all[at:]
			if q.Limit > 0 && len(touches) > q.Limit {
				touches = touches[:q.Limit]
			}
			out[i] = append([]store.Touch{}, touches...)
		}
		return nil
	})
}
