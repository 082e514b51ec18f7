package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// Run applies the ledger to an empty store and checks every expectation, by both
// drivers. It returns every failure; the error is for what could not run at all.
func (s *Scenario) Run(ctx context.Context, into store.Store) ([]*FailureError, error) {
	if err := s.fill(ctx, into); err != nil {
		return nil, err
	}
	var failures []*FailureError
	for i := range s.traces {
		for _, method := range s.traces[i].methods {
			failure, err := s.check(ctx, into, &s.traces[i], method)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %s: %w", s.File, s.traces[i].line, method.Name, err)
			}
			if failure != nil {
				failures = append(failures, failure)
			}
		}
	}
	return failures, nil
}

// Traces is how many traces the scenario checks.
func (s *Scenario) Traces() (n int) {
	for i := range s.traces {
		n += len(s.traces[i].methods)
	}
	return n
}

func (s *Scenario) fill(ctx context.Context, into store.Store) error {
	for _, step := range s.steps {
		var err error
		if step.rewind != nil {
			err = into.Rewind(ctx, step.chain, *step.rewind)
		} else {
			err = into.Append(ctx, []*ledger.Block{step.block})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
	}
	return nil
}

// cases builds the case files the scenario stands for, one for each incident.
func (s *Scenario) cases(e *expectation) []*trace.Case {
	var cases []*trace.Case
	for _, t := range s.thefts {
		incident, colour, _ := strings.Cut(t.colour, "/")
		i := slices.IndexFunc(cases, func(c *trace.Case) bool { return c.Name == incident })
		if i < 0 {
			i = len(cases)
			cases = append(cases, &trace.Case{File: s.File, Name: incident, StopAt: trace.Limits{Hops: e.hops}})
		}
		name, index, _ := strings.Cut(t.place, ":")
		place := s.names.txID(name).String() + ":" + index
		chain := s.home[name]
		entry := trace.Theft{Colour: colour, Chain: string(chain)}
		if chain.Family() == ledger.UTXO {
			entry.Outpoint = place
		} else {
			entry.Transfer, entry.Asset = place, string(s.stolenAsset(name, index))
		}
		cases[i].Thefts = append(cases[i].Thefts, entry)
	}
	if len(cases) > 0 {
		cases[0].Victims = s.victim
		if s.on[ledger.Ethereum] != nil {
			cases[0].Bridges = []trace.Bridge{{Protocol: "thorchain", Chain: string(ledger.Ethereum), Contract: "router"}}
		}
		for _, l := range s.links {
			cases[0].Links = append(cases[0].Links, s.linkEntry(&l))
		}
		s.addServices(cases[0])
	}
	return cases
}

// addServices gives a case its services, and the labels at which they take value in.
func (s *Scenario) addServices(c *trace.Case) {
	for _, x := range s.services {
		entry := trace.Service{Name: x.name, By: "analyst"}
		for _, chain := range slices.Sorted(maps.Keys(s.on)) {
			for _, wallet := range x.wallets {
				entry.Wallets = append(entry.Wallets, trace.Wallet{Chain: string(chain), Address: wallet})
			}
			for _, name := range slices.Sorted(maps.Keys(s.labels)) {
				if terminal := s.labels[name]; terminal.Entity == x.name {
					c.Labels = append(c.Labels, trace.Label{Chain: string(chain), Address: name, Kind: terminal.Kind.String(), Entity: x.name, By: "analyst"})
				}
			}
		}
		for _, a := range x.accepts {
			payout, index, _ := strings.Cut(a.payout, ":")
			entry.Accept = append(entry.Accept, trace.Acceptance{
				Deposit: s.names.txID(a.deposit).String(), Payout: s.names.txID(payout).String() + ":" + index, Score: a.score, By: "analyst", Why: "the scenario says so",
			})
		}
		c.Services = append(c.Services, entry)
	}
}

func (s *Scenario) linkEntry(l *link) trace.Link {
	return trace.Link{
		From: trace.LinkFrom{Chain: string(s.Chain), Addresses: []string{l.from}, Asset: string(s.names.parseAsset(l.fromIn))},
		To: trace.LinkTo{
			Chain: string(s.Chain), Address: l.to, Asset: string(s.names.parseAsset(l.toIn)), Amount: l.amount,
			Before: s.names.txID(l.before).String(),
		},
		Score: l.score, By: l.assertedBy, Why: l.justification,
	}
}

// stolenAsset is the asset of the movement a theft names.
func (s *Scenario) stolenAsset(name, index string) ledger.Asset {
	id := s.names.txID(name)
	for _, step := range slices.Backward(s.steps) {
		if step.block == nil {
			continue
		}
		for i := range step.block.Txs {
			tx := &step.block.Txs[i]
			if tx.ID != id {
				continue
			}
			for j := range tx.Transfers {
				if fmt.Sprint(j) == index {
					return tx.Transfers[j].Asset
				}
			}
		}
	}
	return s.Chain.Native()
}

// check runs one method by both drivers and compares with the expected lines.
func (s *Scenario) check(ctx context.Context, from store.Store, e *expectation, method *taint.Method) (*FailureError, error) {
	fail := func(reason string, want, got []string) *FailureError {
		return &FailureError{File: s.File, Line: e.line, Method: method.Name, Reason: reason, Want: want, Got: got}
	}
	options := trace.Options{
		Method: method, Mode: trace.Streaming, Fees: e.fees, CoinJoins: e.coinJoins,
		Crossings: true, Notations: func(c ledger.Chain) (ledger.Notation, error) { return s.on[c], nil },
		Terminals: func(_ ledger.Chain, a ledger.Address, _ store.TxNumber) (taint.Terminal, bool) {
			t, ok := s.labels[s.names.FormatAddress(a)]
			return t, ok
		},
		Subsidy: func(ledger.Chain, ledger.Height) uint64 { return e.subsidy },
	}
	streamed, err := trace.Run(ctx, from, s.cases(e), options)
	if err != nil {
		return nil, err
	}
	options.Mode = trace.Targeted
	targeted, err := trace.Run(ctx, from, s.cases(e), options)
	if err != nil {
		return nil, err
	}
	one, err := json.Marshal(streamed)
	if err != nil {
		return nil, err
	}
	two, err := json.Marshal(targeted)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(one, two) {
		return fail("the streaming and the targeted driver differ", s.print(streamed), s.print(targeted)), nil
	}
	return s.compare(e, s.print(streamed), fail), nil
}

// compare checks the dispositions completely, and every other expected line.
func (s *Scenario) compare(e *expectation, got []string, fail func(string, []string, []string) *FailureError) *FailureError {
	var missing, extra []string
	for _, want := range e.lines {
		if !slices.Contains(got, want) {
			missing = append(missing, want)
		}
	}
	for _, have := range got {
		word, _, _ := strings.Cut(have, " ")
		if _, disposition := taint.KindNamed(word); disposition && !slices.Contains(e.lines, have) {
			extra = append(extra, have)
		}
	}
	if len(missing) == 0 && len(extra) == 0 {
		return nil
	}
	if len(missing) > 0 && len(extra) == 0 { // show what else there is to choose from
		extra = slices.DeleteFunc(got, func(line string) bool { return slices.Contains(e.lines, line) })
	}
	return fail("not what was expected", missing, extra)
}

// print renders a result in the words of expectations.
func (s *Scenario) print(r *trace.Result) []string {
	var lines []string
	for i := range r.Dispositions {
		lines = append(lines, s.printDisposition(&r.Dispositions[i]))
	}
	for _, c := range r.Colours {
		lines = append(lines, fmt.Sprintf("stolen %s %s", short(c.Colour), c.Stolen))
		for other, amount := range c.Already {
			lines = append(lines, fmt.Sprintf("already %s %s %s", short(c.Colour), short(other), amount))
		}
		if sum, ok := r.Summary[c.Colour]; ok {
			lines = append(lines, fmt.Sprintf("summary %s traceable %d dark %d frozen %d", short(c.Colour), sum.Traceable, sum.Dark, sum.Frozen))
		}
	}
	if r.FactOnly != nil {
		for i := range r.FactOnly.Dispositions {
			lines = append(lines, "fact-only "+s.printDisposition(&r.FactOnly.Dispositions[i]))
		}
	}
	for _, a := range r.Anomalies {
		lines = append(lines, strings.Join([]string{"anomaly", a.Kind, s.names.place(a.At), a.Amount, s.names.asset[ledger.Asset(a.Asset)]}, " "))
	}
	for i := range r.Crossings {
		lines = append(lines, s.printCrossing(&r.Crossings[i]))
	}
	for i := range r.Candidates {
		lines = append(lines, s.printCandidate(&r.Candidates[i]))
	}
	for i := range r.Swaps {
		lines = append(lines, s.printSwap(&r.Swaps[i]))
	}
	return lines
}

// printSwap is `swap PRINCIPAL AMOUNT [ASSET] -> RECIPIENT AMOUNT [ASSET], ... via POOL ...`.
func (s *Scenario) printSwap(swap *trace.Swap) string {
	side := func(of trace.SwapSide) string {
		return strings.TrimSpace(s.names.place(of.Address) + " " + of.Amount + " " + s.names.asset[ledger.Asset(of.Asset)])
	}
	var to []string
	for _, r := range swap.Received {
		to = append(to, side(r))
	}
	line := "swap " + side(swap.Gave) + " -> " + strings.Join(to, ", ")
	for i, pool := range swap.Pools {
		if i == 0 {
			line += " via"
		}
		line += " " + s.names.place(pool)
	}
	return line
}

// printCrossing is `crossing PROTOCOL STATUS NAME AMOUNT ASSET -> NAME AMOUNT ASSET [refund], ...`.
func (s *Scenario) printCrossing(c *trace.Crossing) string {
	side := func(of *trace.Side) string {
		return strings.TrimSpace(strings.Join(of.Addresses, "+") + " " + of.Amount + " " + s.names.asset[ledger.Asset(of.Asset)] + " " + of.Kind)
	}
	var to []string
	for i := range c.Out {
		to = append(to, side(&c.Out[i]))
	}
	line := strings.Join([]string{"crossing", c.Protocol, c.Status, side(&c.In), "->", strings.Join(to, ", ")}, " ")
	return strings.Join(strings.Fields(line), " ")
}

// printCandidate is `candidate ENTITY NAME AMOUNT ASSET -> NAME AMOUNT ASSET CLASS`, or
// `none` where there is none.
func (s *Scenario) printCandidate(c *trace.Candidate) string {
	side := func(of *trace.Side) string {
		return strings.Join(of.Addresses, "+") + " " + of.Amount + " " + s.names.asset[ledger.Asset(of.Asset)]
	}
	if c.Out == nil {
		return "candidate " + c.Service + " " + side(&c.In) + " -> none"
	}
	return strings.TrimSpace("candidate " + c.Service + " " + side(&c.In) + " -> " + side(c.Out) + " " + c.Class)
}

// printDisposition is `KIND PLACE COLOUR AMOUNT [ASSET] [origin N] [certainty N] [entity NAME]`,
// leaving out what says nothing.
func (s *Scenario) printDisposition(d *trace.Disposition) string {
	words := []string{d.Kind, s.names.place(d.At), short(d.Colour), d.Amount}
	if asset := s.names.asset[ledger.Asset(d.Asset)]; asset != s.names.native() || s.names.several {
		words = append(words, asset)
	}
	if d.Origin != d.Amount {
		words = append(words, "origin", d.Origin)
	}
	if d.Certainty != taint.Fact {
		words = append(words, "certainty", fmt.Sprint(d.Certainty))
	}
	if d.Entity != "" {
		words = append(words, "entity", s.names.naming(d.Entity))
	}
	return strings.Join(words, " ")
}

func short(colour string) string { return strings.TrimPrefix(colour, "case/") }
