package sqlite_test

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"coldtrail/casebook"
	"coldtrail/casebook/casebooktest"
	"coldtrail/casebook/sqlite"
	"coldtrail/screen/exposure"
)

func open(t *testing.T, path string, options sqlite.Options) *casebook.SQL {
	t.Helper()
	book, err := sqlite.Open(t.Context(), path, 1, options)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestSuite(t *testing.T) {
	casebooktest.Run(t, func(t *testing.T) casebook.Book {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "casebook.db"), sqlite.Options{})
	})
}

func TestMigrations(t *testing.T) { casebooktest.RunMigrations(t, openDatabase) }

func openDatabase(t *testing.T) casebook.Database {
	t.Helper()
	db, err := sqlite.OpenDatabase(t.Context(), filepath.Join(t.TempDir(), "casebook.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestCopy(t *testing.T) { casebooktest.RunCopy(t, openDatabase, openDatabase) }

func TestTables(t *testing.T) {
	casebooktest.RunTables(t, func(t *testing.T) map[string][]string {
		t.Helper()
		db := openDatabase(t)
		book, err := casebook.Open(t.Context(), db, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(t, book)
		rows, err := db.Read.QueryContext(t.Context(), `SELECT t.name, c.name || CASE c.type WHEN 'TEXT' THEN ' text' WHEN 'BIGINT' THEN ' integer' ELSE c.type END || CASE WHEN c.pk > 0 THEN ' key' ELSE '' END
			FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c."notnull" = 1`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		columns := map[string][]string{}
		for rows.Next() {
			table, column := "", ""
			if err := rows.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			columns[table] = append(columns[table], column)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return columns
	})
}

// TestFile checks what every connection was told, who may read the file, and names that
// an address of a file would read otherwise.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c%41#d&_pragma=x.db")
	book := open(t, path, sqlite.Options{})
	save(t, book, "a")
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, want 0600", info.Mode().Perm())
	}
	db, err := sqlite.OpenDatabase(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		for name, conn := range map[string]*sql.DB{"write": db.Write, "read": db.Read} {
			got := ""
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s of the %s connection is %s (%v), want %s", pragma, name, got, err, want)
			}
		}
	}
	if _, err := db.Read.ExecContext(t.Context(), `DELETE FROM cases`); err == nil {
		t.Error("a reading connection wrote")
	}
	if err := errors.Join(db.Read.Close(), db.Write.Close()); err != nil {
		t.Error(err)
	}
}

func save(t *testing.T, book *casebook.SQL, id string) {
	t.Helper()
	if _, err := book.SaveCase(t.Context(), casebook.CaseChange{ID: id, State: casebook.CaseOpen, Text: "case: " + id, By: "key-1", At: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestTwoPrograms has one file open twice: both write, each sees what the other did.
func TestTwoPrograms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "casebook.db")
	one, two := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	var group sync.WaitGroup
	for name, book := range map[string]*casebook.SQL{"one": one, "two": two} {
		group.Go(func() {
			for i := range 30 {
				save(t, book, fmt.Sprintf("%s-%02d", name, i))
			}
		})
	}
	group.Wait()
	for _, book := range []*casebook.SQL{one, two} {
		cases, err := book.Cases(t.Context(), casebook.CaseFilter{})
		if err != nil || len(cases) != 60 {
			t.Errorf("%d cases (%v), want 60", len(cases), err)
		}
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBackup(t *testing.T) {
	folder := t.TempDir()
	path, to := filepath.Join(folder, "casebook.db"), filepath.Join(folder, "copy.db")
	book := open(t, path, sqlite.Options{})
	save(t, book, "before")
	if err := sqlite.Backup(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	save(t, book, "after")
	if err := sqlite.Backup(t.Context(), path, to); err == nil {
		t.Error("a backup was written over another")
	}
	if err := sqlite.Backup(t.Context(), filepath.Join(folder, "none.db"), filepath.Join(folder, "x.db")); err == nil {
		t.Error("a casebook that is not there was backed up")
	}
	again := open(t, to, sqlite.Options{})
	cases, err := again.Cases(t.Context(), casebook.CaseFilter{})
	if err != nil || len(cases) != 1 || cases[0].ID != "before" {
		t.Errorf("the copy holds %+v (%v), want the case before it", cases, err)
	}
	if err := errors.Join(book.Close(), again.Close()); err != nil {
		t.Error(err)
	}
}

// TestFull writes until the disk is full: the error says so, nothing is half there, what
// was acknowledged is, reading goes on, and once there is room writing does.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "casebook.db")
	book := open(t, path, sqlite.Options{MaxPages: 200})
	hook(t, book)
	body := json.RawMessage(`{"fill":"` + strings.Repeat("x", 20_000) + `"}`)
	acknowledged := 0
	var err error
	for i := range 1000 {
		pair := []casebook.Alert{alert(2*i, body), alert(2*i+1, body)}
		if _, err = book.Raise(t.Context(), pair); err != nil {
			break
		}
		acknowledged += len(pair)
	}
	if !errors.Is(err, casebook.ErrFull) {
		t.Fatalf("a full disk: %v, want ErrFull", err)
	}
	if acknowledged == 0 {
		t.Fatal("there was no room from the start")
	}
	if _, err := book.SaveCase(t.Context(), casebook.CaseChange{ID: "large", State: casebook.CaseOpen, Text: strings.Repeat("y", 100_000), By: "k", At: 1}); !errors.Is(err, casebook.ErrFull) {
		t.Errorf("a large case: %v, want ErrFull", err)
	}
	whole(t, book, acknowledged)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	book = open(t, path, sqlite.Options{})
	whole(t, book, acknowledged)
	if _, err := book.Raise(t.Context(), []casebook.Alert{alert(5000, body), alert(5001, body)}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	whole(t, book, acknowledged+2)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
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

// alert is one of a pair, which only come together.
func alert(n int, body json.RawMessage) casebook.Alert {
	return casebook.Alert{Kind: casebook.WatchHit, Subject: fmt.Sprintf("s%d", n), Body: body, Cause: casebook.Cause{Chain: "eip155:1", Height: uint64(n / 2), Block: "0x1"}, Created: 1}
}

// whole checks that there are so many alerts, in pairs, each with its delivery.
func whole(t *testing.T, book *casebook.SQL, want int) {
	t.Helper()
	if n, _ := casebooktest.Pairs(t, book); n != want {
		t.Errorf("%d alerts, want %d", n, want)
	}
}

// TestKilled kills a program in the middle of its writes, several times over, and wants
// everything that it had acknowledged, and nothing by halves.
func TestKilled(t *testing.T) {
	if path := os.Getenv("COLDTRAIL_TEST_WRITE"); path != "" {
		writeForEver(t, path)
	}
	path := filepath.Join(t.TempDir(), "casebook.db")
	acknowledged := 0
	for round := range 4 {
		last := killWriter(t, path, 15+20*round)
		if last < acknowledged {
			t.Fatalf("round %d acknowledged nothing", round)
		}
		acknowledged = last
		book := open(t, path, sqlite.Options{})
		alerts := 0
		for page, err := book.Alerts(t.Context(), casebook.AlertFilter{}); len(page) > 0; page, err = book.Alerts(t.Context(), casebook.AlertFilter{After: int64(alerts)}) {
			if err != nil {
				t.Fatal(err)
			}
			alerts += len(page)
		}
		// One write may have been done whose word did not get out.
		if pairs := alerts / 2; pairs < acknowledged || pairs > acknowledged+1 {
			t.Errorf("round %d: %d pairs are there, %d were acknowledged", round, pairs, acknowledged)
		}
		whole(t, book, alerts)
		acknowledged = alerts / 2
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killWriter runs a writer, kills it when it has acknowledged so many writes more, and
// gives the number of the last it acknowledged.
func killWriter(t *testing.T, path string, writes int) int {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "COLDTRAIL_TEST_WRITE="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last, seen := 0, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the writer said %q", lines.Text())
		}
		last = n
		if seen++; seen == writes {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	return last
}

// writeForEver writes pairs of alerts and says after each how many there are.
func writeForEver(t *testing.T, path string) {
	t.Helper()
	book := open(t, path, sqlite.Options{})
	hook(t, book)
	body := json.RawMessage(`{"fill":"` + strings.Repeat("x", 5_000) + `"}`)
	for n := 0; ; n++ {
		raised, err := book.Raise(t.Context(), []casebook.Alert{alert(2*n, body), alert(2*n+1, body)})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if len(raised) > 0 {
			fmt.Println(n + 1)
		}
	}
}

// BenchmarkClaim claims from an outbox whose receiver has been away: many wait, few are due.
func BenchmarkClaim(b *testing.B) {
	path := filepath.Join(b.TempDir(), "casebook.db")
	book, err := sqlite.Open(b.Context(), path, 1, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer shut(b, book)
	err = errors.Join(
		book.SaveTarget(b.Context(), casebook.Target{ID: "hook", Kind: casebook.Webhook, Address: "https://example.org/", Secrets: []string{"0123456789abcdef"}, By: "k"}),
		book.SaveSubscription(b.Context(), casebook.Subscription{ID: "all", Target: "hook", By: "k"}))
	if err != nil {
		b.Fatal(err)
	}
	for i := range 10 {
		alerts := make([]casebook.Alert, 10_000)
		for j := range alerts {
			alerts[j] = casebook.Alert{Kind: casebook.WatchHit, Subject: fmt.Sprintf("s%d", j%2000), Cause: casebook.Cause{Chain: "eip155:1", Height: uint64(10_000*i + j), Block: "0x1"}, Created: 1}
		}
		if _, err := book.Raise(b.Context(), alerts); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		out, err := book.Claim(b.Context(), casebook.Claim{At: 10, Until: 10, Limit: 32})
		if err != nil || len(out) != 32 {
			b.Fatal(len(out), err)
		}
	}
}

// BenchmarkKeepScreened keeps batches of ten thousand subjects, half of them known.
func BenchmarkKeepScreened(b *testing.B) {
	book, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "casebook.db"), 1, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer shut(b, book)
	n := 0
	for b.Loop() {
		batch := make([]casebook.Screened, casebook.MaxBatch)
		for i := range batch {
			n++
			batch[i] = casebook.Screened{Subject: fmt.Sprintf("0x%040x", n*7919%(1<<20)), Chain: "eip155:1", Outcome: exposure.Allow, Level: exposure.None, Judged: int64(n), Asked: int64(n), By: "key-1"}
		}
		if err := book.KeepScreened(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(casebook.MaxBatch)*float64(b.N)/b.Elapsed().Seconds(), "subjects/s")
}

// BenchmarkRaise raises alerts one at a time, each synced.
func BenchmarkRaise(b *testing.B) {
	book, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "casebook.db"), 1, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer shut(b, book)
	for n := 0; b.Loop(); n++ {
		if _, err := book.Raise(b.Context(), []casebook.Alert{{Kind: casebook.WatchHit, Subject: "a", Cause: casebook.Cause{Chain: "eip155:1", Height: uint64(n), Block: "0x1"}}}); err != nil {
			b.Fatal(err)
		}
	}
}

func shut(tb testing.TB, book *casebook.SQL) {
	tb.Helper()
	if err := book.Close(); err != nil {
		tb.Error(err)
	}
}

// TestTransfer brings everything into another file, and wants no table or column of the
// schema to be left out.
func TestTransfer(t *testing.T) {
	empty := func(t *testing.T) casebook.Database {
		t.Helper()
		db, err := sqlite.OpenDatabase(t.Context(), filepath.Join(t.TempDir(), "casebook.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	casebooktest.RunTransfer(t, empty)
	db := empty(t)
	book, err := casebook.Open(t.Context(), db, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}()
	var have, want []string
	rows, err := db.Read.QueryContext(t.Context(), `SELECT m.name || ' ' || c.name || ' ' || c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'casebook_schema' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		want = append(want, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range casebook.Tables() {
		for _, c := range table.Columns {
			kind := map[casebook.ColumnKind]string{casebook.Text: "TEXT", casebook.Integer: "BIGINT"}[c.Kind]
			have = append(have, table.Name+" "+c.Name+" "+kind)
		}
	}
	slices.Sort(have)
	if len(want) < 100 || !slices.Equal(have, want) {
		t.Errorf("casebook.Tables() has\n%s\nthe schema\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}
