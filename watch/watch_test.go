package watch_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/notify"
	"coldtrail/screen/exposure"
	"coldtrail/trace"
	"coldtrail/watch"
)

// before is a stage with all blocks before the one with which an address turns.
func before(t *testing.T) (*stage, turned, *ledger.Block) {
	t.Helper()
	blocks, c := played()
	at := turning()
	s := newStage(t, blocks[at.block-1].Time)
	if err := s.store.Append(t.Context(), blocks[:at.block]); err != nil {
		t.Fatal(err)
	}
	s.rebuild(t, c)
	s.current(t)
	return s, at, blocks[at.block]
}

// receiver is a real server for webhooks.
type receiver struct {
	*httptest.Server

	mu  sync.Mutex
	got []notify.Message
}

const secret = "a-secret-of-16-b"

// deliver sends what is in the outbox to a real receiver, and gives what it got.
func (s *stage) deliver(t *testing.T) []notify.Message {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		err = errors.Join(err, notify.Check(request.Header, body, []string{secret}, s.clock(), time.Minute))
		var m notify.Message
		if err = errors.Join(err, json.Unmarshal(body, &m)); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, m)
	}))
	defer r.Close()
	if err := s.book.SaveTarget(t.Context(), casebook.Target{ID: "desk", Kind: casebook.Webhook, Address: r.URL, Secrets: []string{secret}, By: "key-1", Created: 1}); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(r.Certificate())
	send, shut := notify.Webhooks(notify.WebhookOptions{Clock: s.clock, Allowed: notify.Networks{netip.MustParsePrefix("127.0.0.0/8")}, Roots: roots})
	defer shut()
	worker := notify.New(notify.Options{Outbox: s.book, Senders: map[casebook.TargetKind]notify.Send{casebook.Webhook: send}, Clock: s.clock})
	if err := worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func (s *stage) subscribe(t *testing.T) {
	t.Helper()
	err := errors.Join(
		s.book.SaveTarget(t.Context(), casebook.Target{ID: "desk", Kind: casebook.Webhook, Address: "https://127.0.0.1:1/", Secrets: []string{secret}, By: "key-1", Created: 1}),
		s.book.SaveSubscription(t.Context(), casebook.Subscription{ID: "all", Target: "desk", By: "key-1", Created: 1}))
	if err != nil {
		t.Fatal(err)
	}
}

