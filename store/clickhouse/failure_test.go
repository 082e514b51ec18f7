package clickhouse_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// TestReplicasDie appends a ledger block by block while one replica after the other is killed
// and started again. Every write succeeds, and at the end, and with either replica of a shard
// alone, the store answers what the reference answers.
func TestReplicasDie(t *testing.T) {
	c := clickhousetest.Start(t, 2, 2)
	o := options(c)
	o.Patience = time.Minute
	s := open(t, o)
	blocks := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 24}) }).Example(3))
	want := memory.New()
	down := (*clickhousetest.Node)(nil)
	order := []*clickhousetest.Node{c.Shards[0][0], c.Shards[1][0], c.Shards[0][1], c.Shards[1][1]}
	for i, b := range blocks {
		switch i % 6 {
		case 1:
			down = order[i/6]
			for _, node := range c.Shards[down.Shard-1] {
				node.CaughtUp(t) // with the only server that has a block dies every answer about it
			}
			// Killed at any moment of the write, which is in the middle of a trip or between two.
			killed := make(chan struct{})
			go func() {
				defer close(killed)
				time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
				down.Kill()
			}()
			defer func() { <-killed }()
		case 4:
			down.Restart(t)
		}
		for _, into := range []store.Store{s, want} {
			if err := into.Append(t.Context(), []*ledger.Block{b}); err != nil {
				t.Fatalf("block %d: %v", i, err)
			}
		}
	}
	same(t, want, s)
	for replica := range 2 {
		for _, node := range order {
			node.CaughtUp(t) // only then can it be asked alone
		}
		for _, shard := range c.Shards {
			shard[replica].Kill()
		}
		same(t, want, s)
		for _, shard := range c.Shards {
			shard[replica].Restart(t)
		}
		same(t, want, open(t, o))
	}
}

// TestShardGone: without any replica of a shard nothing is answered, and the error names it.
func TestShardGone(t *testing.T) {
	c := clickhousetest.Start(t, 2, 2)
	o := options(c)
	o.Patience = time.Minute // an old server that is idle takes ten seconds for its first part
	first := open(t, o)
	blocks := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.AccountBlocks(rt, storetest.Shape{Blocks: 8}) }).Example(3))
	if err := errors.Join(first.Append(t.Context(), blocks), first.Close()); err != nil {
		t.Fatal(err)
	}
	o.Patience = 3 * time.Second
	s := open(t, o)
	for _, node := range c.Shards[1] {
		node.Kill()
	}
	wanted := func(what string, err error) {
		t.Helper()
		var gone *clickhouse.ShardError
		if !errors.As(err, &gone) || gone.Shard != 2 || gone.Shards != 2 || len(gone.Causes) != 2 {
			t.Errorf("%s: %v, want an error that names shard 2", what, err)
		}
	}
	var everybody []store.Since
	for _, b := range blocks {
		for i := range b.Txs {
			for _, a := range store.Touched(&b.Txs[i]) {
				everybody = append(everybody, store.Since{Address: a})
			}
		}
	}
	_, err := s.History(t.Context(), blocks[0].Chain, everybody)
	wanted("history", err)
	wanted("append", s.Append(t.Context(), []*ledger.Block{{Chain: blocks[0].Chain, Height: 8, Hash: ledger.Hash{9}, Parent: blocks[7].Hash, Txs: blocks[7].Txs}}))
	for _, node := range c.Shards[1] {
		node.Restart(t)
	}
	o.Patience = time.Minute // a server that was killed tells ZooKeeper late that it is back
	again := open(t, o)
	histories, err := again.History(t.Context(), blocks[0].Chain, everybody)
	if err != nil {
		t.Fatalf("after they are back: %v", err)
	}
	want := memory.New()
	if err := want.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	if wanted, err := want.History(t.Context(), blocks[0].Chain, everybody); err != nil || !reflect.DeepEqual(histories, wanted) {
		t.Errorf("after they are back: %v, want %v, %v", histories, wanted, err)
	}
}

// TestCleared: what rewinds leave behind is deleted from the tables on every replica, and
// nothing else is.
func TestCleared(t *testing.T) {
	c := clickhousetest.Start(t, 1, 2)
	o := options(c)
	o.Tune(3, -time.Hour)
	s, want := open(t, o), memory.New()
	blocks := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 6}) }).Example(3))
	again := func(n int) {
		for _, into := range []store.Store{s, want} {
			for _, err := range []error{
				into.Append(t.Context(), blocks[:n+1]), into.Rewind(t.Context(), blocks[0].Chain, blocks[n].Height), into.Append(t.Context(), blocks[n:n+1]),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		same(t, want, s)
	}
	txs := 0
	for n, b := range blocks {
		again(n)
		txs += len(b.Txs)
	}
	// Each further write leaves the last block behind once more, and looks what is deleted.
	most := txs + 3*len(blocks[len(blocks)-1].Txs)
	for deadline := time.Now().Add(90 * time.Second); ; again(len(blocks) - 1) {
		kept := 0
		for _, node := range c.Shards[0] {
			text, err := node.Query(t.Context(), "SELECT count() FROM "+o.Database+".transactions WHERE chain != ''")
			if err != nil {
				t.Fatal(err)
			}
			rows, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || rows < txs {
				t.Fatalf("%s keeps %q rows of %d transactions, %v", node.Address, text, txs, err)
			}
			kept = max(kept, rows)
		}
		if kept <= most && s.Stretches(t, blocks[0].Chain) < 3 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d rows of %d transactions are kept in %d stretches", kept, txs, s.Stretches(t, blocks[0].Chain))
		}
	}
}

// TestReplicaFreezes: a server that takes connections and answers nothing is passed over, in
// the middle of a question too.
func TestReplicaFreezes(t *testing.T) {
	c := clickhousetest.Start(t, 1, 2)
	o := options(c)
	o.Dial = time.Second
	s := open(t, o)
	blocks := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 6}) }).Example(3))
	want := memory.New()
	for _, into := range []store.Store{s, want} {
		if err := into.Append(t.Context(), blocks[:5]); err != nil {
			t.Fatal(err)
		}
	}
	same(t, want, s)
	frozen := c.Shards[0][0]
	frozen.Stop()
	defer frozen.Cont()
	same(t, want, s)
	for _, into := range []store.Store{s, want} {
		if err := into.Append(t.Context(), blocks[5:]); err != nil {
			t.Fatal(err)
		}
	}
	same(t, want, s)
}

// TestKeeperGone: without ZooKeeper no replica can show that it is complete, so nothing is
// answered; once it is back, everything is.
func TestKeeperGone(t *testing.T) {
	c := clickhousetest.Start(t, 1, 2)
	o := options(c)
	s := open(t, o)
	blocks := hashed(rapid.Custom(func(rt *rapid.T) []*ledger.Block { return storetest.AccountBlocks(rt, storetest.Shape{Blocks: 4}) }).Example(3))
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	c.KillKeeper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		_, err := s.Status(t.Context())
		var gone *clickhouse.ShardError
		if errors.As(err, &gone) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("without ZooKeeper: %v", err)
		}
	}
	c.RestartKeeper(t)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		status, err := s.Status(t.Context())
		if err == nil && len(status) == 1 && status[0].Blocks == uint64(len(blocks)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("with ZooKeeper again: %v, %v", status, err)
		}
	}
}
