package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
)

// Asked is a question that was answered.
type Asked struct {
	Question exposure.Question
	Outcome  exposure.Outcome
	// Level may be empty where it is not at hand; that it alone changed between the answer
	// and its being noted is then not seen.
	Level exposure.Level
	At    int64  // Unix seconds
	By    string // identifier of a key or a person; may be empty
}

// Screened notes that somebody asked, so that he hears when the answer changes. It never
// waits: what there is no room for is dropped and counted. It keeps nothing of the
// question's memory.
func (w *Watch) Screened(a *Asked) {
	q := &a.Question
	if q.Subject == "" || len(q.Subject) > casebook.MaxID || len(q.Chain) > casebook.MaxID || len(q.Asset) > casebook.MaxID {
		return // no address of any chain
	}
	kept := *a
	kept.Question.Subject, kept.Question.Chain = strings.Clone(q.Subject), strings.Clone(q.Chain)
	kept.Question.Asset, kept.Question.Purpose = ledger.Asset(strings.Clone(string(q.Asset))), exposure.Purpose(strings.Clone(string(q.Purpose)))
	kept.Outcome, kept.Level, kept.By = exposure.Outcomes[outcomeNumber(a.Outcome)], levels[levelNumber(a.Level)], strings.Clone(a.By)
	select {
	case w.queue <- kept:
	default:
		w.dropped.Add(1)
	}
}

// most is how many answers are noted in one transaction.
const most = 4096

// Flush notes who asked. It is to be called every second or so.
func (w *Watch) Flush(ctx context.Context, k *screen.Knowledge) (err error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	defer func() { w.report(noting, err) }()
	if !w.loaded {
		if err := w.load(ctx, k); err != nil {
			return err
		}
	}
	for range 1 + cap(w.queue)/most { // those that come meanwhile have their turn later
		w.draw()
		if len(w.pending) == 0 {
			break
		}
		if err := w.flush(ctx, k); err != nil {
			return err
		}
		w.pending = w.pending[:0]
	}
	if now := w.options.Clock().Unix(); now-w.trimmed >= 3600 {
		return w.letGo(ctx, w.options.Most)
	}
	return nil
}

// draw takes answers from the queue.
func (w *Watch) draw() {
	for len(w.pending) < most {
		select {
		case a := <-w.queue:
			w.pending = append(w.pending, a)
		default:
			return
		}
	}
}

// flush notes the answers that were drawn.
func (w *Watch) flush(ctx context.Context, k *screen.Knowledge) error {
	rows, fresh := make([]casebook.Screened, 0, len(w.pending)), map[place]subject{}
	for i := range w.pending {
		row, found, ok := judge(k, &w.pending[i]) //nolint:contextcheck // no transaction: nothing is asked of the ledger
		if !ok {
			continue
		}
		at := place{row.Subject, row.Chain}
		if held := w.screened.find(at); held != nil {
			row.Judged = 0 // the rounds see to what was found
			held.asked = max(held.asked, row.Asked)
		} else if w.unread(at) {
			row.Judged = 0 // what is held counts, and is read later
		} else if before, met := fresh[at]; met {
			row.Judged = 0
			before.asked = max(before.asked, row.Asked)
			fresh[at] = before
		} else {
			fresh[at] = subject{place: at, asked: row.Asked, state: found}
		}
		rows = append(rows, row)
	}
	if err := w.keep(ctx, rows); err != nil {
		return err
	}
	for _, s := range fresh {
		w.screened.add(s)
		w.screened.again(s.place)
	}
	if len(w.screened.list) > w.options.Most {
		return w.letGo(ctx, w.options.Most-w.options.Most/10) // with some room, for this takes long
	}
	return nil
}

// judge says what there is to note of an answer, and what was found of its subject. Where
// the same question would have another answer by now, what was answered counts, and the
// next round finds the change. It says false where there is nothing to look at again.
func judge(k *screen.Knowledge, a *Asked) (row casebook.Screened, found state, ok bool) {
	if isTransaction(a.Question.Subject) {
		return row, found, false
	}
	var v, now exposure.Verdict
	k.Screen(&exposure.Question{Subject: a.Question.Subject, Chain: a.Question.Chain}, &v)
	at := place{v.Subject, v.Chain}
	if !isAddress(&v) || !keepable(&at) {
		return row, found, false
	}
	row = casebook.Screened{Subject: at.address, Chain: at.chain, Outcome: v.Outcome, Level: v.Level, Judged: a.At, Asked: max(a.At, 1)}
	if printable(a.By) {
		row.By = a.By
	}
	found = stateOf(&v)
	if a.Question.At != 0 || a.Question.Known != 0 {
		return row, found, true // that answer was about another time
	}
	k.Screen(&a.Question, &now)
	if told := stateGiven(a.Outcome, a.Level); told.differs(stateOf(&now)) {
		row.Outcome, row.Level, found = a.Outcome, a.Level, told
	}
	return row, found, true
}

func (w *Watch) keep(ctx context.Context, rows []casebook.Screened) error {
	err := w.options.Book.KeepScreened(ctx, rows)
	var invalid *casebook.InvalidError
	if errors.As(err, &invalid) { // and would be again
		w.dropped.Add(uint64(len(rows)))
		w.options.Log.LogAttrs(ctx, slog.LevelError, "the casebook does not take who asked", slog.Any("error", err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// isTransaction says that a text has the form of a transaction's identifier. What happened
// in a transaction changes no more; its parties are looked at by their addresses.
func isTransaction(text string) bool {
	text = strings.TrimPrefix(text, "0x")
	return len(text) == 64 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// isAddress says that a verdict is about an address of some chain.
func isAddress(v *exposure.Verdict) bool {
	return !slices.ContainsFunc(v.Reasons, func(r exposure.Reason) bool { return r.Code == "not-an-address" })
}

// keepable says whether a casebook takes a subject.
func keepable(at *place) bool {
	return at.address != "" && printable(at.address) && printable(at.chain)
}

func printable(id string) bool {
	return len(id) <= casebook.MaxID && strings.IndexFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}
