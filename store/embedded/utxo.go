package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"

	"coldtrail/ledger"
	"coldtrail/store"
)

// utxo is a chain of the UTXO family.
type utxo struct {
	chainBase
	index  *index
	writer groupWriter
	refs   []uint32
	groups groupCache

	before counts // of the Append under way
	kept   int    // headers before it
	twins  []twin // found by it
}

// twin is a transaction whose identifier an earlier one has too. Before BIP-30 two
// coinbases repeated others; what the earlier ones had unspent is lost.
type twin struct{ later, earlier uint32 }

// groupTxs is about how many transactions a group holds.
const groupTxs = 4096

func openUTXO(ctx context.Context, base chainBase) (*utxo, error) {
	c := &utxo{chainBase: base}
	c.groups.chain = c
	folder := filepath.Join(base.store.folder, indexFolder, fmt.Sprintf("chain-%d", base.number))
	var err error
	if c.index, err = openIndex(folder, base.store.seed); err != nil {
		return nil, err
	}
	record, err := c.recorded()
	if err == nil && !c.index.usable(record, c.head().content) {
		err = c.rebuild(ctx, folder)
	}
	c.before, c.kept = record, len(c.headers)
	if err == nil {
		err = c.dropTwins(record.txs, c.store.db)
	}
	if err != nil {
		return nil, errors.Join(err, c.index.unmap())
	}
	c.index.begin()
	return c, nil
}

// recorded is how much of the chain the record holds.
func (c *utxo) recorded() (counts, error) {
	if len(c.headers) == 0 {
		return counts{}, nil
	}
	h := c.head()
	n := counts{uint64(h.FirstTx), h.inputs, h.outputs}
	if h.Txs == 0 {
		return n, nil
	}
	g, err := c.groups.load(h.group)
	if err != nil {
		return n, err
	}
	for i := uint64(h.FirstTx) - g.firstTx; i < uint64(len(g.inputs)); i++ {
		n.txs++
		n.inputs += uint64(g.inputs[i])
		n.outputs += uint64(g.outputs[i])
	}
	return n, nil
}

// rebuild makes the index again from the record.
func (c *utxo) rebuild(ctx context.Context, folder string) error {
	if err := errors.Join(c.index.unmap(), os.RemoveAll(folder)); err != nil {
		return err
	}
	var err error
	if c.index, err = openIndex(folder, c.store.seed); err != nil {
		return err
	}
	c.index.begin()
	earlier := map[uint32]uint32{}
	err = c.eachTwin(0, func(t twin) error { earlier[t.later] = t.earlier; return nil })
	if err != nil {
		return err
	}
	total := c.txs()
	return c.store.scan([]byte{keyGroup, c.number}, func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := decodeGroup(binary.BigEndian.Uint64(key[2:]), value)
		if err != nil {
			return err
		}
		if c.store.options.Progress != nil {
			c.store.options.Progress(g.firstTx, total)
		}
		return g.each(func(tx *ledger.Tx, refs []uint32) error {
			if before, ok := earlier[uint32(c.index.counts.txs)]; ok {
				c.overwrite(before)
			}
			return c.index.add(tx, refs)
		})
	})
}

func (c *utxo) close() error { return c.index.close(c.head().content) }

// append checks and adds blocks. Until the batch is committed undo takes all back.
func (c *utxo) append(ctx context.Context, b *pebble.Batch, blocks []*ledger.Block) (func() error, error) {
	c.before, c.kept, c.twins = c.index.counts, len(c.headers), c.twins[:0]
	c.writer.reset(c.index.counts.txs, c.index.counts.outputs)
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
		if c.writer.txs >= groupTxs {
			if err := c.flush(b); err != nil {
				return nil, err
			}
		}
	}
	return func() error { return nil }, c.flush(b)
}

func (c *utxo) flush(b *pebble.Batch) error {
	if c.writer.txs == 0 {
		return nil
	}
	err := b.Set(c.key(keyGroup, c.writer.firstTx), c.writer.bytes(), nil)
	c.writer.reset(c.index.counts.txs, c.index.counts.outputs)
	return err
}

