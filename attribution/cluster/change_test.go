package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/cluster"
	"coldtrail/ledger"
)

// change reads a set that is known to be right.
func change(tb testing.TB, text string) *cluster.Change {
	tb.Helper()
	c, err := cluster.ParseChange(text)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// What the ledger may hold of an address.
var (
	fresh  = cluster.Known{Received: 1}
	spent  = cluster.Known{Received: 1, Spent: 1}
	seen   = cluster.Known{SeenBefore: true, Received: 2}
	reused = cluster.Known{ReusedAfter: true, Received: 2}
)

func known(list ...cluster.Known) *cluster.Facts { return &cluster.Facts{Outputs: list} }

func outputs(list ...ledger.Output) []ledger.Output { return list }

type decided struct {
	set    string
	tx     *ledger.Resolved
	facts  *cluster.Facts
	output int
	why    cluster.Exclusion
}

// decide checks cases of decisions.
func decide(t *testing.T, cases map[string]decided) {
	t.Helper()
	for name, c := range cases {
		d := change(t, c.set).In(c.tx, c.facts)
		if d.Output != c.output || d.Excluded != c.why || (d.Confidence == 0) != (d.Output < 0) {
			t.Errorf("%s: %s says output %d at %d (%q), want %d (%q)", name, c.set, d.Output, d.Confidence, d.Excluded, c.output, c.why)
		}
	}
}

// TestOneTime checks every condition of GraphSense's rule by a case that misses only it.
func TestOneTime(t *testing.T) {
	in := outputs(coin(10_000_000, key('a')), coin(8_000_000, key('b')))
	pay, rest := coin(12_000_000, key('p')), coin(5_999_321, key('c'))
	tx := payment(in, outputs(pay, rest))
	many := outputs(rest)
	for i := range 9 {
		many = append(many, coin(9_000_000, key('A'+byte(i))))
	}
	facts := func(n int, first cluster.Known) *cluster.Facts {
		list := []cluster.Known{first}
		for len(list) < n {
			list = append(list, seen)
		}
		return known(list...)
	}
	decide(t, map[string]decided{
		"change":                      {"one-time", tx, known(seen, fresh), 1, ""},
		"change that was spent since": {"one-time", tx, known(seen, spent), 1, ""},
		"whether the payee is fresh is no matter": {"one-time", tx, known(fresh, fresh), 1, ""},
		"seen before":                           {"one-time", tx, known(seen, seen), -1, cluster.Undecided},
		"paid again":                            {"one-time", tx, known(seen, reused), -1, cluster.Undecided},
		"spends twice":                          {"one-time", tx, known(seen, cluster.Known{Received: 1, Spent: 2}), -1, cluster.Undecided},
		"another type":                          {"one-time", payment(in, outputs(pay, coin(5_999_321, segwit('c')))), known(seen, fresh), -1, cluster.Undecided},
		"inputs of two types":                   {"one-time", payment(outputs(in[0], coin(8_000_000, segwit('b'))), outputs(pay, rest)), known(seen, fresh), -1, cluster.Undecided},
		"two types, and a payee who may pay in": {"one-time", payment(outputs(in[0], coin(8_000_000, segwit('b'))), outputs(coin(12_000_001, key('p')), rest)), known(seen, fresh), -1, cluster.PayJoin},
		"inputs of two types, three outputs":    {"one-time", payment(outputs(in[0], coin(8_000_000, segwit('b'))), outputs(pay, rest, coin(1, key('e')))), known(seen, fresh, seen), -1, cluster.Undecided},
		"a multiple of 1,000":                   {"one-time", payment(in, outputs(pay, coin(5_999_000, key('c')))), known(seen, fresh), -1, cluster.Undecided},
		"as much as the smallest input":         {"one-time", payment(in, outputs(coin(9_000_000, key('p')), coin(8_000_000, key('c')))), known(seen, fresh), -1, cluster.Undecided},
		"twice among the outputs":               {"one-time", payment(in, outputs(pay, coin(321, key('c')), rest)), known(seen, fresh, fresh), -1, cluster.Undecided},
		"two candidates":                        {"one-time", payment(in, outputs(coin(7_000_123, key('p')), rest)), known(fresh, fresh), -1, cluster.Undecided},
		"ten outputs":                           {"one-time", payment(outputs(coin(100_000_000, key('a'))), many), facts(10, fresh), 0, ""},
		"eleven outputs":                        {"one-time", payment(outputs(coin(100_000_000, key('a'))), append(slices.Clone(many), pay)), facts(11, fresh), -1, cluster.Undecided},
		"one output":                            {"one-time", payment(in, outputs(rest)), known(fresh), -1, cluster.OneOutput},
		"one output and data":                   {"one-time", payment(in, outputs(rest, ledger.Output{Unspendable: true})), known(fresh, cluster.Known{}), -1, cluster.OneOutput},
		"an input of which nothing is known":    {"one-time", payment(append(slices.Clone(in), ledger.Output{}), outputs(pay, rest)), known(seen, fresh), -1, cluster.UnknownInput},
		"more paid than spent":                  {"one-time", payment(outputs(coin(1_000, key('a'))), outputs(pay, rest)), known(seen, fresh), -1, cluster.UnknownInput},
		"no inputs":                             {"one-time", payment(nil, outputs(pay, rest)), known(seen, fresh), -1, cluster.UnknownInput},
		"a coinbase":                            {"one-time", &ledger.Resolved{Coinbase: true, Outputs: outputs(pay, rest)}, known(seen, fresh), -1, cluster.NewCoins},
		"a coinjoin":                            {"one-time", tx, &cluster.Facts{Excluded: cluster.Mixing, Outputs: []cluster.Known{seen, fresh}}, -1, cluster.Mixing},
		"nothing said of the addresses":         {"one-time", tx, nil, -1, cluster.NoFacts},
		"too little said of them":               {"one-time", tx, known(seen), -1, cluster.NoFacts},
	})
}

func TestMeiklejohn(t *testing.T) {
	in := outputs(coin(10_000_000, key('a')))
	tx := payment(in, outputs(coin(4_000_000, key('p')), coin(5_999_000, segwit('c'))))
	decide(t, map[string]decided{
		"one new address":                  {"meiklejohn", tx, known(seen, fresh), 1, ""},
		"two new addresses":                {"meiklejohn", tx, known(fresh, fresh), -1, cluster.Undecided},
		"no new address":                   {"meiklejohn", tx, known(seen, seen), -1, cluster.Undecided},
		"paid again":                       {"meiklejohn", tx, known(seen, reused), -1, cluster.Undecided},
		"change returned to the payer":     {"meiklejohn", payment(in, outputs(coin(4_000_000, key('p')), coin(5_999_000, key('a')))), known(fresh, seen), -1, cluster.Undecided},
		"the new address twice":            {"meiklejohn", payment(in, outputs(coin(1, key('p')), coin(1, key('c')), coin(1, key('c')))), known(seen, fresh, fresh), -1, cluster.Undecided},
		"direct finds what it leaves":      {"meiklejohn|direct", payment(in, outputs(coin(4_000_000, key('p')), coin(5_999_000, key('a')))), known(fresh, seen), 1, ""},
		"direct alone":                     {"direct", payment(in, outputs(coin(4_000_000, key('p')), coin(5_999_000, key('a')))), known(fresh, seen), 1, ""},
		"direct with nothing returned":     {"direct", tx, known(seen, fresh), -1, cluster.Undecided},
		"direct with two outputs returned": {"direct", payment(in, outputs(coin(4_000_000, key('a')), coin(5_999_000, key('a')))), known(seen, seen), -1, cluster.Undecided},
	})
}

// TestFeatures checks what every feature says of outputs.
func TestFeatures(t *testing.T) {
	two := outputs(coin(10_000_000, key('a')), coin(8_000_000, key('b')))
	rich := outputs(coin(20_000_000, key('a')))
	for name, c := range map[string]struct {
		feature *cluster.Feature
		tx      *ledger.Resolved
		facts   *cluster.Facts
		want    []int8
	}{
		"optimal: the smaller output":              {cluster.Optimal, payment(two, outputs(coin(12_000_000, key('p')), coin(5_999_000, key('c')))), known(fresh, fresh), []int8{0, 1}},
		"optimal: both could be":                   {cluster.Optimal, payment(two, outputs(coin(7_000_000, key('p')), coin(5_999_000, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"optimal: one input says nothing":          {cluster.Optimal, payment(two[:1], outputs(coin(7_000_000, key('p')), coin(2_999_000, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"optimal: as much as the smallest input":   {cluster.Optimal, payment(two, outputs(coin(9_000_000, key('p')), coin(8_000_000, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"optimal with fee: not less by the fee":    {cluster.OptimalFee, payment(two, outputs(coin(10_000_000, key('p')), coin(7_999_500, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"optimal with fee: less by the fee":        {cluster.OptimalFee, payment(two, outputs(coin(10_000_500, key('p')), coin(7_998_999, key('c')))), known(fresh, fresh), []int8{0, 1}},
		"optimal with fee: a fee above all inputs": {cluster.OptimalFee, payment(two, outputs(coin(1_000, key('p')), coin(7_999, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"type: the others differ":                  {cluster.SameType, payment(two, outputs(coin(9, segwit('p')), coin(8, key('c')), coin(7, segwit('q')))), known(fresh, fresh, fresh), []int8{0, 1, 0}},
		"type: all alike":                          {cluster.SameType, payment(two, outputs(coin(9, key('p')), coin(8, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"type: inputs of two types":                {cluster.SameType, payment(outputs(coin(9, key('a')), coin(9, segwit('b'))), outputs(coin(8, segwit('p')), coin(8, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"power of ten: 10^4 beats 10^2":            {cluster.PowerOfTen, payment(rich, outputs(coin(12_340_000, key('p')), coin(5_699_900, key('c')))), known(fresh, fresh), []int8{-1, 0}},
		"power of ten: 10 is not round":            {cluster.PowerOfTen, payment(rich, outputs(coin(12_340_010, key('p')), coin(5_699_901, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"power of ten: above 10^7 all is alike":    {cluster.PowerOfTen, payment(outputs(coin(10_000_000_000, key('a'))), outputs(coin(1_000_000_000, key('p')), coin(10_000_000, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"power of ten: a batch of round payments":  {cluster.PowerOfTen, payment(two, outputs(coin(1_000_000, key('p')), coin(5_699_901, key('c')), coin(200_000, key('q')))), known(fresh, fresh, fresh), []int8{-1, 0, -1}},
		"reuse: seen before":                       {cluster.Reuse, payment(two, outputs(coin(9, key('p')), coin(8, key('c')))), known(seen, fresh), []int8{-1, 0}},
		"reuse: the payer's own address":           {cluster.Reuse, payment(two, outputs(coin(9, key('p')), coin(8, key('a')))), known(seen, seen), []int8{-1, 0}},
		"fresh: the only one":                      {cluster.Fresh, payment(two, outputs(coin(9, key('p')), coin(8, key('c')))), known(seen, fresh), []int8{0, 1}},
		"fresh: change went back to the payer":     {cluster.Fresh, payment(two, outputs(coin(9, key('p')), coin(8, key('a')))), known(fresh, seen), []int8{0, 0}},
		"fresh: two of them":                       {cluster.Fresh, payment(two, outputs(coin(9, key('p')), coin(8, key('c')))), known(fresh, fresh), []int8{0, 0}},
		"data outputs have no vote":                {cluster.Fresh, payment(two, outputs(coin(9, key('p')), coin(8, key('c')), ledger.Output{Unspendable: true})), known(seen, fresh, fresh), []int8{0, 1, 0}},
	} {
		d := change(t, "score").In(c.tx, c.facts)
		i := slices.IndexFunc(d.Votes, func(v cluster.Vote) bool { return v.Feature == c.feature })
		if i < 0 || !slices.Equal(d.Votes[i].Outputs, c.want) {
			t.Errorf("%s: %+v (%q), want %v", name, d.Votes, d.Excluded, c.want)
		}
	}
}

// TestScore adds up by hand.
func TestScore(t *testing.T) {
	two := outputs(coin(10_000_000, key('a')), coin(8_000_000, key('b')))
	for name, c := range map[string]struct {
		tx         *ledger.Resolved
		facts      *cluster.Facts
		output     int
		confidence uint8
	}{
		"optimal in both forms: 3 to 0":      {payment(two, outputs(coin(12_000_001, key('p')), coin(5_990_001, key('c')))), known(fresh, fresh), 1, 65},
		"type alone: 2 to 0":                 {payment(two[:1], outputs(coin(4_000_001, segwit('p')), coin(5_990_001, key('c')))), known(fresh, fresh), -1, 0},
		"round and type: 2 to -2":            {payment(two[:1], outputs(coin(4_000_000, segwit('p')), coin(5_990_001, key('c')))), known(fresh, fresh), 1, 70},
		"reuse and fresh: 2 to -2":           {payment(two[:1], outputs(coin(4_000_001, key('p')), coin(5_990_001, key('c')))), known(seen, fresh), 1, 70},
		"everything: 7 to -4, at most 90":    {payment(two, outputs(coin(12_000_000, segwit('p')), coin(5_990_001, key('c')))), known(seen, fresh), 1, 90},
		"type against optimal: 3 to 2":       {payment(two, outputs(coin(12_000_001, key('p')), coin(5_990_001, segwit('c')))), known(fresh, fresh), -1, 0},
		"a round payment: 0 to -2":           {payment(two[:1], outputs(coin(4_000_000, key('p')), coin(5_990_001, key('c')))), known(fresh, fresh), -1, 0},
		"change to the payer is for direct":  {payment(two, outputs(coin(12_000_000, segwit('p')), coin(5_990_001, key('a')))), known(seen, seen), -1, 0},
		"three outputs, two of them alike":   {payment(two, outputs(coin(12_000_001, key('p')), coin(2_990_001, key('c')), coin(2_990_003, key('d')))), known(fresh, fresh, fresh), -1, 0},
		"three outputs, one seen, one round": {payment(two[:1], outputs(coin(1_000_000, key('p')), coin(2_990_001, key('c')), coin(2_990_003, key('d')))), known(fresh, fresh, seen), -1, 0},
	} {
		if d := change(t, "score").In(c.tx, c.facts); d.Output != c.output || d.Confidence != c.confidence {
			t.Errorf("%s: %d at %d", name, d.Output, d.Confidence)
		}
	}
}

// TestSets puts rules together.
func TestSets(t *testing.T) {
	two := outputs(coin(10_000_000, key('a')), coin(8_000_000, key('b')))
	tx := payment(two, outputs(coin(5_000_000, segwit('p')), coin(6_999_000, key('c')), coin(5_990_001, segwit('d'))))
	facts := known(fresh, fresh, fresh)
	decide(t, map[string]decided{
		"type leaves one":                        {"type", tx, facts, 1, ""},
		"round numbers leave one":                {"power-of-ten", tx, facts, 2, ""},
		"both leave none":                        {"type&power-of-ten", tx, facts, -1, cluster.Undecided},
		"either leaves two":                      {"type|power-of-ten", tx, facts, -1, cluster.Undecided},
		"the second taken from the first":        {"type~power-of-ten", tx, facts, 1, ""},
		"a feature without a say rules none out": {"type&optimal", tx, facts, 1, ""},
		"and nothing in":                         {"optimal", tx, facts, -1, cluster.Undecided},
		"from left to right":                     {"type~type&type", tx, facts, -1, cluster.Undecided},
		"brackets first":                         {"type~(type&power-of-ten)", tx, facts, 1, ""},
		"and before or":                          {"type|power-of-ten&type", tx, facts, 1, ""},
		"brackets before and":                    {"(type|power-of-ten)&power-of-ten", tx, facts, 2, ""},
		"spaces":                                 {"  ( type |power-of-ten ) & power-of-ten ", tx, facts, 2, ""},
	})
	plain := payment(two, outputs(coin(12_000_000, segwit('p')), coin(5_999_321, key('c'))))
	for text, want := range map[string]uint8{
		"one-time": 50, "type": 40, "one-time&type": 50, "type&one-time": 50, "one-time|type": 50, "one-time~direct": 50, "type~direct": 40, "direct|type": 40,
		"score": 90, "score|one-time": 90, "optimal|direct|score": 90,
	} {
		if d := change(t, text).In(plain, known(seen, fresh)); d.Output != 1 || d.Confidence != want {
			t.Errorf("%s says output %d at %d, want %d", text, d.Output, d.Confidence, want)
		}
	}
}

// TestParseChange: how sets print, and what is wrong with those that are refused.
func TestParseChange(t *testing.T) {
	for text, want := range map[string]string{
		" one-time ": "one-time", "optimal & type": "optimal&type", "(optimal)": "optimal", "a": "", "(optimal|type)&fresh": "(optimal|type)&fresh",
		"optimal|(type|fresh)": "optimal|type|fresh", "optimal~(type~fresh)": "optimal~(type~fresh)", "(optimal~type)~fresh": "optimal~type~fresh",
		"optimal&(type&fresh)": "optimal&(type&fresh)",
	} {
		c, err := cluster.ParseChange(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q was read", text)
			}
			continue
		}
		if err != nil || c.String() != want {
			t.Errorf("%q prints as %v, %v", text, c, err)
		}
	}
	for text, want := range map[string]string{
		"":                           "end too early: put a bracket or one of direct, meiklejohn, one-time, score, fresh, optimal",
		"optimal&":                   "end too early",
		"one-tme":                    `go wrong at "one-tme"`,
		"optimal type":               `go wrong at "type": put &, | or ~ before it`,
		"(optimal":                   "close the bracket",
		"optimal)":                   "put &, | or ~ before it",
		"optimal&&type":              `go wrong at "&type"`,
		strings.Repeat("(", 17):      "fewer brackets",
		strings.Repeat("fresh|", 40): "too long",
	} {
		if c, err := cluster.ParseChange(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
}

// FuzzParseChange: what is read prints as something that reads the same.
func FuzzParseChange(f *testing.F) {
	for _, text := range []string{"score", "optimal&type|fresh~(reuse|direct)", "((", "~"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := cluster.ParseChange(text)
		if err != nil {
			return
		}
		again, err := cluster.ParseChange(c.String())
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q prints as %q, which is %v, %v", text, c, again, err)
		}
	})
}

// anySet draws a set of change rules.
func anySet(rt *rapid.T, depth int) *cluster.Change {
	if depth == 0 || rapid.IntRange(0, 2).Draw(rt, "leaf") == 0 {
		c, err := cluster.ParseChange(rapid.SampledFrom(cluster.Sets).Draw(rt, "name").Name)
		if err != nil {
			rt.Fatal(err)
		}
		return c
	}
	join := rapid.SampledFrom([]func(a, b *cluster.Change) *cluster.Change{cluster.And, cluster.Or, cluster.Unless}).Draw(rt, "join")
	return join(anySet(rt, depth-1), anySet(rt, depth-1))
}

// TestChangeHolds: the change is an output that can be spent and has an owner; what a
// set prints decides alike; its edge joins an input to that output; what is excluded
// for co-spending is excluded here.
func TestChangeHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tx, c := anyTx(rt), anySet(rt, 3)
		facts := &cluster.Facts{}
		for range tx.Outputs {
			facts.Outputs = append(facts.Outputs, rapid.SampledFrom([]cluster.Known{fresh, spent, seen, reused}).Draw(rt, "known"))
		}
		d := c.In(tx, facts)
		if (d.Output < 0) != (d.Excluded != cluster.Included) || (d.Output < 0) != (d.Confidence == 0) {
			rt.Fatalf("%+v", d)
		}
		if d.Output >= 0 {
			if o := tx.Outputs[d.Output]; o.Unspendable || o.Address.IsZero() || o.Value == 0 || len(d.Votes) != len(cluster.Features) {
				rt.Fatalf("%+v is change", o)
			}
		}
		if again, err := cluster.ParseChange(c.String()); err == nil {
			if e := again.In(tx, facts); e.Output != d.Output || e.Confidence != d.Confidence {
				rt.Fatalf("%s decides %+v, as printed %+v", c, d, e)
			}
		} else if len(c.String()) <= 200 {
			rt.Fatal(err)
		}
		edges, why := c.Rule().InTx(tx, facts)
		if len(edges) > 1 || (len(edges) == 1) != (why == cluster.Included) {
			rt.Fatalf("%v, %q", edges, why)
		}
		for _, e := range edges {
			isInput := slices.ContainsFunc(tx.Inputs, func(o ledger.Output) bool { return o.Address == e.A })
			if e.A == e.B || !isInput || e.B != tx.Outputs[d.Output].Address || e.Confidence != d.Confidence || e.Height != tx.Height {
				rt.Fatalf("%+v of %+v", e, d)
			}
		}
		_, coSpend := cluster.CoSpend.InTx(tx, facts)
		if excluded := coSpend != cluster.Included && coSpend != cluster.OneAddress; excluded && d.Excluded != coSpend {
			rt.Fatalf("excluded as %q here and as %q there", d.Excluded, coSpend)
		}
	})
}

// TestChangeEdges: who is tied to whom.
func TestChangeEdges(t *testing.T) {
	two := outputs(coin(10_000_000, key('a')), coin(8_000_000, key('b')))
	edges, why := cluster.ChangeOneTime.InTx(payment(two, outputs(coin(12_000_000, key('p')), coin(5_999_321, key('c')))), known(seen, fresh))
	if why != "" || len(edges) != 1 || (edges[0] != cluster.Edge{A: key('a'), B: key('c'), Rule: cluster.ChangeOneTime, Tx: ledger.Hash{7}, Height: 100, Confidence: 50}) {
		t.Errorf("%+v, %q", edges, why)
	}
	returned := payment(two, outputs(coin(12_000_000, key('p')), coin(5_999_321, key('b'))))
	if edges, why := change(t, "direct").Rule().InTx(returned, known(seen, seen)); edges != nil || why != cluster.OneAddress {
		t.Errorf("change to an input address ties %+v, %q", edges, why)
	}
	open := payment(outputs(coin(330, owner(ledger.P2WSH, 'l')), coin(8_000_000, key('b'))), outputs(coin(5_000_000, key('p')), coin(200, segwit('c'))))
	if edges, why := change(t, "optimal").Rule().InTx(open, known(seen, fresh)); why != "" || len(edges) != 1 || edges[0].A != key('b') {
		t.Errorf("%+v, %q", edges, why)
	}
}

// TestChangeOf2009 runs over the first 14,132 blocks, in which no rule finds change but
// where it went back to the key that paid.
func TestChangeOf2009(t *testing.T) {
	list := early(t)
	facts := factsOf(list)
	got := ""
	for _, text := range []string{"direct", "meiklejohn", "one-time", "score", "direct|one-time"} {
		c := change(t, text)
		n := 0
		for i, tx := range list {
			if c.In(tx, facts[i]).Output >= 0 {
				n++
			}
		}
		got += fmt.Sprintf("%s %d, ", text, n)
	}
	if want := "direct 31, meiklejohn 0, one-time 0, score 0, direct|one-time 31, "; got != want {
		t.Errorf("got %s", got)
	}
}
