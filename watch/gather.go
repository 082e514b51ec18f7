package watch

import (
	"context"
	"hash/maphash"
	"slices"

	"coldtrail/screen"
	"coldtrail/screen/blocklist"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

// gathered is what each subject has on the lists. Only subjects whose facts changed since
// are decided on again.
type gathered struct {
	listings []*Listing
	print    fingerprint
	policy   string
	turn     uint32
	subjects map[string]decided // by address in its canonical form
	changes  []changes          // by listing
	skipped  uint64
	decided  int
	next     int64 // when a fact begins or ends; 0 is never
}

// decided is what one subject has on the lists.
type decided struct {
	mark    uint64 // of its facts
	until   int64  // when a fact begins or ends; 0 is never
	turn    uint32
	entries [][]blocklist.Entry // by listing; nil where it is on none
}

// changes are entries that came and went since the last revision.
type changes struct{ added, gone []blocklist.Entry }

func newGathered(listings []*Listing) *gathered {
	return &gathered{listings: listings, print: fingerprint{seed: maphash.MakeSeed()}, subjects: map[string]decided{}, changes: make([]changes, len(listings))}
}

// gather goes through all of whom something is known.
func (g *gathered) gather(ctx context.Context, k *screen.Knowledge) error {
	g.follow(k.Policy())
	g.turn++
	g.decided, g.next = 0, 0
	n, met := 0, 0
	listed := func(e *policy.Example) bool { // the others of an owner of whom nothing is on a list are not either
		if g.consider(k.Policy(), e) {
			met++
		}
		return g.subjects[e.Subject.Address].entries != nil
	}
	for e := range k.Examples(exposure.Deposit, listed) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if g.consider(k.Policy(), &e) {
			met++
		}
	}
	if met == len(g.subjects) {
		return nil
	}
	for address, d := range g.subjects {
		if d.turn != g.turn {
			g.compare(d.entries, nil)
			delete(g.subjects, address)
		}
	}
	return nil
}

// follow has everybody decided on again where the policy is another.
func (g *gathered) follow(rules *policy.Policy) {
	if rules.String() == g.policy {
		return
	}
	g.policy = rules.String()
	for address, d := range g.subjects {
		d.until = past
		g.subjects[address] = d
	}
}

// past is a moment before all others.
const past = -1

// consider decides on a subject where something is another than before. It says false
// where the subject was met already, as another chain writes it too.
func (g *gathered) consider(rules *policy.Policy, e *policy.Example) bool {
	address := e.Subject.Address
	d, ok := g.subjects[address]
	if ok && d.turn == g.turn {
		return false
	}
	if mark := g.print.of(e.Facts); !ok || d.mark != mark || d.until != 0 && e.Now >= d.until {
		after := g.decide(rules, e)
		after.mark = mark
		g.compare(d.entries, after.entries)
		d = after
	}
	if d.turn = g.turn; d.until != 0 && (g.next == 0 || d.until < g.next) {
		g.next = d.until
	}
	g.subjects[address] = d
	return true
}

// decide decides on one subject.
func (g *gathered) decide(rules *policy.Policy, e *policy.Example) decided {
	g.decided++
	v := rules.Decide(&e.Question, e.Subject, e.Facts, e.Now)
	d := decided{until: boundary(e)}
	for i, l := range g.listings {
		entries := slices.DeleteFunc(l.Of(e, &v), func(entry blocklist.Entry) bool { return !g.listable(&entry) })
		if len(entries) == 0 {
			continue
		}
		for j := range entries {
			share(&entries[j])
		}
		slices.SortFunc(entries, blocklist.Entry.Compare)
		if d.entries == nil {
			d.entries = make([][]blocklist.Entry, len(g.listings))
		}
		d.entries[i] = slices.Clip(slices.Compact(entries))
	}
	return d
}

// listable says whether a list takes an entry. Names come from others, and none may keep a
// list from being made.
func (g *gathered) listable(e *blocklist.Entry) bool {
	if _, err := blocklist.New(1, 1, blocklist.Digest{}, []blocklist.Entry{*e}); err != nil {
		g.skipped++
		return false
	}
	return true
}

// boundary is the next moment at which a fact begins or ends, 0 where there is none.
func boundary(e *policy.Example) (next int64) {
	for i := range e.Facts {
		for _, moment := range [...]int64{e.Facts[i].From, e.Facts[i].To} {
			if moment > e.Now && (next == 0 || moment < next) {
				next = moment
			}
		}
	}
	return next
}

// compare notes what came and what went.
func (g *gathered) compare(before, after [][]blocklist.Entry) {
	for i := range g.listings {
		var was, is []blocklist.Entry
		if before != nil {
			was = before[i]
		}
		if after != nil {
			is = after[i]
		}
		c := &g.changes[i]
		for _, e := range was {
			if !slices.Contains(is, e) {
				c.gone = append(c.gone, e)
			}
		}
		for _, e := range is {
			if !slices.Contains(was, e) {
				c.added = append(c.added, e)
			}
		}
	}
}

// apply gives the entries of a list after what came and went, in order. Both may name the
// same entry, which then was on the list between two revisions, or was not.
func (c *changes) apply(before *blocklist.List) []blocklist.Entry {
	added, gone := c.net()
	if before == nil {
		return added
	}
	after := make([]blocklist.Entry, 0, before.Len()+len(added))
	for e := range before.Entries() {
		for len(added) > 0 && added[0].Compare(e) < 0 {
			after, added = append(after, added[0]), added[1:]
		}
		if len(gone) > 0 && gone[0] == e {
			gone = gone[1:]
			continue
		}
		after = append(after, e)
	}
	return append(after, added...)
}

// net gives what came and what went in the end, each in order.
func (c *changes) net() (added, gone []blocklist.Entry) {
	count := make(map[blocklist.Entry]int, len(c.added)+len(c.gone))
	for _, e := range c.added {
		count[e]++
	}
	for _, e := range c.gone {
		count[e]--
	}
	for e, n := range count {
		switch {
		case n > 0:
			added = append(added, e)
		case n < 0:
			gone = append(gone, e)
		}
	}
	slices.SortFunc(added, blocklist.Entry.Compare)
	slices.SortFunc(gone, blocklist.Entry.Compare)
	return added, gone
}

// bound says whether a fact began or ended by a moment that has not been decided on.
func (g *gathered) bound(now int64) bool { return g.next != 0 && now >= g.next }
