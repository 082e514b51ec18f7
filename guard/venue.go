package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen/breaker"
)

// venue is one venue with its breaker. What stands behind player is only touched by who
// has the turn.
type venue struct {
	guard *Guard
	id    string
	turn  chan struct{}

	mu       sync.Mutex
	jobs     []*job
	saved    casebook.Venue
	settings *settings
	trouble  error // of the settings
	ended    bool  // no more is taken

	player

	loaded    bool
	lines     []*line // of this turn, not kept yet
	failure   error   // why lines could not be kept
	memory    memory
	cursor    *at // the last block that was looked at
	proposals []proposal
	told      int64 // the last line whose transitions were told
	untold    bool  // there may be others
	kept      int64 // the last line in a snapshot
	grown     int   // bytes of lines since then
	weight    int   // bytes of that snapshot
	known     string
}

// settings are the configuration of a venue, read.
type settings struct {
	Config

	kind     casebook.VenueKind
	notation ledger.Notation
	own      map[ledger.Address]bool
}

func newVenue(g *Guard, row *casebook.Venue) *venue {
	v := &venue{guard: g, id: row.ID, turn: make(chan struct{}, 1)}
	v.player = player{book: g.options.Book, id: row.ID}
	v.set(row)
	return v
}

// set takes what the casebook says of the venue.
func (v *venue) set(row *casebook.Venue) {
	s, err := v.guard.settingsOf(row)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.saved, v.settings, v.trouble = *row, s, err
}

func (g *Guard) settingsOf(row *casebook.Venue) (*settings, error) {
	c, err := ParseConfig(row.Kind, row.ID, row.Config)
	if err != nil {
		return nil, err
	}
	s := &settings{Config: c, kind: row.Kind}
	if row.Kind == casebook.Posted || g.options.Notations == nil {
		return s, nil
	}
	s.notation, s.own, err = c.owned(g.options.Notations)
	return s, err
}

func (v *venue) row() casebook.Venue {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.saved
}

// rules are the settings, or why there are none.
func (v *venue) rules() (*settings, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.settings, v.trouble
}

// guarded says whether uses are looked at.
func (v *venue) guarded() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.saved.Ended == 0 && !v.ended
}

// load reads the state of the venue from its log: the newest snapshot, and what came
// after it.
func (v *venue) load(ctx context.Context) error {
	s, err := v.rules()
	if err != nil {
		return err
	}
	v.forget(s)
	from, err := v.restore(ctx, s)
	if err != nil {
		return err
	}
	start := v.sequence
	err = v.player.lines(ctx, from, func(l *line) (bool, error) {
		if l.sequence > start {
			if _, err := v.play(ctx, l); err != nil {
				return false, err
			}
			v.grown += l.size
		}
		if l.sequence > v.told && l.Output != nil && len(l.Output.Transitions) > 0 {
			v.untold = true
		}
		v.remember(l)
		v.memory.settle(l)
		return true, nil
	})
	if err != nil {
		return err
	}
	v.loaded = true
	return v.configure(ctx, s)
}

// forget makes the venue one that has read nothing.
func (v *venue) forget(s *settings) {
	v.player = player{book: v.guard.options.Book, id: v.id}
	v.loaded, v.lines, v.cursor, v.proposals = false, nil, nil, nil
	v.told, v.untold, v.kept, v.grown, v.weight, v.known = 0, false, 0, 0, 0, ""
	v.memory = newMemory(&s.Breaker)
}

// configure writes down what the breaker goes by, where that is not what it went by.
func (v *venue) configure(ctx context.Context, s *settings) error {
	digest, err := s.Breaker.Digest()
	if err != nil {
		return err
	}
	if v.machine != nil && v.machine.Digest() == digest {
		return nil
	}
	text, err := s.Breaker.YAML()
	if err != nil {
		return err
	}
	after, err := v.anew(ctx, &s.Breaker)
	if err != nil {
		return err
	}
	l := v.next()
	l.Config = &configured{Text: string(text), After: after}
	if v.machine != nil {
		l.moment = v.machine.Clock()
	}
	// What was recorded so far has to be kept before it is read again.
	if err := v.keep(ctx); err != nil {
		return err
	}
	machine, err := v.begin(ctx, l.Config, l.sequence)
	if err != nil {
		v.loaded = false
		return err
	}
	v.machine = machine
	v.memory.bound(&s.Breaker)
	v.kept = 0 // a snapshot of the breaker before is of no use
	return nil
}

// next adds a line.
func (v *venue) next() *line {
	v.number++
	l := &line{number: v.number}
	v.lines = append(v.lines, l)
	return l
}

