package clickhouse_test

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"coldtrail/internal/clickhousetest"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/storetest"
)

var databases atomic.Int64

// options name a new database on a cluster.
func options(c *clickhousetest.Cluster) clickhouse.Options {
	o := clickhouse.Options{Database: fmt.Sprintf("ledger_%d", databases.Add(1)), Session: 4 * time.Second, Clock: time.Now, Patience: 30 * time.Second}
	for _, shard := range c.Shards {
		for _, node := range shard {
			o.Hosts = append(o.Hosts, node.Address)
		}
	}
	if c.Keeper != "" {
		o.Cluster, o.Keeper = c.Name, []string{c.Keeper}
	}
	return o
}

func open(t *testing.T, o clickhouse.Options) *clickhouse.Store {
	t.Helper()
	s, err := clickhouse.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A reused store is emptied instead of closed: servers take seconds to make new tables.
type reused struct{ *clickhouse.Store }

// Close leaves it open.
func (reused) Close() error { return nil }

// suite runs the suite over one store, emptied before each test. Random ledgers are fewer
// than for other stores, because a write waits for real servers.
func suite(t *testing.T, s *clickhouse.Store, checks string) {
	t.Helper()
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		if err := s.Empty(t.Context()); err != nil {
			t.Fatal(err)
		}
		return reused{s}
	})
}

// TestSingle runs the suite over one server.
func TestSingle(t *testing.T) {
	suite(t, open(t, options(clickhousetest.Single(t))), "30")
}

// TestCluster runs the suite over two shards of two replicas.
func TestCluster(t *testing.T) {
	suite(t, open(t, options(clickhousetest.Start(t, 2, 2))), "4")
}
