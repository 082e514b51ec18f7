package casebook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Dialect is all that differs between the databases under a casebook. The statements
// are the common part of SQLite's and PostgreSQL's language.
type Dialect struct {
	Name string
	// Numbered says that placeholders are $1, $2 and so on, and not question marks.
	Numbered bool
	// Begin is executed first in every writing transaction. It must keep other writers
	// out until the end, of this process and of others; empty where the database does so
	// by itself.
	Begin string
	// Made is executed after each step forward of the schema, in its transaction: what
	// makes its tables behave as they do elsewhere, such as texts that are ordered by
	// bytes. It must bear being executed again; empty where nothing is to be done.
	Made string
	// Full says whether an error means that there is no room.
	Full func(error) bool
}

// A Database is where a casebook is kept. Read and Write may be the same.
type Database struct {
	Read, Write *sql.DB
	Dialect     Dialect
}

// SQL is a casebook over database/sql.
type SQL struct {
	read, write *sql.DB
	dialect     Dialect
}

// Open opens the casebook of a database and brings its schema forward. A schema that is
// newer than this program is refused (ErrNewer). The database is closed with the casebook.
func Open(ctx context.Context, db Database, at int64) (*SQL, error) {
	if err := Migrate(ctx, db, Newest(), at); err != nil {
		return nil, err
	}
	return &SQL{db.Read, db.Write, db.Dialect}, nil
}

// Database is where the casebook is kept. It is closed with the casebook.
func (b *SQL) Database() Database { return Database{b.read, b.write, b.dialect} }

// Close closes the database.
func (b *SQL) Close() error {
	err := b.write.Close()
	if b.read != b.write {
		err = errors.Join(err, b.read.Close())
	}
	return err
}

// session is a connection or a transaction.
type session struct {
	on interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
	dialect *Dialect
}

// reading is a session that sees what is committed.
func (b *SQL) reading() session { return session{b.read, &b.dialect} }

// change does something in one transaction; what names it in errors.
func (b *SQL) change(ctx context.Context, what string, do func(s session) error) error {
	return transact(ctx, b.Database(), what, do)
}

func transact(ctx context.Context, db Database, what string, do func(s session) error) error {
	wrap := func(err error) error {
		if db.Dialect.Full != nil && db.Dialect.Full(err) {
			return fmt.Errorf("casebook: %s: %w: %w", what, ErrFull, err)
		}
		return fmt.Errorf("casebook: %s: %w", what, err)
	}
	tx, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	// After a commit this does nothing; after a failure the database has often rolled
	// back already, and the first error is the one to tell.
	defer func() { _ = tx.Rollback() }()
	s := session{tx, &db.Dialect}
	if db.Dialect.Begin != "" {
		if _, err := tx.ExecContext(ctx, db.Dialect.Begin); err != nil {
			return wrap(err)
		}
	}
	if err := do(s); err != nil {
		return wrap(err)
	}
	if err := tx.Commit(); err != nil {
		return wrap(err)
	}
	return nil
}

// bind writes the placeholders as the database wants them. No statement of this package
// has a question mark in a literal.
func (s session) bind(query string) string {
	if !s.dialect.Numbered {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// exec executes a statement and says how many rows it touched.
func (s session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := s.on.ExecContext(ctx, s.bind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row is what a scan reads.
type row interface{ Scan(into ...any) error }

// rows gives everything that a query answers.
func rows[T any](ctx context.Context, s session, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	found, err := s.on.QueryContext(ctx, s.bind(query), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // Err tells what went wrong
	var all []T
	for found.Next() {
		one, err := scan(found)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, found.Err()
}

// one gives the first row of an answer, or ErrNotFound.
func one[T any](ctx context.Context, s session, scan func(row) (T, error), query string, args ...any) (T, error) {
	all, err := rows(ctx, s, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// touched turns a statement that touched nothing into ErrNotFound.
func touched(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// number reads one integer.
func number(r row) (int64, error) {
	var n int64
	err := r.Scan(&n)
	return n, err
}

// text reads one text.
func text(r row) (string, error) {
	var s string
	err := r.Scan(&s)
	return s, err
}

// next gives the number after the highest of a table's column. Writers exclude one another,
// so no other takes it.
func next(ctx context.Context, s session, table string) (int64, error) {
	return one(ctx, s, number, "SELECT COALESCE(MAX(sequence), 0) + 1 FROM "+table)
}

// questionMarks gives n placeholders between brackets.
func questionMarks(n int) string {
	return "(" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")"
}

// told wraps an error of a question with what was asked.
func told[T any](what string) func(T, error) (T, error) {
	return func(answer T, err error) (T, error) {
		if err != nil {
			err = fmt.Errorf("casebook: %s: %w", what, err)
		}
		return answer, err
	}
}
