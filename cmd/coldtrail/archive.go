//go:build !small

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	casefiles "coldtrail/casebook/parquet"
	"coldtrail/ledger"
	"coldtrail/store/archive"
)

// archiveFlags are those of export that go with everything.
type archiveFlags struct {
	All        string   `type:"path" placeholder:"DIR" help:"Write every chain, all labels and the casebook into this folder, for import and for other programs; made if missing, and must be empty."`
	Only       []string `name:"chain" placeholder:"CHAIN" help:"With --all: of the chains take only these; labels and casebook go along."`
	Resume     bool     `help:"With --all: go on with an export that was cut off."`
	NoCasebook bool     `help:"With --all: leave the casebook out, which has the secrets of webhooks."`
}

func (f *archiveFlags) given() bool { return len(f.Only) > 0 || f.Resume || f.NoCasebook }

// casesManifest is the file by which an archive knows of a casebook beside it.
const (
	casesFolder   = "casebook"
	casesManifest = casesFolder + "/" + casefiles.Manifest
)

// archived is what is said of an archive that was written or read.
type archived struct {
	Archive  string          `json:"archive"`
	Chains   []archivedChain `json:"chains"`
	Claims   uint64          `json:"claims"`
	Labels   string          `json:"labels"`
	Files    int             `json:"files"`
	Rows     uint64          `json:"rows"`
	Bytes    uint64          `json:"bytes"`
	Kept     int             `json:"kept_parts"`
	Casebook *archivedBook   `json:"casebook"` // nil where there is none, or it was left out
}

type archivedChain struct {
	Chain   ledger.Chain  `json:"chain"`
	First   ledger.Height `json:"first"`
	Height  ledger.Height `json:"height"`
	Blocks  uint64        `json:"blocks"`
	Txs     uint64        `json:"txs"`
	Content string        `json:"content"`
}

type archivedBook struct {
	Rows  uint64 `json:"rows"`
	Bytes uint64 `json:"bytes"`
}

func archivedOf(dir string, sum *archive.Summary, book *casefiles.Summary) *archived {
	a := &archived{Archive: dir, Chains: []archivedChain{}, Claims: sum.Claims, Labels: sum.Labels, Files: sum.Files, Rows: sum.Rows, Bytes: sum.Bytes, Kept: sum.Kept}
	for _, c := range sum.Chains {
		a.Chains = append(a.Chains, archivedChain{c.Chain, c.First, c.Height, c.Blocks, c.Txs, "sha256:" + ledger.Hash(c.Content).String()})
	}
	if book != nil {
		a.Casebook = &archivedBook{book.Rows, book.Bytes}
	}
	return a
}

// say prints it; done says what became of the archive.
func (a *archived) say(s *session, done string) error {
	if s.json {
		return s.printJSON(a)
	}
	for _, c := range a.Chains {
		fmt.Fprintf(s.stdout, "%s: %d blocks and %d transactions, height %d to %d, content %s\n", c.Chain.Short(), c.Blocks, c.Txs, c.First, c.Height, c.Content)
	}
	fmt.Fprintf(s.stdout, "%d claims about who is behind addresses, %s\n", a.Claims, a.Labels)
	if a.Casebook != nil {
		fmt.Fprintf(s.stdout, "casebook: %d rows\n", a.Casebook.Rows)
	}
	fmt.Fprintf(s.stdout, "%s %s: %d files, %d rows, %d bytes\n", done, a.Archive, a.Files, a.Rows, a.Bytes)
	return nil
}

// chainsNamed reads the names of chains.
func chainsNamed(names []string) (list []ledger.Chain, err error) {
	for _, name := range names {
		chain, err := parseChain(name)
		if err != nil {
			return nil, err
		}
		list = append(list, chain)
	}
	return list, nil
}

// archiveBar shows how far an archive has come, from the first word of it on.
func (s *session) archiveBar(what string) (tell func(done, total uint64), end func()) {
	var bar *progress
	tell = func(done, total uint64) {
		if bar == nil {
			bar = newProgress(s, what, total)
		}
		bar.set(done)
	}
	return tell, func() {
		if bar != nil {
			bar.end()
		}
	}
}

// everything writes all that the store and its casebook hold.
func (v *exportVerb) everything(ctx context.Context, s *session) (err error) {
	if v.Chain != "" || v.Parquet != "" || v.FromHeight != 0 || v.To != nil {
		return errors.New("--all writes everything: of chains take some with --chain; a part of one chain goes by export CHAIN --parquet DIR")
	}
	o := archive.Options{Resume: v.Resume}
	if o.Chains, err = chainsNamed(v.Only); err != nil {
		return err
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	var book *casefiles.Summary
	if !v.NoCasebook {
		o.Aside = func() (names []string, err error) {
			book, err = s.writeCasebook(ctx, filepath.Join(v.All, casesFolder))
			if book != nil {
				names = []string{casesManifest}
			}
			return names, err
		}
	}
	tell, end := s.archiveBar("export")
	o.Progress = tell
	sum, err := archive.Write(ctx, from, v.All, o)
	end()
	if err != nil {
		return err
	}
	if book != nil {
		fmt.Fprintf(s.stderr, "note: %s has the secrets of webhooks and digests of keys; --no-casebook leaves it out\n", filepath.Join(v.All, casesFolder))
	}
	return archivedOf(v.All, sum, book).say(s, "written to")
}

// writeCasebook writes the casebook, if there is one.
func (s *session) writeCasebook(ctx context.Context, dir string) (sum *casefiles.Summary, err error) {
	if s.casebook == "" {
		folder, err := s.folder()
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(folder, casework)); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	book, err := s.openBook(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	return casefiles.Write(ctx, book.Database(), dir)
}
