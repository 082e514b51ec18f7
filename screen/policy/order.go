package policy

import (
	"cmp"
	"slices"

	"coldtrail/screen/exposure"
)

// Normal brings facts into the one order in which a verdict lists them, and drops those
// that come twice. It returns the slice itself where that is so already: a caller that
// keeps its facts in this order saves every Decide a copy.
func Normal(facts []exposure.Fact) []exposure.Fact {
	for i := 1; i < len(facts); i++ {
		if order(&facts[i-1], &facts[i]) >= 0 {
			facts = slices.Clone(facts)
			slices.SortFunc(facts, func(a, b exposure.Fact) int { return order(&a, &b) })
			return slices.CompactFunc(facts, func(a, b exposure.Fact) bool { return order(&a, &b) == 0 })
		}
	}
	return facts
}

// order compares facts by everything they say: claims about the subject first, value
// last.
func order(a, b *exposure.Fact) int {
	if a.Kind != b.Kind {
		return cmp.Or(cmp.Compare(slices.Index(kindNames, a.Kind), slices.Index(kindNames, b.Kind)), cmp.Compare(a.Kind, b.Kind))
	}
	if c := cmp.Or(
		cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Entity, b.Entity),
		cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Incident, b.Incident), cmp.Compare(a.Colour, b.Colour),
		cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Hops, b.Hops), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
		cmp.Compare(a.Claim, b.Claim),
	); c != 0 {
		return c
	}
	if c := cmp.Or(
		truth(a.Sanction, b.Sanction), cmp.Compare(a.Authority, b.Authority), cmp.Compare(a.Confidence, b.Confidence),
		cmp.Compare(a.Certainty, b.Certainty), cmp.Compare(a.Share, b.Share), cmp.Compare(a.Learned, b.Learned),
		cmp.Compare(a.By, b.By), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.About, b.About),
	); c != 0 {
		return c
	}
	return cmp.Or(
		a.Amount.Cmp(&b.Amount.Amount), a.Held.Cmp(&b.Held.Amount), a.Origin.Cmp(&b.Origin.Amount), a.Total.Cmp(&b.Total.Amount),
		slices.Compare(a.Evidence, b.Evidence),
	)
}

func truth(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// learnt leaves out facts that had not been learnt at a moment; 0 is now, at which all
// have.
func learnt(facts []exposure.Fact, moment int64) []exposure.Fact {
	unknown := func(f exposure.Fact) bool { return f.Learned > moment }
	if moment == 0 || !slices.ContainsFunc(facts, unknown) {
		return facts
	}
	return slices.DeleteFunc(slices.Clone(facts), unknown)
}
