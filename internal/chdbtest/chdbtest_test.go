package chdbtest_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"coldtrail/internal/chdbtest"
)

func exec(t *testing.T, e *chdbtest.Engine, statement string) {
	t.Helper()
	if err := e.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func query(t *testing.T, e *chdbtest.Engine, statement string) [][]string {
	t.Helper()
	rows, err := e.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// want wants rows, each a text with fields between bars.
func want(t *testing.T, e *chdbtest.Engine, statement string, rows ...string) {
	t.Helper()
	var wanted [][]string
	for _, row := range rows {
		wanted = append(wanted, strings.Split(row, "|"))
	}
	if got := query(t, e, statement); !reflect.DeepEqual(got, wanted) {
		t.Errorf("%s:\n got %q\nwant %q", statement, got, wanted)
	}
}

const greatest = "115792089237316195423570985008687907853269984665640564039457584007913129639935" // 2^256 - 1

// TestToday runs what an engine of today has and the oldest supported one has not.
func TestToday(t *testing.T) {
	e := chdbtest.Open(t)
	exec(t, e, `CREATE TABLE moved (
		height UInt64 CODEC(DoubleDelta, ZSTD(3)),
		tx FixedString(32),
		asset LowCardinality(String),
		amount UInt256 CODEC(ZSTD),
		note Nullable(String),
		INDEX of_tx tx TYPE bloom_filter GRANULARITY 1
	) ENGINE = MergeTree ORDER BY height`)
	exec(t, e, `INSERT INTO moved SELECT number, repeat(char(number % 256), 32), if(number % 2 = 0, 'ETH', 'BTC'), number, NULL FROM numbers(1000)`)
	exec(t, e, `INSERT INTO moved VALUES (1000, unhex('`+strings.Repeat("ff", 32)+`'), 'ETH', '`+greatest+`', 'a\tb\\c\nd')`)

	want(t, e, "SELECT count(), uniqExact(asset), max(amount) FROM moved", "1001|2|"+greatest)
	want(t, e, "SELECT height, note FROM moved WHERE height IN (7, 1000) ORDER BY height", `7|\N`, "1000|a\tb\\c\nd")
	want(t, e, "SELECT sum(amount) FROM moved WHERE height < 1000 AND asset = 'BTC'", "250000")
	want(t, e, "SELECT hex(tx) FROM moved WHERE tx = unhex('"+strings.Repeat("ff", 32)+"') AND height = 1000", strings.Repeat("FF", 32))
	want(t, e, "SELECT compression_codec FROM system.columns WHERE table = 'moved' AND name = 'height'", "CODEC(DoubleDelta, ZSTD(3))")
	want(t, e, "SELECT name, type FROM system.data_skipping_indices WHERE table = 'moved'", "of_tx|bloom_filter")

	exec(t, e, "DELETE FROM moved WHERE height < 990")
	want(t, e, "SELECT count(), min(height) FROM moved", "11|990")
	want(t, e, "WITH RECURSIVE r AS (SELECT toUInt64(1) AS n UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT sum(n) FROM r", "10")
	want(t, e, "SELECT 1 WHERE 0")
}

// TestRefusal wants the engine's own words, and an engine that goes on.
func TestRefusal(t *testing.T) {
	e := chdbtest.Open(t)
	for statement, word := range map[string]string{
		"SELECT nothing":           "UNKNOWN_IDENTIFIER",
		"SELECT":                   "SYNTAX_ERROR",
		"SELECT * FROM no.table":   "UNKNOWN_DATABASE",
		"SELECT throwIf(1, 'now')": "now",
	} {
		if rows, err := e.Query(statement); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %q, %v; want %s", statement, rows, err, word)
		}
	}
	want(t, e, "SELECT version() LIKE '26.%', 1", "1|1")
}

// TestFolders wants an engine that is opened again to be empty, though not when its test
// ends: the folder is gone then.
func TestFolders(t *testing.T) {
	var kept *chdbtest.Engine
	for range 3 {
		t.Run("engine", func(t *testing.T) {
			e := chdbtest.Open(t)
			exec(t, e, "CREATE TABLE once (n UInt64) ENGINE = MergeTree ORDER BY n")
			exec(t, e, "INSERT INTO once SELECT number FROM numbers(10)")
			want(t, e, "SELECT count() FROM once", "10")
			kept = e
		})
	}
	if kept == nil {
		t.Skip("no engine")
	}
	if err := kept.Exec("SELECT 1"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("an engine of a test that has ended: %v", err)
	}
}

// TestGoKeepsItsSignals wants a fault of Go to be a panic still, not the end of the process.
func TestGoKeepsItsSignals(t *testing.T) {
	e := chdbtest.Open(t)
	want(t, e, "SELECT 1", "1")
	defer func() {
		if err := recover(); !strings.Contains(fmt.Sprint(err), "nil pointer") {
			t.Errorf("recovered %v", err)
		}
		want(t, e, "SELECT 2", "2")
	}()
	third := func(of *[4]byte) byte { return of[3] }
	t.Error(third(nil))
}
