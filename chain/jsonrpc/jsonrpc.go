// Package jsonrpc asks nodes over HTTP: in batches, as many at a time as the node
// bears, again after a pause where it stalls or refuses. A node may drop, stall,
// answer half a batch or lie about lengths; what comes out is an answer for every
// question, in order, or an error that says what the node last did.
package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// Call is one question.
type Call struct {
	Method string
	Params []any
}

// Answer is the node's answer: raw JSON, or its refusal.
type Answer struct {
	Result  []byte
	Refusal *RefusalError
}

// RefusalError is an error that the node answers and will answer again.
type RefusalError struct {
	Code    int
	Message string
}

// Error is the node's own words.
func (r *RefusalError) Error() string { return fmt.Sprintf("%s (code %d)", r.Message, r.Code) }

// NotOffered says that the node does not know the method, or keeps it closed.
func (r *RefusalError) NotOffered() bool {
	if r.Code == -32601 {
		return true
	}
	return says(r.Message, "method not found", "does not exist", "not available", "not supported", "not whitelisted", "not enabled", "unsupported method", "unknown method")
}

// Options say how to reach a node and how long to bear with it. Zero values are good.
type Options struct {
	URL string
	// Auth is "user:password", or "Bearer TOKEN", or empty. A user in the URL works too.
	Auth     string
	Timeout  time.Duration // of one request; 60 s, up to 4 times that where a single question needs it
	Pause    time.Duration // before the first repetition, doubled after each; 250 ms
	MaxPause time.Duration // 15 s
	Patience time.Duration // without any success, after which to give up; 10 min
	AtOnce   int           // most requests at once; 8
	MaxBytes int64         // of one answer; 1 GiB
	// Every is the least time between two requests, for services that limit them.
	Every time.Duration
	// Log is told once when trouble begins, with the reason, and once when it ends.
	Log func(string)
	// Now is the clock by which patience is measured; required.
	Now func() time.Time
}

// Client asks one node. It is safe for concurrent use.
type Client struct {
	options Options
	http    *http.Client
	auth    string
	gate    *gate
	portion *portion
	pace    pace
	*Patience
}

// New makes a client. The URL must be http or https.
func New(options Options) (*Client, error) {
	u, err := url.Parse(options.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a node; want http://HOST:PORT", redact(options.URL))
	}
	if u.User != nil && options.Auth == "" {
		password, _ := u.User.Password()
		options.Auth = u.User.Username() + ":" + password
		u.User = nil
	}
	options.URL = u.String()
	if options.Now == nil {
		return nil, errors.New("jsonrpc: no clock given")
	}
	fill(&options)
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: options.AtOnce, IdleConnTimeout: 30 * time.Second}
	c := &Client{
		options: options, http: &http.Client{Transport: transport}, auth: options.Auth,
		gate: newGate(options.AtOnce), portion: newPortion(&options),
	}
	c.Patience = c.NewPatience()
	c.ever = false
	return c, nil
}

