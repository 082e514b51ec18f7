package clickhouse

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Movements describes account transactions.
func (s *Store) Movements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	places, err := v.transactions(ctx, numbers)
	if err != nil || len(numbers) == 0 {
		return []store.Movement{}, err
	}
	t := v.trip()
	bodies := v.askBodies(t, distinct(places))
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	txs, err := bodies()
	if err != nil {
		return nil, err
	}
	out := make([]store.Movement, len(numbers))
	for i, place := range places {
		out[i] = store.Movement{Number: numbers[i], Height: ledger.Height(place.height), Time: place.time, Tx: *txs[place.seat()]}
	}
	return out, nil
}

// A staged transaction as it is read in a range.
type stagedTx struct {
	seat
	body string
}

func scanBody(r scanned) (x stagedTx, err error) { return x, r.Scan(&x.height, &x.at, &x.body) }

// bodiesBetween reads the transactions of a run of blocks, in order.
func (v *view) bodiesBetween(ctx context.Context, run []headed, more string) (found []stagedTx, err error) {
	t := v.trip()
	ask(t, v.between("SELECT height, position, body FROM "+v.store.t("transactions"), run[0].height, run[len(run)-1].height, more),
		scanBody, &found)
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b stagedTx) int { return compareSeats(a.seat, b.seat) })
	return found, nil
}

