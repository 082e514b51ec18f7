package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen/breaker"
	"coldtrail/store"
)

// found is a use that a block shows.
type found struct {
	event breaker.Event
	block *at
}

// blocksAtOnce is how many blocks are looked at before what they show is kept.
const blocksAtOnce = 64

// Advance takes in what the store and the knowledge hold by now: uses of contracts and
// wallets in new blocks, uses that became final, blocks that vanished, and what was learnt
// of earlier uses. It is to be called after each block, once knowledge rests on it. A
// venue begins with the blocks that come after it was made.
func (g *Guard) Advance(ctx context.Context) error {
	g.advancing.Lock()
	defer g.advancing.Unlock()
	var errs []error
	if g.options.Store != nil {
		statuses, err := g.options.Store.Status(ctx)
		if err != nil {
			return err
		}
		for i := range statuses {
			if err := g.advance(ctx, &statuses[i]); err != nil {
				errs = append(errs, err)
			}
		}
	}
	k, now := g.options.Know(), g.options.Now()
	for _, v := range g.all() {
		if !v.guarded() {
			continue
		}
		if err := v.relabel(ctx, k, now); err != nil {
			errs = append(errs, fmt.Errorf("venue %q: %w", v.id, err))
		}
	}
	return errors.Join(errs...)
}

// on lists the venues whose uses a chain shows.
func (g *Guard) on(chain ledger.Chain) (list []*venue) {
	for _, v := range g.all() {
		s, err := v.rules()
		if err == nil && v.guarded() && s.kind != casebook.Posted && s.Chain == chain && len(s.own) > 0 {
			list = append(list, v)
		}
	}
	return list
}

// advance brings the venues of one chain up to its head.
func (g *Guard) advance(ctx context.Context, head *store.Status) error {
	var errs []error
	for _, v := range g.on(head.Chain) {
		err := v.reconcile(ctx, head)
		if err == nil {
			err = v.scan(ctx, head)
		}
		if err == nil {
			err = v.finalise(ctx, head.Height)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("venue %q: %w", v.id, err))
		}
	}
	return errors.Join(errs...)
}

// TakenBack retracts the uses of a chain in blocks above the fork, the last block that
// stayed. It is to be called once the store has taken them back. Advance finds by itself
// what is missing, but only among uses that are not final.
func (g *Guard) TakenBack(ctx context.Context, chain ledger.Chain, fork ledger.Height) error {
	g.advancing.Lock()
	defer g.advancing.Unlock()
	g.funders.forget()
	now := g.options.Now()
	var errs []error
	for _, v := range g.on(chain) {
		err := v.do(ctx, func(context.Context) error {
			return v.retract(now, 0, func(u *use) bool { return u.block.Height <= fork }, &fork)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("venue %q: %w", v.id, err))
		}
	}
	return errors.Join(errs...)
}

// retract takes uses back whose blocks do not stay, from a height on. Where fork is given
// the blocks after it are looked at anew.
func (v *venue) retract(now int64, from ledger.Height, stays func(*use) bool, fork *ledger.Height) error {
	for _, u := range v.memory.all() {
		if u.block == nil || u.block.Height < from || stays(u) {
			continue
		}
		in := &breaker.Retraction{ID: u.id, Moment: max(now, v.machine.Clock())}
		if err := v.tell(&breaker.Input{Retract: in}); err != nil {
			return err
		}
		v.memory.drop(u.id) // also where the breaker had forgotten it
	}
	if fork != nil && v.cursor != nil && v.cursor.Height > *fork {
		v.cursor = &at{Height: *fork}
	}
	return nil
}

