package proof_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
)

// whole is a real block, checked, with what it says in the ledger's words.
func whole(t *testing.T, b rawBlock) (*proof.Parts, *ledger.Block) {
	t.Helper()
	p, err := proof.Decode(b.header, b.body, b.receipts)
	if err == nil {
		err = p.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Block(&mainnet, nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := raw.Ledger(&mainnet)
	if err != nil {
		t.Fatal(err)
	}
	return p, block
}

// TestInclusionOfRealTransactions proves every transaction of the real blocks alone, and
// wants it to say what it says in its block.
func TestInclusionOfRealTransactions(t *testing.T) {
	proven := 0
	for _, b := range mainnetBlocks(t) {
		p, block := whole(t, b)
		raw, err := p.RawHeader()
		if err != nil || !bytes.Equal(raw, b.header) {
			t.Fatalf("%s: the header encodes to other bytes: %v", b.name, err)
		}
		header, err := proof.DecodeHeader(raw)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Body.Transactions {
			in, err := p.Inclusion(uint32(i))
			if err != nil {
				t.Fatal(err)
			}
			got, err := header.Proven(&in, &mainnet)
			if err != nil {
				t.Fatalf("%s: transaction %d: %v", b.name, i, err)
			}
			want := block.Txs[i]
			if diff := cmp.Diff(relative(&want), relative(got)); diff != "" {
				t.Fatalf("%s: transaction %d (-block +alone):\n%s", b.name, i, diff)
			}
			proven++
		}
	}
	if proven < 500 {
		t.Errorf("%d transactions", proven)
	}
}

// relative counts the positions of events from the transaction's first.
func relative(tx *ledger.Tx) *ledger.Tx {
	out := *tx
	out.Transfers, out.Messages = slices.Clone(tx.Transfers), slices.Clone(tx.Messages)
	first := int64(1 << 40)
	for _, x := range out.Transfers {
		if x.LogIndex != ledger.NoLog {
			first = min(first, int64(x.LogIndex))
		}
	}
	for _, m := range out.Messages {
		if m.Kind == ledger.Log {
			first = min(first, int64(m.Position))
		}
	}
	for i := range out.Transfers {
		if out.Transfers[i].LogIndex != ledger.NoLog {
			out.Transfers[i].LogIndex -= int32(first)
		}
	}
	for i := range out.Messages {
		if out.Messages[i].Kind == ledger.Log {
			out.Messages[i].Position -= uint32(first)
		}
	}
	return &out
}

// TestInclusionLies wants no transaction proven where it is not, and none after a byte of
// its branch was changed.
func TestInclusionLies(t *testing.T) {
	for _, b := range mainnetBlocks(t)[:6] {
		p, _ := whole(t, b)
		n := uint32(len(p.Body.Transactions))
		if n < 2 {
			continue
		}
		in, err := p.Inclusion(n / 2)
		if err != nil {
			t.Fatal(err)
		}
		for at := range n + 130 {
			moved := in
			moved.Index = at
			if _, err := p.Proven(&moved, &mainnet); (err == nil) != (at == in.Index) {
				t.Fatalf("%s: transaction %d proven at %d: %v", b.name, in.Index, at, err)
			}
		}
		for _, branch := range []*proof.Branch{&in.Transaction, &in.Receipt, &in.Before} {
			for i := range *branch {
				kept := (*branch)[i]
				for at := 0; at < len(kept); at += 1 + len(kept)/9 {
					(*branch)[i] = bytes.Clone(kept)
					(*branch)[i][at] ^= 1
					if _, err := p.Proven(&in, &mainnet); err == nil {
						t.Fatalf("%s: byte %d of a node was changed and it is still proven", b.name, at)
					}
				}
				(*branch)[i] = kept
			}
		}
	}
}

func FuzzInclusion(f *testing.F) {
	for _, b := range mainnetBlocks(f)[:3] {
		f.Add(b.header, []byte{0xc0}, []byte{0xc1, 0x80}, uint32(1))
	}
	f.Fuzz(func(t *testing.T, header, one, two []byte, index uint32) {
		p, err := proof.DecodeHeader(header)
		if err != nil {
			return
		}
		in := proof.Inclusion{Index: index, Transaction: proof.Branch{one, two}, Receipt: proof.Branch{two, one}, Before: proof.Branch{one}}
		if _, err := p.Proven(&in, &mainnet); err == nil {
			t.Error("a proof out of nothing")
		}
	})
}
