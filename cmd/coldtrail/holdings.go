package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"coldtrail/holdings"
	"coldtrail/price"
	"coldtrail/register"
	"coldtrail/store"
)

type holdingsVerb struct {
	AsOf    string `placeholder:"DATE" help:"The day; balances are those of its beginning (UTC), prices those of its end. By default today."`
	Actor   string `placeholder:"NAME" help:"Only this actor and everybody who belongs to it."`
	Asset   string `default:"bitcoin" placeholder:"ASSET" help:"What the table of statements is a table of: a symbol of coldtrail assets, a chain or a CAIP-19 identifier."`
	All     bool   `help:"Rank statements too that the register leaves out of the ranking."`
	Since   string `placeholder:"DATE" help:"From this day on, with what changed in the rankings."`
	By      string `default:"day" enum:"day,week,month" help:"With --since: the steps."`
	Sale    uint64 `placeholder:"PERCENT" help:"What selling this part of each holding within a day would do to the price, by the square-root rule; needs prices with volumes."`
	Cluster bool   `help:"Add the addresses that clustering gives to the owners of labelled ones, as inferred."`
	Rows    bool   `help:"Print every address, too."`
	CSV     bool   `name:"csv" help:"Print rows as CSV."`
	Atom    string `type:"path" placeholder:"FILE" help:"Write thefts and, with --since, rank changes as an Atom feed, too."`

	registerFlags
	priceFlags
	knownFlags
	clusterFlags
}

// Run prints who held how much.
func (v *holdingsVerb) Run(ctx context.Context, s *session) (err error) {
	day := v.AsOf
	if day == "" {
		day = time.Now().UTC().Format("2006-01-02")
	}
	if _, err := register.Day(day); err != nil {
		return fmt.Errorf("--as-of: %w", err)
	}
	known, err := v.open()
	if err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	o := &holdings.Options{Register: known, Actor: v.Actor, All: v.All, Sale: v.Sale, Notation: notations}
	closeClusters, err := v.fill(ctx, s, from, day, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeClusters()) }()
	report, err := v.ask(ctx, from, day, o)
	if err == nil && v.Atom != "" {
		err = writeAtom(v.Atom, report, known, o.Asset)
	}
	switch {
	case err != nil:
		return err
	case s.json:
		return s.printJSON(report)
	case v.CSV:
		return s.holdingsCSV(report)
	}
	return v.print(s, report)
}

// fill gathers what a report rests on.
func (v *holdingsVerb) fill(ctx context.Context, s *session, from store.Store, day string, o *holdings.Options) (closing func() error, err error) {
	closing = func() error { return nil }
	if o.When, err = v.when(); err != nil {
		return closing, err
	}
	if o.Asset, err = assetNamed(v.Asset, o.Register); err != nil {
		return closing, fmt.Errorf("--asset: %w", err)
	}
	span, err := v.span(s, day)
	if err != nil {
		return closing, err
	}
	if o.Book, err = v.book(ctx, from, o.Register, span); err != nil {
		return closing, err
	}
	if o.Actors, err = whoIsWhoWith(ctx, from, o.When, v.Actor); err != nil {
		return closing, err
	}
	if v.Cluster {
		opened, err := s.openClusters(ctx, from, v.clusterFlags)
		if err != nil {
			return closing, errors.Join(err, opened.close())
		}
		o.Clusters, closing = opened.byChain, opened.close
	}
	return closing, nil
}

// span is the time of the prices that are wanted.
func (v *holdingsVerb) span(s *session, day string) (p priced, err error) {
	until, err := register.Day(day)
	if err != nil {
		return p, err
	}
	from := until
	if v.Since != "" {
		if from, err = register.Day(v.Since); err != nil {
			return p, fmt.Errorf("--since: %w", err)
		}
	}
	folder, err := s.folder()
	return priced{from + price.Day, until + price.Day, filepath.Join(folder, fetchedPrices), func(text string) { fmt.Fprintln(s.stderr, text) }}, err
}

