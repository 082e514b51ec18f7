package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldtrail/screen/exposure"
)

const (
	bybitThief = "0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2"
	bybitSafe  = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
	nobody     = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
	listedOne  = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96"
)

// TestScreen screens the real thief, his victim, a stranger and a listed address, by the
// command, with the exit codes that scripts go by.
func TestScreen(t *testing.T) {
	data := t.TempDir()
	if r := coldtrail(t, "--data", data, "screen", nobody); r.code != 2 || !strings.Contains(r.stdout, "chain-not-held") {
		t.Errorf("nothing is held: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	list := filepath.Join(t.TempDir(), "list.csv")
	write(t, list, "address,network,label,abuse,confidence,creator,source\n"+listedOne+",eip155:1,Ronin exploiter,sanction,authority_data,OFAC,https://example.org/sdn\n")
	must(t, "--data", data, "labels", "import", list)
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+bybit+"/transfers.csv")
	file := filepath.Join(bybit, "case.yaml")
	tests := []struct {
		name    string
		args    []string
		code    int
		outcome string
		reason  string
	}{
		{"the thief wants to trade", []string{"--case", file, "--purpose", "swap", bybitThief}, 1, "refuse", "taint-direct"},
		{"a refund to the thief", []string{"--case", file, "--purpose", "refund", bybitThief}, 1, "freeze", "taint-direct"},
		{"a refund to the victim", []string{"--case", file, "--purpose", "refund", bybitSafe}, 0, "allow", "known-victim"},
		{"the thief, by somebody without the case", []string{bybitThief}, 0, "allow", "no-facts"},
		{"before anything is held", []string{"--case", file, "--at", "2025-02-21T14:00:00Z", bybitThief}, 2, "review", "chain-not-held"},
		{"a stranger", []string{"--case", file, nobody}, 0, "allow", "no-facts"},
		{"a listed address", []string{listedOne}, 1, "refuse", "sanctioned"},
		{"a deposit from it", []string{"--purpose", "deposit", strings.ToLower(listedOne)}, 1, "freeze", "sanctioned"},
		{"the theft itself", []string{"--case", file, "0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c"}, 1, "refuse", "taint-direct"},
		{"a chain that is not held", []string{"--chain", "bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}, 2, "review", "chain-not-held"},
		{"no address", []string{"lazarus"}, 2, "review", "not-an-address"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := coldtrail(t, append([]string{"--data", data, "--json", "screen"}, test.args...)...)
			v := parse[struct {
				Outcome string
				Reasons []struct{ Code string }
			}](t, r.stdout)
			found := false
			for _, reason := range v.Reasons {
				found = found || reason.Code == test.reason
			}
			if r.code != test.code || v.Outcome != test.outcome || !found {
				t.Errorf("exit %d, %s; want %d, %s by %s\n%s", r.code, v.Outcome, test.code, test.outcome, test.reason, r.stdout)
			}
		})
	}
	cmd := exec.CommandContext(t.Context(), binary, "--data", data, "screen")
	cmd.Stdin = strings.NewReader(nobody + "\n\n" + listedOne + "\n")
	out, err := cmd.Output()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), nobody+"  ALLOW") || !strings.Contains(string(out), listedOne+"  REFUSE") {
		t.Errorf("from standard input: %v\n%s", err, out)
	}
}

// TestCasesAreScreened: what is open in the casebook is followed without being named, and
// what is closed is not.
func TestCasesAreScreened(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+bybit+"/transfers.csv")
	must(t, "--data", data, "cases", "add", filepath.Join(bybit, "case.yaml"), "--by", "analyst")
	if list := must(t, "--data", data, "cases", "list"); !strings.Contains(list, "bybit-2025  open") {
		t.Error(list)
	}
	if r := coldtrail(t, "--data", data, "screen", bybitThief); r.code != 1 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	must(t, "--data", data, "cases", "close", "bybit-2025", "--by", "analyst", "--why", "a test")
	if r := coldtrail(t, "--data", data, "screen", bybitThief); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if show := must(t, "--data", data, "--json", "cases", "show", "bybit-2025"); !strings.Contains(show, `"why":"a test"`) {
		t.Error(show)
	}
	mustFail(t, "holds no such thing", "--data", data, "cases", "close", "ronin", "--why", "a test")
	mustFail(t, "line 2", "--data", data, "cases", "add", writeTo(t, "case: nothing\nthefts: 3\n"))
}

