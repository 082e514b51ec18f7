package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"coldtrail/report"
	"coldtrail/report/document"
	"coldtrail/trace"
)

// CSV is tables for spreadsheets: where everything is, every movement, every crossing, and
// what services are asked. Amounts are in base units and, where a unit is known, in it.
var CSV = &Format{Name: "csv", Title: "tables for spreadsheets", Files: func(r *report.Report, _ *Options) ([]File, error) {
	return []File{
		{"dispositions.csv", func(w io.Writer) error { return writeDispositions(w, r) }},
		{"flows.csv", func(w io.Writer) error { return writeFlows(w, r) }},
		{"crossings.csv", func(w io.Writer) error { return writeCrossings(w, r) }},
		{"requests.csv", func(w io.Writer) error { return writeRequests(w, r) }},
	}, nil
}}

// inert keeps spreadsheets from taking a cell for a formula (OWASP, "CSV Injection").
func inert(cell string) string {
	cell = document.Plain(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// table writes rows, with every cell made inert.
type table struct {
	out *csv.Writer
	err error
}

func newTable(w io.Writer, header ...string) *table {
	t := &table{out: csv.NewWriter(w)}
	t.err = t.out.Write(header)
	return t
}

func (t *table) row(cells ...string) {
	if t.err != nil {
		return
	}
	for i := range cells {
		cells[i] = inert(cells[i])
	}
	t.err = t.out.Write(cells)
}

func (t *table) close() error {
	t.out.Flush()
	if t.err != nil {
		return t.err
	}
	return t.out.Error()
}

// mark is the mark of a row by its certainty.
func mark(certainty uint32) string {
	if certainty >= 10_000 {
		return document.Fact.String()
	}
	return document.Inference.String()
}

func writeDispositions(w io.Writer, r *report.Report) error {
	t := newTable(w, "colour", "kind", "chain", "asset", "at", "address", "entity", "amount", "amount_decimal", "unit", "origin", "certainty_bp", "mark", "by", "hops", "first", "last")
	for i := range r.Result.Dispositions {
		d := &r.Result.Dispositions[i]
		number, unit := r.Decimal(d.Amount, d.Asset)
		t.row(d.Colour, d.Kind, d.Chain, d.Asset, d.At, d.Address, d.Entity, d.Amount, number, unit, d.Origin, fmt.Sprint(d.Certainty), mark(d.Certainty), d.By, fmt.Sprint(d.Hops), d.First, d.Last)
	}
	return t.close()
}

// writeFlows writes a row for each end of each movement: a movement may have several on
// both sides, and which went to which is not a fact.
func writeFlows(w io.Writer, r *report.Report) error {
	t := newTable(w, "movement", "chain", "tx", "height", "time", "side", "at", "address", "asset", "kind", "colour", "amount", "amount_decimal", "unit", "origin", "certainty_bp", "mark", "asserted_by")
	for i := range r.Flows {
		f := &r.Flows[i]
		for _, side := range []struct {
			name string
			ends []trace.FlowEnd
		}{{"from", f.From}, {"to", f.To}} {
			for j := range side.ends {
				e := &side.ends[j]
				number, unit := r.Decimal(e.Amount, e.Asset)
				t.row(fmt.Sprint(i+1), f.Chain, f.Tx, fmt.Sprint(f.Height), f.Time, side.name, e.At, e.Address, e.Asset, e.Kind, e.Colour, e.Amount, number, unit, e.Origin, fmt.Sprint(e.Certainty), mark(e.Certainty), f.Link)
			}
		}
	}
	return t.close()
}

// writeCrossings writes a row for each payout, or one for a crossing without any.
func writeCrossings(w io.Writer, r *report.Report) error {
	t := newTable(w, "crossing", "protocol", "status", "certainty_bp", "mark", "evidence", "in_time", "in_chain", "in_tx", "in_addresses", "in_asset", "in_amount", "in_tainted", "out_time", "out_chain", "out_tx", "out_addresses", "out_asset", "out_amount", "out_kind", "destination", "reason")
	for i := range r.Result.Crossings {
		c := &r.Result.Crossings[i]
		outs := c.Out
		if len(outs) == 0 {
			outs = []trace.Side{{}}
		}
		for j := range outs {
			o := &outs[j]
			t.row(fmt.Sprint(i+1), c.Protocol, c.Status, fmt.Sprint(c.Certainty), mark(c.Certainty), c.Evidence,
				c.In.Time, c.In.Chain, c.In.Tx, strings.Join(c.In.Addresses, " "), c.In.Asset, c.In.Amount, c.In.Tainted,
				o.Time, o.Chain, o.Tx, strings.Join(o.Addresses, " "), o.Asset, o.Amount, o.Kind, c.Destination, c.Reason)
		}
	}
	return t.close()
}

func writeRequests(w io.Writer, r *report.Report) error {
	t := newTable(w, "service", "ask", "jurisdictions", "colour", "chain", "asset", "at", "address", "amount", "amount_decimal", "unit", "origin", "certainty_bp", "mark", "by", "first", "last", "transactions")
	for i := range r.Requests {
		q := &r.Requests[i]
		for j := range q.Lines {
			l := &q.Lines[j]
			txs := make([]string, len(l.Arrivals))
			for k := range l.Arrivals {
				txs[k] = l.Arrivals[k].Tx
			}
			number, unit := r.Decimal(l.Amount, l.Asset)
			t.row(q.Service, string(q.Ask), q.Jurisdictions, l.Colour, l.Chain, l.Asset, l.At, l.Address, l.Amount, number, unit, l.Origin, fmt.Sprint(l.Certainty), mark(l.Certainty), l.By, l.First, l.Last, strings.Join(txs, " "))
		}
	}
	return t.close()
}
