// Package storetest is the one suite that every store must pass, and the
// generators of random ledgers behind it.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
)

// Run checks a store against the contract. Each call of open gives an empty store.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, store.Store){
		"idempotent": testIdempotent, "all or none": testAllOrNone, "links": testLinks, "bad spends": testBadSpends,
		"unknown parents": testUnknownParents, "twins": testTwins, "openings": testOpenings, "unknown chain": testUnknownChain,
		"provenance": testProvenance, "last of keys": testLastOfKeys, "what is frozen": testFrozen, "what is created": testCreated,
		"readers while writing": testReaders,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("model", func(t *testing.T) { testModel(t, open) })
	t.Run("labels", func(t *testing.T) { testLabels(t, open) })
}

// RunPersistent checks what a store in a folder must do beyond that.
func RunPersistent(t *testing.T, open func(t *testing.T, folder string) (store.Store, error)) {
	t.Helper()
	t.Run("reopened", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			folder := t.TempDir()
			want := memory.New()
			blocks := UTXOBlocks(rt, Shape{Blocks: 12})
			for at := 0; at < len(blocks); {
				s, err := open(t, folder)
				if err != nil {
					rt.Fatal(err)
				}
				n := min(len(blocks), at+rapid.IntRange(1, 5).Draw(rt, "blocks until closed"))
				for _, into := range []store.Store{s, want} {
					if err := into.Append(t.Context(), blocks[at:n]); err != nil {
						rt.Fatal(err)
					}
				}
				at = n
				equal(rt, want, s)
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
			}
		})
	})
	t.Run("locked", func(t *testing.T) {
		folder := t.TempDir()
		s, err := open(t, folder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, folder); !errors.Is(err, store.ErrLocked) {
			t.Errorf("second writer: got %v, want ErrLocked", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// failer is what *testing.T and *rapid.T share.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// equal compares everything two stores answer.
func equal(t failer, want, got store.Store) {
	t.Helper()
	one, err := Dump(context.Background(), want)
	if err != nil {
		t.Fatalf("dump what is wanted: %v", err)
	}
	two, err := Dump(context.Background(), got)
	if err != nil {
		t.Fatalf("dump what was got: %v", err)
	}
	if diff := cmp.Diff(strings.Split(one, "\n"), strings.Split(two, "\n")); diff != "" {
		t.Fatalf("stores differ (-want +got):\n%s", diff)
	}
}

// testModel appends and rewinds random ledgers, and compares every answer with
// the reference store's.
func testModel(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		want, got := store.Store(memory.New()), open(t)
		ctx := t.Context()
		generate := UTXOBlocks
		if rapid.Bool().Draw(rt, "accounts") {
			generate = AccountBlocks
		}
		blocks := generate(rt, Shape{Blocks: 14})
		for at := 0; at < len(blocks); {
			n := min(len(blocks), at+rapid.IntRange(1, 6).Draw(rt, "batch"))
			again := max(0, at-rapid.IntRange(0, 2).Draw(rt, "again"))
			for _, s := range []store.Store{want, got} {
				if err := s.Append(ctx, blocks[again:n]); err != nil {
					rt.Fatalf("append %d to %d: %v", again, n, err)
				}
			}
			at = n
			if rapid.IntRange(0, 3).Draw(rt, "rewind") == 0 {
				back := rapid.IntRange(0, at-1).Draw(rt, "to")
				for _, s := range []store.Store{want, got} {
					if err := s.Rewind(ctx, blocks[0].Chain, blocks[back].Height); err != nil {
						rt.Fatalf("rewind: %v", err)
					}
				}
				at = back
				equal(rt, want, got)
			}
		}
		equal(rt, want, got)
		sameBalances(rt, blocks, want, got)
		if err := got.Close(); err != nil {
			rt.Fatalf("close: %v", err)
		}
	})
}

// sameBalances asks for every holding before every transaction.
func sameBalances(t failer, blocks []*ledger.Block, want, got store.Store) {
	t.Helper()
	if blocks[0].Chain.Family() != ledger.Account {
		return
	}
	var questions []store.HoldingAt
	n := store.TxNumber(0)
	for _, b := range blocks {
		for i := range b.Txs {
			for _, tr := range b.Txs[i].Transfers {
				for _, a := range []ledger.Address{tr.From, tr.To, b.Txs[i].Fee.Payer} {
					questions = append(questions, store.HoldingAt{Holding: store.Holding{Address: a, Asset: tr.Asset}, Before: n})
				}
			}
			n++
		}
	}
	one, err1 := want.Balances(context.Background(), blocks[0].Chain, questions)
	two, err2 := got.Balances(context.Background(), blocks[0].Chain, questions)
	if err1 != nil || err2 != nil || !reflect.DeepEqual(one, two) {
		t.Fatalf("balances differ: %v %v\n%v\n%v", err1, err2, one, two)
	}
}

func mustAppend(t *testing.T, s store.Store, blocks ...*ledger.Block) {
	t.Helper()
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
}

// fails checks that an Append is refused and changes nothing.
func fails(t *testing.T, s store.Store, reason string, blocks ...*ledger.Block) {
	t.Helper()
	before, err := Dump(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), blocks); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, want an error about %q", err, reason)
	}
	after, err := Dump(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Errorf("a refused block changed the store:\n%s", cmp.Diff(before, after))
	}
}

