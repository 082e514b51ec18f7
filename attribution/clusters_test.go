package attribution_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/cluster/files"
	"coldtrail/attribution/coinjoin"
	"coldtrail/attribution/label"
	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

// union joins addresses without anything that the product uses.
type union map[ledger.Address]ledger.Address

func (u union) root(a ledger.Address) ledger.Address {
	for u[a] != a {
		if _, known := u[a]; !known {
			u[a] = a
			return a
		}
		a = u[a]
	}
	return a
}

func (u union) join(a, b ledger.Address) { u[u.root(a)] = u.root(b) }

// clusters lists the members of every cluster of two or more.
func (u union) clusters() map[ledger.Address][]ledger.Address {
	list := map[ledger.Address][]ledger.Address{}
	for a := range u {
		r := u.root(a)
		list[r] = append(list[r], a)
	}
	return list
}

// TestRealCoSpend: on the first 14,132 blocks of Bitcoin the clusters are exactly those
// of an independent union of every transaction's input addresses.
func TestRealCoSpend(t *testing.T) {
	const file = "../testdata/bitcoin/blk_0_to_14131.dat.zst"
	source, err := blkfile.Open(t.Context(), file, blkfile.Options{Network: bitcoin.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	s, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	want := union{}
	owner := map[ledger.Outpoint]ledger.Address{}
	multi := 0
	var batch []*ledger.Block
	flush := func() {
		if err := s.Append(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		batch = batch[:0]
	}
	for b, err := range source.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Txs {
			tx := &b.Txs[i]
			for _, in := range tx.Inputs {
				want.join(owner[tx.Inputs[0]], owner[in])
			}
			if len(tx.Inputs) > 1 {
				multi++
			}
			for j := range tx.Outputs {
				owner[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = tx.Outputs[j].Address
				want.root(tx.Outputs[j].Address)
			}
		}
		if batch = append(batch, b); len(batch) == 1000 {
			flush()
		}
	}
	flush()
	folder := t.TempDir()
	for range 2 { // the second time from the files, with nothing left to do
		kept, space, err := files.Open(folder, ledger.UTXO)
		if err != nil {
			t.Fatal(err)
		}
		c, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, space, attribution.ClusterOptions{Notation: bitcoin.Notation{Network: bitcoin.Mainnet}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		joined, addresses := 0, 0
		for _, members := range want.clusters() {
			addresses += len(members)
			joined += min(len(members), 2) / 2
			checkOwner(t, c, members)
		}
		t.Logf("%d transactions with several inputs; %d addresses, %d clusters of two or more", multi, addresses, joined)
		if multi != 72 || c.Height() != 14_131 {
			t.Errorf("%d transactions with several inputs, height %d", multi, c.Height())
		}
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkOwner wants exactly these members in one cluster.
func checkOwner(t *testing.T, c *attribution.Clusters, members []ledger.Address) {
	t.Helper()
	got, err := c.OwnerOf(t.Context(), members[0], c.Height(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Members) != len(members) || int(got.Size) != len(members) {
		t.Fatalf("%d members, want %d", len(got.Members), len(members))
	}
	for _, m := range members {
		if !slices.Contains(got.Members, m) {
			t.Fatalf("%v is missing", m)
		}
	}
}

// naive applies the rules to whole transactions, with their real addresses.
func naive(blocks []*ledger.Block, upTo ledger.Height, rules []*cluster.Rule) union {
	u, made, seen := union{}, map[ledger.Outpoint]ledger.Output{}, map[ledger.Address]bool{}
	for _, b := range blocks {
		if b.Height > upTo {
			break
		}
		for i := range b.Txs {
			tx := &b.Txs[i]
			r := ledger.Resolved{ID: tx.ID, Height: b.Height, Coinbase: tx.Coinbase, Outputs: tx.Outputs}
			for _, in := range tx.Inputs {
				r.Inputs = append(r.Inputs, made[in])
			}
			var facts cluster.Facts
			for j := range tx.Outputs {
				a := tx.Outputs[j].Address
				facts.Outputs = append(facts.Outputs, cluster.Known{SeenBefore: seen[a], Received: 1})
				if !a.IsZero() {
					u.root(a)
				}
			}
			if f, ok := coinjoin.Recognise(&r); ok && f.Confidence >= coinjoin.Threshold && !f.Entry || coinjoin.Stonewall(&r) {
				facts.Excluded = cluster.Mixing
			}
			if tx.Open {
				facts.Excluded = cluster.AnyoneCanPay
			}
			for _, rule := range rules {
				edges, _ := rule.InTx(&r, &facts)
				for _, e := range edges {
					u.join(e.A, e.B)
				}
			}
			for j := range tx.Outputs {
				made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = tx.Outputs[j]
				seen[tx.Outputs[j].Address] = true
			}
		}
	}
	return u
}

// named reads and writes the addresses of random ledgers.
type named struct{}

func (named) FormatAddress(a ledger.Address) string            { return string(a.Bytes()) }
func (named) ParseAddress(text string) (ledger.Address, error) { return ledger.NameAddress(text) }

// varyKinds gives the names of a random block addresses of several kinds.
func varyKinds(b *ledger.Block) {
	kinds := []ledger.AddressKind{ledger.P2PKH, ledger.P2WPKH, ledger.P2SH, ledger.P2WSH}
	for i := range b.Txs {
		for j := range b.Txs[i].Outputs {
			if o := &b.Txs[i].Outputs[j]; !o.Address.IsZero() {
				kind := kinds[int(o.Address.Payload[o.Address.Size-1])%len(kinds)]
				size := map[bool]int{true: 32, false: 20}[kind == ledger.P2WSH]
				o.Address = ledger.NewAddress(kind, o.Address.Payload[:size])
			}
		}
	}
}

// TestIncremental: whatever blocks came and were taken back, clusters brought up to date
// step by step are those grown at once, and those of a naive model on whole
// transactions, at every height; in memory and in files that were closed or left open.
func TestIncremental(t *testing.T) {
	one, err := cluster.RuleNamed("change:one-time")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		rules := []*cluster.Rule{cluster.CoSpend}
		if rapid.Bool().Draw(rt, "change") {
			rules = append(rules, one)
		}
		options := attribution.ClusterOptions{Rules: rules, Notation: named{}}
		s := memory.New()
		space := cluster.InMemory(ledger.UTXO)
		var held []*ledger.Block
		for branch := range rapid.IntRange(1, 3).Draw(rt, "branches") {
			blocks := storetest.UTXOBlocks(rt, storetest.Shape{Blocks: 5, Names: 12, Whole: storetest.Complete})
			for _, b := range blocks { // the generator's hashes do not tell branches apart, and it has one kind of address
				varyKinds(b)
				b.Hash[31] = byte(branch)
				if b.Height > 0 {
					b.Parent[31] = byte(branch)
				}
			}
			if len(held) > 0 { // another branch from the beginning on: it shares nothing
				if err := s.Rewind(t.Context(), held[0].Chain, 0); err != nil {
					rt.Fatal(err)
				}
			}
			held = blocks
			for _, b := range blocks {
				if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
					rt.Fatal(err)
				}
				if rapid.Bool().Draw(rt, "sync") {
					open(rt, s, b.Chain, space, options)
				}
			}
			if len(blocks) > 2 && rapid.Bool().Draw(rt, "rewind") {
				at := blocks[rapid.IntRange(1, len(blocks)-1).Draw(rt, "to")].Height
				if err := s.Rewind(t.Context(), blocks[0].Chain, at); err != nil {
					rt.Fatal(err)
				}
				held = slices.DeleteFunc(held, func(b *ledger.Block) bool { return b.Height >= at })
			}
		}
		if len(held) == 0 {
			return
		}
		c := open(rt, s, held[0].Chain, space, options)
		fresh := open(rt, s, held[0].Chain, cluster.InMemory(ledger.UTXO), options)
		for _, b := range held {
			compareOwners(rt, naive(held, b.Height, rules), b.Height, c, fresh)
		}
	})
}

func open(t *rapid.T, s store.Store, chain ledger.Chain, space *cluster.Space, options attribution.ClusterOptions) *attribution.Clusters {
	c, err := attribution.OpenClusters(context.Background(), s, chain, space, options)
	if err == nil {
		err = c.Sync(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// compareRoots wants the same root of addresses of one owner, and another of every other.
func compareRoots(t *rapid.T, want union, as ledger.Height, c *attribution.Clusters) {
	stranger, _ := ledger.NameAddress("a stranger")
	addresses, of := []ledger.Address{stranger}, []ledger.Address{stranger}
	for root, members := range want.clusters() {
		for _, m := range members {
			addresses, of = append(addresses, m), append(of, root)
		}
	}
	roots, err := c.Roots(context.Background(), addresses, as)
	if err != nil {
		t.Fatal(err)
	}
	if roots[0] != cluster.Nobody {
		t.Fatalf("a stranger's root is %d", roots[0])
	}
	for i := range roots {
		for j := range roots {
			if (roots[i] == roots[j]) != (of[i] == of[j]) {
				t.Fatalf("at %d roots of %s and %s are %d and %d", as, addresses[i].Bytes(), addresses[j].Bytes(), roots[i], roots[j])
			}
		}
	}
}

func compareOwners(t *rapid.T, want union, as ledger.Height, all ...*attribution.Clusters) {
	for _, c := range all {
		compareRoots(t, want, as, c)
	}
	for root, members := range want.clusters() {
		for _, c := range all {
			got, err := c.OwnerOf(context.Background(), root, as, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Members) != len(members) {
				t.Fatalf("at %d the cluster of %s has %d members, want %d", as, root.Bytes(), len(got.Members), len(members))
			}
			for _, m := range members {
				if !slices.Contains(got.Members, m) {
					t.Fatalf("at %d %s is not with %s", as, m.Bytes(), root.Bytes())
				}
				reasons, ok, err := c.Why(context.Background(), root, m, as)
				if err != nil || !ok || len(reasons) == 0 && m != root {
					t.Fatalf("at %d nothing explains %s with %s: %v", as, root.Bytes(), m.Bytes(), err)
				}
			}
		}
	}
}

// chainOf makes a small ledger: two people, each with coins of his own, and one mix that
// a rule took for a payment.
func chainOf(t *testing.T, s store.Store) (merge ledger.Hash) {
	t.Helper()
	address := func(name string) ledger.Address {
		a, err := ledger.NameAddress(name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	id := func(n int) ledger.Hash { return ledger.Hash{0: 1, 31: byte(n)} }
	var txs []ledger.Tx
	for i, to := range []string{"a1", "a2", "a3", "b1", "b2", "b3"} {
		txs = append(txs, ledger.Tx{ID: id(i), Coinbase: true, Outputs: []ledger.Output{{Value: 100, Address: address(to)}, {Value: 100, Address: address(to)}, {Value: 100, Address: address(to)}}})
	}
	spend := func(n int, from ...ledger.Outpoint) {
		txs = append(txs, ledger.Tx{ID: id(n), Inputs: from, Outputs: []ledger.Output{{Value: 1, Address: address("shop")}}})
	}
	at := func(tx int, n uint32) ledger.Outpoint { return ledger.Outpoint{Tx: id(tx), Index: n} }
	spend(10, at(0, 0), at(1, 0))
	spend(11, at(1, 1), at(2, 0), at(0, 1))
	spend(12, at(3, 0), at(4, 0))
	spend(13, at(4, 1), at(5, 0), at(3, 1))
	spend(14, at(2, 1), at(5, 1)) // the mistake
	for i := range txs {
		b := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(i), Hash: ledger.Hash{31: byte(100 + i)}, Time: int64(i), Txs: txs[i : i+1]}
		if i > 0 {
			b.Parent = ledger.Hash{31: byte(99 + i)}
		}
		if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
			t.Fatal(err)
		}
	}
	return id(14)
}

// TestCut: a cluster that names two actors is found; the transaction that joined them
// is named; once an analyst rules it out they are two, and one again when he takes that
// back. Time travel sees them apart before it.
func TestCut(t *testing.T) {
	s := memory.New()
	merge := chainOf(t, s)
	space := cluster.InMemory(ledger.UTXO)
	options := attribution.ClusterOptions{Notation: named{}}
	claims := []label.Claim{}
	for address, actor := range map[string]string{"a1": "binance", "b2": "kraken", "b3": "kraken"} {
		claims = append(claims, label.Claim{Subject: label.SubjectOf(ledger.Bitcoin, address), Label: actor, Actor: actor, By: "a desk", Score: 60, Learned: 1})
	}
	if _, err := s.AddClaims(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	sizes := func(cuts ...ledger.Hash) (list []uint32) {
		options.Cuts = cuts
		c, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, space, options)
		if err == nil {
			err = c.Sync(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a1", "b1"} {
			a, _ := ledger.NameAddress(name)
			for _, as := range []ledger.Height{9, 10} {
				o, err := c.OwnerOf(t.Context(), a, as, 0)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, o.Size)
			}
		}
		clashes, err := c.Clashes(t.Context(), label.When{})
		if err != nil || (len(clashes) > 0) != (len(cuts) == 0) {
			t.Errorf("clashes %+v, %v", clashes, err)
		}
		if len(clashes) > 0 {
			checkGuard(t, c, merge, &clashes[0])
		}
		return list
	}
	for range 2 {
		if got := sizes(); !slices.Equal(got, []uint32{3, 6, 3, 6}) {
			t.Errorf("before: %v", got)
		}
		if got := sizes(merge); !slices.Equal(got, []uint32{3, 3, 3, 3}) {
			t.Errorf("after: %v", got)
		}
	}
	nobody, _ := ledger.NameAddress("nobody")
	c, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, space, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.OwnerOf(t.Context(), nobody, 10, 0); !errors.Is(err, attribution.ErrNoMember) {
		t.Errorf("%v", err)
	}
}

func checkGuard(t *testing.T, c *attribution.Clusters, merge ledger.Hash, clash *attribution.Clash) {
	t.Helper()
	a1, _ := ledger.NameAddress("a1")
	b3, _ := ledger.NameAddress("b3")
	if clash.First != a1 || clash.Size != 6 || len(clash.Claims) != 2 || clash.Claims[0].Actor != "binance" || clash.Claims[1].Actor != "kraken" {
		t.Errorf("%+v", clash)
	}
	x, err := c.Examine(t.Context(), b3, map[ledger.Address]string{a1: "binance", b3: "kraken"}, 10)
	if err != nil || x.Addresses != 6 || len(x.Weak) == 0 || x.Weak[0].Tx != merge || x.Weak[0].Apart != 1 || !slices.Equal(x.Weak[0].Parts, []uint32{3, 3}) {
		t.Errorf("%+v %v", x, err)
	}
	reasons, ok, err := c.Why(t.Context(), a1, b3, 100)
	if err != nil || !ok || !slices.ContainsFunc(reasons, func(r attribution.Reason) bool { return r.Tx == merge && r.Rule == cluster.CoSpend }) {
		t.Errorf("%+v %v", reasons, err)
	}
	merges, err := c.Merges(t.Context(), 3, 10)
	if err != nil || len(merges) != 1 || merges[0].Tx != merge || merges[0].Smaller != 3 {
		t.Errorf("%+v %v", merges, err)
	}
}

// TestOpen: a transaction that others may have added inputs to joins nobody, and is no
// evidence for what is joined.
func TestOpen(t *testing.T) {
	for _, open := range []bool{false, true} {
		address := func(name string) ledger.Address {
			a, err := ledger.NameAddress(name)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		var txs []ledger.Tx
		for i, to := range []string{"a1", "a2", "b1"} {
			txs = append(txs, ledger.Tx{ID: ledger.Hash{1, byte(i)}, Coinbase: true, Outputs: []ledger.Output{{Value: 100, Address: address(to)}, {Value: 100, Address: address(to)}}})
		}
		spend := func(id byte, open bool, from ...byte) {
			tx := ledger.Tx{ID: ledger.Hash{2, id}, Open: open, Outputs: []ledger.Output{{Value: 1, Address: address("shop")}}}
			for _, n := range from {
				tx.Inputs = append(tx.Inputs, ledger.Outpoint{Tx: ledger.Hash{1, n}, Index: uint32(id)})
			}
			txs = append(txs, tx)
		}
		spend(0, false, 0, 1)
		spend(1, open, 1, 2) // a sale: the buyer added his input to the seller's
		for i := range txs {
			txs[i].Index = uint32(i)
		}
		blocks := []*ledger.Block{{Chain: ledger.Bitcoin, Hash: ledger.Hash{3}, Time: 1, Txs: txs}}
		kept, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]store.Store{"memory": memory.New(), "embedded": kept} {
			if err := s.Append(t.Context(), blocks); err != nil {
				t.Fatal(err)
			}
			c, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, cluster.InMemory(ledger.UTXO), attribution.ClusterOptions{Notation: named{}})
			if err == nil {
				err = c.Sync(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			want := []ledger.Address{address("a1"), address("a2")}
			if !open {
				want = append(want, address("b1"))
			}
			checkOwner(t, c, want)
			x, err := c.Examine(t.Context(), address("a1"), nil, 10)
			if err != nil || int(x.Addresses) != len(want) || len(x.Weak) != len(want)-1 {
				t.Errorf("%s, open %v: %+v, %v", name, open, x, err)
			}
		}
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCreated: an account's contract is its own from the creating transaction on, and is
// found by either; what a factory made is nobody's.
func TestCreated(t *testing.T) {
	account := func(b byte) ledger.Address { return ledger.NewAddress(ledger.EVMAccount, append(make([]byte, 19), b)) }
	creation := func(contract, creator byte) ledger.Message {
		by := account(creator)
		return ledger.Message{Kind: ledger.Creation, Contract: account(contract), Data: by.Bytes()}
	}
	s := memory.New()
	for i, m := range []ledger.Message{creation(10, 1), creation(11, 20), creation(12, 1)} {
		tx := ledger.Tx{ID: ledger.Hash{byte(i + 1)}, Fee: ledger.Fee{Payer: account(1), Burned: ledger.NewAmount(1)}, Messages: []ledger.Message{m}}
		b := &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(i), Hash: ledger.Hash{9, byte(i)}, Time: int64(i), Txs: []ledger.Tx{tx}}
		if err := s.Append(t.Context(), []*ledger.Block{b}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := attribution.OpenClusters(t.Context(), s, ledger.Ethereum, cluster.InMemory(ledger.Account), attribution.ClusterOptions{Rules: []*cluster.Rule{cluster.Creator}, Notation: evm.Notation{}})
	if err == nil {
		err = c.Sync(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	checkOwner(t, c, []ledger.Address{account(12), account(1), account(10)})
	for as, want := range []uint32{2, 2, 3} {
		if o, err := c.OwnerOf(t.Context(), account(10), ledger.Height(as), 9); err != nil || o.Size != want {
			t.Errorf("as of block %d: %+v, %v", as, o, err)
		}
	}
	if o, err := c.OwnerOf(t.Context(), account(11), 9, 9); err == nil && o.Size > 1 {
		t.Errorf("what a factory made: %+v", o)
	}
}

// TestFiles: a forest that was killed while it was first grown begins anew; one in files
// that nobody closed goes on from its last block; one whose files are cut short begins
// anew.
func TestFiles(t *testing.T) {
	s := memory.New()
	chainOf(t, s)
	folder := t.TempDir()
	a1, _ := ledger.NameAddress("a1")
	for round := range 5 {
		kept, space, err := files.Open(folder, ledger.UTXO)
		if err != nil {
			t.Fatal(err)
		}
		blocks := space.Counts[2]
		if want := map[int]uint64{0: 0, 1: 0, 2: 11, 3: 11, 4: 0}[round]; blocks != want {
			t.Errorf("round %d begins with %d blocks, want %d", round, blocks, want)
		}
		c, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, space, attribution.ClusterOptions{Notation: named{}})
		if err == nil {
			err = c.Sync(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if o, err := c.OwnerOf(t.Context(), a1, 100, 10); err != nil || o.Size != 6 {
			t.Errorf("round %d: %+v %v", round, o, err)
		}
		if round != 0 && round != 2 { // these are never closed
			if err := kept.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if round == 3 {
			if err := os.Truncate(folder+"/nodes", 8); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := files.Open(fmt.Sprint(folder, "/nodes"), ledger.UTXO); err == nil {
		t.Error("a file was opened as a folder")
	}
}
