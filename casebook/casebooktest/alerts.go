package casebooktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/casebook"
	"coldtrail/screen/exposure"
)

// hit is an alert about a subject because of a block.
func hit(subject string, height uint64, block string) casebook.Alert {
	return casebook.Alert{
		Kind: casebook.WatchHit, Subject: subject, Chain: "eip155:1", Level: exposure.High, Body: json.RawMessage(`{"subject":"` + subject + `"}`),
		Cause: casebook.Cause{Chain: "eip155:1", Height: height, Block: block}, Created: 100,
	}
}

// told adds a webhook that wants everything.
func told(t fatal, book casebook.Book, id string) {
	t.Helper()
	ctx := context()
	must(t, book.SaveTarget(ctx, casebook.Target{ID: id, Name: id, Kind: casebook.Webhook, Address: "https://" + id + ".example/", Secrets: []string{"0123456789abcdef"}, By: "k", Created: 1}))
	must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: "sub-" + id, Name: id, Target: id, By: "k", Created: 1}))
}

func testAlerts(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	alert := hit("0xaa", 7, "0xb7")
	alert.Body = json.RawMessage(`{"b": 2, "a": 1}`)
	raised := must1(book.Raise(ctx, []casebook.Alert{alert, hit("0xbb", 7, "0xb7"), alert}))(t)
	if len(raised) != 2 || raised[0].Sequence != 1 || raised[1].Sequence != 2 {
		t.Fatalf("raised: %+v, want two of three", raised)
	}
	want := alert
	want.Sequence, want.ID, want.State, want.Body = 1, raised[0].ID, casebook.Standing, json.RawMessage(`{"a":1,"b":2}`)
	same(t, "an alert", must1(book.Alert(ctx, raised[0].ID))(t), want)

	later := alert
	later.Created, later.Body = 999, json.RawMessage(`{"a":1,"b":2}`)
	same(t, "the same, computed again later", len(must1(book.Raise(ctx, []casebook.Alert{later}))(t)), 0)
	for what, change := range map[string]func(a *casebook.Alert){
		"kind":    func(a *casebook.Alert) { a.Kind = casebook.VerdictChanged },
		"subject": func(a *casebook.Alert) { a.Subject = "0xcc" },
		"chain":   func(a *casebook.Alert) { a.Chain = "" },
		"level":   func(a *casebook.Alert) { a.Level = exposure.Severe },
		"body":    func(a *casebook.Alert) { a.Body = json.RawMessage(`{"a":1,"b":3}`) },
		"height":  func(a *casebook.Alert) { a.Cause.Height = 8 },
		"block":   func(a *casebook.Alert) { a.Cause.Block = "0xb8" },
	} {
		other := alert
		change(&other)
		got := must1(book.Raise(ctx, []casebook.Alert{other}))(t)
		if len(got) != 1 || got[0].ID == raised[0].ID {
			t.Errorf("another %s: %+v, want an alert of its own", what, got)
		}
	}
	for name, page := range map[string]struct {
		filter casebook.AlertFilter
		want   int
	}{
		"all":       {casebook.AlertFilter{}, 9},
		"after":     {casebook.AlertFilter{After: 2}, 7},
		"limit":     {casebook.AlertFilter{Limit: 3}, 3},
		"kind":      {casebook.AlertFilter{Kind: casebook.VerdictChanged}, 1},
		"subject":   {casebook.AlertFilter{Subject: "0xbb"}, 1},
		"chain":     {casebook.AlertFilter{Chain: "eip155:1"}, 8},
		"state":     {casebook.AlertFilter{State: casebook.TakenBack}, 0},
		"all parts": {casebook.AlertFilter{State: casebook.Standing, Chain: "eip155:1", Kind: casebook.WatchHit, Subject: "0xcc"}, 1},
	} {
		got := must1(book.Alerts(ctx, page.filter))(t)
		if len(got) != page.want || !slices.IsSortedFunc(got, func(a, b casebook.Alert) int { return int(a.Sequence - b.Sequence) }) {
			t.Errorf("alerts, %s: %d, want %d in order", name, len(got), page.want)
		}
	}
	_, err := book.Alert(ctx, "none")
	wants(t, "no alert", err, casebook.ErrNotFound)
}

