package coinjoin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"coldtrail/attribution/coinjoin"
	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

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

// resolve gives the transactions of a real block their inputs, as far as the block and
// its witnesses show them.
func resolve(tb testing.TB, raw []byte, height ledger.Height, made map[ledger.Outpoint]ledger.Output) []ledger.Resolved {
	tb.Helper()
	block, err := bitcoin.Decode(raw, height, bitcoin.Mainnet, bitcoin.WithWork)
	if err != nil {
		tb.Fatal(err)
	}
	var wired wire.MsgBlock
	if err := wired.Deserialize(bytes.NewReader(raw)); err != nil {
		tb.Fatal(err)
	}
	txs := make([]ledger.Resolved, len(block.Txs))
	for i := range block.Txs {
		tx := &block.Txs[i]
		txs[i] = ledger.Resolved{ID: tx.ID, Height: height, Index: tx.Index, Coinbase: tx.Coinbase, Outputs: tx.Outputs}
		for j, o := range tx.Inputs {
			in, ok := made[o]
			if !ok {
				in.Address = fromWitness(tb, wired.Transactions[i].TxIn[j])
			}
			txs[i].Inputs = append(txs[i].Inputs, in)
		}
		for j, o := range tx.Outputs {
			made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = o
		}
	}
	return txs
}

// fromWitness is the owner of an input that spends P2WPKH: its witness is a signature
// and a compressed key, and no script stands beside it.
func fromWitness(tb testing.TB, in *wire.TxIn) ledger.Address {
	tb.Helper()
	if len(in.SignatureScript) > 0 || len(in.Witness) != 2 || len(in.Witness[1]) != 33 {
		return ledger.Address{}
	}
	// A script that pays to a bare key is filed under the key's hash.
	address, class := bitcoin.Classify(append(append([]byte{33}, in.Witness[1]...), 0xac))
	if class != bitcoin.PubKey {
		return ledger.Address{}
	}
	return ledger.NewAddress(ledger.P2WPKH, address.Bytes())
}

// verdict is what is found in a real transaction.
type verdict struct {
	Rule         string
	Confidence   uint8
	Mixed        int
	Participants int
}

func verdicts(txs []ledger.Resolved) (found map[string]verdict, stonewalls []string) {
	found = map[string]verdict{}
	for i := range txs {
		if f, ok := coinjoin.Recognise(&txs[i]); ok {
			found[txs[i].ID.String()] = verdict{f.Rule.Name, f.Confidence, len(f.Mixed), f.Participants}
		}
		if coinjoin.Stonewall(&txs[i]) {
			stonewalls = append(stonewalls, txs[i].ID.String())
		}
	}
	return found, stonewalls
}

