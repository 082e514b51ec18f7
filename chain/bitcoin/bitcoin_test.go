package bitcoin_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// genesisHex is the first block of the main network.
const genesisHex = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// shared reads a file of real data that does not ship with the project.
func shared(tb testing.TB, name string) []byte {
	tb.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "bitcoin", name)
	packed, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		tb.Skipf("real data is missing: %s", path)
	}
	if err != nil {
		tb.Fatal(err)
	}
	reader, err := zstd.NewReader(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer reader.Close()
	raw, err := reader.DecodeAll(packed, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func TestGenesis(t *testing.T) {
	b, err := bitcoin.Decode(unhex(t, genesisHex), 0, bitcoin.Mainnet, bitcoin.WithWork)
	if err != nil {
		t.Fatal(err)
	}
	if b.Hash != bitcoin.Mainnet.Genesis || b.Time != 1231006505 || b.Provenance != ledger.Proven || len(b.Txs) != 1 {
		t.Errorf("%+v", b)
	}
	tx := b.Txs[0]
	if tx.ID.String() != "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b" || !tx.Coinbase || tx.Inputs != nil {
		t.Errorf("%+v", tx)
	}
	o := tx.Outputs[0]
	address := bitcoin.Notation{Network: bitcoin.Mainnet}.FormatAddress(o.Address)
	if o.Value != 50_0000_0000 || !o.Unspendable || address != "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa" {
		t.Errorf("%+v at %s", o, address)
	}
}

// TestRealBlocks proves three larger blocks: consolidations of 2015, and blocks of
// 2021 with segwit.
func TestRealBlocks(t *testing.T) {
	for name, want := range map[string]struct {
		height ledger.Height
		txs    int
		hash   string
	}{
		"block_367891.raw.zst": {367891, 420, ""},
		"block_696394.raw.zst": {696394, 2291, ""},
		"block_702861.raw.zst": {702861, 2500, ""},
	} {
		raw := shared(t, name)
		height, ok := bitcoin.HeightOf(raw)
		if !ok || height != want.height {
			t.Errorf("%s states height %d, %v", name, height, ok)
		}
		b, err := bitcoin.Decode(raw, height, bitcoin.Mainnet, bitcoin.WithWork)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(b.Txs) != want.txs {
			t.Errorf("%s: %d transactions, want %d", name, len(b.Txs), want.txs)
		}
		compareWithBtcd(t, raw, b)
	}
}

// TestFeesOfARealBlock reconciles block 367,891: what its inputs bring, by their
// known previous outputs, less what its outputs take, is what its coinbase claims
// above the subsidy.
func TestFeesOfARealBlock(t *testing.T) {
	b, err := bitcoin.Decode(shared(t, "block_367891.raw.zst"), 367891, bitcoin.Mainnet, bitcoin.WithWork)
	if err != nil {
		t.Fatal(err)
	}
	var spent []struct {
		Txout struct{ Value uint64 }
	}
	if err := json.Unmarshal(shared(t, "spent_utxos.zst"), &spent); err != nil {
		t.Fatal(err)
	}
	made := map[ledger.Outpoint]uint64{}
	var in, out, claimed uint64
	for i := range b.Txs {
		tx := &b.Txs[i]
		for _, o := range tx.Inputs { // the list has every input, with 0 for parents in the block itself
			value, ok := made[o]
			if !ok {
				value = spent[0].Txout.Value
			}
			in += value
			spent = spent[1:]
		}
		for j, o := range tx.Outputs {
			made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = o.Value
			if tx.Coinbase {
				claimed += o.Value
			} else {
				out += o.Value
			}
		}
	}
	if len(spent) != 0 || in-out != claimed-bitcoin.Subsidy(367891) {
		t.Errorf("fees %d, the coinbase claims %d; %d previous outputs left", in-out, claimed-bitcoin.Subsidy(367891), len(spent))
	}
}

// compareWithBtcd decodes the same bytes with another implementation.
func compareWithBtcd(tb testing.TB, raw []byte, b *ledger.Block) {
	tb.Helper()
	var other wire.MsgBlock
	if err := other.Deserialize(bytes.NewReader(raw)); err != nil {
		tb.Fatalf("btcd: %v", err)
	}
	if other.BlockHash().String() != b.Hash.String() || len(other.Transactions) != len(b.Txs) {
		tb.Fatalf("block %s with %d transactions, btcd %s with %d", b.Hash, len(b.Txs), other.BlockHash(), len(other.Transactions))
	}
	for i, tx := range other.Transactions {
		mine := &b.Txs[i]
		if tx.TxHash().String() != mine.ID.String() || len(tx.TxOut) != len(mine.Outputs) || !mine.Coinbase && len(tx.TxIn) != len(mine.Inputs) {
			tb.Fatalf("transaction %d: %s, btcd %s", i, mine.ID, tx.TxHash())
		}
		for j := range mine.Inputs {
			if p := tx.TxIn[j].PreviousOutPoint; p.Hash.String() != mine.Inputs[j].Tx.String() || p.Index != mine.Inputs[j].Index {
				tb.Fatalf("input %d:%d: %v, btcd %v", i, j, mine.Inputs[j], p)
			}
		}
		for j, o := range tx.TxOut {
			if uint64(o.Value) != mine.Outputs[j].Value {
				tb.Fatalf("output %d:%d: %d, btcd %d", i, j, mine.Outputs[j].Value, o.Value)
			}
			compareOwner(tb, o.PkScript, mine.Outputs[j].Address)
		}
	}
}

// compareOwner compares the owner of a script with btcd's reading of it.
func compareOwner(tb testing.TB, script []byte, mine ledger.Address) {
	tb.Helper()
	class, addresses, _, err := txscript.ExtractPkScriptAddrs(script, &chaincfg.MainNetParams)
	if err != nil || len(addresses) != 1 || class == txscript.MultiSigTy {
		return
	}
	want := addresses[0].EncodeAddress()
	if class == txscript.PubKeyTy {
		_, ours := bitcoin.Classify(script)
		if ours != bitcoin.PubKey {
			tb.Fatalf("%x: class %d, btcd %s", script, ours, class)
		}
		return
	}
	if got := (bitcoin.Notation{Network: bitcoin.Mainnet}).FormatAddress(mine); got != want && mine.Kind != ledger.Script {
		tb.Fatalf("%x pays %s, btcd %s", script, got, want)
	}
}

// TestDamage flips, cuts and extends a real block: every damage is noticed, and
// none makes the decoder panic.
func TestDamage(t *testing.T) {
	raw := unhex(t, genesisHex)
	for i := range raw {
		for bit := range 8 {
			bad := bytes.Clone(raw)
			bad[i] ^= 1 << bit
			if _, err := bitcoin.Decode(bad, 0, bitcoin.Mainnet, bitcoin.WithWork); err == nil {
				t.Errorf("flipping bit %d of byte %d went unnoticed", bit, i)
			}
		}
		if _, err := bitcoin.Decode(raw[:i], 0, bitcoin.Mainnet, bitcoin.WithWork); err == nil {
			t.Errorf("cutting at byte %d went unnoticed", i)
		}
	}
	var located *bitcoin.DecodeError
	if _, err := bitcoin.Decode(append(bytes.Clone(raw), 0), 0, bitcoin.Mainnet, bitcoin.WithWork); !errors.As(err, &located) || located.Offset != len(raw) {
		t.Errorf("an extra byte: %v", err)
	}
}

// TestAddresses are the vectors of BIP-173 and BIP-350 and known Base58 addresses.
func TestAddresses(t *testing.T) {
	n := bitcoin.Notation{Network: bitcoin.Mainnet}
	for script, want := range map[string]string{
		"0014751e76e8199196d454941c45d1b3a323f1433bd6":                         "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
		"512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
		"76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac":                   "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
		"a914748284390f9e263a4b766a75d0633c50426eb87587":                       "3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V",
		"0020701a8d401c84fb13e6baf169d59684e17abd9fa216c8cc5b9fc63d622ff8c58d": "bc1qwqdg6squsna38e46795at95yu9atm8azzmyvckulcc7kytlcckxswvvzej",
	} {
		address, _ := bitcoin.Classify(unhex(t, script))
		if got := n.FormatAddress(address); got != want {
			t.Errorf("%s pays %s, want %s", script, got, want)
		}
		if back, err := n.ParseAddress(want); err != nil || back != address {
			t.Errorf("%s reads as %+v, %v", want, back, err)
		}
	}
	for _, bad := range []string{
		"", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", // bech32m where bech32 is due (BIP-350)
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "script:00", strings.Repeat("1", 100),
	} {
		if a, err := n.ParseAddress(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, a)
		}
	}
}

// TestClasses are scripts that have no address.
func TestClasses(t *testing.T) {
	key := "02" + strings.Repeat("11", 32)
	for script, want := range map[string]bitcoin.ScriptClass{
		"21" + key + "ac": bitcoin.PubKey, "5121" + key + "21" + key + "52ae": bitcoin.Multisig, "6a04deadbeef": bitcoin.NullData, "6a": bitcoin.NullData,
		"51024e73": bitcoin.WitnessUnknown, "": bitcoin.NonStandard, "51": bitcoin.NonStandard, "5121" + key + "52ae": bitcoin.NonStandard,
		"21" + "05" + strings.Repeat("11", 32) + "ac": bitcoin.NonStandard, strings.Repeat("51", 10_001): bitcoin.Oversized,
	} {
		address, got := bitcoin.Classify(unhex(t, script))
		if got != want {
			t.Errorf("%.40s is %d, want %d", script, got, want)
		}
		if owned := !address.IsZero(); owned != (want != bitcoin.NullData && want != bitcoin.Oversized) {
			t.Errorf("%.40s has owner %+v", script, address)
		}
	}
}

// TestTargets checks the difficulty rule on its first real step, at block 32,256.
func TestTargets(t *testing.T) {
	if got := bitcoin.NextBits(bitcoin.Mainnet, 0x1d00ffff, 1261130161, 1262152739); got != 0x1d00d86a {
		t.Errorf("got %08x, want 1d00d86a", got)
	}
	if got := bitcoin.NextBits(bitcoin.Mainnet, 0x1d00ffff, 0, 1<<31); got != 0x1d00ffff {
		t.Errorf("the target rose above the limit: %08x", got)
	}
	for height, want := range map[ledger.Height]uint64{0: 50_0000_0000, 209_999: 50_0000_0000, 210_000: 25_0000_0000, 840_000: 3_1250_0000, 210_000 * 70: 0} {
		if got := bitcoin.Subsidy(height); got != want {
			t.Errorf("subsidy at %d is %d, want %d", height, got, want)
		}
	}
	if _, ok := bitcoin.Target(0x1d80ffff); ok {
		t.Error("a negative target is accepted")
	}
}

// TestRandomBlocks decodes what btcd encodes.
func TestRandomBlocks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		raw := randomBlock(rt)
		b, err := bitcoin.Decode(raw, 5, bitcoin.Regtest, bitcoin.WithoutWork)
		if err != nil {
			rt.Fatal(err)
		}
		if b.Provenance != ledger.File {
			rt.Fatalf("a block without work is %s", b.Provenance)
		}
		compareWithBtcd(t, raw, b)
	})
}