func testTargets(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	target := casebook.Target{ID: "ops", Name: "Ops", Kind: casebook.Webhook, Address: "https://ops.example/hook", Secrets: []string{"a-new-secret-0123", "the-old-secret-01"}, By: "key-1", Created: 4}
	must(t, book.SaveTarget(ctx, target))
	target.Address, target.Secrets = "https://ops.example/other", []string{"a-new-secret-0123"}
	must(t, book.SaveTarget(ctx, target))
	same(t, "targets", must1(book.Targets(ctx))(t), []casebook.Target{target})
	text := must1(json.Marshal(target))(t)
	if strings.Contains(string(text), "a-new-secret") {
		t.Errorf("a secret shows: %s", text)
	}
}

func testSubscriptions(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	sub := casebook.Subscription{
		ID: "s", Name: "grave", Target: "ops", Kinds: []casebook.AlertKind{casebook.WatchHit}, Levels: []exposure.Level{exposure.Severe, exposure.Unknown},
		Chains: []string{"eip155:1"}, Subjects: []string{"0xaa"}, By: "key-1", Created: 6,
	}
	wants(t, "a target that is not there", book.SaveSubscription(ctx, sub), casebook.ErrNotFound)
	must(t, book.SaveTarget(ctx, casebook.Target{ID: "ops", Kind: casebook.Mail, Address: "ops@example.org", By: "k"}))
	must(t, book.SaveSubscription(ctx, sub))
	sub.Name = "renamed"
	must(t, book.SaveSubscription(ctx, sub))
	same(t, "subscriptions", must1(book.Subscriptions(ctx))(t), []casebook.Subscription{sub})

	base := casebook.Alert{Kind: casebook.WatchHit, Subject: "0xaa", Chain: "eip155:1", Level: exposure.Severe}
	for name, tc := range map[string]struct {
		change func(a *casebook.Alert, s *casebook.Subscription)
		want   bool
	}{
		"all fits":            {func(*casebook.Alert, *casebook.Subscription) {}, true},
		"another kind":        {func(a *casebook.Alert, _ *casebook.Subscription) { a.Kind = casebook.DataStale }, false},
		"another level":       {func(a *casebook.Alert, _ *casebook.Subscription) { a.Level = exposure.Low }, false},
		"an alert of none":    {func(a *casebook.Alert, _ *casebook.Subscription) { a.Level = "" }, true},
		"another chain":       {func(a *casebook.Alert, _ *casebook.Subscription) { a.Chain = "eip155:10" }, false},
		"an alert of nowhere": {func(a *casebook.Alert, _ *casebook.Subscription) { a.Chain = "" }, true},
		"another subject":     {func(a *casebook.Alert, _ *casebook.Subscription) { a.Subject = "0xbb" }, false},
		"any subject":         {func(a *casebook.Alert, s *casebook.Subscription) { a.Subject, s.Subjects = "0xbb", nil }, true},
		"ended":               {func(_ *casebook.Alert, s *casebook.Subscription) { s.Ended = 1 }, false},
	} {
		a, s := base, sub
		tc.change(&a, &s)
		if s.Wants(&a) != tc.want {
			t.Errorf("%s: wanted %t", name, !tc.want)
		}
	}
}

