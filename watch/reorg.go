package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"coldtrail/casebook"
	"coldtrail/ledger"
)

// TakenBack withdraws the alerts that follow from blocks of a chain above a fork, as far as
// those are no longer held, and forgets what they changed: if it still holds, a later
// round finds it again. It does not wait for a round that is under way; the next begins
// with what was left, as it does with what failed.
func (w *Watch) TakenBack(ctx context.Context, chain ledger.Chain, fork ledger.Height) (err error) {
	w.doubt(chain, fork+1)
	if !w.turn.TryLock() {
		w.Wake()
		return nil
	}
	defer w.turn.Unlock()
	defer func() { w.report(withdrawing, err) }()
	if !w.loaded {
		return nil // all is looked through when it is
	}
	return w.takeBack(ctx)
}

// doubt notes from which height on blocks may have vanished.
func (w *Watch) doubt(chain ledger.Chain, from ledger.Height) {
	w.doubting.Lock()
	defer w.doubting.Unlock()
	if lowest, ok := w.forks[chain]; !ok || from < lowest {
		w.forks[chain] = from
	}
}

// doubts are the chains of which blocks may have vanished.
func (w *Watch) doubts() map[ledger.Chain]ledger.Height {
	w.doubting.Lock()
	defer w.doubting.Unlock()
	return maps.Clone(w.forks)
}

// takeBack withdraws what has to be.
func (w *Watch) takeBack(ctx context.Context) error {
	for chain, from := range w.doubts() {
		// What vanishes from now on is another doubt.
		w.doubting.Lock()
		delete(w.forks, chain)
		w.doubting.Unlock()
		if err := w.takeBackOf(ctx, chain, from); err != nil {
			w.doubt(chain, from)
			return err
		}
	}
	return nil
}

func (w *Watch) takeBackOf(ctx context.Context, chain ledger.Chain, from ledger.Height) error {
	gone, err := w.gone(ctx, chain, from)
	if err != nil {
		return err
	}
	for blocks := range slices.Chunk(gone, together) {
		said, err := w.options.Book.Withdraw(ctx, casebook.Withdrawal{Blocks: blocks, Why: "the block is no longer of its chain", At: w.options.Clock().Unix()})
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		w.count.withdrawn += uint64(len(said))
		w.tell(said)
		if err := w.restore(ctx, said); err != nil {
			return err
		}
	}
	return nil
}

// gone are the causes of standing alerts that are held no longer.
func (w *Watch) gone(ctx context.Context, chain ledger.Chain, from ledger.Height) ([]casebook.Cause, error) {
	causes, err := w.options.Book.Causes(ctx, string(chain), uint64(from))
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	var gone []casebook.Cause
	for i := range causes {
		if w.options.Held != nil {
			held, err := w.stands(ctx, &causes[i])
			if err != nil {
				return nil, err
			}
			if held {
				continue
			}
		}
		gone = append(gone, causes[i])
	}
	return gone, nil
}

// restore puts subjects back to what was found before the first of the alerts that were
// withdrawn.
func (w *Watch) restore(ctx context.Context, said []casebook.Alert) error {
	first := map[topic]casebook.Alert{}
	for i := range said {
		a, err := w.options.Book.Alert(ctx, said[i].Withdraws)
		if err != nil {
			w.loaded = false // all is read anew
			return fmt.Errorf("watch: %w", err)
		}
		if before, ok := first[topicOf(&a)]; (a.Kind == casebook.WatchHit || a.Kind == casebook.VerdictChanged) && (!ok || a.Sequence < before.Sequence) {
			first[topicOf(&a)] = a
		}
	}
	topics := make([]topic, 0, len(first))
	for t := range first {
		topics = append(topics, t)
	}
	slices.SortFunc(topics, func(a, b topic) int { return cmp.Compare(first[a].Sequence, first[b].Sequence) })
	var rows []casebook.Screened
	for _, t := range topics {
		var f Finding
		if err := json.Unmarshal(first[t].Body, &f); err != nil {
			continue // not one of ours
		}
		if err := w.recall(ctx, t); err != nil {
			w.loaded = false
			return err
		}
		from := stateGiven(f.From.Outcome, f.From.Level)
		w.put(t, from)
		if t.kind == casebook.VerdictChanged {
			rows = append(rows, casebook.Screened{Subject: t.address, Chain: t.chain, Outcome: f.From.Outcome, Level: f.From.Level, Judged: w.options.Clock().Unix()})
		}
	}
	for part := range slices.Chunk(rows, casebook.MaxBatch) {
		if err := w.options.Book.KeepScreened(ctx, part); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	return nil
}

// put sets what is known of a subject and has it looked at next.
func (w *Watch) put(t topic, s state) {
	in := &w.members
	if t.kind == casebook.VerdictChanged {
		in = &w.screened
	}
	if found := in.find(t.place); found != nil {
		found.state = s
		in.again(t.place)
	}
}

// recall finds the newest alert on a topic that stands.
func (w *Watch) recall(ctx context.Context, t topic) error {
	delete(w.last, t)
	filter := casebook.AlertFilter{Kind: t.kind, State: casebook.Standing, Subject: t.address, Chain: t.chain}
	for {
		page, err := w.options.Book.Alerts(ctx, filter)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		for i := range page {
			if page[i].Chain == t.chain {
				w.note(&page[i])
			}
			filter.After = page[i].Sequence
		}
		if len(page) < casebook.MaxPage {
			return nil
		}
	}
}

// heldState is what a subject is taken for that is looked at for the first time.
func (w *Watch) heldState(kind casebook.AlertKind, at place) state {
	if h, ok := w.last[topic{kind, at}]; ok {
		return h.state
	}
	return clean
}
