package bitcoin_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"coldtrail/chain/bitcoin"
)

// spend is a transaction of two inputs, of which a test signs the second.
func spend() *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	for i := range 2 {
		in := &wire.TxIn{Sequence: 7}
		in.PreviousOutPoint.Hash[0] = byte(i + 1)
		tx.AddTxIn(in)
	}
	tx.AddTxOut(wire.NewTxOut(1000, bytes.Repeat([]byte{0x51}, 5)))
	return tx
}

// opens decodes a transaction alone and says whether it is open.
func opens(tb interface{ Fatal(...any) }, tx *wire.MsgTx) bool {
	var out bytes.Buffer
	if err := tx.Serialize(&out); err != nil {
		tb.Fatal(err)
	}
	got, err := bitcoin.DecodeTx(out.Bytes(), 1)
	if err != nil {
		tb.Fatal(err)
	}
	return got.Open
}

// signers sign the second input of a transaction, each in another form.
func signers(t *testing.T) map[string]func(tx *wire.MsgTx, sort txscript.SigHashType) error {
	t.Helper()
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	owner := append([]byte{0x00, 0x14}, make([]byte, 20)...)
	redeem := append(append([]byte{0x51, 0x21}, key.PubKey().SerializeCompressed()...), 0x51, 0xae)
	taproot, err := txscript.PayToTaprootScript(key.PubKey())
	if err != nil {
		t.Fatal(err)
	}
	leaf := txscript.NewBaseTapLeaf(append(append([]byte{0x20}, bytes.Repeat([]byte{3}, 32)...), 0xac))
	hashes := func(tx *wire.MsgTx, script []byte) *txscript.TxSigHashes {
		return txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(script, 5000))
	}
	control := append([]byte{0xc1}, make([]byte, 32+32)...)
	scriptPath := func(tx *wire.MsgTx, sort txscript.SigHashType, rest ...[]byte) error {
		signature, err := txscript.RawTxInTapscriptSignature(tx, hashes(tx, taproot), 1, 5000, taproot, leaf, sort, key)
		tx.TxIn[1].Witness = append(wire.TxWitness{signature, leaf.Script, control}, rest...)
		return err
	}
	return map[string]func(tx *wire.MsgTx, sort txscript.SigHashType) error{
		"P2PKH": func(tx *wire.MsgTx, sort txscript.SigHashType) (err error) {
			tx.TxIn[1].SignatureScript, err = txscript.SignatureScript(tx, 1, owner, sort, key, true)
			return err
		},
		"P2SH multisig": func(tx *wire.MsgTx, sort txscript.SigHashType) error {
			signature, err := txscript.RawTxInSignature(tx, 1, redeem, sort, key)
			script := append([]byte{0x00, byte(len(signature))}, signature...)
			tx.TxIn[1].SignatureScript = append(append(script, 0x4c, byte(len(redeem))), redeem...)
			return err
		},
		"P2WPKH": func(tx *wire.MsgTx, sort txscript.SigHashType) (err error) {
			tx.TxIn[1].Witness, err = txscript.WitnessSignature(tx, hashes(tx, owner), 1, 5000, owner, sort, key, true)
			return err
		},
		"P2WSH multisig": func(tx *wire.MsgTx, sort txscript.SigHashType) error {
			signature, err := txscript.RawTxInWitnessSignature(tx, hashes(tx, redeem), 1, 5000, redeem, sort, key)
			tx.TxIn[1].Witness = wire.TxWitness{nil, signature, redeem}
			return err
		},
		"P2TR key": func(tx *wire.MsgTx, sort txscript.SigHashType) (err error) {
			tx.TxIn[1].Witness, err = txscript.TaprootWitnessSignature(tx, hashes(tx, taproot), 1, 5000, taproot, sort, key)
			return err
		},
		"P2TR key with annex": func(tx *wire.MsgTx, sort txscript.SigHashType) error {
			witness, err := txscript.TaprootWitnessSignature(tx, hashes(tx, taproot), 1, 5000, taproot, sort, key)
			tx.TxIn[1].Witness = append(witness, []byte{0x50, 1})
			return err
		},
		"P2TR script":            func(tx *wire.MsgTx, sort txscript.SigHashType) error { return scriptPath(tx, sort) },
		"P2TR script with annex": func(tx *wire.MsgTx, sort txscript.SigHashType) error { return scriptPath(tx, sort, []byte{0x50}) },
	}
}

