package watch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coldtrail/screen"
	"coldtrail/screen/blocklist"
	"coldtrail/screen/exposure"
)

// PublisherOptions are the choices of a publisher. Clock is required.
type PublisherOptions struct {
	Clock func() time.Time
	// Path is a small file that keeps the numbers of the last revisions, so that they rise
	// beyond a restart. Without one, or should it be lost, numbers go on from the present
	// second, which is beyond all that were given at one a second or fewer.
	Path string
	// Key signs; the zero key leaves lists unsigned.
	Key blocklist.SecretKey
	// Every is the least time between two revisions; 0 is ten seconds. Renew is how old
	// one may become though nothing has changed; 0 is ten minutes.
	Every time.Duration
	Renew time.Duration
	// Deltas is how many differences are kept; 0 is 256.
	Deltas int
	// Lists are what is published; nil is Listings.
	Lists []*Listing
	// Log hears of failures; nil is silent.
	Log *slog.Logger
}

// Publisher makes revisions of lists and keeps the newest of each, with what changed
// before. Lists, File and Health may be called at any time and never wait for a revision
// that is being made.
type Publisher struct {
	options PublisherOptions
	wake    chan struct{}
	issues  atomic.Pointer[map[string]*issue]
	health  atomic.Pointer[PublisherHealth]

	turn     sync.Mutex
	gathered *gathered
	numbers  map[string]number
	read     bool
	basis    *exposure.Basis // of the last revisions
	last     time.Time       // when they were looked for
	policy   string
}

// PublisherHealth is how a publisher is.
type PublisherHealth struct {
	Subjects int `json:"subjects"` // of whom something is known and who have a name
	// Skipped are entries that no list takes, since the start.
	Skipped uint64 `json:"skipped"`
	// Took is how long the last look took, by Clock, and Decided how many verdicts it needed.
	Took    time.Duration `json:"took"`
	Decided int           `json:"decided"`
	Last    int64         `json:"last"`
	// Trouble is what went wrong, empty once it went well.
	Trouble string `json:"trouble,omitempty"`
}

// NewPublisher makes a publisher. It publishes nothing until it is given a state of
// knowledge.
func NewPublisher(options PublisherOptions) (*Publisher, error) {
	if options.Clock == nil {
		return nil, errors.New("a publisher needs a clock")
	}
	options.Every = orElse(options.Every, 10*time.Second)
	options.Renew = orElse(options.Renew, 10*time.Minute)
	options.Deltas = orElse(options.Deltas, 256)
	if options.Lists == nil {
		options.Lists = Listings
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	p := &Publisher{options: options, wake: make(chan struct{}, 1), gathered: newGathered(options.Lists), numbers: map[string]number{}}
	p.issues.Store(&map[string]*issue{})
	p.health.Store(&PublisherHealth{})
	return p, nil
}

// Health says how the publisher is. It is quick.
func (p *Publisher) Health() PublisherHealth { return *p.health.Load() }

// Wake says that there may be something new. It never waits.
func (p *Publisher) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run publishes what now gives, until the context ends. Failures are logged and tried
// again.
func (p *Publisher) Run(ctx context.Context, now func() *screen.Knowledge) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-p.wake:
		}
		if k := now(); k != nil {
			if _, err := p.Changed(ctx, k); err != nil && ctx.Err() == nil {
				p.options.Log.LogAttrs(ctx, slog.LevelError, "lists could not be published", slog.Any("error", err))
			}
		}
		timer.Reset(pause)
	}
}

// Changed publishes what has changed, unless that was done a moment ago: Every has to have
// passed, and four times as long as it took, so that large lists leave the machine to
// others. It gives the revisions that were made.
func (p *Publisher) Changed(ctx context.Context, k *screen.Knowledge) (map[string]blocklist.Revision, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	now := p.options.Clock()
	if wait := max(p.options.Every, 4*p.Health().Took); !p.last.IsZero() && now.Sub(p.last) < wait {
		return nil, nil
	}
	if sameFacts(p.basis, k.Basis()) && !p.aged(now) && !p.gathered.bound(now.Unix()) {
		return nil, nil
	}
	return p.publish(ctx, k)
}

// aged says whether any list is older than a list may become.
func (p *Publisher) aged(now time.Time) bool {
	for _, i := range *p.issues.Load() {
		if i.aged(now, p.options.Renew) {
			return true
		}
	}
	return false
}

// Publish publishes what has changed now.
func (p *Publisher) Publish(ctx context.Context, k *screen.Knowledge) (map[string]blocklist.Revision, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	return p.publish(ctx, k)
}

