// Package etl reads what ethereum-etl exports: a folder with blocks and transactions
// and, where they are, receipts, logs or token transfers, and traces, each a CSV or
// a file of JSON lines. docs/formats/ethereum-etl.md lists the columns.
//
// Nothing in an export can be proven; everything is marked file. What an export
// leaves out is said, and marked on the transactions it concerns.
package etl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// A RowError says what is wrong in a file, and where. Line counts from 1, a header
// included; Column is empty where the whole row is meant.
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

// The tables of an export, with the columns that are read. Columns after the bar
// may be missing.
var (
	blockColumns = columns{
		"number", "hash", "parent_hash", "timestamp", "miner",
		"|", "transaction_count", "base_fee_per_gas", "excess_blob_gas", "withdrawals", "sha3_uncles",
	}
	txColumns = columns{
		"hash", "block_number", "transaction_index", "from_address", "to_address", "value", "gas", "gas_price", "input",
		"|", "blob_versioned_hashes",
	}
	receiptColumns = columns{
		"transaction_hash", "block_number", "cumulative_gas_used", "gas_used", "contract_address",
		"|", "root", "status", "effective_gas_price", "blob_gas_used", "blob_gas_price", "l1_fee",
	}
	logColumns   = columns{"log_index", "transaction_hash", "block_number", "address", "data", "topics"}
	tokenColumns = columns{"token_address", "from_address", "to_address", "value", "transaction_hash", "log_index", "block_number"}
	traceColumns = columns{
		"block_number", "transaction_hash", "from_address", "to_address", "value", "trace_type",
		"|", "call_type", "reward_type", "trace_address", "error", "status",
	}
)

// Source is an export that has been indexed.
type Source struct {
	network evm.Network
	blocks  *table
	txs     *table
	more    map[string]*table // the optional ones that are there
	heights []ledger.Height
	notes   []string
}

// Open finds the tables of a folder and indexes them: every row is looked at once,
// so that blocks can be put together from files in any order.
func Open(ctx context.Context, folder string, network evm.Network) (*Source, error) {
	s := &Source{network: network, more: map[string]*table{}}
	if err := s.open(ctx, folder); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Source) open(ctx context.Context, folder string) (err error) {
	if s.blocks, err = openTable(ctx, folder, "blocks", "number", blockColumns); err != nil {
		return err
	}
	if s.txs, err = openTable(ctx, folder, "transactions", "block_number", txColumns); err != nil {
		return err
	}
	for name, columns := range map[string]columns{"receipts": receiptColumns, "logs": logColumns, "token_transfers": tokenColumns, "traces": traceColumns} {
		t, err := openTable(ctx, folder, name, "block_number", columns)
		if errors.Is(err, errNoTable) {
			continue
		}
		if err != nil {
			return err
		}
		s.more[name] = t
	}
	if s.heights, err = s.blocks.heights(); err != nil {
		return err
	}
	s.describe()
	return s.checkForeign()
}

// describe notes what the export leaves out.
func (s *Source) describe() {
	note := func(text string) { s.notes = append(s.notes, text) }
	if s.more["receipts"] == nil {
		note("no receipts: fees are not known, and transactions count as successful unless a trace says otherwise")
	}
	switch {
	case s.more["logs"] != nil && s.more["token_transfers"] != nil:
		note("logs and token_transfers are both there; logs are used, they say more")
	case s.more["logs"] == nil && s.more["token_transfers"] != nil:
		note("no logs: token_transfers are used; wrapping, freezes and bridges are not known, and units that are not alike (EIP-721) look like amounts")
	case s.more["logs"] == nil:
		note("neither logs nor token_transfers: what tokens moved is not known")
	}
	if s.more["traces"] == nil {
		note("no traces: native value that contracts move inside transactions is not known")
	}
}

// checkForeign refuses rows of blocks that are not in the export.
func (s *Source) checkForeign() error {
	for _, t := range append([]*table{s.txs}, s.optional()...) {
		for _, r := range t.runs {
			if _, ok := slices.BinarySearch(s.heights, r.height); !ok {
				return t.fail(r.line, "", fmt.Sprintf("block %d is not in %s", r.height, s.blocks.name))
			}
		}
	}
	return nil
}

// optional lists the optional tables that are there, by name.
func (s *Source) optional() (tables []*table) {
	for _, name := range []string{"receipts", "logs", "token_transfers", "traces"} {
		if t := s.more[name]; t != nil {
			tables = append(tables, t)
		}
	}
	return tables
}

// Total is how many blocks the export has.
func (s *Source) Total() uint64 { return uint64(len(s.heights)) }

// Notes tells what the export leaves out.
func (s *Source) Notes() []string { return s.notes }

// Close closes the files.
func (s *Source) Close() error {
	var all error
	for _, t := range append([]*table{s.blocks, s.txs}, s.optional()...) {
		if t != nil {
			all = errors.Join(all, t.file.Close())
		}
	}
	return all
}

// Blocks yields the blocks from a height on, in order.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for _, height := range s.heights {
			if height < from {
				continue
			}
			block, err := s.block(height)
			if err == nil {
				err = ctx.Err()
			}
			if !yield(block, err) || err != nil {
				return
			}
		}
	}
}

// block puts one block together.
func (s *Source) block(height ledger.Height) (*ledger.Block, error) {
	b := builder{Source: s, block: evm.Block{Number: height, Provenance: ledger.File}, at: map[ledger.Hash]int{}}
	steps := []struct {
		table *table
		read  func(*row) error
	}{
		{s.blocks, b.header}, {s.txs, b.tx}, {s.more["receipts"], b.receipt}, {s.more["logs"], b.log}, {s.more["traces"], b.trace},
	}
	if s.more["logs"] == nil {
		steps = append(steps, struct {
			table *table
			read  func(*row) error
		}{s.more["token_transfers"], b.token})
	}
	for _, step := range steps {
		if step.table == nil {
			continue
		}
		if err := step.table.each(height, step.read); err != nil {
			return nil, err
		}
		if step.table == s.txs {
			if err := b.index(); err != nil {
				return nil, err
			}
		}
	}
	if err := b.finish(); err != nil {
		return nil, err
	}
	return b.block.Ledger(&s.network)
}
