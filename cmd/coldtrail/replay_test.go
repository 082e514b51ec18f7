package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/internal/replay"
	"coldtrail/taint"
	"coldtrail/trace"
)

// playInto plays a replay through the command, and gives its folder and truth.
func playInto(t *testing.T, flags ...string) (folder string, truth map[string][]replay.Row) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "replay")
	must(t, append([]string{"replay", "-o", folder}, flags...)...)
	text, err := os.ReadFile(filepath.Join(folder, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Dispositions map[string][]replay.Row }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return folder, file.Dispositions
}

// traced traces a replay's case. Its truth goes through coinjoins as through any transaction.
func traced(t *testing.T, folder, method, mode string) *trace.Result {
	t.Helper()
	out := must(t, "trace", filepath.Join(folder, "case.yaml"), "--data", filepath.Join(folder, "ledger"), "--method", method, "--mode", mode, "--coinjoin", "follow", "--json")
	r := &trace.Result{}
	if err := json.Unmarshal([]byte(out), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// compareTruth checks every disposition, to the unit, in both directions.
func compareTruth(t *testing.T, r *trace.Result, want []replay.Row) {
	t.Helper()
	key := func(colour, kind, chain, asset, at string) string {
		return strings.ToLower(strings.Join([]string{colour, kind, chain, asset, at}, " "))
	}
	got := map[string]string{}
	for i := range r.Dispositions {
		d := &r.Dispositions[i]
		if d.Certainty != taint.Fact {
			t.Errorf("%s at %s is not a fact", d.Kind, d.At)
		}
		got[key(d.Colour, d.Kind, d.Chain, d.Asset, d.At)] = d.Amount + " for " + d.Origin
	}
	bad := 0
	for _, w := range want {
		k := key(w.Colour, w.Kind, w.Chain, w.Asset, w.At)
		if have := got[k]; have != w.Amount+" for "+w.Origin {
			if bad++; bad < 5 {
				t.Errorf("%s: got %q, want %s for %s", k, have, w.Amount, w.Origin)
			}
		}
		delete(got, k)
	}
	for k, have := range got {
		if bad++; bad < 10 {
			t.Errorf("%s: got %s, want nothing", k, have)
		}
	}
}

// TestReplay traces a replayed laundering and compares with what the generator
// knows, to the satoshi, by every method that conserves and by both drivers; poison
// bounds them all.
func TestReplay(t *testing.T) {
	folder, truth := playInto(t, "--scale", "1000", "--thin", "20", "--wallets", "1500")
	poison := traced(t, folder, "poison", "targeted")
	bound := map[string]*big.Int{}
	for i := range poison.Dispositions {
		d := &poison.Dispositions[i]
		amount, _ := new(big.Int).SetString(d.Amount, 10)
		if k := d.Colour + d.Chain + d.Asset + d.At; bound[k] == nil || bound[k].Cmp(amount) < 0 {
			bound[k] = amount
		}
	}
	for _, method := range replay.Methods {
		t.Run(method, func(t *testing.T) {
			r := traced(t, folder, method, "streaming")
			compareTruth(t, r, truth[method])
			if other := traced(t, folder, method, "targeted"); other.Digest != r.Digest {
				t.Errorf("the targeted driver gives %s, the streaming one %s", other.Digest, r.Digest)
			}
			checkShares(t, r, truth[method])
			for i := range r.Dispositions {
				d := &r.Dispositions[i]
				amount, _ := new(big.Int).SetString(d.Amount, 10)
				if most := bound[d.Colour+d.Chain+d.Asset+d.At]; d.Kind == "held" && (most == nil || most.Cmp(amount) < 0) {
					t.Fatalf("%s at %s has %s, more than poison's %v", d.Kind, d.At, amount, most)
				}
			}
			for i := range r.Crossings {
				if c := &r.Crossings[i]; c.Status == "in-transit" {
					t.Errorf("the deposit in %s is in transit: %s", c.In.Tx, c.Reason)
				}
			}
			for i := range r.Anomalies {
				if r.Anomalies[i].Kind == "forged-crossing" {
					t.Errorf("an honest payout is called forged: %s", r.Anomalies[i].Detail)
				}
			}
		})
	}
}

// checkShares compares the headline with the truth's own sums.
func checkShares(t *testing.T, r *trace.Result, truth []replay.Row) {
	t.Helper()
	kinds := map[string]int{"held": 1, "service": 1, "in-transit": 1, "mixer": 2, "dark": 2, "frozen": 3, "recovered": 3}
	for _, c := range r.Colours {
		sums := [4]*big.Int{new(big.Int), new(big.Int), new(big.Int), new(big.Int)}
		for _, row := range truth {
			if row.Colour == c.Colour {
				n, _ := new(big.Int).SetString(row.Origin, 10)
				sums[kinds[row.Kind]].Add(sums[kinds[row.Kind]], n)
			}
		}
		stolen, _ := new(big.Int).SetString(c.Stolen, 10)
		points := func(i int) uint64 {
			return new(big.Int).Div(new(big.Int).Mul(sums[i], big.NewInt(10_000)), stolen).Uint64()
		}
		if got, want := r.Summary[c.Colour], (trace.Summary{Traceable: points(1), Dark: points(2), Frozen: points(3)}); got != want {
			t.Errorf("%s: headline %+v, want %+v", c.Colour, got, want)
		}
	}
}

// TestOtherReplays traces the other cases.
func TestOtherReplays(t *testing.T) {
	for _, scenario := range []string{"harmony", "ronin", "coinex", "dmm"} {
		t.Run(scenario, func(t *testing.T) {
			folder, truth := playInto(t, "--scenario", scenario, "--scale", "100", "--thin", "10")
			for _, method := range []string{"fifo", "haircut"} {
				compareTruth(t, traced(t, folder, method, "streaming"), truth[method])
			}
		})
	}
	t.Run("honest-week", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "replay")
		must(t, "replay", "-o", folder, "--scenario", "honest-week", "--thin", "10")
		var status struct{ Chains []struct{ Txs uint64 } }
		if err := json.Unmarshal([]byte(must(t, "status", "--data", filepath.Join(folder, "ledger"), "--json")), &status); err != nil {
			t.Fatal(err)
		}
		if len(status.Chains) != 2 || status.Chains[0].Txs < 100 {
			t.Errorf("an honest week has %+v", status)
		}
	})
}

// TestReplayAgain: the same seed gives the same bytes, another one does not.
func TestReplayAgain(t *testing.T) {
	read := func(seed int) []byte {
		folder, _ := playInto(t, "--thin", "100", "--seed", fmt.Sprint(seed), "--wallets", "200")
		truth, err := os.ReadFile(filepath.Join(folder, "truth.json"))
		if err != nil {
			t.Fatal(err)
		}
		return append(truth, must(t, "status", "--data", filepath.Join(folder, "ledger"), "--json")...)
	}
	one, again, other := read(1), read(1), read(2)
	if !bytes.Equal(one, again) {
		t.Error("the same seed gave two replays")
	}
	if bytes.Equal(one, other) {
		t.Error("two seeds gave one replay")
	}
}
