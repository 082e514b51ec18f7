package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestExport writes a ledger out and brings it in again: the same content, and the
// same answers.
func TestExport(t *testing.T) {
	folder := t.TempDir()
	first, second, out := filepath.Join(folder, "first"), filepath.Join(folder, "second"), filepath.Join(folder, "out")
	must(t, "--data", first, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	type summary struct {
		Chain  string
		From   uint64 `json:"from_height"`
		Height uint64
		Blocks uint64
		Txs    uint64
	}
	done := parse[summary](t, must(t, "--data", first, "export", "ethereum", "--parquet", out, "--json"))
	if done.Chain != "eip155:1" || done.Blocks == 0 || done.Txs < done.Blocks || done.Height <= done.From {
		t.Fatalf("%+v", done)
	}
	must(t, "--data", second, "ingest", "ethereum", "--from", "parquet:"+out)
	type status struct {
		Chains []struct{ Content string }
	}
	want, got := parse[status](t, must(t, "--data", first, "status", "--json")), parse[status](t, must(t, "--data", second, "status", "--json"))
	if len(want.Chains) != 1 || len(want.Chains[0].Content) < 32 || len(got.Chains) != 1 || want.Chains[0].Content != got.Chains[0].Content {
		t.Fatalf("content %+v, want %+v", got, want)
	}
	trace := []string{"trace", filepath.Join(bybit, "case.yaml"), "--json"}
	if a, b := must(t, append([]string{"--data", first}, trace...)...), must(t, append([]string{"--data", second}, trace...)...); a != b {
		t.Fatal("the same trace gives another answer")
	}
	part := parse[summary](t, must(t, "--data", first, "export", "ethereum", "--parquet", filepath.Join(folder, "part"), "--from-height", "21895260", "--to", "21896000", "--json"))
	if part.From < 21_895_260 || part.Height > 21_896_000 || part.Blocks >= done.Blocks {
		t.Fatalf("%+v", part)
	}
	for words, args := range map[string][]string{
		"is not empty":                      {"export", "ethereum", "--parquet", out},
		"holds no block":                    {"export", "base", "--parquet", filepath.Join(folder, "none")},
		"nothing of what was asked for":     {"export", "ethereum", "--parquet", filepath.Join(folder, "none"), "--from-height", "99000000"},
		"is not an EVM chain":               {"ingest", "bitcoin", "--from", "parquet:" + out},
		"no file in the folder ends in .pa": {"ingest", "ethereum", "--from", "parquet:" + bybit},
	} {
		if r := coldtrail(t, append([]string{"--data", first}, args...)...); r.code != 2 || !strings.Contains(r.stderr, words) {
			t.Errorf("%v: exit %d, %q", args, r.code, r.stderr)
		}
	}
}
