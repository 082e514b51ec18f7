package breaker_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

const (
	day    = 86_400
	hour   = 3_600
	start  = 1_700_006_400 // midnight, a whole day
	dollar = 100
	btc    = "ETH>BTC"
	usdc   = "ETH>USDC"
)

// scene is a breaker and what an analyst does to it.
type scene struct {
	*testing.T
	machine *breaker.Machine
	now     int64
	serial  int
	said    []breaker.Transition
}

// stage makes a scene of a venue that has run for a month with ten regular customers, who
// are established by now.
func stage(t *testing.T, change func(*breaker.Config)) *scene {
	t.Helper()
	c := breaker.Default()
	if change != nil {
		change(&c)
	}
	m, err := breaker.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, machine: m, now: start}
	for d := range int64(30) {
		s.now = start + d*day
		for i := range 10 {
			s.use(&breaker.Event{Sender: fmt.Sprint("regular-", i), Route: []string{btc, usdc}[i%2], Cents: 10_000 * dollar})
		}
	}
	s.now = start + 30*day
	s.tick()
	return s
}

func (s *scene) use(e *breaker.Event) breaker.Decision {
	s.Helper()
	if e.ID == "" {
		s.serial++
		e.ID = fmt.Sprint("use-", s.serial)
	}
	if e.Moment == 0 {
		e.Moment = s.now
	}
	if e.Route == "" {
		e.Route = btc
	}
	d, err := s.machine.Step(e)
	if err != nil {
		s.Fatal(err)
	}
	s.said = append(s.said, d.Transitions...)
	return d
}

func (s *scene) tick() { s.wait(0) }

// wait lets time pass.
func (s *scene) wait(seconds int64) {
	s.Helper()
	s.now += seconds
	said, err := s.machine.Tick(s.now)
	if err != nil {
		s.Fatal(err)
	}
	s.said = append(s.said, said...)
}

// flow is the background: a regular customer every minute.
func (s *scene) flow(minutes int) {
	s.Helper()
	for i := range minutes {
		s.use(&breaker.Event{Sender: fmt.Sprint("regular-", i%10), Cents: 10_000 * dollar})
		s.wait(60)
	}
}

// thief is a use by an address that holds stolen money.
func thief(n int, dollars uint64) *breaker.Event {
	return &breaker.Event{
		Sender: fmt.Sprint("thief-", n), Funder: fmt.Sprint("gas-", n), Cents: dollars * dollar,
		Taint: []breaker.Taint{{Incident: "case", Share: 10_000, Hops: 2}},
	}
}

// raid is thieves, one a minute.
func (s *scene) raid(from, n int, dollars uint64) (last breaker.Decision) {
	s.Helper()
	for i := range n {
		last = s.use(thief(from+i, dollars))
		s.wait(60)
	}
	return last
}

// state is what counts for an incident on a route.
func (s *scene) state(incident, route string) breaker.State {
	for _, x := range s.machine.States() {
		if x.Incident == incident && x.Route == route {
			return x.State
		}
	}
	return breaker.Normal
}

// story is every transition in short.
func (s *scene) story() string {
	var words []string
	for i := range s.said {
		t := &s.said[i]
		words = append(words, fmt.Sprintf("%s>%s:%s", t.From, t.To, t.Cause))
	}
	return strings.Join(words, " ")
}

