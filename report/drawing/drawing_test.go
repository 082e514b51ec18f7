package drawing_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"coldtrail/ledger"
	"coldtrail/report/drawing"
)

// TestFlowChartHeights draws a quarter and three quarters: bars are as high as their parts.
func TestFlowChartHeights(t *testing.T) {
	total := ledger.NewAmount(400)
	quarter, rest := ledger.NewAmount(100), ledger.NewAmount(300)
	d := drawing.FlowChart(&drawing.Chart{
		Title: "t", Desc: "d", Headings: []string{"Stolen", "Who"}, Total: total,
		Nodes: []drawing.Node{{Key: "s", Label: "Stolen"}, {Key: "a", Label: "A", Column: 1, Class: "held"}, {Key: "b", Label: "B", Column: 1, Class: "dark"}},
		Bands: []drawing.Band{{From: "s", To: "a", Amount: quarter}, {From: "s", To: "b", Amount: rest}},
	})
	high := map[string]int{}
	bar := regexp.MustCompile(`^M \d+ \d+h 14v (\d+)h`)
	for _, s := range d.Shapes {
		if m := bar.FindStringSubmatch(s.Path); m != nil {
			high[strings.Fields(s.Tip)[0]], _ = strconv.Atoi(m[1])
		}
	}
	if high["Stolen:"] != 150 || high["A:"] != 37 || high["B:"] != 112 {
		t.Errorf("heights %v, want 150, 37 and 112", high)
	}
	bottom := 0
	for _, s := range d.Shapes {
		if s.Text == "B" && s.Class == "label" { // the largest of a column stands first
			bottom = s.Y
		}
	}
	for _, s := range d.Shapes {
		if s.Text == "A" && s.Y < bottom {
			t.Errorf("A at %d stands over B at %d", s.Y, bottom)
		}
		if s.X > d.Width || s.Y > d.Height {
			t.Errorf("%q at %d, %d is outside of %d by %d", s.Text, s.X, s.Y, d.Width, d.Height)
		}
	}
}

// TestFlowChartOfNothing draws amounts of zero, and a total of zero.
func TestFlowChartOfNothing(t *testing.T) {
	d := drawing.FlowChart(&drawing.Chart{Headings: []string{"a"}, Nodes: []drawing.Node{{Key: "s", Label: strings.Repeat("long ", 50)}}})
	if len(d.Shapes) != 4 || !strings.HasSuffix(d.Shapes[1].Text, "…") {
		t.Errorf("got %+v", d.Shapes)
	}
}

// TestTimeline counts events in columns, both ends included.
func TestTimeline(t *testing.T) {
	d := drawing.Timeline("t", "d", []drawing.Lane{{Label: "L", Class: "move", Times: []int64{1000, 1000, 1060, 1119, 999, 1120}}}, 1000, 1119)
	var tips []string
	for _, s := range d.Shapes {
		if s.Class == "bar move" {
			tips = append(tips, s.Tip)
		}
	}
	if got := strings.Join(tips, " "); got != "2 1 1" {
		t.Errorf("columns %s, want 2 1 1", got)
	}
	if d.Shapes[1].Text != "6 in all, at most 2 at once" {
		t.Errorf("the lane says %q", d.Shapes[1].Text)
	}
	last := d.Shapes[len(d.Shapes)-1]
	if last.Text != "1 Jan 00:18" || last.Anchor != "end" {
		t.Errorf("the last mark is %q", last.Text)
	}
}

// TestTimelineOfOneMoment draws what happened all at once.
func TestTimelineOfOneMoment(t *testing.T) {
	d := drawing.Timeline("t", "d", []drawing.Lane{{Label: "L", Class: "move", Times: []int64{5}}, {Label: "none"}}, 5, 5)
	if d.Height <= 0 || d.Shapes[0].Text != "L" {
		t.Errorf("got %+v", d)
	}
}
