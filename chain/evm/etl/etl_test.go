package etl_test

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
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
	"coldtrail/chain/evm/etl"
	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
)

var mainnet = evm.NetworkOf(ledger.Ethereum)

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

// export is tables as ethereum-etl writes them: the first row names the columns.
type export map[string][][]string

// tables exports a block as ethereum-etl does.
func tables(tb testing.TB, p *proof.Parts) export {
	tb.Helper()
	b, err := p.Block(&mainnet, nil)
	if err != nil {
		tb.Fatal(err)
	}
	text := func(a ledger.Address) string { return strings.ToLower(evm.Notation{}.FormatAddress(a)) }
	dec := func(a ledger.Amount) string { return a.Dec() }
	var withdrawals []string
	for i, w := range b.Withdrawals {
		withdrawals = append(withdrawals, fmt.Sprintf("{'index': %d, 'validator_index': 1, 'address': '%s', 'amount': %d}", i, text(w.Address), w.Gwei))
	}
	list, base, excess := "", "", ""
	if p.Header.WithdrawalsHash != nil {
		list = "[" + strings.Join(withdrawals, ", ") + "]"
	}
	if p.Header.BaseFee != nil {
		base = p.Header.BaseFee.String()
	}
	if p.Header.ExcessBlobGas != nil {
		excess = fmt.Sprint(*p.Header.ExcessBlobGas)
	}
	number := fmt.Sprint(b.Number)
	e := export{
		"blocks": {
			{"number", "hash", "parent_hash", "sha3_uncles", "miner", "timestamp", "transaction_count", "base_fee_per_gas", "excess_blob_gas", "withdrawals"},
			{number, "0x" + b.Hash.String(), "0x" + b.Parent.String(), p.Header.UncleHash.Hex(), text(b.Producer), fmt.Sprint(b.Time), fmt.Sprint(len(b.Txs)), base, excess, list},
		},
		"transactions": {{"hash", "nonce", "block_hash", "block_number", "transaction_index", "from_address", "to_address", "value", "gas", "gas_price", "input", "blob_versioned_hashes"}},
		"receipts":     {{"transaction_hash", "transaction_index", "block_hash", "block_number", "cumulative_gas_used", "gas_used", "contract_address", "root", "status", "effective_gas_price", "blob_gas_used", "blob_gas_price"}},
		"logs":         {{"log_index", "transaction_hash", "transaction_index", "block_hash", "block_number", "address", "data", "topics"}},
	}
	for i := range b.Txs {
		tx, raw, r := &b.Txs[i], p.Body.Transactions[i], p.Receipts[i]
		hash, index := "0x"+tx.Hash.String(), fmt.Sprint(tx.Index)
		var blobs []string
		for _, blob := range raw.BlobHashes() {
			blobs = append(blobs, blob.Hex())
		}
		status, blobGas, blobPrice := "1", "", ""
		if tx.Failed {
			status = "0"
		}
		if tx.BlobGas > 0 {
			blobGas, blobPrice = fmt.Sprint(tx.BlobGas), dec(tx.BlobPrice)
		}
		e["transactions"] = append(e["transactions"], []string{hash, fmt.Sprint(raw.Nonce()), "0x" + b.Hash.String(), number, index, text(tx.From), text(tx.To), dec(tx.Value), fmt.Sprint(raw.Gas()), dec(tx.GasPrice), "0x" + hex.EncodeToString(raw.Data()), strings.Join(blobs, ",")})
		e["receipts"] = append(e["receipts"], []string{hash, index, "0x" + b.Hash.String(), number, fmt.Sprint(r.CumulativeGasUsed), fmt.Sprint(tx.GasUsed), text(tx.Created), "", status, dec(tx.GasPrice), blobGas, blobPrice})
		for _, l := range tx.Logs {
			var topics []string
			for _, topic := range l.Topics {
				topics = append(topics, "0x"+topic.String())
			}
			e["logs"] = append(e["logs"], []string{fmt.Sprint(l.Index), hash, index, "0x" + b.Hash.String(), number, text(l.Contract), "0x" + hex.EncodeToString(l.Data), strings.Join(topics, ",")})
		}
	}
	return e
}

