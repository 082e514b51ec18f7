// Package reporttest makes answers to report on: the theft from Bybit as it is bundled, and
// a laundering played through bridges, services and mixers.
package reporttest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"coldtrail"
	"coldtrail/chain/evm"
	"coldtrail/chain/transfers"
	"coldtrail/ingest"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/report"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

// Answer is a trace with its cases.
type Answer struct {
	Cases  []*trace.Case
	Result *trace.Result
}

// Bybit traces the bundled theft by a method.
func Bybit(ctx context.Context, method *taint.Method) (a Answer, err error) {
	folder, err := os.MkdirTemp("", "coldtrail-report-")
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	const from = "testdata/bybit-2025/"
	csv, err := fs.ReadFile(coldtrail.Bundled, from+"transfers.csv")
	if err != nil {
		return a, err
	}
	place := filepath.Join(folder, "transfers.csv")
	if err := os.WriteFile(place, csv, 0o600); err != nil {
		return a, err
	}
	source, err := transfers.Open(ctx, place, ledger.Ethereum, evm.Notation{})
	if err != nil {
		return a, err
	}
	into := memory.New()
	if _, err := ingest.Run(ctx, into, ledger.Ethereum, source, ingest.Options{}); err != nil {
		return a, err
	}
	text, err := fs.ReadFile(coldtrail.Bundled, from+"case.yaml")
	if err != nil {
		return a, err
	}
	c, err := trace.ParseCase("case.yaml", bytes.NewReader(text))
	if err != nil {
		return a, err
	}
	return run(ctx, into, c, method)
}

// Replay plays a laundering and traces it by first in, first out. Change may change the
// case before.
func Replay(ctx context.Context, change func(*trace.Case)) (a Answer, err error) {
	l, err := laundering.Play(replay.Options{Seed: 7, Scale: 100, Thin: 10, Wallets: 200, Scenario: "bybit"})
	if err != nil {
		return a, err
	}
	into := memory.New()
	if err := into.Append(ctx, l.Blocks); err != nil {
		return a, err
	}
	if change != nil {
		change(l.Case)
	}
	return run(ctx, into, l.Case, taint.FIFO)
}

func run(ctx context.Context, from trace.Store, c *trace.Case, method *taint.Method) (a Answer, err error) {
	a.Cases = []*trace.Case{c}
	a.Result, err = trace.Run(ctx, from, a.Cases, trace.Options{Method: method, Notations: laundering.Notations, Crossings: true, Flows: true})
	return a, err
}

// Unit knows ether and bitcoin.
func Unit(asset string) (report.Unit, bool) {
	switch {
	case asset == string(ledger.Ethereum.Native()):
		return report.Unit{Digits: 18, Name: "ETH"}, true
	case strings.HasSuffix(asset, "/slip44:0"), strings.HasSuffix(asset, "/slip44:1"):
		return report.Unit{Digits: 8, Name: "BTC"}, true
	}
	return report.Unit{}, false
}
