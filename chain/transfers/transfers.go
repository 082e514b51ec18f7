// Package transfers reads what an analyst exports from an explorer: a CSV of value
// movements on an account chain, and opening balances beside it.
//
// Everything is checked before anything is kept: one bad row, and nothing of the
// import remains. docs/formats/transfers-csv.md describes the columns.
package transfers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"coldtrail/ledger"
)

// A RowError says what is wrong in a file, and where. Line counts from 1, the
// header included; Column is the name of the column, or empty for the whole row.
type RowError struct {
	File   string
	Line   int
	Column string
	Reason string
}

// Error is "file:line: column: reason".
func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Column, e.Reason)
}

// BalancesFile is the name of the file of opening balances.
const BalancesFile = "balances.csv"

// Source is a checked import.
type Source struct {
	blocks []*ledger.Block
	notes  []string
}

// Open reads a CSV file, or every CSV of a folder, and the balances beside it.
func Open(ctx context.Context, place string, chain ledger.Chain, notation ledger.Notation) (*Source, error) {
	if chain.Family() != ledger.Account {
		return nil, fmt.Errorf("transfers are for account chains; %s has no movements from one account to another", chain.Short())
	}
	paths, folder, err := find(place)
	if err != nil {
		return nil, err
	}
	t := table{chain: chain, notation: notation, blocks: map[ledger.Height]*blockRows{}, at: map[ledger.Hash]txPlace{}}
	for _, path := range paths {
		if err := t.read(ctx, path); err != nil {
			return nil, err
		}
	}
	s := &Source{}
	if s.blocks, err = t.finish(); err != nil {
		return nil, err
	}
	balances := filepath.Join(folder, BalancesFile)
	if _, err := os.Stat(balances); err == nil {
		if err := t.readBalances(ctx, balances, s.blocks); err != nil {
			return nil, err
		}
	} else {
		s.notes = append(s.notes, "no "+BalancesFile+" beside the transfers: what accounts held before is not known")
	}
	return s, nil
}

// find lists the files of a place and the folder they are in.
func find(place string) (paths []string, folder string, err error) {
	info, err := os.Stat(place)
	if err != nil {
		return nil, "", err
	}
	if !info.IsDir() {
		return []string{place}, filepath.Dir(place), nil
	}
	if paths, err = filepath.Glob(filepath.Join(place, "*.csv")); err != nil {
		return nil, "", err
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return filepath.Base(p) == BalancesFile })
	if len(paths) == 0 {
		return nil, "", fmt.Errorf("%s: no CSV file in this folder", place)
	}
	slices.Sort(paths)
	return paths, place, nil
}

// Blocks yields the blocks from a height on, in order.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for _, b := range s.blocks {
			if b.Height < from {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Total is how many blocks the import has.
func (s *Source) Total() uint64 { return uint64(len(s.blocks)) }

// Notes tells what the import lacks.
func (s *Source) Notes() []string { return s.notes }

// Close does nothing; the files are read and closed.
func (*Source) Close() error { return nil }

// row is one movement and where it was read.
type row struct {
	file string
	line int

	height   ledger.Height
	txIndex  uint32
	hash     ledger.Hash
	time     int64
	failed   bool
	fee      *ledger.Amount
	transfer ledger.Transfer
}

// blockRows gathers the rows of a block.
type blockRows struct {
	time int64
	from row // the first row, for messages
	txs  map[uint32][]row
}

type txPlace struct {
	height ledger.Height
	index  uint32
}

// table gathers the rows of an import.
type table struct {
	chain    ledger.Chain
	notation ledger.Notation
	blocks   map[ledger.Height]*blockRows
	at       map[ledger.Hash]txPlace
	rows     int
}

func (r *row) fail(column, reason string) error {
	return &RowError{File: r.file, Line: r.line, Column: column, Reason: reason}
}

// add puts a row in its place and checks that the rows agree on it.
func (t *table) add(r row) error {
	place := txPlace{r.height, r.txIndex}
	if at, ok := t.at[r.hash]; ok && at != place {
		return r.fail("tx_hash", fmt.Sprintf("this transaction stands at block %d, index %d already", at.height, at.index))
	}
	t.at[r.hash] = place
	b := t.blocks[r.height]
	if b == nil {
		b = &blockRows{time: r.time, from: r, txs: map[uint32][]row{}}
		t.blocks[r.height] = b
	}
	if r.time != b.time {
		return r.fail("time", fmt.Sprintf("block %d has another time at %s:%d", r.height, b.from.file, b.from.line))
	}
	rows := b.txs[r.txIndex]
	for i := range rows {
		have := &rows[i]
		switch {
		case have.hash != r.hash:
			return r.fail("tx_index", fmt.Sprintf("another transaction has this place at %s:%d", have.file, have.line))
		case have.failed != r.failed:
			return r.fail("status", fmt.Sprintf("the transaction's status differs at %s:%d", have.file, have.line))
		case have.fee != nil && r.fee != nil && !have.fee.Eq(r.fee):
			return r.fail("fee", fmt.Sprintf("the transaction's fee differs at %s:%d", have.file, have.line))
		case r.transfer.LogIndex != ledger.NoLog && have.transfer.LogIndex == r.transfer.LogIndex:
			return r.fail("log_index", fmt.Sprintf("the transaction has this log already at %s:%d", have.file, have.line))
		}
	}
	b.txs[r.txIndex] = append(rows, r)
	return nil
}

// finish builds the blocks in order.
func (t *table) finish() ([]*ledger.Block, error) {
	heights := make([]ledger.Height, 0, len(t.blocks))
	for h := range t.blocks {
		heights = append(heights, h)
	}
	slices.Sort(heights)
	blocks := make([]*ledger.Block, 0, len(heights))
	last := int64(0)
	for _, h := range heights {
		rows := t.blocks[h]
		if rows.time < last {
			return nil, rows.from.fail("time", fmt.Sprintf("block %d is older than the block before it", h))
		}
		last = rows.time
		b := &ledger.Block{Chain: t.chain, Height: h, Time: rows.time, Provenance: ledger.File}
		indexes := make([]uint32, 0, len(rows.txs))
		for i := range rows.txs {
			indexes = append(indexes, i)
		}
		slices.Sort(indexes)
		for _, i := range indexes {
			b.Txs = append(b.Txs, transaction(i, rows.txs[i]))
		}
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 {
		return nil, errors.New("no transfer in this import")
	}
	return blocks, nil
}

// transaction joins the rows of one transaction. Where every row states its log
// the logs give the order; else the file does, which is marked as approximate.
func transaction(index uint32, rows []row) ledger.Tx {
	tx := ledger.Tx{ID: rows[0].hash, Index: index, Failed: rows[0].failed}
	ordered := !slices.ContainsFunc(rows, func(r row) bool { return r.transfer.LogIndex == ledger.NoLog })
	if ordered {
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.transfer.LogIndex, b.transfer.LogIndex) })
	}
	moving := 0
	for i := range rows {
		tx.Transfers = append(tx.Transfers, rows[i].transfer)
		if !rows[i].transfer.Amount.IsZero() {
			moving++
		}
		if rows[i].fee != nil {
			tx.Fee = ledger.Fee{Payer: rows[i].transfer.From, Tip: *rows[i].fee}
		}
	}
	tx.Approximate = !ordered && moving > 1
	return tx
}
