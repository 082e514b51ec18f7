// Package sqlite keeps a casebook in one file, by SQLite in Go without a C compiler.
//
// The log is written ahead (WAL) and synced at every commit (synchronous=FULL): what a
// write acknowledged survives a killed process and a lost power supply. One connection
// writes, several read what is committed; other processes may open the same file and
// wait for one another. The file must be on a local disk.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"coldtrail/casebook"
)

// Options change how a file is opened. The zero value works.
type Options struct {
	// Readers is how many connections read; 0 is 4.
	Readers int
	// Wait is how long a write waits for one of another process; 0 is ten seconds.
	Wait time.Duration
	// MaxPages bounds the file, in pages of 4,096 bytes; 0 leaves it unbounded. A write
	// beyond it fails with casebook.ErrFull.
	MaxPages int
}

// Dialect is how SQLite differs. It keeps other writers out by itself.
var Dialect = casebook.Dialect{Name: "sqlite", Full: full}

// full says whether an error means that there is no room.
func full(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// Open opens the casebook in a file, or makes one that only its owner may read, and
// brings its schema forward. At is the moment, Unix seconds.
func Open(ctx context.Context, path string, at int64, options Options) (*casebook.SQL, error) {
	db, err := OpenDatabase(ctx, path, options)
	if err != nil {
		return nil, err
	}
	book, err := casebook.Open(ctx, db, at)
	if err != nil {
		return nil, errors.Join(err, db.Write.Close(), db.Read.Close())
	}
	return book, nil
}

// OpenDatabase opens the file without looking at its schema, for casebook.Migrate.
func OpenDatabase(ctx context.Context, path string, options Options) (casebook.Database, error) {
	fail := func(err error) (casebook.Database, error) {
		return casebook.Database{}, fmt.Errorf("open casebook %s: %w", path, err)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return fail(err)
	}
	if err := create(full); err != nil {
		return fail(err)
	}
	write, err := sql.Open("sqlite", address(full, options, "&_txlock=immediate"))
	if err != nil {
		return fail(err)
	}
	write.SetMaxOpenConns(1)
	// The first connection turns the file to WAL, before any reader comes.
	if err := write.PingContext(ctx); err != nil {
		return fail(errors.Join(err, write.Close()))
	}
	read, err := sql.Open("sqlite", address(full, options, "&_pragma=query_only(1)"))
	if err != nil {
		return fail(errors.Join(err, write.Close()))
	}
	readers := options.Readers
	if readers <= 0 {
		readers = 4
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return casebook.Database{Read: read, Write: write, Dialect: Dialect}, nil
}

// create makes the file before SQLite does, so that nobody else may read it: it holds the
// secrets of webhooks. The files beside it get the same rights.
func create(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// address is the name of the file with what every connection is told.
func address(path string, options Options, more string) string {
	wait := options.Wait
	if wait <= 0 {
		wait = 10 * time.Second
	}
	pragmas := "?_pragma=busy_timeout(" + strconv.FormatInt(wait.Milliseconds(), 10) + ")" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=trusted_schema(0)"
	if options.MaxPages > 0 {
		pragmas += "&_pragma=max_page_count(" + strconv.Itoa(options.MaxPages) + ")"
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return name.String() + pragmas + more
}

// Backup writes a copy of a casebook's file to a new file, while others write on.
func Backup(ctx context.Context, path, to string) error {
	if err := backup(ctx, path, to); err != nil {
		return fmt.Errorf("back up casebook %s: %w", path, err)
	}
	return nil
}

func backup(ctx context.Context, path, to string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := OpenDatabase(ctx, path, Options{})
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(db.Read.Close(), db.Write.Close()) }()
	if err := create(to); err != nil {
		return err
	}
	_, err = db.Write.ExecContext(ctx, `VACUUM INTO ?`, to)
	return err
}
