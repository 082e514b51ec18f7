package ingest_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

var errDamaged = errors.New("the source is damaged")

// failing yields blocks, and an error in place of the one at index bad.
type failing struct {
	blocks []*ledger.Block
	bad    int
}

// Blocks yields the blocks from a height on.
func (f failing) Blocks(_ context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for i, b := range f.blocks {
			if i == f.bad {
				yield(nil, errDamaged)
				return
			}
			if b.Height >= from && !yield(b, nil) {
				return
			}
		}
	}
}

// TestFault ingests from a source that breaks off: by default the store is as
// before, also where it held something; asked to, it keeps the good blocks.
func TestFault(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		blocks := storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 10})
		chain := blocks[0].Chain
		held := rapid.IntRange(0, 8).Draw(rt, "held")
		bad := rapid.IntRange(held, 9).Draw(rt, "bad")
		options := ingest.Options{BatchTx: rapid.IntRange(1, 9).Draw(rt, "batch"), Fault: rapid.SampledFrom([]ingest.Fault{ingest.RestoreOnFault, ingest.KeepOnFault}).Draw(rt, "fault")}
		s, want := memory.New(), memory.New()
		for _, into := range []*memory.Store{s, want} {
			if err := into.Append(t.Context(), blocks[:held]); err != nil {
				rt.Fatal(err)
			}
		}
		if _, err := ingest.Run(t.Context(), s, chain, failing{blocks, bad}, options); !errors.Is(err, errDamaged) {
			rt.Fatalf("got %v", err)
		}
		if options.Fault == ingest.RestoreOnFault && dump(rt, s) != dump(rt, want) {
			rt.Fatal("the store is not as before")
		}
		done, err := ingest.Run(t.Context(), s, chain, failing{blocks, -1}, options)
		if err != nil || done.Height != blocks[9].Height {
			rt.Fatalf("going on: %+v, %v", done, err)
		}
		if err := want.Append(t.Context(), blocks); err != nil {
			rt.Fatal(err)
		}
		if dump(rt, s) != dump(rt, want) {
			rt.Fatal("going on gives another store")
		}
	})
}

func dump(rt *rapid.T, s *memory.Store) string {
	text, err := storetest.Dump(rt.Context(), s)
	if err != nil {
		rt.Fatal(err)
	}
	return text
}

// TestTo stops after a height, and goes on from there.
func TestTo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		blocks := storetest.AccountBlocks(rt, storetest.Shape{Blocks: 6})
		to := blocks[rapid.IntRange(0, 5).Draw(rt, "to")].Height
		s := memory.New()
		done, err := ingest.Run(t.Context(), s, blocks[0].Chain, failing{blocks, -1}, ingest.Options{To: &to})
		if err != nil || done.Height != to {
			rt.Fatalf("%+v, %v", done, err)
		}
		status, err := s.Status(t.Context())
		if err != nil || status[0].Height != to {
			rt.Fatalf("%+v, %v", status, err)
		}
	})
}
