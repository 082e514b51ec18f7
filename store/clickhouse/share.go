package clickhouse

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"

	"github.com/go-zookeeper/zk"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Several processes fill a chain together. Each claims a range of heights that nobody has,
// inserts what follows from its blocks alone, and says that the range is staged. One of them,
// the one that holds the chain's lease as writer, seals staged ranges in order. ZooKeeper
// keeps who does what:
//
//	backfills/CHAIN                the plan; who comes first makes it
//	backfills/CHAIN/claims/FROM    somebody is at it; vanishes with the process
//	backfills/CHAIN/tried/FROM     somebody has begun: whoever comes next inserts under a number of its own
//	backfills/CHAIN/staged/FROM    the range is inserted, under this number
//	backfills/CHAIN/sealing/FROM   the writer has begun to seal it
//
// A range whose worker died is free again, and what the dead one inserted does not count.

// A Backfill is the common work of filling a chain.
type Backfill struct {
	store *Store
	chain ledger.Chain
	root  string
	plan  plan
}

// plan is what all workers of a backfill go by.
type plan struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	Size uint64 `json:"size"` // heights in a range
	Base uint64 `json:"base"` // attempt of whoever is first at a range
}

// errNoKeeper says what sharing needs.
var errNoKeeper = errors.New("several processes that fill one chain need ZooKeeper or ClickHouse Keeper: add keeper=HOST:PORT to the store's address")

