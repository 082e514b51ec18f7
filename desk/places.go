package desk

import (
	"fmt"
	"strings"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// sortNamed finds an order; without a name it is that of origin.
func sortNamed(name string) (sort, error) {
	if name == "" {
		return byOrigin, nil
	}
	for i := range orders {
		if orders[i].name == name {
			return sort(i), nil
		}
	}
	return 0, fmt.Errorf("%w: sort %.30q: use origin, amount, hops, first, last, kind, chain, asset or entity", ErrInvalid, name)
}

// Places gives where value is, largest origin first unless asked otherwise.
func (k *Kept) Places(q PlaceQuery) (PlacePage, error) {
	by, err := sortNamed(q.Sort)
	if err != nil {
		return PlacePage{}, err
	}
	if q.Order != "" && q.Order != "asc" && q.Order != "desc" {
		return PlacePage{}, fmt.Errorf("%w: order is desc or asc, not %.20q", ErrInvalid, q.Order)
	}
	least := ledger.Amount{}
	if q.Least != "" {
		if least, err = ledger.ParseAmount(q.Least); err != nil {
			return PlacePage{}, fmt.Errorf("%w: least: %w", ErrInvalid, err)
		}
	}
	after, err := k.from(q.After)
	if err != nil {
		return PlacePage{}, err
	}
	found := k.found.of(fmt.Sprintf("places %d %t %q", by, q.Order == "asc", []string{q.Colour, q.Kind, q.Chain, q.Asset, q.Entity, q.Text, q.Least}), func(s *selection) {
		k.choose(s, &q, &least, by)
	})
	begin, end, more := part(len(found.rows), after, q.Limit)
	page := PlacePage{About: k.About(), Items: make([]trace.Disposition, 0, end-begin), Total: len(found.rows), Origins: found.origins}
	for _, row := range found.rows[begin:end] {
		page.Items = append(page.Items, k.result.Dispositions[row])
	}
	if more {
		page.Next = k.cursor(end)
	}
	return page, nil
}

// choose selects the rows that a question lets through, in its order. Rows are looked at in
// the order in which they lie in memory, and put into the order of the question afterwards.
func (m *made) choose(s *selection, q *PlaceQuery, least *ledger.Amount, by sort) {
	origins, total, text := m.origins(), sumsOf(m.result.Colours), strings.ToLower(q.Text)
	passes, n := make([]bool, len(origins)), 0
	for i := range m.result.Dispositions {
		d := &m.result.Dispositions[i]
		if !q.selects(d) || origins[i].Lt(least) || text != "" && !mentions(d, text) {
			continue
		}
		passes[i] = true
		n++
		total.add(d.Colour, &origins[i])
	}
	s.origins, s.rows = total.list(), make([]uint32, 0, n)
	order := m.orders[by]()
	for i := range order {
		row := order[i]
		if q.Order != "asc" {
			row = order[len(order)-1-i]
		}
		if passes[row] {
			s.rows = append(s.rows, row)
		}
	}
}

func (q *PlaceQuery) selects(d *trace.Disposition) bool {
	return is(q.Colour, d.Colour) && is(q.Kind, d.Kind) && is(q.Chain, d.Chain) && is(q.Asset, d.Asset) && is(q.Entity, d.Entity)
}

// mentions says whether a place has a text, which is in small letters, in a name of its own.
func mentions(d *trace.Disposition, text string) bool {
	return contains(d.At, text) || d.Address != d.At && contains(d.Address, text) || contains(d.Entity, text)
}

// is says whether a value is the one that is wanted, or none is.
func is(wanted, value string) bool { return wanted == "" || wanted == value }

// contains says whether a text has a part, which is in small letters, in any capitals.
func contains(text, part string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] >= 0x80 {
			return strings.Contains(strings.ToLower(text), part)
		}
	}
	first := part[0]
	for i := 0; i+len(part) <= len(text); i++ {
		if small(text[i]) == first && isAt(text[i:], part) {
			return true
		}
	}
	return false
}

func isAt(text, part string) bool {
	for i := range len(part) {
		if small(text[i]) != part[i] {
			return false
		}
	}
	return true
}

func small(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
