package reply_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/chain/evm/reply"
	"coldtrail/ledger"
)

// mainnetBlocks reads real blocks that do not ship with the project.
func mainnetBlocks(tb testing.TB) (all []*proof.Parts) {
	tb.Helper()
	paths, _ := filepath.Glob("../../../../shared/data/ethereum/mainnet_blocks/*.yaml.zst")
	if len(paths) == 0 {
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
		parts := map[string][]byte{}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": 0x")
			if parts[key], err = hex.DecodeString(value); err != nil {
				tb.Fatal(err)
			}
		}
		p, err := proof.Decode(parts["header"], parts["body"], parts["receipts"])
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// asJSON writes a block and its receipts as nodes do.
func asJSON(tb testing.TB, p *proof.Parts) (block, receipts []byte) {
	tb.Helper()
	must := func(text []byte, err error) string {
		if err != nil {
			tb.Fatal(err)
		}
		return string(text)
	}
	header := must(p.Header.MarshalJSON())
	var txs, all []string
	logs, gas := 0, uint64(0)
	network := evm.NetworkOf(ledger.Ethereum)
	stated, err := p.Block(&network, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for i, tx := range p.Body.Transactions {
		text := must(tx.MarshalJSON())
		txs = append(txs, strings.TrimSuffix(text, "}")+fmt.Sprintf(`,"from":%q}`, evm.Notation{}.FormatAddress(stated.Txs[i].From)))
		r := p.Receipts[i]
		var entries []string
		for _, l := range r.Logs {
			l.TxHash, l.Index = tx.Hash(), uint(logs)
			entries = append(entries, must(l.MarshalJSON()))
			logs++
		}
		all = append(all, fmt.Sprintf(`{"transactionHash":%q,"type":"0x%x","status":"0x%x","cumulativeGasUsed":"0x%x","gasUsed":"0x%x","effectiveGasPrice":%q,"blobGasUsed":"0x%x","blobGasPrice":%q,"contractAddress":null,"logs":[%s]}`,
			tx.Hash(), r.Type, r.Status, r.CumulativeGasUsed, r.CumulativeGasUsed-gas, stated.Txs[i].GasPrice.Hex(), stated.Txs[i].BlobGas, stated.Txs[i].BlobPrice.Hex(), strings.Join(entries, ",")))
		gas = r.CumulativeGasUsed
		if created := stated.Txs[i].Created; !created.IsZero() { // of failed transactions as well
			all[i] = strings.Replace(all[i], `"contractAddress":null`, fmt.Sprintf(`"contractAddress":%q`, evm.Notation{}.FormatAddress(created)), 1)
		}
	}
	var withdrawals []string
	for _, w := range p.Body.Withdrawals {
		withdrawals = append(withdrawals, must(w.MarshalJSON()))
	}
	block = []byte(strings.TrimSuffix(header, "}") + `,"transactions":[` + strings.Join(txs, ",") + `],"withdrawals":[` + strings.Join(withdrawals, ",") + `]}`)
	return block, []byte("[" + strings.Join(all, ",") + "]")
}

// TestMainnet writes real blocks as a node's answers and reads them back: every
// root holds, and the stated block is the proven one.
func TestMainnet(t *testing.T) {
	network := evm.NetworkOf(ledger.Ethereum)
	for _, p := range mainnetBlocks(t) {
		text, receiptText := asJSON(t, p)
		block, err := reply.ParseBlock(text)
		if err != nil {
			t.Fatal(err)
		}
		receipts, err := reply.ParseReceipts(receiptText)
		if err != nil {
			t.Fatal(err)
		}
		again, err := block.Verify(receipts, p.Body.Uncles)
		if err != nil {
			t.Fatal(err)
		}
		want, err := again.Block(&network, nil)
		if err != nil {
			t.Fatal(err)
		}
		stated, err := block.Stated(receipts, p.Body.Uncles)
		if err != nil {
			t.Fatal(err)
		}
		one, err := want.Ledger(&network)
		if err != nil {
			t.Fatal(err)
		}
		two, err := stated.Ledger(&network)
		if err != nil {
			t.Fatal(err)
		}
		one.Provenance, two.Provenance = 0, 0
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("block %d: proven and stated differ:\n%.2000s", one.Height, diff)
		}
	}
}

