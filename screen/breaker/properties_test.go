package breaker_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/screen/breaker"
)

// small is a configuration whose bounds and times are met within a short random log.
func small() breaker.Config {
	c := breaker.Default()
	c.Window, c.Long = 600, 3600
	c.Watch.For, c.Limit.For, c.Halt.For = 0, 60, 120
	c.Calm.For, c.Calm.Cooldown, c.Probe.For, c.Probe.OneIn = 600, 1200, 300, 2
	c.Incident.MinCents, c.Group.MinCents, c.Group.MinSenders = 1000, 1000, 2
	c.Novel.Age, c.Novel.Days, c.Novel.WarmUp, c.Novel.Cents = 1200, 1, 300, 500
	c.Common.Age, c.Common.Days, c.Common.Senders = 1200, 1, 5
	c.Group.Grain, c.Group.Equal = 1, 1
	c.Group.Value = breaker.Ramp{From: 0, To: 5000, Weight: 20}
	c.Bounds = breaker.Bounds{Events: 40, Marks: 20, Groups: 30, Members: 4, Cells: 6, Senders: 16, Places: 16}
	return c
}

// inputs draws a log: few names, so that they meet.
func inputs(t *rapid.T) []breaker.Input {
	n := rapid.IntRange(1, 150).Draw(t, "n")
	now := int64(start)
	list := make([]breaker.Input, 0, n)
	pick := func(name string, of int) string { return fmt.Sprint(name, rapid.IntRange(0, of).Draw(t, name)) }
	taint := func() []breaker.Taint {
		if rapid.IntRange(0, 2).Draw(t, "is tainted") > 0 {
			return nil
		}
		return []breaker.Taint{{Incident: pick("i", 2), Share: rapid.SampledFrom([]uint32{0, 20, 500, 5000, 10_000}).Draw(t, "share"), Hops: rapid.Uint32Range(0, 5).Draw(t, "hops")}}
	}
	for range n {
		now += rapid.SampledFrom([]int64{0, 1, 7, 30, 61, 200, 700, 4000}).Draw(t, "gap")
		var in breaker.Input
		switch rapid.IntRange(0, 19).Draw(t, "what") {
		case 0:
			in.Tick = now
		case 1:
			in.Health = &breaker.Health{Moment: now, LabelAge: rapid.SampledFrom([]int64{0, 10_000}).Draw(t, "age")}
		case 2:
			in.Retract = &breaker.Retraction{Moment: now, ID: pick("e", n)}
		case 3, 4:
			in.Label = &breaker.Label{Moment: now, ID: pick("e", n), Taint: taint()}
		case 5:
			in.Override = &breaker.Override{
				Moment: now, Incident: rapid.SampledFrom([]string{"", "i0"}).Draw(t, "of"), Route: rapid.SampledFrom([]string{"r0", breaker.Everywhere}).Draw(t, "on"),
				State: rapid.SampledFrom(breaker.States).Draw(t, "state"), Until: now + 900, By: "somebody", Reason: "because",
			}
		default:
			in.Event = &breaker.Event{
				ID: pick("e", n), Moment: now - rapid.Int64Range(0, 30).Draw(t, "late"), Route: pick("r", 3), Sender: pick("s", 12), Receiver: pick("to", 6), Funder: pick("f", 3),
				Cents: rapid.Uint64Range(1, 3000).Draw(t, "cents"), Taint: taint(), Provisional: rapid.Bool().Draw(t, "provisional"), Unknown: rapid.IntRange(0, 9).Draw(t, "unknown") == 0,
			}
		}
		list = append(list, in)
	}
	return list
}

// answer is everything a machine says to an input.
func answer(t *rapid.T, m *breaker.Machine, in *breaker.Input) string {
	out, err := m.Apply(in)
	text, fault := json.Marshal(out)
	if fault != nil {
		t.Fatal(fault)
	}
	return fmt.Sprint(string(text), err)
}

