package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coldtrail/attribution/label"
	"coldtrail/chain/evm"
	"coldtrail/desk"
	"coldtrail/desk/job"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// account is an account of a small number.
func account(n byte) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, []byte{19: n})
}

// block pays amounts from one account to the next but one hand: each row is from, to and
// amount. Branch tells blocks of one height apart.
func block(height int, branch, before byte, pays ...[3]int) *ledger.Block {
	b := &ledger.Block{
		Chain: ledger.Ethereum, Height: ledger.Height(height), Time: int64(1000 * height), Provenance: ledger.File,
		Hash: ledger.Hash{byte(height), branch}, Parent: ledger.Hash{byte(height - 1), before},
	}
	for i, pay := range pays {
		b.Txs = append(b.Txs, ledger.Tx{ID: ledger.Hash{byte(height), branch, byte(i + 1)}, Index: uint32(i), Transfers: []ledger.Transfer{{
			From: account(byte(pay[0])), To: account(byte(pay[1])), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(uint64(pay[2])), LogIndex: ledger.NoLog,
		}}})
	}
	return b
}

// small is the case of the theft in block 1: 100 of account 1 to account 2.
var small = desk.CaseFile{ID: "small", Revision: 1, Text: `case: small
title: A small theft
date: 1970-01-01
aliases: [The small one]
attributed_to: {actor: somebody, by: me, confidence: low}
thefts:
  - {colour: eth, chain: ethereum, asset: native, tx: "0x0100010000000000000000000000000000000000000000000000000000000000", from: "0x0000000000000000000000000000000000000001", to: "0x0000000000000000000000000000000000000002"}
`}

// bench is a desk over a store that tests change.
type bench struct {
	t       *testing.T
	store   *memory.Store
	desk    *desk.Desk
	jobs    *job.Runner
	rewinds atomic.Uint64
	runs    atomic.Int64
	during  func(run int64) // happens while a trace runs
	file    desk.CaseFile
}

