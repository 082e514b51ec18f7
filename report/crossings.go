package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coldtrail/report/document"
	"coldtrail/taint"
	"coldtrail/trace"
)

// crossings says what went from chain to chain, and what became another asset.
func (r *Report) crossings() document.Section {
	s := document.Section{ID: "crossings", Heading: "Between chains and assets"}
	if len(r.Result.Crossings) == 0 {
		s.Blocks = append(s.Blocks, document.Block{Paragraph: []document.Sentence{fact("No stolen value was seen to go from one chain or asset to another by a bridge, a service or a link.", r.answer())}})
	} else {
		s.Blocks = append(s.Blocks, document.Block{Heading: "Crossings", Table: r.crossingCounts()}, document.Block{Table: r.largestCrossings()})
	}
	if len(r.Result.Swaps) > 0 {
		s.Blocks = append(s.Blocks, document.Block{Heading: "Swaps", Table: r.swapCounts()})
	}
	return s
}

// state is how a crossing ended, in print.
func state(c *trace.Crossing) string {
	return cmp.Or(c.Status, "asserted")
}

// crossingMark marks a crossing by its certainty and evidence.
func (r *Report) crossingMark(c *trace.Crossing) (document.Mark, []document.Source) {
	rests := []document.Source{r.answer()}
	if c.In.Tx != "" {
		rests = append(rests, transaction(c.In.Chain, c.In.Tx))
	}
	for i := range c.Out {
		if c.Out[i].Tx != "" {
			rests = append(rests, transaction(c.Out[i].Chain, c.Out[i].Tx))
		}
	}
	if c.Certainty >= taint.Fact {
		return document.Fact, rests
	}
	return document.Inference, append(rests, document.Source{Kind: "inference", ID: cmp.Or(document.Short(c.Evidence, maxName), "not stated")})
}

// crossingCounts counts crossings by protocol, way and state.
func (r *Report) crossingCounts() *document.Table {
	t := &document.Table{
		Caption: fact("Deposits of stolen value into protocols and services that pay out elsewhere, and links that analysts assert.", r.answer()),
		Columns: []document.Column{{Title: "By"}, {Title: "From"}, {Title: "To"}, {Title: "State"}, {Title: "Number", Class: "number"}},
	}
	n, certain := map[[4]string]int{}, map[[4]string]bool{}
	for i := range r.Result.Crossings {
		c := &r.Result.Crossings[i]
		to := document.Short(cmp.Or(c.Destination, "not known"), 40)
		if len(c.Out) > 0 {
			to = r.symbol(c.Out[0].Asset) + " on " + r.network(c.Out[0].Chain)
		}
		key := [4]string{document.Short(c.Protocol, maxName), r.symbol(c.In.Asset) + " on " + r.network(c.In.Chain), to, state(c)}
		certain[key] = (n[key] == 0 || certain[key]) && c.Certainty >= taint.Fact
		n[key]++
	}
	for _, key := range slices.SortedFunc(maps.Keys(n), func(a, b [4]string) int { return slices.Compare(a[:], b[:]) }) {
		row := document.Row{Mark: document.Fact, Rests: []document.Source{r.answer()}, Cells: append(slices.Clone(key[:]), fmt.Sprint(n[key]))}
		if !certain[key] {
			row.Mark = document.Inference
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// largestCrossings shows the largest of each asset that went in.
func (r *Report) largestCrossings() *document.Table {
	list := make([]*trace.Crossing, len(r.Result.Crossings))
	for i := range r.Result.Crossings {
		list[i] = &r.Result.Crossings[i]
	}
	slices.SortStableFunc(list, func(a, b *trace.Crossing) int {
		return cmp.Or(cmp.Compare(a.In.Asset, b.In.Asset), cmp.Compare(len(b.In.Amount), len(a.In.Amount)), cmp.Compare(b.In.Amount, a.In.Amount), cmp.Compare(a.In.Time, b.In.Time), cmp.Compare(a.In.Tx, b.In.Tx))
	})
	shown, of := []*trace.Crossing{}, map[string]int{}
	for _, c := range list {
		if of[c.In.Asset]++; of[c.In.Asset] <= r.options.Top {
			shown = append(shown, c)
		}
	}
	t := &document.Table{
		Caption: fact(fmt.Sprintf("The largest of each asset, %d of %d; crossings.csv has all.", len(shown), len(list)), r.answer()),
		Columns: []document.Column{{Title: "Time (UTC)", Class: "time"}, {Title: "By"}, {Title: "Went in", Class: "number"}, {Title: "In transaction", Class: "code"}, {Title: "Came out", Class: "number"}, {Title: "At", Class: "code"}, {Title: "Evidence"}},
	}
	for _, c := range shown {
		var out, at []string
		for i := range c.Out {
			o := &c.Out[i]
			text := r.Amount(o.Amount, o.Asset)
			if o.Kind != "" {
				text += " (" + o.Kind + ")"
			}
			out, at = append(out, text), append(at, strings.Join(o.Addresses, " "))
		}
		if len(out) == 0 {
			out, at = []string{"nothing yet"}, []string{document.Short(c.Reason, maxName)}
		}
		mark, rests := r.crossingMark(c)
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Cells: []string{
			when(c.In.Time), document.Short(c.Protocol, maxName), r.Amount(c.In.Amount, c.In.Asset), cmp.Or(c.In.Tx, strings.Join(c.In.Addresses, " ")),
			strings.Join(out, "; "), strings.Join(slices.Compact(at), " "), document.Short(cmp.Or(c.Evidence, state(c)), maxName),
		}})
	}
	return t
}

// swapCounts counts swaps by what was given and received.
func (r *Report) swapCounts() *document.Table {
	t := &document.Table{
		Caption: fact("Swaps of stolen value within one transaction; the trader is whose value it was.", r.answer()),
		Columns: []document.Column{{Title: "Gave"}, {Title: "Received"}, {Title: "Swaps", Class: "number"}, {Title: "First (UTC)"}, {Title: "Last (UTC)"}},
	}
	type row struct {
		n           int
		first, last string
		rests       []document.Source
	}
	rows := map[[2]string]*row{}
	for i := range r.Result.Swaps {
		w := &r.Result.Swaps[i]
		var got []string
		for j := range w.Received {
			got = append(got, r.symbol(w.Received[j].Asset))
		}
		slices.Sort(got)
		key := [2]string{r.symbol(w.Gave.Asset) + " on " + r.network(w.Chain), strings.Join(slices.Compact(got), ", ")}
		if rows[key] == nil {
			rows[key] = &row{first: w.Time}
		}
		x := rows[key]
		x.n++
		x.last = w.Time
		if len(x.rests) < r.options.Top {
			x.rests = append(x.rests, transaction(w.Chain, w.Tx))
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(rows), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		x := rows[key]
		t.Rows = append(t.Rows, document.Row{Mark: document.Fact, Rests: append(x.rests, r.answer()), Cells: []string{key[0], key[1], fmt.Sprint(x.n), when(x.first), when(x.last)}})
	}
	return t
}
