package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"coldtrail/report/document"
	"coldtrail/report/drawing"
	"coldtrail/trace"
)

// event is something that happened, by the lane in which it is drawn.
type event struct {
	at   int64
	lane int
}

// lanes are the kinds of events of the time line.
var lanes = []struct {
	name, class string
	kinds       []string // of places that value reached
}{
	{"Thefts", "stolen", nil},
	{"Movements of stolen value", "move", nil},
	{"Swaps", "other", nil},
	{"Sent across chains", "in-transit", nil},
	{"Reached a service", "service", []string{"service"}},
	{"Reached a mixer, or lost", "mixer", []string{"mixer", "dark"}},
	{"Frozen or recovered", "frozen", []string{"frozen", "recovered"}},
}

// events lists what happened, by time.
func (r *Report) events() (list []event) {
	add := func(text string, lane int) {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			list = append(list, event{t.Unix(), lane})
		}
	}
	for i := range r.Flows {
		f := &r.Flows[i]
		if len(f.From) == 0 && f.Link == "" {
			add(f.Time, 0)
		} else {
			add(f.Time, 1)
		}
		for lane := range lanes {
			if slices.ContainsFunc(f.To, r.reaches(lane)) {
				add(f.Time, lane)
			}
		}
	}
	for i := range r.Result.Swaps {
		add(r.Result.Swaps[i].Time, 2)
	}
	for i := range r.Result.Crossings {
		add(r.Result.Crossings[i].In.Time, 3)
	}
	slices.SortStableFunc(list, func(a, b event) int { return int(a.at - b.at) })
	return list
}

// timeline draws and lists when things happened.
func (r *Report) timeline() document.Section {
	s := document.Section{ID: "timeline", Heading: "When it happened"}
	all := r.events()
	if len(all) == 0 {
		s.Blocks = []document.Block{{Paragraph: []document.Sentence{fact("The source states no times.", r.answer())}}}
		return s
	}
	first, last := all[0].at, all[len(all)-1].at
	drawn := make([]drawing.Lane, 0, len(lanes))
	for i := range lanes {
		lane := drawing.Lane{Label: lanes[i].name, Class: lanes[i].class}
		for _, e := range all {
			if e.lane == i {
				lane.Times = append(lane.Times, e.at)
			}
		}
		drawn = append(drawn, lane)
	}
	desc := fmt.Sprintf("Events from %s to %s; the table below has the numbers.", stamp(first), stamp(last))
	s.Blocks = []document.Block{
		{Figure: &document.Figure{
			Caption: fact("Transactions of the case over time (UTC), as the blocks state it. Each row is scaled to its own busiest moment.", r.answer()),
			Drawing: drawing.Timeline("Time line", desc, drawn, first, last),
		}},
		{Table: r.periods(all)},
	}
	return s
}

// periods counts events in hours, days or longer, so that the table stays short.
func (r *Report) periods(all []event) *document.Table {
	first, last := all[0].at, all[len(all)-1].at
	step, word := int64(3600), "an hour"
	for _, longer := range []struct {
		seconds int64
		word    string
	}{{6 * 3600, "six hours"}, {24 * 3600, "a day"}, {7 * 24 * 3600, "a week"}, {30 * 24 * 3600, "thirty days"}, {365 * 24 * 3600, "a year"}} {
		if (last-first)/step < 24 {
			break
		}
		step, word = longer.seconds, longer.word
	}
	t := &document.Table{
		Caption: fact("Numbers of transactions in periods of "+word+"; periods without any are left out.", r.answer()),
		Columns: []document.Column{{Title: "From (UTC)", Class: "time"}},
	}
	for i := range lanes {
		t.Columns = append(t.Columns, document.Column{Title: lanes[i].name, Class: "number"})
	}
	for i := 0; i < len(all); {
		begin := all[i].at - all[i].at%step
		counts := make([]int, len(lanes))
		for ; i < len(all) && all[i].at < begin+step; i++ {
			counts[all[i].lane]++
		}
		row := document.Row{Mark: document.Fact, Rests: []document.Source{r.answer()}, Cells: []string{stamp(begin)}}
		for _, n := range counts {
			cell := "·"
			if n > 0 {
				cell = strconv.Itoa(n)
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func stamp(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02 15:04") }

// reaches tests whether an end of a flow is of a lane's kinds.
func (*Report) reaches(lane int) func(trace.FlowEnd) bool {
	return func(e trace.FlowEnd) bool { return slices.Contains(lanes[lane].kinds, e.Kind) }
}
