// Package gather traces stolen money with no ledger of one's own: it asks an explorer
// only for what the money touches, address by address or output by output, until the
// trace touches nothing new or a limit is reached.
//
// What was gathered is an ordinary ledger, partial by construction, and the trace
// over it is the ordinary trace; the answer says where it had to stop.
package gather

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/trace"
)

// An Explorer finds a transaction. It must also be an Accounts or a Spends explorer,
// as its chain demands.
type Explorer interface {
	// Containing gives the block of a transaction, with at least that transaction.
	Containing(ctx context.Context, tx ledger.Hash) (*ledger.Block, error)
}

// Accounts is an explorer that knows the history of single addresses.
type Accounts interface {
	Explorer
	// Touching gives the transactions that touch the address within a span, oldest
	// first, in blocks that hold at least these, with what its holdings held before.
	// More says that there were more than the limit.
	Touching(ctx context.Context, address ledger.Address, within Span, limit int) (Answer, error)
}

// Spends is an explorer that knows what spent an output.
type Spends interface {
	Explorer
	// Spending gives the transactions that spend outputs of a transaction, in blocks
	// that hold at least these.
	Spending(ctx context.Context, tx ledger.Hash) ([]*ledger.Block, error)
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
	Load(key string) (answer Answer, found bool, err error)
	Save(key string, answer Answer) error
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
	// MaxAsked is how many addresses, or on UTXO chains transactions, may be asked for;
	// 0 is 500.
	MaxAsked int
	// MaxTxs is how many transactions one address may have; 0 is 2000. Addresses of
	// services have millions: what reaches them stays there.
	MaxTxs   int
	Progress func(asked, open int)
}

// Result is the last trace and where gathering stopped.
type Result struct {
	*trace.Result
	// Unasked lists places that hold taint and were not asked for, and Busy addresses
	// that had more transactions than the limit: the trace beyond them is not known.
	Unasked []string
	Busy    []string
	Asked   int
}

// frontier is what a chain's family makes of gathering.
type frontier interface {
	// open lists what holds taint and has not been asked for, most of it first.
	open(result *trace.Result) []string
	// ask fetches what touches one of these.
	ask(ctx context.Context, place string) error
	asked() int
}

// Run gathers and traces until the trace touches nothing new.
func Run(ctx context.Context, cases []*trace.Case, options Options) (*Result, error) {
	if options.MaxAsked <= 0 {
		options.MaxAsked = 500
	}
	if options.MaxTxs <= 0 {
		options.MaxTxs = 2000
	}
	notation, err := options.Trace.Notations(options.Chain)
	if err != nil {
		return nil, err
	}
	g := &gatherer{options: options, notation: notation, blocks: map[ledger.Height]*ledger.Block{}, busy: map[ledger.Address]bool{}}
	f, err := g.frontier()
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if err := g.seed(ctx, f, c); err != nil {
			return nil, err
		}
	}
	for {
		result, err := g.trace(ctx, cases)
		if err != nil {
			return nil, err
		}
		open := f.open(result)
		if len(open) == 0 || f.asked() >= options.MaxAsked {
			return g.finish(result, f.asked(), open), nil
		}
		if err := g.round(ctx, f, open[:min(options.MaxAsked-f.asked(), len(open))]); err != nil {
			return nil, err
		}
	}
}

// round asks for places.
func (g *gatherer) round(ctx context.Context, f frontier, places []string) error {
	for i, place := range places {
		if g.options.Progress != nil {
			g.options.Progress(f.asked(), len(places)-i)
		}
		if err := f.ask(ctx, place); err != nil {
			return err
		}
	}
	return nil
}

// frontier is that of the chain's family.
func (g *gatherer) frontier() (frontier, error) {
	if explorer, ok := g.options.Explorer.(Accounts); ok && g.options.Chain.Family() == ledger.Account {
		return &accounts{gatherer: g, explorer: explorer, done: map[ledger.Address]bool{}}, nil
	}
	if explorer, ok := g.options.Explorer.(Spends); ok && g.options.Chain.Family() == ledger.UTXO {
		return &outputs{gatherer: g, explorer: explorer, done: map[ledger.Hash]bool{}, have: map[ledger.Hash]bool{}}, nil
	}
	return nil, fmt.Errorf("the explorer does not serve chains such as %s", g.options.Chain.Short())
}

// gatherer is one run.
type gatherer struct {
	options  Options
	notation ledger.Notation
	blocks   map[ledger.Height]*ledger.Block
	busy     map[ledger.Address]bool
	first    ledger.Height // of the earliest theft
	seeded   bool
}

// seed fetches what a case names.
func (g *gatherer) seed(ctx context.Context, f frontier, c *trace.Case) error {
	for i := range c.Thefts {
		t := &c.Thefts[i]
		if err := g.seedTheft(ctx, f, t); err != nil {
			return &trace.CaseError{File: c.File, Place: fmt.Sprintf("thefts[%d] (%s)", i, t.Colour), Reason: err.Error(), Cause: err}
		}
	}
	return nil
}

func (g *gatherer) seedTheft(ctx context.Context, f frontier, t *trace.Theft) error {
	for _, name := range []string{t.Tx, t.Transfer, t.Outpoint} {
		if name == "" {
			continue
		}
		if name != t.Tx {
			name = beforeColon(name)
		}
		return g.seedTx(ctx, name)
	}
	if g.options.Chain.Family() == ledger.UTXO {
		return errors.New("an explorer of outputs finds transactions; name the theft by tx or outpoint")
	}
	if err := f.ask(ctx, t.Address); err != nil {
		return err
	}
	for height := range g.blocks {
		g.begin(height)
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

func (g *gatherer) begin(height ledger.Height) {
	if !g.seeded || height < g.first {
		g.first, g.seeded = height, true
	}
}

// cached gives an answer that was kept, or fetches and keeps it.
func (g *gatherer) cached(key string, fetch func() (Answer, error)) (Answer, error) {
	if g.options.Cache == nil {
		return fetch()
	}
	answer, found, err := g.options.Cache.Load(key)
	if err != nil || found {
		return answer, err
	}
	if answer, err = fetch(); err != nil {
		return answer, err
	}
	return answer, g.options.Cache.Save(key, answer)
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

// held lists the places of the answer that value can leave, most of the origin first.
func (g *gatherer) held(result *trace.Result) (places []string) {
	rows := slices.Clone(result.Dispositions)
	slices.SortStableFunc(rows, func(x, y trace.Disposition) int { return y.Compare(&x) })
	for i := range rows {
		open := rows[i].Kind == "held" || rows[i].Kind == "frozen"
		if open && rows[i].Chain == string(g.options.Chain) && !slices.Contains(places, rows[i].At) {
			places = append(places, rows[i].At)
		}
	}
	return places
}

func (g *gatherer) finish(result *trace.Result, asked int, open []string) *Result {
	out := &Result{Result: result, Asked: asked, Unasked: open, Busy: []string{}}
	for address := range g.busy {
		out.Busy = append(out.Busy, g.notation.FormatAddress(address))
	}
	slices.Sort(out.Busy)
	return out
}

// beforeColon is the text before the last colon, or all of it.
func beforeColon(text string) string {
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		return text[:i]
	}
	return text
}
