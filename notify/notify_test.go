package notify_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/notify"
	"coldtrail/screen/exposure"
)

// The database's driver keeps no goroutine once closed.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a-secret-of-16-b"

var loopback = notify.Networks{netip.MustParsePrefix("127.0.0.0/8")}

// start is when tests begin.
const start = 1_750_000_000

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now int64
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(c.now, 0)
}

func (c *clock) pass(seconds int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += seconds
}

// received is what came in at a receiver.
type received struct {
	delivery string
	attempt  int
	message  notify.Message
	status   int
}

// receiver is a real server whose answers the test decides.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(n int, w http.ResponseWriter, r *http.Request) int // gives the status that it wrote
}

func listen(t *testing.T, clock *clock, answer func(n int, w http.ResponseWriter, r *http.Request) int) *receiver {
	t.Helper()
	rec := &receiver{answer: answer}
	rec.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if err := notify.Check(r.Header, body, []string{secret}, clock.Now(), time.Minute); err != nil {
			t.Error(err)
		}
		one := received{delivery: r.Header.Get(notify.DeliveryHeader)}
		one.attempt, _ = strconv.Atoi(r.Header.Get(notify.AttemptHeader))
		if err := json.Unmarshal(body, &one.message); err != nil {
			t.Error(err)
		}
		rec.mu.Lock()
		n := len(rec.got)
		rec.got = append(rec.got, one)
		rec.mu.Unlock()
		status := rec.answer(n, w, r)
		rec.mu.Lock()
		rec.got[n].status = status
		rec.mu.Unlock()
	}))
	rec.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(rec.Close)
	return rec
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	return pool
}

// says writes a status.
func says(status int) func(int, http.ResponseWriter, *http.Request) int {
	return func(_ int, w http.ResponseWriter, _ *http.Request) int {
		w.WriteHeader(status)
		return status
	}
}

// desk is a casebook with a worker.
type desk struct {
	book   *casebook.SQL
	clock  *clock
	worker *notify.Worker
}

