package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/attribution"
	"coldtrail/screen"
	"coldtrail/store"
	"coldtrail/trace"
)

// stopAt lets a trace stop where labels of the store say so, and where rules conclude
// it. What is returned closes what that needed, and says what went wrong in between.
func (v *traceFlags) stopAt(ctx context.Context, s *session, from store.Store, o *trace.Options) (func() error, error) {
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
	o.Terminals, o.Sources = screen.Stops(func() *attribution.Endings { return endings })
	return func() error { return errors.Join(endings.Err(), closeClusters()) }, nil
}

// conclusions reads which rules may conclude, and opens the clusters where they may.
func (v *traceFlags) conclusions(ctx context.Context, s *session, from store.Store, o *trace.Options) (c attribution.Conclusions, done func() error, err error) {
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
