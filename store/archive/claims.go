package archive

import (
	"context"
	"fmt"
	"slices"

	"coldtrail/attribution/label"
)

// claimRows is how many claims one file holds.
var claimRows = uint64(1_000_000)

// claimWriter writes the files of claims.
type claimWriter struct {
	dir   string
	sheet sheet[claimRow]
	files []File
	rows  []claimRow
}

// claimBatch is how many claims are written, or taken into a store, at once.
const claimBatch = 4096

func (c *claimWriter) flush() error {
	err := c.sheet.put(&partWriter{dir: c.dir, part: Part{Number: len(c.files)}}, c.rows)
	c.rows = c.rows[:0]
	return err
}

// end completes a file.
func (c *claimWriter) end() error {
	if err := c.flush(); err != nil {
		return err
	}
	f, err := c.sheet.finish()
	if f != nil {
		c.files = append(c.files, *f)
	}
	c.sheet = sheet[claimRow]{table: claims}
	return err
}

// labels writes all claims. Those of an export that was cut off are written again.
func (w *writing) labels(ctx context.Context, want string) (Labels, error) {
	c := &claimWriter{dir: w.dir, sheet: sheet[claimRow]{table: claims}}
	w.claims = c
	var sum revision
	for claim, err := range w.from.ClaimsOn(ctx, "") {
		if err != nil {
			return Labels{}, err
		}
		row := claimRowOf(claim)
		row.Aliases, row.Jurisdictions = slices.Clone(row.Aliases), slices.Clone(row.Jurisdictions) // the claim is valid until the next
		c.rows = append(c.rows, row)
		sum.add(claim)
		w.bar.add(1)
		if len(c.rows) == claimBatch {
			if err := c.flush(); err != nil {
				return Labels{}, err
			}
		}
		if sum.Count%claimRows == 0 {
			if err := c.end(); err != nil {
				return Labels{}, err
			}
		}
	}
	if err := c.end(); err != nil {
		return Labels{}, err
	}
	if sum.String() != want {
		return Labels{}, fmt.Errorf("the claims are of revision %s, those of the store of %s; did another program write meanwhile?", sum.String(), want)
	}
	return Labels{Claims: sum.Count, Revision: want, Files: c.files}, nil
}

// taking is claims on their way into a store.
type taking struct {
	into  Target
	batch []label.Claim
	sum   revision
	bar   *progress
}

func (t *taking) flush(ctx context.Context) error {
	if len(t.batch) == 0 {
		return nil
	}
	_, err := t.into.AddClaims(ctx, t.batch)
	t.bar.add(uint64(len(t.batch)))
	t.batch = t.batch[:0]
	return err
}

// take reads one file of claims.
func (t *taking) take(ctx context.Context, dir string, f *File) error {
	rows, err := openCursor[claimRow](dir, f)
	if err != nil {
		return err
	}
	defer rows.close()
	for {
		row, err := rows.next()
		if err != nil || row == nil {
			return err
		}
		claim, err := row.claim()
		if err != nil {
			return rows.fault(err)
		}
		t.sum.add(&claim)
		t.batch = append(t.batch, claim)
		if len(t.batch) == claimBatch {
			if err := t.flush(ctx); err != nil {
				return err
			}
		}
	}
}