func fill(o *Options) {
	def := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	def(&o.Timeout, time.Minute)
	def(&o.Pause, 250*time.Millisecond)
	def(&o.MaxPause, 15*time.Second)
	def(&o.Patience, 10*time.Minute)
	if o.AtOnce <= 0 {
		o.AtOnce = 8
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
}

// redact hides a password, which errors and logs must not show.
func redact(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	if _, host, ok := strings.Cut(text, "@"); ok {
		return host
	}
	return text
}

// Close frees the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// AtOnce is how many requests may run at once at the most.
func (c *Client) AtOnce() int { return c.options.AtOnce }

// One asks one question.
func (c *Client) One(ctx context.Context, method string, params ...any) ([]byte, error) {
	answers, err := c.Do(ctx, []Call{{method, params}})
	if err != nil {
		return nil, err
	}
	if answers[0].Refusal != nil {
		return nil, fmt.Errorf("%s: %w", method, answers[0].Refusal)
	}
	return answers[0].Result, nil
}

// Do asks questions in one batch, and those that got no answer again, until each
// has a result or a refusal. A batch that is not answered in time is asked in parts.
func (c *Client) Do(ctx context.Context, calls []Call) ([]Answer, error) {
	answers := make([]Answer, len(calls))
	open := make([]int, len(calls))
	for i := range open {
		open[i] = i
	}
	for try := 0; len(open) > 0; {
		asked := open[:c.portion.of(len(open))]
		rest, err := c.attempt(ctx, calls, asked, answers)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		open = slices.Concat(rest, open[len(asked):])
		if len(rest) < len(asked) {
			try = 0
		}
		if err == nil && len(rest) == 0 {
			c.Well()
			continue
		}
		if err == nil {
			err = fmt.Errorf("only %d of %d questions were answered", len(asked)-len(rest), len(asked))
		}
		if err := c.Wait(ctx, try, err); err != nil {
			return nil, err
		}
		try++
	}
	return answers, nil
}

// slowDownError is a node that asks for a pause.
type slowDownError struct {
	after time.Duration
	what  string
}

// Error says what the node answered.
func (s *slowDownError) Error() string { return s.what }

// attempt asks the open questions once and lists those still without an answer.
func (c *Client) attempt(ctx context.Context, calls []Call, open []int, answers []Answer) ([]int, error) {
	if err := c.gate.enter(ctx); err != nil {
		return open, err
	}
	body, err := c.post(ctx, encode(calls, open), len(open))
	c.gate.leave(err == nil)
	if err != nil {
		return open, err
	}
	return decode(body, open, answers)
}

func encode(calls []Call, open []int) []byte {
	var e jx.Encoder
	one := func(i int) {
		e.Obj(func(e *jx.Encoder) {
			e.Field("jsonrpc", func(e *jx.Encoder) { e.Str("2.0") })
			e.Field("id", func(e *jx.Encoder) { e.Int(i) })
			e.Field("method", func(e *jx.Encoder) { e.Str(calls[i].Method) })
			e.Field("params", func(e *jx.Encoder) {
				params, err := json.Marshal(calls[i].Params)
				if err != nil || calls[i].Params == nil {
					params = []byte("[]")
				}
				e.Raw(params)
			})
		})
	}
	if len(open) == 1 {
		one(open[0])
		return e.Bytes()
	}
	e.Arr(func(*jx.Encoder) {
		for _, i := range open {
			one(i)
		}
	})
	return e.Bytes()
}

func (c *Client) post(ctx context.Context, question []byte, questions int) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.options.URL, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	return c.send(request, questions)
}

// send sends a request, which holds so many questions, when its time has come and
// reads the answer.
func (c *Client) send(request *http.Request, questions int) ([]byte, error) {
	if err := c.pace.wait(request.Context(), c.options.Every, c.options.Now); err != nil {
		return nil, err
	}
	given, began := c.portion.time(), c.options.Now()
	ctx, cancel := context.WithTimeout(request.Context(), given)
	defer cancel()
	body, err := c.exchange(request.WithContext(ctx))
	switch {
	case err == nil:
		c.portion.answered(questions, c.options.Now().Sub(began))
	case errors.Is(err, errLate) && request.Context().Err() == nil:
		c.portion.late(questions, given)
	}
	return body, err
}

