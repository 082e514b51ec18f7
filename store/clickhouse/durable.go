package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"
)

// What servers say of quorums.
const (
	tooFewReplicas   = 285 // not as many are there as were asked for
	earlierUnsettled = 286 // another insert into the table is not on all of them yet
)

// quorumTimeout bounds how long a server waits for the others.
const quorumTimeout = 5 * time.Second

// write inserts into a table of a shard. Where all its replicas are there, the insert counts
// only once all have it: a part that only a dead server has would keep the others waiting
// for it. Where one is away, the rest goes on without it.
func (s *Store) write(ctx context.Context, sh *shard, t *table, insert func(ctx context.Context, r *replica) error) error {
	return s.on(ctx, sh, func(ctx context.Context, r *replica) error {
		quorum := 0
		if len(sh.replicas) > 1 {
			var active uint8
			sql := "SELECT active_replicas FROM system.replicas WHERE database = " + quote(s.options.Database) + " AND table = " + quote(t.name)
			if err := r.conn.QueryRow(ctx, sql).Scan(&active); err != nil {
				return err
			}
			if int(active) == len(sh.replicas) && s.reachable(ctx, sh) {
				quorum = int(active)
			}
		}
		return s.insertAt(ctx, r, quorum, insert)
	})
}

// reachable says whether every replica answers. One that was killed a moment ago still
// counts as active with ZooKeeper.
func (s *Store) reachable(ctx context.Context, sh *shard) bool {
	for _, r := range sh.replicas {
		if r.isAway() {
			return false
		}
		if err := s.ping(ctx, r); err != nil {
			r.failed()
			return false
		}
	}
	return true
}

// insertAt inserts with a quorum. Old servers take one such insert per table at a time, so
// one that meets another waits its turn, and does without where that takes too long.
func (s *Store) insertAt(ctx context.Context, r *replica, quorum int, insert func(ctx context.Context, r *replica) error) error {
	deadline := s.options.Clock().Add(2 * quorumTimeout)
	for wait := 5 * time.Millisecond; quorum > 1; wait = min(2*wait, 100*time.Millisecond) {
		err := insert(driver.Context(ctx, driver.WithSettings(driver.Settings{
			"insert_quorum": quorum, "insert_quorum_timeout": int(quorumTimeout.Milliseconds()),
		})), r)
		var said *driver.Exception
		switch {
		case !errors.As(err, &said) || said.Code != earlierUnsettled && said.Code != tooFewReplicas:
			return err
		case said.Code == tooFewReplicas || s.options.Clock().After(deadline):
			quorum = 0
		default:
			if err := sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
	return insert(ctx, r)
}

// settle waits until every replica that answers has everything, and remembers that for a
// point. A shard without any such replica is an error.
func (s *Store) settle(ctx context.Context, points ...point) error {
	if s.options.Cluster == "" {
		return nil
	}
	s.trips.Add(1)
	group, ctx := errgroup.WithContext(ctx)
	for _, sh := range s.shards {
		group.Go(func() error { return s.settleShard(ctx, sh, points) })
	}
	return group.Wait()
}

func (s *Store) settleShard(ctx context.Context, sh *shard, points []point) error {
	var causes []error
	for _, r := range sh.replicas {
		if r.isAway() {
			causes = append(causes, fmt.Errorf("%s: does not answer", r.address))
			continue
		}
		if err := s.settleReplica(ctx, sh, r, points); err != nil {
			causes = append(causes, fmt.Errorf("%s: %w", r.address, err))
		}
	}
	if len(causes) == len(sh.replicas) {
		return &ShardError{Shard: sh.number, Shards: len(s.shards), Causes: causes}
	}
	return nil
}

func (s *Store) settleReplica(ctx context.Context, sh *shard, r *replica, points []point) error {
	deadline := s.options.Clock().Add(s.options.Patience)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		var behind uint64
		err := s.watched(ctx, r, func(ctx context.Context) error {
			if err := s.prepare(ctx, r, sh); err != nil {
				return err
			}
			return r.conn.QueryRow(ctx, "SELECT toUInt64("+s.lag()+")").Scan(&behind)
		})
		if err != nil {
			if ctx.Err() == nil && !refusal(err) {
				r.failed()
			}
			return err
		}
		if behind == 0 {
			for _, p := range points {
				r.holdsNow(p)
			}
			return nil
		}
		if s.options.Clock().After(deadline) {
			return errBehind
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
