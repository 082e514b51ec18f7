package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// sort is an order of places, the least first.
type sort int

// The orders.
const (
	byOrigin sort = iota
	byAmount
	byHops
	byFirst
	byLast
	byKind
	byChain
	byAsset
	byEntity

	sorts
)

// orders are the sorts by name, with how each compares.
var orders = [sorts]struct {
	name    string
	compare func(a, b *trace.Disposition) int
}{
	byOrigin: {"origin", func(a, b *trace.Disposition) int { return compareDigits(a.Origin, b.Origin) }},
	byAmount: {"amount", func(a, b *trace.Disposition) int { return compareDigits(a.Amount, b.Amount) }},
	byHops:   {"hops", func(a, b *trace.Disposition) int { return cmp.Compare(a.Hops, b.Hops) }},
	byFirst:  {"first", func(a, b *trace.Disposition) int { return cmp.Compare(a.First, b.First) }},
	byLast:   {"last", func(a, b *trace.Disposition) int { return cmp.Compare(a.Last, b.Last) }},
	byKind:   {"kind", func(a, b *trace.Disposition) int { return cmp.Compare(a.Kind, b.Kind) }},
	byChain:  {"chain", func(a, b *trace.Disposition) int { return cmp.Compare(a.Chain, b.Chain) }},
	byAsset:  {"asset", func(a, b *trace.Disposition) int { return cmp.Compare(a.Asset, b.Asset) }},
	byEntity: {"entity", func(a, b *trace.Disposition) int { return cmp.Compare(a.Entity, b.Entity) }},
}

// orderOf sorts rows. Equal ones are in the order of their origin, then of the trace.
func orderOf(rows []trace.Disposition, by sort) []uint32 {
	order := make([]uint32, len(rows))
	for i := range order {
		order[i] = uint32(i)
	}
	compare := orders[by].compare
	slices.SortFunc(order, func(a, b uint32) int {
		x, y := &rows[a], &rows[b]
		return cmp.Or(compare(x, y), compareDigits(x.Origin, y.Origin), compareDigits(x.Amount, y.Amount), cmp.Compare(b, a))
	})
	return order
}

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

// choose selects the rows that a question lets through, in its order.
func (m *made) choose(s *selection, q *PlaceQuery, least *ledger.Amount, by sort) {
	order, origins, total := m.orders[by](), m.origins(), sumsOf(m.result.Colours)
	text := strings.ToLower(q.Text)
	for i := range order {
		row := order[i]
		if q.Order != "asc" {
			row = order[len(order)-1-i]
		}
		d := &m.result.Dispositions[row]
		if !is(q.Colour, d.Colour) || !is(q.Kind, d.Kind) || !is(q.Chain, d.Chain) || !is(q.Asset, d.Asset) || !is(q.Entity, d.Entity) ||
			origins[row].Lt(least) || text != "" && !contains(d.At, text) && !contains(d.Address, text) && !contains(d.Entity, text) {
			continue
		}
		s.rows = append(s.rows, row)
		total.add(d.Colour, &origins[row])
	}
	s.origins = total.list()
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
	for i := 0; i+len(part) <= len(text); i++ {
		j := 0
		for j < len(part) && small(text[i+j]) == part[j] {
			j++
		}
		if j == len(part) {
			return true
		}
	}
	return false
}

func small(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