// TestCreations reads one creation inside another from both kinds of trace, as nodes
// write them, and from the receipt.
func TestCreations(t *testing.T) {
	const alice, first, second, third = "0x00000000000000000000000000000000000a11ce", "0x00000000000000000000000000000000000000c1", "0x00000000000000000000000000000000000000c2", "0x00000000000000000000000000000000000000c3"
	hash := "0x" + strings.Repeat("11", 32)
	calls, err := reply.ParseCalls([]byte(`[{"txHash":"` + hash + `","result":{"type":"CREATE","from":"` + alice + `","to":"` + first + `","value":"0x0","calls":[
		{"type":"CREATE2","from":"` + first + `","to":"` + second + `","value":"0x0"},
		{"type":"CREATE","from":"` + first + `","to":"` + third + `","value":"0x0","error":"out of gas"}]}}]`))
	if err != nil {
		t.Fatal(err)
	}
	flat, err := reply.ParseFlat([]byte(`[
		{"type":"create","action":{"from":"` + alice + `","value":"0x0","init":"0x"},"result":{"address":"` + first + `","code":"0x"},"traceAddress":[],"transactionHash":"` + hash + `"},
		{"type":"create","action":{"from":"` + first + `","value":"0x0","creationMethod":"create2"},"result":{"address":"` + second + `"},"traceAddress":[0],"transactionHash":"` + hash + `"},
		{"type":"create","action":{"from":"` + first + `","value":"0x0"},"result":null,"error":"Out of gas","traceAddress":[1],"transactionHash":"` + hash + `"}]`))
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := reply.ParseReceipts([]byte(`[{"transactionHash":"` + hash + `","status":"0x1","contractAddress":"` + first + `","logs":[]}]`))
	if err != nil {
		t.Fatal(err)
	}
	account := func(text string) ledger.Address {
		a, err := evm.Notation{}.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	message := func(position uint32, contract, creator string) ledger.Message {
		by := account(creator)
		return ledger.Message{Kind: ledger.Creation, Contract: account(contract), Position: position, Data: by.Bytes()}
	}
	both := []ledger.Message{message(0, first, alice), message(1, second, first)}
	network := evm.NetworkOf(ledger.Ethereum)
	for name, c := range map[string]struct {
		trace func(b *evm.Block, tx *evm.Tx) error
		want  []ledger.Message
	}{
		"callTracer": {func(b *evm.Block, tx *evm.Tx) error { return b.SetCalls(tx, &calls[0].Root, true) }, both},
		"trace_block": {func(b *evm.Block, tx *evm.Tx) error {
			b.SetFlat(tx, []evm.Flat{flat[0].Flat, flat[1].Flat, flat[2].Flat})
			return nil
		}, both},
		"receipt only": {func(*evm.Block, *evm.Tx) error { return nil }, both[:1]},
	} {
		b := &evm.Block{Txs: []evm.Tx{{From: account(alice), Created: receipts[0].Created}}}
		if err := c.trace(b, &b.Txs[0]); err != nil {
			t.Fatal(err)
		}
		got, err := b.Ledger(&network)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got.Txs[0].Messages); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestRefused names the field that is wrong.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"hash":"0x12"}`:                   "hash: it has 2 hexadecimal digits, want 64",
		`{"hash":"12"}`:                     `hash: "12" does not begin with 0x`,
		`{"number":"0xzz"}`:                 `number: "zz" is not hexadecimal`,
		`{"gasUsed":"0x11112222333344445"}`: "gasUsed: the number does not fit 64 bits",
		`{"transactions":["0x` + strings.Repeat("0", 64) + `"]}`:           "transactions.[0]: the block has only hashes; whole transactions were asked for",
		`{"transactions":[{"value":"0x` + strings.Repeat("f", 65) + `"}]}`: "transactions.[0].value: the number does not fit 256 bits",
		`{"parentHash":"0x` + strings.Repeat("0", 64) + `"}`:               "hash: the block has none",
	} {
		_, err := reply.ParseBlock([]byte(text))
		var field *reply.FieldError
		if !errors.As(err, &field) || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	deep := strings.Repeat(`{"calls":[`, 2000) + strings.Repeat(`]}`, 2000)
	if _, err := reply.ParseCalls([]byte(`[{"result":` + deep + `}]`)); err == nil {
		t.Error("calls nested 2000 deep were taken")
	}
}

func FuzzBlock(f *testing.F) {
	f.Add([]byte(`{"hash":"0x00","number":"0x1","transactions":[{"type":"0x2","to":null,"accessList":[{"storageKeys":[]}]}],"withdrawals":[{"index":"0x1"}]}`))
	f.Fuzz(func(_ *testing.T, text []byte) {
		if block, err := reply.ParseBlock(text); err == nil {
			_, _ = block.Verify(nil, nil)
			_, _ = block.Stated(nil, nil)
		}
	})
}

func FuzzReceipts(f *testing.F) {
	f.Add([]byte(`[{"status":"0x1","logs":[{"address":"0x00","topics":["0x00"],"data":"0x01"}]}, null]`))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = reply.ParseReceipts(text) })
}

func FuzzTraces(f *testing.F) {
	f.Add([]byte(`[{"txHash":"0x00","result":{"type":"CALL","calls":[{"type":"SELFDESTRUCT","logs":[{"position":"0x1"}]}]}}]`))
	f.Add([]byte(`[{"type":"call","action":{"callType":"call","value":"0x1"},"traceAddress":[0,1],"error":"x"}]`))
	f.Fuzz(func(_ *testing.T, text []byte) {
		_, _ = reply.ParseCalls(text)
		_, _ = reply.ParseFlat(text)
	})
}

// BenchmarkReceipts reads receipts and logs of a real block, and makes the ledger's
// words of them.
func BenchmarkReceipts(b *testing.B) {
	_, text := asJSON(b, mainnetBlocks(b)[9])
	logs := 0
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		receipts, err := reply.ParseReceipts(text)
		if err != nil {
			b.Fatal(err)
		}
		for i := range receipts {
			logs += len(receipts[i].Logs)
		}
	}
	b.ReportMetric(float64(logs)/b.Elapsed().Seconds(), "logs/s")
}

// BenchmarkBlock reads a real block with its receipts, checks every hash, root and
// signature, and makes the ledger's block.
func BenchmarkBlock(b *testing.B) {
	network := evm.NetworkOf(ledger.Ethereum)
	text, receiptText := asJSON(b, mainnetBlocks(b)[9])
	logs := 0
	b.SetBytes(int64(len(text) + len(receiptText)))
	for b.Loop() {
		block, err := reply.ParseBlock(text)
		if err != nil {
			b.Fatal(err)
		}
		receipts, err := reply.ParseReceipts(receiptText)
		if err != nil {
			b.Fatal(err)
		}
		parts, err := block.Verify(receipts, nil)
		if err != nil {
			b.Fatal(err)
		}
		stated, err := parts.Block(&network, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := stated.Ledger(&network); err != nil {
			b.Fatal(err)
		}
		for i := range receipts {
			logs += len(receipts[i].Logs)
		}
	}
	b.ReportMetric(float64(logs)/b.Elapsed().Seconds(), "logs/s")
}
