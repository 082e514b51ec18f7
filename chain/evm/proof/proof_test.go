package proof_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden summary")

const golden = "../../../testdata/ethereum/mainnet_blocks.golden"

// rawBlock is a block of the main network as three pieces of RLP.
type rawBlock struct {
	name                   string
	header, body, receipts []byte
}

// mainnetBlocks reads the real blocks that do not ship with the project.
func mainnetBlocks(tb testing.TB) (blocks []rawBlock) {
	tb.Helper()
	paths, err := filepath.Glob("../../../../shared/data/ethereum/mainnet_blocks/*.yaml.zst")
	if err != nil || len(paths) == 0 {
		tb.Skip("the real main network blocks are not here; they do not ship with the project")
	}
	slices.Sort(paths)
	for _, path := range paths {
		packed, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			tb.Fatal(err)
		}
		text, err := decoder.DecodeAll(packed, nil)
		decoder.Close()
		if err != nil {
			tb.Fatal(err)
		}
		b := rawBlock{name: filepath.Base(path)}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": 0x")
			data, err := hex.DecodeString(value)
			if err != nil {
				tb.Fatal(path, err)
			}
			switch key {
			case "header":
				b.header = data
			case "body":
				b.body = data
			case "receipts":
				b.receipts = data
			}
		}
		blocks = append(blocks, b)
	}
	return blocks
}

var mainnet = evm.NetworkOf(ledger.Ethereum)

// TestMainnetBlocks proves eleven real blocks, checks that no wei is made or lost
// in them, and lists what they hold.
func TestMainnetBlocks(t *testing.T) {
	var out strings.Builder
	for _, raw := range mainnetBlocks(t) {
		parts, err := proof.Decode(raw.header, raw.body, raw.receipts)
		if err != nil {
			t.Fatal(raw.name, err)
		}
		if err := parts.Verify(); err != nil {
			t.Fatal(raw.name, err)
		}
		block, err := parts.Block(&mainnet, nil)
		if err != nil {
			t.Fatal(raw.name, err)
		}
		l, err := block.Ledger(&mainnet)
		if err != nil {
			t.Fatal(raw.name, err)
		}
		conserves(t, parts, l)
		summarise(&out, parts, block, l)
	}
	if *rewrite {
		if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("summary differs (-golden +got):\n%s", diff)
	}
}

// conserves checks that over all accounts of a block native value in, less value
// out, is what the protocol paid out less what was burned, both computed here from
// the header instead of transaction by transaction.
func conserves(t *testing.T, parts *proof.Parts, l *ledger.Block) {
	t.Helper()
	delta := map[ledger.Address]*big.Int{}
	change := func(a ledger.Address, amount ledger.Amount, sign int64) {
		if delta[a] == nil {
			delta[a] = new(big.Int)
		}
		delta[a].Add(delta[a], new(big.Int).Mul(amount.ToBig(), big.NewInt(sign)))
	}
	want := new(big.Int)
	for i := range l.Txs {
		tx := &l.Txs[i]
		for _, tr := range tx.Transfers {
			if tr.Asset != l.Chain.Native() {
				continue
			}
			if tx.Coinbase {
				want.Add(want, tr.Amount.ToBig())
			} else {
				change(tr.From, tr.Amount, -1)
			}
			change(tr.To, tr.Amount, 1)
		}
		change(tx.Fee.Payer, tx.Fee.Burned, -1)
		change(tx.Fee.Payer, tx.Fee.Tip, -1)
		change(tx.Fee.Producer, tx.Fee.Tip, 1)
	}
	h := parts.Header
	if h.BaseFee != nil {
		want.Sub(want, new(big.Int).Mul(h.BaseFee, new(big.Int).SetUint64(h.GasUsed)))
	}
	if h.BlobGasUsed != nil && *h.BlobGasUsed > 0 {
		for i := range l.Txs {
			if parts.Body.Transactions[min(i, len(parts.Body.Transactions)-1)].BlobGas() > 0 {
				blobs := new(big.Int).Mul(h.BaseFee, new(big.Int).SetUint64(gasOf(parts, i)))
				want.Sub(want, new(big.Int).Sub(l.Txs[i].Fee.Burned.ToBig(), blobs))
			}
		}
	}
	got := new(big.Int)
	for _, d := range delta {
		got.Add(got, d)
	}
	if got.Cmp(want) != 0 {
		t.Errorf("block %d: balances change by %s in all, want %s", l.Height, got, want)
	}
}

func gasOf(parts *proof.Parts, i int) uint64 {
	gas := parts.Receipts[i].CumulativeGasUsed
	if i > 0 {
		gas -= parts.Receipts[i-1].CumulativeGasUsed
	}
	return gas
}

