package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/guard"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/trace"
)

func TestMain(m *testing.M) {
	if isChild() {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// played replays once for all tests, with a case that asks nothing of the swap service.
var played = sync.OnceValue(func() *laundering.Laundering {
	l, err := laundering.Play(replay.Options{Seed: 3, Scale: 1000, Thin: 40, Wallets: 300, Scenario: "bybit"})
	if err != nil {
		panic(err)
	}
	l.Case.Services, l.Case.AttributedTo = nil, trace.Attribution{Actor: "lazarus-group", By: "the replay"}
	return l
})

// rig is everything a guard works with, under a clock that tests set.
type rig struct {
	tb     testing.TB
	now    int64
	store  store.Store
	engine *screen.Engine
	path   string
	book   *casebook.SQL
	guard  *guard.Guard
	mu     sync.Mutex
	told   []guard.Transition
	refuse error // what Told answers
	every  int64
}

// newRig has played the laundering up to a part of its blocks, 1 being all.
func newRig(tb testing.TB, part int) *rig {
	tb.Helper()
	r := &rig{tb: tb, path: filepath.Join(tb.TempDir(), "book.db"), store: memory.New()}
	l := played()
	if part > 0 {
		if err := r.store.Append(tb.Context(), l.Blocks[:len(l.Blocks)/part]); err != nil {
			tb.Fatal(err)
		}
		r.now = l.Blocks[len(l.Blocks)/part-1].Time
	}
	var err error
	if r.engine, err = screen.NewEngine(r.store, screen.Options{Notations: laundering.Notations, Now: func() int64 { return r.now }, Deposits: true}); err != nil {
		tb.Fatal(err)
	}
	if err := r.engine.Rebuild(tb.Context(), []*trace.Case{l.Case}, nil); err != nil {
		tb.Fatal(err)
	}
	r.open()
	tb.Cleanup(r.shut)
	return r
}

func (r *rig) open() {
	r.tb.Helper()
	ctx := context.Background()
	var err error
	if r.book, err = sqlite.Open(ctx, r.path, 1, sqlite.Options{}); err != nil {
		r.tb.Fatal(err)
	}
	r.guard, err = guard.Open(ctx, guard.Options{
		Book: r.book, Know: r.engine.Now, Store: r.store, Notations: laundering.Notations, Now: func() int64 { return r.now }, Every: r.every,
		Told: func(_ context.Context, t *guard.Transition) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.refuse == nil {
				r.told = append(r.told, *t)
			}
			return r.refuse
		},
	})
	if err != nil {
		r.tb.Fatal(err)
	}
}

func (r *rig) shut() {
	if err := errors.Join(r.guard.Close(context.Background()), r.book.Close()); err != nil {
		r.tb.Error(err)
	}
}

func (r *rig) must(err error) {
	r.tb.Helper()
	if err != nil {
		r.tb.Fatal(err)
	}
}

// to lets time pass, with fresh data.
func (r *rig) to(moment int64) {
	r.tb.Helper()
	r.now = moment
	r.engine.Heard(ledger.Ethereum, moment)
	r.engine.Heard(replay.Regtest, moment)
	r.must(r.guard.Tick(r.tb.Context()))
}

func (r *rig) venue(id string, kind casebook.VenueKind, config string) {
	r.tb.Helper()
	r.must(r.guard.SaveVenue(r.tb.Context(), casebook.Venue{ID: id, Name: id, Kind: kind, Config: json.RawMessage(config), By: "key-1", Created: r.now, Changed: r.now}))
}

func (r *rig) use(venue string, uses ...breaker.Event) []guard.Decision {
	r.tb.Helper()
	d, err := r.guard.Use(r.tb.Context(), venue, uses)
	r.must(err)
	return d
}

// tainted lists accounts that hold much stolen money, some hops from the theft.
func (r *rig) tainted(n int) (list []string) {
	r.tb.Helper()
	k := r.engine.Now()
	for _, s := range k.Subjects() {
		var v exposure.Verdict
		k.Screen(&exposure.Question{Subject: s.Address, Chain: s.Chain, Purpose: exposure.Swap}, &v)
		if s.Chain == string(ledger.Ethereum) && v.Outcome == exposure.Refuse && slices.ContainsFunc(v.Facts, func(f exposure.Fact) bool { return f.Kind == exposure.Tainted && f.Share > 5000 && f.Hops > 0 }) {
			list = append(list, s.Address)
		}
	}
	if len(list) < n {
		r.tb.Fatalf("only %d of %d tainted accounts", len(list), n)
	}
	return list[:n]
}

func account(n int) string { return fmt.Sprintf("0x%040x", 0xc1ea00+n) }

const (
	route  = "ETH>BTC"
	dollar = 100
	minute = 60
	hour   = 3600
	day    = 24 * hour
)

func (r *rig) swap(id, who string, dollars uint64) breaker.Event {
	return breaker.Event{
		ID: id, Moment: r.now, Route: route, Sender: "0xd37bbe5744d730a1d98d8dc97c42f0ca46ad7146", Origin: who, Receiver: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
		Cents: dollars * dollar, Asset: ledger.Ethereum.Native(), Amount: exposure.Decimal{Amount: ledger.NewAmount(dollars)},
	}
}

// attack lets thieves use a venue among clean customers, and says what was done with the
// last of both.
func (r *rig) attack(venue string, thieves []string, minutes int) (thief, customer guard.Decision) {
	r.tb.Helper()
	start := r.now
	for i := range minutes {
		r.to(start + int64(i)*minute)
		thief = r.use(venue, r.swap(fmt.Sprintf("%s-thief-%d", venue, r.now), thieves[i%len(thieves)], 40_000))[0]
		customer = r.use(venue, r.swap(fmt.Sprintf("%s-customer-%d", venue, r.now), account(i%3), 2_000))[0]
		if customer.Action != breaker.Pass {
			r.tb.Fatalf("minute %d: a clean customer: %s %+v", i, customer.Action, customer.Reasons)
		}
	}
	return thief, customer
}

func (r *rig) state(venue, incident, route string) breaker.State {
	r.tb.Helper()
	list, err := r.guard.Venues(r.tb.Context())
	r.must(err)
	for i := range list {
		if list[i].ID != venue {
			continue
		}
		r.must(list[i].Trouble)
		for _, s := range list[i].States {
			if s.Incident == incident && s.Route == route {
				return s.State
			}
		}
	}
	return breaker.Normal
}

// same wants the state to follow from the log.
func (r *rig) same(venue string) guard.Report {
	r.tb.Helper()
	state, last, err := r.guard.State(r.tb.Context(), venue)
	r.must(err)
	report, err := r.guard.Replay(r.tb.Context(), venue)
	r.must(err)
	if report.First != nil {
		r.tb.Errorf("line %d was\n%s\nand is\n%s", report.First.Line, report.First.Recorded, report.First.Replayed)
	}
	if report.State != state || report.Last != last {
		r.tb.Errorf("state %s after line %d, replayed %s after %d", state, last, report.State, report.Last)
	}
	return report
}

// TestLimitsTheFlow: stolen money on one route is limited, there and of that incident;
// nobody else notices, and every decision can be replayed.
func TestLimitsTheFlow(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	incident := played().Case.Name
	thief, customer := r.attack("dex", r.tainted(6), 15)
	if thief.Action != breaker.Refuse || len(thief.Reasons) == 0 || thief.Reasons[0].Incident != incident || thief.Reasons[0].Match != breaker.Tainted {
		t.Errorf("a thief: %s %+v", thief.Action, thief.Reasons)
	}
	var v exposure.Verdict
	if err := json.Unmarshal(thief.Verdict, &v); err != nil || v.Outcome != exposure.Refuse || v.Basis == nil || v.Basis.Heads[string(ledger.Ethereum)].Height == 0 {
		t.Errorf("the verdict on a thief: %s, %v", thief.Verdict, err)
	}
	if err := json.Unmarshal(customer.Verdict, &v); err != nil || v.Outcome != exposure.Allow {
		t.Errorf("the verdict on a customer: %s, %v", customer.Verdict, err)
	}
	if s := r.state("dex", incident, route); s != breaker.Limit {
		t.Errorf("the route is at %s", s)
	}
	other := r.swap("elsewhere", account(1), 500)
	other.Route = "ETH>USDC"
	if d := r.use("dex", other)[0]; d.Action != breaker.Pass {
		t.Errorf("another route: %s", d.Action)
	}
	var causes []string
	for _, x := range r.told {
		causes = append(causes, string(x.From)+">"+string(x.To))
	}
	if !slices.Contains(causes, "NORMAL>WATCH") || !slices.Contains(causes, "WATCH>LIMIT") {
		t.Errorf("told of %v", causes)
	}
	if report := r.same("dex"); report.Decisions < 31 || report.Transitions < 2 {
		t.Errorf("replayed %+v", report)
	}
	list, err := r.guard.Decisions(t.Context(), "dex", 0, 5)
	r.must(err)
	next, err := r.guard.Decisions(t.Context(), "dex", list[4].Sequence, 1000)
	r.must(err)
	if len(list) != 5 || len(next) != 26 || next[0].Sequence <= list[4].Sequence || next[25].ID != "elsewhere" {
		t.Errorf("decisions: %d and %d", len(list), len(next))
	}
}

// TestSameUseSameDecision: asking again counts once, and another use under the same name
// is refused.
func TestSameUseSameDecision(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{}`)
	thieves := r.tainted(6)
	first := r.swap("one", thieves[0], 40_000)
	before := r.use("dex", first)[0]
	r.attack("dex", thieves, 12)
	text := func(d guard.Decision) string {
		b, err := json.Marshal(d)
		r.must(err)
		return string(b)
	}
	later := first
	later.Moment = r.now
	if again := r.use("dex", first, later); text(again[0]) != text(before) || text(again[1]) != text(before) {
		t.Errorf("again\n%s\nat first\n%s", text(again[0]), text(before))
	}
	if before.Action != breaker.Pass {
		t.Errorf("the first use: %s", before.Action)
	}
	tests := map[string]func(*breaker.Event){
		"another receiver": func(e *breaker.Event) { e.Receiver = thieves[1] },
		"another route":    func(e *breaker.Event) { e.Route = "ETH>USDC" },
		"another sender":   func(e *breaker.Event) { e.Origin = account(7) },
		"another amount":   func(e *breaker.Event) { e.Amount = exposure.Decimal{Amount: ledger.NewAmount(7)} },
		"much more value":  func(e *breaker.Event) { e.Cents *= 2 },
	}
	for name, change := range tests {
		other := first
		change(&other)
		fresh := r.swap("fresh-"+name, account(5), 10)
		if _, err := r.guard.Use(t.Context(), "dex", []breaker.Event{fresh, other}); !errors.Is(err, guard.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := r.swap("twice", account(6), 10)
	if d := r.use("dex", twice, twice); d[0].Sequence != d[1].Sequence {
		t.Errorf("twice in one request: %d and %d", d[0].Sequence, d[1].Sequence)
	}
	r.to(r.now + 2*day)
	if _, err := r.guard.Use(t.Context(), "dex", []breaker.Event{first}); !errors.Is(err, guard.ErrGone) {
		t.Errorf("after two days: %v", err)
	}
	future := r.swap("future", account(6), 10)
	future.Moment += hour
	if _, err := r.guard.Use(t.Context(), "dex", []breaker.Event{future}); !errors.Is(err, guard.ErrInvalid) {
		t.Errorf("from the future: %v", err)
	}
	if _, err := r.guard.Use(t.Context(), "nowhere", []breaker.Event{first}); !errors.Is(err, guard.ErrNotFound) {
		t.Errorf("at no venue: %v", err)
	}
	r.same("dex")
}

// TestAsksAgain: who waits asks again when the decision said so, and is then decided anew.
func TestAsksAgain(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{"incident": {"share": 9999, "near_share": 10, "near_hops": 9}}`)
	incident := played().Case.Name
	thieves := r.tainted(6)
	r.must2(r.guard.Override(t.Context(), "dex", "key-1", breaker.Override{Incident: incident, Route: route, State: breaker.Limit, Until: r.now + day, By: "A. Analyst", Reason: "seen by hand"}))
	e := r.swap("linked", account(9), 100)
	e.Funder = thieves[0]
	d := r.use("dex", e)[0]
	if d.Action != breaker.Review || d.Until <= r.now || d.Reasons[0].Match != breaker.Near && d.Reasons[0].Match != breaker.Linked {
		t.Fatalf("gas from a thief: %s until %d %+v", d.Action, d.Until-r.now, d.Reasons)
	}
	r.to(d.Until - 1)
	if again := r.use("dex", e)[0]; again.Sequence != d.Sequence {
		t.Errorf("asked too early: %+v", again)
	}
	r.to(d.Until)
	again := r.use("dex", e)[0]
	if again.Sequence == d.Sequence || again.Action != breaker.Pass || again.Reasons[0].Note != "waited" {
		t.Errorf("after waiting: %s %+v", again.Action, again.Reasons)
	}
	r.same("dex")
}

