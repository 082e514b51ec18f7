package export

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"coldtrail/report"
	"coldtrail/report/document"
	"coldtrail/trace"
)

// GoAML is a draft of a suspicious-transaction report in the common core of goAML (UNODC,
// Standard XML Reporting Instructions and Specifications, 4.0 to 5.0): a header, who
// reports, one transaction for each deposit of stolen value at a service, indicators. What
// each country adds or forbids its own schema says. What only who reports can know is a
// placeholder.
var GoAML = one("goaml", "draft of a suspicious-transaction report (goAML XML)", "goaml-draft.xml", writeGoAML)

func writeGoAML(w io.Writer, r *report.Report, o *Options) error {
	p := &o.Reporter
	x := newWriter(w)
	x.raw("<!-- DRAFT made by a program. It is no report until a person has checked and completed it; texts that begin with \"" + placeholder + "\" are missing. -->\n")
	x.open("report")
	x.raw("\n")
	for _, f := range p.header() {
		if f.value != "" || f.needed {
			x.element(f.name, f.text())
		}
	}
	x.open("reporting_person")
	for _, f := range p.Person.fields() {
		if f.value != "" || f.needed {
			x.element(f.name, f.text())
		}
	}
	x.closing("reporting_person")
	x.open("location")
	for _, f := range p.Location.fields() {
		x.element(f.name, f.text())
	}
	x.closing("location")
	x.element("reason", cut("DRAFT. "+cmp.Or(p.Reason, reasonOf(r)), 4000))
	x.element("action", cut(cmp.Or(p.Action, placeholder+"what was done"), 4000))
	if err := transactions(x, r, p); err != nil {
		return err
	}
	x.open("report_indicators")
	indicators := p.Indicators
	if len(indicators) == 0 {
		indicators = []string{placeholder + "indicator code"}
	}
	for _, code := range indicators {
		x.element("indicator", code)
	}
	x.closing("report_indicators")
	x.closing("report")
	return x.flush()
}

// reasonOf says why it is reported, in one paragraph.
func reasonOf(r *report.Report) string {
	var parts []string
	for i := range r.Result.Colours {
		c := &r.Result.Colours[i]
		parts = append(parts, r.Amount(c.Stolen, c.Asset))
	}
	text := fmt.Sprintf("Value stolen in the case %q (%s) was traced by the method %s to the deposits below. Answer %s.", r.Title(), strings.Join(parts, "; "), r.Result.Method, r.Result.Digest)
	for _, c := range r.Cases {
		if a := c.AttributedTo; a.Actor != "" {
			text += fmt.Sprintf(" The theft is attributed to %s by %s (their judgement).", document.Plain(a.Actor), document.Plain(a.By))
		}
	}
	return text
}

// transactions writes every deposit of stolen value at the services of the report, or at
// the one that reports.
func transactions(x *writer, r *report.Report, p *Reporter) error {
	senders := sendersOf(r)
	n := 0
	for i := range r.Requests {
		q := &r.Requests[i]
		if p.Service != "" && p.Service != q.Service {
			continue
		}
		for j := range q.Lines {
			for k := range q.Lines[j].Arrivals {
				n++
				t := &deposit{report: r, reporter: p, request: q, line: &q.Lines[j], arrival: &q.Lines[j].Arrivals[k], number: n}
				t.senders = senders[t.arrival.Chain+" "+t.arrival.Tx]
				if err := t.write(x); err != nil {
					return err
				}
			}
		}
	}
	if n == 0 {
		return fmt.Errorf("goaml: no stolen value reached %s, so there is nothing to report", cmp.Or(p.Service, "a named service"))
	}
	return nil
}

// sendersOf lists the places from which each transaction took value of the case.
func sendersOf(r *report.Report) map[string][]trace.FlowEnd {
	out := map[string][]trace.FlowEnd{}
	for i := range r.Flows {
		key := r.Flows[i].Chain + " " + r.Flows[i].Tx
		out[key] = append(out[key], r.Flows[i].From...)
	}
	return out
}

