package casebooktest

import (
	stdcontext "context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/casebook"
)

// context is for properties, whose runs have none of their own.
func context() stdcontext.Context { return stdcontext.Background() }

func shut(t *testing.T, book casebook.Book) {
	t.Helper()
	if closer, ok := book.(interface{ Close() error }); ok {
		must(t, closer.Close())
	}
}

func claim(t fatal, book casebook.Book, at int64) []casebook.Shipment {
	t.Helper()
	return must1(book.Claim(context(), casebook.Claim{At: at, Until: at + 60, Limit: 100}))(t)
}

func testOutbox(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	told(t, book, "hook")
	same(t, "nothing to do", len(claim(t, book, 100)), 0)
	raised := must1(book.Raise(ctx, []casebook.Alert{hit("a", 1, "0x1"), hit("b", 1, "0x1"), hit("a", 2, "0x2")}))(t)
	same(t, "before their time", len(claim(t, book, 99)), 0)
	out := claim(t, book, 100)
	if len(out) != 2 {
		t.Fatalf("claimed %d, want the first of each subject", len(out))
	}
	want := casebook.Shipment{
		Delivery: casebook.Delivery{ID: casebook.DeliveryID(raised[0].ID, "hook"), Alert: raised[0].ID, Target: "hook", Subject: "a", Status: casebook.Waiting, Sequence: 1, Attempts: 1, Next: 100, Since: 100},
		Alert:    raised[0],
		Target:   must1(book.Targets(ctx))(t)[0],
	}
	same(t, "a shipment", out[0], want)
	same(t, "while they are out", len(claim(t, book, 101)), 0)

	must(t, book.Settle(ctx, casebook.Settlement{Delivery: out[0].Delivery.ID, Attempt: 1, Status: casebook.Waiting, At: 101, Next: 110, Reason: "503\x00 \xff"}))
	must(t, book.Settle(ctx, casebook.Settlement{Delivery: out[1].Delivery.ID, Attempt: 1, Status: casebook.Delivered, At: 102}))
	same(t, "a later alert waits for an earlier", len(claim(t, book, 109)), 0)
	again := claim(t, book, 110)
	if len(again) != 1 || again[0].Delivery.ID != out[0].Delivery.ID || again[0].Delivery.Attempts != 2 || again[0].Delivery.Reason != "503 ?" {
		t.Fatalf("the second attempt: %+v", again)
	}
	must(t, book.Settle(ctx, casebook.Settlement{Delivery: again[0].Delivery.ID, Attempt: 2, Status: casebook.GivenUp, At: 111, Reason: "410"}))
	next := claim(t, book, 111)
	if len(next) != 1 || next[0].Alert.ID != raised[2].ID {
		t.Fatalf("after the first was given up: %+v, want the later alert", next)
	}
	given := must1(book.Deliveries(ctx, casebook.DeliveryFilter{Status: casebook.GivenUp}))(t)
	if len(given) != 1 || given[0].Ended != 111 || given[0].Reason != "410" {
		t.Errorf("given up: %+v", given)
	}
	must(t, book.Redeliver(ctx, given[0].ID, 500))
	wants(t, "what waits already", book.Redeliver(ctx, given[0].ID, 500), casebook.ErrNotFound)
	more := claim(t, book, 500)
	if len(more) != 1 || more[0].Delivery.ID != given[0].ID || more[0].Delivery.Attempts != 3 || more[0].Delivery.Since != 500 {
		t.Errorf("tried again by hand: %+v", more)
	}
}

func testLeases(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	told(t, book, "hook")
	must1(book.Raise(ctx, []casebook.Alert{hit("a", 1, "0x1"), hit("a", 2, "0x2")}))(t)
	one := claim(t, book, 100)[0].Delivery
	same(t, "within the lease", len(claim(t, book, 159)), 0)
	two := claim(t, book, 160)
	if len(two) != 1 || two[0].Delivery.ID != one.ID || two[0].Delivery.Attempts != 2 {
		t.Fatalf("after the lease: %+v, want the same delivery as attempt 2", two)
	}
	wants(t, "the first worker fails late", book.Settle(ctx, casebook.Settlement{Delivery: one.ID, Attempt: 1, Status: casebook.Waiting, At: 161, Next: 162}), casebook.ErrChanged)
	must(t, book.Settle(ctx, casebook.Settlement{Delivery: one.ID, Attempt: 1, Status: casebook.Delivered, At: 163}))
	wants(t, "the second fails after the first came through", book.Settle(ctx, casebook.Settlement{Delivery: one.ID, Attempt: 2, Status: casebook.Waiting, At: 164, Next: 165}), casebook.ErrChanged)
	same(t, "what is next", claim(t, book, 165)[0].Delivery.Sequence, int64(2))
	wants(t, "no delivery", book.Settle(ctx, casebook.Settlement{Delivery: "none", Status: casebook.Delivered}), casebook.ErrNotFound)
}

func testClaimBounds(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	told(t, book, "x")
	told(t, book, "y")
	for i := range 10 {
		must1(book.Raise(ctx, []casebook.Alert{hit(fmt.Sprintf("s%d", i), 1, "0x1")}))(t)
	}
	count := func(c casebook.Claim) map[string]int {
		c.At = 100
		c.Until = 100 // given back at once
		by := map[string]int{}
		for _, s := range must1(book.Claim(ctx, c))(t) {
			by[s.Target.ID]++
		}
		return by
	}
	same(t, "all", count(casebook.Claim{Limit: 100}), map[string]int{"x": 10, "y": 10})
	same(t, "a few of each", count(casebook.Claim{Limit: 100, PerTarget: 3}), map[string]int{"x": 3, "y": 3})
	same(t, "not of x", count(casebook.Claim{Limit: 100, PerTarget: 4, Except: []string{"x"}}), map[string]int{"y": 4})
	same(t, "a limit", count(casebook.Claim{Limit: 1, Except: []string{"x"}}), map[string]int{"y": 1})
	same(t, "of none", count(casebook.Claim{Limit: 5, Except: []string{"x", "y"}}), map[string]int{})
}

