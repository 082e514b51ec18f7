package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/chain/evm/parquet"
	"coldtrail/ledger"
)

// accounts draws a ledger of an EVM chain with everything a ledger can say.
func accounts(t *rapid.T) []*ledger.Block {
	draw := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	someone := func(label string) ledger.Address {
		if n := draw(label, 6); n > 0 {
			return who(byte(n))
		}
		return ledger.Address{}
	}
	units := func() (a ledger.Amount) {
		a.SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "amount"))
		return a
	}
	assets := []ledger.Asset{ledger.Ethereum.Native(), ledger.Asset("eip155:1/erc20:" + hexWho(0xaa)), ledger.Asset("eip155:1/erc20:" + hexWho(0xbb))}
	asset := func() ledger.Asset { return rapid.SampledFrom(assets).Draw(t, "asset") }
	var found []*ledger.Block
	height, serial := ledger.Height(draw("first", 1<<30)), 0
	for range rapid.IntRange(1, 6).Draw(t, "blocks") {
		b := &ledger.Block{Chain: ledger.Ethereum, Height: height, Time: int64(draw("time", 1<<31)), Provenance: ledger.File}
		if draw("hashes", 3) > 0 {
			b.Hash, b.Parent = id(byte(height)), id(byte(height-1))
		}
		index := uint32(0)
		for range draw("transactions", 4) {
			serial++
			tx := ledger.Tx{
				ID: ledger.Hash{1, byte(serial), byte(serial >> 8)}, Index: index, Failed: draw("failed", 4) == 0,
				Approximate: draw("approximate", 4) == 0, External: draw("external", 4) == 0,
				Fee: ledger.Fee{Payer: someone("payer"), Burned: units(), Tip: units(), Producer: someone("producer")},
			}
			index += 1 + uint32(draw("gap", 2))
			for range draw("messages", 2) {
				topics := draw("topics", 4)
				data := append([]byte{byte(topics)}, bytes.Repeat([]byte{byte(serial)}, 32*topics)...)
				tx.Messages = append(tx.Messages, ledger.Message{
					Kind: ledger.Log, Contract: someone("contract"), Position: uint32(draw("position", 1000)), Data: append(data, rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "data")...),
				})
			}
			if draw("note", 4) == 0 {
				tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.Calldata, Data: []byte("=:b:somebody")})
			}
			for range draw("creations", 2) {
				creator := who(byte(draw("creator", 6)))
				tx.Messages = append(tx.Messages, ledger.Message{Kind: ledger.Creation, Contract: someone("created"), Position: uint32(draw("place", 1<<32-1)), Data: creator.Bytes()})
			}
			fill(t, &tx, someone, asset, units)
			b.Txs = append(b.Txs, tx)
		}
		if draw("issues", 1) == 0 {
			tx := ledger.Tx{ID: id(byte(height)), Index: index, Coinbase: true}
			fill(t, &tx, someone, asset, units)
			b.Txs = append(b.Txs, tx)
		}
		for range draw("openings", 2) {
			b.Openings = append(b.Openings, ledger.Opening{Address: someone("opened"), Asset: asset(), Amount: units(), Before: ledger.Height(draw("before", 1<<30))})
		}
		found = append(found, b)
		height += 1 + ledger.Height(draw("skip", 1))
	}
	return found
}

func fill(t *rapid.T, tx *ledger.Tx, someone func(string) ledger.Address, asset func() ledger.Asset, units func() ledger.Amount) {
	for range rapid.IntRange(0, 4).Draw(t, "transfers") {
		tx.Transfers = append(tx.Transfers, ledger.Transfer{
			From: someone("from"), To: someone("to"), Asset: asset(), Amount: units(),
			LogIndex: int32(rapid.IntRange(-1, 3).Draw(t, "log")), Kind: ledger.TransferKind(rapid.IntRange(0, 3).Draw(t, "kind")),
		})
	}
	for range rapid.IntRange(0, 1).Draw(t, "freezes") {
		tx.Freezes = append(tx.Freezes, ledger.Freeze{
			Holder: someone("holder"), Asset: asset(), Lifted: rapid.Bool().Draw(t, "lifted"), After: uint32(rapid.IntRange(0, 4).Draw(t, "after")),
		})
	}
}

