package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reported is what `report --json` prints.
type reported struct {
	Case, Digest string
	Files        []string
	Requests     int
	Summary      map[string]map[string]uint64
}

// TestReport writes a report of the bundled theft into a folder, twice the same, with the
// digest of the trace.
func TestReport(t *testing.T) {
	data, out := bybitStore(t), t.TempDir()
	r := coldtrail(t, "--data", data, "--json", "report", bybit+"/case.yaml", "--analyst", "Ann <b>", "--out", filepath.Join(out, "one"))
	var got reported
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 0 {
		t.Fatalf("%d: %s", r.code, r.stderr)
	}
	var traced struct{ Digest string }
	if err := json.Unmarshal([]byte(coldtrail(t, "--data", data, "--json", "trace", bybit+"/case.yaml").stdout), &traced); err != nil || got.Digest != traced.Digest {
		t.Errorf("digest %s, the trace says %s", got.Digest, traced.Digest)
	}
	want := []string{"report.html", "dispositions.csv", "flows.csv", "crossings.csv", "requests.csv", "movements.graphml", "movements.gexf", "stix.json", "misp.json"}
	if len(got.Files) != len(want) || got.Case != "bybit-2025" {
		t.Errorf("files %v, want %v", got.Files, want)
	}
	if again := coldtrail(t, "--data", data, "report", bybit+"/case.yaml", "--analyst", "Ann <b>", "--out", filepath.Join(out, "two")); again.code != 0 {
		t.Fatal(again.stderr)
	}
	for _, name := range want {
		one, err := os.ReadFile(filepath.Join(out, "one", name))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(out, "two", name))
		if err != nil || string(one) != string(two) {
			t.Errorf("%s differs from run to run: %v", name, err)
		}
	}
	page, _ := os.ReadFile(filepath.Join(out, "one", "report.html"))
	for _, say := range []string{"Ann &lt;b&gt;", "coldtrail trace ../../testdata/bybit-2025/case.yaml --method fifo --json", "--analyst &#39;Ann &lt;b&gt;&#39;", "401,346.768858404671846374 ETH"} {
		if !strings.Contains(string(page), say) {
			t.Errorf("the report does not say %q", say)
		}
	}
}

// TestReportIntoFile takes the format from the ending, and refuses what does not fit.
func TestReportIntoFile(t *testing.T) {
	data, out := bybitStore(t), t.TempDir()
	file := filepath.Join(out, "movements.gexf")
	if r := coldtrail(t, "--data", data, "report", bybit+"/case.yaml", "--out", file); r.code != 0 || r.stdout != file+"\n" {
		t.Errorf("%d: %s%s", r.code, r.stdout, r.stderr)
	}
	for _, c := range []struct{ args, want string }{
		{"--out " + out + "/a.html --format html,csv", "give a folder for several formats"},
		{"--out " + out + "/a.csv --format csv", "give a folder"},
		{"--out " + out + "/a.html --format gexf", "is no .html"},
		{"--out " + out + "/x --format docx", "use pdf, html, csv"},
		{"--out " + out + "/x --xsd a.xsd", "add --format goaml"},
		{"--out " + out + "/a.pdf --chromium " + out + "/none", "cannot be run as Chromium"},
		{"--out " + out + "/x --format goaml", "no stolen value reached a named service"},
		{"--out " + out + "/x --format goaml --reporter " + out + "/none", "no such file"},
	} {
		r := coldtrail(t, append([]string{"--data", data, "report", bybit + "/case.yaml"}, strings.Fields(c.args)...)...)
		if r.code != 2 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: code %d, %q, want %q", c.args, r.code, r.stderr, c.want)
		}
	}
}

