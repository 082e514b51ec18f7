package embedded

import (
	"reflect"
	"testing"

	"coldtrail/ledger"
)

// exampleGroup has every kind of thing a group can hold.
func exampleGroup() (*groupWriter, []*ledger.Tx, [][]uint32) {
	name, err := ledger.NameAddress("somebody")
	if err != nil {
		panic(err)
	}
	lost := ledger.Outpoint{Tx: ledger.Hash{1, 2, 3}, Index: 7}
	txs := []*ledger.Tx{
		{
			ID: ledger.Hash{1}, Coinbase: true, Outputs: []ledger.Output{{Value: 50, Address: name}, {Value: 0, Unspendable: true}},
			Messages: []ledger.Message{{Kind: ledger.OpReturn, Position: 1, Data: []byte("memo")}},
		},
		{ID: ledger.Hash{2}, Inputs: []ledger.Outpoint{{Tx: ledger.Hash{1}}, lost}, Outputs: []ledger.Output{{Value: 60, Address: ledger.NewAddress(ledger.P2TR, make([]byte, 32))}}},
	}
	refs := [][]uint32{nil, {1000, noRef}}
	g := &groupWriter{}
	g.reset(400, 1000)
	for i := range txs {
		g.add(txs[i], refs[i])
	}
	return g, txs, refs
}

// TestGroup writes a group and reads it back.
func TestGroup(t *testing.T) {
	g, txs, refs := exampleGroup()
	decoded, err := decodeGroup(400, g.bytes())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = decoded.each(func(tx *ledger.Tx, got []uint32) error {
		want := *txs[n]
		if n == 1 { // what is resolved is named by number only
			want.Inputs = []ledger.Outpoint{{}, txs[1].Inputs[1]}
		}
		if !reflect.DeepEqual(*tx, want) || len(got) != len(refs[n]) || len(got) > 0 && !reflect.DeepEqual(got, refs[n]) {
			t.Errorf("got %+v %v, want %+v %v", *tx, got, want, refs[n])
		}
		n++
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("%d transactions, %v", n, err)
	}
	raw := g.plain(nil)
	for i := range raw {
		if _, err := decodeGroup(400, groupEncoder.EncodeAll(raw[:i], nil)); err == nil {
			t.Errorf("cutting at byte %d went unnoticed", i)
		}
	}
}

// FuzzDecodeGroup looks for panics in damaged records.
func FuzzDecodeGroup(f *testing.F) {
	g, _, _ := exampleGroup()
	f.Add(g.plain(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if g, err := decodeGroup(400, groupEncoder.EncodeAll(raw, nil)); err == nil {
			if err := g.each(func(*ledger.Tx, []uint32) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	})
}
