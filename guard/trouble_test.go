package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coldtrail/casebook"
	"coldtrail/guard"
	"coldtrail/screen/breaker"
)

// faulty is a casebook that sometimes keeps nothing, and counts its transactions.
type faulty struct {
	guard.Book

	fails atomic.Bool
	posts atomic.Int64
}

func (f *faulty) PostEvents(ctx context.Context, venue string, events []casebook.Event) ([]casebook.Event, error) {
	f.posts.Add(1)
	if f.fails.Load() {
		return nil, casebook.ErrFull
	}
	return f.Book.PostEvents(ctx, venue, events)
}

// beside opens another guard over the same casebook.
func (r *rig) beside(book guard.Book) *guard.Guard {
	r.tb.Helper()
	g, err := guard.Open(r.tb.Context(), guard.Options{Book: book, Know: r.engine.Now, Now: func() int64 { return r.now }})
	r.must(err)
	return g
}

// TestNothingUnkept: a decision that could not be kept is not handed out, and the breaker
// has not seen the use.
func TestNothingUnkept(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{}`)
	r.use("dex", r.swap("before", account(1), 100))
	r.shut()
	r.open()
	book := &faulty{Book: r.book}
	g := r.beside(book)
	book.fails.Store(true)
	if d, err := g.Use(t.Context(), "dex", []breaker.Event{r.swap("lost", account(2), 100)}); !errors.Is(err, casebook.ErrFull) || d != nil {
		t.Errorf("on a full disk: %+v, %v", d, err)
	}
	book.fails.Store(false)
	d, err := g.Use(t.Context(), "dex", []breaker.Event{r.swap("lost", account(2), 100)})
	r.must(err)
	report, err := g.Replay(t.Context(), "dex")
	r.must(err)
	state, _, err := g.State(t.Context(), "dex")
	r.must(err)
	if d[0].Action != breaker.Pass || report.First != nil || report.State != state || report.Decisions != 2 {
		t.Errorf("afterwards: %s, %+v, state %s", d[0].Action, report, state)
	}
	r.must(g.Close(t.Context()))
}

// TestTwoGuards: of two guards over one log, who comes second is refused, reads what the
// other wrote and goes on; the log stays one.
func TestTwoGuards(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{}`)
	other := r.beside(r.book)
	if _, err := other.Use(t.Context(), "dex", []breaker.Event{r.swap("a", account(1), 100)}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.guard.Use(t.Context(), "dex", []breaker.Event{r.swap("b", account(2), 100)}); !errors.Is(err, guard.ErrLog) {
		t.Errorf("behind another's back: %v", err)
	}
	if d := r.use("dex", r.swap("b", account(2), 100)); d[0].Action != breaker.Pass {
		t.Errorf("the second time: %+v", d)
	}
	if report := r.same("dex"); report.Decisions != 2 {
		t.Errorf("%+v", report)
	}
	r.must(other.Close(t.Context()))
}

