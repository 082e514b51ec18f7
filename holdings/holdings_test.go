package holdings_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution"
	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/holdings"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/register"
	"coldtrail/store"
	"coldtrail/store/memory"
)

const (
	day  = "2025-03-17"
	noon = 1_742_169_600 - 12*60*60 // of the day before
	usdt = ledger.Asset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
	odd  = ledger.Asset("eip155:1/erc20:0x00000000000000000000000000000000000000aa")
)

func notation(chain ledger.Chain) (ledger.Notation, error) {
	if chain.Family() == ledger.Account {
		return evm.Notation{}, nil
	}
	network, err := bitcoin.NetworkOf(chain)
	return bitcoin.Notation{Network: network}, err
}

func p2pkh(n byte) ledger.Address {
	return ledger.NewAddress(ledger.P2PKH, bytes.Repeat([]byte{n}, 20))
}

func account(n byte) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, bytes.Repeat([]byte{n}, 20))
}

// world is a store with two chains, on which addresses 1 to 5 hold something.
func world(t *testing.T) *memory.Store {
	t.Helper()
	s := memory.New()
	mint := func(n byte, value uint64) ledger.Tx {
		return ledger.Tx{ID: ledger.Hash{n}, Index: uint32(n), Coinbase: n == 0, Outputs: []ledger.Output{{Value: value, Address: p2pkh(n)}}}
	}
	coinbase := mint(0, 5_000_000_000)
	first := &ledger.Block{Chain: ledger.Bitcoin, Hash: ledger.Hash{1}, Time: noon, Provenance: ledger.File, Txs: []ledger.Tx{coinbase}}
	spend := ledger.Tx{ID: ledger.Hash{9}, Index: 1, Inputs: []ledger.Outpoint{{Tx: coinbase.ID}}}
	for n, value := range []uint64{0, 1_000_000_000, 2_000_000_000, 300_000_000, 40_000_000, 5_000_000} {
		spend.Outputs = append(spend.Outputs, ledger.Output{Value: value, Address: p2pkh(byte(n))})
	}
	second := &ledger.Block{Chain: ledger.Bitcoin, Height: 1, Hash: ledger.Hash{2}, Parent: ledger.Hash{1}, Time: noon + 3600, Provenance: ledger.File, Txs: []ledger.Tx{{ID: ledger.Hash{8}, Coinbase: true}, spend}}
	late := &ledger.Block{Chain: ledger.Bitcoin, Height: 2, Hash: ledger.Hash{3}, Parent: ledger.Hash{2}, Time: noon + 13*3600, Provenance: ledger.File, Txs: []ledger.Tx{{ID: ledger.Hash{7}, Coinbase: true}, {
		ID: ledger.Hash{10}, Index: 1, Inputs: []ledger.Outpoint{{Tx: spend.ID, Index: 2}}, Outputs: []ledger.Output{{Value: 2_000_000_000, Address: p2pkh(5)}},
	}}}
	moved := &ledger.Block{Chain: ledger.Ethereum, Height: 7, Hash: ledger.Hash{1}, Time: noon, Provenance: ledger.File, Txs: []ledger.Tx{{ID: ledger.Hash{1}, Transfers: []ledger.Transfer{
		{From: account(9), To: account(1), Asset: usdt, Amount: ledger.NewAmount(7_000_000), LogIndex: ledger.NoLog},
		{From: account(9), To: account(1), Asset: odd, Amount: ledger.NewAmount(5), LogIndex: ledger.NoLog},
	}}}}
	fill(t.Context(), t, s, []*ledger.Block{first, second, late})
	fill(t.Context(), t, s, []*ledger.Block{moved})
	return s
}

// place is an address of a chain.
type place struct {
	chain   ledger.Chain
	address ledger.Address
}

// said is what a label says.
type said struct{ actor, confidence, concept string }

// claim gives an address to an actor.
func claim(t *testing.T, s store.Labels, on place, says said) {
	t.Helper()
	chain, a := on.chain, on.address
	written, err := notation(chain)
	if err != nil {
		t.Fatal(err)
	}
	c := label.Claim{Subject: label.SubjectOf(chain, written.FormatAddress(a)), Label: says.actor, Actor: says.actor, Confidence: says.confidence, Score: label.Confidences[says.confidence], Concept: says.concept, By: "a desk", Source: "a file", Learned: 1}
	if _, err := s.AddClaims(t.Context(), []label.Claim{c}); err != nil {
		t.Fatal(err)
	}
}

