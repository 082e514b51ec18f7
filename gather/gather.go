// Package gather traces stolen money with no ledger of one's own: it asks an explorer
// only for what the money touches, address by address, until the trace touches
// nothing new or a limit is reached.
//
// What was gathered is an ordinary ledger, partial by construction, and the trace
// over it is the ordinary trace; the answer says where it had to stop.
package gather

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/trace"
)

// An Explorer knows the history of single addresses of one account chain.
type Explorer interface {
	// Touching gives the transactions that touch the address within a span, oldest
	// first, in blocks that hold at least these, with what its holdings held before.
	// More says that there were more than the limit.
	Touching(ctx context.Context, address ledger.Address, within Span, limit int) (Answer, error)
	// Containing gives the block of a transaction, with at least that transaction.
	Containing(ctx context.Context, tx ledger.Hash) (*ledger.Block, error)
}

// Span is heights from one to another, both included.
type Span struct{ From, To ledger.Height }

// Answer is what an explorer says of an address.
type Answer struct {
	Blocks []*ledger.Block
	More   bool
}

// Cache keeps answers between runs, so that work goes on where it stopped.
type Cache interface {
	Load(address ledger.Address, within Span) (answer Answer, found bool, err error)
	Save(address ledger.Address, within Span, answer Answer) error
}

// Store is what a gathered ledger is put into: it starts empty every round.
type Store interface {
	trace.Store
	store.Writer
}

// Options are the choices of a run.
type Options struct {
	Chain    ledger.Chain
	Explorer Explorer
	Cache    Cache // or nil
	Empty    func() Store
	// Head is the last block that counts. A run that is repeated with the same head
	// gives the same answer.
	Head  ledger.Height
	Trace trace.Options
	// MaxAddresses is how many addresses may be asked for; 0 is 500.
	MaxAddresses int
	// MaxTxs is how many transactions one address may have; 0 is 2000. Addresses of
	// services have millions: what reaches them stays there.
	MaxTxs   int
	Progress func(asked, open int)
}

// Result is the last trace and where gathering stopped.
type Result struct {
	*trace.Result
	// Unasked lists addresses that hold taint and were not asked for, and Busy those
	// that had more transactions than the limit: the trace beyond them is not known.
	Unasked []string
	Busy    []string
	Asked   int
}

// Run gathers and traces until the trace touches nothing new.
func Run(ctx context.Context, cases []*trace.Case, options Options) (*Result, error) {
	g := gatherer{options: options, blocks: map[ledger.Height]*ledger.Block{}, asked: map[ledger.Address]bool{}, busy: map[ledger.Address]bool{}}
	if g.options.MaxAddresses <= 0 {
		g.options.MaxAddresses = 500
	}
	if g.options.MaxTxs <= 0 {
		g.options.MaxTxs = 2000
	}
	notation, err := options.Trace.Notations(options.Chain)
	if err != nil {
		return nil, err
	}
	g.notation = notation
	for _, c := range cases {
		if err := g.seed(ctx, c); err != nil {
			return nil, err
		}
	}
	for {
		result, err := g.trace(ctx, cases)
		if err != nil {
			return nil, err
		}
		open := g.open(result)
		room := g.options.MaxAddresses - len(g.asked)
		if len(open) == 0 || room <= 0 {
			return g.finish(result, open), nil
		}
		for i, address := range open[:min(room, len(open))] {
			if g.options.Progress != nil {
				g.options.Progress(len(g.asked), len(open)-i)
			}
			if err := g.ask(ctx, address, g.first); err != nil {
				return nil, err
			}
		}
	}
}

// gatherer is one run.
type gatherer struct {
	options  Options
	notation ledger.Notation
	blocks   map[ledger.Height]*ledger.Block
	asked    map[ledger.Address]bool
	busy     map[ledger.Address]bool
	first    ledger.Height // of the earliest theft
	seeded   bool
}

// seed fetches what a case names.
func (g *gatherer) seed(ctx context.Context, c *trace.Case) error {
	for i := range c.Thefts {
		t := &c.Thefts[i]
		if chain, err := ledger.ParseChain(t.Chain); err != nil || chain != g.options.Chain {
			return &trace.CaseError{File: c.File, Place: fmt.Sprintf("thefts[%d]", i), Reason: fmt.Sprintf("chain %q is not %s, which the explorer serves", t.Chain, g.options.Chain.Short())}
		}
		var err error
		switch name, _, _ := cutLast(t.Transfer); {
		case t.Tx != "":
			err = g.seedTx(ctx, t.Tx)
		case t.Transfer != "":
			err = g.seedTx(ctx, name)
		case t.Address != "":
			err = g.seedAddress(ctx, t.Address)
		}
		if err != nil {
			return &trace.CaseError{File: c.File, Place: fmt.Sprintf("thefts[%d] (%s)", i, t.Colour), Reason: err.Error()}
		}
	}
	return nil
}

