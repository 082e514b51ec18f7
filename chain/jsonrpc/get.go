package jsonrpc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Get asks a service that answers GET requests, again until it answers. The query is
// added to that of the client's URL; a path is put behind it. accept says whether an
// answer is one, or why it must be asked for again.
func (c *Client) Get(ctx context.Context, path string, query url.Values, accept func([]byte) error) ([]byte, error) {
	target, err := url.Parse(c.options.URL)
	if err != nil {
		return nil, err
	}
	if path != "" {
		target.Path = strings.TrimSuffix(target.Path, "/") + "/" + strings.TrimPrefix(path, "/")
	}
	all := target.Query()
	for key, values := range query {
		all[key] = values
	}
	target.RawQuery = all.Encode()
	for try := 0; ; try++ {
		body, err := c.get(ctx, target.String())
		if err == nil {
			err = accept(body)
		}
		if err == nil {
			c.Well()
			return body, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var missing *MissingError
		if errors.As(err, &missing) {
			c.Well()
			return nil, err
		}
		if err := c.Wait(ctx, try, err); err != nil {
			return nil, err
		}
	}
}

// MissingError says that a service has nothing at a path (HTTP 404).
type MissingError struct{ Path string }

// Error names the path.
func (e *MissingError) Error() string { return "nothing is there: " + e.Path }

func (c *Client) get(ctx context.Context, target string) ([]byte, error) {
	if err := c.gate.enter(ctx); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		c.gate.leave(true)
		return nil, err
	}
	body, err := c.send(request, 1)
	c.gate.leave(err == nil)
	return body, err
}

// pace spaces requests out.
type pace struct {
	mu   sync.Mutex
	next time.Time
}

// wait waits for this request's turn.
func (p *pace) wait(ctx context.Context, every time.Duration, now func() time.Time) error {
	if every <= 0 {
		return nil
	}
	p.mu.Lock()
	at := now()
	turn := p.next
	if turn.Before(at) {
		turn = at
	}
	p.next = turn.Add(every)
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(turn.Sub(at)):
		return nil
	}
}