// TestBlocksOf2021 looks at two real blocks whose inputs are known by their witnesses
// alone, without values. Looked at by hand: the seven of five inputs are Whirlpool's (five
// different keys, five P2WPKH outputs of a pool's size and nothing else); the one of 100
// inputs is a round of Wasabi 1 (60 outputs of 0.10944832, 17 near its doublings up to
// the sixteenfold, changes). The six that have the shape of a Stonewall cannot be judged
// from the chain: two equal outputs beside one or two others.
func TestBlocksOf2021(t *testing.T) {
	mix := verdict{"whirlpool", 50, 5, 5}
	for name, want := range map[string]struct {
		height     ledger.Height
		found      map[string]verdict
		stonewalls []string
	}{
		"block_696394.raw.zst": {696394, map[string]verdict{}, []string{
			"9bac135b47d295dd73fff3a5f324a37cc314d9f9fd67b7d66a8a31072459e540",
			"7f2ae52c55a093a302a1242f14284fc1630dcdedd46e9c5cd2a59fe42904a1d8",
			"8d0d7baa75a4f72b930473579b293cb10a9e8bae1699f05ebe8af2455046a286",
		}},
		"block_702861.raw.zst": {702861, map[string]verdict{
			"d6b212a663c85b03fb391fe69c59520e61b8a5970678ef7f376889a145e215a6": mix,
			"c57e3e496a6bb496498b54632b2637472c59feb7a3b0485121140425f115cb51": mix,
			"c31d23f5e8b881bc3339a918e71cadc4622f73c5a1f68aadd4741e0da7e66756": mix,
			"e2e92bcdca6104f82deaa31f221d71c47cfdcebe64db924484be98dd9662d29b": mix,
			"f35a8cdd9b490213af78692c2bb88dcf17dae0649447c94786f59e3a884cb2ce": mix,
			"cba457a11d9674afa95ba12187306d70978baf6396c5ee476272ea41670e8ae2": mix,
			"118970792f15cdb90645be0d265ba6c04ab3f3d36a16efe2c4b97801a730b3fa": mix,
			"5c2f55fc17854a18f447d74e32356c9ff6faf43bf937ed13611857b2bb3fef3a": {"wasabi1-coordinator", 80, 77, 60},
		}, []string{
			"1631a276c3739acf5fe876e075a1c948fdfd7805cef4ca08e117a834b12414a8",
			"a18d2f472af0313bcca5bac36f13cbd9eae93784a19c97b9a6a69f58ccba4a2f",
		}},
	} {
		txs := resolve(t, shared(t, name), want.height, map[ledger.Outpoint]ledger.Output{})
		found, stonewalls := verdicts(txs)
		t.Logf("%s: %d transactions, %d coinjoins, %d of the shape of a Stonewall", name, len(txs), len(found), len(stonewalls))
		if diff := cmp.Diff(want.found, found); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want.stonewalls, stonewalls); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestBlockOf2015 looks at a real block of the year JoinMarket began, with all previous
// outputs: consolidations and payments, and no coinjoin.
func TestBlockOf2015(t *testing.T) {
	raw := shared(t, "block_367891.raw.zst")
	var spent []struct {
		Txout struct {
			Value  uint64
			Script string `json:"script_pubkey"`
		}
	}
	if err := json.Unmarshal(shared(t, "spent_utxos.zst"), &spent); err != nil {
		t.Fatal(err)
	}
	made := map[ledger.Outpoint]ledger.Output{}
	txs := resolve(t, raw, 367891, made)
	unknown := 0
	for i := range txs {
		for j := range txs[i].Inputs { // the list has every input, empty for parents in the block itself
			if in := &txs[i].Inputs[j]; in.Address.IsZero() {
				in.Value = spent[0].Txout.Value
				in.Address, _ = bitcoin.Classify(unhex(t, spent[0].Txout.Script))
				if in.Value == 0 {
					unknown++
				}
			}
			spent = spent[1:]
		}
	}
	found, stonewalls := verdicts(txs)
	t.Logf("%d transactions, %d inputs without value", len(txs), unknown)
	if len(spent) != 0 || len(found) != 0 {
		t.Errorf("found %v, %d previous outputs left", found, len(spent))
	}
	if diff := cmp.Diff([]string{"bd3445f1eb5697d5ed98f64a81953583ffc5767d698c6f70929326bb15e02f51"}, stonewalls); diff != "" {
		t.Error(diff)
	}
}

// TestBlocksOf2009 looks at the first 14,132 blocks, years before the first coinjoin.
func TestBlocksOf2009(t *testing.T) {
	raw := shared(t, "blk_0_to_14131.dat.zst")
	made := map[ledger.Outpoint]ledger.Output{}
	height, spends := ledger.Height(0), 0
	for len(raw) >= 8 && raw[0] != 0 { // the file ends in zeros
		size := int(raw[4]) | int(raw[5])<<8 | int(raw[6])<<16
		txs := resolve(t, raw[8:8+size], height, made)
		found, stonewalls := verdicts(txs)
		if len(found)+len(stonewalls) > 0 {
			t.Errorf("height %d: %v, %v", height, found, stonewalls)
		}
		raw, height, spends = raw[8+size:], height+1, spends+len(txs)-1
	}
	if height != 14_132 || spends < 100 {
		t.Errorf("%d blocks with %d payments", height, spends)
	}
}