func randomBlock(rt *rapid.T) []byte {
	block := wire.MsgBlock{Header: wire.BlockHeader{Version: 2, Bits: 0x207fffff}}
	var ids [][32]byte
	for i := range rapid.IntRange(1, 6).Draw(rt, "transactions") {
		tx := wire.NewMsgTx(2)
		for range rapid.IntRange(1, 3).Draw(rt, "inputs") {
			in := &wire.TxIn{SignatureScript: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "script"), Sequence: 7}
			copy(in.PreviousOutPoint.Hash[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "parent"))
			in.PreviousOutPoint.Hash[0] |= 1
			if rapid.Bool().Draw(rt, "witness") {
				in.Witness = wire.TxWitness{rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(rt, "item")}
			}
			tx.AddTxIn(in)
			if i == 0 {
				in.PreviousOutPoint = wire.OutPoint{Index: 1<<32 - 1}
				break
			}
		}
		for range rapid.IntRange(1, 4).Draw(rt, "outputs") {
			tx.AddTxOut(wire.NewTxOut(rapid.Int64Range(0, 1e12).Draw(rt, "value"), rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(rt, "owner")))
		}
		block.Transactions = append(block.Transactions, tx)
		ids = append(ids, tx.TxHash())
	}
	block.Header.MerkleRoot = merkle(ids)
	var out bytes.Buffer
	if err := block.Serialize(&out); err != nil {
		rt.Fatal(err)
	}
	return out.Bytes()
}

