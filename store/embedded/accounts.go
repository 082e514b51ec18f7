package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"coldtrail/ledger"
	"coldtrail/store"
)

// accounts is a chain of the account family: whole blocks, and postings by
// identifier and address.
type accounts struct {
	chainBase
	kept  int                     // headers before the Append under way
	fresh map[ledger.Address]bool // met by the Append under way
	known map[ledger.Address]bool // met before; not all of them

	balances balanceBook
}

func openAccounts(base chainBase) *accounts { return &accounts{chainBase: base} }

func (*accounts) close() error { return nil }

func (c *accounts) undo() error {
	c.headers = c.headers[:c.kept]
	return nil
}

// word is a key part of fixed length: kind, size and payload of an address.
func word(a *ledger.Address) []byte {
	return append(append([]byte{byte(a.Kind), a.Size}, a.Bytes()...), make([]byte, 32-int(a.Size))...)
}

func (c *accounts) append(ctx context.Context, b *pebble.Batch, blocks []*ledger.Block) (func() error, error) {
	c.kept = len(c.headers)
	fresh := map[ledger.Address]bool{} // seen in this batch
	c.fresh = fresh
	for _, block := range blocks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		held, err := c.link(block)
		if err != nil {
			return nil, err
		}
		if held {
			continue
		}
		if err := c.appendBlock(b, block); err != nil {
			return nil, fmt.Errorf("block %d: %w", block.Height, err)
		}
	}
	return func() error { c.remember(); return nil }, nil
}

func (c *accounts) appendBlock(b *pebble.Batch, block *ledger.Block) error {
	h := c.next(block)
	bare := *block
	bare.Txs = nil
	if err := b.Set(c.key(keyBlock, uint64(block.Height)), store.EncodeBlock(nil, &bare), nil); err != nil {
		return err
	}
	var encoded []byte
	for i := range block.Txs {
		tx := &block.Txs[i]
		number := uint64(h.FirstTx) + uint64(i)
		encoded = store.EncodeTx(encoded[:0], tx)
		if err := errors.Join(b.Set(c.idKey(&tx.ID, number), nil, nil), b.Set(c.key(keyMovement, number), encoded, nil)); err != nil {
			return err
		}
		for _, a := range store.Touched(tx) {
			if err := c.count(b, &h, &a, number); err != nil {
				return err
			}
			if err := b.Set(c.touchKey(&a, number), nil, nil); err != nil {
				return err
			}
		}
	}
	for i := range block.Openings {
		if err := c.putOpening(b, &block.Openings[i], uint64(block.Height)<<20+uint64(i)); err != nil {
			return err
		}
	}
	return c.put(b, &h)
}

// maxKnown bounds the addresses remembered as seen.
const maxKnown = 1 << 19

// count counts an address the chain has not seen before, and notes where it first
// was.
func (c *accounts) count(b *pebble.Batch, h *header, a *ledger.Address, number uint64) error {
	if c.fresh[*a] || c.known[*a] {
		return nil
	}
	c.fresh[*a] = true
	key := c.seenKey(a)
	_, closer, err := c.store.db.Get(key)
	if err == nil {
		return closer.Close()
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	h.accounts++
	return b.Set(key, binary.BigEndian.AppendUint64(nil, number), nil)
}

// remember keeps the addresses of a batch that is in the record.
func (c *accounts) remember() {
	if c.known == nil || len(c.known)+len(c.fresh) > maxKnown {
		c.known = make(map[ledger.Address]bool, len(c.fresh))
	}
	for a := range c.fresh {
		c.known[a] = true
	}
	c.fresh = nil
}

func (c *accounts) seenKey(a *ledger.Address) []byte {
	return append([]byte{keySeen, c.number}, word(a)...)
}

func (c *accounts) idKey(id *ledger.Hash, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{keyID, c.number}, id[:]...), number)
}

func (c *accounts) touchKey(a *ledger.Address, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{keyTouch, c.number}, word(a)...), number)
}

// openingPrefix begins the keys of a holding's openings.
func (c *accounts) openingPrefix(a *ledger.Address, asset ledger.Asset) []byte {
	key := append([]byte{keyOpening, c.number}, word(a)...)
	return append(append(key, asset...), 0)
}

func (c *accounts) putOpening(b *pebble.Batch, o *ledger.Opening, sequence uint64) error {
	key := binary.BigEndian.AppendUint64(c.openingPrefix(&o.Address, o.Asset), uint64(o.Before))
	key = binary.BigEndian.AppendUint64(key, sequence)
	return b.Set(key, o.Amount.Bytes(), nil)
}

