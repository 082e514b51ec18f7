package coinjoin_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
)

// tempting are values that some rule looks for, and their neighbours.
var tempting = []uint64{
	0, 1, 546, 2730, 2731, 5000, 10_000, 175_000, 100_000, 100_100, 1_000_000, 1_001_000, 5_000_000, 5_010_000, 9_500_000, 9_499_999, 10_000_000,
	10_500_000, 20_000_000, 40_000_000, 65_536, 131_072, 50_000_000, 59_049, 2_500_000, 1 << 63, 1<<64 - 1,
}

var heights = []ledger.Height{0, 392_300, 569_999, 570_000, 600_000, 610_000, 741_213, 846_000, 900_000}

// drawTx makes transactions that are near what rules look for: the cases with a few
// changes, and mixtures of tempting values.
func drawTx(rt *rapid.T) *ledger.Resolved {
	if rapid.IntRange(0, 2).Draw(rt, "from") == 0 {
		return drawMixture(rt)
	}
	base := rapid.SampledFrom(mixCases).Draw(rt, "case").tx
	tx := &ledger.Resolved{Height: base.Height, Inputs: slices.Clone(base.Inputs), Outputs: slices.Clone(base.Outputs)}
	for range rapid.IntRange(0, 3).Draw(rt, "changes") {
		list := &tx.Inputs
		if rapid.Bool().Draw(rt, "output") {
			list = &tx.Outputs
		}
		if len(*list) == 0 {
			continue
		}
		i := rapid.IntRange(0, len(*list)-1).Draw(rt, "which")
		switch o := &(*list)[i]; rapid.IntRange(0, 6).Draw(rt, "change") {
		case 0:
			o.Value = rapid.SampledFrom(tempting).Draw(rt, "value")
		case 1:
			o.Address = (*list)[0].Address
		case 2:
			*o = ledger.Output{}
		case 3:
			*list = slices.Delete(*list, i, i+1)
		case 4:
			*list = append(*list, ledger.Output{Value: o.Value, Address: owner(ledger.P2WPKH, 7000+len(*list))})
		case 5:
			tx.Height = rapid.SampledFrom(heights).Draw(rt, "height")
		case 6:
			o.Address.Kind = rapid.SampledFrom([]ledger.AddressKind{ledger.P2TR, ledger.P2SH, ledger.Script}).Draw(rt, "kind")
		}
	}
	return tx
}

func drawMixture(rt *rapid.T) *ledger.Resolved {
	tx := &ledger.Resolved{Height: rapid.SampledFrom(heights).Draw(rt, "height")}
	few := rapid.SliceOfN(rapid.SampledFrom(tempting), 1, 5).Draw(rt, "values")
	kind := rapid.SampledFrom([]ledger.AddressKind{ledger.P2WPKH, ledger.P2WPKH, ledger.P2TR, ledger.P2PKH}).Draw(rt, "kind")
	value := func() uint64 {
		if rapid.IntRange(0, 4).Draw(rt, "free") == 0 {
			return rapid.Uint64Range(0, 200_000_000).Draw(rt, "value")
		}
		return rapid.SampledFrom(few).Draw(rt, "value")
	}
	reuse := rapid.IntRange(0, 12).Draw(rt, "reuse")
	list := func(from, n, odd int) (outputs []ledger.Output) {
		for i := range n {
			o := ledger.Output{Value: value(), Address: owner(kind, from+i)}
			switch dice := rapid.IntRange(0, 40).Draw(rt, "dice"); {
			case dice < odd:
				o = ledger.Output{Unspendable: from > 0, Value: o.Value * uint64(dice)}
			case i > 0 && dice > 28+reuse:
				o.Address = outputs[0].Address
			}
			outputs = append(outputs, o)
		}
		return outputs
	}
	tx.Inputs = list(0, rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 25, 50, 60}).Draw(rt, "inputs"), rapid.IntRange(0, 3).Draw(rt, "unknown"))
	tx.Outputs = list(1000, rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 30, 70}).Draw(rt, "outputs"), rapid.IntRange(0, 2).Draw(rt, "data"))
	return tx
}

// TestPossibleIsNeverWrong: whatever is found as a mix, by all rules or by one, is
// possible.
func TestPossibleIsNeverWrong(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { checkFinding(rt, drawTx(rt)) })
}

// failer is what both rapid and fuzzing fail with.
type failer interface {
	Fatalf(format string, args ...any)
}

