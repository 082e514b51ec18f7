// Package postgrestest starts a real PostgreSQL server on loopback for tests, in a folder
// of its own. A test binary has one for all its tests, each with a database of its own;
// a test that ends or limits its server starts another. Databases sort text by the rules
// of English (ICU), as a server in use may, so that a test sees who relies on bytes.
package postgrestest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// User and Password are of the superuser of every server here.
const (
	User     = "coldtrail"
	Password = "not/easy?to@quote#%"
)

// shared is the server of the test binary, started when the first test needs it.
var shared struct {
	sync.Mutex
	server    *Server
	databases int
	failed    bool
}

// Main runs the tests of a binary and stops the server that they shared. It gives the
// exit code.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		if err := shared.server.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "postgrestest:", err)
			return max(code, 1)
		}
	}
	return code
}

// Database makes an empty database for the length of a test and gives its URL. The test
// is skipped where PostgreSQL is not installed.
func Database(tb testing.TB) string {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.failed {
		tb.Fatal("the server did not start for an earlier test")
	}
	if shared.server == nil {
		places := find(tb)
		shared.failed = true // until it is there
		// What a machine that loses its power would lose is of no interest here.
		server, err := create(places, "fsync=off", "full_page_writes=off")
		if err != nil {
			tb.Fatal(err)
		}
		shared.server, shared.failed = server, false
	}
	shared.databases++
	name := fmt.Sprintf("casebook-%d", shared.databases)
	server := shared.server
	server.Exec(tb, "postgres", fmt.Sprintf(`CREATE DATABASE %s`, pgx.Identifier{name}.Sanitize()))
	tb.Cleanup(func() {
		server.Exec(tb, "postgres", fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, pgx.Identifier{name}.Sanitize()))
	})
	return server.URL(name)
}

// Start starts a server for one test, with settings such as "fsync=off".
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	server, err := create(find(tb), settings...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.remove(); err != nil {
			tb.Error(err)
		}
	})
	return server
}

// Exec executes statements in a database, as the superuser.
func (s *Server) Exec(tb testing.TB, database, statements string) {
	tb.Helper()
	if err := s.exec(context.Background(), database, statements); err != nil {
		tb.Fatal(err)
	}
}

func (s *Server) exec(ctx context.Context, database, statements string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statements)
	return err
}
