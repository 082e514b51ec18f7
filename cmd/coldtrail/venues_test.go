package main_test

import (
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldtrail/trace"
)

// TestVenues: what a replayed laundering sent through each venue is, to the unit, what its
// truth and its trace say, and belongs to the state behind the thief.
func TestVenues(t *testing.T) {
	folder, truth := playInto(t, "--scale", "1000", "--thin", "40", "--wallets", "300")
	data, file := filepath.Join(folder, "ledger"), filepath.Join(folder, "case.yaml")
	got := parse[struct {
		Incidents []struct {
			Incident string
			Actors   []string
			Venues   []trace.Venue
		}
		Actors map[string][]trace.Venue
	}](t, must(t, "venues", file, "--data", data, "--json"))
	if len(got.Incidents) != 1 || !slices.Contains(got.Incidents[0].Actors, "dprk") {
		t.Fatalf("%+v", got.Incidents)
	}
	into := new(big.Int) // the thief's ether that THORChain took, by the trace
	for _, c := range traced(t, folder, "fifo", "streaming").Crossings {
		if n, ok := new(big.Int).SetString(c.In.Tainted, 10); ok && c.Protocol == "thorchain" && c.In.Asset == "eip155:1/slip44:60" {
			into.Add(into, n)
		}
	}
	dark := new(big.Int) // what ended in the dark, by the truth of the replay
	for _, row := range truth["fifo"] {
		if n, ok := new(big.Int).SetString(row.Amount, 10); ok && row.Kind == "dark" && row.Asset == "eip155:1/slip44:60" {
			dark.Add(dark, n)
		}
	}
	thorchain, seen := "", new(big.Int)
	for _, v := range got.Incidents[0].Venues {
		if v.Name == "thorchain" && v.Asset == "eip155:1/slip44:60" {
			thorchain = v.Amount
		}
		if n, ok := new(big.Int).SetString(v.Amount, 10); ok && v.Kind == "dark" && v.Asset == "eip155:1/slip44:60" {
			seen.Add(seen, n)
		}
	}
	if thorchain != into.String() || into.Sign() == 0 || seen.Cmp(dark) != 0 || dark.Sign() == 0 {
		t.Errorf("THORChain took %s, want %s; dark %s, want %s\n%+v", thorchain, into, seen, dark, got.Incidents[0].Venues)
	}
	if len(got.Actors["dprk"]) != len(got.Incidents[0].Venues) || len(got.Actors["lazarus-group"]) == 0 {
		t.Errorf("%+v", got.Actors)
	}
	text := must(t, "venues", file, "--data", data)
	for _, want := range []string{"tainted volume, in which what passes twice counts twice", "thorchain", "everything attributed to dprk", " ETH  "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
