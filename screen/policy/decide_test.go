package policy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

const (
	usdt  = ledger.Asset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7") // six decimals
	token = ledger.Asset("eip155:1/erc20:0x00000000000000000000000000000000000000ff") // no price
	day   = 86400
)

// dollars is an amount of USDT.
func dollars(n uint64) exposure.Decimal {
	return exposure.Decimal{Amount: ledger.NewAmount(n * 1_000_000)}
}

// listed is an authority's claim about the address, from and to.
func listed(from, to int64) exposure.Fact {
	return exposure.Fact{Kind: exposure.Labelled, Category: "sanction", Sanction: true, Authority: "OFAC", Confidence: 60, From: from, To: to}
}

func labelled(category string, confidence uint8) exposure.Fact {
	return exposure.Fact{Kind: exposure.Labelled, Category: category, Confidence: confidence}
}

// owned is a conclusion about the owner.
func owned(category string, confidence uint8) exposure.Fact {
	return exposure.Fact{Kind: exposure.Owned, Category: category, Confidence: confidence, Rule: "co-spend", About: "another"}
}

// tainted is stolen USDT that came to the address.
func tainted(amount, total uint64, hops, certainty uint32) exposure.Fact {
	return exposure.Fact{
		Kind: exposure.Tainted, Direction: exposure.Received, Category: "service_hack", Incident: "i", Colour: "i/usdt", Asset: usdt,
		Amount: dollars(amount), Total: dollars(total), Hops: hops, Certainty: certainty,
	}
}

// dealt is USDT that moved between the address and a labelled one.
func dealt(d exposure.Direction, category string, amount, total uint64, hops uint32) exposure.Fact {
	return exposure.Fact{
		Kind: exposure.Dealt, Direction: d, Category: category, Entity: "somebody", Confidence: 60, Asset: usdt,
		Amount: dollars(amount), Total: dollars(total), Hops: hops,
	}
}

// with changes a fact.
func with(f exposure.Fact, change func(*exposure.Fact)) exposure.Fact {
	change(&f)
	return f
}

func sanctioned(f exposure.Fact) exposure.Fact {
	return with(f, func(f *exposure.Fact) { f.Sanction, f.Category, f.Authority = true, "sanction", "OFAC" })
}

