package trace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// Live is a trace that is kept current with a store that grows and rewinds. What it
// says at any moment is, to the byte, what Run would say of the same store: an Advance
// walks only what is new, and again what new knowledge changed. It is not safe for
// concurrent use, and the store must not change while it is at work.
type Live struct {
	store   Store
	cases   []*Case
	options Options
	palette *taint.Palette
	heard   map[ledger.Chain]*heard

	passes       [2]pass // facts alone, and all
	plan         *plan
	facts, final *record
	// spoke is where the chains ended when the trace first met a transaction that may
	// speak of a crossing; nil before.
	spoke map[ledger.Chain]store.TxNumber
	heads map[ledger.Chain]head
	tiers []ledger.Height // heads still to be reached by steps
}

// pass is one of the two passes as it stood at the end of the last Advance.
type pass struct {
	tracks *tracks
	given  map[payoutKey]payoutPart
	links  credits
}

// payoutKey names a payout, however crossings are numbered.
type payoutKey struct {
	crossing crossingKey
	chain    ledger.Chain
	number   uint64
	transfer int
	position uint32
}

// head is where a chain ended.
type head struct {
	height  ledger.Height
	hash    ledger.Hash
	content ledger.Hash
	end     store.TxNumber
}

// steps are how far below the head of each chain a new Live makes marks on its way, so
// that a reorganisation finds one to go back to.
var steps = []ledger.Height{256, 64, 16, 4}

// NewLive makes a trace of cases that knows nothing yet. AsOf and Flows of the options
// have no place in it.
func NewLive(s Store, cases []*Case, options Options) (*Live, error) {
	if !options.AsOf.IsZero() || options.Flows {
		return nil, errors.New("a live trace has no moment and keeps no flows")
	}
	if options.Method == nil {
		options.Method = taint.FIFO
	}
	options.Mode = Targeted
	l := &Live{store: s, cases: cases, options: options}
	l.reset()
	return l, nil
}

func (l *Live) reset() {
	l.palette, l.heard, l.spoke, l.heads = taint.NewPalette(), map[ledger.Chain]*heard{}, nil, nil
	l.passes = [2]pass{{tracks: newTracks()}, {tracks: newTracks()}}
	l.plan, l.facts, l.final = nil, nil, nil
	if l.tiers = steps; l.options.Once {
		l.tiers = nil
	}
}

// Advance brings the trace up to what the store now holds. After an error the trace
// says nothing until an Advance succeeds.
func (l *Live) Advance(ctx context.Context) error {
	if err := l.advance(ctx); err != nil {
		l.reset()
		return err
	}
	return nil
}

func (l *Live) advance(ctx context.Context) error {
	statuses, err := l.store.Status(ctx)
	if err != nil {
		return err
	}
	if err := l.goBack(ctx, statuses); err != nil {
		return err
	}
	for len(l.tiers) > 0 {
		upTo := map[ledger.Chain]ledger.Height{}
		for i := range statuses {
			upTo[statuses[i].Chain] = statuses[i].Height - min(statuses[i].Height, l.tiers[0])
		}
		l.tiers = l.tiers[1:]
		var refused *CaseError
		if err := l.step(ctx, upTo); errors.As(err, &refused) { // not there yet
			l.facts = nil
		} else if err != nil {
			return err
		}
	}
	return l.step(ctx, nil)
}

// goBack forgets what rests on blocks that the store no longer holds.
func (l *Live) goBack(ctx context.Context, statuses []store.Status) error {
	if l.heads == nil {
		return nil
	}
	if len(statuses) != len(l.heads) {
		l.reset()
		return nil
	}
	for i := range statuses {
		chain := statuses[i].Chain
		head, known := l.heads[chain]
		if !known || head.hash.IsZero() && statuses[i].Content != head.content {
			l.reset()
			return nil
		}
		if statuses[i].Content == head.content {
			continue
		}
		end, height, err := l.fork(ctx, chain)
		if err != nil {
			return err
		}
		if l.spoke != nil && end < l.spoke[chain] {
			l.reset()
			return nil
		}
		if end < head.end {
			head.end = end
			l.heads[chain] = head
			l.heard[chain].rewindTo(height + 1)
		}
		for j := range l.passes {
			l.passes[j].tracks.of(chain).drop(end)
		}
	}
	return nil
}

func (h *heard) rewindTo(height ledger.Height) {
	if h != nil {
		h.rewind(height)
	}
}

// fork finds the last block known here that the store still holds: the head, or that
// of a mark.
func (l *Live) fork(ctx context.Context, chain ledger.Chain) (store.TxNumber, ledger.Height, error) {
	known := []*mark{{end: l.heads[chain].end, height: l.heads[chain].height, hash: l.heads[chain].hash}}
	marks := l.passes[0].tracks.of(chain).marks
	for i := len(marks) - 1; i >= 0; i-- {
		known = append(known, marks[i])
	}
	for _, m := range known {
		for h, err := range l.store.Headers(ctx, chain, m.height) {
			if err != nil {
				return 0, 0, err
			}
			if h.Height == m.height && h.Hash == m.hash && h.FirstTx+store.TxNumber(h.Txs) == m.end {
				return m.end, m.height, nil
			}
			break
		}
	}
	return 0, 0, nil
}

