package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"coldtrail/chain/evm"
	"coldtrail/chain/transfers"
	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

// bybit is the real movements after the theft of 21 February 2025, and its case.
func bybit(t *testing.T) ([]*ledger.Block, *trace.Case) {
	t.Helper()
	folder := filepath.Join("..", "testdata", "bybit-2025")
	source, err := transfers.Open(t.Context(), filepath.Join(folder, "transfers.csv"), ledger.Ethereum, evm.Notation{})
	if err != nil {
		t.Fatal(err)
	}
	var blocks []*ledger.Block
	for b, err := range source.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
	}
	file, err := os.Open(filepath.Join(folder, "case.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, err := trace.ParseCase("case.yaml", file)
	if err != nil {
		t.Fatal(err)
	}
	return blocks, c
}

// traced is all bytes of a targeted trace of a case.
func traced(ctx context.Context, s store.Store, c *trace.Case) ([]byte, error) {
	result, err := trace.Run(ctx, s, []*trace.Case{c}, trace.Options{Method: taint.FIFO, Mode: trace.Targeted, Notations: realNotation, Crossings: true, Flows: true})
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		R *trace.Result
		F []trace.Flow
	}{result, result.Flows()})
}

// A looper traces again and again beside a test that kills servers.
type looper struct {
	store *clickhouse.Store
	theft *trace.Case
	want  []byte
	end   context.CancelFunc
	ended chan struct{}

	mu      sync.Mutex
	done    int    // traces so far that gave the right bytes
	trips   uint64 // when the last of them was done
	differs []byte // what one gave instead
	failed  error  // what ended the loop
}

// loop begins to trace, until one fails or differs.
func loop(t *testing.T, s *clickhouse.Store, c *trace.Case, want []byte) *looper {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	l := &looper{store: s, theft: c, want: want, end: end, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for l.once(ctx) {
		}
	}()
	t.Cleanup(l.stop)
	return l
}

func (l *looper) once(ctx context.Context) bool {
	got, err := traced(ctx, l.store, l.theft)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		l.failed = err
		return false
	case !bytes.Equal(got, l.want):
		l.differs = got
		return false
	}
	l.done, l.trips = l.done+1, l.store.Trips()
	return true
}

func (l *looper) stop() {
	l.end()
	<-l.ended
}

// until waits for a moment of the loop, and fails where the loop ended instead.
func (l *looper) until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for range 6000 {
		l.mu.Lock()
		ok, failed, differs := there(), l.failed, l.differs
		l.mu.Unlock()
		switch {
		case failed != nil:
			t.Fatalf("while waiting for %s: %v", what, failed)
		case differs != nil:
			t.Fatalf("while waiting for %s: a trace gave\n%s\nnot\n%s", what, differs, l.want)
		case ok:
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s never came", what)
}

// midway waits until the present trace has asked a good part of its questions.
func (l *looper) midway(t *testing.T) {
	t.Helper()
	l.until(t, "the middle of a trace", func() bool { return l.store.Trips() >= l.trips+10 })
}

// more waits for so many more traces.
func (l *looper) more(t *testing.T, traces int) {
	t.Helper()
	l.mu.Lock()
	from := l.done
	l.mu.Unlock()
	l.until(t, "more traces", func() bool { return l.done >= from+traces })
}

// TestTraceThroughFailure kills servers in the middle of traces. While a replica of each
// shard is there, every trace gives the bytes of memory; without a shard it fails with the
// shard's name; and it succeeds again when the shard is back.
func TestTraceThroughFailure(t *testing.T) {
	cluster := clickhousetest.Start(t, 2, 2)
	blocks, c := bybit(t)
	reference := memory.New()
	s := openOn(t, cluster)
	for _, s := range []store.Store{reference, s} {
		if err := s.Append(t.Context(), blocks); err != nil {
			t.Fatal(err)
		}
	}
	want, err := traced(t.Context(), reference, c)
	if err != nil {
		t.Fatal(err)
	}
	l := loop(t, s, c, want)
	l.more(t, 1)
	for _, replica := range cluster.Shards[0] {
		l.midway(t)
		replica.Kill()
		l.more(t, 2)
		replica.Restart(t)
		replica.CaughtUp(t)
		l.more(t, 1)
	}
	l.midway(t)
	for _, replica := range cluster.Shards[1] {
		replica.Kill()
	}
	select {
	case <-l.ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("a trace hangs where a shard is gone")
	}
	wantShard(t, l.failed, 2)
	_, err = traced(t.Context(), s, c)
	wantShard(t, err, 2)
	for _, replica := range cluster.Shards[1] {
		replica.Restart(t)
		replica.CaughtUp(t)
	}
	got, err := traced(t.Context(), s, c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("when the shard is back: %v\n%s\nnot\n%s", err, got, want)
	}
}

func wantShard(t *testing.T, err error, shard int) {
	t.Helper()
	var gone *clickhouse.ShardError
	if !errors.As(err, &gone) || gone.Shard != shard {
		t.Fatalf("without shard %d: %v", shard, err)
	}
	t.Log(err)
}