// TestDefaultPolicy has one case for each thing that the bundled policy promises.
func TestDefaultPolicy(t *testing.T) {
	const then = now - 400*day
	share := func(bp uint32) func(*exposure.Fact) {
		return func(f *exposure.Fact) { f.Share, f.Total = bp, exposure.Decimal{} }
	}
	for _, c := range []struct {
		name    string
		purpose exposure.Purpose
		at      int64
		facts   []exposure.Fact
		outcome exposure.Outcome
		level   exposure.Level
		score   uint32
		reasons string // codes, in order
	}{
		// Lists of authorities.
		{"listed, asked by nobody in particular", "", 0, []exposure.Fact{listed(then, 0)}, "refuse", "severe", 60, "sanctioned"},
		{"listed, deposits", "deposit", 0, []exposure.Fact{listed(then, 0)}, "freeze", "severe", 60, "sanctioned"},
		{"listed, withdraws", "withdrawal", 0, []exposure.Fact{listed(then, 0)}, "refuse", "severe", 60, "sanctioned"},
		{"listed, wants a refund: what is blocked is not given back", "refund", 0, []exposure.Fact{listed(then, 0)}, "freeze", "severe", 60, "sanctioned"},
		{"listed by a source of the least confidence: strict all the same", "swap", 0, []exposure.Fact{with(listed(0, 0), func(f *exposure.Fact) { f.Confidence = 1 })}, "refuse", "severe", 1, "sanctioned"},
		{"listed now, not at the moment asked for", "deposit", then - day, []exposure.Fact{listed(then, 0)}, "review", "medium", 0, "sanctioned-later"},
		{"listed at the moment asked for, delisted since", "deposit", then + day, []exposure.Fact{listed(then, then+2*day)}, "freeze", "severe", 60, "sanctioned"},
		{"delisted", "deposit", 0, []exposure.Fact{listed(then, now-day)}, "allow", "none", 0, "delisted"},
		{"delisted this very second", "deposit", 0, []exposure.Fact{listed(then, now)}, "allow", "none", 0, "delisted"},
		{"listed this very second", "deposit", 0, []exposure.Fact{listed(now, 0)}, "freeze", "severe", 60, "sanctioned"},
		{"its owner is concluded to be listed", "deposit", 0, []exposure.Fact{sanctioned(owned("", 60))}, "review", "high", 48, "sanctioned-owner"},
		{"somebody says that it is sanctioned", "deposit", 0, []exposure.Fact{labelled("sanction", 90)}, "review", "severe", 90, "said-to-be-sanctioned"},

		// Dealings with listed ones.
		{"USD 11 from a listed address", "deposit", 0, []exposure.Fact{sanctioned(dealt("received", "", 11, 1_000_000, 1))}, "refuse", "severe", 0, "sanctioned-counterparty"},
		{"USD 9 from a listed address is dust", "deposit", 0, []exposure.Fact{sanctioned(dealt("received", "", 9, 10, 1))}, "allow", "none", 0, "dust"},
		{"USD 9 to a listed address is no dust: it was wanted", "withdrawal", 0, []exposure.Fact{sanctioned(dealt("sent", "", 9, 10, 1))}, "refuse", "severe", 60, "sanctioned-counterparty dealt-large dealt-some"},
		{"nothing to a listed address: anybody can make that", "withdrawal", 0, []exposure.Fact{sanctioned(dealt("sent", "", 0, 10, 1))}, "allow", "none", 0, "poisoning"},
		{"nothing from a listed address", "deposit", 0, []exposure.Fact{sanctioned(dealt("received", "", 0, 10, 1))}, "allow", "none", 0, "poisoning"},
		{
			"a token without a price from a listed address", "deposit", 0,
			[]exposure.Fact{with(sanctioned(dealt("received", "", 11, 0, 1)), func(f *exposure.Fact) { f.Asset = token })},
			"review", "high", 60,
			"sanctioned-counterparty-unvalued dealt-large dealt-some no-price",
		},
		{"a listed one two hops away, for a twentieth", "deposit", 0, []exposure.Fact{sanctioned(dealt("received", "", 500, 10_000, 2))}, "monitor", "low", 2, "dealt-some"},
		{"a listed one two hops away, for half", "deposit", 0, []exposure.Fact{sanctioned(dealt("received", "", 5_000, 10_000, 2))}, "review", "medium", 24, "dealt-large dealt-some"},

		// Claims by confidence.
		{"a thief, by a good source", "withdrawal", 0, []exposure.Fact{labelled("service_hack", 60)}, "refuse", "high", 54, "labelled-grave"},
		{"a thief, by a good source, deposits", "deposit", 0, []exposure.Fact{labelled("exploit", 90)}, "freeze", "severe", 81, "labelled-grave"},
		{"a thief, by a middling source", "deposit", 0, []exposure.Fact{labelled("ransomware", 40)}, "review", "medium", 36, "labelled-grave-unsure"},
		{"a thief, by a rumour", "deposit", 0, []exposure.Fact{labelled("hacking", 5)}, "monitor", "low", 4, "labelled-grave-rumour"},
		{"a thief, by a claim that ended", "deposit", 0, []exposure.Fact{with(labelled("hacking", 90), func(f *exposure.Fact) { f.To = now - day })}, "allow", "none", 0, "no-rule"},
		{"a claim that states no confidence counts in full", "deposit", 0, []exposure.Fact{labelled("hacking", 0)}, "freeze", "severe", 80, "labelled-grave"},
		{"a mixer", "deposit", 0, []exposure.Fact{labelled("mixing_service", 60)}, "review", "medium", 42, "labelled-serious"},
		{"a mixer, by a rumour", "deposit", 0, []exposure.Fact{labelled("mixing_service", 10)}, "monitor", "low", 7, "labelled-light"},
		{"a coinjoin", "deposit", 0, []exposure.Fact{labelled("coinjoin", 60)}, "monitor", "medium", 30, "labelled-light"},
		{"an exchange", "deposit", 0, []exposure.Fact{labelled("exchange", 60)}, "allow", "none", 0, "known-service"},
		{"a miner", "deposit", 0, []exposure.Fact{labelled("miner", 60)}, "allow", "none", 0, "no-rule"},
		{"an exchange that is listed itself", "deposit", 0, []exposure.Fact{labelled("exchange", 60), listed(0, 0)}, "freeze", "severe", 60, "sanctioned known-service"},

		// Conclusions weigh less than claims.
		{"its owner is concluded to be a thief", "deposit", 0, []exposure.Fact{owned("service_hack", 60)}, "review", "medium", 43, "owner-grave"},
		{"its owner is concluded to be a mixer", "deposit", 0, []exposure.Fact{owned("mixing_service", 60)}, "monitor", "medium", 33, "owner-notable"},
		{"its owner is concluded to be an exchange: no service for that", "deposit", 0, []exposure.Fact{owned("exchange", 60), tainted(500, 500, 1, 10000)}, "freeze", "severe", 90, "taint-direct taint-large taint-some"},

		// Stolen value.
		{"USD 500 straight from the theft", "swap", 0, []exposure.Fact{tainted(500, 100_000, 1, 10000)}, "refuse", "severe", 90, "taint-direct taint-large taint-some"},
		{"the same, as an inference", "swap", 0, []exposure.Fact{tainted(500, 100_000, 1, 9000)}, "review", "severe", 81, "taint-large taint-some"},
		{"the same, as a guess", "swap", 0, []exposure.Fact{tainted(500, 100_000, 1, 4000)}, "monitor", "medium", 36, "taint-some"},
		{"USD 50 straight from the theft, of much", "swap", 0, []exposure.Fact{tainted(50, 100_000, 1, 10000)}, "allow", "none", 0, "no-rule"},
		{"three hops away, all of it", "swap", 0, []exposure.Fact{tainted(500, 500, 3, 10000)}, "refuse", "high", 57, "taint-mostly taint-large taint-some"},
		{"three hops away, all of it, deposited", "deposit", 0, []exposure.Fact{tainted(500, 500, 3, 10000)}, "freeze", "high", 57, "taint-mostly taint-large taint-some"},
		{"three hops away, all of it, as an inference", "swap", 0, []exposure.Fact{tainted(500, 500, 3, 8000)}, "review", "medium", 46, "taint-large taint-some"},
		{"three hops away, a tenth", "swap", 0, []exposure.Fact{tainted(500, 5_000, 3, 10000)}, "review", "medium", 5, "taint-large taint-some"},
		{"three hops away, a twentieth", "swap", 0, []exposure.Fact{tainted(500, 10_000, 3, 10000)}, "monitor", "low", 2, "taint-some"},
		{"three hops away, USD 10,000 of very much", "swap", 0, []exposure.Fact{tainted(10_000, 100_000_000, 3, 10000)}, "review", "medium", 0, "taint-large taint-some"},
		{"three hops away, a thousandth", "swap", 0, []exposure.Fact{tainted(500, 500_000, 3, 10000)}, "allow", "none", 0, "no-rule"},
		{"seven hops away, all of it", "swap", 0, []exposure.Fact{tainted(500, 500, 7, 10000)}, "review", "low", 0, "taint-far taint-some"},
		{"stolen value still lies there", "swap", 0, []exposure.Fact{with(tainted(500, 20_000, 3, 10000), func(f *exposure.Fact) { f.Held = dollars(200) })}, "review", "medium", 1, "taint-held taint-some"},
		{"the same, but it only receives", "withdrawal", 0, []exposure.Fact{with(tainted(500, 20_000, 3, 10000), func(f *exposure.Fact) { f.Held = dollars(200) })}, "monitor", "low", 1, "taint-some"},
		{"dust of the theft", "deposit", 0, []exposure.Fact{tainted(9, 9, 1, 10000)}, "allow", "none", 0, "dust"},
		{"two thefts that are large only together", "swap", 0, []exposure.Fact{tainted(6_000, 600_000, 2, 10000), with(tainted(6_000, 600_000, 2, 10000), func(f *exposure.Fact) { f.Incident = "j" })}, "review", "medium", 1, "taint-together taint-some taint-some"},
		{"a share without an amount's price", "swap", 0, []exposure.Fact{with(with(tainted(500, 1, 3, 10000), share(2000)), func(f *exposure.Fact) { f.Asset = token })}, "review", "medium", 11, "taint-large taint-some no-price"},
		{"neither share nor price: nobody can tell how much", "swap", 0, []exposure.Fact{with(tainted(500, 0, 3, 10000), func(f *exposure.Fact) { f.Asset = token })}, "review", "high", 57, "taint-large taint-some no-price"},
		{"it came after the moment asked for", "swap", now - day, []exposure.Fact{with(tainted(500, 500, 1, 10000), func(f *exposure.Fact) { f.From = now - 1 })}, "allow", "none", 0, "after"},
		{"it passed stolen value on", "swap", 0, []exposure.Fact{with(tainted(500, 500, 1, 10000), func(f *exposure.Fact) { f.Direction = exposure.Sent })}, "refuse", "severe", 90, "taint-direct taint-large taint-some"},

		// Services keep many people's money.
		{"an exchange's hot wallet received stolen value", "withdrawal", 0, []exposure.Fact{labelled("hot_wallet", 60), tainted(50_000, 10_000_000, 1, 10000)}, "allow", "none", 0, "known-service service-pool"},
		{"an exchange of which a fifth is stolen", "withdrawal", 0, []exposure.Fact{labelled("exchange", 60), tainted(20_000, 100_000, 1, 10000)}, "monitor", "low", 18, "service-notable known-service"},
		{"an exchange of which most is stolen", "withdrawal", 0, []exposure.Fact{labelled("exchange", 60), tainted(60_000, 100_000, 1, 10000)}, "review", "high", 54, "service-mostly known-service"},
		{"an exchange of which nobody knows the size", "withdrawal", 0, []exposure.Fact{labelled("exchange", 60), tainted(50_000, 0, 1, 10000)}, "allow", "none", 0, "known-service service-pool"},
		{"an exchange that a listed address paid", "withdrawal", 0, []exposure.Fact{labelled("exchange", 60), sanctioned(dealt("received", "", 5_000, 10_000_000, 1))}, "allow", "none", 0, "known-service service-pool"},
		{"an exchange, by a rumour: no service for that", "withdrawal", 0, []exposure.Fact{labelled("exchange", 20), tainted(500, 500, 1, 10000)}, "refuse", "severe", 90, "taint-direct taint-large taint-some"},
		{"an exchange until yesterday: no service for that", "withdrawal", 0, []exposure.Fact{with(labelled("exchange", 60), func(f *exposure.Fact) { f.To = now - day }), tainted(500, 500, 1, 10000)}, "refuse", "severe", 90, "taint-direct taint-large taint-some"},
		{"a customer's deposit address is no pool", "withdrawal", 0, []exposure.Fact{labelled("deposit_wallet", 60), tainted(500, 500, 1, 10000)}, "refuse", "severe", 90, "taint-direct taint-large taint-some"},

		// Refunds.
		{"the thief wants a refund", "refund", 0, []exposure.Fact{labelled("perpetrator", 60)}, "freeze", "high", 54, "labelled-grave"},
		{"an address of stolen value wants a refund", "refund", 0, []exposure.Fact{with(tainted(500, 500, 2, 10000), func(f *exposure.Fact) { f.Held = dollars(500) })}, "freeze", "high", 72, "taint-mostly taint-large taint-held taint-some"},
		{"a victim wants a refund", "refund", 0, []exposure.Fact{labelled("victim", 60), tainted(500, 500, 1, 10000)}, "allow", "none", 0, "known-victim victim-dealings"},
		{"a victim of a listed thief wants a refund", "refund", 0, []exposure.Fact{labelled("victim", 60), sanctioned(dealt("sent", "", 50_000, 50_000, 1))}, "allow", "none", 0, "known-victim victim-dealings"},
		{"a victim deposits", "deposit", 0, []exposure.Fact{labelled("victim", 60), tainted(500, 500, 1, 10000)}, "monitor", "none", 0, "victim-dealings known-victim"},
		{"a victim, by a rumour", "refund", 0, []exposure.Fact{labelled("victim", 10), tainted(500, 500, 1, 10000)}, "freeze", "severe", 90, "taint-direct taint-large taint-some"},
		{"a victim who is listed, in no category", "refund", 0, []exposure.Fact{labelled("victim", 60), with(listed(0, 0), func(f *exposure.Fact) { f.Category = "" })}, "freeze", "severe", 60, "sanctioned"},
		{"a victim who is also called a thief", "refund", 0, []exposure.Fact{labelled("victim", 60), labelled("scam", 5), tainted(500, 500, 1, 10000)}, "freeze", "severe", 90, "taint-direct taint-large labelled-light taint-some"},

		// Dealings with others, received and sent apart.
		{"USD 200 from a thief's address", "deposit", 0, []exposure.Fact{dealt("received", "exploit", 200, 100_000, 1)}, "review", "high", 54, "dealt-grave dealt-some"},
		{"USD 50 from a thief's address", "deposit", 0, []exposure.Fact{dealt("received", "exploit", 50, 100_000, 1)}, "allow", "none", 0, "no-rule"},
		{"a twentieth to a mixer", "withdrawal", 0, []exposure.Fact{dealt("sent", "mixing_service", 5_000, 100_000, 1)}, "monitor", "medium", 42, "dealt-some"},
		{"a fifth to a mixer", "withdrawal", 0, []exposure.Fact{dealt("sent", "mixing_service", 5_000, 25_000, 1)}, "review", "medium", 42, "dealt-large dealt-some"},
		{"a fifth from gambling", "deposit", 0, []exposure.Fact{dealt("received", "gambling", 5_000, 25_000, 1)}, "monitor", "low", 18, "dealt-some"},
		{"a fifth to an exchange", "withdrawal", 0, []exposure.Fact{dealt("sent", "exchange", 5_000, 25_000, 1)}, "allow", "none", 0, "no-rule"},
		{"two twentieths from mixers", "deposit", 0, []exposure.Fact{dealt("received", "mixing_service", 500, 10_000, 3), with(dealt("received", "mixing_service", 500, 10_000, 3), func(f *exposure.Fact) { f.Entity = "another" })}, "review", "medium", 2, "dealt-together-received dealt-some dealt-some"},
		{"a twentieth from a mixer and one to it: never netted, never summed", "deposit", 0, []exposure.Fact{dealt("received", "mixing_service", 500, 10_000, 3), dealt("sent", "mixing_service", 500, 10_000, 3)}, "monitor", "low", 1, "dealt-some dealt-some"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := &exposure.Question{Purpose: c.purpose, At: c.at}
			v := policy.Default().Decide(q, current, c.facts, now)
			var given []string
			for _, r := range v.Reasons {
				given = append(given, r.Code)
				if r.Why == "" {
					t.Errorf("%s says nothing to people", r.Code)
				}
			}
			if v.Outcome != c.outcome || v.Level != c.level || v.Score != c.score || strings.Join(given, " ") != c.reasons {
				t.Errorf("%s %s %d %q\nwant %s %s %d %q", v.Outcome, v.Level, v.Score, strings.Join(given, " "), c.outcome, c.level, c.score, c.reasons)
			}
		})
	}
}

