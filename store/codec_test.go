package store_test

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/storetest"
)

// TestBlockRoundTrip encodes random blocks and reads them back; a byte less or
// more is noticed.
func TestBlockRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		generate := storetest.UTXOBlocks
		if rapid.Bool().Draw(rt, "accounts") {
			generate = storetest.AccountBlocks
		}
		for _, b := range generate(rt, storetest.Shape{Blocks: 2}) {
			raw := store.EncodeBlock(nil, b)
			got, err := store.DecodeBlock(raw)
			if err != nil {
				rt.Fatal(err)
			}
			if again := store.EncodeBlock(nil, got); !reflect.DeepEqual(raw, again) {
				rt.Fatalf("%x\n%x", raw, again)
			}
			if store.Identity(got) != store.Identity(b) {
				rt.Fatal("another identity")
			}
			for _, bad := range [][]byte{raw[:len(raw)-1], append(raw, 0)} {
				if _, err := store.DecodeBlock(bad); !errors.Is(err, store.ErrCorrupt) {
					rt.Fatalf("damage went unnoticed: %v", err)
				}
			}
		}
	})
}

// FuzzDecodeBlock looks for panics, and for bytes that are read and written otherwise.
func FuzzDecodeBlock(f *testing.F) {
	f.Add(store.EncodeBlock(nil, &ledger.Block{Chain: ledger.Bitcoin, Txs: []ledger.Tx{{Outputs: []ledger.Output{{Value: 5}}}}}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := store.DecodeBlock(raw)
		if err != nil {
			return
		}
		again, err := store.DecodeBlock(store.EncodeBlock(nil, b))
		if err != nil || !reflect.DeepEqual(b, again) {
			t.Fatalf("%v: %+v, then %+v", err, b, again)
		}
	})
}
