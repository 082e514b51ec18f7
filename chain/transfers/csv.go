package transfers

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coldtrail/ledger"
)

// maxRows bounds an import; an analyst's export has thousands.
const maxRows = 20_000_000

var (
	required        = []string{"block", "tx_index", "tx_hash", "log_index", "time", "from", "to", "asset", "amount"}
	balanceRequired = []string{"address", "asset", "amount", "before_block"}
)

// sheet reads a CSV whose columns stand in any order.
type sheet struct {
	file   string
	reader *csv.Reader
	column map[string]int
	record []string
	line   int
}

func openSheet(file string, r io.Reader, columns []string) (*sheet, error) {
	buffered := bufio.NewReader(r)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		if _, err := buffered.Discard(3); err != nil {
			return nil, err
		}
	}
	s := &sheet{file: file, reader: csv.NewReader(buffered), column: map[string]int{}, line: 1}
	s.reader.ReuseRecord = true
	header, err := s.reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, s.fail("", "the file is empty")
	}
	if err != nil {
		return nil, s.broken(err)
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if _, ok := s.column[name]; ok {
			return nil, s.fail(name, "the column is there twice")
		}
		s.column[name] = i
	}
	for _, name := range columns {
		if _, ok := s.column[name]; !ok {
			return nil, s.fail(name, "the column is missing; the header needs "+strings.Join(columns, ","))
		}
	}
	return s, nil
}

// next reads a row; io.EOF ends the sheet.
func (s *sheet) next() error {
	record, err := s.reader.Read()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return s.broken(err)
	}
	s.line, _ = s.reader.FieldPos(0)
	s.record = record
	for _, field := range record {
		if !utf8.ValidString(field) {
			return s.fail("", "the row is not valid UTF-8")
		}
	}
	return nil
}

func (s *sheet) broken(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		s.line = parse.StartLine
		return s.fail("", parse.Err.Error())
	}
	return fmt.Errorf("%s: %w", s.file, err)
}

func (s *sheet) fail(column, reason string) error {
	return &RowError{File: s.file, Line: s.line, Column: column, Reason: reason}
}

// get is a field; the empty string where the column is absent.
func (s *sheet) get(column string) string {
	if i, ok := s.column[column]; ok {
		return strings.TrimSpace(s.record[i])
	}
	return ""
}

func (s *sheet) number(column string, most uint64) (uint64, error) {
	text := s.get(column)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most || strings.HasPrefix(text, "+") {
		return 0, s.fail(column, fmt.Sprintf("%q is not a whole number from 0 to %d", text, most))
	}
	return n, nil
}

func (s *sheet) amount(column string) (ledger.Amount, error) {
	a, err := ledger.ParseAmount(s.get(column))
	if err != nil {
		return a, s.fail(column, err.Error())
	}
	return a, nil
}

func (s *sheet) address(column string, n ledger.Notation) (ledger.Address, error) {
	a, err := n.ParseAddress(s.get(column))
	if err != nil {
		return a, s.fail(column, err.Error())
	}
	return a, nil
}

func (s *sheet) asset(chain ledger.Chain) (ledger.Asset, error) {
	a, err := chain.ParseAsset(s.get("asset"))
	if err != nil {
		return a, s.fail("asset", err.Error())
	}
	return a, nil
}

// read reads one file of transfers.
func (t *table) read(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.readFrom(ctx, path, f)
}

func (t *table) readFrom(ctx context.Context, name string, r io.Reader) error {
	s, err := openSheet(name, r, required)
	if err != nil {
		return err
	}
	for {
		if err := s.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.rows++; t.rows > maxRows {
			return s.fail("", fmt.Sprintf("more than %d rows", maxRows))
		}
		r, err := t.row(s)
		if err == nil {
			err = t.add(r)
		}
		if err != nil {
			return err
		}
	}
}

