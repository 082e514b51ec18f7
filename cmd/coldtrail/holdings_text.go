package main

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"coldtrail/holdings"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
)

func ptr[T any](v T) *T { return &v }

// mustAmount reads an amount that this program wrote itself.
func mustAmount(text string) ledger.Amount {
	n, err := ledger.ParseAmount(text)
	if err != nil {
		panic(err)
	}
	return n
}

// grouped puts commas between the thousands of a decimal number.
func grouped(text string) string {
	whole, part, point := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		return whole + "." + part
	}
	return whole
}

// valueText is a value in dollars; what is not known is not zero.
func valueText(usd string) string {
	if usd == "" {
		return "unknown"
	}
	return grouped(usd)
}

// about writes cents in three digits, rounded half up: $1.14bn.
func about(cents *string) string {
	if cents == nil {
		return "-"
	}
	n := mustAmount(*cents)
	for _, unit := range []struct {
		power uint
		name  string
	}{{11, "bn"}, {8, "M"}, {5, "k"}} {
		whole := price.PowerOfTen(unit.power)
		if n.Lt(&whole) {
			continue
		}
		decimals := 2
		for ten := price.PowerOfTen(unit.power + 1); decimals > 0 && !n.Lt(&ten); ten = price.PowerOfTen(unit.power + 3 - uint(decimals)) {
			decimals--
		}
		step := price.PowerOfTen(unit.power - uint(decimals))
		half := step
		half.Rsh(&half, 1)
		n.Div(n.Add(&n, &half), &step)
		text := n.Dec()
		if decimals > 0 {
			text = text[:len(text)-decimals] + "." + text[len(text)-decimals:]
		}
		return "$" + grouped(text) + unit.name
	}
	return "$" + holdings.Dollars(*cents)
}

// totalText tells the parts of a total apart by kind of evidence.
func totalText(t *holdings.Stated) string {
	var parts []string
	for _, kind := range register.Kinds {
		if amount, ok := t.Total.Kinds[kind]; ok {
			n := mustAmount(amount)
			parts = append(parts, fmt.Sprintf("%s %s %s", kind, grouped(register.Quantity(&n, t.Decimals)), t.Symbol))
		}
	}
	return strings.Join(parts, ", ")
}

func rankText(rank int) string {
	if rank == 0 {
		return "-"
	}
	return strconv.Itoa(rank)
}

// shareText writes parts per million as per cent.
func shareText(ppm *uint64) string {
	if ppm == nil {
		return "unknown"
	}
	return percentOf(*ppm) + " %"
}

func percentOf(ppm uint64) string  { return fmt.Sprintf("%d.%04d", ppm/10_000, ppm%10_000) }
func millionths(ppm uint64) string { return fmt.Sprintf("%d.%06d", ppm/1_000_000, ppm%1_000_000) }

func asOfText(x *holdings.StatedRow) string {
	if x.Stale {
		return fmt.Sprintf("%s (%d days old)", x.AsOf, x.AgeDays)
	}
	return x.AsOf
}

func numbersText(numbers []int) string {
	text := ""
	for _, n := range numbers {
		text += fmt.Sprintf("[%d]", n)
	}
	return text
}

func noteText(x *holdings.StatedRow) string {
	text := ""
	if x.Statement.USD != "" {
		text += "; stated as worth " + x.Statement.USD
	}
	if x.Note != "" {
		text += ". " + x.Note
	}
	return inert(text)
}

// right pads texts on the left to one width, as numbers are read from the right.
func right(texts []string) []string {
	width := 0
	for _, t := range texts {
		width = max(width, len(t))
	}
	for i, t := range texts {
		texts[i] = strings.Repeat(" ", width-len(t)) + t
	}
	return texts
}

func statedColumns(rows []holdings.StatedRow) (amounts, values []string) {
	for i := range rows {
		amounts, values = append(amounts, grouped(rows[i].Quantity)), append(values, valueText(rows[i].USD))
	}
	return right(amounts), right(values)
}

