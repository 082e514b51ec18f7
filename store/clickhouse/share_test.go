package clickhouse_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// hashed gives blocks of random ledgers hashes and heights without gaps, as a node has them.
func hashed(blocks []*ledger.Block) []*ledger.Block {
	for i, b := range blocks {
		b.Height = ledger.Height(i)
		b.Hash = ledger.Hash{1, byte(i >> 8), byte(i)}
		b.Parent = ledger.Hash{}
		if i > 0 {
			b.Parent = blocks[i-1].Hash
		}
	}
	return blocks
}

// work stages what it can claim and seals what it may, until all is sealed.
func work(ctx context.Context, b *clickhouse.Backfill, blocks []*ledger.Block, staged func(store.Claim) error) error {
	for ctx.Err() == nil {
		if _, err := b.Seal(ctx); err != nil {
			return err
		}
		if _, done, err := b.Sealed(ctx); done || err != nil {
			return err
		}
		c, err := b.Claim(ctx)
		if err != nil {
			return err
		}
		if c == nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		from, to := c.Bounds()
		if err := c.Stage(ctx, blocks[from:to+1]); err != nil {
			return err
		}
		if err := staged(c); err != nil {
			return err
		}
		if err := c.Finish(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

var errDied = errors.New("this worker died")

// TestShare: two stores, as two processes have them, fill a chain together; a third dies with
// a range half done. What comes out is what one store holds that was filled alone, for both
// families.
func TestShare(t *testing.T) {
	c := clickhousetest.Start(t, 2, 2)
	for name, generate := range map[string]func(*rapid.T, storetest.Shape) []*ledger.Block{"outputs": storetest.UTXOBlocks, "accounts": storetest.AccountBlocks} {
		t.Run(name, func(t *testing.T) {
			blocks := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return generate(rt, storetest.Shape{Blocks: 30}) }).Example(7))
			o := options(c)
			dead, one, two := open(t, o), open(t, o), open(t, o)
			last := blocks[len(blocks)-1].Height
			join := func(s *clickhouse.Store) *clickhouse.Backfill {
				b, err := s.Backfill(t.Context(), blocks[0].Chain, 0, last, 4)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			if err := work(t.Context(), join(dead), blocks, func(store.Claim) error { return errDied }); !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			if err := dead.Close(); err != nil {
				t.Fatal(err)
			}
			var workers sync.WaitGroup
			errs := make([]error, 2)
			for i, s := range []*clickhouse.Store{one, two} {
				b := join(s)
				workers.Go(func() {
					errs[i] = work(t.Context(), b, blocks, func(store.Claim) error { return nil })
				})
			}
			workers.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			want := memory.New()
			if err := want.Append(t.Context(), blocks); err != nil {
				t.Fatal(err)
			}
			same(t, want, one)
			same(t, want, two)
			if _, err := one.Backfill(t.Context(), blocks[0].Chain, 0, last, 5); err == nil {
				t.Error("a worker with another plan joined")
			}
			if err := errors.Join(join(one).End(), one.Close(), two.Close()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// same compares everything that two stores answer.
func same(t *testing.T, want, got store.Store) {
	t.Helper()
	one, err := storetest.Dump(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	two, err := storetest.Dump(t.Context(), got)
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Errorf("stores differ; wanted\n%s\ngot\n%s", one, two)
	}
}
