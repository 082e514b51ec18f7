package report

import (
	"fmt"

	"coldtrail/ledger"
	"coldtrail/report/document"
	"coldtrail/trace"
)

// whereabouts says where each stolen asset is now.
func (r *Report) whereabouts() document.Section {
	s := document.Section{ID: "now", Heading: "Where it is now"}
	s.Blocks = append(s.Blocks, document.Block{Paragraph: []document.Sentence{
		fact("The tables show the largest parts and sum up the rest; dispositions.csv has every place.", r.answer()),
		fact("“For stolen” is the part of what was stolen that a holding stands for, in units of the stolen asset; these parts add up to what was stolen.", r.rule()),
	}})
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		name := document.Short(c.Colour, maxName)
		with := r.of(c.Colour, func(h *holder) bool { return h.entity != "" || h.kind != "held" })
		if len(with) > 0 {
			s.Blocks = append(s.Blocks, document.Block{Heading: name + ": services, mixers and other ends", Table: r.holdersTable(c, with, "Where "+name+" ended at somebody named, or ended otherwise. Who is named is named by the labels and rules of the list of sources.")})
		}
		held := r.of(c.Colour, func(h *holder) bool { return h.entity == "" && h.kind == "held" })
		if len(held) > 0 {
			s.Blocks = append(s.Blocks, document.Block{Heading: name + ": addresses that nobody names", Table: r.holdersTable(c, held, "Holdings of "+name+" at addresses that no label names.")})
		}
	}
	if t := r.sources(); t != nil {
		s.Blocks = append(s.Blocks, document.Block{Heading: "Who says who that is", Table: t})
	}
	return s
}

// named are the columns of holders that somebody names, unnamed those of the others.
var (
	namedColumns   = []document.Column{{Title: "How"}, {Title: "Who or where"}, {Title: "Places", Class: "number"}, {Title: "Amount", Class: "number"}, {Title: "For stolen", Class: "number"}, {Title: "Share", Class: "number"}, {Title: "Last arrival", Class: "time"}}
	unnamedColumns = []document.Column{{Title: "Address", Class: "code"}, {Title: "Output", Class: "code"}, {Title: "Certainty"}, {Title: "Amount", Class: "number"}, {Title: "For stolen", Class: "number"}, {Title: "Share", Class: "number"}, {Title: "Last arrival", Class: "time"}}
)

// cells are the first three cells of a holder.
func (r *Report) cells(h *holder) []string {
	if h.entity != "" || h.kind != "held" {
		return []string{r.how(h), r.who(h), group(fmt.Sprint(h.places))}
	}
	output := h.at
	if output == h.address {
		output = "—"
	}
	return []string{h.address, output, certainty(h.certainty)}
}

// holdersTable shows the largest holders and sums up the rest.
func (r *Report) holdersTable(c *trace.Colour, list []holder, caption string) *document.Table {
	t := &document.Table{Caption: fact(caption, r.answer()), Columns: namedColumns}
	if list[0].entity == "" && list[0].kind == "held" {
		t.Columns = unnamedColumns
	}
	total, _ := parse(c.Stolen) // Build has read it
	var all, rest ledger.Amount
	places, inferred := 0, false
	for i := range list {
		h := &list[i]
		all.Add(&all, &h.origin)
		inferred = inferred || h.certainty < strict
		if i >= r.options.Top {
			rest.Add(&rest, &h.origin)
			places += h.places
			continue
		}
		mark, rests := r.marked(h.certainty, h.by)
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Cells: append(r.cells(h),
			r.Amount(h.amount.Dec(), h.asset), r.Amount(h.origin.Dec(), c.Asset), percent(basisPoints(&h.origin, &total)), day(h.last))})
	}
	mark, rests := document.Fact, []document.Source{r.answer()}
	if inferred {
		mark, rests = document.Inference, r.inferences(c.Colour)
	}
	add := func(what string, sum *ledger.Amount) {
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Total: true, Cells: []string{what, "", "", "", r.Amount(sum.Dec(), c.Asset), percent(basisPoints(sum, &total)), ""}})
	}
	if places > 0 {
		add("The rest: "+count(places, "place", "places"), &rest)
	}
	add("Together", &all)
	return t
}

// how says how value ended, and how sure that is where it is no fact.
func (*Report) how(h *holder) string {
	if h.certainty >= strict {
		return kindName(h.kind)
	}
	return kindName(h.kind) + " (" + certainty(h.certainty) + ")"
}

// day is the day of a moment of an answer.
func day(rfc3339 string) string { return rfc3339[:min(len(rfc3339), len("2025-02-21"))] }

// who names a holder, or its place.
func (r *Report) who(h *holder) string {
	switch {
	case h.entity != "":
		return document.Short(h.entity, maxName)
	case h.at != "":
		return h.at
	}
	return r.network(h.chain)
}

// sources says by which claims somebody is named.
func (r *Report) sources() *document.Table {
	t := &document.Table{
		Caption: fact("Who is named above, and who says so.", r.answer()),
		Columns: []document.Column{{Title: "Who"}, {Title: "As"}, {Title: "Addresses", Class: "number"}, {Title: "Said by"}, {Title: "Why"}},
	}
	for _, c := range r.Cases {
		type said struct{ entity, kind, by, why string }
		n, order := map[said]int{}, []said{}
		for _, l := range c.Labels {
			key := said{l.Entity, l.Kind, l.By, l.Why}
			if n[key]++; n[key] == 1 {
				order = append(order, key)
			}
		}
		for _, key := range order {
			by := document.Short(key.by, maxName)
			t.Rows = append(t.Rows, document.Row{
				Mark: document.Judgement, By: by, Rests: []document.Source{r.caseFile(c)},
				Cells: []string{document.Short(key.entity, maxName), key.kind, group(fmt.Sprint(n[key])), by + ", in the case file", document.Short(key.why, maxName)},
			})
		}
	}
	left := 0
	for i := range r.Result.Labels {
		if i >= 4*r.options.Top {
			left++
			continue
		}
		l := &r.Result.Labels[i]
		says := claim(l)
		as := l.Category
		if l.Rule != "" {
			as = "by the rule " + l.Rule
		}
		t.Rows = append(t.Rows, document.Row{Mark: says.Mark, By: says.By, Rests: says.Rests, Cells: []string{
			document.Short(l.Entity, maxName), as, l.Address, document.Short(l.By, maxName), document.Short(l.Label, maxName) + fmt.Sprintf(", confidence %d of 100", l.Confidence),
		}})
	}
	return closed(t, left, r.answer())
}

// claim says who says that an address is whose.
func claim(s *trace.Source) document.Sentence {
	source := document.Source{Kind: "claim", ID: s.Claim}
	text := fmt.Sprintf("%s is an address of %s", s.Address, document.Short(s.Entity, maxName))
	if s.Rule != "" {
		return inference(fmt.Sprintf("%s, concluded by the rule %s from what %s says of %s.", text, s.Rule, document.Short(s.By, maxName), s.About), source, document.Source{Kind: "rule", ID: s.Rule})
	}
	return judgement(document.Short(s.By, maxName), fmt.Sprintf("%s: “%s”, confidence %d of 100.", text, document.Short(s.Label, maxName), s.Confidence), source)
}

func (r *Report) caseFile(c *trace.Case) document.Source {
	return document.Source{Kind: "case file", ID: document.Short(c.Name, maxName) + " " + r.Result.Basis.Cases}
}