// TestUnknown says when nobody can tell, and that what is known to be worse still shows.
func TestUnknown(t *testing.T) {
	fresh := policy.Subject{Address: "a", Held: true, Seen: now}
	for _, c := range []struct {
		name    string
		subject policy.Subject
		at      int64
		facts   []exposure.Fact
		outcome exposure.Outcome
		level   exposure.Level
		code    string // of the first reason
	}{
		{"held and current, nothing known", fresh, 0, nil, "allow", "none", "no-facts"},
		{"not held", policy.Subject{Seen: now}, 0, nil, "review", "unknown", "chain-not-held"},
		{"not held, an exchange by its label", policy.Subject{Seen: now}, 0, []exposure.Fact{labelled("exchange", 90)}, "review", "unknown", "chain-not-held"},
		{"not held, listed", policy.Subject{Seen: now}, 0, []exposure.Fact{listed(0, 0)}, "refuse", "severe", "sanctioned"},
		{"not held, a coinjoin: medium is not all", policy.Subject{Seen: now}, 0, []exposure.Fact{labelled("coinjoin", 90)}, "review", "unknown", "chain-not-held"},
		{"no address", policy.Subject{NotAnAddress: true, Held: true, Seen: now}, 0, nil, "review", "unknown", "not-an-address"},
		{"15 minutes old", policy.Subject{Held: true, Seen: now - 900}, 0, nil, "allow", "none", "no-facts"},
		{"15 minutes and a second old", policy.Subject{Held: true, Seen: now - 901}, 0, nil, "review", "unknown", "stale"},
		{"old, but asked about a moment that it covers", policy.Subject{Held: true, Seen: now - 5000}, now - 5000, nil, "allow", "none", "no-facts"},
		{"asked about the future", fresh, now + 901, nil, "review", "unknown", "stale"},
		{"never heard of", policy.Subject{Held: true}, 0, nil, "review", "unknown", "stale"},
		{"behind by the caller's word", policy.Subject{Held: true, Seen: now, Stale: true}, 0, nil, "review", "unknown", "stale"},
		{"a time before all time", policy.Subject{Held: true, Seen: -1 << 63}, 1<<63 - 1, nil, "review", "unknown", "stale"},
		{"a category that nobody defined", fresh, 0, []exposure.Fact{labelled("evil", 90)}, "review", "unknown", "undefined"},
		{"a kind that nobody defined", fresh, 0, []exposure.Fact{{Kind: "rumour", Category: "exchange"}}, "review", "unknown", "undefined"},
		{"listed, in a category that nobody defined", fresh, 0, []exposure.Fact{{Kind: exposure.Labelled, Category: "evil", Sanction: true}}, "refuse", "severe", "sanctioned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := policy.Default().Decide(&exposure.Question{At: c.at}, c.subject, c.facts, now)
			if v.Outcome != c.outcome || v.Level != c.level || v.Reasons[0].Code != c.code {
				t.Errorf("%s %s %+v, want %s %s %s", v.Outcome, v.Level, v.Reasons, c.outcome, c.level, c.code)
			}
		})
	}
}

