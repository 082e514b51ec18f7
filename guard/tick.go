package guard

import (
	"context"
	"errors"
	"fmt"

	"coldtrail/screen/breaker"
)

// Tick lets time pass at every venue: it takes in the newest blocks (Advance), tells the
// breakers the time and how old the data is, tells transitions that could not be told
// before, and saves states that are due. It is to be called every few seconds, and at
// once after Open: it reads the logs, and says which cannot be read.
func (g *Guard) Tick(ctx context.Context) error {
	errs := []error{g.Advance(ctx)}
	now := g.options.Now()
	for _, v := range g.all() {
		if !v.guarded() {
			continue
		}
		err := v.do(ctx, func(ctx context.Context) error {
			if err := v.beat(now); err != nil {
				return err
			}
			if err := v.keep(ctx); err != nil {
				return err
			}
			return v.retell(ctx)
		})
		if err == nil {
			err = v.save(ctx, v.due)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("venue %q: %w", v.id, err))
		}
	}
	return errors.Join(errs...)
}

// tell tells the breaker something about an event. One that it has forgotten is left out.
func (v *venue) tell(in *breaker.Input) error {
	_, err := v.apply(in, nil)
	if errors.Is(err, breaker.ErrUnknown) {
		return nil
	}
	return err
}