// exchange sends a request and reads the answer.
func (c *Client) exchange(request *http.Request) ([]byte, error) {
	if token, ok := strings.CutPrefix(c.auth, "Bearer "); ok {
		request.Header.Set("Authorization", "Bearer "+token)
	} else if user, password, ok := strings.Cut(c.auth, ":"); ok {
		request.SetBasicAuth(user, password)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, plain(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if size := response.ContentLength; size > 0 && size < c.options.MaxBytes {
		body.Grow(int(size) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(io.LimitReader(response.Body, c.options.MaxBytes+1)); err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", plain(err))
	}
	if int64(body.Len()) > c.options.MaxBytes {
		return nil, fmt.Errorf("the answer is larger than %d bytes", c.options.MaxBytes)
	}
	return body.Bytes(), status(response, body.Bytes())
}

// errLate is a request whose time ran out.
var errLate = errors.New("no answer in time")

// plain takes the URL, which may hold a password, out of an error.
func plain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() {
			return errLate
		}
		return wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) { // within the body
		return errLate
	}
	return err
}

// status turns HTTP refusals into errors. Nodes answer some JSON errors with 4xx or
// 5xx; those are read like any other.
func status(response *http.Response, body []byte) error {
	code := response.StatusCode
	text := bytes.TrimSpace(body)
	if code == http.StatusOK || code != http.StatusTooManyRequests && len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		return nil
	}
	if code == http.StatusNotFound && response.Request.Method == http.MethodGet {
		return &MissingError{response.Request.URL.Path}
	}
	if code == http.StatusUnauthorized || code == http.StatusForbidden {
		return &denied{fmt.Errorf("the node refuses access (HTTP %d); check the user and password or token", code)}
	}
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds < 3600 {
		wait = time.Duration(seconds) * time.Second
	}
	return &slowDownError{after: wait, what: fmt.Sprintf("the node answers HTTP %d %s", code, http.StatusText(code))}
}

// denied is a refusal that waiting does not cure.
type denied struct{ error }

// decode reads answers and lists the questions that have none.
func decode(body []byte, open []int, answers []Answer) ([]int, error) {
	d := jx.DecodeBytes(body)
	got := map[int]bool{}
	var passing error
	read := func(d *jx.Decoder) error {
		id, answer, err := readAnswer(d)
		if err != nil {
			return err
		}
		if id < 0 && len(open) == 1 {
			id = open[0]
		}
		switch {
		case answer.Refusal != nil && passes(answer.Refusal):
			passing = &slowDownError{what: "the node answers: " + answer.Refusal.Message}
		case !slices.Contains(open, id) || got[id]:
			if answer.Refusal != nil && id < 0 { // the batch as a whole was refused
				passing = &slowDownError{what: "the node refuses the batch: " + answer.Refusal.Message}
			}
		default:
			got[id] = true
			answers[id] = answer
		}
		return nil
	}
	var err error
	if d.Next() == jx.Array {
		err = d.Arr(read)
	} else {
		err = read(d)
	}
	rest := slices.DeleteFunc(slices.Clone(open), func(i int) bool { return got[i] })
	if err != nil {
		return rest, fmt.Errorf("the answer is not JSON-RPC: %w", err)
	}
	if len(rest) == 0 {
		return rest, nil
	}
	return rest, passing
}

func readAnswer(d *jx.Decoder) (id int, answer Answer, err error) {
	id = -1
	hasResult := false
	err = d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "id":
			if d.Next() != jx.Number {
				return d.Skip()
			}
			id, err = d.Int()
		case "result":
			var raw jx.Raw
			raw, err = d.Raw()
			answer.Result, hasResult = raw, true
		case "error":
			if d.Next() == jx.Null {
				return d.Null()
			}
			answer.Refusal = &RefusalError{}
			err = readRefusal(d, answer.Refusal)
		default:
			err = d.Skip()
		}
		return err
	})
	if err == nil && !hasResult && answer.Refusal == nil {
		err = errors.New("an answer has neither result nor error")
	}
	return id, answer, err
}

func readRefusal(d *jx.Decoder, r *RefusalError) error {
	if d.Next() == jx.String {
		text, err := d.Str()
		r.Message = text
		return err
	}
	return d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "code":
			r.Code, err = d.Int()
		case "message":
			r.Message, err = d.Str()
		default:
			err = d.Skip()
		}
		return err
	})
}

// passes says that a refusal may be gone after a pause.
func passes(r *RefusalError) bool {
	if r.NotOffered() {
		return false
	}
	return r.Code == -32005 || r.Code == 429 || r.Code == -28 || // limits; Bitcoin Core while it loads
		says(r.Message, "rate limit", "too many requests", "limit exceeded", "timeout", "timed out", "try again", "temporarily", "overloaded", "busy", "capacity")
}

func says(message string, words ...string) bool {
	message = strings.ToLower(message)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
}
