package crossing_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// said is what one transaction said, and where.
type said struct {
	place crossing.Place
	found crossing.Found
}

func account(n uint64) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, binary.BigEndian.AppendUint64(make([]byte, 12), n))
}

func wallet(n uint64) ledger.Address {
	return ledger.NewAddress(ledger.P2WPKH, binary.BigEndian.AppendUint64(make([]byte, 12), n))
}

// swapOf makes deposit n of a run of swaps and its payouts: ether into bitcoin at 30
// to 1, paid by one of four vaults, in one to three pieces.
func swapOf(n uint64, pieces int) []said {
	time := int64(1_740_000_000 + n*13)
	id := ledger.Hash{}
	binary.BigEndian.PutUint64(id[:], n+1)
	give := ledger.NewAmount((n%50 + 1) * 3_000_000)
	list := []said{{
		crossing.Place{Chain: ledger.Ethereum, Height: ledger.Height(n / 4), Time: time, Number: n, Tx: id},
		crossing.Found{Deposits: []crossing.Deposit{{
			Protocol: crossing.THORChain, Key: id, Into: account(n % 4), Asset: ledger.Ethereum.Native(), Amount: give, From: account(1000 + n), Refund: account(1000 + n),
			Targets: []crossing.Target{{Protocol: crossing.THORChain, Chain: ledger.Bitcoin, Asset: ledger.Bitcoin.Native(), Address: wallet(1000 + n)}},
		}}},
	}}
	each := ledger.NewAmount(give.Uint64() / 30 / uint64(pieces))
	for i := range pieces {
		out := ledger.Hash{0: byte(i + 1)}
		binary.BigEndian.PutUint64(out[8:], n)
		number := n*4 + uint64(i)
		list = append(list, said{
			crossing.Place{Chain: ledger.Bitcoin, Height: ledger.Height(n/40 + uint64(i)), Time: time + 600*int64(i+1), Number: number, Tx: out},
			crossing.Found{Payouts: []crossing.Payout{{
				Protocol: crossing.THORChain, Key: id, Asset: ledger.Bitcoin.Native(), Amount: each, To: wallet(1000 + n), Payer: wallet(n % 4), Shared: true,
			}}},
		})
	}
	return list
}

func settle(t *testing.T, list []said) string {
	t.Helper()
	m := crossing.NewMatcher()
	for i := range list {
		m.Add(&list[i].place, &list[i].found)
	}
	crossings, forged := m.Settle(math.MaxInt64)
	if n := m.InFlight(); n != 0 {
		t.Errorf("%d still in flight after everything is settled", n)
	}
	return printed(crossings, forged)
}

func printed(crossings []crossing.Crossing, forged []crossing.Forgery) string {
	var text strings.Builder
	for i := range crossings {
		c := &crossings[i]
		fmt.Fprintf(&text, "%s %s %s %d", c.Place.Tx, c.Status, c.Why, c.Score)
		for j := range c.Payouts {
			fmt.Fprintf(&text, " %s %s", c.Payouts[j].Place.Tx, c.Payouts[j].Amount.Dec())
		}
		text.WriteString("\n")
	}
	for i := range forged {
		fmt.Fprintf(&text, "%s %s\n", forged[i].Place.Tx, forged[i].Reason)
	}
	return text.String()
}

