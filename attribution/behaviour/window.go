package behaviour

import (
	"cmp"
	"slices"
)

// span is part of a list of flows in which a pattern holds, from and to (exclusive).
// Most is the greatest number found in one of its windows.
type span struct{ from, to, most int }

// slide moves a closed window along n things in order of time. Things of one time
// enter together, so that their mutual order does not matter.
type slide struct {
	n           int
	at          func(int) int64
	width       uint64
	add, remove func(int)
	// met judges the things in the window and says how many count.
	met func(from, to int) (number int, ok bool)
}

// spans are the windows in which the condition is met; those that share a thing are one.
func (s *slide) spans() (out []span) {
	from := 0
	for to := 0; to < s.n; {
		now := s.at(to)
		for to < s.n && s.at(to) == now {
			s.add(to)
			to++
		}
		for since(s.at(from), now) > s.width {
			s.remove(from)
			from++
		}
		if number, ok := s.met(from, to); ok {
			out = join(out, span{from, to, number})
		}
	}
	return out
}

// join appends a span, or lengthens the last one where they share a thing.
func join(list []span, s span) []span {
	if n := len(list); n > 0 && s.from < list[n-1].to {
		last := &list[n-1]
		last.from, last.to, last.most = min(last.from, s.from), max(last.to, s.to), max(last.most, s.most)
		return list
	}
	return append(list, s)
}

// union joins two lists of spans of the same things.
func union(a, b []span) (out []span) {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y span) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	for _, s := range all {
		out = join(out, s)
	}
	return out
}

// counter counts how often each of several things is in a window.
type counter map[key]int

func (c counter) add(k key) { c[k]++ }

func (c counter) remove(k key) {
	if c[k]--; c[k] <= 0 {
		delete(c, k)
	}
}

// burst looks for windows with enough distinct things in a list of flows.
type burst struct {
	v    *view
	ids  []int
	is   Burst
	key  func(*flow) key
	also func(from, to int) bool // a further condition, or nil
}

func (b *burst) spans() []span {
	seen := counter{}
	s := slide{
		n: len(b.ids), width: b.is.Window,
		at:     func(i int) int64 { return b.v.flows[b.ids[i]].at },
		add:    func(i int) { seen.add(b.key(&b.v.flows[b.ids[i]])) },
		remove: func(i int) { seen.remove(b.key(&b.v.flows[b.ids[i]])) },
		met: func(from, to int) (int, bool) {
			return len(seen), len(seen) >= max(b.is.Number, 1) && (b.also == nil || b.also(from, to))
		},
	}
	return s.spans()
}

// gather joins times that lie within a width of the one before into runs.
func gather(n int, width uint64, at func(int) int64) (out []span) {
	for i := range n {
		if last := len(out) - 1; last >= 0 && since(at(i-1), at(i)) <= width {
			out[last].to = i + 1
			continue
		}
		out = append(out, span{from: i, to: i + 1})
	}
	return out
}

// group parts flows by what tells them apart, in order of appearance.
func group[K comparable](v *view, ids []int, by func(*flow) K) (groups [][]int) {
	at := map[K]int{}
	for _, id := range ids {
		k := by(&v.flows[id])
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], id)
	}
	return groups
}
