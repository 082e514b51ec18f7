package report

import (
	"fmt"
	"strings"

	"coldtrail/report/document"
	"coldtrail/taint"
)

// requestSections are the requests to services, each on pages of its own.
func (r *Report) requestSections() []document.Section {
	if len(r.Requests) == 0 {
		return []document.Section{{ID: "requests", Heading: "Requests to services", Blocks: []document.Block{{Paragraph: []document.Sentence{
			fact("No stolen value was seen to reach a service that a label names, so nobody can be asked to freeze it.", r.answer()),
		}}}}}
	}
	sections := make([]document.Section, len(r.Requests))
	for i := range r.Requests {
		sections[i] = r.request(i)
	}
	return sections
}

// RequestDocument is a request as a paper of its own.
func (r *Report) RequestDocument(i int) *document.Document {
	q := &r.Requests[i]
	kind := "Request to freeze"
	if q.Ask == Inform {
		kind = "Request for information"
	}
	s := r.request(i)
	s.Alone = false
	return &document.Document{Kind: kind, Title: document.Short(q.Service, maxName), Subtitle: r.Title(), Facts: r.particulars(), Sections: []document.Section{s}, Index: true}
}

// request is what one service is asked, whole: it can be handed over alone.
func (r *Report) request(i int) document.Section {
	q := &r.Requests[i]
	service := document.Short(q.Service, maxName)
	s := document.Section{ID: fmt.Sprintf("request-%d", i+1), Heading: "Freeze request: " + service, Alone: true}
	ask := "Please freeze what is left of the following amounts, keep the records of the accounts that they were credited to, and say to whom these belong."
	if q.Ask == Inform {
		s.Heading = "Information request: " + service
		ask = "Please say what was paid out for the following deposits, to which addresses and in which transactions, keep the records, and freeze what is left."
	}
	by := document.Short(r.Analyst(), maxName)
	says := []document.Sentence{
		judgement(by, "To: "+service+orNone(", jurisdiction ", document.Short(q.Jurisdictions, maxName))+". Contact: ______________________ (to be filled in)."),
		judgement(by, "Case: "+r.Title()+"."),
		judgement(by, ask),
	}
	for j := range q.Sums {
		sum := &q.Sums[j]
		places := 0
		mark, rests := document.Fact, []document.Source{r.answer()}
		for k := range q.Lines {
			if l := &q.Lines[k]; l.Asset == sum.Asset {
				places++
				if l.Certainty < taint.Fact {
					inferred, why := r.marked(l.Certainty, l.By)
					mark, rests = inferred, append(rests, why[1:]...)
				}
			}
		}
		text := fmt.Sprintf("Together %s on %s at %s.", r.Amount(sum.Amount.Dec(), sum.Asset), r.network(sum.Chain), count(places, "place", "places"))
		if !r.conserves() {
			text = fmt.Sprintf("At most %s on %s at %s; by this method amounts overlap.", r.Amount(sum.Amount.Dec(), sum.Asset), r.network(sum.Chain), count(places, "place", "places"))
		}
		says = append(says, document.Sentence{Mark: mark, Text: text, Rests: rests})
	}
	for j := range says {
		s.Blocks = append(s.Blocks, document.Block{Paragraph: says[j : j+1]})
	}
	s.Blocks = append(s.Blocks, document.Block{Table: r.lines(q)})
	if short := r.unlisted(q); short > 0 {
		s.Blocks = append(s.Blocks, document.Block{Paragraph: []document.Sentence{fact(fmt.Sprintf("For %s the transactions listed do not account for the whole amount.", count(short, "place", "places")), r.answer())}})
	}
	var claims []document.Sentence
	for j := range q.Claims {
		if j == 4*r.options.Top {
			break
		}
		claims = append(claims, claim(&q.Claims[j]))
	}
	if len(q.Claims) == 0 {
		claims = r.labelled(q)
	}
	s.Blocks = append(s.Blocks, document.Block{Heading: "Why these addresses are thought to be yours", Paragraph: claims})
	return s
}

// labelled are the case's own labels of a service, one sentence for each who says so.
func (r *Report) labelled(q *Request) (says []document.Sentence) {
	mine := map[string]bool{}
	for i := range q.Lines {
		mine[strings.ToLower(q.Lines[i].Address)] = true
	}
	for _, c := range r.Cases {
		by := map[string]int{}
		var order []string
		for _, l := range c.Labels {
			if l.Entity == q.Service && mine[strings.ToLower(l.Address)] {
				if by[l.By]++; by[l.By] == 1 {
					order = append(order, l.By)
				}
			}
		}
		for _, who := range order {
			says = append(says, judgement(document.Short(who, maxName), count(by[who], "of these addresses is", "of these addresses are")+" yours by labels of the case file.", r.caseFile(c)))
		}
	}
	if len(says) == 0 {
		says = append(says, fact("The trace names no claim; ask who made this report.", r.answer()))
	}
	return says
}

// lines is the table of a request.
func (r *Report) lines(q *Request) *document.Table {
	t := &document.Table{
		Caption: fact("Addresses, amounts and the transactions that brought them. Amounts are of stolen value alone.", r.answer()),
		Columns: []document.Column{{Title: "Address", Class: "code"}, {Title: "Amount", Class: "number"}, {Title: "First (UTC)", Class: "time"}, {Title: "Last (UTC)", Class: "time"}, {Title: "Transactions", Class: "code"}},
	}
	if r.options.Value != nil {
		t.Columns = append(t.Columns, document.Column{Title: "Value at arrival", Class: "number"})
	}
	for i := range q.Lines {
		l := &q.Lines[i]
		var txs []string
		var rests []document.Source
		for _, a := range l.Arrivals {
			txs = append(txs, a.Tx)
			rests = append(rests, transaction(a.Chain, a.Tx))
		}
		mark, rests := r.marked(l.Certainty, l.By, rests...)
		amount := r.Amount(l.Amount, l.Asset)
		if l.Certainty < taint.Fact {
			amount += " (" + certainty(l.Certainty) + ")"
		}
		row := document.Row{Mark: mark, Rests: rests, Cells: []string{l.Address, amount, when(l.First), when(l.Last), strings.Join(txs, " ")}}
		if r.options.Value != nil {
			row.Cells = append(row.Cells, r.value(l.Asset, l.Amount, l.Last))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// unlisted counts places whose transactions do not account for all of their origin.
func (r *Report) unlisted(q *Request) (n int) {
	for i := range q.Lines {
		if q.Lines[i].Listed.Dec() != q.Lines[i].Origin && r.conserves() {
			n++
		}
	}
	return n
}

// conserves says whether the method of the answer conserves what was stolen.
func (r *Report) conserves() bool {
	m, err := taint.MethodNamed(r.Result.Method)
	return err == nil && m.Conserves
}

// orNone is words before a text, or nothing where there is no text.
func orNone(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}
