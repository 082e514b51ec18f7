package store_test

import (
	"bytes"
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

// TestIdentity: what a source saw of signatures makes no other block, not even where the
// block has no hash; what happened in it does.
func TestIdentity(t *testing.T) {
	with := func(change func(*ledger.Block)) *ledger.Block {
		b := &ledger.Block{Chain: ledger.Bitcoin, Txs: []ledger.Tx{{ID: ledger.Hash{1}, Coinbase: true}, {ID: ledger.Hash{2}, Inputs: []ledger.Outpoint{{}}}}}
		change(b)
		return b
	}
	plain := with(func(*ledger.Block) {})
	open := with(func(b *ledger.Block) { b.Txs[1].Open = true })
	if store.Identity(plain) != store.Identity(open) || !open.Txs[1].Open {
		t.Error("a signature that lets others add inputs makes another block")
	}
	created := with(func(b *ledger.Block) { b.Txs[1].Messages = []ledger.Message{{Kind: ledger.Creation}} })
	if store.Identity(plain) == store.Identity(created) {
		t.Error("a contract created makes no other block")
	}
	if got, err := store.DecodeBlock(store.EncodeBlock(nil, open)); err != nil || !reflect.DeepEqual(got, open) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestTouched lists whom a transaction is in the history of.
func TestTouched(t *testing.T) {
	account := func(b byte) ledger.Address { return ledger.NewAddress(ledger.EVMAccount, bytes.Repeat([]byte{b}, 20)) }
	tx := ledger.Tx{
		Transfers: []ledger.Transfer{{From: account(1), To: account(2)}}, Fee: ledger.Fee{Payer: account(1), Producer: account(3)},
		Freezes: []ledger.Freeze{{Holder: account(4)}},
		Messages: []ledger.Message{
			{Kind: ledger.Log, Contract: account(9)},
			{Kind: ledger.Creation, Contract: account(5), Data: bytes.Repeat([]byte{1}, 20)},
			{Kind: ledger.Creation, Contract: account(6), Position: 1, Data: bytes.Repeat([]byte{5}, 20)},
			{Kind: ledger.Creation, Contract: account(7), Position: 2, Data: bytes.Repeat([]byte{8}, 20)},
			{Kind: ledger.Creation, Position: 3, Data: []byte{8}},
		},
	}
	var want []ledger.Address
	for b := range byte(8) {
		want = append(want, account(b+1))
	}
	if got := store.Touched(&tx); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if store.Speaks(&ledger.Tx{Messages: tx.Messages[1:]}, map[ledger.Hash]bool{{}: true}) {
		t.Error("creations alone speak to decoders")
	}
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
