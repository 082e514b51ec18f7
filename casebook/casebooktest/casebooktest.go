// Package casebooktest is the one suite that every database under a casebook must pass.
package casebooktest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"coldtrail/casebook"
)

// Run checks a casebook against the contract. Each call of open gives an empty one.
func Run(t *testing.T, open func(t *testing.T) casebook.Book) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, casebook.Book){
		"cases": testCases, "case pages": testCasePages, "notes": testNotes, "teams": testTeams,
		"keys": testKeys, "people": testPeople,
		"watch-lists": testWatchlists, "targets": testTargets, "subscriptions": testSubscriptions, "screened subjects": testSubjects,
		"alerts": testAlerts, "routing": testRouting, "withdrawal": testWithdrawal, "a block comes back": testComesBack,
		"outbox": testOutbox, "leases": testLeases, "claims of a target": testClaimBounds, "ended targets": testEndedTarget,
		"venues": testVenues, "overrides": testOverrides, "events": testEvents, "snapshots": testSnapshots, "policies": testPolicies,
		"what is refused": testRefused, "writers at once": testWriters, "order of texts": testOrder,
	} {
		t.Run(name, func(t *testing.T) { test(t, opened(t, open)) })
	}
	t.Run("outbox model", func(t *testing.T) { testOutboxModel(t, open) })
	t.Run("alerts model", func(t *testing.T) { testAlertsModel(t, open) })
}

// opened opens a casebook for the length of a test.
func opened(t *testing.T, open func(t *testing.T) casebook.Book) casebook.Book {
	t.Helper()
	book := open(t)
	if closer, ok := book.(interface{ Close() error }); ok {
		t.Cleanup(func() {
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return book
}

// RunMigrations checks the way of a schema forward and back. Each call of open gives an
// empty database.
func RunMigrations(t *testing.T, open func(t *testing.T) casebook.Database) {
	t.Helper()
	t.Run("forward and back", func(t *testing.T) {
		db := open(t)
		for _, version := range []int{casebook.Newest(), 0, 2, 1, casebook.Newest(), casebook.Newest() - 1, casebook.Newest()} {
			must(t, casebook.Migrate(t.Context(), db, version, 1))
			if got := must1(casebook.Version(t.Context(), db))(t); got != version {
				t.Errorf("version %d, want %d", got, version)
			}
		}
		book := must1(casebook.Open(t.Context(), db, 2))(t)
		must1(book.SaveCase(t.Context(), casebook.CaseChange{ID: "a", State: casebook.CaseOpen, Text: "case: a", By: "key-1", At: 1}))(t)
		must(t, book.Close())
	})
	t.Run("what stays", func(t *testing.T) {
		db := open(t)
		book := must1(casebook.Open(t.Context(), db, 2))(t)
		want := must1(book.SaveCase(t.Context(), casebook.CaseChange{ID: "a", State: casebook.CaseOpen, Text: "case: a", By: "key-1", At: 1}))(t)
		must(t, casebook.Migrate(t.Context(), db, 1, 3))
		must(t, casebook.Migrate(t.Context(), db, casebook.Newest(), 4))
		if got := must1(book.Case(t.Context(), "a"))(t); got != want {
			t.Errorf("after back and forth: %+v, want %+v", got, want)
		}
		must(t, book.Close())
	})
	t.Run("newer", func(t *testing.T) {
		db := open(t)
		must(t, casebook.Migrate(t.Context(), db, casebook.Newest(), 1))
		must1(db.Write.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO casebook_schema VALUES (%d, 'later', 'x', 1)`, casebook.Newest()+1)))(t)
		if _, err := casebook.Open(t.Context(), db, 2); !errors.Is(err, casebook.ErrNewer) {
			t.Errorf("a newer schema: %v, want ErrNewer", err)
		}
		must(t, errors.Join(db.Read.Close(), db.Write.Close()))
	})
	t.Run("changed", func(t *testing.T) {
		db := open(t)
		must(t, casebook.Migrate(t.Context(), db, casebook.Newest(), 1))
		must1(db.Write.ExecContext(t.Context(), `UPDATE casebook_schema SET digest = 'other' WHERE version = 2`))(t)
		if _, err := casebook.Open(t.Context(), db, 2); err == nil {
			t.Error("a step with another digest was taken for ours")
		}
		must(t, errors.Join(db.Read.Close(), db.Write.Close()))
	})
	t.Run("no such version", func(t *testing.T) {
		db := open(t)
		for _, version := range []int{-1, casebook.Newest() + 1} {
			if err := casebook.Migrate(t.Context(), db, version, 1); err == nil {
				t.Errorf("migrated to version %d", version)
			}
		}
		must(t, errors.Join(db.Read.Close(), db.Write.Close()))
	})
}

// fatal is what tests and properties have in common.
type fatal interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func must(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// must1 takes what a question answered, and ends the test where it failed.
func must1[T any](value T, err error) func(t fatal) T {
	return func(t fatal) T {
		t.Helper()
		must(t, err)
		return value
	}
}

func same(t fatal, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func wants(t fatal, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
