package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"coldtrail/report/document"
)

// chains are the chains of the answer, sorted.
func (r *Report) chains() []string { return slices.Sorted(maps.Keys(r.Result.Basis.Heads)) }

// heads are the last blocks that counted.
func (r *Report) heads() (list []document.Source) {
	for _, chain := range r.chains() {
		h := r.Result.Basis.Heads[chain]
		list = append(list, document.Source{Kind: "block", ID: fmt.Sprintf("%s %d %s", chain, h.Height, cmp.Or(h.Hash, h.Content, "without hash"))})
	}
	return list
}

// rule is the source of what holds for every trace by these rules.
func (r *Report) rule() document.Source {
	return document.Source{Kind: "rules", ID: "Coldtrail trace rules " + r.Result.Basis.Rules + ", method " + r.Result.Method}
}

// weakest says in words what the weakest source was.
func (r *Report) weakest() string {
	switch r.Result.Basis.Weakest {
	case "proven":
		return "Blocks that were proven: every hash, root and signature was checked."
	case "node":
		return "Blocks of which at least some are what a node said, unproven."
	case "file":
		return "Blocks of which at least some are from somebody’s export, unproven."
	}
	return "Blocks of a source of the kind “" + r.Result.Basis.Weakest + "”."
}

// basis says what the answer rests on and how to get it again.
func (r *Report) basis() document.Section {
	b := &r.Result.Basis
	s := document.Section{ID: "basis", Heading: "What this rests on, and how to get it again"}
	heads := &document.Table{
		Caption: fact("The last block of each chain that counted.", r.answer()),
		Columns: []document.Column{{Title: "Chain"}, {Title: "Identifier (CAIP-2)", Class: "code"}, {Title: "Height", Class: "number"}, {Title: "Hash, or digest of the content", Class: "code"}},
	}
	for i, chain := range r.chains() {
		h := b.Heads[chain]
		heads.Rows = append(heads.Rows, document.Row{
			Mark: document.Fact, Rests: r.heads()[i : i+1], Cells: []string{r.network(chain), chain, group(fmt.Sprint(h.Height)), cmp.Or(h.Hash, h.Content, "none stated")},
		})
	}
	digests := &document.Table{
		Caption: fact("What else decides the answer. Equal values give an equal answer, to the byte.", r.answer()),
		Columns: []document.Column{{Title: "What"}, {Title: "Value", Class: "code"}},
	}
	for _, d := range [][2]string{
		{"Answer (SHA-256 over the canonical JSON)", r.Result.Digest},
		{"Case files", b.Cases},
		{"Labels", b.Labels},
		{"Rules of conclusion", cmp.Or(b.Conclusions, "none")},
		{"Rules of the trace", b.Rules},
		{"Method", r.Result.Method},
		{"Fees", cmp.Or(b.Fees, "end")},
		{"Coinjoins", cmp.Or(b.CoinJoins, "end")},
		{"Weakest provenance", b.Weakest},
		{"Program", r.options.Version},
	} {
		if d[1] != "" {
			digests.Rows = append(digests.Rows, document.Row{Mark: document.Fact, Rests: []document.Source{r.answer()}, Cells: []string{d[0], d[1]}})
		}
	}
	s.Blocks = []document.Block{{Paragraph: []document.Sentence{fact(r.weakest(), r.answer())}}, {Table: heads}, {Table: digests}}
	for _, c := range []struct{ heading, command string }{
		{"The answer again: it must end with the same digest", r.options.Trace},
		{"This report again", r.options.Command},
	} {
		if c.command != "" {
			code := fact(c.command, r.rule())
			s.Blocks = append(s.Blocks, document.Block{Heading: c.heading, Code: &code})
		}
	}
	return s
}
