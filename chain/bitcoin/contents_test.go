package bitcoin_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/ledger"
)

// TestContentsOfRealBlocks proves every transaction of the first 14,132 blocks, at its
// position and at no other.
func TestContentsOfRealBlocks(t *testing.T) {
	source, err := blkfile.Open(t.Context(), "../../testdata/bitcoin/blk_0_to_14131.dat.zst", blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	proven := 0
	for height := ledger.Height(0); height <= 14131; height++ {
		raw, err := source.Raw(t.Context(), height)
		if err != nil {
			t.Fatal(err)
		}
		c, err := bitcoin.ReadContents(raw)
		if err != nil {
			t.Fatal(err)
		}
		block, err := bitcoin.Decode(raw, height, bitcoin.Mainnet, bitcoin.WithWork)
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]ledger.Hash, len(block.Txs))
		for i := range block.Txs {
			ids[i] = block.Txs[i].ID
		}
		if bitcoin.MerkleBranch(ids, uint32(len(ids))) != nil {
			t.Fatalf("block %d: a branch of a transaction that it has not", height)
		}
		for i := range block.Txs {
			position, ok := c.Find(block.Txs[i].ID)
			plain, err := c.Plain(position)
			if !ok || err != nil || position != uint32(i) {
				t.Fatalf("block %d: transaction %d is at %d: %v", height, i, position, err)
			}
			tx, err := bitcoin.DecodeTx(plain, position)
			if err != nil || tx.ID != block.Txs[i].ID {
				t.Fatalf("block %d: transaction %d decodes to %s: %v", height, i, tx.ID, err)
			}
			branch := c.Branch(position)
			if again := bitcoin.MerkleBranch(ids, position); !slices.Equal(again, branch) {
				t.Errorf("%d: the branch by identifiers alone is %v, want %v", position, again, branch)
			}
			for at := range uint32(2 * len(block.Txs)) {
				if c.Header.Contains(tx.ID, at, branch) != (at == position) {
					t.Fatalf("block %d: transaction %d of %d proved at %d: %v", height, i, len(block.Txs), at, at != position)
				}
			}
			proven++
		}
	}
	if proven != 14247 {
		t.Errorf("%d transactions, want 14247", proven)
	}
}

// TestPlainOfWitnesses wants witnesses left out: the transaction of BIP-143's P2WPKH
// example, in a block of its own.
func TestPlainOfWitnesses(t *testing.T) {
	signed := "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000"
	coinbase := "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0403a0bb0dffffffff0100f2052a01000000015100000000"
	decode := func(text string) []byte {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	var ids []ledger.Hash
	for i, text := range []string{coinbase, signed} {
		tx, err := bitcoin.DecodeTx(decode(text), uint32(i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tx.ID)
	}
	root := bitcoin.MerkleRoot(ids)
	raw := make([]byte, bitcoin.HeaderSize)
	for i := range root {
		raw[36+i] = root[31-i]
	}
	raw = append(append(append(raw, 2), decode(coinbase)...), decode(signed)...)
	c, err := bitcoin.ReadContents(raw)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := c.Plain(1)
	if err != nil || len(plain) >= len(signed)/2 {
		t.Fatalf("%d bytes, %v", len(plain), err)
	}
	if tx, err := bitcoin.DecodeTx(plain, 1); err != nil || tx.ID != ids[1] {
		t.Errorf("%s, %v; want %s", tx.ID, err, ids[1])
	}
	if first, err := c.Plain(0); err != nil || hex.EncodeToString(first) != coinbase {
		t.Errorf("coinbase %x, %v", first, err)
	}
	if height, ok := bitcoin.CoinbaseHeight(decode(coinbase)); !ok || height != 900000 {
		t.Errorf("height %d, %v", height, ok)
	}
}

func FuzzContents(f *testing.F) {
	f.Add(make([]byte, 200))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := bitcoin.ReadContents(raw)
		if err != nil {
			return
		}
		plain, err := c.Plain(0)
		if err != nil {
			t.Fatal(err)
		}
		bitcoin.CoinbaseHeight(plain)
		tx, err := bitcoin.DecodeTx(plain, 0)
		if err == nil && !c.Header.Contains(tx.ID, 0, c.Branch(0)) {
			t.Error("a branch does not prove its transaction")
		}
	})
}