func set(t *testing.T, clock *clock, options notify.Options, webhooks notify.WebhookOptions) *desk {
	t.Helper()
	book, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "casebook.db"), start, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	webhooks.Clock = clock.Now
	send, shut := notify.Webhooks(webhooks)
	options.Outbox, options.Clock = book, clock.Now
	if options.Senders == nil {
		options.Senders = map[casebook.TargetKind]notify.Send{casebook.Webhook: send}
	}
	t.Cleanup(func() {
		shut()
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return &desk{book, clock, notify.New(options)}
}

func (d *desk) target(t *testing.T, id string, kind casebook.TargetKind, address string) {
	t.Helper()
	err := errors.Join(
		d.book.SaveTarget(t.Context(), casebook.Target{ID: id, Kind: kind, Address: address, Secrets: []string{secret}, By: "k", Created: 1}),
		d.book.SaveSubscription(t.Context(), casebook.Subscription{ID: "to-" + id, Target: id, By: "k", Created: 1}))
	if err != nil {
		t.Fatal(err)
	}
}

func (d *desk) raise(t *testing.T, subject string, height int) casebook.Alert {
	t.Helper()
	raised, err := d.book.Raise(t.Context(), []casebook.Alert{{
		Kind: casebook.WatchHit, Subject: subject, Chain: "eip155:1", Level: exposure.High, Body: json.RawMessage(fmt.Sprintf(`{"height":%d}`, height)),
		Cause: casebook.Cause{Chain: "eip155:1", Height: uint64(height), Block: "0x1"}, Created: d.clock.Now().Unix(),
	}})
	if err != nil || len(raised) != 1 {
		t.Fatal(len(raised), err)
	}
	return raised[0]
}

func (d *desk) drain(t *testing.T) {
	t.Helper()
	if err := d.worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) deliveries(t *testing.T) []casebook.Delivery {
	t.Helper()
	all, err := d.book.Deliveries(t.Context(), casebook.DeliveryFilter{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDownForAnHour has a receiver that is away for an hour, in all the ways a receiver can
// be away, while alerts come: afterwards it has all of them, of each subject in order.
func TestDownForAnHour(t *testing.T) {
	clock := &clock{now: start}
	down := func() bool { return clock.Now().Unix() < start+3600 }
	rec := listen(t, clock, func(n int, w http.ResponseWriter, _ *http.Request) int {
		if !down() {
			return 200
		}
		switch n % 4 {
		case 0:
			panic(http.ErrAbortHandler) // hangs up
		case 1:
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
			return 429
		case 2:
			w.WriteHeader(http.StatusNotFound)
			return 404
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return 503
	})
	d := set(t, clock, notify.Options{Jitter: func(s int64) int64 { return s + s/4 }}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
	d.target(t, "hook", casebook.Webhook, rec.URL+"/alerts")
	var want []casebook.Alert
	for minute := range 70 {
		if minute < 40 {
			want = append(want, d.raise(t, fmt.Sprintf("subject-%d", minute%7), minute+1))
		}
		d.drain(t)
		clock.pass(60)
	}
	arrived := map[string][]int64{}
	attempts := map[string]int{}
	for _, got := range rec.all() {
		attempts[got.delivery]++
		if got.attempt != attempts[got.delivery] {
			t.Errorf("delivery %s came as attempt %d, want %d", got.delivery, got.attempt, attempts[got.delivery])
		}
		if got.status == 200 {
			arrived[got.message.Subject] = append(arrived[got.message.Subject], got.message.Sequence)
		}
	}
	for _, a := range want {
		sequences := arrived[a.Subject]
		if len(sequences) == 0 || sequences[0] != a.Sequence {
			t.Fatalf("of %s arrived %v, next should be %d", a.Subject, sequences, a.Sequence)
		}
		arrived[a.Subject] = sequences[1:]
	}
	for _, dl := range d.deliveries(t) {
		if dl.Status != casebook.Delivered || dl.Ended < start+3600 {
			t.Errorf("%+v, want delivered after the hour", dl)
		}
	}
	if most := attempts[casebook.DeliveryID(want[0].ID, "hook")]; most < 8 || most > 40 {
		t.Errorf("the first alert was tried %d times, want a number that backs off", most)
	}
}

// TestMessage checks what a receiver gets, byte for byte where it is signed.
func TestMessage(t *testing.T) {
	clock := &clock{now: start}
	var bodies []string
	var mu sync.Mutex
	var headers http.Header
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies, headers = append(bodies, string(body)), r.Header
		if len(bodies) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	d := set(t, clock, notify.Options{}, notify.WebhookOptions{Allowed: loopback, Roots: pool, Agent: "coldtrail/test"})
	d.target(t, "hook", casebook.Webhook, server.URL)
	a := d.raise(t, "0xaa", 7)
	d.drain(t)
	clock.pass(2)
	d.drain(t)
	want := fmt.Sprintf(`{"alert":"%s","sequence":1,"kind":"watch-hit","subject":"0xaa","chain":"eip155:1","level":"high","created":%d,"cause":{"chain":"eip155:1","height":7,"block":"0x1"},"body":{"height":7}}`, a.ID, start)
	if len(bodies) != 2 || bodies[0] != want || bodies[1] != want {
		t.Errorf("bodies %q, want twice %s", bodies, want)
	}
	for name, value := range map[string]string{
		notify.DeliveryHeader: casebook.DeliveryID(a.ID, "hook"), notify.AttemptHeader: "2", notify.TimestampHeader: strconv.Itoa(start + 2),
		notify.SignatureHeader: notify.Sign(secret, strconv.Itoa(start+2), []byte(want)), "Content-Type": "application/json", "User-Agent": "coldtrail/test",
	} {
		if got := headers.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// TestAnswers checks what follows from each answer of a receiver.
func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		status int
		after  string
		want   casebook.DeliveryStatus
		next   int64 // seconds from now
	}{
		{200, "", casebook.Delivered, 0},
		{204, "", casebook.Delivered, 0},
		{299, "", casebook.Delivered, 0},
		{500, "", casebook.Waiting, 2},
		{502, "600", casebook.Waiting, 2},
		{503, "", casebook.Waiting, 2},
		{503, "600", casebook.Waiting, 600},
		{429, "7", casebook.Waiting, 7},
		{429, "1", casebook.Waiting, 2},
		{429, "-5", casebook.Waiting, 2},
		{429, "x", casebook.Waiting, 2},
		{429, time.Unix(start+90, 0).UTC().Format(http.TimeFormat), casebook.Waiting, 90},
		{429, "99999999", casebook.Waiting, 3600},
		{302, "", casebook.Waiting, 2},
		{401, "", casebook.Waiting, 2},
		{403, "", casebook.Waiting, 2},
		{404, "", casebook.Waiting, 2},
		{408, "", casebook.Waiting, 2},
		{400, "", casebook.GivenUp, 0},
		{410, "", casebook.GivenUp, 0},
		{413, "", casebook.GivenUp, 0},
		{415, "", casebook.GivenUp, 0},
		{422, "", casebook.GivenUp, 0},
	} {
		t.Run(fmt.Sprint(tc.status, tc.after), func(t *testing.T) {
			clock := &clock{now: start}
			rec := listen(t, clock, func(_ int, w http.ResponseWriter, _ *http.Request) int {
				w.Header().Set("Retry-After", tc.after)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				if tc.status != 204 {
					_, _ = w.Write([]byte("no\x1b[31m way\n"))
				}
				return tc.status
			})
			var mu sync.Mutex
			heard := ""
			d := set(t, clock, notify.Options{Ended: func(_ casebook.Delivery, status casebook.DeliveryStatus, _ string) {
				mu.Lock()
				defer mu.Unlock()
				heard = string(status)
			}}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
			d.target(t, "hook", casebook.Webhook, rec.URL)
			d.raise(t, "a", 1)
			d.drain(t)
			got := d.deliveries(t)[0]
			if got.Status != tc.want || got.Attempts != 1 || tc.want == casebook.Waiting && got.Next != start+tc.next {
				t.Errorf("%+v, want %s, next after %d s", got, tc.want, tc.next)
			}
			if want := fmt.Sprintf(`the receiver answered %d: "no\x1b[31m way\n"`, tc.status); tc.want != casebook.Delivered && got.Reason != want {
				t.Errorf("reason %q, want %q", got.Reason, want)
			}
			if want := map[bool]string{true: "", false: string(tc.want)}[tc.want == casebook.Waiting]; heard != want {
				t.Errorf("heard %q, want %q", heard, want)
			}
			if n := len(rec.all()); n != 1 {
				t.Errorf("%d requests came, want one: redirects are not followed", n)
			}
		})
	}
}

// TestGivenUp tries for seven days and then says so; the next alert of the subject goes out.
func TestGivenUp(t *testing.T) {
	clock := &clock{now: start}
	rec := listen(t, clock, says(500))
	d := set(t, clock, notify.Options{}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
	d.target(t, "hook", casebook.Webhook, rec.URL)
	first := d.raise(t, "a", 1)
	for hour := range 7 * 24 {
		d.drain(t)
		if got := d.deliveries(t)[0]; got.Status != casebook.Waiting {
			t.Fatalf("after %d hours: %+v", hour, got)
		}
		clock.pass(3600)
	}
	d.raise(t, "a", 2)
	d.drain(t)
	got := d.deliveries(t)
	if got[0].Alert != first.ID || got[0].Status != casebook.GivenUp || got[0].Ended != start+7*24*3600 || !strings.HasPrefix(got[0].Reason, "given up after 169 attempts: the receiver answered 500") {
		t.Errorf("after seven days: %+v", got[0])
	}
	if got[1].Status != casebook.Waiting || got[1].Attempts != 1 {
		t.Errorf("the next alert: %+v", got[1])
	}
}

// TestLostAnswer has a receiver that takes a delivery and whose word is lost: it comes
// again under the same identifier, as the second attempt.
func TestLostAnswer(t *testing.T) {
	clock := &clock{now: start}
	rec := listen(t, clock, func(n int, _ http.ResponseWriter, _ *http.Request) int {
		if n == 0 {
			panic(http.ErrAbortHandler)
		}
		return 200
	})
	d := set(t, clock, notify.Options{}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
	d.target(t, "hook", casebook.Webhook, rec.URL)
	a := d.raise(t, "a", 1)
	d.drain(t)
	clock.pass(2)
	d.drain(t)
	got := rec.all()
	id := casebook.DeliveryID(a.ID, "hook")
	if len(got) != 2 || got[0].delivery != id || got[1].delivery != id || got[0].attempt != 1 || got[1].attempt != 2 {
		t.Errorf("received %+v, want delivery %s twice", got, id)
	}
}

// TestSlowReceiver has one receiver that does not answer and one that does: the slow one
// gets no more than its share, and the other everything.
func TestSlowReceiver(t *testing.T) {
	clock := &clock{now: start}
	release := make(chan struct{})
	var mu sync.Mutex
	at, most := 0, 0
	full := make(chan struct{})
	slow := listen(t, clock, func(_ int, _ http.ResponseWriter, _ *http.Request) int {
		mu.Lock()
		at++
		if most = max(most, at); at == 3 {
			close(full)
		}
		mu.Unlock()
		<-release
		mu.Lock()
		at--
		mu.Unlock()
		return 200
	})
	fast := listen(t, clock, says(200))
	roots := slow.roots()
	roots.AddCert(fast.Certificate())
	d := set(t, clock, notify.Options{Parallel: 6, PerTarget: 3, Poll: time.Millisecond}, notify.WebhookOptions{Allowed: loopback, Roots: roots})
	d.target(t, "slow", casebook.Webhook, slow.URL)
	d.target(t, "fast", casebook.Webhook, fast.URL)
	for n := range 20 {
		d.raise(t, fmt.Sprintf("s%d", n), n)
	}
	done := make(chan error)
	go func() { done <- d.worker.Drain(t.Context()) }()
	<-full
	for len(fast.all()) < 20 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if most != 3 || len(slow.all()) != 20 {
		t.Errorf("the slow receiver had %d at once and %d in all, want 3 and 20", most, len(slow.all()))
	}
}

// TestRun runs until its context ends, is woken by what is new, and breaks off what is
// under way: that is tried again at once the next time.
func TestRun(t *testing.T) {
	clock := &clock{now: start}
	arrived := make(chan struct{}, 10)
	rec := listen(t, clock, func(n int, _ http.ResponseWriter, r *http.Request) int {
		arrived <- struct{}{}
		if n == 1 {
			<-r.Context().Done() // does not answer while the sender waits
			return 0
		}
		return 200
	})
	d := set(t, clock, notify.Options{Poll: time.Hour}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
	d.target(t, "hook", casebook.Webhook, rec.URL)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.worker.Run(ctx) }()
	for n := range 2 {
		d.raise(t, "a", n)
		d.worker.Wake()
		<-arrived
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	got := d.deliveries(t)
	if got[0].Status != casebook.Delivered || got[1].Status != casebook.Waiting || got[1].Next != start {
		t.Errorf("after the end: %+v", got)
	}
	d.drain(t)
	if got := d.deliveries(t)[1]; got.Status != casebook.Delivered || got.Attempts != 2 {
		t.Errorf("started again: %+v", got)
	}
}

// TestTimeout has a receiver that never answers, and one that never stops.
func TestTimeout(t *testing.T) {
	clock := &clock{now: start}
	for name, answer := range map[string]func(int, http.ResponseWriter, *http.Request) int{
		"no answer": func(_ int, _ http.ResponseWriter, r *http.Request) int {
			<-r.Context().Done()
			return 0
		},
		"no end of headers": func(_ int, w http.ResponseWriter, _ *http.Request) int {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
			w.WriteHeader(http.StatusOK)
			return 200
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := listen(t, clock, answer)
			d := set(t, clock, notify.Options{Timeout: 200 * time.Millisecond}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
			d.target(t, "hook", casebook.Webhook, rec.URL)
			d.raise(t, "a", 1)
			d.drain(t)
			if got := d.deliveries(t)[0]; got.Status != casebook.Waiting || got.Attempts != 1 || got.Reason == "" {
				t.Errorf("%+v, want it to be tried again", got)
			}
		})
	}
	t.Run("no end of the body", func(t *testing.T) {
		rec := listen(t, clock, func(_ int, w http.ResponseWriter, r *http.Request) int {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					break
				}
			}
			return 200
		})
		d := set(t, clock, notify.Options{}, notify.WebhookOptions{Allowed: loopback, Roots: rec.roots()})
		d.target(t, "hook", casebook.Webhook, rec.URL)
		d.raise(t, "a", 1)
		d.drain(t)
		if got := d.deliveries(t)[0]; got.Status != casebook.Delivered {
			t.Errorf("%+v, want it delivered: the answer was 200", got)
		}
	})
}

// TestNobodySends keeps what no sender is there for.
func TestNobodySends(t *testing.T) {
	clock := &clock{now: start}
	d := set(t, clock, notify.Options{}, notify.WebhookOptions{})
	d.target(t, "mail", casebook.Mail, "a@example.org")
	d.raise(t, "a", 1)
	d.drain(t)
	if got := d.deliveries(t)[0]; got.Status != casebook.Waiting || got.Reason != "nothing here sends to a target of kind mail" {
		t.Errorf("%+v", got)
	}
}