// step walks up to the heads, or to heights before them.
func (l *Live) step(ctx context.Context, upTo map[ledger.Chain]ledger.Height) error {
	p := &plan{store: l.store, options: l.options, cases: l.cases, palette: l.palette, heard: l.heard, upTo: upTo}
	if err := p.resolve(ctx); err != nil {
		return err
	}
	if l.spoke != nil || p.hasServices() && l.options.Crossings {
		if err := p.findBridges(ctx); err != nil {
			return err
		}
	}
	before := l.heads
	var err error
	if l.facts, err = l.settle(ctx, p, 0, before); err != nil {
		return err
	}
	l.final = l.facts
	if len(p.links) > 0 || p.infers(l.facts) || p.decides() || l.facts.concluded {
		if l.final, err = l.settle(ctx, p, 1, before); err != nil {
			return err
		}
	} else {
		l.passes[1] = pass{tracks: newTracks()}
	}
	if l.spoke == nil && p.bridges != nil {
		l.spoke = map[ledger.Chain]store.TxNumber{}
		for _, c := range p.chains {
			l.spoke[c.chain] = c.end
		}
	}
	l.plan = p
	return l.noteHeads(ctx, p)
}

// settle runs one pass from where the last one ended.
func (l *Live) settle(ctx context.Context, p *plan, n int, before map[ledger.Chain]head) (*record, error) {
	last := &l.passes[n]
	for _, c := range p.chains {
		if h, ok := before[c.chain]; ok {
			if err := last.tracks.of(c.chain).recheck(ctx, p, c, h.end); err != nil {
				return nil, fmt.Errorf("ask again on %s: %w", c.chain.Short(), err)
			}
		}
	}
	x := &settling{plan: p, factsOnly: n == 0, records: map[ledger.Chain]*record{}, given: last.inflow(p, n == 0), tracks: last.tracks}
	r, err := x.run(ctx)
	if err != nil {
		return nil, err
	}
	last.note(p, &x.given)
	return r, nil
}

// note keeps what crossed in the end.
func (s *pass) note(p *plan, given *inflow) {
	s.links, s.given = given.links, map[payoutKey]payoutPart{}
	for ref, lots := range given.payouts {
		s.given[p.payoutKey(ref)] = payoutPart{lots: lots, from: given.legs[ref.crossing]}
	}
}

// inflow is what crossed at the end of the last pass, in the numbers of a plan.
func (s *pass) inflow(p *plan, factsOnly bool) inflow { //nolint:revive // the pass it is
	given := inflow{factsOnly: factsOnly, payouts: map[payoutRef][]taint.Lot{}, legs: map[int][]taint.Leg{}}
	if !factsOnly && len(s.links) == len(p.links) {
		given.links = s.links
	}
	if p.bridges == nil {
		return given
	}
	for i := range p.bridges.crossings {
		for j := range p.bridges.crossings[i].Payouts {
			if part, ok := s.given[p.payoutKey(payoutRef{i, j})]; ok {
				given.payouts[payoutRef{i, j}], given.legs[i] = part.lots, part.from
			}
		}
	}
	return given
}

func (p *plan) payoutKey(ref payoutRef) payoutKey {
	out := &p.bridges.crossings[ref.crossing].Payouts[ref.payout]
	return payoutKey{p.bridges.keys[ref.crossing], out.Place.Chain, out.Place.Number, out.Transfer, out.Position}
}

func (l *Live) noteHeads(ctx context.Context, p *plan) error {
	statuses, err := l.store.Status(ctx)
	if err != nil {
		return err
	}
	l.heads = map[ledger.Chain]head{}
	for i := range statuses {
		s := &statuses[i]
		at := head{height: s.Height, hash: s.Hash, content: s.Content}
		if c := slices.IndexFunc(p.chains, func(c *chainPlan) bool { return c.chain == s.Chain }); c >= 0 {
			c := p.chains[c]
			at.height, at.hash, at.end = c.to.Height, c.to.Hash, c.end
			if c.to.Height != s.Height {
				at.content = ledger.Hash{}
			}
		}
		l.heads[s.Chain] = at
	}
	return nil
}

// Result is the answer in full, as Run would give it.
func (l *Live) Result(ctx context.Context) (*Result, error) {
	if l.facts == nil {
		return nil, errors.New("the trace has not advanced yet")
	}
	facts := l.facts.copy()
	facts.plan = l.plan
	final := facts
	if l.final != l.facts {
		final = l.final.copy()
		final.plan = l.plan
	}
	return l.plan.result(ctx, facts, final)
}
