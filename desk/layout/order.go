package layout

import (
	"cmp"
	"slices"
)

// sweeps is how often the order of layers is improved, from left to right and back.
const sweeps = 8

// scale is how finely places within a layer are compared.
const scale = 1 << 32

// order puts the nodes of every part and layer in order.
func (p *plan) order() {
	p.split()
	height := 0
	for _, layer := range p.layers {
		height = max(height, layer+1)
	}
	at := make([]int64, len(p.layers)) // the place of each node within its layer
	for _, part := range p.parts {
		rows := make([][]int, height)
		for _, v := range part {
			rows[p.layers[v]] = append(rows[p.layers[v]], v)
		}
		for _, row := range rows {
			number(row, at)
		}
		for sweep := range sweeps {
			if sweep%2 == 0 {
				for _, row := range rows {
					arrange(row, p.in, at)
				}
			} else {
				for i := len(rows) - 1; i >= 0; i-- {
					arrange(rows[i], p.out, at)
				}
			}
		}
		p.rows = append(p.rows, rows)
	}
}

// arrange sorts the nodes of a layer by the barycentres of their neighbours on one side.
// Who has none there keeps his place.
func arrange(row []int, neighbours [][]int, at []int64) {
	if len(row) < 2 {
		return
	}
	centres := make(map[int]int64, len(row))
	for _, v := range row {
		centres[v] = at[v]
		if list := neighbours[v]; len(list) > 0 {
			var sum int64
			for _, u := range list {
				sum += at[u]
			}
			centres[v] = sum / int64(len(list))
		}
	}
	slices.SortStableFunc(row, func(a, b int) int { return cmp.Compare(centres[a], centres[b]) })
	number(row, at)
}

// number writes down the places of a layer's nodes: the middles of equal parts.
func number(row []int, at []int64) {
	for i, v := range row {
		at[v] = int64(2*i+1) * scale / int64(2*len(row))
	}
}

// split finds the parts that no edge joins, in the order of their first nodes. Nodes
// without any edge are the last part, together.
func (p *plan) split() {
	n := len(p.layers)
	part := make([]int, n)
	for v := range part {
		part[v] = -1
	}
	near := make([][]int, n)
	for _, e := range p.graph.Edges {
		if e.From != e.To {
			near[e.From] = append(near[e.From], e.To)
			near[e.To] = append(near[e.To], e.From)
		}
	}
	var alone []int
	for v := range n {
		switch {
		case len(near[v]) == 0:
			alone = append(alone, v)
			continue
		case part[v] >= 0:
			continue
		}
		reached := []int{v}
		part[v] = len(p.parts)
		for i := 0; i < len(reached); i++ {
			for _, u := range near[reached[i]] {
				if part[u] < 0 {
					part[u] = part[v]
					reached = append(reached, u)
				}
			}
		}
		p.parts = append(p.parts, reached)
	}
	if len(alone) > 0 {
		p.parts = append(p.parts, alone)
	}
}
