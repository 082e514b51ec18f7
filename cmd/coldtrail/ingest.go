package main

import (
	"context"
	"errors"
	"fmt"

	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store"
)

type ingestVerb struct {
	Chain string  `arg:"" help:"bitcoin, ethereum or another network by name (base, arbitrum, sepolia, regtest, simnet, …), eip155:N or bip122:…"`
	From  string  `required:"" placeholder:"KIND:PLACE" help:"blocks:PLACE, rpc:URL, era1:PLACE, esplora:URL, bitcoin-etl:FOLDER, ethereum-etl:FOLDER, parquet:FOLDER or transfers:CSV."`
	To    *uint64 `placeholder:"HEIGHT" help:"Stop after this height."`
	Since uint64  `placeholder:"HEIGHT" help:"Begin here where the store holds nothing of the chain yet."`
	NoPow bool    `help:"Accept blocks without proof of work (test chains); their facts are marked file."`
	Batch int     `placeholder:"TXS" help:"Transactions in one durable step; by default 16384."`
	Keep  bool    `help:"Keep the good blocks before a bad one; by default a faulty file changes nothing."`

	Share bool   `help:"Share the work with other processes that run the same command, on a store on ClickHouse with a keeper. Needs --to."`
	Range uint64 `default:"1000" placeholder:"BLOCKS" help:"Blocks that one process takes at a time with --share."`

	nodeFlags
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
	if v.Share {
		return v.share(ctx, s, chain)
	}
	into, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	from, err := v.open(ctx, s, chain, into)
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
	options.BatchTx, options.From = v.Batch, ledger.Height(v.Since)
	options.Reorganised = func(fork ledger.Height, depth int) {
		fmt.Fprintf(s.stderr, "note: the chain was reorganised after block %d; %d blocks were taken back\n", fork, depth)
	}
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
	return v.tell(s, chain, done)
}

func (*ingestVerb) tell(s *session, chain ledger.Chain, done ingest.Progress) error {
	if s.json {
		return s.printJSON(map[string]any{"chain": chain, "height": done.Height, "added_blocks": done.Blocks, "added_txs": done.Txs})
	}
	fmt.Fprintf(s.stdout, "%s: %d blocks and %d transactions added, height %d\n", chain.Short(), done.Blocks, done.Txs, done.Height)
	return nil
}

// releaseTxs is after how many transactions an ingest gives mapped pages back.
const releaseTxs = 1 << 18

// release keeps the memory of a long ingest flat where the store maps files. That the
// kernel did not follow the advice is no reason to stop.
func release(into store.Store, p ingest.Progress) {
	if mapped, ok := into.(interface{ Release() error }); ok && p.Txs%releaseTxs < ingest.DefaultBatch {
		_ = mapped.Release()
	}
}
