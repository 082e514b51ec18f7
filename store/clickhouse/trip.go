package clickhouse

import (
	"context"
	"sync/atomic"

	chdriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"
)

// A question is a statement for one shard.
type question struct {
	shard int // index in Store.shards
	sql   string
}

// A trip is statements that are sent at the same time: one round trip.
type trip struct {
	store *Store
	at    point // what replicas must hold to be believed
	jobs  []func(context.Context) error
}

func (s *Store) trip(at point) *trip { return &trip{store: s, at: at} }

// atOnce bounds how many statements of a trip run at a time.
const atOnce = 16

// run sends everything and waits. The first error ends it.
func (t *trip) run(ctx context.Context) error {
	if len(t.jobs) == 0 {
		return ctx.Err()
	}
	t.store.trips.Add(1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, job := range t.jobs {
		group.Go(func() error { return job(ctx) })
	}
	return group.Wait()
}

// scanned is a row of an answer.
type scanned interface{ Scan(into ...any) error }

// ask plans statements; into gets what they answer, in the order of the statements, once
// the trip has run. An answer that breaks off is thrown away and asked for again elsewhere.
func ask[T any](t *trip, questions []question, scan func(scanned) (T, error), into *[]T) {
	answers := make([][]T, len(questions))
	var answered atomic.Int64
	for i, q := range questions {
		t.jobs = append(t.jobs, func(ctx context.Context) (err error) {
			answers[i], err = read(ctx, t.store, t.at, q, scan)
			if err != nil {
				return err
			}
			if answered.Add(1) == int64(len(questions)) {
				for _, answer := range answers {
					*into = append(*into, answer...)
				}
			}
			return nil
		})
	}
}

// read runs one statement on a replica that can be believed.
func read[T any](ctx context.Context, s *Store, at point, q question, scan func(scanned) (T, error)) (all []T, err error) {
	err = s.on(ctx, s.shards[q.shard], func(ctx context.Context, r *replica) error {
		if err := s.complete(ctx, r, at); err != nil {
			return err
		}
		all = all[:0]
		found, err := r.conn.Query(ctx, s.say(q.sql))
		if err != nil {
			return err
		}
		return drain(found, func(r scanned) error {
			one, err := scan(r)
			all = append(all, one)
			return err
		})
	})
	return all, err
}

// drain reads an answer to its end.
func drain(found chdriver.Rows, each func(scanned) error) error {
	defer func() { _ = found.Close() }() // Err tells what went wrong
	for found.Next() {
		if err := each(found); err != nil {
			return err
		}
	}
	return found.Err()
}

// everywhere asks all shards the same.
func (s *Store) everywhere(sql string) []question {
	questions := make([]question, len(s.shards))
	for i := range questions {
		questions[i] = question{i, sql}
	}
	return questions
}

// onShards puts items on shards.
func onShards[T any](s *Store, items []T, of func(T) int) [][]T {
	byShard := make([][]T, len(s.shards))
	for _, item := range items {
		at := of(item)
		byShard[at] = append(byShard[at], item)
	}
	return byShard
}

// about asks each shard about the items that lie there, in pieces.
func about[T any](s *Store, items []T, of func(T) int, sql func([]T) string) (questions []question) {
	for at, here := range onShards(s, items, of) {
		for _, piece := range pieces(here, most) {
			questions = append(questions, question{at, sql(piece)})
		}
	}
	return questions
}