// TestKnown asks for what was known at another moment.
func TestKnown(t *testing.T) {
	fact := with(listed(now-10*day, 0), func(f *exposure.Fact) { f.Learned = now - 5*day })
	for known, want := range map[int64]string{
		0:           "refuse sanctioned 1", // now, what held then
		now - 4*day: "refuse sanctioned 1",
		now - 5*day: "refuse sanctioned 1", // learnt this very second
		now - 6*day: "allow no-facts 0",    // the decision of then, with what was known
	} {
		v := policy.Default().Decide(&exposure.Question{At: now - 7*day, Known: known}, current, []exposure.Fact{fact}, now)
		if got := fmt.Sprintf("%s %s %d", v.Outcome, v.Reasons[0].Code, len(v.Facts)); got != want {
			t.Errorf("known %d: %s, want %s", known, got, want)
		}
	}
}

// TestRuleErrors lets rules fail while they are asked: that is never a pass.
func TestRuleErrors(t *testing.T) {
	huge := with(tainted(1, 1, 1, 10000), func(f *exposure.Fact) {
		f.Asset, f.Amount = "eip155:1/slip44:60", amount("57896044618658097711785492504343953926634992332820282019728792003956564819968") // 2^255
	})
	for name, c := range map[string]struct {
		rule string
		fact exposure.Fact
		why  string
	}{
		"a division by zero": {"{name: a, when: 1 / fact.hops > 5, outcome: allow, why: w}", labelled("exchange", 90), "division by zero"},
		"an overflow":        {"{name: a, when: fact.cents + 1 < 0, outcome: allow, why: w}", huge, "overflow"},
		"a long text": {
			"{name: a, when: fact.entity == 'x', outcome: allow, why: w}",
			with(labelled("exchange", 90), func(f *exposure.Fact) { f.Entity = strings.Repeat("x", 5000) }), "5000 bytes",
		},
	} {
		v := parse(t, rules("  - "+c.rule+"\n")).Decide(&exposure.Question{}, current, []exposure.Fact{c.fact}, now)
		r := v.Reasons[0]
		if v.Outcome != exposure.Review || r.Code != "rule-error" || r.Outcome != exposure.Review || r.Fact != 0 ||
			!strings.HasPrefix(r.Why, "Rule a could not be evaluated") || !strings.Contains(r.Why, c.why) {
			t.Errorf("%s: %+v", name, v)
		}
		if v.Level != exposure.Unknown && v.Level != exposure.Severe {
			t.Errorf("%s: level %s", name, v.Level)
		}
	}
}

