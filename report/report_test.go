package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"coldtrail/ledger"
	"coldtrail/report"
	"coldtrail/report/document"
	"coldtrail/report/reporttest"
	"coldtrail/taint"
	"coldtrail/trace"
)

// bybit and played are traced once.
var (
	bybit  = sync.OnceValues(func() (reporttest.Answer, error) { return reporttest.Bybit(background, taint.FIFO) })
	played = sync.OnceValues(func() (reporttest.Answer, error) { return reporttest.Replay(background, nil) })
)

func build(t *testing.T, answer func() (reporttest.Answer, error), o report.Options) *report.Report {
	t.Helper()
	a, err := answer()
	if err != nil {
		t.Fatal(err)
	}
	o.Unit = reporttest.Unit
	r, err := report.Build(a.Cases, a.Result, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func page(t *testing.T, d *document.Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := document.Render(&out, d); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("<wbr>", "", "\u00a0", " ").Replace(out.String()) // where lines may be broken, and may not
}

// TestHeadlinesAreTheTraces compares the possible shares with the summary of the trace,
// and the strict ones with what each method says of facts.
func TestHeadlinesAreTheTraces(t *testing.T) {
	for name, answer := range map[string]func() (reporttest.Answer, error){"bybit": bybit, "played": played} {
		r := build(t, answer, report.Options{})
		for i := range r.Result.Colours {
			c := &r.Result.Colours[i]
			got, err := r.Headlines(c)
			if err != nil {
				t.Fatal(err)
			}
			want := r.Result.Summary[c.Colour]
			if got[report.Traceable].Possible != want.Traceable || got[report.Dark].Possible != want.Dark || got[report.Frozen].Possible != want.Frozen {
				t.Errorf("%s %s: %+v, the trace says %+v", name, c.Colour, got, want)
			}
			for share, h := range got {
				if h.Strict > h.Probable || h.Probable > h.Possible {
					t.Errorf("%s %s %s: %+v is no interval", name, c.Colour, share, h)
				}
			}
		}
	}
}

// TestHeadlinesOfBybit: the ether is where it is by facts; of the staked ether that is
// inferred, because a link says what came of it.
func TestHeadlinesOfBybit(t *testing.T) {
	r := build(t, bybit, report.Options{})
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		h, err := r.Headlines(c)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]report.Headline{
			"bybit-2025/cmeth": {Strict: 10000, Probable: 10000, Possible: 10000}, "bybit-2025/eth": {Strict: 10000, Probable: 10000, Possible: 10000},
			"bybit-2025/meth": {Possible: 10000, Probable: 10000}, "bybit-2025/steth": {Possible: 10000, Probable: 10000},
		}[c.Colour]
		if h[report.Traceable] != want {
			t.Errorf("%s: %+v, want %+v", c.Colour, h[report.Traceable], want)
		}
	}
}

// TestRequestsAddUp: what services are asked is what the trace says ended at them, line by
// line and together, and the transactions listed account for all of it.
func TestRequestsAddUp(t *testing.T) {
	r := build(t, played, report.Options{})
	type key struct{ service, asset string }
	want, got := map[key]ledger.Amount{}, map[key]ledger.Amount{}
	add := func(m map[key]ledger.Amount, k key, text string) {
		a, err := ledger.ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		sum := m[k]
		sum.Add(&sum, &a)
		m[k] = sum
	}
	for i := range r.Result.Dispositions {
		if d := &r.Result.Dispositions[i]; d.Kind == "service" || d.Kind == "dark" && d.Entity != "" {
			add(want, key{d.Entity, d.Asset}, d.Amount)
		}
	}
	services := map[string]report.Ask{}
	for i := range r.Requests {
		q := &r.Requests[i]
		services[q.Service] = q.Ask
		for j := range q.Lines {
			l := &q.Lines[j]
			add(got, key{q.Service, l.Asset}, l.Amount)
			if len(l.Arrivals) == 0 || l.Listed.Dec() != l.Origin {
				t.Errorf("%s at %s: %d transactions account for %s of %s", q.Service, l.At, len(l.Arrivals), l.Listed.Dec(), l.Origin)
			}
		}
		for j := range q.Sums {
			if sum := got[key{q.Service, q.Sums[j].Asset}]; sum != q.Sums[j].Amount {
				t.Errorf("%s: lines come to %s, the request says %s", q.Service, sum.Dec(), q.Sums[j].Amount.Dec())
			}
		}
	}
	if len(want) == 0 || len(got) != len(want) {
		t.Fatalf("%d sums, want %d", len(got), len(want))
	}
	for k, sum := range want {
		if got[k] != sum {
			a := got[k]
			t.Errorf("%v: asked for %s, %s is there", k, a.Dec(), sum.Dec())
		}
	}
	if services["an exchange"] != report.Freeze || services["eXch"] != report.Inform {
		t.Errorf("asked: %v", services)
	}
}

