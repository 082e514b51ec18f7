package attribution_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/memory"
	"coldtrail/store/storetest"
)

const (
	ether  = ledger.Asset("eip155:1/slip44:60")
	tokenA = ledger.Asset("eip155:1/erc20:0x00000000000000000000000000000000000000aa")
	tokenB = ledger.Asset("eip155:1/erc20:0x00000000000000000000000000000000000000bb")
)

func who(t *testing.T, name string) ledger.Address {
	t.Helper()
	a, err := ledger.NameAddress(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func hashOf(text string) ledger.Hash { return ledger.Hash(sha256.Sum256([]byte(text))) }

// minutes are blocks a minute apart, each with one transaction.
func minutes(chain ledger.Chain, txs ...ledger.Tx) []*ledger.Block {
	blocks := make([]*ledger.Block, len(txs))
	for i := range txs {
		blocks[i] = &ledger.Block{
			Chain: chain, Height: ledger.Height(i + 1), Hash: hashOf(fmt.Sprint("block", i)), Time: 1_700_000_000 + int64(i)*60,
			Provenance: ledger.File, Txs: txs[i : i+1],
		}
		if i > 0 {
			blocks[i].Parent = blocks[i-1].Hash
		}
	}
	return blocks
}

// pays is an account transaction of movements "from to asset amount".
func pays(t *testing.T, id string, moves ...string) ledger.Tx {
	t.Helper()
	assets := map[string]ledger.Asset{"eth": ether, "aa": tokenA, "bb": tokenB}
	tx := ledger.Tx{ID: hashOf(id)}
	for _, move := range moves {
		var from, to, asset string
		var amount uint64
		if _, err := fmt.Sscan(move, &from, &to, &asset, &amount); err != nil {
			t.Fatal(move, err)
		}
		tx.Transfers = append(tx.Transfers, ledger.Transfer{From: who(t, from), To: who(t, to), Asset: assets[asset], Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog})
		tx.Fee.Payer = who(t, from)
	}
	return tx
}

func kept(t *testing.T, blocks []*ledger.Block) store.Store {
	t.Helper()
	s := memory.New()
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	return s
}

// plain are options without any dust, with two tokens of the tests.
func plain() *attribution.ConductOptions {
	p := attribution.ConductParameters()
	p.Listed = map[ledger.Asset]bool{tokenA: true, tokenB: true}
	p.Limits = map[ledger.Asset]behaviour.Limits{}
	return &attribution.ConductOptions{Notation: named{}, Parameters: p}
}

func conducted(t *testing.T, s store.Store, chain ledger.Chain, of string, o *attribution.ConductOptions) *attribution.Conducted {
	t.Helper()
	got, err := attribution.Conduct(t.Context(), s, chain, who(t, of), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// of are the findings of one pattern, as their transactions.
func of(got *attribution.Conducted, pattern *behaviour.Pattern) (found []string) {
	for i := range got.Findings {
		if f := &got.Findings[i]; f.Pattern == pattern.Name {
			var txs []string
			for _, tx := range f.Txs {
				txs = append(txs, tx.String())
			}
			found = append(found, strings.Join(txs, " "))
		}
	}
	return found
}

func ids(names ...string) string {
	for i := range names {
		names[i] = hashOf(names[i]).String()
	}
	return strings.Join(names, " ")
}

// TestConductLayering follows what a thief paid through four addresses that each pass it
// on, past what they did in a token that nobody lists; a fifth that was paid twice ends it.
func TestConductLayering(t *testing.T) {
	s := kept(t, minutes(ledger.Ethereum,
		pays(t, "a", "victim thief eth 1000"), pays(t, "b", "thief one eth 600", "thief rest eth 400"),
		pays(t, "c", "one two eth 590"), pays(t, "d", "two three eth 580"), pays(t, "e", "three four eth 570"),
		pays(t, "x", "two anybody bb 7"), pays(t, "f", "four five eth 560"), pays(t, "y", "stranger five eth 1"), pays(t, "g", "five six eth 560"),
	))
	o := plain()
	delete(o.Parameters.Listed, tokenB)
	got := conducted(t, s, ledger.Ethereum, "thief", o)
	if found := of(got, behaviour.LayeringPattern); !slices.Equal(found, []string{ids("b", "c", "d", "e", "f")}) || len(got.LeftOut) != 0 {
		t.Errorf("%v, left out %v", found, got.LeftOut)
	}
	f := got.Findings[len(got.Findings)-1]
	if want := []ledger.Address{who(t, "one"), who(t, "two"), who(t, "three"), who(t, "four")}; !slices.Equal(f.Addresses, want) {
		t.Errorf("hops %v", f.Addresses)
	}
	// Were the token real, the second hop's record would still have one receipt and one
	// sending of ether; as of a block before the fourth hop sent, there are three hops.
	o.AsOf = 6
	if found := of(conducted(t, s, ledger.Ethereum, "thief", o), behaviour.LayeringPattern); found != nil {
		t.Errorf("as of block 6: %v", found)
	}
	// A path that may not be followed to its end says so.
	o.AsOf, o.Bounds.Path = 0, 3
	got = conducted(t, s, ledger.Ethereum, "thief", o)
	if found := of(got, behaviour.LayeringPattern); found != nil || len(got.LeftOut) != 1 || !strings.Contains(got.LeftOut[0], "a path beyond four: at most 3 hops") {
		t.Errorf("%v, left out %v", found, got.LeftOut)
	}
	o.Bounds = attribution.Bounds{Hops: 1}
	if got = conducted(t, s, ledger.Ethereum, "thief", o); len(got.LeftOut) == 0 || !strings.Contains(strings.Join(got.LeftOut, "\n"), "at most 1 hops are followed") {
		t.Errorf("left out %v", got.LeftOut)
	}
}

// TestConductRoundTrip: ether leaves, is swapped for a token and that for another by
// those it was paid to, and the second token comes back; as of the block before, it has
// not.
func TestConductRoundTrip(t *testing.T) {
	s := kept(t, minutes(ledger.Ethereum,
		pays(t, "a", "subject trader eth 500"), pays(t, "b", "trader pool eth 500", "pool trader aa 90"), pays(t, "c", "trader second aa 90"),
		pays(t, "d", "second mill aa 90", "other second bb 30"), pays(t, "e", "second subject bb 30"),
	))
	got := conducted(t, s, ledger.Ethereum, "subject", plain())
	if found := of(got, behaviour.RoundTripPattern); !slices.Equal(found, []string{ids("a", "b", "c", "d", "e")}) {
		t.Errorf("%v", found)
	}
	o := plain()
	if o.AsOf = 4; of(conducted(t, s, ledger.Ethereum, "subject", o), behaviour.RoundTripPattern) != nil {
		t.Error("it came back before it did")
	}
	// An address that got the token from others too may have sent on theirs.
	twice := kept(t, minutes(ledger.Ethereum,
		pays(t, "0", "stranger second aa 5"), pays(t, "a", "subject trader eth 500"), pays(t, "b", "trader pool eth 500", "pool trader aa 90"),
		pays(t, "c", "trader second aa 90"), pays(t, "d", "second mill aa 90", "other second bb 30"), pays(t, "e", "second subject bb 30"),
	))
	if found := of(conducted(t, twice, ledger.Ethereum, "subject", plain()), behaviour.RoundTripPattern); found != nil {
		t.Errorf("through an address with two receipts: %v", found)
	}
	o = plain()
	if o.Pattern = behaviour.FanOut; len(conducted(t, s, ledger.Ethereum, "subject", o).Findings) != 0 {
		t.Error("a pattern was found that nobody asked for")
	}
	o.Pattern = behaviour.LayeringPattern
	if got := conducted(t, s, ledger.Ethereum, "subject", o); len(got.Findings) != 0 {
		t.Errorf("%+v", got.Findings)
	}
	o.Pattern = behaviour.RoundTripPattern
	if got := conducted(t, s, ledger.Ethereum, "subject", o); len(got.Findings) != 1 {
		t.Errorf("%+v", got.Findings)
	}
}

// TestConductChange: where a rule decides the change, that goes on, although it is the
// smaller output; a payment of most of the coin is then no peel.
func TestConductChange(t *testing.T) {
	out := func(to string, value uint64) ledger.Output { return ledger.Output{Value: value, Address: who(t, to)} }
	s := kept(t, minutes(ledger.Bitcoin,
		ledger.Tx{ID: hashOf("m"), Coinbase: true, Outputs: []ledger.Output{out("n0", 10_000)}},
		ledger.Tx{ID: hashOf("m2"), Coinbase: true, Outputs: []ledger.Output{out("shop", 5_000)}},
		ledger.Tx{ID: hashOf("pay"), Inputs: []ledger.Outpoint{{Tx: hashOf("m")}}, Outputs: []ledger.Output{out("shop", 8_000), out("n1", 2_000)}},
		ledger.Tx{ID: hashOf("m3"), Coinbase: true, Outputs: []ledger.Output{out("n1", 7)}},
	))
	o := plain()
	o.Parameters.Peel.Steps = 1
	if found := of(conducted(t, s, ledger.Bitcoin, "n0", o), behaviour.PeelPattern); !slices.Equal(found, []string{ids("pay")}) {
		t.Errorf("by the larger output: %v", found)
	}
	var err error
	if o.Change, err = cluster.ParseChange("fresh"); err != nil {
		t.Fatal(err)
	}
	if found := of(conducted(t, s, ledger.Bitcoin, "n0", o), behaviour.PeelPattern); found != nil {
		t.Errorf("by the fresh output: %v", found)
	}
	// A change address that is paid again is none, but that is known only then.
	if o.Change, err = cluster.ParseChange("meiklejohn"); err != nil {
		t.Fatal(err)
	}
	if found := of(conducted(t, s, ledger.Bitcoin, "n0", o), behaviour.PeelPattern); !slices.Equal(found, []string{ids("pay")}) {
		t.Errorf("by the output that is not paid again: %v", found)
	}
	o.AsOf = 3
	if found := of(conducted(t, s, ledger.Bitcoin, "n0", o), behaviour.PeelPattern); found != nil {
		t.Errorf("before it was: %v", found)
	}
	o.Parameters.Peel.Peeled = 8_000
	got := conducted(t, s, ledger.Bitcoin, "n0", o)
	if found := of(got, behaviour.PeelPattern); !slices.Equal(found, []string{ids("pay")}) || got.Findings[len(got.Findings)-1].Parties[0] != who(t, "shop") {
		t.Errorf("80 %% allowed: %+v", got.Findings)
	}
}

// chainOfPeels is a coin of 10,000 from which 1,000 satoshi are paid six times to a shop
// that was paid before.
func chainOfPeels(t *testing.T, last ledger.Tx) []*ledger.Block {
	t.Helper()
	out := func(to string, value uint64) ledger.Output { return ledger.Output{Value: value, Address: who(t, to)} }
	txs := []ledger.Tx{
		{ID: hashOf("m"), Coinbase: true, Outputs: []ledger.Output{out("n0", 10_000)}},
		{ID: hashOf("m2"), Coinbase: true, Outputs: []ledger.Output{out("shop", 5_000)}},
	}
	rest := uint64(10_000)
	from := ledger.Outpoint{Tx: hashOf("m")}
	for i := range 6 {
		tx := ledger.Tx{ID: hashOf(fmt.Sprint("peel", i)), Inputs: []ledger.Outpoint{from}}
		rest -= 1_000
		tx.Outputs = []ledger.Output{out("shop", 1_000), out(fmt.Sprint("n", i+1), rest)}
		from = ledger.Outpoint{Tx: tx.ID, Index: 1}
		txs = append(txs, tx)
	}
	return minutes(ledger.Bitcoin, append(txs, last)...)
}

// TestConductPeel follows a peel chain from its first address, from the middle, from a
// transaction, and up to a height. A payment of everything at the end is no peel.
func TestConductPeel(t *testing.T) {
	last := ledger.Tx{ID: hashOf("end"), Inputs: []ledger.Outpoint{{Tx: hashOf("peel5"), Index: 1}}, Outputs: []ledger.Output{{Value: 4_000, Address: who(t, "n7")}}}
	s := kept(t, chainOfPeels(t, last))
	whole := ids("peel0", "peel1", "peel2", "peel3", "peel4", "peel5")
	for _, rule := range []string{"", "score", "one-time", "fresh"} {
		o := plain()
		if rule != "" {
			var err error
			if o.Change, err = cluster.ParseChange(rule); err != nil {
				t.Fatal(err)
			}
		}
		if found := of(conducted(t, s, ledger.Bitcoin, "n0", o), behaviour.PeelPattern); !slices.Equal(found, []string{whole}) {
			t.Errorf("by %q: %v", rule, found)
		}
		if found := of(conducted(t, s, ledger.Bitcoin, "n1", o), behaviour.PeelPattern); !slices.Equal(found, []string{ids("peel1", "peel2", "peel3", "peel4", "peel5")}) {
			t.Errorf("from the middle by %q: %v", rule, found)
		}
		got, err := attribution.ConductFrom(t.Context(), s, ledger.Bitcoin, hashOf("peel0"), o)
		if found := of(got, behaviour.PeelPattern); err != nil || !slices.Equal(found, []string{whole}) {
			t.Errorf("from the transaction by %q: %v, %v", rule, found, err)
		}
		o.AsOf = 7 // the sixth payment is in block 8
		if found := of(conducted(t, s, ledger.Bitcoin, "n0", o), behaviour.PeelPattern); !slices.Equal(found, []string{ids("peel0", "peel1", "peel2", "peel3", "peel4")}) {
			t.Errorf("as of block 7 by %q: %v", rule, found)
		}
		o.AsOf, o.Bounds.Path = 0, 5
		if got := conducted(t, s, ledger.Bitcoin, "n0", o); len(got.LeftOut) != 1 || !strings.Contains(got.LeftOut[0], "a peel chain beyond transaction "+hashOf("peel4").String()) {
			t.Errorf("left out %v", got.LeftOut)
		}
	}
	if _, err := attribution.ConductFrom(t.Context(), s, ledger.Bitcoin, hashOf("nothing"), plain()); err == nil || !strings.Contains(err.Error(), "holds no transaction") {
		t.Errorf("%v", err)
	}
}

// TestConductLabels: labels count by what they are a kind of, and by the name of their
// actor; a coinjoin is use of a mixer.
func TestConductLabels(t *testing.T) {
	s := kept(t, minutes(ledger.Ethereum,
		pays(t, "a", "subject p1 eth 5"), pays(t, "b", "subject p2 eth 5"), pays(t, "c", "subject p3 eth 5"), pays(t, "d", "subject mix eth 5"),
		pays(t, "e", "mix subject eth 4"),
	))
	var claims []label.Claim
	for i, concept := range []string{"escrow_wallet", "ico_wallet", "exchange"} {
		claims = append(claims, label.Claim{
			Subject: label.SubjectOf(ledger.Ethereum, fmt.Sprint("p", i+1)), Label: fmt.Sprint("Wallet ", i), Actor: fmt.Sprint("actor", i), Concept: concept, By: "test", Score: 80, Learned: 1,
		})
	}
	claims = append(claims, label.Claim{Subject: label.SubjectOf(ledger.Ethereum, "mix"), Label: "Mix", Concept: "mixing_service", By: "test", Score: 80, Learned: 1})
	if _, err := s.AddClaims(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	o := plain()
	o.View = attribution.NewView(s, label.When{}, 0)
	got := conducted(t, s, ledger.Ethereum, "subject", o)
	if found := of(got, behaviour.ExchangeHopping); !slices.Equal(found, []string{ids("a", "b", "c")}) {
		t.Errorf("hopping %v", found)
	}
	if found := of(got, behaviour.MixerUse); !slices.Equal(found, []string{ids("d", "e")}) {
		t.Errorf("mixing %v", found)
	}
	o.View = attribution.NewView(s, label.When{}, 90)
	if got := conducted(t, s, ledger.Ethereum, "subject", o); of(got, behaviour.ExchangeHopping) != nil || of(got, behaviour.MixerUse) != nil {
		t.Error("labels of too little confidence count")
	}
	out := func(to string, value uint64) ledger.Output { return ledger.Output{Value: value, Address: who(t, to)} }
	var txs []ledger.Tx
	join := ledger.Tx{ID: hashOf("join")}
	for i := range 3 {
		id := hashOf(fmt.Sprint("coin", i))
		txs = append(txs, ledger.Tx{ID: id, Coinbase: true, Outputs: []ledger.Output{out(fmt.Sprint("in", i), 10_000_000+uint64(i)*1000)}})
		join.Inputs = append(join.Inputs, ledger.Outpoint{Tx: id})
		join.Outputs = append(join.Outputs, out(fmt.Sprint("mixed", i), 6_000_000), out(fmt.Sprint("rest", i), 3_900_000+uint64(i)*1000))
	}
	u := kept(t, minutes(ledger.Bitcoin, append(txs, join)...))
	if found := of(conducted(t, u, ledger.Bitcoin, "in1", plain()), behaviour.MixerUse); !slices.Equal(found, []string{ids("join")}) {
		t.Errorf("coinjoin %v", found)
	}
}

// TestConductTaint: taint counts where it comes to the subject from outside.
func TestConductTaint(t *testing.T) {
	s := kept(t, minutes(ledger.Ethereum,
		pays(t, "a", "x subject eth 5"), pays(t, "b", "y subject eth 5"), pays(t, "c", "subject subject eth 10"), pays(t, "d", "x away eth 1"),
	))
	o := plain()
	me, x := who(t, "subject"), []ledger.Address{who(t, "x")}
	o.Taint = []attribution.Arrival{
		{Tx: hashOf("a"), To: me, From: x, Incident: "one"},
		{Tx: hashOf("c"), To: me, From: []ledger.Address{me}, Incident: "two"},
		{Tx: hashOf("d"), To: who(t, "away"), From: x, Incident: "three"},
	}
	if got := of(conducted(t, s, ledger.Ethereum, "subject", o), behaviour.Commingling); got != nil {
		t.Errorf("taint that was there already, or elsewhere, counts: %v", got)
	}
	o.Taint = append(o.Taint, attribution.Arrival{Tx: hashOf("b"), To: me, Incident: "two"}) // stolen there
	if got := of(conducted(t, s, ledger.Ethereum, "subject", o), behaviour.Commingling); !slices.Equal(got, []string{ids("a", "b")}) {
		t.Errorf("%v", got)
	}
}

// TestConductOpening: a balance that a source states counts for dormancy.
func TestConductOpening(t *testing.T) {
	blocks := minutes(ledger.Ethereum, pays(t, "a", "subject x eth 1"), pays(t, "b", "subject y eth 60"))
	blocks[1].Time = blocks[0].Time + 200*86_400
	blocks[0].Openings = []ledger.Opening{{Address: who(t, "subject"), Asset: ether, Amount: ledger.NewAmount(101), Before: 1}}
	if found := of(conducted(t, kept(t, blocks), ledger.Ethereum, "subject", plain()), behaviour.Dormancy); !slices.Equal(found, []string{ids("b")}) {
		t.Errorf("%v", found)
	}
	blocks[0].Openings[0].Amount = ledger.NewAmount(201)
	if found := of(conducted(t, kept(t, blocks), ledger.Ethereum, "subject", plain()), behaviour.Dormancy); found != nil {
		t.Errorf("60 of 200: %v", found)
	}
	// A failed transaction moves nothing.
	blocks = minutes(ledger.Ethereum, pays(t, "a", "x subject eth 9"), pays(t, "b", "subject y eth 9"))
	blocks[1].Txs[0].Failed = true
	if found := of(conducted(t, kept(t, blocks), ledger.Ethereum, "subject", plain()), behaviour.PassThrough); found != nil {
		t.Errorf("failed: %v", found)
	}
}

// TestConductRefuses: what is not held is an error, never an empty answer.
func TestConductRefuses(t *testing.T) {
	s := kept(t, minutes(ledger.Ethereum, pays(t, "a", "x y eth 1"), pays(t, "b", "y z eth 1")))
	for name, test := range map[string]struct {
		chain ledger.Chain
		of    string
		as    ledger.Height
		want  error
	}{
		"a stranger":       {ledger.Ethereum, "nobody", 0, attribution.ErrNoRecord},
		"not yet there":    {ledger.Ethereum, "z", 1, attribution.ErrNoRecord},
		"a chain not held": {ledger.Bitcoin, "x", 0, store.ErrUnknownChain},
	} {
		o := plain()
		o.AsOf = test.as
		if got, err := attribution.Conduct(t.Context(), s, test.chain, who(t, test.of), o); !errors.Is(err, test.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := attribution.Conduct(t.Context(), memory.New(), ledger.Ethereum, who(t, "x"), plain()); !errors.Is(err, store.ErrUnknownChain) {
		t.Errorf("an empty store: %v", err)
	}
	if _, err := attribution.ConductFrom(t.Context(), s, ledger.Ethereum, hashOf("a"), plain()); err == nil {
		t.Error("a peel chain of accounts")
	}
}

// TestConductBounds: a record that is too long is cut at one transaction for all
// addresses of a cluster, and both that and addresses not read are stated.
func TestConductBounds(t *testing.T) {
	out := func(to string, value uint64) ledger.Output { return ledger.Output{Value: value, Address: who(t, to)} }
	var txs []ledger.Tx
	join := ledger.Tx{ID: hashOf("join"), Outputs: []ledger.Output{out("shop", 1)}}
	for i := range 6 {
		id := hashOf(fmt.Sprint("coin", i))
		txs = append(txs, ledger.Tx{ID: id, Coinbase: true, Outputs: []ledger.Output{out(fmt.Sprint("in", i), 100)}})
		join.Inputs = append(join.Inputs, ledger.Outpoint{Tx: id})
	}
	s := kept(t, minutes(ledger.Bitcoin, append(txs, join)...))
	clusters, err := attribution.OpenClusters(t.Context(), s, ledger.Bitcoin, cluster.InMemory(ledger.UTXO), attribution.ClusterOptions{Notation: named{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := clusters.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := plain()
	o.Clusters = clusters
	if got := conducted(t, s, ledger.Bitcoin, "in5", o); got.Size != 6 || len(got.Own) != 6 || got.Transactions != 7 || got.LeftOut != nil {
		t.Errorf("whole: %+v", got)
	}
	o.Bounds = attribution.Bounds{Addresses: 3, Transactions: 2}
	got := conducted(t, s, ledger.Bitcoin, "in1", o)
	if got.Size != 6 || !slices.Equal(got.Own, []ledger.Address{who(t, "in0"), who(t, "in1"), who(t, "in2")}) || got.Transactions != 2 {
		t.Errorf("bounded: %+v", got)
	}
	if len(got.LeftOut) != 2 || !strings.HasPrefix(got.LeftOut[0], "3 of the 6 addresses") || !strings.HasPrefix(got.LeftOut[1], "transaction "+hashOf("coin2").String()) {
		t.Errorf("%q", got.LeftOut)
	}
	if got := conducted(t, s, ledger.Bitcoin, "in5", o); !slices.Contains(got.Own, who(t, "in5")) || len(got.Own) != 3 {
		t.Errorf("the address asked about is not read: %v", got.Own)
	}
	// Twenty outputs of one payment are one transaction, of which one answer does not tell
	// what came after.
	many := ledger.Tx{ID: hashOf("many"), Coinbase: true}
	for range 20 {
		many.Outputs = append(many.Outputs, out("n", 1))
	}
	later := ledger.Tx{ID: hashOf("later"), Coinbase: true, Outputs: []ledger.Output{out("n", 2)}}
	next := ledger.Tx{ID: hashOf("next"), Coinbase: true, Outputs: []ledger.Output{out("n", 3)}}
	busy := plain()
	busy.Bounds.Transactions = 2
	got = conducted(t, kept(t, minutes(ledger.Bitcoin, later, many, next)), ledger.Bitcoin, "n", busy)
	if got.Transactions != 1 || len(got.LeftOut) != 1 || !strings.HasPrefix(got.LeftOut[0], "transaction "+hashOf("many").String()) {
		t.Errorf("%+v", got)
	}
	o.Bounds = attribution.Bounds{}
	o.AsOf = 6 // before the payment that joins them
	if got := conducted(t, s, ledger.Bitcoin, "in5", o); got.Size != 1 || got.Transactions != 1 {
		t.Errorf("before they were joined: %+v", got)
	}
}

// loose are parameters that random ledgers meet.
func loose() behaviour.Parameters {
	p := attribution.ConductParameters()
	p.Listed = map[ledger.Asset]bool{tokenA: true}
	p.Limits = map[ledger.Asset]behaviour.Limits{
		ether: {Dust: ledger.NewAmount(2), Gas: ledger.NewAmount(50)}, ledger.Bitcoin.Native(): {Dust: ledger.NewAmount(2), FanOut: ledger.NewAmount(20)},
	}
	p.FanOut.Number, p.FanIn.Number, p.EqualFanOut.Number, p.Dusting.Number = 2, 2, 2, 1
	p.FanInForward, p.PassThroughKept, p.LayeringKept, p.SweepShare = 1000, 5000, 3000, 5000
	p.Layering.Number, p.RoundTrip.Number, p.Sweep.Number, p.Peel.Steps = 1, 1, 1, 1
	p.Peel.Continuing, p.Peel.Peeled = 1000, 9000
	p.DormancyFor, p.DormancyMoved = 1200, 1000
	return p
}

// TestConductPrefix: what was found as of a height is what a store finds that holds no
// more, on random ledgers, for addresses and for clusters.
func TestConductPrefix(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		shape := storetest.Shape{Blocks: 12, Names: rapid.SampledFrom([]int{8, 40}).Draw(rt, "names"), Whole: storetest.Complete}
		all := storetest.UTXOBlocks(rt, shape)
		if rapid.Bool().Draw(rt, "accounts") {
			all = storetest.AccountBlocks(rt, shape)
		}
		cut := rapid.IntRange(1, len(all)-1).Draw(rt, "cut")
		o := &attribution.ConductOptions{Notation: named{}, Parameters: loose()}
		var err error
		if rule := rapid.SampledFrom([]string{"", "score", "meiklejohn", "direct|fresh"}).Draw(rt, "change"); rule != "" {
			if o.Change, err = cluster.ParseChange(rule); err != nil {
				rt.Fatal(err)
			}
		}
		grouped := rapid.Bool().Draw(rt, "clusters")
		open := func(held []*ledger.Block) (store.Store, *attribution.Clusters) {
			s := kept(t, held)
			if !grouped {
				return s, nil
			}
			clusters, err := attribution.OpenClusters(t.Context(), s, held[0].Chain, cluster.InMemory(held[0].Chain.Family()), attribution.ClusterOptions{Notation: named{}})
			if err == nil {
				err = clusters.Sync(t.Context())
			}
			if err != nil {
				rt.Fatal(err)
			}
			return s, clusters
		}
		whole, clusters := open(all)
		prefix, before := open(all[:cut+1])
		for i := range shape.Names {
			name := who(t, fmt.Sprint("n", i))
			o.AsOf, o.Clusters = all[cut].Height, clusters
			was, errWas := attribution.Conduct(t.Context(), whole, all[0].Chain, name, o)
			o.AsOf, o.Clusters = 0, before
			want, errWant := attribution.Conduct(t.Context(), prefix, all[0].Chain, name, o)
			if (errWas == nil) != (errWant == nil) || errWas != nil && !errors.Is(errWas, attribution.ErrNoRecord) {
				rt.Fatalf("n%d: %v, want %v", i, errWas, errWant)
			}
			if !reflect.DeepEqual(was, want) {
				rt.Fatalf("n%d: %+v\nwant\n%+v", i, was, want)
			}
			if was != nil {
				for j := range was.Findings {
					seen[was.Findings[j].Pattern]++
				}
			}
		}
	})
	t.Log(seen)
	for _, pattern := range []*behaviour.Pattern{behaviour.FanOut, behaviour.PassThrough, behaviour.PeelPattern, behaviour.LayeringPattern} {
		if seen[pattern.Name] == 0 {
			t.Errorf("no ledger had %s: %v", pattern.Name, seen)
		}
	}
}
