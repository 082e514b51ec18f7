package screen

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/trace"
)

// said is the facts of one address, as the number of a set.
type said struct {
	address ledger.Address
	set     uint32
}

// sayings collects what is said of addresses.
type sayings struct {
	sets index.SetsBuilder
	list []said
}

func (s *sayings) add(a ledger.Address, facts []exposure.Fact) error {
	number, err := s.sets.Intern(policy.Normal(facts))
	s.list = append(s.list, said{a, number})
	return err
}

// layer puts everything said of one address together.
func (s *sayings) layer() (index.Layer, error) {
	slices.SortStableFunc(s.list, func(a, b said) int {
		return cmp.Or(cmp.Compare(a.address.Kind, b.address.Kind), bytes.Compare(a.address.Bytes(), b.address.Bytes()))
	})
	read := s.sets.Build()
	var b index.Builder
	for from := 0; from < len(s.list); {
		to := from + 1
		for to < len(s.list) && s.list[to].address == s.list[from].address {
			to++
		}
		set := s.list[from].set
		if to-from > 1 {
			var facts []exposure.Fact
			for _, one := range s.list[from:to] {
				more, err := read.At(one.set)
				if err != nil {
					return index.Layer{}, err
				}
				facts = append(facts, more...)
			}
			var err error
			if set, err = s.sets.Intern(policy.Normal(facts)); err != nil {
				return index.Layer{}, err
			}
		}
		if err := b.Add(s.list[from].address, set); err != nil {
			return index.Layer{}, err
		}
		from = to
	}
	built, err := b.Build()
	return index.Layer{Index: built, Sets: s.sets.Build()}, err
}

// read makes facts of all labels of the store, and of what the open cases say.
func (e *Engine) read(ctx context.Context) (index.Layer, error) {
	s := &sayings{}
	e.definers = map[string]bool{}
	var group []label.Claim
	for c, err := range e.store.ClaimsOn(ctx, "") {
		if err != nil {
			return index.Layer{}, err
		}
		if len(group) > 0 && group[0].Subject != c.Subject {
			if err := e.readClaims(ctx, s, group); err != nil {
				return index.Layer{}, err
			}
			group = group[:0]
		}
		group = append(group, *c)
	}
	if err := e.readClaims(ctx, s, group); err != nil {
		return index.Layer{}, err
	}
	for _, c := range e.options.Cases {
		if err := e.readCase(s, c); err != nil {
			return index.Layer{}, err
		}
	}
	return s.layer()
}

// readClaims makes facts of the claims about one subject.
func (e *Engine) readClaims(ctx context.Context, s *sayings, group []label.Claim) error {
	claims := label.Ever(group, 0)
	if len(claims) == 0 || !claims[0].OnAddress() {
		return nil
	}
	for i := range claims {
		if claims[i].Cluster {
			e.definers[claims[i].Name.String()] = true
		}
	}
	facts, err := e.factsAbout(ctx, e.view, claims)
	if err != nil {
		return err
	}
	return s.add(keyOf(e.options.Notations, claims[0].Subject), facts)
}

// factsAbout makes facts of the claims about one subject; where it is filed under a digest,
// which does not tell it, the facts do.
func (e *Engine) factsAbout(ctx context.Context, view *attribution.View, claims []label.Dated) ([]exposure.Fact, error) {
	facts, err := factsOf(ctx, view, claims)
	if len(claims) > 0 && keyOf(e.options.Notations, claims[0].Subject).Kind == ledger.Script {
		for i := range facts {
			facts[i].About = claims[0].Subject.Address
		}
	}
	return facts, err
}

// keyOf is the address that a subject is filed under: its own where a ledger can hold it,
// else a digest of network and text, so that two never meet.
func keyOf(notations trace.Notations, subject label.Subject) ledger.Address {
	if chain, err := ledger.ParseChain(string(subject.Network)); err == nil {
		if notation, err := notations(chain); err == nil {
			if a, err := notation.ParseAddress(subject.Address); err == nil {
				return a
			}
		}
	}
	sum := sha256.Sum256([]byte("label\x00" + string(subject.Network) + "\x00" + subject.Address))
	return ledger.NewAddress(ledger.Script, sum[:])
}

// factsOf makes facts of the claims about one subject. A claim with a category and an
// abuse is two.
func factsOf(ctx context.Context, view *attribution.View, claims []label.Dated) (facts []exposure.Fact, err error) {
	for i := range claims {
		c := &claims[i].Claim
		f := exposure.Fact{
			Kind: exposure.Labelled, Chain: string(c.Subject.Network), Confidence: c.Score, From: c.From, To: c.Until, Learned: c.Learned,
			Claim: claims[i].Name.String(), By: c.By, Source: c.Source,
		}
		if f.Entity, err = view.Entity(ctx, c); err != nil {
			return nil, err
		}
		words := []string{c.Abuse, c.Concept}
		if c.Abuse == "" || c.Abuse == c.Concept {
			words = []string{c.Concept}
		}
		for _, word := range words {
			if word == "" && len(words) > 1 {
				continue
			}
			one := f
			one.Category = word
			if authoritative(c, word) {
				one.Sanction, one.Authority = true, c.By
			}
			facts = append(facts, one)
		}
	}
	return facts, nil
}

// authoritative says that a claim is an authority's own listing, not somebody's word
// that there is one.
func authoritative(c *label.Claim, word string) bool {
	return c.Confidence == "authority_data" && (label.Is(word, "sanction") || label.Is(word, "gov_black_list"))
}

// caseKinds are the categories of the labels of cases, by their kinds.
var caseKinds = map[string]string{"service": "exchange", "mixer": "mixing_service", "dark": "swap_service", "in-transit": "defi_bridge"}

// An analyst's word in a case file counts as forensic work does.
const caseConfidence = 70

// readCase makes facts of the labels and victims of a case.
func (e *Engine) readCase(s *sayings, c *trace.Case) error {
	for i := range c.Labels {
		l := &c.Labels[i]
		chain, err := ledger.ParseChain(l.Chain)
		if caseKinds[l.Kind] == "" || err != nil {
			continue
		}
		f := exposure.Fact{
			Kind: exposure.Labelled, Chain: string(chain), Category: caseKinds[l.Kind], Entity: l.Entity, Confidence: caseConfidence, By: l.By, Source: "case " + c.Name,
		}
		if err := s.add(keyOf(e.options.Notations, label.SubjectOf(chain, l.Address)), []exposure.Fact{f}); err != nil {
			return err
		}
	}
	seen := map[ledger.Address]bool{}
	for i := range c.Thefts {
		chain, err := ledger.ParseChain(c.Thefts[i].Chain)
		if err != nil {
			continue
		}
		if err := e.readVictims(s, c, chain, seen); err != nil {
			return err
		}
	}
	return nil
}

// readVictims makes facts of the victims on a chain of the thefts.
func (e *Engine) readVictims(s *sayings, c *trace.Case, chain ledger.Chain, seen map[ledger.Address]bool) error {
	notation, err := e.options.Notations(chain)
	if err != nil {
		return err
	}
	for _, victim := range c.Victims {
		a, err := notation.ParseAddress(victim)
		if err != nil || seen[a] { // of another chain
			continue
		}
		seen[a] = true
		f := exposure.Fact{
			Kind: exposure.Labelled, Chain: string(chain), Category: "victim", Entity: c.Name + " victim", Incident: c.Name, Confidence: caseConfidence,
			By: "the case's author", Source: "case " + c.Name,
		}
		if err := s.add(a, []exposure.Fact{f}); err != nil {
			return err
		}
	}
	return nil
}
