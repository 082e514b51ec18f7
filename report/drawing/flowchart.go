package drawing

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
)

// Node is a bar of a flow chart. Column counts from 0; Order comes before size where
// bars of a column are stacked.
type Node struct {
	Key    string
	Label  string
	Note   string // in a second line
	Class  string
	Column int
	Order  int
}

// Band is value that goes from one bar to another of a later column.
type Band struct {
	From, To string // keys
	Amount   ledger.Amount
	Class    string
	Tip      string
}

// The measures of a flow chart.
const (
	chartWidth = 980
	chartHigh  = 320 // of the bars of a column, without gaps, at most
	chartLow   = 90
	barWidth   = 14
	barGap     = 26 // leaves room for a label of two lines
	chartTop   = 34
	labelRoom  = 190
	leastBar   = 2
)

// bar is a node that has its place.
type bar struct {
	*Node
	in, out    ledger.Amount
	x, y, high int
	used       [2]int // of the height, by bands that arrive and leave
}

// Chart is bars in columns and the bands between them, as wide as their amounts.
// Everything is in one unit; Total is the height of a column. Headings stand over the
// columns.
type Chart struct {
	Title, Desc string
	Headings    []string
	Nodes       []Node
	Bands       []Band
	Total       ledger.Amount
}

// FlowChart draws a chart.
func FlowChart(c *Chart) Drawing {
	headings, nodes, bands, total := c.Headings, c.Nodes, c.Bands, &c.Total
	bars := make([]*bar, len(nodes))
	byKey := map[string]*bar{}
	for i := range nodes {
		bars[i] = &bar{Node: &nodes[i]}
		byKey[nodes[i].Key] = bars[i]
	}
	for i := range bands {
		from, to := byKey[bands[i].From], byKey[bands[i].To]
		from.out.Add(&from.out, &bands[i].Amount)
		to.in.Add(&to.in, &bands[i].Amount)
	}
	d := Drawing{Width: chartWidth, Title: c.Title, Desc: c.Desc}
	high := tall(nodes)
	d.Height = place(bars, len(headings), total, high)
	d.bands(byKey, bands, total, high)
	for _, b := range bars {
		d.bar(b, len(headings))
	}
	for column, heading := range headings {
		x, anchor := columnX(column, len(headings)), "start"
		d.Shapes = append(d.Shapes, Shape{Text: heading, X: x, Y: 16, Anchor: anchor, Class: "heading"})
	}
	return d
}

// size is what goes through a bar.
func (b *bar) size() *ledger.Amount {
	if b.in.Cmp(&b.out) > 0 {
		return &b.in
	}
	return &b.out
}

// tall is how high the bars of a column are together: a drawing with little to show is low.
func tall(nodes []Node) int {
	count := map[int]int{}
	most := 0
	for i := range nodes {
		count[nodes[i].Column]++
		most = max(most, count[nodes[i].Column])
	}
	return min(chartHigh, chartLow+(most-1)*60)
}

func columnX(column, columns int) int {
	return column * (chartWidth - labelRoom - barWidth) / max(columns-1, 1)
}

// height is how high an amount is drawn.
func height(amount, total *ledger.Amount, high int) int {
	if total.IsZero() {
		return leastBar
	}
	full := ledger.NewAmount(uint64(high))
	var z ledger.Amount
	z.MulDivOverflow(amount, &full, total)
	return max(int(min(z.Uint64(), uint64(high))), leastBar)
}

// place stacks the bars of each column and tells how high the drawing is.
func place(bars []*bar, columns int, total *ledger.Amount, high int) int {
	slices.SortStableFunc(bars, func(a, b *bar) int {
		return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Order, b.Order), b.size().Cmp(a.size()), cmp.Compare(a.Key, b.Key))
	})
	bottom := 0
	next := make([]int, columns)
	for _, b := range bars {
		b.x, b.y, b.high = columnX(b.Column, columns), chartTop+next[b.Column], height(b.size(), total, high)
		next[b.Column] += max(b.high, 8) + barGap
		bottom = max(bottom, chartTop+next[b.Column])
	}
	return bottom
}

// bands draws the bands, in the order of the bars that they leave and reach.
func (d *Drawing) bands(bars map[string]*bar, bands []Band, total *ledger.Amount, full int) {
	order := slices.Clone(bands)
	slices.SortStableFunc(order, func(a, b Band) int {
		return cmp.Or(cmp.Compare(bars[a.From].Column, bars[b.From].Column), cmp.Compare(bars[a.From].y, bars[b.From].y), cmp.Compare(bars[a.To].y, bars[b.To].y))
	})
	for i := range order {
		from, to, high := bars[order[i].From], bars[order[i].To], height(&order[i].Amount, total, full)
		x0, y0 := from.x+barWidth, from.y+min(from.used[1], max(from.high-high, 0))
		x1, y1 := to.x, to.y+min(to.used[0], max(to.high-high, 0))
		from.used[1] += high
		to.used[0] += high
		middle := (x0 + x1) / 2
		d.Shapes = append(d.Shapes, Shape{
			Path:  path("M", x0, y0, "C", middle, y0, middle, y1, x1, y1, "V", y1+high, "C", middle, y1+high, middle, y0+high, x0, y0+high, "z"),
			Class: "band " + order[i].Class, Tip: order[i].Tip,
		})
	}
}

// bar draws a bar with its label beside it.
func (d *Drawing) bar(b *bar, columns int) {
	d.Shapes = append(d.Shapes, Shape{Path: rect(b.x, b.y, barWidth, b.high), Class: "bar " + b.Class, Tip: b.Label + ": " + b.Note})
	most := 26
	if b.Column < columns-1 {
		most = 24
	}
	y := b.y + b.high/2
	d.Shapes = append(d.Shapes,
		Shape{Text: shorten(b.Label, most), X: b.x + barWidth + 6, Y: y - 1, Anchor: "start", Class: "label"},
		Shape{Text: shorten(b.Note, most+8), X: b.x + barWidth + 6, Y: y + 13, Anchor: "start", Class: "note"})
}
