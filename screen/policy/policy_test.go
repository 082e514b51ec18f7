package policy_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

// head is a policy up to its rules; thin policies are made of it and one rule.
const head = `name: thin
version: 7
severities: {sanction: 100, hacking: 80, abuse: 70, service: 20}
numbers: {direct_min_cents: 10000, direct_min_share_bp: 100, floor_cents: 1000, floor_share_bp: 1, dust_cents: 1000, decay_bp: 8000, max_hops: 5, max_age_seconds: 900, owned_bp: 8000}
assets:
  eip155:1/slip44:60: {symbol: ETH, decimals: 18, price_cents: 200000, price_source: a test}
`

func rules(text string) string { return head + "rules:\n" + text }

func parse(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDefaultParses(t *testing.T) {
	p := parse(t, policy.DefaultText)
	if p.Name() != "default" || p.Version() != "1" || p.Digest() != policy.Default().Digest() {
		t.Errorf("%s", p)
	}
	if want := "default@1 " + p.Digest(); p.String() != want {
		t.Errorf("%s, want %s", p, want)
	}
	for _, r := range p.Run() {
		if len(r.Wrong) > 0 {
			t.Errorf("%s: %v", r.Test.Name, r.Wrong)
		}
	}
	if n := len(p.Run()); n < 20 {
		t.Errorf("only %d tests of its own", n)
	}
}

// TestParseRefuses reads files that are wrong, and asks for the line and the reason.
func TestParseRefuses(t *testing.T) {
	const fine = "  - {name: a, when: fact.in_force, outcome: review, why: w}\n" // line 8
	for name, c := range map[string]struct {
		text   string
		line   int
		reason string
	}{
		"no YAML":                 {"a: [", 0, "no YAML"},
		"two documents":           {rules(fine) + "---\na: 1\n", 0, "more than one document"},
		"not UTF-8":               {"name: \xff", 0, "UTF-8"},
		"empty":                   {"", 0, "no YAML"},
		"a list":                  {"- 1", 1, "want a mapping"},
		"an unknown key":          {head + "rulez: []\n", 7, `unknown key "rulez"`},
		"a key that comes twice":  {rules(fine) + "name: b\n", 9, "comes twice"},
		"an alias":                {"name: &a x\nversion: *a\n", 2, "aliases"},
		"no rules":                {head, 1, "needs name, version and rules"},
		"a missing number":        {strings.Replace(rules(fine), "decay_bp: 8000, ", "", 1), 1, "decay_bp is missing"},
		"a number nobody reads":   {strings.Replace(rules(fine), "owned_bp: 8000", "owned_bp: 8000, owned_bb: 1", 1), 4, "no rule reads this number"},
		"a number below zero":     {strings.Replace(rules(fine), "decay_bp: 8000", "decay_bp: -1", 1), 4, "from 0 to 10000"},
		"a decay above all":       {strings.Replace(rules(fine), "decay_bp: 8000", "decay_bp: 10001", 1), 4, "from 0 to 10000"},
		"a broken number":         {strings.Replace(rules(fine), "decay_bp: 8000", "decay_bp: 0.8", 1), 4, "whole number"},
		"an unknown category":     {strings.Replace(rules(fine), "hacking: 80", "hacken: 80", 1), 3, `category "hacken" is not in the taxonomy`},
		"a severity above 100":    {strings.Replace(rules(fine), "hacking: 80", "hacking: 101", 1), 3, "from 0 to 100"},
		"a price of nobody":       {strings.Replace(rules(fine), ", price_source: a test", "", 1), 6, "price_source"},
		"an asset of no chain":    {strings.Replace(rules(fine), "eip155:1/slip44:60", "ether", 1), 6, "CAIP-19"},
		"unknown: allow":          {rules(fine) + "unknown: allow\n", 9, "may not be allow"},
		"levels out of order":     {rules(fine) + "levels: {low: 30, medium: 20}\n", 9, "low < medium"},
		"a rule without a why":    {rules("  - {name: a, when: fact.in_force, outcome: review}\n"), 8, "needs name, when, outcome and why"},
		"a rule with a typo":      {rules("  - {name: a, wenn: fact.in_force, outcome: review, why: w}\n"), 8, `unknown key "wenn"`},
		"the engine's own code":   {rules("  - {name: dust, when: fact.in_force, outcome: review, why: w}\n"), 8, "engine's own"},
		"two rules of one name":   {rules(fine + fine), 9, "name of two rules"},
		"an unknown outcome":      {rules("  - {name: a, when: fact.in_force, outcome: block, why: w}\n"), 8, `"block" is none of`},
		"an unknown purpose":      {rules("  - {name: a, when: fact.in_force, outcome: review, purposes: [loan], why: w}\n"), 8, `"loan" is none of`},
		"an unknown kind":         {rules("  - {name: a, when: fact.in_force, outcome: review, kinds: [rumour], why: w}\n"), 8, `"rumour" is none of`},
		"an empty list of kinds":  {rules("  - {name: a, when: fact.in_force, outcome: review, kinds: [], why: w}\n"), 8, "would never apply"},
		"an unknown group":        {rules("  - {name: a, when: fact.in_force, outcome: review, only: [saint], why: w}\n"), 8, `no group "saint"`},
		"an idle outcome":         {rules("  - {name: a, when: fact.in_force, outcome: review, purposes: [swap], outcome_for: {refund: freeze}, why: w}\n"), 8, "does not apply"},
		"an end before the start": {rules("  - {name: a, when: fact.in_force, outcome: review, since: 2025-01-02, until: 2025-01-01, why: w}\n"), 8, "ends before"},
		"no date":                 {rules("  - {name: a, when: fact.in_force, outcome: review, since: soon, why: w}\n"), 8, "no date"},
		"bad CEL":                 {rules("  - {name: a, when: fact.in_force &&, outcome: review, why: w}\n"), 8, "Syntax error"},
		"an unknown field":        {rules("  - {name: a, when: fact.colr == 'x', outcome: review, why: w}\n"), 8, "undefined field 'colr'"},
		"an unknown number":       {rules("  - {name: a, when: fact.hops > policy.far, outcome: review, why: w}\n"), 8, "undefined field 'far'"},
		"a number as an answer":   {rules("  - {name: a, when: fact.hops + 1, outcome: review, why: w}\n"), 8, "gives int, want bool"},
		"a float":                 {rules("  - {name: a, when: 1.5 == 1.5, outcome: review, why: w}\n"), 8, "speaks of double"},
		"a map":                   {rules("  - {name: a, when: \"{'a': 1} == {'a': 1}\", outcome: review, why: w}\n"), 8, "speaks of map"},
		"a pattern":               {rules("  - {name: a, when: fact.entity.matches('(a*)*b'), outcome: review, why: w}\n"), 8, "undeclared reference to 'matches'"},
		"a clock":                 {rules("  - {name: a, when: timestamp('2025-01-01T00:00:00Z') == timestamp('2025-01-01T00:00:00Z'), outcome: review, why: w}\n"), 8, "undeclared reference"},
		"texts that grow":         {rules("  - {name: a, when: (fact.entity + fact.entity) == 'x', outcome: review, why: w}\n"), 8, "no matching overload"},
		"all facts in a fact rule": {
			rules("  - {name: a, when: 'facts.exists(f, f.in_force)', outcome: review, why: w}\n"), 8, "undeclared reference to 'facts'",
		},
		"a loop in a loop": {
			rules("  - {name: a, scope: subject, when: 'facts.exists(f, facts.exists(g, f.hops < g.hops))', outcome: review, why: w}\n"), 8, "nesting limit",
		},
		"a loop's variable that hides another": {
			rules("  - {name: a, scope: subject, when: 'facts.exists(policy, policy.hops > 1)', outcome: review, why: w}\n"), 8, "name of something else",
		},
		"a made fact":           {rules("  - {name: a, when: 'coldtrail.fact{hops: 1} == fact', outcome: review, why: w}\n"), 8, "cannot make values"},
		"policy itself":         {rules("  - {name: a, when: policy == policy, outcome: review, why: w}\n"), 8, "policy is no value"},
		"is() of no category":   {rules("  - {name: a, when: \"fact.is('hacken')\", outcome: review, why: w}\n"), 8, `category "hacken" is not in the taxonomy`},
		"is() of a field":       {rules("  - {name: a, when: fact.is(fact.entity), outcome: review, why: w}\n"), 8, "wants a category in quotes"},
		"a dear rule":           {rules("  - {name: a, when: \"" + strings.Repeat("fact.entity.contains(fact.source) && ", 40) + "true\", outcome: review, why: w}\n"), 8, "may cost"},
		"a long rule":           {rules("  - {name: a, when: \"" + strings.Repeat("fact.direct && ", 200) + "true\", outcome: review, why: w}\n"), 8, "1 to 2000 bytes"},
		"a deep rule":           {rules("  - {name: a, when: \"" + strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300) + "\", outcome: review, why: w}\n"), 8, "recursion"},
		"a test without a name": {rules(fine) + "tests:\n  - {expect: {outcome: allow}}\n", 10, "needs a name"},
		"a fact without a kind": {rules(fine) + "tests:\n  - {name: t, facts: [{hops: 1}], expect: {outcome: allow}}\n", 10, "needs a kind"},
		"a test of an unknown category": {
			rules(fine) + "tests:\n  - {name: t, facts: [{kind: label, category: hacken}], expect: {outcome: allow}}\n", 10, "not in the taxonomy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse([]byte(c.text))
			var wrong *policy.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("%v, want a *policy.Error", err)
			}
			if wrong.Line != c.line || !strings.Contains(wrong.Error(), c.reason) {
				t.Errorf("line %d: %v; want line %d, %q", wrong.Line, err, c.line, c.reason)
			}
		})
	}
}

