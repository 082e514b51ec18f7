package main_test

import (
	"os"
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
	run := func(args ...string) (stdout, stderr string, code int) {
		t.Helper()
		var out, said strings.Builder
		cmd := exec.CommandContext(t.Context(), small, args...)
		cmd.Stdout, cmd.Stderr = &out, &said
		cmd.Env = append(os.Environ(), "COLDTRAIL_STORE=", "COLDTRAIL_CASEBOOK=")
		_ = cmd.Run() // the exit code says it
		return out.String(), said.String(), cmd.ProcessState.ExitCode()
	}
	if got, said, code := run("demo", "--json"); code != 0 || got != must(t, "demo", "--json") {
		t.Errorf("the small build's demo ends with %d, or its answer is another than the whole build's\n%s", code, said)
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
		if out, said, code := run(c.args...); code == 0 || out != "" || !strings.Contains(said, c.want) || !strings.Contains(said, "-tags small") {
			t.Errorf("%q ends with %d and says %q and %q, want an error with %q", c.args, code, out, said, c.want)
		}
	}
}
