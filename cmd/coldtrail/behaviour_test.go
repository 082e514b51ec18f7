package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// conduct is an answer of coldtrail behaviour.
type conduct struct {
	Chain        string
	AsOf         int `json:"as_of"`
	Addresses    []string
	ClusterSize  int `json:"cluster_size"`
	Transactions int
	LeftOut      []string `json:"left_out"`
	Findings     []finding
}

type finding struct {
	Pattern, Text, From, To       string
	Transactions                  int
	Txs                           []string
	Amounts                       []struct{ Asset, Amount string }
	Parties, Addresses, Resembles []string
	Parameters, Measures          []struct{ Name, Value, Unit string }
}

func (f *finding) measure(name string) string {
	for _, m := range append(slices.Clone(f.Measures), f.Parameters...) {
		if m.Name == name {
			return m.Value
		}
	}
	return ""
}

// behaves runs coldtrail behaviour, which has to exit with 1 where it finds something
// and with 0 where it does not.
func behaves(t *testing.T, data string, args ...string) conduct {
	t.Helper()
	r := coldtrail(t, append([]string{"--data", data, "behaviour", "--json"}, args...)...)
	if r.code > 1 {
		t.Fatalf("coldtrail behaviour %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	got := parse[conduct](t, r.stdout)
	if want := min(len(got.Findings), 1); r.code != want {
		t.Errorf("%s: %d findings, exit %d", strings.Join(args, " "), len(got.Findings), r.code)
	}
	return got
}

// by are the findings of a pattern.
func (c conduct) by(pattern string) (list []*finding) {
	for i := range c.Findings {
		if c.Findings[i].Pattern == pattern {
			list = append(list, &c.Findings[i])
		}
	}
	return list
}

const (
	bybitReceiver = "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"
	reached       = "0x21032176b43d9f7e9410fb37290a78f4fed6044c"
	fromBybit     = "0xc6eed5e140214435bdca2980b6208d401d087994cf920ce3a35065e72584b3de"
	fromElsewhere = "0x09a36e347f7c320f706aa250e09d3b82296b0f97ecf09ea266cace8716235bd4"
)

func bybitStore(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	return data
}

// TestBehaviourOfBybit: the receiver paid 10,000 ether forty times, once and, after 52
// minutes, 39 times in 372 seconds, and was poisoned by twelve look-alikes of nine of
// its counterparties. As of a block in between, only what came before is there.
func TestBehaviourOfBybit(t *testing.T) {
	data := bybitStore(t)
	got := behaves(t, data, bybitReceiver)
	if got.Chain != "eip155:1" || got.Transactions != 60 || len(got.LeftOut) != 0 {
		t.Errorf("%+v", got)
	}
	fan := got.by("equal-amount-fan-out")
	if len(fan) != 1 || fan[0].Transactions != 40 || len(fan[0].Txs) != 40 || len(fan[0].Parties) != 40 ||
		fan[0].Amounts[0].Asset != ether || fan[0].Amounts[0].Amount != "400000000000000000000000" ||
		fan[0].From != "2025-02-21T14:56:11Z" || fan[0].To != "2025-02-21T15:54:23Z" ||
		fan[0].Txs[0] != "0x0359814b48479156b804c8330878214943204c597d88affcb164d04907fa2b25" || fan[0].measure("longest interval") != "3120" {
		t.Errorf("%+v", fan)
	}
	if plain := got.by("fan-out"); len(plain) != 1 || !slices.Equal(plain[0].Txs, fan[0].Txs) || plain[0].measure("least sum in the window") != "40000000000000000000" {
		t.Errorf("%+v", plain)
	}
	checkPoisoning(t, got.by("address-poisoning"))
	// The first tranche is in block 21895451, the last two are in block 21895739.
	early := behaves(t, data, bybitReceiver, "--as-of", "21895600")
	if early.AsOf != 21895600 || len(early.by("equal-amount-fan-out")) != 0 || early.Transactions >= got.Transactions {
		t.Errorf("as of a block before the tranches: %+v", early)
	}
	if then := behaves(t, data, bybitReceiver, "--as-of", "21895739").by("equal-amount-fan-out"); !reflect.DeepEqual(then, fan) {
		t.Errorf("as of the last tranche: %+v", then)
	}
	if then := behaves(t, data, bybitReceiver, "--as-of", "21895738").by("equal-amount-fan-out"); len(then) != 1 || then[0].Transactions != 38 {
		t.Errorf("as of the block before the last tranche: %+v", then)
	}
	if only := behaves(t, data, bybitReceiver, "--pattern", "address-poisoning"); len(only.Findings) != 1 || !reflect.DeepEqual(only.Findings[0], *got.by("address-poisoning")[0]) {
		t.Errorf("%+v", only)
	}
	if none := behaves(t, data, bybitReceiver, "--pattern", "fan-out", "--limit", "fan-out=native:400000000000000000000001"); len(none.Findings) != 0 {
		t.Errorf("with a limit above the sum: %+v", none)
	}
	// Where not all is read, that is said.
	short := behaves(t, data, bybitReceiver, "--transactions", "10")
	if short.Transactions != 10 || len(short.LeftOut) != 1 || !strings.Contains(short.LeftOut[0], "at most 10 transactions are read") {
		t.Errorf("%+v", short)
	}
	text := coldtrail(t, "--data", data, "behaviour", bybitReceiver)
	for _, want := range []string{"60 transactions read", "40 transfers of exactly 10000000000000000000000 wei", "… and 35 more (--json lists them)", "decided by: least distinct receivers 10; window 3600 seconds"} {
		if text.code != 1 || !strings.Contains(text.stdout, want) {
			t.Errorf("exit %d, no %q in\n%s", text.code, want, text.stdout)
		}
	}
}

func checkPoisoning(t *testing.T, list []*finding) {
	t.Helper()
	if len(list) != 1 || list[0].Transactions != 10 || len(list[0].Parties) != 12 || list[0].From != "2025-02-21T14:31:59Z" || list[0].To != "2025-02-21T15:48:59Z" {
		t.Fatalf("%+v", list)
	}
	for name, want := range map[string]string{"movements": "20", "of nothing": "3", "of dust": "0", "of unlisted tokens": "17", "look-alike addresses": "12"} {
		if got := list[0].measure(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	genuine := map[string]bool{}
	for _, a := range list[0].Resembles {
		genuine[strings.ToLower(a)] = true
	}
	if len(genuine) != 9 || !genuine["0xa4b2fd68593b6f34e51cb9edb66e71c1b4ab449e"] {
		t.Errorf("%v are resembled", genuine)
	}
}

// TestBehaviourAsOf: what is found as of a block is what a ledger shows that ends there.
func TestBehaviourAsOf(t *testing.T) {
	data := bybitStore(t)
	rows := readRows(t, filepath.Join(bybit, "transfers.csv"))
	for _, block := range []int{21895300, 21895600, 21895720, 21895745, 21896000, 21960547} {
		file := filepath.Join(t.TempDir(), "transfers.csv")
		prefix := rows[:1]
		for _, row := range rows[1:] {
			var height int
			if _, err := fmt.Sscan(strings.SplitN(row, ",", 2)[0], &height); err != nil {
				t.Fatal(err)
			}
			if height <= block {
				prefix = append(prefix, row)
			}
		}
		write(t, file, strings.Join(prefix, "\n")+"\n")
		early := t.TempDir()
		must(t, "--data", early, "ingest", "ethereum", "--from", "transfers:"+file)
		for _, of := range []string{bybitReceiver, "0xa4b2fd68593b6f34e51cb9edb66e71c1b4ab449e"} {
			r := coldtrail(t, "--data", early, "behaviour", of, "--json")
			was := coldtrail(t, "--data", data, "behaviour", of, "--json", "--as-of", fmt.Sprint(block))
			if r.code > 1 && was.code == r.code && strings.Contains(was.stderr, "holds no transaction") {
				continue // it did nothing yet
			}
			got, want := parse[conduct](t, was.stdout), parse[conduct](t, r.stdout)
			if got.AsOf != block {
				t.Errorf("as of %d: %d", block, got.AsOf)
			}
			if got.AsOf = want.AsOf; !reflect.DeepEqual(got, want) || r.code != was.code {
				t.Errorf("%s as of %d: %+v, want %+v", of, block, got, want)
			}
		}
	}
}

func readRows(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestBehaviourOfTheRealChain: the first payment ever made begins a chain of five
// payments, of 10, 10, 1, 1 and 10 bitcoin, out of one reward of 50; another address
// peeled eleven payments off its reward within half an hour. A cut-off in between leaves
// less than five.
func TestBehaviourOfTheRealChain(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	chain := []string{
		"f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16", "a16f3ce4dd5deb92d98ef5cf8afeaf0775ebca408f708b2146c4fb42b41e14be",
		"591e91f809d716912ca1d4a9295e70c3e78bab077683f79350f101da64588073", "12b5633bad1f9c167d523ad1aa1947b2732a865bf5414eab2f9e5ae5d5c191ba",
		"828ef3b079f9c23829c56fe86e85b4a69d9e06e5b54ea597eef5fb3ffef509fe",
	}
	for _, args := range [][]string{{"12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"}, {chain[0]}, {"12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "--cluster"}, {"12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "--change", "none"}} {
		got := behaves(t, data, args...)
		peels := got.by("peel-chain")
		if len(got.Findings) != 1 || len(peels) != 1 || !slices.Equal(peels[0].Txs, chain) || peels[0].Amounts[0].Amount != "3200000000" || peels[0].measure("left at the end") != "1800000000" {
			t.Errorf("%v: %+v", args, got)
		}
	}
	other := behaves(t, data, "1AbHNFdKJeVL8FRZyRZoiTzG9VCmzLrtvm").by("peel-chain")
	if len(other) != 1 || other[0].Transactions != 11 || other[0].Amounts[0].Amount != "1708000000" || len(other[0].Parties) != 8 ||
		other[0].From != "2009-02-03T04:47:39Z" || other[0].To != "2009-02-03T05:16:42Z" || other[0].Txs[0] != "131f68261e28a80c3300b048c4c51f3ca4745653ba7ad6b20cc9188322818f25" {
		t.Errorf("%+v", other)
	}
	// The fifth payment is in block 248.
	if early := behaves(t, data, "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "--as-of", "247"); len(early.Findings) != 0 {
		t.Errorf("%+v", early)
	}
	if then := behaves(t, data, "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "--as-of", "248"); len(then.by("peel-chain")) != 1 {
		t.Errorf("%+v", then)
	}
	if none := behaves(t, data, "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3"); none.Transactions != 1 || len(none.Findings) != 0 {
		t.Errorf("%+v", none)
	}
}

// TestBehaviourOfTwoCases: the export's address that got 10,000 ether of the theft also
// got ether that the trace calls clean. Were that stolen elsewhere, two cases would meet
// there, by exactly these two transactions.
func TestBehaviourOfTwoCases(t *testing.T) {
	data := bybitStore(t)
	second := filepath.Join(t.TempDir(), "second.yaml")
	write(t, second, "case: second\nthefts: [{colour: eth, chain: ethereum, asset: native, tx: '"+fromElsewhere+"', to: '"+reached+"'}]\n")
	first := filepath.Join(bybit, "case.yaml")
	want := []string{fromBybit, fromElsewhere}
	got := behaves(t, data, reached, "--case", first, "--case", second)
	meet := got.by("commingling")
	if len(got.Findings) != 2 || len(meet) != 2 {
		t.Fatalf("%+v", got)
	}
	for _, f := range meet {
		if !slices.Equal(f.Txs, want) || f.measure("first of bybit-2025") != fromBybit || f.measure("first of second") != fromElsewhere {
			t.Errorf("%+v", f)
		}
	}
	if meet[1].measure("held of bybit-2025") != "10000000000000000000000" || meet[1].measure("held of second") != "44424180000000000000" || !strings.EqualFold(meet[1].measure("holding"), reached) {
		t.Errorf("%+v", meet[1])
	}
	// Without an address, every holding at which they meet: that one.
	all := behaves(t, data, "--case", first, "--case", second)
	if len(all.Findings) != 1 || !reflect.DeepEqual(all.Findings[0], *meet[1]) {
		t.Errorf("%+v", all)
	}
	// One case meets nobody, nor do two before the second happened.
	if one := behaves(t, data, reached, "--case", first); len(one.Findings) != 0 {
		t.Errorf("%+v", one)
	}
	if before := behaves(t, data, reached, "--case", first, "--as-of", "21960547"); len(before.Findings) != 0 || before.Transactions != 1 {
		t.Errorf("%+v", before)
	}
	mustFail(t, "is later than the moment asked for", "--data", data, "behaviour", reached, "--case", first, "--case", second, "--as-of", "21960547")
	if at := behaves(t, data, reached, "--case", first, "--case", second, "--as-of", "21960548"); len(at.by("commingling")) != 2 {
		t.Errorf("%+v", at)
	}
	if other := behaves(t, data, reached, "--case", first, "--case", second, "--pattern", "fan-out"); len(other.Findings) != 0 {
		t.Errorf("%+v", other)
	}
}

// TestBehaviourRefuses: what cannot be answered is an error of one line that says what to
// do, never an empty answer.
func TestBehaviourRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	data := bybitStore(t)
	for _, test := range []struct {
		data   string
		args   []string
		reason string
	}{
		{empty, []string{bybitReceiver}, "the store holds no block of any chain; ingest one first"},
		{empty, []string{bybitReceiver, "--chain", "ethereum"}, "the store holds no block of ethereum; ingest it first"},
		{data, []string{bybitReceiver, "--chain", "bitcoin"}, "the store holds no block of bitcoin; ingest it first"},
		{data, []string{bybitReceiver, "--chain", "nonsense"}, "nonsense"},
		{data, []string{"0x12"}, "want 0x and 40 hexadecimal digits"},
		{data, []string{"'; drop table addresses; --"}, "want 0x and 40 hexadecimal digits"},
		{data, []string{strings.Repeat("9", 100_000)}, "want 0x and 40 hexadecimal digits"},
		{data, []string{"0x" + strings.Repeat("12", 20)}, "the ledger holds no transaction of this address of ethereum; ingest the blocks"},
		{data, []string{bybitReceiver, "--as-of", "5"}, "from block 21895251 on, nothing up to block 5"},
		{data, []string{strings.Repeat("ab", 32)}, "on account chains give an address"},
		{data, []string{bybitReceiver, "--pattern", "evil"}, "coldtrail behaviour --list lists them"},
		{data, []string{bybitReceiver, "--token", "USDT"}, "--token: asset"},
		{data, []string{bybitReceiver, "--limit", "fan-out"}, "want KIND=ASSET:AMOUNT"},
		{data, []string{bybitReceiver, "--limit", "speed=native:1"}, "use fan-out, gas, dust or reporting"},
		{data, []string{bybitReceiver, "--limit", "dust=native:-1"}, "not a whole number"},
		{data, []string{bybitReceiver, "--change", "magic"}, "--change: change rules"},
		{data, []string{bybitReceiver, "--case", "missing.yaml"}, "missing.yaml: no such file"},
		{data, nil, "give an ADDRESS"},
	} {
		r := coldtrail(t, append([]string{"--data", test.data, "behaviour"}, test.args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, test.reason) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%.200q: exit %d, %.300q; want exit 2 and %q", test.args, r.code, r.stderr, test.reason)
		}
	}
}

// TestBehaviourList: every pattern has a definition with its figures.
func TestBehaviourList(t *testing.T) {
	type list struct {
		Patterns []struct{ Name, Title, Definition, Source string }
		Tokens   []struct{ Symbol, Asset string }
	}
	got := parse[list](t, must(t, "behaviour", "--list", "--json"))
	if len(got.Patterns) != 21 || len(got.Tokens) != 10 {
		t.Errorf("%d patterns, %d tokens", len(got.Patterns), len(got.Tokens))
	}
	text := must(t, "behaviour", "--list")
	for _, p := range got.Patterns {
		if p.Definition == "" || p.Source == "" || !strings.Contains(text, p.Name+": "+p.Title+"\n  "+p.Definition) {
			t.Errorf("%+v", p)
		}
	}
	for _, want := range []string{"at least 10 receivers within 1h, in all at least 40 ETH or 1 BTC", "at most 0.0004 ETH or 0.00001 BTC", "below 0.2 ETH", "Nothing sent for 180 days, then 50.00 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestBehaviourLayering reads a made-up export: a chain of four passers-on is found with
// its token listed, and not without.
func TestBehaviourLayering(t *testing.T) {
	token := "eip155:1/erc20:0x" + strings.Repeat("ee", 20)
	account := func(i int) string { return "0x" + strings.Repeat(fmt.Sprintf("%02x", i+16), 20) }
	text := "block,tx_index,tx_hash,log_index,time,from,to,asset,amount\n"
	var want []string
	for i := range 6 {
		tx := "0x" + strings.Repeat(fmt.Sprintf("%02x", i+1), 32)
		text += fmt.Sprintf("%d,0,%s,%d,2026-01-01T00:%02d:00Z,%s,%s,%s,%d\n", 100+i, tx, i, i, account(i), account(i+1), token, 1000-i)
		if i > 0 {
			want = append(want, tx)
		}
	}
	file, data := filepath.Join(t.TempDir(), "transfers.csv"), t.TempDir()
	write(t, file, text)
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+file)
	got := behaves(t, data, account(1), "--token", token).by("layering")
	if len(got) != 1 || !slices.Equal(got[0].Txs, append([]string{"0x" + strings.Repeat("01", 32)}, want...)) || got[0].measure("hops") != "5" {
		t.Errorf("%+v", got)
	}
	if unlisted := behaves(t, data, account(1)); len(unlisted.Findings) != 0 {
		t.Errorf("%+v", unlisted)
	}
}
