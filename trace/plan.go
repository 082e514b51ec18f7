package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/crossing"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
)

// plan is cases resolved against a store: which outputs and transfers take which
// colour, where the trace stops, how far each chain goes.
type plan struct {
	store   Store
	options Options
	cases   []*Case
	palette *taint.Palette
	rules   taint.Rules
	colours []colour // sorted by name
	chains  []*chainPlan
	links   []link
	// accountsHeld says that the store holds an account chain.
	accountsHeld bool
	// decoders and bridges are there once the trace met a transaction that may speak
	// of a crossing.
	decoders *crossing.Decoders
	bridges  *bridges
	// heard is what the chains were heard to say before, where that is kept.
	heard map[ledger.Chain]*heard
	// upTo ends chains before their heads.
	upTo map[ledger.Chain]ledger.Height
}

// colour is one stolen asset of one incident.
type colour struct {
	name  string
	chain ledger.Chain
	asset ledger.Asset
}

// chainPlan is the part of a plan on one chain.
type chainPlan struct {
	chain     ledger.Chain
	notation  ledger.Notation
	status    store.Status
	to        store.Header                             // the last block that counts
	end       store.TxNumber                           // the first transaction that does not
	outputs   map[store.OutputNumber][]taint.Class     // thefts of outputs
	transfers map[store.TxNumber]map[int][]taint.Class // thefts of transfers
	thefts    map[store.TxNumber][]theftPart           // both
	starts    []store.TxNumber                         // transactions with thefts, sorted
	terminals map[ledger.Address]taint.Terminal
}

// newPlan resolves cases. What the ledger does not hold is refused by name.
func newPlan(ctx context.Context, s Store, cases []*Case, options Options) (*plan, error) {
	p := &plan{store: s, options: options, cases: cases, palette: taint.NewPalette()}
	return p, p.resolve(ctx)
}

// CheckAt says what a case names that the store does not hold, as of the options' moment;
// nil where it holds all.
func CheckAt(ctx context.Context, s Store, c *Case, options Options) error {
	_, err := newPlan(ctx, s, []*Case{c}, options)
	return err
}

// resolve finds what the cases name in the store.
func (p *plan) resolve(ctx context.Context) error {
	cases := p.cases
	if len(cases) == 0 {
		return errors.New("no case to trace")
	}
	p.rules = taint.Rules{Fees: p.options.Fees}
	statuses, err := p.store.Status(ctx)
	if err != nil {
		return err
	}
	p.accountsHeld = len(ofFamily(statuses, ledger.Account)) > 0
	for _, c := range cases {
		if err := p.addCase(ctx, c, statuses); err != nil {
			return err
		}
		if c.StopAt.Hops > 0 && (p.rules.MaxHops == 0 || c.StopAt.Hops < p.rules.MaxHops) {
			p.rules.MaxHops = c.StopAt.Hops
		}
	}
	for _, c := range cases {
		if err := p.checkVictims(c); err != nil {
			return err
		}
	}
	p.sort()
	return nil
}

// sort brings what the cases named into the order of names and numbers.
func (p *plan) sort() {
	slices.SortFunc(p.chains, func(a, b *chainPlan) int { return cmp.Compare(a.chain, b.chain) })
	slices.SortFunc(p.colours, func(a, b colour) int { return cmp.Compare(a.name, b.name) })
	for _, c := range p.chains {
		slices.Sort(c.starts)
		c.starts = slices.Compact(c.starts)
		for _, classes := range c.outputs {
			slices.SortFunc(classes, p.palette.Compare)
		}
		for _, byIndex := range c.transfers {
			for _, classes := range byIndex {
				slices.SortFunc(classes, p.palette.Compare)
			}
		}
		for _, parts := range c.thefts {
			slices.SortFunc(parts, func(a, b theftPart) int { return cmp.Or(cmp.Compare(a.at, b.at), p.palette.Compare(a.class, b.class)) })
		}
	}
}

