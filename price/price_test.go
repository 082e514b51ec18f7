package price_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/price"
)

const (
	btc  = ledger.Asset("bip122:000000000019d6689c085ae165831e93/slip44:0")
	eth  = ledger.Asset("eip155:1/slip44:60")
	weth = ledger.Asset("eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2")
)

func quote(value price.Value, closed int64) price.Quote {
	return price.Quote{Asset: btc, Value: value, Close: closed, Every: price.Day, Source: "a market"}
}

func book(t *testing.T, quotes []price.Quote, pegs ...price.Peg) *price.Book {
	t.Helper()
	b, err := price.NewBook(quotes, pegs)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestParse reads decimals exactly, and refuses what would have to be rounded.
func TestParse(t *testing.T) {
	for text, want := range map[string]price.Value{"84075.69": 8_407_569_000_000, "0.00000001": 1, "1": 100_000_000, "2.5000000000": 250_000_000, "184467440737.09551609": 18_446_744_073_709_551_609} {
		if got, err := price.Parse(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "0", "0.000000001", "184467440737.1", "99999999999999999999", "0x1", "١"} {
		if got, err := price.Parse(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
	if got := price.Value(8_407_569_000_000).String(); got != "84075.69" {
		t.Error(got)
	}
	if got := price.Value(1).String(); got != "0.00000001" {
		t.Error(got)
	}
}

// TestCentsHalfEven compares the value of random amounts with rational arithmetic.
func TestCentsHalfEven(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		decimals := rapid.Uint8Range(0, 18).Draw(rt, "decimals")
		value := price.Value(rapid.Uint64Range(1, 1<<63).Draw(rt, "price"))
		amount := ledger.NewAmount(rapid.Uint64().Draw(rt, "amount"))
		if rapid.Bool().Draw(rt, "exact half") { // amounts that end in the middle of a cent
			value = price.Value(rapid.Uint64Range(0, 1000).Draw(rt, "cents")*1_000_000 + 500_000)
			unit := price.PowerOfTen(uint(decimals))
			odd := ledger.NewAmount(rapid.Uint64Range(0, 1000).Draw(rt, "units")*2 + 1)
			amount.Mul(&unit, &odd)
		}
		got, err := price.Cents(&amount, decimals, value)
		if err != nil {
			rt.Fatal(err)
		}
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(amount.ToBig(), new(big.Int).SetUint64(uint64(value))), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)+6), nil))
		off := new(big.Rat).Sub(new(big.Rat).SetInt(got.ToBig()), exact)
		switch half := big.NewRat(1, 2); off.Abs(off).Cmp(half) {
		case 1:
			rt.Fatalf("%s is further than half a cent from %s", got.Dec(), exact)
		case 0:
			if got.Uint64()%2 != 0 {
				rt.Fatalf("%s is odd, and a tie", got.Dec())
			}
		}
	})
	for cents, want := range map[uint64]string{50: "0", 150: "2", 250: "2", 251: "3", 349: "3"} { // hundredths of a cent
		amount := ledger.NewAmount(cents)
		if got, err := price.Cents(&amount, 4, 100_000_000); err != nil || got.Dec() != want {
			t.Errorf("%d hundredths of a cent are %s, want %s (%v)", cents, got.Dec(), want, err)
		}
	}
	var most ledger.Amount
	most.SetAllOne()
	if _, err := price.Cents(&most, 0, 1<<63); !errors.Is(err, price.ErrTooLarge) {
		t.Error(err)
	}
	if _, err := price.Cents(&most, 39, 1); err == nil {
		t.Error("39 decimals are valued")
	}
}

// TestCarry: a daily price is fresh until the next is due, then stale, and after seven days
// missing; before its bar closed it is not known.
func TestCarry(t *testing.T) {
	const closed = 1_700_000_000
	b := book(t, []price.Quote{quote(5, closed)})
	for _, step := range []struct {
		after          int64
		missing, stale bool
	}{{-1, true, false}, {0, false, false}, {price.Day - 1, false, false}, {price.Day, false, true}, {7 * price.Day, false, true}, {7*price.Day + 1, true, false}} {
		found, err := b.At(btc, closed+step.after)
		var missing *price.MissingError
		if errors.As(err, &missing) != step.missing || !step.missing && (found.Value != 5 || found.Stale != step.stale) {
			t.Errorf("%d s after: %+v, %v", step.after, found, err)
		}
		if step.after > 0 && step.missing && (missing.Last == nil || missing.Last.Close != closed) {
			t.Errorf("the last price is not named: %v", err)
		}
	}
	if _, err := b.At(eth, closed); err == nil {
		t.Error("an asset without prices has one")
	}
}

