package report

import (
	"slices"
	"strings"

	"coldtrail/report/document"
	"coldtrail/trace"
)

// Rate is how often a heuristic was right on a set of which the truth is known. The
// figures are those of its page, which says how they were got; a test compares them.
type Rate struct {
	Heuristic string
	Set       string
	Decided   string
	Right     string // percentage, cut
	Page      string // under docs/methods
	Row       string // of the page's table
	used      func(*trace.Result) bool
}

// Rates lists the heuristics that a trace may use.
var Rates = []Rate{
	{
		"deposit-address: who an address was swept to keeps its books", "384 addresses, played world of owners, seed 1", "384", "90.3 %", "deposit-address.md",
		"| deposit-address | 384 | 90.3 % |", concludes("deposits"),
	},
	{
		"co-spend: inputs of one transaction have one owner", "10,500 links, played world of owners, seed 1", "10,500", "99.0 %", "co-spend.md",
		"| co-spend | 10,500 | 99.0 % |", concludes("clusters"),
	},
	{
		"coinjoin: transactions in which several owners mix, all rules", "10,000 generated transactions, seed 1", "4,230", "93.2 %", "coinjoin.md",
		"| all rules: any mix | 4436 | 4230 | 3943 | 93.2 % | 88.9 % |", endsInMixes,
	},
	{
		"opaque services: candidates that are possible or better", "1,551 deposits, replayed market of February and March 2025", "1,225", "95 %", "opaque-services.md",
		"| all | 1,551 | 1,225 | 95 % |", matches,
	},
	{
		"opaque services: candidates that are strong", "1,551 deposits, replayed market of February and March 2025", "700", "99.7 %", "opaque-services.md",
		"| all | 1,551 | 1,225 | 95 % | 75 % | 700 | 99.7 % |", matches,
	},
}

// concludes tests whether a trace's rules concluded something by a word of --conclude.
func concludes(word string) func(*trace.Result) bool {
	return func(r *trace.Result) bool { return slices.Contains(strings.Split(r.Basis.Conclusions, "+"), word) }
}

func endsInMixes(r *trace.Result) bool {
	return slices.ContainsFunc(r.Dispositions, func(d trace.Disposition) bool { return d.Kind == "mixer" && strings.HasPrefix(d.Chain, "bip122:") })
}

func matches(r *trace.Result) bool { return len(r.Candidates) > 0 }

// errorRates says how often the heuristics of this trace are right where it was measured.
func (r *Report) errorRates() document.Section {
	s := document.Section{ID: "errors", Heading: "How often the heuristics are wrong"}
	t := &document.Table{
		Caption: fact("Heuristics that were at work in this trace, and how often they were right where the truth is known.", document.Source{Kind: "method", ID: "docs/methods"}),
		Columns: []document.Column{{Title: "Heuristic"}, {Title: "Measured on"}, {Title: "Decided", Class: "number"}, {Title: "Right", Class: "number"}},
	}
	for i := range Rates {
		rate := &Rates[i]
		if rate.used(r.Result) {
			t.Rows = append(t.Rows, document.Row{
				Mark: document.Fact, Rests: []document.Source{{Kind: "method", ID: "docs/methods/" + rate.Page}}, Cells: []string{rate.Heuristic, rate.Set, rate.Decided, rate.Right},
			})
		}
	}
	if len(t.Rows) == 0 {
		s.Blocks = []document.Block{{Paragraph: []document.Sentence{fact("This trace used no heuristic that has an error rate: it rests on chain data, on protocols’ own messages, and on what the case file says.", r.answer())}}}
		return s
	}
	s.Blocks = []document.Block{{Table: t}, {Paragraph: []document.Sentence{
		fact("These figures are of generated worlds whose habits the makers chose; they are no error rates of a real chain, which nobody knows.", document.Source{Kind: "method", ID: "docs/methods"}),
	}}}
	return s
}
