package drawing

import (
	"strconv"
	"time"
)

// Lane is one kind of event on a time line.
type Lane struct {
	Label string
	Class string
	Times []int64 // Unix seconds
}

// The measures of a time line.
const (
	lineWidth = 980
	lineLeft  = 190
	laneHigh  = 34
	laneGap   = 10
	lineTop   = 18
	slots     = 120
)

// Timeline draws lanes of events between two moments, both included. A column of a lane
// counts the events of a hundred-and-twentieth of the time; the highest of a lane fills it.
func Timeline(title, desc string, lanes []Lane, from, to int64) Drawing {
	d := Drawing{Width: lineWidth, Title: title, Desc: desc}
	span := max(to-from+1, 1)
	wide := (lineWidth - lineLeft) / slots
	y := lineTop
	for _, lane := range lanes {
		count := make([]int, slots)
		most := 0
		for _, at := range lane.Times {
			if at < from || at > to {
				continue
			}
			slot := int((at - from) * slots / span)
			count[slot]++
			most = max(most, count[slot])
		}
		d.Shapes = append(d.Shapes,
			Shape{Text: lane.Label, X: 0, Y: y + laneHigh/2, Anchor: "start", Class: "label"},
			Shape{Text: strconv.Itoa(len(lane.Times)) + " in all, at most " + strconv.Itoa(most) + " at once", X: 0, Y: y + laneHigh/2 + 13, Anchor: "start", Class: "note"},
			Shape{Path: path("M", lineLeft, y+laneHigh, "h", slots*wide), Class: "axis"})
		for slot, n := range count {
			if n == 0 {
				continue
			}
			high := max(n*laneHigh/most, 3)
			d.Shapes = append(d.Shapes, Shape{Path: rect(lineLeft+slot*wide, y+laneHigh-high, wide-1, high), Class: "bar " + lane.Class, Tip: strconv.Itoa(n)})
		}
		y += laneHigh + laneGap
	}
	d.marks(y, from, to, slots*wide)
	d.Height = y + 24
	return d
}

// marks writes five moments under the lanes.
func (d *Drawing) marks(y int, from, to int64, wide int) {
	const parts = 4
	form := "2 Jan 2006"
	if to-from < 4*24*3600 {
		form = "2 Jan 15:04"
	}
	for i := range int64(parts + 1) {
		x := lineLeft + int(i)*wide/parts
		anchor := "middle"
		switch i {
		case 0:
			anchor = "start"
		case parts:
			anchor = "end"
		}
		d.Shapes = append(d.Shapes,
			Shape{Path: path("M", x, lineTop, "V", y), Class: "grid"},
			Shape{Text: time.Unix(from+(to-from)*i/parts, 0).UTC().Format(form), X: x, Y: y + 15, Anchor: anchor, Class: "note"})
	}
}