func (e export) writeCSV(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, rows := range e {
		f, err := os.Create(filepath.Join(dir, name+".csv"))
		if err != nil {
			tb.Fatal(err)
		}
		if err := errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close()); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// writeJSON writes JSON lines, numbers as numbers and topics as a list.
func (e export) writeJSON(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, rows := range e {
		var out strings.Builder
		for _, row := range rows[1:] {
			object := map[string]any{}
			for i, column := range rows[0] {
				switch {
				case row[i] == "":
					object[column] = nil
				case column == "topics":
					object[column] = strings.Split(row[i], ",")
				case column == "withdrawals":
					object[column] = json.RawMessage(strings.ReplaceAll(row[i], "'", `"`))
				case strings.Contains("number block_number transaction_index log_index timestamp gas gas_price value status gas_used", column):
					object[column] = json.Number(row[i])
				default:
					object[column] = row[i]
				}
			}
			line, err := json.Marshal(object)
			if err != nil {
				tb.Fatal(err)
			}
			out.Write(append(line, '\n'))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(out.String()), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func read(tb testing.TB, dir string) ([]*ledger.Block, []string, error) {
	tb.Helper()
	s, err := etl.Open(tb.Context(), dir, mainnet)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = s.Close() }()
	var blocks []*ledger.Block
	for b, err := range s.Blocks(tb.Context(), 0) {
		if err != nil {
			return blocks, s.Notes(), err
		}
		blocks = append(blocks, b)
	}
	return blocks, s.Notes(), nil
}

// TestMainnet exports real blocks as ethereum-etl does, reads them back and gets the
// blocks that their hashes prove.
func TestMainnet(t *testing.T) {
	for _, p := range mainnetBlocks(t) {
		b, err := p.Block(&mainnet, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Provenance, b.Uncles = ledger.File, nil // an export does not name uncles
		want, err := b.Ledger(&mainnet)
		if err != nil {
			t.Fatal(err)
		}
		e := tables(t, p)
		for kind, dir := range map[string]string{"csv": e.writeCSV(t), "json": e.writeJSON(t)} {
			got, _, err := read(t, dir)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if diff := cmp.Diff([]*ledger.Block{want}, got); diff != "" {
				t.Errorf("%s: block %d differs:\n%.2000s", kind, want.Height, diff)
			}
		}
	}
}

const (
	hashA  = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB  = "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	hashT  = "0x1111111111111111111111111111111111111111111111111111111111111111"
	hashU  = "0x2222222222222222222222222222222222222222222222222222222222222222"
	alice  = "0x00000000000000000000000000000000000a11ce"
	bob    = "0x0000000000000000000000000000000000000b0b"
	carol  = "0x00000000000000000000000000000000000ca401"
	token  = "0xdac17f958d2ee523a2206206994597c13d831ec7"
	zeroes = "0x0000000000000000000000000000000000000000"
)

// small is two blocks: a call with an internal move and a token movement, and a
// transaction that failed.
func small() export {
	return export{
		"blocks": {
			{"number", "hash", "parent_hash", "timestamp", "miner", "transaction_count", "base_fee_per_gas"},
			{"101", hashB, hashA, "1700000012", carol, "1", "5"},
			{"100", hashA, hashT, "1700000000", carol, "1", "4"},
		},
		"transactions": {
			{"hash", "block_number", "transaction_index", "from_address", "to_address", "value", "gas", "gas_price", "input"},
			{hashU, "101", "0", bob, alice, "9", "21000", "6", "0x"},
			{hashT, "100", "0", alice, bob, "10", "90000", "7", "0x01"},
		},
		"receipts": {
			{"transaction_hash", "block_number", "cumulative_gas_used", "gas_used", "contract_address", "status"},
			{hashT, "100", "50000", "50000", "", "1"},
			{hashU, "101", "21000", "21000", "", "0"},
		},
		"token_transfers": {
			{"token_address", "from_address", "to_address", "value", "transaction_hash", "log_index", "block_number"},
			{token, bob, carol, "77", hashT, "3", "100"},
		},
		"traces": {
			{"block_number", "transaction_hash", "from_address", "to_address", "value", "trace_type", "call_type", "reward_type", "trace_address", "error", "status"},
			{"100", hashT, alice, bob, "10", "call", "call", "", "", "", "1"},
			{"100", hashT, bob, carol, "4", "call", "call", "", "0", "", "1"},
			{"100", hashT, bob, carol, "5", "call", "call", "", "1", "Reverted", "0"},
			{"100", hashT, carol, alice, "2", "call", "call", "", "1,0", "", "1"},
			{"100", hashT, bob, carol, "6", "call", "delegatecall", "", "2", "", "1"},
			{"101", hashU, bob, alice, "9", "call", "call", "", "", "Out of gas", "0"},
			{"100", "", "", carol, "2000", "reward", "", "block", "", "", "1"},
		},
	}
}

func TestSmall(t *testing.T) {
	blocks, notes, err := read(t, small().writeCSV(t))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	names := map[string]string{alice: "alice", bob: "bob", carol: "carol", "": "nobody"}
	name := func(a ledger.Address) string { return names[strings.ToLower(evm.Notation{}.FormatAddress(a))] }
	for _, b := range blocks {
		for _, tx := range b.Txs {
			line := fmt.Sprintf("%d:%d", b.Height, tx.Index)
			if tx.Failed {
				line += " failed"
			}
			for _, tr := range tx.Transfers {
				line += fmt.Sprintf(" %s>%s %s%s", name(tr.From), name(tr.To), tr.Amount.Dec(), map[bool]string{true: "", false: " TOKEN"}[tr.Asset == b.Chain.Native()])
			}
			if tx.Approximate {
				line += " approximate"
			}
			lines = append(lines, line+fmt.Sprintf(" burned %s tip %s", tx.Fee.Burned.Dec(), tx.Fee.Tip.Dec()))
		}
	}
	want := []string{
		"100:0 alice>bob 10 bob>carol 4 bob>carol 77 TOKEN approximate burned 200000 tip 150000",
		"100:1 nobody>carol 2000 burned 0 tip 0",
		"101:0 failed burned 105000 tip 21000",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "token_transfers are used") {
		t.Errorf("notes %q", notes)
	}
}

// TestCreations: contracts that receipts and traces tell of, and where there is only one
// of the two, what that one knows.
func TestCreations(t *testing.T) {
	const first, second, third, fourth = "0x00000000000000000000000000000000000000c1", "0x00000000000000000000000000000000000000c2", "0x00000000000000000000000000000000000000c3", "0x00000000000000000000000000000000000000c4"
	creating := func(drop ...string) (lines []string) {
		e := small()
		e["transactions"][2][4] = ""
		e["receipts"][1][4], e["receipts"][2][4] = first, fourth // that of a failed transaction is there, too
		e["traces"] = [][]string{
			e["traces"][0],
			{"100", hashT, alice, first, "10", "create", "", "", "", "", "1"},
			{"100", hashT, first, second, "0", "create", "", "", "0", "", "1"},
			{"100", hashT, second, third, "4", "create", "", "", "0,0", "", "1"},
			{"100", hashT, second, fourth, "0", "create", "", "", "0,1", "Out of gas", "0"},
			{"100", hashT, fourth, fourth, "0", "create", "", "", "0,1,0", "", "1"},
			{"101", hashU, bob, alice, "9", "call", "call", "", "", "Reverted", "0"},
			{"101", hashU, alice, fourth, "9", "create", "", "", "0", "", "1"},
		}
		for _, name := range drop {
			delete(e, name)
		}
		blocks, _, err := read(t, e.writeCSV(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			for _, tx := range b.Txs {
				for _, m := range tx.Messages {
					lines = append(lines, fmt.Sprintf("%d:%d kind %d %d 0x%x by 0x%x", b.Height, tx.Index, m.Kind, m.Position, m.Contract.Bytes(), m.Data))
				}
				if len(tx.Transfers) > 0 && b.Height == 100 && !tx.Coinbase {
					lines = append(lines, fmt.Sprintf("pays 0x%x", tx.Transfers[0].To.Bytes()))
				}
			}
		}
		return lines
	}
	top, inside := "100:0 kind 4 0 "+first+" by "+alice, []string{"100:0 kind 4 1 " + second + " by " + first, "100:0 kind 4 2 " + third + " by " + second}
	pays := "pays " + first
	if diff := cmp.Diff(append(append([]string{top}, inside...), pays), creating()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(append([]string{top}, inside...), pays), creating("receipts")); diff != "" {
		t.Errorf("without receipts: %s", diff)
	}
	if diff := cmp.Diff([]string{top, pays}, creating("traces")); diff != "" {
		t.Errorf("without traces: %s", diff)
	}
}

// TestRefused breaks one field at a time; each is refused with its place.
func TestRefused(t *testing.T) {
	for want, change := range map[string]func(export){
		"blocks.csv:2: hash: hash": func(e export) { e["blocks"][1][1] = "0xb" },
		"blocks.csv:3: number: block 102 follows block 100": func(e export) {
			e["blocks"][1], e["blocks"][2] = e["blocks"][2], []string{"102", hashB, hashA, "1700000012", carol, "1", "5"}
		},
		"blocks.csv:3: number: block 101 is there twice":        func(e export) { e["blocks"][2][0] = "101" },
		"blocks.csv:1: miner: the column is missing":            func(e export) { e["blocks"][0][4] = "minor" },
		"transactions.csv:2: block_number: no block number in":  func(e export) { e["transactions"][1][1] = "x" },
		"transactions.csv:3: value: amount \"-1\"":              func(e export) { e["transactions"][2][5] = "-1" },
		"transactions.csv:2: block 7 is not in":                 func(e export) { e["transactions"][1][1] = "7" },
		"block 101: it states 2 transactions":                   func(e export) { e["blocks"][1][5] = "2" },
		"receipts.csv:2: transaction_hash: transaction":         func(e export) { e["receipts"][1][0] = hashB },
		"receipts.csv:2: status: \"maybe\"":                     func(e export) { e["receipts"][1][5] = "maybe" },
		"token_transfers.csv:2: from_address: \"bob\"":          func(e export) { e["token_transfers"][1][1] = "bob" },
		"traces.csv:3: trace_address: \"one\"":                  func(e export) { e["traces"][2][8] = "one" },
		"it pays 3 wei per gas, less than the block's base fee": func(e export) { e["transactions"][2][7] = "3" },
		"it has no trace in":                                    func(e export) { e["traces"] = e["traces"][:2] },
	} {
		e := small()
		change(e)
		_, _, err := read(t, e.writeCSV(t))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, err := etl.Open(t.Context(), t.TempDir(), mainnet); err == nil || !strings.Contains(err.Error(), "neither blocks.csv nor blocks.json") {
		t.Errorf("an empty folder: %v", err)
	}
}

// FuzzTables feeds hostile files: an error with its place or blocks, never a panic.
func FuzzTables(f *testing.F) {
	e := small()
	join := func(name string) string {
		var out strings.Builder
		_ = csv.NewWriter(&out).WriteAll(e[name])
		return out.String()
	}
	f.Add(join("blocks"), join("transactions"), join("traces"), true)
	f.Add(`{"number":1,"hash":null}`, `{"block_number":1,"input":[["x"]]}`, "", false)
	f.Fuzz(func(t *testing.T, blocks, txs, traces string, isCSV bool) {
		dir, extension := t.TempDir(), ".json"
		if isCSV {
			extension = ".csv"
		}
		for name, text := range map[string]string{"blocks": blocks, "transactions": txs, "traces": traces} {
			if err := os.WriteFile(filepath.Join(dir, name+extension), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _, _ = read(t, dir)
	})
}

// BenchmarkRows reads exports of real blocks, every table counted in rows.
func BenchmarkRows(b *testing.B) {
	all := export{}
	rows := 0
	for _, p := range mainnetBlocks(b)[9:10] {
		e := tables(b, p)
		for copied := range 40 { // forty blocks alike, at heights in a row
			for name, table := range e {
				if copied == 0 {
					all[name] = append(all[name], table[0])
				}
				column := max(slices.Index(table[0], "block_number"), slices.Index(table[0], "number"))
				for _, row := range table[1:] {
					row = slices.Clone(row)
					row[column] = fmt.Sprint(uint64(p.Height()) + uint64(copied))
					all[name] = append(all[name], row)
					rows++
				}
			}
		}
	}
	dir := all.writeCSV(b)
	size := int64(0)
	for name := range all {
		if info, err := os.Stat(filepath.Join(dir, name+".csv")); err == nil {
			size += info.Size()
		}
	}
	b.SetBytes(size)
	done := 0
	for b.Loop() {
		blocks, _, err := read(b, dir)
		if err != nil || len(blocks) != 40 {
			b.Fatal(len(blocks), err)
		}
		done += rows
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "rows/s")
}
