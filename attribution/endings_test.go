package attribution_test

import (
	"testing"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store/memory"
)

// TestClusterEnding: what is said of one address of a cluster stops a trace at the
// others, as a conclusion by co-spend; where labels name two services nothing is
// concluded, until the transaction that joined them is ruled out.
func TestClusterEnding(t *testing.T) {
	s := memory.New()
	merge := chainOf(t, s)
	claim := func(address, actor string) label.Claim {
		return label.Claim{Subject: label.SubjectOf(ledger.Bitcoin, address), Label: actor + " hot wallet", Actor: actor, Concept: "exchange", By: "a desk", Score: 60, Learned: 5}
	}
	if _, err := s.AddClaims(t.Context(), []label.Claim{claim("a1", "binance")}); err != nil {
		t.Fatal(err)
	}
	space := cluster.InMemory(ledger.UTXO)
	ending := func(address string, cuts ...ledger.Hash) *attribution.Ending {
		t.Helper()
		c, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, space, attribution.ClusterOptions{Notation: named{}, Cuts: cuts})
		if err == nil {
			err = c.Sync(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := attribution.NewEndings(t.Context(), s, attribution.NewView(s, label.When{}, 0), func(ledger.Chain) (ledger.Notation, error) { return named{}, nil },
			attribution.Conclusions{Clusters: map[ledger.Chain]*attribution.Clusters{ledger.Bitcoin: c}})
		if err != nil {
			t.Fatal(err)
		}
		a, err := ledger.NameAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		found := e.At(ledger.Bitcoin, a, 100)
		if e.Err() != nil {
			t.Fatal(e.Err())
		}
		if used := e.Used(ledger.Bitcoin, address); used != found {
			t.Errorf("%s: used %+v, found %+v", address, used, found)
		}
		return found
	}
	if e := ending("a1"); e == nil || e.Rule != nil || e.Stop != label.StopService || e.Entity != "binance hot wallet" {
		t.Errorf("labelled itself: %+v", e)
	}
	if e := ending("a3"); e == nil || e.Rule != cluster.CoSpend || e.Claim.Subject.Address != "a1" {
		t.Errorf("spent with it: %+v", e)
	}
	if e := ending("shop"); e != nil {
		t.Errorf("nobody says who the shop is: %+v", e)
	}
	if _, err := s.AddClaims(t.Context(), []label.Claim{claim("b3", "kraken")}); err != nil {
		t.Fatal(err)
	}
	if e := ending("a3"); e != nil {
		t.Errorf("a cluster of two exchanges: %+v", e)
	}
	if e := ending("a3", merge); e == nil || e.Claim.Actor != "binance" {
		t.Errorf("apart: %+v", e)
	}
	if e := ending("b2", merge); e == nil || e.Claim.Actor != "kraken" {
		t.Errorf("apart: %+v", e)
	}
}
