package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

// TestScore is the formula by hand: severity 90 for a hack, 0.8 a hop.
func TestScore(t *testing.T) {
	for _, c := range []struct {
		name  string
		facts []exposure.Fact
		want  policy.Scores
	}{
		{"nothing", nil, policy.Scores{}},
		{"direct, USD 100: in full", []exposure.Fact{tainted(100, 1_000_000, 1, 10000)}, policy.Scores{Total: 90, Received: 90}},
		{"direct, one per cent: in full", []exposure.Fact{tainted(99, 9_900, 1, 10000)}, policy.Scores{Total: 90, Received: 90}},
		{"direct, less than either: by its share of 0.98 %", []exposure.Fact{tainted(98, 10_000, 1, 10000)}, policy.Scores{}},
		{"two hops, half: 90 · 0.5 · 0.8", []exposure.Fact{tainted(500, 1_000, 2, 10000)}, policy.Scores{Total: 36, Received: 36}},
		{"five hops, all: 90 · 0.8^4 = 36.86", []exposure.Fact{tainted(500, 500, 5, 10000)}, policy.Scores{Total: 36, Received: 36}},
		{"six hops: too far", []exposure.Fact{tainted(500, 500, 6, 10000)}, policy.Scores{}},
		{"four billion hops", []exposure.Fact{tainted(500, 500, 1<<32-1, 10000)}, policy.Scores{}},
		{"certainty of 70 %: 90 · 0.7", []exposure.Fact{tainted(100, 1_000, 1, 7000)}, policy.Scores{Total: 63, Received: 63}},
		{"two halves of one category add up: 90 · 0.8", []exposure.Fact{tainted(500, 1_000, 2, 10000), with(tainted(500, 1_000, 2, 10000), func(f *exposure.Fact) { f.Colour = "j" })}, policy.Scores{Total: 72, Received: 72}},
		{"shares that add up to more than all are all: 90", []exposure.Fact{tainted(900, 1_000, 2, 10000), with(tainted(900, 1_000, 2, 10000), func(f *exposure.Fact) { f.Colour = "j" })}, policy.Scores{Total: 90, Received: 90}},
		{"two categories: the graver one", []exposure.Fact{dealt("received", "exploit", 100, 1_000, 1), dealt("received", "gambling", 900, 1_000, 1)}, policy.Scores{Total: 54, Received: 54}},
		{"two directions stay apart", []exposure.Fact{dealt("received", "exploit", 500, 1_000, 2), dealt("sent", "mixing_service", 500, 1_000, 2)}, policy.Scores{Total: 21, Received: 21, Sent: 16}},
		{"two claims: the heavier, not the sum", []exposure.Fact{labelled("exploit", 40), with(labelled("exploit", 50), func(f *exposure.Fact) { f.Claim = "2" })}, policy.Scores{Total: 45, About: 45}},
		{"a conclusion: four fifths of 90 · 0.5", []exposure.Fact{owned("exploit", 50)}, policy.Scores{Total: 36, About: 36}},
	} {
		if got := policy.Default().Score(&exposure.Question{}, c.facts, now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestFloor leaves out what is both little and a small part, and nothing that is only one
// of the two.
func TestFloor(t *testing.T) {
	p := parse(t, strings.Replace(rules("  - {name: a, when: fact.trifling, outcome: monitor, why: w}\n"), "floor_share_bp: 1", "floor_share_bp: 2000", 1))
	ether := func(part, total string) exposure.Fact {
		return exposure.Fact{Kind: exposure.Dealt, Direction: exposure.Sent, Category: "hacking", Asset: "eip155:1/slip44:60", Amount: amount(part), Total: amount(total), Hops: 2}
	}
	for _, c := range []struct {
		amount, total string // at USD 2,000
		outcome       exposure.Outcome
		score         uint32
	}{
		{"4000000000000000", "20000000000000000", exposure.Monitor, 0}, // USD 8, a fifth
		{"4000000000000000", "19000000000000000", exposure.Allow, 13},  // USD 8, more than a fifth
		{"5000000000000000", "50000000000000000", exposure.Allow, 6},   // USD 10, a tenth
	} {
		v := p.Decide(&exposure.Question{}, current, []exposure.Fact{ether(c.amount, c.total)}, now)
		if v.Outcome != c.outcome || v.Score != c.score {
			t.Errorf("%s of %s: %s %d, want %s %d", c.amount, c.total, v.Outcome, v.Score, c.outcome, c.score)
		}
	}
}

func TestCompare(t *testing.T) {
	before := policy.Default()
	after := parse(t, strings.NewReplacer(
		"version: 1", "version: 2",
		"mixing_service: 70", "mixing_service: 85",
		"dust_cents: 1000 ", "dust_cents: 100 ",
	).Replace(policy.DefaultText[:strings.Index(policy.DefaultText, "\ntests:")]))
	examples := []policy.Example{
		{Name: "an exchange", Subject: policy.Subject{Address: "e", Held: true, Seen: now}, Facts: []exposure.Fact{labelled("exchange", 60)}, Now: now},
		{Name: "a mixer", Subject: policy.Subject{Address: "m", Held: true, Seen: now}, Facts: []exposure.Fact{labelled("mixing_service", 60)}, Now: now},
		{Name: "dust", Subject: policy.Subject{Address: "d", Held: true, Seen: now}, Facts: []exposure.Fact{sanctioned(dealt("received", "", 5, 1_000, 1))}, Now: now},
		{Name: "unknown", Subject: policy.Subject{Address: "u"}, Now: now},
	}
	want := []policy.Change{
		{
			Example: 1, Name: "a mixer", Subject: "m",
			Before: policy.Side{Outcome: "review", Level: "medium", Score: 42, Deciding: []string{"labelled-serious"}, Only: []string{"labelled-serious"}},
			After:  policy.Side{Outcome: "refuse", Level: "high", Score: 51, Deciding: []string{"labelled-grave"}, Only: []string{"labelled-grave"}},
		},
		{
			Example: 2, Name: "dust", Subject: "d",
			Before: policy.Side{Outcome: "allow", Level: "none", Deciding: []string{"dust"}, Only: []string{"dust"}},
			After:  policy.Side{Outcome: "refuse", Level: "severe", Deciding: []string{"sanctioned-counterparty"}, Only: []string{"sanctioned-counterparty", "dealt-some"}},
		},
	}
	if diff := cmp.Diff(want, policy.Compare(before, after, examples)); diff != "" {
		t.Error(diff)
	}
	if list := policy.Compare(before, before, examples); len(list) != 0 {
		t.Errorf("a policy differs from itself: %+v", list)
	}
}

// TestRemainder takes the three smallest of five facts away.
func TestRemainder(t *testing.T) {
	source := func(name string, amount uint64, hops uint32) exposure.Fact {
		return with(dealt("received", "mixing_service", amount, 10_000, hops), func(f *exposure.Fact) { f.Entity = name })
	}
	facts := []exposure.Fact{source("a", 4_000, 2), source("b", 100, 2), source("c", 200, 3), source("d", 3_000, 3), source("e", 50, 2), labelled("exchange", 10)}
	r := policy.Default().Remainder(&exposure.Question{}, current, facts, now)
	var removed []string
	for _, f := range r.Removed {
		removed = append(removed, f.Entity)
	}
	if got := strings.Join(removed, " "); got != "b c e" {
		t.Errorf("removed %s", got)
	}
	// 70 · 0.6 · (0.4 · 0.8 + 0.3 · 0.64) = 21.5
	if r.Scores.Received != 21 || r.Cents != 700_000 || r.Unvalued != 0 || r.Outcome != "review" || r.Level != "medium" {
		t.Errorf("%+v", r)
	}
	few := policy.Default().Remainder(&exposure.Question{}, current, facts[1:3], now)
	if len(few.Removed) != 2 || few.Outcome != "allow" || few.Scores.Total != 0 || few.Level != "none" {
		t.Errorf("a flag that rests on two small facts survives: %+v", few)
	}
	blind := policy.Default().Remainder(&exposure.Question{}, current, []exposure.Fact{
		source("a", 20, 2), source("b", 20, 2), source("c", 20, 2),
		with(source("d", 9_000, 2), func(f *exposure.Fact) { f.Asset = token }),
	}, now)
	if blind.Unvalued != 1 || blind.Cents != 0 {
		t.Errorf("%+v", blind)
	}
}
