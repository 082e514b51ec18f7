package cluster_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck // HASH160 is defined by it
	"pgregory.net/rapid"

	"coldtrail/attribution/cluster"
	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/ledger"
)

// owner makes an address of a kind out of a letter.
func owner(kind ledger.AddressKind, name byte) ledger.Address {
	return ledger.NewAddress(kind, []byte{name, 1, 2, 3})
}

func key(name byte) ledger.Address    { return owner(ledger.P2PKH, name) }
func segwit(name byte) ledger.Address { return owner(ledger.P2WPKH, name) }

func coin(value uint64, a ledger.Address) ledger.Output {
	return ledger.Output{Value: value, Address: a}
}

// payment is a transaction at height 100.
func payment(inputs, outputs []ledger.Output) *ledger.Resolved {
	return &ledger.Resolved{ID: ledger.Hash{7}, Height: 100, Inputs: inputs, Outputs: outputs}
}

func TestCoSpend(t *testing.T) {
	a, b, c := key('a'), key('b'), key('c')
	paid := []ledger.Output{coin(50, key('x'))}
	scriptHash := func(script string) ledger.Address {
		once := sha256.Sum256([]byte(script))
		h := ripemd160.New()
		h.Write(once[:])
		return ledger.NewAddress(ledger.P2SH, h.Sum(nil))
	}
	classify := func(script string) ledger.Address {
		address, _ := bitcoin.Classify([]byte(script))
		return address
	}
	witness := func(script string) ledger.Address {
		hash := sha256.Sum256([]byte(script))
		return ledger.NewAddress(ledger.P2WSH, hash[:])
	}
	for name, test := range map[string]struct {
		tx       *ledger.Resolved
		excluded cluster.Exclusion
		want     []ledger.Address // tied to a
		why      cluster.Exclusion
	}{
		"two inputs":                        {payment([]ledger.Output{coin(9, a), coin(9, b)}, paid), "", []ledger.Address{b}, ""},
		"three inputs, one twice":           {payment([]ledger.Output{coin(9, a), coin(9, b), coin(9, a), coin(9, c), coin(9, b)}, paid), "", []ledger.Address{b, c}, ""},
		"one input":                         {payment([]ledger.Output{coin(9, a)}, paid), "", nil, cluster.OneAddress},
		"one address, many inputs":          {payment([]ledger.Output{coin(9, a), coin(8, a)}, paid), "", nil, cluster.OneAddress},
		"no inputs":                         {payment(nil, paid), "", nil, cluster.OneAddress},
		"an unknown parent among two":       {payment([]ledger.Output{{}, coin(9, a), coin(9, b)}, paid), "", []ledger.Address{b}, ""},
		"only one known":                    {payment([]ledger.Output{{}, coin(9, a)}, paid), "", nil, cluster.OneAddress},
		"a coinjoin":                        {payment([]ledger.Output{coin(9, a), coin(9, b)}, paid), cluster.Mixing, nil, cluster.Mixing},
		"a listed false merge":              {payment([]ledger.Output{coin(9, a), coin(9, b)}, paid), cluster.FalseMerge, nil, cluster.FalseMerge},
		"signed with ANYONECANPAY":          {payment([]ledger.Output{coin(9, a), coin(9, b)}, paid), cluster.AnyoneCanPay, nil, cluster.AnyoneCanPay},
		"a caller's own reason":             {payment([]ledger.Output{coin(9, a), coin(9, b)}, paid), "disputed", nil, "disputed"},
		"a coinbase":                        {&ledger.Resolved{Coinbase: true, Outputs: paid}, "", nil, cluster.NewCoins},
		"pay-to-anchor is nobody's":         {payment([]ledger.Output{coin(9, a), coin(240, classify("\x51\x02\x4e\x73"))}, paid), "", nil, cluster.OneAddress},
		"the empty script is nobody's":      {payment([]ledger.Output{coin(9, a), coin(9, classify(""))}, paid), "", nil, cluster.OneAddress},
		"OP_TRUE is nobody's":               {payment([]ledger.Output{coin(9, classify("\x51")), coin(9, a), coin(9, b)}, paid), "", []ledger.Address{b}, ""},
		"OP_TRUE behind P2SH is nobody's":   {payment([]ledger.Output{coin(9, a), coin(9, scriptHash("\x51"))}, paid), "", nil, cluster.OneAddress},
		"nothing behind P2SH is nobody's":   {payment([]ledger.Output{coin(9, a), coin(9, scriptHash(""))}, paid), "", nil, cluster.OneAddress},
		"OP_TRUE behind P2WSH is nobody's":  {payment([]ledger.Output{coin(9, a), coin(9, witness("\x51"))}, paid), "", nil, cluster.OneAddress},
		"OP_2 is not known to be nobody's":  {payment([]ledger.Output{coin(9, a), coin(9, classify("\x52"))}, paid), "", []ledger.Address{classify("\x52")}, ""},
		"a Lightning anchor is nobody's":    {payment([]ledger.Output{coin(9, a), coin(330, owner(ledger.P2WSH, 'l'))}, paid), "", nil, cluster.OneAddress},
		"P2WSH of another value is owned":   {payment([]ledger.Output{coin(9, a), coin(331, owner(ledger.P2WSH, 'l'))}, paid), "", []ledger.Address{owner(ledger.P2WSH, 'l')}, ""},
		"330 satoshi of a key are its own":  {payment([]ledger.Output{coin(9, a), coin(330, b)}, paid), "", []ledger.Address{b}, ""},
		"an unspendable output is no owner": {payment([]ledger.Output{coin(9, a), {Value: 9, Unspendable: true}}, paid), "", nil, cluster.OneAddress},
	} {
		edges, why := cluster.CoSpend.InTx(test.tx, &cluster.Facts{Excluded: test.excluded})
		if why != test.why || len(edges) != len(test.want) {
			t.Errorf("%s: %v, %q", name, edges, why)
			continue
		}
		for i, e := range edges {
			if (e != cluster.Edge{A: a, B: test.want[i], Rule: cluster.CoSpend, Tx: ledger.Hash{7}, Height: 100, Confidence: 90}) {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}

// TestPayJoin: what is suspected, and by how little it is not.
func TestPayJoin(t *testing.T) {
	in := []ledger.Output{coin(1_000_000, key('a')), coin(2_000_000, segwit('b'))}
	for name, test := range map[string]struct {
		tx   *ledger.Resolved
		want cluster.Exclusion
	}{
		"the payee adds an input":               {payment(in, []ledger.Output{coin(2_345_678, segwit('c')), coin(600_000, key('d'))}), cluster.PayJoin},
		"inputs of one type":                    {payment([]ledger.Output{coin(1_000_000, key('a')), coin(2_000_000, key('b'))}, []ledger.Output{coin(2_345_678, key('c')), coin(600_000, key('d'))}), ""},
		"the larger output is round":            {payment(in, []ledger.Output{coin(2_350_000, segwit('c')), coin(600_000, key('d'))}), ""},
		"the larger output is as an input":      {payment(in, []ledger.Output{coin(2_000_000, segwit('c')), coin(600_001, key('d'))}), ""},
		"three outputs":                         {payment(in, []ledger.Output{coin(2_345_678, segwit('c')), coin(1, key('d')), coin(1, key('e'))}), ""},
		"data outputs do not count":             {payment(in, []ledger.Output{coin(2_345_678, segwit('c')), coin(1, key('d')), {Unspendable: true}}), cluster.PayJoin},
		"one output":                            {payment(in, []ledger.Output{coin(2_345_678, segwit('c'))}), ""},
		"an unknown input does not hide it":     {payment(append([]ledger.Output{{}}, in...), []ledger.Output{coin(2_345_678, segwit('c')), coin(600_000, key('d'))}), cluster.PayJoin},
		"an unknown input is no type by itself": {payment([]ledger.Output{{}, coin(5, key('a')), coin(6, key('b'))}, []ledger.Output{coin(9, key('c')), coin(1, key('d'))}), ""},
	} {
		edges, why := cluster.CoSpend.InTx(test.tx, nil)
		if why != test.want || (len(edges) == 0) != (test.want != "") {
			t.Errorf("%s: %v, %q", name, edges, why)
		}
	}
}

// anyTx draws a transaction of few addresses and any values.
func anyTx(rt *rapid.T) *ledger.Resolved {
	output := rapid.Custom(func(rt *rapid.T) ledger.Output {
		if rapid.IntRange(0, 9).Draw(rt, "sort") == 0 {
			return ledger.Output{Unspendable: rapid.Bool().Draw(rt, "unspendable")}
		}
		kind := rapid.SampledFrom([]ledger.AddressKind{ledger.P2PKH, ledger.P2WPKH, ledger.P2WSH}).Draw(rt, "kind")
		value := rapid.OneOf(rapid.Uint64Range(0, 50_000), rapid.Uint64(), rapid.Just(uint64(330))).Draw(rt, "value")
		return coin(value, owner(kind, rapid.ByteRange('a', 'f').Draw(rt, "name")))
	})
	return &ledger.Resolved{
		ID: ledger.Hash{rapid.Byte().Draw(rt, "id")}, Height: 5, Coinbase: rapid.IntRange(0, 9).Draw(rt, "coinbase") == 0,
		Inputs: rapid.SliceOfN(output, 0, 6).Draw(rt, "inputs"), Outputs: rapid.SliceOfN(output, 0, 6).Draw(rt, "outputs"),
	}
}

// TestCoSpendHolds: edges join all known inputs into one group and touch nothing else.
func TestCoSpendHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tx := anyTx(rt)
		edges, why := cluster.CoSpend.InTx(tx, nil)
		if (len(edges) == 0) == (why == cluster.Included) {
			rt.Fatalf("%d edges and %q", len(edges), why)
		}
		inputs, joined := map[ledger.Address]bool{}, map[ledger.Address]bool{}
		for _, in := range tx.Inputs {
			if !in.Address.IsZero() && (in.Address.Kind != ledger.P2WSH || in.Value != 330) {
				inputs[in.Address] = true
			}
		}
		for _, e := range edges {
			if e.A == e.B || !inputs[e.A] || !inputs[e.B] || e.A != edges[0].A || e.Height != tx.Height || e.Tx != tx.ID {
				rt.Fatalf("%+v", e)
			}
			joined[e.A], joined[e.B] = true, true
		}
		if why == cluster.Included && len(joined) != len(inputs) || why == cluster.OneAddress && len(inputs) > 1 {
			rt.Fatalf("%d of %d inputs joined, %q", len(joined), len(inputs), why)
		}
	})
}