// TestOpen signs as wallets do: a transaction is open exactly where the hash type says
// ANYONECANPAY, whatever else it says.
func TestOpen(t *testing.T) {
	for form, sign := range signers(t) {
		for _, sort := range []txscript.SigHashType{txscript.SigHashAll, txscript.SigHashNone, txscript.SigHashSingle} {
			for _, bit := range []txscript.SigHashType{0, txscript.SigHashAnyOneCanPay} {
				tx := spend()
				tx.AddTxOut(wire.NewTxOut(1, nil))
				if err := sign(tx, sort|bit); err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if got := opens(t, tx); got != (bit != 0) {
					t.Errorf("%s with hash type %02x: open is %v", form, sort|bit, got)
				}
			}
		}
	}
	tx := spend()
	if err := signers(t)["P2TR key"](tx, txscript.SigHashDefault); err != nil || opens(t, tx) {
		t.Errorf("the default hash type signs every input: %v", err)
	}
}

// TestOnlyAlike are items that look much like a signature that opens a transaction.
func TestOnlyAlike(t *testing.T) {
	der := append(unhex(t, "3006020101020101"), 0x81)
	long := slices.Concat([]byte{0x30, 70, 2, 33}, bytes.Repeat([]byte{1}, 33), []byte{2, 33}, bytes.Repeat([]byte{1}, 33), []byte{0x83})
	schnorr := append(bytes.Repeat([]byte{9}, 64), 0x83)
	control := append([]byte{0xc0}, make([]byte, 32)...)
	with := func(item []byte, at int, value byte) []byte {
		item = bytes.Clone(item)
		item[at] = value
		return item
	}
	many := slices.Repeat([][]byte{{1}}, 300)
	for name, c := range map[string]struct {
		witness [][]byte
		want    bool
	}{
		"the shortest":                      {[][]byte{der, {1}}, true},
		"the longest":                       {[][]byte{long, {1}}, true},
		"any hash type with the bit":        {[][]byte{with(der, 8, 0xff), {1}}, true},
		"without the bit":                   {[][]byte{with(der, 8, 0x7f), {1}}, false},
		"no sequence":                       {[][]byte{with(der, 0, 0x31), {1}}, false},
		"a length too long":                 {[][]byte{with(der, 1, 7), {1}}, false},
		"no integer":                        {[][]byte{with(der, 2, 3), {1}}, false},
		"an empty integer":                  {[][]byte{with(der, 3, 0), {1}}, false},
		"an integer beyond the end":         {[][]byte{with(der, 3, 255), {1}}, false},
		"an integer to the end":             {[][]byte{with(der, 3, 2), {1}}, false},
		"no second integer":                 {[][]byte{with(der, 5, 3), {1}}, false},
		"a second one too short":            {[][]byte{with(der, 6, 0), {1}}, false},
		"cut short":                         {[][]byte{der[1:], {1}}, false},
		"the only item":                     {[][]byte{der}, true},
		"among many":                        {append(slices.Clone(many), der), true},
		"Schnorr, key path":                 {[][]byte{schnorr}, true},
		"a hash type that is not valid":     {[][]byte{with(schnorr, 64, 0x80)}, false},
		"another that is not":               {[][]byte{with(schnorr, 64, 0x84)}, false},
		"64 bytes":                          {[][]byte{schnorr[1:]}, false},
		"66 bytes":                          {[][]byte{append([]byte{1}, schnorr...)}, false},
		"with a script behind it":           {[][]byte{schnorr, {0x51}}, false},
		"script path":                       {[][]byte{{1}, schnorr, {0x51}, control}, true},
		"script path, its script so long":   {[][]byte{{1}, schnorr, control}, false},
		"script path of another leaf":       {[][]byte{schnorr, {0x51}, with(control, 0, 0xc2)}, false},
		"a control block of another length": {[][]byte{schnorr, {0x51}, append(control, 1)}, false},
		"one of the greatest depth":         {[][]byte{schnorr, {0x51}, append(control, make([]byte, 32*128)...)}, true},
		"one beyond it":                     {[][]byte{schnorr, {0x51}, append(control, make([]byte, 32*129)...)}, false},
		"an annex alone":                    {[][]byte{{0x50}}, false},
		"nothing but an annex and nothing":  {[][]byte{{}, {0x50}}, false},
		"a key of P2WPKH":                   {[][]byte{{1}, append([]byte{2}, make([]byte, 32)...)}, false},
		"a control block alone":             {[][]byte{control}, false},
		"script and control block alone":    {[][]byte{schnorr, control}, false},
	} {
		tx := spend()
		tx.TxIn[0].Witness = c.witness
		if got := opens(t, tx); got != c.want {
			t.Errorf("%s: open is %v", name, got)
		}
	}
}

