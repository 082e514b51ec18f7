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
	s.Blocks = append(s.Blocks, document.Block{Paragraph: r.sources()})
	return s
}

// holdersTable shows the largest holders and sums up the rest.
func (r *Report) holdersTable(c *trace.Colour, list []holder, caption string) *document.Table {
	t := &document.Table{
		Caption: fact(caption, r.answer()),
		Columns: []document.Column{{Title: "How"}, {Title: "Who or where"}, {Title: "Places", Class: "number"}, {Title: "Amount", Class: "number"}, {Title: "For stolen", Class: "number"}, {Title: "Share", Class: "number"}, {Title: "Last arrival"}, {Title: "Certainty"}},
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
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Cells: []string{
			kindName(h.kind), r.who(h), group(fmt.Sprint(h.places)), r.Amount(h.amount.Dec(), h.asset), r.Amount(h.origin.Dec(), c.Asset),
			percent(basisPoints(&h.origin, &total)), when(h.last), certainty(h.certainty),
		}})
	}
	mark, rests := document.Fact, []document.Source{r.answer()}
	if inferred {
		mark, rests = document.Inference, r.inferences(c.Colour)
	}
	add := func(what, places string, sum *ledger.Amount) {
		t.Rows = append(t.Rows, document.Row{Mark: mark, Rests: rests, Total: true, Cells: []string{
			what, "", places, "—", r.Amount(sum.Dec(), c.Asset), percent(basisPoints(sum, &total)), "", "",
		}})
	}
	if places > 0 {
		add("The rest", group(fmt.Sprint(places)), &rest)
	}
	add("Together", "", &all)
	return t
}

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
func (r *Report) sources() []document.Sentence {
	var says []document.Sentence
	for _, c := range r.Cases {
		for i, l := range c.Labels {
			if i == 4*r.options.Top {
				says = append(says, judgement(document.Short(l.By, maxName), count(len(c.Labels)-i, "more label is", "more labels are")+" in the case file.", r.caseFile(c)))
				break
			}
			text := fmt.Sprintf("%s belongs to %s (%s).", document.Short(l.Address, maxName), document.Short(l.Entity, maxName), l.Kind)
			if l.Why != "" {
				text = text[:len(text)-1] + ": " + document.Short(l.Why, maxName) + "."
			}
			says = append(says, judgement(document.Short(l.By, maxName), text, r.caseFile(c)))
		}
	}
	for i := range r.Result.Labels {
		if i == 4*r.options.Top {
			says = append(says, fact(count(len(r.Result.Labels)-i, "more claim names", "more claims name")+" somebody; the trace's JSON lists all.", r.answer()))
			break
		}
		says = append(says, claim(&r.Result.Labels[i]))
	}
	return says
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