// TestCostLimit stops a rule over very many facts.
func TestCostLimit(t *testing.T) {
	p := parse(t, rules("  - {name: a, scope: subject, when: 'facts.all(f, f.entity.contains(f.source) || f.hops < 9)', outcome: allow, why: w}\n"))
	for n, want := range map[int]string{100: "allow a", 100_000: "review rule-error"} {
		facts := make([]exposure.Fact, n)
		for i := range facts {
			facts[i] = with(labelled("exchange", 90), func(f *exposure.Fact) { f.Entity, f.Source = strings.Repeat("e", 100), fmt.Sprint(i) })
		}
		v := p.Decide(&exposure.Question{}, current, facts, now)
		if got := string(v.Outcome) + " " + v.Reasons[0].Code; got != want || v.Reasons[0].Fact != -1 {
			t.Errorf("%d facts: %s, want %s", n, got, want)
		}
	}
}

// TestRuleReach tries what a rule applies to: purposes, dates, groups, directions, kinds.
func TestRuleReach(t *testing.T) {
	for name, c := range map[string]struct {
		rule    string
		purpose exposure.Purpose
		at      int64
		facts   []exposure.Fact
		outcome exposure.Outcome
	}{
		"its purpose":           {"purposes: [swap]", "swap", 0, []exposure.Fact{labelled("miner", 90)}, "refuse"},
		"another purpose":       {"purposes: [swap]", "refund", 0, []exposure.Fact{labelled("miner", 90)}, "allow"},
		"no purpose":            {"purposes: [any]", "", 0, []exposure.Fact{labelled("miner", 90)}, "refuse"},
		"a purpose of its own":  {"outcome_for: {swap: freeze}", "swap", 0, []exposure.Fact{labelled("miner", 90)}, "freeze"},
		"a purpose of nobody's": {"outcome_for: {swap: freeze}", "loan", 0, []exposure.Fact{labelled("miner", 90)}, "refuse"},
		"before it begins":      {"since: 2025-05-02", "", 1746057600, []exposure.Fact{labelled("miner", 90)}, "allow"}, // 2025-05-01
		"when it begins":        {"since: 2025-05-01", "", 1746057600, []exposure.Fact{labelled("miner", 90)}, "refuse"},
		"when it ends":          {"until: 2025-05-01", "", 1746057600, []exposure.Fact{labelled("miner", 90)}, "allow"},
		"its kind":              {"kinds: [cluster, taint]", "", 0, []exposure.Fact{owned("miner", 90)}, "refuse"},
		"another kind":          {"kinds: [cluster, taint]", "", 0, []exposure.Fact{labelled("miner", 90)}, "allow"},
		"its direction":         {"direction: sent", "", 0, []exposure.Fact{dealt("sent", "miner", 20, 20, 1)}, "refuse"},
		"another direction":     {"direction: sent", "", 0, []exposure.Fact{dealt("received", "miner", 20, 20, 1)}, "allow"},
		"its group":             {"only: [digger]", "", 0, []exposure.Fact{labelled("miner", 90)}, "refuse"},
		"not its group":         {"only: [digger]", "", 0, []exposure.Fact{labelled("exchange", 90)}, "allow"},
		"an excepted group":     {"except: [digger]", "", 0, []exposure.Fact{labelled("miner", 90)}, "allow"},
		"too unsure a group":    {"except: [digger]", "", 0, []exposure.Fact{labelled("miner", 49)}, "refuse"},
		"enough facts":          {"scope: subject, least: 2", "", 0, []exposure.Fact{labelled("miner", 90), labelled("miner", 80)}, "refuse"},
		"too few facts":         {"scope: subject, least: 2", "", 0, []exposure.Fact{labelled("miner", 90)}, "allow"},
		"facts that are dust":   {"scope: subject, least: 2", "", 0, []exposure.Fact{labelled("miner", 90), with(dealt("received", "miner", 1, 1, 1), func(f *exposure.Fact) { f.Asset, f.Amount = ledger.Ethereum.Native(), amount("1000") })}, "allow"},
	} {
		p := parse(t, strings.Replace(rules("  - {name: a, when: 'true', outcome: refuse, why: w, "+c.rule+"}\n"), "rules:", "groups: {digger: {categories: [miner], confidence: 50}}\nrules:", 1))
		if v := p.Decide(&exposure.Question{Purpose: c.purpose, At: c.at}, current, c.facts, now); v.Outcome != c.outcome {
			t.Errorf("%s: %s, want %s", name, v.Outcome, c.outcome)
		}
	}
}

