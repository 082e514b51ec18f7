package desk

import (
	"fmt"
	"slices"
	"strings"

	"coldtrail/trace"
)

// Flows gives movements in ledger order.
func (k *Kept) Flows(q FlowQuery) (FlowPage, error) {
	after, err := k.from(q.After)
	if err != nil {
		return FlowPage{}, err
	}
	flows := k.result.Flows()
	found := k.found.of(fmt.Sprintf("flows %q", []string{q.At, q.Colour}), func(s *selection) {
		for i := range flows {
			if q.selects(&flows[i]) {
				s.rows = append(s.rows, uint32(i))
			}
		}
	})
	begin, end, more := part(len(found.rows), after, q.Limit)
	page := FlowPage{About: k.About(), Items: make([]trace.Flow, 0, end-begin), Total: len(found.rows)}
	for _, row := range found.rows[begin:end] {
		page.Items = append(page.Items, flows[row])
	}
	if more {
		page.Next = k.cursor(end)
	}
	return page, nil
}

// selects says whether one end of a movement is what is asked for.
func (q *FlowQuery) selects(f *trace.Flow) bool {
	if q.At == "" && q.Colour == "" {
		return true
	}
	fits := func(e trace.FlowEnd) bool {
		return is(q.Colour, e.Colour) && (q.At == "" || same(q.At, e.At) || same(q.At, e.Address))
	}
	return slices.ContainsFunc(f.From, fits) || slices.ContainsFunc(f.To, fits)
}

// same says whether two texts name one place. Only the capitals of hexadecimal digits mean
// nothing: those of other addresses do.
func same(a, b string) bool {
	return a == b || strings.HasPrefix(a, "0x") && strings.EqualFold(a, b)
}