func (g *gatherer) seedTx(ctx context.Context, text string) error {
	id, err := ledger.ParseHash(text)
	if err != nil {
		return err
	}
	block, err := g.options.Explorer.Containing(ctx, id)
	if err != nil {
		return err
	}
	if block.Height > g.options.Head {
		return fmt.Errorf("transaction %s is in block %d, later than the head %d that this gathering rests on", text, block.Height, g.options.Head)
	}
	g.begin(block.Height)
	g.merge(block)
	return nil
}

func (g *gatherer) seedAddress(ctx context.Context, text string) error {
	address, err := g.notation.ParseAddress(text)
	if err != nil {
		return err
	}
	if err := g.ask(ctx, address, 0); err != nil {
		return err
	}
	for height := range g.blocks {
		g.begin(height)
	}
	return nil
}

func (g *gatherer) begin(height ledger.Height) {
	if !g.seeded || height < g.first {
		g.first, g.seeded = height, true
	}
}

// ask fetches an address's history.
func (g *gatherer) ask(ctx context.Context, address ledger.Address, from ledger.Height) error {
	g.asked[address] = true
	within := Span{from, g.options.Head}
	answer, known := Answer{}, false
	var err error
	if g.options.Cache != nil {
		if answer, known, err = g.options.Cache.Load(address, within); err != nil {
			return err
		}
	}
	if !known {
		if answer, err = g.options.Explorer.Touching(ctx, address, within, g.options.MaxTxs); err != nil {
			return fmt.Errorf("history of %s: %w", g.notation.FormatAddress(address), err)
		}
		if g.options.Cache != nil {
			if err := g.options.Cache.Save(address, within, answer); err != nil {
				return err
			}
		}
	}
	if answer.More {
		g.busy[address] = true
	}
	for _, block := range answer.Blocks {
		g.merge(block)
	}
	return nil
}

// merge adds what is new in a block. Of a partial ledger the hashes of blocks do not
// link up, so they are left out; transactions keep their identifiers.
func (g *gatherer) merge(block *ledger.Block) {
	have := g.blocks[block.Height]
	if have == nil {
		have = &ledger.Block{Chain: block.Chain, Height: block.Height, Time: block.Time, Provenance: block.Provenance}
		g.blocks[block.Height] = have
	}
	have.Provenance = ledger.Weakest(have.Provenance, block.Provenance)
	for i := range block.Txs {
		at, found := slices.BinarySearchFunc(have.Txs, block.Txs[i].Index, func(tx ledger.Tx, index uint32) int { return int(tx.Index) - int(index) })
		if !found {
			have.Txs = slices.Insert(have.Txs, at, block.Txs[i])
		}
	}
	for _, o := range block.Openings {
		if !slices.Contains(have.Openings, o) {
			have.Openings = append(have.Openings, o)
		}
	}
}

// trace runs over what has been gathered.
func (g *gatherer) trace(ctx context.Context, cases []*trace.Case) (*trace.Result, error) {
	s := g.options.Empty()
	heights := slices.Sorted(maps.Keys(g.blocks))
	for _, height := range heights {
		if err := s.Append(ctx, []*ledger.Block{g.blocks[height]}); err != nil {
			return nil, err
		}
	}
	return trace.Run(ctx, s, cases, g.options.Trace)
}

// open lists addresses that hold taint and have not been asked for, those that hold
// most of the origin first.
func (g *gatherer) open(result *trace.Result) (open []ledger.Address) {
	rows := slices.Clone(result.Dispositions)
	slices.SortStableFunc(rows, func(x, y trace.Disposition) int { return y.Compare(&x) })
	for i := range rows {
		if rows[i].Kind != "held" && rows[i].Kind != "frozen" || rows[i].Chain != string(g.options.Chain) {
			continue
		}
		address, err := g.notation.ParseAddress(rows[i].At)
		if err == nil && !g.asked[address] && !slices.Contains(open, address) {
			open = append(open, address)
		}
	}
	return open
}

func (g *gatherer) finish(result *trace.Result, open []ledger.Address) *Result {
	out := &Result{Result: result, Asked: len(g.asked), Unasked: []string{}, Busy: []string{}}
	for _, address := range open {
		out.Unasked = append(out.Unasked, g.notation.FormatAddress(address))
	}
	for address := range g.busy {
		out.Busy = append(out.Busy, g.notation.FormatAddress(address))
	}
	slices.Sort(out.Unasked)
	slices.Sort(out.Busy)
	return out
}

// cutLast splits "left:right" at the last colon.
func cutLast(text string) (left, right string, ok bool) {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == ':' {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}
