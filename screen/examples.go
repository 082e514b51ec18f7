package screen

import (
	"iter"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
)

// Subjects lists the addresses that something is known of, as their chains write them,
// in the order of the index. One of several chains of a family comes once, with the chain
// of its first fact.
func (k *Knowledge) Subjects() (list []policy.Subject) {
	for subject := range k.each(func(*policy.Subject) bool { return true }) {
		list = append(list, subject)
	}
	return list
}

// Examples puts a question about every subject together with all that it takes to answer
// it, for trying a policy on what is known. Subjects of whom nothing is known but what is
// said of others of their owner are all alike, and may be millions: the first of them is
// given to worth, and the others come where that says so, and where it is not nil.
func (k *Knowledge) Examples(purpose exposure.Purpose, worth func(*policy.Example) bool) iter.Seq[policy.Example] {
	return func(yield func(policy.Example) bool) {
		others := func(first *policy.Subject) bool {
			if worth == nil {
				return false
			}
			e := k.example(purpose, first)
			return worth(&e)
		}
		for subject := range k.each(others) {
			if !yield(k.example(purpose, &subject)) {
				return
			}
		}
	}
}

func (k *Knowledge) example(purpose exposure.Purpose, subject *policy.Subject) policy.Example {
	q := exposure.Question{Subject: subject.Address, Chain: subject.Chain, Purpose: purpose}
	where := k.resolve(&q)
	return policy.Example{Name: subject.Address, Question: q, Subject: where.subject, Facts: k.facts(&where), Now: k.now()}
}

// each goes through the subjects; of those of whom only the owner is known, and the same,
// through the others where it is so said of the first.
func (k *Knowledge) each(others func(first *policy.Subject) bool) iter.Seq[policy.Subject] {
	return func(yield func(policy.Subject) bool) {
		for layer := range k.layers {
			for subject := range k.layerEach(layer, others) {
				if !yield(subject) {
					return
				}
			}
		}
	}
}

// layerEach goes through the subjects of a layer that no layer before it has.
func (k *Knowledge) layerEach(layer int, others func(first *policy.Subject) bool) iter.Seq[policy.Subject] {
	l := &k.layers[layer]
	return func(yield func(policy.Subject) bool) {
		left := map[uint32]bool{} // whether the others of a set are left out
		for a, set := range l.Each() {
			if k.knownIn(k.layers[:layer], a) {
				continue
			}
			alike := l.Groups != nil && !k.knownIn(k.layers[layer+1:], a)
			out, asked := left[set]
			if alike && out {
				continue
			}
			subject, ok := k.subject(l, a, set)
			if ok && alike && !asked {
				left[set] = !others(&subject)
			}
			if ok && !yield(subject) {
				return
			}
		}
	}
}

func (*Knowledge) knownIn(layers []index.Layer, a ledger.Address) bool {
	for i := range layers {
		if _, ok := layers[i].Find(a); ok {
			return true
		}
	}
	return false
}

// subject is an address as its chain writes it.
func (k *Knowledge) subject(l *index.Layer, a ledger.Address, set uint32) (subject policy.Subject, ok bool) {
	facts, err := l.Sets.At(set)
	if err != nil || len(facts) == 0 {
		return subject, false
	}
	subject.Chain = facts[0].Chain
	if a.Kind == ledger.Script { // a digest, which does not tell what it is of
		subject.Address = facts[0].About
		return subject, subject.Address != ""
	}
	notation, err := k.notations(ledger.Chain(subject.Chain))
	if err != nil {
		return subject, false
	}
	subject.Address = notation.FormatAddress(a)
	return subject, subject.Address != ""
}
