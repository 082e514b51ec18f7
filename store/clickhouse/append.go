package clickhouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A writer is this process's right to write one chain.
type writer struct {
	session  uint64
	sequence uint64 // the last that was tried
	lease    *Lease // nil without a keeper
	begun    bool   // its first attempt is on record
	unsure   bool   // its last write failed: what it inserted must not count

	clearing []stretch // that servers were told to delete
	lookAt   time.Time // when to look whether they have
	deleteAt time.Time // when to tell them again
}

// Append adds blocks, all of them or none.
func (s *Store) Append(ctx context.Context, blocks []*ledger.Block) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if len(blocks) == 0 {
		return ctx.Err()
	}
	return s.again(ctx, func() error { return s.append(ctx, blocks, nil) })
}

// again repeats a write that a failing server broke off, as long as patience lasts. What it
// had inserted does not count, so that beginning anew is safe.
func (s *Store) again(ctx context.Context, do func() error) error {
	deadline := s.options.Clock().Add(2 * s.options.Patience)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := do()
		var broken *ShardError
		if err == nil || !errors.As(err, &broken) || s.options.Clock().After(deadline) {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// append writes blocks of any chains. Those of a range that is staged already are only sealed.
func (s *Store) append(ctx context.Context, blocks []*ledger.Block, staged *store.Range) error {
	var order []ledger.Chain
	byChain := map[ledger.Chain][]*ledger.Block{}
	for _, b := range blocks {
		if byChain[b.Chain] == nil {
			order = append(order, b.Chain)
		}
		byChain[b.Chain] = append(byChain[b.Chain], b)
	}
	var sealed []*seal
	t := s.trip(point{})
	for _, chain := range order {
		next, err := s.extend(ctx, t, chain, byChain[chain], staged)
		if err != nil {
			return err
		}
		if next != nil {
			sealed = append(sealed, next)
		}
	}
	if len(sealed) == 0 {
		return nil
	}
	for _, next := range sealed {
		s.writers[next.Chain].unsure = true
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	if err := s.seal(ctx, sealed...); err != nil {
		return err
	}
	for _, next := range sealed {
		s.writers[next.Chain].unsure = false
	}
	return nil
}

// extend plans what one chain gets, and gives the seal that will cover it; nil where nothing
// is new.
func (s *Store) extend(ctx context.Context, t *trip, chain ledger.Chain, blocks []*ledger.Block, staged *store.Range) (*seal, error) {
	now, err := s.current(ctx, chain)
	if err != nil {
		return nil, err
	}
	fresh, err := s.link(ctx, now, blocks)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	next := s.next(now)
	rows := s.sheets()
	filler := &filler{view: &view{seal: now, store: s, index: s.indexOf(now)}, next: next, rows: rows, attempt: now.Attempt}
	if staged != nil {
		filler.attempt = staged.Attempt
		next.leave(stretch{From: uint64(staged.From), To: uint64(staged.To), Only: staged.Attempt, Since: s.options.Clock().Unix()})
	}
	if err := filler.look(ctx, fresh); err != nil {
		return nil, err
	}
	stage := &staging{sheets: rows, store: s, attempt: filler.attempt}
	for _, b := range fresh {
		if err := filler.block(b); err != nil {
			return nil, fmt.Errorf("block %d: %w", b.Height, err)
		}
		if staged == nil {
			stage.block(b)
		}
	}
	rows.insert(t)
	return next, nil
}

// next is the seal that this process writes after another. Its number is above all that this
// process has tried to write: one that comes too late after a failure is not heard.
func (s *Store) next(now *seal) *seal {
	w, next := s.writers[now.Chain], *now
	next.Stale, next.Rewinds = slices.Clone(now.Stale), slices.Clone(now.Rewinds)
	w.sequence = max(w.sequence, now.Sequence) + 1
	next.Session, next.Sequence = w.session, w.sequence
	return &next
}

// current gives the newest seal for a writer that has begun: its attempt is on record, so
// that whoever comes after an accident uses another.
func (s *Store) current(ctx context.Context, chain ledger.Chain) (*seal, error) {
	list, err := s.seals(ctx, chain)
	if err != nil {
		return nil, err
	}
	now := &seal{Chain: chain}
	if len(list) > 0 {
		now = list[0]
	}
	w, err := s.writer(ctx, chain, now)
	if err != nil {
		return nil, err
	}
	if w.begun && !w.unsure {
		return s.cleared(ctx, now)
	}
	attempt, err := s.attempt(ctx, now)
	if err != nil {
		return nil, err
	}
	next := s.next(now)
	from := uint64(0)
	if now.Blocks > 0 {
		from = now.Height + 1
	}
	next.begin(from, attempt, s.options.Clock().Unix())
	if err := s.seal(ctx, next); err != nil {
		return nil, err
	}
	w.begun, w.unsure = true, false
	return next, nil
}

// attempt gives a number for an attempt that was never used: one after the last, or, where
// several processes insert, one of ZooKeeper's.
func (s *Store) attempt(ctx context.Context, now *seal) (uint64, error) {
	if s.keeper == nil {
		return now.Attempt + 1, ctx.Err()
	}
	return s.keeper.number()
}

// writer gives the right to write a chain, or store.ErrLocked.
func (s *Store) writer(ctx context.Context, chain ledger.Chain, now *seal) (*writer, error) {
	w := s.writers[chain]
	if w != nil && w.lease != nil && w.lease.Lost() {
		delete(s.writers, chain)
		w = nil
	}
	if w == nil {
		w = &writer{session: now.Session + 1}
		if s.keeper != nil {
			lease, err := s.keeper.lease(ctx, "writer-"+string(chain))
			if err != nil {
				return nil, err
			}
			w.lease, w.session = lease, max(lease.Epoch(), now.Session+1)
		}
		s.writers[chain] = w
	}
	if now.Session > w.session {
		delete(s.writers, chain)
		return nil, fmt.Errorf("%w: another process writes %s now", store.ErrLocked, chain.Short())
	}
	return w, nil
}

// seal makes what was inserted count, for all chains at once, and waits until every server
// that is there knows.
func (s *Store) seal(ctx context.Context, sealed ...*seal) error {
	points := make([]point, len(sealed))
	rows := s.sheets()
	for i, one := range sealed {
		text, err := json.Marshal(one)
		if err != nil {
			return err
		}
		points[i] = one.point()
		rows.add("seals", 0, string(one.Chain), one.Session, one.Sequence, string(text))
	}
	if err := s.put(ctx, rows); err != nil {
		return err
	}
	if err := s.settle(ctx, points...); err != nil {
		return err
	}
	return s.heard(ctx, sealed)
}

// heard makes sure that no writer with a later session has begun in the meantime: this one
// would have written for nobody.
func (s *Store) heard(ctx context.Context, sealed []*seal) error {
	for _, mine := range sealed {
		list, err := s.seals(ctx, mine.Chain)
		if err != nil {
			return err
		}
		if len(list) == 0 || list[0].point() != mine.point() {
			delete(s.writers, mine.Chain)
			return fmt.Errorf("%w: another process has begun to write %s", store.ErrLocked, mine.Chain.Short())
		}
	}
	return nil
}

// link sorts out the blocks that are new, and refuses what does not continue the chain.
func (s *Store) link(ctx context.Context, now *seal, blocks []*ledger.Block) (fresh []*ledger.Block, err error) {
	var low []uint64
	for _, b := range blocks {
		if now.Blocks > 0 && uint64(b.Height) <= now.Height {
			low = append(low, uint64(b.Height))
		}
	}
	held, err := s.identities(ctx, now, low)
	if err != nil {
		return nil, err
	}
	head, empty := store.Head{Height: ledger.Height(now.Height), Hash: ledger.Hash(now.Hash)}, now.Blocks == 0
	for _, b := range blocks {
		if !empty {
			known, err := head.Link(b, func(height ledger.Height) (identity ledger.Hash, ok bool) {
				identity, ok = held[uint64(height)]
				return identity, ok
			})
			if err != nil {
				return nil, err
			}
			if known {
				continue
			}
		}
		head, empty = store.Head{Height: b.Height, Hash: b.Hash}, false
		held[uint64(b.Height)] = store.Identity(b)
		fresh = append(fresh, b)
	}
	return fresh, nil
}

// identities gives the identities of blocks that are held.
func (s *Store) identities(ctx context.Context, now *seal, heights []uint64) (map[uint64]ledger.Hash, error) {
	type named struct {
		height   uint64
		identity ledger.Hash
	}
	var found []named
	t := s.trip(now.point())
	ask(t, about(s, heights, s.byHeight, func(piece []uint64) string {
		return "SELECT height, identity FROM " + s.t("headers") + " WHERE " + now.visible() + " AND height IN " + list(piece, decimal)
	}), func(r scanned) (n named, err error) { return n, r.Scan(&n.height, (*[32]byte)(&n.identity)) }, &found)
	held := map[uint64]ledger.Hash{}
	if len(heights) == 0 {
		return held, nil
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	for _, n := range found {
		held[n.height] = n.identity
	}
	return held, nil
}