// TestReportValues: with prices amounts have a value, by the last bar that had closed; what
// has no price is unknown, and never nothing.
func TestReportValues(t *testing.T) {
	data, out := bybitStore(t), t.TempDir()
	closes, page := filepath.Join(out, "closes.csv"), filepath.Join(out, "report.html")
	write(t, closes, "date,close_usd\n2025-02-20,2700.00\n2025-02-21,1.00\n")
	must(t, "--data", data, "report", bybit+"/case.yaml", "--out", page, "--prices", "ethereum="+closes)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"USD 1,083,636,275.92 (closes.csv, closed 2025-02-21T00:00:00Z)", ">unknown<"} { // 401,346.7688… × 2,700
		if !strings.Contains(strings.ReplaceAll(string(text), "<wbr>", ""), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

// TestDemoReport prints the bundled theft as PDF by the real Chromium, where there is one.
func TestDemoReport(t *testing.T) {
	out := t.TempDir()
	if r := coldtrail(t, "demo", "--report", filepath.Join(out, "demo.html")); r.code != 0 {
		t.Fatal(r.stderr)
	}
	page, err := os.ReadFile(filepath.Join(out, "demo.html"))
	if err != nil || !strings.Contains(string(page), "<title>Bybit cold wallet theft</title>") {
		t.Errorf("the page: %v", err)
	}
	if _, err := exec.LookPath("chromium"); err != nil || os.Geteuid() == 0 {
		t.Skip("no Chromium that runs with its sandbox for this user")
	}
	if r := coldtrail(t, "demo", "--report", filepath.Join(out, "demo.pdf")); r.code != 0 {
		t.Fatal(r.stderr)
	}
}

// TestReportAsPDF prints the report of a played laundering and counts its pages.
func TestReportAsPDF(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no Chromium on this machine")
	}
	out := t.TempDir()
	if r := coldtrail(t, "replay", "--scale", "1000", "--thin", "40", "--wallets", "300", "--seed", "3", "--out", filepath.Join(out, "replay")); r.code != 0 {
		t.Fatal(r.stderr)
	}
	args := []string{"--data", filepath.Join(out, "replay/ledger"), "report", filepath.Join(out, "replay/case.yaml"), "--out", filepath.Join(out, "r.pdf")}
	if os.Geteuid() == 0 {
		refused := coldtrail(t, args...)
		if refused.code != 2 || !strings.Contains(refused.stderr, "--no-sandbox") {
			t.Errorf("as root: code %d, %s", refused.code, refused.stderr)
		}
		args = append(args, "--no-sandbox")
	}
	if r := coldtrail(t, args...); r.code != 0 {
		t.Fatal(r.stderr)
	}
	pdf, err := os.ReadFile(filepath.Join(out, "r.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); n < 8 || !strings.Contains(string(pdf), "/Title (Replay of bybit \\(synthetic\\))") {
		t.Errorf("%d pages, or another title", n)
	}
}

// TestReportNamesClaims: where a label of a list ends the trace, the request says by which
// claim, by whom and how sure, as their judgement.
func TestReportNamesClaims(t *testing.T) {
	data, out := bybitStore(t), t.TempDir()
	list := filepath.Join(out, "list.csv")
	line := "address,network,label,category,by,confidence\n" + reached + ",ethereum,Example <i>Exchange</i>,exchange,Lister,web_crawl\n"
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "--data", data, "labels", "import", list)
	must(t, "--data", data, "report", bybit+"/case.yaml", "--format", "html,csv,stix", "--out", filepath.Join(out, "r"))
	page, err := os.ReadFile(filepath.Join(out, "r", "request-01-example-i-exchange-i.html"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("<wbr>", "", "\u00a0", " ").Replace(string(page))
	for _, want := range []string{"Request to freeze", "Example &lt;i&gt;Exchange&lt;/i&gt;", "“Example &lt;i&gt;Exchange&lt;/i&gt;”, confidence 20 of 100.", `title="judgement">J</span><span class="cites">Lister</span>`, "Together 10,000 ETH on Ethereum at 1 place.", "inferred, 99.00 %", `<span class="source">claim</span>`} {
		if !strings.Contains(text, want) {
			t.Errorf("the request does not say %q", want)
		}
	}
	again := must(t, "--data", t.TempDir(), "labels", "import", filepath.Join(out, "r", "stix.json"))
	if !strings.Contains(again, "stix") {
		t.Errorf("the bundle is not read back as STIX: %s", again)
	}
}

// TestReportUnmoved: a theft of which nothing has moved yet has a report, in all formats: it
// says where all of it is.
func TestReportUnmoved(t *testing.T) {
	data, out := t.TempDir(), t.TempDir()
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:../../testdata/bitcoin/blk_0_to_14131.dat.zst", "--to", "20")
	file := filepath.Join(out, "case.yaml")
	write(t, file, `case: block-9
title: A reward that was taken
date: 2009-01-09
thefts:
  - {colour: btc, chain: bitcoin, asset: native, outpoint: "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9:0"}
`)
	must(t, "--data", data, "report", file, "--out", filepath.Join(out, "all"))
	text, err := os.ReadFile(filepath.Join(out, "all", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.ReplaceAll(string(text), "<wbr>", "")
	for _, want := range []string{"12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "50 BTC", "100.00\u00a0%"} {
		if !strings.Contains(plain, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	for _, name := range []string{"dispositions.csv", "movements.graphml", "movements.gexf", "stix.json", "misp.json"} {
		if info, err := os.Stat(filepath.Join(out, "all", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