func TestStates(t *testing.T) {
	t.Run("one tainted sender is not a flow", func(t *testing.T) {
		s := stage(t, nil)
		s.raid(0, 1, 5_000_000)
		s.flow(30)
		if s.story() != "" {
			t.Errorf("story %q, want none", s.story())
		}
	})
	t.Run("tainted senders: watched, limited, halted, and clean customers go on", func(t *testing.T) {
		s := stage(t, nil)
		s.flow(60)
		s.raid(0, 4, 400_000)
		s.flow(30)
		if want := "NORMAL>WATCH:score WATCH>LIMIT:score LIMIT>HALT:score"; s.story() != want {
			t.Errorf("story %q, want %q", s.story(), want)
		}
		if d := s.use(thief(9, 1000)); d.Action != breaker.Refuse || d.Reasons[0].Match != breaker.Tainted || d.Reasons[0].State != breaker.Halt || len(d.Reasons[0].Signals) != 5 {
			t.Errorf("a thief: %+v", d)
		}
		if d := s.use(&breaker.Event{Sender: "regular-1", Cents: 900_000 * dollar}); d.Action != breaker.Pass || len(d.Reasons) != 0 {
			t.Errorf("an established sender: %+v", d)
		}
		if d := s.use(&breaker.Event{Sender: "somebody", Cents: 100 * dollar}); d.Action != breaker.Pass {
			t.Errorf("somebody new with little: %+v", d)
		}
		if d := s.use(&breaker.Event{Sender: "somebody", Route: usdc, Cents: 900_000 * dollar}); d.Action != breaker.Pass {
			t.Errorf("another route: %+v", d)
		}
	})
	t.Run("what is not final halts nothing", func(t *testing.T) {
		s := stage(t, nil)
		s.flow(60)
		for i := range 4 {
			e := thief(i, 400_000)
			e.ID, e.Provisional = fmt.Sprint("p", i), true
			s.use(e)
		}
		s.flow(30)
		if got := s.state("case", btc); got != breaker.Limit {
			t.Fatalf("state %s, want LIMIT", got)
		}
		for i := range 4 { // the blocks became final
			e := thief(i, 400_000)
			e.ID = fmt.Sprint("p", i)
			s.use(e)
		}
		s.flow(16)
		if got := s.state("case", btc); got != breaker.Halt {
			t.Errorf("state %s, want HALT once final", got)
		}
	})
	t.Run("the gate of absolute value limits at once", func(t *testing.T) {
		s := stage(t, func(c *breaker.Config) { c.Incident.MinSenders = 100 })
		s.raid(0, 2, 6_000_000)
		if want := "NORMAL>WATCH:gate WATCH>LIMIT:gate"; s.story() != want {
			t.Errorf("story %q, want %q", s.story(), want)
		}
	})
}

// TestSignals lets each signal of an incident speak alone: the others have no weight.
func TestSignals(t *testing.T) {
	alone := func(keep string) func(*breaker.Config) {
		return func(c *breaker.Config) {
			for name, ramp := range map[string]*breaker.Ramp{
				"tainted-senders": &c.Incident.Senders, "tainted-inflow": &c.Incident.Inflow, "near-inflow": &c.Incident.Near,
				"coordination": &c.Incident.Coordination, "late-labels": &c.Incident.Late,
			} {
				if ramp.Weight = 0; name == keep {
					ramp.Weight = 1
				}
			}
			c.Watch.For, c.Limit.For = 0, 0
		}
	}
	for _, row := range []struct {
		name, signal string
		play         func(*scene)
		value        uint64
		points       uint64
	}{
		{"three distinct senders", "tainted-senders", func(s *scene) { s.raid(0, 3, 50_000); s.raid(0, 3, 50_000) }, 6, 66},
		{"a near-tainted sender counts half", "tainted-senders", func(s *scene) {
			s.raid(0, 2, 50_000)
			s.use(&breaker.Event{Sender: "near", Cents: 100, Taint: []breaker.Taint{{Incident: "case", Share: 200, Hops: 2}}})
		}, 5, 50},
		{"a tenth of the inflow", "tainted-inflow", func(s *scene) { s.flow(36); s.raid(0, 2, 20_000) }, 1000, 47},
		{"only the tainted part counts", "tainted-inflow", func(s *scene) {
			s.flow(36)
			for i := range 2 {
				e := thief(i, 40_000)
				e.Taint[0].Share = 5000
				s.use(e)
			}
			s.tick()
		}, 909, 42},
		{"near flow", "near-inflow", func(s *scene) {
			s.flow(30)
			s.raid(0, 2, 20_000)
			s.use(&breaker.Event{Sender: "near", Cents: 60_000 * dollar, Taint: []breaker.Taint{{Incident: "case", Share: 200, Hops: 2}}})
		}, 2500, 100},
		{"one who paid the gas of many", "coordination", func(s *scene) {
			for i := range 4 {
				e := thief(i, 300_000)
				e.Funder = "boss"
				s.use(e)
			}
		}, 85, 85},
		{"labels that came too late", "late-labels", func(s *scene) {
			for i := range 2 {
				e := thief(i, 50_000)
				e.ID, e.Taint = fmt.Sprint("late-", i), nil
				s.use(e)
			}
			s.wait(2 * hour)
			for i := range 2 {
				if _, err := s.machine.Label(&breaker.Label{ID: fmt.Sprint("late-", i), Moment: s.now, Taint: thief(i, 0).Taint}); err != nil {
					s.Fatal(err)
				}
			}
		}, 2, 50},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := stage(t, alone(row.signal))
			row.play(s)
			for _, x := range s.machine.States() {
				if x.Incident != "case" {
					continue
				}
				i := slices.IndexFunc(x.Signals, func(r breaker.Reading) bool { return r.Signal == row.signal })
				if i < 0 || x.Signals[i].Value != row.value || x.Signals[i].Points != row.points || x.Score != row.points {
					t.Errorf("score %d of %+v, want value %d, points %d", x.Score, x.Signals, row.value, row.points)
				}
				return
			}
			t.Error("the case has no state")
		})
	}
}

