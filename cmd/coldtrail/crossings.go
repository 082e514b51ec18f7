package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"coldtrail/chain/jsonrpc"
	"coldtrail/crossing/midgard"
	"coldtrail/crossing/opaque"
	"coldtrail/trace"
)

type crossingsVerb struct {
	Cases   []string `arg:"" optional:"" name:"CASE.yaml" help:"Case files whose networks and bridges count too."`
	Since   string   `placeholder:"TIME" default:"1970-01-01" help:"RFC 3339 time or date from which the ledger is read."`
	AsOf    string   `placeholder:"TIME" help:"RFC 3339 time or date; by default the newest block."`
	All     bool     `help:"Print every crossing; by default the newest twenty."`
	Forged  bool     `help:"Print messages and payouts that do not count instead."`
	Confirm string   `placeholder:"KIND:URL" help:"Ask THORChain's index (midgard:URL) or a node of it (thornode:URL) for a second opinion on the newest crossings; nothing rests on it."`
	Most    int      `default:"100" placeholder:"N" help:"With --confirm: most deposits to ask about."`
	Measure bool     `help:"Hide what joins the crossings of vaults, score them as an opaque service's, and say how often that was right."`
}

// Run lists what went across bridges, stolen or not.
func (v *crossingsVerb) Run(ctx context.Context, s *session) (err error) {
	cases, err := readCases(v.Cases)
	if err != nil {
		return err
	}
	options := trace.Options{Notations: notations, Crossings: true}
	if v.AsOf != "" {
		if options.AsOf, err = parseMoment("--as-of", v.AsOf); err != nil {
			return err
		}
	}
	since, err := parseBeginning(v.Since)
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	bridged, err := trace.ListBridged(ctx, from, cases, since, options)
	if err != nil {
		return err
	}
	switch {
	case v.Confirm != "":
		return v.confirm(ctx, s, bridged)
	case v.Measure && s.json:
		return s.printJSON(bridged.Measure(opaque.Prior))
	case v.Measure:
		return s.printMeasured(bridged.Measure(opaque.Prior))
	case s.json:
		return s.printJSON(bridged)
	case v.Forged:
		s.printForged(bridged.Forged)
		return nil
	}
	return v.print(s, bridged)
}

// confirm asks for a second opinion and prints it.
func (v *crossingsVerb) confirm(ctx context.Context, s *session, b *trace.Bridged) error {
	kind, url, _ := strings.Cut(v.Confirm, ":")
	source, err := midgard.Open(kind, jsonrpc.Options{
		URL: url, Every: time.Second / 4, Patience: time.Minute, Now: time.Now, Log: func(text string) { fmt.Fprintln(s.stderr, text) },
	})
	if err != nil {
		return err
	}
	defer source.Close()
	bar := newProgress(s, "confirm", 0)
	opinions, err := b.Confirm(ctx, source.Paid, v.Most, func(done, _ int) { bar.set(uint64(done)) })
	bar.end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"opinions": opinions})
	}
	count := map[string]int{}
	for i := range opinions {
		count[string(opinions[i].Verdict)]++
	}
	for _, verdict := range sortedKeys(count) {
		fmt.Fprintf(s.stdout, "%d %s\n", count[verdict], verdict)
	}
	for i := range opinions {
		if o := &opinions[i]; o.Verdict == trace.Contradicted || o.Verdict == trace.Incomplete {
			fmt.Fprintf(s.stdout, "%s  %s: linked %s, named %s\n", o.Verdict, o.Deposit, strings.Join(o.Linked, " "), strings.Join(o.Named, " "))
		}
	}
	if count[string(trace.Contradicted)] > 0 {
		return errContradicted
	}
	return nil
}

// errContradicted says that a second opinion differs.
var errContradicted = errors.New("a link is contradicted; look at its transactions before you rely on either")

// parseBeginning reads RFC 3339 or a date, which means its beginning.
func parseBeginning(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, "2006-01-02"} {
		if moment, err := time.Parse(form, text); err == nil {
			return moment, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: want a date (2025-03-01) or RFC 3339 (2025-03-01T12:00:00Z)", text)
}

// newest is how many crossings are printed unless all are asked for.
const newest = 20

func (v *crossingsVerb) print(s *session, b *trace.Bridged) error {
	rows := b.Crossings
	count := map[string]int{}
	for i := range rows {
		count[rows[i].Protocol+"\t"+rows[i].Status]++
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROTOCOL\tSTATUS\tCROSSINGS")
	for _, name := range sortedKeys(count) {
		fmt.Fprintf(w, "%s\t%d\n", name, count[name])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(b.Forged); n > 0 {
		fmt.Fprintf(s.stdout, "%d messages or payouts do not count (--forged lists them)\n", n)
	}
	if more := len(rows) - newest; more > 0 && !v.All {
		fmt.Fprintf(s.stdout, "\nThe newest %d (--all prints %d more):\n", newest, more)
		rows = rows[more:]
	} else {
		fmt.Fprintln(s.stdout)
	}
	for i := range rows {
		s.printCrossing(&rows[i])
	}
	return nil
}

func (s *session) printForged(rows []trace.Anomaly) {
	for i := range rows {
		fmt.Fprintf(s.stdout, "%s  %s  %s\n", rows[i].Chain, rows[i].Tx, rows[i].Detail)
	}
}

func (s *session) printMeasured(r *opaque.Report) error {
	if r.All.Deposits == 0 {
		fmt.Fprintln(s.stdout, "The ledger holds no crossings of vaults with one payout to measure on.")
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEPOSITS\tNUMBER\tPOSSIBLE OR BETTER\tRIGHT\tOF ALL\tSTRONG\tRIGHT\tOF ALL")
	row := func(name string, m *opaque.Measured) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%d\t%s\t%s\n", name, m.Deposits, m.Shown, share(m.Right, m.Shown), share(m.Right, m.Deposits), m.Strong, share(m.StrongRight, m.Strong), share(m.StrongRight, m.Deposits))
	}
	row("all", &r.All)
	for i := range r.ByAmount {
		row(fmt.Sprintf("amount, tenth %d", i+1), &r.ByAmount[i])
	}
	low := 1
	for i := range r.ByLoad {
		name := fmt.Sprintf("%d to %d an hour", low, opaque.Loads[i]-1)
		if i == len(r.ByLoad)-1 {
			name = fmt.Sprintf("%d or more an hour", low)
		}
		row(name, &r.ByLoad[i])
		low = opaque.Loads[i]
	}
	return w.Flush()
}

// share is part of a whole in per cent.
func share(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*float64(part)/float64(whole)), ".0") + " %"
}