// unpacked reads real data that does not ship with the project.
func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	packed, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("real data is missing: %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	reader, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	raw, err := reader.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// early is the chain of 2009 with what every transaction spends.
func early(t *testing.T) (list []*ledger.Resolved) {
	t.Helper()
	source, err := blkfile.Open(t.Context(), "../../testdata/bitcoin/blk_0_to_14131.dat.zst", blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}()
	made := map[ledger.Outpoint]ledger.Output{}
	for b, err := range source.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Txs {
			tx := &b.Txs[i]
			r := &ledger.Resolved{ID: tx.ID, Height: b.Height, Index: tx.Index, Time: b.Time, Coinbase: tx.Coinbase, Outputs: tx.Outputs}
			for _, o := range tx.Inputs {
				r.Inputs = append(r.Inputs, made[o])
			}
			for j, o := range tx.Outputs {
				made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = o
			}
			list = append(list, r)
		}
	}
	return list
}

// groups counts what edges leave of addresses: a model of union by relabelling.
func groups(edges []cluster.Edge) (addresses, groups, largest int) {
	of := map[ledger.Address]int{}
	members := map[int][]ledger.Address{}
	for i, e := range edges {
		for j, a := range []ledger.Address{e.A, e.B} {
			if _, ok := of[a]; !ok {
				of[a] = 2*i + j
				members[2*i+j] = []ledger.Address{a}
			}
		}
		x, y := of[e.A], of[e.B]
		if x == y {
			continue
		}
		for _, a := range members[y] {
			of[a] = x
		}
		members[x] = append(members[x], members[y]...)
		delete(members, y)
	}
	for _, list := range members {
		largest = max(largest, len(list))
	}
	return len(of), len(members), largest
}

