package screen

import (
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// Stops lets traces stop where endings say so, and name what they went by. endings may
// change from one advance of a trace to the next.
func Stops(endings func() *attribution.Endings) (
	terminals func(ledger.Chain, ledger.Address, store.TxNumber) (taint.Terminal, bool), sources func(ledger.Chain, string) (trace.Source, bool),
) {
	terminals = func(c ledger.Chain, a ledger.Address, end store.TxNumber) (taint.Terminal, bool) {
		e := endings().At(c, a, end)
		if e == nil {
			return taint.Terminal{}, false
		}
		t := taint.Terminal{Kind: stopKinds[e.Stop], Entity: e.Entity}
		if e.Rule != nil {
			t.Score, t.By = uint32(e.Rule.Confidence)*100, e.Rule.Name
		}
		return t, true
	}
	sources = func(c ledger.Chain, address string) (trace.Source, bool) {
		e := endings().Used(c, address)
		if e == nil {
			return trace.Source{}, false
		}
		return sourceOf(c, address, e), true
	}
	return terminals, sources
}

// stopKinds are the dispositions of stops.
var stopKinds = map[label.Stop]taint.Kind{label.StopService: taint.Service, label.StopMixer: taint.Mixer, label.StopDark: taint.Dark}

func sourceOf(c ledger.Chain, address string, e *attribution.Ending) trace.Source {
	x := trace.Source{
		Chain: string(c), Address: address, Entity: e.Entity, Claim: e.Claim.ID().String(), About: e.Claim.Subject.Address, Label: e.Claim.Label,
		Category: e.Claim.Concept, By: e.Claim.By, Source: e.Claim.Source, Confidence: e.Claim.Score, Jurisdictions: strings.Join(e.Jurisdictions, ", "),
	}
	if e.Rule != nil {
		x.Rule = e.Rule.Name
	}
	return x
}
