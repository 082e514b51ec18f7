package era_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/klauspost/compress/snappy"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/era"
	"coldtrail/ledger"
)

const chainID = 4242

// builder writes era1 files of a small proof-of-work chain.
type builder struct {
	out    bytes.Buffer
	starts []uint64
	total  *big.Int
}

func (b *builder) entry(kind uint16, body []byte) {
	var head [8]byte
	binary.LittleEndian.PutUint16(head[:], kind)
	binary.LittleEndian.PutUint32(head[2:], uint32(len(body)))
	b.out.Write(append(head[:], body...))
}

func (b *builder) packed(tb testing.TB, kind uint16, value any) {
	tb.Helper()
	plain, err := rlp.EncodeToBytes(value)
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	w := snappy.NewBufferedWriter(&out)
	if _, err := w.Write(plain); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	b.entry(kind, out.Bytes())
}

// chain makes blocks with payments, a contract that was created, an event and uncles.
func chain(tb testing.TB, first, count int, parent common.Hash) (blocks []*types.Block, receipts []types.Receipts) {
	tb.Helper()
	key, err := crypto.ToECDSA(common.LeftPadBytes([]byte{7}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	signer := types.LatestSignerForChainID(big.NewInt(chainID))
	for i := range count {
		n := first + i
		to := common.Address{0x11, byte(n)}
		paid := types.MustSignNewTx(key, signer, &types.LegacyTx{Nonce: uint64(2 * i), GasPrice: big.NewInt(3), Gas: 50_000, To: &to, Value: big.NewInt(int64(1000 + n))})
		made := types.MustSignNewTx(key, types.HomesteadSigner{}, &types.LegacyTx{Nonce: uint64(2*i + 1), GasPrice: big.NewInt(3), Gas: 90_000, Value: big.NewInt(5), Data: []byte{1}})
		event := &types.Log{Address: common.Address{9}, Topics: []common.Hash{crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)")), common.BytesToHash(to[:]), {31: 1}}, Data: common.LeftPadBytes([]byte{77}, 32)}
		rs := types.Receipts{
			{Status: 1, CumulativeGasUsed: 21_000, Logs: []*types.Log{}},
			{PostState: bytes.Repeat([]byte{byte(n)}, 32), CumulativeGasUsed: 71_000, Logs: []*types.Log{event}},
		}
		for _, r := range rs {
			r.Bloom = types.CreateBloom(r)
		}
		header := &types.Header{ParentHash: parent, Number: big.NewInt(int64(n)), Difficulty: big.NewInt(int64(100 + n)), GasLimit: 1e6, GasUsed: 71_000, Time: uint64(1000 + 13*n), Coinbase: common.Address{0xc0}}
		var uncles []*types.Header
		if n%3 == 2 {
			uncles = append(uncles, &types.Header{Number: big.NewInt(int64(n - 1)), Difficulty: big.NewInt(1), Coinbase: common.Address{0xee}})
		}
		block := types.NewBlock(header, &types.Body{Transactions: []*types.Transaction{paid, made}, Uncles: uncles}, rs, trie.NewListHasher())
		blocks, receipts, parent = append(blocks, block), append(receipts, rs), block.Hash()
	}
	return blocks, receipts
}

// write makes a file; spoil may change it before the index is written.
func write(tb testing.TB, dir string, blocks []*types.Block, receipts []types.Receipts, spoil func(*builder, int)) string {
	tb.Helper()
	b := &builder{total: big.NewInt(17)}
	b.entry(0x3265, nil)
	var leaves [][]byte
	for i, block := range blocks {
		b.starts = append(b.starts, uint64(b.out.Len()))
		b.total.Add(b.total, block.Difficulty())
		total := b.total.FillBytes(make([]byte, 32))
		slices.Reverse(total)
		b.packed(tb, 3, block.Header())
		b.packed(tb, 4, block.Body())
		b.packed(tb, 5, receipts[i])
		b.entry(6, total)
		if spoil != nil {
			spoil(b, i)
		}
		hash := block.Hash()
		leaves = append(leaves, sum(hash[:], total))
	}
	b.entry(7, root(leaves))
	index, base := binary.LittleEndian.AppendUint64(nil, blocks[0].NumberU64()), uint64(b.out.Len())
	for _, start := range b.starts {
		index = binary.LittleEndian.AppendUint64(index, start-base) // relative, so it wraps below zero
	}
	b.entry(0x3266, binary.LittleEndian.AppendUint64(index, uint64(len(blocks))))
	path := filepath.Join(dir, "test-"+blocks[0].Number().String()+".era1")
	if err := os.WriteFile(path, b.out.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func read(tb testing.TB, place string, from ledger.Height) ([]*ledger.Block, error) {
	tb.Helper()
	s, err := era.Open(place, evm.Network{ID: chainID, Schedule: []evm.Reward{{From: 0, Wei: 32}}})
	if err != nil {
		return nil, err
	}
	var blocks []*ledger.Block
	for b, err := range s.Blocks(tb.Context(), from) {
		if err != nil {
			return blocks, err
		}
		blocks = append(blocks, b)
	}
	return blocks, s.Close()
}

// TestRead reads two files as one chain, from the middle on as well.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	blocks, receipts := chain(t, 10, 12, common.Hash{1})
	write(t, dir, blocks[:5], receipts[:5], nil)
	write(t, dir, blocks[5:], receipts[5:], nil)
	got, err := read(t, dir, 0)
	if err != nil || len(got) != 12 {
		t.Fatalf("%d blocks, %v", len(got), err)
	}
	for i, b := range got {
		n := uint64(10 + i)
		if b.Hash != ledger.Hash(blocks[i].Hash()) || uint64(b.Height) != n || b.Provenance != ledger.Proven {
			t.Errorf("block %d: %+v", n, b)
		}
		pay, create, reward := b.Txs[0], b.Txs[1], b.Txs[2]
		if len(pay.Transfers) != 1 || pay.Transfers[0].Amount.Uint64() != 1000+n || pay.External || pay.Fee.Tip.Uint64() != 63_000 {
			t.Errorf("block %d: payment %+v", n, pay)
		}
		if len(create.Transfers) != 2 || create.Transfers[1].Amount.Uint64() != 77 || !create.External || create.Failed {
			t.Errorf("block %d: creation %+v", n, create)
		}
		contract := ledger.Address{}
		if blocks[i].Transactions()[1].To() == nil {
			made := crypto.CreateAddress(common.BytesToAddress(create.Fee.Payer.Bytes()), blocks[i].Transactions()[1].Nonce())
			contract = ledger.NewAddress(ledger.EVMAccount, made[:])
		}
		if m := create.Messages; len(m) != 1 || m[0].Kind != ledger.Creation || m[0].Contract != contract || m[0].Creator() != create.Fee.Payer || m[0].Position != 0 {
			t.Errorf("block %d: created %+v, want %v", n, m, contract)
		}
		if len(pay.Messages) > 0 {
			t.Errorf("block %d: a payment says %+v", n, pay.Messages)
		}
		want := []uint64{32}
		if n%3 == 2 {
			want = []uint64{28, 33}
		}
		for j, tr := range reward.Transfers {
			if !reward.Coinbase || tr.Amount.Uint64() != want[j] {
				t.Errorf("block %d: rewards %+v, want %v", n, reward.Transfers, want)
			}
		}
	}
	if late, err := read(t, dir, 17); err != nil || len(late) != 5 || late[0].Height != 17 {
		t.Errorf("from 17: %d blocks, %v", len(late), err)
	}
}

// TestRefused spoils files in one place each.
func TestRefused(t *testing.T) {
	blocks, receipts := chain(t, 0, 4, common.Hash{})
	other, _ := chain(t, 2, 1, common.Hash{5})
	for want, file := range map[string]func(dir string) string{
		"does not continue the one before it": func(dir string) string {
			return write(t, dir, []*types.Block{blocks[0], blocks[1], other[0]}, []types.Receipts{receipts[0], receipts[1], receipts[2]}, nil)
		},
		"receipts: their root is": func(dir string) string {
			swapped := slices.Clone(receipts)
			swapped[1], swapped[2] = swapped[2], swapped[1]
			return write(t, dir, blocks, swapped, nil)
		},
		"the total difficulty of block 2 does not follow": func(dir string) string {
			return write(t, dir, blocks, receipts, func(b *builder, i int) {
				if i == 2 {
					b.out.Bytes()[b.out.Len()-32] ^= 1
				}
			})
		},
		"its accumulator is": func(dir string) string {
			path := write(t, dir, blocks, receipts, nil)
			text, _ := os.ReadFile(path)
			at := bytes.LastIndex(text, []byte{7, 0, 32, 0, 0, 0, 0, 0})
			text[at+8] ^= 1
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		},
		"its block index is missing or broken": func(dir string) string {
			path := write(t, dir, blocks, receipts, nil)
			text, _ := os.ReadFile(path)
			if err := os.WriteFile(path, text[:len(text)-20], 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		},
	} {
		_, err := read(t, file(t.TempDir()), 0)
		var wrong *era.FileError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

// FuzzFile feeds hostile files: an error or blocks, never a panic.
func FuzzFile(f *testing.F) {
	blocks, receipts := chain(f, 0, 2, common.Hash{})
	text, err := os.ReadFile(write(f, f.TempDir(), blocks, receipts, nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x.era1")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = read(t, path, 0)
	})
}

func sum(parts ...[]byte) []byte {
	h := sha256.Sum256(bytes.Join(parts, nil))
	return h[:]
}

// root is the SSZ root of a list of 8192 places, the slow and plain way.
func root(leaves [][]byte) []byte {
	level := make([][]byte, 8192)
	for i := range level {
		level[i] = make([]byte, 32)
		if i < len(leaves) {
			level[i] = leaves[i]
		}
	}
	for len(level) > 1 {
		for i := range len(level) / 2 {
			level[i] = sum(level[2*i], level[2*i+1])
		}
		level = level[:len(level)/2]
	}
	return sum(level[0], binary.LittleEndian.AppendUint64(nil, uint64(len(leaves))), make([]byte, 24))
}

// TestParts reads single blocks of a file, by its index.
func TestParts(t *testing.T) {
	blocks, receipts := chain(t, 5, 12, common.Hash{1})
	dir := t.TempDir()
	write(t, dir, blocks[:7], receipts[:7], nil)
	write(t, dir, blocks[7:], receipts[7:], nil)
	s, err := era.Open(dir, evm.Network{ID: chainID})
	if err != nil {
		t.Fatal(err)
	}
	for i := range blocks {
		height := ledger.Height(blocks[i].NumberU64())
		p, err := s.Parts(t.Context(), height)
		if err != nil || p.Hash() != ledger.Hash(blocks[i].Hash()) || len(p.Body.Transactions) != 2 {
			t.Errorf("block %d: %v, %v", height, p, err)
		}
		want, err := rlp.EncodeToBytes(blocks[i].Header())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.RawHeader(t.Context(), height); err != nil || !bytes.Equal(got, want) {
			t.Errorf("header %d: %x, %v", height, got, err)
		}
	}
	for _, height := range []ledger.Height{4, 17} {
		if _, err := s.Parts(t.Context(), height); err == nil {
			t.Errorf("block %d was found", height)
		}
	}
}