func (p *plan) addCase(ctx context.Context, c *Case, statuses []store.Status) error {
	for i := range c.Thefts {
		t := &c.Thefts[i]
		place := fmt.Sprintf("thefts[%d] (%s)", i, t.Colour)
		chain, err := p.chain(ctx, t.Chain, statuses)
		if err == nil {
			err = p.addTheft(ctx, chain, c.Name+"/"+t.Colour, t)
		}
		if err != nil {
			return &CaseError{File: c.File, Place: place, Reason: err.Error(), Cause: err}
		}
	}
	for i := range c.Links {
		if err := p.addLink(ctx, &c.Links[i], statuses); err != nil {
			return &CaseError{File: c.File, Place: fmt.Sprintf("links[%d]", i), Reason: err.Error(), Cause: err}
		}
	}
	return nil
}

// chain finds or adds the plan of a chain.
func (p *plan) chain(ctx context.Context, name string, statuses []store.Status) (*chainPlan, error) {
	id, err := ledger.ParseChain(name)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(p.chains, func(c *chainPlan) bool { return c.chain == id }); i >= 0 {
		return p.chains[i], nil
	}
	i := slices.IndexFunc(statuses, func(s store.Status) bool { return s.Chain == id })
	if i < 0 {
		return nil, fmt.Errorf("the store holds no block of %s; ingest it first", id.Short())
	}
	notation, err := p.options.Notations(id)
	if err != nil {
		return nil, err
	}
	c := &chainPlan{
		chain: id, notation: notation, status: statuses[i], terminals: map[ledger.Address]taint.Terminal{},
		outputs: map[store.OutputNumber][]taint.Class{}, transfers: map[store.TxNumber]map[int][]taint.Class{},
		thefts: map[store.TxNumber][]theftPart{},
	}
	if err := p.findEnd(ctx, c); err != nil {
		return nil, err
	}
	p.label(c)
	p.chains = append(p.chains, c)
	return c, nil
}

// tell tells how far a walk has come that began at a height.
func (p *plan) tell(c *chainPlan, first, height ledger.Height) {
	if p.options.Progress != nil {
		p.options.Progress(c.chain, height+1-first, c.to.Height+1-first)
	}
}

// stride is how far a targeted walk has come, told once a block.
type stride struct {
	first, at ledger.Height
	begun     bool
}

// step tells of a visit at a height, and the end of the walk at the last height that counts.
func (x *stride) step(p *plan, c *chainPlan, height ledger.Height) {
	if !x.begun {
		x.first, x.begun = height, true
	} else if height <= x.at {
		return
	}
	x.at = height
	p.tell(c, x.first, height)
}

// errTooEarly says that a chain had not begun, as far as the store knows it.
var errTooEarly = errors.New("the store holds no block from before the moment asked for")

// findEnd finds the last block that counts: the head, or the last before AsOf.
func (p *plan) findEnd(ctx context.Context, c *chainPlan) error {
	from := c.status.Height
	if to, ok := p.upTo[c.chain]; ok {
		from = min(from, max(to, c.status.First))
	}
	if !p.options.AsOf.IsZero() {
		from = c.status.First
	}
	found := false
	for header, err := range p.store.Headers(ctx, c.chain, from) {
		if err != nil {
			return err
		}
		if !p.options.AsOf.IsZero() && header.Time > p.options.AsOf.Unix() {
			break
		}
		c.to, found = header, true
		if p.options.AsOf.IsZero() {
			break
		}
	}
	if !found {
		return fmt.Errorf("%w: %s, %s", errTooEarly, c.chain.Short(), p.options.AsOf.UTC().Format("2006-01-02T15:04:05Z"))
	}
	c.end = c.to.FirstTx + store.TxNumber(c.to.Txs)
	return nil
}

// class is the class of a colour as a fact; the colour is new or on the same asset.
func (p *plan) class(name string, c *chainPlan, asset ledger.Asset) (taint.Class, error) {
	i := slices.IndexFunc(p.colours, func(have colour) bool { return have.name == name })
	if i < 0 {
		p.colours = append(p.colours, colour{name, c.chain, asset})
	} else if p.colours[i].asset != asset {
		return 0, fmt.Errorf("colour %s stands for %s already; one colour is one asset", name, p.colours[i].asset)
	}
	return p.palette.Class(taint.Paint{Colour: name, Score: taint.Fact}), nil
}