func known(t *testing.T, more string) *register.Register {
	t.Helper()
	text, err := os.ReadFile("../testdata/register/register.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Parse("register.yaml", bytes.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if more == "" {
		return r
	}
	if r, err = register.Parse("more.yaml", strings.NewReader(more), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func options(t *testing.T, s store.Labels, r *register.Register, more ...price.Quote) *holdings.Options {
	t.Helper()
	text, err := os.ReadFile("../testdata/actors/actors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	batch, err := feed.Read("actors.yaml", bytes.NewReader(text), feed.ActorPack, feed.Options{Learned: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attribution.NewImporter(s).Import(t.Context(), batch, false); err != nil {
		t.Fatal(err)
	}
	actors, err := attribution.LoadActors(t.Context(), s, label.When{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := r.Prices[0].Quote()
	if err != nil {
		t.Fatal(err)
	}
	book, err := price.NewBook(append(more, q), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &holdings.Options{Book: book, Register: r, Actors: actors, Asset: ledger.Bitcoin.Native(), Notation: notation}
}

func asOf(t *testing.T, s holdings.Store, when string, o *holdings.Options) *holdings.Report {
	t.Helper()
	r, err := holdings.AsOf(t.Context(), s, when, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines writes the ranking of what addresses show.
func lines(d *holdings.Derived) string {
	var b strings.Builder
	for i := range d.Entities {
		e := &d.Entities[i]
		fmt.Fprintf(&b, "%d %s: %s / %s / %s\n", e.Rank, e.Actor, e.Strict.USD, e.Probable.USD, e.Possible.USD)
	}
	return b.String()
}

// TestDerived: addresses roll up to states; kinds of evidence stay apart; what a custodian
// keeps and what is unsure are only possible; what has no price has no value.
func TestDerived(t *testing.T) {
	s := world(t)
	claim(t, s, place{ledger.Bitcoin, p2pkh(1)}, said{"bhutan", "ownership", ""})
	claim(t, s, place{ledger.Bitcoin, p2pkh(2)}, said{"lazarus-group", "authority_data", "perpetrator"})
	claim(t, s, place{ledger.Bitcoin, p2pkh(3)}, said{"andariel", "web_crawl", ""})
	claim(t, s, place{ledger.Bitcoin, p2pkh(4)}, said{"bhutan", "trusted_provider", "exchange"})
	claim(t, s, place{ledger.Ethereum, account(1)}, said{"bhutan", "ownership", ""})
	r := asOf(t, s, day, options(t, s, known(t, "")))
	// 10 BTC are 840,756.90, 20 are 1,681,513.80, 3 are 252,227.07, 0.4 are 33,630.28 (33630.276).
	want := "1 dprk: 0.00 / 1681513.80 / 1933740.87\n2 bhutan: 840756.90 / 840756.90 / 874387.18\n"
	if got := lines(&r.Derived); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	bhutan := r.Derived.Entities[1]
	if len(bhutan.Rows) != 4 || bhutan.Possible.Unvalued != 2 || *bhutan.Kinds[register.CustodyDependent].Cents != "3363028" || bhutan.Kinds[register.Verified].Rows != 3 {
		t.Errorf("%+v", bhutan)
	}
	for _, row := range bhutan.Rows {
		switch {
		case row.Asset == odd && (row.Decimals != nil || row.Cents != nil || row.Amount != "5"):
			t.Errorf("%+v", row)
		case row.Asset == usdt && (row.Cents != nil || row.Missing != "no price" || !row.AtLeast || row.Symbol != "USDT"):
			t.Errorf("%+v", row)
		case row.Chain == ledger.Bitcoin && (row.Height != 1 || row.Time != noon+3600 || row.AtLeast):
			t.Errorf("%+v", row)
		}
	}
	if r.Stated.Supply.Rule != "subsidies of blocks 0 to 1" || r.Stated.Supply.Amount != "10000000000" {
		t.Errorf("%+v", r.Stated.Supply)
	}
	if again := asOf(t, s, day, options(t, s, known(t, ""))); again.Digest != r.Digest || !strings.HasPrefix(r.Digest, "sha256:") {
		t.Error("the digest differs")
	}
	o := options(t, s, known(t, ""))
	o.Actor = "North Korea"
	if got := lines(ptr(asOf(t, s, day, o).Derived)); got != "0 dprk: 0.00 / 1681513.80 / 1933740.87\n" {
		t.Error(got)
	}
	if rows := asOf(t, s, day, o).Stated.Rows; len(rows) != 1 || rows[0].Rank != 3 || rows[0].Quantity != "13562" {
		t.Errorf("%+v", rows)
	}
}

func ptr[T any](v T) *T { return &v }

// TestNoPrice: without a price nothing is worth 0, and what counts one asset is ranked by
// amount.
func TestNoPrice(t *testing.T) {
	s := world(t)
	claim(t, s, place{ledger.Bitcoin, p2pkh(1)}, said{"bhutan", "ownership", ""})
	claim(t, s, place{ledger.Bitcoin, p2pkh(2)}, said{"ukraine", "ownership", ""})
	o := options(t, s, known(t, ""))
	o.Book, _ = price.NewBook(nil, nil)
	r := asOf(t, s, day, o)
	if got := lines(&r.Derived); got != "1 ukraine:  /  / \n2 bhutan:  /  / \n" {
		t.Error(got)
	}
	if r.Stated.Price != nil || r.Stated.Missing == "" || r.Stated.Rows[0].Cents != nil || r.Stated.Rows[2].Name != "North Korea (Lazarus)" || r.Stated.Total.Cents != nil {
		t.Errorf("%+v", r.Stated)
	}
}

// statement is a statement of BTC in a register.
func statement(actor, quantity, when string) string {
	return fmt.Sprintf("- {actor: %s, name: %q, asset: \"bip122:000000000019d6689c085ae165831e93/slip44:0\", quantity: %q, as_of: %s, by: a desk, kind: estimated, sources: [desk]}\n", actor, actor, quantity, when)
}

const desk = "sources:\n- {id: desk, by: a desk, title: a memo, date: 2025-06-01}\nstated:\n"

// TestSharedRanks: equals share a rank, and the next counts them all.
func TestSharedRanks(t *testing.T) {
	s := memory.New()
	more := desk + statement("b", "500", "2020-01-01") + statement("a", "500", "2020-01-01") + statement("c", "700", "2020-01-02") + statement("d", "3", "2020-01-01") + statement("d", "4", "2020-01-03")
	r := asOf(t, s, "2020-01-02", options(t, s, known(t, more)))
	var got []string
	for _, row := range r.Stated.Rows {
		got = append(got, fmt.Sprint(row.Rank, row.Name, row.Quantity))
	}
	if want := []string{"1c700", "2a500", "2b500", "4d3"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if row := r.Stated.Rows[3]; row.AgeDays != 1 || row.Stale {
		t.Errorf("%+v", row)
	}
}

// TestChanges: who passes whom is told on the day on which it is first so.
func TestChanges(t *testing.T) {
	s := world(t)
	claim(t, s, place{ledger.Bitcoin, p2pkh(1)}, said{"bhutan", "ownership", ""})
	claim(t, s, place{ledger.Bitcoin, p2pkh(2)}, said{"ukraine", "ownership", ""})
	claim(t, s, place{ledger.Bitcoin, p2pkh(5)}, said{"china", "ownership", ""})
	more := desk + statement("a", "10", "2020-01-01") + statement("b", "9", "2020-01-01") + statement("c", "8", "2020-01-01") + statement("c", "11", "2020-01-03")
	o := options(t, s, known(t, more))
	days, err := holdings.Days("2020-01-01", "2020-01-04", holdings.Daily)
	if err != nil {
		t.Fatal(err)
	}
	r, err := holdings.Series(t.Context(), s, days, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []holdings.Change{
		{Day: "2020-01-03", Actor: "c", Name: "c", Event: "rose", From: 3, To: 1, Passed: []string{"a", "b"}},
		{Day: "2020-01-03", Actor: "a", Name: "a", Event: "fell", From: 1, To: 2},
		{Day: "2020-01-03", Actor: "b", Name: "b", Event: "fell", From: 2, To: 3},
	}
	if fmt.Sprint(r.Stated.Changes) != fmt.Sprint(want) || len(r.Stated.History) != 12 {
		t.Errorf("%v\nwant %v", r.Stated.Changes, want)
	}
	// On the 17th address 5 takes what address 2 had.
	if r, err = holdings.Series(t.Context(), s, []string{"2025-03-16", "2025-03-17", "2025-03-18"}, o); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(r.Derived.Changes)
	if !strings.Contains(got, "{2025-03-18 china China rose 3 1 [Bhutan]}") || !strings.Contains(got, "{2025-03-18 ukraine Ukraine left 1 0 []}") || strings.Contains(got, "2025-03-16") {
		t.Error(got)
	}
	if single := asOf(t, s, "2025-03-18", o); lines(&single.Derived) != lines(&r.Derived) {
		t.Errorf("the last of a series is %s, by itself %s", lines(&r.Derived), lines(&single.Derived))
	}
}

// TestDays: steps end with the day asked for.
func TestDays(t *testing.T) {
	for step, want := range map[holdings.Step]string{holdings.Weekly: "[2025-01-01 2025-01-08 2025-01-10]", holdings.Monthly: "[2025-01-01 2025-01-10]"} {
		if got, err := holdings.Days("2025-01-01", "2025-01-10", step); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", step, got, err)
		}
	}
	for _, bad := range [][3]string{{"2025-01-02", "2025-01-01", "day"}, {"x", "2025-01-01", "day"}, {"2025-01-01", "2025-01-02", "year"}, {"1990-01-01", "2025-01-02", "day"}} {
		if _, err := holdings.Days(bad[0], bad[1], holdings.Step(bad[2])); err == nil {
			t.Errorf("%v are days", bad)
		}
	}
}

// TestIssued compares with the published supply: 50 BTC a block for 210,000 blocks, and
// 20,999,999.9769 BTC in the end.
func TestIssued(t *testing.T) {
	for height, want := range map[ledger.Height]string{0: "5000000000", 209_999: "1050000000000000", 210_000: "1050002500000000", 64 * 210_000: "2099999997690000", 1 << 40: "2099999997690000"} {
		if got := holdings.Issued(height); got.Dec() != want {
			t.Errorf("%d: %s, want %s", height, got.Dec(), want)
		}
	}
}

// TestMarket: days of volume and the square-root rule in whole numbers; without volume, or
// with too few closes, there is no figure.
func TestMarket(t *testing.T) {
	volume := uint64(1_000 * 100_000_000) // 1,000 BTC a day
	var quotes []price.Quote
	for i := range 30 { // closes that go up 10 % and back
		q := price.Quote{Asset: ledger.Bitcoin.Native(), Value: price.Value(10_000 + 1_000*(i%2)), Close: int64(i+1) * price.Day, Every: price.Day, Source: "x", Volume: &volume}
		quotes = append(quotes, q)
	}
	book, err := price.NewBook(quotes, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := book.At(ledger.Bitcoin.Native(), 30*price.Day)
	if err != nil {
		t.Fatal(err)
	}
	amount := ledger.NewAmount(2_500 * 100_000_000)
	m, err := holdings.MarketOf(book, found, &amount, 8, 1)
	if err != nil || m.DaysPPM != 2_500_000 || m.Sale == nil || m.Sale.Days != 29 || m.Sale.Beyond {
		t.Fatalf("%+v, %v", m, err)
	}
	// Returns are +100,000 and -90,909 ppm in turn, 15 and 14 of them: their standard
	// deviation is 97,086.3; 25 of 1,000 BTC are 0.025, whose root is 0.158113.
	if m.Sale.SigmaPPM != 97_086 || m.Sale.ImpactPPM != 15_350 {
		t.Errorf("%+v", m.Sale)
	}
	if m, _ = holdings.MarketOf(book, found, &amount, 8, 50); !m.Sale.Beyond {
		t.Error("1,250 of 1,000 BTC a day are within range")
	}
	few, _ := price.NewBook(quotes[:20], nil)
	found, _ = few.At(ledger.Bitcoin.Native(), 20*price.Day)
	if m, err = holdings.MarketOf(few, found, &amount, 8, 1); err != nil || m.Sale != nil || !strings.Contains(m.Refused, "21 daily closes") {
		t.Errorf("%+v, %v", m, err)
	}
	found.Volume = nil
	if _, err = holdings.MarketOf(few, found, &amount, 8, 1); err == nil {
		t.Error("a market without volume")
	}
}
