package behaviour_test

import (
	"encoding/csv"
	"encoding/hex"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

const (
	receiver = "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"
	swapper  = "0xa4b2fd68593b6f34e51cb9edb66e71c1b4ab449e"
	steth    = ledger.Asset("eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84")
	meth     = ledger.Asset("eip155:1/erc20:0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa")
	cmeth    = ledger.Asset("eip155:1/erc20:0xe6829d9a7ee3040e1276fa75293bde931859e8fa")
)

func evm(t *testing.T, text string) ledger.Address {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(b) != 20 {
		t.Fatalf("%s: %v", text, err)
	}
	return ledger.NewAddress(ledger.EVMAccount, b)
}

// bybit is the real movements of one address after the theft of 21 February 2025.
func bybit(t *testing.T, of string) *behaviour.Subject {
	t.Helper()
	file, err := os.Open("../../testdata/bybit-2025/transfers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != 256 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	s := &behaviour.Subject{Own: map[ledger.Address]bool{evm(t, of): true}}
	at := map[ledger.Hash]int{}
	for _, row := range rows[1:] {
		if row[5] != of && row[6] != of {
			continue
		}
		tx, err := ledger.ParseHash(row[2])
		if err != nil {
			t.Fatal(err)
		}
		i, ok := at[tx]
		if !ok {
			i = len(s.Steps)
			at[tx] = i
			height, _ := strconv.ParseUint(row[0], 10, 64)
			index, _ := strconv.ParseUint(row[1], 10, 32)
			when, err := time.Parse(time.RFC3339, row[4])
			if err != nil {
				t.Fatal(err)
			}
			s.Steps = append(s.Steps, behaviour.Step{Chain: ledger.Ethereum, Tx: tx, Height: ledger.Height(height), Index: uint32(index), Time: when.Unix()})
		}
		amount, err := ledger.ParseAmount(row[8])
		if err != nil {
			t.Fatal(err)
		}
		asset, err := ledger.Ethereum.ParseAsset(row[7])
		if err != nil {
			t.Fatal(err)
		}
		s.Steps[i].Moves = append(s.Steps[i].Moves, behaviour.Move{From: party(evm(t, row[5])), To: party(evm(t, row[6])), Asset: asset, Amount: amount})
	}
	return s
}

func realOnly(t *testing.T) behaviour.Parameters {
	t.Helper()
	p := behaviour.DefaultParameters()
	p.Listed = map[ledger.Asset]bool{steth: true, meth: true, cmeth: true}
	return p
}

func clock(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

// TestBybitFanOut: the receiver paid 10,000 ETH forty times, once and, after a pause of
// 52 minutes, 39 times within 372 seconds.
func TestBybitFanOut(t *testing.T) {
	s := bybit(t, receiver)
	got := behaviour.FindBy(behaviour.EqualFanOut, s, realOnly(t))
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	f := &got[0]
	if f.Count != 40 || f.From != clock(t, "2025-02-21T14:56:11Z") || f.To != clock(t, "2025-02-21T15:54:23Z") || f.To-f.From != 3492 {
		t.Errorf("%d transactions in %d seconds", f.Count, f.To-f.From)
	}
	if want := "400000000000000000000000"; len(f.Amounts) != 1 || f.Amounts[0].Amount.Dec() != want || f.Amounts[0].Asset != ether {
		t.Errorf("%+v, want %s", f.Amounts, want)
	}
	for name, want := range map[string]string{"distinct receivers": "40", "longest interval": "3120", "median interval": "0", "most receivers in one window": "40"} {
		if got := value(f.Measures, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if want := "Between 2025-02-21T14:56:11Z and 2025-02-21T15:54:23Z the subject sent 40 transfers of exactly 10000000000000000000000 wei each " +
		"to 40 receivers, to as many as 40 within 3600 seconds."; f.Text != want {
		t.Error(f.Text)
	}
	p := realOnly(t)
	p.EqualFanOut = behaviour.Burst{Number: 39, Window: 372}
	got = behaviour.FindBy(behaviour.EqualFanOut, s, p)
	if len(got) != 1 || got[0].Count != 39 || got[0].To-got[0].From != 372 || value(got[0].Measures, "most receivers in one window") != "39" {
		t.Errorf("39 within 372 seconds: %+v", got)
	}
	p.EqualFanOut.Window = 371
	if got = behaviour.FindBy(behaviour.EqualFanOut, s, p); got != nil {
		t.Errorf("39 within 371 seconds: %+v", got)
	}
	// The plain fan-out is the same: the 1 ETH for fees, 26 minutes before, shares no
	// window with ten receivers.
	fan := behaviour.FindBy(behaviour.FanOut, s, realOnly(t))
	if len(fan) != 1 || fan[0].Count != 40 || fan[0].Amounts[0].Amount.Dec() != "400000000000000000000000" {
		t.Errorf("%+v", fan)
	}
	if value(fan[0].Parameters, "least sum in the window") != "none given; judged by number alone" {
		t.Errorf("%+v", fan[0].Parameters)
	}
}

// TestBybitPoisoning: within two hours twelve look-alikes of nine of the receiver's real
// counterparties got counterfeit tokens, or nothing, in its name.
func TestBybitPoisoning(t *testing.T) {
	got := behaviour.FindBy(behaviour.Poisoning, bybit(t, receiver), realOnly(t))
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	f := &got[0]
	if f.Count != 10 || len(f.Parties) != 12 || f.From != clock(t, "2025-02-21T14:31:59Z") || f.To != clock(t, "2025-02-21T15:48:59Z") {
		t.Errorf("%d transactions, %d parties, %d to %d", f.Count, len(f.Parties), f.From, f.To)
	}
	for name, want := range map[string]string{"movements": "20", "of nothing": "3", "of dust": "0", "of unlisted tokens": "17", "look-alike addresses": "12"} {
		if got := value(f.Measures, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	resembled := map[ledger.Address]bool{}
	for _, a := range f.Resembles {
		resembled[a] = true
	}
	if len(resembled) != 9 || len(f.Resembles) != 12 {
		t.Errorf("%d counterparties are resembled", len(resembled))
	}
	i := slices.Index(f.Parties, evm(t, "0xa4b24033f4c6d70133e4557c2c32a3fb693e449e"))
	if i < 0 || f.Resembles[i] != evm(t, swapper) {
		t.Errorf("the look-alike of the swap address is not named: %v", f.Parties)
	}
	if !strings.Contains(f.Text, "0xa4b27b89345db2e5e1a7d7bc537fac354b50449e, as "+swapper) {
		t.Error(f.Text)
	}
	p := realOnly(t)
	p.PoisoningDigits = 5 // the look-alikes have four and four
	if got := behaviour.FindBy(behaviour.Poisoning, bybit(t, receiver), p); got != nil {
		t.Errorf("by five digits: %+v", got)
	}
	// Where the counterfeits are believed, their movements are as real as any.
	p = realOnly(t)
	s := bybit(t, receiver)
	for i := range s.Steps {
		for _, m := range s.Steps[i].Moves {
			p.Listed[m.Asset] = true
		}
	}
	if got := behaviour.FindBy(behaviour.Poisoning, s, p); len(got) != 0 && value(got[0].Measures, "of unlisted tokens") != "0" {
		t.Errorf("%+v", got)
	}
}

// TestBybitSwapper: the address that sold the tokens was poisoned too, and no look-alike
// is a counterparty of any other finding.
func TestBybitSwapper(t *testing.T) {
	s := bybit(t, swapper)
	got := behaviour.FindBy(behaviour.Poisoning, s, realOnly(t))
	if len(got) != 1 || got[0].Count != 11 || len(got[0].Parties) != 5 || value(got[0].Measures, "of unlisted tokens") != "11" {
		t.Fatalf("%+v", got)
	}
	for _, of := range []string{receiver, swapper} {
		var fakes []ledger.Address
		list := behaviour.Find(bybit(t, of), realOnly(t))
		for i := range list {
			if list[i].Pattern == "address-poisoning" {
				fakes = append(fakes, list[i].Parties...)
			}
		}
		for i := range list {
			if list[i].Pattern != "address-poisoning" && slices.ContainsFunc(list[i].Parties, func(a ledger.Address) bool { return slices.Contains(fakes, a) }) {
				t.Errorf("%s counts a look-alike: %s", list[i].Pattern, list[i].Text)
			}
		}
	}
}

// TestBybitIsStable: the same answer from rows in the opposite order.
func TestBybitIsStable(t *testing.T) {
	s := bybit(t, receiver)
	want := behaviour.Find(s, realOnly(t))
	slices.Reverse(s.Steps)
	if got := behaviour.Find(s, realOnly(t)); !reflect.DeepEqual(got, want) {
		t.Error("the order of rows matters")
	}
	sound(t, s, want)
}
