package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"gopkg.in/yaml.v3"

	"coldtrail"
	"coldtrail/casebook"
	"coldtrail/chain/evm"
	"coldtrail/chain/transfers"
	"coldtrail/ingest"
	"coldtrail/internal/laundering"
	"coldtrail/ledger"
	"coldtrail/report"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

type demoVerb struct {
	Report  string `type:"path" placeholder:"PLACE" help:"Write a report of it instead of printing: a file (.html, .pdf) or a folder."`
	NoServe bool   `help:"Print the answer and end, without the workbench."`
	Played  bool   `help:"Show a laundering that is played after published figures instead of the real export, which ends after five hops: addresses are invented, bridges, swaps and bitcoin wallets are there."`
	Wallets int    `default:"1200" placeholder:"N" help:"With --played: over about how many bitcoin wallets the money spreads."`
	Listen  string `placeholder:"HOST:PORT" help:"Where the workbench is; by default 127.0.0.1:8801, or any free port where that is taken."`
}

const demoFolder = "testdata/bybit-2025"

// Run follows the bundled theft through a store that exists only for the run, then shows it
// in the workbench until it is interrupted.
func (v *demoVerb) Run(ctx context.Context, s *session) (err error) {
	folder, err := os.MkdirTemp("", "coldtrail-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	demo := *s
	demo.data, demo.store, demo.casebook = filepath.Join(folder, "data"), "", "" // whatever is set for real work
	text, err := v.fill(ctx, &demo, folder)
	if err != nil {
		return err
	}
	c, err := trace.ParseCase("case.yaml", bytes.NewReader(text))
	if err != nil {
		return err
	}
	result, err := v.trace(ctx, &demo, c)
	if err != nil {
		return err
	}
	switch {
	case v.Report != "":
		return v.report(ctx, s, c, result)
	case s.json:
		return s.printJSON(result)
	}
	if err := s.printResult(result, []*trace.Case{c}); err != nil || v.NoServe {
		return err
	}
	return v.serve(ctx, &demo, c, text)
}

// fill brings what is followed into the store and gives the case file.
func (v *demoVerb) fill(ctx context.Context, s *session, folder string) (text []byte, err error) {
	into, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	if v.Played {
		return v.play(ctx, s, into)
	}
	csv, err := fs.ReadFile(coldtrail.Bundled, demoFolder+"/transfers.csv")
	if err != nil {
		return nil, err
	}
	place := filepath.Join(folder, "transfers.csv")
	if err := os.WriteFile(place, csv, 0o600); err != nil {
		return nil, err
	}
	source, err := transfers.Open(ctx, place, ledger.Ethereum, evm.Notation{})
	if err != nil {
		return nil, err
	}
	if _, err := ingest.Run(ctx, into, ledger.Ethereum, source, ingest.Options{}); err != nil {
		return nil, err
	}
	if !s.json && v.Report == "" {
		fmt.Fprintf(s.stdout, "The bundled export has %d blocks with movements of the theft's first five hops.\n\n", source.Total())
	}
	return fs.ReadFile(coldtrail.Bundled, demoFolder+"/case.yaml")
}

// play plays a laundering into the store.
func (v *demoVerb) play(ctx context.Context, s *session, into store.Store) ([]byte, error) {
	verb := &replayVerb{Scenario: "bybit", Seed: 1, Scale: 1, Thin: 1, Wallets: v.Wallets, Quiet: true}
	played, err := verb.play(ctx, s, into)
	if err != nil {
		return nil, err
	}
	c := laundering.CaseOf(verb.Scenario, played)
	c.Title = "Played: what the Bybit theft's laundering looked like (addresses are invented)"
	return yaml.Marshal(c)
}

// trace follows the case. The real export has no bridges in it and needs no labels.
func (v *demoVerb) trace(ctx context.Context, s *session, c *trace.Case) (result *trace.Result, err error) {
	from, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	return trace.Run(ctx, from, []*trace.Case{c}, trace.Options{
		Method: taint.FIFO, Notations: notations, LabelRevision: noLabels, Crossings: v.Played, Flows: v.Report != "",
	})
}

// serve opens the case and shows it.
func (v *demoVerb) serve(ctx context.Context, s *session, c *trace.Case, text []byte) error {
	if err := openCase(ctx, s, c, text); err != nil {
		return err
	}
	listen, err := v.place(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "\nLook at it: http://%s/ (until this is interrupted with Ctrl-C; what you do there is forgotten then)\n", listen)
	verb := &serveVerb{Listen: []string{listen}, Open: true, Stale: 10 * time.Minute}
	verb.Method, verb.Owners = "fifo", true
	return verb.Run(ctx, s)
}

// openCase puts the case into the casebook.
func openCase(ctx context.Context, s *session, c *trace.Case, text []byte) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	_, err = book.SaveCase(ctx, casebook.CaseChange{ID: c.Name, Title: c.Title, State: casebook.CaseOpen, Text: string(text), By: "demo", At: time.Now().Unix(), Why: "bundled with the program"})
	return err
}

// place is where to listen: as was asked, else the usual place, else any that is free.
func (v *demoVerb) place(ctx context.Context) (string, error) {
	if v.Listen != "" {
		return v.Listen, nil
	}
	var errs []error
	for _, address := range []string{"127.0.0.1:8801", "127.0.0.1:0"} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
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
