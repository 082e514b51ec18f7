package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"coldtrail/evidence"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/trace"
)

// isBundle says whether the path is a bundle and not a text: a bundle that is broken is
// one still, if it is called so.
func (v *verifyVerb) isBundle() bool {
	for _, end := range []string{".yaml", ".yml", ".json"} {
		if strings.HasSuffix(strings.ToLower(v.Path), end) {
			return false
		}
	}
	return true
}

// verifyPath checks a path that somebody submitted.
func (v *verifyVerb) verifyPath(ctx context.Context, s *session) error {
	f, err := os.Open(v.Path)
	if err != nil {
		return err
	}
	submitted, err := evidence.ParseSubmission(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", v.Path, err)
	}
	var report *evidence.PathReport
	switch {
	case v.Bundle != "" && len(v.Case) > 0:
		return errors.New("a path is checked against --bundle or against --case, not both")
	case v.Bundle != "":
		report, err = v.pathInBundle(ctx, s, submitted)
	case len(v.Case) > 0:
		report, err = v.pathInStore(ctx, s, submitted)
	default:
		return errors.New("name what the path is checked against: --bundle BUNDLE.zip, or --case CASE.yaml for the store")
	}
	if err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(report)
	} else {
		printPathReport(s, report)
	}
	if err == nil && !report.Valid {
		return errHit
	}
	return err
}

func (v *verifyVerb) pathInBundle(ctx context.Context, s *session, submitted *evidence.Submission) (*evidence.PathReport, error) {
	raw, err := readBundle(v.Bundle)
	if err != nil {
		return nil, err
	}
	done := working(s, "checking the bundle")
	report, held, err := evidence.Verify(ctx, bytes.NewReader(raw), int64(len(raw)), notations)
	done()
	if err != nil {
		return nil, err
	}
	if report.State != evidence.OK || held == nil {
		return nil, fmt.Errorf("%s does not hold, so nothing can be said of the path; coldtrail verify %s says why", v.Bundle, v.Bundle)
	}
	return evidence.CheckPath(ctx, submitted, held.Result, held.Holds)
}

func (v *verifyVerb) pathInStore(ctx context.Context, s *session, submitted *evidence.Submission) (report *evidence.PathReport, err error) {
	cases, err := readCases(v.Case)
	if err != nil {
		return nil, err
	}
	as := traceFlags{Method: v.Method, Mode: string(trace.Targeted), Fees: "end", CoinJoin: "end", Conclude: "deposits"}
	options, err := as.options(s)
	if err != nil {
		return nil, err
	}
	options.Flows = true
	from, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	result, err := as.over(ctx, s, from, cases, options)
	if err != nil {
		return nil, err
	}
	return evidence.CheckPath(ctx, submitted, result, holdsOf(from))
}

// holdsOf says what a store holds.
func holdsOf(from store.Reader) evidence.Holds {
	return func(ctx context.Context, chain ledger.Chain, id ledger.Hash) (bool, error) {
		statuses, err := from.Status(ctx)
		if err != nil || !slices.ContainsFunc(statuses, func(s store.Status) bool { return s.Chain == chain }) {
			return false, err
		}
		numbers, err := from.Find(ctx, chain, []ledger.Hash{id})
		return err == nil && numbers[0] != store.NoTx, err
	}
}

func printPathReport(s *session, r *evidence.PathReport) {
	for i := range r.Steps {
		step := &r.Steps[i]
		word := "ok"
		if !step.Valid {
			word = "NOT VALID"
		}
		fmt.Fprintf(s.stdout, "%-11s%s  %s  %s", word, ledger.Chain(step.Chain).Short(), step.Tx, step.Time)
		if step.Amount != "" {
			fmt.Fprintf(s.stdout, "  brings %s", decimals(step.Amount, step.Asset))
		}
		if step.Link != "" {
			fmt.Fprintf(s.stdout, " (asserted by %s)", inert(step.Link))
		}
		fmt.Fprintln(s.stdout)
		for _, reason := range step.Reasons {
			fmt.Fprintf(s.stdout, "           %s\n", inert(reason))
		}
	}
	for _, reason := range r.Reasons {
		fmt.Fprintln(s.stdout, inert(reason))
	}
	verdict := "NOT VALID"
	if r.Valid {
		verdict = "valid"
	}
	fmt.Fprintf(s.stdout, "\n%s, of colour %s by %s; compared with a trace of digest %s\n", verdict, inert(r.Colour), r.Method, r.Digest)
	if r.Share != nil {
		fmt.Fprintf(s.stdout, "at most %s of what was stolen went this way (%s of %s base units)\n", percent(*r.Share), r.AtMost, r.Stolen)
	}
}
