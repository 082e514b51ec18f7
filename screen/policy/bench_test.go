package policy_test

import (
	"fmt"
	"testing"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

const now = 1748736000 // 2025-06-01

// typical is a subject with n facts: a label, taint, a counterparty and more of those.
func typical(n int) []exposure.Fact {
	ether := ledger.Ethereum.Native()
	all := []exposure.Fact{
		{Kind: exposure.Labelled, Category: "scam", Confidence: 50, From: 1_600_000_000, Claim: "c1", By: "somebody", Source: "a list"},
		{
			Kind: exposure.Tainted, Direction: exposure.Received, Category: "service_hack", Incident: "bybit-2025", Colour: "bybit-2025/eth", Asset: ether,
			Amount: amount("12000000000000000000"), Held: amount("3000000000000000000"), Total: amount("400000000000000000000"), Hops: 3, Certainty: 10000, From: 1_740_000_000,
		},
		{
			Kind: exposure.Dealt, Direction: exposure.Received, Category: "mixing_service", Entity: "a mixer", Confidence: 60, Asset: ether,
			Amount: amount("1000000000000000000"), Total: amount("400000000000000000000"), Hops: 1, From: 1_700_000_000,
		},
		{
			Kind: exposure.Dealt, Direction: exposure.Sent, Category: "exchange", Entity: "an exchange", Confidence: 60, Asset: ether,
			Amount: amount("90000000000000000000"), Total: amount("380000000000000000000"), Hops: 1, From: 1_700_000_000,
		},
		{
			Kind: exposure.Dealt, Direction: exposure.Sent, Category: "gambling", Entity: "a casino", Confidence: 60, Asset: ether,
			Amount: amount("2000000000000000000"), Total: amount("380000000000000000000"), Hops: 1, From: 1_700_000_000,
		},
	}
	return policy.Normal(all[:n])
}

func amount(text string) exposure.Decimal {
	a, err := ledger.ParseAmount(text)
	if err != nil {
		panic(err)
	}
	return exposure.Decimal{Amount: a}
}

var current = policy.Subject{Address: "0xabc", Chain: string(ledger.Ethereum), Held: true, Seen: now}

func BenchmarkDecide(b *testing.B) {
	p := policy.Default()
	for _, n := range []int{0, 1, 2, 3, 5} {
		b.Run(fmt.Sprintf("facts=%d", n), func(b *testing.B) {
			facts := typical(n)
			q := &exposure.Question{Purpose: exposure.Deposit}
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(q, current, facts, now)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := policy.Parse([]byte(policy.DefaultText)); err != nil {
			b.Fatal(err)
		}
	}
}
