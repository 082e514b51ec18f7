package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
)

// exchange is one request and its answer.
type exchange struct {
	http.ResponseWriter
	*Server
	request *http.Request
	route   *Route
	who     identity
	status  int // 0 until the answer has begun
	started time.Time
}

// WriteHeader notes the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write notes that the answer has begun.
func (x *exchange) Write(body []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, request *http.Request) { s.mux.ServeHTTP(w, request) }

// The headers that every answer has. The slices are shared and never written to.
var (
	headerCSP      = []string{"default-src 'none'; frame-ancestors 'none'"}
	headerNoSniff  = []string{"nosniff"}
	headerReferrer = []string{"no-referrer"}
	headerNoStore  = []string{"no-store"}
	typeJSON       = []string{"application/json"}
	typeLines      = []string{"application/jsonl"}
	typeProblem    = []string{"application/problem+json"}
)

// serve lets a request through the gates and to its route.
func (s *Server) serve(w http.ResponseWriter, request *http.Request, r *Route, count *counters) {
	x := &exchange{ResponseWriter: w, Server: s, request: request, route: r, started: s.clock()}
	h := w.Header()
	h["Content-Security-Policy"] = headerCSP
	h["X-Content-Type-Options"] = headerNoSniff
	h["Referrer-Policy"] = headerReferrer
	h["Cache-Control"] = headerNoStore
	s.metrics.inFlight.Add(1)
	defer func() {
		if what := recover(); what != nil {
			x.panicked(what)
		}
		s.metrics.inFlight.Add(-1)
		count.observe(x.status, s.clock().Sub(x.started))
	}()
	if len(s.options.Origins) > 0 {
		x.cors()
	}
	if x.admit() {
		r.answer(x)
	}
}

// panicked answers where the program is wrong.
func (x *exchange) panicked(what any) {
	if what == http.ErrAbortHandler { //nolint:errorlint // it is this value, never wrapped
		panic(what)
	}
	x.metrics.panics.Inc()
	x.log.Error("a request met a mistake of the program", slog.String("route", x.route.Method+" "+x.route.Pattern),
		slog.Any("panic", what), slog.String("stack", string(debug.Stack())))
	if x.status == 0 {
		x.problem(problemInternal, "this is a mistake of the program, and it is counted")
		return
	}
	x.metrics.cut.Inc()
	panic(http.ErrAbortHandler) // half an answer must not look like a whole one
}

// admit checks who asks, whether they may, and whether they ask too often. It says false
// where it has answered.
func (x *exchange) admit() bool {
	who, refusal := x.authenticate()
	if refusal != nil && x.route.Role != Nobody {
		return x.refuse(refusal)
	}
	x.who = who
	switch {
	case x.route.Method == "*":
	case !who.role.Includes(x.route.Role):
		x.problem(problemRole, fmt.Sprintf("%s has the role %s, and this needs %s", who.id, who.role, x.route.Role))
		return false
	case !x.has(x.route.Part):
		x.problem(problemNotWired, fmt.Sprintf("this server runs without its part %q", x.route.Part))
		return false
	}
	if x.route.Class == ClassFree {
		return true
	}
	return x.charge(x.route.Class, 1)
}

// refuse answers who has no right credentials, and slows down who tries many.
func (x *exchange) refuse(refusal *refusal) bool {
	if wait := x.limits.charge(addressOf(x.request), ClassCredential, 1, x.started); wait > 0 {
		x.tooOften(wait)
		return false
	}
	x.metrics.refused.Inc()
	if refusal.problem == problemCredentials {
		x.Header().Set("WWW-Authenticate", `Bearer realm="coldtrail"`)
	}
	x.problem(refusal.problem, refusal.detail)
	return false
}

// charge takes so many from the caller's rate and says whether it was there.
func (x *exchange) charge(class Class, n int) bool {
	name := x.who.id
	if name == "" || class == ClassStranger {
		name = addressOf(x.request)
	}
	wait := x.limits.charge(name, class, n, x.started)
	if wait <= 0 {
		return true
	}
	x.tooOften(wait)
	return false
}

func (x *exchange) tooOften(wait time.Duration) {
	x.metrics.limited.Inc()
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	x.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	x.problem(problemRate, fmt.Sprintf("more was asked than this key may; in %d s there is room again", seconds))
}

// cors tells browsers which scripts may read the answer.
func (x *exchange) cors() {
	h := x.Header()
	h.Add("Vary", "Origin")
	if x.mayRead() {
		h.Set("Access-Control-Allow-Origin", x.request.Header.Get("Origin"))
		h.Set("Access-Control-Expose-Headers", "Coldtrail-Audit, Coldtrail-Data-Age, Coldtrail-Revision, Coldtrail-Signature, ETag, Retry-After")
	}
}

// mayRead says whether a script of the request's origin may read the answer.
func (x *exchange) mayRead() bool {
	return slices.Contains(x.options.Origins, x.request.Header.Get("Origin"))
}

// within bounds what is looked up for a request.
func (x *exchange) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(x.request.Context(), x.options.AnswerTimeout)
}

// json answers with a value.
func (x *exchange) json(status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		x.fail(fmt.Errorf("write the answer: %w", err))
		return
	}
	x.send(status, typeJSON, append(body, '\n'))
}

// send answers with bytes.
func (x *exchange) send(status int, contentType []string, body []byte) {
	h := x.Header()
	h["Content-Type"] = contentType
	if len(body) > 1500 { // net/http finds out the length of shorter ones
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	x.WriteHeader(status)
	_, _ = x.Write(body)
}

// change answers a change that somebody made, after it was written down.
func (x *exchange) change(status int, question []byte, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		x.fail(fmt.Errorf("write the answer: %w", err))
		return
	}
	x.record(question, withoutSecrets(value, body))
	x.send(status, typeJSON, append(body, '\n'))
}

// fail answers with the problem that an error stands for.
func (x *exchange) fail(err error) {
	for i := range failures {
		if errors.Is(err, failures[i].err) {
			x.problem(failures[i].problem, err.Error())
			return
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		x.problem(problemUnavailable, "it took too long to find out")
		return
	}
	if x.request.Context().Err() != nil {
		x.status = 499 // the caller has gone; the number is nginx's
		return
	}
	var id [6]byte
	_, _ = rand.Read(id[:])
	number := hex.EncodeToString(id[:])
	x.log.Error("a request failed", slog.String("route", x.route.Method+" "+x.route.Pattern),
		slog.String("instance", number), slog.Any("error", err))
	x.problem(problemInternal, "the log of the server says more under "+number)
}
