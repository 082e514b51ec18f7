package archive

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"coldtrail/ledger"
	"coldtrail/store/memory"
)

// seedBlocks have a row in every table.
func seedBlocks(f *testing.F) (*memory.Store, []*ledger.Block) {
	f.Helper()
	who := ledger.NewAddress(ledger.Named, []byte("who"))
	account := ledger.NewAddress(ledger.EVMAccount, make([]byte, 20))
	s := memory.New()
	blocks := []*ledger.Block{{
		Chain: ledger.Ethereum, Height: 3, Provenance: ledger.File, Openings: []ledger.Opening{{Address: who, Asset: ledger.Ethereum.Native()}},
		Txs: []ledger.Tx{{
			ID: ledger.Hash{1}, Inputs: []ledger.Outpoint{{}}, Outputs: []ledger.Output{{Value: 7, Address: who}},
			Transfers: []ledger.Transfer{{From: account, To: who, Asset: ledger.Ethereum.Native(), LogIndex: 5}},
			Freezes:   []ledger.Freeze{{Holder: who}}, Messages: []ledger.Message{{Kind: ledger.Calldata, Data: []byte("memo")}},
		}},
	}}
	for n := range uint64(300) {
		blocks = append(blocks, &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(4 + n), Txs: []ledger.Tx{{ID: ledger.Hash{byte(n)}}}})
	}
	if err := s.Append(f.Context(), blocks); err != nil {
		f.Fatal(err)
	}
	return s, blocks
}

// FuzzPart reads a part in which bytes of one file are changed, under the digest that it
// has then: blocks, or an error that names a file, never a panic. Blocks that come are
// such as can be written.
func FuzzPart(f *testing.F) {
	s, blocks := seedBlocks(f)
	dir := filepath.Join(f.TempDir(), "archive")
	if _, err := Write(f.Context(), s, dir, Options{}); err != nil {
		f.Fatal(err)
	}
	m, err := readManifest(dir)
	if err != nil {
		f.Fatal(err)
	}
	part := m.Parts[0]
	var texts [][]byte
	for i := range part.Files {
		text, err := os.ReadFile(filepath.Join(dir, part.Files[i].Path))
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text)
	}
	if len(texts) != int(claims) {
		f.Fatalf("%d tables have rows, want all", len(texts))
	}
	for i, text := range texts {
		f.Add(uint8(i), uint32(0), []byte{})
		f.Add(uint8(i), uint32(30), bytes.Repeat([]byte{0xff}, 9))
		f.Add(uint8(i), uint32(len(text)-8), []byte{0xff, 0xff, 0xff, 0x7f})
	}
	f.Fuzz(func(t *testing.T, table uint8, at uint32, patch []byte) {
		which := int(table) % len(texts)
		text := slices.Clone(texts[which])
		copy(text[int(at)%len(text):], patch)
		path := filepath.Join(dir, part.Files[which].Path)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		p := part
		p.Files = slices.Clone(part.Files)
		sum, _, err := digestOf(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		p.Files[which].SHA256 = sum
		n, n2, rows := newNotation(ledger.Ethereum), newNotation(ledger.Ethereum), blockRows{}
		at2 := 0
		err = readPart(t.Context(), dir, &p, n, func(b *ledger.Block, _ int) error {
			at2++
			return rows.fill(n2, b)
		})
		if restore := os.WriteFile(path, texts[which], 0o600); restore != nil {
			t.Fatal(restore)
		}
		var located *Error
		if err != nil && !errors.As(err, &located) {
			t.Fatalf("an error without a place: %v", err)
		}
		if err == nil && at2 != len(blocks) {
			t.Fatalf("%d blocks without an error, want %d", at2, len(blocks))
		}
	})
}

// FuzzAddress reads any text and kind as an address: what is read is written so that it
// reads the same.
func FuzzAddress(f *testing.F) {
	for _, s := range []spelled{
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "p2pkh"},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "p2wpkh"},
		{"00ff", "name/hex"},
		{"alice", "name"},
		{"0x52908400098527886E0F7030069857D2E4169EE7", "account"},
		{"script:00", "script"},
		{"", ""},
		{"x", ""},
		{"", "name"},
		{"zz", "p2sh/hex"},
	} {
		f.Add(s.text, s.kind)
	}
	f.Fuzz(func(t *testing.T, text, kind string) {
		for _, chain := range []ledger.Chain{ledger.Bitcoin, ledger.Ethereum, "bip122:00000000000000000000000000000000"} {
			n := newNotation(chain)
			a, err := n.parse(spelled{text, kind})
			if err != nil {
				continue
			}
			s, err := n.write(&a)
			if err != nil {
				t.Fatalf("%q %q is read as %+v, which cannot be written: %v", text, kind, a, err)
			}
			if again, err := newNotation(chain).parse(s); err != nil || again != a {
				t.Fatalf("%+v is written as %+v and read as %+v, %v", a, s, again, err)
			}
		}
	})
}

// FuzzManifest reads any text as a manifest, and as a journal.
func FuzzManifest(f *testing.F) {
	s, _ := seedBlocks(f)
	dir := filepath.Join(f.TempDir(), "archive")
	if _, err := Write(f.Context(), s, dir, Options{}); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":"coldtrail-archive","version":1,"chains":[],"parts":[],"labels":{"claims":0,"revision":"","files":[]}}`))
	f.Add([]byte("{\"format\":\"coldtrail-archive\",\"version\":1,\"chains\":null}\n{\"number\":0}\n{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := decodeManifest(text); err == nil {
			for i := range m.Parts {
				for _, file := range m.Parts[i].Files {
					if !filepath.IsLocal(file.Path) {
						t.Fatalf("a file outside: %q", file.Path)
					}
				}
			}
		}
		j := journal{asked: asked{Format: formatName, Version: Version}}
		if err := j.read(text); err == nil {
			for i := range j.parts {
				if j.parts[i].Number != i {
					t.Fatalf("part %d stands at %d", j.parts[i].Number, i)
				}
			}
		}
	})
}
