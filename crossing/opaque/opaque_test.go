package opaque //nolint:testpackage // the arithmetic and the assignment are not for others

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
)

func TestLogAndExp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Uint64Range(1, math.MaxUint64).Draw(rt, "n")
		if got, want := float64(logOf(n))/unit, math.Log(float64(n)); math.Abs(got-want) > 1e-7 {
			rt.Errorf("ln %d = %.9f, want %.9f", n, got, want)
		}
		x := rapid.Int64Range(0, 40*unit).Draw(rt, "x")
		if got, want := float64(expOf(-x))/unit, math.Exp(-float64(x)/unit); math.Abs(got-want) > 1e-8 {
			rt.Errorf("e^-%.6f = %.10f, want %.10f", float64(x)/unit, got, want)
		}
	})
}

// TestLikelihood compares the density with the textbook's, in floating point.
func TestLikelihood(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := Model{Deviation: rapid.Int64Range(1000, 30_000).Draw(rt, "σ"), Delay: rapid.Int64Range(60, 3600).Draw(rt, "delay")}
		off := rapid.Int64Range(-4*m.Deviation, 4*m.Deviation).Draw(rt, "off")
		span := rapid.Int64Range(600, 21_600).Draw(rt, "window")
		delay := rapid.Int64Range(1, span).Draw(rt, "after")
		σ, θ := float64(m.Deviation), float64(m.Delay/2)
		// In logarithms throughout: the density itself is below the smallest normal float64
		// after 720 times θ.
		normal := -float64(off*off)/(2*σ*σ) - math.Log(σ*math.Sqrt(2*math.Pi))
		gamma := math.Log(float64(delay)/(θ*θ)) - float64(delay)/θ
		mass := 1 - (1+float64(span)/θ)*math.Exp(-float64(span)/θ)
		want := normal + gamma - math.Log(mass)
		if got := float64(m.likelihood(off, delay, span)) / unit; math.Abs(got-want) > 1e-3*max(1, math.Abs(want)) {
			rt.Errorf("%+v off %d after %d of %d: %.6f, want %.6f", m, off, delay, span, got, want)
		}
	})
}

const (
	ether   = ledger.Asset("eip155:1/slip44:60")
	satoshi = ledger.Asset("bip122:000000000019d6689c085ae165831e93/slip44:0")
)

// rateOf gives one bitcoin for thirty ether, in gwei and satoshi.
func rateOf(from, to ledger.Asset, _ int64) (ledger.Amount, bool) {
	if from != ether || to != satoshi {
		return ledger.Amount{}, false
	}
	thirty, ten := ledger.NewAmount(30), ledger.NewAmount(10) // a gwei is 1/10 of a satoshi's part of its coin
	var z ledger.Amount
	z.Div(one, &thirty)
	return *z.Div(&z, &ten), true
}

func deposit(n uint64, gwei uint64, time int64) Transfer {
	id := ledger.Hash{}
	binary.BigEndian.PutUint64(id[:], n)
	return Transfer{Chain: ledger.Ethereum, Asset: ether, Amount: ledger.NewAmount(gwei), Time: time, Tx: id}
}

func payout(n uint64, sat uint64, time int64) Transfer {
	id := ledger.Hash{31: 1}
	binary.BigEndian.PutUint64(id[:], n)
	return Transfer{Chain: ledger.Bitcoin, Asset: satoshi, Amount: ledger.NewAmount(sat), Time: time, Tx: id}
}

// TestAlone: one deposit, one payout that fits: a strong candidate. What is paid too
// early, too late, too much or too little is none.
func TestAlone(t *testing.T) {
	const paid = 33_000_000 // one per cent below the rate
	for _, c := range []struct {
		name   string
		payout Transfer
		class  Class
		n      int
	}{
		{"after twelve minutes, one per cent kept", payout(1, paid, 720), Strong, 1},
		{"before the deposit", payout(1, paid, -1), Weak, 0},
		{"after the window", payout(1, paid, 7201), Weak, 0},
		{"a tenth more than the rate gives", payout(1, 36_700_000, 720), Weak, 0},
		{"a tenth less", payout(1, 29_000_000, 720), Weak, 0},
		{"in another asset", Transfer{Chain: ledger.Bitcoin, Asset: "bip122:000000000019d6689c085ae165831e93/slip44:99", Amount: ledger.NewAmount(paid), Time: 720}, Weak, 0},
	} {
		m := Match(Prior, []Transfer{deposit(1, 10_000_000_001, 0)}, []Transfer{c.payout}, rateOf)
		if len(m.Candidates) != c.n || c.n > 0 && (ClassOf(m.Candidates[0].Score) != c.class || !m.Candidates[0].Assigned) {
			t.Errorf("%s: %+v", c.name, m)
		}
		if reason := m.Refused[0]; (reason != "") != (c.n == 0 && c.payout.Amount.Uint64() == paid) {
			t.Errorf("%s: %q", c.name, reason)
		}
	}
}

