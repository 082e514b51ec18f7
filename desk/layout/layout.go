// Package layout places the nodes of a graph of flows in columns from left to right, so
// that value goes right wherever it can, and in rows so that few edges cross. It uses
// whole numbers only, so that equal graphs are drawn alike everywhere.
//
// The method is that of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of
// Hierarchical System Structures" (1981), without nodes for long edges: cycles are cut
// where a search meets its own way, layers are the longest ways, and the order within a
// layer follows the barycentres of its neighbours.
package layout

import (
	"errors"
	"fmt"
)

// The bounds of a graph that is placed.
const (
	MostNodes = 10_000
	MostEdges = 50_000
)

// The distances between neighbours, in units of the drawing.
const (
	ColumnGap = 240
	RowGap    = 48
)

// Free is the layer of a node that may be in any.
const Free = -1

// MostLayer bounds the layers that callers give.
const MostLayer = 1_000_000

// ErrGraph says that a graph cannot be placed.
var ErrGraph = errors.New("this graph cannot be placed")

// A Graph is what is to be placed.
type Graph struct {
	// Layers has the layer of each node, Free where it follows from the edges.
	Layers []int
	// Edges join nodes by their index.
	Edges []Edge
}

// An Edge goes from one node to another.
type Edge struct{ From, To int }

// Placed is where the nodes are.
type Placed struct {
	X, Y []int
	// Layer is the column of each node, counted from 0; a wide layer takes several.
	Layer []int
	// Back says of each edge that it does not go right.
	Back          []bool
	Width, Height int
}

// Place places a graph. Equal graphs have equal places, and no two nodes have the same.
func Place(g *Graph) (*Placed, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	p := newPlan(g)
	p.cut()
	p.layer()
	p.order()
	return p.place(), nil
}

func (g *Graph) check() error {
	if len(g.Layers) > MostNodes || len(g.Edges) > MostEdges {
		return fmt.Errorf("%w: it has %d nodes and %d edges, at most %d and %d are placed", ErrGraph, len(g.Layers), len(g.Edges), MostNodes, MostEdges)
	}
	for i, layer := range g.Layers {
		if layer < Free || layer > MostLayer {
			return fmt.Errorf("%w: node %d is in layer %d, which is not from 0 to %d", ErrGraph, i, layer, MostLayer)
		}
	}
	for i, e := range g.Edges {
		if e.From < 0 || e.From >= len(g.Layers) || e.To < 0 || e.To >= len(g.Layers) {
			return fmt.Errorf("%w: edge %d joins nodes %d and %d, and there are %d", ErrGraph, i, e.From, e.To, len(g.Layers))
		}
	}
	return nil
}

// plan is a graph while it is placed.
type plan struct {
	graph *Graph
	// out and in are the neighbours of each node without cut edges.
	out, in [][]int
	cuts    []bool // of each edge: left out so that no cycle remains
	layers  []int  // of each node
	parts   [][]int
	rows    [][][]int // nodes of each part and layer, in their order
}

func newPlan(g *Graph) *plan {
	return &plan{graph: g, cuts: make([]bool, len(g.Edges)), layers: make([]int, len(g.Layers))}
}