func (v *holdingsVerb) ask(ctx context.Context, from store.Store, day string, o *holdings.Options) (*holdings.Report, error) {
	if v.Since == "" {
		return holdings.AsOf(ctx, from, day, o)
	}
	days, err := holdings.Days(v.Since, day, holdings.Step(v.By))
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	return holdings.Series(ctx, from, days, o)
}

func (v *holdingsVerb) print(s *session, r *holdings.Report) error {
	fmt.Fprintf(s.stdout, "Holdings as of %s: balances at %s, prices of %s.\n\n", r.AsOf, stampTime(r.BalanceTime), stampTime(r.PriceTime))
	if err := s.printStated(&r.Stated); err != nil {
		return err
	}
	if err := v.printDerived(s, &r.Derived); err != nil {
		return err
	}
	for _, of := range []struct {
		what string
		list []holdings.Change
	}{{"what is stated", r.Stated.Changes}, {"what addresses show", r.Derived.Changes}} {
		if of.list != nil {
			fmt.Fprintf(s.stdout, "\nRank changes since %s, by %s:\n", v.Since, of.what)
			if len(of.list) == 0 {
				fmt.Fprintln(s.stdout, "  none")
			}
			for i := range of.list {
				fmt.Fprintf(s.stdout, "  %s  %s\n", of.list[i].Day, inert(sentence(&of.list[i])))
			}
		}
	}
	fmt.Fprintln(s.stdout, "\nSources:")
	for i := range r.Sources {
		fmt.Fprintf(s.stdout, "  [%d] %s\n", i+1, inert(citation(&r.Sources[i])))
	}
	fmt.Fprintf(s.stdout, "Basis: register %s, prices %s, labels %s\n", shortDigest(r.Basis.Register), shortDigest(r.Basis.Prices), shortDigest(r.Basis.Labels))
	return nil
}

func stampTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func shortDigest(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

// citation writes a source on one line.
func citation(x *register.Source) string {
	text := x.By + ", " + strconv.Quote(x.Title)
	if x.Date != "" {
		text += ", " + x.Date
	}
	if x.Quotes != "" {
		text += ", quoting " + x.Quotes
	}
	if x.URI != "" {
		text += ", " + x.URI
	}
	return text
}

// sentence says what changed.
func sentence(c *holdings.Change) string {
	switch c.Event {
	case "entered":
		return fmt.Sprintf("%s entered at rank %d%s", c.Name, c.To, passing(c.Passed))
	case "left":
		return fmt.Sprintf("%s left the table, from rank %d", c.Name, c.From)
	}
	return fmt.Sprintf("%s %s from rank %d to %d%s", c.Name, c.Event, c.From, c.To, passing(c.Passed))
}

func passing(names []string) string {
	if len(names) == 0 {
		return ""
	}
	last := len(names) - 1
	if last == 0 {
		return ": passed " + names[0]
	}
	return ": passed " + strings.Join(names[:last], ", ") + " and " + names[last]
}

func (s *session) printStated(t *holdings.Stated) error {
	fmt.Fprintf(s.stdout, "STATED HOLDINGS OF %s\n", t.Symbol)
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "RANK\tHOLDER\t%s\tUSD\tABOUT\tSHARE\tEVIDENCE\tBY\tAS OF\tSOURCES\n", t.Symbol)
	amounts, values := statedColumns(t.Rows)
	for i := range t.Rows {
		x := &t.Rows[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", rankText(x.Rank), inert(x.Name), amounts[i], values[i], about(x.Cents), shareText(x.Share), x.Kind, inert(x.By), asOfText(x), numbersText(x.Numbers))
	}
	fmt.Fprintf(w, "\tTotal\t%s\t%s\t%s\t\t\t\t\t\n", grouped(register.Quantity(ptr(mustAmount(t.Total.Amount)), t.Decimals)), valueText(t.Total.USD), about(t.Total.Cents))
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "Total: %s; %s.\n", t.Total.Rule, totalText(t))
	for i := range t.Rows {
		for j := range t.Rows[i].Also {
			x := &t.Rows[i].Also[j]
			fmt.Fprintf(s.stdout, "  %s: also %s %s, %s, by %s, %s %s%s\n", inert(x.Name), grouped(x.Quantity), x.Symbol, x.Kind, inert(x.By), x.AsOf, numbersText(x.Numbers), noteText(x))
		}
	}
	if len(t.Unranked) > 0 {
		fmt.Fprintln(s.stdout, "Not ranked (--all ranks them):")
		for i := range t.Unranked {
			x := &t.Unranked[i]
			fmt.Fprintf(s.stdout, "  %s: %s %s, USD %s, %s, by %s, %s %s: %s\n", inert(x.Name), grouped(x.Quantity), x.Symbol, valueText(x.USD), x.Kind, inert(x.By), x.AsOf, numbersText(x.Numbers), inert(x.Unranked))
		}
	}
	if len(t.Besides) > 0 {
		fmt.Fprintf(s.stdout, "Other assets, stated:\n")
		for i := range t.Besides {
			x := &t.Besides[i]
			fmt.Fprintf(s.stdout, "  %s: %s %s, USD %s, %s, by %s, %s %s%s\n", inert(x.Name), grouped(x.Quantity), x.Symbol, valueText(x.USD), x.Kind, inert(x.By), x.AsOf, numbersText(x.Numbers), noteText(x))
		}
	}
	s.printBasisOfStated(t)
	return nil
}

