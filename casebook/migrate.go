package casebook

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrNewer says that the schema was made by a later version of the program.
var ErrNewer = errors.New("the casebook's schema is newer than this program")

//go:embed schema/*.sql
var schema embed.FS

// migrations lists the steps of the schema in order; the first leads to version 1. A
// step is two files, NAME.up.sql and NAME.down.sql. One that was ever released is never
// edited: a digest of each is kept in the database and compared.
var migrations = []string{
	"0001_casework",
	"0002_access",
	"0003_watching",
	"0004_alerting",
	"0005_guarding",
	"0006_teams",
}

// Newest is the version of the schema that this program works with.
func Newest() int { return len(migrations) }

// applied is a step that a database has gone.
type applied struct {
	version int
	digest  string
}

// Migrate brings a database's schema to a version, forward or back. Each step is a
// transaction of its own, so a failure leaves the schema between two steps and never
// within one. A step back deletes what only the newer schema could hold.
func Migrate(ctx context.Context, db Database, version int, at int64) error {
	if version < 0 || version > Newest() {
		return fmt.Errorf("casebook: there is no schema version %d, only 0 to %d", version, Newest())
	}
	err := transact(ctx, db, "prepare the schema", func(s session) error {
		_, err := s.exec(ctx, `CREATE TABLE IF NOT EXISTS casebook_schema (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
		return err
	})
	if err != nil {
		return err
	}
	for {
		done := false
		err := transact(ctx, db, "migrate", func(s session) error {
			var err error
			done, err = step(ctx, s, version, at)
			return err
		})
		if done || err != nil {
			return err
		}
	}
}

// Version is the version of a database's schema, 0 where there is none.
func Version(ctx context.Context, db Database) (int, error) {
	version := 0
	err := transact(ctx, db, "read the schema's version", func(s session) error {
		steps, err := history(ctx, s)
		version = len(steps)
		return err
	})
	return version, err
}

// step goes one step towards a version and says whether it is reached. The state is read
// in the same transaction, so two programs that start at once do not go a step twice.
func step(ctx context.Context, s session, version int, at int64) (bool, error) {
	steps, err := history(ctx, s)
	if err != nil {
		return false, err
	}
	have := len(steps)
	switch {
	case have == version:
		return true, nil
	case have > version:
		_, down, _ := files(have - 1)
		if _, err := s.exec(ctx, down); err != nil {
			return false, fmt.Errorf("back from %s: %w", migrations[have-1], err)
		}
		_, err := s.exec(ctx, `DELETE FROM casebook_schema WHERE version = ?`, have)
		return false, err
	}
	up, _, digest := files(have)
	if _, err := s.exec(ctx, up); err != nil {
		return false, fmt.Errorf("forward to %s: %w", migrations[have], err)
	}
	if s.dialect.Made != "" {
		if _, err := s.exec(ctx, s.dialect.Made); err != nil {
			return false, fmt.Errorf("forward to %s: %w", migrations[have], err)
		}
	}
	_, err = s.exec(ctx, `INSERT INTO casebook_schema (version, name, digest, applied_at) VALUES (?, ?, ?, ?)`, have+1, migrations[have], digest, at)
	return false, err
}

// history gives the steps gone, and refuses those that this program does not know.
func history(ctx context.Context, s session) ([]applied, error) {
	steps, err := rows(ctx, s, func(r row) (applied, error) {
		var a applied
		err := r.Scan(&a.version, &a.digest)
		return a, err
	}, `SELECT version, digest FROM casebook_schema ORDER BY version`)
	if err != nil {
		return nil, err
	}
	if len(steps) > len(migrations) {
		return nil, fmt.Errorf("version %d, known are %d: %w", len(steps), len(migrations), ErrNewer)
	}
	for i, step := range steps {
		if _, _, digest := files(i); step.version != i+1 || step.digest != digest {
			return nil, fmt.Errorf("step %d of the casebook's schema is not %s as this program knows it", step.version, migrations[i])
		}
	}
	return steps, nil
}

// files gives the statements of a step and their digest.
func files(i int) (up, down, digest string) {
	read := func(name string) string {
		text, err := schema.ReadFile("schema/" + name)
		if err != nil {
			panic(err) // the file belongs to the program
		}
		return string(text)
	}
	up, down = read(migrations[i]+".up.sql"), read(migrations[i]+".down.sql")
	sum := sha256.Sum256([]byte(up))
	return up, down, hex.EncodeToString(sum[:])
}
