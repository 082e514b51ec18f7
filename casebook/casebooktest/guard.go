package casebooktest

import (
	"encoding/json"
	"fmt"
	"testing"

	"coldtrail/casebook"
)

func testVenues(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	venue := casebook.Venue{ID: "dex-1", Name: "A DEX", Kind: casebook.Contract, Config: json.RawMessage(`{ "b": 1.50, "a": [ ] }`), By: "key-1", Created: 3, Changed: 3}
	must(t, book.SaveVenue(ctx, venue))
	venue.Config = json.RawMessage(`{"a":[],"b":1.50}`)
	same(t, "a venue", must1(book.Venue(ctx, "dex-1"))(t), venue)
	must(t, book.SaveVenue(ctx, casebook.Venue{ID: "cex", Name: "Hot", Kind: casebook.HotWallet, By: "key-2", Created: 4, Changed: 4}))
	venue.Name, venue.Changed, venue.Ended = "Renamed", 9, 9
	must(t, book.SaveVenue(ctx, venue))
	venues := must1(book.Venues(ctx))(t)
	if len(venues) != 2 || venues[0].ID != "cex" || string(venues[0].Config) != "{}" {
		t.Errorf("venues: %+v", venues)
	}
	same(t, "a changed venue", venues[1], venue)
	_, err := book.Venue(ctx, "none")
	wants(t, "no venue", err, casebook.ErrNotFound)
}

func testOverrides(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	override := casebook.Override{Venue: "v", State: "halt", Why: "seen by hand", By: "key-1", At: 100, Until: 200}
	_, err := book.Override(ctx, override)
	wants(t, "at no venue", err, casebook.ErrNotFound)
	must(t, book.SaveVenue(ctx, casebook.Venue{ID: "v", Kind: casebook.Posted, By: "k"}))
	one := must1(book.Override(ctx, override))(t)
	override.Sequence = 1
	same(t, "an override", one, override)
	two := must1(book.Override(ctx, casebook.Override{Venue: "v", State: "open", Why: "all clear", By: "key-2", At: 150, Until: 300}))(t)
	one.Lifted, one.LiftedBy = 150, "key-2"
	same(t, "the one before is lifted", must1(book.Overrides(ctx, "v"))(t), []casebook.Override{one, two})
	for at, want := range map[int64]bool{149: false, 150: true, 299: true, 300: false} {
		if two.InForce(at) != want {
			t.Errorf("in force at %d: %t", at, !want)
		}
	}
	must(t, book.LiftOverride(ctx, "v", "key-3", 160))
	two.Lifted, two.LiftedBy = 160, "key-3"
	same(t, "lifted by hand", must1(book.Overrides(ctx, "v"))(t), []casebook.Override{one, two})
	wants(t, "nothing in force", book.LiftOverride(ctx, "v", "key-3", 161), casebook.ErrNotFound)
	_, err = book.Override(ctx, casebook.Override{Venue: "v", State: "open", Why: "", By: "k", At: 1, Until: 2})
	if err == nil {
		t.Error("an override without a reason was taken")
	}
	_, err = book.Override(ctx, casebook.Override{Venue: "v", State: "open", Why: "w", By: "k", At: 2, Until: 2})
	if err == nil {
		t.Error("an override without an end was taken")
	}
}

func testEvents(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	event := func(id string, at int64, body string) casebook.Event {
		return casebook.Event{ID: id, At: at, Received: 50, Body: json.RawMessage(body)}
	}
	_, err := book.PostEvents(ctx, "v", []casebook.Event{event("1", 1, `{}`)})
	wants(t, "at no venue", err, casebook.ErrNotFound)
	for _, v := range []string{"v", "w"} {
		must(t, book.SaveVenue(ctx, casebook.Venue{ID: v, Kind: casebook.Posted, By: "k"}))
	}
	one := must1(book.PostEvents(ctx, "v", []casebook.Event{event("1", 1, `{"a": 1}`), event("2", 2, `{"a":2}`), event("1", 1, `{"a":1}`)}))(t)
	want := []casebook.Event{
		{Sequence: 1, Venue: "v", ID: "1", At: 1, Received: 50, Body: json.RawMessage(`{"a":1}`)},
		{Sequence: 2, Venue: "v", ID: "2", At: 2, Received: 50, Body: json.RawMessage(`{"a":2}`)},
	}
	same(t, "new events", one, want)
	other := must1(book.PostEvents(ctx, "w", []casebook.Event{event("1", 7, `{}`)}))(t)
	same(t, "the same identifier of another venue", other[0].Sequence, int64(3))
	more := must1(book.PostEvents(ctx, "v", []casebook.Event{event("2", 2, `{"a":2}`), event("3", 3, `{}`)}))(t)
	if len(more) != 1 || more[0].ID != "3" || more[0].Sequence != 4 {
		t.Errorf("posted again with one more: %+v", more)
	}
	_, err = book.PostEvents(ctx, "v", []casebook.Event{event("4", 4, `{}`), event("1", 1, `{"a":9}`)})
	wants(t, "an identifier with another body", err, casebook.ErrConflict)
	same(t, "all or none", must1(book.EventsAfter(ctx, "v", 0, 0))(t), append(want, more...))
	same(t, "after the second", must1(book.EventsAfter(ctx, "v", 2, 1))(t), more)

	same(t, "events in no snapshot", must1(book.ForgetEvents(ctx, "v", 100))(t), int64(0))
	must(t, book.KeepSnapshot(ctx, casebook.Snapshot{Venue: "v", Sequence: 2, At: 60}))
	same(t, "too young", must1(book.ForgetEvents(ctx, "v", 50))(t), int64(0))
	same(t, "forgotten", must1(book.ForgetEvents(ctx, "v", 51))(t), int64(2))
	same(t, "left", must1(book.EventsAfter(ctx, "v", 0, 0))(t), more)
	must(t, book.KeepSnapshot(ctx, casebook.Snapshot{Venue: "v", Sequence: 4, At: 61}))
	same(t, "the newest of all stays", must1(book.ForgetEvents(ctx, "v", 51))(t), int64(0))
	next := must1(book.PostEvents(ctx, "v", []casebook.Event{event("5", 5, `{}`)}))(t)
	same(t, "numbers go on", next[0].Sequence, int64(5))
}

