package index_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/holiman/uint256"
	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
)

func decimal(n uint64) exposure.Decimal { return exposure.Decimal{Amount: *uint256.NewInt(n)} }

// sanctioned and tainted are facts as an engine makes them.
func sanctioned() exposure.Fact {
	return exposure.Fact{
		Kind: exposure.Owned, Chain: string(ledger.Ethereum), Category: "sanction", Entity: "lazarus-group", Sanction: true, Authority: "OFAC",
		Confidence: 100, Hops: 0, From: 1_650_000_000, Learned: 1_650_100_000, Claim: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		By: "OFAC", Source: "https://example.org/sdn.xml", Rule: "co-spend", About: "0x098B716B8Aaf21512996dC57EB0615e2383E2f96",
	}
}

func tainted(n uint64) exposure.Fact {
	return exposure.Fact{
		Kind: exposure.Tainted, Direction: exposure.Received, Chain: string(ledger.Ethereum), Category: "service_hack", Certainty: 10_000,
		Incident: "bybit-2025", Colour: "bybit-2025/eth", Asset: ledger.Ethereum.Native(), Amount: decimal(n), Held: decimal(n / 2), Origin: decimal(n),
		Share: 9_900, Hops: 7, From: 1_740_100_000, To: 1_740_200_000, Learned: 1_740_200_012, By: "coldtrail", Source: "case bybit-2025",
		Evidence: []string{"0x" + strings.Repeat("b6145fd4", 8)},
	}
}

func someText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "sanction", "OFAC", "0x", "0xABCDEF0123456789", "abcdef0123456789", "0xabcdef0123456789", "abcdef012345678", "\xff\x00"}),
		rapid.StringMatching(`(0x)?[0-9a-f]{14,20}`), rapid.String())
}

func someDecimal() *rapid.Generator[exposure.Decimal] {
	return rapid.Custom(func(t *rapid.T) exposure.Decimal {
		var a ledger.Amount
		a.SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "amount"))
		return exposure.Decimal{Amount: a}
	})
}

// someFact draws every field that a fact has, now and in time to come.
func someFact() *rapid.Generator[exposure.Fact] {
	return rapid.Custom(func(t *rapid.T) exposure.Fact {
		var f exposure.Fact
		fields := reflect.ValueOf(&f).Elem()
		for i := range fields.NumField() {
			if rapid.Bool().Draw(t, "empty") {
				continue
			}
			switch field := fields.Field(i); value := field.Addr().Interface().(type) {
			case *exposure.Decimal:
				*value = someDecimal().Draw(t, "decimal")
			case *[]string:
				*value = rapid.SliceOfN(someText(), 1, 4).Draw(t, "texts")
			default:
				switch {
				case field.Kind() == reflect.String:
					field.SetString(someText().Draw(t, "text"))
				case field.Kind() == reflect.Bool:
					field.SetBool(true)
				case field.CanInt():
					field.SetInt(rapid.Int64().Draw(t, "integer"))
				case field.CanUint():
					field.SetUint(rapid.Uint64Range(0, 1<<field.Type().Bits()-1).Draw(t, "natural"))
				default:
					t.Fatalf("no generator for %s", fields.Type().Field(i).Name)
				}
			}
		}
		return f
	})
}

// distinct is the facts without repetition, in order, compared by reflection.
func distinct(facts []exposure.Fact) []exposure.Fact {
	var kept []exposure.Fact
	for _, f := range facts {
		if !slices.ContainsFunc(kept, func(k exposure.Fact) bool { return reflect.DeepEqual(k, f) }) {
			kept = append(kept, f)
		}
	}
	slices.SortFunc(kept, func(a, b exposure.Fact) int { return index.Compare(&a, &b) })
	return kept
}

func TestSetsComeBackWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b index.SetsBuilder
		var want [][]exposure.Fact
		for range rapid.IntRange(0, 8).Draw(t, "sets") {
			facts := rapid.SliceOfN(someFact(), 0, 4).Draw(t, "facts")
			expected := distinct(facts)
			number, err := b.Intern(append(slices.Clone(facts), facts...))
			if err != nil {
				t.Fatal(err)
			}
			met := slices.IndexFunc(want, func(w []exposure.Fact) bool { return reflect.DeepEqual(w, expected) })
			if met < 0 {
				met = len(want)
				want = append(want, expected)
			}
			if int(number) != met {
				t.Fatalf("number %d, want %d", number, met)
			}
			slices.Reverse(facts)
			if again, err := b.Intern(facts); err != nil || again != number {
				t.Fatalf("in another order %d, want %d (%v)", again, number, err)
			}
		}
		sets := b.Build()
		if sets.Len() != len(want) {
			t.Fatalf("%d sets, want %d", sets.Len(), len(want))
		}
		for number := range want {
			got, err := sets.At(uint32(number))
			if err != nil || !reflect.DeepEqual(got, want[number]) {
				t.Fatalf("%v: %s", err, cmp.Diff(want[number], got))
			}
		}
	})
}