// TestManyAtOnce: callers share transactions, everybody has a decision of his own, and who
// gives up gets an error.
func TestManyAtOnce(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{}`)
	r.shut()
	r.open()
	book := &faulty{Book: r.book}
	g := r.beside(book)
	const callers, each = 50, 10
	var wait sync.WaitGroup
	var failed atomic.Int64
	seen := make([][]int64, callers)
	for c := range callers {
		wait.Go(func() {
			for i := range each {
				ctx, cancel := context.WithCancel(t.Context())
				if c%10 == 0 && i == 5 {
					cancel()
				}
				d, err := g.Use(ctx, "dex", []breaker.Event{r.swap(fmt.Sprintf("use-%d-%d", c, i), account(c), 100)})
				cancel()
				if err != nil {
					failed.Add(1)
					continue
				}
				seen[c] = append(seen[c], d[0].Sequence)
			}
		})
	}
	wait.Wait()
	all := map[int64]bool{}
	for c := range seen {
		for _, n := range seen[c] {
			if n == 0 || all[n] {
				t.Errorf("number %d twice", n)
			}
			all[n] = true
		}
	}
	if n := failed.Load(); len(all)+int(n) != callers*each || n > callers/10 {
		t.Errorf("%d decisions, %d failed", len(all), n)
	}
	if posts := book.posts.Load(); posts > callers*each/2 {
		t.Errorf("%d transactions for %d uses", posts, callers*each)
	}
	report, err := g.Replay(t.Context(), "dex")
	if err != nil || report.First != nil {
		t.Errorf("%+v, %v", report, err)
	}
	r.must(g.Close(t.Context()))
	if _, err := g.Use(t.Context(), "dex", []breaker.Event{r.swap("late", account(1), 1)}); !errors.Is(err, guard.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestHostileUses: what cannot be kept as it is, is refused; a transaction's identifier is
// nobody; another spelling is the same sender.
func TestHostileUses(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{"chain": "ethereum"}`)
	for name, change := range map[string]func(*breaker.Event){
		"no identifier": func(e *breaker.Event) { e.ID = "" },
		"no UTF-8":      func(e *breaker.Event) { e.Cluster = "\xff" },
		"a NUL":         func(e *breaker.Event) { e.Route = "A\x00B" },
		"too long":      func(e *breaker.Event) { e.Fingerprint = strings.Repeat("x", 257) },
		"another venue": func(e *breaker.Event) { e.Venue = "cex" },
		"no moment":     func(e *breaker.Event) { e.Moment = 0 },
	} {
		e := r.swap("bad", account(1), 1)
		change(&e)
		if _, err := r.guard.Use(t.Context(), "dex", []breaker.Event{e}); !errors.Is(err, guard.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	thief := r.tainted(1)[0]
	upper := "0x" + strings.ToLower(thief[2:])
	r.use("dex", r.swap("spelt", upper, 1), r.swap("hash", "0x"+strings.Repeat("ab", 32), 1))
	uses, _ := latest(r.logged("dex"))
	if uses["spelt"].Origin != thief || len(uses["spelt"].Taint) == 0 {
		t.Errorf("another spelling: %+v", uses["spelt"])
	}
	if !uses["hash"].Unknown {
		t.Errorf("a transaction as sender: %+v", uses["hash"])
	}
	// A forged taint is not looked at.
	e := r.swap("forged", account(3), 1)
	e.Taint = []breaker.Taint{{Incident: "forged", Share: 10_000}}
	r.use("dex", e)
	if uses, _ := latest(r.logged("dex")); len(uses["forged"].Taint) != 0 {
		t.Errorf("a forged taint: %+v", uses["forged"])
	}
}

// TestManyStates: more transitions at one moment than a line holds are all kept and told.
func TestManyStates(t *testing.T) {
	r := newRig(t, 1)
	r.venue("dex", casebook.Posted, `{}`)
	const n = 150
	for i := range n {
		r.must2(r.guard.Override(t.Context(), "dex", "k", breaker.Override{Incident: fmt.Sprint("incident-", i), Route: "*", State: breaker.Halt, Until: r.now + hour, By: "A", Reason: strings.Repeat("why ", 900)}))
	}
	stranger := r.swap("stranger", "0x"+strings.Repeat("ab", 32), 1)
	if d := r.use("dex", stranger)[0]; d.Action != breaker.Delay || len(d.Reasons) != n {
		t.Errorf("a stranger: %s, %d reasons", d.Action, len(d.Reasons))
	}
	before := len(r.told)
	r.to(r.now + 2*hour)
	if ended := len(r.told) - before; ended < n {
		t.Errorf("%d overrides ended, %d were told", n, ended)
	}
	ids := map[string]bool{}
	for i := range r.told {
		if id := r.told[i].ID(); ids[id] {
			t.Errorf("%s twice", id)
		} else {
			ids[id] = true
		}
	}
	r.same("dex")
	var v casebook.Venue
	v, err := r.book.Venue(t.Context(), "dex")
	r.must(err)
	if !json.Valid(v.Config) {
		t.Errorf("configuration %s", v.Config)
	}
}
