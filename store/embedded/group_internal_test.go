package embedded

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"coldtrail/ledger"
	"coldtrail/store"
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
		{ID: ledger.Hash{2}, Open: true, Inputs: []ledger.Outpoint{{Tx: ledger.Hash{1}}, lost}, Outputs: []ledger.Output{{Value: 60, Address: ledger.NewAddress(ledger.P2TR, make([]byte, 32))}}},
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
	raw := g.plain()
	for i := range raw {
		if _, err := decodeGroup(400, groupEncoder.EncodeAll(raw[:i], nil)); err == nil {
			t.Errorf("cutting at byte %d went unnoticed", i)
		}
	}
}

// earlierGroup is exampleGroup as it was written before records knew of open
// transactions.
const earlierGroup = "e80702020301000000000000000000000000000000000000000000000000000000000000000200000000000000000000000000000000000000000000000000000000000000" +
	"00020201020001020300000000000000000000000000000000000000000000000000000000000700000032003c0808736f6d65626f647980050000000000000000000000000000" +
	"00000000000000000000000000000000000001000101046d656d6f"

// TestEarlierGroup reads a record from before there were marks; without open
// transactions it is still written so.
func TestEarlierGroup(t *testing.T) {
	raw, err := hex.DecodeString(earlierGroup)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decodeGroup(400, groupEncoder.EncodeAll(raw, nil))
	if err != nil || len(decoded.open) > 0 || len(decoded.messages[0]) != 1 {
		t.Fatalf("%+v, %v", decoded, err)
	}
	_, txs, refs := exampleGroup()
	txs[1].Open = false
	g := &groupWriter{}
	g.reset(400, 1000)
	for i := range txs {
		g.add(txs[i], refs[i])
	}
	if got := hex.EncodeToString(g.plain()); got != earlierGroup {
		t.Errorf("got %s, want %s", got, earlierGroup)
	}
	for name, mark := range map[string][4]uint64{
		"of another transaction": {2, openMark, 0, 0}, "with a place": {1, openMark, 1, 0}, "with data": {1, openMark, 0, 1}, "of another kind": {1, openMark - 1, 0, 0},
	} {
		g := &groupWriter{}
		g.reset(400, 1000)
		for i := range txs {
			g.add(txs[i], refs[i])
		}
		for _, n := range mark {
			g.data = binary.AppendUvarint(g.data, n)
		}
		g.messages++
		if _, err := decodeGroup(400, groupEncoder.EncodeAll(append(g.plain(), make([]byte, mark[3])...), nil)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("a mark %s was taken: %v", name, err)
		}
	}
}

// TestMarksOfIndex opens a store again and takes its look-up files away: open
// transactions stay open, and kinds of addresses stay what they were.
func TestMarksOfIndex(t *testing.T) {
	owner := ledger.NewAddress(ledger.P2WPKH, make([]byte, 20))
	tx := func(n byte, open bool, inputs ...ledger.Outpoint) ledger.Tx {
		return ledger.Tx{
			ID: ledger.Hash{n}, Index: uint32(n), Coinbase: len(inputs) == 0, Open: open, Inputs: inputs,
			Outputs: []ledger.Output{{Value: 5, Address: owner}, {Value: 4, Address: owner}},
		}
	}
	block := &ledger.Block{Chain: ledger.Bitcoin, Hash: ledger.Hash{9}, Time: 1, Txs: []ledger.Tx{
		tx(0, false), tx(1, true, ledger.Outpoint{}, ledger.Outpoint{Index: 1}), tx(2, false, ledger.Outpoint{Tx: ledger.Hash{1}}, ledger.Outpoint{Tx: ledger.Hash{1}, Index: 1}),
	}}
	folder := t.TempDir()
	for round, before := range []func() error{
		func() error { return nil },
		func() error { return nil },
		func() error { return os.RemoveAll(filepath.Join(folder, indexFolder)) },
	} {
		if err := before(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), folder, Options{})
		if err == nil {
			err = s.Append(t.Context(), []*ledger.Block{block})
		}
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range s.Owned(t.Context(), ledger.Bitcoin, 0, 0) {
			wpkh := ledger.P2WPKH
			if err != nil || !slices.Equal(o.Open, []bool{false, true, false}) || !slices.Equal(o.Kinds, []ledger.AddressKind{wpkh, wpkh, wpkh, wpkh, wpkh, wpkh}) || !slices.Equal(o.InputKinds, []ledger.AddressKind{wpkh, wpkh, wpkh, wpkh}) {
				t.Errorf("round %d: %+v, %v", round, o, err)
			}
		}
		ix := s.chains[ledger.Bitcoin].(*utxo).index
		if ix.state.Data[stateVersion] != indexVersion || ix.kinds.Data[2] != openBit|uint8(ledger.P2WPKH) {
			t.Errorf("round %d: version %d, kinds %v", round, ix.state.Data[stateVersion], ix.kinds.Data[:6])
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIndexVersions takes an index of the version before, and no other.
func TestIndexVersions(t *testing.T) {
	for version, want := range map[uint64]bool{1: false, withoutMarks: true, indexVersion: true, 4: false} {
		ix, err := openIndex(t.TempDir(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := ix.reserve(0, 0); err != nil {
			t.Fatal(err)
		}
		ix.state.Data[stateVersion] = version
		if got := ix.usable(counts{}, ledger.Hash{}); got != want {
			t.Errorf("version %d: %v", version, got)
		}
		if err := ix.unmap(); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzDecodeGroup looks for panics in damaged records.
func FuzzDecodeGroup(f *testing.F) {
	g, _, _ := exampleGroup()
	f.Add(g.plain())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if g, err := decodeGroup(400, groupEncoder.EncodeAll(raw, nil)); err == nil {
			if err := g.each(func(*ledger.Tx, []uint32) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	})
}