// TestRival: of two payouts that fit alike neither is likely.
func TestRival(t *testing.T) {
	m := Match(Prior, []Transfer{deposit(1, 10_000_000_001, 0)}, []Transfer{payout(1, 33_000_000, 720), payout(2, 33_000_000, 721)}, rateOf)
	if len(m.Candidates) != 2 || m.Candidates[0].Score >= 5000 || m.Candidates[0].Rivals != 1 {
		t.Errorf("%+v", m)
	}
	// A second deposit of the same amount halves what one payout is worth to each.
	m = Match(Prior, []Transfer{deposit(1, 10_000_000_001, 0), deposit(2, 10_000_000_001, 1)}, []Transfer{payout(1, 33_000_000, 720)}, rateOf)
	if len(m.Candidates) != 2 || m.Candidates[0].Score >= 5000 || m.Candidates[1].Score >= 5000 {
		t.Errorf("%+v", m)
	}
}

// TestRoundAmounts: four deposits of ten ether each are refused.
func TestRoundAmounts(t *testing.T) {
	var deposits, payouts []Transfer
	for n := range uint64(4) {
		deposits = append(deposits, deposit(n, 10_000_000_000, int64(n*60)))
		payouts = append(payouts, payout(n, 33_000_000, int64(n*60+720)))
	}
	if m := Match(Prior, deposits, payouts, rateOf); len(m.Candidates) != 0 || len(m.Refused) != 4 {
		t.Errorf("%+v", m)
	}
	if m := Match(Prior, deposits[:3], payouts, rateOf); len(m.Candidates) == 0 || len(m.Refused) != 0 {
		t.Errorf("three: %+v", m)
	}
}

// traffic is a service with customers, and which payout answers which deposit.
func traffic(random *rand.Rand, n int, span int64) (deposits, payouts []Transfer, truth []int) {
	for i := range n {
		at := random.Int64N(span)
		gwei := uint64(1_000_000_000 + random.Int64N(100_000_000_000))
		deposits = append(deposits, deposit(uint64(i), gwei, at))
		kept := 990_000 + uint64(random.NormFloat64()*8000+0.5)
		delay := int64(random.ExpFloat64()*360+random.ExpFloat64()*360) + 1
		payouts = append(payouts, payout(uint64(i), gwei/300*kept/1_000_000, at+delay))
		truth = append(truth, i)
	}
	random.Shuffle(n, func(i, j int) {
		payouts[i], payouts[j] = payouts[j], payouts[i]
		truth[i], truth[j] = truth[j], truth[i]
	})
	return deposits, payouts, truth
}

// TestProbabilities: the scores of one deposit never add up to more than certainty,
// nor those of one payout; every deposit and payout is assigned at most once; the
// order in which traffic is given makes no difference.
func TestProbabilities(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		deposits, payouts, _ := traffic(random, rapid.IntRange(1, 40).Draw(rt, "n"), rapid.Int64Range(60, 86_400).Draw(rt, "span"))
		m := Match(Prior, deposits, payouts, rateOf)
		from, to := make([]uint32, len(deposits)), make([]uint32, len(payouts))
		once := map[[2]int]bool{}
		for _, c := range m.Candidates {
			from[c.Deposit] += c.Score
			to[c.Payout] += c.Score
			if c.Assigned {
				if once[[2]int{0, c.Deposit}] || once[[2]int{1, c.Payout}] {
					rt.Errorf("assigned twice: %+v", c)
				}
				once[[2]int{0, c.Deposit}], once[[2]int{1, c.Payout}] = true, true
			}
		}
		if slices.Max(from) > 10_000 || slices.Max(to) > 10_000 {
			rt.Errorf("more than certain: %d %d", slices.Max(from), slices.Max(to))
		}
		type pair struct {
			d, p  ledger.Hash
			score uint32
		}
		read := func(m Matching, deposits, payouts []Transfer) (list []pair) {
			for _, c := range m.Candidates {
				list = append(list, pair{deposits[c.Deposit].Tx, payouts[c.Payout].Tx, c.Score})
			}
			slices.SortFunc(list, func(a, b pair) int { return slices.Compare(append(a.d[:], a.p[:]...), append(b.d[:], b.p[:]...)) })
			return list
		}
		want := read(m, deposits, payouts)
		random.Shuffle(len(deposits), func(i, j int) { deposits[i], deposits[j] = deposits[j], deposits[i] })
		random.Shuffle(len(payouts), func(i, j int) { payouts[i], payouts[j] = payouts[j], payouts[i] })
		if got := read(Match(Prior, deposits, payouts, rateOf), deposits, payouts); !slices.Equal(got, want) {
			rt.Errorf("order matters:\n%v\n%v", got, want)
		}
	})
}

