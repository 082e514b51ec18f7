package parquet

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"

	pq "github.com/parquet-go/parquet-go"

	"coldtrail/ledger"
)

// partPrefix begins the names of the files of an export.
const partPrefix = "part-"

// partBlocks is how many blocks one file of an export holds.
var partBlocks = 100_000

// groupRows is how many rows of a file are compressed together; they are in memory
// until then.
const groupRows = 1 << 17

// A BlockError says why a block cannot be written in this layout.
type BlockError struct {
	Block  ledger.Height
	Reason string
}

// Error is "block N: reason".
func (e *BlockError) Error() string { return fmt.Sprintf("block %d: %s", e.Block, e.Reason) }

// Write writes blocks of one EVM chain into a folder, in the layout of the AWS public
// data set: amounts in base units as text, hashes and addresses as 0x and digits. What
// the layout lacks stands in further columns and tables, so that Open gives the very
// blocks back, but for their provenance. The folder must be empty or not there yet. A
// block that the layout cannot hold is a *BlockError. After an error the folder holds
// the parts that were complete.
func Write(ctx context.Context, dir string, chain ledger.Chain, blocks iter.Seq2[*ledger.Block, error]) (err error) {
	if chain.Family() != ledger.Account {
		return fmt.Errorf("%s is not an EVM chain; this layout has no unspent outputs", chain.Short())
	}
	if err := prepare(dir); err != nil {
		return err
	}
	w := &exporter{dir: dir, chain: chain}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.abandon())
		}
	}()
	last, some := ledger.Height(0), false
	for b, err := range blocks {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.Chain != chain || some && b.Height <= last {
			return &BlockError{b.Height, fmt.Sprintf("a block of %s does not follow block %d of %s", b.Chain, last, chain)}
		}
		if err := w.add(b); err != nil {
			return err
		}
		last, some = b.Height, true
	}
	if !some {
		return errors.New("there is no block to write")
	}
	return w.finish()
}

// prepare makes the folder, which must be empty.
func prepare(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty; an export needs a folder of its own", dir)
	}
	return os.MkdirAll(dir, 0o750)
}

// exporter writes a part at a time, a file for every table.
type exporter struct {
	dir   string
	chain ledger.Chain
	part  int
	held  int // blocks in the part
	open  []closer
	rows  rowWriters
}

// closer is a file of the part.
type closer struct {
	file   *os.File
	writer io.Closer
	path   string // its final name
}

// rowWriters are the tables of the part.
type rowWriters struct {
	blocks       *pq.GenericWriter[blockRow]
	transactions *pq.GenericWriter[txRow]
	logs         *pq.GenericWriter[logRow]
	tokens       *pq.GenericWriter[tokenRow]
	traces       *pq.GenericWriter[traceRow]
	freezes      *pq.GenericWriter[freezeRow]
	openings     *pq.GenericWriter[openingRow]
}

// begin opens a part. The table blocks comes last, so that a part that was cut off is
// seen to be.
func (w *exporter) begin() error {
	return errors.Join(
		tableFile(w, transactions, &w.rows.transactions), tableFile(w, logs, &w.rows.logs), tableFile(w, tokenTransfers, &w.rows.tokens),
		tableFile(w, traces, &w.rows.traces), tableFile(w, freezes, &w.rows.freezes), tableFile(w, openings, &w.rows.openings),
		tableFile(w, blocks, &w.rows.blocks),
	)
}

func tableFile[T any](w *exporter, t table, into **pq.GenericWriter[T]) error {
	folder := filepath.Join(w.dir, t.String())
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	path := filepath.Join(folder, fmt.Sprintf("%s%06d.parquet", partPrefix, w.part))
	file, err := os.OpenFile(path+".partial", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	*into = pq.NewGenericWriter[T](file, pq.Compression(&pq.Zstd), pq.MaxRowsPerRowGroup(groupRows),
		pq.KeyValueMetadata(ownKey, ownForm), pq.KeyValueMetadata(chainKey, string(w.chain)))
	w.open = append(w.open, closer{file, *into, path})
	return nil
}

// finish completes the part.
func (w *exporter) finish() error {
	for _, c := range w.open {
		if err := errors.Join(c.writer.Close(), c.file.Sync(), c.file.Close()); err != nil {
			return fmt.Errorf("%s: %w", c.path, err)
		}
	}
	for _, c := range w.open {
		if err := os.Rename(c.path+".partial", c.path); err != nil {
			return err
		}
	}
	w.open, w.held = nil, 0
	w.part++
	return nil
}

// abandon removes the part that is not complete.
func (w *exporter) abandon() (err error) {
	for _, c := range w.open {
		_ = c.file.Close() // it is removed
		if removeErr := os.Remove(c.path + ".partial"); !errors.Is(removeErr, os.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}

// add writes one block.
func (w *exporter) add(b *ledger.Block) error {
	if w.held == partBlocks {
		if err := w.finish(); err != nil {
			return err
		}
	}
	if w.open == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.held++
	r, err := w.rowsOf(b)
	if err != nil {
		return &BlockError{b.Height, err.Error()}
	}
	return errors.Join(
		put(w.rows.blocks, []blockRow{r.block}), put(w.rows.transactions, r.txs), put(w.rows.logs, r.logs), put(w.rows.tokens, r.tokens),
		put(w.rows.traces, r.traces), put(w.rows.freezes, r.freezes), put(w.rows.openings, r.openings),
	)
}

func put[T any](w *pq.GenericWriter[T], rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := w.Write(rows)
	return err
}

// small checks that a position fits the layout.
func small(what string, n uint32) (int64, error) {
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("%s is %d, above %d", what, n, math.MaxInt32)
	}
	return int64(n), nil
}

// addressText is an address in the layout's spelling; empty for none.
func addressText(a *ledger.Address) string {
	if a.IsZero() {
		return ""
	}
	return "0x" + hex.EncodeToString(a.Bytes())
}

// optional is nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func hashText(h ledger.Hash) *string {
	if h.IsZero() {
		return nil
	}
	return optional("0x" + h.String())
}