// TestFields asks rules for everything that they can know.
func TestFields(t *testing.T) {
	taint := exposure.Fact{
		Kind: exposure.Tainted, Direction: exposure.Received, Chain: "eip155:1", Category: "service_hack", Entity: "e", Sanction: true, Authority: "OFAC",
		Confidence: 70, Certainty: 9000, Incident: "i", Colour: "i/c", Asset: "eip155:1/slip44:60", Amount: amount("2500000000000000001"), Held: amount("1000000000000000000"),
		Origin: amount("7"), Total: amount("10000000000000000000"), Hops: 2, From: 10, To: 20, Learned: 30, Claim: "c", By: "b", Source: "s", Rule: "r", About: "x",
	}
	truths := []string{
		"fact.kind == 'taint'", "fact.direction == 'received'", "fact.chain == 'eip155:1'", "fact.category == 'service_hack'", "fact.entity == 'e'",
		"fact.sanction", "fact.authority == 'OFAC'", "fact.confidence == 70", "fact.certainty_bp == 9000", "fact.incident == 'i'", "fact.colour == 'i/c'",
		"fact.asset.endsWith('slip44:60')", "fact.amount == '2500000000000000001'", "fact.held == '1000000000000000000'", "fact.origin == '7'",
		"fact.total == '10000000000000000000'", "fact.holds", "fact.valued", "fact.cents == 500000", "fact.held_cents == 200000",
		"fact.share_known && fact.share_bp == 2500", "!fact.unmeasured", "fact.hops == 2", "!fact.direct", "!fact.material", "!fact.trifling",
		"fact.from == 10 && fact.to == 20 && fact.learned == 30", "fact.in_force && !fact.later && !fact.ended", "fact.severity == 100", "fact.score == 12",
		"fact.claim == 'c' && fact.by == 'b' && fact.source == 's' && fact.rule == 'r' && fact.about == 'x'", "fact.is('hacking') && fact.is('abuse') && !fact.is('scam')",
		"question.purpose == 'swap' && question.asset == 'eip155:1/slip44:60' && question.amount == '1000000000000000000'", "question.valued && question.cents == 200000",
		"question.at == 1748735999 && question.now == 1748736000", "subject.address == '0xabc' && subject.chain == 'eip155:1' && subject.held && !subject.stale",
		"subject.age_seconds == 0", "subject.score == 12 && subject.score_received == 12 && subject.score_sent == 0 && subject.score_about == 0", "policy.max_hops == 5",
		"fact.kind in ['taint', 'label'] && size(fact.entity) == 1 && (fact.direct ? 1 : 2) == 2 && -fact.hops == 3 - 5 && 7 % 4 * 2 / 3 == 2",
	}
	q := &exposure.Question{Purpose: exposure.Swap, Asset: "eip155:1/slip44:60", Amount: amount("1000000000000000000"), At: now - 1}
	for _, when := range truths {
		p := parse(t, rules(fmt.Sprintf("  - {name: a, when: %q, outcome: refuse, why: w}\n", when)))
		if v := p.Decide(q, current, []exposure.Fact{taint}, now); v.Outcome != exposure.Refuse {
			t.Errorf("%s does not hold: %+v", when, v.Reasons)
		}
	}
}

