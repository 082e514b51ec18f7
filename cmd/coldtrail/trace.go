package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

type traceVerb struct {
	Flows  bool   `help:"Print every movement instead, oldest first."`
	Path   string `placeholder:"AT" help:"Print how money came to this place (an output or address of the answer)."`
	Colour string `placeholder:"CASE/COLOUR" help:"The colour whose path to print; by default the first found."`

	traceFlags
}

// traceFlags say what to trace, and how.
type traceFlags struct {
	Cases    []string `arg:"" name:"CASE.yaml" help:"Case files; several trace together."`
	Method   string   `default:"fifo" help:"fifo, haircut, lifo, poison, seniority or tiho."`
	Mode     string   `default:"streaming" enum:"streaming,targeted" help:"streaming reads every block, targeted only what is touched."`
	AsOf     string   `placeholder:"TIME" help:"RFC 3339 time or date; by default the newest block."`
	Fees     string   `default:"end" enum:"end,follow" help:"end: fees end the trace; follow: they reach the block's coinbase."`
	CoinJoin string   `default:"end" name:"coinjoin" enum:"end,follow" help:"end: value ends at the equal outputs of a coinjoin; follow: it is a transaction like any other."`
	Conclude string   `default:"deposits" placeholder:"RULES" help:"Where the trace stops beside labelled addresses: deposits (swept into a service's wallets), clusters (spent together with a service's), both with a comma, or none."`
	Least    uint8    `placeholder:"N" help:"Stop by labels of at least this confidence, 0 to 100; by default any."`
	From     string   `placeholder:"KIND:URL" help:"Trace without a ledger of your own: otterscan:URL of a node, etherscan:URL or esplora:URL of an explorer; what is touched is fetched and kept."`
	Fresh    bool     `help:"With --from: begin again at the newest block instead of going on with what was fetched."`
	Most     int      `placeholder:"N" help:"With --from: most addresses or transactions to ask for; by default 500."`

	knownFlags
	nodeFlags
}

// Run traces the cases.
func (v *traceVerb) Run(ctx context.Context, s *session) (err error) {
	cases, err := readCases(v.Cases)
	if err != nil {
		return err
	}
	options, err := v.options(s)
	if err != nil {
		return err
	}
	options.Flows = v.Flows || v.Path != ""
	result, err := v.trace(ctx, s, cases, options)
	if err != nil {
		return err
	}
	switch {
	case v.Path != "":
		return v.printPath(s, result)
	case v.Flows:
		return s.printFlows(result.Flows())
	case s.json:
		return s.printJSON(result)
	}
	return s.printResult(result, cases)
}