// TestWatchHit: a member becomes tainted and one alert reaches a receiver, whatever is done
// again; a reorganisation withdraws it, and a new block brings a new one.
func TestWatchHit(t *testing.T) {
	s, at, block := before(t)
	s.subscribe(t)
	s.list(t, "deposits", casebook.Member{Address: at.address}, casebook.Member{Address: stranger})
	s.list(t, "partners", casebook.Member{Address: strings.ToLower(at.address)}) // the same, in another spelling
	w := s.watch(t)
	if r := s.look(t, w); r.Looked != 2 || r.Raised != 0 {
		t.Fatalf("before: %+v", r)
	}

	s.append(t, block)
	if r := s.look(t, w); r.Raised != 1 {
		t.Fatalf("with the block: %+v", r)
	}
	got := s.deliver(t)
	if len(got) != 1 {
		t.Fatalf("%d messages, want 1", len(got))
	}
	m, head := got[0], s.engine.Now().Basis().Heads[string(ledger.Ethereum)]
	if m.Kind != casebook.WatchHit || m.Subject != at.address || m.Level == "" {
		t.Errorf("the message: %+v", m)
	}
	if want := (casebook.Cause{Chain: string(ledger.Ethereum), Height: uint64(block.Height), Block: head.Hash}); m.Cause != want {
		t.Errorf("the cause is %+v, want %+v", m.Cause, want)
	}
	var f watch.Finding
	if err := json.Unmarshal(m.Body, &f); err != nil {
		t.Fatal(err)
	}
	if f.From != (watch.Standing{Outcome: exposure.Allow, Level: exposure.None}) || f.To.Outcome != exposure.Refuse || !slices.Equal(f.Lists, []string{"deposits", "partners"}) ||
		len(f.Verdict.Facts) == 0 || len(f.Verdict.Facts[0].Evidence) == 0 || f.Verdict.Policy != s.engine.Now().Policy().String() {
		t.Errorf("the finding: %+v", f)
	}

	// The same again, by the same and by a restarted watch, and by one that was not there.
	s.look(t, w)
	s.look(t, s.watch(t))
	if all := s.alerts(t, casebook.AlertFilter{}); len(all) != 1 {
		t.Fatalf("%d alerts, want 1", len(all))
	}

	// The block vanishes.
	if err := s.store.Rewind(t.Context(), ledger.Ethereum, block.Height); err != nil {
		t.Fatal(err)
	}
	if err := w.TakenBack(t.Context(), ledger.Ethereum, block.Height-1); err != nil {
		t.Fatal(err)
	}
	first, err := s.book.Alert(t.Context(), m.Alert)
	if err != nil || first.State != casebook.TakenBack {
		t.Fatalf("after the reorganisation: %+v, %v", first, err)
	}
	// A round by knowledge from before it must not bring it back.
	if r := s.look(t, w); r.Raised != 0 || r.Left != 1 {
		t.Errorf("by old knowledge: %+v", r)
	}
	s.current(t)
	if r := s.look(t, w); r.Raised != 0 || r.Left != 0 {
		t.Errorf("without the block: %+v", r)
	}
	if standing := s.alerts(t, casebook.AlertFilter{State: casebook.Standing, Kind: casebook.WatchHit}); len(standing) != 0 {
		t.Errorf("standing: %+v", standing)
	}
	if got := s.deliver(t); len(got) != 1 || got[0].Kind != casebook.Withdrawn || got[0].Withdraws != m.Alert {
		t.Errorf("of the withdrawal: %+v", got)
	}

	// Another block brings the same transactions.
	other := *block
	other.Hash[0] ^= 1
	s.append(t, &other)
	if r := s.look(t, w); r.Raised != 1 {
		t.Errorf("with another block: %+v", r)
	}
	got = s.deliver(t)
	if len(got) != 1 || got[0].Alert == m.Alert || got[0].Kind != casebook.WatchHit || got[0].Cause.Block != ledger.Ethereum.FormatHash(other.Hash) {
		t.Errorf("of another block: %+v", got)
	}
	if h := w.Health(); h.Members != 2 || h.Raised != 2 || h.Withdrawn != 1 || h.Trouble != "" || h.Left != 0 {
		t.Errorf("health: %+v", h)
	}
}

