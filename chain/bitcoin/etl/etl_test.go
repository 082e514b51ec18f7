package etl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/chain/bitcoin/etl"
	"coldtrail/ledger"
)

// export writes the first blocks of the real chain as bitcoin-etl would, the
// transactions in reverse order.
func export(t *testing.T, upTo ledger.Height) (folder string, want []*ledger.Block) {
	t.Helper()
	source, err := blkfile.Open(t.Context(), "../../../testdata/bitcoin/blk_0_to_14131.dat.zst", blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	var blocks, txs []string
	notation := bitcoin.Notation{Network: bitcoin.Mainnet}
	for b, err := range source.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Height > upTo {
			break
		}
		var ids []ledger.Hash
		for i := range b.Txs {
			tx := &b.Txs[i]
			ids = append(ids, tx.ID)
			line := map[string]any{"hash": tx.ID.String(), "block_number": b.Height, "index": i, "is_coinbase": tx.Coinbase}
			inputs, outputs := []any{}, []any{}
			for _, in := range tx.Inputs {
				inputs = append(inputs, map[string]any{"spent_transaction_hash": in.Tx.String(), "spent_output_index": in.Index})
			}
			for j, o := range tx.Outputs {
				outputs = append(outputs, map[string]any{"index": j, "value": o.Value, "addresses": []string{notation.FormatAddress(o.Address)}})
			}
			line["inputs"], line["outputs"] = inputs, outputs
			txs = append([]string{encode(t, line)}, txs...)
		}
		blocks = append(blocks, encode(t, map[string]any{
			"hash": b.Hash.String(), "number": b.Height, "merkle_root": bitcoin.MerkleRoot(ids).String(), "timestamp": b.Time, "transaction_count": len(b.Txs),
		}))
		b.Provenance = ledger.File
		if b.Height == 0 {
			b.Parent = ledger.Hash{}
		}
		want = append(want, b)
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	write(t, folder, "blocks.json", strings.Join(blocks, "\n")+"\n")
	write(t, folder, "transactions.json", strings.Join(txs, "\n")+"\n")
	return folder, want
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOpen reads input scripts: a signature that lets others add inputs marks its
// transaction.
func TestOpen(t *testing.T) {
	for script, want := range map[string]string{
		`"09300602010102010181"`: "true", `"09300602010102010101"`: "false", `""`: "false", "null": "false", `"xy"`: "inputs[0].script_hex: it is not hexadecimal",
	} {
		folder, _ := export(t, 170)
		text, err := os.ReadFile(filepath.Join(folder, "transactions.json"))
		if err != nil {
			t.Fatal(err)
		}
		const place = `{"spent_output_index":`
		if strings.Count(string(text), place) != 1 { // the first payment of all, in block 170
			t.Fatalf("%d inputs in the first blocks", strings.Count(string(text), place))
		}
		write(t, folder, "transactions.json", strings.Replace(string(text), place, `{"script_hex":`+script+`,"spent_output_index":`, 1))
		s, err := etl.Open(t.Context(), folder, bitcoin.Mainnet)
		if err != nil {
			t.Fatal(err)
		}
		open := ""
		for b, err := range s.Blocks(t.Context(), 170) {
			if err != nil {
				open = err.Error()
			} else {
				open = fmt.Sprint(b.Txs[len(b.Txs)-1].Open)
			}
		}
		if !strings.HasSuffix(open, want) {
			t.Errorf("%s: %s, want %s", script, open, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRealBlocks reads an export of real blocks: the same blocks come out as from
// the block files, but that they rest on a file.
func TestRealBlocks(t *testing.T) {
	folder, want := export(t, 200)
	s, err := etl.Open(t.Context(), folder, bitcoin.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for got, err := range s.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Fatalf("block %d (-want +got):\n%s", i, diff)
		}
		i++
	}
	if i != len(want) || s.Total() != uint64(len(want)) {
		t.Errorf("%d blocks, want %d", i, len(want))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamage names file, line and reason of what is wrong.
func TestDamage(t *testing.T) {
	folder, _ := export(t, 3)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	blocks, txs := read("blocks.json"), read("transactions.json")
	lines := strings.Split(strings.TrimSpace(txs), "\n")
	for name, test := range map[string]struct{ blocks, txs, want string }{
		"no JSON":           {blocks, "{\n" + txs, "transactions.json:1: unexpected end"},
		"missing":           {blocks, strings.Join(lines[1:], "\n"), "blocks.json:4: block 3 has 0 transactions"},
		"twice":             {blocks, txs + lines[0], "transactions.json:5: block 3 has transaction 0 where 1 is due"},
		"other transaction": {blocks, strings.ReplaceAll(txs, `"hash":"9b0fc922`, `"hash":"9b0fc923`), "do not give its merkle root"},
		"gap":               {strings.Replace(blocks, `"number":2`, `"number":7`, 1), txs, "block 3 follows block 1"},
		"negative value":    {blocks, strings.Replace(txs, `"value":5000000000`, `"value":-1`, 1), "transactions.json:1: json: cannot unmarshal number -1"},
		"bad hash":          {strings.Replace(blocks, `"hash":"0000`, `"hash":"000`, 1), txs, "blocks.json:1: hash: "},
		"empty":             {"", txs, "blocks.json:1: no block"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, folder, "blocks.json", test.blocks)
			write(t, folder, "transactions.json", test.txs)
			err := drain(t, folder)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// drain reads everything and gives the first error.
func drain(t *testing.T, folder string) error {
	t.Helper()
	s, err := etl.Open(t.Context(), folder, bitcoin.Mainnet)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, err := range s.Blocks(t.Context(), 0) {
		if err != nil {
			return err
		}
	}
	return nil
}

// FuzzExport looks for panics in hostile exports.
func FuzzExport(f *testing.F) {
	f.Add(`{"hash":"`+strings.Repeat("0", 64)+`","number":0,"merkle_root":"`+strings.Repeat("0", 64)+`","timestamp":1}`,
		`{"hash":"`+strings.Repeat("0", 64)+`","block_number":0,"index":0,"is_coinbase":true,"outputs":[{"index":0,"value":5,"script_hex":"6a"}]}`)
	f.Add("{}", "[]")
	f.Fuzz(func(t *testing.T, blocks, txs string) {
		folder := t.TempDir()
		write(t, folder, "blocks.json", blocks)
		write(t, folder, "transactions.json", txs)
		if err := drain(t, folder); err != nil && strings.Contains(fmt.Sprint(err), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
	})
}
