package index_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/screen/index"
)

var lengths = map[ledger.AddressKind]int{
	ledger.P2PKH: 20, ledger.P2SH: 20, ledger.P2WPKH: 20, ledger.P2WSH: 32,
	ledger.P2TR: 32, ledger.Script: 32, ledger.EVMAccount: 20,
}

func kinds() []ledger.AddressKind {
	all := []ledger.AddressKind{ledger.Named}
	for kind := range lengths {
		all = append(all, kind)
	}
	slices.Sort(all)
	return all
}

// someAddress draws addresses that are often alike: few different bytes, long common
// beginnings, every kind.
func someAddress() *rapid.Generator[ledger.Address] {
	return rapid.Custom(func(t *rapid.T) ledger.Address {
		kind := rapid.SampledFrom(kinds()).Draw(t, "kind")
		length, fixed := lengths[kind]
		if !fixed {
			length = rapid.IntRange(1, 32).Draw(t, "length")
		}
		payload := make([]byte, length)
		value := rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xff})
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			payload[rapid.IntRange(0, length-1).Draw(t, "at")] = value.Draw(t, "value")
		}
		return ledger.NewAddress(kind, payload)
	})
}

func mustBuild(t interface{ Fatal(...any) }, numbers map[ledger.Address]uint32, order []ledger.Address) *index.Index {
	var b index.Builder
	for _, a := range order {
		if err := b.Add(a, numbers[a]); err != nil {
			t.Fatal(err)
		}
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// compare is the order that Each promises, said another way than the index does it.
func compare(a, b ledger.Address) int {
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	if c := slices.Compare(a.Payload[:], b.Payload[:]); c != 0 {
		return c
	}
	return int(a.Size) - int(b.Size)
}

func TestAnIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.MapOf(someAddress(), rapid.Uint32Range(0, index.Absent-1)).Draw(t, "numbers")
		order := make([]ledger.Address, 0, len(numbers))
		for a := range numbers {
			order = append(order, a)
		}
		x := mustBuild(t, numbers, order)

		if x.Len() != len(numbers) {
			t.Fatalf("%d addresses of %d", x.Len(), len(numbers))
		}
		asked := append(rapid.SliceOf(someAddress()).Draw(t, "others"), order...)
		many := x.FindMany([]uint32{7}, asked)
		if many[0] != 7 || len(many) != len(asked)+1 {
			t.Fatalf("%d numbers of %d", len(many), len(asked)+1)
		}
		for i, a := range asked {
			want, held := numbers[a]
			if !held {
				want = index.Absent
			}
			if number, ok := x.Find(a); number != want || ok != held || many[i+1] != want {
				t.Fatalf("%v: %d, %v, among many %d, want %d", a, number, ok, many[i+1], want)
			}
		}

		slices.SortFunc(order, compare)
		highest := uint32(0)
		for a, number := range x.Each() {
			if a != order[0] || number != numbers[a] {
				t.Fatalf("%v has %d, want %v, %d", a, number, order[0], numbers[order[0]])
			}
			highest = max(highest, number)
			order = order[1:]
		}
		if len(order) > 0 || len(numbers) > 0 && x.Highest() != highest {
			t.Fatalf("%d not visited; highest %d, want %d", len(order), x.Highest(), highest)
		}
	})
}

func TestTheOrderOfAddingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.MapOf(someAddress(), rapid.Uint32Range(0, 9)).Draw(t, "numbers")
		order := make([]ledger.Address, 0, 2*len(numbers))
		for a := range numbers {
			order = append(order, a)
		}
		twice := append(rapid.Permutation(order).Draw(t, "other order"), order...)
		one, other := mustBuild(t, numbers, order), mustBuild(t, numbers, twice)
		if !reflect.DeepEqual(one, other) || one.Bytes() != other.Bytes() {
			t.Fatal("the tables differ")
		}
	})
}

// Half a million addresses of each making, more than one piece of a builder holds.
func TestAddressesMadeAlike(t *testing.T) {
	const n = 500_000
	suffix := func(i uint64) (payload [20]byte) {
		for at := 19; i > 0; at, i = at-1, i>>8 {
			payload[at] = byte(i)
		}
		return payload
	}
	for name, payloadOf := range map[string]func(i uint64) [20]byte{
		"random":                 func(i uint64) [20]byte { a := account(i); return [20]byte(a.Bytes()) },
		"nothing but the end":    suffix,
		"highest lead, then end": func(i uint64) [20]byte { p := suffix(i); copy(p[:], "\xff\xff\xff\xff\xff\xff\xff\xff"); return p },
		"nothing but the lead":   func(i uint64) [20]byte { p := suffix(i); slices.Reverse(p[:]); return p },
		"a comb": func(i uint64) (p [20]byte) { // each byte splits a little off
			for at := range i % 20 {
				p[at] = 0xff
			}
			p[i%20] = byte(i / 20 % 255)
			p[19] = byte(i / 5100)
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			numbers := map[ledger.Address]uint32{}
			var order []ledger.Address
			for i := range uint64(n) {
				payload := payloadOf(i)
				a := ledger.NewAddress(ledger.P2WPKH, payload[:])
				if _, met := numbers[a]; !met {
					numbers[a] = uint32(i)
					order = append(order, a)
				}
			}
			x := mustBuild(t, numbers, order)
			if x.Len() != len(numbers) {
				t.Fatalf("%d of %d", x.Len(), len(numbers))
			}
			if x.Len() > 400_000 && x.Bytes() > 33*uint64(x.Len()) {
				t.Errorf("%d bytes for %d addresses", x.Bytes(), x.Len())
			}
			for a, want := range numbers {
				if got, ok := x.Find(a); !ok || got != want {
					t.Fatalf("%v: %d, %v, want %d", a, got, ok, want)
				}
				a.Payload[19] ^= 0x55
				want, held := numbers[a]
				if got, ok := x.Find(a); ok != held || held && got != want {
					t.Fatalf("%v: %d, %v, want %d, %v", a, got, ok, want, held)
				}
			}
		})
	}
}

