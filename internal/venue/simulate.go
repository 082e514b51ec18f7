package venue

import (
	"container/heap"
	"slices"
	"strings"

	"coldtrail/screen/breaker"
)

// Quality is how good the data is that the venue's events come with.
type Quality struct {
	Name string
	// Delay is how long after a use its taint is known, in seconds: 0 at once, Never not
	// at all. An address that was judged once is known from then on.
	Delay int64
	// NoFunders says that nobody knows who paid an account's gas.
	NoFunders bool
	// Analyst is how long after the thief is limited somebody confirms it and halts by hand
	// for a day, in seconds; 0 is nobody. The analyst knows the truth.
	Analyst int64
}

// Never is the delay of taint that nobody looks for.
const Never = -1

// Qualities are what the breaker is measured with.
var Qualities = []Quality{
	{Name: "live taint"},
	{Name: "one block late", Delay: 12},
	{Name: "ten minutes late", Delay: 600},
	{Name: "six hours late", Delay: 6 * hour},
	{Name: "six hours late, analyst", Delay: 6 * hour, Analyst: hour / 2},
	{Name: "no taint", Delay: Never},
	{Name: "no taint, analyst", Delay: Never, Analyst: hour / 2},
	{Name: "no taint, no funders", Delay: Never, NoFunders: true},
}

// QualityOf finds a quality by its name; nil is none.
func QualityOf(name string) *Quality {
	for i := range Qualities {
		if Qualities[i].Name == name {
			return &Qualities[i]
		}
	}
	return nil
}

// Result is what a breaker did with a stream of uses.
type Result struct {
	Uses    int   `json:"uses"`
	Seconds int64 `json:"seconds"` // of traffic that was measured

	// What became of the thief's money, in cents.
	Stolen  uint64 `json:"stolen_cents"`
	Passed  uint64 `json:"passed_cents"`
	Waited  uint64 `json:"waited_cents"` // passed after a window
	Stopped uint64 `json:"stopped_cents"`
	// Watched and Limited are how much the thief had tried when the breaker first watched
	// and limited him, in basis points of all, and how many minutes after his first use.
	Watched Detection `json:"watched"`
	Limited Detection `json:"limited"`
	Halted  Detection `json:"halted"`

	// Honest senders: how many, how many were held at all, how many of them refused or
	// under review, and for how long at most, in seconds.
	Senders     int   `json:"honest_senders"`
	Held        int   `json:"honest_held"`
	Refused     int   `json:"honest_refused"`
	Longest     int64 `json:"honest_longest_seconds"`
	HeldUses    int   `json:"honest_held_uses"`
	Established int   `json:"established_held"`
	// Trips that are not the thief's.
	// Busiest is the most WATCHes of any 30 days.
	Busiest int                  `json:"false_watches_busiest_30_days"`
	Watches int                  `json:"false_watches"`
	Limits  int                  `json:"false_limits"`
	Halts   int                  `json:"false_halts"`
	Trips   []breaker.Transition `json:"false_trips"`
	Size    breaker.Size         `json:"size"`
}

// Detection is when a state was first reached for the thief; At is 0 where it was not.
type Detection struct {
	At      int64  `json:"at"`
	Share   uint64 `json:"share_bp"`
	Minutes int64  `json:"minutes"`
}

// runner plays one stream through one breaker.
type runner struct {
	machine *breaker.Machine
	quality *Quality
	from    int64 // what is before is only for the breaker to learn from
	queue   queue
	order   int
	known   map[string]bool // the thief's addresses that are known by now
	first   int64
	thief   map[string]bool // what the thief's addresses have in common
	tried   []attempt
	people  map[string]*person
	result  Result
}

// attempt is one use by the thief.
type attempt struct {
	moment int64
	cents  uint64
}

// person is an honest sender.
type person struct {
	held, refused bool
}

// pending is what happens later: a use asked about again, or a label that arrives.
type pending struct {
	moment int64
	order  int
	use    *Use
	label  bool
	since  int64 // when the use was first held
	halt   *breaker.Override
}

type queue []pending

// Len is how many wait.
func (q queue) Len() int { return len(q) }

