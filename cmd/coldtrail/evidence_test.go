package main_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldtrail/evidence"
)

// evidenceOf makes a signed bundle of the real chain's first payment, in a folder with its
// store, and gives the folder and the public key.
func evidenceOf(t *testing.T) (folder, public string) {
	t.Helper()
	folder = t.TempDir()
	blocks := "blocks:" + realChain
	text := `case: block-170
thefts:
  - {colour: btc, chain: bitcoin, outpoint: "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:1"}
`
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := os.WriteFile(in("case.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "--data", in("data"), "ingest", "bitcoin", "--from", blocks)
	r := coldtrail(t, "--data", in("data"), "evidence", in("case.yaml"), "-o", in("bundle.zip"), "--from", blocks, "--sign", in("key"))
	_, public, ok := strings.Cut(strings.TrimSpace(r.stderr), "the public key, which is ")
	if !ok || r.code != 0 {
		t.Fatal(r)
	}
	return folder, public
}

func code(t *testing.T, args ...string) (int, string) {
	t.Helper()
	r := coldtrail(t, args...)
	return r.code, r.stdout + r.stderr
}

// TestEvidence makes a bundle, and checks it where there is no store: whole, signed,
// changed, signed by another.
func TestEvidence(t *testing.T) {
	folder, public := evidenceOf(t)
	path := filepath.Join(folder, "bundle.zip")
	nowhere := filepath.Join(t.TempDir(), "no", "store")
	report := parse[evidence.Report](t, must(t, "--json", "--data", nowhere, "verify", path, "--public-key", public))
	traced := parse[answer](t, must(t, "--json", "--data", filepath.Join(folder, "data"), "trace", filepath.Join(folder, "case.yaml")))
	if report.State != evidence.OK || report.Statement.Digest != traced.Digest {
		t.Errorf("%s, digest %s; trace says %s", report.State, report.Statement.Digest, traced.Digest)
	}
	if last := report.Checks[len(report.Checks)-1]; last.What != "signature" || !strings.Contains(last.Detail, "evidence of block-170, digest "+traced.Digest) {
		t.Errorf("signature: %+v", last)
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("a store was made where there was none")
	}
	other := parse[evidence.Report](t, must(t, "--json", "verify", path))
	if last := other.Checks[len(other.Checks)-1]; last.State != evidence.Open || !strings.Contains(last.Detail, "give --public-key") {
		t.Errorf("a signature that nobody looked at: %+v", last)
	}
	must(t, "verify", path, "--public-key", filepath.Join(folder, "key.pub"))
	stranger := "RWQwD8fxkH2IxlZKCPSP2z+0DehIc1NZn/cfrGlm4LytIbkrreILPLco"
	if c, text := code(t, "verify", path, "--public-key", stranger); c != 1 || !strings.Contains(text, "is not trusted") {
		t.Errorf("signed by somebody else: %d, %s", c, text)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, []byte("flows.jsonl")) // the manifest comes first
	at = at + 1 + bytes.Index(raw[at+1:], []byte("flows.jsonl")) + 40
	raw[at] ^= 1
	changed := filepath.Join(folder, "changed.zip")
	if err := os.WriteFile(changed, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, text := code(t, "verify", changed); c != 1 || !strings.Contains(text, "WRONG") || !strings.Contains(text, "flows.jsonl: it was changed") {
		t.Errorf("one byte changed: %d, %s", c, text)
	}
	if c, text := code(t, "verify", filepath.Join(folder, "none.zip")); c != 2 {
		t.Errorf("no such file: %d, %s", c, text)
	}
}

// TestSubmittedPath checks a claim against the bundle and against the store.
func TestSubmittedPath(t *testing.T) {
	folder, _ := evidenceOf(t)
	in := func(name string) string { return filepath.Join(folder, name) }
	const good, bad = "a16f3ce4dd5deb92d98ef5cf8afeaf0775ebca408f708b2146c4fb42b41e14be", "12b5633bad1f9c167d523ad1aa1947b2732a865bf5414eab2f9e5ae5d5c191ba"
	for name, tx := range map[string]string{"good.yaml": good, "bad.yaml": bad} {
		text := "claim: bounty 17\nfrom: {chain: bitcoin, at: 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S}\nto: {chain: bitcoin, at: 1DUDsfc23Dv9sPMEk5RsrtfzCw5ofi5sVW}\nsteps:\n  - {chain: bitcoin, tx: " + tx + ", to: 1DUDsfc23Dv9sPMEk5RsrtfzCw5ofi5sVW}\n"
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, against := range [][]string{{"--bundle", in("bundle.zip")}, {"--case", in("case.yaml"), "--data", in("data")}} {
		report := parse[evidence.PathReport](t, must(t, append([]string{"--json", "verify", in("good.yaml")}, against...)...))
		if !report.Valid || report.AtMost != "1000000000" || *report.Share != 2500 || report.Claim != "bounty 17" {
			t.Errorf("%s: %+v", against[0], report)
		}
		if c, text := code(t, append([]string{"verify", in("bad.yaml")}, against...)...); c != 1 || !strings.Contains(text, "NOT VALID") || !strings.Contains(text, "no stolen value reaches") {
			t.Errorf("%s: %d, %s", against[0], c, text)
		}
	}
	if c, text := code(t, "verify", in("good.yaml")); c != 2 || !strings.Contains(text, "--bundle") {
		t.Errorf("against nothing: %d, %s", c, text)
	}
}

// TestEvidenceLabels: where a label ends the trace, the claim is in the bundle with its
// source, so that the stop can be judged; where on somebody's machine it was read is nobody
// else's business.
func TestEvidenceLabels(t *testing.T) {
	folder := t.TempDir()
	data, path, list := filepath.Join(folder, "data"), filepath.Join(folder, "bundle.zip"), filepath.Join(folder, "list.csv")
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:../../testdata/bitcoin/blk_0_to_14131.dat.zst", "--to", "200")
	write(t, list, "address,network,label,category,confidence,source\n1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3,bitcoin,An exchange,exchange,forensic_investigation,https://example.org/list\n")
	must(t, "--data", data, "labels", "import", list)
	write(t, filepath.Join(folder, "case.yaml"), "case: block-170\nthefts:\n  - {colour: btc, chain: bitcoin, outpoint: \"0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9:0\"}\n")
	must(t, "--data", data, "evidence", filepath.Join(folder, "case.yaml"), "-o", path)
	report := parse[evidence.Report](t, must(t, "--json", "--data", filepath.Join(folder, "none"), "verify", path))
	if report.State != evidence.OK || !slices.ContainsFunc(report.Rests, func(r evidence.Rest) bool { return r.On == "labels by file list.csv" && r.Count == 1 }) {
		t.Errorf("%s, resting on %+v", report.State, report.Rests)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	f, err := z.Open("labels/claims.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil || strings.Contains(string(text), folder) || !strings.Contains(string(text), `"file":"list.csv"`) || !strings.Contains(string(text), "https://example.org/list") {
		t.Errorf("the claim is %s (%v)", text, err)
	}
}
