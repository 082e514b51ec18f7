package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/chain/bitcoin/etl"
	"coldtrail/chain/transfers"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
)

type ingestVerb struct {
	Chain string  `arg:"" help:"bitcoin, ethereum, a test network (regtest, simnet, signet, testnet3), eip155:N or bip122:…"`
	From  string  `required:"" placeholder:"KIND:PLACE" help:"blocks:PLACE, bitcoin-etl:FOLDER or transfers:CSV."`
	To    *uint64 `placeholder:"HEIGHT" help:"Stop after this height."`
	NoPow bool    `help:"Accept blocks without proof of work (test chains); their facts are marked file."`
	Batch int     `placeholder:"TXS" help:"Transactions in one durable step; by default 16384."`
	Keep  bool    `help:"Keep the good blocks before a bad one; by default a faulty source changes nothing."`
}

// blockSource is a source of blocks of any kind.
type blockSource interface {
	ingest.Source
	Total() uint64
	Notes() []string
	Close() error
}

// Run brings the blocks in.
func (v *ingestVerb) Run(ctx context.Context, s *session) (err error) {
	chain, err := parseChain(v.Chain)
	if err != nil {
		return err
	}
	into, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	from, err := v.open(ctx, chain, into)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	for _, note := range from.Notes() {
		fmt.Fprintln(s.stderr, "note: "+note)
	}
	bar := newProgress(s, "ingest "+chain.Short(), from.Total())
	options := ingest.Options{Progress: func(p ingest.Progress) {
		bar.set(p.Blocks)
		release(into, p)
	}}
	options.BatchTx = v.Batch
	if v.To != nil {
		to := ledger.Height(*v.To)
		options.To = &to
	}
	if v.Keep {
		options.Fault = ingest.KeepOnFault
	}
	done, err := ingest.Run(ctx, into, chain, from, options)
	bar.end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"chain": chain, "height": done.Height, "added_blocks": done.Blocks, "added_txs": done.Txs})
	}
	fmt.Fprintf(s.stdout, "%s: %d blocks and %d transactions added, height %d\n", chain.Short(), done.Blocks, done.Txs, done.Height)
	return nil
}

// releaseTxs is after how many transactions an ingest gives mapped pages back.
const releaseTxs = 1 << 18

// release keeps the memory of a long ingest flat. That the kernel did not follow
// the advice is no reason to stop.
func release(into *embedded.Store, p ingest.Progress) {
	if p.Txs%releaseTxs < ingest.DefaultBatch {
		_ = into.Release()
	}
}

// parseChain knows test networks by name too.
func parseChain(name string) (ledger.Chain, error) {
	if network, ok := bitcoin.NetworkNamed(name); ok {
		return network.Chain, nil
	}
	return ledger.ParseChain(name)
}

// open opens the source.
func (v *ingestVerb) open(ctx context.Context, chain ledger.Chain, into store.Store) (blockSource, error) {
	kind, place, ok := strings.Cut(v.From, ":")
	if !ok || place == "" {
		return nil, fmt.Errorf("--from %q: want KIND:PLACE, such as blocks:/path/to/blk00000.dat", v.From)
	}
	switch kind {
	case "blocks":
		return v.openBlocks(ctx, chain, place, into)
	case "bitcoin-etl":
		network, err := bitcoin.NetworkOf(chain)
		if err != nil {
			return nil, err
		}
		return etl.Open(ctx, place, network)
	case "transfers":
		notation, err := notations(chain)
		if err != nil {
			return nil, err
		}
		return transfers.Open(ctx, place, chain, notation)
	}
	return nil, fmt.Errorf("--from %q: kind %q is not supported; use blocks, bitcoin-etl or transfers", v.From, kind)
}

func (v *ingestVerb) openBlocks(ctx context.Context, chain ledger.Chain, place string, into store.Store) (blockSource, error) {
	network, err := bitcoin.NetworkOf(chain)
	if err != nil {
		return nil, err
	}
	options := blkfile.Options{Network: network}
	if v.NoPow {
		options.Proof = bitcoin.WithoutWork
	}
	statuses, err := into.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, status := range statuses {
		if status.Chain == chain {
			options.Head = blkfile.Head{Height: status.Height, Hash: status.Hash}
		}
	}
	return blkfile.Open(ctx, place, options)
}