func testRouting(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	told(t, book, "all")
	must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: "again", Target: "all", Kinds: []casebook.AlertKind{casebook.WatchHit}, By: "k"}))
	must(t, book.SaveTarget(ctx, casebook.Target{ID: "stale", Kind: casebook.Mail, Address: "a@example.org", By: "k"}))
	must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: "stale", Target: "stale", Kinds: []casebook.AlertKind{casebook.DataStale}, By: "k"}))
	must(t, book.SaveTarget(ctx, casebook.Target{ID: "listen", Kind: casebook.Stream, Address: "workbench", By: "k"}))
	must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: "listen", Target: "listen", By: "k"}))
	one := must1(book.Raise(ctx, []casebook.Alert{hit("a", 1, "0x1")}))(t)[0]
	two := must1(book.Raise(ctx, []casebook.Alert{{Kind: casebook.DataStale, Subject: "eip155:1", Created: 101}}))(t)[0]
	want := []casebook.Delivery{
		{ID: casebook.DeliveryID(one.ID, "all"), Alert: one.ID, Target: "all", Subject: "a", Status: casebook.Waiting, Sequence: 1, Next: 100, Since: 100},
		{ID: casebook.DeliveryID(two.ID, "all"), Alert: two.ID, Target: "all", Subject: "eip155:1", Status: casebook.Waiting, Sequence: 2, Next: 101, Since: 101},
		{ID: casebook.DeliveryID(two.ID, "stale"), Alert: two.ID, Target: "stale", Subject: "eip155:1", Status: casebook.Waiting, Sequence: 2, Next: 101, Since: 101},
	}
	slices.SortFunc(want[1:], func(a, b casebook.Delivery) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	got := must1(book.Deliveries(ctx, casebook.DeliveryFilter{}))(t)
	same(t, "deliveries", got, want)
	same(t, "pages", append(must1(book.Deliveries(ctx, casebook.DeliveryFilter{Limit: 2}))(t), must1(book.Deliveries(ctx, casebook.DeliveryFilter{After: want[1]}))(t)...), want)
	same(t, "of an alert", must1(book.Deliveries(ctx, casebook.DeliveryFilter{Alert: one.ID}))(t), want[:1])
	same(t, "of a target", len(must1(book.Deliveries(ctx, casebook.DeliveryFilter{Target: "all", Status: casebook.Waiting}))(t)), 2)
	same(t, "queues", must1(book.Queued(ctx))(t), map[string]int64{"all": 2, "stale": 1})
}

func testWithdrawal(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	told(t, book, "hook")
	first := must1(book.Raise(ctx, []casebook.Alert{hit("a", 5, "0x5"), hit("b", 6, "0x6"), hit("c", 6, "0x6"), {Kind: casebook.CaseChanged, Subject: "a"}}))(t)
	// Who is told of withdrawals follows from who was told, whatever is subscribed now.
	must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: "sub-hook", Target: "hook", By: "k", Ended: 2}))

	same(t, "causes", must1(book.Causes(ctx, "eip155:1", 6))(t), []casebook.Cause{{Chain: "eip155:1", Height: 6, Block: "0x6"}})
	same(t, "causes from 5", len(must1(book.Causes(ctx, "eip155:1", 5))(t)), 2)
	same(t, "another hash", len(must1(book.Withdraw(ctx, casebook.Withdrawal{Blocks: []casebook.Cause{{Chain: "eip155:1", Height: 6, Block: "0x66"}}, At: 200}))(t)), 0)

	said := must1(book.Withdraw(ctx, casebook.Withdrawal{Blocks: []casebook.Cause{{Chain: "eip155:1", Height: 6, Block: "0x6"}}, Why: "the block is gone", At: 200}))(t)
	if len(said) != 2 {
		t.Fatalf("withdrawals: %+v, want two", said)
	}
	for i, w := range said {
		gone := must1(book.Alert(ctx, first[i+1].ID))(t)
		if gone.State != casebook.TakenBack || gone.WithdrawnBy != w.ID {
			t.Errorf("the withdrawn alert: %+v", gone)
		}
		want := casebook.Alert{
			Sequence: int64(5 + i), ID: w.ID, Kind: casebook.Withdrawn, Subject: gone.Subject, Chain: "eip155:1", Level: exposure.High,
			Body: json.RawMessage(`{"alert":"` + gone.ID + `","kind":"watch-hit","why":"the block is gone"}`), Cause: gone.Cause, Created: 200,
			State: casebook.Standing, Withdraws: gone.ID,
		}
		same(t, "a withdrawal", must1(book.Alert(ctx, w.ID))(t), want)
		same(t, "who is told of it", len(must1(book.Deliveries(ctx, casebook.DeliveryFilter{Alert: w.ID, Target: "hook"}))(t)), 1)
	}
	same(t, "withdrawn again", len(must1(book.Withdraw(ctx, casebook.Withdrawal{Blocks: []casebook.Cause{{Chain: "eip155:1", Height: 6, Block: "0x6"}}, At: 201}))(t)), 0)
	same(t, "standing of a block", must1(book.Causes(ctx, "eip155:1", 0))(t), []casebook.Cause{{Chain: "eip155:1", Height: 5, Block: "0x5"}})
}

