package postgres_test

import (
	"os"
	"slices"
	"testing"

	"coldtrail/casebook"
	"coldtrail/casebook/casebooktest"
	"coldtrail/casebook/postgres"
	"coldtrail/internal/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

func open(t *testing.T, address string) *casebook.SQL {
	t.Helper()
	book, err := postgres.Open(t.Context(), address, 1, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func openDatabase(t *testing.T, address string) casebook.Database {
	t.Helper()
	db, err := postgres.OpenDatabase(t.Context(), address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestSuite empties one casebook again and again: the properties open hundreds, and to make
// a database with all its tables takes longer than what is done in it.
func TestSuite(t *testing.T) {
	address := postgrestest.Database(t)
	casebooktest.Run(t, func(t *testing.T) casebook.Book {
		t.Helper()
		db := openDatabase(t, address)
		book, err := casebook.Open(t.Context(), db, 1)
		if err != nil {
			t.Fatal(err)
		}
		empty(t, db)
		return book
	})
}

// empty removes all rows.
func empty(t *testing.T, db casebook.Database) {
	t.Helper()
	statements := ""
	for _, table := range slices.Backward(casebook.Tables()) {
		statements += `DELETE FROM ` + table.Name + `;`
	}
	if _, err := db.Write.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

func TestMigrations(t *testing.T) {
	casebooktest.RunMigrations(t, func(t *testing.T) casebook.Database {
		t.Helper()
		return openDatabase(t, postgrestest.Database(t))
	})
}
