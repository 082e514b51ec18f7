package trace_test

import (
	"context"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coldtrail/internal/clickhousetest"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
)

var databases atomic.Int64

// openOn opens a store in a new database of a cluster.
func openOn(t *testing.T, c *clickhousetest.Cluster) *clickhouse.Store {
	t.Helper()
	o := clickhouse.Options{Database: fmt.Sprintf("traced_%d", databases.Add(1)), Session: 4 * time.Second, Clock: time.Now}
	for _, shard := range c.Shards {
		for _, node := range shard {
			o.Hosts = append(o.Hosts, node.Address)
		}
	}
	if c.Keeper != "" {
		o.Cluster, o.Keeper = c.Name, []string{c.Keeper}
	}
	s, err := clickhouse.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// empty takes everything out of a store. Servers take seconds to make new tables, so one
// store serves many ledgers.
func empty(ctx context.Context, s store.Store) error {
	statuses, err := s.Status(ctx)
	if err != nil {
		return err
	}
	for i := range statuses {
		if err := s.Rewind(ctx, statuses[i].Chain, 0); err != nil {
			return err
		}
	}
	return nil
}

// emptied gives one store again and again.
func emptied(s store.Store) fresh {
	return func(rt *rapid.T) store.Store {
		if err := empty(rt.Context(), s); err != nil {
			rt.Fatal(err)
		}
		return s
	}
}

// checkProperties runs what holds of traces in memory over a store on real servers. Random
// ledgers are fewer, because each write waits for the servers.
func checkProperties(t *testing.T, s store.Store, checks string) {
	t.Helper()
	before := flag.Lookup("rapid.checks").Value.String()
	set := func(checks string) {
		if err := flag.Set("rapid.checks", checks); err != nil {
			t.Fatal(err)
		}
	}
	set(checks)
	defer set(before)
	t.Run("drivers and stores agree", func(t *testing.T) { checkDriversAgree(t, inMemory, emptied(s)) })
	t.Run("outputs unit by unit", func(t *testing.T) { checkBruteForce(t, emptied(s)) })
	t.Run("accounts unit by unit", func(t *testing.T) { checkBruteForceAccounts(t, emptied(s)) })
	t.Run("swaps conserve", func(t *testing.T) {
		// Of so few ledgers it may be that none swaps stolen money.
		for round := 0; checkSwapsConserve(t, inMemory, emptied(s)) == 0; round++ {
			if round == 10 {
				t.Fatal("no swap of stolen money was drawn")
			}
		}
	})
	t.Run("live is run", func(t *testing.T) { checkLiveIsRun(t, emptied(s), 6) })
}

// TestPropertiesOnClickHouse traces random ledgers on one server.
func TestPropertiesOnClickHouse(t *testing.T) {
	checkProperties(t, openOn(t, clickhousetest.Single(t)), "10")
}

// TestPropertiesOnCluster traces random ledgers on two shards of two replicas.
func TestPropertiesOnCluster(t *testing.T) {
	s := openOn(t, clickhousetest.Start(t, 2, 2))
	checkProperties(t, s, "3")
	t.Run("trips grow with hops", func(t *testing.T) { checkTrips(t, s) })
}
