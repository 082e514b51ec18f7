package cluster_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
)

// TestRules checks the table that users see.
func TestRules(t *testing.T) {
	var names []string
	for _, r := range cluster.Rules {
		names = append(names, r.Name)
		if r.Title == "" || r.Source == "" || r.Published == "" || r.Needs == "" || r.Kind == "" || r.Confidence == 0 || r.Confidence > 100 {
			t.Errorf("%s leaves something out: %+v", r.Name, r)
		}
		if found, err := cluster.RuleNamed(r.Name); err != nil || found != r {
			t.Errorf("%s is not found by its name: %v", r.Name, err)
		}
		if want := ledger.UTXO; (r.Input == cluster.AllHistory) == (r.Family == want) {
			t.Errorf("%s judges input %d on family %d", r.Name, r.Input, r.Family)
		}
		_, e := r.InTx(&ledger.Resolved{}, nil)
		if judges := e != cluster.NotOfTransaction; judges != (r.Input == cluster.OneTransaction) {
			t.Errorf("%s: input %d, but a transaction yields %q", r.Name, r.Input, e)
		}
		if edges := r.InHistory(&cluster.History{}); edges != nil {
			t.Errorf("%s says %v of nothing", r.Name, edges)
		}
		if edges := r.InSpends(&cluster.Spends{}); edges != nil {
			t.Errorf("%s says %v of nothing", r.Name, edges)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names out of order or twice: %v", names)
	}
	if d := cluster.Defaults(ledger.UTXO); len(d) != 1 || d[0] != cluster.CoSpend {
		t.Errorf("default set %v", d)
	}
	if d := cluster.Defaults(ledger.Account); len(d) != 1 || d[0] != cluster.DepositAddress {
		t.Errorf("default set of accounts %v", d)
	}
}

// TestRuleNamed reads sets as rules and refuses what is neither.
func TestRuleNamed(t *testing.T) {
	r, err := cluster.RuleNamed("change:optimal & type")
	if err != nil || r.Name != "change:optimal&type" || r.Kind != cluster.Returning || r.Family != ledger.UTXO {
		t.Errorf("%+v, %v", r, err)
	}
	for name, want := range map[string]string{
		"multi-input": "choose one of change:meiklejohn, ", "change:optimal&": "end too early", "": "unknown",
	} {
		if _, err := cluster.RuleNamed(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestCombine works out what several edges of one pair are worth.
func TestCombine(t *testing.T) {
	edge := func(r *cluster.Rule, confidence uint8) cluster.Edge {
		return cluster.Edge{Rule: r, Confidence: confidence}
	}
	for name, c := range map[string]struct {
		edges  []cluster.Edge
		vetoes int
		want   uint32
	}{
		"nothing":                        {nil, 0, 0},
		"one edge":                       {[]cluster.Edge{edge(cluster.GasFunder, 55)}, 0, 5500},
		"two kinds":                      {[]cluster.Edge{edge(cluster.GasFunder, 55), edge(cluster.DepositAddress, 60)}, 0, 8200},
		"the same kind twice":            {[]cluster.Edge{edge(cluster.GasFunder, 55), edge(cluster.GasTopUp, 65)}, 0, 6500},
		"never a fact":                   {[]cluster.Edge{edge(cluster.CoSpend, 90), edge(cluster.ChangeScore, 90)}, 0, 9500},
		"certain by itself":              {[]cluster.Edge{edge(cluster.CoSpend, 100)}, 0, 9500},
		"a veto wins over all":           {[]cluster.Edge{edge(cluster.CoSpend, 90), edge(cluster.ChangeScore, 90)}, 1, 0},
		"doubt is rounded up":            {[]cluster.Edge{edge(cluster.GasFunder, 33), edge(cluster.DepositAddress, 33), edge(cluster.SelfAuthorisation, 33)}, 0, 6992},
		"a confidence beyond the scale":  {[]cluster.Edge{edge(cluster.GasFunder, 255)}, 0, 9500},
		"an edge of no rule is one kind": {[]cluster.Edge{edge(nil, 50), edge(nil, 50)}, 0, 5000},
	} {
		if got := cluster.Combine(c.edges, c.vetoes); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestCombineHolds: the order of edges does not matter, more of them never make less
// sure, and the doubt is never understated.
func TestCombineHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		edges := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) cluster.Edge {
			return cluster.Edge{Rule: rapid.SampledFrom(cluster.Rules).Draw(rt, "rule"), Confidence: rapid.Uint8Range(0, 100).Draw(rt, "confidence")}
		}), 1, 8).Draw(rt, "edges")
		all := cluster.Combine(edges, 0)
		if got := cluster.Combine(rapid.Permutation(edges).Draw(rt, "shuffled"), 0); got != all {
			rt.Fatalf("%d in one order, %d in another", all, got)
		}
		if fewer := cluster.Combine(edges[1:], 0); fewer > all {
			rt.Fatalf("%d edges give %d, one less %d", len(edges), all, fewer)
		}
		surest := map[cluster.Kind]float64{}
		for _, e := range edges {
			surest[e.Rule.Kind] = max(surest[e.Rule.Kind], float64(e.Confidence))
		}
		doubt := 10_000.0
		for _, c := range surest {
			doubt *= 1 - c/100
		}
		exact := min(10_000-doubt, 9_500)
		if float64(all) > exact+1e-6 || float64(all) < exact-float64(len(surest)) {
			rt.Fatalf("%d, exactly %f", all, exact)
		}
	})
}

// TestReasons: every exclusion is put in words, and a caller's own stands for itself.
func TestReasons(t *testing.T) {
	for _, e := range []cluster.Exclusion{
		cluster.Included, cluster.Mixing, cluster.AnyoneCanPay, cluster.FalseMerge, cluster.PayJoin, cluster.NewCoins, cluster.OneAddress,
		cluster.UnknownInput, cluster.OneOutput, cluster.NoFacts, cluster.Undecided, cluster.NotOfTransaction,
	} {
		if text := e.Reason(); text == string(e) || !strings.Contains(text, " ") {
			t.Errorf("%q is put as %q", e, text)
		}
	}
	if got := cluster.Exclusion("disputed by the defence").Reason(); got != "disputed by the defence" {
		t.Error(got)
	}
}
