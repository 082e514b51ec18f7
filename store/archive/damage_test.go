package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/archive"
	"coldtrail/store/memory"
)

func hash(n byte) ledger.Hash { return ledger.Hash{n, 31: 1} }

func named(t *testing.T, text string) ledger.Address {
	t.Helper()
	a, err := ledger.NameAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// accountBlock has every field of an account chain, with values at the ends of their
// ranges.
func accountBlock(t *testing.T) *ledger.Block {
	t.Helper()
	most := ledger.Amount{}
	most.SetAllOne()
	account := ledger.NewAddress(ledger.EVMAccount, []byte("\x00\xff23456789abcdefghij"[:20]))
	odd := ledger.NewAddress(ledger.Named, []byte{0, 0xff, '\n'})
	token := ledger.Asset(string(ledger.Ethereum) + "/erc20:0x00000000000000000000000000000000000000aa")
	return &ledger.Block{
		Chain: ledger.Ethereum, Height: 1 << 62, Time: -1, Provenance: ledger.Node,
		Txs: []ledger.Tx{
			{
				ID: hash(1), Index: 1<<32 - 1, Approximate: true, External: true,
				Transfers: []ledger.Transfer{
					{From: account, To: odd, Asset: token, Amount: most, LogIndex: 1<<31 - 1, Kind: ledger.Shares},
					{From: ledger.NewAddress(ledger.EVMAccount, []byte("short")), To: ledger.NewAddress(ledger.P2SH, make([]byte, 20)), Asset: ledger.Ethereum.Native(), LogIndex: 0, Kind: ledger.Internal},
					{To: named(t, "with space"), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(7), LogIndex: ledger.NoLog},
				},
				Fee:     ledger.Fee{Payer: account, Burned: most, Tip: ledger.NewAmount(1), Producer: named(t, "producer")},
				Freezes: []ledger.Freeze{{Holder: account, Asset: token, Lifted: true, After: 3}},
				Messages: []ledger.Message{
					{Kind: ledger.Log, Contract: account, Position: 1<<32 - 1, Data: []byte{0, 1, 255}},
					{Kind: ledger.Calldata, Data: []byte("memo")},
					{Kind: ledger.Creation, Contract: account, Data: make([]byte, 20)},
				},
			},
			{ID: hash(2), Index: 7, Failed: true},
			{ID: hash(3), Index: 8, Coinbase: true, Transfers: []ledger.Transfer{{To: account, Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(2), LogIndex: ledger.NoLog, Kind: ledger.Reward}}},
		},
		Openings: []ledger.Opening{{Address: account, Asset: token, Amount: most, Before: 1<<64 - 1}, {Asset: token}},
	}
}

// utxoBlocks have addresses of every kind, a repeated coinbase with an output that is
// unspendable by itself, and messages.
func utxoBlocks() []*ledger.Block {
	outputs := []ledger.Output{{Value: 1<<64 - 1, Unspendable: true}}
	sizes := []int{ledger.P2PKH: 20, ledger.P2SH: 20, ledger.P2WPKH: 20, ledger.P2WSH: 32, ledger.P2TR: 32, ledger.Script: 32, ledger.EVMAccount: 20}
	for kind, size := range sizes[1:] {
		payload := bytes.Repeat([]byte{byte(kind + 1)}, size)
		outputs = append(outputs, ledger.Output{Value: uint64(kind), Address: ledger.NewAddress(ledger.AddressKind(kind+1), payload)})
	}
	reward := ledger.Tx{ID: hash(9), Coinbase: true, Outputs: outputs}
	spend := ledger.Tx{
		ID: hash(8), Index: 1, Open: true, Inputs: []ledger.Outpoint{{Tx: hash(9), Index: 2}}, Outputs: []ledger.Output{{Unspendable: true}, {Value: 1, Unspendable: true}},
		Messages: []ledger.Message{{Kind: ledger.OpReturn, Position: 0, Data: []byte{0xff, 0}}, {Kind: ledger.OpReturn, Position: 1}},
	}
	blocks := []*ledger.Block{
		{Height: 5, Hash: hash(105), Provenance: ledger.Proven, Txs: []ledger.Tx{reward, spend}},
		{Height: 6, Hash: hash(106), Parent: hash(105), Txs: []ledger.Tx{reward, {ID: hash(7), Index: 1, Inputs: []ledger.Outpoint{{Tx: hash(9), Index: 3}, {Tx: hash(77), Index: 1<<32 - 1}}, Outputs: []ledger.Output{{}}}}},
		{Height: 7, Hash: hash(107), Parent: hash(106)},
	}
	for _, b := range blocks {
		b.Chain = ledger.Bitcoin
	}
	return blocks
}

// filled is a store with both.
func filled(t *testing.T) store.Store {
	t.Helper()
	s := memory.New()
	if err := errors.Join(s.Append(t.Context(), utxoBlocks()), s.Append(t.Context(), []*ledger.Block{accountBlock(t)})); err != nil {
		t.Fatal(err)
	}
	addClaims(t, s, 3)
	return s
}

// write writes an archive of a store into a new folder.
func write(t *testing.T, s store.Store) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "archive")
	if _, err := archive.Write(t.Context(), s, dir, archive.Options{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// taker keeps the blocks that come in.
type taker struct {
	*memory.Store

	blocks []*ledger.Block
}

func (k *taker) Append(ctx context.Context, blocks []*ledger.Block) error {
	k.blocks = append(k.blocks, blocks...)
	return k.Store.Append(ctx, blocks)
}

// TestEveryField compares the blocks themselves, by their canonical encoding.
func TestEveryField(t *testing.T) {
	into := &taker{Store: memory.New()}
	if _, err := archive.Read(t.Context(), write(t, filled(t)), into, archive.Options{}); err != nil {
		t.Fatal(err)
	}
	want := append(utxoBlocks(), accountBlock(t))
	if len(into.blocks) != len(want) {
		t.Fatalf("%d blocks, want %d", len(into.blocks), len(want))
	}
	for i, b := range want {
		if got := into.blocks[i]; string(store.EncodeBlock(nil, got)) != string(store.EncodeBlock(nil, b)) {
			t.Errorf("block %d:\n got %+v\nwant %+v", b.Height, got, b)
		}
	}
}

// TestChains takes one chain of two out, and one of two in.
func TestChains(t *testing.T) {
	from := filled(t)
	dir := filepath.Join(t.TempDir(), "one")
	only := archive.Options{Chains: []ledger.Chain{ledger.Bitcoin}}
	wrote, err := archive.Write(t.Context(), from, dir, only)
	if err != nil || len(wrote.Chains) != 1 || wrote.Chains[0].Chain != ledger.Bitcoin || wrote.Chains[0].Blocks != 3 || wrote.Claims != 3 {
		t.Fatalf("%+v, %v", wrote, err)
	}
	into := memory.New()
	var done, total uint64
	read, err := archive.Read(t.Context(), write(t, from), into, archive.Options{Chains: only.Chains, Progress: func(d, n uint64) { done, total = d, n }})
	if err != nil || len(read.Chains) != 1 || done != 6 || total != 6 {
		t.Fatalf("%+v, %v, progress %d of %d", read, err, done, total)
	}
	held, err := into.Status(t.Context())
	if err != nil || len(held) != 1 || held[0].Chain != ledger.Bitcoin {
		t.Errorf("%+v, %v", held, err)
	}
	other := archive.Options{Chains: []ledger.Chain{"eip155:56"}}
	if _, err := archive.Write(t.Context(), from, filepath.Join(t.TempDir(), "none"), other); !errors.Is(err, store.ErrUnknownChain) {
		t.Errorf("a chain that is not held: %v", err)
	}
	if _, err := archive.Read(t.Context(), dir, memory.New(), other); err == nil || !strings.Contains(err.Error(), "no blocks of eip155:56") {
		t.Errorf("a chain that is not there: %v", err)
	}
}

// TestIntoOthers imports twice, into a store with other claims, and into one with other
// blocks.
func TestIntoOthers(t *testing.T) {
	from := filled(t)
	dir := write(t, from)
	into := memory.New()
	for range 2 {
		if s, err := archive.Read(t.Context(), dir, into, archive.Options{}); err != nil || s.Others {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	same(t, from, into)
	more := label.Claim{Subject: label.Subject{Network: label.Network(ledger.Ethereum), Address: "0x" + strings.Repeat("9", 40)}, Label: "x", By: "other", Learned: 1}
	if _, err := into.AddClaims(t.Context(), []label.Claim{more}); err != nil {
		t.Fatal(err)
	}
	if s, err := archive.Read(t.Context(), dir, into, archive.Options{}); err != nil || !s.Others {
		t.Errorf("with other claims: %+v, %v", s, err)
	}
	next := &ledger.Block{Chain: ledger.Bitcoin, Height: 8, Hash: hash(108), Parent: hash(107)}
	if err := into.Append(t.Context(), []*ledger.Block{next}); err != nil {
		t.Fatal(err)
	}
	var content *archive.ContentError
	if _, err := archive.Read(t.Context(), dir, into, archive.Options{}); !errors.As(err, &content) || content.Chain != ledger.Bitcoin || !strings.Contains(err.Error(), "blocks 5 to 8, the archive 5 to 7") {
		t.Errorf("with a block more: %v", err)
	}
	second := utxoBlocks()
	second[0].Hash = hash(205)
	clash := memory.New()
	if err := clash.Append(t.Context(), second[:1]); err != nil {
		t.Fatal(err)
	}
	var link *store.LinkError
	if _, err := archive.Read(t.Context(), dir, clash, archive.Options{}); !errors.As(err, &link) || !strings.Contains(err.Error(), "holds nothing else of bitcoin") {
		t.Errorf("another block at a height: %v", err)
	}
}

// TestDamaged changes a file at a time.
func TestDamaged(t *testing.T) {
	change := func(change func(m *archive.Manifest)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			path := filepath.Join(dir, "manifest.json")
			text, err := os.ReadFile(path)
			m := &archive.Manifest{}
			if err = errors.Join(err, json.Unmarshal(text, m)); err != nil {
				t.Fatal(err)
			}
			change(m)
			text, err = json.Marshal(m)
			if err = errors.Join(err, os.WriteFile(path, text, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for want, damage := range map[string]func(t *testing.T, dir string){
		"part-000000.parquet: it is not the file": func(t *testing.T, dir string) {
			t.Helper()
			flip(t, filepath.Join(dir, "outputs/part-000000.parquet"), 40)
		},
		"inputs/part-000000.parquet: open": func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "inputs/part-000000.parquet")); err != nil {
				t.Fatal(err)
			}
		},
		"another layout":       change(func(m *archive.Manifest) { m.Version = 2 }),
		"is of format":         change(func(m *archive.Manifest) { m.Format = "other" }),
		"is not one of part 0": change(func(m *archive.Manifest) { m.Parts[0].Files[1].Path = "../../secret" }),
		"not one of claims":    change(func(m *archive.Manifest) { m.Labels.Files[0].Path = "/etc/passwd" }),
		"is not in the archive": change(func(m *archive.Manifest) {
			m.Beside = append(m.Beside, archive.File{Path: "../outside"})
		}),
		"does not follow the one before":        change(func(m *archive.Manifest) { m.Parts[0].First = 9 }),
		"are not what the chain is said to be":  change(func(m *archive.Manifest) { m.Chains[0].Height = 9 }),
		"are not what the manifest says of the": change(func(m *archive.Manifest) { m.Parts[0].Content[0]++; m.Chains[0].Content[0]++ }),
		"4 rows, the manifest says 3":           change(func(m *archive.Manifest) { m.Parts[0].Files[1].Rows = 3 }),
		"the claims are of revision":            change(func(m *archive.Manifest) { m.Labels.Revision = "sha256:00" }),
		"messages/part-000000.parquet: row 1: the row is missing": change(func(m *archive.Manifest) {
			m.Parts[0].Files = m.Parts[0].Files[:4]
		}),
		"is of no chain": change(func(m *archive.Manifest) { m.Chains = m.Chains[:1] }),
	} {
		t.Run(want, func(t *testing.T) {
			dir := write(t, filled(t))
			damage(t, dir)
			if _, err := archive.Read(t.Context(), dir, memory.New(), archive.Options{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want it to say %q", err, want)
			}
		})
	}
	if _, err := archive.Read(t.Context(), t.TempDir(), memory.New(), archive.Options{}); !errors.Is(err, archive.ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
}

// flip changes a byte of a file.
func flip(t *testing.T, path string, at int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[at]++
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRefused wants blocks that the tables would not give back to be refused.
func TestRefused(t *testing.T) {
	for want, change := range map[string]func(b *ledger.Block){
		"provenance 9":       func(b *ledger.Block) { b.Provenance = 9 },
		"kind 9 with 0 byte": func(b *ledger.Block) { b.Txs[0].Messages[0] = ledger.Message{Kind: 9} },
		"the log index -2":   func(b *ledger.Block) { b.Txs[0].Transfers[0].LogIndex = -2 },
		"no UTF-8":           func(b *ledger.Block) { b.Txs[0].Freezes[0].Asset = "\xff" },
		"an address of kind": func(b *ledger.Block) { b.Txs[0].Fee.Payer.Kind = 99 },
	} {
		s := memory.New()
		b := accountBlock(t)
		change(b)
		if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
			t.Fatal(err)
		}
		var refused *archive.BlockError
		dir := filepath.Join(t.TempDir(), "archive")
		if _, err := archive.Write(t.Context(), s, dir, archive.Options{}); !errors.As(err, &refused) || refused.Height != 1<<62 || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestLost wants an export to fail where a store does not tell all that the digest of its
// content rests on: the openings of a UTXO chain without hashes.
func TestLost(t *testing.T) {
	blocks := utxoBlocks()
	nameless(blocks)
	blocks[0].Openings = []ledger.Opening{{Asset: ledger.Bitcoin.Native()}}
	s := memory.New()
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	var content *archive.ContentError
	if _, err := archive.Write(t.Context(), s, filepath.Join(t.TempDir(), "a"), archive.Options{}); !errors.As(err, &content) || !strings.Contains(err.Error(), "would lose it") {
		t.Errorf("got %v", err)
	}
}

// TestTwins wants the word of the source on an output that a twin overwrote, and a
// refusal where nobody can know it.
func TestTwins(t *testing.T) {
	address := ledger.NewAddress(ledger.P2PKH, make([]byte, 20))
	mint := func(outputs ...ledger.Output) []ledger.Tx {
		return []ledger.Tx{{ID: hash(1), Coinbase: true, Outputs: outputs}}
	}
	build := func(first, second []ledger.Tx) *memory.Store {
		s := memory.New()
		err := s.Append(t.Context(), []*ledger.Block{
			{Chain: ledger.Bitcoin, Height: 0, Hash: hash(50), Txs: first}, {Chain: ledger.Bitcoin, Height: 1, Hash: hash(51), Parent: hash(50), Txs: second},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	both := mint(ledger.Output{Value: 5, Address: address}, ledger.Output{Unspendable: true})
	into := &taker{Store: memory.New()}
	if _, err := archive.Read(t.Context(), write(t, build(both, both)), into, archive.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, b := range into.blocks {
		if o := b.Txs[0].Outputs; o[0].Unspendable || !o[1].Unspendable {
			t.Errorf("block %d: outputs %+v", b.Height, o)
		}
	}
	var refused *archive.BlockError
	other := build(both, mint(ledger.Output{Value: 6, Address: address}))
	if _, err := archive.Write(t.Context(), other, filepath.Join(t.TempDir(), "a"), archive.Options{}); !errors.As(err, &refused) || refused.Height != 0 || !strings.Contains(err.Error(), "cannot be told") {
		t.Errorf("got %v", err)
	}
}
