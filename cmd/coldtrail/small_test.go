package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A small build gives the demo's answer to the byte, and says of what it leaves out that it
// is left out.
func TestSmallBuild(t *testing.T) {
	small := filepath.Join(t.TempDir(), "coldtrail-small")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "small", "-o", small, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := runOf(t, small, "demo", "--json"); got.code != 0 || got.stdout != must(t, "demo", "--json") {
		t.Errorf("the small build's demo ends with %d, or its answer is another than the whole build's\n%s", got.code, got.stderr)
	}
	data := "--data=" + t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"status", "--store=clickhouse://127.0.0.1:9000/coldtrail"}, "without ClickHouse and PostgreSQL"},
		{[]string{"keys", "list", "--casebook=postgres://127.0.0.1/coldtrail", data}, "without ClickHouse and PostgreSQL"},
		{[]string{"casebook", "copy", "postgres://127.0.0.1/coldtrail", "--casebook=postgres://127.0.0.1/other"}, "without ClickHouse and PostgreSQL"},
		{[]string{"ingest", "bitcoin", "--share", "--to=9", "--from=blocks:x", "--store=clickhouse://127.0.0.1:9000/coldtrail"}, "without ClickHouse and PostgreSQL"},
		{[]string{"ingest", "ethereum", "--from=parquet:x", data}, "without Parquet"},
		{[]string{"export", "--all", "x"}, "without Parquet"},
		{[]string{"export", "ethereum", "--parquet=x"}, "without Parquet"},
		{[]string{"import", "x"}, "without Parquet"},
	} {
		got := runOf(t, small, c.args...)
		if got.code == 0 || got.stdout != "" || !strings.Contains(got.stderr, c.want) || !strings.Contains(got.stderr, "-tags small") {
			t.Errorf("%q gives %+v, want an error with %q", c.args, got, c.want)
		}
	}
}
