package index_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
)

func layer(t *testing.T, facts map[uint64][]exposure.Fact) index.Layer {
	t.Helper()
	var sets index.SetsBuilder
	var b index.Builder
	for n, set := range facts {
		number, err := sets.Intern(set)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(account(n), number); err != nil {
			t.Fatal(err)
		}
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return index.Layer{Index: x, Sets: sets.Build()}
}

func TestAViewJoinsItsLayers(t *testing.T) {
	base := layer(t, map[uint64][]exposure.Fact{1: {sanctioned()}, 2: {sanctioned()}})
	overlay := layer(t, map[uint64][]exposure.Fact{2: {tainted(5)}, 3: {tainted(6), tainted(5)}})
	view, err := index.NewView(base, overlay)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[uint64][]exposure.Fact{
		1: {sanctioned()},
		2: {sanctioned(), tainted(5)},
		3: {tainted(5), tainted(6)},
		4: nil,
	} {
		got := view.Facts(nil, account(n))
		if !reflect.DeepEqual(got, want) || view.Has(account(n)) != (want != nil) {
			t.Errorf("address %d: %+v, want %+v", n, got, want)
		}
	}
	if view.Has(ledger.Address{}) || len(view.Layers()) != 2 {
		t.Error("nobody is held, or a layer is missing")
	}
	kept := view.Facts([]exposure.Fact{tainted(9)}, account(1))
	if !reflect.DeepEqual(kept, []exposure.Fact{tainted(9), sanctioned()}) {
		t.Errorf("%+v", kept)
	}
}

func TestALayerWithTheWrongSets(t *testing.T) {
	good := layer(t, map[uint64][]exposure.Fact{1: {tainted(1)}})
	bad := index.Layer{Index: layer(t, map[uint64][]exposure.Fact{1: {tainted(1)}, 2: {tainted(2)}}).Index, Sets: good.Sets}
	var refused *index.LayerError
	var number *index.NumberError
	if _, err := index.NewView(good, bad); !errors.As(err, &refused) || refused.Layer != 1 || !errors.As(err, &number) || *number != (index.NumberError{Number: 1, Sets: 1}) {
		t.Errorf("%v", err)
	}
	empty, err := index.NewView(index.Layer{Index: &index.Index{}, Sets: &index.Sets{}})
	if err != nil || empty.Has(account(1)) {
		t.Errorf("a layer without addresses: %v", err)
	}
}

// TestGroups: what is known of a group is known of all its addresses, and is another at once
// where the table says so; a group may have nothing, and none may be missing.
func TestGroups(t *testing.T) {
	var sets index.SetsBuilder
	first, err := sets.Intern([]exposure.Fact{{Kind: exposure.Owned, Entity: "first"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := sets.Intern([]exposure.Fact{{Kind: exposure.Owned, Entity: "second"}})
	if err != nil {
		t.Fatal(err)
	}
	var b index.Builder
	address := func(n byte) ledger.Address { return ledger.NewAddress(ledger.P2PKH, append(make([]byte, 19), n)) }
	for n, group := range []uint32{0, 1, 1, 2} {
		if err := b.Add(address(byte(n)), group); err != nil {
			t.Fatal(err)
		}
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	entities := func(groups ...uint32) (list []string) {
		layer := index.Layer{Index: x, Sets: sets.Build(), Groups: groups}
		v, err := index.NewView(layer)
		if err != nil {
			return []string{err.Error()}
		}
		each := 0
		for range layer.Each() {
			each++
		}
		for n := range byte(4) {
			text := "-"
			for _, f := range v.Facts(nil, address(n)) {
				text = f.Entity
			}
			if v.Has(address(n)) != (text != "-") {
				text += "?"
			}
			list = append(list, text)
		}
		return append(list, fmt.Sprint(each))
	}
	for _, test := range []struct{ groups, want string }{
		{"0 1 0", "first second second first 4"},
		{"1 1 0", "second second second first 4"},
		{"0 - -", "first - - - 1"},
		{"0 1", "layer 0: fact set 2 of 2"},
		{"0 2 0", "layer 0: fact set 2 of 2"},
	} {
		var groups []uint32
		for _, text := range strings.Fields(test.groups) {
			groups = append(groups, map[string]uint32{"0": first, "1": second, "2": 2, "-": index.Absent}[text])
		}
		if got := strings.Join(entities(groups...), " "); got != test.want {
			t.Errorf("with groups %s: %s, want %s", test.groups, got, test.want)
		}
	}
}