// TestTablesAddUp reads the report: per stolen asset the tables of where it is come to
// what was stolen.
func TestTablesAddUp(t *testing.T) {
	r := build(t, played, report.Options{Top: 3})
	sums := map[string]*ledger.Amount{}
	for _, s := range r.Document().Sections {
		if s.ID != "now" {
			continue
		}
		for _, b := range s.Blocks {
			name, _, ok := strings.Cut(b.Heading, ": ")
			if !ok || b.Table == nil {
				continue
			}
			last := b.Table.Rows[len(b.Table.Rows)-1]
			a, err := ledger.ParseAmount(units(last.Cells[4]))
			if err != nil || last.Cells[0] != "Together" {
				t.Fatalf("%v: %v", last.Cells, err)
			}
			if sums[name] == nil {
				sums[name] = new(ledger.Amount)
			}
			sums[name].Add(sums[name], &a)
			if len(b.Table.Rows) > 5 {
				t.Errorf("%s has %d rows, want at most 3, the rest and the sum", b.Heading, len(b.Table.Rows))
			}
		}
	}
	for i := range r.Result.Colours {
		if c := &r.Result.Colours[i]; sums[c.Colour] == nil || sums[c.Colour].Dec() != c.Stolen {
			t.Errorf("%s: the tables come to %v, stolen %s", c.Colour, sums[c.Colour], c.Stolen)
		}
	}
}

// units reads an amount of the report back into base units.
func units(text string) string {
	number, name, _ := strings.Cut(text, " ")
	whole, rest, _ := strings.Cut(strings.ReplaceAll(number, ",", ""), ".")
	if name == "ETH" {
		whole += rest + strings.Repeat("0", 18-len(rest))
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		return "0"
	}
	return whole
}

// TestInferredRowsAreMarked: whatever is not certain is an inference, by name.
func TestInferredRowsAreMarked(t *testing.T) {
	r := build(t, bybit, report.Options{})
	facts, inferences := 0, 0
	for _, s := range r.Document().Sections {
		for _, b := range s.Blocks {
			if s.ID != "now" || b.Table == nil || b.Heading == "Who says who that is" {
				continue
			}
			for _, row := range b.Table.Rows {
				inferred := strings.Contains(row.Cells[0]+row.Cells[2], "inferred")
				switch {
				case inferred && (row.Mark != document.Inference || row.Rests[len(row.Rests)-1] != document.Source{Kind: "inference", ID: "link by Coldtrail"}):
					t.Errorf("%v is marked %s and rests on %v", row.Cells, row.Mark, row.Rests)
				case !inferred && !row.Total && row.Mark != document.Fact:
					t.Errorf("%v is marked %s", row.Cells, row.Mark)
				case inferred:
					inferences++
				default:
					facts++
				}
			}
		}
	}
	if facts < 10 || inferences < 5 {
		t.Errorf("%d facts and %d inferences", facts, inferences)
	}
}

