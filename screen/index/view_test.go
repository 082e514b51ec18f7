package index_test

import (
	"errors"
	"reflect"
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