func (r *rig) must2(_ []breaker.Transition, err error) {
	r.tb.Helper()
	r.must(err)
}

// TestOverrides: a person's word is in force, kept, and ends; four eyes where the venue
// wants them.
func TestOverrides(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{"four_eyes": ["HALT", "LOOSER"]}`)
	o := breaker.Override{Incident: "x", Route: breaker.Everywhere, State: breaker.Limit, Until: r.now + day, By: "A. Analyst", Reason: "a tip"}
	said, err := r.guard.Override(t.Context(), "dex", "key-1", o)
	r.must(err)
	if len(said) != 1 || said[0].To != breaker.Limit || said[0].By != "A. Analyst" || r.state("dex", "x", breaker.Everywhere) != breaker.Limit {
		t.Errorf("limited by hand: %+v", said)
	}
	o.State = breaker.Halt
	said, err = r.guard.Override(t.Context(), "dex", "key-1", o)
	r.must(err)
	if len(said) != 1 || said[0].Cause != guard.Proposed || r.state("dex", "x", breaker.Everywhere) != breaker.Limit {
		t.Errorf("halted by one: %+v", said)
	}
	if said, err = r.guard.Override(t.Context(), "dex", "key-1", o); err != nil || said[0].Cause != guard.Proposed {
		t.Errorf("halted by the same one: %+v, %v", said, err)
	}
	r.shut()
	r.open()
	o.By = "B. Analyst"
	said, err = r.guard.Override(t.Context(), "dex", "key-2", o)
	r.must(err)
	if len(said) != 1 || said[0].By != "A. Analyst and B. Analyst" || r.state("dex", "x", breaker.Everywhere) != breaker.Halt {
		t.Errorf("halted by two: %+v", said)
	}
	o.State = breaker.Normal
	if said, err = r.guard.Override(t.Context(), "dex", "key-2", o); err != nil || said[0].Cause != guard.Proposed {
		t.Errorf("loosened by one: %+v, %v", said, err)
	}
	o.Reason = ""
	if _, err = r.guard.Override(t.Context(), "dex", "key-2", o); !errors.Is(err, guard.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	r.to(r.now + day + minute)
	if s := r.state("dex", "x", breaker.Everywhere); s != breaker.Normal {
		t.Errorf("after its end: %s", s)
	}
	r.same("dex")
}

// TestDegraded: old data and a chain that is behind allow nothing to be loosened, and
// nobody can be told clean.
func TestDegraded(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	r.to(r.now)
	clean := func(id string) guard.Decision { return r.use("dex", r.swap(id, account(1), 10))[0] }
	if d := clean("fresh"); d.Degraded {
		t.Error("fresh data is degraded")
	}
	r.must2(r.guard.Override(t.Context(), "dex", "k", breaker.Override{Incident: "x", Route: breaker.Everywhere, State: breaker.Limit, Until: r.now + day, By: "A", Reason: "b"}))
	r.now += hour
	r.must(r.guard.Tick(t.Context()))
	var v exposure.Verdict
	d := clean("stale")
	r.must(json.Unmarshal(d.Verdict, &v))
	if !d.Degraded || v.Level != exposure.Unknown || d.Action != breaker.Delay {
		t.Errorf("an hour without a word: degraded %t, %s, %s", d.Degraded, v.Level, d.Action)
	}
	_, err := r.guard.Override(t.Context(), "dex", "k", breaker.Override{Incident: "x", Route: breaker.Everywhere, State: breaker.Normal, Until: r.now + day, By: "A", Reason: "b"})
	if !errors.Is(err, guard.ErrInvalid) || !errors.Is(err, breaker.ErrOverride) {
		t.Errorf("loosened by hand on old data: %v", err)
	}
	r.to(r.now + 1)
	if d := clean("heard"); d.Degraded {
		t.Error("still degraded")
	}
	r.guard.Behind(ledger.Ethereum, 4)
	r.to(r.now + 1)
	if d := clean("behind"); !d.Degraded {
		t.Error("four blocks behind is not degraded")
	}
	r.guard.Behind(ledger.Ethereum, 3)
	r.to(r.now + 1)
	if d := clean("three"); d.Degraded {
		t.Error("three blocks behind is degraded")
	}
	r.same("dex")
}

// TestRetells: a transition that could not be told is told later, in order, and again
// after a restart only under the same name.
func TestRetells(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{}`)
	r.refuse = errors.New("no room")
	o := breaker.Override{Incident: "x", Route: "*", State: breaker.Limit, Until: r.now + day, By: "A", Reason: "b"}
	r.must2(r.guard.Override(t.Context(), "dex", "k", o))
	o.State = breaker.Halt
	r.must2(r.guard.Override(t.Context(), "dex", "k", o))
	if err := r.guard.Tick(t.Context()); err == nil {
		t.Error("nobody said that it could not be told")
	}
	r.refuse = nil
	r.must(r.guard.Tick(t.Context()))
	if len(r.told) < 2 || r.told[len(r.told)-1].To != breaker.Halt || r.told[len(r.told)-2].To != breaker.Limit {
		t.Errorf("told %+v", r.told)
	}
	n := len(r.told)
	r.must(r.guard.Tick(t.Context()))
	r.shut()
	r.open()
	r.must(r.guard.Tick(t.Context()))
	if len(r.told) != n {
		t.Errorf("%d transitions were told again after a tidy end", len(r.told)-n)
	}
}