// reconcile finds out which blocks are still there that uses are not final in, and how
// far blocks were looked at.
func (v *venue) reconcile(ctx context.Context, head *store.Status) error {
	var lowest ledger.Height
	err := v.do(ctx, func(context.Context) error {
		if v.cursor == nil {
			v.cursor = atBlock(head.Height, head.Hash)
		}
		lowest = min(v.cursor.Height, head.Height)
		for _, u := range v.memory.open {
			if !u.gone && u.provisional {
				lowest = min(lowest, u.block.Height)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	hashes := map[ledger.Height]ledger.Hash{}
	for h, err := range v.guard.options.Store.Headers(ctx, head.Chain, lowest) {
		if err != nil {
			return err
		}
		hashes[h.Height] = h.Hash
	}
	same := func(b *at) bool {
		hash, ok := hashes[b.Height]
		return ok && (hash == b.Hash || hash.IsZero() || b.Hash.IsZero())
	}
	now := v.guard.options.Now()
	return v.do(ctx, func(context.Context) error {
		back := v.cursor
		if !same(back) {
			// How deep the change goes is not known: what is not final is looked at again, and
			// known uses are known.
			height := min(back.Height, head.Height)
			back = &at{Height: height - min(height, ledger.Height(v.settings.Finality))}
		}
		err := v.retract(now, lowest, func(u *use) bool { return same(u.block) }, nil)
		v.cursor = back
		return err
	})
}

// scan takes in the blocks after the cursor.
func (v *venue) scan(ctx context.Context, head *store.Status) error {
	for {
		var from ledger.Height
		var s *settings
		err := v.do(ctx, func(context.Context) error {
			from, s = v.cursor.Height+1, v.settings
			return nil
		})
		if err != nil || from > head.Height {
			return err
		}
		to := min(head.Height, from+blocksAtOnce-1)
		uses, last, err := v.guard.extract(ctx, s, from, to)
		if err != nil {
			return err
		}
		if last == nil {
			last = &at{Height: to}
		}
		if err := v.takeIn(ctx, s, uses, last); err != nil {
			return err
		}
	}
}

// extract finds the uses of a venue in blocks, and says which the last of them was.
func (g *Guard) extract(ctx context.Context, s *settings, from, to ledger.Height) (uses []found, last *at, err error) {
	if s.Chain.Family() == ledger.UTXO {
		return g.payments(ctx, s, from, to)
	}
	for b, err := range g.options.Store.Blocks(ctx, s.Chain, from, to) {
		if err != nil {
			return nil, nil, err
		}
		last = atBlock(b.Height, b.Hash)
		if s.kind == casebook.Contract {
			uses = append(uses, calls(s, b, last)...)
		} else {
			uses = append(uses, transfers(s, b, last)...)
		}
		if len(uses) >= maxLines {
			break
		}
	}
	return uses, last, nil
}

// takeIn tells the breaker of uses of blocks, and that the blocks up to last were looked
// at.
func (v *venue) takeIn(ctx context.Context, s *settings, uses []found, last *at) error {
	k := v.guard.options.Know()
	list := make([]*asked, 0, len(uses))
	for i := range uses {
		a := &asked{event: uses[i].event, note: used{Chain: s.Chain, Block: uses[i].block}}
		a.identity = identity(&a.event)
		a.note.Asked = a.identity
		if err := v.guard.examine(ctx, k, s, a); err != nil {
			return err
		}
		list = append(list, a)
	}
	now := v.guard.options.Now()
	for part := range slices.Chunk(list, maxLines) {
		err := v.do(ctx, func(context.Context) error { return v.takeUses(part, now) })
		if err != nil {
			return err
		}
	}
	return v.do(ctx, func(context.Context) error {
		v.cursor = last
		return nil
	})
}

func (v *venue) takeUses(list []*asked, now int64) error {
	for _, a := range list {
		if u := v.memory.byID[a.event.ID]; u != nil {
			if u.block != nil && (u.block.Hash == a.note.Block.Hash || u.block.Hash.IsZero()) {
				continue
			}
			// The same transaction in another block.
			in := &breaker.Retraction{ID: u.id, Moment: max(now, v.machine.Clock())}
			if err := v.tell(&breaker.Input{Retract: in}); err != nil {
				return err
			}
			v.memory.drop(u.id)
		}
		for clock := v.machine.Clock(); clock != 0 && a.event.Moment > clock+maxGap; clock = v.machine.Clock() {
			if err := v.tell(&breaker.Input{Tick: clock + maxGap}); err != nil {
				return err
			}
		}
		if _, err := v.step(&a.event, &a.note, now); err != nil {
			return fmt.Errorf("use %q: %w", a.event.ID, err)
		}
	}
	return nil
}

// finalise tells the breaker of uses that can no longer vanish.
func (v *venue) finalise(ctx context.Context, head ledger.Height) error {
	for more := true; more; {
		err := v.do(ctx, func(context.Context) error {
			var final []*use
			final, more = v.finals(head)
			for _, u := range final {
				if err := v.settleUse(u); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// finals lists uses that became final, and says whether there may be more.
func (v *venue) finals(head ledger.Height) (list []*use, more bool) {
	depth := ledger.Height(v.settings.Finality)
	v.memory.open = slices.DeleteFunc(v.memory.open, func(u *use) bool { return u.gone || !u.provisional })
	for _, u := range v.memory.open {
		if head >= depth && u.block.Height <= head-depth && u.event != nil {
			list = append(list, u)
		}
		if len(list) == maxLines {
			return list, true
		}
	}
	return list, false
}

// settleUse tells the breaker that a use is final.
func (v *venue) settleUse(u *use) error {
	e := *u.event
	e.Provisional, e.Taint = false, u.taint
	e.Moment = max(e.Moment, v.machine.Clock())
	note := used{Asked: u.asked, Chain: u.who.chain, Block: u.block}
	if _, err := v.apply(&breaker.Input{Event: &e}, &note); err != nil {
		return fmt.Errorf("use %q: %w", u.id, err)
	}
	return nil
}