// TestInputScripts finds signatures among the pushes of an input script.
func TestInputScripts(t *testing.T) {
	const der = "300602010102010181"
	for script, want := range map[string]bool{
		"": false, "09" + der: true, "4c09" + der: true, "4d0900" + der: true, "4e09000000" + der: true,
		"00" + "76" + "09" + der: true, "0a" + der + "51": false, "08" + der: false, "4c0a" + der: false, "4c": false, "4d09": false, "4e090000": false,
		"4effffffff" + der: false, "4e00000080" + der: false, "ac09" + der: true, "0109" + der: false, "09" + strings.Repeat("00", 9) + "09" + der: true,
		der: false, "6a09" + der: true,
	} {
		if got := bitcoin.AnyoneCanPay(unhex(t, script)); got != want {
			t.Errorf("%s: %v", script, got)
		}
	}
}

// TestCoinbaseIsClosed: whatever a miner writes into its coinbase is no signature.
func TestCoinbaseIsClosed(t *testing.T) {
	tx := wire.NewMsgTx(2)
	in := &wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: 1<<32 - 1}, SignatureScript: unhex(t, "09300602010102010181")}
	in.Witness = wire.TxWitness{append(bytes.Repeat([]byte{9}, 64), 0x83)}
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(1, nil))
	var out bytes.Buffer
	if err := tx.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	if got, err := bitcoin.DecodeTx(out.Bytes(), 0); err != nil || got.Open || !got.Coinbase {
		t.Errorf("%+v, %v", got, err)
	}
}

// openByBtcd judges with btcd's tokens and its reading of signatures.
func openByBtcd(tx *wire.MsgTx) bool {
	isOpen := func(item []byte) bool {
		if len(item) == 0 || item[len(item)-1]&0x80 == 0 {
			return false
		}
		_, err := ecdsa.ParseDERSignature(item[:len(item)-1])
		return err == nil
	}
	for _, in := range tx.TxIn {
		tokens := txscript.MakeScriptTokenizer(0, in.SignatureScript)
		for tokens.Next() {
			if isOpen(tokens.Data()) {
				return true
			}
		}
		items := [][]byte(in.Witness)
		if slices.ContainsFunc(items, isOpen) {
			return true
		}
		if n := len(items); n > 1 && len(items[n-1]) > 0 && items[n-1][0] == txscript.TaprootAnnexTag {
			items = items[:n-1]
		}
		if n := len(items); n > 2 {
			if block, err := txscript.ParseControlBlock(items[n-1]); err != nil || block.LeafVersion != txscript.BaseLeafVersion {
				continue
			}
			items = items[:n-2]
		} else if n != 1 {
			continue
		}
		if slices.ContainsFunc(items, func(item []byte) bool { return len(item) == 65 && item[64] > 0x80 && item[64] < 0x84 }) {
			return true
		}
	}
	return false
}