func (s *session) printBasisOfStated(t *holdings.Stated) {
	if p := t.Price; p == nil {
		fmt.Fprintf(s.stdout, "Price: unknown: %s.\n", inert(t.Missing))
	} else {
		fmt.Fprintf(s.stdout, "Price: USD %s a %s, %s, closed %s, by %s [%d]%s\n", grouped(p.Value.String()), t.Symbol, inert(p.Market), stampTime(p.Close), inert(p.Source), t.PriceNumber, staleText(p))
		for i := range p.Others {
			fmt.Fprintf(s.stdout, "  also USD %s by %s\n", grouped(p.Others[i].Value.String()), inert(p.Others[i].Source))
		}
	}
	if t.Supply == nil {
		fmt.Fprintln(s.stdout, "Share of supply: unknown: nobody states the supply of the day.")
	} else {
		fmt.Fprintf(s.stdout, "Share of supply: of %s %s: %s.\n", grouped(register.Quantity(ptr(mustAmount(t.Supply.Amount)), t.Decimals)), t.Symbol, inert(t.Supply.Rule))
	}
	s.printMarket(t)
}

func (s *session) printMarket(t *holdings.Stated) {
	if len(t.Rows) == 0 {
		return
	}
	if t.Rows[0].Market == nil {
		fmt.Fprintf(s.stdout, "Days of volume: unknown: %s.\n", t.Rows[0].MarketMissing)
		return
	}
	for i := range t.Rows {
		m := t.Rows[i].Market
		if m == nil {
			continue
		}
		fmt.Fprintf(s.stdout, "  %s: %s days of the volume of %s", inert(t.Rows[i].Name), millionths(m.DaysPPM), inert(m.Source))
		switch {
		case m.Sale != nil:
			fmt.Fprintf(s.stdout, "; a sale of %d %% within a day: about %s %% of the price (sigma %s %%, %d days)", m.Sale.Percent, percentOf(m.Sale.ImpactPPM), percentOf(m.Sale.SigmaPPM), m.Sale.Days)
			if m.Sale.Beyond {
				fmt.Fprint(s.stdout, ", beyond what the rule was measured for")
			}
		case m.Refused != "":
			fmt.Fprintf(s.stdout, "; no figure for a sale: %s", m.Refused)
		}
		fmt.Fprintln(s.stdout)
	}
}

func staleText(p *price.Found) string {
	if p.Stale {
		return " (stale: no later one is known)"
	}
	return ""
}