// summarise lists what a block holds, for a reader to compare with an explorer.
func summarise(out *strings.Builder, parts *proof.Parts, block *evm.Block, l *ledger.Block) {
	types, failed, logs := map[uint8]int{}, 0, 0
	for i, tx := range parts.Body.Transactions {
		types[tx.Type()]++
		logs += len(parts.Receipts[i].Logs)
		if block.Txs[i].Failed {
			failed++
		}
	}
	var native, burned, tips, paid ledger.Amount
	moves, tokens, messages, freezes := 0, 0, 0, 0
	var created []string
	units := map[ledger.Asset]*ledger.Amount{}
	count := map[ledger.Asset]int{}
	for i := range l.Txs {
		tx := &l.Txs[i]
		burned.Add(&burned, &tx.Fee.Burned)
		tips.Add(&tips, &tx.Fee.Tip)
		for j := range tx.Messages {
			if m := &tx.Messages[j]; m.Kind == ledger.Creation {
				created = append(created, fmt.Sprintf("    0x%x creates 0x%x as number %d of transaction %d", m.Data, m.Contract.Bytes(), m.Position, tx.Index))
			} else {
				messages++
			}
		}
		freezes += len(tx.Freezes)
		for _, tr := range tx.Transfers {
			switch {
			case tx.Coinbase:
				paid.Add(&paid, &tr.Amount)
			case tr.Asset == l.Chain.Native():
				moves++
				native.Add(&native, &tr.Amount)
			default:
				tokens++
				if units[tr.Asset] == nil {
					units[tr.Asset] = new(ledger.Amount)
				}
				units[tr.Asset].Add(units[tr.Asset], &tr.Amount)
				count[tr.Asset]++
			}
		}
	}
	fmt.Fprintf(out, "block %d %s\n", l.Height, l.Chain.FormatHash(l.Hash))
	fmt.Fprintf(out, "  transactions %d, failed %d, by type %v\n", len(block.Txs), failed, types)
	fmt.Fprintf(out, "  native value: %d moves of %s wei; burned %s, tips %s, paid out by the protocol %s\n", moves, native.Dec(), burned.Dec(), tips.Dec(), paid.Dec())
	fmt.Fprintf(out, "  logs %d: %d move tokens, %d travel undecoded; freezes %d\n", logs, tokens, messages, freezes)
	for _, asset := range slices.SortedFunc(maps.Keys(count), func(x, y ledger.Asset) int {
		if count[x] != count[y] {
			return count[y] - count[x]
		}
		return strings.Compare(string(x), string(y))
	}) {
		fmt.Fprintf(out, "    %s: %d movements, %s units\n", asset, count[asset], units[asset].Dec())
	}
	for _, line := range created {
		fmt.Fprintln(out, line)
	}
}

// TestForged changes real blocks in one place each: every change is refused.
func TestForged(t *testing.T) {
	raw := mainnetBlocks(t)[6] // 17062257 has transactions, logs and withdrawals
	parts := func() *proof.Parts {
		p, err := proof.Decode(raw.header, raw.body, raw.receipts)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for part, change := range map[string]func(*proof.Parts){
		"transactions": func(p *proof.Parts) { p.Body.Transactions = p.Body.Transactions[1:] },
		"receipts":     func(p *proof.Parts) { p.Receipts[4].Logs[0].Data[31] ^= 1 },
		"uncles":       func(p *proof.Parts) { p.Body.Uncles = append(p.Body.Uncles, p.Header) },
		"withdrawals":  func(p *proof.Parts) { p.Body.Withdrawals[3].Amount++ },
	} {
		p := parts()
		change(p)
		var wrong *proof.Error
		if err := p.Verify(); !errors.As(err, &wrong) || wrong.Part != part || wrong.Block != 17062257 {
			t.Errorf("%s changed: %v", part, err)
		}
	}
	p := parts()
	p.Header.Extra = append(p.Header.Extra, 0)
	if p.Hash() == parts().Hash() {
		t.Error("another header has the same hash")
	}
	for _, bad := range [][3][]byte{{{}, raw.body, raw.receipts}, {raw.header, raw.body[:900], raw.receipts}, {raw.header, raw.body, raw.receipts[5:]}} {
		var wrong *proof.Error
		if _, err := proof.Decode(bad[0], bad[1], bad[2]); !errors.As(err, &wrong) {
			t.Errorf("broken RLP: %v", err)
		}
	}
}

func TestCreatedBy(t *testing.T) {
	// The first contracts of an account, as every tool that deploys prints them;
	// from go-ethereum's crypto tests (TestNewContractAddress).
	sender, err := evm.Notation{}.ParseAddress("0x970e8128ab834e8eac17ab8e3812f010678cf791")
	if err != nil {
		t.Fatal(err)
	}
	for nonce, want := range []string{"0x333c3310824b7c685133f2bedb2ca4b8b4df633d", "0x8bda78331c916a08481428e4b07c96d3e916d165", "0xc9ddedf451bc62ce88bf9292afb13df35b670699"} {
		if got := strings.ToLower(evm.Notation{}.FormatAddress(proof.CreatedBy(sender, uint64(nonce)))); got != want {
			t.Errorf("nonce %d: %s, want %s", nonce, got, want)
		}
	}
}

// FuzzDecode feeds hostile bytes: an error or a block, never a panic.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0xc0}, []byte{0xc2, 0xc0, 0xc0}, []byte{0xc0})
	f.Fuzz(func(t *testing.T, header, body, receipts []byte) {
		parts, err := proof.Decode(header, body, receipts)
		if err != nil || parts.Verify() != nil {
			return
		}
		block, err := parts.Block(&mainnet, nil)
		if err != nil {
			return
		}
		if _, err := block.Ledger(&mainnet); err != nil {
			var data *evm.DataError
			if !errors.As(err, &data) {
				t.Error(err)
			}
		}
		again, err := rlp.EncodeToBytes(parts.Header)
		if err != nil || !bytes.Equal(again, header) {
			t.Errorf("header encodes differently: %v", err)
		}
	})
}

func BenchmarkReceipts(b *testing.B) {
	raw := mainnetBlocks(b)[9]
	logs := 0
	for b.Loop() {
		parts, err := proof.Decode(raw.header, raw.body, raw.receipts)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range parts.Receipts {
			logs += len(r.Logs)
		}
	}
	b.ReportMetric(float64(logs)/b.Elapsed().Seconds(), "logs/s")
}
