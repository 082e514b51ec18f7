package casebooktest

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"

	"coldtrail/casebook"
	"coldtrail/screen/exposure"
)

// Write puts rows into every table of a casebook.
func Write(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	must1(book.SaveCase(ctx, casebook.CaseChange{ID: "a", Title: "Müller \"x\"", State: casebook.CaseOpen, Text: "case: a\n", By: "key-1", At: 1, Why: "opened"}))(t)
	must1(book.SaveCase(ctx, casebook.CaseChange{ID: "a", State: casebook.CaseClosed, Text: "case: a # 2", By: "key-2", At: 2, Expect: 1}))(t)
	must1(book.AddNote(ctx, casebook.Note{ID: "n", About: casebook.Topic{Kind: casebook.AboutCase, Subject: "a"}, Text: "two\nlines", By: "key-1", At: 3}))(t)
	must1(book.Assign(ctx, casebook.Assignment{Case: "a", Person: "ann", Role: casebook.Lead, By: "key-1", At: 4}))(t)
	must1(book.AddKey(ctx, casebook.Secret{7}, casebook.Key{Name: "desk", Role: casebook.Roles[0], CreatedBy: "key-0", Created: 5, Expires: 99}))(t)
	must(t, book.GrantRole(ctx, casebook.Person{Issuer: "https://id.example.org", Subject: "s", Name: "Ann", Mail: "ann@example.org", Role: casebook.Roles[0], GrantedBy: "key-1", Granted: 6}))
	must(t, book.SaveWatchlist(ctx, casebook.Watchlist{ID: "w", Name: "list", By: "key-1", Created: 7}))
	must(t, book.ChangeMembers(ctx, casebook.MemberChange{List: "w", Add: []casebook.Member{{Chain: "eip155:1", Address: "0xa", Note: "n", By: "key-1", At: 8}}}))
	must(t, book.SaveTarget(ctx, casebook.Target{ID: "t", Name: "hook", Kind: casebook.Webhook, Address: "https://example.org", Secrets: []string{"a secret of webhooks"}, By: "key-1", Created: 9}))
	must(t, book.SaveSubscription(ctx, casebook.Subscription{ID: "s", Name: "all", Target: "t", By: "key-1", Created: 10}))
	must(t, book.KeepScreened(ctx, []casebook.Screened{{Subject: "0xa", Chain: "eip155:1", Outcome: exposure.Allow, Level: exposure.Low, Judged: 11, Asked: 12, By: "key-1"}}))
	must1(book.Raise(ctx, []casebook.Alert{{Kind: casebook.WatchHit, Subject: "0xa", Chain: "eip155:1", Body: json.RawMessage(`{"a":1.50}`), Created: 13, Cause: casebook.Cause{Chain: "eip155:1", Height: 1<<63 - 1, Block: "0xb"}}}))(t)
	must(t, book.SaveVenue(ctx, casebook.Venue{ID: "v", Name: "a pool", Kind: casebook.Contract, Config: json.RawMessage(`{"b":1}`), By: "key-1", Created: 14, Changed: 14}))
	must1(book.Override(ctx, casebook.Override{Venue: "v", State: "halt", Why: "by hand", By: "key-1", At: 15, Until: 25}))(t)
	must1(book.PostEvents(ctx, "v", []casebook.Event{{ID: "e", At: 16, Received: 17, Body: json.RawMessage(`{"n":1}`)}}))(t)
	must(t, book.KeepSnapshot(ctx, casebook.Snapshot{Venue: "v", Sequence: 1, At: 18, Body: json.RawMessage(`{"s":[]}`)}))
	policy := must1(book.AddPolicy(ctx, casebook.Policy{Name: "own", Version: "1", Text: "rules: []", By: "key-1", Added: 19}))(t)
	must1(book.Activate(ctx, casebook.Activation{Policy: policy.Digest, By: "key-1", At: 20, Why: "start"}))(t)
	must1(book.KeepDryRun(ctx, casebook.DryRun{Policy: policy.Digest, By: "key-1", At: 21, Result: json.RawMessage(`{"changed":3}`)}))(t)
}

// rowsOf keeps what Export gives.
func rowsOf(t *testing.T, db casebook.Database) map[string][][]any {
	t.Helper()
	all := map[string][][]any{}
	must(t, casebook.Export(t.Context(), db, func(table *casebook.Table, row []any) error {
		all[table.Name] = append(all[table.Name], slices.Clone(row))
		return nil
	}))
	return all
}

// given yields rows.
func given(rows ...[]any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// RunTransfer checks that everything in a casebook can be brought into another. Each call
// of open gives an empty database.
func RunTransfer(t *testing.T, open func(t *testing.T) casebook.Database) {
	t.Helper()
	filled := func(t *testing.T) (casebook.Database, *casebook.SQL) {
		t.Helper()
		db := open(t)
		book := must1(casebook.Open(t.Context(), db, 1))(t)
		t.Cleanup(func() { must(t, book.Close()) })
		return db, book
	}
	from, book := filled(t)
	Write(t, book)
	want := rowsOf(t, from)
	for i := range casebook.Tables() {
		if len(want[casebook.Tables()[i].Name]) == 0 {
			t.Errorf("table %s has no row", casebook.Tables()[i].Name)
		}
	}
	give := func(table *casebook.Table) iter.Seq2[[]any, error] { return given(want[table.Name]...) }
	t.Run("out and in", func(t *testing.T) {
		into, copied := filled(t)
		must(t, casebook.Empty(t.Context(), into))
		must(t, casebook.Import(t.Context(), into, give))
		wants(t, "what is filled", casebook.Empty(t.Context(), into), casebook.ErrNotEmpty)
		same(t, "every row", rowsOf(t, into), want)
		same(t, "a case", must1(copied.Case(t.Context(), "a"))(t), must1(book.Case(t.Context(), "a"))(t))
		same(t, "a target with its secret", must1(copied.Targets(t.Context()))(t), must1(book.Targets(t.Context()))(t))
		wants(t, "a second time", casebook.Import(t.Context(), into, give), casebook.ErrNotEmpty)
		must1(copied.AddNote(t.Context(), casebook.Note{ID: "later", About: casebook.Topic{Kind: casebook.AboutCase, Subject: "a"}, Text: "x", By: "key-1", At: 30}))(t)
	})
	t.Run("all or none", func(t *testing.T) {
		into, _ := filled(t)
		broken := errors.New("broken")
		wants(t, "a fault in the last table", casebook.Import(t.Context(), into, func(table *casebook.Table) iter.Seq2[[]any, error] {
			if table.Name != casebook.Tables()[len(casebook.Tables())-1].Name {
				return give(table)
			}
			return func(yield func([]any, error) bool) { yield(nil, broken) }
		}), broken)
		same(t, "what is left", len(rowsOf(t, into)), 0)
	})
	t.Run("rows of other kinds", func(t *testing.T) {
		into, _ := filled(t)
		wrong := slices.Clone(want["cases"][0])
		wrong[4] = "x"
		for name, row := range map[string][]any{"a text for a number": wrong, "too short": {"x"}, "no value": make([]any, 9)} {
			var invalid *casebook.InvalidError
			err := casebook.Import(t.Context(), into, func(*casebook.Table) iter.Seq2[[]any, error] { return given(row) })
			if !errors.As(err, &invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
