package screen_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/trace"
)

// clock is a moment that tests set.
type clock struct{ now int64 }

func (c *clock) read() int64 { return c.now }

// played is a replayed laundering, with a case that asks nothing of the swap service.
func played(tb testing.TB, options replay.Options) *laundering.Laundering {
	tb.Helper()
	l, err := laundering.Play(options)
	if err != nil {
		tb.Fatal(err)
	}
	l.Case.Services, l.Case.AttributedTo = nil, trace.Attribution{Actor: "lazarus-group", By: "the replay"}
	return l
}

// small are the options of a laundering that is played in a moment.
func small(seed uint64) replay.Options {
	return replay.Options{Seed: seed, Scale: 1000, Thin: 40, Wallets: 300, Scenario: "bybit"}
}

func engine(t *testing.T, s store.Store, at *clock, cases ...*trace.Case) *screen.Engine {
	t.Helper()
	e, err := screen.NewEngine(s, screen.Options{Notations: laundering.Notations, Now: at.read, Deposits: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Rebuild(t.Context(), cases, nil); err != nil {
		t.Fatal(err)
	}
	return e
}

func ask(e *screen.Engine, q exposure.Question) exposure.Verdict {
	var v exposure.Verdict
	e.Now().Screen(&q, &v)
	return v
}

// codes are the reasons of a verdict.
func codes(v *exposure.Verdict) (list []string) {
	for _, r := range v.Reasons {
		list = append(list, r.Code)
	}
	return list
}

const (
	tornado  = "0xd90e2f925DA726b50C4Ed8D0Fb90Ad053324F31b"
	stranger = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
	day      = 86_400
)

// TestLists: what lists say, when they said it, and that nobody can tell where nothing is
// held.
func TestLists(t *testing.T) {
	s := memory.New()
	listed := label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: strings.ToLower(tornado)}, Label: "Tornado Cash", Abuse: "sanction", By: "OFAC", Confidence: "authority_data",
		Score: 60, From: 1000 * day, Learned: 1001 * day,
	}
	ended := label.Claim{Subject: listed.Subject, By: "OFAC", Withdraws: listed.ID().String(), From: 2000 * day, Learned: 2001 * day}
	tron := label.Claim{
		Subject: label.Subject{Network: label.Tron, Address: "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}, Label: "Huione", Abuse: "sanction", By: "OFAC", Confidence: "authority_data",
		Score: 60, From: 1000 * day, Learned: 1001 * day,
	}
	if _, err := s.AddClaims(t.Context(), []label.Claim{listed, ended, tron}); err != nil {
		t.Fatal(err)
	}
	at := &clock{now: 3000 * day}
	e := engine(t, s, at)
	var subjects []string
	for _, subject := range e.Now().Subjects() {
		subjects = append(subjects, subject.Chain+" "+subject.Address)
		if v := ask(e, exposure.Question{Subject: subject.Address, Chain: subject.Chain}); len(v.Facts) != 1 {
			t.Errorf("%+v is listed, and %+v is known of it", subject, v.Facts)
		}
	}
	if want := []string{"tron TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "eip155:1 " + tornado}; !slices.Equal(subjects, want) {
		t.Errorf("something is known of %v, want %v", subjects, want)
	}
	tests := []struct {
		name    string
		q       exposure.Question
		outcome exposure.Outcome
		level   exposure.Level
		code    string
	}{
		{"delisted by now, on a chain that is not held", exposure.Question{Subject: tornado, Chain: "eip155:1"}, exposure.Review, exposure.Unknown, "delisted"},
		{"while it was listed", exposure.Question{Subject: tornado, Chain: "eip155:1", At: 1500 * day}, exposure.Refuse, exposure.Severe, "sanctioned"},
		{"listed then, but not known yet", exposure.Question{Subject: tornado, Chain: "eip155:1", At: 1000*day + 1, Known: 1000 * day}, exposure.Review, exposure.Unknown, "chain-not-held"},
		{"before it was listed", exposure.Question{Subject: tornado, Chain: "eip155:1", At: 900 * day}, exposure.Review, exposure.Unknown, "sanctioned-later"},
		{"another EVM chain, as known before the end was", exposure.Question{Subject: strings.ToLower(tornado), Known: 1999 * day}, exposure.Refuse, exposure.Severe, "sanctioned"},
		{"on a network that no ledger holds", exposure.Question{Subject: "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}, exposure.Refuse, exposure.Severe, "sanctioned"},
		{"a deposit", exposure.Question{Subject: "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Purpose: exposure.Deposit}, exposure.Freeze, exposure.Severe, "sanctioned"},
		{"never heard of", exposure.Question{Subject: stranger}, exposure.Review, exposure.Unknown, "chain-not-held"},
		{"a wrong checksum", exposure.Question{Subject: "0xD90e2f925DA726b50C4Ed8D0Fb90Ad053324F31b"}, exposure.Review, exposure.Unknown, "not-an-address"},
		{"no address", exposure.Question{Subject: "lazarus"}, exposure.Review, exposure.Unknown, "not-an-address"},
		{"bitcoin, not held", exposure.Question{Subject: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}, exposure.Review, exposure.Unknown, "chain-not-held"},
		{"a transaction that nobody holds", exposure.Question{Subject: strings.Repeat("ab", 32)}, exposure.Review, exposure.Unknown, "chain-not-held"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := e.At(t.Context(), &test.q)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range v.Facts {
				if f.Claim != listed.ID().String() && f.Claim != tron.ID().String() {
					t.Errorf("a fact rests on claim %s, which nobody made", f.Claim)
				}
			}
			if v.Outcome != test.outcome || v.Level != test.level || !slices.Contains(codes(&v), test.code) {
				t.Errorf("%s, %s, %v; want %s, %s, %s", v.Outcome, v.Level, codes(&v), test.outcome, test.level, test.code)
			}
		})
	}
}

// TestScreensLaundering: the thief's own address, money on its way, where it is, and an
// innocent stranger, as the laundering goes on.
func TestScreensLaundering(t *testing.T) {
	p := played(t, small(3))
	blocks, c := p.Blocks, p.Case
	s, at := memory.New(), &clock{}
	if err := s.Append(t.Context(), blocks[:1]); err != nil {
		t.Fatal(err)
	}
	at.now = blocks[0].Time
	e := engine(t, s, at, c)
	if e.Trouble() == nil {
		t.Error("the theft is not there yet, and nobody says so")
	}
	thief := c.Thefts[0].To
	for i, b := range blocks {
		if err := e.Hold(func() error { return s.Append(t.Context(), []*ledger.Block{b}) }); err != nil {
			t.Fatal(err)
		}
		if at.now = b.Time; i%25 == 0 || i == len(blocks)-1 {
			if err := e.Advance(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Trouble(); err != nil {
		t.Error(err)
	}
	v := ask(e, exposure.Question{Subject: thief, Purpose: exposure.Swap})
	if v.Outcome != exposure.Refuse || len(v.Facts) == 0 || v.Facts[0].Hops != 0 || v.Facts[0].Entity != "lazarus-group" || len(v.Facts[0].Evidence) == 0 {
		t.Errorf("the thief: %s %+v", v.Outcome, v.Facts)
	}
	if v := ask(e, exposure.Question{Subject: thief, Purpose: exposure.Refund}); v.Outcome != exposure.Freeze {
		t.Errorf("a refund to the thief: %s", v.Outcome)
	}
	if v := ask(e, exposure.Question{Subject: p.Victims[0], Purpose: exposure.Refund}); v.Outcome != exposure.Allow {
		t.Errorf("a refund to the victim: %s %v", v.Outcome, codes(&v))
	}
	if v := ask(e, exposure.Question{Subject: stranger, Chain: "eip155:1"}); v.Outcome != exposure.Allow || v.Level != exposure.None || !slices.Contains(codes(&v), "no-facts") {
		t.Errorf("a stranger: %s %s %v", v.Outcome, v.Level, codes(&v))
	}
	if v := ask(e, exposure.Question{Subject: c.Thefts[0].Tx}); v.Outcome != exposure.Refuse {
		t.Errorf("the theft's transaction: %s %v", v.Outcome, codes(&v))
	}
	at.now += 3600
	if v := ask(e, exposure.Question{Subject: stranger, Chain: "eip155:1"}); v.Level != exposure.Unknown || !slices.Contains(codes(&v), "stale") {
		t.Errorf("an hour later, without a block: %s %v", v.Level, codes(&v))
	}
	e.Heard(ledger.Ethereum, at.now)
	if v := ask(e, exposure.Question{Subject: stranger, Chain: "eip155:1"}); v.Level != exposure.None {
		t.Errorf("the source was heard: %s %v", v.Level, codes(&v))
	}
	past := exposure.Question{Subject: thief}
	for _, b := range blocks {
		if b.Chain == ledger.Ethereum && slices.ContainsFunc(b.Txs, func(tx ledger.Tx) bool { return "0x"+tx.ID.String() == c.Thefts[0].Tx }) {
			past.At = b.Time - 1
		}
	}
	if v, err := e.At(t.Context(), &past); err != nil || v.Outcome != exposure.Allow || v.Basis.At != past.At {
		t.Errorf("before the theft: %s %v, %v", v.Outcome, codes(&v), err)
	}
}

// TestFreshRebuild: whatever blocks came and went, every verdict is that of an engine that
// reads the same store for the first time.
func TestFreshRebuild(t *testing.T) {
	p := played(t, small(4))
	blocks, c := p.Blocks, p.Case
	s, at, random := memory.New(), &clock{}, rand.New(rand.NewPCG(4, 4))
	for i, l := range p.Labels { // with whom some dealt
		if i%3 != 0 {
			continue
		}
		claim := label.Claim{Subject: label.SubjectOf(ledger.Chain(l.Chain), l.Address), Label: l.Entity, Concept: "mixing_service", Confidence: "ownership", Score: 100, By: "the replay", Learned: 1}
		if _, err := s.AddClaims(t.Context(), []label.Claim{claim}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append(t.Context(), blocks[:200]); err != nil {
		t.Fatal(err)
	}
	e := engine(t, s, at, c)
	compared := 0
	for at.now = blocks[199].Time; len(blocks) > 200; {
		n := min(1+random.IntN(40), len(blocks)-200)
		if err := s.Append(t.Context(), blocks[200:200+n]); err != nil {
			t.Fatal(err)
		}
		if random.IntN(2) == 0 {
			b := blocks[200+n-1-random.IntN(min(n, 9))]
			if err := s.Rewind(t.Context(), b.Chain, b.Height); err != nil {
				t.Fatal(err)
			}
			if err := e.Advance(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Append(t.Context(), slices.DeleteFunc(slices.Clone(blocks[200:200+n]), func(x *ledger.Block) bool { return x.Chain != b.Chain || x.Height < b.Height })); err != nil {
				t.Fatal(err)
			}
		}
		at.now = blocks[200+n-1].Time
		blocks = slices.Delete(blocks, 200, 200+n)
		if err := e.Advance(t.Context()); err != nil {
			t.Fatal(err)
		}
		if random.IntN(4) == 0 {
			compared += compare(t, e, engine(t, s, at, c))
		}
	}
	if compared < 1000 {
		t.Errorf("%d verdicts were compared", compared)
	}
}

// compare asks both engines about everybody whom a case concerns.
func compare(t *testing.T, a, b *screen.Engine) (n int) {
	t.Helper()
	for _, subject := range b.Now().Subjects() {
		q := exposure.Question{Subject: subject.Address, Chain: subject.Chain, Purpose: exposure.Deposit}
		got, want := verdictText(t, a, q), verdictText(t, b, q)
		if got != want {
			t.Fatalf("%s:\n%s\nfresh:\n%s", subject.Address, got, want)
		}
		n++
	}
	if have, want := a.Now().Len(), b.Now().Len(); have != want {
		t.Fatalf("something is known of %d addresses, fresh of %d", have, want)
	}
	return n
}

// verdictText is a verdict without the number of the state it rests on, in both ways to
// ask for it.
func verdictText(t *testing.T, e *screen.Engine, q exposure.Question) string {
	t.Helper()
	var v exposure.Verdict
	e.Now().Screen(&q, &v)
	v.Basis = nil
	text, err := json.Marshal(&v)
	if err != nil {
		t.Fatal(err)
	}
	fast, outcome := e.Now().ScreenBytes(nil, &q)
	if want := strings.TrimSuffix(string(text), `,"basis":null}`) + "}"; string(fast) != want || outcome != v.Outcome {
		t.Fatalf("in print %s, %s; asked %s", fast, outcome, want)
	}
	return string(text)
}

// TestHoldFor: whoever waits for his turn gives up when his time is over, and leaves the
// engine to others.
func TestHoldFor(t *testing.T) {
	e, err := screen.NewEngine(memory.New(), screen.Options{Notations: laundering.Notations, Now: (&clock{}).read})
	if err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- e.HoldFor(t.Context(), func() error { close(entered); <-leave; return errors.New("of the change") })
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.HoldFor(ctx, func() error { t.Error("two at once"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	close(leave)
	if err := <-done; err == nil || err.Error() != "of the change" {
		t.Errorf("the change gave %v", err)
	}
	changed := false
	if err := e.HoldFor(t.Context(), func() error { changed = true; return nil }); err != nil || !changed {
		t.Errorf("afterwards: %v, changed %v", err, changed)
	}
}
