package main

import (
	"context"
	"errors"

	"coldtrail/attribution"
)

type labelsOracleVerb struct {
	Chain string `arg:"" help:"A chain of the store on which the oracle is."`
}

// Run replays the sanctions oracle's events into claims.
func (v *labelsOracleVerb) Run(ctx context.Context, s *session) (err error) {
	chain, err := parseChain(v.Chain)
	if err != nil {
		return err
	}
	into, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	batch, err := attribution.ReplayOracle(ctx, into, chain)
	if err != nil {
		return err
	}
	imported, err := attribution.NewImporter(into).Import(ctx, batch, true)
	if err != nil {
		return err
	}
	x := &labelsImport{session: s, done: []*attribution.Imported{imported}}
	if s.json {
		return s.printJSON(map[string]any{"files": x.done})
	}
	return x.print()
}
