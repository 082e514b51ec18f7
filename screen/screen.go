// Package screen keeps what is known of addresses ready for whoever has to decide at
// once: what labels say, what rules conclude, what stolen value did. One state of
// knowledge never changes; a newer one takes its place in one step, so that every answer
// rests on exactly the blocks, labels, cases and rules that its basis names.
package screen

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/screen/proximity"
	"coldtrail/store"
	"coldtrail/trace"
)

// Options are the choices of an engine.
type Options struct {
	// Notations is required.
	Notations trace.Notations
	// Policy decides; nil is the bundled one.
	Policy *policy.Policy
	// Cases are the open cases, whose stolen value is followed.
	Cases []*trace.Case
	// Trace are the choices of the trace. The engine sets what it needs for itself.
	Trace trace.Options
	// Deposits lets traces stop at addresses whose value is swept into a service's
	// wallets.
	Deposits bool
	// Clusters opens the clusters whose members are told what is said of others of the same
	// owner; it is asked again whenever labels are read again, when those that it gave
	// before are used no more. Nil for none.
	Clusters func(ctx context.Context) ([]*attribution.Clusters, error)
	// Now is the clock, in Unix seconds.
	Now func() int64
}

// Engine keeps the newest state of knowledge. Now is for anybody; everything but Trouble takes
// turns with a lock, which also keeps the store from changing at the wrong moment: see
// Hold.
type Engine struct {
	store   store.Store
	options Options
	now     atomic.Pointer[Knowledge]

	turn     sync.Mutex
	live     *trace.Live
	view     *attribution.View
	endings  *attribution.Endings
	revision string      // of the labels
	digest   string      // of the cases
	said     index.Layer // what labels and cases say
	taint    index.Layer // what stolen value did
	sets     index.SetsBuilder
	definers map[string]bool // claims that hold for all of an owner's addresses
	known    map[ledger.Chain]*notorious
	owned    owned
	dealings dealings
	limits   proximity.Limits
	totals   map[whose]total
	ends     map[ledger.Chain]store.Status // of the last advance
	seen     map[ledger.Chain]int64
	past     *pasts
	serial   uint64
	trouble  atomic.Pointer[error]
}

// NewEngine makes an engine that knows nothing until Rebuild.
func NewEngine(s store.Store, options Options) (*Engine, error) {
	if options.Notations == nil || options.Now == nil {
		return nil, errors.New("an engine needs notations and a clock")
	}
	if options.Policy == nil {
		options.Policy = policy.Default()
	}
	return &Engine{store: s, options: options, totals: map[whose]total{}, ends: map[ledger.Chain]store.Status{}, seen: map[ledger.Chain]int64{}, past: newPasts(), limits: nearbyLimits}, nil
}

// Now is the newest state of knowledge, nil before there is one.
func (e *Engine) Now() *Knowledge { return e.now.Load() }

// Hold keeps the engine from reading the store while it is changed.
func (e *Engine) Hold(change func() error) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	return change()
}

// HoldFor is Hold, given up where the context ends before it is its turn.
func (e *Engine) HoldFor(ctx context.Context, change func() error) error {
	turn := make(chan struct{})
	go func() {
		e.turn.Lock()
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			e.turn.Unlock()
		}
	}()
	select {
	case <-turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer e.turn.Unlock()
	return change()
}

// Trouble is why the stolen value of the open cases is not followed, nil where it is.
func (e *Engine) Trouble() error {
	if err := e.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// Rebuild reads labels anew and traces the cases from scratch. It is needed where labels,
// cases or the policy have changed; the state before answers until it is done.
func (e *Engine) Rebuild(ctx context.Context, cases []*trace.Case, rules *policy.Policy) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	e.options.Cases, e.digest = cases, trace.CaseDigest(cases)
	if rules != nil {
		e.options.Policy = rules
	}
	revision, err := e.store.LabelRevision(ctx)
	if err != nil {
		return err
	}
	e.revision = revision.String()
	e.view = attribution.NewView(e.store, label.When{}, 0)
	if e.said, err = e.read(ctx); err != nil {
		return fmt.Errorf("read labels: %w", err)
	}
	if err := e.know(e.said); err != nil {
		return err
	}
	if err := e.reopen(ctx); err != nil {
		return fmt.Errorf("clusters: %w", err)
	}
	e.live, e.totals, e.past = nil, map[whose]total{}, newPasts()
	return e.advance(ctx)
}

