// Package report turns the answer of a trace into a case report: what was stolen, where it
// went, where it is now, who can be asked to freeze it, what was searched and not found,
// and on what all that rests. It decides what is said and how each sentence is marked;
// how it looks is the document's affair. It adds amounts of one asset, or of one stolen
// asset's origin, and never of two; it knows no prices of its own.
package report

import (
	"cmp"
	"errors"
	"slices"

	"coldtrail/ledger"
	"coldtrail/report/document"
	"coldtrail/taint"
	"coldtrail/trace"
)

// ErrNoFlows says that a trace did not keep its movements, without which there is no
// report.
var ErrNoFlows = errors.New("report: the trace kept no movements; run it with its flows")

// Unit is how people read an asset: its decimals and its name.
type Unit struct {
	Digits int
	Name   string
}

// Options is what a report needs beside the answer of a trace. The zero value works.
type Options struct {
	Analyst  string // who made it
	Reviewer string // who checked it; nobody where it is empty
	Dated    string // the date of the report; none where it is empty
	Version  string // of the program
	Command  string // that makes the report again
	Trace    string // the command that gives the answer it rests on
	Top      int    // how many rows a table shows before it sums up; 12 by default

	// Unit finds how people read an asset; without it amounts stay in base units.
	Unit func(asset string) (Unit, bool)
	// Network finds what people call a chain.
	Network func(chain string) (string, bool)
	// Value finds what an amount of an asset was worth at a moment (RFC 3339), with
	// currency and source, such as "USD 1,234.56 (daily close of …)". Without it, and
	// where it does not know, values are left out or said to be unknown, never 0.
	Value func(asset, amount, at string) (string, bool)
}

// Report is an answer made ready to be reported.
type Report struct {
	Cases    []*trace.Case
	Result   *trace.Result
	Flows    []trace.Flow
	Requests []Request

	options Options
	holders []holder
}

// Build makes an answer ready. The trace must have kept its flows.
func Build(cases []*trace.Case, result *trace.Result, o Options) (*Report, error) {
	r := &Report{Cases: cases, Result: result, Flows: result.Flows(), options: o}
	if r.Flows == nil { // that there are none yet is no reason to say nothing
		return nil, ErrNoFlows
	}
	if r.options.Top == 0 {
		r.options.Top = 12
	}
	var err error
	if r.holders, err = holders(result.Dispositions); err != nil {
		return nil, err
	}
	r.Requests, err = r.requests()
	return r, err
}

// Title is what the report is called.
func (r *Report) Title() string {
	title := ""
	for i, c := range r.Cases {
		if i > 0 {
			title += "; "
		}
		title += document.Short(cmp.Or(c.Title, c.Name), maxName)
	}
	return title
}

// maxName bounds names that others chose.
const maxName = 160

// Document writes the report.
func (r *Report) Document() *document.Document {
	d := &document.Document{Kind: "Case report", Title: r.Title(), Subtitle: "Where the stolen value went, and where it is", Facts: r.particulars(), Index: true}
	d.Sections = append(d.Sections, r.summary(), r.stolen(), r.flowChart(), r.timeline(), r.whereabouts(), r.crossings())
	d.Sections = append(d.Sections, r.requestSections()...)
	d.Sections = append(d.Sections, r.searched(), r.method(), r.errorRates(), r.basis())
	return d
}

// fact, inference and judgement make marked sentences.
func fact(text string, rests ...document.Source) document.Sentence {
	return document.Sentence{Mark: document.Fact, Text: text, Rests: rests}
}

func inference(text string, rests ...document.Source) document.Sentence {
	return document.Sentence{Mark: document.Inference, Text: text, Rests: rests}
}

func judgement(by, text string, rests ...document.Source) document.Sentence {
	return document.Sentence{Mark: document.Judgement, Text: text, By: by, Rests: rests}
}

// answer is the source of what the whole trace says.
func (r *Report) answer() document.Source { return document.Source{Kind: "trace", ID: r.Result.Digest} }

func transaction(chain, tx string) document.Source {
	return document.Source{Kind: "transaction", ID: ledger.Chain(chain).Short() + " " + tx}
}

// marked is the mark of a row that rests on the trace, and what else it rests on: an
// inference names who answers for it.
func (r *Report) marked(certainty uint32, by string, more ...document.Source) (document.Mark, []document.Source) {
	rests := append([]document.Source{r.answer()}, more...)
	if certainty >= taint.Fact {
		return document.Fact, rests
	}
	return document.Inference, append(rests, document.Source{Kind: "inference", ID: cmp.Or(document.Short(by, maxName), "nobody named")})
}

// certainty writes a certainty in words.
func certainty(bp uint32) string {
	if bp >= taint.Fact {
		return "fact"
	}
	return "inferred, " + percent(uint64(bp))
}

// colours are the stolen assets in the order of the answer.
func (r *Report) colour(name string) *trace.Colour {
	i := slices.IndexFunc(r.Result.Colours, func(c trace.Colour) bool { return c.Colour == name })
	return &r.Result.Colours[i]
}

// Analyst is who answers for the judgements of the report: who made it, by name where one
// is given.
func (r *Report) Analyst() string {
	return cmp.Or(r.options.Analyst, "who made this report, not named")
}