// Backfill joins the work of filling a chain from one height to another, in ranges of a
// size. All who join must want the same.
func (s *Store) Backfill(ctx context.Context, chain ledger.Chain, from, to ledger.Height, size uint64) (*Backfill, error) {
	if s.keeper == nil {
		return nil, errNoKeeper
	}
	if size == 0 || from > to {
		return nil, fmt.Errorf("no backfill from block %d to %d in ranges of %d", from, to, size)
	}
	conn, err := s.keeper.connect()
	if err != nil {
		return nil, err
	}
	b := &Backfill{store: s, chain: chain, root: s.keeper.root + "/backfills/" + string(chain), plan: plan{From: uint64(from), To: uint64(to), Size: size}}
	for _, folder := range []string{"claims", "tried", "staged", "sealing"} {
		if err := s.keeper.ensure(conn, path.Join(b.root, folder)); err != nil {
			return nil, err
		}
	}
	if b.plan.Base, err = s.keeper.number(); err != nil {
		return nil, err
	}
	mine, err := json.Marshal(b.plan)
	if err != nil {
		return nil, err
	}
	_, err = conn.Create(b.root+"/plan", mine, 0, zk.WorldACL(zk.PermAll))
	if err != nil && !errors.Is(err, zk.ErrNodeExists) {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	return b, b.agree(conn)
}

// agree reads the plan that counts.
func (b *Backfill) agree(conn *zk.Conn) error {
	text, _, err := conn.Get(b.root + "/plan")
	if err != nil {
		return fmt.Errorf("keeper: %w", err)
	}
	var common plan
	if err := json.Unmarshal(text, &common); err != nil {
		return fmt.Errorf("%w: plan of a backfill: %w", store.ErrCorrupt, err)
	}
	mine := b.plan
	mine.Base = common.Base
	if mine != common {
		return fmt.Errorf("others are filling %s from block %d to %d in ranges of %d: join them with the same figures, or wait until they are done",
			b.chain.Short(), common.From, common.To, common.Size)
	}
	b.plan = common
	return nil
}

// node is the path of a range in one of the folders.
func (b *Backfill) node(folder string, from uint64) string {
	return path.Join(b.root, folder, strconv.FormatUint(from, 10))
}

// sealed is the first height that is not sealed.
func (b *Backfill) sealed(ctx context.Context) (uint64, error) {
	list, err := b.store.seals(ctx, b.chain)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 || list[0].Blocks == 0 {
		return b.plan.From, nil
	}
	return list[0].Height + 1, nil
}

// Sealed says up to which height the chain is sealed, and whether the backfill is over.
func (b *Backfill) Sealed(ctx context.Context) (next ledger.Height, done bool, err error) {
	at, err := b.sealed(ctx)
	return ledger.Height(at), at > b.plan.To, err
}

// claim is one process's right to stage a range.
type claim struct {
	store.Range
	backfill *Backfill
	lease    *Lease
}

// Claim takes the lowest range that nobody is at; nil where there is none at the moment.
func (b *Backfill) Claim(ctx context.Context) (store.Claim, error) {
	conn, err := b.store.keeper.connect()
	if err != nil {
		return nil, err
	}
	at, err := b.sealed(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, folder := range []string{"claims", "staged"} {
		names, _, err := conn.Children(path.Join(b.root, folder))
		if err != nil {
			return nil, fmt.Errorf("keeper: %w", err)
		}
		for _, name := range names {
			taken[name] = true
		}
	}
	first := b.plan.From
	if at > first {
		first += (at - first) / b.plan.Size * b.plan.Size
	}
	for from := first; from <= b.plan.To; from += b.plan.Size {
		if taken[strconv.FormatUint(from, 10)] {
			continue
		}
		c, err := b.claim(conn, from)
		if err != nil {
			return nil, err
		}
		if c != nil {
			return c, nil
		}
	}
	return nil, ctx.Err() //nolint:nilnil // nothing to do is an answer
}

// claim takes one range, or nothing where somebody was faster.
func (b *Backfill) claim(conn *zk.Conn, from uint64) (*claim, error) {
	lease, err := b.store.keeper.leaseAt(conn, b.node("claims", from))
	if errors.Is(err, store.ErrLocked) {
		return nil, nil //nolint:nilnil // somebody was faster
	}
	if err != nil {
		return nil, err
	}
	c := &claim{backfill: b, lease: lease, Range: store.Range{From: ledger.Height(from), To: ledger.Height(min(from+b.plan.Size-1, b.plan.To)), Attempt: b.plan.Base}}
	staged, _, err := conn.Exists(b.node("staged", from))
	if err == nil && staged {
		lease.Release()
		return nil, nil //nolint:nilnil // somebody was done with it a moment ago
	}
	if err == nil {
		_, err = conn.Create(b.node("tried", from), nil, 0, zk.WorldACL(zk.PermAll))
		if errors.Is(err, zk.ErrNodeExists) {
			c.Attempt, err = b.store.keeper.number()
		}
	}
	if err != nil {
		lease.Release()
		return nil, fmt.Errorf("keeper: %w", err)
	}
	return c, nil
}

// Drop gives a range back.
func (c *claim) Drop() { c.lease.Release() }

// Stage inserts blocks of the range. They may come in several calls.
func (c *claim) Stage(ctx context.Context, blocks []*ledger.Block) error {
	if c.lease.Lost() {
		return fmt.Errorf("%w: the range from block %d was given to another", store.ErrLocked, c.From)
	}
	s := c.backfill.store
	rows := s.sheets()
	stage := &staging{sheets: rows, store: s, attempt: c.Attempt}
	for _, b := range blocks {
		stage.block(b)
		header := *b
		header.Txs = nil
		text := binary.AppendUvarint(nil, uint64(len(b.Txs)))
		rows.add("staged", s.byHeight(uint64(b.Height)), string(b.Chain), uint64(b.Height), c.Attempt, string(store.EncodeBlock(text, &header)))
	}
	return s.put(ctx, rows)
}

// Finish says that the whole range is staged, once every server that is there has it.
func (c *claim) Finish(ctx context.Context) error {
	b := c.backfill
	if err := b.store.settle(ctx); err != nil {
		return err
	}
	if c.lease.Lost() {
		return fmt.Errorf("%w: the range from block %d was given to another", store.ErrLocked, c.From)
	}
	conn, err := b.store.keeper.connect()
	if err == nil {
		_, err = conn.Create(b.node("staged", uint64(c.From)), []byte(strconv.FormatUint(c.Attempt, 10)), 0, zk.WorldACL(zk.PermAll))
	}
	c.lease.Release()
	if err != nil {
		return fmt.Errorf("keeper: %w", err)
	}
	return nil
}

// Seal seals what is staged, in order, if this process is the chain's writer or can become
// it. It says how many blocks were sealed.
func (b *Backfill) Seal(ctx context.Context) (blocks uint64, err error) {
	b.store.writing.Lock()
	defer b.store.writing.Unlock()
	for {
		n, err := b.sealNext(ctx)
		blocks += n
		if err != nil || n == 0 {
			return blocks, err
		}
	}
}

func (b *Backfill) sealNext(ctx context.Context) (uint64, error) {
	conn, err := b.store.keeper.connect()
	if err != nil {
		return 0, err
	}
	now, err := b.store.current(ctx, b.chain)
	if errors.Is(err, store.ErrLocked) {
		return 0, nil // another seals
	}
	if err != nil {
		return 0, err
	}
	from := b.plan.From
	if now.Blocks > 0 {
		from = now.Height + 1
	}
	text, _, err := conn.Get(b.node("staged", from))
	if errors.Is(err, zk.ErrNoNode) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("keeper: %w", err)
	}
	r := store.Range{From: ledger.Height(from), To: ledger.Height(min(from+b.plan.Size-1, b.plan.To))}
	if r.Attempt, err = strconv.ParseUint(string(text), 10, 64); err != nil {
		return 0, fmt.Errorf("%w: staged range: %w", store.ErrCorrupt, err)
	}
	_, err = conn.Create(b.node("sealing", from), nil, 0, zk.WorldACL(zk.PermAll))
	if errors.Is(err, zk.ErrNodeExists) {
		// A writer began to seal it and did not end: what it inserted must not count, so
		// the range is staged anew.
		return 0, b.forget(conn, from, "staged", "sealing")
	}
	if err != nil {
		return 0, fmt.Errorf("keeper: %w", err)
	}
	list, err := b.staged(ctx, now, r)
	if err == nil {
		err = b.store.append(ctx, list, &r)
	}
	if err != nil {
		return 0, err
	}
	return uint64(len(list)), b.forget(conn, from, "sealing", "staged", "tried")
}

// forget removes what ZooKeeper keeps of a range.
func (b *Backfill) forget(conn *zk.Conn, from uint64, folders ...string) error {
	for _, folder := range folders {
		if err := remove(conn, b.node(folder, from)); err != nil {
			return err
		}
	}
	return nil
}

// End removes the plan once everything is sealed.
func (b *Backfill) End() error {
	conn, err := b.store.keeper.connect()
	if err != nil {
		return err
	}
	return remove(conn, b.root+"/plan")
}

// remove deletes a node that may be gone already.
func remove(conn *zk.Conn, path string) error {
	if err := conn.Delete(path, -1); err != nil && !errors.Is(err, zk.ErrNoNode) {
		return fmt.Errorf("keeper: %w", err)
	}
	return nil
}

// staged reads a range that was staged.
func (b *Backfill) staged(ctx context.Context, now *seal, r store.Range) ([]*ledger.Block, error) {
	type stagedBlock struct {
		height uint64
		text   string
	}
	var headers []stagedBlock
	var bodies []stagedTx
	s := b.store
	// What is to be read lies above the head: the view of a seal that would cover it.
	wide := &seal{Chain: b.chain, Session: now.Session, Sequence: now.Sequence}
	wide.Height = uint64(r.To)
	wide.leave(stretch{From: uint64(r.From), To: uint64(r.To), Only: r.Attempt})
	v := &view{seal: wide, store: s}
	t := s.trip(point{"staged " + string(b.chain), moment{r.Attempt, uint64(r.From)}})
	ask(t, v.between("SELECT height, header FROM "+s.t("staged"), uint64(r.From), uint64(r.To), ""), func(x scanned) (h stagedBlock, err error) {
		return h, x.Scan(&h.height, &h.text)
	}, &headers)
	ask(t, v.between("SELECT height, position, body FROM "+s.t("transactions"), uint64(r.From), uint64(r.To), ""), scanBody, &bodies)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	run := make([]headed, len(headers))
	states := make(map[uint64]*ledger.Block, len(headers))
	for i, h := range headers {
		count, size := binary.Uvarint([]byte(h.text))
		if size <= 0 {
			return nil, fmt.Errorf("%w: staged block %d", store.ErrCorrupt, h.height)
		}
		block, err := store.DecodeBlock([]byte(h.text[size:]))
		if err != nil {
			return nil, fmt.Errorf("staged block %d: %w", h.height, err)
		}
		run[i] = headed{mark: mark{height: h.height}, txs: uint32(count)}
		states[h.height] = block
	}
	if uint64(len(headers)) != uint64(r.To-r.From)+1 {
		return nil, fmt.Errorf("%w: %d of %d staged blocks from %d on are there", store.ErrCorrupt, len(headers), r.To-r.From+1, r.From)
	}
	return assemble(run, bodies, states)
}

// Bounds are the heights of the range.
func (c *claim) Bounds() (from, to ledger.Height) { return c.From, c.To }
