//go:build !small

package main

import (
	"context"
	"errors"
	"fmt"

	"coldtrail/ingest"
	"coldtrail/ledger"
)

// share fills a chain together with other processes.
func (v *ingestVerb) share(ctx context.Context, s *session, chain ledger.Chain) (err error) {
	switch {
	case s.store == "":
		return errors.New("--share: the store in a folder has one writer; give one on ClickHouse with --store")
	case v.To == nil:
		return errors.New("--share: say with --to up to which block, the same for every process; then follow the chain with coldtrail follow")
	}
	into, err := s.openCluster(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	// What a holding held before it is first met can be asked only by somebody who knows
	// that it was not met before: not by one of several.
	v.NoOpenings = true
	from, err := v.open(ctx, s, chain, into)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	for _, note := range from.Notes() {
		fmt.Fprintln(s.stderr, "note: "+note)
	}
	work, err := into.Backfill(ctx, chain, ledger.Height(v.Since), ledger.Height(*v.To), v.Range)
	if err != nil {
		return err
	}
	bar := newProgress(s, "ingest "+chain.Short()+" with others", *v.To-v.Since+1)
	done, err := ingest.Share(ctx, work, from, ingest.Options{BatchTx: v.Batch, Progress: func(p ingest.Progress) {
		bar.set(uint64(p.Height) - min(v.Since, uint64(p.Height)))
	}})
	bar.end()
	if err != nil {
		return err
	}
	if err := work.End(); err != nil {
		return err
	}
	return v.tell(s, chain, done)
}
