// Package archive writes everything that a store holds into a folder of Parquet files,
// which other programs read as tables, and brings such a folder into another store.
//
// Nothing is lost on the way and nothing is taken on trust: every number has the width
// that it has in the ledger, a manifest names each file with its digest, and whoever
// reads an archive works out the digest of each chain's content again. A manifest is
// written last, so that an archive without one is not finished.
// docs/formats/archive.md describes tables and columns.
package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

// Version is the version of the layout.
const Version = 1

var (
	// ErrUnfinished says that an export was cut off before its end.
	ErrUnfinished = errors.New("the archive is not finished")
	// ErrFinished says that the folder holds an archive that is whole.
	ErrFinished = errors.New("the folder holds a finished archive")
	// ErrNone says that the folder holds no archive.
	ErrNone = errors.New("the folder holds no archive")
	// ErrVersion says that an archive has a layout that this program does not read.
	ErrVersion = errors.New("the archive has another layout than this program reads")
)

// An Error says what is wrong in a file of an archive. Row counts from 1 and is 0 where
// the fault is the whole file's.
type Error struct {
	File   string // within the archive
	Row    int64
	Reason string
}

// Error is "file: row N: reason".
func (e *Error) Error() string {
	var at strings.Builder
	at.WriteString(e.File)
	if e.Row > 0 {
		fmt.Fprintf(&at, ": row %d", e.Row)
	}
	return at.String() + ": " + e.Reason
}

// A BlockError says why a block cannot be written without losing something of it.
type BlockError struct {
	Chain  ledger.Chain
	Height ledger.Height
	Reason string
}

// Error is "chain: block N: reason".
func (e *BlockError) Error() string {
	return fmt.Sprintf("%s: block %d: %s", e.Chain.Short(), e.Height, e.Reason)
}

// A ContentError says that a chain's content is not what it should be.
type ContentError struct {
	Chain     ledger.Chain
	Want, Got ledger.Hash
	Reason    string
}

// Error names the chain, the reason and both digests.
func (e *ContentError) Error() string {
	return fmt.Sprintf("%s: %s: content sha256:%s, want sha256:%s", e.Chain.Short(), e.Reason, e.Got, e.Want)
}

// Options change what is written or read. The zero value writes and reads everything.
type Options struct {
	// Chains are the only ones to take; empty is all. Claims always go along.
	Chains []ledger.Chain
	// Resume goes on with an export that was cut off: parts that are whole are kept.
	Resume bool
	// Aside writes what belongs to the archive beside its tables, and names the files by
	// which that is known, from the archive's folder. Write calls it before the manifest
	// gets their digests.
	Aside func() (names []string, err error)
	// Beside are such files that Read checks against their digests.
	Beside []string
	// Progress is told how many blocks and claims are done, of how many.
	Progress func(done, total uint64)
}

// Source is what an archive is written from: a part of store.Store.
type Source interface {
	store.Questions
	store.Labels
}

// Target is what an archive is read into: a part of store.Store.
type Target interface {
	store.Writer
	store.Labels
	Status(ctx context.Context) ([]store.Status, error)
}

// Summary is what was written or read.
type Summary struct {
	Chains []Chain
	Claims uint64
	// Labels is the revision of the archive's claims.
	Labels string
	// Others says that the store holds other claims beside those of the archive.
	Others bool
	Files  int
	Rows   uint64
	Bytes  uint64 // of the Parquet files
	Kept   int    // parts that were whole already (Resume)
}

// progress counts blocks and claims.
type progress struct {
	done, total uint64
	tell        func(done, total uint64)
}

func (p *progress) add(n uint64) {
	p.done += n
	if p.tell != nil {
		p.tell(p.done, p.total)
	}
}

// revision sums up claims as a store does.
type revision struct{ label.Revision }

func (r *revision) add(c *label.Claim) { r.Add(c.ID(), c.Learned) }
