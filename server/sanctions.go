package server

import (
	"coldtrail/screen/exposure"
)

// The other services whose place this one takes say of an address only whether an
// authority lists it. That follows from the claims about the address itself that hold
// now; what is known of its owner's other addresses, or of where its money came from, is
// in /v1/screen.

// listing answers from one state of knowledge.
type listing struct {
	*exchange
	view     View
	basis    *basisView
	question exposure.Question
	verdict  exposure.Verdict
	ages     ages
	now      int64
}

// lists begins to answer, or says false where the lists are not loaded: then nothing may
// be said, because an empty answer would read as clean.
func (x *exchange) lists() (*listing, bool) {
	view := x.view()
	if view == nil || view.Basis().Labels == "" {
		return nil, false
	}
	return &listing{exchange: x, view: view, basis: x.basisOf(view.Basis()), now: x.started.Unix()}, true
}

// ask judges an address and says whether it is one.
func (l *listing) ask(address, chain string) bool {
	l.question = exposure.Question{Subject: address, Chain: chain}
	if checkQuestion(&l.question) != nil {
		return false
	}
	l.view.Screen(&l.question, &l.verdict)
	if notAddress(&l.verdict) {
		return false
	}
	l.ages.add(l.basis.moment(&l.question))
	l.metrics.verdict(l.verdict.Outcome)
	return true
}

// listed gives the claims by which authorities list the address that was asked about.
func (l *listing) listed(do func(*exposure.Fact)) (found bool) {
	for i := range l.verdict.Facts {
		f := &l.verdict.Facts[i]
		if f.Sanction && f.Kind == exposure.Labelled && f.Hops == 0 && f.From <= l.now && (f.To == 0 || l.now < f.To) {
			found = true
			if do != nil {
				do(f)
			}
		}
	}
	return found
}