// Blocks yields whole blocks.
func (s *Store) Blocks(ctx context.Context, chain ledger.Chain, from, to ledger.Height) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		v, err := s.view(ctx, chain)
		if err != nil {
			yield(nil, err)
			return
		}
		for run, err := range v.runs(ctx, uint64(from), uint64(to)) {
			var blocks []*ledger.Block
			if err == nil {
				blocks, err = v.whole(ctx, run)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, b := range blocks {
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

// whole puts blocks together.
func (v *view) whole(ctx context.Context, run []headed) ([]*ledger.Block, error) {
	found, err := v.bodiesBetween(ctx, run, "")
	if err != nil {
		return nil, err
	}
	blocks := make(map[uint64]*ledger.Block, len(run))
	for _, h := range run {
		b := &ledger.Block{
			Chain: v.Chain, Height: ledger.Height(h.height), Hash: h.hash, Parent: h.parent, Time: h.time, Provenance: ledger.Provenance(h.provenance),
		}
		if h.openings != "" {
			stated, err := store.DecodeBlock([]byte(h.openings))
			if err != nil {
				return nil, fmt.Errorf("block %d: %w", h.height, err)
			}
			b.Openings = stated.Openings
		}
		blocks[h.height] = b
	}
	return assemble(run, found, blocks)
}

// assemble puts transactions into their blocks.
func assemble(run []headed, found []stagedTx, blocks map[uint64]*ledger.Block) ([]*ledger.Block, error) {
	slices.SortFunc(run, func(a, b headed) int { return int(a.height) - int(b.height) })
	slices.SortFunc(found, func(a, b stagedTx) int { return compareSeats(a.seat, b.seat) })
	list := make([]*ledger.Block, len(run))
	for i, h := range run {
		b := blocks[h.height]
		for range h.txs {
			if len(found) == 0 || found[0].height != h.height {
				return nil, fmt.Errorf("%w: block %d lacks transactions", store.ErrCorrupt, h.height)
			}
			tx, err := store.DecodeTx([]byte(found[0].body))
			if err != nil {
				return nil, fmt.Errorf("block %d, transaction %d: %w", h.height, found[0].at, err)
			}
			b.Txs = append(b.Txs, *tx)
			found = found[1:]
		}
		list[i] = b
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("%w: block %d has more transactions than its header says", store.ErrCorrupt, found[0].height)
	}
	return list, nil
}

// Said yields transactions that carry messages.
func (s *Store) Said(ctx context.Context, chain ledger.Chain, from, to ledger.Height, topics map[ledger.Hash]bool) iter.Seq2[*store.Said, error] {
	return func(yield func(*store.Said, error) bool) {
		v, err := s.view(ctx, chain)
		if err != nil {
			yield(nil, err)
			return
		}
		for run, err := range v.runs(ctx, uint64(from), uint64(to)) {
			var said []store.Said
			if err == nil {
				said, err = v.said(ctx, run, topics)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range said {
				if !yield(&said[i], nil) {
					return
				}
			}
		}
	}
}

func (v *view) said(ctx context.Context, run []headed, topics map[ledger.Hash]bool) (said []store.Said, err error) {
	found, err := v.bodiesBetween(ctx, run, " AND speaks = 1")
	if err != nil {
		return nil, err
	}
	at := 0
	for _, x := range found {
		for run[at].height != x.height {
			at++
		}
		tx, err := store.DecodeTx([]byte(x.body))
		if err != nil {
			return nil, fmt.Errorf("block %d, transaction %d: %w", x.height, x.at, err)
		}
		if !store.Speaks(tx, topics) {
			continue
		}
		tx.Inputs = nil
		said = append(said, store.Said{Number: store.TxNumber(run[at].tx + uint64(x.at)), Height: ledger.Height(x.height), Time: run[at].time, Tx: tx})
	}
	return said, nil
}

// A statement of a balance by a source.
type opening struct {
	address, asset string
	seat           // the block that states it, and the place there
	before         uint64
	amount         ledger.Amount
}

// An effect is what a transaction did to an address.
type effect struct {
	address string
	seat
	tx string
}

// Balances adds up what holdings held: everything that touched the addresses, in one trip.
func (s *Store) Balances(ctx context.Context, chain ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	v, err := s.view(ctx, chain)
	if err != nil {
		return nil, err
	}
	limits, err := v.limits(ctx, questions)
	if err != nil {
		return nil, err
	}
	addresses := map[string]bool{}
	for i := range questions {
		addresses[addressBytes(questions[i].Address)] = true
	}
	last := seat{}
	for _, l := range limits {
		if compareSeats(l, last) > 0 {
			last = l
		}
	}
	effects, openings, err := v.effects(ctx, sorted(addresses), last)
	if err != nil {
		return nil, err
	}
	out := make([]store.Balance, len(questions))
	for i := range questions {
		address := addressBytes(questions[i].Address)
		if out[i], err = balance(chain, &questions[i], limits[i], effects[address], openings[address]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// limits says where each question's transaction lies; behind the head for one that is yet
// to come.
func (v *view) limits(ctx context.Context, questions []store.HoldingAt) ([]seat, error) {
	limits := make([]seat, len(questions))
	var numbers []store.TxNumber
	var of []int
	for i := range questions {
		if uint64(questions[i].Before) >= v.Txs {
			limits[i] = seat{height: v.Height + 1}
			continue
		}
		numbers, of = append(numbers, questions[i].Before), append(of, i)
	}
	places, err := v.transactions(ctx, numbers)
	if err != nil {
		return nil, err
	}
	for k, place := range places {
		limits[of[k]] = place.seat()
	}
	return limits, nil
}

// effects reads what touched addresses up to a transaction, and what sources stated.
func (v *view) effects(ctx context.Context, addresses []string, last seat) (map[string][]effect, map[string][]opening, error) {
	var effects []effect
	var openings []opening
	t := v.trip()
	ask(t, about(v.store, addresses, v.store.byText, func(piece []string) string {
		return "SELECT address, height, position, effect FROM " + v.store.t("postings") + v.where(fmt.Sprintf("height <= %d AND address IN %s", last.height, list(piece, quote)))
	}), func(r scanned) (e effect, err error) { return e, r.Scan(&e.address, &e.height, &e.at, &e.tx) }, &effects)
	ask(t, about(v.store, addresses, v.store.byText, func(piece []string) string {
		return "SELECT address, height, position, asset, before, amount FROM " + v.store.t("openings") + v.where("address IN "+list(piece, quote))
	}), scanOpening, &openings)
	if err := t.run(ctx); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(effects, func(a, b effect) int { return compareSeats(a.seat, b.seat) })
	slices.SortFunc(openings, func(a, b opening) int { return compareSeats(a.seat, b.seat) })
	byAddress, stated := map[string][]effect{}, map[string][]opening{}
	for _, e := range effects {
		byAddress[e.address] = append(byAddress[e.address], e)
	}
	for _, o := range openings {
		stated[o.address] = append(stated[o.address], o)
	}
	return byAddress, stated, nil
}

func scanOpening(r scanned) (o opening, err error) {
	var amount [32]byte
	err = r.Scan(&o.address, &o.height, &o.at, &o.asset, &o.before, &amount)
	o.amount.SetBytes32(amount[:])
	return o, err
}

// balance starts from the latest opening stated before the transaction and goes through
// everything that touched the address since.
func balance(chain ledger.Chain, q *store.HoldingAt, limit seat, effects []effect, openings []opening) (b store.Balance, err error) {
	since := uint64(0)
	for _, o := range openings {
		if ledger.Asset(o.asset) == q.Asset && o.before <= limit.height && (!b.Known || o.before >= since) {
			b, since = store.Balance{Amount: o.amount, Known: true}, o.before
		}
	}
	for _, e := range effects {
		if compareSeats(e.seat, limit) >= 0 {
			break
		}
		tx, err := store.DecodeTx([]byte(e.tx))
		if err != nil {
			return b, fmt.Errorf("block %d, transaction %d: %w", e.height, e.at, err)
		}
		b.Frozen = store.FrozenBy(tx, q.Holding, b.Frozen)
		if e.height >= since {
			store.Settle(&b.Amount, q.Holding, chain.Native(), tx)
		}
	}
	return b, nil
}