func testIdempotent(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	blocks := []*ledger.Block{b.block(b.mint("a", 5)), b.block(b.mint("b", 7))}
	mustAppend(t, s, blocks...)
	before, err := Dump(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, blocks...)
	mustAppend(t, s, blocks[1])
	after, err := Dump(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Errorf("appending again changed the store:\n%s", cmp.Diff(before, after))
	}
}

func testAllOrNone(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	genesis := b.block(b.mint("a", 5))
	mustAppend(t, s, genesis)
	good := b.block(b.mint("b", 7), b.spend("c", 5, ledger.Outpoint{Tx: txID(0)}))
	bad := b.block(b.spend("d", 1, ledger.Outpoint{Tx: txID(99)}))
	fails(t, s, "does not exist", good, bad)
	mustAppend(t, s, good)
}

func testLinks(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	first := b.block(b.mint("a", 5))
	mustAppend(t, s, first)
	other := *first
	other.Hash[31]++
	fails(t, s, "another block is held", &other)
	orphan := b.block(b.mint("b", 5))
	orphan.Parent[0]++
	fails(t, s, "its parent is", orphan)
	orphan.Parent[0]--
	orphan.Height += 3
	fails(t, s, "are missing", orphan)
	var link *store.LinkError
	if err := s.Append(t.Context(), []*ledger.Block{orphan}); !errors.As(err, &link) || link.Head != 0 || link.Height != 4 {
		t.Errorf("got %v, want a LinkError with both heights", err)
	}
}

func testBadSpends(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	mustAppend(t, s, b.block(b.mint("a", 5)))
	first := ledger.Outpoint{Tx: txID(0)}
	mark := b
	fails(t, s, "spent already", b.block(b.mint("m", 1), b.spend("x", 5, first), b.spend("y", 5, first)))
	b = mark
	fails(t, s, "does not exist", b.block(b.spend("x", 5, ledger.Outpoint{Tx: txID(0), Index: 1})))
	b = mark
	fails(t, s, "does not exist", b.block(b.spend("x", 5, ledger.Outpoint{Tx: txID(2)}), b.mint("later", 5)))
	b = mark
	fails(t, s, "pays 6 out of 5", b.block(b.spend("x", 6, first)))
	b = mark
	burn := b.spend("x", 4, first)
	burn.Outputs[0] = ledger.Output{Value: 4, Unspendable: true}
	mustAppend(t, s, b.block(burn))
	fails(t, s, "can never be spent", b.block(b.spend("x", 4, ledger.Outpoint{Tx: burn.ID})))
}

