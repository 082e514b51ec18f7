package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"coldtrail/report/document"
)

// noLabels is the revision of an empty label store: SHA-256 of nothing.
const noLabels = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// searched says what was looked for and not found, and what data were missing.
func (r *Report) searched() document.Section {
	s := document.Section{ID: "searched", Heading: "What was searched and not found", Alone: true}
	s.Blocks = append(s.Blocks, document.Block{List: r.missing()})
	for _, t := range []*document.Table{r.lost(), r.unresolved(), r.candidates(), r.anomalies()} {
		if t != nil {
			s.Blocks = append(s.Blocks, document.Block{Table: t})
		}
	}
	return s
}

// missing says which data the trace did without.
func (r *Report) missing() (says []document.Sentence) {
	if r.Result.Basis.Labels == noLabels {
		says = append(says, fact("No list of labels was loaded: whoever is named is named by the case file, and addresses of services may stand among those that nobody names.", r.answer()))
	}
	if r.Result.Basis.Conclusions == "" {
		says = append(says, fact("No rule concluded that unlabelled addresses belong to a service.", r.answer()))
	}
	for _, chain := range r.Result.Basis.InternalUnknown {
		says = append(says, fact("On "+r.network(chain)+" contracts that mattered ran without an execution trace: native value that they moved is not in this answer.", r.answer()))
	}
	if n := r.kinds("truncated"); n > 0 {
		says = append(says, fact("At "+count(n, "place", "places")+" a limit of the case file cut the trace off.", r.answer()))
	}
	if len(r.Result.Candidates) == 0 {
		says = append(says, fact("No payouts of swap services were searched, or none of their deposits was stolen value.", r.answer()))
	}
	if len(r.Result.Anomalies) == 0 {
		says = append(says, fact("Nothing was found that does not add up.", r.answer()))
	}
	return append(says, fact("What people agree outside the chains, and transactions that no block holds, cannot be seen.", r.rule()))
}

// kinds counts places of a kind.
func (r *Report) kinds(kind string) (n int) {
	for i := range r.Result.Dispositions {
		if r.Result.Dispositions[i].Kind == kind {
			n++
		}
	}
	return n
}

// lost is where value could not be followed.
func (r *Report) lost() *document.Table {
	t := &document.Table{
		Caption: fact("Value that was lost from sight.", r.answer()),
		Columns: []document.Column{{Title: "Stolen"}, {Title: "How"}, {Title: "Where"}, {Title: "Places", Class: "number"}, {Title: "For stolen", Class: "number"}},
	}
	left := 0
	for i := range r.holders {
		h := &r.holders[i]
		if share := shareOf(h.kind); share != Dark && h.kind != "truncated" {
			continue
		}
		if len(t.Rows) >= 2*r.options.Top {
			left++
			continue
		}
		mark, rests := r.marked(h.certainty, h.by)
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Cells: []string{
			document.Short(h.colour, maxName), kindName(h.kind), r.who(h) + " on " + r.network(h.chain), fmt.Sprint(h.places), r.Amount(h.origin.Dec(), r.colour(h.colour).Asset),
		}})
	}
	return closed(t, left, r.answer())
}

// closed is a table with a row that tells how many are left out; nothing where it has no
// rows.
func closed(t *document.Table, left int, source document.Source) *document.Table {
	if len(t.Rows) == 0 {
		return nil
	}
	if left > 0 {
		cells := make([]string, len(t.Columns))
		cells[0] = fmt.Sprintf("… and %d more", left)
		t.Rows = append(t.Rows, document.Row{Mark: document.Fact, Rests: []document.Source{source}, Cells: cells, Total: true})
	}
	return t
}

// unresolved are crossings of which the far side is not known.
func (r *Report) unresolved() *document.Table {
	t := &document.Table{
		Caption: fact("Value sent across chains whose arrival was not found.", r.answer()),
		Columns: []document.Column{{Title: "Time (UTC)", Class: "time"}, {Title: "By"}, {Title: "Amount", Class: "number"}, {Title: "Asked for"}, {Title: "Why it is not known"}, {Title: "Transaction", Class: "code"}},
	}
	left := 0
	for i := range r.Result.Crossings {
		c := &r.Result.Crossings[i]
		if len(c.Out) > 0 {
			continue
		}
		if len(t.Rows) == r.options.Top {
			left++
			continue
		}
		mark, rests := r.crossingMark(c)
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Cells: []string{
			when(c.In.Time), document.Short(c.Protocol, maxName), r.Amount(c.In.Amount, c.In.Asset), document.Short(c.Destination, maxName), document.Short(c.Reason, maxName), c.In.Tx,
		}})
	}
	return closed(t, left, r.answer())
}

// candidates counts what swap services may have paid, by service and class.
func (r *Report) candidates() *document.Table {
	t := &document.Table{
		Caption: fact("Deposits into services that publish no payouts, and whether a payout was found that may answer them. None is followed unless somebody answers for it.", r.answer()),
		Columns: []document.Column{{Title: "Service"}, {Title: "Found"}, {Title: "Deposits", Class: "number"}, {Title: "Followed", Class: "number"}},
	}
	n, followed := map[[2]string]int{}, map[[2]string]int{}
	for i := range r.Result.Candidates {
		c := &r.Result.Candidates[i]
		key := [2]string{document.Short(c.Service, maxName), cmp.Or(c.Class, "none: "+document.Short(c.Reason, maxName))}
		n[key]++
		if c.Followed != "" {
			followed[key]++
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(n), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		t.Rows = append(t.Rows, document.Row{
			Mark: document.Inference, Rests: []document.Source{r.answer(), {Kind: "rule", ID: "opaque-services"}}, Cells: []string{key[0], key[1], fmt.Sprint(n[key]), fmt.Sprint(followed[key])},
		})
	}
	return closed(t, 0, r.answer())
}

// anomalies are what does not add up, by kind, each with its first transaction.
func (r *Report) anomalies() *document.Table {
	t := &document.Table{
		Caption: fact("What does not add up; the trace's JSON lists every case.", r.answer()),
		Columns: []document.Column{{Title: "Kind"}, {Title: "Number", Class: "number"}, {Title: "What it is"}, {Title: "First in", Class: "code"}},
	}
	n, first := map[string]int{}, map[string]int{}
	for i := range r.Result.Anomalies {
		kind := r.Result.Anomalies[i].Kind
		if n[kind]++; n[kind] == 1 {
			first[kind] = i
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(n)) {
		a := &r.Result.Anomalies[first[kind]]
		t.Rows = append(t.Rows, document.Row{
			Mark: document.Fact, Rests: []document.Source{r.answer(), transaction(a.Chain, cmp.Or(a.Tx, "none"))}, Cells: []string{kind, group(fmt.Sprint(n[kind])), document.Short(a.Detail, 2*maxName), a.Tx},
		})
	}
	return closed(t, 0, r.answer())
}
