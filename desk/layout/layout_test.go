package layout_test

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/desk/layout"
)

// graphs are random graphs, with cycles and edges to oneself.
func graphs(layers *rapid.Generator[int]) *rapid.Generator[*layout.Graph] {
	return rapid.Custom(func(t *rapid.T) *layout.Graph {
		g := &layout.Graph{}
		for range rapid.IntRange(1, 60).Draw(t, "nodes") {
			g.Layers = append(g.Layers, layers.Draw(t, "layer"))
		}
		node := rapid.IntRange(0, len(g.Layers)-1)
		for range rapid.IntRange(0, 90).Draw(t, "edges") {
			g.Edges = append(g.Edges, layout.Edge{From: node.Draw(t, "from"), To: node.Draw(t, "to")})
		}
		return g
	})
}

// TestPlace: no two nodes are at one place, edges go right or are said not to, the
// drawing holds everything, and the same graph is placed the same way.
func TestPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := graphs(rapid.OneOf(rapid.Just(layout.Free), rapid.IntRange(0, 9))).Draw(t, "graph")
		p, err := layout.Place(g)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[2]int]int{}
		for v := range g.Layers {
			at := [2]int{p.X[v], p.Y[v]}
			if u, ok := seen[at]; ok {
				t.Fatalf("%d and %d are at %v", u, v, at)
			}
			seen[at] = v
			if at[0] < 0 || at[1] < 0 || at[0] >= p.Width || at[1] >= p.Height {
				t.Fatalf("%d is at %v, outside of %d x %d", v, at, p.Width, p.Height)
			}
		}
		for i, e := range g.Edges {
			if right := p.X[e.From] < p.X[e.To]; right == p.Back[i] {
				t.Fatalf("edge %d goes right: %v, and back: %v", i, right, p.Back[i])
			}
			if from, to := g.Layers[e.From], g.Layers[e.To]; from != layout.Free && to != layout.Free && (from < to) == p.Back[i] {
				t.Fatalf("edge %d goes from layer %d to %d, and back: %v", i, from, to, p.Back[i])
			}
		}
		again, err := layout.Place(g)
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatal("placed again it is elsewhere")
		}
	})
}

// TestAcyclicGoesRight: where there is no cycle every edge goes right.
func TestAcyclicGoesRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := graphs(rapid.Just(layout.Free)).Draw(t, "graph")
		kept := g.Edges[:0]
		for _, e := range g.Edges {
			if e.From != e.To {
				kept = append(kept, layout.Edge{From: min(e.From, e.To), To: max(e.From, e.To)})
			}
		}
		g.Edges = kept
		p, err := layout.Place(g)
		if err != nil {
			t.Fatal(err)
		}
		for i := range g.Edges {
			if p.Back[i] {
				t.Fatalf("edge %d goes back in a graph without cycles", i)
			}
		}
	})
}

// TestCycleCutsOne: a ring has one edge that goes back, and a chain stands in one row.
func TestCycleCutsOne(t *testing.T) {
	g := &layout.Graph{Layers: []int{layout.Free, layout.Free, layout.Free, layout.Free}, Edges: []layout.Edge{{0, 1}, {1, 2}, {2, 3}, {3, 0}}}
	p, err := layout.Place(g)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Back, []bool{false, false, false, true}) || !reflect.DeepEqual(p.Y, []int{0, 0, 0, 0}) || !reflect.DeepEqual(p.Layer, []int{0, 1, 2, 3}) {
		t.Errorf("a ring is placed %+v", p)
	}
}

// TestCrossingsAreUndone: two pairs that are listed across are put side by side.
func TestCrossingsAreUndone(t *testing.T) {
	free := layout.Free
	g := &layout.Graph{Layers: []int{free, free, free, free, free}, Edges: []layout.Edge{{0, 1}, {0, 2}, {2, 3}, {1, 4}}}
	p, err := layout.Place(g)
	if err != nil {
		t.Fatal(err)
	}
	if (p.Y[1] < p.Y[2]) != (p.Y[4] < p.Y[3]) {
		t.Errorf("edges cross: %v", p.Y)
	}
}

// TestWideLayer: a layer of thousands takes several columns, and what follows is right of
// them all.
func TestWideLayer(t *testing.T) {
	g := &layout.Graph{Layers: []int{layout.Free, layout.Free}}
	for v := 2; v < 5000; v++ {
		g.Layers = append(g.Layers, layout.Free)
		g.Edges = append(g.Edges, layout.Edge{From: 0, To: v}, layout.Edge{From: v, To: 1})
	}
	p, err := layout.Place(g)
	if err != nil {
		t.Fatal(err)
	}
	if p.Height > 150*layout.RowGap || p.X[1] != 37*layout.ColumnGap {
		t.Errorf("the drawing is %d x %d, and ends at %d", p.Width, p.Height, p.X[1])
	}
	for i, back := range p.Back {
		if back {
			t.Fatalf("edge %d goes back", i)
		}
	}
}

// TestRefusals: what cannot be placed is refused.
func TestRefusals(t *testing.T) {
	for name, g := range map[string]*layout.Graph{
		"too many nodes": {Layers: make([]int, layout.MostNodes+1)},
		"too many edges": {Layers: []int{0}, Edges: make([]layout.Edge, layout.MostEdges+1)},
		"no such node":   {Layers: []int{0}, Edges: []layout.Edge{{0, 1}}},
		"before all":     {Layers: []int{0}, Edges: []layout.Edge{{-1, 0}}},
		"no such layer":  {Layers: []int{-2}},
		"far layer":      {Layers: []int{layout.MostLayer + 1}},
	} {
		if _, err := layout.Place(g); !errors.Is(err, layout.ErrGraph) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := layout.Place(&layout.Graph{}); err != nil || p.Width != 0 {
		t.Errorf("nothing: %+v, %v", p, err)
	}
}

// BenchmarkPlace places 10,000 nodes and 15,000 edges.
func BenchmarkPlace(b *testing.B) {
	g := &layout.Graph{Layers: []int{layout.Free}}
	for v := 1; v < layout.MostNodes; v++ {
		g.Layers = append(g.Layers, layout.Free)
		g.Edges = append(g.Edges, layout.Edge{From: v * 7 / 11, To: v})
		if v%2 == 0 {
			g.Edges = append(g.Edges, layout.Edge{From: v, To: (v * 31) % layout.MostNodes})
		}
	}
	for b.Loop() {
		if _, err := layout.Place(g); err != nil {
			b.Fatal(err)
		}
	}
}
