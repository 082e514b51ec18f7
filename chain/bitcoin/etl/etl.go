// Package etl reads what bitcoin-etl exports: blocks.json and transactions.json,
// one JSON object a line.
//
// An export can not be proven: it leaves out what transaction identifiers commit
// to. What can be checked is: that the identifiers give the merkle root of their
// block, that values add up to the stated fee, that nothing is missing.
package etl

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// A LineError says what is wrong in a file, and where. Lines count from 1.
type LineError struct {
	File   string
	Line   int
	Reason string
}

// Error is "file:line: reason".
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// The files of an export.
const (
	blocksFile       = "blocks.json"
	transactionsFile = "transactions.json"
	maxLine          = 64 << 20 // the largest transaction has some megabytes of JSON
)

// Source is an export whose blocks and transactions are all in place.
type Source struct {
	network *bitcoin.Network
	file    *os.File
	name    string
	blocks  []blockLine // by height
	txs     []txPlace   // by block, then index
}

// blockLine is a block as exported.
type blockLine struct {
	Hash       string          `json:"hash"`
	Number     *ledger.Height  `json:"number"`
	MerkleRoot string          `json:"merkle_root"`
	Timestamp  json.RawMessage `json:"timestamp"`
	Count      int             `json:"transaction_count"`

	hash, root ledger.Hash
	time       int64
	first      int // index of the first transaction in Source.txs
	line       int
}

// txPlace is where a transaction stands in the file.
type txPlace struct {
	height ledger.Height
	index  uint32
	line   int
	offset int64
	size   int
}

// Open indexes an export. Memory follows the number of transactions, not their size.
func Open(ctx context.Context, folder string, network *bitcoin.Network) (*Source, error) {
	s := &Source{network: network, name: filepath.Join(folder, transactionsFile)}
	err := s.readBlocks(ctx, filepath.Join(folder, blocksFile))
	if err == nil {
		err = s.indexTransactions(ctx)
	}
	if err == nil {
		err = s.assign(filepath.Join(folder, blocksFile))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the files.
func (s *Source) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Total is how many blocks the export has.
func (s *Source) Total() uint64 { return uint64(len(s.blocks)) }

// Notes says what the export cannot prove.
func (*Source) Notes() []string {
	return []string{
		"an export is somebody's word: merkle roots are checked, transactions and work cannot be",
		"an export has no witnesses: that a signature in one lets others add inputs (SIGHASH_ANYONECANPAY) is not known",
	}
}

// lines calls visit for every line of a file with its number and offset.
func lines(ctx context.Context, name string, r io.Reader, visit func(line int, offset int64, text []byte) error) error {
	reader := bufio.NewReaderSize(r, 1<<20)
	offset := int64(0)
	for line := 1; ; line++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		text, err := readLine(reader)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return &LineError{name, line, err.Error()}
		}
		if len(text) > 0 && string(text) != "\n" {
			if err := visit(line, offset, text); err != nil {
				return err
			}
		}
		if offset += int64(len(text)); last {
			return nil
		}
	}
}