// deposit is a transaction of the report.
type deposit struct {
	report   *report.Report
	reporter *Reporter
	request  *report.Request
	line     *report.Line
	arrival  *report.Arrival
	senders  []trace.FlowEnd
	number   int
}

func (t *deposit) write(x *writer) error {
	p := t.reporter
	local, err := p.local(t.arrival.Amount, t.line.Asset, t.report)
	if err != nil {
		return err
	}
	number, unit := t.report.Decimal(t.arrival.Amount, t.line.Asset)
	x.open("transaction")
	x.element("transactionnumber", fmt.Sprintf("%s-%d", shortDigest(t.report.Result.Digest), t.number))
	x.element("internal_ref_number", cut(t.arrival.Tx, 80))
	x.element("transaction_location", cut(t.arrival.Chain, 255))
	x.element("transaction_description", fmt.Sprintf("%s %s of stolen value; %s", number, unit, markWords(t.line.Certainty, t.line.By)))
	x.element("date_transaction", strings.TrimSuffix(t.arrival.Time, "Z"))
	x.element("transmode_code", cmp.Or(p.Transmode, placeholder+"transmode code"))
	x.element("amount_local", cmp.Or(local, placeholder+"value in "+cmp.Or(p.Currency, "local currency")))
	from, comment := t.sender()
	t.side(x, &side{"from", "t_from", from, "", p.FromCountry})
	to := &side{"to", "t_to", t.line.Address, t.request.Service, p.ToCountry}
	if p.Service != "" {
		to.element = "t_to_my_client"
	}
	t.side(x, to)
	if comment != "" {
		x.element("comments", comment)
	}
	x.closing("transaction")
	return nil
}

// sender is the one address that sent, or a word for several, with a comment that lists
// them: which of them sent what is not known.
func (t *deposit) sender() (account, comment string) {
	var all []string
	for i := range t.senders {
		if a := cmp.Or(t.senders[i].Address, t.senders[i].At); len(all) == 0 || all[len(all)-1] != a {
			all = append(all, a)
		}
	}
	switch len(all) {
	case 0:
		return "unknown", ""
	case 1:
		return all[0], ""
	}
	return "several", cut("Senders: "+strings.Join(all, " "), 4000)
}

// side is one side of a transaction.
type side struct{ word, element, account, holder, country string }

// side writes one side of a transaction.
func (t *deposit) side(x *writer, s *side) {
	p, word := t.reporter, s.word
	number, unit := t.report.Decimal(t.arrival.Amount, t.line.Asset)
	x.open(s.element)
	x.element(word+"_funds_code", cmp.Or(p.FundsCode, placeholder+"funds code"))
	x.open(word + "_foreign_currency")
	x.element("foreign_currency_code", cut(unit, 50))
	x.element("foreign_amount", number)
	x.element("foreign_exchange_rate", cmp.Or(p.Prices[t.line.Asset], placeholder+"exchange rate"))
	x.closing(word + "_foreign_currency")
	x.open(word + "_account")
	x.element("institution_name", cut(document.Plain(cmp.Or(s.holder, "none: address on "+t.line.Chain)), 255))
	x.element("non_bank_institution", "true")
	x.element("account", s.account)
	x.closing(word + "_account")
	x.element(word+"_country", cmp.Or(s.country, placeholder+"country"))
	x.closing(s.element)
}

// markWords says how sure it is.
func markWords(certainty uint32, by string) string {
	if certainty >= 10_000 {
		return "fact"
	}
	return fmt.Sprintf("inference of %d.%02d %% asserted by %s", certainty/100, certainty%100, document.Plain(by))
}

// shortDigest is the beginning of a digest, to number transactions with.
func shortDigest(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(12, len(hex))]
}

// cut cuts a text to what a schema allows; it tells where it did.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