// newBench opens a desk over two blocks.
func newBench(t *testing.T, maxRows int) *bench {
	t.Helper()
	b := &bench{t: t, store: memory.New(), file: small, during: func(int64) {}}
	b.append(block(1, 0, 0, [3]int{1, 2, 100}), block(2, 0, 0, [3]int{3, 2, 50}, [3]int{2, 4, 60}))
	b.jobs = job.New(job.Options{Now: time.Now})
	b.desk = desk.New(desk.Options{
		Store: b.store, Rewinds: b.rewinds.Load, Runner: b.jobs, Now: func() time.Time { return time.Unix(7, 0) }, MaxRows: maxRows,
		Case: func(_ context.Context, id string) (desk.CaseFile, error) {
			if id != b.file.ID {
				return desk.CaseFile{}, fmt.Errorf("%w: %s", desk.ErrNotFound, id)
			}
			return b.file, nil
		},
		Trace: b.trace,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.jobs.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b
}

func (b *bench) trace(ctx context.Context, over store.Questions, cases []*trace.Case, how desk.Job) (*trace.Result, error) {
	method, err := taint.MethodNamed(how.Method)
	if err != nil {
		return nil, err
	}
	b.during(b.runs.Add(1))
	options := trace.Options{Method: method, Flows: true, Notations: func(ledger.Chain) (ledger.Notation, error) { return evm.Notation{}, nil }}
	if how.AsOf != 0 {
		options.AsOf = time.Unix(how.AsOf, 0)
	}
	return trace.Run(ctx, over, cases, options)
}

func (b *bench) append(blocks ...*ledger.Block) {
	b.t.Helper()
	if err := b.store.Append(b.t.Context(), blocks); err != nil {
		b.t.Fatal(err)
	}
}

// rewind takes blocks back from a height on.
func (b *bench) rewind(from ledger.Height) {
	b.t.Helper()
	if err := b.store.Rewind(b.t.Context(), ledger.Ethereum, from); err != nil {
		b.t.Fatal(err)
	}
}

// kept asks for a trace and waits for it.
func (b *bench) kept(q desk.Query) *desk.Kept {
	b.t.Helper()
	q.Case, q.Wait = "small", "25"
	s, err := q.Selector()
	if err != nil {
		b.t.Fatal(err)
	}
	k, pending, err := b.desk.Kept(b.t.Context(), s)
	if err != nil || pending != nil {
		b.t.Fatalf("%+v: %+v %v", q, pending, err)
	}
	return k
}

// ends says where value is, as "address origin" by origin.
func ends(t *testing.T, k *desk.Kept) (list []string) {
	t.Helper()
	page, err := k.Places(desk.PlaceQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.Items {
		list = append(list, fmt.Sprintf("%s %s of %s", p.Address[len(p.Address)-1:], p.Origin, p.Amount))
	}
	return list
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestKept: a case is traced once, however often it is asked about; a new block makes the
// answer old, and does not change it; fresh asks for a new one; a moment before the block
// stays current, and a new revision is another trace.
func TestKept(t *testing.T) {
	b := newBench(t, 0)
	first := b.kept(desk.Query{})
	same(t, "by fifo", ends(t, first), []string{"4 60 of 60", "2 40 of 40"})
	about := desk.About{Case: "small", Revision: 1, Method: "fifo", Made: 7, Current: true, Digest: first.Result().Digest}
	same(t, "it is about", first.About(), about)
	before := b.kept(desk.Query{AsOf: "1970-01-01T00:16:40Z"})
	same(t, "as of block 1", ends(t, before), []string{"2 100 of 100"})
	b.append(block(3, 0, 0, [3]int{4, 5, 10}))
	again := b.kept(desk.Query{})
	same(t, "the same after a block", ends(t, again), ends(t, first))
	if again.About().Current || b.runs.Load() != 2 {
		t.Errorf("after a block: %+v, %d runs", again.About(), b.runs.Load())
	}
	if early := b.kept(desk.Query{AsOf: "1970-01-01T00:16:40Z"}); !early.About().Current || early.About().AsOf != 1000 {
		t.Errorf("as of block 1 after block 3: %+v", early.About())
	}
	fresh := b.kept(desk.Query{Fresh: "true"})
	same(t, "fresh", ends(t, fresh), []string{"4 50 of 50", "2 40 of 40", "5 10 of 10"})
	if !b.kept(desk.Query{}).About().Current || !b.kept(desk.Query{Fresh: "true"}).About().Current || b.runs.Load() != 3 {
		t.Errorf("%d runs, want 3", b.runs.Load())
	}
	b.file.Revision, b.file.Text = 2, b.file.Text+"stop_at: {hops: 1}\n"
	if second := b.kept(desk.Query{}); second.About().Revision != 2 || second.About().Digest == fresh.About().Digest || b.runs.Load() != 4 {
		t.Errorf("the second revision: %+v", second.About())
	}
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(first.Result()); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if n, err := first.WriteTo(&got); err != nil || n != int64(want.Len()) || got.String() != want.String() {
		t.Errorf("written are %d bytes, %v: %s", n, err, got.String())
	}
}

// TestOneState: whatever happens to the store while a trace runs, the answer is that of
// one state: blocks that come do not count, blocks that are taken back make it run again,
// also where the chain looks afterwards as it did before, and so do labels.
func TestOneState(t *testing.T) {
	claim := label.Claim{Subject: label.SubjectOf(ledger.Ethereum, "0x1"), Label: "x", By: "me", Learned: 1}
	for name, test := range map[string]struct {
		during func(b *bench)
		runs   int64
		want   []string
	}{
		"blocks come": {func(b *bench) { b.append(block(3, 0, 0, [3]int{4, 5, 10})) }, 1, []string{"4 60 of 60", "2 40 of 40"}},
		"blocks are replaced": {func(b *bench) {
			b.rewind(2)
			b.append(block(2, 1, 0, [3]int{2, 6, 30}), block(3, 1, 1))
		}, 2, []string{"2 70 of 70", "6 30 of 30"}},
		"blocks are taken back": {func(b *bench) { b.rewind(2) }, 2, []string{"2 100 of 100"}},
		"blocks go and come back": {func(b *bench) {
			b.rewinds.Add(1)
			b.rewind(2)
			b.append(block(2, 0, 0, [3]int{3, 2, 50}, [3]int{2, 4, 60}))
		}, 2, []string{"4 60 of 60", "2 40 of 40"}},
		"labels come": {func(b *bench) {
			if _, err := b.store.AddClaims(b.t.Context(), []label.Claim{claim}); err != nil {
				b.t.Error(err)
			}
		}, 2, []string{"4 60 of 60", "2 40 of 40"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 0)
			b.during = func(run int64) {
				if run == 1 {
					test.during(b)
				}
			}
			k := b.kept(desk.Query{})
			same(t, "where it is", ends(t, k), test.want)
			same(t, "runs", b.runs.Load(), test.runs)
			same(t, "current", k.About().Current, name != "blocks come")
		})
	}
}

// TestUnsteady gives up where the store never stays as it is.
func TestUnsteady(t *testing.T) {
	b := newBench(t, 0)
	b.during = func(int64) { b.rewinds.Add(1) }
	s := desk.Selector{Case: "small", Method: "fifo", Wait: time.Minute}
	if k, pending, err := b.desk.Kept(t.Context(), s); !errors.Is(err, desk.ErrUnsteady) || k != nil || pending != nil {
		t.Errorf("%v %v %v", k, pending, err)
	}
	same(t, "runs", b.runs.Load(), 4)
}

// TestPending gives the job of a trace that takes long, one to everybody who asks, and
// what became of it.
func TestPending(t *testing.T) {
	b := newBench(t, 0)
	began, leave := make(chan struct{}), make(chan struct{})
	b.during = func(int64) { began <- struct{}{}; <-leave }
	s := desk.Selector{Case: "small", Method: "fifo"}
	_, first, err := b.desk.Kept(t.Context(), s)
	if err != nil || first == nil || first.Kind != "trace" || first.Case != "small" || first.State.Ended() {
		t.Fatalf("%+v %v", first, err)
	}
	<-began
	started, err := b.desk.Start(t.Context(), s)
	if err != nil || started.ID != first.ID || started.State != job.Running {
		t.Errorf("started again it is %+v %v", started, err)
	}
	close(leave)
	if ended, err := b.jobs.Wait(t.Context(), first.ID, time.Minute); err != nil || ended.State != job.Done {
		t.Errorf("%+v %v", ended, err)
	}
	if k, pending, err := b.desk.Kept(t.Context(), s); err != nil || pending != nil || len(ends(t, k)) != 2 {
		t.Errorf("%+v %v", pending, err)
	}
}

// TestRefused: cases that are none, cannot be read or name what is not held.
func TestRefused(t *testing.T) {
	b := newBench(t, 0)
	for name, test := range map[string]struct {
		file desk.CaseFile
		id   string
		asOf int64
		want error
	}{
		"no such case":      {small, "other", 0, desk.ErrNotFound},
		"no case file":      {desk.CaseFile{ID: "small", Revision: 2, Text: "thefts: 7"}, "small", 0, desk.ErrUntraceable},
		"before the theft":  {small, "small", 500, desk.ErrUntraceable},
		"what is not there": {desk.CaseFile{ID: "small", Revision: 3, Text: "case: small\nthefts:\n  - {colour: btc, chain: bitcoin, asset: native, outpoint: \"0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9:0\"}\n"}, "small", 0, desk.ErrUntraceable},
	} {
		b.file = test.file
		k, pending, err := b.desk.Kept(t.Context(), desk.Selector{Case: test.id, Method: "fifo", AsOf: test.asOf, Wait: time.Minute})
		if k != nil || pending != nil || !errors.Is(err, test.want) {
			t.Errorf("%s: %v %v, want %v", name, pending, err, test.want)
		}
	}
}

// TestRoom: what was not used for the longest time leaves where there are too many rows.
func TestRoom(t *testing.T) {
	b := newBench(t, 18) // of 8 rows each: two places and flows of four ends in two transactions
	b.kept(desk.Query{Method: "fifo"})
	b.kept(desk.Query{Method: "lifo"})
	b.kept(desk.Query{Method: "fifo"})
	same(t, "runs", b.runs.Load(), 2)
	b.kept(desk.Query{Method: "haircut"}) // lifo leaves
	b.kept(desk.Query{Method: "fifo"})
	same(t, "runs with one that is kept", b.runs.Load(), 3)
	b.kept(desk.Query{Method: "lifo"})
	same(t, "runs with one that left", b.runs.Load(), 4)
}

// TestCompared: by fifo the stolen 100 move on first, by lifo the clean 50; the places are
// ranked by how much of the theft the methods disagree about.
func TestCompared(t *testing.T) {
	b := newBench(t, 0)
	c, pending, err := b.desk.Compared(t.Context(), desk.Selector{Case: "small", Wait: time.Minute}, "", 1)
	if err != nil || pending != nil {
		t.Fatalf("%+v %v", pending, err)
	}
	same(t, "runs", b.runs.Load(), 6)
	if len(c.Methods) != 6 || c.Total != 2 || c.Next == "" || !c.Current || len(c.Items) != 1 {
		t.Fatalf("%+v", c)
	}
	second, _, err := b.desk.Compared(t.Context(), desk.Selector{Case: "small", Wait: time.Minute}, c.Next, 5)
	if err != nil || len(second.Items) != 1 || second.Next != "" {
		t.Fatalf("%+v %v", second, err)
	}
	places := map[string]desk.Difference{}
	for _, d := range []desk.Difference{c.Items[0], second.Items[0]} {
		places[d.Address[len(d.Address)-1:]] = d
	}
	// 60 of 150 went on: by fifo 60 of them stolen, by lifo 10, by haircut two thirds.
	same(t, "at 4", places["4"].Origins, map[string]string{"fifo": "60", "lifo": "10", "haircut": "40", "seniority": "60", "tiho": places["4"].Origins["tiho"]})
	same(t, "at 2", places["2"].Origins["lifo"], "90")
	for at, d := range places {
		if d.Spread != "50" || d.ShareBP != 5000 || d.Poison == "0" {
			t.Errorf("at %s: %+v", at, d)
		}
	}
	b.kept(desk.Query{Method: "tiho"})
	same(t, "runs after a method that was compared", b.runs.Load(), 6)
	if _, _, err := b.desk.Compared(t.Context(), desk.Selector{Case: "small"}, "other:5", 5); !errors.Is(err, desk.ErrGone) {
		t.Errorf("a cursor of another: %v", err)
	}
}

// TestSummary holds the headline against what is known of the small theft.
func TestSummary(t *testing.T) {
	b := newBench(t, 0)
	s, err := b.kept(desk.Query{}).Summary()
	if err != nil || s.Title != "A small theft" || s.Aliases[0] != "The small one" || s.AttributedTo.Actor != "somebody" || s.FactOnly || s.Note != "" {
		t.Errorf("%+v %v", s, err)
	}
	same(t, "counts", s.Counts, desk.Counts{Places: 2, Anomalies: 2, Flows: 2}) // two pay what nobody saw them get
	c := s.Colours[0]
	if c.Colour != "small/eth" || c.Stolen != "100" || *c.Traceable != 10000 || *c.Dark != 0 || s.First != "1970-01-01T00:16:40Z" || s.Last != "1970-01-01T00:33:20Z" {
		t.Errorf("%+v from %s to %s", c, s.First, s.Last)
	}
	same(t, "kinds", c.Kinds, []desk.KindSum{{Kind: "held", Origin: "100", Places: 2}})
	poison, err := b.kept(desk.Query{Method: "poison"}).Summary()
	if err != nil || poison.Colours[0].Traceable != nil || poison.Note == "" {
		t.Errorf("by poison: %+v %v", poison, err)
	}
	b.file.Revision, b.file.Text = 2, strings.Replace(b.file.Text, "aliases: [The small one]\n", "", 1)
	if s, err = b.kept(desk.Query{}).Summary(); err != nil || s.Aliases == nil {
		t.Errorf("without aliases: %#v %v", s.Aliases, err)
	}
	flows, err := b.kept(desk.Query{}).Flows(desk.FlowQuery{At: "0x0000000000000000000000000000000000000004"})
	if err != nil || flows.Total != 1 || flows.Items[0].Height != 2 {
		t.Errorf("%+v %v", flows, err)
	}
}