// TestLogReplays plays a log again, and once more through snapshots at every place: equal
// answers and equal states, byte for byte.
func TestLogReplays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := small()
		log := inputs(t)
		one, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		two, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		for i := range log {
			first, again := answer(t, one, &log[i]), answer(t, two, &log[i])
			if first != again {
				t.Fatalf("input %d:\n%s\n%s", i, first, again)
			}
			snapshot := two.Snapshot()
			if !bytes.Equal(snapshot, one.Snapshot()) {
				t.Fatalf("after input %d the states differ", i)
			}
			if two, err = breaker.Restore(&c, snapshot); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(two.Snapshot(), snapshot) {
				t.Fatalf("after input %d the restored state differs", i)
			}
		}
	})
}

// TestTicksChangeNothing tells one machine the time between any two inputs.
func TestTicksChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := small()
		log := inputs(t)
		quiet, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		told, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		var one, two []breaker.Transition
		for i := range log {
			out, _ := quiet.Apply(&log[i])
			one = append(one, out.Transitions...)
			out, _ = told.Apply(&log[i])
			two = append(two, out.Transitions...)
			if i+1 == len(log) {
				break
			}
			if between := (told.Clock() + moment(&log[i+1])) / 2; between > told.Clock() {
				said, err := told.Tick(between)
				if err != nil {
					t.Fatal(err)
				}
				two = append(two, said...)
			}
		}
		if fmt.Sprint(one) != fmt.Sprint(two) || !bytes.Equal(quiet.Snapshot(), told.Snapshot()) {
			t.Fatalf("transitions\n%v\n%v", one, two)
		}
	})
}

func moment(in *breaker.Input) int64 {
	switch {
	case in.Event != nil:
		return in.Event.Moment
	case in.Label != nil:
		return in.Label.Moment
	case in.Retract != nil:
		return in.Retract.Moment
	case in.Override != nil:
		return in.Override.Moment
	case in.Health != nil:
		return in.Health.Moment
	}
	return in.Tick
}

// TestWhoIsHeld checks what the breaker promises to those who come: established senders
// of whom nothing is known pass; nobody but who holds stolen money is held for longer
// than a window, unless people halted; stale data loosens nothing; memory is bounded.
func TestWhoIsHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := small()
		m, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range inputs(t) {
			established := in.Event != nil && m.IsEstablished(in.Event.Sender)
			stale := m.IsDegraded()
			out, err := m.Apply(&in)
			if d := out.Decision; d != nil && err == nil {
				checkHeld(t, d, c.Window)
				if established {
					checkEstablished(t, in.Event, d)
				}
			}
			for _, x := range out.Transitions {
				if x.To == breaker.Halt && x.Cause == breaker.ByScore && x.Incident == "" {
					t.Fatalf("coordination alone halted: %+v", x)
				}
				if stale && m.IsDegraded() && level(x.To) < level(x.From) {
					t.Fatalf("loosened while stale: %+v", x)
				}
			}
			checkSize(t, m.Size(), c.Bounds)
		}
	})
}

func checkEstablished(t *rapid.T, e *breaker.Event, d *breaker.Decision) {
	if len(e.Taint) == 0 && !e.Unknown && d.Action != breaker.Pass && !holds(d, breaker.Tainted) && !holds(d, breaker.Near) {
		t.Fatalf("an established sender: %+v", d)
	}
}

func checkHeld(t *rapid.T, d *breaker.Decision, window int64) {
	byHand := false
	for _, r := range d.Reasons {
		byHand = byHand || r.Note == "override" && r.State == breaker.Halt
	}
	if d.Action != breaker.Pass && d.Until == 0 && !holds(d, breaker.Tainted) && !byHand {
		t.Fatalf("held without an end: %+v", d)
	}
	if d.Until > d.Moment+window {
		t.Fatalf("held for more than a window: %+v", d)
	}
	if d.Action != breaker.Pass && len(d.Reasons) == 0 {
		t.Fatal("held without a reason")
	}
}

