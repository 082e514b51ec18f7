package postgres_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"coldtrail/casebook"
	"coldtrail/casebook/casebooktest"
	"coldtrail/casebook/sqlite"
	"coldtrail/internal/postgrestest"
)

// separate gives databases for casebooks. Properties ask for hundreds, so one that is closed
// is emptied and used again.
func separate(t *testing.T) func(t *testing.T) casebook.Database {
	t.Helper()
	outer := t
	var addresses []string
	used := map[string]casebook.Database{}
	return func(t *testing.T) casebook.Database {
		t.Helper()
		at := slices.IndexFunc(addresses, func(address string) bool {
			return used[address].Write.PingContext(t.Context()) != nil // closed
		})
		if at < 0 {
			at = len(addresses)
			addresses = append(addresses, postgrestest.Database(outer))
		}
		db := openDatabase(t, addresses[at])
		if err := casebook.Migrate(t.Context(), db, casebook.Newest(), 1); err != nil {
			t.Fatal(err)
		}
		empty(t, db)
		used[addresses[at]] = db
		return db
	}
}

func file(t *testing.T) casebook.Database {
	t.Helper()
	db, err := sqlite.OpenDatabase(t.Context(), filepath.Join(t.TempDir(), "casebook.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestCopyFromFile(t *testing.T) { casebooktest.RunCopy(t, file, separate(t)) }

func TestCopyToFile(t *testing.T) { casebooktest.RunCopy(t, separate(t), file) }

func TestTables(t *testing.T) {
	casebooktest.RunTables(t, func(t *testing.T) map[string][]string {
		t.Helper()
		db := openDatabase(t, postgrestest.Database(t))
		book, err := casebook.Open(t.Context(), db, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(t, book)
		rows, err := db.Read.QueryContext(t.Context(), `SELECT c.table_name, c.column_name
			|| CASE WHEN c.data_type = 'text' AND (c.collation_name = 'C' OR c.table_name = 'casebook_schema') THEN ' text' WHEN c.data_type = 'bigint' THEN ' integer' ELSE c.data_type || c.collation_name END
			|| CASE WHEN k.column_name IS NULL THEN '' ELSE ' key' END
			FROM information_schema.columns c
			LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY'
			LEFT JOIN information_schema.key_column_usage k ON k.constraint_name = p.constraint_name AND k.table_schema = c.table_schema AND k.column_name = c.column_name
			WHERE c.table_schema = current_schema() AND c.is_nullable = 'NO'`)
		if err != nil {
			t.Fatal(err)
		}
		columns := map[string][]string{}
		for rows.Next() {
			table, column := "", ""
			if err := rows.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			columns[table] = append(columns[table], column)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		return columns
	})
}

func shut(t *testing.T, book *casebook.SQL) {
	t.Helper()
	if err := book.Close(); err != nil {
		t.Error(err)
	}
}