func testEndedTarget(t *testing.T, book casebook.Book) {
	t.Helper()
	ctx := t.Context()
	told(t, book, "x")
	must1(book.Raise(ctx, []casebook.Alert{hit("a", 1, "0x1"), hit("a", 2, "0x2")}))(t)
	target := must1(book.Targets(ctx))(t)[0]
	target.Ended = 150
	must(t, book.SaveTarget(ctx, target))
	same(t, "to be delivered", len(claim(t, book, 200)), 0)
	given := must1(book.Deliveries(ctx, casebook.DeliveryFilter{Status: casebook.GivenUp}))(t)
	if len(given) != 2 || given[0].Ended != 150 || given[0].Reason == "" {
		t.Errorf("deliveries of an ended target: %+v, want two given up, with a reason", given)
	}
	must1(book.Raise(ctx, []casebook.Alert{hit("a", 3, "0x3")}))(t)
	same(t, "new deliveries", must1(book.Queued(ctx))(t), map[string]int64{})
}

// testOutboxModel works at random and checks what must hold of every delivery: the order
// within a subject and target, one attempt at a time, attempts that count up, and in the
// end all of them delivered or given up.
func testOutboxModel(t *testing.T, open func(t *testing.T) casebook.Book) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		book := open(t)
		defer shut(t, book)
		told(rt, book, "x")
		told(rt, book, "y")
		m := outboxModel{book: book, now: 100, out: map[string]casebook.Shipment{}, ended: map[string]bool{}, attempts: map[string]int{}, claimed: map[string]int64{}}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"raise", "claim", "claim", "settle", "settle", "again", "time", "crash"}).Draw(rt, "step") {
			case "raise":
				m.raise(rt)
			case "claim":
				m.claim(rt)
			case "settle":
				m.settle(rt)
			case "again":
				m.again(rt)
			case "time":
				m.now += rapid.Int64Range(1, 30).Draw(rt, "seconds")
			case "crash": // whatever was out is forgotten and its leases run out
				m.now += 60
				clear(m.out)
			}
		}
		for round := 0; len(m.ended) < len(m.all); round++ {
			if round > 10*len(m.all)+10 {
				rt.Fatalf("%d of %d deliveries never came out", len(m.all)-len(m.ended), len(m.all))
			}
			m.now += 60
			clear(m.out)
			m.claim(rt)
			for len(m.out) > 0 {
				m.settle(rt)
			}
		}
	})
}

type outboxModel struct {
	book     casebook.Book
	now      int64
	raised   uint64
	all      []casebook.Delivery // in order of sequence
	out      map[string]casebook.Shipment
	ended    map[string]bool
	attempts map[string]int
	claimed  map[string]int64 // when
}

func (m *outboxModel) raise(rt *rapid.T) {
	m.raised++
	a := hit(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "subject"), m.raised, "0x1")
	a.Created = m.now
	for _, a := range must1(m.book.Raise(context(), []casebook.Alert{a}))(rt) {
		m.all = append(m.all, must1(m.book.Deliveries(context(), casebook.DeliveryFilter{Alert: a.ID}))(rt)...)
	}
}

func (m *outboxModel) claim(rt *rapid.T) {
	for _, s := range must1(m.book.Claim(context(), casebook.Claim{At: m.now, Until: m.now + 60, Limit: rapid.IntRange(1, 5).Draw(rt, "limit")}))(rt) {
		d := s.Delivery
		if _, out := m.out[d.ID]; m.ended[d.ID] || out && m.now < m.claimed[d.ID]+60 {
			rt.Fatalf("%s was given again", d.ID)
		}
		m.attempts[d.ID]++
		if d.Attempts != m.attempts[d.ID] {
			rt.Fatalf("attempt %d, want %d", d.Attempts, m.attempts[d.ID])
		}
		for _, earlier := range m.all {
			if earlier.Target == d.Target && earlier.Subject == d.Subject && earlier.Sequence < d.Sequence && !m.ended[earlier.ID] {
				rt.Fatalf("%+v was given before %+v ended", d, earlier)
			}
		}
		m.out[d.ID], m.claimed[d.ID] = s, m.now
	}
}

func (m *outboxModel) settle(rt *rapid.T) {
	for _, d := range m.all { // the first that is out, for the sake of a fixed order
		s, ok := m.out[d.ID]
		if !ok {
			continue
		}
		how := casebook.Settlement{Delivery: d.ID, Attempt: s.Delivery.Attempts, At: m.now, Next: m.now + 5}
		how.Status = rapid.SampledFrom([]casebook.DeliveryStatus{casebook.Waiting, casebook.Delivered, casebook.GivenUp}).Draw(rt, "status")
		must(rt, m.book.Settle(context(), how))
		delete(m.out, d.ID)
		m.ended[d.ID] = how.Status != casebook.Waiting
		if !m.ended[d.ID] {
			delete(m.ended, d.ID)
		}
		return
	}
}

// again puts something that has ended back; nothing of its subject may be out.
func (m *outboxModel) again(rt *rapid.T) {
	for _, d := range m.all {
		busy := false
		for _, s := range m.out {
			busy = busy || s.Delivery.Target == d.Target && s.Delivery.Subject == d.Subject
		}
		if m.ended[d.ID] && !busy {
			must(rt, m.book.Redeliver(context(), d.ID, m.now))
			delete(m.ended, d.ID)
			return
		}
	}
}
