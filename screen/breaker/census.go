package breaker

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// key is what a census knows a name by: the first half of its SHA-256, so that long
// names cost no more than short ones.
type key [16]byte

func keyOf(kind Kind, name string) key {
	sum := sha256.Sum256(append(append(make([]byte, 0, 64), byte(kind)), name...))
	return key(sum[:16])
}

// entry is what is remembered of one name.
type entry struct {
	first, last int64  // moments
	days        uint64 // distinct days on which it counted
	counted     int64  // the last of those days
	senders     uint64 // distinct senders of a place
	held        int64  // when a sender was first made to wait, 0 never
	tainted     uint64 // 1: taint was known of it
}

// census remembers names in bounded room. New names share one half of it and cannot
// displace those that have proven themselves, which are in the other; a flood of new
// names only makes new names forgotten. Each half has two generations: when the younger
// is full, the older is dropped.
type census struct {
	halves [2]half // new, proven
	lost   uint64  // names that were forgotten
}

type half struct {
	room         int
	young, older map[key]entry
}

// The halves.
const (
	fresh = iota
	proven
)

func newCensus(room int) *census {
	c := &census{}
	for i := range c.halves {
		c.halves[i] = half{room: max(room/2, 1), young: map[key]entry{}, older: map[key]entry{}}
	}
	return c
}

// find says what is known of a name, and in which half.
func (c *census) find(k key) (e entry, where int, ok bool) {
	for where := range c.halves {
		h := &c.halves[where]
		if e, ok := h.young[k]; ok {
			return e, where, true
		}
		if e, ok := h.older[k]; ok {
			return e, where, true
		}
	}
	return entry{}, fresh, false
}

// put keeps what is known of a name in a half.
func (c *census) put(k key, e *entry, where int) {
	for i := range c.halves {
		if i != where {
			delete(c.halves[i].young, k)
			delete(c.halves[i].older, k)
		}
	}
	h := &c.halves[where]
	delete(h.older, k)
	if _, ok := h.young[k]; !ok && len(h.young) >= h.room {
		c.lost = plus(c.lost, uint64(len(h.older)))
		h.older, h.young = h.young, make(map[key]entry, h.room)
	}
	h.young[k] = *e
}

func (c *census) size() (n int) {
	for i := range c.halves {
		n += len(c.halves[i].young) + len(c.halves[i].older)
	}
	return n
}

// sortedKeys lists the names of a generation in order.
func sortedKeys(m map[key]entry) []key {
	list := make([]key, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b key) int { return bytes.Compare(a[:], b[:]) })
	return list
}

const daySeconds = 86_400

// count books that a name counted on a day.
func (e *entry) count(moment int64) {
	if day := moment/daySeconds + 1; day != e.counted {
		e.counted = day
		e.days++
	}
}

// isEstablished says whether a sender is no longer novel.
func (n *Novel) isEstablished(e *entry, moment int64) bool {
	return e.tainted == 0 && e.days >= n.Days && e.first <= moment-n.Age
}

// isCommon says whether a place is everybody's.
func (c *Common) isCommon(e *entry, moment int64) bool {
	return e.senders >= c.Senders && e.days >= c.Days && e.first <= moment-c.Age
}