// Advance takes in what the store holds by now.
func (e *Engine) Advance(ctx context.Context) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if e.view == nil {
		return errors.New("nothing was read yet")
	}
	return e.advance(ctx)
}

// Heard notes that a chain's source had nothing newer than what is held, at a moment in
// Unix seconds.
func (e *Engine) Heard(chain ledger.Chain, moment int64) {
	e.turn.Lock()
	defer e.turn.Unlock()
	e.seen[chain] = max(e.seen[chain], moment)
	before := e.now.Load()
	if before == nil {
		return
	}
	head, ok := before.basis.Heads[string(chain)]
	if !ok || head.Seen >= moment {
		return
	}
	basis := *before.basis
	basis.Heads = maps.Clone(basis.Heads)
	head.Seen = moment
	basis.Heads[string(chain)] = head
	e.serial++
	basis.Index = e.serial
	e.now.Store(before.with(&basis))
}

// advance follows the stolen value and puts the next state in place. Where a case cannot
// be followed the others are, and Trouble says so.
func (e *Engine) advance(ctx context.Context) error {
	statuses, err := e.store.Status(ctx)
	if err != nil {
		return err
	}
	if err := e.forgetTotals(ctx, statuses); err != nil {
		return err
	}
	reached, err := e.follow(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	refused := err
	e.trouble.Store(&refused)
	taint, err := e.taintLayer(ctx, reached)
	if err != nil {
		return err
	}
	dealt, err := e.dealtLayer(ctx, statuses)
	if err != nil {
		return err
	}
	owned, err := e.ownedLayers(ctx)
	if err != nil {
		return fmt.Errorf("clusters: %w", err)
	}
	next, err := Assemble(e.store, e.options, e.basis(statuses), append([]index.Layer{e.said, taint, dealt}, owned...)...)
	if err != nil {
		return err
	}
	e.now.Store(next)
	return nil
}

// follow brings the trace up to the store, and starts one with the cases that the store
// bears out where there is none.
func (e *Engine) follow(ctx context.Context) ([]trace.Reached, error) {
	if len(e.options.Cases) == 0 {
		return nil, nil
	}
	var refused error
	if e.live == nil {
		cases, err := e.held(ctx)
		if err != nil {
			refused = err
		}
		if len(cases) == 0 {
			return nil, refused
		}
		if e.live, err = trace.NewLive(e.store, cases, e.traceOptions()); err != nil {
			return nil, err
		}
	}
	endings, err := attribution.NewEndings(ctx, e.store, e.view, e.options.Notations, attribution.Conclusions{Deposits: e.options.Deposits})
	if err != nil {
		return nil, err
	}
	e.endings = endings
	if err := errors.Join(e.live.Advance(ctx), endings.Err()); err != nil {
		e.live = nil
		return nil, err
	}
	return e.live.Reached(), refused
}

// held lists the cases whose thefts the store holds, and why the others are left out.
func (e *Engine) held(ctx context.Context) (cases []*trace.Case, refused error) {
	for _, c := range e.options.Cases {
		if err := trace.CheckAt(ctx, e.store, c, e.traceOptions()); err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		cases = append(cases, c)
	}
	return cases, refused
}

func (e *Engine) traceOptions() trace.Options {
	o := e.options.Trace
	o.Notations, o.Crossings, o.Reach, o.LabelRevision = e.options.Notations, true, true, e.revision
	o.Terminals, o.Sources = Stops(func() *attribution.Endings { return e.endings })
	return o
}

// basis names what the state rests on.
func (e *Engine) basis(statuses []store.Status) *exposure.Basis {
	e.serial++
	b := &exposure.Basis{
		Index: e.serial, Heads: map[string]exposure.Head{}, Labels: e.revision, Policy: e.options.Policy.String(), Cases: e.digest,
		Rules: trace.RulesVersion, Owners: e.owned.rules, Nearby: e.nearby(),
	}
	for i := range statuses {
		s := &statuses[i]
		head := exposure.Head{Height: uint64(s.Height), Time: s.Time, Seen: e.seen[s.Chain]}
		if !s.Hash.IsZero() {
			head.Hash = s.Chain.FormatHash(s.Hash)
		}
		b.Heads[string(s.Chain)] = head
	}
	return b
}
