package evidence_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"coldtrail/evidence"
	"coldtrail/ledger"
)

// The real way of forty bitcoin out of block 170.
const (
	t170 = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
	t181 = "a16f3ce4dd5deb92d98ef5cf8afeaf0775ebca408f708b2146c4fb42b41e14be"
	t182 = "591e91f809d716912ca1d4a9295e70c3e78bab077683f79350f101da64588073"
	t183 = "12b5633bad1f9c167d523ad1aa1947b2732a865bf5414eab2f9e5ae5d5c191ba"
	t221 = "298ca2045d174f8a158961806ffc4ef96fad02d71a6b84d9fa0491813a776160"
	t248 = "828ef3b079f9c23829c56fe86e85b4a69d9e06e5b54ea597eef5fb3ffef509fe"
	t496 = "a3b0e9e7cddbbe78270fa4182a7675ff00b92872d8df7d14265a2b1e379a9d33"
)

func steps(list ...string) string {
	var b strings.Builder
	for _, one := range list {
		b.WriteString("  - {chain: bitcoin, tx: " + one + "}\n")
	}
	return b.String()
}

func submission(from, to, steps string) string {
	return "from: {chain: bitcoin, at: \"" + from + "\"}\nto: {chain: bitcoin, at: \"" + to + "\"}\nsteps:\n" + steps
}

// TestSubmittedPaths checks paths that somebody could claim, good and bad, against a
// bundle of the real chain.
func TestSubmittedPaths(t *testing.T) {
	s, _ := realChain(t)
	raw := build(t, s, theft, options())
	_, held, err := evidence.Verify(t.Context(), bytes.NewReader(raw), int64(len(raw)), notations)
	if err != nil || held == nil {
		t.Fatal(err)
	}
	whole := steps(t181, t182, t183, t248, t496)
	for _, x := range []struct{ name, text, reason, atMost string }{
		{"the whole way", submission(t170+":1", t496+":0", whole), "", "1000000000"},
		{"from an address", submission("12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", t496+":0", whole), "", "1000000000"},
		{"with outputs named", submission(t170+":1", t182+":1", "  - {chain: bitcoin, tx: "+t181+", to: \""+t181+":1\"}\n  - {chain: bitcoin, tx: "+t182+", from: \""+t181+":1\", to: \""+t182+":1\", amount: \"2900000000\"}\n"), "", "2900000000"},
		{"a step left out", submission(t170+":1", t496+":0", steps(t181, t183, t248, t496)), "does not spend what the step before brought", ""},
		{"a branch that does not lead there", submission(t170+":1", t496+":0", steps(t181, t182, t221, t496)), "does not spend what the step before brought", ""},
		{"turned around", submission(t170+":1", t181+":0", steps(t182, t181)), "does not spend", ""},
		{"a transaction of nobody's", submission(t170+":1", t496+":0", steps(strings.Repeat("ab", 32))), "is not held", ""},
		{"too much", submission(t170+":1", t181+":0", "  - {chain: bitcoin, tx: "+t181+", to: \""+t181+":0\", amount: \"1000000001\"}\n"), "of what it moves 1000000000 is stolen", ""},
		{"another output", submission(t170+":1", t182+":0", "  - {chain: bitcoin, tx: "+t181+", to: \""+t181+":0\"}\n  - {chain: bitcoin, tx: "+t182+"}\n"), "does not spend", ""},
		{"another end", submission(t170+":1", t181+":0", steps(t181, t182)), "does not reach", ""},
		{"an end that is not there", submission(t170+":1", t182+":9", "  - {chain: bitcoin, tx: "+t181+"}\n  - {chain: bitcoin, tx: "+t182+", to: \""+t182+":9\"}\n"), "no stolen value reaches", ""},
	} {
		sub, err := evidence.ParseSubmission(strings.NewReader(x.text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", x.name, err, x.text)
		}
		r, err := evidence.CheckPath(t.Context(), sub, held.Result, held.Holds)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		if r.Valid != (x.reason == "") || r.AtMost != x.atMost {
			t.Errorf("%s: valid %v, at most %q, want %q: %+v", x.name, r.Valid, r.AtMost, x.atMost, r)
		}
		if x.reason != "" && !strings.Contains(strings.Join(reasonsOf(r), "; "), x.reason) {
			t.Errorf("%s: %q, want %q", x.name, reasonsOf(r), x.reason)
		}
	}
}

func reasonsOf(r *evidence.PathReport) (list []string) {
	for i := range r.Steps {
		list = append(list, r.Steps[i].Reasons...)
	}
	return append(list, r.Reasons...)
}

// TestUntainted tells a transaction that is held and moves nothing stolen from one that is
// not held.
func TestUntainted(t *testing.T) {
	s, _ := realChain(t)
	raw := build(t, s, theft, options())
	_, held, err := evidence.Verify(t.Context(), bytes.NewReader(raw), int64(len(raw)), notations)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := evidence.ParseSubmission(strings.NewReader(submission(t170+":1", t496+":0", steps(strings.Repeat("cd", 32)))))
	if err != nil {
		t.Fatal(err)
	}
	everything := func(context.Context, ledger.Chain, ledger.Hash) (bool, error) { return true, nil }
	r, err := evidence.CheckPath(t.Context(), sub, held.Result, everything)
	if err != nil || r.Valid || !strings.Contains(strings.Join(reasonsOf(r), ""), "no stolen value of this case moves in it") {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzSubmission(f *testing.F) {
	f.Add(submission(t170+":1", t496+":0", steps(t181, t182)))
	f.Add("{\"from\": 1}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := evidence.ParseSubmission(strings.NewReader(text))
		if err == nil && len(s.Steps) == 0 {
			t.Error("a path without a step")
		}
	})
}
