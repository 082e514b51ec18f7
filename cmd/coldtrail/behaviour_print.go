package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
	"coldtrail/server"
)

// An answer in JSON, which the server gives in the same words.
type (
	shownBehaviour = server.Behaviour
	shownFinding   = server.Finding
	shownAmount    = server.FindingAmount
	shownParameter = server.FindingFigure
)

func show(found *attribution.Conducted, n ledger.Notation) *shownBehaviour {
	x := &shownBehaviour{
		Chain: string(found.Chain), AsOf: uint64(found.AsOf), ClusterSize: found.Size, Addresses: formatted(found.Own, n), Transactions: found.Transactions,
		LeftOut: append([]string{}, found.LeftOut...), Findings: []shownFinding{},
	}
	for i := range found.Findings {
		x.Findings = append(x.Findings, showFinding(&found.Findings[i], found.Chain, n))
	}
	return x
}

func formatted(list []ledger.Address, n ledger.Notation) []string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = n.FormatAddress(a)
	}
	return texts
}

func showFinding(f *behaviour.Finding, chain ledger.Chain, n ledger.Notation) shownFinding {
	x := shownFinding{
		Pattern: f.Pattern, Title: titleOf(f.Pattern), Text: f.Text, From: stampOf(f.From), To: stampOf(f.To), Count: f.Count, Txs: []string{}, Amounts: []shownAmount{},
		Parties: formatted(f.Parties, n), Addresses: formatted(f.Addresses, n), Resembles: formatted(f.Resembles, n),
		Parameters: shownParameters(f.Parameters), Measures: shownParameters(f.Measures),
	}
	for _, c := range f.Chains {
		x.Chains = append(x.Chains, string(c))
	}
	for _, tx := range f.Txs {
		x.Txs = append(x.Txs, chain.FormatHash(tx))
	}
	for i := range f.Amounts {
		a := &f.Amounts[i]
		x.Amounts = append(x.Amounts, shownAmount{Asset: string(a.Asset), Amount: a.Amount.Dec(), Saturated: a.Saturated})
	}
	return x
}

func titleOf(pattern string) string {
	at := slices.IndexFunc(behaviour.Patterns, func(p *behaviour.Pattern) bool { return p.Name == pattern })
	if at < 0 {
		return pattern
	}
	return behaviour.Patterns[at].Title
}

func shownParameters(list []behaviour.Parameter) []shownParameter {
	out := make([]shownParameter, len(list))
	for i, p := range list {
		out[i] = shownParameter(p)
	}
	return out
}

func stampOf(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// shownTxs is how many transactions of a finding are printed; --json has up to 1,000.
const shownTxs = 5

func (s *session) printBehaviour(x *shownBehaviour) {
	if x.Subject != "" {
		of := ""
		if x.ClusterSize > 1 {
			of = fmt.Sprintf(" and %d more addresses of its cluster", x.ClusterSize-1)
		}
		fmt.Fprintf(s.stdout, "%s%s on %s up to block %d: %d transactions read, %d findings\n",
			x.Subject, of, ledger.Chain(x.Chain).Short(), x.AsOf, x.Transactions, len(x.Findings))
	}
	for _, text := range x.LeftOut {
		fmt.Fprintf(s.stdout, "  LEFT OUT: %s\n", text)
	}
	if x.Trace != "" {
		fmt.Fprintf(s.stdout, "  by the trace %s\n", x.Trace)
	}
	if len(x.Findings) == 0 {
		fmt.Fprintln(s.stdout, "No pattern is met. That is not to say that nothing was done; coldtrail behaviour --list has the definitions.")
	}
	for i := range x.Findings {
		s.printFinding(&x.Findings[i])
	}
}

func (s *session) printFinding(f *shownFinding) {
	fmt.Fprintf(s.stdout, "\n%s: %s\n  %s to %s\n  %s\n", f.Pattern, f.Title, f.From, f.To, f.Text)
	fmt.Fprintf(s.stdout, "  transactions (%d):\n", f.Count)
	for _, tx := range f.Txs[:min(len(f.Txs), shownTxs)] {
		fmt.Fprintf(s.stdout, "    %s\n", tx)
	}
	if more := f.Count - min(len(f.Txs), shownTxs); more > 0 {
		fmt.Fprintf(s.stdout, "    … and %d more (--json lists them)\n", more)
	}
	s.printParameters("decided by", f.Parameters)
	s.printParameters("found", f.Measures)
}

func (s *session) printParameters(word string, list []shownParameter) {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = strings.TrimSpace(p.Name + " " + cmp.Or(p.Value, "none") + " " + p.Unit)
	}
	if len(texts) > 0 {
		fmt.Fprintf(s.stdout, "  %s: %s\n", word, strings.Join(texts, "; "))
	}
}