// TestRoundTrip exports random ledgers and reads the same blocks back.
func TestRoundTrip(t *testing.T) {
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		want := accounts(rt)
		folder := filepath.Join(t.TempDir(), fmt.Sprint(round))
		round++
		if err := parquet.Write(t.Context(), folder, ledger.Ethereum, sequence(want)); err != nil {
			rt.Fatal(err)
		}
		got, notes := mustRead(t, folder)
		same(t, want, got)
		if len(notes) > 0 {
			rt.Fatalf("notes: %v", notes)
		}
		from := rapid.IntRange(0, len(want)-1).Draw(rt, "resume")
		got, _, err := readAll(t, folder, want[from].Height)
		if err != nil {
			rt.Fatal(err)
		}
		same(t, want[from:], got)
	})
}

// TestExportOfAWS carries real rows through the ledger and out again.
func TestExportOfAWS(t *testing.T) {
	want, _ := mustRead(t, newAWS().write(t))
	folder := filepath.Join(t.TempDir(), "new")
	if err := parquet.Write(t.Context(), folder, ledger.Ethereum, sequence(want)); err != nil {
		t.Fatal(err)
	}
	got, _ := mustRead(t, folder)
	want[1].Txs = nil
	same(t, want, got)
	err := parquet.Write(t.Context(), folder, ledger.Ethereum, sequence(want))
	if err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Fatalf("error %v", err)
	}
	if err := os.Remove(filepath.Join(folder, "freezes", "part-000000.parquet")); err != nil {
		t.Fatal(err)
	}
	refused(t, folder, "", "the table freezes has no file for part-000000")
}

// TestParts splits an export into several files.
func TestParts(t *testing.T) {
	defer parquet.SetPartBlocks(3)()
	var want []*ledger.Block
	for i := range 10 {
		want = append(want, &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(i), Hash: id(byte(i + 1)), Time: int64(i), Provenance: ledger.File, Txs: []ledger.Tx{{
			ID: id(byte(100 + i)), Fee: fee(1, uint64(i), 1),
			Transfers: []ledger.Transfer{{From: who(1), To: who(2), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(uint64(i)), LogIndex: ledger.NoLog}},
		}}})
	}
	folder := t.TempDir()
	if err := parquet.Write(t.Context(), folder, ledger.Ethereum, sequence(want)); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(folder, "traces"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	got, _ := mustRead(t, folder)
	same(t, want, got)
	if err := os.Remove(filepath.Join(folder, "traces", "part-000002.parquet")); err != nil {
		t.Fatal(err)
	}
	refused(t, folder, "", "the table traces has no file for part-000002")
}

// TestCannotWrite refuses what the layout cannot hold, and leaves no part behind.
func TestCannotWrite(t *testing.T) {
	named, err := ledger.NameAddress("alice")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]*ledger.Block{
		"not of an EVM chain": {Chain: ledger.Ethereum, Txs: []ledger.Tx{{Fee: ledger.Fee{Payer: named}}}},
		"unspent outputs":     {Chain: ledger.Ethereum, Txs: []ledger.Tx{{Outputs: []ledger.Output{{Value: 1}}}}},
		"does not follow":     {Chain: ledger.Bitcoin},
		"no event":            {Chain: ledger.Ethereum, Txs: []ledger.Tx{{Messages: []ledger.Message{{Kind: ledger.Log, Data: []byte{3}}}}}},
		"0 is no event":       {Chain: ledger.Ethereum, Txs: []ledger.Tx{{Messages: []ledger.Message{{Kind: ledger.Creation, Contract: who(1), Data: []byte{3}}}}}},
		"asset":               {Chain: ledger.Ethereum, Openings: []ledger.Opening{{Asset: "eip155:2/slip44:60"}}},
		"its last entry":      {Chain: ledger.Ethereum, Txs: []ledger.Tx{{Coinbase: true}, {Index: 1}}},
		"beyond the layout":   {Chain: ledger.Ethereum, Time: -1},
	}
	for words, b := range blocks {
		folder := t.TempDir()
		err := parquet.Write(t.Context(), folder, ledger.Ethereum, sequence([]*ledger.Block{b}))
		var fault *parquet.BlockError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, want %q", err, words)
		}
		left, err := filepath.Glob(filepath.Join(folder, "*", "*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%v is left, %v", left, err)
		}
	}
	if err := parquet.Write(t.Context(), t.TempDir(), ledger.Bitcoin, sequence(nil)); err == nil {
		t.Error("a chain of unspent outputs was taken")
	}
	if err := parquet.Write(t.Context(), t.TempDir(), ledger.Ethereum, sequence(nil)); err == nil {
		t.Error("an export of nothing was taken")
	}
}

