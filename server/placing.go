package server

import (
	"errors"
	"net/http"

	"coldtrail/desk/layout"
)

// graphBody is a graph that somebody grew by hand.
type graphBody struct {
	Nodes []struct {
		Key string `json:"key"`
		// Layer is the column that is wanted; any without it.
		Layer *int `json:"layer,omitempty"`
	} `json:"nodes"`
	Edges []struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"edges"`
}

// placedGraph is where its nodes are, in the order in which they were sent.
type placedGraph struct {
	Nodes  []placedNode `json:"nodes"`
	Edges  []placedEdge `json:"edges"`
	Width  int          `json:"width"`
	Height int          `json:"height"`
}

type placedNode struct {
	Key   string `json:"key"`
	X     int    `json:"x"`
	Y     int    `json:"y"`
	Layer int    `json:"layer"`
}

type placedEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Back bool   `json:"back"`
}

// placeGraph places the nodes of a graph that is sent.
func placeGraph(x *exchange) {
	body := graphBody{}
	if _, ok := decode(x, &body); !ok {
		return
	}
	g, err := body.graph()
	if err != nil {
		x.fail(err)
		return
	}
	placed, err := layout.Place(g)
	switch {
	case errors.Is(err, layout.ErrGraph):
		x.fail(invalid("%s", err))
		return
	case err != nil:
		x.fail(err)
		return
	}
	answer := placedGraph{Nodes: make([]placedNode, len(body.Nodes)), Edges: make([]placedEdge, len(body.Edges)), Width: placed.Width, Height: placed.Height}
	for i := range body.Nodes {
		answer.Nodes[i] = placedNode{body.Nodes[i].Key, placed.X[i], placed.Y[i], placed.Layer[i]}
	}
	for i := range body.Edges {
		answer.Edges[i] = placedEdge{body.Edges[i].From, body.Edges[i].To, placed.Back[i]}
	}
	x.json(http.StatusOK, answer)
}

// graph reads nodes and edges.
func (b *graphBody) graph() (*layout.Graph, error) {
	switch {
	case len(b.Nodes) == 0:
		return nil, invalid("there are no nodes")
	case len(b.Nodes) > layout.MostNodes || len(b.Edges) > layout.MostEdges:
		return nil, invalid("there are %d nodes and %d edges, at most %d and %d are placed", len(b.Nodes), len(b.Edges), layout.MostNodes, layout.MostEdges)
	}
	g := &layout.Graph{Layers: make([]int, len(b.Nodes)), Edges: make([]layout.Edge, len(b.Edges))}
	index := make(map[string]int, len(b.Nodes))
	for i := range b.Nodes {
		key := b.Nodes[i].Key
		if _, twice := index[key]; twice || key == "" || len(key) > maxKey {
			return nil, invalid("node %d: the key %.100q is empty, too long or there twice", i, key)
		}
		index[key] = i
		g.Layers[i] = layout.Free
		if layer := b.Nodes[i].Layer; layer != nil {
			if *layer < 0 {
				return nil, invalid("node %d: the layer %d is below 0", i, *layer)
			}
			g.Layers[i] = *layer
		}
	}
	for i := range b.Edges {
		from, ok1 := index[b.Edges[i].From]
		to, ok2 := index[b.Edges[i].To]
		if !ok1 || !ok2 {
			return nil, invalid("edge %d goes from %.100q to %.100q, and one of them is no node", i, b.Edges[i].From, b.Edges[i].To)
		}
		g.Edges[i] = layout.Edge{From: from, To: to}
	}
	return g, nil
}