// Less says what comes first.
func (q queue) Less(i, j int) bool {
	return q[i].moment < q[j].moment || q[i].moment == q[j].moment && q[i].order < q[j].order
}

// Swap exchanges two.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends; package heap calls it.
func (q *queue) Push(x any) {
	p, _ := x.(pending)
	*q = append(*q, p)
}

// Pop takes the last; package heap calls it.
func (q *queue) Pop() any {
	old := *q
	p := old[len(old)-1]
	*q = old[:len(old)-1]
	return p
}

// Simulate plays uses through a breaker, in order of time. What is before from is only
// for the breaker to learn who comes back. Who is told to wait asks again when the time
// has come; an honest sender who is held without an end asks again every hour for two
// days; the thief gives up.
func Simulate(config *breaker.Config, quality *Quality, from int64, next func() []Use) (*Result, error) {
	machine, err := breaker.New(config)
	if err != nil {
		return nil, err
	}
	r := &runner{machine: machine, quality: quality, from: from, known: map[string]bool{}, thief: map[string]bool{}, people: map[string]*person{}}
	last := from
	for uses := next(); len(uses) > 0; uses = next() {
		for i := range uses {
			if err := r.until(uses[i].Moment); err != nil {
				return nil, err
			}
			if err := r.use(&uses[i]); err != nil {
				return nil, err
			}
			last = max(last, uses[i].Moment)
		}
	}
	if err := r.until(last + 3*day); err != nil {
		return nil, err
	}
	r.result.Seconds = last - from
	r.finish()
	return &r.result, nil
}