func TestTheKindIsPartOfAnAddress(t *testing.T) {
	payload := make([]byte, 20)
	var b index.Builder
	for i, kind := range []ledger.AddressKind{ledger.P2PKH, ledger.EVMAccount} {
		if err := b.Add(ledger.NewAddress(kind, payload), uint32(10+i)); err != nil {
			t.Fatal(err)
		}
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[ledger.AddressKind]uint32{ledger.P2PKH: 10, ledger.EVMAccount: 11, ledger.P2SH: index.Absent, ledger.P2WPKH: index.Absent} {
		if got, ok := x.Find(ledger.NewAddress(kind, payload)); got != want || ok != (want != index.Absent) {
			t.Errorf("kind %d: %d, want %d", kind, got, want)
		}
	}
}

func TestNamesThatBeginAlike(t *testing.T) {
	names := []string{"a", "a\x00", "a\x00\x00", "ab", "alice-0123456789-0123456789-0123"}
	var b index.Builder
	for i, name := range names {
		if err := b.Add(ledger.NewAddress(ledger.Named, []byte(name)), uint32(i)); err != nil {
			t.Fatal(err)
		}
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for a, number := range x.Each() {
		got = append(got, fmt.Sprintf("%q %d", a.Bytes(), number))
	}
	want := []string{`"a" 0`, `"a\x00" 1`, `"a\x00\x00" 2`, `"ab" 3`, `"alice-0123456789-0123456789-0123" 4`}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, ok := x.Find(ledger.NewAddress(ledger.Named, []byte("alice"))); ok {
		t.Error("alice is held")
	}
}

func TestWhatCannotBeAdded(t *testing.T) {
	var x index.Index
	for name, a := range map[string]ledger.Address{
		"nobody":          {},
		"no such kind":    {Kind: 200, Size: 20},
		"a short key":     ledger.NewAddress(ledger.P2PKH, make([]byte, 19)),
		"a long account":  ledger.NewAddress(ledger.EVMAccount, make([]byte, 32)),
		"no bytes":        {Kind: ledger.P2TR},
		"no name":         {Kind: ledger.Named},
		"beyond the end":  {Kind: ledger.Named, Size: 33},
		"far beyond":      {Kind: ledger.P2PKH, Size: 255},
		"witness too few": ledger.NewAddress(ledger.P2WSH, make([]byte, 20)),
	} {
		t.Run(name, func(t *testing.T) {
			var b index.Builder
			var refused *index.AddressError
			if err := b.Add(a, 1); !errors.As(err, &refused) || refused.Address != a {
				t.Errorf("%v", err)
			}
			if number, ok := x.Find(a); ok || number != index.Absent {
				t.Errorf("found %d", number)
			}
			if many := x.FindMany(nil, []ledger.Address{a}); many[0] != index.Absent {
				t.Errorf("found %d among many", many[0])
			}
		})
	}
	var b index.Builder
	if err := b.Add(account(1), index.Absent); err == nil {
		t.Error("the number of no set was taken")
	}
}

func TestAnAddressWithTwoNumbers(t *testing.T) {
	want := index.ConflictError{Address: account(5), First: 3, Second: 7}
	for range 20 {
		numbers := []uint32{9, 7, 3, 7, 9}
		rand.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
		var b index.Builder
		for _, number := range numbers {
			if err := b.Add(account(5), number); err != nil {
				t.Fatal(err)
			}
		}
		var conflict *index.ConflictError
		if _, err := b.Build(); !errors.As(err, &conflict) || *conflict != want {
			t.Fatalf("%v, want %v", err, &want)
		}
	}
}

// TestNumbersAreMerged: with Merge, an address that was added with several numbers has what
// it makes of them, two at a time, the lowest first.
func TestNumbersAreMerged(t *testing.T) {
	var calls [][2]uint32
	b := index.Builder{Merge: func(first, second uint32) uint32 {
		calls = append(calls, [2]uint32{first, second})
		return uint32(100 + len(calls))
	}}
	twice, once := ledger.NewAddress(ledger.P2PKH, make([]byte, 20)), ledger.NewAddress(ledger.P2SH, make([]byte, 20))
	for _, number := range []uint32{7, 3, 5, 3} {
		if err := b.Add(twice, number); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Add(once, 1); err != nil {
		t.Fatal(err)
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := x.Find(twice); !ok || n != 102 || !slices.Equal(calls, [][2]uint32{{3, 5}, {101, 7}}) || x.Len() != 2 || x.Highest() != 102 {
		t.Errorf("it has %d after %v, of %d addresses up to %d", n, calls, x.Len(), x.Highest())
	}
}

func TestABuilderIsEmptyAfterwards(t *testing.T) {
	var b index.Builder
	if err := b.Add(account(1), 1); err != nil {
		t.Fatal(err)
	}
	first, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if first.Len() != 1 || second.Len() != 0 || second.Highest() != index.Absent || second.Bytes() != 0 {
		t.Errorf("%d, then %d addresses", first.Len(), second.Len())
	}
}

func TestLookingUpAllocatesNothing(t *testing.T) {
	x := build(t, 1000, account)
	asked := []ledger.Address{account(1), account(5000)}
	numbers := make([]uint32, 0, 2)
	if n := testing.AllocsPerRun(100, func() {
		x.Find(asked[0])
		numbers = x.FindMany(numbers[:0], asked)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
