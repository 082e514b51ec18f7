//go:build !small

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"coldtrail/casebook"
	casefiles "coldtrail/casebook/parquet"
	"coldtrail/store"
	"coldtrail/store/archive"
)

type importVerb struct {
	Dir        string   `arg:"" type:"path" help:"Folder that export --all wrote."`
	Only       []string `name:"chain" placeholder:"CHAIN" help:"Of the chains take only these; labels and casebook go along."`
	NoCasebook bool     `help:"Leave the casebook out."`
}

// Run brings an archive into the store, and its casebook into the empty one beside it.
func (v *importVerb) Run(ctx context.Context, s *session) (err error) {
	o := archive.Options{}
	if o.Chains, err = chainsNamed(v.Only); err != nil {
		return err
	}
	withCases, err := archive.Has(v.Dir, casesManifest)
	if err != nil {
		return err
	}
	into, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	var book *casefiles.Summary
	var last func() error
	if withCases && !v.NoCasebook {
		o.Beside = []string{casesManifest}
		cases, err := s.openBook(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = cases.Close() }() // what was written is committed
		db := cases.Database()
		if err := casebook.Empty(ctx, db); err != nil {
			return fmt.Errorf("%w; --no-casebook leaves the casebook out", err)
		}
		last = func() (err error) {
			book, err = casefiles.Read(ctx, db, filepath.Join(v.Dir, casesFolder))
			return err
		}
	}
	sum, err := v.blocks(ctx, s, into, o)
	if err == nil && last != nil {
		err = last()
	}
	if err != nil {
		return err
	}
	if sum.Others {
		fmt.Fprintln(s.stderr, "note: the store holds other claims too, so the revision of its labels is another than the archive's")
	}
	return archivedOf(v.Dir, sum, book).say(s, "read from")
}

// releaseSteps is after how many steps an import gives mapped pages back.
const releaseSteps = 16

// blocks brings blocks and claims in.
func (v *importVerb) blocks(ctx context.Context, s *session, into store.Store, o archive.Options) (*archive.Summary, error) {
	tell, end := s.archiveBar("import")
	defer end()
	steps := 0
	o.Progress = func(done, total uint64) {
		if mapped, ok := into.(interface{ Release() error }); ok && steps%releaseSteps == 0 {
			_ = mapped.Release() // that the kernel does not follow the advice is no reason to stop
		}
		steps++
		tell(done, total)
	}
	return archive.Read(ctx, v.Dir, into, o)
}
