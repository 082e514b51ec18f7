package attribution

import (
	"context"
	"maps"
	"slices"

	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
)

// Difference is what an import of a file would change. Claims of the file are counted
// once, however often it makes them.
type Difference struct {
	Added   []Revised
	Changed []Revised
	// Withdrawn are claims that the file made before and no longer makes.
	Withdrawn []label.Claim
	Unchanged int
	// Ended are claims of the file that were made before and withdrawn since: they are
	// held as they were, and stay ended.
	Ended []label.Claim
}

// Revised is a claim of the file with what the same source said of the subject in the same file
// before: nothing, or the surest that holds. A changed claim takes its place; beside an
// added one it stays.
type Revised struct {
	*label.Claim

	Before *label.Claim
}

// Compare says what Import would change, and changes nothing. It is for an importer that
// has imported nothing yet.
func (m *Importer) Compare(ctx context.Context, b *feed.Batch) (*Difference, error) {
	d := &Difference{}
	gone, err := m.ending(ctx, b)
	if err != nil {
		return nil, err
	}
	seen := map[label.ID]bool{}
	for chunk := range slices.Chunk(b.Claims, comparedAtOnce) {
		subjects := make([]label.Subject, len(chunk))
		for i := range chunk {
			subjects[i] = chunk[i].Subject
		}
		held, err := m.labels.Claims(ctx, subjects)
		if err != nil {
			return nil, err
		}
		for i := range chunk {
			if id := chunk[i].ID(); !seen[id] {
				seen[id] = true
				d.take(&chunk[i], id, held[i], gone)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if c := gone[id]; !c.replaced {
			d.Withdrawn = append(d.Withdrawn, c.Claim)
		}
	}
	slices.SortStableFunc(d.Withdrawn, func(a, b label.Claim) int { return a.Subject.Compare(b.Subject) })
	return d, nil
}

// comparedAtOnce is for how many claims is asked at once.
const comparedAtOnce = 4096

// ended is a claim that a file ends, and whether another of it takes its place.
type ended struct {
	label.Claim

	replaced bool
}

// ending lists the claims that a file would end, by identifier.
func (m *Importer) ending(ctx context.Context, b *feed.Batch) (map[string]*ended, error) {
	gone := map[string]*ended{}
	if !b.Snapshot || len(b.Claims) == 0 {
		return gone, nil
	}
	if err := m.load(ctx); err != nil {
		return nil, err
	}
	withdrawn := map[string]bool{}
	for _, w := range m.withdrawals(b) {
		withdrawn[w.Withdraws] = true
	}
	for _, c := range m.said[origin(b.Claims[0].By, b.File)] {
		if id := c.ID().String(); withdrawn[id] {
			gone[id] = &ended{Claim: c}
		}
	}
	return gone, nil
}

// take sorts a claim of the file among the differences, given what is held of its subject.
func (d *Difference) take(c *label.Claim, id label.ID, held []label.Claim, gone map[string]*ended) {
	known := false
	var before *label.Claim
	standing := label.At(held, label.When{})
	for i := range held {
		known = known || held[i].ID() == id
	}
	for i := range standing {
		x := &standing[i]
		if x.ID() == id {
			d.Unchanged++
			return
		}
		if before == nil && origin(x.By, x.File) == origin(c.By, c.File) {
			before = new(label.Claim)
			*before = *x
		}
	}
	switch {
	case known:
		d.Ended = append(d.Ended, *c)
	case before != nil && gone[before.ID().String()] != nil:
		gone[before.ID().String()].replaced = true
		d.Changed = append(d.Changed, Revised{c, before})
	default:
		d.Added = append(d.Added, Revised{c, before})
	}
}
