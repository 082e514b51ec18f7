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
	"coldtrail/report"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

type demoVerb struct {
	Report string `type:"path" placeholder:"PLACE" help:"Write a report of it instead of printing: a file (.html, .pdf) or a folder."`
}

const demoFolder = "testdata/bybit-2025"

// Run follows the bundled theft through a store that exists only for the run.
func (v *demoVerb) Run(ctx context.Context, s *session) (err error) {
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
	result, err := trace.Run(ctx, into, []*trace.Case{c}, trace.Options{Method: taint.FIFO, Notations: notations, LabelRevision: noLabels, Flows: v.Report != ""})
	if err != nil {
		return err
	}
	if v.Report != "" {
		return v.report(ctx, s, c, result)
	}
	if s.json {
		return s.printJSON(result)
	}
	fmt.Fprintf(s.stdout, "The bundled export has %d blocks with movements of the theft's first five hops.\n\n", source.Total())
	return s.printResult(result, []*trace.Case{c})
}

// report writes a report of the bundled theft.
func (v *demoVerb) report(ctx context.Context, s *session, c *trace.Case, result *trace.Result) error {
	f := &reportFlags{Out: v.Report, TLP: "clear"}
	formats, err := f.formats()
	if err != nil {
		return err
	}
	o := f.describe()
	o.Trace, o.Command = "coldtrail demo --json", "coldtrail demo --report PLACE"
	r, err := report.Build([]*trace.Case{c}, result, o)
	if err != nil {
		return err
	}
	return f.write(ctx, s, r, formats)
}
