package main_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// account is an address of a test, from a number.
func account(n int) string { return fmt.Sprintf("0x%040x", 0xc0ffee00+n) }

// kindsOf lists dispositions in ether, by the role of the test's accounts.
func kindsOf(list []disposition) string {
	roles := map[string]string{account(1): "thief", account(2): "deposit", account(3): "hot", account(5): "other"}
	var words []string
	for _, d := range list {
		text := fmt.Sprintf("%s %s %s", d.Kind, roles[strings.ToLower(d.Address)], strings.TrimSuffix(d.Amount, "000000000000000000"))
		if d.Certainty != 10_000 {
			text += fmt.Sprintf(" inferred %d %s", d.Certainty, d.By)
		}
		words = append(words, text)
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func (a *answer) kinds() string { return kindsOf(a.Dispositions) }

// TestStopAtServices: a trace stops at a labelled exchange and names the claim; at a
// deposit address that no list names, which its earlier sweeps give away, as an
// inference with the facts beside it; at what was known at a moment only; and nowhere
// that a label below the wanted confidence names.
func TestStopAtServices(t *testing.T) {
	folder := t.TempDir()
	data := filepath.Join(folder, "store")
	thief, deposit, hot, customer, other := account(1), account(2), account(3), account(4), account(5)
	const ether = "000000000000000000"
	var rows strings.Builder
	rows.WriteString("block,tx_index,tx_hash,log_index,time,from,to,asset,amount,fee\n")
	for i, r := range [][3]string{
		{account(9), customer, "5" + ether}, {customer, deposit, "2" + ether}, {deposit, hot, "2" + ether}, // an honest customer, swept
		{account(8), thief, "10" + ether}, {thief, deposit, "4" + ether}, {thief, hot, "1" + ether}, {thief, other, "3" + ether},
	} {
		fmt.Fprintf(&rows, "%d,0,0x%064x,,%d,%s,%s,native,%s,0\n", 100+i, i+1, 1_700_000_000+i*12, r[0], r[1], r[2])
	}
	write(t, filepath.Join(folder, "transfers.csv"), rows.String())
	write(t, filepath.Join(folder, "case.yaml"), fmt.Sprintf("case: c\nthefts:\n- {colour: eth, chain: ethereum, asset: native, tx: '0x%064x', to: '%s'}\n", 4, thief))
	write(t, filepath.Join(folder, "labels.csv"), "chain,address,label,actor,category,confidence,by\nethereum,"+hot+",hot wallet,examplex,exchange,service_data,a desk\n")
	write(t, filepath.Join(folder, "actors.yaml"), "creator: a desk\nactors:\n- {id: examplex, label: Example Exchange, jurisdictions: [MT, SC], categories: [exchange]}\n")
	must(t, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(folder, "transfers.csv"), "--data", data)
	trace := func(flags ...string) *answer {
		return parse[*answer](t, must(t, append([]string{"trace", filepath.Join(folder, "case.yaml"), "--json", "--data", data}, flags...)...))
	}
	bare := trace()
	if bare.kinds() != "held deposit 4, held hot 1, held other 3, held thief 2" {
		t.Errorf("without labels: %s", bare.kinds())
	}
	must(t, "labels", "import", filepath.Join(folder, "labels.csv"), filepath.Join(folder, "actors.yaml"), "--learned", "2024-01-01", "--data", data)
	got := trace()
	if got.kinds() != "held other 3, held thief 2, service deposit 4 inferred 8500 deposit-address, service hot 1" {
		t.Errorf("with labels: %s", got.kinds())
	}
	if facts := kindsOf(got.FactOnly.Dispositions); facts != "held deposit 4, held other 3, held thief 2, service hot 1" {
		t.Errorf("facts alone: %s", facts)
	}
	var sources []string
	for _, l := range got.Labels {
		sources = append(sources, strings.ToLower(fmt.Sprintf("%s about %s: %s by %s, %s, %s %v", l.Address, l.About, l.Entity, l.By, l.Jurisdictions, l.Rule, l.Claim != "")))
	}
	want := []string{
		hot + " about " + hot + ": example exchange by a desk, mt, sc,  true", deposit + " about " + hot + ": example exchange by a desk, mt, sc, deposit-address true",
	}
	if !slices.Equal(sources, want) {
		t.Errorf("%q, want %q", sources, want)
	}
	if targeted := trace("--mode", "targeted"); targeted.Digest != got.Digest || got.Digest == bare.Digest || got.Basis.Labels == bare.Basis.Labels || got.Basis.Conclusions != "deposits" {
		t.Errorf("digests %s %s, basis %+v", targeted.Digest, got.Digest, got.Basis)
	}
	for flags, want := range map[string]string{
		"--conclude none": "held deposit 4, held other 3, held thief 2, service hot 1", "--known 2023-12-31": "held deposit 4, held hot 1, held other 3, held thief 2",
		"--least 60": "held deposit 4, held hot 1, held other 3, held thief 2",
	} {
		if kinds := trace(strings.Fields(flags)...); kinds.kinds() != want {
			t.Errorf("%s: %s, want %s", flags, kinds.kinds(), want)
		}
	}
	mustFail(t, "use deposits, clusters or none", "trace", filepath.Join(folder, "case.yaml"), "--conclude", "magic", "--data", data)
}
