package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coldtrail/attribution/label"
	"coldtrail/store"
	"coldtrail/store/memory"
)

// drawClaim makes a claim of few subjects and words, so that many repeat.
func drawClaim(t *rapid.T) label.Claim {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	c := label.Claim{
		Subject: label.Subject{
			Network: label.Network(pick("network", "bip122:000000000019d6689c085ae165831e93", "eip155:1", "eip155:10", "tron", "actor")),
			Address: pick("address", "a", "ab", "b", "abc", "0x00"),
		},
		Label: pick("label", "Lazarus", "an exchange", "<script>alert(1)</script>", "ключ"), By: pick("by", "OFAC", "GraphSense"), Score: 60,
		Learned: rapid.Int64Range(1, 4).Draw(t, "learned"), From: rapid.Int64Range(0, 2).Draw(t, "from"), Line: rapid.IntRange(0, 3).Draw(t, "line"),
	}
	if rapid.Bool().Draw(t, "aliases") {
		c.Aliases = []string{"APT38", "TraderTraitor"}
	}
	return c
}

// testLabels adds random claims in random batches and compares every answer with the
// reference store's.
func testLabels(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		want, got := store.Store(memory.New()), open(t)
		defer func() {
			if err := got.Close(); err != nil {
				rt.Error(err)
			}
		}()
		for range rapid.IntRange(0, 5).Draw(rt, "batches") {
			var claims []label.Claim
			for range rapid.IntRange(0, 12).Draw(rt, "claims") {
				claims = append(claims, drawClaim(rt))
			}
			one, err := want.AddClaims(t.Context(), claims)
			if err != nil {
				rt.Fatal(err)
			}
			two, err := got.AddClaims(t.Context(), claims)
			if err != nil || one != two {
				rt.Fatalf("%d added, %v, want %d", two, err, one)
			}
		}
		if diff := cmp.Diff(dumpLabels(rt, want), dumpLabels(rt, got)); diff != "" {
			rt.Fatalf("stores differ (-want +got):\n%s", diff)
		}
	})
}

// dumpLabels writes everything that a store says about labels.
func dumpLabels(t *rapid.T, s store.Store) (out []string) {
	var subjects []label.Subject
	for c, err := range s.ClaimsOn(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%+v", *c))
		if !slices.Contains(subjects, c.Subject) {
			subjects = append(subjects, c.Subject)
		}
	}
	for _, network := range []label.Network{"eip155:1", "eip155:", "tron", "bip122:000000000019d6689c085ae165831e93"} {
		for c, err := range s.ClaimsOn(t.Context(), network) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("on %s: %s", network, c.ID()))
		}
	}
	subjects = append(subjects, label.Subject{Network: "eip155:1", Address: "nobody"})
	lists, err := s.Claims(t.Context(), subjects)
	if err != nil {
		t.Fatal(err)
	}
	for i, list := range lists {
		out = append(out, fmt.Sprintf("%v: %+v", subjects[i], list))
	}
	revision, err := s.LabelRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return append(out, revision.String())
}
