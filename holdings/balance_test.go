package holdings_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/holdings"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// stores opens an empty store of each kind.
var stores = map[string]func(t *testing.T) store.Store{
	"memory": func(*testing.T) store.Store { return memory.New() },
	"embedded": func(t *testing.T) store.Store {
		t.Helper()
		s, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

// everybody lists all addresses of blocks.
func everybody(blocks []*ledger.Block) (list []ledger.Address) {
	seen := map[ledger.Address]bool{{}: true}
	add := func(a ledger.Address) {
		if !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	for _, b := range blocks {
		for i := range b.Txs {
			for _, o := range b.Txs[i].Outputs {
				add(o.Address)
			}
			for _, a := range store.Touched(&b.Txs[i]) {
				add(a)
			}
		}
		for _, o := range b.Openings {
			add(o.Address)
		}
	}
	return list
}

func assetsOf(blocks []*ledger.Block) (list []ledger.Asset) {
	seen := map[ledger.Asset]bool{}
	for _, b := range blocks {
		for _, o := range b.Openings {
			seen[o.Asset] = true
		}
		for i := range b.Txs {
			for _, t := range b.Txs[i].Transfers {
				seen[t.Asset] = true
			}
		}
	}
	for a := range seen {
		list = append(list, a)
	}
	return list
}

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func fill(ctx context.Context, t failer, s store.Store, blocks []*ledger.Block) {
	t.Helper()
	if err := s.Append(ctx, blocks); err != nil {
		t.Fatal(err)
	}
}

// empty takes everything out of a store.
func empty(ctx context.Context, t failer, s store.Store, chain ledger.Chain) {
	t.Helper()
	if err := s.Rewind(ctx, chain, 0); err != nil {
		t.Fatal(err)
	}
}

// ends are where the chain of blocks is read up to just after each of its blocks.
func ends(ctx context.Context, t failer, s store.Store, blocks []*ledger.Block) []holdings.End {
	t.Helper()
	var moments []int64
	for _, b := range blocks {
		moments = append(moments, b.Time)
	}
	list, err := holdings.Ends(ctx, s, blocks[0].Chain, moments)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range blocks {
		if list[i].Empty || list[i].Height != b.Height {
			t.Fatalf("the end at %d is %+v, want block %d", b.Time, list[i], b.Height)
		}
	}
	return list
}

// amounts reads what everybody holds, by address and asset, at one of the ends.
func amounts(ctx context.Context, t failer, s store.Store, blocks []*ledger.Block, at []holdings.End) []map[store.Holding]ledger.Amount {
	t.Helper()
	balances, err := holdings.Balances(ctx, s, holdings.Question{Chain: blocks[0].Chain, Addresses: everybody(blocks), Ends: at, Known: assetsOf(blocks)})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]map[store.Holding]ledger.Amount, len(at))
	for i := range out {
		out[i] = map[store.Holding]ledger.Amount{}
		for _, b := range balances {
			if !b.Amounts[i].IsZero() {
				out[i][store.Holding{Address: b.Address, Asset: b.Asset}] = b.Amounts[i]
			}
		}
	}
	return out
}

// TestUnspent: at every height, what addresses hold is, output by output, what a store
// that knows no more than the blocks up to it says is unspent; and all together its sum.
func TestUnspent(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			rapid.Check(t, func(rt *rapid.T) {
				blocks := storetest.UTXOBlocks(rt, storetest.Shape{Blocks: rapid.IntRange(1, 6).Draw(rt, "blocks")})
				empty(t.Context(), rt, s, blocks[0].Chain)
				fill(t.Context(), rt, s, blocks)
				got := amounts(t.Context(), rt, s, blocks, ends(t.Context(), rt, s, blocks))
				for i := range blocks {
					checkUnspent(t.Context(), rt, blocks[:i+1], got[i])
				}
			})
		})
	}
}

func checkUnspent(ctx context.Context, t failer, blocks []*ledger.Block, got map[store.Holding]ledger.Amount) {
	t.Helper()
	cut := memory.New()
	fill(ctx, t, cut, blocks)
	status, err := cut.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var nobody, sum uint64 // outputs may have no owner
	want := map[store.Holding]uint64{}
	for n := range outputsOf(blocks) {
		list, err := cut.Outputs(ctx, blocks[0].Chain, []store.OutputNumber{store.OutputNumber(n)})
		if err != nil {
			t.Fatal(err)
		}
		if o := list[0]; o.Unspendable || o.Spender != store.NoTx || o.Value == 0 {
			continue
		} else if o.Address.IsZero() {
			nobody += o.Value
		} else {
			want[store.Holding{Address: o.Address, Asset: blocks[0].Chain.Native()}] += o.Value
		}
	}
	for h, amount := range got {
		sum += amount.Uint64()
		if want[h] != amount.Uint64() {
			t.Fatalf("at %d %v holds %s, want %d", len(blocks), h.Address, amount.Dec(), want[h])
		}
	}
	if len(got) != len(want) || sum+nobody != status[0].UnspentValue {
		t.Fatalf("%d holders of %d, want %d; the store says %d are unspent", len(got), sum, len(want), status[0].UnspentValue)
	}
}

func outputsOf(blocks []*ledger.Block) (n int) {
	for _, b := range blocks {
		for i := range b.Txs {
			n += len(b.Txs[i].Outputs)
		}
	}
	return n
}

