// Package postgres keeps a casebook in a PostgreSQL database, for several machines.
//
// Writers exclude one another by a lock of the database, so that several programs may have
// one casebook open. A commit is acknowledged when the server has it on its disk. Texts are
// ordered by bytes, whatever the database's own rules, as in every other casebook.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"coldtrail/casebook"
)

// Options change how a database is opened. The zero value works.
type Options struct {
	// Readers is how many connections read; 0 is 8. One more writes, when it is needed.
	Readers int
	// Wait is how long a write waits for one of another program; 0 is ten seconds.
	Wait time.Duration
	// Statement is how long one statement may take; 0 is thirty seconds.
	Statement time.Duration
}

// Lock is the number of the advisory lock (pg_advisory_xact_lock) that every writing
// transaction of a casebook holds: the bytes of "coldtrai". Whoever wants to keep writers
// out, for instance to look at a state that stays, takes it too.
const Lock = 7165064710875930985

// Dialect is how PostgreSQL differs.
//
// Transactions are READ COMMITTED and need no more. The lock is the first statement of every
// one that writes, and it is held until the end: no other writer is between its reads and
// its writes, so what it read is so when it commits. At READ COMMITTED each statement sees
// what was committed before it began, hence everything that the last holder of the lock
// wrote. At a higher level it would not: the snapshot would be taken with the first
// statement, which is the one that waits. Questions are single statements, which see one
// state in any case.
var Dialect = casebook.Dialect{
	Name: "postgresql", Numbered: true, Full: full,
	Begin: fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, Lock),
	Made:  ordered(),
}

// full says whether an error means that there is no room (disk_full).
func full(err error) bool { return code(err) == "53100" }

// code gives the SQLSTATE of an error, or nothing.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// ordered gives all text columns of a casebook's tables the collation "C", which orders by
// bytes, so that every comparison, order and index of theirs does. It is done to the tables
// and not said in every statement, because an index of other rules would then be of no use;
// and not asked of the database, whose rules are fixed when it is made. The steps of the
// schema stay as they are. Columns that have it already are left alone.
func ordered() string {
	var names []string
	for _, table := range casebook.Tables() {
		names = append(names, "'"+table.Name+"'")
	}
	return `DO $$
DECLARE statement text;
BEGIN
	FOR statement IN
		SELECT format('ALTER TABLE %I ', c.relname) || string_agg(format('ALTER COLUMN %I TYPE text COLLATE "C"', a.attname), ', ')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname IN (` + strings.Join(names, ", ") + `)
			AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype AND l.collname <> 'C'
		GROUP BY c.relname
	LOOP
		EXECUTE statement;
	END LOOP;
END $$`
}

// Open opens the casebook in a database that exists, and brings its schema forward. The
// address is postgres://USER:PASSWORD@HOST:PORT/DATABASE with the parameters of libpq; what
// it leaves out comes from libpq's variables (PGPASSWORD, PGPASSFILE and so on). At is the
// moment, Unix seconds.
func Open(ctx context.Context, address string, at int64, options Options) (*casebook.SQL, error) {
	server, err := parse(address, options)
	if err != nil {
		return nil, err
	}
	db, err := server.open(ctx)
	if err != nil {
		return nil, err
	}
	book, err := casebook.Open(ctx, db, at)
	if err != nil {
		return nil, errors.Join(server.told(err), db.Write.Close(), db.Read.Close())
	}
	return book, nil
}

// OpenDatabase opens a database without looking at the schema, for casebook.Migrate and
// casebook.Copy.
func OpenDatabase(ctx context.Context, address string, options Options) (casebook.Database, error) {
	server, err := parse(address, options)
	if err != nil {
		return casebook.Database{}, err
	}
	return server.open(ctx)
}

// reading is what connections are told that only read.
var reading = map[string]string{"default_transaction_read_only": "on"}

// open connects, and checks that the database can hold every text.
func (s *server) open(ctx context.Context) (casebook.Database, error) {
	// One connection writes: more would only wait for one another, at the server and not
	// here, and keep readers from theirs.
	db := casebook.Database{Write: s.pool(1, nil), Read: s.pool(s.readers, reading), Dialect: Dialect}
	encoding := ""
	err := db.Write.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding)
	if err == nil && encoding != "UTF8" {
		err = fmt.Errorf("its texts are %s, and a casebook needs UTF8: make a database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	if err != nil {
		return casebook.Database{}, errors.Join(s.told(err), db.Write.Close(), db.Read.Close())
	}
	return db, nil
}

// pool makes connections as they are needed. They are closed when they have been idle for
// minutes, and after an hour, so that a server that moved is found again.
func (s *server) pool(connections int, settings map[string]string) *sql.DB {
	db := sql.OpenDB(s.connector(settings))
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	return db
}
