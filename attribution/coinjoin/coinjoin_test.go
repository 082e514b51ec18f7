package coinjoin_test

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldtrail/attribution/coinjoin"
	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// owner is a made-up address; equal numbers are equal addresses.
func owner(kind ledger.AddressKind, number int) ledger.Address {
	return ledger.NewAddress(kind, binary.BigEndian.AppendUint64(make([]byte, 12), uint64(number)))
}

// coins makes outputs of P2WPKH, each of an address of its own from a number on.
func coins(from int, values ...uint64) (list []ledger.Output) {
	for i, v := range values {
		list = append(list, ledger.Output{Value: v, Address: owner(ledger.P2WPKH, from+i)})
	}
	return list
}

// data is an OP_RETURN output.
func data() ledger.Output { return ledger.Output{Unspendable: true} }

// times repeats a value.
func times(n int, value uint64) []uint64 { return slices.Repeat([]uint64{value}, n) }

// rising gives n values, each one greater by a step.
func rising(n int, from, step uint64) (list []uint64) {
	for i := range uint64(n) {
		list = append(list, from+i*step)
	}
	return list
}

// a puts lists of values together.
func a(lists ...[]uint64) []uint64 { return slices.Concat(lists...) }

// tx is a transaction at a height.
func tx(height ledger.Height, inputs, outputs []ledger.Output) *ledger.Resolved {
	return &ledger.Resolved{Height: height, Inputs: inputs, Outputs: outputs}
}

// oneOwner gives all outputs of a list one address.
func oneOwner(list []ledger.Output) []ledger.Output {
	for i := range list {
		list[i].Address = list[0].Address
	}
	return list
}

// unknown takes away what is known of all outputs of a list.
func unknown(list []ledger.Output) []ledger.Output { return make([]ledger.Output, len(list)) }

// unvalued takes away the values of a list.
func unvalued(list []ledger.Output) []ledger.Output {
	for i := range list {
		list[i].Value = 0
	}
	return list
}

func of(kind ledger.AddressKind, list []ledger.Output) []ledger.Output {
	for i := range list {
		list[i].Address.Kind = kind
	}
	return list
}

// named finds a rule.
func named(tb testing.TB, name string) *coinjoin.Rule {
	tb.Helper()
	for _, r := range coinjoin.Rules {
		if r.Name == name {
			return r
		}
	}
	tb.Fatalf("no rule %s", name)
	return nil
}

// wasabiOutputs are n mixed outputs of a base, as many changes and a fee.
func wasabiOutputs(n int, base uint64) []ledger.Output {
	return coins(5000, a(times(n, base), rising(n-2, 3_456_789, 1_234_567), []uint64{777_777})...)
}

// wabisabi are values of a round's outputs, falling.
var wabisabi = a(times(3, 134_217_728), times(4, 50_000_000), times(4, 28_697_814), times(5, 16_777_216), times(5, 9_565_938), times(6, 5_000_000),
	times(5, 2_097_152), []uint64{1_676_142}, times(5, 531_441), times(5, 200_000), []uint64{180_000}, times(4, 65_536), times(3, 13_122))

func falling(n int, from uint64) []uint64 {
	list := rising(n, from, 100_003)
	slices.Reverse(list)
	return list
}

// mixCase is a transaction and what the surest finding is; no Rule where there is none.
type mixCase struct {
	name       string
	tx         *ledger.Resolved
	rule       string
	confidence uint8
	mixed      int
}

var whirlpoolInputs = []uint64{5_010_000, 5_000_000, 5_010_000, 5_000_000, 5_000_000}

