package clickhouse_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"coldtrail/ingest"
	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
)

// made is a source that makes blocks of an account chain and takes as long for each as a node
// does that is asked for one after the other. It serves any number of readers at that pace.
type made struct {
	blocks, txs int
	wait        time.Duration
}

func account(n uint64) ledger.Address {
	var payload [20]byte
	binary.BigEndian.PutUint64(payload[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(payload[8:], n)
	return ledger.NewAddress(ledger.EVMAccount, payload[:])
}

func hash(n uint64) (h ledger.Hash) {
	for i := range 4 {
		binary.BigEndian.PutUint64(h[8*i:], (n+uint64(i))*0x9e3779b97f4a7c15+1)
	}
	return h
}

// block makes a block: payments between few busy and many other accounts, as chains have them.
func (m made) block(height int) *ledger.Block {
	random := rand.New(rand.NewPCG(uint64(height), 1))
	b := &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(height), Hash: hash(uint64(height)), Time: 1_700_000_000 + 12*int64(height), Provenance: ledger.Node}
	if height > 0 {
		b.Parent = hash(uint64(height - 1))
	}
	someone := func() ledger.Address {
		if random.IntN(3) == 0 {
			return account(random.Uint64N(1000))
		}
		return account(random.Uint64N(10_000_000))
	}
	for i := range m.txs {
		from := someone()
		b.Txs = append(b.Txs, ledger.Tx{
			ID: hash(uint64(height)<<20 | uint64(i) | 1<<60), Index: uint32(i),
			Transfers: []ledger.Transfer{{From: from, To: someone(), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(random.Uint64()), LogIndex: ledger.NoLog}},
			Fee:       ledger.Fee{Payer: from, Burned: ledger.NewAmount(random.Uint64N(1 << 50)), Tip: ledger.NewAmount(random.Uint64N(1 << 45)), Producer: account(1)},
		})
	}
	return b
}

// Blocks yields them.
func (m made) Blocks(ctx context.Context, from ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for height := int(from); height < m.blocks; height++ {
			time.Sleep(m.wait)
			if !yield(m.block(height), ctx.Err()) {
				return
			}
		}
	}
}

// BenchmarkShare fills a chain with one worker and with two, from a source that is as fast
// for two as for one: the ratio says what the second is worth.
func BenchmarkShare(b *testing.B) {
	c := clickhousetest.Start(b, 2, 2)
	source := made{blocks: 600, txs: 40, wait: 50 * time.Millisecond}
	var alone time.Duration
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprint(workers, " workers"), func(b *testing.B) {
			o := options(c)
			stores := make([]*clickhouse.Store, workers)
			for i := range stores {
				stores[i] = openFor(b, o)
			}
			if err := stores[0].Append(b.Context(), []*ledger.Block{{Chain: ledger.Bitcoin, Txs: []ledger.Tx{{ID: hash(1), Coinbase: true}}}}); err != nil {
				b.Fatal(err) // the first write into new tables takes ten seconds on old servers
			}
			b.ResetTimer()
			began := time.Now()
			var group sync.WaitGroup
			for _, s := range stores {
				group.Go(func() {
					work, err := s.Backfill(b.Context(), ledger.Ethereum, 0, ledger.Height(source.blocks-1), 50)
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := ingest.Share(b.Context(), work, source, ingest.Options{}); err != nil {
						b.Error(err)
					}
				})
			}
			group.Wait()
			took := time.Since(began)
			b.ReportMetric(float64(source.blocks)/took.Seconds(), "blocks/s")
			if workers == 1 {
				alone = took
			} else {
				b.ReportMetric(alone.Seconds()/took.Seconds(), "times-one")
			}
		})
	}
}

func openFor(b *testing.B, o clickhouse.Options) *clickhouse.Store {
	b.Helper()
	s, err := clickhouse.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

var _ store.Store = (*clickhouse.Store)(nil)
