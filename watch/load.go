package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
)

// idle is how often watch-lists are read and everybody is looked at where nothing is said
// to have changed, in seconds: another program may have changed a list, and what people
// say may begin or end by the clock alone.
const idle = 600

// ready reads what has to be read before anybody is looked at.
func (w *Watch) ready(ctx context.Context, k *screen.Knowledge) error {
	if !w.loaded {
		if err := w.load(ctx, k); err != nil {
			return err
		}
	}
	now := w.options.Clock().Unix()
	if w.dirty.Swap(false) || now-w.listed >= idle {
		if err := w.readLists(ctx, k); err != nil {
			w.dirty.Store(true)
			return err
		}
		w.listed = now
	}
	return w.takeBack(ctx)
}

// load reads the casebook.
func (w *Watch) load(ctx context.Context, k *screen.Knowledge) error {
	w.last, w.silent = map[topic]heard{}, map[ledger.Chain]bool{}
	w.members, w.screened, w.lists, w.basis = table{}, table{}, map[place]place{}, nil
	for _, kind := range []casebook.AlertKind{casebook.WatchHit, casebook.VerdictChanged, casebook.DataStale} {
		if err := w.readAlerts(ctx, kind); err != nil {
			return err
		}
	}
	w.listed = w.options.Clock().Unix()
	if err := w.readLists(ctx, k); err != nil {
		return err
	}
	if err := w.letGo(ctx, w.options.Most); err != nil {
		return err
	}
	w.reading, w.after = true, casebook.Screened{}
	if err := w.readScreened(ctx, time.Time{}); err != nil { // a page; most casebooks hold no more
		return err
	}
	for chain := range k.Basis().Heads {
		w.doubt(ledger.Chain(chain), 0) // it may have been reorganised while nobody looked
	}
	w.loaded = true
	return nil
}

// readAlerts notes the newest standing alert on every topic.
func (w *Watch) readAlerts(ctx context.Context, kind casebook.AlertKind) error {
	filter := casebook.AlertFilter{Kind: kind}
	for {
		page, err := w.options.Book.Alerts(ctx, filter)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		for i := range page {
			filter.After = page[i].Sequence
			if page[i].State != casebook.Standing {
				w.unsay(&page[i])
				continue
			}
			w.note(&page[i])
			if kind == casebook.DataStale {
				var s Silence
				if err := json.Unmarshal(page[i].Body, &s); err == nil {
					w.silent[ledger.Chain(page[i].Chain)] = s.State == Silent
				}
			}
		}
		if len(page) < casebook.MaxPage {
			return nil
		}
	}
}

// unsay notes an alert that was withdrawn: what was found before it counts.
func (w *Watch) unsay(a *casebook.Alert) {
	var f Finding
	h, ok := w.last[topicOf(a)]
	if err := json.Unmarshal(a.Body, &f); err == nil && !ok {
		h.state = stateGiven(f.From.Outcome, f.From.Level)
	}
	h.created = a.Created
	w.last[topicOf(a)] = h
}

// readScreened reads who was screened and what was last found, for a while, and at least
// some: a million takes minutes, in which others are not to wait.
func (w *Watch) readScreened(ctx context.Context, until time.Time) error {
	since := w.options.Clock().Unix() - int64(w.options.Keep.Seconds())
	for w.reading {
		page, err := w.options.Book.ScreenedSince(ctx, since, w.after, 0)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		before := len(w.screened.list)
		for i := range page {
			w.recognise(&page[i])
		}
		w.screened.left += len(w.screened.list) - before
		if len(page) < casebook.MaxPage {
			w.reading = false
			return nil
		}
		if w.after = page[len(page)-1]; !w.options.Clock().Before(until) {
			return nil
		}
	}
	return nil
}

// recognise adds a subject that the casebook holds.
func (w *Watch) recognise(s *casebook.Screened) {
	at := place{s.Subject, s.Chain}
	if isTransaction(s.Subject) || w.screened.find(at) != nil {
		return
	}
	one := subject{place: at, asked: s.Asked, state: stateGiven(s.Outcome, s.Level)}
	if h, ok := w.last[topic{casebook.VerdictChanged, at}]; ok && h.created >= s.Judged {
		one.state = h.state // what was found then was told and not noted
	}
	w.screened.add(one)
}

// unread says whether what the casebook holds of a subject is still to be read.
func (w *Watch) unread(at place) bool {
	return w.reading && cmp.Or(strings.Compare(at.address, w.after.Subject), strings.Compare(at.chain, w.after.Chain)) > 0
}

// letGo forgets subjects about whom nobody asked for long, and all beyond most.
func (w *Watch) letGo(ctx context.Context, most int) error {
	now := w.options.Clock().Unix()
	before := now - int64(w.options.Keep.Seconds())
	gone, err := w.options.Book.ForgetScreened(ctx, before, int64(most))
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	w.trimmed = now
	w.count.letGo += uint64(gone)
	w.screened.retain(before, most)
	return nil
}

// readLists reads who is on a watch-list that counts. Who was on one before keeps what was
// found of him.
func (w *Watch) readLists(ctx context.Context, k *screen.Knowledge) error {
	lists, err := w.options.Book.Watchlists(ctx)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	fresh, known := table{names: [][]string{}}, map[place]place{}
	for i := range lists {
		if lists[i].Ended != 0 {
			continue
		}
		if err := w.readMembers(ctx, k, lists[i].ID, &fresh, known); err != nil {
			return err
		}
	}
	for _, at := range w.members.first {
		fresh.again(w.members.list[at].place)
	}
	fresh.begin()
	w.members, w.lists = fresh, known
	return nil
}

func (w *Watch) readMembers(ctx context.Context, k *screen.Knowledge, list string, into *table, known map[place]place) error {
	after := casebook.Member{}
	for {
		page, err := w.options.Book.Members(ctx, list, after, 0)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		for i := range page {
			written := place{page[i].Address, page[i].Chain}
			if isTransaction(written.address) {
				continue
			}
			at, ok := w.lists[written]
			if !ok {
				at = canonical(k, written) //nolint:contextcheck // no transaction: nothing is asked of the ledger
			}
			known[written] = at
			w.enlist(into, at, list)
		}
		if len(page) < casebook.MaxPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// enlist adds a member of a list.
func (w *Watch) enlist(into *table, at place, list string) {
	if i, ok := into.at[at]; ok {
		if !slices.Contains(into.names[i], list) {
			into.names[i] = append(slices.Clone(into.names[i]), list)
		}
		return
	}
	one := subject{place: at, state: w.heldState(casebook.WatchHit, at)}
	if before := w.members.find(at); before != nil {
		one.state, one.mark = before.state, before.mark
	}
	into.add(one)
	into.names = append(into.names, []string{list})
}

// canonical is the one form of what somebody wrote.
func canonical(k *screen.Knowledge, written place) place {
	var v exposure.Verdict
	k.Screen(&exposure.Question{Subject: written.address, Chain: written.chain}, &v)
	if !isAddress(&v) {
		return written
	}
	return place{v.Subject, v.Chain}
}