// row checks one row.
func (t *table) row(s *sheet) (r row, err error) {
	r.file, r.line = s.file, s.line
	height, err := s.number("block", math.MaxInt64)
	if err != nil {
		return r, err
	}
	index, err := s.number("tx_index", math.MaxUint32)
	if err != nil {
		return r, err
	}
	r.height, r.txIndex = ledger.Height(height), uint32(index)
	if r.hash, err = ledger.ParseHash(s.get("tx_hash")); err != nil {
		return r, s.fail("tx_hash", err.Error())
	}
	if r.time, err = s.time(); err != nil {
		return r, err
	}
	if err := t.optional(s, &r); err != nil {
		return r, err
	}
	return r, t.movement(s, &r)
}

// movement checks the columns of the value that moved.
func (t *table) movement(s *sheet, r *row) (err error) {
	r.transfer.LogIndex = ledger.NoLog
	if s.get("log_index") != "" {
		log, err := s.number("log_index", math.MaxInt32)
		if err != nil {
			return err
		}
		r.transfer.LogIndex = int32(log)
	}
	if r.transfer.From, err = s.address("from", t.notation); err != nil {
		return err
	}
	if r.transfer.To, err = s.address("to", t.notation); err != nil {
		return err
	}
	if r.transfer.Asset, err = s.asset(t.chain); err != nil {
		return err
	}
	r.transfer.Amount, err = s.amount("amount")
	return err
}

// optional checks the columns that need not be there.
func (t *table) optional(s *sheet, r *row) error {
	if s.get("fee") != "" {
		fee, err := s.amount("fee")
		if err != nil {
			return err
		}
		r.fee = &fee
	}
	switch status := strings.ToLower(s.get("status")); status {
	case "", "1", "0x1", "success", "ok", "true":
	case "0", "0x0", "failed", "false", "reverted":
		r.failed = true
	default:
		return s.fail("status", fmt.Sprintf("%q is unknown; use success or failed", status))
	}
	switch kind := strings.ToLower(s.get("kind")); kind {
	case "", "transfer", "native", "token", "erc20":
	case "internal":
		r.transfer.Kind = ledger.Internal
	case "reward", "withdrawal":
		r.transfer.Kind = ledger.Reward
	default:
		return s.fail("kind", fmt.Sprintf("%q is unknown; use transfer, internal or reward", kind))
	}
	return nil
}

// time reads RFC 3339 or Unix seconds.
func (s *sheet) time() (int64, error) {
	text := s.get("time")
	if moment, err := time.Parse(time.RFC3339, text); err == nil && moment.Unix() >= 0 {
		return moment.Unix(), nil
	}
	if seconds, err := strconv.ParseUint(text, 10, 40); err == nil {
		return int64(seconds), nil
	}
	return 0, s.fail("time", fmt.Sprintf("%q is neither RFC 3339 nor Unix seconds", text))
}

// readBalances puts opening balances into the first block at or above the height
// they are stated for.
func (t *table) readBalances(ctx context.Context, path string, blocks []*ledger.Block) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := openSheet(path, f, balanceRequired)
	if err != nil {
		return err
	}
	seen := map[ledger.Opening]int{}
	for {
		if err := s.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := t.balance(s)
		if err != nil {
			return err
		}
		key := ledger.Opening{Address: o.Address, Asset: o.Asset, Before: o.Before}
		if line, ok := seen[key]; ok {
			return s.fail("", fmt.Sprintf("this balance is stated at line %d already", line))
		}
		seen[key] = s.line
		at, _ := slices.BinarySearchFunc(blocks, o.Before, func(b *ledger.Block, h ledger.Height) int { return int(b.Height) - int(h) })
		if at == len(blocks) {
			return s.fail("before_block", "the block lies behind the last transfer, so the balance would never be used")
		}
		blocks[at].Openings = append(blocks[at].Openings, o)
	}
}

func (t *table) balance(s *sheet) (o ledger.Opening, err error) {
	if o.Address, err = s.address("address", t.notation); err != nil {
		return o, err
	}
	if o.Asset, err = s.asset(t.chain); err != nil {
		return o, err
	}
	if o.Amount, err = s.amount("amount"); err != nil {
		return o, err
	}
	before, err := s.number("before_block", math.MaxInt64)
	o.Before = ledger.Height(before)
	return o, err
}
