package view

import (
	"cmp"
	"slices"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// The lanes of a time line.
const (
	laneTheft    = "theft"
	laneMove     = "move"
	laneSwap     = "swap"
	laneCrossing = "crossing"
	laneService  = "service"
	laneMixer    = "mixer"
	laneFrozen   = "frozen"
)

// lanes are those of a report's time line, in their order.
var lanes = []Lane{
	{Lane: laneTheft, Label: "Thefts"},
	{Lane: laneMove, Label: "Movements of stolen value"},
	{Lane: laneSwap, Label: "Swaps"},
	{Lane: laneCrossing, Label: "Sent across chains"},
	{Lane: laneService, Label: "Reached a service"},
	{Lane: laneMixer, Label: "Reached a mixer, or lost"},
	{Lane: laneFrozen, Label: "Frozen or recovered"},
}

// laneOf is the lane of a kind of end, where it has one of its own.
var laneOf = map[string]string{
	"in-transit": laneCrossing, "service": laneService, "mixer": laneMixer, "dark": laneMixer, "frozen": laneFrozen, "recovered": laneFrozen,
}

// steps are the lengths of buckets, in seconds.
var steps = []int64{60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400, 3650 * 86400}

// mostBuckets is how many buckets a time line may have; the step is the shortest with
// which it has no more.
const mostBuckets = 200

// eventsOfLane is how many events of a lane are told, the largest.
const eventsOfLane = 25

// happening is what one flow did of one colour in one lane.
type happening struct {
	at     int64
	lane   string
	colour string
	origin ledger.Amount
}

// NewTimeline says when how much happened, of one colour or of all.
func NewTimeline(r *trace.Result, colour string) (*Timeline, error) {
	if _, err := coloursOf(r, colour); err != nil {
		return nil, err
	}
	b := &timelineBuilder{colour: colour, line: &Timeline{Of: of(r), Lanes: slices.Clone(lanes), Series: []Series{}, Events: []Event{}}, events: map[[2]string][]Event{}, entities: map[string]string{}, swaps: map[string]bool{}}
	for i := range r.Dispositions {
		if d := &r.Dispositions[i]; d.Entity != "" {
			b.entities[d.Chain+" "+d.Address] = d.Entity
		}
	}
	for i := range r.Swaps {
		b.swaps[r.Swaps[i].Chain+" "+r.Swaps[i].Tx] = true
	}
	for i := range r.Flows() {
		f := &r.Flows()[i]
		if err := b.flow(f); err != nil {
			return nil, err
		}
	}
	if err := b.freezes(r); err != nil {
		return nil, err
	}
	b.finish()
	return b.line, nil
}

type timelineBuilder struct {
	colour   string
	line     *Timeline
	all      []happening
	events   map[[2]string][]Event // by lane and colour
	entities map[string]string
	swaps    map[string]bool // transactions in which assets were swapped
}

// flow adds what one flow did: in the lane of thefts or of movements, and in the lanes of
// what it reached.
func (b *timelineBuilder) flow(f *trace.Flow) error {
	at := unix(f.Time)
	if at == 0 {
		b.line.Undated++
		return nil
	}
	from := map[string]bool{}
	came := map[string]bool{}
	for i := range f.From {
		from[f.From[i].Asset+" "+f.From[i].At], from[f.From[i].Asset+" "+f.From[i].Address] = true, true
		came[f.From[i].Colour] = true
	}
	seen := map[string]bool{} // lanes in which the flow is counted
	for i := range f.To {
		e := &f.To[i]
		if b.colour != "" && e.Colour != b.colour || isCost(e.Kind) {
			continue
		}
		origin, err := number(e.Origin)
		if err != nil {
			return err
		}
		for _, lane := range b.lanesOf(f, e, from[e.Asset+" "+e.Address], came[e.Colour]) {
			b.happened(happening{at, lane, e.Colour, origin}, seen)
			if lane != laneMove {
				b.event(lane, at, f, e)
			}
		}
	}
	return nil
}

// lanesOf says in which lanes an end of a flow is: none where value stays where it was, as
// change does.
func (b *timelineBuilder) lanesOf(f *trace.Flow, e *trace.FlowEnd, stays, came bool) []string { //nolint:revive // facts about the end, not orders
	in := []string{laneMove}
	if !came && f.Link == "" {
		in[0] = laneTheft
	}
	if lane := laneOf[e.Kind]; lane != "" {
		in = append(in, lane)
	}
	if !stays && b.swaps[f.Chain+" "+f.Tx] {
		in = append(in, laneSwap)
	}
	if stays && e.Address != "" && len(in) == 1 && in[0] == laneMove {
		return nil
	}
	return in
}

// happened adds to a lane; the flow is counted once for every lane.
func (b *timelineBuilder) happened(h happening, seen map[string]bool) {
	b.all = append(b.all, h)
	if seen[h.lane] {
		return
	}
	seen[h.lane] = true
	for i := range b.line.Lanes {
		if b.line.Lanes[i].Lane == h.lane {
			b.line.Lanes[i].Flows++
		}
	}
}

func (b *timelineBuilder) event(lane string, at int64, f *trace.Flow, e *trace.FlowEnd) {
	b.keep(Event{
		Lane: lane, Time: at, Chain: f.Chain, Tx: f.Tx, Colour: e.Colour, Asset: e.Asset, Amount: e.Amount, Origin: e.Origin, At: e.At, Address: e.Address,
		Entity: b.entities[f.Chain+" "+e.Address], Link: f.Link,
	})
}

// keep keeps an event if it is among the largest of its lane and colour.
func (b *timelineBuilder) keep(e Event) {
	key := [2]string{e.Lane, e.Colour}
	list := append(b.events[key], e)
	if len(list) >= 4*eventsOfLane {
		list = largest(list)
	}
	b.events[key] = list
}

func largest(list []Event) []Event {
	slices.SortStableFunc(list, func(a, b Event) int {
		return cmp.Or(cmp.Compare(len(b.Origin), len(a.Origin)), cmp.Compare(b.Origin, a.Origin), cmp.Compare(a.Time, b.Time))
	})
	return list[:min(len(list), eventsOfLane)]
}

// freezes adds what is frozen where it lies: a freeze moves nothing, so that no flow says
// when it was; what is told is when the value had arrived.
func (b *timelineBuilder) freezes(r *trace.Result) error {
	for i := range r.Dispositions {
		d := &r.Dispositions[i]
		if d.Kind != "frozen" || b.colour != "" && d.Colour != b.colour {
			continue
		}
		at := unix(d.Last)
		if at == 0 {
			b.line.Undated++
			continue
		}
		origin, err := number(d.Origin)
		if err != nil {
			return err
		}
		b.happened(happening{at, laneFrozen, d.Colour, origin}, map[string]bool{})
		b.keep(Event{
			Lane: laneFrozen, Time: at, Chain: d.Chain, Colour: d.Colour, Asset: d.Asset, Amount: d.Amount, Origin: d.Origin, At: d.At, Address: d.Address, Entity: d.Entity,
		})
	}
	return nil
}

// finish sorts everything into buckets.
func (b *timelineBuilder) finish() {
	if len(b.all) == 0 {
		return
	}
	t := b.line
	slices.SortStableFunc(b.all, func(x, y happening) int {
		return cmp.Or(laneOrder(x.lane)-laneOrder(y.lane), cmp.Compare(x.colour, y.colour), cmp.Compare(x.at, y.at))
	})
	t.First, t.Last = b.all[0].at, b.all[0].at
	for i := range b.all {
		t.First, t.Last = min(t.First, b.all[i].at), max(t.Last, b.all[i].at)
	}
	for _, t.Step = range steps {
		t.Begin = t.First - t.First%t.Step
		if t.Buckets = int((t.Last-t.Begin)/t.Step) + 1; t.Buckets <= mostBuckets {
			break
		}
	}
	for i := range b.all {
		b.point(&b.all[i])
	}
	for _, list := range b.events {
		t.Events = append(t.Events, largest(list)...)
	}
	slices.SortStableFunc(t.Events, func(x, y Event) int {
		return cmp.Or(cmp.Compare(x.Time, y.Time), laneOrder(x.Lane)-laneOrder(y.Lane), cmp.Compare(x.Colour, y.Colour), cmp.Compare(x.Tx, y.Tx), cmp.Compare(x.At, y.At))
	})
}

func laneOrder(lane string) int {
	return slices.IndexFunc(lanes, func(l Lane) bool { return l.Lane == lane })
}

// point adds a happening to its series. Happenings come in the order of series and time.
func (b *timelineBuilder) point(h *happening) {
	t := b.line
	if n := len(t.Series); n == 0 || t.Series[n-1].Lane != h.lane || t.Series[n-1].Colour != h.colour {
		t.Series = append(t.Series, Series{Lane: h.lane, Colour: h.colour})
	}
	s := &t.Series[len(t.Series)-1]
	bucket := int((h.at - t.Begin) / t.Step)
	if n := len(s.Points); n == 0 || s.Points[n-1].Bucket != bucket {
		s.Points = append(s.Points, Point{Bucket: bucket})
	}
	p := &s.Points[len(s.Points)-1]
	p.sum.Add(&p.sum, &h.origin)
	p.Ends++
	p.Origin = p.sum.Dec()
}