// TestAccountBalances: at every height, what accounts hold is what a store that knows no
// more than the blocks up to it says.
func TestAccountBalances(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			rapid.Check(t, func(rt *rapid.T) {
				blocks := storetest.AccountBlocks(rt, storetest.Shape{Blocks: rapid.IntRange(1, 6).Draw(rt, "blocks")})
				empty(t.Context(), rt, s, blocks[0].Chain)
				fill(t.Context(), rt, s, blocks)
				got := amounts(t.Context(), rt, s, blocks, ends(t.Context(), rt, s, blocks))
				for i := range blocks {
					checkAccounts(t.Context(), rt, blocks, i+1, got[i])
				}
			})
		})
	}
}

// untilMoved are blocks up to one, and what is stated of balances before the next block in
// which anything moved: nothing changed in between, so that it holds at that block too.
func untilMoved(blocks []*ledger.Block, upTo int) (list []*ledger.Block) {
	list = append(list, blocks[:upTo]...)
	for _, b := range blocks[upTo:] {
		quiet := *b
		quiet.Txs = nil
		list = append(list, &quiet)
		if len(b.Txs) > 0 {
			break
		}
	}
	return list
}

func checkAccounts(ctx context.Context, t failer, blocks []*ledger.Block, upTo int, got map[store.Holding]ledger.Amount) {
	t.Helper()
	cut := memory.New()
	fill(ctx, t, cut, untilMoved(blocks, upTo))
	for _, a := range everybody(blocks) {
		for _, asset := range append(assetsOf(blocks), blocks[0].Chain.Native()) {
			h := store.Holding{Address: a, Asset: asset}
			want, err := cut.Balances(ctx, blocks[0].Chain, []store.HoldingAt{{Holding: h, Before: math.MaxUint32}})
			if err != nil {
				t.Fatal(err)
			}
			if have := got[h]; !have.Eq(&want[0].Amount) {
				t.Fatalf("after %d blocks %v holds %s of %s, want %s", upTo, a, have.Dec(), asset, want[0].Amount.Dec())
			}
		}
	}
}

// TestReorganised: after another block took a block's place, holdings are those of a store
// that never saw the first one.
func TestReorganised(t *testing.T) {
	for name, open := range stores {
		for family, generate := range map[string]func(*rapid.T, storetest.Shape) []*ledger.Block{"outputs": storetest.UTXOBlocks, "accounts": storetest.AccountBlocks} {
			t.Run(name+" "+family, func(t *testing.T) {
				s := open(t)
				t.Cleanup(func() { _ = s.Close() })
				rapid.Check(t, func(rt *rapid.T) {
					blocks := generate(rt, storetest.Shape{Blocks: rapid.IntRange(2, 5).Draw(rt, "blocks")})
					at := rapid.IntRange(1, len(blocks)-1).Draw(rt, "fork")
					other := *blocks[at]
					other.Txs = other.Txs[:rapid.IntRange(0, len(other.Txs)).Draw(rt, "kept")]
					if len(other.Txs) == 0 {
						other.Txs = nil
					}
					other.Hash[0] ^= 0xff
					fork := append(append([]*ledger.Block{}, blocks[:at]...), &other)
					fresh := memory.New()
					empty(t.Context(), rt, s, blocks[0].Chain)
					fill(t.Context(), rt, s, blocks)
					if err := s.Rewind(t.Context(), blocks[0].Chain, other.Height); err != nil {
						rt.Fatal(err)
					}
					fill(t.Context(), rt, s, fork[at:])
					fill(t.Context(), rt, fresh, fork)
					got := amounts(t.Context(), rt, s, fork, ends(t.Context(), rt, s, fork))
					want := amounts(t.Context(), rt, fresh, fork, ends(t.Context(), rt, fresh, fork))
					if fmt.Sprint(got) != fmt.Sprint(want) {
						rt.Fatalf("%v\nwant\n%v", got, want)
					}
				})
			})
		}
	}
}

// TestEnds: the last block whose time is early enough counts, though times need not rise;
// before the first there is none; a chain that ends too early says so.
func TestEnds(t *testing.T) {
	s := memory.New()
	var blocks []*ledger.Block
	for i, seconds := range []int64{1000, 3000, 2000, 4000} {
		b := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(i), Time: seconds, Provenance: ledger.File, Hash: ledger.Hash{byte(i + 1)}}
		if i > 0 {
			b.Parent = blocks[i-1].Hash
		}
		blocks = append(blocks, b)
	}
	fill(t.Context(), t, s, blocks)
	got, err := holdings.Ends(t.Context(), s, ledger.Bitcoin, []int64{999, 1000, 1999, 2000, 2500, 3000, 3999, 4000, 4001 + 24*60*60})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		empty  bool
		height ledger.Height
		behind bool
	}{{true, 0, false}, {false, 0, false}, {false, 0, false}, {false, 2, false}, {false, 2, false}, {false, 2, false}, {false, 2, false}, {false, 3, false}, {false, 3, true}} {
		if got[i].Empty != want.empty || got[i].Height != want.height || got[i].Behind != want.behind {
			t.Errorf("%d: %+v, want %+v", i, got[i], want)
		}
	}
}