// TestWorth values amounts, and never wraps.
func TestWorth(t *testing.T) {
	const most = "9223372036854775807"
	for _, c := range []struct{ decimals, price, amount, cents string }{
		{"8", "10000000", "100000000", "10000000"},               // a bitcoin
		{"8", "10000000", "9", "0"},                              // rounded down
		{"0", "1", "18446744073709551615", most},                 // 2^64-1
		{"0", "3", "3074457345618258602", "9223372036854775806"}, // just below
		{"0", "4294967296", "4294967296", most},                  // 2^64
		{"0", "3", "3074457345618258603", most},                  // just above
		{"18", "400000", "115792089237316195423570985008687907853269984665640564039457584007913129639935", most}, // 2^256-1
		{"77", "100", "115792089237316195423570985008687907853269984665640564039457584007913129639935", "115"},
		{"18", "0", "115792089237316195423570985008687907853269984665640564039457584007913129639935", "0"}, // worth nothing, as is stated
	} {
		text := strings.Replace(rules(fmt.Sprintf("  - {name: a, when: fact.valued && fact.cents == %s, outcome: refuse, why: w}\n", c.cents)),
			"decimals: 18, price_cents: 200000", "decimals: "+c.decimals+", price_cents: "+c.price, 1)
		f := exposure.Fact{Kind: exposure.Dealt, Direction: exposure.Sent, Asset: "eip155:1/slip44:60", Amount: amount(c.amount)}
		if v := parse(t, text).Decide(&exposure.Question{}, current, []exposure.Fact{f}, now); v.Outcome != exposure.Refuse {
			t.Errorf("%s at %s with %s decimals is not %s: %+v", c.amount, c.price, c.decimals, c.cents, v.Reasons)
		}
	}
}

