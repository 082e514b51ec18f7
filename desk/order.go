package desk

import (
	"cmp"
	"slices"
	"time"

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

// orders are the sorts by name, with how each compares; keys makes numbers of values
// that are in the same order, as far as 64 bits tell them apart.
var orders = [sorts]struct {
	name    string
	compare func(a, b *trace.Disposition) int
	keys    func(rows []trace.Disposition) []uint64
}{
	byOrigin: {"origin", func(a, b *trace.Disposition) int { return compareDigits(a.Origin, b.Origin) }, each(func(d *trace.Disposition) uint64 { return leading(d.Origin) })},
	byAmount: {"amount", func(a, b *trace.Disposition) int { return compareDigits(a.Amount, b.Amount) }, each(func(d *trace.Disposition) uint64 { return leading(d.Amount) })},
	byHops:   {"hops", func(a, b *trace.Disposition) int { return cmp.Compare(a.Hops, b.Hops) }, each(func(d *trace.Disposition) uint64 { return uint64(d.Hops) })},
	byFirst:  {"first", func(a, b *trace.Disposition) int { return cmp.Compare(a.First, b.First) }, each(func(d *trace.Disposition) uint64 { return seconds(d.First) })},
	byLast:   {"last", func(a, b *trace.Disposition) int { return cmp.Compare(a.Last, b.Last) }, each(func(d *trace.Disposition) uint64 { return seconds(d.Last) })},
	byKind:   {"kind", func(a, b *trace.Disposition) int { return cmp.Compare(a.Kind, b.Kind) }, ranks(func(d *trace.Disposition) string { return d.Kind })},
	byChain:  {"chain", func(a, b *trace.Disposition) int { return cmp.Compare(a.Chain, b.Chain) }, ranks(func(d *trace.Disposition) string { return d.Chain })},
	byAsset:  {"asset", func(a, b *trace.Disposition) int { return cmp.Compare(a.Asset, b.Asset) }, ranks(func(d *trace.Disposition) string { return d.Asset })},
	byEntity: {"entity", func(a, b *trace.Disposition) int { return cmp.Compare(a.Entity, b.Entity) }, ranks(func(d *trace.Disposition) string { return d.Entity })},
}

// each makes a key of every row by itself.
func each(of func(*trace.Disposition) uint64) func([]trace.Disposition) []uint64 {
	return func(rows []trace.Disposition) []uint64 {
		keys := make([]uint64, len(rows))
		for i := range rows {
			keys[i] = of(&rows[i])
		}
		return keys
	}
}

// ranks makes keys of texts of which there are few: each is the place of its text among all.
func ranks(of func(*trace.Disposition) string) func([]trace.Disposition) []uint64 {
	return func(rows []trace.Disposition) []uint64 {
		rank := map[string]uint64{}
		var texts []string
		for i := range rows {
			if _, ok := rank[of(&rows[i])]; !ok {
				rank[of(&rows[i])] = 0
				texts = append(texts, of(&rows[i]))
			}
		}
		slices.Sort(texts)
		for i, text := range texts {
			rank[text] = uint64(i)
		}
		return each(func(d *trace.Disposition) uint64 { return rank[of(d)] })(rows)
	}
}

// leadingDigits is how many digits of an amount are in its key: they fit beside its length.
const leadingDigits = 16

// leading is the key of digits without leading zeros: how many there are, then the first.
func leading(digits string) uint64 {
	var n uint64
	for i := range leadingDigits {
		n *= 10
		if i < len(digits) {
			n += uint64(digits[i] - '0')
		}
	}
	return uint64(len(digits))<<56 | n
}

// seconds is the key of a moment as traces write it.
func seconds(moment string) uint64 {
	at, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		return 0
	}
	return uint64(at.Unix())
}

// ordered is a row with its keys in an order, and by origin.
type ordered struct {
	key, origin uint64
	row         uint32
}

// orderOf sorts rows. Equal ones are in the order of their origin, then of the trace, the
// last first, so that the other way round the first is.
func orderOf(rows []trace.Disposition, by sort) []uint32 {
	compare := orders[by].compare
	keys, origins := orders[by].keys(rows), orders[byOrigin].keys(rows)
	list := make([]ordered, len(rows))
	for i := range list {
		list[i] = ordered{keys[i], origins[i], uint32(i)}
	}
	slices.SortFunc(list, func(a, b ordered) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		x, y := &rows[a.row], &rows[b.row]
		if n := compare(x, y); n != 0 {
			return n
		}
		if a.origin != b.origin {
			return cmp.Compare(a.origin, b.origin)
		}
		return cmp.Or(compareDigits(x.Origin, y.Origin), cmp.Compare(b.row, a.row))
	})
	order := make([]uint32, len(list))
	for i := range list {
		order[i] = list[i].row
	}
	return order
}
