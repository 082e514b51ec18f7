package evidence_test

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/trie"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/evidence"
	"coldtrail/ledger"
	"coldtrail/store/memory"
)

// accounts is a small chain of signed transactions: what a node or an archive gives.
type accounts struct {
	network evm.Network
	parts   []*proof.Parts
	first   ledger.Height
}

// Parts gives a block.
func (a *accounts) Parts(_ context.Context, height ledger.Height) (*proof.Parts, error) {
	if height < a.first || int(height-a.first) >= len(a.parts) {
		return nil, fmt.Errorf("no block %d", height)
	}
	return a.parts[height-a.first], nil
}

// RawHeader gives a header.
func (a *accounts) RawHeader(ctx context.Context, height ledger.Height) ([]byte, error) {
	p, err := a.Parts(ctx, height)
	if err != nil {
		return nil, err
	}
	return p.RawHeader()
}

// person signs.
type person struct {
	name  byte
	nonce uint64
}

func (p *person) key(tb testing.TB) []byte {
	tb.Helper()
	return common.LeftPadBytes([]byte{p.name}, 32)
}

func (p *person) address(tb testing.TB) common.Address {
	tb.Helper()
	key, err := crypto.ToECDSA(p.key(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return crypto.PubkeyToAddress(key.PublicKey)
}

// sent is one payment: of ether, or of a token where it names one.
type sent struct {
	from, to *person
	amount   int64
	token    bool
}

var token = common.Address{0xaa}

// block adds a block of payments.
func (a *accounts) block(tb testing.TB, payments ...sent) {
	tb.Helper()
	number := uint64(a.first) + uint64(len(a.parts))
	parent := common.Hash{}
	if n := len(a.parts); n > 0 {
		parent = a.parts[n-1].Header.Hash()
	}
	signer := types.LatestSignerForChainID(new(big.Int).SetUint64(a.network.ID))
	var txs []*types.Transaction
	var receipts types.Receipts
	for i, x := range payments {
		key, err := crypto.ToECDSA(x.from.key(tb))
		if err != nil {
			tb.Fatal(err)
		}
		to := x.to.address(tb)
		r := &types.Receipt{Type: types.DynamicFeeTxType, Status: 1, CumulativeGasUsed: uint64(21_000 * (i + 1)), Logs: []*types.Log{}}
		inner := &types.DynamicFeeTx{Nonce: x.from.nonce, GasFeeCap: big.NewInt(30), GasTipCap: big.NewInt(2), Gas: 50_000, To: &to, Value: big.NewInt(x.amount)}
		if x.token {
			from := x.from.address(tb)
			inner.To, inner.Value, inner.Data = &token, nil, []byte{1, 2, 3}
			r.Logs = []*types.Log{{
				Address: token, Data: common.LeftPadBytes(big.NewInt(x.amount).Bytes(), 32),
				Topics: []common.Hash{crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)")), common.BytesToHash(from[:]), common.BytesToHash(to[:])},
			}}
		}
		x.from.nonce++
		r.Bloom = types.CreateBloom(r)
		txs, receipts = append(txs, types.MustSignNewTx(key, signer, inner)), append(receipts, r)
	}
	header := &types.Header{ParentHash: parent, Number: new(big.Int).SetUint64(number), Difficulty: new(big.Int), GasLimit: 1e6, Time: 1_700_000_000 + 12*number, Coinbase: common.Address{0xc0}, BaseFee: big.NewInt(10)}
	b := types.NewBlock(header, &types.Body{Transactions: txs}, receipts, trie.NewListHasher())
	a.parts = append(a.parts, &proof.Parts{Header: b.Header(), Body: *b.Body(), Receipts: receipts})
}

// store keeps the blocks as a source gives them.
func (a *accounts) store(tb testing.TB) *memory.Store {
	tb.Helper()
	s := memory.New()
	for _, p := range a.parts {
		if err := p.Verify(); err != nil {
			tb.Fatal(err)
		}
		raw, err := p.Block(&a.network, nil)
		if err != nil {
			tb.Fatal(err)
		}
		block, err := raw.Ledger(&a.network)
		if err != nil {
			tb.Fatal(err)
		}
		if err := s.Append(tb.Context(), []*ledger.Block{block}); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// laundered is a theft of a token and of ether on a small chain, and its case.
func laundered(tb testing.TB) (*accounts, string) {
	tb.Helper()
	a := &accounts{network: evm.NetworkOf("eip155:4242"), first: 100}
	victim, thief, mule, other := &person{name: 1}, &person{name: 2}, &person{name: 3}, &person{name: 4}
	a.block(tb, sent{other, mule, 500, true}, sent{other, thief, 7, false})
	a.block(tb, sent{other, mule, 9, false}, sent{victim, thief, 1000, true}, sent{victim, thief, 5_000_000_000_000, false})
	a.block(tb)
	a.block(tb, sent{other, victim, 1, true}, sent{other, victim, 1, true}, sent{thief, mule, 600, true})
	a.block(tb, sent{mule, other, 700, true}, sent{thief, other, 40_000_000, false})
	a.block(tb, sent{other, victim, 3, false})
	tx := func(block, index int) string { return a.parts[block].Body.Transactions[index].Hash().Hex() }
	return a, fmt.Sprintf(`case: small
thefts:
  - {colour: token, chain: "eip155:4242", asset: "eip155:4242/erc20:0x%x", tx: "%s"}
  - {colour: ether, chain: "eip155:4242", asset: native, tx: "%s", to: "%s"}
`, token, tx(1, 1), tx(1, 2), thief.address(tb).Hex())
}

// TestEthereum proves a theft of a token and of ether by receipts and transactions against
// headers.
func TestEthereum(t *testing.T) {
	a, text := laundered(t)
	s := a.store(t)
	o := options()
	o.Ethereum = map[ledger.Chain]evidence.EthereumSource{"eip155:4242": a}
	told := proving(&o)
	raw := build(t, s, text, o)
	if want := "eip155:4242 9 of 9 in 9 steps"; told() != want { // four blocks and five headers
		t.Errorf("told of %s, want %s", told(), want)
	}
	r := verify(t, raw)
	if r.State != evidence.OK {
		t.Fatalf("%+v", wrong(r))
	}
	if n := proven(r, "with their receipts"); n != 6 {
		t.Errorf("%d transactions proven, want 6: two thefts and four payments by whoever held what was stolen: %+v", n, r.Proven)
	}
	if n := proven(r, "each naming the one before"); n != 5 {
		t.Errorf("%d headers, want 101 to 105: %+v", n, r.Proven)
	}
	for part, want := range map[string]int{"without a trace": 3, "balances": 9, "no other transaction touched": 4, "the last block is Ethereum's": 1} {
		if x, ok := restsOn(r, part); !ok || x.Count != want {
			t.Errorf("%s: %+v", part, x)
		}
	}
	for _, e := range []struct{ file, old, new string }{
		{"ledger/eip155-4242/movements.jsonl", `"amount":"600"`, `"amount":"599"`},
		{"ledger/eip155-4242/movements.jsonl", `"index":2`, `"index":1`},
		{"proofs/eip155-4242/transactions.jsonl", `"height":103`, `"height":104`},
		{"proofs/eip155-4242/headers.jsonl", `"height":103,"rlp":"f9`, `"height":103,"rlp":"f8`},
	} {
		changed := rewritten(t, raw, e.file, func(content []byte) []byte {
			if !bytes.Contains(content, []byte(e.old)) {
				t.Fatalf("%s has no %s:\n%.2000s", e.file, e.old, content)
			}
			return bytes.Replace(content, []byte(e.old), []byte(e.new), 1)
		})
		if r := verify(t, changed); r.State != evidence.Wrong {
			t.Errorf("%s for %s: %s", e.new, e.old, r.State)
		}
	}
}

// TestForgedTransfer gives a fact that no receipt shows, in every number consistent: only
// the proof tells.
func TestForgedTransfer(t *testing.T) {
	a, text := laundered(t)
	honest := a.store(t)
	forged := memory.New()
	for block, err := range honest.Blocks(t.Context(), "eip155:4242", 0, 1000) {
		if err != nil {
			t.Fatal(err)
		}
		copied := *block
		if block.Height == 103 {
			copied.Txs = append([]ledger.Tx(nil), block.Txs...)
			tx := &copied.Txs[2]
			tx.Transfers = append([]ledger.Transfer(nil), tx.Transfers...)
			tx.Transfers[0].Amount = ledger.NewAmount(601)
		}
		if err := forged.Append(t.Context(), []*ledger.Block{&copied}); err != nil {
			t.Fatal(err)
		}
	}
	o := options()
	o.Ethereum = map[ledger.Chain]evidence.EthereumSource{"eip155:4242": a}
	r := verify(t, build(t, forged, text, o))
	if c := wrong(r); c.State != evidence.Wrong || !strings.HasPrefix(c.File, "proofs/") || !strings.Contains(c.Detail, "is not proven") {
		t.Errorf("%+v", r.Checks)
	}
}
