package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"coldtrail"
	"coldtrail/chain/evm"
	"coldtrail/chain/transfers"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

type demoVerb struct{}

const demoFolder = "testdata/bybit-2025"

// Run follows the bundled theft through a store that exists only for the run.
func (*demoVerb) Run(ctx context.Context, s *session) (err error) {
	folder, err := os.MkdirTemp("", "coldtrail-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	csv, err := fs.ReadFile(coldtrail.Bundled, demoFolder+"/transfers.csv")
	if err != nil {
		return err
	}
	place := filepath.Join(folder, "transfers.csv")
	if err := os.WriteFile(place, csv, 0o600); err != nil {
		return err
	}
	source, err := transfers.Open(ctx, place, ledger.Ethereum, evm.Notation{})
	if err != nil {
		return err
	}
	into := memory.New()
	if _, err := ingest.Run(ctx, into, ledger.Ethereum, source, ingest.Options{}); err != nil {
		return err
	}
	text, err := fs.ReadFile(coldtrail.Bundled, demoFolder+"/case.yaml")
	if err != nil {
		return err
	}
	c, err := trace.ParseCase("case.yaml", bytes.NewReader(text))
	if err != nil {
		return err
	}
	result, err := trace.Run(ctx, into, []*trace.Case{c}, trace.Options{Method: taint.FIFO, Notations: notations, LabelRevision: noLabels})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(result)
	}
	fmt.Fprintf(s.stdout, "The bundled export has %d blocks with movements of the theft's first five hops.\n\n", source.Total())
	return s.printResult(result, []*trace.Case{c})
}
