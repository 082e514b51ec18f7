package report

import (
	"maps"
	"slices"

	"coldtrail/report/document"
)

// stolen says what was taken, by which transactions, from whom.
func (r *Report) stolen() document.Section {
	s := document.Section{ID: "stolen", Heading: "What was stolen"}
	t := &document.Table{
		Caption: fact("The transactions in which the thief took what the case is about.", r.answer()),
		Columns: []document.Column{{Title: "Time (UTC)", Class: "time"}, {Title: "Amount", Class: "number"}, {Title: "Taken to", Class: "code"}, {Title: "Transaction", Class: "code"}},
	}
	if r.options.Value != nil {
		t.Columns = append(t.Columns, document.Column{Title: "Value then", Class: "number"})
	}
	shown := 0
	for i := range r.Flows {
		f := &r.Flows[i]
		if len(f.From) > 0 || f.Link != "" {
			continue
		}
		for j := range f.To {
			if shown++; shown > 4*r.options.Top {
				continue
			}
			e := &f.To[j]
			row := document.Row{
				Mark: document.Fact, Rests: []document.Source{transaction(f.Chain, f.Tx)},
				Cells: []string{when(f.Time), r.Amount(e.Amount, e.Asset), e.At, f.Tx},
			}
			if r.options.Value != nil {
				row.Cells = append(row.Cells, r.value(e.Asset, e.Amount, f.Time))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	var says []document.Sentence
	if more := shown - len(t.Rows); more > 0 {
		says = append(says, fact(count(more, "more receipt is", "more receipts are")+" in flows.csv.", r.answer()))
	}
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		says = append(says, fact("In all "+r.Amount(c.Stolen, c.Asset)+" were stolen ("+document.Short(c.Colour, maxName)+").", r.answer()))
		for _, other := range slices.Sorted(maps.Keys(c.Already)) {
			says = append(says, fact("Of what the theft took, "+r.Amount(c.Already[other], c.Asset)+" had been stolen before ("+document.Short(other, maxName)+").", r.answer()))
		}
	}
	for _, c := range r.Cases {
		for _, v := range c.Victims {
			says = append(says, judgement("the case file", "The victim's address is "+document.Short(v, maxName)+".", document.Source{Kind: "case file", ID: document.Short(c.Name, maxName) + " " + r.Result.Basis.Cases}))
		}
	}
	s.Blocks = []document.Block{{Table: t}, {Paragraph: says}}
	return s
}

// value is what an amount was worth, or that it is not known.
func (r *Report) value(asset, amount, at string) string {
	if v, ok := r.options.Value(asset, amount, at); ok {
		return v
	}
	return "unknown"
}

// when writes a moment of an answer for people.
func when(rfc3339 string) string {
	if len(rfc3339) == len("2025-02-21T14:16:11Z") {
		return rfc3339[:10] + " " + rfc3339[11:19]
	}
	return rfc3339
}