// testComesBack follows a block that vanishes and returns: its alert is sent anew, with an
// identifier of its own, and each occurrence only once.
func testComesBack(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	block := []casebook.Cause{{Chain: "eip155:1", Height: 9, Block: "0x9"}}
	ids := map[string]bool{}
	for round := range int64(3) {
		raised := must1(book.Raise(ctx, []casebook.Alert{hit("a", 9, "0x9")}))(t)
		same(t, "raised", len(raised), 1)
		ids[raised[0].ID] = true
		same(t, "raised again", len(must1(book.Raise(ctx, []casebook.Alert{hit("a", 9, "0x9")}))(t)), 0)
		said := must1(book.Withdraw(ctx, casebook.Withdrawal{Blocks: block, Why: "gone", At: 300 + round}))(t)
		same(t, "withdrawn", len(said), 1)
		same(t, "which", said[0].Withdraws, raised[0].ID)
		ids[said[0].ID] = true
	}
	same(t, "identifiers", len(ids), 6)
}

// testAlertsModel raises and withdraws at random and compares with what a list would hold.
func testAlertsModel(t *testing.T, open func(t *testing.T) casebook.Book) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		book := open(t)
		defer shut(t, book)
		m := alertsModel{book, map[about]string{}, map[string]bool{}}
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			height := rapid.Uint64Range(1, 3).Draw(rt, "height")
			if rapid.Bool().Draw(rt, "raise") {
				m.raise(rt, about{rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "subject"), height})
			} else {
				m.withdraw(rt, height)
			}
		}
		held := must1(book.Alerts(context(), casebook.AlertFilter{Kind: casebook.WatchHit, State: casebook.Standing}))(rt)
		if len(held) != len(m.standing) {
			rt.Fatalf("%d stand, want %d", len(held), len(m.standing))
		}
		for _, a := range held {
			if m.standing[about{a.Subject, a.Cause.Height}] != a.ID {
				rt.Fatalf("%+v stands and should not", a)
			}
		}
	})
}

// about is what an alert of the model is about.
type about struct {
	subject string
	height  uint64
}

type alertsModel struct {
	book     casebook.Book
	standing map[about]string // identifiers
	seen     map[string]bool
}

func (m *alertsModel) raise(rt *rapid.T, of about) {
	raised := must1(m.book.Raise(context(), []casebook.Alert{hit(of.subject, of.height, fmt.Sprintf("0x%d", of.height))}))(rt)
	if held := m.standing[of]; (held == "") != (len(raised) == 1) {
		rt.Fatalf("%v: raised %d, standing before %q", of, len(raised), held)
	}
	for _, a := range raised {
		if m.seen[a.ID] {
			rt.Fatalf("identifier %s came twice", a.ID)
		}
		m.seen[a.ID], m.standing[of] = true, a.ID
	}
}

func (m *alertsModel) withdraw(rt *rapid.T, height uint64) {
	block := casebook.Cause{Chain: "eip155:1", Height: height, Block: fmt.Sprintf("0x%d", height)}
	var got, want []string
	for _, w := range must1(m.book.Withdraw(context(), casebook.Withdrawal{Blocks: []casebook.Cause{block}, At: 1}))(rt) {
		got = append(got, w.Withdraws)
	}
	for _, subject := range []string{"a", "b"} {
		if id := m.standing[about{subject, height}]; id != "" {
			want = append(want, id)
		}
		delete(m.standing, about{subject, height})
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		rt.Fatalf("withdrawn at %d: %v, want %v", height, got, want)
	}
}
