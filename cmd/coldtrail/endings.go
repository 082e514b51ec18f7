package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/taint"
	"coldtrail/trace"
)

// stopAt lets a trace stop where labels of the store say so, and where rules conclude
// it. What is returned closes what that needed, and says what went wrong in between.
func (v *traceVerb) stopAt(ctx context.Context, s *session, from *embedded.Store, o *trace.Options) (func() error, error) {
	none := func() error { return nil }
	when, err := v.when()
	if err != nil {
		return none, err
	}
	revision, err := from.LabelRevision(ctx)
	if err != nil || revision.Count == 0 {
		return none, err
	}
	o.LabelRevision = revision.String()
	conclude, closeClusters, err := v.conclusions(ctx, s, from, o)
	if err != nil {
		return none, errors.Join(err, closeClusters())
	}
	view := attribution.NewView(from, when, v.Least)
	endings, err := attribution.NewEndings(ctx, from, view, notations, conclude)
	if err != nil {
		return none, errors.Join(err, closeClusters())
	}
	o.Terminals = func(c ledger.Chain, a ledger.Address, end store.TxNumber) (taint.Terminal, bool) {
		e := endings.At(c, a, end)
		if e == nil {
			return taint.Terminal{}, false
		}
		t := taint.Terminal{Kind: stopKinds[e.Stop], Entity: e.Entity}
		if e.Rule != nil {
			t.Score, t.By = uint32(e.Rule.Confidence)*100, e.Rule.Name
		}
		return t, true
	}
	o.Sources = func(c ledger.Chain, address string) (trace.Source, bool) {
		e := endings.Used(c, address)
		if e == nil {
			return trace.Source{}, false
		}
		return sourceOf(c, address, e), true
	}
	return func() error { return errors.Join(endings.Err(), closeClusters()) }, nil
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

// conclusions reads which rules may conclude, and opens the clusters where they may.
func (v *traceVerb) conclusions(ctx context.Context, s *session, from *embedded.Store, o *trace.Options) (c attribution.Conclusions, done func() error, err error) {
	done = func() error { return nil }
	var words []string
	for word := range strings.SplitSeq(v.Conclude, ",") {
		switch strings.TrimSpace(word) {
		case "none", "":
			continue
		case "deposits":
			c.Deposits = true
		case "clusters":
			opened, err := s.openClusters(ctx, from, clusterFlags{})
			if err != nil {
				return c, opened.close, err
			}
			c.Clusters, done = opened.byChain, opened.close
		default:
			return c, done, fmt.Errorf("--conclude %q: use deposits, clusters or none", word)
		}
		words = append(words, strings.TrimSpace(word))
	}
	slices.Sort(words)
	o.Conclusions = strings.Join(slices.Compact(words), "+")
	return c, done, nil
}
