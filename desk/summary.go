package desk

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// Summary is the headline.
func (k *Kept) Summary() (Summary, error) {
	r, c := k.result, k.caseOf
	s := Summary{
		About: k.About(), Title: cmp.Or(c.Title, c.Name), Date: c.Date, Aliases: append([]string{}, c.Aliases...), Note: r.Note, Basis: r.Basis,
		Colours: make([]ColourSummary, len(r.Colours)), FactOnly: r.FactOnly != nil,
		Counts: Counts{len(r.Dispositions), len(r.Crossings), len(r.Swaps), len(r.Candidates), len(r.Anomalies), len(r.Flows())},
	}
	if who := c.AttributedTo; who.Actor != "" {
		s.AttributedTo = &Attribution{who.Actor, who.By, who.Source, who.Date, who.Confidence}
	}
	for i := range r.Colours {
		colour := &r.Colours[i]
		x := ColourSummary{Colour: colour.Colour, Chain: colour.Chain, Asset: colour.Asset, Stolen: colour.Stolen, Kinds: k.kinds(colour.Colour)}
		x.Traceable, x.Dark, x.Frozen = headline(r, colour.Colour)
		s.Colours[i] = x
	}
	for i := range r.Dispositions {
		d := &r.Dispositions[i]
		if s.First == "" || d.First < s.First {
			s.First = d.First
		}
		s.Last = max(s.Last, d.Last)
	}
	return s, nil
}

// headline is that of a colour, or nothing where the method claims no origin.
func headline(r *trace.Result, colour string) (traceable, dark, frozen *uint64) {
	h, ok := r.Summary[colour]
	if !ok {
		return nil, nil, nil
	}
	return &h.Traceable, &h.Dark, &h.Frozen
}

// kinds adds up what of a colour ended in which way, the most first.
func (k *Kept) kinds(colour string) []KindSum {
	type sum struct {
		origin ledger.Amount
		places int
	}
	sums := map[string]*sum{}
	origins := k.origins()
	for i := range k.result.Dispositions {
		d := &k.result.Dispositions[i]
		if d.Colour != colour {
			continue
		}
		if sums[d.Kind] == nil {
			sums[d.Kind] = &sum{}
		}
		sums[d.Kind].places++
		sums[d.Kind].origin.Add(&sums[d.Kind].origin, &origins[i])
	}
	list := make([]KindSum, 0, len(sums))
	for kind, s := range sums {
		list = append(list, KindSum{kind, s.origin.Dec(), s.places})
	}
	slices.SortFunc(list, func(a, b KindSum) int {
		return cmp.Or(compareDigits(b.Origin, a.Origin), cmp.Compare(b.Places, a.Places), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

// compareDigits compares decimal digits without leading zeros.
func compareDigits(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// sums keeps what rows stand for, by colour.
type sums struct {
	colours []trace.Colour
	by      map[string]*ledger.Amount
}

func sumsOf(colours []trace.Colour) *sums {
	s := &sums{colours, make(map[string]*ledger.Amount, len(colours))}
	for i := range colours {
		s.by[colours[i].Colour] = &ledger.Amount{}
	}
	return s
}

func (s *sums) add(colour string, origin *ledger.Amount) {
	if sum := s.by[colour]; sum != nil {
		sum.Add(sum, origin)
	}
}

// list gives the sums that are not 0, in the order of the colours.
func (s *sums) list() []OriginSum {
	list := []OriginSum{}
	for i := range s.colours {
		if sum := s.by[s.colours[i].Colour]; !sum.IsZero() {
			list = append(list, OriginSum{s.colours[i].Colour, s.colours[i].Asset, sum.Dec()})
		}
	}
	return list
}