// A field that is new in Fact and not in the encoding would be lost in silence.
func TestEveryFieldTellsFactsApart(t *testing.T) {
	kind := reflect.TypeFor[exposure.Fact]()
	for i := range kind.NumField() {
		t.Run(kind.Field(i).Name, func(t *testing.T) {
			var f exposure.Fact
			switch field := reflect.ValueOf(&f).Elem().Field(i); value := field.Addr().Interface().(type) {
			case *exposure.Decimal:
				*value = decimal(1)
			case *[]string:
				*value = []string{"x"}
			default:
				switch {
				case field.Kind() == reflect.String:
					field.SetString("x")
				case field.Kind() == reflect.Bool:
					field.SetBool(true)
				case field.CanInt():
					field.SetInt(-1)
				default:
					field.SetUint(1)
				}
			}
			if index.Compare(&f, &exposure.Fact{}) <= 0 != (kind.Field(i).Type.Kind() == reflect.Int64) {
				t.Error("order is wrong")
			}
			var b index.SetsBuilder
			number, err := b.Intern([]exposure.Fact{f})
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.Build().At(number)
			if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], f) {
				t.Errorf("%+v, %v, want %+v", got, err, f)
			}
		})
	}
}

func TestSetsAlreadyBuiltDoNotChange(t *testing.T) {
	var b index.SetsBuilder
	if number, err := b.Intern([]exposure.Fact{sanctioned()}); number != 0 || err != nil {
		t.Fatal(number, err)
	}
	before := b.Build()
	var reader sync.WaitGroup
	reader.Go(func() { // of what was built, while the builder goes on
		for range 1000 {
			if facts, err := before.At(0); err != nil || facts[0].Entity != "lazarus-group" {
				t.Errorf("%+v, %v", facts, err)
			}
		}
	})
	for range 2 { // the second time all are known
		for n := range uint64(1000) {
			number, err := b.Intern([]exposure.Fact{tainted(n), sanctioned()})
			if err != nil || number != uint32(n)+1 {
				t.Fatalf("number %d, %v, want %d", number, err, n+1)
			}
		}
	}
	reader.Wait()
	if before.Len() != 1 || b.Build().Len() != 1001 {
		t.Errorf("%d, then %d sets", before.Len(), b.Build().Len())
	}
	facts, err := before.At(0)
	if err != nil || !reflect.DeepEqual(facts, []exposure.Fact{sanctioned()}) {
		t.Errorf("%+v, %v", facts, err)
	}
	facts[0].Entity = "somebody else"
	if again, _ := before.At(0); again[0].Entity != "lazarus-group" {
		t.Error("a caller changed the set")
	}
}

func TestANumberOfNoSet(t *testing.T) {
	var b index.SetsBuilder
	empty, err := b.Intern(nil)
	if err != nil {
		t.Fatal(err)
	}
	sets := b.Build()
	if facts, err := sets.At(empty); len(facts) != 0 || err != nil {
		t.Errorf("the empty set: %v, %v", facts, err)
	}
	for _, number := range []uint32{1, index.Absent} {
		var wrong *index.NumberError
		if facts, err := sets.At(number); !errors.As(err, &wrong) || facts != nil {
			t.Errorf("set %d: %v, %v", number, facts, err)
		}
	}
}

func BenchmarkSets(b *testing.B) {
	b.Run("intern 100,000", func(b *testing.B) { // of which no two are the same
		facts := []exposure.Fact{tainted(1)}
		size := uint64(0)
		for b.Loop() {
			var builder index.SetsBuilder
			for n := range uint64(100_000) {
				facts[0].Amount = decimal(n)
				if _, err := builder.Intern(facts); err != nil {
					b.Fatal(err)
				}
			}
			size = builder.Build().Bytes()
		}
		b.ReportMetric(float64(size)/100_000, "B/set")
	})
	b.Run("intern again", func(b *testing.B) {
		var builder index.SetsBuilder
		facts := []exposure.Fact{sanctioned()}
		for b.Loop() {
			if _, err := builder.Intern(facts); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("at", func(b *testing.B) {
		var builder index.SetsBuilder
		number, err := builder.Intern([]exposure.Fact{tainted(1), sanctioned()})
		if err != nil {
			b.Fatal(err)
		}
		sets := builder.Build()
		b.ReportAllocs()
		for b.Loop() {
			if facts, err := sets.At(number); len(facts) != 2 || err != nil {
				b.Fatal(err)
			}
		}
	})
}
