package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// feed holds the newest alerts for those who read the stream. One reader asks the
// casebook for all of them. Nobody has a queue of its own: each reads from the one ring,
// and whoever falls behind it is told so and dropped, so that a slow reader costs no
// memory and holds nobody up.
type feed struct {
	mu      sync.Mutex
	ring    []feedItem // the newest, oldest first
	size    int
	last    int64 // the number of the newest
	floor   int64 // what comes after this one is in the ring
	started bool
	news    chan struct{} // closed when there is something new
	look    chan struct{} // asks the reader to look now
}

// feedItem is an alert as it is sent.
type feedItem struct {
	alert Alert
	text  []byte
}

func newFeed(size int) *feed {
	return &feed{size: size, news: make(chan struct{}), look: make(chan struct{}, 1)}
}

// Notify says that alerts were raised, so that readers of the stream need not wait for
// the next look.
func (s *Server) Notify() {
	select {
	case s.feed.look <- struct{}{}:
	default:
	}
}

// follow reads alerts into the feed until ctx is done.
func (s *Server) follow(ctx context.Context) error {
	ticker := time.NewTicker(s.options.EventsEvery)
	defer ticker.Stop()
	for failed := false; ; {
		err := s.read(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			s.log.Warn("alerts cannot be read for the stream", slog.Any("error", err))
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-s.feed.look:
		}
	}
}

// feedPage is how many alerts are read at once.
const feedPage = 500

// read reads what is new.
func (s *Server) read(ctx context.Context) error {
	f := s.feed
	if !f.started {
		newest, err := s.parts.Alerts.Newest(ctx)
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.last, f.floor, f.started = newest, newest, true
		f.wake()
		f.mu.Unlock()
	}
	for {
		alerts, err := s.parts.Alerts.Alerts(ctx, AlertFilter{After: f.last, Limit: feedPage})
		if err != nil || len(alerts) == 0 {
			return err
		}
		f.add(alerts)
		if len(alerts) < feedPage {
			return nil
		}
	}
}

// add puts alerts into the ring and wakes those who wait.
func (f *feed) add(alerts []Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range alerts {
		f.ring = append(f.ring, feedItem{alerts[i], eventText(&alerts[i])})
		f.last = alerts[i].Sequence
	}
	if over := len(f.ring) - f.size; over > 0 {
		f.floor = f.ring[over-1].alert.Sequence
		f.ring = append(f.ring[:0:0], f.ring[over:]...)
	}
	f.wake()
}

// wake wakes those who wait. mu must be held.
func (f *feed) wake() {
	close(f.news)
	f.news = make(chan struct{})
}

// position is where a reader is.
type position struct {
	items []feedItem
	// isBehind says that what comes next is not in the ring; isKnown that the casebook was
	// asked where the alerts end.
	isBehind, isKnown bool
	last              int64
	news              chan struct{}
}

// after gives what comes after a number.
func (f *feed) after(number int64) position {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := position{last: f.last, news: f.news, isKnown: f.started}
	if number >= f.last || !f.started {
		return p
	}
	if number < f.floor {
		p.isBehind = true
		return p
	}
	for i := range f.ring {
		if f.ring[i].alert.Sequence > number {
			p.items = f.ring[i:]
			break
		}
	}
	return p
}

// eventText writes an alert as an event of the stream.
func eventText(a *Alert) []byte {
	body, err := json.Marshal(a)
	if err != nil {
		body = []byte(`{}`)
	}
	return fmt.Appendf(nil, "id: %d\nevent: alert\ndata: %s\n\n", a.Sequence, body)
}

// stream is one reader.
type stream struct {
	*exchange
	control   *http.ResponseController
	filter    AlertFilter
	at        int64 // the last number that was sent or passed over
	isCurrent bool  // it has caught up once
}

// streamEvents sends alerts as they are raised, as server-sent events. A reader that comes
// back says in Last-Event-ID what it saw last, and misses nothing.
func streamEvents(x *exchange) {
	st := &stream{exchange: x, control: http.NewResponseController(x)}
	if !st.wait(x.request.Context()) || !st.start() {
		return
	}
	if x.metrics.streams.Add(1) > int64(x.options.Streams) {
		x.metrics.streams.Add(-1)
		x.problem(problemUnavailable, fmt.Sprintf("%d readers are there already", x.options.Streams))
		return
	}
	defer x.metrics.streams.Add(-1)
	h := x.Header()
	h["Content-Type"] = []string{"text/event-stream"}
	h.Set("X-Accel-Buffering", "no")
	x.WriteHeader(http.StatusOK)
	_ = st.control.SetReadDeadline(time.Time{}) // the request is read; what is left is to notice that the reader goes
	if st.write([]byte("retry: 2000\n\n")) != nil {
		return
	}
	st.run(x.request.Context())
}

