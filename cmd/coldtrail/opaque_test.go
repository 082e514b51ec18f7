package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"

	"coldtrail/internal/replay"
	"coldtrail/trace"
)

// TestOpaqueService traces a laundering through a swap service that leaves nothing on
// chain: the candidates that are called strong are right, nothing is followed until
// somebody answers for it, and what is followed then is inferred for ever.
func TestOpaqueService(t *testing.T) {
	folder, _ := playInto(t, "--scale", "1000", "--thin", "12", "--wallets", "600")
	pairs := opaquePairs(t, folder)
	before := traced(t, folder, "fifo", "targeted")
	if before.FactOnly != nil {
		t.Error("an answer with inferences, though nobody followed anything")
	}
	count, right := map[string]int{}, map[string]int{}
	deposits := map[string]bool{}
	for _, c := range before.Candidates {
		deposits[c.In.Tx] = true
		if !pairs[c.In.Tx].Stolen {
			t.Errorf("a candidate of %s, which is not the thief's", c.In.Tx)
		}
		if c.Followed != "" {
			t.Errorf("followed by %q", c.Followed)
		}
		if c.Out == nil {
			continue
		}
		count[c.Class]++
		if pairs[c.In.Tx].Payout == c.Out.Tx+":0" {
			right[c.Class]++
		}
	}
	stolen := 0
	for _, p := range pairs {
		if p.Stolen {
			stolen++
		}
	}
	t.Logf("%d deposits of the thief among %d; candidates %v, right %v", stolen, len(pairs), count, right)
	if len(deposits) != stolen {
		t.Errorf("rows for %d deposits, want %d", len(deposits), stolen)
	}
	if count["strong"] == 0 || right["strong"] < count["strong"] {
		t.Errorf("%d of %d strong candidates are right", right["strong"], count["strong"])
	}
}

// opaquePairs are the pairs that only the replay knows, by deposit.
func opaquePairs(t *testing.T, folder string) map[string]replay.Pair {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Pairs []replay.Pair `json:"opaque_pairs"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	pairs := map[string]replay.Pair{}
	for _, p := range file.Pairs {
		pairs[p.Deposit] = p
	}
	return pairs
}

// editCase changes a replay's case file.
func editCase(t *testing.T, folder string, change func(*trace.Case)) {
	t.Helper()
	path := filepath.Join(folder, "case.yaml")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := trace.ParseCase(path, f)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	change(c)
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOpaqueFollowed: an acceptance, or a policy, lets value pass, and marks it; what
// cannot be is refused with the reason.
func TestOpaqueFollowed(t *testing.T) {
	folder, _ := playInto(t, "--scale", "1000", "--thin", "12", "--wallets", "600")
	pairs := opaquePairs(t, folder)
	before := traced(t, folder, "fifo", "targeted")
	var chosen, other *trace.Candidate
	strong := 0
	for i := range before.Candidates {
		c := &before.Candidates[i]
		if c.Class == "strong" {
			if strong++; chosen == nil {
				chosen = c
			} else {
				other = c
			}
		}
	}
	if other == nil {
		t.Fatal("too few strong candidates")
	}
	accept := func(deposit, payout string, score uint32) {
		editCase(t, folder, func(c *trace.Case) {
			c.Services[0].Follow = nil
			c.Services[0].Accept = []trace.Acceptance{{Deposit: deposit, Payout: payout, Score: score, By: "A. Nalyst", Why: "the customer's mail"}}
		})
	}
	accept(chosen.In.Tx, chosen.Out.Tx+":0", 0)
	for _, method := range replay.Methods {
		after := traced(t, folder, method, "targeted")
		if other := traced(t, folder, method, "streaming"); other.Digest != after.Digest {
			t.Errorf("%s: the drivers differ", method)
		}
		if method == "fifo" {
			checkFollowed(t, before, after, chosen)
		}
	}

	editCase(t, folder, func(c *trace.Case) {
		c.Services[0].Accept = nil
		c.Services[0].Follow = &trace.Policy{Least: 9500, By: "the desk", Why: "policy 7"}
	})
	after := traced(t, folder, "fifo", "targeted")
	followed := 0
	for i := range after.Candidates {
		if c := &after.Candidates[i]; c.Followed == "the desk" {
			if followed++; c.Class != "strong" || pairs[c.In.Tx].Payout != c.Out.Tx+":0" {
				t.Errorf("followed %+v", c)
			}
		}
	}
	if followed != strong {
		t.Errorf("the policy follows %d, want the %d strong ones", followed, strong)
	}

	accept(chosen.In.Tx, other.Out.Tx+":0", 0)
	mustFail(t, "give a score_bp of your own", "trace", filepath.Join(folder, "case.yaml"), "--data", filepath.Join(folder, "ledger"))
	accept(chosen.In.Tx, other.Out.Tx+":0", 6000)
	if after := traced(t, folder, "fifo", "targeted"); after.FactOnly == nil {
		t.Error("an analyst's own score is not followed")
	}
	accept(before.Crossings[0].In.Tx, other.Out.Tx+":0", 6000)
	mustFail(t, "puts nothing into a labelled address of eXch", "trace", filepath.Join(folder, "case.yaml"), "--data", filepath.Join(folder, "ledger"))
}

// checkFollowed compares the answer with one acceptance to the one without.
func checkFollowed(t *testing.T, before, after *trace.Result, chosen *trace.Candidate) {
	t.Helper()
	if after.FactOnly == nil {
		t.Fatal("no answer from facts alone beside the one with inferences")
	}
	printed := func(rows []trace.Disposition) string {
		text, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if printed(after.FactOnly.Dispositions) != printed(before.Dispositions) {
		t.Error("the facts changed")
	}
	sum := map[string]bool{}
	for i := range after.Dispositions {
		if d := &after.Dispositions[i]; d.Certainty != 10_000 {
			if d.Certainty != chosen.Score || d.By != "payout of eXch by A. Nalyst" || d.Chain != chosen.Out.Chain {
				t.Errorf("%+v", d)
			}
			sum[d.At] = true
		}
	}
	if len(sum) == 0 || !sum[chosen.Out.Tx+":0"] {
		t.Errorf("nothing inferred at the payout %s: %v", chosen.Out.Tx, sum)
	}
	for i := range after.Crossings {
		c := &after.Crossings[i]
		if c.Protocol != "opaque-service" {
			continue
		}
		if c.Status != "assumed" || c.Certainty != chosen.Score || c.Evidence != "accepted by A. Nalyst: the customer's mail" || c.In.Tx != chosen.In.Tx || c.Out[0].Tx != chosen.Out.Tx {
			t.Errorf("%+v", c)
		}
		return
	}
	t.Error("no crossing for the accepted pair")
}