// TestAssignmentIsBest compares with trying everything.
func TestAssignmentIsBest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "deposits")
		k := rapid.IntRange(1, 6).Draw(rt, "payouts")
		m := matcher{deposits: make([]Transfer, n), payouts: make([]Transfer, k)}
		for d := range n {
			for p := range k {
				if odds := rapid.Int64Range(-50, 1000).Draw(rt, "odds"); odds > 0 && rapid.Bool().Draw(rt, "edge") {
					m.out.Candidates = append(m.out.Candidates, Candidate{Deposit: d, Payout: p, odds: odds})
				}
			}
		}
		m.assign()
		got := int64(0)
		for _, c := range m.out.Candidates {
			if c.Assigned {
				got += c.odds
			}
		}
		if want := best(m.out.Candidates, 0, n, map[int]bool{}); got != want {
			rt.Errorf("%d, want %d: %+v", got, want, m.out.Candidates)
		}
	})
}

func best(candidates []Candidate, d, n int, gone map[int]bool) int64 {
	if d == n {
		return 0
	}
	most := best(candidates, d+1, n, gone)
	for _, c := range candidates {
		if c.Deposit == d && !gone[c.Payout] {
			gone[c.Payout] = true
			most = max(most, c.odds+best(candidates, d+1, n, gone))
			delete(gone, c.Payout)
		}
	}
	return most
}

// TestCalibration: of what is called ninety per cent certain, about ninety of a
// hundred are right, at every load; what is strong is hardly ever wrong.
func TestCalibration(t *testing.T) {
	for _, load := range []struct {
		perHour int
		strong  float64 // least share of the deposits that get a strong candidate
	}{{2, 0.80}, {20, 0.30}, {200, 0}} {
		var right, all [5]float64
		strong, deposited := 0, 0
		for seed := range uint64(12) {
			random := rand.New(rand.NewPCG(seed, 7))
			n := 40 + load.perHour
			deposits, payouts, truth := traffic(random, n, int64(n)*3600/int64(load.perHour))
			m := Match(Prior, deposits, payouts, rateOf)
			deposited += n
			for _, c := range m.Candidates {
				if c.Score < 5000 {
					continue
				}
				bin := int(min(c.Score, 9999)-5000) / 1000
				all[bin]++
				if c.Score >= 9500 {
					strong++
				}
				if truth[c.Payout] == c.Deposit {
					right[bin]++
				}
			}
		}
		for bin := range all {
			if all[bin] < 30 {
				continue
			}
			low := 0.5 + float64(bin)/10
			share := right[bin] / all[bin]
			t.Logf("%d an hour: scored %.0f to %.0f %%: %.0f pairs, %.1f %% right", load.perHour, 100*low, 100*low+10, all[bin], 100*share)
			if slack := 3 * math.Sqrt(0.25/all[bin]); share < low-slack-0.03 {
				t.Errorf("%d an hour: of pairs scored %.0f to %.0f %% only %.1f %% are right", load.perHour, 100*low, 100*low+10, 100*share)
			}
		}
		if got := float64(strong) / float64(deposited); got < load.strong {
			t.Errorf("%d an hour: %.2f of the deposits have a strong candidate, want %.2f", load.perHour, got, load.strong)
		}
	}
}

// TestLearn: the model comes back from pairs that follow it; few pairs teach nothing.
func TestLearn(t *testing.T) {
	deposits, payouts, truth := traffic(rand.New(rand.NewPCG(3, 3)), 400, 400*3600)
	var known []Pair
	for p, d := range truth {
		known = append(known, Pair{deposits[d], payouts[p]})
	}
	m := Model{Mean: 5, Deviation: 50_000, Delay: 9999}.Learn(known, rateOf)
	if m.Mean < -12_000 || m.Mean > -8000 || m.Deviation < 7000 || m.Deviation > 9000 || m.Delay < 600 || m.Delay > 850 {
		t.Errorf("%+v", m)
	}
	if got := Prior.Learn(known[:7], rateOf); got != Prior {
		t.Errorf("from seven pairs: %+v", got)
	}
}

func BenchmarkMatch(b *testing.B) {
	deposits, payouts, _ := traffic(rand.New(rand.NewPCG(1, 1)), 20_000, 20_000*30)
	for b.Loop() {
		Match(Prior, deposits, payouts, rateOf)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(deposits)), "ns/deposit")
}
