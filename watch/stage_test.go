package watch_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/exposure"
	"coldtrail/store/memory"
	"coldtrail/trace"
	"coldtrail/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// played is a replayed laundering: its blocks in the order of their times, and a case that
// asks nothing of the swap service.
var played = sync.OnceValues(func() ([]*ledger.Block, *trace.Case) {
	l, err := laundering.Play(replay.Options{Seed: 3, Scale: 1000, Thin: 40, Wallets: 300, Scenario: "bybit"})
	if err != nil {
		panic(err)
	}
	l.Case.Services, l.Case.AttributedTo = nil, trace.Attribution{Actor: "lazarus-group", By: "the replay"}
	return l.Blocks, l.Case
})

// stage is an engine over a store, a casebook in a file and a clock that tests set.
type stage struct {
	store  *memory.Store
	engine *screen.Engine
	book   *casebook.SQL
	path   string
	mu     sync.Mutex
	now    int64
	step   time.Duration // what passes whenever the clock is read
	extra  time.Duration
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extra += s.step
	return time.Unix(s.now, 0).Add(s.extra)
}

// second is the clock without steps.
func (s *stage) second() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) set(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// start of tests without blocks.
const start = 1_750_000_000

func newStage(t *testing.T, now int64, cases ...*trace.Case) *stage {
	t.Helper()
	s := &stage{store: memory.New(), now: now, path: filepath.Join(t.TempDir(), "casebook.db")}
	s.openBook(t)
	t.Cleanup(func() {
		if err := s.book.Close(); err != nil {
			t.Error(err)
		}
	})
	var err error
	s.engine, err = screen.NewEngine(s.store, screen.Options{Notations: laundering.Notations, Now: s.second, Deposits: true, Cases: cases})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) openBook(t *testing.T) {
	t.Helper()
	book, err := sqlite.Open(t.Context(), s.path, 1, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.book = book
}

func (s *stage) rebuild(t *testing.T, cases ...*trace.Case) {
	t.Helper()
	if err := s.engine.Rebuild(t.Context(), cases, nil); err != nil {
		t.Fatal(err)
	}
}

// append adds blocks and advances the engine; the time is that of the last one.
func (s *stage) append(t *testing.T, blocks ...*ledger.Block) {
	t.Helper()
	if err := s.store.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	s.set(blocks[len(blocks)-1].Time)
	s.current(t)
}

// current advances the engine, and says that every chain was heard just now.
func (s *stage) current(t *testing.T) {
	t.Helper()
	if err := s.engine.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	for chain := range s.engine.Now().Basis().Heads {
		s.engine.Heard(ledger.Chain(chain), s.clock().Unix())
	}
}

// held is the hash of a block that the store holds.
func (s *stage) held(ctx context.Context, chain ledger.Chain, height ledger.Height) (string, error) {
	for h, err := range s.store.Headers(ctx, chain, height) {
		if err != nil {
			return "", err
		}
		if h.Height == height {
			return chain.FormatHash(h.Hash), nil
		}
		break
	}
	return "", nil
}

func (s *stage) watch(t *testing.T, change ...func(*watch.Options)) *watch.Watch {
	t.Helper()
	options := watch.Options{Book: s.book, Clock: s.clock, Held: s.held}
	for _, c := range change {
		c(&options)
	}
	w, err := watch.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// look has a watch look at everybody by the newest knowledge.
func (s *stage) look(t *testing.T, w *watch.Watch) watch.Round {
	t.Helper()
	r, err := w.Changed(t.Context(), s.engine.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *stage) alerts(t *testing.T, filter casebook.AlertFilter) []casebook.Alert {
	t.Helper()
	all, err := s.book.Alerts(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *stage) list(t *testing.T, id string, members ...casebook.Member) {
	t.Helper()
	for i := range members {
		members[i].By, members[i].At = "key-1", 1
	}
	err := errors.Join(
		s.book.SaveWatchlist(t.Context(), casebook.Watchlist{ID: id, Name: id, By: "key-1", Created: 1}),
		s.book.ChangeMembers(t.Context(), casebook.MemberChange{List: id, Add: members}))
	if err != nil {
		t.Fatal(err)
	}
}

// ask screens and has the answer noted, as a server does.
func (s *stage) ask(t *testing.T, w *watch.Watch, q exposure.Question) exposure.Verdict {
	t.Helper()
	var v exposure.Verdict
	s.engine.Now().Screen(&q, &v)
	w.Screened(&watch.Asked{Question: q, Outcome: v.Outcome, Level: v.Level, At: s.clock().Unix(), By: "key-1"})
	return v
}

func (s *stage) flush(t *testing.T, w *watch.Watch) {
	t.Helper()
	if err := w.Flush(t.Context(), s.engine.Now()); err != nil {
		t.Fatal(err)
	}
}

func found(t *testing.T, a *casebook.Alert) watch.Finding {
	t.Helper()
	var f watch.Finding
	if err := json.Unmarshal(a.Body, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// listed is a claim by which an authority lists an address of Ethereum.
func listed(address string, from int64) label.Claim {
	return label.Claim{
		Subject: label.Subject{Network: "eip155:1", Address: strings.ToLower(address)}, Label: "Tornado Cash", Abuse: "sanction", By: "OFAC", Confidence: "authority_data",
		Score: 60, From: from, Learned: from,
	}
}

func (s *stage) claim(t *testing.T, claims ...label.Claim) {
	t.Helper()
	if _, err := s.store.AddClaims(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
}

const (
	tornado  = "0xd90e2f925DA726b50C4Ed8D0Fb90Ad053324F31b"
	stranger = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
	tron     = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
	day      = 86_400
)

// turned is an address of Ethereum that a laundering makes refused in one step.
type turned struct {
	address string
	block   int // among all, with which that happens
}

// turning finds such an address, by an engine of its own.
var turning = sync.OnceValue(func() turned {
	blocks, c := played()
	ctx := context.Background()
	s := memory.New()
	now := int64(0)
	e, err := screen.NewEngine(s, screen.Options{Notations: laundering.Notations, Now: func() int64 { return now }, Deposits: true})
	if err != nil {
		panic(err)
	}
	const warm = 100
	if err := errors.Join(s.Append(ctx, blocks[:warm]), e.Rebuild(ctx, []*trace.Case{c}, nil)); err != nil {
		panic(err)
	}
	known := map[string]exposure.Outcome{}
	for i, b := range blocks[warm : warm+200] {
		now = b.Time
		if err := errors.Join(s.Append(ctx, []*ledger.Block{b}), e.Advance(ctx)); err != nil {
			panic(err)
		}
		for _, subject := range e.Now().Subjects() {
			var v exposure.Verdict
			e.Now().Screen(&exposure.Question{Subject: subject.Address, Chain: subject.Chain}, &v)
			if _, met := known[subject.Address]; !met && i > 0 && v.Outcome == exposure.Refuse && subject.Chain == string(ledger.Ethereum) && b.Chain == ledger.Ethereum {
				return turned{subject.Address, warm + i}
			}
			known[subject.Address] = v.Outcome
		}
	}
	panic("nobody turns")
})
