package mixes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/coinjoin"
	"coldtrail/internal/mixes"
	"coldtrail/ledger"
)

// The run that docs/methods/coinjoin.md quotes.
const (
	quotedSeed  = 1
	quotedCount = 10_000
)

func TestSameSeedSameTransactions(t *testing.T) {
	first, again, other := mixes.Generate(7, 300), mixes.Generate(7, 300), mixes.Generate(8, 300)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same seed gives different transactions")
	}
	if reflect.DeepEqual(first, other) {
		t.Error("different seeds give the same transactions")
	}
}

// TestTruth: whoever mixes is several, whoever does not is one, but for a PayJoin; no
// transaction pays more than it has; every truth is a protocol that a rule names.
func TestTruth(t *testing.T) {
	protocols := []string{""}
	for _, rule := range coinjoin.Rules {
		protocols = append(protocols, rule.Protocol)
	}
	shapes := map[string]int{}
	ids := map[ledger.Hash]bool{}
	for _, p := range mixes.Generate(3, 5000) {
		shapes[p.Shape]++
		if ids[p.Tx.ID] {
			t.Errorf("%s: identifier %s again", p.Shape, p.Tx.ID)
		}
		ids[p.Tx.ID] = true
		if len(p.Owners) != len(p.Tx.Inputs) || len(p.Tx.Outputs) == 0 || len(p.Owners) == 0 {
			t.Fatalf("%s: %d owners of %d inputs", p.Shape, len(p.Owners), len(p.Tx.Inputs))
		}
		if !slices.Contains(protocols, p.Truth) {
			t.Errorf("%s: no rule knows %q", p.Shape, p.Truth)
		}
		owners := len(slices.Compact(slices.Sorted(slices.Values(p.Owners))))
		switch {
		case p.Mixed() && owners < 2, !p.Mixed() && p.Shape != "payjoin" && owners != 1, p.Shape == "payjoin" && owners != 2:
			t.Errorf("%s: %d owners", p.Shape, owners)
		}
		in, out, known := uint64(0), uint64(0), true
		for _, o := range p.Tx.Inputs {
			in += o.Value
			known = known && !o.Address.IsZero()
		}
		for _, o := range p.Tx.Outputs {
			out += o.Value
		}
		if known && out > in {
			t.Errorf("%s pays %d of %d satoshi", p.Shape, out, in)
		}
	}
	if len(shapes) != 27 {
		t.Errorf("%d shapes: %v", len(shapes), shapes)
	}
}

// TestMeasureCounts scores a list that is counted by hand.
func TestMeasureCounts(t *testing.T) {
	pool := func(n int) mixes.Planted {
		p := mixes.Planted{Truth: "Whirlpool", Shape: "pool"}
		p.Tx.Height = 600_000
		for i := range n {
			p.Tx.Inputs = append(p.Tx.Inputs, ledger.Output{Value: 1_000_000 + uint64(i%2)*500, Address: ledger.NewAddress(ledger.P2WPKH, []byte{1, byte(i)})})
			p.Tx.Outputs = append(p.Tx.Outputs, ledger.Output{Value: 1_000_000, Address: ledger.NewAddress(ledger.P2WPKH, []byte{2, byte(i)})})
			p.Owners = append(p.Owners, i)
		}
		return p
	}
	fooled := pool(5)
	fooled.Truth, fooled.Shape, fooled.Owners = "", "own", []int{1, 1, 1, 1, 1}
	list := []mixes.Planted{pool(5), pool(8), pool(4), fooled}
	want := map[string]mixes.Score{
		"whirlpool":            {Of: 3, Found: 3, Right: 2},
		"joinmarket":           {},
		"all rules: Whirlpool": {Of: 3, Found: 3, Right: 2},
		"all rules: any mix":   {Of: 3, Found: 3, Right: 2},
		"whirlpool-tx0":        {},
	}
	seen := 0
	for _, s := range mixes.Measure(list) {
		if w, ok := want[s.Rule]; ok {
			seen++
			if w.Rule = s.Rule; s != w {
				t.Errorf("%+v, want %+v", s, w)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d rows", seen, len(want))
	}
	rows := mixes.ByShape(list)
	if !slices.Equal(rows, []mixes.Taken{{Shape: "pool", Truth: "Whirlpool", Of: 3, Found: 2, Merged: 1}, {Shape: "own", Of: 1, Found: 1}}) {
		t.Errorf("%+v", rows)
	}
}

// TestDocument holds the tables of the page on coinjoins against a run.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "methods", "coinjoin.md"))
	if err != nil {
		t.Fatal(err)
	}
	list := mixes.Generate(quotedSeed, quotedCount)
	lines := []string{fmt.Sprintf("seed %d, %d transactions", quotedSeed, quotedCount)}
	for _, s := range mixes.Measure(list) {
		lines = append(lines, fmt.Sprintf("| %s | %d | %d | %d | %s | %s |", s.Rule, s.Of, s.Found, s.Right, percent(s.Right, s.Found), percent(s.Right, s.Of)))
	}
	rows := mixes.ByShape(list)
	slices.SortFunc(rows, func(a, b mixes.Taken) int { return strings.Compare(a.Shape, b.Shape) })
	for _, r := range rows {
		truth := r.Truth
		if truth == "" {
			truth = "no mix"
		}
		lines = append(lines, fmt.Sprintf("| %s | %s | %d | %d | %d | %d |", r.Shape, truth, r.Of, r.Found, r.Weak, r.Merged))
	}
	for _, line := range lines {
		if !strings.Contains(string(text), line) {
			t.Errorf("docs/methods/coinjoin.md lacks: %s", line)
		}
	}
}

func percent(part, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of))
}
