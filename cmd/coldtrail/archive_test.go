package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArchive writes two real chains, labels and a case, and brings them into a fresh
// folder: the same status, the same trace, the same case.
func TestArchive(t *testing.T) {
	folder := t.TempDir()
	first, second, out := filepath.Join(folder, "first"), filepath.Join(folder, "second"), filepath.Join(folder, "out")
	list := filepath.Join(folder, "list.csv")
	if err := os.WriteFile(list, []byte("address,network,label,category,creator\n0x47666fab8bd0ac7003bce3f5c3585383f09486e2,ethereum,Thief,theft,somebody\n1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa,bitcoin,Genesis,,somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "--data", first, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	must(t, "--data", first, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	must(t, "--data", first, "labels", "import", list)
	must(t, "--data", first, "cases", "add", filepath.Join(bybit, "case.yaml"), "--by", "tester")
	type summary struct {
		Chains []struct {
			Chain, Content string
			Blocks         uint64
		}
		Claims, Files, Rows, Bytes uint64
		Labels                     string
		Casebook                   *struct{ Rows uint64 }
	}
	wrote := parse[summary](t, must(t, "--data", first, "export", "--all", out, "--json"))
	if len(wrote.Chains) != 2 || wrote.Chains[0].Blocks != 14_132 || wrote.Claims != 2 || wrote.Casebook == nil || wrote.Casebook.Rows != 2 || wrote.Rows < 14_132*3 {
		t.Fatalf("%+v", wrote)
	}
	for _, name := range []string{"casebook/cases.parquet", "casebook/targets.parquet"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	text := must(t, "--data", second, "import", out)
	if !strings.Contains(text, "bitcoin: 14132 blocks and ") || !strings.Contains(text, "2 claims") || !strings.Contains(text, "casebook: 2 rows") {
		t.Errorf("import says %q", text)
	}
	trace := []string{"trace", filepath.Join(bybit, "case.yaml"), "--json"}
	for _, args := range [][]string{{"status", "--json"}, trace, {"cases", "show", "bybit-2025"}, {"labels", "show", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "--json"}} {
		if a, b := must(t, append([]string{"--data", first}, args...)...), must(t, append([]string{"--data", second}, args...)...); a != b || len(a) < 100 {
			t.Errorf("%v says\n%s\nand after the import\n%s", args, a, b)
		}
	}
	mustFail(t, "finished archive", "--data", first, "export", "--all", out)
	mustFail(t, "--no-casebook leaves the casebook out", "--data", second, "import", out)
	must(t, "--data", second, "import", out, "--no-casebook", "--chain", "bitcoin")
	third := filepath.Join(folder, "third")
	one := filepath.Join(folder, "one")
	must(t, "--data", first, "export", "--all", one, "--chain", "ethereum", "--no-casebook")
	if _, err := os.Stat(filepath.Join(one, "casebook")); !os.IsNotExist(err) {
		t.Errorf("a casebook that was left out is there: %v", err)
	}
	if got := parse[summary](t, must(t, "--data", third, "import", one, "--json")); len(got.Chains) != 1 || got.Chains[0] != wrote.Chains[1] || got.Casebook != nil {
		t.Errorf("%+v", got)
	}
	archiveFails(t, first, out)
}

// archiveFails wants what is wrong to be said, and nothing to be taken for whole.
func archiveFails(t *testing.T, data, out string) {
	t.Helper()
	for words, args := range map[string][]string{
		"say which chain":            {"export"},
		"go with --all":              {"export", "ethereum", "--parquet", filepath.Join(data, "x"), "--resume"},
		"--all writes everything":    {"export", "ethereum", "--all", filepath.Join(data, "x")},
		"holds no block":             {"export", "--all", filepath.Join(t.TempDir(), "x"), "--chain", "base"},
		"is not empty":               {"export", "--all", bybit},
		"the folder holds no archiv": {"import", bybit},
	} {
		if r := coldtrail(t, append([]string{"--data", data}, args...)...); r.code != 2 || !strings.Contains(r.stderr, words) {
			t.Errorf("%v: exit %d, %q", args, r.code, r.stderr)
		}
	}
	path := filepath.Join(out, "outputs", "part-000000.parquet")
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	r := coldtrail(t, "--data", filepath.Join(t.TempDir(), "new"), "import", out)
	if r.code != 2 || !strings.Contains(r.stderr, "outputs/part-000000.parquet: it has not the ") {
		t.Errorf("a file that was cut off: exit %d, %q", r.code, r.stderr)
	}
}
