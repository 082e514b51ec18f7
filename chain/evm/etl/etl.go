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
	"sync"

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

// tables lists the tables of an export, with the columns that are read. Columns after
// the bar may be missing.
var tables = []struct {
	name, key string
	optional  bool
	columns   columns
}{
	{"blocks", "number", false, columns{
		"number", "hash", "parent_hash", "timestamp", "miner",
		"|", "transaction_count", "base_fee_per_gas", "excess_blob_gas", "withdrawals", "sha3_uncles",
	}},
	{"transactions", "block_number", false, columns{
		"hash", "block_number", "transaction_index", "from_address", "to_address", "value",
		"|", "gas", "gas_price", "input", "blob_versioned_hashes",
	}},
	{"receipts", "block_number", true, columns{
		"transaction_hash", "block_number", "gas_used",
		"|", "contract_address", "root", "status", "effective_gas_price", "blob_gas_used", "blob_gas_price", "l1_fee",
	}},
	{"logs", "block_number", true, columns{"log_index", "transaction_hash", "block_number", "address", "data", "topics"}},
	{"token_transfers", "block_number", true, columns{
		"token_address", "from_address", "to_address", "value", "transaction_hash", "log_index", "block_number",
	}},
	{"traces", "block_number", true, columns{
		"block_number", "transaction_hash", "from_address", "to_address", "value", "trace_type",
		"|", "call_type", "reward_type", "trace_address", "error", "status",
	}},
}

// Source is an export that has been indexed.
type Source struct {
	network evm.Network
	tables  map[string]*table // those that are there
	heights []ledger.Height
	notes   []string
}

// Open finds the tables of a folder and indexes them: every row is looked at once,
// so that blocks can be put together from files in any order.
func Open(ctx context.Context, folder string, network evm.Network) (*Source, error) {
	s := &Source{network: network, tables: map[string]*table{}}
	if err := s.open(ctx, folder); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open indexes the tables side by side.
func (s *Source) open(ctx context.Context, folder string) error {
	var group sync.WaitGroup
	found, faults := make([]*table, len(tables)), make([]error, len(tables))
	for i, spec := range tables {
		group.Go(func() { found[i], faults[i] = openTable(ctx, folder, spec.name, spec.key, spec.columns) })
	}
	group.Wait()
	var err error // of the first table, whichever was first to fail
	for i, spec := range tables {
		if found[i] != nil {
			s.tables[spec.name] = found[i]
		}
		if missing := errors.Is(faults[i], errNoTable); err == nil && (!spec.optional || !missing) {
			err = faults[i]
		}
	}
	if err != nil {
		return err
	}
	if s.heights, err = s.tables["blocks"].heights(); err != nil {
		return err
	}
	s.describe()
	return s.checkForeign()
}

// describe notes what the export leaves out.
func (s *Source) describe() {
	note := func(text string) { s.notes = append(s.notes, text) }
	switch receipts := s.tables["receipts"]; {
	case receipts != nil && !s.tables["transactions"].has("gas_price") && !receipts.has("effective_gas_price"):
		note("neither transactions nor receipts have a gas price: fees are not known")
	case receipts == nil:
		note("no receipts: fees are not known, and transactions count as successful unless a trace says otherwise")
	}
	switch {
	case s.tables["logs"] != nil && s.tables["token_transfers"] != nil:
		note("logs and token_transfers are both there; logs are used, they say more")
	case s.tables["logs"] == nil && s.tables["token_transfers"] != nil:
		note("no logs: token_transfers are used; wrapping, freezes and bridges are not known, and units that are not alike (EIP-721) look like amounts")
	case s.tables["logs"] == nil:
		note("neither logs nor token_transfers: what tokens moved is not known")
	}
	if s.tables["traces"] == nil {
		note("no traces: native value that contracts move inside transactions is not known")
	}
}

// checkForeign refuses rows of blocks that are not in the export.
func (s *Source) checkForeign() error {
	for _, spec := range tables[1:] {
		t := s.tables[spec.name]
		if t == nil {
			continue
		}
		for _, r := range t.runs {
			if _, ok := slices.BinarySearch(s.heights, r.height); !ok {
				return t.fail(r.line, "", fmt.Sprintf("block %d is not in %s", r.height, s.tables["blocks"].name))
			}
		}
	}
	return nil
}

// Total is how many blocks the export has.
func (s *Source) Total() uint64 { return uint64(len(s.heights)) }

// Notes tells what the export leaves out.
func (s *Source) Notes() []string { return s.notes }

// Close closes the files.
func (s *Source) Close() error {
	var all error
	for _, t := range s.tables {
		all = errors.Join(all, t.file.Close())
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
	readers := map[string]func(*row) error{
		"blocks": b.header, "transactions": b.tx, "receipts": b.receipt, "logs": b.log, "token_transfers": b.token, "traces": b.trace,
	}
	for _, spec := range tables {
		t := s.tables[spec.name]
		if t == nil || spec.name == "token_transfers" && s.tables["logs"] != nil {
			continue
		}
		if err := t.each(height, readers[spec.name]); err != nil {
			return nil, err
		}
		if spec.name == "transactions" {
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