// TestVerdict is one verdict, to the byte.
func TestVerdict(t *testing.T) {
	facts := []exposure.Fact{tainted(500, 500, 2, 10000), labelled("exchange", 10)}
	v := policy.Default().Decide(&exposure.Question{Subject: "0xABC", Purpose: exposure.Deposit}, current, facts, now)
	got, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"subject":"0xabc","chain":"eip155:1","purpose":"deposit","level":"high","outcome":"freeze","score":72,"reasons":[` +
		`{"code":"taint-mostly","outcome":"freeze","why":"Most of all that it moved is stolen, as a matter of accounting and not of opinion.","fact":1},` +
		`{"code":"taint-large","outcome":"review","why":"Stolen value is a tenth or more of what it moved, or worth USD 10,000 or more, or came with nobody in between, or nobody can tell how much it is.","fact":1},` +
		`{"code":"taint-some","outcome":"monitor","why":"More than a thousandth of what it moved is stolen.","fact":1}],"facts":[` +
		`{"kind":"label","category":"exchange","confidence":10,"hops":0},` +
		`{"kind":"taint","direction":"received","category":"service_hack","certainty_bp":10000,"incident":"i","colour":"i/usdt","asset":"` + string(usdt) + `","amount":"500000000","total":"500000000","hops":2}],"basis":null}`
	if string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !slices.EqualFunc(v.Facts, policy.Normal(facts), func(a, b exposure.Fact) bool { return a.Kind == b.Kind }) || facts[0].Kind != exposure.Tainted {
		t.Error("the caller's facts were reordered in place")
	}
}

// TestDustLimits takes an asset's own limit before what it is worth.
func TestDustLimits(t *testing.T) {
	const rule = "  - {name: a, when: 'true', outcome: refuse, why: w}\n"
	for _, c := range []struct {
		asset, amount string // at USD 2,000 an ether; dust_cents is 1000
		outcome       exposure.Outcome
	}{
		{"", "4999999999999999", exposure.Allow},                              // USD 9.99
		{"", "5000000000000000", exposure.Refuse},                             // USD 10
		{", dust: 100", "99", exposure.Allow},                                 //
		{", dust: 100", "100", exposure.Refuse},                               // worth nothing, but above its limit
		{", dust: 9000000000000000", "8999999999999999", exposure.Allow},      // USD 17.99, below its limit
		{"no price, dust: 100", "99", exposure.Allow},                         //
		{"no price, dust: 100", "100", exposure.Refuse},                       //
		{"no price", "1", exposure.Refuse},                                    // nobody can tell
		{"worth nothing", "99999999999999999999999999999999", exposure.Allow}, // as its price says
		{", dust: 9000000000000000", "18446744073709551616", exposure.Refuse}, // over 64 bits
	} {
		text := strings.Replace(rules(rule), "a test}", "a test"+c.asset+"}", 1)
		if rest, ok := strings.CutPrefix(c.asset, "no price"); ok {
			text = strings.Replace(rules(rule), ", price_cents: 200000, price_source: a test", rest, 1)
		}
		if c.asset == "worth nothing" {
			text = strings.Replace(rules(rule), "price_cents: 200000", "price_cents: 0", 1)
		}
		f := exposure.Fact{Kind: exposure.Dealt, Direction: exposure.Received, Category: "abuse", Asset: "eip155:1/slip44:60", Amount: amount(c.amount)}
		if v := parse(t, text).Decide(&exposure.Question{}, current, []exposure.Fact{f}, now); v.Outcome != c.outcome {
			t.Errorf("%q %s: %s %+v, want %s", c.asset, c.amount, v.Outcome, v.Reasons, c.outcome)
		}
	}
}

// TestSums adds what does not fit.
func TestSums(t *testing.T) {
	facts := []exposure.Fact{labelled("miner", 1), labelled("miner", 2), labelled("exchange", 3)}
	for _, when := range []string{
		"sum(facts.map(f, f.confidence)) == 6",
		"sum(facts.filter(f, f.is('exchange')).map(f, f.confidence)) == 3",
		"sum(facts.map(f, 9223372036854775807)) == 9223372036854775807",
		"sum(facts.map(f, -9223372036854775807)) == -9223372036854775807 - 1",
		"sum([1, 2, -4]) == -1", "facts.exists_one(f, f.confidence == 2)", "facts.all(f, f.in_force)", "size(facts.filter(f, f.confidence > 1)) == 2",
	} {
		p, err := policy.Parse([]byte(rules(fmt.Sprintf("  - {name: a, scope: subject, when: %q, outcome: refuse, why: w}\n", when))))
		if strings.Contains(when, ").map") { // a loop over what a loop made
			if err == nil || !strings.Contains(err.Error(), "nesting limit") {
				t.Errorf("%s: %v", when, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if v := p.Decide(&exposure.Question{}, current, facts, now); v.Outcome != exposure.Refuse {
			t.Errorf("%s does not hold: %+v", when, v.Reasons)
		}
	}
}