func (c *utxo) appendBlock(b *pebble.Batch, block *ledger.Block) error {
	h := c.next(block)
	h.inputs, h.outputs, h.group = c.index.counts.inputs, c.index.counts.outputs, c.writer.firstTx
	for i := range block.Txs {
		if err := c.appendTx(&h, &block.Txs[i]); err != nil {
			return fmt.Errorf("transaction %s: %w", block.Txs[i].ID, err)
		}
	}
	return c.put(b, &h)
}

func (c *utxo) appendTx(h *header, tx *ledger.Tx) error {
	if tx.Coinbase != (len(tx.Inputs) == 0) {
		return errors.New("a coinbase has no inputs, and only a coinbase")
	}
	if err := c.index.reserve(len(tx.Inputs), len(tx.Outputs)); err != nil {
		return err
	}
	in, known, err := c.spend(h, tx)
	if err != nil {
		return err
	}
	var out uint64
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		out += o.Value
		if !o.Unspendable {
			h.unspent++
			h.unspentValue += o.Value
		}
	}
	if !tx.Coinbase && known && in < out {
		return fmt.Errorf("pays %d out of %d", out, in)
	}
	if earlier, ok := c.index.ids.get(c.index.hashID(&tx.ID)); ok {
		if err := c.addTwin(h, tx, earlier); err != nil {
			return err
		}
	}
	if err := c.index.add(tx, c.refs); err != nil {
		return err
	}
	c.writer.add(tx, c.refs)
	return nil
}

// spend resolves the inputs of a transaction and marks what they spend.
func (c *utxo) spend(h *header, tx *ledger.Tx) (in uint64, known bool, err error) {
	c.refs = c.refs[:0]
	number := uint32(c.index.counts.txs)
	complete := h.Height == 0 || len(c.headers) > 0 && c.headers[0].Height == 0
	known = true
	for i := range tx.Inputs {
		outpoint := &tx.Inputs[i]
		ref := c.index.resolve(outpoint)
		c.index.refs.Data[c.index.counts.inputs+uint64(i)] = ref
		c.refs = append(c.refs, ref)
		if ref == noRef {
			if complete {
				return 0, false, fmt.Errorf("output %s:%d does not exist", outpoint.Tx, outpoint.Index)
			}
			known = false
			continue
		}
		switch c.index.spender.Data[ref] {
		case unspent:
		case wordUnspendable, wordOverwritten:
			return 0, false, fmt.Errorf("output %s:%d can never be spent", outpoint.Tx, outpoint.Index)
		default:
			return 0, false, fmt.Errorf("output %s:%d is spent already", outpoint.Tx, outpoint.Index)
		}
		c.index.spender.Data[ref] = number + 1
		in += c.index.values.Data[ref]
		h.unspent--
		h.unspentValue -= c.index.values.Data[ref]
	}
	return in, known, nil
}

// addTwin notes that a transaction repeats an identifier. The note is on disk
// before the index forgets the earlier transaction, so that a kill loses neither.
func (c *utxo) addTwin(h *header, tx *ledger.Tx, earlier uint32) error {
	if uint64(earlier) < c.before.txs { // what this Append adds is not in the record yet
		ids, err := c.idsOf([]uint64{uint64(earlier)})
		if err != nil {
			return err
		}
		if ids[0] != tx.ID {
			return errors.New("its identifier collides with another under this store's seed; ingest into a new store")
		}
	}
	t := twin{uint32(c.index.counts.txs), earlier}
	var value [4]byte
	binary.BigEndian.PutUint32(value[:], earlier)
	if err := c.store.db.Set(c.key(keyTwin, uint64(t.later)), value[:], pebble.Sync); err != nil {
		return err
	}
	c.twins = append(c.twins, t)
	n, value64 := c.overwrite(earlier)
	h.unspent -= n
	h.unspentValue -= value64
	return nil
}