func TestPolicyThatFailsItsOwnTestsIsRefused(t *testing.T) {
	text := rules("  - {name: hacked, when: \"fact.is('hacking')\", outcome: review, why: w}\n") + `tests:
  - {name: right, facts: [{kind: label, category: exploit}], expect: {outcome: review, reasons: [hacked]}}
  - {name: wrong, facts: [{kind: label, category: scam}], expect: {outcome: review, level: low, reasons: [hacked], absent: [no-rule]}}
`
	_, err := policy.Parse([]byte(text))
	var failed *policy.TestError
	if !errors.As(err, &failed) {
		t.Fatalf("%v, want a *policy.TestError", err)
	}
	if len(failed.Failed) != 1 || failed.Failed[0].Test.Name != "wrong" || failed.Failed[0].Test.Line != 11 {
		t.Errorf("%+v", failed.Failed)
	}
	want := []string{
		"outcome allow, want review", "level high, want low", "reason hacked is missing", "reason no-rule is given", "reasons given: no-rule",
	}
	if text := failed.Error(); text != `policy line 11: test "wrong": `+strings.Join(want, "; ") {
		t.Error(text)
	}
	if got := failed.Failed[0].Wrong; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestDigest says what is part of a policy's digest and what is not.
func TestDigest(t *testing.T) {
	const rule = "  - {name: a, when: fact.direct && fact.hops < 1, outcome: review, why: w}\n"
	base := parse(t, rules(rule))
	if len(base.Digest()) != len("sha256:")+64 {
		t.Fatal(base.Digest())
	}
	for name, text := range map[string]string{
		"layout":  rules("  - name: a\n    outcome: review\n    why: w\n    when: >-\n      fact.direct\n      &&   fact.hops<1\n"),
		"comment": "# of no consequence\n" + rules(rule),
		"tests":   rules(rule) + "tests:\n  - {name: t, expect: {outcome: allow}}\n",
	} {
		if p := parse(t, text); p.Digest() != base.Digest() {
			t.Errorf("%s changes the digest", name)
		}
	}
	seen := map[string]string{base.Digest(): "base"}
	for name, text := range map[string]string{
		"version":  strings.Replace(rules(rule), "version: 7", "version: 8", 1),
		"severity": strings.Replace(rules(rule), "hacking: 80", "hacking: 81", 1),
		"number":   strings.Replace(rules(rule), "max_hops: 5", "max_hops: 6", 1),
		"price":    strings.Replace(rules(rule), "price_cents: 200000", "price_cents: 200001", 1),
		"rule":     rules(strings.Replace(rule, "< 1", "< 2", 1)),
		"why":      rules(strings.Replace(rule, "why: w", "why: v", 1)),
		"outcome":  rules(strings.Replace(rule, "review", "refuse", 1)),
		"unknown":  rules(rule) + "unknown: monitor\n",
		"group":    rules(rule) + "groups: {g: {categories: [miner]}}\n",
		"levels":   rules(rule) + "levels: {low: 2}\n",
		"taint":    rules(rule) + "taint: exploit\n",
	} {
		p := parse(t, text)
		if other, ok := seen[p.Digest()]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[p.Digest()] = name
	}
}

// TestSeveritiesAreInherited asks rules about concepts that have no severity of their
// own.
func TestSeveritiesAreInherited(t *testing.T) {
	p := parse(t, rules("  - {name: a, when: fact.severity >= 0, outcome: allow, why: w}\n"))
	for category, want := range map[string]uint32{
		"hacking": 80, "service_hack": 80, "exploit": 80, // hacking's
		"scam": 70, "ransomware": 70, "ponzi_scheme": 70, // abuse's, over several steps
		"sanction": 100, "market": 20, "defi_bridge": 20, "perpetrator": 0, "miner": 0,
	} {
		got := p.Score(&exposure.Question{}, []exposure.Fact{{Kind: exposure.Labelled, Category: category, Confidence: 100}}, now)
		if got.Total != want || got.About != want {
			t.Errorf("%s: %+v, want %d", category, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(rules("  - {name: a, kinds: [label], when: \"fact.is('hacking') && fact.hops < 3\", outcome: refuse, outcome_for: {deposit: freeze}, why: w}\ntests:\n  - {name: t, facts: [{kind: label, category: scam, from: 2025-01-01}], expect: {outcome: allow}}\n")))
	f.Add([]byte(rules("  - {name: a, scope: subject, when: 'facts.exists(f, f.hops > 1)', outcome: review, why: w}\n")))
	f.Add([]byte("a: &a [*a, *a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse(text)
		if err != nil {
			var wrong *policy.Error
			var failed *policy.TestError
			if !errors.As(err, &wrong) && !errors.As(err, &failed) {
				t.Fatalf("an error of no type: %v", err)
			}
			return
		}
		again, err := policy.Parse(text)
		if err != nil || again.String() != p.String() {
			t.Fatalf("read twice, it is not the same: %v, %v", again, err)
		}
		v := p.Decide(&exposure.Question{}, policy.Subject{}, nil, now)
		if v.Outcome == exposure.Allow || v.Level == exposure.None {
			t.Fatalf("a chain that is not held reads as clean: %+v", v)
		}
	})
}

// TestDocumentedExample reads the policy that the documentation shows.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if p := parse(t, example); !ok || p.Name() != "desk" || len(p.Run()) != 1 {
		t.Errorf("%s", p)
	}
}

// TestTestsSayEverything gives a test every key that it can have.
func TestTestsSayEverything(t *testing.T) {
	text := rules("  - {name: a, when: \"question.cents == 200000 && subject.age_seconds == 60 && subject.address == '0xabc' && fact.hops == 3\", outcome: refuse, why: w}\n") + `tests:
  - name: everything
    now: 2025-02-03T04:05:06Z
    question: {purpose: any, asset: "eip155:1/slip44:60", amount: 1000000000000000000, at: 1738555506, known: 2025-02-03}
    subject: {address: "0xabc", chain: "eip155:1", held: true, stale: false, not_an_address: false, age_seconds: 60}
    facts:
      - {kind: counterparty, direction: sent, category: scam, sanction: false, confidence: 50, certainty_bp: 5000, share_bp: 5, hops: 3, chain: "eip155:1",
         entity: e, authority: "", incident: i, colour: c, asset: a, claim: c, by: b, source: s, rule: r, about: x, amount: "18446744073709551616",
         held: 1, origin: 2, total: 36893488147419103232, from: 1, to: 2025-01-01, learned: 1738540799}
      - {kind: label, category: sanction, learned: 2025-02-03T00:00:01Z}
    expect: {outcome: refuse, level: none, reasons: [a, no-price], absent: [undefined]}
`
	r := parse(t, text).Run()
	if len(r) != 1 || r[0].Test.Now != 1738555506 || r[0].Test.Subject.Seen != 1738555446 || len(r[0].Verdict.Facts) != 1 {
		t.Errorf("%+v", r)
	}
	if f := r[0].Test.Facts[0]; f.Amount.Dec() != "18446744073709551616" || f.To != 1735689600 || f.Share != 5 || f.Learned != 1738540799 {
		t.Errorf("%+v", f)
	}
}
