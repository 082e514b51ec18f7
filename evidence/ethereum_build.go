package evidence

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/store"
)

// EthereumSource gives blocks in the terms of the consensus rules.
type EthereumSource interface {
	Parts(ctx context.Context, height ledger.Height) (*proof.Parts, error)
	RawHeader(ctx context.Context, height ledger.Height) ([]byte, error)
}

const proofEthereum = "ethereum"

// linkedRun is how many headers are put in so that each continues the one before, from the
// first transaction to the head. Beyond that only those of the transactions are.
const linkedRun = 20_000

// headerLine is a header as its RLP, in hexadecimal.
type headerLine struct {
	Height uint64 `json:"height"`
	RLP    string `json:"rlp"`
}

// includedRow is the proof of one transaction with its receipt.
type includedRow struct {
	ID          string   `json:"id"`
	Height      uint64   `json:"height"`
	Index       uint32   `json:"index"`
	Transaction []string `json:"transaction"` // nodes from the root, hexadecimal RLP
	Receipt     []string `json:"receipt"`
	Before      []string `json:"before,omitempty"` // of the receipt before it
}

const headerLinesFile = "headers.jsonl"

// proveEthereum adds headers and proofs of transactions.
func (b *builder) proveEthereum(ctx context.Context, f *slice.Facts, source EthereumSource, s *ChainStatement) error {
	chain := f.Status.Chain
	var movements []store.Movement
	for _, m := range f.Movements {
		if !m.Tx.Coinbase { // what the protocol paid out stands in no transaction
			movements = append(movements, m)
		}
	}
	slices.SortFunc(movements, func(a, b store.Movement) int { return cmp.Compare(a.Number, b.Number) })
	var blocks []ledger.Height
	for i := range movements {
		blocks = append(blocks, movements[i].Height)
	}
	blocks = slices.Compact(blocks)
	heights := headersWanted(blocks, ledger.Height(b.result.Basis.Heads[string(chain)].Height))
	read := reading{tell: b.options.Proving, chain: chain, total: uint64(len(blocks) + len(heights))}
	rows, err := includedRows(ctx, source, movements, &read)
	if err != nil {
		return err
	}
	var headers []headerLine
	for _, height := range heights {
		raw, err := source.RawHeader(ctx, height)
		if err != nil {
			return err
		}
		headers = append(headers, headerLine{uint64(height), hex.EncodeToString(raw)})
		read.one()
	}
	s.Proof = proofEthereum
	if wrapped, ok := b.options.Wrapped[chain]; ok {
		s.Wrapped = evm.Notation{}.FormatAddress(wrapped)
	}
	if err := b.addLines(proofFile(chain, headerLinesFile), func() ([]byte, error) { return lines(headers) }); err != nil {
		return err
	}
	return b.addLines(proofFile(chain, transactionsFile), func() ([]byte, error) { return lines(rows) })
}

// headersWanted lists in order the headers that go in: those of blocks, of the head, and of
// all between where that is a short run.
func headersWanted(blocks []ledger.Height, head ledger.Height) []ledger.Height {
	heights := slices.Clone(blocks)
	if len(blocks) > 0 && head-blocks[0] < linkedRun {
		for height := blocks[0]; height <= head; height++ {
			heights = append(heights, height)
		}
	}
	heights = append(heights, head)
	slices.Sort(heights)
	return slices.Compact(heights)
}

// includedRows reads each block that is needed once.
func includedRows(ctx context.Context, source EthereumSource, movements []store.Movement, read *reading) (rows []includedRow, err error) {
	var p *proof.Parts
	for i := range movements {
		m := &movements[i]
		if i == 0 || movements[i-1].Height != m.Height {
			if p, err = source.Parts(ctx, m.Height); err != nil {
				return nil, err
			}
			read.one()
		}
		index, ok := p.Find(m.Tx.ID)
		if !ok {
			return nil, fmt.Errorf("transaction 0x%s of block %d: %w", m.Tx.ID, m.Height, errOtherChain)
		}
		in, err := p.Inclusion(index)
		if err != nil {
			return nil, err
		}
		rows = append(rows, includedRow{m.Tx.ID.String(), uint64(m.Height), index, branchText(in.Transaction), branchText(in.Receipt), branchText(in.Before)})
	}
	return rows, nil
}

func branchText(b proof.Branch) (text []string) {
	for _, node := range b {
		text = append(text, hex.EncodeToString(node))
	}
	return text
}