// readLine reads a line of bounded length, its end included.
func readLine(r *bufio.Reader) (text []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if text = append(text, part...); len(text) > maxLine {
			return nil, fmt.Errorf("the line is longer than %d bytes", maxLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
	}
}

func (s *Source) readBlocks(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	err = lines(ctx, name, f, func(line int, _ int64, text []byte) error {
		b := blockLine{line: line}
		if err := b.parse(text); err != nil {
			return &LineError{name, line, err.Error()}
		}
		s.blocks = append(s.blocks, b)
		return nil
	})
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	slices.SortStableFunc(s.blocks, func(a, b blockLine) int { return int(*a.Number) - int(*b.Number) })
	for i := 1; i < len(s.blocks); i++ {
		if b := &s.blocks[i]; *b.Number != *s.blocks[i-1].Number+1 {
			return &LineError{name, b.line, fmt.Sprintf("block %d follows block %d", *b.Number, *s.blocks[i-1].Number)}
		}
	}
	if len(s.blocks) == 0 {
		return &LineError{name, 1, "no block in the file"}
	}
	return nil
}

func (b *blockLine) parse(text []byte) (err error) {
	if err = json.Unmarshal(text, b); err != nil {
		return err
	}
	if b.Number == nil || *b.Number > 1<<40 {
		return errors.New("number: the block has no height")
	}
	if b.hash, err = ledger.ParseHash(b.Hash); err != nil {
		return fmt.Errorf("hash: %w", err)
	}
	if b.root, err = ledger.ParseHash(b.MerkleRoot); err != nil {
		return fmt.Errorf("merkle_root: %w", err)
	}
	if err = json.Unmarshal(b.Timestamp, &b.time); err != nil || b.time < 0 {
		return fmt.Errorf("timestamp: %s is not Unix seconds", b.Timestamp)
	}
	b.Timestamp = nil
	return nil
}

func (s *Source) indexTransactions(ctx context.Context) error {
	var err error
	if s.file, err = os.Open(s.name); err != nil {
		return err
	}
	return lines(ctx, s.name, s.file, func(line int, offset int64, text []byte) error {
		var at struct {
			Height *ledger.Height `json:"block_number"`
			Index  *uint32        `json:"index"`
		}
		if err := json.Unmarshal(text, &at); err != nil {
			return &LineError{s.name, line, err.Error()}
		}
		if at.Height == nil || at.Index == nil {
			return &LineError{s.name, line, "block_number or index is missing"}
		}
		s.txs = append(s.txs, txPlace{*at.Height, *at.Index, line, offset, len(text)})
		return nil
	})
}

// assign gives every block its transactions, all of them and no other.
func (s *Source) assign(blocksName string) error {
	slices.SortStableFunc(s.txs, func(a, b txPlace) int {
		if a.height != b.height {
			return int(a.height) - int(b.height)
		}
		return int(a.index) - int(b.index)
	})
	next := 0
	for i := range s.blocks {
		b := &s.blocks[i]
		b.first = next
		for ; next < len(s.txs) && s.txs[next].height == *b.Number; next++ {
			if at := &s.txs[next]; int(at.index) != next-b.first {
				return &LineError{s.name, at.line, fmt.Sprintf("block %d has transaction %d where %d is due", at.height, at.index, next-b.first)}
			}
		}
		if n := next - b.first; n == 0 || b.Count > 0 && n != b.Count {
			return &LineError{blocksName, b.line, fmt.Sprintf("block %d has %d transactions in %s, and states %d", *b.Number, n, transactionsFile, b.Count)}
		}
	}
	if next < len(s.txs) {
		return &LineError{s.name, s.txs[next].line, fmt.Sprintf("block %d is not in %s", s.txs[next].height, blocksFile)}
	}
	return nil
}

// Blocks yields the blocks from a height on, in order.
func (s *Source) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for i := range s.blocks {
			if *s.blocks[i].Number < from {
				continue
			}
			block, err := s.block(i)
			if err == nil {
				err = ctx.Err()
			}
			if !yield(block, err) || err != nil {
				return
			}
		}
	}
}

func (s *Source) block(i int) (*ledger.Block, error) {
	line := &s.blocks[i]
	end := len(s.txs)
	if i+1 < len(s.blocks) {
		end = s.blocks[i+1].first
	}
	b := &ledger.Block{Chain: s.network.Chain, Height: *line.Number, Hash: line.hash, Time: line.time, Provenance: ledger.File}
	if i > 0 {
		b.Parent = s.blocks[i-1].hash
	}
	var ids []ledger.Hash
	for _, at := range s.txs[line.first:end] {
		text := make([]byte, at.size)
		_, err := s.file.ReadAt(text, at.offset)
		var tx ledger.Tx
		if err == nil {
			tx, err = parseTx(text, bitcoin.Notation{Network: s.network})
		}
		if err != nil {
			return nil, &LineError{s.name, at.line, err.Error()}
		}
		if b.Height == 0 {
			for j := range tx.Outputs { // the genesis coinbase was never in the database of coins
				tx.Outputs[j].Unspendable = true
			}
		}
		ids = append(ids, tx.ID)
		b.Txs = append(b.Txs, tx)
	}
	if bitcoin.MerkleRoot(ids) != line.root {
		return nil, &LineError{s.name, s.txs[line.first].line, fmt.Sprintf("the transactions of block %d do not give its merkle root", b.Height)}
	}
	return b, nil
}