// wait waits until it is known where the alerts end: whoever has seen the stream begin
// misses nothing that is raised from then on.
func (st *stream) wait(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, st.options.AnswerTimeout)
	defer cancel()
	for p := st.feed.after(0); !p.isKnown; p = st.feed.after(0) {
		select {
		case <-p.news:
		case <-st.stopping:
			st.problem(problemUnavailable, "the server ends; connect again")
			return false
		case <-ctx.Done():
			st.problem(problemUnavailable, "alerts cannot be read yet")
			return false
		}
	}
	return true
}

// start reads where the stream is to begin, and what it is to hold.
func (st *stream) start() bool {
	query := st.request.URL.Query()
	for name, values := range query {
		if len(values) != 1 || !isAmong(name, []string{"after", "kind", "subject", "chain"}) {
			st.problem(problemInvalid, fmt.Sprintf("there is no parameter %.50q, or it is there twice", name))
			return false
		}
	}
	st.filter = AlertFilter{Kind: query.Get("kind"), Subject: query.Get("subject"), Chain: query.Get("chain")}
	text := unless(st.request.Header.Get("Last-Event-ID"), query.Get("after"))
	if text == "" {
		st.at, st.isCurrent = st.feed.after(0).last, true
		return true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		st.problem(problemInvalid, "Last-Event-ID and after are the number of an alert")
		return false
	}
	st.at = n
	return true
}

// run sends until the reader goes, falls behind, or the server ends.
func (st *stream) run(ctx context.Context) {
	beat := time.NewTicker(st.options.Heartbeat)
	defer beat.Stop()
	for {
		p := st.feed.after(st.at)
		switch {
		case p.isBehind && st.isCurrent:
			st.metrics.dropped.Inc()
			_ = st.write(fmt.Appendf(nil, "event: dropped\ndata: {\"after\":%d,\"newest\":%d,\"why\":\"too slow: more than %d alerts behind; connect again with Last-Event-ID\"}\n\n", st.at, p.last, st.feed.size))
			return
		case p.isBehind:
			if !st.catchUp(ctx) {
				return
			}
			continue
		case len(p.items) > 0:
			if !st.sendAll(p.items) {
				return
			}
			continue
		}
		st.isCurrent = true
		select {
		case <-p.news:
		case <-beat.C:
			if st.write([]byte(": alive\n\n")) != nil {
				return
			}
		case <-st.stopping:
			_ = st.write([]byte("event: closing\ndata: {\"why\":\"the server ends; connect again\"}\n\n"))
			return
		case <-ctx.Done():
			return
		}
	}
}

// catchUp reads a page from the casebook, for a reader that was away for long.
func (st *stream) catchUp(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, st.options.AnswerTimeout)
	defer cancel()
	alerts, err := st.parts.Alerts.Alerts(ctx, AlertFilter{After: st.at, Limit: feedPage})
	if err != nil {
		_ = st.write([]byte("event: failed\ndata: {\"why\":\"alerts cannot be read now; connect again\"}\n\n"))
		return false
	}
	if len(alerts) == 0 { // a gap in the numbers, and nothing behind it
		st.at = max(st.at, st.feed.after(1<<62).last)
		return true
	}
	items := make([]feedItem, len(alerts))
	for i := range alerts {
		items[i] = feedItem{alerts[i], eventText(&alerts[i])}
	}
	return st.sendAll(items)
}

// sendAll sends what the reader wants of some alerts.
func (st *stream) sendAll(items []feedItem) bool {
	select {
	case <-st.stopping:
		return false
	default:
	}
	body := st.buffer()
	defer st.give(body)
	for i := range items {
		if a := &items[i].alert; st.wants(a) {
			*body = append(*body, items[i].text...)
		}
		st.at = items[i].alert.Sequence
	}
	return len(*body) == 0 || st.write(*body) == nil
}

func (st *stream) wants(a *Alert) bool {
	f := &st.filter
	return (f.Kind == "" || f.Kind == a.Kind) && (f.Subject == "" || f.Subject == a.Subject) && (f.Chain == "" || f.Chain == a.Chain)
}

// write sends at once, or gives up on a reader that does not take it.
func (st *stream) write(text []byte) error {
	if err := st.control.SetWriteDeadline(st.clock().Add(st.options.StreamPatience)); err != nil {
		return err
	}
	_, err := st.Write(text)
	if err == nil {
		err = st.control.Flush()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		st.metrics.dropped.Inc()
	}
	return err
}
