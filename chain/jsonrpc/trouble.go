package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Patience repeats what failed for a reason that may pass, after growing pauses, and
// tells the user once when trouble begins and once when it ends.
type Patience struct {
	options *Options
	name    string
	mu      sync.Mutex
	since   time.Time // of the last success, or of the first failure after it
	spoken  map[string]time.Time
	tries   int
	ever    bool // something has succeeded
	told    bool
}

// PatienceError says that a node was given up: waiting would not help, or has not.
type PatienceError struct {
	Node string
	Err  error
}

// Error names the node and what it last did.
func (e *PatienceError) Error() string { return e.Node + ": " + e.Err.Error() }

// Unwrap gives what it last did.
func (e *PatienceError) Unwrap() error { return e.Err }

// firstPatience is how long a node may stay silent that has never answered.
const firstPatience = 10 * time.Second

// quiet is how long the same trouble is not told again.
const quiet = time.Minute

// NewPatience makes one of its own for another kind of failure, such as answers
// that do not hold, with the client's limits.
func (c *Client) NewPatience() *Patience {
	return &Patience{options: &c.options, name: redact(c.options.URL), since: c.options.Now(), spoken: map[string]time.Time{}, ever: true}
}

// Well says that what failed has succeeded; trouble ends.
func (p *Patience) Well() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told {
		p.tell("well again", "well again")
	}
	p.tries, p.told, p.ever = 0, false, true
	p.since = p.options.Now()
}

// Wait pauses before repetition number try. It gives up when nothing has succeeded
// for as long as the options bear, and at once where waiting is of no use.
func (p *Patience) Wait(ctx context.Context, try int, reason error) error {
	if err := p.begin(reason); err != nil {
		return &PatienceError{Node: p.name, Err: err}
	}
	pause := p.options.Pause << min(try, 16)
	if pause > p.options.MaxPause || pause <= 0 {
		pause = p.options.MaxPause
	}
	var late *slowDownError
	if errors.As(reason, &late) && late.after > pause {
		pause = late.after
	}
	pause += time.Duration(rand.Int64N(int64(pause)/4 + 1)) //nolint:gosec // spreads repetitions, protects nothing
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

func (p *Patience) begin(reason error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var final *denied
	if errors.As(reason, &final) {
		return reason
	}
	now := p.options.Now()
	if p.tries++; p.tries == 1 {
		p.since = now
	}
	patience := p.options.Patience
	if !p.ever { // most likely the address is wrong, or nothing runs there
		patience = min(patience, firstPatience)
	}
	if waited := now.Sub(p.since); waited > patience {
		return fmt.Errorf("gave up after %s: %w", waited.Round(time.Millisecond), reason)
	}
	p.told = true
	p.tell(reason.Error(), reason.Error()+"; trying again")
	return nil
}

// tell says what happened, unless it was said a short time ago.
func (p *Patience) tell(what, text string) {
	now := p.options.Now()
	if last, ok := p.spoken[what]; !ok || now.Sub(last) > quiet {
		p.options.Log(p.name + ": " + text)
	}
	if len(p.spoken) > 64 {
		clear(p.spoken)
	}
	p.spoken[what] = now
}

// gate lets as many requests run at once as the node bears: one more after a round
// of successes, half after a failure.
type gate struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a place may be free
	most    int
	limit   int
	running int
	good    int // successes since the limit changed
}

func newGate(most int) *gate {
	return &gate{most: most, limit: min(4, most), changed: make(chan struct{})}
}

func (g *gate) enter(ctx context.Context) error {
	for {
		g.mu.Lock()
		if g.running < g.limit {
			g.running++
			g.mu.Unlock()
			return nil
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (g *gate) leave(good bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	switch {
	case !good:
		g.limit, g.good = max(1, g.limit/2), 0
	case g.good+1 >= g.limit && g.limit < g.most:
		g.limit, g.good = g.limit+1, 0
	default:
		g.good++
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// portion is how much is asked at a time and how long an answer may take. A node that
// needs longer than that is not away: asked the same again it would do the same work
// again, for nothing. So a batch that was late is asked in halves, and a question that
// was late alone is given twice the time.
type portion struct {
	mu             sync.Mutex
	least, longest time.Duration // of one request
	most           int           // questions of one request
	given          time.Duration // to one request
}

// longer bounds the time of a request, in multiples of the option: where a connection is
// dead and nobody says so, it takes that long until another is made.
const longer = 4

func newPortion(o *Options) *portion {
	return &portion{least: o.Timeout, longest: max(o.Timeout, min(longer*o.Timeout, o.Patience)), most: math.MaxInt, given: o.Timeout}
}

// of is how many of so many questions may be asked at once.
func (p *portion) of(questions int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(questions, p.most)
}

// time is how long the next request may take.
func (p *portion) time() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.given
}

// late says that so many questions were not answered in the time given. Requests that
// ran beside each other and were late together count once.
func (p *portion) late(questions int, given time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if questions > 1 {
		p.most = min(p.most, questions/2)
		return
	}
	p.given = max(p.given, min(2*given, p.longest))
}

// answered says that so many questions were answered, and how long that took: one
// more may be asked next time, and time that was not needed is taken back.
func (p *portion) answered(questions int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if questions == p.most {
		p.most++
	}
	if took < p.given/4 {
		p.given = max(p.least, p.given/2)
	}
}
