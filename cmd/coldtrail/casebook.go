package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
)

// casework is the file of the casebook beside the store.
const casework = "casebook.db"

// openBook opens the casebook that was named, else the one beside the store.
func (s *session) openBook(ctx context.Context) (*casebook.SQL, error) {
	if s.casebook != "" {
		return openPostgres(ctx, s.casebook)
	}
	folder, err := s.folder()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, filepath.Join(folder, casework), time.Now().Unix(), sqlite.Options{})
}

type casebookVerb struct {
	Copy casebookCopyVerb `cmd:"" help:"Copy everything into an empty casebook: a file, or a database on PostgreSQL. Afterwards name the other one with --casebook, or put the file beside the store."`
}

type casebookCopyVerb struct {
	To string `arg:"" name:"PLACE" help:"A new file, or postgres://USER@HOST/DATABASE."`
}

// Run copies the casebook.
func (v *casebookCopyVerb) Run(ctx context.Context, s *session) (err error) {
	from, err := s.bookToCopy(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Write.Close(), from.Read.Close()) }()
	to, err := bookToFill(ctx, v.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Write.Close(), to.Read.Close()) }()
	for _, db := range []casebook.Database{from, to} {
		if err := casebook.Migrate(ctx, db, casebook.Newest(), time.Now().Unix()); err != nil {
			return err
		}
	}
	fmt.Fprintln(s.stderr, "note: copying; whoever writes to the casebook meanwhile waits")
	content, err := casebook.Copy(ctx, from, to)
	if errors.Is(err, casebook.ErrNotEmpty) {
		err = fmt.Errorf("%w; name a new file or a new database", err)
	}
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(content)
	}
	rows := int64(0)
	for _, n := range content.Rows {
		rows += n
	}
	_, err = fmt.Fprintf(s.stdout, "copied %d rows, read back with the same digest %s\n", rows, content.Digest)
	return err
}

// bookToCopy opens the casebook that is there; none is made.
func (s *session) bookToCopy(ctx context.Context) (casebook.Database, error) {
	if s.casebook != "" {
		return openPostgresDatabase(ctx, s.casebook)
	}
	folder, err := s.folder()
	if err != nil {
		return casebook.Database{}, err
	}
	path := filepath.Join(folder, casework)
	if _, err := os.Stat(path); err != nil {
		return casebook.Database{}, fmt.Errorf("there is no casebook to copy: %w; name the folder of the store with --data, or the casebook with --casebook", err)
	}
	return sqlite.OpenDatabase(ctx, path, sqlite.Options{})
}

// bookToFill opens the casebook at a place, which may be new.
func bookToFill(ctx context.Context, place string) (casebook.Database, error) {
	if strings.Contains(place, "://") {
		return openPostgresDatabase(ctx, place)
	}
	return sqlite.OpenDatabase(ctx, place, sqlite.Options{})
}