var mixCases = []mixCase{
	{"Whirlpool, two entrants", tx(600_000, coins(0, whirlpoolInputs...), coins(50, times(5, 5_000_000)...)), "whirlpool-segwit", 80, 5},
	{"Whirlpool of eight in a surge", tx(800_000, coins(0, a(times(6, 1_000_000), times(2, 1_000_350))...), coins(50, times(8, 1_000_000)...)), "whirlpool-segwit", 80, 8},
	{"Whirlpool, inputs not P2WPKH", tx(600_000, of(ledger.P2PKH, coins(0, whirlpoolInputs...)), coins(50, times(5, 5_000_000)...)), "whirlpool", 60, 5},
	{"Whirlpool, parents unknown", tx(600_000, unknown(coins(0, whirlpoolInputs...)), coins(50, times(5, 5_000_000)...)), "whirlpool", 50, 5},
	{"Whirlpool, values unknown", tx(600_000, unvalued(coins(0, whirlpoolInputs...)), coins(50, times(5, 5_000_000)...)), "whirlpool", 50, 5},
	{"five remixers only: nobody pays the fee", tx(600_000, coins(0, times(5, 5_000_000)...), coins(50, times(5, 5_000_000)...)), "whirlpool-segwit", 80, 5},
	{"Whirlpool's shape before Whirlpool", tx(569_999, coins(0, whirlpoolInputs...), coins(50, times(5, 5_000_000)...)), "whirlpool", 60, 5},
	{"Whirlpool's shape before Whirlpool, parents unknown", tx(569_999, unknown(coins(0, whirlpoolInputs...)), coins(50, times(5, 5_000_000)...)), "", 0, 0},
	{"Whirlpool's shape with an input that is too large", tx(600_000, coins(0, a(whirlpoolInputs[:4], []uint64{5_110_001})...), coins(50, times(5, 5_000_000)...)), "", 0, 0},
	{"Whirlpool's shape with one known input that contradicts", tx(600_000, append(unknown(coins(0, whirlpoolInputs[:4]...)), coins(9, 6_000_000)...), coins(50, times(5, 5_000_000)...)), "", 0, 0},
	{"Whirlpool's shape of one owner", tx(600_000, oneOwner(coins(0, whirlpoolInputs...)), coins(50, times(5, 5_000_000)...)), "", 0, 0},
	{"Whirlpool's shape in no pool's size", tx(600_000, coins(0, times(5, 3_001_000)...), coins(50, times(5, 3_000_000)...)), "", 0, 0},

	{"Tx0", tx(600_000, coins(0, 81_000_000), append(coins(50, a(times(16, 5_010_000), []uint64{175_000, 540_000})...), data())), "whirlpool-tx0", 60, 0},
	{"Tx0 of two inputs into two coins", tx(600_000, coins(0, 6_000_000, 6_000_000), append(coins(50, 5_010_000, 5_010_000, 175_000, 1_700_000), data())), "whirlpool-tx0", 60, 0},
	{"Tx0 into a single coin", tx(600_000, coins(0, 6_000_000), append(coins(50, 5_010_000, 175_000, 700_000), data())), "whirlpool-tx0", 30, 0},
	{"Tx0's shape with two fees", tx(600_000, coins(0, 81_000_000), append(coins(50, a(times(16, 5_010_000), []uint64{175_000, 175_001})...), data())), "", 0, 0},
	{"Tx0's shape without data", tx(600_000, coins(0, 81_000_000), coins(50, a(times(16, 5_010_000), []uint64{175_000, 540_000})...)), "", 0, 0},

	{"JoinMarket of four", tx(700_000, coins(0, 21_000_000, 55_000_000, 20_400_000, 31_000_000), coins(50, a(times(4, 20_000_000), []uint64{990_000, 35_001_000, 401_000, 11_001_000})...)), "joinmarket", 49, 4},
	{"JoinMarket, the taker sweeps", tx(700_000, coins(0, 20_010_000, 55_000_000, 20_400_000, 31_000_000), coins(50, a(times(4, 20_000_000), []uint64{35_001_000, 401_000, 11_001_000})...)), "joinmarket", 49, 4},
	{"JoinMarket, values of inputs unknown", tx(700_000, unvalued(coins(0, times(4, 1)...)), coins(50, a(times(4, 20_000_000), []uint64{35_001_000, 401_000, 11_001_000})...)), "joinmarket", 49, 4},
	{"JoinMarket, parents unknown", tx(700_000, unknown(coins(0, times(4, 1)...)), coins(50, a(times(4, 20_000_000), []uint64{35_001_000, 401_000, 11_001_000})...)), "", 0, 0},
	{"four equal payments of one owner with a change", tx(700_000, coins(0, 21_000_000, 30_000_000, 20_400_000, 31_000_000), coins(50, a(times(4, 20_000_000), []uint64{22_390_000})...)), "joinmarket", 30, 4},
	{"an input that nothing gives back", tx(700_000, coins(0, 21_000_000, 155_000_000, 20_400_000, 31_000_000), coins(50, a(times(4, 20_000_000), []uint64{35_001_000, 401_000, 11_001_000})...)), "joinmarket", 30, 4},
	{"equal outputs of one address", tx(700_000, coins(0, times(4, 21_000_000)...), append(oneOwner(coins(50, times(4, 20_000_000)...)), coins(60, 1_000_000, 900_000, 800_000)...)), "", 0, 0},
	{"half equal, outputs share an address: no known protocol", tx(700_000, coins(0, 20_900_000, 20_990_000, 20_800_000), append(coins(50, 20_000_000, 20_000_000, 20_000_000, 899_000, 980_000), coins(50, 1_789_000)...)), "other", 30, 3},

	{"Wasabi 1.0", tx(560_000, coins(0, rising(20, 12_000_000, 345_678)...), wasabiOutputs(16, 10_012_345)), "wasabi1.1", 90, 16},
	{"Wasabi 1.0, few owners of many inputs", tx(560_000, coins(0, rising(60, 2_000_000, 345_678)...), wasabiOutputs(16, 10_012_345)), "wasabi1", 70, 16},
	{"Wasabi 1, base grown out of the window", tx(690_000, coins(0, rising(20, 12_000_000, 345_678)...), wasabiOutputs(16, 10_944_832)), "wasabi1-coordinator", 80, 16},
	{"Wasabi 1, parents unknown", tx(690_000, unknown(coins(0, times(20, 1)...)), wasabiOutputs(16, 10_012_345)), "", 0, 0},
	{"a payout in tenths from many inputs of one address", tx(690_000, oneOwner(coins(0, rising(20, 12_000_000, 345_678)...)), wasabiOutputs(16, 10_000_000)), "", 0, 0},
	{"a sum split evenly in tenths", tx(690_000, coins(0, rising(12, 7_000_000, 1000)...), coins(50, times(8, 10_000_000)...)), "", 0, 0},

	{"WabiSabi", tx(800_000, coins(0, falling(80, 1_000_000)...), coins(500, wabisabi...)), "wasabi2-strict", 80, 49},
	{"WabiSabi, order lost", tx(800_000, coins(0, rising(80, 1_000_000, 777)...), coins(500, wabisabi...)), "wasabi2", 60, 49},
	{"WabiSabi, small round of the first coordinator's time", tx(800_000, coins(0, falling(30, 1_000_000)...), coins(500, wabisabi...)), "", 0, 0},
	{"WabiSabi, small round of a later one", tx(860_000, coins(0, falling(30, 1_000_000)...), coins(500, wabisabi...)), "wasabi2", 60, 49},
	{"WabiSabi, parents unknown", tx(800_000, unknown(coins(0, times(80, 1)...)), coins(500, wabisabi...)), "wasabi2-strict", 60, 49},
	{"WabiSabi's shape before it", tx(741_212, coins(0, falling(80, 1_000_000)...), coins(500, wabisabi...)), "", 0, 0},
	{"fifty inputs into one bitcoin", tx(800_000, coins(0, falling(50, 2_000_000)...), coins(500, 100_000_000)), "", 0, 0},

	{"an exchange's batch of equal amounts", tx(700_000, coins(0, 900_000_000), coins(50, a(times(30, 10_000_000), []uint64{599_000_000})...)), "", 0, 0},
	{"an exchange's batch from many inputs of one address", tx(700_000, oneOwner(coins(0, times(40, 25_000_000)...)), coins(50, a(times(30, 10_000_000), rising(29, 1_000_000, 7777))...)), "", 0, 0},
	{"an airdrop", tx(700_000, coins(0, 50_000_000, 60_000_000), coins(50, a(times(500, 20_000), []uint64{99_000_000})...)), "", 0, 0},
	{"a mining pool's payout", tx(700_000, coins(0, 625_000_000), coins(50, a(rising(200, 1_000_000, 3331), times(12, 500_000))...)), "", 0, 0},
	{"a consolidation", tx(700_000, coins(0, rising(300, 1_000_000, 77)...), coins(900, 345_000_000)), "", 0, 0},
	{"a consolidation into two", tx(800_000, coins(0, falling(300, 1_000_000)...), coins(900, 300_000_000, 45_000_000)), "", 0, 0},
	{"inscriptions of 546 satoshi", tx(800_000, coins(0, times(25, 30_000)...), coins(50, a(times(40, 546), []uint64{700_000})...)), "", 0, 0},
	{"a mint of 10,000 satoshi from two inputs", tx(800_000, coins(0, 300_000, 400_000), coins(50, a(times(60, 10_000), []uint64{90_000})...)), "", 0, 0},
	{"a mint of 10,000 satoshi from many inputs of one address", tx(800_000, oneOwner(coins(0, times(70, 10_500)...)), coins(50, a(times(60, 10_000), []uint64{90_000})...)), "", 0, 0},
	{"a Stonewall", tx(700_000, coins(0, 3_000_000, 4_500_000, 2_000_000), coins(50, 2_500_000, 2_500_000, 1_900_000, 2_590_000)), "", 0, 0},
	{"a PayJoin", tx(700_000, coins(0, 3_000_000, 4_500_000), coins(50, 5_100_000, 2_390_000)), "", 0, 0},
	{"a payment with many inputs and two equal outputs", tx(700_000, coins(0, rising(24, 3_000_000, 9999)...), coins(400, 40_000_000, 10_000_000, 10_000_000, 9_000_000, 4_000_000)), "", 0, 0},
	{"the veto: two equal outputs beside two near a level", tx(560_000, coins(0, rising(20, 1_600_000, 100)...), coins(400, 10_000_000, 10_000_000, 10_200_000, 1_234_567)), "", 0, 0},
	{"a block reward", &ledger.Resolved{Height: 700_000, Coinbase: true, Outputs: append(coins(0, 5_010_000, 175_000), data())}, "", 0, 0},
	{"nothing", tx(700_000, nil, nil), "", 0, 0},
	{"sums that overflow", tx(700_000, coins(0, times(12, math.MaxUint64)...), coins(50, a(times(9, math.MaxUint64), rising(9, math.MaxUint64-9, 1))...)), "joinmarket", 49, 9},
}

