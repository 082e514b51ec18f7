package view_test

import (
	"errors"
	"math/big"
	"testing"

	"coldtrail/desk/view"
)

// TestTimelineOfLaundering: every lane adds up to what the trace says of it.
func TestTimelineOfLaundering(t *testing.T) {
	r := answer(t, played)
	line, err := view.NewTimeline(r, "")
	if err != nil {
		t.Fatal(err)
	}
	if line.Buckets < 24 || line.Buckets > 200 || line.Begin > line.First || line.Begin+int64(line.Buckets)*line.Step <= line.Last {
		t.Errorf("%d buckets of %d from %d, and it goes from %d to %d", line.Buckets, line.Step, line.Begin, line.First, line.Last)
	}
	flows := map[string]int{}
	for _, lane := range line.Lanes {
		flows[lane.Lane] = lane.Flows
	}
	deposits := 0
	for _, c := range r.Crossings {
		if c.In.Chain != "" {
			deposits++
		}
	}
	if flows["theft"] != 4 || flows["crossing"] != deposits || flows["swap"] != len(r.Swaps) || flows["frozen"] != 4 || flows["mixer"] == 0 || flows["service"] == 0 {
		t.Errorf("%v; %d deposits, %d swaps", flows, deposits, len(r.Swaps))
	}
	sums := map[string]*big.Int{}
	for _, s := range line.Series {
		sum, before := new(big.Int), -1
		for _, p := range s.Points {
			if p.Bucket <= before || p.Bucket >= line.Buckets || p.Ends == 0 {
				t.Errorf("%s of %s: %+v after %d", s.Lane, s.Colour, p, before)
			}
			before = p.Bucket
			sum.Add(sum, big10(t, p.Origin))
		}
		sums[s.Lane+" "+s.Colour] = sum
	}
	for _, c := range r.Colours {
		if sum := sums["theft "+c.Colour]; sum == nil || sum.String() != c.Stolen {
			t.Errorf("of %s %s were stolen, and the lane has %s", c.Colour, c.Stolen, sum)
		}
		frozen := new(big.Int)
		for _, d := range r.Dispositions {
			if d.Colour == c.Colour && (d.Kind == "frozen" || d.Kind == "recovered") {
				frozen.Add(frozen, big10(t, d.Origin))
			}
		}
		if sum := sums["frozen "+c.Colour]; frozen.Sign() > 0 && (sum == nil || sum.Cmp(frozen) != 0) {
			t.Errorf("of %s %s is frozen, and the lane has %s", c.Colour, frozen, sum)
		}
	}
	lanes := map[string]int{}
	for i, e := range line.Events {
		lanes[e.Lane]++
		if i > 0 && e.Time < line.Events[i-1].Time {
			t.Errorf("event %d is before the one before", i)
		}
		if e.Lane != "frozen" && e.Tx == "" || e.Time < line.First || e.Time > line.Last {
			t.Errorf("event %+v", e)
		}
	}
	if lanes["theft"] != 4 || lanes["service"] == 0 || lanes["move"] != 0 || lanes["crossing"] < 25 || lanes["crossing"] > 100 {
		t.Errorf("events %v", lanes)
	}
}

// TestTimelineOfOneColour: it has nothing of the others.
func TestTimelineOfOneColour(t *testing.T) {
	line, err := view.NewTimeline(answer(t, stolen), "bybit-2025/cmeth")
	if err != nil || len(line.Series) != 2 || line.Series[0].Lane != "theft" || line.Series[1].Lane != "move" || line.Series[0].Points[0].Origin != "15000000000000000000000" {
		t.Errorf("%+v, %v", line, err)
	}
	if _, err := view.NewTimeline(answer(t, stolen), "red"); !errors.Is(err, view.ErrSelection) {
		t.Errorf("a colour that is none: %v", err)
	}
}
