package jsonrpc

import (
	"context"
	"errors"
	"fmt"
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