func TestRecognise(t *testing.T) {
	for _, c := range mixCases {
		f, ok := coinjoin.Recognise(c.tx)
		name := ""
		if ok {
			name = f.Rule.Name
		}
		if name != c.rule || f.Confidence != c.confidence || len(f.Mixed) != c.mixed {
			t.Errorf("%s: %q with confidence %d, %d mixed; want %q, %d, %d", c.name, name, f.Confidence, len(f.Mixed), c.rule, c.confidence, c.mixed)
		}
		if f.Entry != (name == "whirlpool-tx0") {
			t.Errorf("%s: entry is %v", c.name, f.Entry)
		}
	}
}

// TestFinding says everything of one finding.
func TestFinding(t *testing.T) {
	outputs := []ledger.Output{data()}
	outputs = append(outputs, coins(50, 20_000_000, 35_001_000, 20_000_000, 401_000, 20_000_000)...)
	got, ok := coinjoin.Recognise(tx(700_000, coins(0, 20_010_000, 55_000_000, 20_400_000), outputs))
	want := coinjoin.Finding{Rule: named(t, "joinmarket"), Confidence: 49, Denominations: []uint64{20_000_000}, Mixed: []int{1, 3, 5}, Participants: 3}
	if !ok || got.Rule != want.Rule {
		t.Fatalf("%+v", got)
	}
	got.Rule, want.Rule = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestLevels finds mixed outputs on several levels, and leaves those out that have no
// equal.
func TestLevels(t *testing.T) {
	outputs := coins(5000, a(times(12, 10_012_345), times(4, 20_024_690), []uint64{40_049_380, 10_100_000}, rising(9, 3_000_001, 111_111))...)
	f, ok := coinjoin.RecogniseBy(named(t, "wasabi1.1"), tx(580_000, coins(0, rising(20, 12_000_000, 345_678)...), outputs))
	if !ok || f.Participants != 13 || len(f.Mixed) != 16 || !slices.Equal(f.Denominations, []uint64{20_024_690, 10_012_345}) {
		t.Errorf("%v, %+v", ok, f)
	}
}

// TestCoordinator pays the two real addresses.
func TestCoordinator(t *testing.T) {
	notation := bitcoin.Notation{Network: bitcoin.Mainnet}
	rule := named(t, "wasabi1-coordinator")
	for _, address := range []string{"bc1qs604c7jv6amk4cxqlnvuxv26hv3e48cds4m0ew", "bc1qa24tsgchvuxsaccp8vrnkfd85hrcpafg20kmjw"} {
		theirs, err := notation.ParseAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		inputs := unknown(coins(0, times(5, 1)...))
		outputs := coins(50, 6_000_000, 6_000_000, 6_000_000, 1_234_567, 33_333)
		outputs[4].Address = theirs
		for height, want := range map[ledger.Height]bool{530_499: false, 530_500: true, 609_999: true, 610_000: false} {
			if f, ok := coinjoin.RecogniseBy(rule, tx(height, inputs, outputs)); ok != want || want && (f.Confidence != 80 || !slices.Equal(f.Mixed, []int{0, 1, 2})) {
				t.Errorf("%s at %d: %v, %+v", address, height, ok, f)
			}
		}
		inputs[0].Address = theirs
		if _, ok := coinjoin.RecogniseBy(rule, tx(600_000, inputs, outputs)); ok {
			t.Errorf("%s spends, and it is taken for a round", address)
		}
	}
}

// TestExchange silences the rules that payouts of exchanges resemble.
func TestExchange(t *testing.T) {
	exchange := coinjoin.Context{ExchangeInput: true}
	for _, c := range mixCases {
		f, ok := coinjoin.RecogniseWith(c.tx, exchange)
		switch {
		case ok && (f.Rule.Protocol == "JoinMarket" || f.Rule.Protocol == "Wasabi 1"):
			t.Errorf("%s: %s of an exchange", c.name, f.Rule.Name)
		case !ok && (strings.HasPrefix(c.rule, "whirlpool") || strings.HasPrefix(c.rule, "wasabi2")):
			t.Errorf("%s: %s is silent", c.name, c.rule)
		}
	}
}

func TestStonewall(t *testing.T) {
	for name, c := range map[string]struct {
		tx   *ledger.Resolved
		want bool
	}{
		"four outputs":               {tx(1, coins(0, 9, 9), coins(50, 5000, 5000, 7000, 8000)), true},
		"three outputs":              {tx(1, coins(0, 9, 9), coins(50, 5000, 7000, 5000)), true},
		"one input":                  {tx(1, coins(0, 9), coins(50, 5000, 7000, 5000)), false},
		"equal dust":                 {tx(1, coins(0, 9, 9), coins(50, 4999, 7000, 4999)), false},
		"two pairs":                  {tx(1, coins(0, 9, 9), coins(50, 5000, 5000, 7000, 7000)), false},
		"three equal":                {tx(1, coins(0, 9, 9), coins(50, 5000, 5000, 5000, 7000)), false},
		"all differ":                 {tx(1, coins(0, 9, 9), coins(50, 5000, 6000, 7000)), false},
		"two outputs":                {tx(1, coins(0, 9, 9), coins(50, 5000, 5000)), false},
		"one address of two outputs": {tx(1, coins(0, 9, 9), oneOwner(coins(50, 5000, 5000, 7000))), false},
		"a data output":              {tx(1, coins(0, 9, 9), append(coins(50, 5000, 5000, 7000), data())), false},
	} {
		if got := coinjoin.Stonewall(c.tx); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPossible rules out ordinary transactions, which is what it is for.
func TestPossible(t *testing.T) {
	for name, c := range map[string]struct {
		inputs  int
		outputs []uint64
		want    bool
	}{
		"a payment":                    {1, []uint64{5, 6}, false},
		"a consolidation":              {400, []uint64{5}, false},
		"a batch of one input":         {1, times(100, 5), false},
		"a payment with a pair":        {5, []uint64{5, 5, 6, 7}, false},
		"three equal":                  {3, []uint64{5, 6, 5, 5}, true},
		"many outputs":                 {3, rising(65, 5, 1), true},
		"ten inputs, three of a level": {10, []uint64{10_000_000, 10_000_001, 9_999_999, 4}, true},
		"nine inputs, three of one":    {9, []uint64{10_000_000, 10_000_001, 9_999_999, 4}, false},
	} {
		if got := coinjoin.Possible(c.inputs, c.outputs); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, c := range mixCases {
		if f, ok := coinjoin.Recognise(c.tx); ok && !f.Entry && !coinjoin.Possible(len(c.tx.Inputs), valuesOf(c.tx.Outputs)) {
			t.Errorf("%s: found by %s, and not possible", c.name, f.Rule.Name)
		}
	}
}

func valuesOf(outputs []ledger.Output) (values []uint64) {
	for i := range outputs {
		values = append(values, outputs[i].Value)
	}
	return values
}

// realTxs reads testdata/transactions.txt; coinjoins by the source's word.
func realTxs(tb testing.TB) (txs []*ledger.Resolved, mixes map[string]bool) {
	tb.Helper()
	file, err := os.Open(filepath.Join("testdata", "transactions.txt"))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	mixes = map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "tx":
			id, err := ledger.ParseHash(words[1])
			height, bad := strconv.Atoi(words[2])
			if err != nil || bad != nil {
				tb.Fatal(err, bad)
			}
			txs = append(txs, &ledger.Resolved{ID: id, Height: ledger.Height(height)})
			mixes[words[1]] = words[3] == "c"
		case "in":
			txs[len(txs)-1].Inputs = outputsOf(tb, 0, words[1:])
		case "out":
			txs[len(txs)-1].Outputs = outputsOf(tb, 10_000, words[1:])
		}
	}
	return txs, mixes
}

func outputsOf(tb testing.TB, from int, words []string) (list []ledger.Output) {
	tb.Helper()
	kinds := map[byte]ledger.AddressKind{'w': ledger.P2WPKH, 't': ledger.P2TR, 'p': ledger.P2PKH, 's': ledger.P2SH}
	for i, word := range words {
		text, same := strings.CutSuffix(word[1:], "=0")
		text, payload, full := strings.Cut(text, ":")
		value, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		o := ledger.Output{Value: value, Address: owner(kinds[word[0]], from+i)}
		if full {
			o.Address = ledger.NewAddress(kinds[word[0]], unhex(tb, payload))
		}
		if same {
			o.Address = list[0].Address
		}
		list = append(list, o)
	}
	return list
}

// TestRealTransactions: what is found in transactions whose nature others have
// published. Where the two disagree, the case says so; it is in the page on coinjoins.
func TestRealTransactions(t *testing.T) {
	txs, mixes := realTxs(t)
	want := map[string]verdict{
		"323df21f": {"whirlpool-segwit", 80, 5, 5},
		"5f0080e3": {"whirlpool-segwit", 80, 5, 5},
		"6cb2433f": {"joinmarket", 49, 10, 10},
		"fb596c9f": {"wasabi2-strict", 80, 274, 32},
		"c52934ac": {"wasabi2-strict", 80, 200, 16},
		// Coinjoins that are missed: two owners make the shape of a Stonewall.
		"4f112abd": {},
		// Found, and none by the source's word; the two of JoinMarket stay below Threshold.
		"54818554": {"wasabi2", 60, 20, 3},
		"8c0d9f4f": {"wasabi2", 60, 15, 2},
		"d7e08472": {"wasabi2", 60, 24, 2},
		"bf1f4c8b": {"joinmarket", 30, 6, 6},
		"280d9dc3": {"joinmarket", 30, 15, 15},
		"8ebc123f": {"joinmarket", 30, 9, 9},
		// Rightly passed over.
		"319cf8f6": {}, "8aa9bbf5": {}, "aefda8a7": {},
	}
	if len(txs) != len(want) {
		t.Errorf("%d transactions, want %d", len(txs), len(want))
	}
	for _, tx := range txs {
		id := tx.ID.String()[:8]
		got := verdict{}
		if f, ok := coinjoin.Recognise(tx); ok {
			got = verdict{f.Rule.Name, f.Confidence, len(f.Mixed), f.Participants}
		}
		if got != want[id] {
			t.Errorf("%s: %+v, want %+v (a coinjoin: %v)", id, got, want[id], mixes[tx.ID.String()])
		}
	}
	if !coinjoin.Stonewall(txs[3]) {
		t.Error("JoinMarket of two may be merged by co-spend")
	}
}