// until lets everything happen that is due before a moment.
func (r *runner) until(moment int64) error {
	for len(r.queue) > 0 && r.queue[0].moment <= moment {
		p, _ := heap.Pop(&r.queue).(pending)
		var err error
		switch {
		case p.halt != nil:
			err = r.halt(p.halt)
		case p.label:
			err = r.label(&p)
		default:
			err = r.ask(p.use, p.moment, p.since)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) later(p pending) {
	r.order++
	p.order = r.order
	heap.Push(&r.queue, p)
}

// use plays a new use.
func (r *runner) use(u *Use) error {
	if u.Stolen {
		if r.first == 0 {
			r.first = u.Moment
		}
		r.tried = append(r.tried, attempt{u.Moment, u.Cents})
		r.result.Stolen += u.Cents
		for _, shared := range []string{u.Funder, u.Receiver} {
			r.thief[shared] = true
		}
	} else if u.Moment >= r.from && r.people[u.Origin] == nil {
		r.people[u.Origin] = &person{}
	}
	if u.Moment >= r.from {
		r.result.Uses++
	}
	if len(u.Taint) > 0 && r.quality.Delay > 0 && !r.known[u.Origin] {
		r.later(pending{moment: u.Moment + r.quality.Delay, use: u, label: true})
	}
	return r.ask(u, u.Moment, u.Moment)
}

// ask asks the breaker about a use, for the first time or again.
func (r *runner) ask(u *Use, moment, since int64) error {
	e := u.Event
	e.Moment = moment
	if !r.known[u.Origin] {
		r.quality.clean(&e)
	}
	established := r.machine.IsEstablished(u.Origin)
	d, err := r.machine.Step(&e)
	if err != nil {
		return err
	}
	r.note(d.Transitions)
	if u.Stolen {
		r.fate(u, &d, moment, since)
		return nil
	}
	if d.Action == breaker.Pass || u.Moment < r.from {
		if moment > since {
			r.result.Longest = max(r.result.Longest, moment-since)
		}
		return nil
	}
	p := r.people[u.Origin]
	p.held = true
	p.refused = p.refused || d.Action != breaker.Delay
	if moment == since {
		r.result.HeldUses++
	}
	if established && len(u.Taint) == 0 {
		r.result.Established++
	}
	again := d.Until
	if again == 0 {
		again = moment + hour
	}
	if moment-since < 2*day {
		r.later(pending{moment: again, use: u, since: since})
	} else {
		r.result.Longest = max(r.result.Longest, moment-since)
	}
	return nil
}

// fate books what became of a use by the thief.
func (r *runner) fate(u *Use, d *breaker.Decision, moment, since int64) {
	switch {
	case d.Action == breaker.Pass && moment == since:
		r.result.Passed += u.Cents
	case d.Action == breaker.Pass:
		r.result.Waited += u.Cents
	case d.Until == 0:
		r.result.Stopped += u.Cents
	default:
		r.later(pending{moment: d.Until, use: u, since: since})
	}
}

// label lets a label arrive.
func (r *runner) label(p *pending) error {
	r.known[p.use.Origin] = true
	said, err := r.machine.Label(&breaker.Label{ID: p.use.ID, Moment: p.moment, Taint: p.use.Taint})
	if err != nil {
		return err
	}
	r.note(said)
	return nil
}

// note books transitions: the thief's, and false ones.
func (r *runner) note(said []breaker.Transition) {
	for i := range said {
		t := &said[i]
		if t.Cause != breaker.ByScore && t.Cause != breaker.ByGate || t.Moment < r.from {
			continue
		}
		if r.isThiefs(t) {
			r.detect(t)
			r.confirm(t)
			continue
		}
		r.result.Trips = append(r.result.Trips, *t)
		switch t.To {
		case breaker.Watch:
			r.result.Watches++
		case breaker.Limit:
			r.result.Limits++
		case breaker.Halt:
			r.result.Halts++
		case breaker.Normal:
		}
	}
}

// confirm lets the analyst come to a limit.
func (r *runner) confirm(t *breaker.Transition) {
	if r.quality.Analyst == 0 || t.To != breaker.Limit {
		return
	}
	at := t.Moment + r.quality.Analyst
	r.later(pending{moment: at, halt: &breaker.Override{
		Moment: at, Incident: t.Incident, Route: t.Route, State: breaker.Halt, Until: at + day, By: "the analyst of the simulation", Reason: "confirmed",
	}})
}

// halt halts by hand.
func (r *runner) halt(o *breaker.Override) error {
	said, err := r.machine.Override(o)
	if err != nil {
		return err
	}
	r.note(said)
	return nil
}

// isThiefs says whether a transition is about the thief: his theft, or something that his
// addresses share.
func (r *runner) isThiefs(t *breaker.Transition) bool {
	if t.Incident != "" {
		return t.Incident == Incident
	}
	return slices.ContainsFunc(t.Groups, func(group string) bool {
		_, shared, _ := strings.Cut(group, " ")
		return r.thief[shared]
	})
}

// detect notes when the thief was first met; how much he had tried by then is worked out
// at the end, when all of it is known.
func (r *runner) detect(t *breaker.Transition) {
	at := map[breaker.State]*Detection{breaker.Watch: &r.result.Watched, breaker.Limit: &r.result.Limited, breaker.Halt: &r.result.Halted}[t.To]
	if at != nil && at.At == 0 {
		at.At, at.Minutes = t.Moment, (t.Moment-r.first)/minute
	}
}

// busiest is the most WATCHes within any 30 days.
func busiest(trips []breaker.Transition) (most int) {
	var moments []int64
	for i := range trips {
		if trips[i].To != breaker.Watch {
			continue
		}
		moments = append(moments, trips[i].Moment)
		for moments[0] <= trips[i].Moment-30*day {
			moments = moments[1:]
		}
		most = max(most, len(moments))
	}
	return most
}

// finish works out shares.
func (r *runner) finish() {
	for _, d := range []*Detection{&r.result.Watched, &r.result.Limited, &r.result.Halted} {
		tried := uint64(0)
		for _, a := range r.tried {
			if a.moment <= d.At {
				tried += a.cents
			}
		}
		if d.At != 0 {
			d.Share = tried * 10_000 / r.result.Stolen
		}
	}
	r.result.Busiest = busiest(r.result.Trips)
	r.result.Senders = len(r.people)
	for _, p := range r.people {
		if p.held {
			r.result.Held++
		}
		if p.refused {
			r.result.Refused++
		}
	}
	r.result.Size = r.machine.Size()
}
