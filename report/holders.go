package report

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// holder is what of one colour ended alike: the same kind, entity, asset and certainty.
// Places nobody names stay one by one.
type holder struct {
	colour, kind, entity string
	chain, asset         string
	at, address          string // of a place that nobody names
	certainty            uint32
	by                   string
	places               int
	amount, origin       ledger.Amount
	first, last          string
}

// named says whether somebody is named, or the kind says enough.
func named(d *trace.Disposition) bool {
	return d.Entity != "" || shareOf(d.Kind) == Spent
}

// holders merges dispositions, largest origin first within a colour.
func holders(rows []trace.Disposition) ([]holder, error) {
	type key struct {
		colour, kind, entity, chain, asset, at, by string
		certainty                                  uint32
	}
	merged := map[key]*holder{}
	for i := range rows {
		d := &rows[i]
		k := key{d.Colour, d.Kind, d.Entity, d.Chain, d.Asset, d.At, d.By, d.Certainty}
		if named(d) {
			k.at = ""
		}
		h := merged[k]
		if h == nil {
			h = &holder{
				colour: k.colour, kind: k.kind, entity: k.entity, chain: k.chain, asset: k.asset, at: k.at, certainty: k.certainty, by: k.by,
				first: d.First, last: d.Last,
				address: d.Address,
			}
			merged[k] = h
		}
		amount, err := parse(d.Amount)
		if err != nil {
			return nil, err
		}
		origin, err := parse(d.Origin)
		if err != nil {
			return nil, err
		}
		h.amount.Add(&h.amount, &amount)
		h.origin.Add(&h.origin, &origin)
		h.places++
		h.first, h.last = min(h.first, d.First), max(h.last, d.Last)
	}
	out := make([]holder, 0, len(merged))
	for _, h := range merged {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b holder) int {
		return cmp.Or(
			cmp.Compare(a.colour, b.colour), b.origin.Cmp(&a.origin), b.amount.Cmp(&a.amount), cmp.Compare(a.kind, b.kind), cmp.Compare(a.entity, b.entity),
			cmp.Compare(a.chain, b.chain), cmp.Compare(a.asset, b.asset), cmp.Compare(a.at, b.at), cmp.Compare(a.certainty, b.certainty), cmp.Compare(a.by, b.by),
		)
	})
	return out, nil
}

// of lists the holders of a colour that a test picks.
func (r *Report) of(colour string, pick func(*holder) bool) (list []holder) {
	for i := range r.holders {
		if h := &r.holders[i]; h.colour == colour && pick(h) {
			list = append(list, *h)
		}
	}
	return list
}
