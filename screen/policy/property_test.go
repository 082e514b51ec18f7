package policy_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

var (
	assets     = []ledger.Asset{usdt, token, "", ledger.Ethereum.Native(), ledger.Bitcoin.Native()}
	grave      = []string{"sanction", "service_hack", "exploit", "ransomware", "market", "mixing_service", "scam", "perpetrator", "child_sexual_abuse", "coinjoin"}
	categories = append([]string{"", "evil"}, label.Concepts()...)
)

// anyFact is a fact of any kind, much of it nonsense.
func anyFact(from []string) *rapid.Generator[exposure.Fact] {
	return rapid.Custom(func(t *rapid.T) exposure.Fact {
		f := exposure.Fact{
			Kind:       rapid.SampledFrom([]exposure.Kind{exposure.Labelled, exposure.Owned, exposure.Tainted, exposure.Dealt}).Draw(t, "kind"),
			Category:   rapid.SampledFrom(from).Draw(t, "category"),
			Sanction:   rapid.IntRange(0, 5).Draw(t, "sanction") == 0,
			Confidence: uint8(rapid.IntRange(0, 100).Draw(t, "confidence")),
			From:       rapid.SampledFrom([]int64{0, now - day, now + day}).Draw(t, "from"),
			To:         rapid.SampledFrom([]int64{0, 0, now - 1}).Draw(t, "to"),
			Evidence:   rapid.SliceOfN(rapid.SampledFrom([]string{"tx1", "tx2"}), 0, 2).Draw(t, "evidence"),
			Learned:    rapid.SampledFrom([]int64{0, now - 2*day}).Draw(t, "learned"),
		}
		if f.Kind == exposure.Labelled || f.Kind == exposure.Owned {
			return f
		}
		f.Direction = rapid.SampledFrom([]exposure.Direction{exposure.Received, exposure.Sent}).Draw(t, "direction")
		f.Asset = rapid.SampledFrom(assets).Draw(t, "asset")
		f.Amount = exposure.Decimal{Amount: ledger.NewAmount(rapid.Uint64().Draw(t, "amount"))}
		f.Held = exposure.Decimal{Amount: ledger.NewAmount(rapid.Uint64().Draw(t, "held"))}
		f.Total = exposure.Decimal{Amount: ledger.NewAmount(rapid.Uint64().Draw(t, "total"))}
		f.Share = uint32(rapid.IntRange(0, 10_000).Draw(t, "share"))
		f.Certainty = uint32(rapid.IntRange(0, 10_000).Draw(t, "certainty"))
		f.Hops = uint32(rapid.IntRange(0, 8).Draw(t, "hops"))
		return f
	})
}

func anyQuestion(t *rapid.T) *exposure.Question {
	return &exposure.Question{
		Purpose: rapid.SampledFrom([]exposure.Purpose{"", "deposit", "withdrawal", "swap", "refund"}).Draw(t, "purpose"),
		At:      rapid.SampledFrom([]int64{0, now - 2*day, now - 1}).Draw(t, "at"),
		Known:   rapid.SampledFrom([]int64{0, now - day}).Draw(t, "known"),
	}
}

func rank(o exposure.Outcome) int { return slices.Index(exposure.Outcomes, o) }

var ranks = []exposure.Level{exposure.None, exposure.Low, exposure.Medium, exposure.Unknown, exposure.High, exposure.Severe}

// TestGraverFactsNeverMakeItMilder adds a fact that speaks against a subject to any
// others.
func TestGraverFactsNeverMakeItMilder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuestion(t)
		facts := rapid.SliceOfN(anyFact(categories), 0, 6).Draw(t, "facts")
		more := append(slices.Clone(facts), anyFact(grave).Draw(t, "graver"))
		a, b := policy.Default().Decide(q, current, facts, now), policy.Default().Decide(q, current, more, now)
		if rank(b.Outcome) < rank(a.Outcome) || slices.Index(ranks, b.Level) < slices.Index(ranks, a.Level) || b.Score < a.Score {
			t.Fatalf("%s %s %d became %s %s %d", a.Outcome, a.Level, a.Score, b.Outcome, b.Level, b.Score)
		}
	})
}

// TestOrderAndRepetitionDoNotMatter gives the same facts in another order, some twice.
func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuestion(t)
		facts := rapid.SliceOfN(anyFact(categories), 0, 6).Draw(t, "facts")
		for _, f := range facts[:len(facts)/2] { // told apart by what shows it, and by nothing else
			f.Evidence = append(slices.Clone(f.Evidence), "tx3")
			facts = append(facts, f)
		}
		other := rapid.Permutation(append(slices.Clone(facts), facts[:len(facts)/2]...)).Draw(t, "other")
		before, _ := json.Marshal(other)
		a, _ := json.Marshal(policy.Default().Decide(q, current, facts, now))
		b, _ := json.Marshal(policy.Default().Decide(q, current, other, now))
		after, _ := json.Marshal(other)
		if string(a) != string(b) {
			t.Fatalf("%s\nbecame %s", a, b)
		}
		if string(before) != string(after) {
			t.Fatal("the caller's facts were changed")
		}
	})
}