func testUnknownParents(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin, height: 500}
	lost := ledger.Outpoint{Tx: txID(1000), Index: 3}
	mustAppend(t, s, b.block(b.mint("a", 5), b.spend("x", 9, lost)))
	txs, err := s.Transactions(t.Context(), ledger.Bitcoin, []store.TxNumber{1})
	if err != nil {
		t.Fatal(err)
	}
	if want := []store.Input{{Output: store.NoOutput, Outpoint: lost}}; !reflect.DeepEqual(txs[0].Inputs, want) {
		t.Errorf("got %+v, want %+v", txs[0].Inputs, want)
	}
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status[0].First != 500 || status[0].UnspentOutputs != 2 || status[0].UnspentValue != 14 {
		t.Errorf("status %+v", status[0])
	}
}

// testTwins repeats a coinbase, as happened twice before BIP-30.
func testTwins(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	mustAppend(t, s, b.block(b.mint("a", 5)))
	before, err := Dump(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	twin := b.mint("a", 5)
	twin.ID = txID(0)
	repeat := b.block(twin)
	mustAppend(t, s, repeat)
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status[0].UnspentOutputs != 1 || status[0].UnspentValue != 5 {
		t.Errorf("status %+v, want the earlier output gone", status[0])
	}
	outputs, err := s.Outputs(t.Context(), ledger.Bitcoin, []store.OutputNumber{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	if !outputs[0].Unspendable || outputs[1].Unspendable {
		t.Errorf("got %+v, want the earlier output unspendable", outputs)
	}
	if err := s.Rewind(t.Context(), ledger.Bitcoin, 1); err != nil {
		t.Fatal(err)
	}
	after, err := Dump(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Errorf("the earlier twin is not restored:\n%s", cmp.Diff(before, after))
	}
}

func testOpenings(t *testing.T, s store.Store) {
	t.Helper()
	alice, bob := name("alice"), name("bob")
	eth := ledger.Ethereum.Native()
	pay := func(id int, from, to ledger.Address, amount uint64) ledger.Tx {
		return ledger.Tx{ID: txID(id), Transfers: []ledger.Transfer{{From: from, To: to, Asset: eth, Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}}}
	}
	block := func(h ledger.Height, tx ledger.Tx) *ledger.Block {
		return &ledger.Block{Chain: ledger.Ethereum, Height: h, Time: int64(h), Provenance: ledger.File, Txs: []ledger.Tx{tx}}
	}
	late := block(30, pay(2, alice, bob, 1))
	late.Openings = []ledger.Opening{{Address: alice, Asset: eth, Amount: ledger.NewAmount(50), Before: 20}}
	mustAppend(t, s, block(10, pay(0, alice, bob, 7)), block(20, pay(1, bob, alice, 4)), late)
	got, err := s.Balances(t.Context(), ledger.Ethereum, []store.HoldingAt{
		{Holding: store.Holding{Address: alice, Asset: eth}, Before: 1}, // 50 stated, before block 20
		{Holding: store.Holding{Address: bob, Asset: eth}, Before: 1},
		{Holding: store.Holding{Address: alice, Asset: eth}, Before: 2}, // 50 before block 20, + 4
		{Holding: store.Holding{Address: alice, Asset: eth}, Before: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Balance{{Amount: ledger.NewAmount(50), Known: true}, {Amount: ledger.NewAmount(7)}, {Amount: ledger.NewAmount(54), Known: true}, {Amount: ledger.NewAmount(53), Known: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// testLastOfKeys uses identifiers and addresses that sort behind all others.
func testLastOfKeys(t *testing.T, s store.Store) {
	t.Helper()
	id := ledger.Hash(bytes.Repeat([]byte{0xff}, 32))
	last := ledger.NewAddress(ledger.Named, id[:])
	block := &ledger.Block{Chain: ledger.Ethereum, Height: 1, Time: 1, Provenance: ledger.File, Txs: []ledger.Tx{{
		ID: id, Transfers: []ledger.Transfer{{From: name("a"), To: last, Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(5), LogIndex: ledger.NoLog}},
	}}}
	mustAppend(t, s, block)
	numbers, err := s.Find(t.Context(), ledger.Ethereum, []ledger.Hash{id})
	if err != nil || numbers[0] != 0 {
		t.Errorf("transaction ff…ff: number %v, %v", numbers, err)
	}
	histories, err := s.History(t.Context(), ledger.Ethereum, []store.Since{{Address: last}})
	if err != nil || len(histories[0]) != 1 {
		t.Errorf("history of the last address: %v, %v", histories, err)
	}
}

// testFrozen asks whether a holding is frozen at several moments.
func testFrozen(t *testing.T, s store.Store) {
	t.Helper()
	asset := ledger.Asset("eip155:1/erc20:0x00000000000000000000000000000000000000aa")
	tx := func(id int, lifted bool) ledger.Tx {
		return ledger.Tx{ID: txID(id), Index: uint32(id), Freezes: []ledger.Freeze{{Holder: name("a"), Asset: asset, Lifted: lifted}}}
	}
	mustAppend(t, s, &ledger.Block{Chain: ledger.Ethereum, Height: 1, Time: 1, Provenance: ledger.File, Txs: []ledger.Tx{tx(0, false), tx(1, true), tx(2, false)}})
	var questions []store.HoldingAt
	for before := range store.TxNumber(4) {
		questions = append(questions, store.HoldingAt{Holding: store.Holding{Address: name("a"), Asset: asset}, Before: before})
	}
	questions = append(questions, store.HoldingAt{Holding: store.Holding{Address: name("a"), Asset: asset + "b"}, Before: 3})
	balances, err := s.Balances(t.Context(), ledger.Ethereum, questions)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, false, true, false} {
		if balances[i].Frozen != want {
			t.Errorf("question %d: frozen is %v", i, balances[i].Frozen)
		}
	}
}

// testCreated finds a creation in the history of the contract and of its creator, and
// nowhere among what decoders read.
func testCreated(t *testing.T, s store.Store) {
	t.Helper()
	factory := bytes.Repeat([]byte{0xfa}, 20)
	made := ledger.Tx{ID: txID(1), Index: 1, Fee: ledger.Fee{Payer: name("signer")}, Messages: []ledger.Message{
		{Kind: ledger.Creation, Contract: name("contract"), Data: factory},
	}}
	other := ledger.Tx{ID: txID(0), Fee: ledger.Fee{Payer: name("signer")}}
	mustAppend(t, s, &ledger.Block{Chain: ledger.Ethereum, Height: 1, Time: 1, Provenance: ledger.File, Txs: []ledger.Tx{other, made}})
	histories, err := s.History(t.Context(), ledger.Ethereum, []store.Since{
		{Address: name("contract")}, {Address: ledger.NewAddress(ledger.EVMAccount, factory)}, {Address: name("signer")}, {Address: name("nobody")},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(n store.TxNumber) store.Touch { return store.Touch{Tx: n, Output: store.NoOutput} }
	if want := [][]store.Touch{{at(1)}, {at(1)}, {at(0), at(1)}, {}}; !reflect.DeepEqual(histories, want) {
		t.Errorf("histories %v, want %v", histories, want)
	}
	movements, err := s.Movements(t.Context(), ledger.Ethereum, []store.TxNumber{1})
	if err != nil || !reflect.DeepEqual(movements[0].Tx.Messages, made.Messages) {
		t.Errorf("got %+v, %v", movements, err)
	}
	for said, err := range s.Said(t.Context(), ledger.Ethereum, 0, 9, map[ledger.Hash]bool{{}: true, {0xfa}: true}) {
		t.Errorf("a creation alone is said: %+v, %v", said, err)
	}
}

func testUnknownChain(t *testing.T, s store.Store) {
	t.Helper()
	if _, err := s.Find(t.Context(), ledger.Bitcoin, nil); !errors.Is(err, store.ErrUnknownChain) {
		t.Errorf("find: %v", err)
	}
	for _, err := range s.Headers(t.Context(), ledger.Bitcoin, 0) {
		if !errors.Is(err, store.ErrUnknownChain) {
			t.Errorf("headers: %v", err)
		}
	}
	if err := s.Rewind(t.Context(), ledger.Bitcoin, 0); err != nil {
		t.Errorf("rewinding what is not there: %v", err)
	}
	b := builder{chain: ledger.Bitcoin}
	mustAppend(t, s, b.block(b.mint("a", 5)))
	if _, err := s.Outputs(t.Context(), ledger.Bitcoin, []store.OutputNumber{1}); err == nil {
		t.Error("an output that is not held was described")
	}
	if err := s.Rewind(t.Context(), ledger.Bitcoin, 0); err != nil {
		t.Fatal(err)
	}
	if status, err := s.Status(t.Context()); err != nil || len(status) != 0 {
		t.Errorf("after rewinding all: %v, %v", status, err)
	}
}

func testProvenance(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	first, second := b.block(b.mint("a", 5)), b.block(b.mint("b", 5))
	first.Provenance, second.Provenance = ledger.Proven, ledger.Node
	mustAppend(t, s, first, second)
	for height, want := range []ledger.Provenance{ledger.Proven, ledger.Node} {
		for h, err := range s.Headers(t.Context(), ledger.Bitcoin, ledger.Height(height)) {
			if err != nil || h.Provenance != want {
				t.Errorf("block %d: %v, %v", height, h.Provenance, err)
			}
			break
		}
	}
	if status, err := s.Status(t.Context()); err != nil || status[0].Weakest != ledger.Node {
		t.Errorf("weakest: %v, %v", status, err)
	}
}

// testReaders reads while another goroutine appends: every answer fits the status
// that was read before it.
func testReaders(t *testing.T, s store.Store) {
	t.Helper()
	b := builder{chain: ledger.Bitcoin}
	mustAppend(t, s, b.block(b.mint("a", 5)))
	var writer sync.WaitGroup
	done := make(chan struct{})
	var failure error
	writer.Go(func() {
		defer close(done)
		for range 60 {
			if failure = s.Append(t.Context(), []*ledger.Block{b.block(b.mint("a", 5))}); failure != nil {
				return
			}
		}
	})
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		if err := readOnce(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	writer.Wait()
	if failure != nil {
		t.Fatal(failure)
	}
}

func readOnce(ctx context.Context, s store.Store) error {
	status, err := s.Status(ctx)
	if err != nil {
		return err
	}
	n := uint64(0)
	for h, err := range s.Headers(ctx, ledger.Bitcoin, 0) {
		if err != nil {
			return err
		}
		if uint64(h.FirstTx) != n {
			return fmt.Errorf("block %d begins at transaction %d", h.Height, h.FirstTx)
		}
		n++
	}
	if n < status[0].Blocks {
		return fmt.Errorf("%d headers after a status of %d blocks", n, status[0].Blocks)
	}
	last := store.TxNumber(status[0].Txs - 1)
	if _, err := s.Transactions(ctx, ledger.Bitcoin, []store.TxNumber{last}); err != nil {
		return err
	}
	touches, err := s.History(ctx, ledger.Bitcoin, []store.Since{{Address: name("a")}})
	if err == nil && uint64(len(touches[0])) < status[0].Blocks {
		err = fmt.Errorf("%d touches after a status of %d blocks", len(touches[0]), status[0].Blocks)
	}
	return err
}

// sortedKeys lists the keys of a set of addresses in order.
func sortedKeys(set map[ledger.Address]bool) []ledger.Address {
	out := make([]ledger.Address, 0, len(set))
	for a := range set {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b ledger.Address) int { return strings.Compare(string(a.Bytes()), string(b.Bytes())) })
	return out
}
