package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"coldtrail/screen"
	"coldtrail/screen/exposure"
)

type screenVerb struct {
	Subjects []string `arg:"" optional:"" name:"ADDRESS|TXID" help:"What to screen; without any, one a line is read from standard input."`
	Chain    string   `placeholder:"CHAIN" help:"bitcoin, ethereum, eip155:N, …; by default every chain that the subject may be of."`
	Purpose  string   `enum:",deposit,withdrawal,swap,refund" default:"" help:"What the verdict is wanted for: deposit, withdrawal, swap or refund."`
	At       string   `placeholder:"TIME" help:"Of what held at this moment instead: RFC 3339 or a date."`
	Known    string   `placeholder:"TIME" help:"By the labels that were known at this moment."`

	screeningFlags
}

// Run screens.
func (v *screenVerb) Run(ctx context.Context, s *session) (err error) {
	q, err := v.question()
	if err != nil {
		return err
	}
	o, err := v.openScreening(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	now := time.Now().Unix()
	o.hearAll(now)
	v.tellAge(s, o.engine.Now().Basis(), now)
	var worst verdicts
	each := func(subject string) error {
		q.Subject = subject
		return v.screen(ctx, s, o.engine, q, &worst)
	}
	if len(v.Subjects) > 0 {
		for _, subject := range v.Subjects {
			if err := each(subject); err != nil {
				return err
			}
		}
		return worst.err()
	}
	return errors.Join(eachLine(os.Stdin, each), worst.err())
}

func (v *screenVerb) question() (q exposure.Question, err error) {
	q.Purpose = exposure.Purpose(v.Purpose)
	if v.Chain != "" {
		chain, err := parseChain(v.Chain)
		if err == nil {
			q.Chain = string(chain)
		} else {
			q.Chain = v.Chain // a network that no ledger holds
		}
	}
	if v.At != "" {
		moment, err := parseMoment("--at", v.At)
		if err != nil {
			return q, err
		}
		q.At = moment.Unix()
	}
	if v.Known != "" {
		moment, err := parseMoment("--known", v.Known)
		if err != nil {
			return q, err
		}
		q.Known = moment.Unix()
	}
	return q, nil
}

// tellAge says how far chains are held, where that is not today.
func (*screenVerb) tellAge(s *session, basis *exposure.Basis, now int64) {
	for _, chain := range sortedKeys(basis.Heads) {
		if head := basis.Heads[chain]; now-head.Time > 86_400 {
			fmt.Fprintf(s.stderr, "note: %s is held up to block %d of %s; what happened since is not known here\n", chain, head.Height, time.Unix(head.Time, 0).UTC().Format(time.RFC3339))
		}
	}
}

// verdicts is the worst of several.
type verdicts struct{ hit, unknown bool }

// errCannotTell makes the exit code 2 without a message.
var errCannotTell = errors.New("could not tell")

func (w *verdicts) err() error {
	switch {
	case w.hit:
		return errHit
	case w.unknown:
		return errCannotTell
	}
	return nil
}

func (w *verdicts) take(v *exposure.Verdict) {
	switch {
	case v.Level == exposure.Unknown:
		w.unknown = true
	case v.Outcome != exposure.Allow && v.Outcome != exposure.Monitor:
		w.hit = true
	}
}

func (*screenVerb) screen(ctx context.Context, s *session, e *screen.Engine, q exposure.Question, worst *verdicts) error {
	verdict, err := e.At(ctx, &q)
	if err != nil {
		return err
	}
	if q.At == 0 {
		if err := e.Explain(ctx, &verdict); err != nil {
			return err
		}
	}
	worst.take(&verdict)
	if s.json {
		text, err := json.Marshal(&verdict)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.stdout, string(text))
		return nil
	}
	printVerdict(s.stdout, &verdict)
	return nil
}

// printVerdict prints a verdict with its reasons for people.
func printVerdict(w io.Writer, v *exposure.Verdict) {
	fmt.Fprintf(w, "%s  %s  %s", inert(v.Subject), strings.ToUpper(string(v.Outcome)), v.Level)
	if v.Chain != "" {
		fmt.Fprintf(w, "  %s", v.Chain)
	}
	fmt.Fprintln(w)
	for _, r := range v.Reasons {
		mark := ""
		if r.Fact >= 0 {
			mark = fmt.Sprintf(" [%d]", r.Fact+1)
		}
		fmt.Fprintf(w, "  %s (%s): %s%s\n", r.Code, r.Outcome, inert(r.Why), mark)
	}
	for i := range v.Facts {
		fmt.Fprintf(w, "  [%d] ", i+1)
		printFact(w, &v.Facts[i])
	}
}

// mostPrinted is how many transactions of a fact are printed.
const mostPrinted = 6

// printFact prints what a reason rests on.
func printFact(w io.Writer, f *exposure.Fact) {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if f.Entity != "" {
		add("%s", inert(f.Entity))
	}
	switch f.Kind {
	case exposure.Owned:
		add("has the owner of %s, by %s", inert(f.About), f.Rule)
	case exposure.Dealt:
		add("%s %s, %s away", f.Direction, decimals(f.Amount.Dec(), string(f.Asset)), hops(f.Hops))
	case exposure.Labelled, exposure.Tainted:
	}
	if f.Category != "" {
		add("%s", f.Category)
	}
	if f.Colour != "" {
		add("%s: received %s, holds %s", f.Colour, decimals(f.Amount.Dec(), string(f.Asset)), decimals(f.Held.Dec(), string(f.Asset)))
		if !f.Total.IsZero() {
			add("%s of all it received", percent(uint64(f.Share)))
		}
		add("%s from the theft, certainty %s", hops(f.Hops), percent(uint64(f.Certainty)))
	}
	if f.By != "" {
		add("by %s", inert(f.By))
	}
	if f.From != 0 {
		add("since %s", time.Unix(f.From, 0).UTC().Format("2006-01-02"))
	}
	if f.To != 0 {
		add("until %s", time.Unix(f.To, 0).UTC().Format("2006-01-02"))
	}
	if f.Source != "" {
		add("%s", inert(f.Source))
	}
	if f.Claim != "" {
		add("claim %s", f.Claim)
	}
	for _, tx := range f.Evidence[:min(mostPrinted, len(f.Evidence))] {
		add("%s", tx)
	}
	if more := len(f.Evidence) - mostPrinted; more > 0 {
		add("and %d more (--json lists all)", more)
	}
	fmt.Fprintln(w, strings.Join(parts, "; "))
}

// hops says how far something is.
func hops(n uint32) string {
	if n == 1 {
		return "1 hop"
	}
	return fmt.Sprintf("%d hops", n)
}

// eachLine calls do with every line that has something on it.
func eachLine(from io.Reader, do func(string) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<16)
	n := 0
	for lines.Scan() {
		n++
		if text := strings.TrimSpace(lines.Text()); text != "" {
			if err := do(text); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}
