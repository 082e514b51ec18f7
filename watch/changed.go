package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

	"coldtrail/casebook"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
)

func (s *subject) compare(other *subject) int {
	return cmp.Or(cmp.Compare(s.asked, other.asked), strings.Compare(s.address, other.address), strings.Compare(s.chain, other.chain))
}

// Round is what came of looking.
type Round struct {
	Looked int `json:"looked"`
	Raised int `json:"raised"` // new alerts
	// Left is how many are still to be looked at by the same knowledge: there was no time.
	// Reading says that the casebook holds more than were read so far.
	Left    int  `json:"left"`
	Reading bool `json:"reading,omitempty"`
}

// Changed looks at everybody again by a newer state of knowledge, for as long as the budget
// lasts; another call goes on where this one ended. Those about whom a verdict changed get
// an alert each, kept together with its deliveries. Whatever could not be kept is found
// again.
func (w *Watch) Changed(ctx context.Context, k *screen.Knowledge) (round Round, err error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	defer func() { w.report(looking, err) }()
	start := w.options.Clock()
	if err := w.ready(ctx, k); err != nil {
		return round, err
	}
	if w.members.left+w.screened.left == 0 || !sameFacts(w.basis, k.Basis()) || start.Unix()-w.begun >= idle {
		w.members.begin()
		w.screened.begin()
		w.begun = start.Unix()
	}
	w.basis = k.Basis()
	share := w.options.Budget
	if w.screened.remaining() > 0 || w.reading {
		share = share * 3 / 4 // large watch-lists leave the others some
	}
	for _, part := range []struct {
		kind  casebook.AlertKind
		table *table
		until time.Time
	}{{casebook.WatchHit, &w.members, start.Add(share)}, {casebook.VerdictChanged, &w.screened, start.Add(w.options.Budget)}} {
		p := &pass{watch: w, knowledge: k, kind: part.kind, table: part.table, until: part.until}
		err = p.run(ctx)
		round.Looked, round.Raised = round.Looked+p.looked, round.Raised+p.raised
		if err != nil {
			break
		}
		if part.table == &w.members {
			if err = w.readScreened(ctx, start.Add(share)); err != nil {
				break
			}
		}
	}
	round.Left, round.Reading = w.members.remaining()+w.screened.remaining(), w.reading
	return round, err
}

// pass looks at a table for a while.
type pass struct {
	watch          *Watch
	knowledge      *screen.Knowledge
	kind           casebook.AlertKind
	table          *table
	until          time.Time
	changes        []change
	looked, raised int
}

// change is a subject of which something else is found than before.
type change struct {
	at      int32
	mark    uint64
	now     state
	verdict exposure.Verdict
}

// How much is done before the clock is read, and how many alerts are kept at once.
const (
	stride   = 256
	together = 500
)

func (p *pass) run(ctx context.Context) error {
	first := p.table.first
	p.table.first = nil // those that have to wait come back in the next round
	for len(first) > 0 || p.table.left > 0 {
		if p.looked%stride == stride-1 && (ctx.Err() != nil || !p.watch.options.Clock().Before(p.until)) {
			break
		}
		at := int32(0)
		if len(first) > 0 {
			at, first = first[0], first[1:]
			p.table.list[at].urgent = false
		} else {
			if p.table.next >= len(p.table.list) {
				p.table.next = 0
			}
			at = int32(p.table.next)
			p.table.next++
			p.table.left--
		}
		p.look(at) //nolint:contextcheck // no transaction: nothing is asked of the ledger
		if len(p.changes) >= together {
			if err := p.commit(ctx); err != nil {
				p.table.first = append(p.table.first, first...)
				return err
			}
		}
	}
	p.table.first = append(p.table.first, first...)
	if err := p.commit(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// look looks at one subject.
func (p *pass) look(at int32) {
	p.looked++
	s := &p.table.list[at]
	if s.telling {
		return
	}
	eye := &p.watch.eye
	mark := eye.look(p.knowledge, s.place)
	if mark == s.mark {
		return
	}
	now := eye.state(mark)
	switch {
	case !s.state.differs(now):
		s.state = s.state.then(now)
		if !now.vague {
			s.mark = mark
		}
	default:
		s.telling = true
		p.changes = append(p.changes, change{at, mark, now, eye.verdict()})
	}
}

// eye sees whether an answer is another than before. Answers in print are cheap to get,
// and equal ones, without the subject, say the same.
type eye struct {
	seed maphash.Seed
	text []byte
	rest []byte
	seen map[uint64]state
}

// maxSeen bounds the answers that are remembered.
const maxSeen = 1 << 14

func newEye() eye { return eye{seed: maphash.MakeSeed(), seen: map[uint64]state{}} }

const subjectField = `{"subject":"`

// look gets the answer and gives its mark, which is never 0.
func (e *eye) look(k *screen.Knowledge, at place) uint64 {
	q := exposure.Question{Subject: at.address, Chain: at.chain}
	e.text, _ = k.ScreenBytes(e.text[:0], &q)
	e.rest = e.text[min(len(e.text), len(subjectField)):]
	for i, c := range e.rest { // the subject ends at its quote; one with an escape is only longer
		if c == '"' {
			e.rest = e.rest[i:]
			break
		}
	}
	return max(maphash.Bytes(e.seed, e.rest), 1)
}

// state is what the last answer says, which had that mark.
func (e *eye) state(mark uint64) state {
	s, ok := e.seen[mark]
	if !ok {
		v := e.verdict()
		s = stateOf(&v)
		if len(e.seen) >= maxSeen {
			clear(e.seen)
		}
		e.seen[mark] = s
	}
	return s
}

// verdict reads the last answer. One that cannot be read says nothing.
func (e *eye) verdict() (v exposure.Verdict) {
	if err := json.Unmarshal(e.text, &v); err != nil {
		return exposure.Verdict{Outcome: exposure.Review, Level: exposure.Unknown}
	}
	return v
}