func (v *holdingsVerb) printDerived(s *session, d *holdings.Derived) error {
	fmt.Fprintln(s.stdout, "\nWHAT ADDRESSES SHOW")
	if len(d.Entities) == 0 {
		fmt.Fprintln(s.stdout, "No address that a label gives to an actor holds anything in this store.")
		fmt.Fprintln(s.stdout, "coldtrail ingest brings a ledger in, coldtrail labels import says whose addresses are whose.")
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	if len(d.Entities) > 0 {
		fmt.Fprintln(w, "RANK\tHOLDER\tVERIFIED USD\tWITH ATTRIBUTED USD\tPOSSIBLE USD\tADDRESSES")
	}
	for i := range d.Entities {
		e := &d.Entities[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", rankText(e.Rank), inert(e.Name), rangeText(&e.Strict), rangeText(&e.Probable), rangeText(&e.Possible), e.Possible.Rows)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range d.Entities {
		s.printKinds(&d.Entities[i])
		if !v.Rows {
			continue
		}
		if err := s.printRows(&d.Entities[i]); err != nil {
			return err
		}
	}
	for _, text := range d.LeftOut {
		fmt.Fprintf(s.stdout, "Left out: %s\n", inert(text))
	}
	return nil
}

// rangeText is a sum, and how many of its rows have no value.
func rangeText(r *holdings.Range) string {
	text := valueText(r.USD)
	if r.Unvalued > 0 && r.Unvalued < r.Rows {
		text += fmt.Sprintf(" + %d without price", r.Unvalued)
	}
	return text
}

func (s *session) printKinds(e *holdings.Entity) {
	fmt.Fprintf(s.stdout, "%s, by kind of evidence:\n", inert(e.Name))
	for _, kind := range register.Kinds {
		if r, ok := e.Kinds[kind]; ok {
			fmt.Fprintf(s.stdout, "  %s: %d addresses, USD %s\n", kind, r.Rows, rangeText(&r))
		}
	}
}

// printRows prints every address.
func (s *session) printRows(e *holdings.Entity) error {
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  ADDRESS\tAMOUNT\tUSD\tEVIDENCE\tBY\tBLOCK\tTIME")
	for i := range e.Rows {
		x := &e.Rows[i]
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s %d\t%s\t%d\t%s\n", x.Address, amountText(x), valueText(x.USD), x.Kind, x.Confidence, inert(x.By), x.Height, stampTime(x.Time))
	}
	return w.Flush()
}

// amountText writes an amount in whole units where its decimals are known.
func amountText(x *holdings.Row) string {
	text := x.Amount + " base units of " + string(x.Asset)
	if x.Decimals != nil {
		n := mustAmount(x.Amount)
		text = grouped(register.Quantity(&n, *x.Decimals)) + " " + x.Symbol
	}
	if x.Shares {
		text += " (shares)"
	}
	if x.AtLeast {
		text = "at least " + text
	}
	return text
}

// holdingsCSV writes statements and rows of addresses, one a line, without formulas that a
// spreadsheet would run.
func (s *session) holdingsCSV(r *holdings.Report) error {
	w := csv.NewWriter(s.stdout)
	put := func(cells ...string) {
		for i, c := range cells {
			if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
				cells[i] = "'" + c
			}
		}
		_ = w.Write(cells) // the error is kept for w.Error
	}
	put("as_of", "table", "rank", "actor", "name", "asset", "address", "amount", "value_cents", "kind", "by", "block", "figure_of")
	cents := func(c *string) string {
		if c == nil {
			return ""
		}
		return *c
	}
	rank := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for _, rows := range [][]holdings.StatedRow{r.Stated.Rows, r.Stated.Unranked, r.Stated.Besides} {
		for i := range rows {
			for _, x := range append([]holdings.StatedRow{rows[i]}, rows[i].Also...) {
				put(r.AsOf, "stated", rank(x.Rank), x.Actor, x.Name, string(x.Asset), "", x.Amount, cents(x.Cents), string(x.Kind), x.By, "", x.AsOf)
			}
		}
	}
	for i := range r.Derived.Entities {
		e := &r.Derived.Entities[i]
		for j := range e.Rows {
			x := &e.Rows[j]
			put(r.AsOf, "derived", rank(e.Rank), x.Actor, e.Name, string(x.Asset), x.Address, x.Amount, cents(x.Cents), string(x.Kind), x.By, strconv.FormatUint(uint64(x.Height), 10), stampTime(x.Time))
		}
	}
	w.Flush()
	return w.Error()
}