// TestAtIsTheLastClose holds for random books: the answer is the newest bar at or before
// the moment, and never from the future.
func TestAtIsTheLastClose(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var quotes []price.Quote
		for _, n := range rapid.SliceOfN(rapid.Int64Range(1, 40), 0, 12).Draw(rt, "closes") {
			q := quote(price.Value(rapid.Uint64Range(1, 9).Draw(rt, "value")), n*price.Day/2)
			if rapid.Bool().Draw(rt, "hourly") {
				q.Every = 3600
			}
			quotes = append(quotes, q)
		}
		moment := rapid.Int64Range(0, 30*price.Day).Draw(rt, "moment")
		best := int64(0)
		for _, q := range quotes {
			if q.Close <= moment {
				best = max(best, q.Close)
			}
		}
		b, err := price.NewBook(quotes, nil)
		if err != nil {
			rt.Fatal(err)
		}
		found, err := b.At(btc, moment)
		if missing := best == 0 || moment-best > price.Carry; missing != (err != nil) {
			rt.Fatalf("best %d, moment %d: %+v, %v", best, moment, found, err)
		}
		if err != nil {
			return
		}
		if found.Close != best || found.Stale != (moment-best >= found.Every) {
			rt.Fatalf("%+v, want the close of %d", found, best)
		}
		for _, q := range quotes {
			if q.Close == best && (q.Every < found.Every) {
				rt.Fatal("a shorter bar was passed over")
			}
		}
		for i := range found.Others {
			if found.Others[i].Close != best || found.Others[i].Value == found.Value {
				rt.Fatalf("%+v is no other opinion", found.Others[i])
			}
		}
	})
}

// TestConflict: what stands first answers, what differs is shown, what agrees is not.
func TestConflict(t *testing.T) {
	second, third := quote(6, 100), quote(5, 100)
	second.Source, third.Source = "another", "a third"
	b := book(t, []price.Quote{quote(5, 100), second, third, quote(5, 100)})
	found, err := b.At(btc, 100)
	if err != nil || found.Value != 5 || found.Source != "a market" || len(found.Others) != 1 || found.Others[0].Source != "another" || b.Len() != 3 {
		t.Errorf("%+v, %v, %d", found, err, b.Len())
	}
}

// TestPeg: what a contract redeems is priced by what it is redeemed for, at its ratio.
func TestPeg(t *testing.T) {
	q := quote(300_000_000_000, 100)
	q.Asset = eth
	peg := price.Peg{Asset: weth, As: eth, Num: 119, Den: 100, Source: "its contract"}
	found, err := book(t, []price.Quote{q}, peg).At(weth, 100)
	if err != nil || found.Value != 357_000_000_000 || found.Asset != weth || found.By == nil || *found.By != peg {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := book(t, nil, peg).At(weth, 100); err == nil {
		t.Error("a peg to what has no price gives one")
	}
	if _, err := price.NewBook(nil, []price.Peg{{Asset: weth, As: eth, Num: 0, Den: 1, Source: "x"}}); err == nil {
		t.Error("a ratio of nothing")
	}
	ring := book(t, []price.Quote{q}, peg, price.Peg{Asset: eth, As: weth, Num: 1, Den: 1, Source: "x"})
	if _, err := ring.At(weth, 100); err == nil {
		t.Error("a ring of pegs has a price")
	}
}

// TestAssets: what has a quote, and what is redeemed for something that has one.
func TestAssets(t *testing.T) {
	q := quote(5, 100)
	q.Asset = eth
	peg := price.Peg{Asset: weth, As: eth, Num: 1, Den: 1, Source: "its contract"}
	if got, want := book(t, []price.Quote{q, quote(6, 100)}, peg).Assets(), []ledger.Asset{btc, weth, eth}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := book(t, []price.Quote{quote(6, 100)}, peg).Assets(); !slices.Equal(got, []ledger.Asset{btc}) {
		t.Errorf("of what ether costs nothing is known: %v", got)
	}
}

// TestDigest: the order of prices does not matter, any change does.
func TestDigest(t *testing.T) {
	one, two := quote(5, 100), quote(6, 200)
	a, b := book(t, []price.Quote{one, two}), book(t, []price.Quote{two, one})
	if a.Digest() != b.Digest() {
		t.Error("order matters")
	}
	volume := uint64(7)
	other := one
	other.Volume = &volume
	for _, c := range []*price.Book{book(t, []price.Quote{other, two}), book(t, []price.Quote{one}), book(t, []price.Quote{one, two}, price.Peg{Asset: weth, As: eth, Num: 1, Den: 1, Source: "x"})} {
		if c.Digest() == a.Digest() {
			t.Error("a change goes unnoticed")
		}
	}
}

// TestRefused: what is no quote makes no book.
func TestRefused(t *testing.T) {
	for _, spoil := range []func(*price.Quote){
		func(q *price.Quote) { q.Value = 0 }, func(q *price.Quote) { q.Source = " " }, func(q *price.Quote) { q.Close = 0 },
		func(q *price.Quote) { q.Every = 0 }, func(q *price.Quote) { q.Asset = "BTC" },
	} {
		q := quote(5, 100)
		spoil(&q)
		if _, err := price.NewBook([]price.Quote{q}, nil); err == nil {
			t.Errorf("%+v is taken", q)
		}
	}
}

// TestDaily stops at a gap, and knows one source only.
func TestDaily(t *testing.T) {
	other := quote(9, 4*price.Day)
	other.Source = "another"
	b := book(t, []price.Quote{quote(1, price.Day), quote(3, 3*price.Day), quote(4, 4*price.Day), other, quote(5, 5*price.Day)})
	days := b.Daily(btc, "a market", 5*price.Day, 10)
	if len(days) != 3 || days[0].Value != 3 || days[2].Value != 5 {
		t.Errorf("%+v", days)
	}
}