// checkVictims refuses a victim that is no address of any chain of the cases.
func (p *plan) checkVictims(c *Case) error {
	for i, victim := range c.Victims {
		known := false
		for _, chain := range p.chains {
			if _, err := chain.notation.ParseAddress(victim); err == nil {
				known = true
			}
		}
		if !known {
			return &CaseError{File: c.File, Place: fmt.Sprintf("victims[%d]", i), Reason: fmt.Sprintf("%q is not an address of any chain of the cases", victim)}
		}
	}
	return nil
}

// label applies the labels and victims of the cases to a chain.
func (p *plan) label(c *chainPlan) {
	for _, from := range p.cases {
		for i := range from.Labels {
			l := &from.Labels[i]
			chain, err := ledger.ParseChain(l.Chain)
			if err != nil || chain != c.chain {
				continue
			}
			kind, _ := taint.KindNamed(l.Kind)
			if address, err := c.notation.ParseAddress(l.Address); err == nil {
				c.terminals[address] = taint.Terminal{Kind: kind, Entity: l.Entity}
			}
		}
		for _, victim := range from.Victims {
			if address, err := c.notation.ParseAddress(victim); err == nil {
				c.terminals[address] = taint.Terminal{Kind: taint.Recovered, Entity: from.Name + " victim"}
			}
		}
	}
}

// terminal says whether value that reaches an address in a transaction stops there.
// Conclusions count only where inferences do.
func (p *plan) terminal(c *chainPlan, r *record, number uint64, address ledger.Address, given *inflow) (taint.Terminal, bool) {
	a := p.answer(c, address)
	if r.track != nil {
		if _, before := r.track.asked[address]; !before {
			r.track.asked[address] = asked{a, store.TxNumber(number), c.end}
		}
	}
	if a.ok && a.terminal.Inferred() {
		r.concluded = true
		a.ok = !given.factsOnly
	}
	return a.terminal, a.ok && (a.by == byBridge || a.terminal.Kind != taint.Service || p.stopsAtServices())
}

// answer is what is said of an address: by the cases, by what is known of bridges, by
// labels. A bridge's own vault holds everybody's: what reaches it without a deposit that
// counts is lost in the bridge.
func (p *plan) answer(c *chainPlan, address ledger.Address) stopAnswer {
	if t, ok := c.terminals[address]; ok {
		return stopAnswer{t, true, byCase}
	}
	if p.established(c, address) {
		return stopAnswer{taint.Terminal{Kind: taint.InTransit, Entity: "vault of a bridge"}, true, byBridge}
	}
	if p.options.Terminals == nil {
		return stopAnswer{by: byLabels}
	}
	t, ok := p.options.Terminals(c.chain, address, c.end)
	return stopAnswer{t, ok, byLabels}
}

// established says whether an address is known as a bridge's vault.
func (p *plan) established(c *chainPlan, address ledger.Address) bool {
	return p.bridges != nil && p.bridges.matcher.Established(c.chain, address)
}

func (p *plan) stopsAtServices() bool {
	return !slices.ContainsFunc(p.cases, func(c *Case) bool { return c.StopAt.Services != nil && !*c.StopAt.Services })
}

func (c *chainPlan) asset(text string) (ledger.Asset, error) {
	if text == "" {
		return c.chain.Native(), nil
	}
	return c.chain.ParseAsset(text)
}

// findTx resolves a transaction identifier.
func (p *plan) findTx(ctx context.Context, c *chainPlan, text string) (store.TxNumber, error) {
	id, err := ledger.ParseHash(text)
	if err != nil {
		return 0, err
	}
	numbers, err := p.store.Find(ctx, c.chain, []ledger.Hash{id})
	if err != nil {
		return 0, err
	}
	if numbers[0] == store.NoTx {
		return 0, fmt.Errorf("transaction %s is not in the ledger (%s is held from height %d to %d)", text, c.chain.Short(), c.status.First, c.status.Height)
	}
	if numbers[0] >= c.end {
		return 0, fmt.Errorf("transaction %s is later than the moment asked for", text)
	}
	return numbers[0], nil
}

// cutLast splits "left:right" at the last colon.
func cutLast(text string) (left, right string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}