// apply tells the breaker something and writes it down with what it says. What the breaker
// refuses and what changes nothing leaves no line.
func (v *venue) apply(in *breaker.Input, use *used) (*line, error) {
	before := v.machine.Clock()
	out, err := v.machine.Apply(in)
	if err != nil && v.machine.Clock() == before && len(out.Transitions) == 0 {
		return nil, err
	}
	parts := bounded(&out)
	l := v.next()
	l.Input, l.Output, l.Use, l.moment = in, &parts[0], use, v.machine.Clock()
	if err != nil {
		l.Error = err.Error()
	}
	v.remember(l)
	for i := range parts[1:] {
		more := v.next()
		more.Output, more.moment = &parts[i+1], l.moment
	}
	return l, err
}

// remember takes from a line what the guard itself goes by.
func (v *venue) remember(l *line) {
	if head, ok := l.Heads[headKey]; ok {
		v.cursor = &head
	}
	if l.Proposal != nil {
		v.proposals = append(v.proposals, *l.Proposal)
		if len(v.proposals) > maxProposals {
			v.proposals = v.proposals[1:]
		}
	}
	if l.Input == nil || l.Error != "" {
		return
	}
	switch in := l.Input; {
	case in.Event != nil:
		v.memory.add(l)
		if b := l.Use.block(); b != nil && (v.cursor == nil || b.Height > v.cursor.Height) {
			v.cursor = b
		}
	case in.Label != nil:
		v.memory.label(in.Label)
	case in.Retract != nil:
		v.memory.drop(in.Retract.ID)
	}
}

// headKey is under which lines have the block that was looked at last.
const headKey = "head"

func (u *used) block() *at {
	if u == nil {
		return nil
	}
	return u.Block
}

// keep writes the lines of this turn down. Where that fails the breaker has seen what is
// not in the log: it is read anew before anything else is answered.
func (v *venue) keep(ctx context.Context) error {
	lines := v.lines
	v.lines = nil
	if len(lines) == 0 {
		return nil
	}
	if err := v.post(ctx, lines); err != nil {
		v.loaded, v.failure = false, err
		return err
	}
	return nil
}

// post writes lines down, and tells their transitions.
func (v *venue) post(ctx context.Context, lines []*line) error {
	now := v.guard.options.Now()
	events := make([]casebook.Event, len(lines))
	for i, l := range lines {
		var err error
		if events[i], err = l.event(now); err != nil {
			return err
		}
		v.grown += l.size
	}
	kept, err := v.book.PostEvents(ctx, v.id, events)
	if err == nil && len(kept) != len(lines) {
		err = fmt.Errorf("%w: somebody else writes it", ErrLog)
	}
	if errors.Is(err, casebook.ErrConflict) {
		err = fmt.Errorf("%w: somebody else writes it: %w", ErrLog, err)
	}
	if err != nil {
		return err
	}
	for i, l := range lines {
		l.sequence = kept[i].Sequence
		v.sequence = l.sequence
		v.memory.settle(l)
		if l.Output != nil && len(l.Output.Transitions) > 0 && !v.untold {
			v.say(ctx, l)
		}
	}
	return nil
}

// say tells the transitions of a line.
func (v *venue) say(ctx context.Context, l *line) {
	if v.guard.options.Told == nil {
		return
	}
	for n := range l.Output.Transitions {
		t := &Transition{Log: l.sequence, Number: n, Transition: l.Output.Transitions[n]}
		if err := v.guard.options.Told(ctx, t); err != nil {
			v.untold = true // Tick tells it again
			return
		}
	}
	v.told = l.sequence
}

// retell tells what could not be told, from the log.
func (v *venue) retell(ctx context.Context) error {
	if !v.untold || v.guard.options.Told == nil {
		return nil
	}
	v.untold = false
	return v.player.lines(ctx, v.told, func(l *line) (bool, error) {
		if l.Output != nil && len(l.Output.Transitions) > 0 {
			v.say(ctx, l)
		}
		if v.untold {
			return false, fmt.Errorf("transition %d of venue %q could not be told", l.sequence, v.id)
		}
		return true, nil
	})
}

// change takes another configuration, or the end.
func (v *venue) change(ctx context.Context, row *casebook.Venue) error {
	s, err := v.guard.settingsOf(row)
	if err != nil {
		return err
	}
	if err := v.book.SaveVenue(ctx, *row); err != nil {
		return err
	}
	before := v.row()
	if row.Created > before.Created {
		row.Created, row.By = before.Created, before.By // the casebook keeps the first
	}
	if old, err := v.rules(); err != nil || old.Chain != s.Chain {
		v.cursor = nil
	}
	v.set(row)
	return v.configure(ctx, s)
}
