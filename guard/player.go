package guard

import (
	"context"
	"fmt"

	"coldtrail/screen/breaker"
)

// player plays a venue's log into a breaker.
type player struct {
	book    Book
	id      string
	machine *breaker.Machine
	// number and sequence are of the last line, in the venue's log and in the casebook.
	number, sequence int64
}

// page is how many lines are read at once. A part of a snapshot is a large one.
const page = 256

// lines calls with every line after a number of the casebook, and stops where do says so.
func (p *player) lines(ctx context.Context, after int64, do func(*line) (more bool, err error)) error {
	for {
		events, err := p.book.EventsAfter(ctx, p.id, after, page)
		if err != nil {
			return err
		}
		for i := range events {
			after = events[i].Sequence
			l, err := readLine(&events[i])
			if err != nil {
				return err
			}
			if more, err := do(l); err != nil || !more {
				return err
			}
		}
		if len(events) < page {
			return nil
		}
	}
}

// play plays the next line, and says what the breaker says now.
func (p *player) play(ctx context.Context, l *line) (*breaker.Output, error) {
	if l.Part != nil {
		return nil, nil //nolint:nilnil // parts of snapshots say nothing
	}
	if l.number != p.number+1 {
		return nil, fmt.Errorf("%w: line %d of %q follows line %d", ErrLog, l.number, p.id, p.number)
	}
	p.number, p.sequence = l.number, l.sequence
	switch {
	case l.Config != nil:
		machine, err := p.begin(ctx, l.Config, l.sequence)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d of %q: %w", ErrLog, l.number, p.id, err)
		}
		p.machine = machine
		return nil, nil //nolint:nilnil // what is played anew was said before
	case p.machine == nil:
		return nil, fmt.Errorf("%w: %q does not begin with a configuration", ErrLog, p.id)
	case l.Input == nil:
		return nil, nil //nolint:nilnil // a proposal changes no state
	}
	out, err := p.machine.Apply(l.Input)
	if err != nil && l.Error == "" {
		return nil, fmt.Errorf("%w: line %d of %q: %w", ErrLog, l.number, p.id, err)
	}
	return &out, nil
}

// begin makes a breaker under another configuration, and plays what was recorded of the
// last weeks before a line of the casebook.
func (p *player) begin(ctx context.Context, c *configured, before int64) (*breaker.Machine, error) {
	config, err := breaker.ParseConfig([]byte(c.Text))
	if err != nil {
		return nil, err
	}
	machine, err := breaker.New(&config)
	if err != nil || c.After < 0 {
		return machine, err
	}
	err = p.lines(ctx, c.After, func(l *line) (bool, error) {
		if l.sequence >= before {
			return false, nil
		}
		if l.Input != nil {
			_, _ = machine.Apply(l.Input) // what another configuration forgot, or does not take, is left out
		}
		return true, nil
	})
	return machine, err
}

// anew says from which line on a new configuration plays what was recorded: two weeks, or
// twice as long as anything is remembered.
func (p *player) anew(ctx context.Context, config *breaker.Config) (int64, error) {
	if p.machine == nil {
		return -1, nil
	}
	const day = 86_400
	since := p.machine.Clock() - 2*max(config.Long, config.Novel.Age, config.Novel.WarmUp, config.Common.Age, 7*day)
	after := int64(0)
	err := p.lines(ctx, 0, func(l *line) (bool, error) {
		if l.moment >= since && l.Part == nil {
			return false, nil
		}
		after = l.sequence
		return true, nil
	})
	return after, err
}
