package screen

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/screen/exposure"
	"coldtrail/screen/index"
	"coldtrail/screen/policy"
	"coldtrail/trace"
)

// pasts are the last few states of other times that were asked for.
type pasts struct {
	kept  map[time.Time]*taintThen
	order []time.Time
}

// taintThen is where stolen value was at a moment.
type taintThen struct {
	layer index.Layer
	heads map[string]exposure.Head
}

// maxPasts bounds the states that are kept.
const maxPasts = 8

func newPasts() *pasts { return &pasts{kept: map[time.Time]*taintThen{}} }

// At gives the verdict of another time: of what the chains held at q.At, by what was
// known at q.Known of who is behind addresses. Either may be 0 for now. It traces the
// cases up to that moment, which takes as long as a trace does; the last few moments are
// kept.
func (e *Engine) At(ctx context.Context, q *exposure.Question) (exposure.Verdict, error) {
	now := e.Now()
	if now == nil {
		return exposure.Verdict{}, errors.New("nothing was read yet")
	}
	if q.At == 0 && q.Known == 0 {
		var v exposure.Verdict
		now.Screen(q, &v) //nolint:contextcheck // guards ask without one, and what it looks up has its own limit
		return v, nil
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	k := *now
	basis := *now.basis
	basis.At, basis.Known, basis.Heads, basis.Nearby = q.At, q.Known, maps.Clone(basis.Heads), nil // without dealings
	k.basis, k.answers = &basis, newAnswers()
	k.layers = nil
	if q.At != 0 {
		then, err := e.then(ctx, time.Unix(q.At, 0).UTC())
		if err != nil {
			return exposure.Verdict{}, err
		}
		basis.Heads, k.layers = then.heads, []index.Layer{then.layer}
		k.chains = nil
		for _, c := range now.chains {
			if head, held := then.heads[string(c.chain)]; held {
				c.seen = heard(head)
				k.chains = append(k.chains, c)
			}
		}
	} else {
		k.layers = now.layers[1:2] // dealings are told by what is said today
	}
	var err error
	if k.view, err = index.NewView(k.layers...); err != nil {
		return exposure.Verdict{}, err
	}
	where := k.resolve(q)
	if where.tx {
		return exposure.Verdict{}, errors.New("a transaction has no verdict of another time: ask for its parties")
	}
	view := attribution.NewView(e.store, label.When{Known: q.Known}, 0)
	asked := then{q, &where, view, basis.Heads}
	facts, err := e.saidThen(ctx, &asked)
	if err != nil {
		return exposure.Verdict{}, err
	}
	owned, err := e.ownedThen(ctx, &asked)
	if err != nil {
		return exposure.Verdict{}, err
	}
	facts = append(facts, owned...)
	for i := range where.keys {
		facts = k.withoutItself(facts, where.keys[i])
	}
	facts = append(facts, k.facts(&where)...)
	v := k.decide(q, &where, policy.Normal(facts))
	v.Basis = &basis
	return v, nil
}

// saidThen is what was said about a subject as far as it was known at a moment.
func (e *Engine) saidThen(ctx context.Context, t *then) (facts []exposure.Fact, err error) {
	q, where, view := t.q, t.where, t.view
	var subjects []label.Subject
	if where.subject.Chain != "" {
		if s, _, err := label.ParseSubject(where.subject.Chain, where.subject.Address); err == nil {
			subjects = append(subjects, s)
		}
	} else {
		for _, network := range label.Guess(where.subject.Address) {
			if s, _, err := label.ParseSubject(string(network), where.subject.Address); err == nil {
				subjects = append(subjects, s)
			}
		}
	}
	lists, err := e.store.Claims(ctx, subjects)
	if err != nil {
		return nil, err
	}
	for _, claims := range lists {
		more, err := e.factsAbout(ctx, view, label.Ever(claims, q.Known))
		if err != nil {
			return nil, err
		}
		facts = append(facts, more...)
	}
	return facts, nil
}

// then traces the cases up to a moment.
func (e *Engine) then(ctx context.Context, moment time.Time) (*taintThen, error) {
	if t := e.past.kept[moment]; t != nil {
		return t, nil
	}
	t := &taintThen{heads: map[string]exposure.Head{}}
	statuses, err := e.store.Status(ctx)
	if err != nil {
		return nil, err
	}
	for i := range statuses {
		s := &statuses[i]
		for h, err := range e.store.Headers(ctx, s.Chain, s.First) {
			if err != nil {
				return nil, err
			}
			if h.Time > moment.Unix() {
				break
			}
			t.heads[string(s.Chain)] = exposure.Head{Height: uint64(h.Height), Hash: s.Chain.FormatHash(h.Hash), Time: h.Time, Seen: moment.Unix()}
		}
	}
	reached, err := e.reachedBy(ctx, moment)
	if err != nil {
		return nil, fmt.Errorf("trace up to %s: %w", moment.Format(time.RFC3339), err)
	}
	facts, err := e.taintFacts(ctx, reached, map[whose]total{})
	if err != nil {
		return nil, err
	}
	if t.layer, err = layerOf(facts, &index.SetsBuilder{}); err != nil {
		return nil, err
	}
	if len(e.past.order) >= maxPasts {
		delete(e.past.kept, e.past.order[0])
		e.past.order = e.past.order[1:]
	}
	e.past.kept[moment], e.past.order = t, append(e.past.order, moment)
	return t, nil
}

// reachedBy is what stolen value had reached at a moment. Cases whose thefts came later
// are left out.
func (e *Engine) reachedBy(ctx context.Context, moment time.Time) ([]trace.Reached, error) {
	options := e.traceOptions()
	options.AsOf, options.Mode = moment, trace.Targeted
	var cases []*trace.Case
	for _, c := range e.options.Cases {
		if err := trace.CheckAt(ctx, e.store, c, options); err == nil {
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 {
		return nil, nil
	}
	endings, err := attribution.NewEndings(ctx, e.store, e.view, e.options.Notations, attribution.Conclusions{Deposits: e.options.Deposits})
	if err != nil {
		return nil, err
	}
	before := e.endings
	e.endings = endings
	defer func() { e.endings = before }()
	result, err := trace.Run(ctx, e.store, cases, options)
	if err = errors.Join(err, endings.Err()); err != nil {
		return nil, err
	}
	return result.Reached(), nil
}