// TestReorganisedWhileAway: the program was not running when its chain was reorganised.
func TestReorganisedWhileAway(t *testing.T) {
	for _, kind := range []casebook.AlertKind{casebook.WatchHit, casebook.VerdictChanged} {
		t.Run(string(kind), func(t *testing.T) {
			s, at, block := before(t)
			w := s.watch(t)
			if kind == casebook.WatchHit {
				s.list(t, "deposits", casebook.Member{Address: at.address})
			} else {
				s.ask(t, w, exposure.Question{Subject: at.address})
				s.flush(t, w)
			}
			s.look(t, w)
			s.append(t, block)
			if r := s.look(t, w); r.Raised != 1 {
				t.Fatalf("%+v", r)
			}
			if err := s.store.Rewind(t.Context(), ledger.Ethereum, block.Height); err != nil {
				t.Fatal(err)
			}
			other := *block
			other.Hash[1] ^= 1
			s.append(t, &other)
			s.look(t, s.watch(t))
			all := s.alerts(t, casebook.AlertFilter{Subject: at.address})
			if len(all) != 3 || all[0].State != casebook.TakenBack || all[1].Kind != casebook.Withdrawn || all[2].Kind != kind || all[2].State != casebook.Standing ||
				all[2].Cause.Block != ledger.Ethereum.FormatHash(other.Hash) {
				t.Fatalf("%+v", all)
			}
			if f := found(t, &all[2]); f.From.Outcome != exposure.Allow || f.To.Outcome != exposure.Refuse {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestScreenedOnce: somebody was told that an address is clean, and hears when it is not;
// the casebook is opened anew in between.
func TestScreenedOnce(t *testing.T) {
	s, at, block := before(t)
	w := s.watch(t)
	if v := s.ask(t, w, exposure.Question{Subject: strings.ToLower(at.address), Purpose: exposure.Deposit}); v.Outcome != exposure.Allow {
		t.Fatalf("before: %s", v.Outcome)
	}
	s.ask(t, w, exposure.Question{Subject: stranger, Chain: "eip155:1"})
	s.ask(t, w, exposure.Question{Subject: "lazarus"})                // no address
	s.ask(t, w, exposure.Question{Subject: strings.Repeat("ab", 32)}) // a transaction
	s.flush(t, w)
	if h := w.Health(); h.Subjects != 2 || h.Queued != 0 {
		t.Fatalf("health: %+v", h)
	}
	if err := s.book.Close(); err != nil {
		t.Fatal(err)
	}
	s.openBook(t)
	w = s.watch(t)
	s.append(t, block)
	if r := s.look(t, w); r.Raised != 1 || r.Looked != 2 {
		t.Fatalf("with the block: %+v", r)
	}
	all := s.alerts(t, casebook.AlertFilter{})
	if len(all) != 1 || all[0].Kind != casebook.VerdictChanged || all[0].Subject != at.address || all[0].Cause.Height != uint64(block.Height) {
		t.Fatalf("%+v", all)
	}
	rows, err := s.book.ScreenedSince(t.Context(), 1, casebook.Screened{}, 0)
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	for _, row := range rows {
		want := map[string]exposure.Outcome{at.address: exposure.Refuse, stranger: exposure.Allow}[row.Subject]
		if row.Outcome != want || row.By != "key-1" {
			t.Errorf("kept: %+v, want %s", row, want)
		}
	}
	s.look(t, s.watch(t))
	if all := s.alerts(t, casebook.AlertFilter{}); len(all) != 1 {
		t.Errorf("after a restart %d alerts", len(all))
	}
}

// TestBetweenAnswerAndNote: a block comes after somebody was answered and before that is
// noted.
func TestBetweenAnswerAndNote(t *testing.T) {
	s, at, block := before(t)
	w := s.watch(t)
	s.ask(t, w, exposure.Question{Subject: at.address, Purpose: exposure.Withdrawal})
	s.append(t, block)
	s.look(t, w)
	s.flush(t, w)
	if r := s.look(t, w); r.Raised != 1 {
		t.Fatalf("%+v", r)
	}
	all := s.alerts(t, casebook.AlertFilter{})
	if f := found(t, &all[0]); f.From.Outcome != exposure.Allow || f.To.Outcome != exposure.Refuse {
		t.Errorf("%+v", f)
	}
}

// TestLabels: what people say changes, again and again; no block is the cause.
func TestLabels(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	s.list(t, "mixers", casebook.Member{Address: tornado, Chain: "eip155:1"}, casebook.Member{Address: tron}, casebook.Member{Address: stranger})
	w := s.watch(t)
	if r := s.look(t, w); r.Raised != 0 {
		t.Fatalf("that no chain is held makes an alert: %+v", r)
	}
	one := listed(tornado, start-day)
	two := listed(tornado, start-day)
	two.Subject = label.Subject{Network: label.Tron, Address: tron}
	s.claim(t, one, two)
	s.rebuild(t)
	if r := s.look(t, w); r.Raised != 2 {
		t.Fatalf("listed: %+v", r)
	}
	ended := label.Claim{Subject: one.Subject, By: "OFAC", Withdraws: one.ID().String(), From: start - 100, Learned: start - 50}
	s.claim(t, ended)
	s.rebuild(t)
	if r := s.look(t, w); r.Raised != 1 {
		t.Fatalf("delisted: %+v", r)
	}
	again := listed(tornado, start-10)
	s.claim(t, again)
	s.rebuild(t)
	if r := s.look(t, w); r.Raised != 1 {
		t.Fatalf("listed again: %+v", r)
	}
	last := ""
	for i, want := range []exposure.Outcome{exposure.Refuse, exposure.Review, exposure.Refuse} {
		a := s.alerts(t, casebook.AlertFilter{Subject: tornado})[i]
		f := found(t, &a)
		if f.To.Outcome != want || a.Cause != (casebook.Cause{}) || f.After != last {
			t.Errorf("alert %d: %+v of %+v after %q", i, f.To, a.Cause, f.After)
		}
		last = a.ID
	}
}

// TestTimePasses: a listing ends, and nothing but the clock says so.
func TestTimePasses(t *testing.T) {
	s := newStage(t, start)
	c := listed(tornado, start-day)
	c.Until = start + day
	s.claim(t, c)
	s.rebuild(t)
	s.list(t, "mixers", casebook.Member{Address: tornado})
	w := s.watch(t)
	s.look(t, w)
	s.set(start + day)
	s.look(t, w)
	all := s.alerts(t, casebook.AlertFilter{})
	if len(all) != 2 || found(t, &all[1]).From.Outcome != exposure.Refuse {
		t.Errorf("%+v", all)
	}
}

// TestOldDataSaysNothing: while a chain is silent nobody's verdict changes by that alone,
// but what people say still counts.
func TestOldDataSaysNothing(t *testing.T) {
	s, at, _ := before(t)
	s.list(t, "deposits", casebook.Member{Address: at.address}, casebook.Member{Address: stranger})
	w := s.watch(t)
	s.look(t, w)
	if err := w.Stale(t.Context(), s.engine.Now()); err != nil {
		t.Fatal(err)
	}
	heard := s.now
	s.set(heard + 3600)
	for range 2 {
		if err := w.Stale(t.Context(), s.engine.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.look(t, w); r.Raised != 0 {
		t.Errorf("an hour later: %+v", r)
	}
	stale := s.alerts(t, casebook.AlertFilter{Kind: casebook.DataStale, Chain: string(ledger.Ethereum)})
	if len(stale) != 1 || stale[0].Subject != string(ledger.Ethereum) {
		t.Fatalf("%+v", stale)
	}
	var said watch.Silence
	if err := json.Unmarshal(stale[0].Body, &said); err != nil || said.State != watch.Silent || said.Last != heard {
		t.Errorf("%+v, %v", said, err)
	}
	_, c := played()
	s.claim(t, listed(stranger, heard))
	s.rebuild(t, c)
	if r := s.look(t, w); r.Raised != 1 {
		t.Errorf("a listing while it is silent: %+v", r)
	}
	if all := s.alerts(t, casebook.AlertFilter{Kind: casebook.WatchHit}); len(all) != 1 || all[0].Cause != (casebook.Cause{}) {
		t.Errorf("what people say follows from no block: %+v", all)
	}

	w = s.watch(t) // a restart
	if err := w.Stale(t.Context(), s.engine.Now()); err != nil {
		t.Fatal(err)
	}
	s.current(t)
	for range 2 {
		if err := w.Stale(t.Context(), s.engine.Now()); err != nil {
			t.Fatal(err)
		}
	}
	stale = s.alerts(t, casebook.AlertFilter{Kind: casebook.DataStale, Chain: string(ledger.Ethereum)})
	if len(stale) != 2 {
		t.Fatalf("%d alerts of the chain, want 2", len(stale))
	}
	if err := json.Unmarshal(stale[1].Body, &said); err != nil || said.State != watch.Heard || said.Last != s.now || said.After != stale[0].ID {
		t.Errorf("%+v, %v", said, err)
	}
	if r := s.look(t, w); r.Raised != 0 {
		t.Errorf("heard again: %+v", r)
	}
}

// TestFollowedAndSilent: a chain that is meant to be followed and never was.
func TestFollowedAndSilent(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	w := s.watch(t, func(o *watch.Options) { o.Followed = []ledger.Chain{ledger.Bitcoin} })
	for _, wait := range []int64{0, 899, 1000, 2000} {
		s.set(start + wait)
		if err := w.Stale(t.Context(), s.engine.Now()); err != nil {
			t.Fatal(err)
		}
		want := 0
		if wait > 900 {
			want = 1
		}
		if got := s.alerts(t, casebook.AlertFilter{Kind: casebook.DataStale}); len(got) != want {
			t.Errorf("after %d s %d alerts, want %d", wait, len(got), want)
		}
	}
}

// failing is a casebook whose writes fail at times.
type failing struct {
	watch.Book

	raise, keep error
}

var errDisk = errors.New("no room")

func (f *failing) Raise(ctx context.Context, alerts []casebook.Alert) ([]casebook.Alert, error) {
	if f.raise != nil {
		return nil, f.raise
	}
	return f.Book.Raise(ctx, alerts)
}

func (f *failing) KeepScreened(ctx context.Context, batch []casebook.Screened) error {
	if f.keep != nil {
		return f.keep
	}
	return f.Book.KeepScreened(ctx, batch)
}

// TestNoRoom: nothing that was found is lost while the casebook takes nothing, and nothing
// is told twice where only half of it was kept.
func TestNoRoom(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	book := &failing{Book: s.book}
	w := s.watch(t, func(o *watch.Options) { o.Book = book })
	book.keep = errDisk
	s.ask(t, w, exposure.Question{Subject: tornado, Chain: "eip155:1"})
	if err := w.Flush(t.Context(), s.engine.Now()); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	if h := w.Health(); !strings.Contains(h.Trouble, "no room") || h.Subjects != 0 {
		t.Errorf("health: %+v", h)
	}
	book.keep = nil
	s.flush(t, w)
	if h := w.Health(); h.Trouble != "" || h.Subjects != 1 {
		t.Errorf("health: %+v", h)
	}
	s.look(t, w)

	s.claim(t, listed(tornado, start-day))
	s.rebuild(t)
	book.raise = errDisk
	if _, err := w.Changed(t.Context(), s.engine.Now()); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	book.raise, book.keep = nil, errDisk
	if r, err := w.Changed(t.Context(), s.engine.Now()); !errors.Is(err, errDisk) || r.Raised != 1 {
		t.Fatal(r, err)
	}
	book.keep = nil
	if r := s.look(t, s.watch(t)); r.Raised != 0 { // as if killed after the alert was kept
		t.Errorf("%+v", r)
	}
	if all := s.alerts(t, casebook.AlertFilter{}); len(all) != 1 {
		t.Errorf("%d alerts, want 1", len(all))
	}
}

// TestHostileLabel: a name that no database holds, and more facts than an alert has room
// for.
func TestHostileLabel(t *testing.T) {
	s := newStage(t, start)
	for i := range 300 {
		c := listed(tornado, start-day)
		c.Label, c.Why = fmt.Sprintf("%d\x00%s", i, strings.Repeat("x", 300)), "because"
		c.Source = "https://example.org/" + strings.Repeat("y", 300)
		s.claim(t, c)
	}
	s.rebuild(t)
	s.list(t, "mixers", casebook.Member{Address: tornado})
	w := s.watch(t)
	s.look(t, w)
	all := s.alerts(t, casebook.AlertFilter{})
	if len(all) != 1 || len(all[0].Body) > 64<<10 {
		t.Fatalf("%d alerts", len(all))
	}
	f := found(t, &all[0])
	if f.Verdict.LeftOut == 0 || f.Verdict.LeftOut+len(f.Verdict.Facts) != 300 || f.Verdict.Reasons[0].Code != "sanctioned" {
		t.Errorf("%d facts, %d left out, %+v", len(f.Verdict.Facts), f.Verdict.LeftOut, f.Verdict.Reasons[0])
	}
	if h := w.Health(); h.Refused != 0 {
		t.Errorf("health: %+v", h)
	}
}

// TestBudget: a round ends when its time is over, and the next goes on; who changed is
// found in the end, and nobody waits for ever.
func TestBudget(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	w := s.watch(t)
	const n = 3000
	for i := range n {
		w.Screened(&watch.Asked{Question: exposure.Question{Subject: fmt.Sprintf("0x%040x", i+1), Chain: "eip155:1"}, Outcome: exposure.Review, Level: exposure.Unknown, At: start})
	}
	s.flush(t, w)
	s.look(t, w)
	s.claim(t, listed(fmt.Sprintf("0x%040x", 2900), start-day))
	s.rebuild(t)
	s.step = 400 * time.Millisecond // passes whenever the clock is read
	looked, raised, rounds := 0, 0, 0
	for left := 1; left > 0; rounds++ {
		r := s.look(t, w)
		if r.Looked == 0 || r.Looked > n/2 {
			t.Fatalf("%+v", r)
		}
		looked, raised, left = looked+r.Looked, raised+r.Raised, r.Left
		if left != n-looked {
			t.Fatalf("%d looked at, %d left", looked, left)
		}
	}
	if raised != 1 || rounds < 3 {
		t.Errorf("%d alerts in %d rounds", raised, rounds)
	}
}

// TestReadInParts: a casebook that holds many is read over several rounds; who is asked
// about meanwhile loses nothing, and in the end everybody was looked at.
func TestReadInParts(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	const n = 4500
	address := func(i int) string { return fmt.Sprintf("0x%040d", i) } // digits only: no checksum
	var rows []casebook.Screened
	for i := range n {
		rows = append(rows, casebook.Screened{Subject: address(i), Chain: "eip155:1", Outcome: exposure.Allow, Level: exposure.None, Judged: start - 10, Asked: start - 10, By: "key-1"})
	}
	if err := s.book.KeepScreened(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	s.claim(t, listed(address(4400), start-day), listed(address(4499), start-day), listed(address(4600), start-day), listed(address(3), start-day))
	s.rebuild(t)
	s.step = 300 * time.Millisecond
	w := s.watch(t)
	if r := s.look(t, w); !r.Reading || w.Health().Subjects > 2000 || !w.Health().Reading {
		t.Fatalf("%+v", r)
	}
	for _, i := range []int{4400, 4600} { // held and not yet read; not held
		s.ask(t, w, exposure.Question{Subject: address(i), Chain: "eip155:1"})
	}
	s.flush(t, w)
	for range 100 {
		if r := s.look(t, w); !r.Reading && r.Left == 0 {
			break
		}
	}
	if h := w.Health(); h.Subjects != n+1 || h.Left != 0 || h.Reading {
		t.Errorf("health: %+v", h)
	}
	var told []string
	for _, a := range s.alerts(t, casebook.AlertFilter{}) {
		told = append(told, a.Subject)
	}
	slices.Sort(told)
	if want := []string{address(3), address(4400), address(4499)}; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
}

// TestLevelAlone: the outcome stays and the level rises.
func TestLevelAlone(t *testing.T) {
	s := newStage(t, start)
	hack := label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: strings.ToLower(tornado)}, Label: "thief", Abuse: "service_hack", By: "somebody",
		Confidence: "forensic", Score: 70, From: start - day, Learned: start - day,
	}
	s.claim(t, hack)
	s.rebuild(t)
	s.list(t, "mixers", casebook.Member{Address: tornado})
	w := s.watch(t)
	s.look(t, w)
	s.claim(t, listed(tornado, start-day))
	s.rebuild(t)
	s.look(t, w)
	all := s.alerts(t, casebook.AlertFilter{})
	if len(all) != 2 {
		t.Fatalf("%d alerts, want 2", len(all))
	}
	f := found(t, &all[1])
	if f.From != (watch.Standing{Outcome: exposure.Refuse, Level: exposure.High}) || f.To != (watch.Standing{Outcome: exposure.Refuse, Level: exposure.Severe}) {
		t.Errorf("%+v to %+v", f.From, f.To)
	}
}

// TestQueue: what there is no room for is counted, and the caller does not wait.
func TestQueue(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	w := s.watch(t, func(o *watch.Options) { o.Queue = 2 })
	line := []byte(stranger)
	for range 5 {
		w.Screened(&watch.Asked{Question: exposure.Question{Subject: string(line)}, Outcome: exposure.Review, At: start})
	}
	if h := w.Health(); h.Queued != 2 || h.Capacity != 2 || h.Dropped != 3 {
		t.Errorf("health: %+v", h)
	}
}

// TestLetGo: who was asked about long ago is forgotten, and beyond the limit the oldest.
func TestLetGo(t *testing.T) {
	s := newStage(t, start)
	s.rebuild(t)
	w := s.watch(t, func(o *watch.Options) { o.Most, o.Keep = 10, 100*time.Hour })
	for i := range 12 {
		w.Screened(&watch.Asked{Question: exposure.Question{Subject: fmt.Sprintf("0x%040x", i+1), Chain: "eip155:1"}, Outcome: exposure.Review, At: start + int64(i)})
		s.flush(t, w)
	}
	rows, err := s.book.ScreenedSince(t.Context(), 0, casebook.Screened{}, 0)
	newest := slices.ContainsFunc(rows, func(row casebook.Screened) bool { return row.Asked == start+11 })
	if err != nil || len(rows) != 10 || !newest {
		t.Errorf("%d rows, %v: %+v", len(rows), err, rows)
	}
	if h := w.Health(); h.Subjects != 10 || h.LetGo != 2 {
		t.Errorf("health: %+v", h)
	}
	s.set(start + 101*3600)
	s.flush(t, w)
	if h := w.Health(); h.Subjects != 0 || h.LetGo != 12 {
		t.Errorf("health: %+v", h)
	}
}

// TestListsChange: members come and go, lists end, and who comes back is no news.
func TestListsChange(t *testing.T) {
	s := newStage(t, start)
	s.claim(t, listed(tornado, start-day))
	s.rebuild(t)
	w := s.watch(t)
	s.look(t, w)
	change := func(do func() error) watch.Round {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		w.ListsChanged()
		return s.look(t, w)
	}
	s.list(t, "mixers", casebook.Member{Address: tornado})
	if r := s.look(t, w); r.Looked != 0 {
		t.Errorf("unannounced: %+v", r)
	}
	if r := change(func() error { return nil }); r.Looked != 1 || r.Raised != 1 {
		t.Errorf("added: %+v", r)
	}
	member := []casebook.Member{{Address: tornado, By: "key-1"}}
	if r := change(func() error {
		return s.book.ChangeMembers(t.Context(), casebook.MemberChange{List: "mixers", Remove: member})
	}); r.Looked != 0 {
		t.Errorf("removed: %+v", r)
	}
	if r := change(func() error {
		return s.book.ChangeMembers(t.Context(), casebook.MemberChange{List: "mixers", Add: member})
	}); r.Looked != 1 || r.Raised != 0 {
		t.Errorf("added again: %+v", r)
	}
	if r := change(func() error {
		return s.book.SaveWatchlist(t.Context(), casebook.Watchlist{ID: "mixers", By: "key-1", Created: 1, Ended: start})
	}); r.Looked != 0 {
		t.Errorf("ended: %+v", r)
	}
}

// TestRun does everything at once, by itself, and ends with its context.
func TestRun(t *testing.T) {
	s, at, block := before(t)
	s.list(t, "deposits", casebook.Member{Address: at.address})
	heard := make(chan casebook.Alert, 10)
	w := s.watch(t, func(o *watch.Options) {
		o.Raised = func(alerts []casebook.Alert) {
			for _, a := range alerts {
				heard <- a
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, s.engine.Now) }()
	s.append(t, block)
	w.Wake()
	if a := <-heard; a.Kind != casebook.WatchHit || a.Subject != at.address {
		t.Errorf("%+v", a)
	}
	s.ask(t, w, exposure.Question{Subject: stranger})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	rows, err := s.book.ScreenedSince(context.WithoutCancel(ctx), 0, casebook.Screened{}, 0)
	if err != nil || len(rows) != 1 || rows[0].Subject != stranger {
		t.Errorf("noted at the end: %+v, %v", rows, err)
	}
}

// TestRunMindsTheClock: a listing ends, and nothing else happens.
func TestRunMindsTheClock(t *testing.T) {
	s := newStage(t, start)
	c := listed(tornado, start-day)
	c.Until = start + day
	s.claim(t, c)
	s.rebuild(t)
	heard := make(chan casebook.Alert, 10)
	w := s.watch(t, func(o *watch.Options) {
		o.Raised = func(alerts []casebook.Alert) { heard <- alerts[0] }
	})
	s.ask(t, w, exposure.Question{Subject: tornado})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, s.engine.Now) }()
	for w.Health().Subjects == 0 {
		time.Sleep(time.Millisecond)
	}
	s.set(start + day)
	w.Wake()
	if a := <-heard; found(t, &a).From.Outcome != exposure.Refuse {
		t.Errorf("%+v", a)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestWholeLaundering: block by block, with rounds in between, a watch ends up with alerts
// that say of every member what an engine says that reads all blocks for the first time.
func TestWholeLaundering(t *testing.T) {
	blocks, c := played()
	at := turning()
	blocks = blocks[:min(len(blocks), at.block+400)]
	s := newStage(t, blocks[len(blocks)-1].Time)
	if err := s.store.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	s.rebuild(t, c)
	s.current(t)
	subjects := s.engine.Now().Subjects()
	last := s.engine

	s = newStage(t, blocks[at.block-1].Time)
	var members []casebook.Member
	for _, subject := range subjects {
		members = append(members, casebook.Member{Address: subject.Address, Chain: subject.Chain})
	}
	s.list(t, "all", members...)
	if err := s.store.Append(t.Context(), blocks[:at.block]); err != nil {
		t.Fatal(err)
	}
	s.rebuild(t, []*trace.Case{c}...)
	w := s.watch(t)
	for i := at.block; i < len(blocks); i += 20 {
		s.append(t, blocks[i:min(i+20, len(blocks))]...)
		if s.look(t, w); i%3 == 0 {
			w = s.watch(t)
		}
	}
	told, alerts := map[string]watch.Standing{}, 0
	for after := int64(0); ; {
		page := s.alerts(t, casebook.AlertFilter{Kind: casebook.WatchHit, After: after})
		if len(page) == 0 {
			break
		}
		for i := range page {
			f := found(t, &page[i])
			if before, ok := told[page[i].Subject]; ok && before != f.From {
				t.Errorf("%s was told to be %+v, and then to have been %+v", page[i].Subject, before, f.From)
			}
			told[page[i].Subject], after, alerts = f.To, page[i].Sequence, alerts+1
		}
	}
	for _, subject := range subjects {
		var v exposure.Verdict
		last.Now().Screen(&exposure.Question{Subject: subject.Address, Chain: subject.Chain}, &v)
		now, want := told[subject.Address], watch.Standing{Outcome: v.Outcome, Level: v.Level}
		if now == (watch.Standing{}) {
			now = watch.Standing{Outcome: exposure.Allow, Level: exposure.None}
		}
		if now != want {
			t.Errorf("%s: told %+v, want %+v", subject.Address, now, want)
		}
	}
	if len(told) < 50 || alerts < len(told) {
		t.Errorf("%d alerts of %d subjects", alerts, len(told))
	}
}
