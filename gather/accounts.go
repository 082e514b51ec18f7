package gather

import (
	"context"
	"fmt"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// accounts gathers on an account chain: the history of every address that holds taint.
type accounts struct {
	*gatherer
	explorer Accounts
	done     map[ledger.Address]bool
}

func (a *accounts) asked() int { return len(a.done) }

func (a *accounts) open(result *trace.Result) (open []string) {
	for _, place := range a.held(result) {
		if address, err := a.notation.ParseAddress(place); err == nil && !a.done[address] {
			open = append(open, place)
		}
	}
	return open
}

func (a *accounts) ask(ctx context.Context, place string) error {
	address, err := a.notation.ParseAddress(place)
	if err != nil {
		return err
	}
	a.done[address] = true
	within := Span{a.first, a.options.Head}
	key := fmt.Sprintf("address-%x-%d-%d", address.Bytes(), within.From, within.To)
	answer, err := a.cached(key, func() (Answer, error) { return a.explorer.Touching(ctx, address, within, a.options.MaxTxs) })
	if err != nil {
		return fmt.Errorf("history of %s: %w", place, err)
	}
	if answer.More {
		a.busy[address] = true
	}
	for _, block := range answer.Blocks {
		a.merge(block)
	}
	return nil
}