// checkFinding holds for every transaction.
func checkFinding(t failer, tx *ledger.Resolved) {
	possible := coinjoin.Possible(len(tx.Inputs), valuesOf(tx.Outputs))
	var surest coinjoin.Finding
	stonewall := coinjoin.Stonewall(tx)
	for _, rule := range coinjoin.Rules {
		f, ok := coinjoin.RecogniseBy(rule, tx)
		if !ok {
			continue
		}
		if !f.Entry && !possible {
			t.Fatalf("%s finds what is not possible", rule.Name)
		}
		if f.Rule != rule || f.Confidence == 0 || f.Confidence > 90 || f.Entry == (len(f.Mixed) > 0) || f.Participants < 1 || f.Participants > len(tx.Inputs) {
			t.Fatalf("%s: %+v", rule.Name, f)
		}
		for i, m := range f.Mixed {
			if o := tx.Outputs[m]; i > 0 && m <= f.Mixed[i-1] || o.Unspendable || !slices.Contains(f.Denominations, o.Value) {
				t.Fatalf("%s: output %d is mixed: %+v", rule.Name, m, f)
			}
		}
		if f.Confidence > surest.Confidence && (f.Entry || !stonewall) {
			surest = f
		}
	}
	got, ok := coinjoin.Recognise(tx)
	if ok != (surest.Rule != nil) || got.Rule != surest.Rule || !slices.Equal(got.Mixed, surest.Mixed) {
		t.Fatalf("found %+v, the surest is %+v", got, surest)
	}
}

// TestDataOutputsHideNothing: outputs that nobody owns, which anybody can add, change no
// finding of a mix.
func TestDataOutputsHideNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tx := drawTx(rt)
		more := *tx
		n := rapid.IntRange(1, 60).Draw(rt, "added")
		more.Outputs = slices.Clone(tx.Outputs)
		for i := range n {
			more.Outputs = append(more.Outputs, ledger.Output{Value: uint64(i % 7), Unspendable: true})
		}
		for _, rule := range coinjoin.Rules {
			before, ok := coinjoin.RecogniseBy(rule, tx)
			if ok && before.Entry || rule.Name == "whirlpool-tx0" {
				continue
			}
			after, still := coinjoin.RecogniseBy(rule, &more)
			if ok != still || !cmp.Equal(before.Mixed, after.Mixed) || before.Confidence != after.Confidence {
				rt.Fatalf("%s: %+v, with data outputs %+v", rule.Name, before, after)
			}
			if ok && !coinjoin.Possible(len(more.Inputs), valuesOf(more.Outputs)) {
				rt.Fatalf("%s finds what data outputs make impossible", rule.Name)
			}
		}
	})
}

// TestAgainstPlainReadings compares three rules with what their text says, written out
// once more with maps, where everything is known.
func TestAgainstPlainReadings(t *testing.T) {
	found := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		tx := drawTx(rt)
		for i := range tx.Inputs {
			if tx.Inputs[i].Address.IsZero() || tx.Inputs[i].Value == 0 {
				tx.Inputs[i] = ledger.Output{Value: 7, Address: owner(ledger.P2WPKH, 9000+i)}
			}
		}
		for name, plain := range map[string]func(*ledger.Resolved) bool{"joinmarket": plainJoinMarket, "wasabi2": plainWasabi2, "whirlpool": plainWhirlpool} {
			want := plain(tx)
			if _, got := coinjoin.RecogniseBy(named(t, name), tx); got != want {
				rt.Fatalf("%s: %v, want %v", name, got, want)
			}
			if want {
				found[name]++
			}
		}
	})
	t.Logf("found %v", found)
}

// plainly counts the values and owners of outputs that somebody owns.
func plainly(outputs []ledger.Output) (values map[uint64]int, owners map[ledger.Address]int, n int) {
	values, owners = map[uint64]int{}, map[ledger.Address]int{}
	for _, o := range outputs {
		if !o.Unspendable && !o.Address.IsZero() {
			values[o.Value]++
			owners[o.Address]++
			n++
		}
	}
	return values, owners, n
}

func plainJoinMarket(tx *ledger.Resolved) bool {
	values, owners, n := plainly(tx.Outputs)
	_, payers, _ := plainly(tx.Inputs)
	most := 0
	for v, count := range values {
		if v > 2730 {
			most = max(most, count)
		}
	}
	if len(tx.Inputs) >= 50 && (len(tx.Inputs) > 20*most || n*10 < 17*most) {
		return false
	}
	return most >= 3 && 2*most >= n && most <= len(payers) && len(owners) == n && n > most
}

