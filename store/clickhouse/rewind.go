package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"coldtrail/ledger"
)

// Rewind removes blocks from a height on: the new seal leaves them out, which is seen at
// once. Their rows are cleared away later (see clear).
func (s *Store) Rewind(ctx context.Context, chain ledger.Chain, from ledger.Height) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.again(ctx, func() error { return s.rewind(ctx, chain, uint64(from)) })
}

func (s *Store) rewind(ctx context.Context, chain ledger.Chain, from uint64) error {
	list, err := s.seals(ctx, chain)
	if err != nil || len(list) == 0 || list[0].Blocks == 0 || list[0].Height < from {
		return err
	}
	now, err := s.current(ctx, chain)
	if err != nil {
		return err
	}
	attempt, err := s.attempt(ctx, now)
	if err != nil {
		return err
	}
	next := s.next(now)
	next.begin(from, attempt, s.options.Clock().Unix())
	next.Epoch++
	next.Rewinds = append(next.Rewinds, from)
	if len(next.Rewinds) > keptRewinds {
		next.Rewinds = next.Rewinds[1:]
	}
	if err := s.fallBack(ctx, now, next, from); err != nil {
		return err
	}
	w := s.writers[chain]
	w.unsure = true
	if err := s.seal(ctx, next); err != nil {
		return err
	}
	w.unsure = false
	return nil
}

// fallBack sets a seal to the last block below a height.
func (s *Store) fallBack(ctx context.Context, now, next *seal, from uint64) error {
	next.totals, next.First, next.Height, next.Hash, next.Time = totals{}, 0, 0, sum{}, 0
	if from <= now.First {
		return nil
	}
	type head struct {
		totals
		height uint64
		hash   sum
		time   int64
		txs    uint32
		made   uint32
	}
	var heads []head
	t := s.trip(now.point())
	ask(t, s.everywhere("SELECT height, hash, time, content, first_tx, txs, first_output, outputs, blocks, counted, weakest, unspent, unspent_value, accounts FROM "+
		s.t("headers")+fmt.Sprintf(" WHERE %s AND height < %d ORDER BY height DESC LIMIT 1", now.visible(), from)), func(r scanned) (h head, err error) {
		err = r.Scan(&h.height, (*[32]byte)(&h.hash), &h.time, (*[32]byte)(&h.Content), &h.Txs, &h.txs, &h.Outputs, &h.made,
			&h.Blocks, &h.Counted, (*uint8)(&h.Weakest), &h.Unspent, &h.UnspentValue, &h.Accounts)
		h.Txs += uint64(h.txs)
		h.Outputs += uint64(h.made)
		return h, err
	}, &heads)
	if err := t.run(ctx); err != nil {
		return err
	}
	for _, h := range heads {
		if next.Blocks == 0 || h.height > next.Height {
			next.totals, next.First, next.Height, next.Hash, next.Time = h.totals, now.First, h.height, h.hash, h.time
		}
	}
	return nil
}

// cleared deletes left-overs once there are many stretches of them. They are invisible either
// way; what it saves is room, and conditions in every question. Servers delete when they find
// the time: a later write looks whether every replica has, and only then is a stretch forgotten.
func (s *Store) cleared(ctx context.Context, now *seal) (*seal, error) {
	w, moment := s.writers[now.Chain], s.options.Clock()
	switch {
	case len(w.clearing) == 0 && len(now.Stale) >= s.options.clearAt:
		old := moment.Add(-s.options.clearAge).Unix()
		var gone []stretch
		for _, left := range now.Stale {
			if left.Since <= old {
				gone = append(gone, left)
			}
		}
		if len(gone) == 0 {
			return now, nil
		}
		if err := s.clear(ctx, now.Chain, gone); err != nil {
			return nil, err
		}
		w.clearing, w.lookAt, w.deleteAt = gone, moment.Add(clearPause), moment.Add(deletePause)
	case len(w.clearing) > 0 && moment.After(w.lookAt):
		w.lookAt = moment.Add(clearPause)
		kept, err := s.remaining(ctx, now.Chain, w.clearing)
		if err != nil {
			return now, ctx.Err() // a replica that is away has not deleted; it is asked again
		}
		if kept > 0 {
			if moment.After(w.deleteAt) {
				w.deleteAt = moment.Add(deletePause)
				return now, s.clear(ctx, now.Chain, w.clearing)
			}
			return now, nil
		}
		next := s.next(now)
		next.Stale = slices.DeleteFunc(next.Stale, func(left stretch) bool { return slices.Contains(w.clearing, left) })
		w.clearing = nil
		return next, s.seal(ctx, next)
	}
	return now, nil
}

// Servers are left alone with a deletion for a moment before somebody looks, and are told
// again after a while: old ones leave out a part that came at the same moment.
const (
	clearPause  = time.Second
	deletePause = 30 * time.Second
)

// clear begins to delete rows on every shard.
func (s *Store) clear(ctx context.Context, chain ledger.Chain, gone []stretch) error {
	t := s.trip(point{})
	for i := range tables {
		if !tables[i].has("attempt") {
			continue
		}
		for _, sh := range s.shards {
			t.jobs = append(t.jobs, func(ctx context.Context) error {
				return s.on(ctx, sh, func(ctx context.Context, r *replica) error {
					return r.conn.Exec(ctx, s.say("ALTER TABLE "+s.t(tables[i].name)+" DELETE WHERE "+leftOver(chain, gone)))
				})
			})
		}
	}
	return t.run(ctx)
}

// leftOver is the condition of rows that do not count.
func leftOver(chain ledger.Chain, gone []stretch) string {
	text := "chain = " + quote(string(chain)) + " AND ("
	for i, left := range gone {
		if i > 0 {
			text += " OR "
		}
		text += left.left()
	}
	return text + ")"
}

// remaining counts the left-overs that some replica still has. Every replica must answer.
func (s *Store) remaining(ctx context.Context, chain ledger.Chain, gone []stretch) (kept uint64, err error) {
	s.trips.Add(1)
	for _, sh := range s.shards {
		for _, r := range sh.replicas {
			for i := range tables {
				if !tables[i].has("attempt") {
					continue
				}
				var here uint64
				err := s.watched(ctx, r, func(ctx context.Context) error {
					return r.conn.QueryRow(ctx, "SELECT count() FROM "+s.t(tables[i].name)+" WHERE "+leftOver(chain, gone)).Scan(&here)
				})
				if err != nil {
					return 0, fmt.Errorf("%s: %w", r.address, err)
				}
				kept += here
			}
		}
	}
	return kept, nil
}

// has says whether a table has a column.
func (t *table) has(column string) bool {
	for _, c := range t.columns {
		if c.name == column {
			return true
		}
	}
	return false
}
