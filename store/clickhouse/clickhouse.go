// Package clickhouse keeps a ledger on ClickHouse: one server, or a cluster of shards and
// replicas with ZooKeeper or ClickHouse Keeper. It answers every question of store.Store
// like any other store, exactly.
//
// Exact on servers that copy in the background needs three things.
//
// A seal, one row in one table on the first shard, says what counts: up to which height, and
// below which attempt rows are left-overs of writes that failed or were rewound. Blocks are
// inserted first and sealed after, so they are visible all at once or not at all.
//
// A replica answers only while it holds everything that the newest seal covers: it has read
// the whole log of its shard and waits for no part of another replica. Where no replica of a
// shard does, the question fails with the shard's name (ShardError); it never gets a part of
// the truth.
//
// A writer returns when every replica that is alive has fetched what it wrote.
//
// Rows go to shards by the block's height (the tape: headers, transactions, outputs), by the
// address (postings) or by the identifier. A question about thousands of addresses is one
// statement on each shard at the same time, which is one round trip; so a trace pays by hops.
//
// The statements keep to what ClickHouse 18.16 and today's releases share. What differs is in
// the table of capabilities. A row's number follows from its block's first number and its
// position, so workers can insert ranges of blocks in any order and without asking anybody.
package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"coldtrail/ledger"
)

// Store is a store on ClickHouse.
type Store struct {
	options Options
	version [2]uint64
	shards  []*shard
	keeper  *keeper // nil without one
	trips   atomic.Uint64
	listen  func(sql string) // told of every question; for tests

	writing sync.Mutex // one Append, Rewind or AddClaims of this process at a time
	writers map[ledger.Chain]*writer
	labels  labelState

	mu    sync.Mutex
	index map[ledger.Chain]*index
}

// Open connects to a server or cluster and makes the tables that are missing.
func Open(ctx context.Context, o Options) (*Store, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, writers: map[ledger.Chain]*writer{}, index: map[ledger.Chain]*index{}}
	if err := s.find(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open ClickHouse: %w", err), s.Close())
	}
	if len(o.Keeper) > 0 {
		s.keeper = newKeeper(&s.options)
	}
	// Every server that is there gets its tables now, before anything is written; one that is
	// away gets them when it is back.
	if err := s.prepareAll(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open ClickHouse: %w", err), s.Close())
	}
	return s, nil
}

// Close ends all connections, and gives up what this process had leased.
func (s *Store) Close() error {
	var errs []error
	if s.keeper != nil {
		s.keeper.close()
	}
	for _, sh := range s.shards {
		for _, r := range sh.replicas {
			errs = append(errs, r.close())
		}
	}
	return errors.Join(errs...)
}

// Trips is how many round trips questions and writes have made so far: statements that are
// sent to several shards or tables at the same time are one.
func (s *Store) Trips() uint64 { return s.trips.Load() }

// find asks the first host that answers who else is in the cluster.
func (s *Store) find(ctx context.Context) error {
	var causes []error
	for _, host := range s.options.Hosts {
		first, err := newReplica(&s.options, host)
		if err != nil {
			return err
		}
		err = s.watched(ctx, first, func(ctx context.Context) error { return s.findFrom(ctx, first) })
		if err == nil {
			return nil
		}
		causes = append(causes, fmt.Errorf("%s: %w", host, err), first.close())
		if refusal(err) {
			break
		}
	}
	return errors.Join(causes...)
}

func (s *Store) findFrom(ctx context.Context, first *replica) error {
	var version string
	if err := first.conn.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		return err
	}
	if _, err := fmt.Sscanf(version, "%d.%d", &s.version[0], &s.version[1]); err != nil {
		return fmt.Errorf("version %q: %w", version, err)
	}
	if s.options.Cluster == "" {
		s.shards = []*shard{{number: 1, replicas: []*replica{first}}}
		return nil
	}
	rows, err := first.conn.Query(ctx, "SELECT shard_num, host_name, port FROM system.clusters WHERE cluster = "+quote(s.options.Cluster)+" ORDER BY shard_num, replica_num")
	if err != nil {
		return err
	}
	s.shards = nil
	err = drain(rows, func(r scanned) error {
		var number uint32
		var name string
		var port uint16
		if err := r.Scan(&number, &name, &port); err != nil {
			return err
		}
		if len(s.shards) == 0 || s.shards[len(s.shards)-1].number != int(number) {
			s.shards = append(s.shards, &shard{number: int(number)})
		}
		peer, err := newReplica(&s.options, net.JoinHostPort(name, strconv.Itoa(int(port))))
		if err != nil {
			return err
		}
		last := s.shards[len(s.shards)-1]
		last.replicas = append(last.replicas, peer)
		return nil
	})
	if err != nil {
		return err
	}
	if len(s.shards) == 0 {
		return fmt.Errorf("no cluster %q in the servers' remote_servers", s.options.Cluster)
	}
	return first.close()
}

// prepareAll makes the tables on every server that answers. A shard without any is an error.
func (s *Store) prepareAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, sh := range s.shards {
		causes := make([]error, len(sh.replicas))
		var left atomic.Int64
		left.Store(int64(len(sh.replicas)))
		for i, r := range sh.replicas {
			group.Go(func() error {
				if causes[i] = s.prepare(ctx, r, sh); causes[i] != nil {
					if refusal(causes[i]) {
						return fmt.Errorf("%s: %w", r.address, causes[i])
					}
					r.failed()
				}
				if left.Add(-1) == 0 && !slices.Contains(causes, nil) {
					return &ShardError{Shard: sh.number, Shards: len(s.shards), Causes: causes}
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// say tells of a question.
func (s *Store) say(sql string) string {
	if s.listen != nil {
		s.listen(sql)
	}
	return sql
}

// t is the full name of a table.
func (s *Store) t(table string) string { return name(s.options.Database) + "." + table }

// perShard is how many heights in a row lie on one shard.
const perShard = 1024

// byHeight says on which shard the rows of a block lie.
func (s *Store) byHeight(height uint64) int { return int(height / perShard % uint64(len(s.shards))) }
