package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

// Silence is the body of an alert about a chain that fell silent, or was heard again.
type Silence struct {
	State string `json:"state"` // Silent or Heard
	// Last is when the chain's source was last heard, Unix seconds.
	Last   int64  `json:"last"`
	Policy string `json:"policy"` // which says how old data may be
	After  string `json:"after,omitempty"`
}

// The states of a chain.
const (
	Silent = "stale"
	Heard  = "current"
)

// Stale makes an alert of every followed chain whose source was not heard for longer than
// the policy allows, and another when it is heard again. It is to be called every few
// seconds, for silence is announced by nothing.
func (w *Watch) Stale(ctx context.Context, k *screen.Knowledge) (err error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	defer func() { w.report(listening, err) }()
	if !w.loaded {
		if err := w.load(ctx, k); err != nil {
			return err
		}
	}
	for _, chain := range w.followed(k) {
		last := w.lastHeard(k, chain)
		silent := tooOld(k.Policy(), last, w.options.Clock().Unix())
		if silent == w.silent[chain] {
			continue
		}
		if err := w.sayStale(ctx, k, chain, last, silent); err != nil {
			return err
		}
		w.silent[chain] = silent
	}
	return nil
}

// followed are the chains that ought to be heard, in order.
func (w *Watch) followed(k *screen.Knowledge) []ledger.Chain {
	chains := map[ledger.Chain]bool{}
	for _, chain := range w.options.Followed {
		chains[chain] = true
	}
	for chain, head := range k.Basis().Heads {
		if head.Seen != 0 {
			chains[ledger.Chain(chain)] = true
		}
	}
	return slices.Sorted(maps.Keys(chains))
}

// lastHeard is when a chain's source was last heard; of one that was not since the start,
// the start or its newest block counts, whichever is later.
func (w *Watch) lastHeard(k *screen.Knowledge, chain ledger.Chain) int64 {
	head, ok := k.Basis().Heads[string(chain)]
	switch {
	case !ok:
		return w.started
	case head.Seen == 0:
		return max(head.Time, w.started) // it may be about to be heard
	}
	return head.Seen
}

// tooOld asks the policy whether data that was current at a moment is too old at another.
func tooOld(p *policy.Policy, seen, now int64) bool {
	v := p.Decide(&exposure.Question{}, policy.Subject{Held: true, Seen: seen}, nil, now)
	return slices.ContainsFunc(v.Reasons, func(r exposure.Reason) bool { return r.Code == "stale" })
}

func (w *Watch) sayStale(ctx context.Context, k *screen.Knowledge, chain ledger.Chain, last int64, silent bool) error { //nolint:revive // what is said, not how
	about := topic{casebook.DataStale, place{string(chain), string(chain)}}
	s := Silence{State: Heard, Last: last, Policy: k.Policy().String(), After: w.last[about].id}
	if silent {
		s.State = Silent
	}
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	_, err = w.raise(ctx, []casebook.Alert{{Kind: about.kind, Subject: about.address, Chain: about.chain, Body: body, Created: w.options.Clock().Unix()}})
	return err
}