// TestGroups lets clean but novel senders have one thing in common.
func TestGroups(t *testing.T) {
	units, err := ledger.ParseAmount("100000000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		event  func(*breaker.Event)
		shared string // empty where it is nothing suspicious
	}{
		{"who paid their gas", func(e *breaker.Event) { e.Funder = "boss" }, "shared-funder boss"},
		{"their cluster", func(e *breaker.Event) { e.Cluster = "c-7" }, "shared-cluster c-7"},
		{"where it goes", func(e *breaker.Event) { e.Receiver = "vault" }, "shared-receiver vault"},
		{"what their transactions look like", func(e *breaker.Event) { e.Fingerprint = "tip 1.37" }, "shared-fingerprint tip 1.37"},
		{"their exact amount", func(e *breaker.Event) { e.Asset, e.Amount = "eth", exposure.Decimal{Amount: units} }, "equal-amount 100000000000000000000 eth"},
		{"nothing", func(*breaker.Event) {}, ""},
		{"an exchange that paid their gas", func(e *breaker.Event) { e.Funder, e.FunderService = "hot", true }, ""},
		{"a service where it goes", func(e *breaker.Event) { e.Receiver, e.ReceiverService = "shop", true }, ""},
		{"little money", func(e *breaker.Event) { e.Funder, e.Cents = "farmer", 200*dollar }, ""},
		{"a route each", func(e *breaker.Event) { e.Funder, e.Route = "hot", "to "+e.Sender }, ""},
		{"themselves", func(e *breaker.Event) { e.Funder, e.Receiver = e.Sender, e.Sender }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := stage(t, nil)
			s.flow(30)
			last := breaker.Decision{}
			for i := range 12 {
				e := &breaker.Event{Sender: fmt.Sprint("new-", i), Cents: 300_000 * dollar}
				row.event(e)
				last = s.use(e)
				s.wait(60)
			}
			if row.shared == "" {
				if s.story() != "" || last.Action != breaker.Pass {
					t.Errorf("story %q, action %s, want none", s.story(), last.Action)
				}
				return
			}
			if want := "NORMAL>WATCH:score WATCH>LIMIT:score"; s.story() != want {
				t.Errorf("story %q, want %q", s.story(), want)
			}
			if last.Action != breaker.Delay || last.Reasons[0].Match != breaker.Coordinated || last.Reasons[0].Shared != row.shared || last.Until != last.Moment+hour {
				t.Errorf("the last one: %+v", last)
			}
			s.flow(60)
			if strings.Contains(s.story(), "HALT") {
				t.Error("coordination alone halted")
			}
		})
	}
}

func TestCommonFunderSaysNothing(t *testing.T) {
	s := stage(t, nil)
	for i := range 60 { // a hot wallet nobody has labelled, for twenty days
		s.use(&breaker.Event{Sender: fmt.Sprint("customer-", i), Funder: "hot", Cents: 1000 * dollar})
		s.wait(8 * hour)
	}
	s.said = nil
	for i := range 8 {
		s.use(&breaker.Event{Sender: fmt.Sprint("new-", i), Funder: "hot", Cents: 300_000 * dollar})
		s.wait(60)
	}
	s.flow(10)
	if s.story() != "" {
		t.Errorf("story %q, want none", s.story())
	}
}