func holds(d *breaker.Decision, match breaker.Match) bool {
	for _, r := range d.Reasons {
		if r.Match == match {
			return true
		}
	}
	return false
}

func level(s breaker.State) int {
	for i := range breaker.States {
		if breaker.States[i] == s {
			return i
		}
	}
	return -1
}

func checkSize(t *rapid.T, s breaker.Size, b breaker.Bounds) {
	generations := 2 * (2*(b.Senders/2) + 1) // two halves of two generations
	if s.Events > b.Events+b.Marks || s.Marks > b.Marks || s.Groups > b.Groups || s.Cells > b.Cells+s.Incidents+4 || s.Senders > generations || s.Places > generations {
		t.Fatalf("size %+v is beyond %+v", s, b)
	}
}

// TestTallies compares what the breaker measured with a count over the whole log.
func TestTallies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := small()
		c.Bounds = breaker.Default().Bounds
		c.Incident.MinSenders, c.Incident.MinCents = 1, 0
		m, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		naive := &naive{config: &c, uses: map[string]*naiveUse{}}
		for _, in := range inputs(t) {
			if in.Override != nil {
				continue
			}
			_, err := m.Apply(&in)
			naive.apply(&in, m.Clock(), err)
			if want := naive.inflow(); m.Inflow() != want {
				t.Fatalf("inflow %d, want %d", m.Inflow(), want)
			}
			for _, s := range m.States() {
				if s.Incident == "" || s.Signals == nil {
					continue
				}
				senders, inflow := naive.measure(s.Incident)
				if s.Signals[0].Value < 2*senders || s.Signals[1].Value != inflow {
					t.Fatalf("%s: %+v, want at least %d senders and %d bp", s.Incident, s.Signals[:2], senders, inflow)
				}
			}
		}
	})
}

// naive keeps everything and counts anew each time.
type naive struct {
	config *breaker.Config
	now    int64
	uses   map[string]*naiveUse
}

type naiveUse struct {
	moment, known int64
	sender        string
	cents         uint64
	taint         []breaker.Taint
}

func (n *naive) apply(in *breaker.Input, now int64, err error) {
	n.now = now
	if err != nil {
		return
	}
	learn := func(u *naiveUse, taint []breaker.Taint) {
		if fmt.Sprint(u.taint) != fmt.Sprint(taint) {
			u.taint, u.known = taint, now
		}
	}
	// What is older than the long window is not remembered.
	for id, u := range n.uses {
		if u.moment/60 <= now/60-n.config.Long/60 {
			if u.known/60 <= now/60-n.config.Window/60 {
				delete(n.uses, id)
				continue
			}
			if in.Event != nil && in.Event.ID == id {
				n.uses[id+" expired "+fmt.Sprint(now)] = u
				delete(n.uses, id)
			}
		}
	}
	switch {
	case in.Event != nil:
		e := in.Event
		if u := n.uses[e.ID]; u != nil {
			learn(u, e.Taint)
			return
		}
		n.uses[e.ID] = &naiveUse{moment: now, known: now, sender: e.Sender, cents: e.Cents, taint: e.Taint}
	case in.Label != nil:
		learn(n.uses[in.Label.ID], in.Label.Taint)
	case in.Retract != nil:
		delete(n.uses, in.Retract.ID)
	}
}

func (n *naive) inWindow(moment int64) bool { return moment/60 > n.now/60-n.config.Window/60 }

func (n *naive) inflow() (sum uint64) {
	for _, u := range n.uses {
		if n.inWindow(u.moment) {
			sum += u.cents
		}
	}
	return sum
}

