package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/casebook"
	"coldtrail/casebook/casebooktest"
	"coldtrail/casebook/postgres"
	"coldtrail/internal/postgrestest"
)

// TestConnections checks what every connection was told, against what the database would
// tell it otherwise.
func TestConnections(t *testing.T) {
	address := postgrestest.Database(t)
	prepare := openDatabase(t, address)
	for setting, value := range map[string]string{"synchronous_commit": "off", "default_transaction_isolation": "serializable", "statement_timeout": "0", "client_encoding": "latin1"} {
		if _, err := prepare.Write.ExecContext(t.Context(), fmt.Sprintf(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET %s = ''%s''', current_database()); END $$`, setting, value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(prepare.Write.Close(), prepare.Read.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.OpenDatabase(t.Context(), address+"?lock_timeout=1234", postgres.Options{Readers: 3, Statement: 7 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(db.Write.Close(), db.Read.Close()) }()
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "default_transaction_isolation": "read committed", "statement_timeout": "7s", "lock_timeout": "1234ms",
		"idle_in_transaction_session_timeout": "1min", "application_name": "coldtrail", "client_encoding": "UTF8", "default_transaction_read_only": "off",
	} {
		got := ""
		if err := db.Write.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s of the writing connection is %s (%v), want %s", setting, got, err, want)
		}
		if setting == "default_transaction_read_only" {
			want = "on"
		}
		if err := db.Read.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s of a reading connection is %s (%v), want %s", setting, got, err, want)
		}
	}
	if read, write := db.Read.Stats().MaxOpenConnections, db.Write.Stats().MaxOpenConnections; read != 3 || write != 1 {
		t.Errorf("at most %d connections read and %d write, want 3 and 1", read, write)
	}
	if _, err := db.Read.ExecContext(t.Context(), `CREATE TABLE x (n BIGINT)`); err == nil {
		t.Error("a reading connection wrote")
	}
	if _, err := db.Write.ExecContext(t.Context(), `SELECT pg_sleep(60)`); err == nil || !strings.Contains(err.Error(), "statement timeout") {
		t.Errorf("a statement without end: %v", err)
	}
}

func save(t *testing.T, book *casebook.SQL, id string) {
	t.Helper()
	if _, err := book.SaveCase(t.Context(), casebook.CaseChange{ID: id, State: casebook.CaseOpen, Text: "case: " + id, By: "key-1", At: 1}); err != nil {
		t.Error(err)
	}
}

// TestPrograms opens a database without a schema many times at once: each step is gone once,
// all write, and each sees at once what any other did.
func TestPrograms(t *testing.T) {
	address := postgrestest.Database(t)
	const programs, each = 6, 10
	var group sync.WaitGroup
	books := make([]*casebook.SQL, programs)
	for i := range books {
		group.Go(func() {
			book, err := postgres.Open(t.Context(), address, 1, postgres.Options{Readers: 2})
			if err != nil {
				t.Error(err)
				return
			}
			books[i] = book
			for n := range each {
				save(t, book, fmt.Sprintf("%d-%02d", i, n))
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	for i, book := range books {
		cases, err := book.Cases(t.Context(), casebook.CaseFilter{})
		if err != nil || len(cases) != programs*each+i {
			t.Errorf("%d cases (%v), want %d", len(cases), err, programs*each+i)
		}
		save(t, book, fmt.Sprintf("last-%d", i))
		if _, err := books[(i+1)%programs].Case(t.Context(), fmt.Sprintf("last-%d", i)); err != nil {
			t.Errorf("right after the write: %v", err)
		}
	}
	for _, book := range books {
		shut(t, book)
	}
}

// TestRulesOfTheDatabase makes sure that the databases of the tests order texts by rules of
// their own, without which the order of texts would be tested by nothing.
func TestRulesOfTheDatabase(t *testing.T) {
	db := openDatabase(t, postgrestest.Database(t))
	defer func() { _ = errors.Join(db.Write.Close(), db.Read.Close()) }()
	english := false
	if err := db.Read.QueryRowContext(t.Context(), `SELECT 'a' < 'B'`).Scan(&english); err != nil || !english {
		t.Errorf("a comes before B: %t (%v), want it to", english, err)
	}
}

// TestWaiting has somebody else hold the lock: a write gives up after its time and leaves
// nothing behind, reading goes on, and afterwards writing does.
func TestWaiting(t *testing.T) {
	address := postgrestest.Database(t)
	book, err := postgres.Open(t.Context(), address, 1, postgres.Options{Wait: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, book)
	other := openDatabase(t, address)
	defer func() { _ = errors.Join(other.Write.Close(), other.Read.Close()) }()
	tx, err := other.Write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), postgres.Dialect.Begin); err != nil {
		t.Fatal(err)
	}
	_, err = book.SaveCase(t.Context(), casebook.CaseChange{ID: "a", State: casebook.CaseOpen, By: "k", At: 1, Text: "x"})
	if err == nil || !strings.Contains(err.Error(), "lock timeout") {
		t.Errorf("a write while another writes: %v", err)
	}
	if cases, err := book.Cases(t.Context(), casebook.CaseFilter{}); err != nil || len(cases) != 0 {
		t.Errorf("meanwhile %d cases (%v), want none", len(cases), err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	save(t, book, "a")
}

// alert is one of a pair, which only come together. Its body does not compress.
func alert(n, size int) casebook.Alert {
	var text strings.Builder
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, "%x", sha256.Sum256(fmt.Appendf(nil, "%d %d", n, i)))
	}
	body := json.RawMessage(`{"fill":"` + text.String() + `"}`)
	return casebook.Alert{Kind: casebook.WatchHit, Subject: fmt.Sprintf("s%d", n), Body: body, Cause: casebook.Cause{Chain: "eip155:1", Height: uint64(n / 2), Block: "0x1"}, Created: 1}
}

// hook adds a webhook that wants everything.
func hook(t *testing.T, book *casebook.SQL) {
	t.Helper()
	err := errors.Join(
		book.SaveTarget(t.Context(), casebook.Target{ID: "hook", Kind: casebook.Webhook, Address: "https://example.org/", Secrets: []string{"0123456789abcdef"}, By: "k"}),
		book.SaveSubscription(t.Context(), casebook.Subscription{ID: "all", Target: "hook", By: "k"}))
	if err != nil {
		t.Fatal(err)
	}
}

// whole checks that there are alerts in pairs, each with its delivery, and gives how many
// pairs.
func whole(t *testing.T, book *casebook.SQL) int {
	t.Helper()
	_, pairs := casebooktest.Pairs(t, book)
	return pairs
}

// TestKilled kills the server, with all its processes, in the middle of writes, several
// times over. What was acknowledged is there, nothing by halves, and the program, whose
// casebook stays open, goes on when the server is back.
func TestKilled(t *testing.T) {
	server := postgrestest.Start(t)
	book := open(t, server.URL("postgres"))
	defer func() { shut(t, book) }()
	hook(t, book)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var done, refused atomic.Int64 // pairs that were acknowledged, errors
	var group sync.WaitGroup
	group.Go(func() {
		for n := 0; ctx.Err() == nil; {
			if _, err := book.Raise(ctx, []casebook.Alert{alert(2*n, 3000), alert(2*n+1, 3000)}); err != nil {
				refused.Add(1)
				time.Sleep(10 * time.Millisecond)
				continue
			}
			n++
			done.Store(int64(n))
		}
	})
	for round := range 4 {
		for from := done.Load(); done.Load() < from+10; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		server.Kill(t)
		acknowledged, errs := done.Load(), refused.Load()
		if _, err := book.Case(t.Context(), "a"); err == nil || errors.Is(err, casebook.ErrNotFound) {
			t.Errorf("a dead server answered: %v", err)
		}
		for refused.Load() == errs {
			time.Sleep(time.Millisecond)
		}
		server.Up(t)
		// Another program, which was not there before, sees all of it.
		other := open(t, server.URL("postgres"))
		if pairs := whole(t, other); int64(pairs) < acknowledged {
			t.Errorf("round %d: %d pairs are there, %d were acknowledged", round, pairs, acknowledged)
		}
		shut(t, other)
	}
	for from := done.Load(); done.Load() < from+5; { // the writer goes on
		time.Sleep(time.Millisecond)
	}
	stop()
	group.Wait()
	if pairs := int64(whole(t, book)); pairs < done.Load() || pairs > done.Load()+1 {
		t.Errorf("%d pairs are there, %d were acknowledged", pairs, done.Load())
	}
}

// TestDown stops the server in order: a reader that has just read gets an error at most
// once on each connection, and goes on by itself.
func TestDown(t *testing.T) {
	server := postgrestest.Start(t)
	book := open(t, server.URL("postgres"))
	defer func() { shut(t, book) }()
	save(t, book, "a")
	server.Down(t)
	_, err := book.Case(t.Context(), "a")
	if err == nil || errors.Is(err, casebook.ErrNotFound) {
		t.Fatalf("a stopped server answered: %v", err)
	}
	if _, err = book.Case(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "database postgres on 127.0.0.1:") || !strings.Contains(err.Error(), "check that the server runs") {
		t.Errorf("a stopped server: %v", err)
	}
	server.Up(t)
	if _, err := book.Case(t.Context(), "a"); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	save(t, book, "b")
}

// TestFull has files of the server grow as far as a full disk lets them: the error says so,
// nothing is half there, what was acknowledged is, reading goes on, and once there is room
// writing does.
func TestFull(t *testing.T) {
	server := postgrestest.Start(t, "fsync=off", "wal_recycle=off", "wal_init_zero=off")
	server.Limit(t, 20<<20+4096) // the log's files have 16 MiB; half a page makes it a full disk
	book := open(t, server.URL("postgres"))
	defer func() { shut(t, book) }()
	hook(t, book)
	acknowledged := 0
	var err error
	for i := range 300 {
		if _, err = book.Raise(t.Context(), []casebook.Alert{alert(2*i, 100_000), alert(2*i+1, 100_000)}); err != nil {
			break
		}
		acknowledged++
	}
	if !errors.Is(err, casebook.ErrFull) {
		t.Fatalf("a full disk: %v, want ErrFull", err)
	}
	if pairs := whole(t, book); pairs != acknowledged || pairs == 0 {
		t.Errorf("%d pairs are there, %d were acknowledged", pairs, acknowledged)
	}
	shut(t, book)
	server.Limit(t, 0)
	book = open(t, server.URL("postgres"))
	if _, err := book.Raise(t.Context(), []casebook.Alert{alert(9000, 100_000), alert(9001, 100_000)}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if pairs := whole(t, book); pairs != acknowledged+1 {
		t.Errorf("%d pairs are there, want %d", pairs, acknowledged+1)
	}
}

// TestRefused reads what is said to who cannot open a casebook: it names database and host
// and what to do, and never a password.
func TestRefused(t *testing.T) {
	server := postgrestest.Start(t, "fsync=off")
	server.Exec(t, "postgres", `CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0`)
	server.Exec(t, "postgres", `CREATE ROLE guest LOGIN PASSWORD 'guests-own-secret'`)
	as := func(change func(u *url.URL)) string {
		u, err := url.Parse(server.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	for name, tc := range map[string]struct {
		address string
		want    []string
	}{
		"password":     {as(func(u *url.URL) { u.User = url.UserPassword(postgrestest.User, "wrong-secret") }), []string{"database postgres on 127.0.0.1:", "check user and password"}},
		"user":         {as(func(u *url.URL) { u.User = url.UserPassword("nobody-here", "wrong-secret") }), []string{"check user and password"}},
		"database":     {as(func(u *url.URL) { u.Path = "/none" }), []string{"database none on 127.0.0.1:", `CREATE DATABASE "none" ENCODING 'UTF8'`}},
		"encoding":     {as(func(u *url.URL) { u.Path = "/latin" }), []string{"database latin on 127.0.0.1:", "texts are LATIN1"}},
		"rights":       {as(func(u *url.URL) { u.User = url.UserPassword("guest", "guests-own-secret") }), []string{"database postgres on 127.0.0.1:", "GRANT CREATE ON SCHEMA public"}},
		"encryption":   {as(func(u *url.URL) { u.RawQuery = "sslmode=require" }), []string{"refused TLS", "sslmode=disable"}},
		"another port": {as(func(u *url.URL) { u.Host = "127.0.0.1:1" }), []string{"database postgres on 127.0.0.1:1", "check that the server runs"}},
		"certificate":  {as(func(u *url.URL) { u.RawQuery = "sslmode=verify-full&sslrootcert=/none/root.crt" }), []string{"names a file", "/none/root.crt"}},
		"slash":        {"postgres://coldtrail:the/secret@127.0.0.1:5432/x", []string{"is not understood", "%2F"}},
		"number sign":  {"postgres://coldtrail:12#secret@127.0.0.1/x", []string{"is not understood"}},
		"no address":   {"host=127.0.0.1 password=secret", []string{"is not understood", "postgres://USER"}},
		"other":        {"mysql://coldtrail:secret@127.0.0.1/x", []string{"is not understood"}},
		"percent":      {"postgres://coldtrail:secret%zz@127.0.0.1/x", []string{"is not understood"}},
		"ports":        {"postgres://coldtrail:secret@127.0.0.1:99999/x", []string{"is not understood"}},
		"mode":         {"postgres://coldtrail:secret@127.0.0.1/x?sslmode=secret", []string{"is not understood"}},
	} {
		book, err := postgres.Open(t.Context(), tc.address, 1, postgres.Options{})
		if err == nil {
			t.Errorf("%s: opened", name)
			shut(t, book)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
		for _, secret := range []string{"secret", postgrestest.Password, url.QueryEscape(postgrestest.Password)} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %q holds a password", name, err)
			}
		}
	}
}
