package clickhouse_test

import (
	"testing"
	"time"

	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
)

// BenchmarkSize inserts blocks with Ethereum's mix of busy and other accounts, and says what
// a transaction costs on disk on one replica, in which tables; then it asks for the histories
// of 10,000 addresses at once.
func BenchmarkSize(b *testing.B) {
	c := clickhousetest.Single(b)
	o := options(c)
	s := openFor(b, o)
	source := made{blocks: 500, txs: 200}
	var blocks []*ledger.Block
	began := time.Now()
	for height := range source.blocks {
		blocks = append(blocks, source.block(height))
		if len(blocks) == 100 {
			if err := s.Append(b.Context(), blocks); err != nil {
				b.Fatal(err)
			}
			blocks = nil
		}
	}
	txs := float64(source.blocks * source.txs)
	b.ReportMetric(txs/time.Since(began).Seconds(), "txs/s")
	node := c.Shards[0][0]
	for _, table := range []string{"transactions", "ids", "postings", "headers"} {
		if _, err := node.Query(b.Context(), "OPTIMIZE TABLE "+o.Database+"."+table+" FINAL"); err != nil {
			b.Fatal(err)
		}
	}
	text, err := node.Query(b.Context(), "SELECT table, sum(rows), sum(bytes), sum(bytes) / sum(rows) FROM system.parts WHERE active AND database = '"+o.Database+"' GROUP BY table ORDER BY table")
	if err != nil {
		b.Fatal(err)
	}
	b.Log("\n" + text)
	questions := make([]store.Since, 10_000)
	for i := range questions {
		questions[i] = store.Since{Address: account(uint64(i)), Limit: 100}
	}
	for range 3 {
		began, before := time.Now(), s.Trips()
		if _, err := s.History(b.Context(), ledger.Ethereum, questions); err != nil {
			b.Fatal(err)
		}
		b.Logf("10,000 histories: %v, %d trips", time.Since(began), s.Trips()-before)
	}
}