// TestHeldForOneWindow asks again and again.
func TestHeldForOneWindow(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	s.raid(0, 4, 400_000)
	s.flow(20)
	for _, row := range []struct {
		name  string
		event breaker.Event
		match breaker.Match
		first breaker.Action
	}{
		{"novel, of much value", breaker.Event{Sender: "rich", Cents: 80_000 * dollar}, breaker.Newcomer, breaker.Delay},
		{"screening could not tell", breaker.Event{Sender: "dim", Unknown: true, Cents: 100}, breaker.Unsure, breaker.Delay},
		{"shares its funder with a thief", breaker.Event{Sender: "cousin", Funder: "gas-1", Cents: 100}, breaker.Linked, breaker.Refuse},
		{"a little tainted", breaker.Event{Sender: "neighbour", Cents: 100, Taint: []breaker.Taint{{Incident: "case", Share: 300, Hops: 2}}}, breaker.Near, breaker.Refuse},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := row.event
			e.ID = row.name
			asked := s.now
			d := s.use(&e)
			if d.Action != row.first || d.Until != asked+hour || d.Reasons[0].Match != row.match {
				t.Fatalf("first %+v", d)
			}
			again := row.event
			again.ID = row.name
			again.Moment = d.Until
			s.raid(20, 1, 400_000) // the raid goes on
			s.flow(30)
			s.raid(30, 4, 400_000)
			if s.now = max(s.now, d.Until); s.state("case", btc) != breaker.Halt {
				t.Fatalf("state %s, want HALT", s.state("case", btc))
			}
			d = s.use(&again)
			if d.Action != breaker.Pass || d.Reasons[0].Note != "waited" {
				t.Errorf("after a window %+v", d)
			}
		})
	}
	dust := &breaker.Event{Sender: "dusted", Cents: 100, Taint: []breaker.Taint{{Incident: "case", Share: 9, Hops: 1}}}
	if d := s.use(dust); d.Action != breaker.Pass || len(d.Reasons) != 0 {
		t.Errorf("dust: %+v", d)
	}
}

func TestWayBack(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	s.raid(0, 4, 400_000)
	s.flow(30)
	s.said = nil
	s.wait(5 * hour)
	if s.story() != "" {
		t.Fatalf("within the cooldown: %q", s.story())
	}
	s.wait(20 * hour)
	want := "HALT>HALT:probe-begun HALT>LIMIT:probe-passed LIMIT>LIMIT:probe-begun LIMIT>WATCH:probe-passed WATCH>NORMAL:calm"
	if s.story() != want {
		t.Errorf("story %q, want %q", s.story(), want)
	}
	begun, passed := s.said[0].Moment, s.said[1].Moment
	if passed-begun != hour {
		t.Errorf("the probe took %d s", passed-begun)
	}
}

func TestProbe(t *testing.T) {
	lone := func(s *scene) breaker.Decision { // one sender alone is too little to score
		e := thief(50, 1_000)
		return s.use(e)
	}
	probing := func(t *testing.T) *scene {
		t.Helper()
		s := stage(t, func(c *breaker.Config) { c.Probe.OneIn = 3 })
		s.flow(60)
		s.raid(0, 4, 400_000)
		s.flow(30)
		for !strings.HasSuffix(s.story(), "probe-begun") {
			s.wait(60)
		}
		return s
	}
	t.Run("one in three is held less", func(t *testing.T) {
		s := probing(t)
		var got []breaker.Action
		for range 6 {
			got = append(got, lone(s).Action)
		}
		r, v := breaker.Refuse, breaker.Review
		if want := []breaker.Action{r, r, v, r, r, v}; !slices.Equal(got, want) {
			t.Errorf("actions %v, want %v", got, want)
		}
	})
	t.Run("too much of it ends the attempt", func(t *testing.T) {
		s := probing(t)
		s.said = nil
		d := s.use(thief(50, 60_000))
		if want := "HALT>HALT:probe-failed"; s.story() != want || d.Action != breaker.Refuse {
			t.Errorf("story %q, want %q; %s", s.story(), want, d.Action)
		}
		s.wait(5 * hour)
		if strings.Contains(s.story(), "begun") {
			t.Error("the cooldown did not begin anew")
		}
	})
	t.Run("asking again is no way through", func(t *testing.T) {
		s := probing(t)
		e := thief(50, 1_000)
		e.ID = "again"
		for range 10 {
			if d := s.use(e); d.Action != breaker.Refuse {
				t.Fatalf("action %s", d.Action)
			}
		}
	})
}

