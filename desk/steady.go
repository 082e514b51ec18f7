package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/desk/job"
	"coldtrail/store"
	"coldtrail/trace"
)

// state is what a store held when something was traced.
type state struct {
	statuses []store.Status
	labels   string
	rewinds  uint64
}

// steady is a store whose chains end where they ended at one moment, whatever comes since.
type steady struct {
	store.Questions

	statuses []store.Status
}

// Status lists the chains as they were.
func (s steady) Status(ctx context.Context) ([]store.Status, error) {
	return slices.Clone(s.statuses), ctx.Err()
}

// mostTries is how often a case is traced anew because the store changed meanwhile.
const mostTries = 4

// state is what the store holds now.
func (d *Desk) state(ctx context.Context) (s state, err error) {
	if d.options.Rewinds != nil {
		s.rewinds = d.options.Rewinds()
	}
	revision, err := d.options.Store.LabelRevision(ctx)
	if err != nil {
		return s, err
	}
	s.labels = revision.String()
	s.statuses, err = d.options.Store.Status(ctx)
	return s, err
}

// Steadily does something over a state of the store that does not change under it, and
// again where it changed all the same: blocks that it rests on were taken back, or labels
// came.
func (d *Desk) Steadily(ctx context.Context, do func(over store.Questions) error) error {
	_, err := d.steadily(ctx, do)
	return err
}

func (d *Desk) steadily(ctx context.Context, do func(over store.Questions) error) (state, error) {
	for range mostTries {
		before, err := d.state(ctx)
		if err != nil {
			return before, err
		}
		failed := do(steady{d.options.Store, before.statuses})
		if ctx.Err() != nil {
			return before, ctx.Err()
		}
		same, err := d.stands(ctx, &before)
		if err != nil {
			return before, err
		}
		if same {
			return before, failed
		}
	}
	return state{}, ErrUnsteady
}

// stands says whether everything that was held is held still.
func (d *Desk) stands(ctx context.Context, before *state) (bool, error) {
	now, err := d.state(ctx)
	if err != nil || now.rewinds != before.rewinds || now.labels != before.labels {
		return false, err
	}
	for i := range before.statuses {
		holds, err := d.holds(ctx, &before.statuses[i], now.statuses)
		if err != nil || !holds {
			return false, err
		}
	}
	return true, nil
}

// holds says whether a chain goes on from where it ended. One whose source gave no hashes
// is never taken back, but only made anew: then its end has another time or content.
func (d *Desk) holds(ctx context.Context, before *store.Status, now []store.Status) (bool, error) {
	i := slices.IndexFunc(now, func(s store.Status) bool { return s.Chain == before.Chain })
	if i < 0 || now[i].Height < before.Height || now[i].First != before.First {
		return false, nil
	}
	if now[i].Height == before.Height {
		return now[i].Content == before.Content, nil
	}
	for h, err := range d.options.Store.Headers(ctx, before.Chain, before.Height) {
		if errors.Is(err, store.ErrUnknownChain) {
			return false, nil
		}
		return err == nil && h.Height == before.Height && h.Hash == before.Hash && h.Time == before.Time, err
	}
	return false, nil
}

// isCurrent says whether the store holds nothing that would change an answer: as of a
// moment, no more blocks before it.
func (d *Desk) isCurrent(ctx context.Context, s *state, asOf int64) (bool, error) {
	now, err := d.state(ctx)
	if err != nil || now.labels != s.labels || len(now.statuses) != len(s.statuses) {
		return false, err
	}
	for i := range s.statuses {
		before, after := &s.statuses[i], &now.statuses[i]
		if before.Chain != after.Chain {
			return false, nil
		}
		if before.Content == after.Content {
			continue
		}
		if asOf == 0 || before.Time <= asOf {
			return false, nil
		}
		if holds, err := d.holds(ctx, before, now.statuses); err != nil || !holds {
			return false, err
		}
	}
	return true, nil
}

// traced traces a case by methods, all over one state of the store.
func (d *Desk) traced(ctx context.Context, x *subject, methods []string, progress job.Progress) ([]*made, error) {
	c, err := x.parse()
	if err != nil {
		return nil, err
	}
	var results []*trace.Result
	over, err := d.steadily(ctx, func(s store.Questions) error {
		results = nil
		for _, method := range methods {
			r, err := d.options.Trace(ctx, s, []*trace.Case{c}, Job{Method: method, AsOf: x.asOf, Progress: progress})
			if err != nil {
				return untraceable(err)
			}
			results = append(results, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]*made, len(results))
	for i, r := range results {
		list[i] = newMade(x, c, r, over, &d.options)
	}
	return list, nil
}

// untraceable marks an error of a trace that is not the program's own.
func untraceable(err error) error {
	if errors.Is(err, trace.ErrConservation) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUntraceable, err)
}