// measure is the distinct tainted senders, and the tainted share in basis points.
func (n *naive) measure(incident string) (senders, share uint64) {
	distinct, cents := map[string]bool{}, uint64(0)
	for _, u := range n.uses {
		for _, t := range u.taint {
			if t.Incident != incident || !n.inWindow(u.known) || t.Share < n.config.Incident.Share && t.Hops > 0 {
				continue
			}
			distinct[u.sender] = true
			if t.Hops == 0 {
				cents += u.cents
			} else {
				cents += u.cents * uint64(t.Share) / 10_000
			}
		}
	}
	inflow := n.inflow()
	switch {
	case cents == 0 || inflow == 0:
		return uint64(len(distinct)), 0
	case cents >= inflow:
		return uint64(len(distinct)), 10_000
	}
	return uint64(len(distinct)), cents * 10_000 / inflow
}

// TestFlood sends very many distinct senders, tainted and not, and looks at the memory.
func TestFlood(t *testing.T) {
	c := breaker.Default()
	c.Bounds = breaker.Bounds{Events: 1000, Marks: 500, Groups: 300, Members: 16, Cells: 8, Senders: 1000, Places: 1000}
	m, err := breaker.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	step := func(id string, moment int64, e breaker.Event) breaker.Decision {
		e.ID, e.Moment = id, moment
		d, err := m.Step(&e)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for d := range int64(10) { // somebody who has always been there
		step(fmt.Sprint("old-", d), start+d*day, breaker.Event{Sender: "old", Route: btc, Cents: 1000 * dollar})
	}
	now := int64(start + 10*day)
	for i := range 20_000 {
		e := breaker.Event{Sender: fmt.Sprint("bot-", i), Funder: fmt.Sprint("f-", i%2000), Receiver: fmt.Sprint("to-", i), Route: fmt.Sprint("r-", i%100), Cents: 1000 * dollar}
		if i%3 == 0 {
			e.Taint = []breaker.Taint{{Incident: fmt.Sprint("i-", i%50), Share: 10_000, Hops: 1}}
		}
		step(fmt.Sprint("flood-", i), now+int64(i)/10, e)
	}
	s := m.Size()
	if s.Events > 1500 || s.Marks > 500 || s.Groups > 300 || s.Cells > 8+50 || s.Senders > 2002 || s.Places > 2002 || s.Overflow == 0 || s.Lost == 0 {
		t.Errorf("size %+v", s)
	}
	if len(m.Snapshot()) > 1<<20 {
		t.Errorf("a snapshot of %d bytes", len(m.Snapshot()))
	}
	if d := step("old-again", now+3000, breaker.Event{Sender: "old", Route: "r-1", Cents: 5_000_000 * dollar}); d.Action != breaker.Pass || !m.IsEstablished("old") {
		t.Errorf("the flood displaced who has always been there: %+v", d)
	}
	if d := step("thief", now+3000, breaker.Event{Sender: "late thief", Route: "r-0", Cents: 100, Taint: []breaker.Taint{{Incident: "i-0", Share: 10_000, Hops: 1}}}); d.Action != breaker.Refuse {
		t.Errorf("after the flood a thief: %+v", d)
	}
}

// TestSnapshotRefused changes a snapshot in every way that a disk or a stranger may.
func TestSnapshotRefused(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	s.raid(0, 4, 400_000)
	s.flow(10)
	c := breaker.Default()
	good := s.machine.Snapshot()
	if _, err := breaker.Restore(&c, good); err != nil {
		t.Fatal(err)
	}
	other := breaker.Default()
	other.Watch.Score++
	if _, err := breaker.Restore(&other, good); !errors.Is(err, breaker.ErrSnapshot) {
		t.Errorf("under another configuration: %v", err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x55
		if _, err := breaker.Restore(&c, bad); !errors.Is(err, breaker.ErrSnapshot) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := breaker.Restore(&c, good[:i]); !errors.Is(err, breaker.ErrSnapshot) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		if m, err := breaker.Restore(&c, breaker.Resum(bad)); err == nil { // it may make sense, but it must not break
			if _, err := m.Tick(m.Clock() + 30*day); err != nil && !errors.Is(err, breaker.ErrEvent) {
				t.Fatal(err)
			}
		}
	}
}