func (p *Publisher) publish(ctx context.Context, k *screen.Knowledge) (made map[string]blocklist.Revision, err error) {
	start := p.options.Clock()
	p.last = start
	defer func() {
		g := p.gathered
		h := PublisherHealth{Subjects: len(g.subjects), Skipped: g.skipped, Decided: g.decided, Took: p.options.Clock().Sub(start), Last: start.Unix()}
		if err != nil {
			h.Trouble = err.Error()
		}
		p.health.Store(&h)
	}()
	if !p.read {
		if p.numbers, err = readNumbers(p.options.Path); err != nil {
			return nil, err
		}
		p.read = true
	}
	if err := p.gathered.gather(ctx, k); err != nil {
		return nil, fmt.Errorf("blocklists: %w", err)
	}
	basis, err := digestOf(k.Basis())
	if err != nil {
		return nil, err
	}
	fresh, numbers := maps.Clone(*p.issues.Load()), maps.Clone(p.numbers)
	made = map[string]blocklist.Revision{}
	for i, l := range p.options.Lists {
		c := &p.gathered.changes[i]
		before := fresh[l.Name]
		if before != nil && !before.aged(start, p.options.Renew) && len(c.added) == 0 && len(c.gone) == 0 {
			continue
		}
		why := l.Why
		if p.policy != k.Basis().Policy {
			why = "policy"
		}
		next, err := p.issue(before, l.Name, c, blocklist.Revision{Number: numbers[l.Name].after(start), Moment: start.Unix(), Basis: basis}, why)
		if err != nil {
			return nil, fmt.Errorf("blocklist %s: %w", l.Name, err)
		}
		r := next.list.Revision()
		fresh[l.Name], made[l.Name], numbers[l.Name] = next, r, number{r.Number, r.Content.String(), r.Moment}
	}
	if len(made) > 0 {
		// A number must not be given twice: it is kept before anybody sees it.
		if err := writeNumbers(p.options.Path, numbers); err != nil {
			return nil, err
		}
		p.numbers = numbers
		p.issues.Store(&fresh)
	}
	for i := range p.gathered.changes {
		p.gathered.changes[i] = changes{}
	}
	p.basis, p.policy = k.Basis(), k.Basis().Policy
	return made, nil
}

// issue makes the next revision of a list, which has the number, moment and basis given.
func (p *Publisher) issue(before *issue, name string, c *changes, as blocklist.Revision, why string) (*issue, error) {
	var held *blocklist.List
	if before != nil {
		held = before.list
	}
	list, err := blocklist.New(as.Number, as.Moment, as.Basis, c.apply(held))
	if err != nil {
		return nil, err
	}
	next := &issue{name: name, list: list, key: p.options.Key, files: map[edition]*File{}}
	if before != nil {
		delta, err := blocklist.Diff(before.list, list, func(blocklist.Entry) string { return why })
		if err != nil {
			return nil, err
		}
		next.deltas = keep(append(slices.Clone(before.deltas), step{delta, len(c.added) + len(c.gone)}), p.options.Deltas, max(list.Len(), leastKept))
	}
	if _, err := next.file(edition{form: Lines}); err != nil {
		return nil, err
	}
	return next, nil
}

// leastKept is how many entries of differences are kept in any case.
const leastKept = 10_000

// keep drops the oldest differences beyond a number of them, and beyond as many entries as
// the list has: whoever is that far behind is better off with the list.
func keep(steps []step, most, entries int) []step {
	total := 0
	for i := len(steps) - 1; i >= 0; i-- {
		if total += steps[i].size; total > entries || len(steps)-i > most {
			return slices.Clone(steps[i+1:])
		}
	}
	return steps
}

// digestOf sums up what verdicts rest on, without the age of the data.
func digestOf(b *exposure.Basis) (blocklist.Digest, error) {
	type head struct {
		Height uint64 `json:"height"`
		Hash   string `json:"hash"`
	}
	heads := map[string]head{}
	for chain, h := range b.Heads {
		heads[chain] = head{h.Height, h.Hash}
	}
	text, err := json.Marshal(struct { // maps are written in order of their keys
		Heads  map[string]head `json:"heads"`
		Labels string          `json:"labels"`
		Policy string          `json:"policy"`
		Cases  string          `json:"cases"`
		Rules  string          `json:"rules"`
	}{heads, b.Labels, b.Policy, b.Cases, b.Rules})
	return blocklist.Digest(sha256.Sum256(text)), err
}
