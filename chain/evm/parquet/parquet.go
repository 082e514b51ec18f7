// Package parquet reads EVM blocks from folders of Parquet files, as public data
// sets and extraction tools write them, and writes a ledger out again as such a
// folder.
//
// Nothing in such files can be proven: every block from here is marked as of a file.
// What can be checked is checked: that no block and no transaction is missing, that
// blocks name their parents, that tables agree on hashes, that amounts are whole.
// A column that cannot hold an amount exactly is refused. docs/formats/parquet.md
// describes the columns.
package parquet

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// An Error says what is wrong in a file, and where. Row counts from 1 and is 0 where
// the fault is the whole file's; Column is empty where it is the whole row's.
type Error struct {
	File   string
	Row    int64
	Column string
	Reason string
}

// Error is "file: row N: column: reason", without the parts that are not known.
func (e *Error) Error() string {
	var at strings.Builder
	at.WriteString(e.File)
	if e.Row > 0 {
		fmt.Fprintf(&at, ": row %d", e.Row)
	}
	if e.Column != "" {
		at.WriteString(": " + e.Column)
	}
	return at.String() + ": " + e.Reason
}

// Source is a folder whose tables are indexed and complete.
type Source struct {
	network evm.Network
	folder  string
	tables  [tableCount][]*file // by lowest block
	blocks  uint64
	notes   []string
	own     bool // written by Write
}

// Open finds the tables of a folder, checks that their columns can be read exactly
// and that they cover the same blocks, and indexes them by block. Memory follows the
// number of files, and for files that are not in block order the number of blocks.
func Open(ctx context.Context, folder string, network evm.Network) (*Source, error) {
	s := &Source{network: network, folder: folder}
	found, err := find(folder)
	if err != nil {
		return nil, err
	}
	if err := s.bind(ctx, found); err != nil {
		return nil, err
	}
	if err := s.checkTables(); err != nil {
		return nil, err
	}
	if !s.own {
		s.remark(found)
	}
	return s, nil
}

// Close does nothing: files are open only while blocks are read.
func (*Source) Close() error { return nil }

// Total is how many blocks the folder has.
func (s *Source) Total() uint64 { return s.blocks }

// Notes says what the files do not tell.
func (s *Source) Notes() []string { return s.notes }

// bind opens every file once: to see its columns, and how its rows are ordered.
func (s *Source) bind(ctx context.Context, found *listing) error {
	first := true
	for t := range tableCount {
		for _, at := range found.files[t] {
			if err := ctx.Err(); err != nil {
				return err
			}
			f := &file{path: at.path, part: at.part, table: t}
			if err := f.index(&s.network); err != nil {
				return err
			}
			if !first && f.own != s.own {
				return &Error{File: f.path, Reason: "the folder mixes an export of coldtrail with other files; give them folders of their own"}
			}
			first, s.own = false, f.own
			s.tables[t] = append(s.tables[t], f)
			if t == blocks {
				s.blocks += uint64(f.rows)
			}
		}
		byLowest(s.tables[t])
	}
	return nil
}

// checkTables wants the tables without which there is no ledger, and every table to
// cover what the blocks cover.
func (s *Source) checkTables() error {
	for _, t := range []table{blocks, transactions} {
		if len(s.tables[t]) == 0 {
			return &Error{File: s.folder, Reason: fmt.Sprintf("no file of the table %s; a ledger needs blocks and transactions", t)}
		}
	}
	need := []table{transactions, logs, tokenTransfers, traces}
	if s.own {
		need = append(need, freezes, openings)
	}
	for _, t := range need {
		if len(s.tables[t]) == 0 && !s.own {
			continue
		}
		if missing := uncovered(s.tables[blocks], s.tables[t]); missing != "" {
			return &Error{File: s.folder, Reason: fmt.Sprintf("the table %s has no file for %s, which the table blocks has; its movements would be missing without a word", t, missing)}
		}
	}
	return nil
}

// remark gathers what the tables at hand cannot tell.
func (s *Source) remark(found *listing) {
	note := func(text string) { s.notes = append(s.notes, text) }
	note("parquet files are somebody's word: hashes and roots are not recomputed")
	switch {
	case len(s.tables[logs]) == 0 && len(s.tables[tokenTransfers]) == 0:
		note("no logs: token movements, wrapping and freezes are not known")
	case len(s.tables[logs]) == 0:
		note("no logs: tokens come from token_transfers, which does not tell NFT identifiers from amounts and knows neither wrapping nor freezes")
	}
	if len(s.tables[traces]) == 0 {
		note("no traces: native value that contracts moved is not known, nor are rewards of uncles")
	}
	if !s.has(blocks, blockWithdrawals) {
		note("blocks have no column withdrawals: what validators were paid out (from April 2023 on, on Ethereum) is not known")
	}
	if !s.has(transactions, txBlobGas) || !s.has(transactions, txBlobPrice) {
		note("transactions have no columns for blob gas: fees of blob transactions are understated")
	}
	if s.network.Fees == evm.ToVaults {
		note("what transactions paid for the layer below is not in these files: fees are understated")
	}
	for _, text := range found.unread {
		note(text)
	}
}

// has says whether every file of a table has a column.
func (s *Source) has(t table, column int) bool {
	for _, f := range s.tables[t] {
		if f.columns[column] == "" {
			return false
		}
	}
	return true
}

// Blocks yields the blocks from a height on, in order. A row that cannot be read, or
// that contradicts another, ends it with an *Error or an *evm.DataError.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		w := newWalk(s, from)
		defer w.close()
		for {
			err := ctx.Err()
			var block *ledger.Block
			if err == nil {
				block, err = w.next()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if block == nil || !yield(block, nil) {
				return
			}
		}
	}
}