// TestOtherChain refuses an export of another chain.
func TestOtherChain(t *testing.T) {
	folder := t.TempDir()
	if err := parquet.Write(t.Context(), folder, "eip155:10", sequence([]*ledger.Block{{Chain: "eip155:10"}})); err != nil {
		t.Fatal(err)
	}
	refused(t, folder, "", `of chain "eip155:10"`)
}

// TestPasses reads a large file that is in no order, a few blocks at a time.
func TestPasses(t *testing.T) {
	defer parquet.SetPassRows(10)()
	a := newAWS()
	a.blocks, a.txs, a.logs, a.traces = nil, nil, nil, nil
	for i := range 50 {
		b := newAWS().blocks[0]
		b.Number, b.Hash, b.Parent, b.Count = firstBlock+int64(i), hexID(byte(i+1)), hexID(byte(i)), 4
		a.blocks = append(a.blocks, b)
		for n := range 4 {
			tx := newAWS().txs[1]
			tx.Block, tx.Index, tx.Hash, tx.Value = b.Number, int64(n), hexID(byte(4*i+n)), fmt.Sprint(1000*i+n+1)
			a.txs = append(a.txs, tx)
		}
	}
	slices.Reverse(a.txs)
	got, _ := mustRead(t, a.write(t))
	if len(got) != 50 {
		t.Fatalf("%d blocks", len(got))
	}
	for i, b := range got {
		if len(b.Txs) != 4 {
			t.Fatalf("block %d has %d transactions", b.Height, len(b.Txs))
		}
		for n := range b.Txs {
			if have := b.Txs[n].Transfers[0].Amount.Dec(); have != fmt.Sprint(1000*i+n+1) {
				t.Fatalf("block %d, transaction %d moves %s", b.Height, n, have)
			}
		}
	}
}

// FuzzDamaged reads files with bytes changed: blocks, or an error, and never a panic.
func FuzzDamaged(f *testing.F) {
	folder := newAWS().write(f)
	tables := []string{"blocks", "transactions", "logs", "traces"}
	whole := make([][]byte, len(tables))
	for i, table := range tables {
		text, err := os.ReadFile(filepath.Join(folder, table, day))
		if err != nil {
			f.Fatal(err)
		}
		whole[i] = text
	}
	f.Add(uint8(0), uint32(100), []byte{0xff})
	f.Add(uint8(1), uint32(0), []byte("PAR0"))
	f.Add(uint8(2), uint32(700), bytes.Repeat([]byte{0x80}, 20))
	f.Add(uint8(3), uint32(400), []byte{0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, table uint8, at uint32, patch []byte) {
		i := int(table) % len(tables)
		text := bytes.Clone(whole[i])
		copy(text[int(at)%len(text):], patch)
		path := filepath.Join(folder, tables[i], day)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, _ = readAll(t, folder, 0) // whatever it says, it returns
		if err := os.WriteFile(path, whole[i], 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkRead measures rows a second.
func BenchmarkRead(b *testing.B) {
	a := newAWS()
	a.blocks, a.txs, a.logs, a.traces = nil, nil, nil, nil
	for i := range 100 {
		block := newAWS().blocks[0]
		block.Number, block.Hash, block.Parent, block.Count = firstBlock+int64(i), hexID(byte(i+1)), hexID(byte(i)), 200
		a.blocks = append(a.blocks, block)
		for n := range 200 {
			tx, trace, log := newAWS().txs[1], newAWS().traces[0], newAWS().logs[0]
			tx.Block, tx.Index, tx.Hash = block.Number, int64(n), "0x"+(ledger.Hash{1, byte(i), byte(n)}).String()
			trace.Block, trace.TxIndex, trace.Hash = block.Number, ptr(int64(n)), ptr(tx.Hash)
			log.Block, log.TxIndex, log.Hash, log.Index = block.Number, int64(n), tx.Hash, int64(n)
			a.txs, a.traces, a.logs = append(a.txs, tx), append(a.traces, trace), append(a.logs, log)
		}
	}
	folder := a.write(b)
	rows := len(a.blocks) + len(a.txs) + len(a.logs) + len(a.traces)
	for b.Loop() {
		if found, _ := mustRead(b, folder); len(found) != 100 {
			b.Fatal(len(found))
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
