package jsonrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coldtrail/chain/jsonrpc"
)

// script answers requests one after the other; the last answer repeats.
type script struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter, batch []map[string]any)
	seen    int
	auth    []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var batch []map[string]any
	if json.Unmarshal(body, &batch) != nil {
		one := map[string]any{}
		_ = json.Unmarshal(body, &one)
		batch = append(batch, one)
	}
	s.auth = append(s.auth, r.Header.Get("Authorization"))
	answer := s.answers[min(s.seen, len(s.answers)-1)]
	s.seen++
	answer(w, batch)
}

// honest answers every question with its method.
func honest(w http.ResponseWriter, batch []map[string]any) {
	var out []map[string]any
	for _, q := range batch {
		out = append(out, map[string]any{"id": q["id"], "result": q["method"]})
	}
	slices.Reverse(out) // in no particular order
	if len(out) == 1 {
		_ = json.NewEncoder(w).Encode(out[0])
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func text(body string) func(http.ResponseWriter, []map[string]any) {
	return func(w http.ResponseWriter, _ []map[string]any) { _, _ = io.WriteString(w, body) }
}

func code(status int) func(http.ResponseWriter, []map[string]any) {
	return func(w http.ResponseWriter, _ []map[string]any) { http.Error(w, "no", status) }
}

func open(t *testing.T, options jsonrpc.Options, answers ...func(http.ResponseWriter, []map[string]any)) (*jsonrpc.Client, *script, *[]string) {
	t.Helper()
	s := &script{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	told := &[]string{}
	if options.URL == "" {
		options.URL = server.URL
	}
	options.URL = strings.Replace(options.URL, "HOST", strings.TrimPrefix(server.URL, "http://"), 1)
	options.Pause, options.MaxPause, options.Now = time.Millisecond, 2*time.Millisecond, time.Now
	options.Log = func(text string) { *told = append(*told, text) }
	c, err := jsonrpc.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return c, s, told
}

var three = []jsonrpc.Call{{Method: "a"}, {Method: "b"}, {Method: "c"}}

// TestRepeats asks again for whatever got no answer, and only for that.
func TestRepeats(t *testing.T) {
	half := func(w http.ResponseWriter, batch []map[string]any) { honest(w, batch[:1]) }
	for name, bad := range map[string]func(http.ResponseWriter, []map[string]any){
		"garbage": text(`{"id":`), "nothing": text(""), "half": half, "busy": code(http.StatusServiceUnavailable), "limit": code(http.StatusTooManyRequests),
		"refused batch": text(`{"id":null,"error":{"code":-32600,"message":"batch limit exceeded"}}`),
		"rate":          text(`[{"id":0,"error":{"code":-32005,"message":"rate limit"}}]`),
		"strangers":     text(`[{"id":77,"result":"x"},{"id":"a","result":"y"}]`),
		"empty answer":  text(`[{"id":0}]`),
	} {
		c, s, told := open(t, jsonrpc.Options{}, bad, bad, honest)
		answers, err := c.Do(t.Context(), three)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range three {
			if got := string(answers[i].Result); got != fmt.Sprintf("%q", three[i].Method) || answers[i].Refusal != nil {
				t.Errorf("%s: answer %d is %s, %v", name, i, got, answers[i].Refusal)
			}
		}
		if s.seen != 3 || len(*told) == 0 || len(*told) > 3 {
			t.Errorf("%s: %d requests, told %q", name, s.seen, *told)
		}
	}
}

// TestLateAnswers asks for less at a time where a batch gets no answer in time, and
// waits longer where a single question gets none: a node that needs more than the
// time of one request is slow, and a batch repeated as it was would stay unanswered.
func TestLateAnswers(t *testing.T) {
	var calls []jsonrpc.Call
	for i := range 40 {
		calls = append(calls, jsonrpc.Call{Method: fmt.Sprint("m", i)})
	}
	var mu sync.Mutex
	var sizes []int
	late := 0 // how often the single question went without an answer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // or the client's leaving is not noticed
		var batch []map[string]any
		if json.Unmarshal(body, &batch) != nil {
			one := map[string]any{}
			_ = json.Unmarshal(body, &one)
			batch = append(batch, one)
		}
		mu.Lock()
		sizes = append(sizes, len(batch))
		stall := len(batch) > 6 || len(batch) > 1 && batch[0]["method"] == "m0"
		mu.Unlock()
		if stall {
			<-r.Context().Done()
			return
		}
		if batch[0]["method"] == "m0" { // alone: more than twice the time of a request
			select {
			case <-r.Context().Done():
				mu.Lock()
				late++
				mu.Unlock()
				return
			case <-time.After(450 * time.Millisecond):
			}
		}
		honest(w, batch)
	}))
	defer server.Close()
	c, err := jsonrpc.New(jsonrpc.Options{URL: server.URL, Timeout: 200 * time.Millisecond, Pause: time.Millisecond, MaxPause: time.Millisecond, Patience: time.Minute, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		answers, err := c.Do(t.Context(), calls)
		if err != nil {
			t.Fatal(err)
		}
		for i, call := range calls {
			if got := string(answers[i].Result); got != fmt.Sprintf("%q", call.Method) {
				t.Errorf("%s: answered %s", call.Method, got)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []int{40, 20, 10, 5, 2, 1, 1, 1}; !slices.Equal(sizes[:len(want)], want) || late < 2 {
		t.Errorf("asked in portions of %v, want them to begin %v; alone and late %d times, want 2 or more", sizes, want, late)
	}
	if n := len(slices.DeleteFunc(slices.Clone(sizes), func(n int) bool { return n < 10 })); n > 4 {
		t.Errorf("%d requests of ten questions or more (%v): what was learned is forgotten", n, sizes)
	}
}

// TestRefusals passes on what a node will say again, without repeating it.
func TestRefusals(t *testing.T) {
	c, s, _ := open(t, jsonrpc.Options{}, text(`{"id":0,"error":{"code":-32601,"message":"the method x does not exist/is not available"}}`))
	_, err := c.One(t.Context(), "x")
	var refusal *jsonrpc.RefusalError
	if !errors.As(err, &refusal) || !refusal.NotOffered() || s.seen != 1 {
		t.Errorf("%v after %d requests", err, s.seen)
	}
	c, s, _ = open(t, jsonrpc.Options{URL: "http://user:secret@HOST"}, code(http.StatusUnauthorized))
	_, err = c.One(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), "check the user and password") || strings.Contains(err.Error(), "secret") || s.seen != 1 {
		t.Errorf("%v after %d requests", err, s.seen)
	}
	if s.auth[0] != "Basic dXNlcjpzZWNyZXQ=" {
		t.Errorf("authorization %q", s.auth)
	}
}

// TestPatience gives up after its limit, measured by the clock it was given.
func TestPatience(t *testing.T) {
	now := time.Unix(0, 0)
	s := &script{answers: []func(http.ResponseWriter, []map[string]any){honest, code(http.StatusBadGateway)}}
	server := httptest.NewServer(s)
	defer server.Close()
	c, err := jsonrpc.New(jsonrpc.Options{URL: server.URL, Pause: time.Microsecond, MaxPause: time.Microsecond, Patience: time.Minute, Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.One(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	_, err = c.One(t.Context(), "x")
	var given *jsonrpc.PatienceError
	if !errors.As(err, &given) || !strings.Contains(err.Error(), "HTTP 502") || s.seen < 10 {
		t.Errorf("%v after %d requests", err, s.seen)
	}
}

// TestGet asks a service by GET: what is missing is missing, what does not hold is
// asked for again, and requests keep their distance.
func TestGet(t *testing.T) {
	good := func(body []byte) error {
		if string(body) != "good" {
			return errors.New("not good")
		}
		return nil
	}
	c, s, _ := open(t, jsonrpc.Options{URL: "http://HOST/api?key=1", Every: 20 * time.Millisecond}, text("bad"), text("good"))
	began := time.Now()
	body, err := c.Get(t.Context(), "tx/1", url.Values{"a": {"b"}}, good)
	if err != nil || string(body) != "good" || s.seen != 2 || time.Since(began) < 20*time.Millisecond {
		t.Errorf("%q, %v, %d requests in %s", body, err, s.seen, time.Since(began))
	}
	c, s, _ = open(t, jsonrpc.Options{}, code(http.StatusNotFound))
	_, err = c.Get(t.Context(), "tx/2", nil, good)
	var missing *jsonrpc.MissingError
	if !errors.As(err, &missing) || missing.Path != "/tx/2" || s.seen != 1 {
		t.Errorf("%v after %d requests", err, s.seen)
	}
}

// TestAhead yields in order what is fetched side by side, up to the first failure.
func TestAhead(t *testing.T) {
	c, _, _ := open(t, jsonrpc.Options{AtOnce: 4}, honest)
	for end, want := range map[error]error{jsonrpc.ErrShort: nil, io.ErrUnexpectedEOF: io.ErrUnexpectedEOF} {
		var got []uint64
		var failed error
		for n, err := range jsonrpc.Ahead(t.Context(), c, jsonrpc.Walk{From: 3, To: 100, Window: 5}, func(_ context.Context, first, last uint64) ([]uint64, error) {
			time.Sleep(time.Duration(first%3) * time.Millisecond)
			if first > 40 {
				return []uint64{first}, end
			}
			var out []uint64
			for n := first; n <= last; n++ {
				out = append(out, n)
			}
			return out, nil
		}) {
			if failed = err; err == nil {
				got = append(got, n)
			}
		}
		if !errors.Is(failed, want) || len(got) != 41 || !slices.IsSorted(got) || got[40] != 43 {
			t.Errorf("%v: %d items up to %v, %v", end, len(got), got, failed)
		}
	}
}