// TestWhatStandsInIt looks for what a report must say.
func TestWhatStandsInIt(t *testing.T) {
	text := page(t, build(t, bybit, report.Options{Analyst: "Ann Analyst", Reviewer: "Rae Reader", Trace: "coldtrail trace 'a b.yaml' --json"}).Document())
	for _, want := range []string{
		"lazarus-group, says FBI in PSA I-022625-PSA on 2025-02-26; confidence high", "401,346.768858404671846374 ETH stolen", "0.00 – 100.00", "Ann Analyst", "Rae Reader",
		"No stolen value was seen to reach a service", "missing-incoming-leg", "First in, first out", "coldtrail trace &#39;a b.yaml&#39; --json", "unproven", "Flow chart of bybit-2025/eth", "link by Coldtrail",
		"No list of labels was loaded", "What it does not show",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	text = page(t, build(t, played, report.Options{}).Document())
	for _, want := range []string{"Freeze request: an exchange", "Information request: eXch", "thorchain", "Deposits into services that publish no payouts", "93.2 %", "opaque services: candidates that are strong", "Nobody yet."} {
		if !strings.Contains(text, want) {
			t.Errorf("the report of the replay does not say %q", want)
		}
	}
}

// TestRequestStandsAlone: a request is a paper with its case, its amounts and its sources.
func TestRequestStandsAlone(t *testing.T) {
	r := build(t, played, report.Options{})
	text := page(t, r.RequestDocument(0))
	first := r.Requests[0].Lines[0]
	for _, want := range []string{"Request to freeze", "an exchange", "Replay of bybit", "Contact: ____", first.Arrivals[0].Tx, "Please freeze what is left"} {
		if !strings.Contains(text, want) {
			t.Errorf("the request does not say %q", want)
		}
	}
	if strings.Contains(text, "eXch") {
		t.Error("the request names another service")
	}
}

// TestSameAnswerSameBytes builds and renders twice.
func TestSameAnswerSameBytes(t *testing.T) {
	for range 2 {
		a, b := page(t, build(t, played, report.Options{}).Document()), page(t, build(t, played, report.Options{}).Document())
		if a != b {
			t.Fatal("two reports of one answer differ")
		}
	}
}

// TestEveryMethodIsReported: all methods have words, and the one that does not conserve
// claims no percentages.
func TestEveryMethodIsReported(t *testing.T) {
	for _, m := range taint.Methods {
		a, err := reporttest.Bybit(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		r, err := report.Build(a.Cases, a.Result, report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text := page(t, r.Document())
		if claims := strings.Contains(text, "Shares of what was stolen, as intervals"); claims != m.Conserves {
			t.Errorf("%s: claims percentages: %v", m.Name, claims)
		}
		if !strings.Contains(text, "docs/methods/"+m.Name+".md") {
			t.Errorf("%s: its page is not named", m.Name)
		}
	}
}

// TestHostileCase puts markup and invisible characters into titles, names and reasons.
func TestHostileCase(t *testing.T) {
	const bad = "<script>alert(1)</script>\u202e=cmd|'/c calc'!A0"
	a, err := reporttest.Replay(t.Context(), func(c *trace.Case) {
		c.Title, c.Date, c.Aliases = bad, bad, []string{bad}
		c.AttributedTo = trace.Attribution{Actor: bad, By: bad, Source: bad, Date: bad, Confidence: bad}
		for i := range c.Labels {
			if c.Labels[i].Entity == "an exchange" {
				c.Labels[i].Entity, c.Labels[i].By, c.Labels[i].Why = bad+strings.Repeat("x", 5000), bad, bad
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(a.Cases, a.Result, report.Options{Analyst: bad, Reviewer: bad, Dated: bad, Command: bad, Trace: bad, Version: bad})
	if err != nil {
		t.Fatal(err)
	}
	text := page(t, r.Document())
	for _, never := range []string{"<script", "\u202e", strings.Repeat("x", 200)} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %.20q", never)
		}
	}
	if !strings.Contains(text, "&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}=cmd") {
		t.Error("the title is not shown as the text it is")
	}
}

// TestNoFlowsNoReport refuses a trace that kept no movements.
func TestNoFlowsNoReport(t *testing.T) {
	if _, err := report.Build(nil, &trace.Result{}, report.Options{}); !errors.Is(err, report.ErrNoFlows) {
		t.Errorf("got %v, want %v", err, report.ErrNoFlows)
	}
}

// TestValues: what has a price shows it, what has none is unknown, and without a source of
// prices nothing is said of values.
func TestValues(t *testing.T) {
	value := func(asset, amount, at string) (string, bool) {
		return fmt.Sprintf("USD of %s at %s", amount, at), asset == "eip155:1/slip44:60"
	}
	with := page(t, build(t, bybit, report.Options{Value: value}).Document())
	if !strings.Contains(with, "USD of 401346768858404671846374 at 2025-02-21T14:16:11Z") {
		t.Error("the theft has no value")
	}
	if got := strings.Count(with, ">unknown<"); got != 3 {
		t.Errorf("%d values are unknown, want 3", got)
	}
	if without := page(t, build(t, bybit, report.Options{}).Document()); strings.Contains(without, "Value then") {
		t.Error("values are shown without a source of prices")
	}
}

// TestRatesAreThoseOfThePages wants every figure of the error-rate table on its page.
func TestRatesAreThoseOfThePages(t *testing.T) {
	for i := range report.Rates {
		rate := &report.Rates[i]
		text, err := os.ReadFile("../docs/methods/" + rate.Page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), rate.Row) {
			t.Errorf("%s: %s has no row %q", rate.Heuristic, rate.Page, rate.Row)
		}
		row := strings.ReplaceAll(rate.Row, ",", "")
		for _, figure := range []string{rate.Decided, rate.Right} {
			if !strings.Contains(row, "| "+strings.ReplaceAll(figure, ",", "")+" |") {
				t.Errorf("%s: %s is not in %q", rate.Heuristic, figure, rate.Row)
			}
		}
	}
}