func testSnapshots(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	_, err := book.LastSnapshot(ctx, "v")
	wants(t, "no snapshot", err, casebook.ErrNotFound)
	wants(t, "at no venue", book.KeepSnapshot(ctx, casebook.Snapshot{Venue: "v"}), casebook.ErrNotFound)
	must(t, book.SaveVenue(ctx, casebook.Venue{ID: "v", Kind: casebook.Posted, By: "k"}))
	for i := range int64(40) {
		must(t, book.KeepSnapshot(ctx, casebook.Snapshot{Venue: "v", Sequence: i, At: i, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))}))
	}
	must(t, book.KeepSnapshot(ctx, casebook.Snapshot{Venue: "v", Sequence: 41, At: 39, Body: json.RawMessage(`{"n":41}`)}))
	same(t, "the newest", must1(book.LastSnapshot(ctx, "v"))(t), casebook.Snapshot{Venue: "v", Sequence: 41, At: 39, Body: json.RawMessage(`{"n":41}`)})
}

func testPolicies(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	one := must1(book.AddPolicy(ctx, casebook.Policy{Name: "default", Version: "1", Text: "rules: []", By: "key-1", Added: 5}))(t)
	same(t, "its digest", one.Digest, "sha256:00eb8a0ecfecb77c25d7e28890b0a2d479966fd1b88274af09fd5c70b7fc0f71")
	two := must1(book.AddPolicy(ctx, casebook.Policy{Digest: "0-own", Name: "strict", Version: "1", Text: "rules: [x]", By: "key-1", Added: 6}))(t)
	again := two
	again.By, again.Added = "key-7", 99
	same(t, "added again", must1(book.AddPolicy(ctx, again))(t), two)
	again.Text = "rules: [y]"
	_, err := book.AddPolicy(ctx, again)
	wants(t, "another text", err, casebook.ErrConflict)
	same(t, "all policies", must1(book.Policies(ctx))(t), []casebook.Policy{one, two})

	_, err = book.Activate(ctx, casebook.Activation{Policy: "none", By: "k", At: 1})
	wants(t, "no policy", err, casebook.ErrNotFound)
	first := must1(book.Activate(ctx, casebook.Activation{Policy: one.Digest, By: "key-1", At: 10, Why: "start"}))(t)
	second := must1(book.Activate(ctx, casebook.Activation{Policy: two.Digest, By: "key-2", At: 11}))(t)
	third := must1(book.Activate(ctx, casebook.Activation{Policy: one.Digest, By: "key-2", At: 12, Why: "back"}))(t)
	same(t, "activations", must1(book.Activations(ctx))(t), []casebook.Activation{third, second, first})

	run := must1(book.KeepDryRun(ctx, casebook.DryRun{Policy: two.Digest, By: "key-1", At: 7, Result: json.RawMessage(`{"changed": 3}`)}))(t)
	same(t, "a dry run", run, casebook.DryRun{Sequence: 1, Policy: two.Digest, By: "key-1", At: 7, Result: json.RawMessage(`{"changed":3}`)})
	later := must1(book.KeepDryRun(ctx, casebook.DryRun{Policy: two.Digest, By: "key-1", At: 8}))(t)
	same(t, "dry runs", must1(book.DryRuns(ctx, two.Digest, 0))(t), []casebook.DryRun{later, run})
	same(t, "dry runs of another", len(must1(book.DryRuns(ctx, one.Digest, 0))(t)), 0)
	_, err = book.KeepDryRun(ctx, casebook.DryRun{Policy: "none", By: "k"})
	wants(t, "of no policy", err, casebook.ErrNotFound)
}