// TestCoSpendOf2009 runs over the first 14,132 blocks.
func TestCoSpendOf2009(t *testing.T) {
	var edges []cluster.Edge
	why := map[cluster.Exclusion]int{}
	for _, tx := range early(t) {
		found, e := cluster.CoSpend.InTx(tx, nil)
		edges = append(edges, found...)
		why[e]++
	}
	addresses, clusters, largest := groups(edges)
	t.Logf("%d edges join %d addresses into %d clusters, the largest of %d; transactions by reason: %v", len(edges), addresses, clusters, largest, why)
	if len(edges) != 747 || addresses != 815 || clusters != 68 || largest != 70 || why[cluster.OneAddress] != 46 || why[cluster.PayJoin] != 0 {
		t.Error("not what it was")
	}
}

// TestConsolidationOf2015 runs over block 367,891, in which a pool cleared the outputs
// of a flood: 20,000 inputs need no key at all. No transaction spends them with others,
// so that they tie nobody here.
func TestConsolidationOf2015(t *testing.T) {
	const folder = "../../../shared/data/bitcoin/"
	b, err := bitcoin.Decode(unpacked(t, folder+"block_367891.raw.zst"), 367891, bitcoin.Mainnet, bitcoin.WithWork)
	if err != nil {
		t.Fatal(err)
	}
	var spent []struct {
		Txout struct {
			Value  uint64
			Script string `json:"script_pubkey"`
		}
	}
	if err := json.Unmarshal(unpacked(t, folder+"spent_utxos.zst"), &spent); err != nil {
		t.Fatal(err)
	}
	made := map[ledger.Outpoint]ledger.Output{}
	var edges []cluster.Edge
	why := map[cluster.Exclusion]int{}
	empty, _ := bitcoin.Classify(nil)
	keyless, shared := 0, 0
	for i := range b.Txs {
		tx := &b.Txs[i]
		r := &ledger.Resolved{ID: tx.ID, Height: b.Height, Index: tx.Index, Coinbase: tx.Coinbase, Outputs: tx.Outputs}
		for _, o := range tx.Inputs {
			from, inside := made[o]
			if !inside {
				script, err := hex.DecodeString(spent[0].Txout.Script)
				if err != nil {
					t.Fatal(err)
				}
				from.Value = spent[0].Txout.Value
				from.Address, _ = bitcoin.Classify(script)
			}
			spent = spent[1:]
			r.Inputs = append(r.Inputs, from)
		}
		for j, o := range tx.Outputs {
			made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = o
		}
		found, e := cluster.CoSpend.InTx(r, nil)
		edges = append(edges, found...)
		why[e]++
		open := 0
		for _, in := range r.Inputs {
			if in.Address == empty {
				open++
			}
		}
		if keyless += open; open > 0 && open < len(r.Inputs) {
			shared++
		}
	}
	addresses, clusters, largest := groups(edges)
	t.Logf("%d edges join %d addresses into %d clusters, the largest of %d; transactions by reason: %v", len(edges), addresses, clusters, largest, why)
	if len(edges) != 392 || addresses != 747 || clusters != 355 || largest != 20 || keyless != 20_000 || shared != 0 {
		t.Errorf("not what it was: %d inputs need no key, in %d transactions that have others", keyless, shared)
	}
	for _, e := range edges {
		if e.A == empty || e.B == empty {
			t.Errorf("%s is taken for an owner's: %+v", "the empty script", e)
		}
	}
}
