// Package behaviour names patterns of conduct of one subject, an address or a cluster
// of addresses: splitting, collecting, mixing, poisoning and their like.
//
// A finding is a fact: the transactions it names satisfy the definition it shows, with
// the parameters it shows. What the conduct means, and whose it is, is for somebody
// else to say. Every window is a closed interval of chain time. Movements of nothing,
// of tokens that nobody lists as real and of dust, address poisoning among them, count
// in no pattern but those about them; money for fees may be as small as dust.
//
// The definitions, their sources and how they mislead are in docs/methods/behaviour.md
// and docs/methods/peel-chain.md.
package behaviour

import (
	"cmp"
	"slices"
)

// A Pattern is a definition of conduct.
type Pattern struct {
	Name, Title string
	// Source says who described it; where it names no figures, the defaults are ours.
	Source string

	// find is nil for patterns of paths, which lead through several subjects. They are
	// found by PeelChain, Layering and RoundTrip in what a caller gathered.
	find func(*view) []Finding
}

// OfPaths says that the pattern is found by a function of its own, in a path that the
// caller gathered, and never by Find.
func (p *Pattern) OfPaths() bool { return p.find == nil }

// Patterns lists every pattern, in the order of findings. A new one is a file and a line.
var Patterns = []*Pattern{
	FanOut, EqualFanOut, FanIn, Structuring, PassThrough, Dormancy,
	Dusting, Dusted, Poisoning, GasFunding, GasTopUp, Sweep, HotWallet,
	ExchangeHopping, BridgeSpraying, MixerUse, Commingling, CommingledTransaction,
	LayeringPattern, RoundTripPattern, PeelPattern,
}

// Find finds every pattern in what a subject did, in order of Patterns, then of time,
// then of the first transaction.
func Find(s *Subject, p Parameters) []Finding {
	v := newView(s, &p)
	var out []Finding
	for _, pattern := range Patterns {
		out = append(out, v.find(pattern)...)
	}
	return out
}

// FindBy finds one pattern in what a subject did.
func FindBy(pattern *Pattern, s *Subject, p Parameters) []Finding {
	return newView(s, &p).find(pattern)
}

func (v *view) find(pattern *Pattern) []Finding {
	if pattern.find == nil {
		return nil
	}
	found := pattern.find(v)
	for i := range found {
		found[i].Pattern = pattern.Name
	}
	slices.SortStableFunc(found, compareFindings)
	return found
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.From, b.From),
		slices.CompareFunc(a.Txs, b.Txs, compareHashes),
		cmp.Compare(a.To, b.To),
		cmp.Compare(a.Text, b.Text),
	)
}