// errStop ends a scan early.
var errStop = errors.New("stop")

func ignoreStop(err error) error {
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// rewind removes blocks with their postings, which the blocks themselves name.
func (c *accounts) rewind(b *pebble.Batch, from ledger.Height) (func() error, error) {
	at := c.from(from)
	if at == len(c.headers) {
		return func() error { return nil }, nil
	}
	c.known, c.fresh = nil, nil
	c.balances.clear()
	for i := at; i < len(c.headers); i++ {
		if err := c.removeBlock(b, &c.headers[i]); err != nil {
			return nil, err
		}
	}
	c.headers = c.headers[:at]
	return func() error { return nil }, nil
}

func (c *accounts) removeBlock(b *pebble.Batch, h *header) error {
	block, err := c.block(h.Height)
	if err != nil {
		return err
	}
	keys := [][]byte{c.key(keyBlock, uint64(h.Height)), c.key(keyHeader, uint64(h.Height))}
	for i := range block.Txs {
		number := uint64(h.FirstTx) + uint64(i)
		keys = append(keys, c.idKey(&block.Txs[i].ID, number), c.key(keyMovement, number))
		for _, a := range store.Touched(&block.Txs[i]) {
			keys = append(keys, c.touchKey(&a, number))
			first, err := c.firstSeen(&a)
			if err != nil {
				return err
			}
			if first == number {
				keys = append(keys, c.seenKey(&a))
			}
		}
	}
	for i := range block.Openings {
		o := &block.Openings[i]
		key := binary.BigEndian.AppendUint64(c.openingPrefix(&o.Address, o.Asset), uint64(o.Before))
		keys = append(keys, binary.BigEndian.AppendUint64(key, uint64(h.Height)<<20+uint64(i)))
	}
	for _, key := range keys {
		if err := b.Delete(key, nil); err != nil {
			return err
		}
	}
	return nil
}

// firstSeen is the transaction in which an address first was.
func (c *accounts) firstSeen(a *ledger.Address) (uint64, error) {
	value, closer, err := c.store.db.Get(c.seenKey(a))
	if err != nil {
		return 0, fmt.Errorf("%w: an address without its first transaction: %w", store.ErrCorrupt, err)
	}
	if len(value) != 8 {
		return 0, errors.Join(fmt.Errorf("%w: first transaction of an address", store.ErrCorrupt), closer.Close())
	}
	number := binary.BigEndian.Uint64(value)
	return number, closer.Close()
}

// block reads a whole block.
func (c *accounts) block(height ledger.Height) (*ledger.Block, error) {
	value, closer, err := c.store.db.Get(c.key(keyBlock, uint64(height)))
	if err != nil {
		return nil, fmt.Errorf("%w: block %d: %w", store.ErrCorrupt, height, err)
	}
	block, err := store.DecodeBlock(value)
	if err = errors.Join(err, closer.Close()); err != nil {
		return nil, err
	}
	at := c.from(height)
	if at == len(c.headers) || c.headers[at].Height != height {
		return nil, fmt.Errorf("%w: block %d has no header", store.ErrCorrupt, height)
	}
	h := &c.headers[at]
	if h.Txs > 0 {
		block.Txs = make([]ledger.Tx, 0, h.Txs)
	}
	err = c.store.span(c.key(keyMovement, uint64(h.FirstTx)), c.key(keyMovement, uint64(h.FirstTx)+uint64(h.Txs)), func(_, value []byte) error {
		tx, err := store.DecodeTx(value)
		if err == nil {
			block.Txs = append(block.Txs, *tx)
		}
		return err
	})
	if err == nil && len(block.Txs) != int(h.Txs) {
		err = fmt.Errorf("%w: block %d has %d of %d transactions", store.ErrCorrupt, height, len(block.Txs), h.Txs)
	}
	return block, err
}

// tx reads one transaction.
func (c *accounts) tx(number uint64) (*header, *ledger.Tx, error) {
	value, closer, err := c.store.db.Get(c.key(keyMovement, number))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: transaction number %d: %w", store.ErrCorrupt, number, err)
	}
	tx, err := store.DecodeTx(value)
	return c.of(number), tx, errors.Join(err, closer.Close())
}

func (c *accounts) find(id *ledger.Hash) (store.TxNumber, error) {
	found := store.NoTx
	err := c.store.scan(append([]byte{keyID, c.number}, id[:]...), func(key, _ []byte) error {
		found = store.TxNumber(binary.BigEndian.Uint64(key[34:]))
		return nil
	})
	return found, err
}