func merkle(level [][32]byte) [32]byte {
	for len(level) > 1 {
		var next [][32]byte
		for i := 0; i < len(level); i += 2 {
			pair := append(bytes.Clone(level[i][:]), level[min(i+1, len(level)-1)][:]...)
			once := sha256.Sum256(pair)
			next = append(next, sha256.Sum256(once[:]))
		}
		level = next
	}
	return level[0]
}

// TestRepeatedTail refuses the twin of a block whose last transactions are listed
// again, which has the same root (CVE-2012-2459).
func TestRepeatedTail(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var block wire.MsgBlock
		raw := randomBlock(rt)
		if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
			rt.Fatal(err)
		}
		if len(block.Transactions)%2 == 0 {
			rt.Skip("the tail does not repeat")
		}
		block.Transactions = append(block.Transactions, block.Transactions[len(block.Transactions)-1])
		var out bytes.Buffer
		if err := block.Serialize(&out); err != nil {
			rt.Fatal(err)
		}
		if _, err := bitcoin.Decode(out.Bytes(), 5, bitcoin.Regtest, bitcoin.WithoutWork); err == nil {
			rt.Fatal("accepted")
		}
	})
}

// FuzzDecode looks for panics, and for blocks that btcd reads differently.
func FuzzDecode(f *testing.F) {
	genesis, err := hex.DecodeString(genesisHex)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genesis)
	f.Add(genesis[:100])
	f.Add(append(bytes.Clone(genesis[:81]), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, raw []byte) {
		bitcoin.HeightOf(raw)
		if b, err := bitcoin.Decode(raw, 1, bitcoin.Mainnet, bitcoin.WithoutWork); err == nil {
			compareWithBtcd(t, raw, b)
		}
	})
}

// FuzzParseAddress checks that whatever is read is written back the same.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "script:", "bc1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := bitcoin.Notation{Network: bitcoin.Mainnet}
		address, err := n.ParseAddress(text)
		if err != nil {
			return
		}
		if back, err := n.ParseAddress(n.FormatAddress(address)); err != nil || back != address {
			t.Fatalf("%q: %+v, then %+v, %v", text, address, back, err)
		}
	})
}

// BenchmarkDecode decodes a real block of 2021.
func BenchmarkDecode(b *testing.B) {
	raw := shared(b, "block_702861.raw.zst")
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := bitcoin.Decode(raw, 702861, bitcoin.Mainnet, bitcoin.WithWork); err != nil {
			b.Fatal(err)
		}
	}
}