// trace runs over the store, or over what an explorer knows.
func (v *traceFlags) trace(ctx context.Context, s *session, cases []*trace.Case, options trace.Options) (result *trace.Result, err error) {
	if v.From != "" {
		return v.gather(ctx, s, cases, options)
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	return v.over(ctx, s, from, cases, options)
}

// over traces over an open store, with the stops that its labels and the rules give.
func (v *traceFlags) over(ctx context.Context, s *session, from store.Store, cases []*trace.Case, options trace.Options) (*trace.Result, error) {
	done, err := v.stopAt(ctx, s, from, &options)
	if err != nil {
		return nil, err
	}
	result, err := trace.Run(ctx, from, cases, options)
	if err = errors.Join(err, done()); err != nil {
		return nil, err
	}
	return result, nil
}

func (v *traceFlags) options(s *session) (trace.Options, error) {
	o := trace.Options{
		Mode: trace.Mode(v.Mode), Notations: notations, Crossings: true, LabelRevision: noLabels,
		Subsidy: func(_ ledger.Chain, h ledger.Height) uint64 { return bitcoin.Subsidy(h) },
	}
	var err error
	if o.Method, err = taint.MethodNamed(v.Method); err != nil {
		return o, err
	}
	if v.Fees == "follow" {
		o.Fees = taint.FeesFollow
	}
	if v.CoinJoin == "follow" {
		o.CoinJoins = trace.CoinJoinsFollow
	}
	if v.AsOf != "" {
		if o.AsOf, err = parseMoment("--as-of", v.AsOf); err != nil {
			return o, err
		}
	}
	bar := s.chainProgress("trace")
	o.Progress = func(chain ledger.Chain, done, total ledger.Height) { bar(chain, uint64(done), uint64(total)) }
	return o, nil
}

// parseMoment reads RFC 3339 or a date, which means its end.
func parseMoment(flag, text string) (time.Time, error) {
	if moment, err := time.Parse(time.RFC3339, text); err == nil {
		return moment, nil
	}
	day, err := time.Parse("2006-01-02", text)
	if err != nil {
		return day, fmt.Errorf("%s %q: want a date (2025-03-01) or RFC 3339 (2025-03-01T12:00:00Z)", flag, text)
	}
	return day.Add(24*time.Hour - time.Second), nil
}

func readCases(files []string) ([]*trace.Case, error) {
	var cases []*trace.Case
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		c, err := trace.ParseCase(file, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// parseCase reads a case file that is kept somewhere.
func parseCase(name, text string) (*trace.Case, error) {
	return trace.ParseCase(name, strings.NewReader(text))
}

// printResult prints the answer for people.
func (s *session) printResult(r *trace.Result, cases []*trace.Case) error {
	for _, c := range cases {
		s.printTitle(c)
	}
	fmt.Fprintf(s.stdout, "method %s", r.Method)
	if r.Note != "" {
		fmt.Fprintf(s.stdout, ": %s", r.Note)
	}
	fmt.Fprintln(s.stdout)
	for _, c := range r.Colours {
		fmt.Fprintf(s.stdout, "\n%s: stolen %s\n", c.Colour, decimals(c.Stolen, c.Asset))
		for other, amount := range c.Already {
			fmt.Fprintf(s.stdout, "  of what the theft took, %s had been stolen before (%s)\n", decimals(amount, c.Asset), other)
		}
		if sum, ok := r.Summary[c.Colour]; ok {
			fmt.Fprintf(s.stdout, "  traceable %s  dark %s  frozen %s\n", percent(sum.Traceable), percent(sum.Dark), percent(sum.Frozen))
		}
		if err := s.printDispositions(r.Dispositions, &c); err != nil {
			return err
		}
	}
	if r.FactOnly != nil {
		fmt.Fprintln(s.stdout, "\nFrom facts alone, without the links an analyst asserted:")
		for _, c := range r.Colours {
			fmt.Fprintf(s.stdout, "\n%s\n", c.Colour)
			if err := s.printDispositions(r.FactOnly.Dispositions, &c); err != nil {
				return err
			}
		}
	}
	s.printSources(r.Labels)
	s.printSwaps(r.Swaps)
	s.printCrossings(r.Crossings)
	s.printCandidates(r.Candidates)
	s.printAnomalies(r.Anomalies)
	s.printBasis(r)
	return nil
}

// printSources prints what says who keeps the books where value ended.
func (s *session) printSources(list []trace.Source) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(s.stdout, "\nWho keeps the books there, and who says so (%d):\n", len(list))
	for i := range list[:min(maxSwaps, len(list))] {
		x := &list[i]
		fmt.Fprintf(s.stdout, "  %s  %s", x.Address, inert(x.Entity))
		if x.Jurisdictions != "" {
			fmt.Fprintf(s.stdout, " (%s)", inert(x.Jurisdictions))
		}
		if x.Rule != "" {
			fmt.Fprintf(s.stdout, ", concluded by %s from %s", x.Rule, x.About)
		}
		fmt.Fprintf(s.stdout, ": %q by %s, confidence %d; claim %s\n", x.Label, inert(x.By), x.Confidence, x.Claim)
	}
	if more := len(list) - maxSwaps; more > 0 {
		fmt.Fprintf(s.stdout, "  … and %d more (--json lists all)\n", more)
	}
}

// maxSwaps is how many swaps are printed; --json lists all.
const maxSwaps = 8

func (s *session) printSwaps(swaps []trace.Swap) {
	if len(swaps) == 0 {
		return
	}
	fmt.Fprintf(s.stdout, "\nSwaps (%d):\n", len(swaps))
	for i := range swaps[:min(maxSwaps, len(swaps))] {
		swap := &swaps[i]
		var got []string
		for _, r := range swap.Received {
			got = append(got, decimals(r.Amount, r.Asset)+" to "+r.Address)
		}
		fmt.Fprintf(s.stdout, "  %s  %s gave %s, %s", swap.Time, swap.Principal, decimals(swap.Gave.Amount, swap.Gave.Asset), strings.Join(got, ", "))
		if len(swap.Pools) > 0 {
			fmt.Fprintf(s.stdout, ", by %s", strings.Join(swap.Pools, ", "))
		}
		fmt.Fprintf(s.stdout, " in %s\n", swap.Tx)
	}
	if more := len(swaps) - maxSwaps; more > 0 {
		fmt.Fprintf(s.stdout, "  … and %d more (--json lists all)\n", more)
	}
}

// printCrossings prints what went to another chain: how many by protocol and state,
// then the largest deposits.
func (s *session) printCrossings(crossings []trace.Crossing) {
	if len(crossings) == 0 {
		return
	}
	count := map[string]int{}
	for i := range crossings {
		count[strings.TrimSpace(crossings[i].Protocol+" "+crossings[i].Status)]++
	}
	kinds := sortedKeys(count)
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%d %s", count[kind], kind)
	}
	fmt.Fprintf(s.stdout, "\nAcross bridges (%d: %s):\n", len(crossings), strings.Join(kinds, ", "))
	for i := range crossings[:min(maxSwaps, len(crossings))] {
		s.printCrossing(&crossings[i])
	}
	if more := len(crossings) - maxSwaps; more > 0 {
		fmt.Fprintf(s.stdout, "  … and %d more (--json lists all)\n", more)
	}
}

func (s *session) printCrossing(c *trace.Crossing) {
	fmt.Fprintf(s.stdout, "  %s  %s by %s", c.In.Time, decimals(c.In.Amount, c.In.Asset), c.Protocol)
	if c.Through != "" {
		fmt.Fprintf(s.stdout, " through %s", c.Through)
	}
	if len(c.In.Addresses) > 0 {
		fmt.Fprintf(s.stdout, " from %s", c.In.Addresses[0])
	}
	for i := range c.Out {
		out := &c.Out[i]
		verb := "to"
		if out.Kind != "" {
			verb = "back as a " + out.Kind + " to"
		}
		fmt.Fprintf(s.stdout, ", %s %s %s", decimals(out.Amount, out.Asset), verb, strings.Join(out.Addresses, " "))
	}
	if len(c.Out) == 0 {
		fmt.Fprintf(s.stdout, ", in transit to %s: %s", c.Destination, c.Reason)
	}
	fmt.Fprintln(s.stdout)
}

// printCandidates prints what swap services may have paid for stolen money, likeliest
// first.
func (s *session) printCandidates(all []trace.Candidate) {
	if len(all) == 0 {
		return
	}
	rows := slices.Clone(all)
	slices.SortStableFunc(rows, func(a, b trace.Candidate) int { return cmp.Compare(b.Score, a.Score) })
	none := 0
	for i := range rows {
		if rows[i].Out == nil {
			none++
		}
	}
	fmt.Fprintf(s.stdout, "\nThrough opaque services (%d candidates; %d deposits without one), not followed unless somebody answers for it:\n", len(rows)-none, none)
	for i := range rows[:min(maxSwaps, len(rows))] {
		c := &rows[i]
		fmt.Fprintf(s.stdout, "  %s  %s into %s in %s", c.In.Time, decimals(c.In.Amount, c.In.Asset), c.Service, c.In.Tx)
		if c.Out == nil {
			fmt.Fprintf(s.stdout, ": %s\n", c.Reason)
			continue
		}
		fmt.Fprintf(s.stdout, ": %s %s, %s to %s in %s", c.Class, percent(uint64(c.Score)), decimals(c.Out.Amount, c.Out.Asset), strings.Join(c.Out.Addresses, " "), c.Out.Tx)
		if c.Followed != "" {
			fmt.Fprintf(s.stdout, ", followed by %s", c.Followed)
		}
		fmt.Fprintln(s.stdout)
	}
	if more := len(rows) - maxSwaps; more > 0 {
		fmt.Fprintf(s.stdout, "  … and %d more (--json lists all)\n", more)
	}
}

func (s *session) printTitle(c *trace.Case) {
	title := c.Title
	if title == "" {
		title = c.Name
	}
	if c.Date != "" {
		title += ", " + c.Date
	}
	if who := c.AttributedTo; who.Actor != "" {
		title += fmt.Sprintf(" (attributed to %s by %s, confidence %s)", who.Actor, who.By, who.Confidence)
	}
	fmt.Fprintln(s.stdout, title)
}

// shownRows is how many places are printed for a colour; --json has them all.
const shownRows = 8

func (s *session) printDispositions(rows []trace.Disposition, c *trace.Colour) error {
	w := tabwriter.NewWriter(s.stdout, 2, 0, 2, ' ', 0)
	of := slices.DeleteFunc(slices.Clone(rows), func(d trace.Disposition) bool { return d.Colour != c.Colour })
	slices.SortStableFunc(of, func(a, b trace.Disposition) int { return b.Compare(&a) })
	left := max(0, len(of)-shownRows)
	for i := range of[:len(of)-left] {
		d := &of[i]
		certainty := "fact"
		if d.Certainty != taint.Fact {
			certainty = "inferred " + percent(uint64(d.Certainty))
		}
		where := d.At
		if d.Address != "" && d.Address != d.At {
			where += " " + d.Address
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\tfor %s stolen\t%d hops\t%s\t%s\n", d.Kind, where, decimals(d.Amount, d.Asset), decimals(d.Origin, c.Asset), d.Hops, certainty, inert(d.Entity))
	}
	if left > 0 {
		fmt.Fprintf(w, "  … and %d places more (--json lists all)\n", left)
	}
	return w.Flush()
}

func (s *session) printAnomalies(all []trace.Anomaly) {
	if len(all) == 0 {
		return
	}
	count := map[string]int{}
	for i := range all {
		count[all[i].Kind]++
	}
	fmt.Fprintf(s.stdout, "\nWhat does not add up (%d, --json lists all):\n", len(all))
	told := map[string]bool{}
	for i := range all {
		a := &all[i]
		if told[a.Kind] {
			continue
		}
		told[a.Kind] = true
		fmt.Fprintf(s.stdout, "  %d × %s, first in %s: %s\n", count[a.Kind], a.Kind, a.Tx, a.Detail)
	}
}

func (s *session) printBasis(r *trace.Result) {
	fmt.Fprintln(s.stdout)
	for chain, head := range r.Basis.Heads {
		fmt.Fprintf(s.stdout, "basis: %s up to height %d, weakest source %s, rules %s\n", ledger.Chain(chain).Short(), head.Height, r.Basis.Weakest, r.Basis.Rules)
	}
	for _, chain := range r.Basis.InternalUnknown {
		fmt.Fprintf(s.stdout, "basis: on %s contracts ran without a trace; native value they moved is not in this answer\n", ledger.Chain(chain).Short())
	}
	fmt.Fprintf(s.stdout, "digest: %s\n", r.Digest)
}

// unit is how many decimals an asset has, and its name.
type unit struct {
	digits int
	name   string
}

// units says how people read an asset's base units; anything else stays in base units.
var units = map[string]unit{
	"bip122:000000000019d6689c085ae165831e93/slip44:0": {8, "BTC"},
	"eip155:1/slip44:60": {18, "ETH"},
	"eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599": {8, "WBTC"},
	"eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f": {18, "DAI"},
	"eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": {6, "USDC"},
	"eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84": {18, "stETH"},
	"eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2": {18, "WETH"},
	"eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7": {6, "USDT"},
	"eip155:1/erc20:0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa": {18, "mETH"},
	"eip155:1/erc20:0xe6829d9a7ee3040e1276fa75293bde931859e8fa": {18, "cmETH"},
}

// decimals prints base units with all their digits behind the point.
func decimals(amount, asset string) string {
	u, ok := units[asset]
	if chain, _, native := strings.Cut(asset, "/slip44:"); !ok && native && strings.HasPrefix(chain, "bip122:") {
		u, ok = unit{8, "BTC of a test chain"}, true
	}
	if !ok {
		return amount + " units of " + asset
	}
	if len(amount) <= u.digits {
		amount = strings.Repeat("0", u.digits+1-len(amount)) + amount
	}
	at := len(amount) - u.digits
	text := strings.TrimRight(strings.TrimRight(amount[:at]+"."+amount[at:], "0"), ".")
	return text + " " + u.name
}

func percent(basisPoints uint64) string {
	return fmt.Sprintf("%d.%02d %%", basisPoints/100, basisPoints%100)
}

func (v *traceVerb) printPath(s *session, r *trace.Result) error {
	for _, c := range r.Colours {
		if v.Colour != "" && v.Colour != c.Colour {
			continue
		}
		path, err := r.Path(c.Colour, v.Path)
		if err == nil {
			return s.printFlows(path)
		}
	}
	return fmt.Errorf("no money of the case came to %q; use a place (at) of the answer", v.Path)
}

func (s *session) printFlows(flows []trace.Flow) error {
	if s.json {
		return s.printJSON(map[string]any{"flows": flows})
	}
	for i := range flows {
		f := &flows[i]
		fmt.Fprintf(s.stdout, "%s  %s  height %d", f.Time, f.Tx, f.Height)
		if f.Link != "" {
			fmt.Fprintf(s.stdout, "  (before it, asserted by %s)", f.Link)
		}
		fmt.Fprintln(s.stdout)
		for _, side := range []struct {
			word string
			ends []trace.FlowEnd
		}{{"from", f.From}, {"to", f.To}} {
			for _, e := range side.ends {
				fmt.Fprintf(s.stdout, "    %-4s %s  %s of %s (%s)\n", side.word, e.At, decimals(e.Amount, e.Asset), e.Colour, e.Kind)
			}
		}
	}
	return nil
}