// TestUnknownNeverBecomesAllow adds facts that speak for a subject of which nobody can
// tell.
func TestUnknownNeverBecomesAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom([]policy.Subject{
			{Address: "a", Seen: now}, {Address: "a", Held: true, Seen: now - 3*day}, {Address: "a", Held: true, Seen: now, Stale: true}, {NotAnAddress: true, Held: true, Seen: now},
		}).Draw(t, "subject")
		facts := rapid.SliceOfN(anyFact([]string{"exchange", "victim", "miner", "white_list", "hot_wallet", "donation"}), 0, 6).Draw(t, "facts")
		v := policy.Default().Decide(anyQuestion(t), s, facts, now)
		if v.Outcome == exposure.Allow || slices.Index(ranks, v.Level) < slices.Index(ranks, exposure.Unknown) {
			t.Fatalf("%s %s %+v", v.Outcome, v.Level, v.Reasons)
		}
	})
}

// TestVerdictsExplainThemselves says that the outcome is the gravest reason's, that
// reasons fall, and that every fact a reason names is there.
func TestVerdictsExplainThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := policy.Default().Decide(anyQuestion(t), current, rapid.SliceOfN(anyFact(categories), 0, 6).Draw(t, "facts"), now)
		if len(v.Reasons) == 0 || v.Reasons[0].Outcome != v.Outcome {
			t.Fatalf("%+v", v)
		}
		for i, r := range v.Reasons {
			if r.Why == "" || r.Fact < -1 || r.Fact >= len(v.Facts) || i > 0 && rank(r.Outcome) > rank(v.Reasons[i-1].Outcome) {
				t.Fatalf("reason %d of %+v", i, v.Reasons)
			}
			if r.Code == "rule-error" {
				t.Fatalf("a rule of the bundled policy fails: %s", r.Why)
			}
		}
	})
}

// TestScoreAgainstExactFractions compares the score with its formula in fractions of any
// size. The score rounds weights down to a billionth and itself to a whole number, and
// so may be one less where the exact value is a whole number or a hair above one.
func TestScoreAgainstExactFractions(t *testing.T) {
	severity := map[string]int64{"service_hack": 90, "scam": 70, "gambling": 30, "coinjoin": 50, "mixing_service": 70, "defi_bridge": 10}
	var names []string
	for c := range severity {
		names = append(names, c)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		facts := policy.Normal(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) exposure.Fact {
			return exposure.Fact{
				Kind: exposure.Dealt, Direction: rapid.SampledFrom([]exposure.Direction{"received", "sent"}).Draw(t, "direction"), Category: rapid.SampledFrom(names).Draw(t, "category"),
				Confidence: uint8(rapid.IntRange(1, 100).Draw(t, "confidence")), Certainty: uint32(rapid.IntRange(1, 10_000).Draw(t, "certainty")), Asset: token,
				Amount: exposure.Decimal{Amount: ledger.NewAmount(1)}, Share: uint32(rapid.IntRange(1, 10_000).Draw(t, "share")), Hops: uint32(rapid.IntRange(0, 7).Draw(t, "hops")),
			}
		}), 0, 8).Draw(t, "facts"))
		type key struct{ way, category string }
		sums, most := map[key]*big.Rat{}, map[key]*big.Rat{}
		for _, f := range facts {
			if f.Hops > 5 {
				continue
			}
			k := key{string(f.Direction), f.Category}
			if sums[k] == nil {
				sums[k], most[k] = new(big.Rat), new(big.Rat)
			}
			w := new(big.Rat).Mul(big.NewRat(int64(f.Confidence), 100), big.NewRat(int64(f.Certainty), 10_000))
			if f.Hops <= 1 && f.Share >= 100 { // direct and material: in full
				if w.Cmp(most[k]) > 0 {
					most[k] = w
				}
				continue
			}
			w.Mul(w, big.NewRat(int64(f.Share), 10_000))
			for i := uint32(1); i < f.Hops; i++ {
				w.Mul(w, big.NewRat(8, 10))
			}
			sums[k].Add(sums[k], w)
		}
		exact := map[string]*big.Rat{"received": new(big.Rat), "sent": new(big.Rat)}
		for k := range sums {
			w := sums[k]
			if w.Cmp(big.NewRat(1, 1)) > 0 {
				w = big.NewRat(1, 1)
			}
			if most[k].Cmp(w) > 0 {
				w = most[k]
			}
			if w = new(big.Rat).Mul(w, big.NewRat(severity[k.category], 1)); w.Cmp(exact[k.way]) > 0 {
				exact[k.way] = w
			}
		}
		got := policy.Default().Score(&exposure.Question{}, facts, now)
		for way, score := range map[string]uint32{"received": got.Received, "sent": got.Sent} {
			low := big.NewRat(int64(score), 1)
			high := new(big.Rat).Add(low, big.NewRat(1_000_001, 1_000_000))
			if exact[way].Cmp(low) < 0 || exact[way].Cmp(high) >= 0 {
				t.Fatalf("%s: %d, exactly %s", way, score, exact[way].FloatString(9))
			}
		}
		if got.Total != max(got.Received, got.Sent, got.About) || got.About != 0 {
			t.Fatalf("%+v", got)
		}
	})
}

// TestManyAtOnce decides the same in many goroutines.
func TestManyAtOnce(t *testing.T) {
	facts := typical(5)
	q := &exposure.Question{Purpose: exposure.Swap}
	want, _ := json.Marshal(policy.Default().Decide(q, current, facts, now))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 200 {
				if got, _ := json.Marshal(policy.Default().Decide(q, current, facts, now)); string(got) != string(want) {
					t.Errorf("%s\nwant %s", got, want)
					return
				}
				policy.Default().Decide(q, current, nil, now)
			}
		})
	}
	group.Wait()
}
