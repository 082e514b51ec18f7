package guard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/breaker"
	"coldtrail/screen/exposure"
)

// The bounds of what is posted.
const (
	maxText = 256 // bytes of an identifier
	maxUses = 1000
	maxSkew = 60 // seconds that a venue's clock may be ahead
	// maxGap is how far the breaker's clock is moved at once.
	maxGap = 30 * 86_400
)

// asked is a use on its way to the breaker.
type asked struct {
	event    breaker.Event
	identity string
	note     used
}

// answer is where a decision is found: on a line of this turn, or by its number.
type answer struct {
	line     *line
	sequence int64
}

// Use says what is to be done with uses of a venue, in their order. What they carry of
// taint is not looked at: it is screened here.
//
// A use that was decided has the same decision again: as long as the breaker remembers
// events, under its identifier, whatever moment it carries. Where the decision named a
// moment to ask again (Until), it is decided anew from then on. Its identifier for another
// use is ErrConflict. With any error the use must be held.
func (g *Guard) Use(ctx context.Context, venue string, uses []breaker.Event) ([]Decision, error) {
	v, err := g.venue(venue)
	if err != nil {
		return nil, err
	}
	if !v.guarded() {
		return nil, fmt.Errorf("%w: %q has ended", ErrNotFound, venue)
	}
	s, err := v.rules()
	if err != nil {
		return nil, err
	}
	if len(uses) == 0 || len(uses) > maxUses {
		return nil, fmt.Errorf("%w: 1 to %d uses are taken at once, and these are %d", ErrInvalid, maxUses, len(uses))
	}
	now, k := g.options.Now(), g.options.Know()
	list := make([]*asked, len(uses))
	for i := range uses {
		if err := checkUse(&uses[i], venue, now); err != nil {
			return nil, err
		}
		a := &asked{event: uses[i], identity: identity(&uses[i])}
		a.event.Venue = ""
		a.note = used{Asked: a.identity, Chain: chainOf(s, &a.event)}
		if err := g.examine(ctx, k, s, a); err != nil {
			return nil, err
		}
		list[i] = a
	}
	var answers []answer
	err = v.do(ctx, func(context.Context) error {
		var err error
		answers, err = v.decide(list, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.decisions(ctx, answers)
}

// checkUse refuses what is no use.
func checkUse(e *breaker.Event, venue string, now int64) error {
	switch {
	case e.ID == "" || e.Route == "" || e.Sender == "" || e.Moment <= 0:
		return fmt.Errorf("%w: a use has an id, a moment, a route and a sender", ErrInvalid)
	case e.Venue != "" && e.Venue != venue:
		return fmt.Errorf("%w: the use is of venue %q", ErrInvalid, e.Venue)
	case e.Moment > now+maxSkew:
		return fmt.Errorf("%w: the use %.50q is from the future", ErrInvalid, e.ID)
	}
	for _, text := range []string{e.ID, e.Route, e.Sender, e.Origin, e.Receiver, e.Funder, e.Cluster, e.Fingerprint, string(e.Asset)} {
		if len(text) > maxText || !isText(text) {
			return fmt.Errorf("%w: a text of the use %.50q is no UTF-8 or has more than %d bytes", ErrInvalid, e.ID, maxText)
		}
	}
	return nil
}

// isText says whether a text is the same when it is read from the log.
func isText(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// identity is a digest of what makes a use this one and no other. When it is asked about,
// whether it is final by now and what it is worth by now may differ.
func identity(e *breaker.Event) string {
	same := *e
	same.Venue, same.Moment, same.Provisional, same.Cents, same.Taint, same.Unknown = "", 0, false, 0, nil, false
	text, err := json.Marshal(&same)
	if err != nil {
		return "" // an event of texts and numbers always has a form
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// chainOf is the chain of a use's sender: the venue's, or that of what is put in.
func chainOf(s *settings, e *breaker.Event) ledger.Chain {
	if s.Chain != "" {
		return s.Chain
	}
	name, _, ok := strings.Cut(string(e.Asset), "/")
	if chain, err := ledger.ParseChain(name); ok && err == nil {
		return chain
	}
	return ""
}

// examine screens everybody whom a use concerns, and writes their addresses in one form:
// another spelling is not another sender.
func (g *Guard) examine(ctx context.Context, k *screen.Knowledge, s *settings, a *asked) error {
	e, chain := &a.event, a.note.Chain
	origin := look(k, chain, purposeOf(s, e), actorOf(e)) //nolint:contextcheck // answers from memory: see look
	if e.Origin == "" || e.Origin == e.Sender {
		e.Sender = origin.subject
	} else {
		e.Sender = look(k, chain, exposure.AnyPurpose, e.Sender).subject //nolint:contextcheck // as above
	}
	if e.Origin != "" {
		e.Origin = origin.subject
	}
	if e.Funder == "" && chain != "" {
		var err error
		if e.Funder, err = g.funder(ctx, k, chain, origin.subject); err != nil {
			return err
		}
	}
	a.judge(k, s, origin) //nolint:contextcheck // as above
	return nil
}

// judge says what of incidents is in the hands of those whom a use concerns.
func (a *asked) judge(k *screen.Knowledge, s *settings, origin *seen) {
	e, chain := &a.event, a.note.Chain
	j := judged{config: &s.Breaker.Incident, moment: e.Moment}
	j.origin(origin)
	if e.Receiver != "" {
		receiver := look(k, "", exposure.Withdrawal, e.Receiver)
		e.Receiver, a.note.Receiver = receiver.subject, receiver.level
		e.ReceiverService = e.ReceiverService || receiver.service
		if e.Receiver != origin.subject && !e.ReceiverService {
			j.beside(receiver)
		}
	}
	if e.Funder != "" {
		funder := look(k, chain, exposure.AnyPurpose, e.Funder)
		e.Funder, a.note.Funder = funder.subject, funder.level
		e.FunderService = e.FunderService || funder.service
		if !e.FunderService {
			j.beside(funder)
		}
	}
	e.Taint, e.Unknown = j.taint(), origin.level == exposure.Unknown
	a.note.Verdict = origin.print()
}

// purposeOf is what a use's origin is judged for.
func purposeOf(s *settings, e *breaker.Event) exposure.Purpose {
	switch {
	case s.kind != casebook.HotWallet:
		return exposure.Swap
	case strings.HasPrefix(e.Route, ">"):
		return exposure.Withdrawal
	}
	return exposure.Deposit
}

func actorOf(e *breaker.Event) string {
	if e.Origin != "" {
		return e.Origin
	}
	return e.Sender
}

// decide tells the breaker of the uses that it does not know yet, and of none where one
// of them cannot be taken.
func (v *venue) decide(list []*asked, now int64) ([]answer, error) {
	if err := v.beat(now); err != nil {
		return nil, err
	}
	for _, a := range list {
		if err := v.admit(a); err != nil {
			return nil, err
		}
	}
	answers := make([]answer, len(list))
	for i, a := range list {
		if u := v.memory.byID[a.event.ID]; u != nil && !v.anewAt(u, a, now) {
			if u.asked != a.identity { // twice in one request
				return nil, fmt.Errorf("%w: %q", ErrConflict, a.event.ID)
			}
			answers[i] = answer{u.line, u.sequence}
			continue
		}
		l, err := v.step(&a.event, &a.note, now)
		if err != nil {
			return nil, fmt.Errorf("%w: use %.50q: %w", ErrInvalid, a.event.ID, err)
		}
		answers[i] = answer{line: l}
	}
	return answers, nil
}

// admit says whether a use can be taken.
func (v *venue) admit(a *asked) error {
	u := v.memory.byID[a.event.ID]
	switch {
	case u == nil && a.event.Moment <= v.memory.horizon:
		return fmt.Errorf("%w: %.50q", ErrGone, a.event.ID)
	case u != nil && (u.asked != a.identity || a.event.Cents > u.cents+u.cents/10):
		return fmt.Errorf("%w: %q", ErrConflict, a.event.ID)
	}
	return nil
}

// anewAt says whether a use that was decided is decided anew: its time has come, or it is
// final now.
func (*venue) anewAt(u *use, a *asked, now int64) bool {
	return u.until != 0 && now >= u.until || u.provisional && !a.event.Provisional
}

// step tells the breaker of a use, at its moment or the breaker's, whichever is later.
// One that is asked about again is so now.
func (v *venue) step(e *breaker.Event, note *used, now int64) (*line, error) {
	if u := v.memory.byID[e.ID]; u != nil {
		// What was said of it later stays, whatever the screening of today says.
		e.Taint = merge(&v.settings.Breaker.Incident, u.taint, e.Taint, nil)
		e.Moment = now
	}
	e.Moment = max(e.Moment, v.machine.Clock())
	return v.apply(&breaker.Input{Event: e}, note)
}

// decisions reads what was decided.
func (v *venue) decisions(ctx context.Context, answers []answer) ([]Decision, error) {
	list := make([]Decision, len(answers))
	for i, a := range answers {
		l := a.line
		if l == nil {
			events, err := v.guard.options.Book.EventsAfter(ctx, v.id, a.sequence-1, 1)
			if err != nil {
				return nil, err
			}
			if len(events) != 1 || events[0].Sequence != a.sequence {
				return nil, fmt.Errorf("%w: line %d of %q is gone", ErrLog, a.sequence, v.id)
			}
			if l, err = readLine(&events[0]); err != nil {
				return nil, err
			}
			if err := l.plain(); err != nil {
				return nil, err
			}
		}
		if !l.decided() {
			return nil, fmt.Errorf("%w: line %d of %q is no decision", ErrLog, l.sequence, v.id)
		}
		list[i] = l.decision()
	}
	return list, nil
}

// beat tells the breaker the time and how good the data is, once a minute and when the
// data turns stale or fresh.
func (v *venue) beat(now int64) error {
	s := v.settings
	h := v.guard.health(s.Chain, now)
	stale := h.LabelAge > s.Breaker.Stale.Labels || h.Lag > s.Breaker.Stale.Lag
	clock := v.machine.Clock()
	if clock != 0 && now/60 <= clock/60 && stale == v.machine.IsDegraded() {
		return nil
	}
	v.memory.prune(max(clock, now))
	for clock != 0 && now > clock+maxGap {
		if _, err := v.apply(&breaker.Input{Tick: clock + maxGap}, nil); err != nil {
			return err
		}
		clock = v.machine.Clock()
	}
	h.Moment = max(now, clock)
	l, err := v.apply(&breaker.Input{Health: &h}, nil)
	if err == nil && v.cursor != nil {
		l.Heads = map[string]at{headKey: *v.cursor}
	}
	return err
}

// Decisions gives decisions after a number, in order, and at most so many.
func (g *Guard) Decisions(ctx context.Context, venue string, after int64, limit int) ([]Decision, error) {
	v, err := g.venue(venue)
	if err != nil {
		return nil, err
	}
	var list []Decision
	p := player{book: g.options.Book, id: v.id}
	err = p.lines(ctx, after, func(l *line) (bool, error) {
		if len(list) < limit && l.decided() {
			if err := l.plain(); err != nil {
				return false, err
			}
			list = append(list, l.decision())
		}
		return len(list) < limit, nil
	})
	return list, err
}
