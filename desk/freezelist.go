package desk

import (
	"cmp"
	"fmt"
	"slices"

	"coldtrail/trace"
)

// Freezable gives what could still be frozen, the largest origin first.
func (k *Kept) Freezable(q FreezeQuery) (FreezePage, error) {
	if q.Act != "" && q.Act != string(ByService) && q.Act != string(ByIssuer) {
		return FreezePage{}, fmt.Errorf("%w: act is service or issuer, not %.20q", ErrInvalid, q.Act)
	}
	after, err := k.from(q.After)
	if err != nil {
		return FreezePage{}, err
	}
	all := k.frozen()
	found := k.found.of(fmt.Sprintf("freezelist %q", []string{q.Colour, q.Act, q.Who}), func(s *selection) {
		total := sumsOf(k.result.Colours)
		for i := range all {
			f := &all[i]
			if is(q.Colour, f.Colour) && is(q.Act, string(f.Act)) && is(q.Who, f.Who) {
				s.rows = append(s.rows, uint32(i))
				origin := amountOf(f.Origin)
				total.add(f.Colour, &origin)
			}
		}
		s.origins = total.list()
	})
	begin, end, more := part(len(found.rows), after, q.Limit)
	page := FreezePage{About: k.About(), Items: make([]Freezable, 0, end-begin), Total: len(found.rows), Origins: found.origins}
	for _, row := range found.rows[begin:end] {
		page.Items = append(page.Items, all[row])
	}
	if more {
		page.Next = k.cursor(end)
	}
	return page, nil
}

// freezable finds what could still be frozen: value at services, and value held in assets
// that their issuer can stop. What is frozen already is not among it, nor what went into a
// mixer or a service that cannot be followed through.
func (m *made) freezable() (list []Freezable) {
	sources := map[string]*trace.Source{}
	for i := range m.result.Labels {
		s := &m.result.Labels[i]
		sources[s.Chain+" "+s.Address] = s
	}
	issuers := map[string]*Issuer{}
	for i := range m.issuers {
		issuers[string(m.issuers[i].Asset)] = &m.issuers[i]
	}
	for i := range m.result.Dispositions {
		d := &m.result.Dispositions[i]
		issuer := issuers[d.Asset]
		switch {
		case d.Kind == "service" && d.Entity != "":
			list = append(list, atService(d, sources[d.Chain+" "+d.Address]))
		case d.Kind == "held" && issuer != nil:
			list = append(list, Freezable{Disposition: *d, Act: ByIssuer, Who: issuer.Who, Why: issuer.Why, Cites: append([]Citation{}, issuer.Cites...)})
		}
	}
	slices.SortStableFunc(list, func(a, b Freezable) int {
		return cmp.Or(b.Compare(&a.Disposition), cmp.Compare(a.Colour, b.Colour), cmp.Compare(a.At, b.At))
	})
	return list
}

// atService is value at an address whose books a service keeps. Without a claim it is the
// case file that names the service.
func atService(d *trace.Disposition, s *trace.Source) Freezable {
	f := Freezable{Disposition: *d, Act: ByService, Who: d.Entity, Cites: []Citation{}}
	if s == nil {
		f.Why = "The case file says that the address is of " + d.Entity + ", who keeps the books there."
		return f
	}
	f.Source, f.Jurisdictions = s, s.Jurisdictions
	f.Why = fmt.Sprintf("%s says that the address is of %s, who keeps the books there (%q, confidence %d of 100).", s.By, d.Entity, s.Label, s.Confidence)
	if s.Rule != "" {
		f.Why = fmt.Sprintf("By the rule %s the address belongs with %s, which is of %s as %s says (%q, confidence %d of 100).", s.Rule, s.About, d.Entity, s.By, s.Label, s.Confidence)
	}
	return f
}