func plainWasabi2(tx *ledger.Resolved) bool {
	values, owners, n := plainly(tx.Outputs)
	_, payers, _ := plainly(tx.Inputs)
	least := 20
	if tx.Height < 846_000 {
		least = 50
	}
	if tx.Height < 741_213 || len(tx.Inputs) < least || len(owners) != n {
		return false
	}
	for _, count := range payers {
		if count*10 > len(tx.Inputs) {
			return false
		}
	}
	denominations, inThem := 0, 0
	for v, count := range values {
		if v < 5000 {
			return false
		}
		if count > 1 {
			denominations++
			inThem += count
		}
	}
	return denominations >= 3 && 2*inThem >= n-1 && inThem < n
}

func plainWhirlpool(tx *ledger.Resolved) bool {
	values, owners, n := plainly(tx.Outputs)
	_, payers, _ := plainly(tx.Inputs)
	if n < 5 || n > 8 || len(tx.Inputs) != n || len(values) != 1 || len(owners) != n || len(payers) != n {
		return false
	}
	for _, size := range []uint64{100_000, 1_000_000, 2_500_000, 5_000_000, 50_000_000} {
		entrants := 0
		for _, in := range tx.Inputs {
			switch {
			case in.Value == size:
			case in.Value >= size+100 && in.Value <= size+110_000:
				entrants++
			default:
				entrants = 99
			}
		}
		if values[size] == n && entrants >= 1 && entrants <= 4 {
			return true
		}
	}
	return false
}

// FuzzRecognise looks for panics and for findings that contradict themselves.
func FuzzRecognise(f *testing.F) {
	for _, c := range mixCases {
		f.Add(packed(c.tx))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkFinding(t, unpacked(raw)) })
}

// packed writes a transaction of at most 255 inputs for fuzzing: nine bytes to an output.
func packed(tx *ledger.Resolved) []byte {
	raw := binary.LittleEndian.AppendUint32(nil, uint32(tx.Height))
	raw = append(raw, uint8(min(len(tx.Inputs), 255)))
	for i, o := range slices.Concat(tx.Inputs[:min(len(tx.Inputs), 255)], tx.Outputs) {
		raw = append(raw, uint8(i%32)<<3|uint8(o.Address.Kind)&7)
		raw = binary.LittleEndian.AppendUint64(raw, o.Value)
	}
	return raw
}

func unpacked(raw []byte) *ledger.Resolved {
	tx := &ledger.Resolved{}
	if len(raw) < 5 {
		return tx
	}
	tx.Height = ledger.Height(binary.LittleEndian.Uint32(raw))
	inputs := int(raw[4])
	for raw = raw[5:]; len(raw) >= 9; raw = raw[9:] {
		o := ledger.Output{Value: binary.LittleEndian.Uint64(raw[1:])}
		if kind := ledger.AddressKind(raw[0] & 7); kind != ledger.NoAddress {
			o.Address = owner(kind, int(raw[0]>>3)+len(tx.Outputs)/32)
		}
		if len(tx.Inputs) < inputs {
			tx.Inputs = append(tx.Inputs, o)
			continue
		}
		o.Unspendable = o.Address.IsZero()
		tx.Outputs = append(tx.Outputs, o)
	}
	return tx
}

// BenchmarkPossible is the test that every transaction of a chain meets.
func BenchmarkPossible(b *testing.B) {
	for name, c := range map[string]struct {
		inputs  int
		outputs []uint64
	}{
		"payment":        {1, []uint64{123, 456}},
		"consolidation":  {200, []uint64{123}},
		"batch":          {1, rising(300, 1, 7)},
		"four inputs":    {4, rising(8, 1, 7)},
		"worst compared": {4, rising(64, 1, 7)},
		"WabiSabi":       {80, wabisabi},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				coinjoin.Possible(c.inputs, c.outputs)
			}
		})
	}
}

func BenchmarkRecognise(b *testing.B) {
	txs, _ := realTxs(b)
	for name, tx := range map[string]*ledger.Resolved{
		"payment": tx(700_000, coins(0, 123), coins(50, 45, 67)), "Whirlpool 5x5": txs[0], "JoinMarket 23x19": txs[2], "WabiSabi 327x279": txs[4],
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				coinjoin.Recognise(tx)
			}
		})
	}
}