func TestHysteresis(t *testing.T) {
	s := stage(t, func(c *breaker.Config) {
		c.Incident.Inflow.Weight, c.Incident.Near.Weight, c.Incident.Late.Weight, c.Incident.Coordination.Weight = 0, 0, 0, 0
		c.Incident.Senders = breaker.Ramp{From: 0, To: 10, Weight: 1}
	})
	s.raid(0, 4, 50_000) // 40 points
	s.flow(4)
	if s.story() != "NORMAL>WATCH:score" {
		t.Fatalf("story %q", s.story())
	}
	for range 4 { // three senders are 30 points, within the margin of 15: WATCH stays
		s.flow(50)
		s.raid(0, 3, 50_000)
	}
	if s.story() != "NORMAL>WATCH:score" {
		t.Errorf("story %q: 30 points must not end a WATCH", s.story())
	}
	for range 4 { // two are 20: calm
		s.flow(50)
		s.raid(0, 2, 50_000)
	}
	if s.story() != "NORMAL>WATCH:score WATCH>NORMAL:calm" {
		t.Errorf("story %q", s.story())
	}
}

func TestOverride(t *testing.T) {
	halt := breaker.Override{Incident: "case", Route: btc, State: breaker.Halt, By: "R. Ito", Reason: "call from the exchange"}
	t.Run("halts, and ends by itself", func(t *testing.T) {
		s := stage(t, nil)
		o := halt
		o.Moment, o.Until = s.now, s.now+3*hour
		said, err := s.machine.Override(&o)
		if err != nil || len(said) != 1 || said[0].By != "R. Ito" || said[0].Reason == "" || said[0].To != breaker.Halt {
			t.Fatalf("%+v %v", said, err)
		}
		if d := s.use(thief(1, 100)); d.Action != breaker.Refuse || d.Reasons[0].Note != "override" {
			t.Errorf("a thief: %+v", d)
		}
		e := &breaker.Event{ID: "cousin", Sender: "cousin", Funder: "gas-1", Cents: 100}
		if d := s.use(e); d.Action != breaker.Refuse || d.Until != 0 {
			t.Errorf("linked, halted by name: %+v", d)
		}
		if d := s.use(&breaker.Event{Sender: "regular-1", Cents: 100}); d.Action != breaker.Pass {
			t.Errorf("established: %+v", d)
		}
		s.wait(3 * hour)
		if want := "HALT>NORMAL:override-ended"; s.story() != want {
			t.Errorf("story %q, want %q", s.story(), want)
		}
	})
	t.Run("an analyst calls it a false alarm", func(t *testing.T) {
		s := stage(t, nil)
		s.flow(60)
		s.raid(0, 4, 400_000)
		s.flow(10)
		o := halt
		o.State, o.Moment, o.Until = breaker.Normal, s.now, s.now+hour
		if _, err := s.machine.Override(&o); err != nil {
			t.Fatal(err)
		}
		if d := s.use(thief(7, 100_000)); d.Action != breaker.Pass {
			t.Errorf("overridden: %+v", d)
		}
		s.raid(10, 20, 400_000)
		if last := s.said[len(s.said)-1]; last.To != breaker.Halt || !last.Beneath {
			t.Errorf("beneath: %+v", last)
		}
	})
	for _, row := range []struct {
		name   string
		change func(*breaker.Override)
	}{
		{"no name", func(o *breaker.Override) { o.By = "" }},
		{"no reason", func(o *breaker.Override) { o.Reason = "" }},
		{"no route", func(o *breaker.Override) { o.Route = "" }},
		{"no such state", func(o *breaker.Override) { o.State = "OPEN" }},
		{"no end", func(o *breaker.Override) { o.Until = 0 }},
		{"longer than a week", func(o *breaker.Override) { o.Until = o.Moment + 8*day }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := stage(t, nil)
			o := halt
			o.Moment, o.Until = s.now, s.now+hour
			row.change(&o)
			if _, err := s.machine.Override(&o); !errors.Is(err, breaker.ErrOverride) || s.state("case", btc) != breaker.Normal {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDegraded(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	s.raid(0, 4, 400_000)
	s.flow(30)
	s.said = nil
	health := func(age int64, lag uint64) {
		said, err := s.machine.Health(breaker.Health{Moment: s.now, LabelAge: age, Lag: lag})
		if err != nil {
			t.Fatal(err)
		}
		s.said = append(s.said, said...)
	}
	health(900, 3)
	if s.machine.IsDegraded() {
		t.Error("fifteen minutes and three blocks are allowed")
	}
	health(901, 0)
	s.wait(48 * hour)
	if s.story() != "NORMAL>NORMAL:data-stale" || s.state("case", btc) != breaker.Halt {
		t.Errorf("story %q, state %s: nothing may be loosened", s.story(), s.state("case", btc))
	}
	looser := &breaker.Override{Moment: s.now, Incident: "case", Route: btc, State: breaker.Watch, Until: s.now + hour, By: "x", Reason: "y"}
	if _, err := s.machine.Override(looser); !errors.Is(err, breaker.ErrOverride) {
		t.Errorf("a loosening override: %v", err)
	}
	looser.State, looser.Route = breaker.Limit, usdc
	if _, err := s.machine.Override(looser); err != nil {
		t.Errorf("a tightening override: %v", err)
	}
	if d := s.use(thief(1, 100)); !d.Degraded || d.Action != breaker.Refuse {
		t.Errorf("decision %+v", d)
	}
	s.wait(3 * hour)
	if s.state("case", usdc) != breaker.Limit {
		t.Error("the override's end loosened while the data was stale")
	}
	health(0, 0)
	s.wait(2 * 60)
	if s.state("case", usdc) == breaker.Limit {
		t.Error("the override stayed")
	}
	s.wait(30 * hour)
	if s.state("case", btc) != breaker.Normal {
		t.Errorf("state %s after fresh data", s.state("case", btc))
	}
}

func TestRetract(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	before := s.machine.Inflow()
	for i := range 4 {
		e := thief(i, 400_000)
		e.ID, e.Funder = fmt.Sprint("gone-", i), "boss"
		s.use(e)
	}
	for i := range 4 { // before three minutes have passed the blocks are replaced
		if _, err := s.machine.Retract(&breaker.Retraction{ID: fmt.Sprint("gone-", i), Moment: s.now}); err != nil {
			t.Fatal(err)
		}
	}
	if s.machine.Inflow() != before {
		t.Errorf("inflow %d, want %d", s.machine.Inflow(), before)
	}
	s.flow(10)
	if s.story() != "" {
		t.Errorf("story %q, want none", s.story())
	}
	if d := s.use(&breaker.Event{Sender: "cousin", Funder: "boss", Cents: 1}); len(d.Reasons) != 0 {
		t.Errorf("a link of what did not happen: %+v", d)
	}
	if size := s.machine.Size(); size.Marks != 0 || size.Incidents != 0 || size.Cells != 0 {
		t.Errorf("left behind: %+v", size)
	}
	if _, err := s.machine.Retract(&breaker.Retraction{ID: "gone-1", Moment: s.now}); !errors.Is(err, breaker.ErrUnknown) {
		t.Errorf("twice: %v", err)
	}
}

func TestLabelWithdrawn(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	for i := range 4 {
		e := thief(i, 400_000)
		e.ID = fmt.Sprint("wrong-", i)
		s.use(e)
	}
	for i := range 4 {
		if _, err := s.machine.Label(&breaker.Label{ID: fmt.Sprint("wrong-", i), Moment: s.now}); err != nil {
			t.Fatal(err)
		}
	}
	s.flow(10)
	if s.story() != "" {
		t.Errorf("story %q: the labels were withdrawn", s.story())
	}
}

func TestRefusedEvents(t *testing.T) {
	s := stage(t, nil)
	for _, row := range []struct {
		name  string
		event breaker.Event
	}{
		{"no id", breaker.Event{Moment: s.now, Route: btc, Sender: "a"}},
		{"no route", breaker.Event{ID: "x", Moment: s.now, Sender: "a"}},
		{"another venue", breaker.Event{ID: "x", Moment: s.now, Route: btc, Sender: "a", Venue: "elsewhere"}},
		{"a long text", breaker.Event{ID: "x", Moment: s.now, Route: btc, Sender: strings.Repeat("a", 257)}},
		{"a share of more than all", breaker.Event{ID: "x", Moment: s.now, Route: btc, Sender: "a", Taint: []breaker.Taint{{Incident: "i", Share: 10_001}}}},
		{"far ahead", breaker.Event{ID: "x", Moment: s.now + 40*day, Route: btc, Sender: "a"}},
		{"before all time", breaker.Event{ID: "x", Moment: -1, Route: btc, Sender: "a"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if d, err := s.machine.Step(&row.event); !errors.Is(err, breaker.ErrEvent) || d.Action != breaker.Review {
				t.Errorf("%s, %v: an error must never read as clean", d.Action, err)
			}
		})
	}
	s.use(&breaker.Event{ID: "mine", Sender: "honest", Cents: 100})
	for name, e := range map[string]breaker.Event{
		"another sender": {ID: "mine", Sender: "thief", Route: btc, Cents: 100, Moment: s.now},
		"another route":  {ID: "mine", Sender: "honest", Route: usdc, Cents: 100, Moment: s.now},
		"more value":     {ID: "mine", Sender: "honest", Route: btc, Cents: 200, Moment: s.now},
	} {
		if d, err := s.machine.Step(&e); !errors.Is(err, breaker.ErrEvent) || d.Action != breaker.Review {
			t.Errorf("the same ID for %s: %s, %v", name, d.Action, err)
		}
	}
}

func TestPrices(t *testing.T) {
	s := stage(t, func(c *breaker.Config) {
		c.Price.Assets = map[ledger.Asset]breaker.Fixed{"eth": {Cents: 2000 * dollar, Decimals: 18}}
	})
	units, err := ledger.ParseAmount("1500000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		event breaker.Event
		cents uint64
	}{
		{"its own", breaker.Event{Cents: 123}, 123},
		{"fixed", breaker.Event{Asset: "eth", Amount: exposure.Decimal{Amount: units}}, 3000 * dollar},
		{"none", breaker.Event{Asset: "other", Amount: exposure.Decimal{Amount: units}}, 10_000 * dollar},
		{"absurd", breaker.Event{Asset: "eth", Amount: exposure.Decimal{Amount: ledger.Amount{1, 2, 3, 1 << 60}}}, 10_000_000_000_000},
	} {
		s.wait(2 * hour)
		row.event.Sender = "somebody"
		s.use(&row.event)
		if got, want := s.machine.Inflow(), min(row.cents, 1<<40); got != want { // what one minute counts is bounded
			t.Errorf("%s: %d cents, want %d", row.name, got, want)
		}
	}
}

// TestRoutesDoNotHide lets a thief use another route each time.
func TestRoutesDoNotHide(t *testing.T) {
	s := stage(t, nil)
	s.flow(60)
	for i := range 5 {
		e := thief(i, 400_000)
		e.Route = fmt.Sprint("ETH>", i)
		s.use(e)
	}
	s.flow(10)
	if s.state("case", "ETH>4") != breaker.Limit || s.state("case", "ETH>0") != breaker.Limit {
		t.Errorf("states %s, %s", s.state("case", "ETH>4"), s.state("case", "ETH>0"))
	}
}

// TestColdMachine knows nobody yet, and calls nobody novel.
func TestColdMachine(t *testing.T) {
	c := breaker.Default()
	m, err := breaker.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		d, err := m.Step(&breaker.Event{ID: fmt.Sprint(i), Moment: start + int64(i)*60, Route: btc, Sender: fmt.Sprint("s", i), Funder: "hot", Cents: 500_000 * dollar})
		if err != nil || !d.Cold || d.Action != breaker.Pass {
			t.Fatalf("%+v %v", d, err)
		}
	}
	if got := m.States(); len(got) != 0 {
		t.Errorf("states %+v", got)
	}
}
