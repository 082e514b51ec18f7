package blocklist

import (
	"iter"
	"slices"
)

// Withdrawn is why an entry is removed when nobody says more.
const Withdrawn = "withdrawn"

// A Removal is an entry that is no longer on a list, and the code of why.
type Removal struct {
	Entry
	Why string
}

// A Delta is what makes one revision of a list another, later one. It never changes.
type Delta struct {
	from, to Revision
	added    []Entry
	removed  []Removal
}

// From is the revision that it starts at.
func (d *Delta) From() Revision { return d.from }

// To is the revision that it leads to.
func (d *Delta) To() Revision { return d.to }

// Added goes through the entries that are new, in order.
func (d *Delta) Added() iter.Seq[Entry] { return slices.Values(d.added) }

// Removed goes through the entries that are gone, in order. The address of one may still
// be refused, by another entry.
func (d *Delta) Removed() iter.Seq[Removal] { return slices.Values(d.removed) }

// Diff finds what leads from one list to a later one. Why gives the code of the reason
// why an entry is removed; nil stands for Withdrawn. The error is that the number of the
// second list is not higher, or that a code is none.
func Diff(from, to *List, why func(Entry) string) (*Delta, error) {
	d := &Delta{from: from.revision, to: to.revision}
	if reason := d.direction(); reason != "" {
		return nil, refuse(0, "%s", reason)
	}
	before, after := from.entries, to.entries
	for len(before) > 0 || len(after) > 0 {
		switch order := first(before, after); {
		case order < 0:
			gone := Removal{before[0], Withdrawn}
			if why != nil {
				gone.Why = why(gone.Entry)
			}
			if !isName(gone.Why, maxCode) {
				return nil, refuse(0, "why %.100q is no code", gone.Why)
			}
			d.removed = append(d.removed, gone)
			before = before[1:]
		case order > 0:
			d.added = append(d.added, after[0])
			after = after[1:]
		default:
			before, after = before[1:], after[1:]
		}
	}
	return d, nil
}

// first says which of two sorted rows has the lesser entry in front; one that is empty
// has none.
func first(one, other []Entry) int {
	switch {
	case len(one) == 0:
		return 1
	case len(other) == 0:
		return -1
	}
	return one[0].Compare(other[0])
}

func (d *Delta) direction() string {
	if d.to.Number <= d.from.Number {
		return "a delta leads to a later revision"
	}
	return ""
}

// Apply makes the later list out of the earlier one. It is an Error if the list is not
// the revision that the delta starts at, or if what comes out is not, to the last byte,
// the revision that it promises.
func (d *Delta) Apply(from *List) (*List, error) {
	if from.revision != d.from {
		return nil, refuse(0, "delta starts at revision %d, %s; the list is revision %d, %s", d.from.Number, d.from.Content, from.revision.Number, from.revision.Content)
	}
	kept := make([]Entry, 0, len(from.entries)+len(d.added))
	added, removed := d.added, d.removed
	for _, e := range from.entries {
		for len(added) > 0 && added[0].Compare(e) < 0 {
			kept, added = append(kept, added[0]), added[1:]
		}
		if len(added) > 0 && added[0] == e {
			return nil, refuse(0, "delta adds an entry of %s that is there", e.Address)
		}
		if len(removed) > 0 && removed[0].Entry == e {
			removed = removed[1:]
			continue
		}
		kept = append(kept, e)
	}
	kept = append(kept, added...)
	if len(removed) > 0 {
		return nil, refuse(0, "delta removes an entry of %s that is not there", removed[0].Address)
	}
	if content := digest(kept); len(kept) != d.to.Entries || content != d.to.Content {
		return nil, refuse(0, "delta promises %d entries, %s, and gives %d, %s", d.to.Entries, d.to.Content, len(kept), content)
	}
	return &List{d.to, slices.Clip(kept)}, nil
}

// Join makes one delta of two that follow each other, so that whoever keeps the last
// few can answer subscribers who are several revisions behind. What the first adds and
// the second removes, or the other way round, is in neither. It is an Error if the
// second does not start where the first leads, or contradicts it.
func Join(first, second *Delta) (*Delta, error) {
	if first.to != second.from {
		return nil, refuse(0, "the first delta leads to revision %d, %s; the second starts at %d, %s", first.to.Number, first.to.Content, second.from.Number, second.from.Content)
	}
	added := map[Entry]bool{}
	removed := map[Entry]string{}
	for _, e := range first.added {
		added[e] = true
	}
	for _, r := range first.removed {
		removed[r.Entry] = r.Why
	}
	for _, r := range second.removed {
		if _, gone := removed[r.Entry]; gone {
			return nil, refuse(0, "both deltas remove an entry of %s", r.Address)
		}
		if added[r.Entry] {
			delete(added, r.Entry)
			continue
		}
		removed[r.Entry] = r.Why
	}
	for _, e := range second.added {
		if added[e] {
			return nil, refuse(0, "both deltas add an entry of %s", e.Address)
		}
		if _, gone := removed[e]; gone {
			delete(removed, e)
			continue
		}
		added[e] = true
	}
	return joined(first.from, second.to, added, removed), nil
}

func joined(from, to Revision, added map[Entry]bool, removed map[Entry]string) *Delta {
	d := &Delta{from: from, to: to}
	for e := range added {
		d.added = append(d.added, e)
	}
	for e, why := range removed {
		d.removed = append(d.removed, Removal{e, why})
	}
	slices.SortFunc(d.added, Entry.Compare)
	slices.SortFunc(d.removed, func(a, b Removal) int { return a.Compare(b.Entry) })
	return d
}
