package casebooktest

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/casebook"
)

// RunCopy checks that casebooks are copied from one kind of database to another. Each call
// of from and to gives an empty database of its own that is still closed by nobody.
func RunCopy(t *testing.T, from, to func(t *testing.T) casebook.Database) {
	t.Helper()
	t.Run("whatever it holds", func(t *testing.T) {
		filled := map[string]int64{}
		rapid.Check(t, func(rt *rapid.T) {
			source, target := prepared(t, from), prepared(t, to)
			defer ended(t, source, target)
			Fill(rt, must1(casebook.Open(context(), source, 1))(rt))
			copied := must1(casebook.Copy(context(), source, target))(rt)
			same(rt, "the copy by itself", must1(casebook.Sum(context(), target))(rt), copied)
			same(rt, "what was copied, afterwards", must1(casebook.Sum(context(), source))(rt), copied)
			for table, n := range copied.Rows {
				filled[table] += n
			}
		})
		for _, table := range casebook.Tables() {
			if filled[table.Name] == 0 {
				t.Errorf("no row of table %s was ever copied, of %v", table.Name, slices.Sorted(maps.Keys(filled)))
			}
		}
	})
	t.Run("what is refused", func(t *testing.T) { testCopyRefused(t, from, to) })
	t.Run("goes on", func(t *testing.T) {
		source, target := prepared(t, from), prepared(t, to)
		defer ended(t, source, target)
		book := must1(casebook.Open(t.Context(), source, 1))(t)
		told(t, book, "hook")
		one := must1(book.Raise(t.Context(), []casebook.Alert{hit("a", 1, "0x1")}))(t)[0]
		must1(casebook.Copy(t.Context(), source, target))(t)
		other := must1(casebook.Open(t.Context(), target, 1))(t)
		same(t, "the alert", must1(other.Alert(t.Context(), one.ID))(t), one)
		same(t, "raised again", len(must1(other.Raise(t.Context(), []casebook.Alert{hit("a", 1, "0x1")}))(t)), 0)
		same(t, "the next number", must1(other.Raise(t.Context(), []casebook.Alert{hit("b", 1, "0x1")}))(t)[0].Sequence, int64(2))
		same(t, "deliveries that are due", len(must1(other.Claim(t.Context(), casebook.Claim{At: 200, Until: 300, Limit: 9}))(t)), 2)
	})
}

func testCopyRefused(t *testing.T, from, to func(t *testing.T) casebook.Database) {
	t.Helper()
	source, target := prepared(t, from), prepared(t, to)
	defer ended(t, source, target)
	book := must1(casebook.Open(t.Context(), source, 1))(t)
	must1(book.SaveCase(t.Context(), casebook.CaseChange{ID: "a", State: casebook.CaseOpen, Text: "case: a", By: "k", At: 1}))(t)
	other := must1(casebook.Open(t.Context(), target, 1))(t)
	must(t, other.SaveVenue(t.Context(), casebook.Venue{ID: "v", Kind: casebook.Posted, By: "k"}))
	held := must1(casebook.Sum(t.Context(), target))(t)
	_, err := casebook.Copy(t.Context(), source, target)
	wants(t, "into one that holds something", err, casebook.ErrNotEmpty)
	same(t, "what it held", must1(casebook.Sum(t.Context(), target))(t), held)
	if _, err := casebook.Copy(t.Context(), source, source); err == nil {
		t.Error("a casebook was copied into itself")
	}
	old := prepared(t, to)
	defer ended(t, old)
	must(t, casebook.Migrate(t.Context(), old, casebook.Newest()-1, 2))
	if _, err := casebook.Copy(t.Context(), source, old); err == nil || errors.Is(err, casebook.ErrNotEmpty) {
		t.Errorf("into an older schema: %v", err)
	}
	if _, err := casebook.Copy(t.Context(), old, source); err == nil {
		t.Error("an older schema was copied")
	}
	must1(old.Write.ExecContext(t.Context(), `DELETE FROM casebook_schema`))(t)
	if _, err := casebook.Sum(t.Context(), old); err == nil {
		t.Error("the sum of no casebook was given")
	}
}

// prepared gives an empty casebook.
func prepared(t *testing.T, open func(t *testing.T) casebook.Database) casebook.Database {
	t.Helper()
	db := open(t)
	must(t, casebook.Migrate(t.Context(), db, casebook.Newest(), 1))
	return db
}

func ended(t *testing.T, list ...casebook.Database) {
	t.Helper()
	for _, db := range list {
		must(t, errors.Join(db.Write.Close(), db.Read.Close()))
	}
}

// RunTables checks that a database has the tables and columns that casebook.Tables() names.
// Describe gives, of each table, its columns as "name kind" in order, and " key" after those
// of the primary key.
func RunTables(t *testing.T, describe func(t *testing.T) map[string][]string) {
	t.Helper()
	want := map[string][]string{"casebook_schema": {"version integer key", "name text", "digest text", "applied_at integer"}}
	for _, table := range casebook.Tables() {
		for _, column := range table.Columns {
			text := column.Name + " " + string(column.Kind)
			if slices.Contains(table.Key, column.Name) {
				text += " key"
			}
			want[table.Name] = append(want[table.Name], text)
		}
	}
	got := describe(t)
	for _, columns := range []map[string][]string{got, want} { // their order is of no account
		for name := range columns {
			slices.Sort(columns[name])
		}
	}
	same(t, "tables", got, want)
}