// TestConfigurationChanges: what was recorded counts under new parameters as well.
func TestConfigurationChanges(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{"incident": {"gate": 100000000000000, "min_senders": 100}}`)
	thieves := r.tainted(6)
	if thief, _ := r.attack("dex", thieves, 12); thief.Action != breaker.Pass {
		t.Fatalf("a hundred senders are wanted: %s", thief.Action)
	}
	r.venue("dex", casebook.Posted, `"chain: ethereum\nincident:\n  min_senders: 2\n"`)
	r.to(r.now + minute)
	if s := r.state("dex", played().Case.Name, route); s != breaker.Limit {
		t.Errorf("under the new configuration: %s", s)
	}
	if d := r.use("dex", r.swap("after", thieves[0], 1000))[0]; d.Action != breaker.Refuse {
		t.Errorf("under the new configuration: %s", d.Action)
	}
	r.same("dex")
	r.shut()
	r.open()
	r.same("dex")
	for name, config := range map[string]string{"an unknown key": `{"hat": 1}`, "no mapping": `[1]`, "a bad chain": `{"chain": "moon"}`, "another venue": `{"venue": "cex"}`, "a bad state": `{"four_eyes": ["OPEN"]}`} {
		err := r.guard.SaveVenue(t.Context(), casebook.Venue{ID: "dex", Kind: casebook.Posted, Config: json.RawMessage(config), By: "k"})
		if !errors.Is(err, guard.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	row, err := r.book.Venue(t.Context(), "dex")
	r.must(err)
	row.Ended = r.now
	r.must(r.guard.SaveVenue(t.Context(), row))
	if _, err := r.guard.Use(t.Context(), "dex", []breaker.Event{r.swap("ended", account(1), 1)}); !errors.Is(err, guard.ErrNotFound) {
		t.Errorf("at a venue that has ended: %v", err)
	}
}

// TestRestart: after a tidy end and after none at all, the state is the same byte for
// byte, from a snapshot that stands in one entry or in many.
func TestRestart(t *testing.T) {
	r := newRig(t, 1)
	r.every = 40
	r.shut()
	r.open()
	r.venue("dex", casebook.Posted, `{}`)
	thieves := r.tainted(6)
	for round := range 4 {
		r.now += minute
		r.attack("dex", thieves, 12)
		var many []breaker.Event
		for i := range 900 {
			many = append(many, r.swap(fmt.Sprintf("many-%d-%d", round, i), account(1000*round+i), 100))
		}
		r.use("dex", many...)
		state, last, err := r.guard.State(t.Context(), "dex")
		r.must(err)
		r.to(r.now) // saves
		probe := r.use("dex", many[7])[0]
		if round%2 == 0 {
			r.shut()
		} else {
			r.must(r.book.Close()) // the guard is left as it is
		}
		r.open()
		after, line, err := r.guard.State(t.Context(), "dex")
		r.must(err)
		if after != state || line != last {
			t.Fatalf("round %d: state %s after line %d, then %s after %d", round, state, last, after, line)
		}
		if d := r.use("dex", many[7])[0]; d.Sequence != probe.Sequence {
			t.Errorf("round %d: decided again after the restart", round)
		}
		r.same("dex")
	}
	snapshot, err := r.book.LastSnapshot(t.Context(), "dex")
	r.must(err)
	if snapshot.Sequence == 0 {
		t.Error("there is no snapshot")
	}
}

// TestLongSnapshot: a state that is longer than an entry of the casebook is put together
// from its parts.
func TestLongSnapshot(t *testing.T) {
	r := full(t, 8000)
	state, last, err := r.guard.State(t.Context(), "dex")
	r.must(err)
	r.shut()
	r.open()
	row, err := r.book.LastSnapshot(t.Context(), "dex")
	r.must(err)
	var saved struct{ Parts int }
	r.must(json.Unmarshal(row.Body, &saved))
	after, line, err := r.guard.State(t.Context(), "dex")
	r.must(err)
	if saved.Parts < 2 || row.Sequence != last || after != state || line != last {
		t.Errorf("%d parts after line %d: state %s after %d, then %s after %d", saved.Parts, row.Sequence, state, last, after, line)
	}
	first := r.use("dex", r.swap("after", account(1), 1))[0]
	if first.Sequence <= last {
		t.Errorf("line %d follows line %d", first.Sequence, last)
	}
	r.same("dex")
}