// TestArrivalDoesNotMatter: whatever is read first, and however often a chain takes
// blocks back, what is left decides the answer.
func TestArrivalDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all []said
		for n := range rapid.IntRange(1, 40).Draw(rt, "swaps") {
			all = append(all, swapOf(uint64(n), rapid.IntRange(0, 3).Draw(rt, "pieces")+1)...)
		}
		for range rapid.IntRange(0, 8).Draw(rt, "forgeries") {
			x := all[rapid.IntRange(0, len(all)-1).Draw(rt, "of")]
			if len(x.found.Payouts) == 0 {
				continue
			}
			p := x.found.Payouts[0]
			switch rapid.IntRange(0, 3).Draw(rt, "how") {
			case 0:
				p.To = wallet(7)
			case 1:
				p.Payer = wallet(99)
			case 2:
				p.Amount = ledger.NewAmount(1 << 50)
			case 3:
				p.Kind = crossing.Refunded
			}
			place := x.place
			place.Number += 1_000_000 + uint64(len(all))
			binary.BigEndian.PutUint64(place.Tx[16:], place.Number)
			all = append(all, said{place, crossing.Found{Payouts: []crossing.Payout{p}}})
		}
		want := settle(t, all)
		shuffled := slices.Clone(all)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		m := crossing.NewMatcher()
		for i := range shuffled {
			m.Add(&shuffled[i].place, &shuffled[i].found)
		}
		for _, chain := range []ledger.Chain{ledger.Bitcoin, ledger.Ethereum} {
			from := ledger.Height(rapid.IntRange(0, 10).Draw(rt, "rewind"))
			m.Rewind(chain, from)
			for i := range shuffled {
				if p := &shuffled[i].place; p.Chain == chain && p.Height >= from {
					m.Add(p, &shuffled[i].found)
				}
			}
		}
		if got := printed(m.Settle(math.MaxInt64)); got != want {
			rt.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// TestSettleInPieces: settling what is final now and the rest later gives the same
// crossings, and keeps only what is in flight.
func TestSettleInPieces(t *testing.T) {
	const swaps = 30_000 // 4.5 days
	m, whole := crossing.NewMatcher(), crossing.NewMatcher()
	var crossings []crossing.Crossing
	most := 0
	for n := range uint64(swaps) {
		for _, x := range swapOf(n, int(n%3)+1) {
			m.Add(&x.place, &x.found)
			whole.Add(&x.place, &x.found)
		}
		if n%1000 == 999 {
			done, forged := m.Settle(int64(1_740_000_000 + n*13 - 7200))
			if len(forged) != 0 {
				t.Fatalf("an honest run has %d forgeries, the first: %s", len(forged), forged[0].Reason)
			}
			crossings = append(crossings, done...)
			most = max(most, m.InFlight())
		}
	}
	done, _ := m.Settle(math.MaxInt64)
	crossings = append(crossings, done...)
	want, _ := whole.Settle(math.MaxInt64)
	if got := printed(crossings, nil); got != printed(want, nil) {
		t.Error("settling in pieces gives another answer than settling at once")
	}
	for i := range crossings {
		if c := &crossings[i]; c.Status != crossing.PaidOut || len(c.Payouts) != i%3+1 {
			t.Fatalf("swap %d: %s with %d payouts", i, c.Status, len(c.Payouts))
		}
	}
	if days := 2.5 * 86400 / 13; float64(most) > 4*days { // the window, the slack, and at most four facts a swap
		t.Errorf("%d facts in flight, although no more than %.0f swaps can be open", most, days)
	}
}

// TestMultisetIsShared: where two people made the same deposit, neither payout can be
// told apart, and the score says so.
func TestMultisetIsShared(t *testing.T) {
	p := &crossing.Protocol{Name: "equal", Kind: crossing.Multiset, Window: 3600}
	deposit := func(n uint64, from ledger.Address) said {
		return said{crossing.Place{Chain: ledger.Ethereum, Time: int64(n), Number: n, Tx: ledger.Hash{byte(n)}}, crossing.Found{Deposits: []crossing.Deposit{{
			Protocol: p, Key: ledger.Hash{9}, Asset: "a", Amount: ledger.NewAmount(5), From: from, Targets: []crossing.Target{{Chain: "eip155:10", Asset: "b", Address: account(3)}},
		}}}}
	}
	payout := func(n uint64) said {
		return said{crossing.Place{Chain: "eip155:10", Time: int64(n), Number: n, Tx: ledger.Hash{byte(n)}}, crossing.Found{Payouts: []crossing.Payout{{
			Protocol: p, Key: ledger.Hash{9}, Asset: "b", Amount: ledger.NewAmount(5), To: account(3),
		}}}}
	}
	score := func(list ...said) (scores []uint32) {
		m := crossing.NewMatcher()
		for i := range list {
			m.Add(&list[i].place, &list[i].found)
		}
		crossings, _ := m.Settle(math.MaxInt64)
		for i := range crossings {
			scores = append(scores, crossings[i].Score*uint32(len(crossings[i].Payouts)))
		}
		return scores
	}
	if got := score(deposit(1, account(1)), deposit(2, account(1)), payout(3), payout(4)); !slices.Equal(got, []uint32{10_000, 10_000}) {
		t.Errorf("one depositor twice: scores %v, want facts", got)
	}
	if got := score(deposit(1, account(1)), deposit(2, account(2)), payout(3), payout(4)); !slices.Equal(got, []uint32{5000, 5000}) {
		t.Errorf("two depositors: scores %v, want 5000 each", got)
	}
	if got := score(deposit(1, account(1)), deposit(2, account(2)), payout(3)); !slices.Equal(got, []uint32{5000, 0}) {
		t.Errorf("two depositors, one payout: scores %v, want the earlier to be paid", got)
	}
}

// BenchmarkMatch joins a million swaps whose sides arrive shuffled within an hour, settled
// as they become final. It reports crossings per second beside the
// rate of a bare map that only stores and finds the same keys.
func BenchmarkMatch(b *testing.B) {
	const swaps, piece, window = 1_000_000, 25_000, 500
	// each hands the facts out in pieces; making them is not measured.
	each := func(visit func([]said)) (spent time.Duration) {
		random := rand.New(rand.NewPCG(1, 2))
		for first := uint64(0); first < swaps; first += piece {
			list := make([]said, 0, 2*piece)
			for n := first; n < min(first+piece, swaps); n++ {
				list = append(list, swapOf(n, 1)...)
			}
			for at := 0; at+window <= len(list); at += window {
				random.Shuffle(window, func(i, j int) { list[at+i], list[at+j] = list[at+j], list[at+i] })
			}
			runtime.GC() // what making them left behind
			start := time.Now()
			visit(list)
			spent += time.Since(start)
		}
		return spent
	}
	b.Run("map", func(b *testing.B) {
		spent := time.Duration(0)
		for b.Loop() {
			held := map[ledger.Hash]int{}
			found := 0
			spent += each(func(list []said) {
				for i := range list {
					id := list[i].place.Tx
					if len(list[i].found.Payouts) > 0 {
						id = list[i].found.Payouts[0].Key
					}
					if _, ok := held[id]; ok {
						found++
						delete(held, id)
						continue
					}
					held[id] = i
				}
			})
			if found != swaps {
				b.Fatalf("%d found, want %d", found, swaps)
			}
		}
		b.ReportMetric(float64(swaps)*float64(b.N)/spent.Seconds(), "crossings/s")
	})
	b.Run("matcher", func(b *testing.B) {
		most, spent := 0, time.Duration(0)
		for b.Loop() {
			m := crossing.NewMatcher()
			settled := 0
			spent += each(func(list []said) {
				for i := range list {
					m.Add(&list[i].place, &list[i].found)
				}
				done, _ := m.Settle(list[len(list)-1].place.Time - 7200)
				settled += len(done)
				most = max(most, m.InFlight())
			})
			done, forged := m.Settle(math.MaxInt64)
			if settled += len(done); settled != swaps || len(forged) != 0 {
				b.Fatalf("%d settled, %d forged, want %d and 0", settled, len(forged), swaps)
			}
		}
		b.ReportMetric(float64(swaps)*float64(b.N)/spent.Seconds(), "crossings/s")
		b.ReportMetric(float64(most), "in-flight")
	})
}

// TestStaysWithNetwork: what a known vault pays out of a pool is no forgery of the
// deposit that it names, and no payment of it; the same words of a stranger are forged.
func TestStaysWithNetwork(t *testing.T) {
	list := slices.Concat(swapOf(0, 1), swapOf(4, 1), swapOf(8, 1), swapOf(3, 1), swapOf(7, 1))
	for n, payer := range map[int]ledger.Address{3: wallet(0), 7: wallet(99)} {
		at := slices.IndexFunc(list, func(s said) bool { return len(s.found.Deposits) > 0 && s.place.Number == uint64(n) })
		deposit := &list[at].found.Deposits[0]
		deposit.Targets, deposit.Stays, deposit.Reason = nil, true, "the value stays"
		list[at+1].found.Payouts[0].Payer = payer
	}
	got := settle(t, list)
	if n := strings.Count(got, string(crossing.PaidOut)); n != 3 {
		t.Errorf("%d paid, want 3:\n%s", n, got)
	}
	if lines := strings.Split(strings.TrimSpace(got), "\n"); len(lines) != 6 || !strings.HasSuffix(lines[5], "the deposit that it names asks for no payment that can follow") {
		t.Errorf("want five crossings and one forgery:\n%s", got)
	}
}
