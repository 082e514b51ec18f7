package view

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"slices"

	"coldtrail/ledger"
)

// web is what the filters leave of a graph, and what of it is shown.
type web struct {
	*grower

	lines  []*line  // that are left
	weight []uint64 // of each of them, in parts of what was stolen
	out    [][]int  // lines that leave each place
	flowed []uint64 // of each place: what comes in or goes out, the larger
	hops   []int    // of each place from a root; none where it is not reached
	roots  []int
	total  int // places that are left
	shown  []bool
}

const (
	unreached = -1
	whole     = 1_000_000_000_000 // what was stolen, as a weight
)

// scaled is an origin in parts of what was stolen, so that colours can be compared.
func (g *grower) scaled(origin *ledger.Amount, colour string) uint64 {
	all := g.stolen[colour]
	if all.IsZero() || origin.IsZero() {
		return 0
	}
	parts := ledger.NewAmount(whole)
	if parts.MulDivOverflow(origin, &parts, &all); !parts.IsUint64() {
		return math.MaxUint64
	}
	return max(1, parts.Uint64())
}

func plus(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// filter leaves out what is too small and what is too far.
func (g *grower) filter() (*web, error) {
	w := &web{grower: g, out: make([][]int, len(g.places)), flowed: make([]uint64, len(g.places)), hops: make([]int, len(g.places)), shown: make([]bool, len(g.places))}
	in, touched := make([]uint64, len(g.places)), make([]bool, len(g.places))
	for _, l := range g.lines {
		if l.origin.Lt(&g.least) {
			continue
		}
		weight := g.scaled(&l.origin, l.Colour)
		w.out[l.from] = append(w.out[l.from], len(w.lines))
		w.lines, w.weight = append(w.lines, l), append(w.weight, weight)
		touched[l.from], touched[l.to] = true, true
		w.flowed[l.from], in[l.to] = plus(w.flowed[l.from], weight), plus(in[l.to], weight)
	}
	for i := range w.hops {
		w.hops[i] = unreached
		w.flowed[i] = max(w.flowed[i], in[i])
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	w.reach(w.roots)
	if g.selection.Root == "" && g.selection.Hops == 0 {
		w.reachRest(in, touched)
	}
	for _, h := range w.hops {
		if h != unreached {
			w.total++
		}
	}
	return w, nil
}

// begin finds the roots: the places that are asked for, or those of the thefts.
func (w *web) begin() error {
	root := w.selection.Root
	for i, p := range w.places {
		if root == "" && p.Theft || root != "" && (p.Address == root || p.Label == root || p.Key == root || p.addresses[root]) {
			w.roots = append(w.roots, i)
		}
	}
	if root != "" && len(w.roots) == 0 {
		return fmt.Errorf("%w: no value of the case went through %.200s", ErrNothing, root)
	}
	return nil
}

// reach counts hops from places on, to those that are not too far.
func (w *web) reach(from []int) {
	for _, at := range from {
		w.hops[at] = 0
	}
	for queue := slices.Clone(from); len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if w.selection.Hops > 0 && w.hops[at] >= w.selection.Hops {
			continue
		}
		for _, i := range w.out[at] {
			if to := w.lines[i].to; w.hops[to] == unreached {
				w.hops[to] = w.hops[at] + 1
				queue = append(queue, to)
			}
		}
	}
}

// reachRest begins also where what is left has its beginning because the way to it was
// too small, or too early, to be left.
func (w *web) reachRest(in []uint64, touched []bool) {
	for _, begin := range []bool{true, false} { // first where nothing comes in, then within loops
		for i := range w.places {
			if touched[i] && w.hops[i] == unreached && (in[i] == 0) == begin {
				w.roots = append(w.roots, i)
				w.reach([]int{i})
			}
		}
	}
}

// frontier is a heap of ways to places, the widest first.
type frontier struct {
	places []int
	width  []uint64
}

// Len and the others are those of container/heap.
func (f *frontier) Len() int { return len(f.places) }

func (f *frontier) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(f.width[j], f.width[i]), cmp.Compare(f.places[i], f.places[j])) < 0
}

func (f *frontier) Swap(i, j int) {
	f.places[i], f.places[j] = f.places[j], f.places[i]
	f.width[i], f.width[j] = f.width[j], f.width[i]
}

// Push adds a way.
func (f *frontier) Push(x any) {
	if way, ok := x.([2]uint64); ok {
		f.places, f.width = append(f.places, int(way[0])), append(f.width, way[1])
	}
}

// Pop takes the last one.
func (f *frontier) Pop() any {
	n := len(f.places) - 1
	way := [2]uint64{uint64(f.places[n]), f.width[n]}
	f.places, f.width = f.places[:n], f.width[:n]
	return way
}

// widest says, for each place, from where the widest way from a root comes to it: the way
// whose thinnest edge is the thickest.
func (w *web) widest() []int {
	parents := make([]int, len(w.places))
	best, done := make([]uint64, len(w.places)), make([]bool, len(w.places))
	f := &frontier{}
	for i := range parents {
		parents[i] = unreached
	}
	for _, root := range w.roots {
		best[root] = math.MaxUint64
		heap.Push(f, [2]uint64{uint64(root), math.MaxUint64})
	}
	for f.Len() > 0 {
		way, ok := heap.Pop(f).([2]uint64)
		at := int(way[0])
		if !ok || done[at] {
			continue
		}
		done[at] = true
		for _, i := range w.out[at] {
			to, width := w.lines[i].to, min(way[1], w.weight[i])
			if !done[to] && w.hops[to] != unreached && width > best[to] {
				best[to], parents[to] = width, at
				heap.Push(f, [2]uint64{uint64(to), width})
			}
		}
	}
	return parents
}

// choose shows the places through which the most went, each with the widest way to it,
// while there is room.
func (w *web) choose(limit int) {
	parents := w.widest()
	order := make([]int, 0, w.total)
	for i, h := range w.hops {
		if h != unreached {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(w.flowed[b], w.flowed[a]), cmp.Compare(w.hops[a], w.hops[b]), cmp.Compare(w.places[a].Key, w.places[b].Key))
	})
	room := limit
	for _, at := range order {
		if room == 0 {
			return
		}
		var way []int
		for p := at; p != unreached && !w.shown[p]; p = parents[p] {
			way = append(way, p)
			if len(way) > room {
				break
			}
		}
		if len(way) > room {
			continue
		}
		for _, p := range way {
			w.shown[p] = true
		}
		room -= len(way)
	}
}