func writeTo(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "case.yaml")
	write(t, file, text)
	return file
}

// TestPolicyTest: a policy is tried on who is known, and one that fails its own tests is
// a hit.
func TestPolicyTest(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+bybit+"/transfers.csv")
	text := must(t, "policy", "show")
	laxer := filepath.Join(t.TempDir(), "laxer.yaml")
	cut := strings.Index(text, "\ntests:")
	if cut < 0 {
		t.Fatal("the bundled policy has no tests")
	}
	write(t, laxer, strings.Replace(text[:cut+1], "mostly_bp: 5000", "mostly_bp: 10001", 1))
	out := must(t, "--data", data, "policy", "test", laxer, "--case", filepath.Join(bybit, "case.yaml"))
	if !strings.Contains(out, "deposit: ") || strings.Contains(out, "deposit: 0 would") || !strings.Contains(out, "review by") {
		t.Error(out)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	write(t, wrong, strings.Replace(text, "    outcome: refuse\n    outcome_for: {deposit: freeze, refund: freeze}\n    level: severe", "    outcome: allow", 1))
	if r := coldtrail(t, "--data", data, "policy", "test", wrong, "--own"); r.code != 1 || !strings.Contains(r.stdout, "outcome allow, want refuse") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if err := os.WriteFile(wrong, []byte("name: x\nversion: 1\nrules: [{name: a, when: 'fact.nothing > 1'}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustFail(t, "line ", "--data", data, "policy", "test", wrong)
}

// TestScreenOwner: who spent coins together with a named address has his owner, on the real
// chain, and the transactions that show it are named.
func TestScreenOwner(t *testing.T) {
	const (
		named   = "1DCbY2GYVaAMCBpuBNN5GVg3a47pNK1wdi"
		another = "1KAD5EnzzLtrSo2Da2G4zzD7uZrjk8zRAv"
	)
	data, list := t.TempDir(), filepath.Join(t.TempDir(), "list.csv")
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:../../testdata/bitcoin/blk_0_to_14131.dat.zst")
	write(t, list, "address,network,label,category,confidence,source\n"+named+",bitcoin,Somebody,perpetrator,forensic_investigation,https://example.org\n")
	must(t, "--data", data, "labels", "import", list)
	type verdict struct {
		Outcome string
		Facts   []exposure.Fact
		Basis   exposure.Basis
	}
	r := coldtrail(t, "--data", data, "--json", "screen", another)
	v := parse[verdict](t, r.stdout)
	ties := []string{"6b0f8a73a56c04b519f1883e8aafda643ba61a30bd1439969df21bea5f4e27e2", "28204cad1d7fc1d199e8ef4fa22f182de6258a3eaafe1bbe56ebdcacd3069a5f"}
	if r.code != 1 || v.Outcome != "review" || len(v.Facts) == 0 || v.Facts[0].Kind != exposure.Owned || v.Facts[0].About != named || v.Facts[0].Rule != "co-spend" ||
		!slices.Equal(v.Facts[0].Evidence, ties) || v.Basis.Owners != "bip122:000000000019d6689c085ae165831e93 co-spend" {
		t.Errorf("exit %d, %+v", r.code, v)
	}
	r = coldtrail(t, "--data", data, "--json", "screen", another, "--no-owners")
	if v := parse[verdict](t, r.stdout); v.Basis.Owners != "" || slices.ContainsFunc(v.Facts, func(f exposure.Fact) bool { return f.Kind == exposure.Owned }) {
		t.Errorf("without owners: %+v", v)
	}
	if r := coldtrail(t, "--data", data, "screen", another); !strings.Contains(r.stdout, "has the owner of "+named+", by co-spend") {
		t.Errorf("for people: %s", r.stdout)
	}
}
