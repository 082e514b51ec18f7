package layout

// leastRows is how many nodes of a layer are put in one column before it takes several.
const leastRows = 40

// mostRows is how many nodes one column takes, so that a drawing does not become much
// higher than it is wide.
func (p *plan) mostRows() int {
	root := 1
	for root*root < len(p.layers) {
		root++
	}
	return max(leastRows, 2*root)
}

// place turns layers and orders into positions. Parts stand below one another, each layer
// in the middle of the height of its part.
func (p *plan) place() *Placed {
	n := len(p.layers)
	placed := &Placed{X: make([]int, n), Y: make([]int, n), Layer: make([]int, n), Back: make([]bool, len(p.graph.Edges))}
	rows := p.mostRows()
	begins := p.columns(rows)
	top := 0
	for _, part := range p.rows {
		highest := 0
		for _, row := range part {
			highest = max(highest, height(row, rows))
		}
		for layer, row := range part {
			columns := (len(row) + rows - 1) / rows
			first := top + (highest-height(row, rows))*RowGap/2
			for i, v := range row {
				placed.Layer[v] = begins[layer] + i%columns
				placed.X[v] = placed.Layer[v] * ColumnGap
				placed.Y[v] = first + i/columns*RowGap
				placed.Width = max(placed.Width, placed.X[v]+ColumnGap)
				placed.Height = max(placed.Height, placed.Y[v]+RowGap)
			}
		}
		top += (highest + 1) * RowGap
	}
	for i, e := range p.graph.Edges {
		placed.Back[i] = placed.X[e.From] >= placed.X[e.To]
	}
	return placed
}

// columns says in which column each layer begins.
func (p *plan) columns(rows int) []int {
	if len(p.rows) == 0 {
		return nil
	}
	begins := make([]int, len(p.rows[0]))
	next := 0
	for layer := range begins {
		begins[layer] = next
		most := 1
		for _, part := range p.rows {
			most = max(most, (len(part[layer])+rows-1)/rows)
		}
		next += most
	}
	return begins
}

// height is how many rows a layer takes.
func height(row []int, rows int) int {
	if len(row) == 0 {
		return 0
	}
	columns := (len(row) + rows - 1) / rows
	return (len(row) + columns - 1) / columns
}