// overwrite bars the unspent outputs of a transaction; it says how many and what
// they were worth.
func (c *utxo) overwrite(tx uint32) (outputs, value uint64) {
	for at := c.index.firstOut.Data[tx]; at < c.index.firstOut.Data[tx+1]; at++ {
		if c.index.spender.Data[at] == unspent {
			c.index.spender.Data[at] = wordOverwritten
			outputs++
			value += c.index.values.Data[at]
		}
	}
	return outputs, value
}

// restore puts the earlier twin back, newest first.
func (c *utxo) restore(t twin, id *ledger.Hash) error {
	for at := c.index.firstOut.Data[t.earlier]; at < c.index.firstOut.Data[t.earlier+1]; at++ {
		if c.index.spender.Data[at] == wordOverwritten {
			c.index.spender.Data[at] = unspent
		}
	}
	return c.index.ids.put(c.index.hashID(id), t.earlier)
}

// eachTwin visits the twins from a transaction on, in order.
func (c *utxo) eachTwin(from uint64, visit func(twin) error) error {
	return c.store.scan([]byte{keyTwin, c.number}, func(key, value []byte) error {
		later := binary.BigEndian.Uint64(key[2:])
		if len(value) != 4 || later > most {
			return fmt.Errorf("%w: twin record", store.ErrCorrupt)
		}
		if later < from {
			return nil
		}
		return visit(twin{uint32(later), binary.BigEndian.Uint32(value)})
	})
}

// dropTwins forgets twins whose later transaction is gone, and restores the
// earlier ones.
func (c *utxo) dropTwins(from uint64, w pebble.Writer) error {
	var gone []twin
	if err := c.eachTwin(from, func(t twin) error { gone = append(gone, t); return nil }); err != nil {
		return err
	}
	for i := len(gone) - 1; i >= 0; i-- {
		if uint64(gone[i].earlier) < from {
			ids, err := c.idsOf([]uint64{uint64(gone[i].earlier)})
			if err != nil {
				return err
			}
			if err := c.restore(gone[i], &ids[0]); err != nil {
				return err
			}
		}
		if err := w.Delete(c.key(keyTwin, uint64(gone[i].later)), pebble.Sync); err != nil {
			return err
		}
	}
	return nil
}

// undo takes an Append back that did not commit.
func (c *utxo) undo() error {
	c.headers = c.headers[:c.kept]
	c.index.cut(c.before)
	return c.dropTwins(c.before.txs, c.store.db)
}

// rewind cuts the record; finish cuts the index once that is on disk.
func (c *utxo) rewind(b *pebble.Batch, from ledger.Height) (func() error, error) {
	at := c.from(from)
	if at == len(c.headers) {
		return func() error { return nil }, nil
	}
	first := &c.headers[at]
	to := counts{uint64(first.FirstTx), first.inputs, first.outputs}
	if err := c.cutGroups(b, first); err != nil {
		return nil, err
	}
	end := c.key(keyHeader)
	end[1]++
	if err := b.DeleteRange(c.key(keyHeader, uint64(first.Height)), end, nil); err != nil {
		return nil, err
	}
	c.headers = c.headers[:at]
	return func() error {
		c.groups.clear()
		c.index.cut(to)
		return c.dropTwins(to.txs, c.store.db)
	}, nil
}

// cutGroups removes the groups from a block on; the one that the block stands in
// the middle of is written again without its rest.
func (c *utxo) cutGroups(b *pebble.Batch, first *header) error {
	end := c.key(keyGroup)
	end[1]++
	if err := b.DeleteRange(c.key(keyGroup, first.group), end, nil); err != nil {
		return err
	}
	if first.group == uint64(first.FirstTx) {
		return nil
	}
	g, err := c.groups.load(first.group)
	if err != nil {
		return err
	}
	c.writer.reset(g.firstTx, g.firstOutput)
	err = g.each(func(tx *ledger.Tx, refs []uint32) error {
		if g.firstTx+c.writer.txs < uint64(first.FirstTx) {
			c.writer.add(tx, refs)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.Set(c.key(keyGroup, g.firstTx), c.writer.bytes(), nil)
}