func (c *accounts) idsOf(numbers []uint64) ([]ledger.Hash, error) {
	out := make([]ledger.Hash, len(numbers))
	for i, n := range numbers {
		_, tx, err := c.tx(n)
		if err != nil {
			return nil, err
		}
		out[i] = tx.ID
	}
	return out, nil
}

func (c *accounts) history(q *store.Since) ([]store.Touch, error) {
	touches := []store.Touch{}
	prefix := append([]byte{keyTouch, c.number}, word(&q.Address)...)
	err := c.store.span(c.touchKey(&q.Address, uint64(q.From)), successor(prefix), func(key, _ []byte) error {
		number := store.TxNumber(binary.BigEndian.Uint64(key[len(key)-8:]))
		touches = append(touches, store.Touch{Tx: number, Output: store.NoOutput})
		if q.Limit > 0 && len(touches) == q.Limit {
			return errStop
		}
		return nil
	})
	return touches, ignoreStop(err)
}

// Movements describes account transactions.
func (s *Store) Movements(ctx context.Context, id ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	out := make([]store.Movement, len(numbers))
	return out, view(ctx, s, id, func(c *accounts) error {
		for i, number := range numbers {
			if uint64(number) >= c.txs() {
				return fmt.Errorf("transaction number %d is not held", number)
			}
			h, tx, err := c.tx(uint64(number))
			if err != nil {
				return err
			}
			out[i] = store.Movement{Number: number, Height: h.Height, Time: h.Time, Tx: *tx}
		}
		return nil
	})
}

// Blocks yields whole blocks.
func (s *Store) Blocks(ctx context.Context, id ledger.Chain, from, to ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for next := from; ; {
			var block *ledger.Block
			err := view(ctx, s, id, func(c *accounts) (err error) {
				if at := c.from(next); at < len(c.headers) && c.headers[at].Height <= to {
					block, err = c.block(c.headers[at].Height)
				}
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			if block == nil || !yield(block, nil) || block.Height == to {
				return
			}
			next = block.Height + 1
		}
	}
}

// Balances adds up what holdings held.
func (s *Store) Balances(ctx context.Context, id ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	out := make([]store.Balance, len(questions))
	return out, view(ctx, s, id, func(c *accounts) (err error) {
		for i := range questions {
			if out[i], err = c.balance(&questions[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// balance starts from the latest opening stated before the transaction, or from
// what it last worked out for the holding, and goes through everything that touched
// the address since.
func (c *accounts) balance(q *store.HoldingAt) (b store.Balance, err error) {
	before := min(uint64(q.Before), c.txs())
	limit := c.head().Height + 1
	if before < c.txs() {
		limit = c.of(before).Height
	}
	since := ledger.Height(0)
	err = c.store.scan(c.openingPrefix(&q.Address, q.Asset), func(key, value []byte) error {
		if stated := ledger.Height(binary.BigEndian.Uint64(key[len(key)-16:])); stated <= limit {
			b.Known, since = true, stated
			b.Amount.SetBytes(value)
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	from := uint64(0)
	if last, ok := c.balances.of(q.Holding); ok && last.before <= before && last.since == since {
		b, from = last.Balance, last.before
	}
	err = c.store.span(c.touchKey(&q.Address, from), c.touchKey(&q.Address, before), func(key, _ []byte) error {
		h, tx, err := c.tx(binary.BigEndian.Uint64(key[len(key)-8:]))
		if err != nil {
			return err
		}
		b.Frozen = store.FrozenBy(tx, q.Holding, b.Frozen)
		if h.Height >= since {
			store.Settle(&b.Amount, q.Holding, c.id.Native(), tx)
		}
		return nil
	})
	if err == nil {
		c.balances.keep(q.Holding, keptBalance{b, before, since})
	}
	return b, err
}

// balanceBook remembers what holdings held, so that a busy account is not added up
// from its beginning each time it is asked for. What it says stays true while the
// chain only grows.
type balanceBook struct {
	mu   sync.Mutex
	kept map[store.Holding]keptBalance
}

type keptBalance struct {
	store.Balance
	before uint64        // the transaction just before which it was so
	since  ledger.Height // of the opening it rests on
}

// maxBalances bounds the holdings remembered.
const maxBalances = 1 << 14

func (k *balanceBook) of(h store.Holding) (keptBalance, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	last, ok := k.kept[h]
	return last, ok
}

func (k *balanceBook) keep(h store.Holding, b keptBalance) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= maxBalances {
		k.kept = map[store.Holding]keptBalance{}
	}
	k.kept[h] = b
}

func (k *balanceBook) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = nil
}