// TestOpenInRealBlocks counts the transactions of real blocks that are open, and
// compares each with btcd's reading of its signatures.
func TestOpenInRealBlocks(t *testing.T) {
	for name, want := range map[string]int{"block_367891.raw.zst": 0, "block_696394.raw.zst": 2, "block_702861.raw.zst": 4} {
		raw := shared(t, name)
		height, _ := bitcoin.HeightOf(raw)
		b, err := bitcoin.Decode(raw, height, bitcoin.Mainnet, bitcoin.WithWork)
		if err != nil {
			t.Fatal(err)
		}
		var other wire.MsgBlock
		if err := other.Deserialize(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		open := 0
		for i, tx := range other.Transactions {
			if b.Txs[i].Open != (i > 0 && openByBtcd(tx)) {
				t.Errorf("%s: transaction %s: open is %v", name, b.Txs[i].ID, b.Txs[i].Open)
			}
			if b.Txs[i].Open {
				t.Logf("%s: %s is open", name, b.Txs[i].ID)
				open++
			}
		}
		if open != want {
			t.Errorf("%s: %d open transactions, want %d", name, open, want)
		}
	}
}

// TestOpenOfOne judges a transaction alone as in its block.
func TestOpenOfOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tx := spend()
		item := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 80),
			rapid.SampledFrom([][]byte{unhex(t, "300602010102010183"), append(bytes.Repeat([]byte{9}, 64), 0x81), append([]byte{0xc0}, make([]byte, 32)...), {0x50}}),
		)
		for _, in := range tx.TxIn {
			in.SignatureScript = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "script")
			in.Witness = rapid.SliceOfN(item, 0, 5).Draw(rt, "witness")
		}
		want := openByBtcd(tx)
		// btcd refuses numbers that no key can sign, and a script as soon as it breaks off.
		if got := opens(rt, tx); want && !got {
			rt.Fatalf("%v: closed, btcd finds it open", tx)
		}
	})
}

// FuzzAnyoneCanPay looks for panics.
func FuzzAnyoneCanPay(f *testing.F) {
	for _, seed := range []string{"09300602010102010181", "4e09000000300602010102010181", "4d"} {
		raw, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		tx := spend()
		tx.TxIn[0].SignatureScript = script
		tx.TxIn[1].Witness = wire.TxWitness{script, script}
		if got := opens(t, tx); bitcoin.AnyoneCanPay(script) && !got {
			t.Error("a script that opens its transaction does not")
		}
	})
}

// TestBlockIsOpen marks the transaction of a block whose input is open, and no other.
func TestBlockIsOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		raw := randomBlock(rt)
		b, err := bitcoin.Decode(raw, 5, bitcoin.Regtest, bitcoin.WithoutWork)
		if err != nil {
			rt.Fatal(err)
		}
		var block wire.MsgBlock
		if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
			rt.Fatal(err)
		}
		if len(block.Transactions) < 2 {
			return
		}
		at := rapid.IntRange(1, len(block.Transactions)-1).Draw(rt, "signed")
		if err := signers(t)["P2WPKH"](withInputs(block.Transactions[at]), txscript.SigHashAll|txscript.SigHashAnyOneCanPay); err != nil {
			rt.Fatal(err)
		}
		var ids [][32]byte
		for _, tx := range block.Transactions {
			ids = append(ids, tx.TxHash())
		}
		block.Header.MerkleRoot = merkle(ids)
		var out bytes.Buffer
		if err := block.Serialize(&out); err != nil {
			rt.Fatal(err)
		}
		marked, err := bitcoin.Decode(out.Bytes(), 5, bitcoin.Regtest, bitcoin.WithoutWork)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range marked.Txs {
			if want := i == at || b.Txs[i].Open; marked.Txs[i].Open != want {
				rt.Fatalf("transaction %d of %d, the signed one is %d: open is %v", i, len(marked.Txs), at, marked.Txs[i].Open)
			}
		}
	})
}

// withInputs gives a transaction a second input, which a test signs.
func withInputs(tx *wire.MsgTx) *wire.MsgTx {
	for len(tx.TxIn) < 2 {
		in := &wire.TxIn{Sequence: 7}
		in.PreviousOutPoint.Hash[3] = 0xdd
		tx.AddTxIn(in)
	}
	return tx
}
