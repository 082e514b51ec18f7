package screen_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/internal/laundering"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/store/embedded"
)

// crowd makes blocks in which people pay one another, who are numbered in generations:
// 0 is listed, and each of the others is paid by one of the generation before.
type crowd struct {
	random *rand.Rand
	chain  ledger.Chain
	last   *ledger.Block
	ids    uint64
}

// generations end with these numbers: 1 listed, 200 whom it paid, and so on.
var generations = []int{1, 201, 4_201, 30_201}

func person(n int) ledger.Address {
	payload := make([]byte, 20)
	binary.BigEndian.PutUint32(payload[8:], uint32(n)+1)
	return ledger.NewAddress(ledger.EVMAccount, payload)
}

func (c *crowd) move(from, to ledger.Address, amount uint64) ledger.Tx {
	return ledger.Tx{Fee: ledger.Fee{Payer: from, Burned: ledger.NewAmount(1)}, Transfers: []ledger.Transfer{{From: from, To: to, Asset: c.chain.Native(), Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}}}
}

func (c *crowd) block(txs []ledger.Tx) *ledger.Block {
	b := &ledger.Block{Chain: c.chain, Time: 1_700_000_000, Txs: txs}
	if c.last != nil {
		b.Height, b.Parent = c.last.Height+1, c.last.Hash
	}
	b.Hash = ledger.Hash{1}
	binary.BigEndian.PutUint64(b.Hash[8:], uint64(b.Height)+1)
	for i := range txs {
		c.ids++
		txs[i].Index, txs[i].ID = uint32(i), ledger.Hash{2}
		binary.BigEndian.PutUint64(txs[i].ID[8:], c.ids)
	}
	c.last = b
	return b
}

// history lets everybody be funded and pay the next generation, and then pay one another.
func (c *crowd) history() (blocks []*ledger.Block) {
	var txs []ledger.Tx
	add := func(tx ledger.Tx) {
		if txs = append(txs, tx); len(txs) == 200 {
			blocks, txs = append(blocks, c.block(txs)), nil
		}
	}
	stranger := person(1 << 20)
	for n := range generations[len(generations)-1] {
		add(c.move(stranger, person(n), 1_000_000))
	}
	for g := 1; g < len(generations); g++ {
		from := 0
		if g > 1 {
			from = generations[g-2]
		}
		for n := generations[g-1]; n < generations[g]; n++ {
			add(c.move(person(from+c.random.IntN(generations[g-1]-from)), person(n), 10_000))
		}
	}
	for range 100_000 {
		add(c.any())
	}
	return append(blocks, c.block(txs))
}

// any is a payment of somebody to somebody of the same generation, or to a stranger.
func (c *crowd) any() ledger.Tx {
	from, to := 1+c.random.IntN(generations[3]-1), 1<<20+c.random.IntN(1<<16)
	if c.random.IntN(4) == 0 {
		from, to = to, from
	}
	return c.move(person(from), person(to), uint64(1+c.random.IntN(20_000)))
}

// BenchmarkDealings takes in one more block of 200 transactions, half of them of people in a
// region of some 20,000 and two of the listed address: the time from a block in the
// store to verdicts that rest on it.
func BenchmarkDealings(b *testing.B) {
	s, err := embedded.Open(b.Context(), b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	c := &crowd{random: rand.New(rand.NewPCG(1, 1)), chain: ledger.Ethereum}
	notation, err := laundering.Notations(c.chain)
	if err != nil {
		b.Fatal(err)
	}
	claim := label.Claim{Subject: label.SubjectOf(c.chain, notation.FormatAddress(person(0))), Label: "somebody", Abuse: "sanction", By: "OFAC", Confidence: "authority_data", Score: 60, From: 1, Learned: 1}
	if _, err := s.AddClaims(b.Context(), []label.Claim{claim}); err != nil {
		b.Fatal(err)
	}
	if err := s.Append(b.Context(), c.history()); err != nil {
		b.Fatal(err)
	}
	e, err := screen.NewEngine(s, screen.Options{Notations: laundering.Notations, Now: func() int64 { return 1_700_000_000 }})
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Rebuild(b.Context(), nil, nil); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		txs := []ledger.Tx{c.move(person(0), person(1+c.random.IntN(200)), 5000), c.move(person(1+c.random.IntN(200)), person(0), 10)}
		for len(txs) < 200 {
			if len(txs)%2 == 0 {
				txs = append(txs, c.any())
			} else {
				txs = append(txs, c.move(person(1<<20), person(1<<21), 1))
			}
		}
		if err := s.Append(b.Context(), []*ledger.Block{c.block(txs)}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := e.Advance(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(e.Now().Len()), "addresses")
	b.ReportMetric(float64(e.Now().Bytes())/(1<<20), "MB")
}
