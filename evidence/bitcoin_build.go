package evidence

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"coldtrail/chain/bitcoin"
	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/store"
)

// addProof adds the proofs of a chain for which there is a source.
func (b *builder) addProof(ctx context.Context, chain ledger.Chain) error {
	s := ChainStatement{Chain: string(chain)}
	f := b.recorder.Chains[chain]
	var err error
	if source := b.options.Bitcoin[chain]; source != nil && len(f.Transactions) > 0 {
		err = b.proveBitcoin(ctx, f, source, &s)
	}
	if source := b.options.Ethereum[chain]; source != nil && len(f.Movements) > 0 {
		err = b.proveEthereum(ctx, f, source, &s)
	}
	b.state.Chains = append(b.state.Chains, s)
	return err
}

// wanted is a transaction whose bytes are wanted.
type wanted struct {
	height ledger.Height
	id     ledger.Hash
	placed bool
}

// proveBitcoin adds headers and transactions.
func (b *builder) proveBitcoin(ctx context.Context, f *slice.Facts, source BitcoinSource, s *ChainStatement) error {
	chain := f.Status.Chain
	network, err := bitcoin.NetworkOf(chain)
	if err != nil {
		return err
	}
	list, err := b.wanted(ctx, f)
	if err != nil {
		return err
	}
	first, read := ^ledger.Height(0), reading{tell: b.options.Proving, chain: chain}
	for i, w := range list {
		if w.placed {
			first = min(first, w.height)
		}
		if i == 0 || list[i-1].height != w.height {
			read.total++
		}
	}
	anchor, err := anchorAt(ctx, source, first)
	if err != nil {
		return err
	}
	if anchor == nil {
		first = 0
	}
	head := ledger.Height(b.result.Basis.Heads[string(chain)].Height)
	read.total += uint64(head - first + 1)
	rows, err := rawRows(ctx, source, list, &read)
	if err != nil {
		return err
	}
	if anchor != nil && !slices.ContainsFunc(rows, func(r rawRow) bool { return r.ID == anchor.ID && r.Height != nil }) {
		rows = append([]rawRow{*anchor}, rows...)
	}
	headers, err := headersOf(ctx, source, first, head, &read)
	if err != nil {
		return err
	}
	h := headerRun{network: network, first: first, raw: headers}
	if err := h.decode(); err != nil {
		return err
	}
	s.Proof, s.First, s.NoWork = proofBitcoin, uint64(first), h.work() != nil
	b.add(proofFile(chain, headersFile), headers)
	return b.addLines(proofFile(chain, transactionsFile), func() ([]byte, error) { return lines(rows) })
}

const proofBitcoin = "bitcoin"

// wanted lists the transactions of a slice, and those whose outputs they spend.
func (b *builder) wanted(ctx context.Context, f *slice.Facts) (list []wanted, err error) {
	var parents []store.TxNumber
	for number, t := range f.Transactions {
		list = append(list, wanted{t.Height, f.IDs[number], true})
	}
	ids := map[store.TxNumber]ledger.Hash{}
	for _, o := range f.Outputs {
		if _, ok := f.Transactions[o.Tx]; !ok && ids[o.Tx].IsZero() {
			ids[o.Tx] = o.Outpoint.Tx
			parents = append(parents, o.Tx)
		}
	}
	slices.Sort(parents)
	for chunk := range slices.Chunk(parents, 1024) {
		txs, err := b.from.Transactions(ctx, f.Status.Chain, chunk)
		if err != nil {
			return nil, err
		}
		for i := range txs {
			list = append(list, wanted{txs[i].Height, ids[chunk[i]], false})
		}
	}
	slices.SortFunc(list, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.height, b.height), bytes.Compare(a.id[:], b.id[:])) })
	return list, nil
}

// anchorAt is the coinbase of a block that states its height (BIP-34), or nil.
func anchorAt(ctx context.Context, source BitcoinSource, height ledger.Height) (*rawRow, error) {
	raw, err := source.Raw(ctx, height)
	if err != nil {
		return nil, err
	}
	if stated, ok := bitcoin.HeightOf(raw); !ok || stated != height {
		return nil, nil
	}
	c, err := bitcoin.ReadContents(raw)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	return rowAt(c, 0, &height)
}

// rowAt writes a transaction of a block, placed where a height is given.
func rowAt(c *bitcoin.Contents, position uint32, height *ledger.Height) (*rawRow, error) {
	plain, err := c.Plain(position)
	if err != nil {
		return nil, err
	}
	tx, err := bitcoin.DecodeTx(plain, position)
	if err != nil {
		return nil, err
	}
	row := &rawRow{ID: tx.ID.String(), Raw: hex.EncodeToString(plain)}
	if height != nil {
		n := uint64(*height)
		row.Height, row.Index = &n, position
		for _, beside := range c.Branch(position) {
			row.Branch = append(row.Branch, beside.String())
		}
	}
	return row, nil
}

// errOtherChain says that a source has other blocks than the store.
var errOtherChain = errors.New("the source's block does not hold it; is it of another chain, or was the store's chain reorganised?")

// rawRows reads each block that is needed once.
func rawRows(ctx context.Context, source BitcoinSource, list []wanted, read *reading) (rows []rawRow, err error) {
	var c *bitcoin.Contents
	for i, w := range list {
		if i == 0 || list[i-1].height != w.height {
			raw, err := source.Raw(ctx, w.height)
			if err != nil {
				return nil, err
			}
			if c, err = bitcoin.ReadContents(raw); err != nil {
				return nil, fmt.Errorf("block %d: %w", w.height, err)
			}
			read.one()
		}
		position, ok := c.Find(w.id)
		if !ok {
			return nil, fmt.Errorf("transaction %s of block %d: %w", w.id, w.height, errOtherChain)
		}
		height := &w.height
		if !w.placed {
			height = nil
		}
		row, err := rowAt(c, position, height)
		if err != nil {
			return nil, fmt.Errorf("transaction %s: %w", w.id, err)
		}
		rows = append(rows, *row)
	}
	return rows, nil
}

// headersOf reads the headers from one height to another, both included.
func headersOf(ctx context.Context, source BitcoinSource, from, to ledger.Height, read *reading) (all []byte, err error) {
	for height := from; height <= to; height++ {
		raw, err := source.RawHeader(ctx, height)
		if err != nil {
			return nil, err
		}
		all = append(all, raw[:bitcoin.HeaderSize]...)
		read.one()
	}
	return all, ctx.Err()
}
