package trace_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"coldtrail/internal/clickhousetest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/clickhouse"
	"coldtrail/store/memory"
	"coldtrail/trace"
)

// fanned is a ledger in which stolen money goes to so many addresses at the first hop, and
// from each of them to one more at every other. All transactions of a hop are in one block.
func fanned(family ledger.Family, hops, width int) ([]*ledger.Block, *trace.Case) {
	if family == ledger.UTXO {
		return fannedOutputs(hops, width)
	}
	return fannedAccounts(hops, width)
}

// fannedBlock lies far from its neighbours, so that hops lie on other pages of the index, and
// on all shards.
func fannedBlock(chain ledger.Chain, height int, txs []ledger.Tx) *ledger.Block {
	for i := range txs {
		txs[i].Index = uint32(i)
		txs[i].ID = ledger.Hash(sha256.Sum256(fmt.Append(nil, "fanned ", height, " ", i)))
	}
	return &ledger.Block{Chain: chain, Height: ledger.Height(height * 700), Time: int64(1_700_000_000 + height*600), Provenance: ledger.File, Txs: txs}
}

func fannedAccounts(hops, width int) ([]*ledger.Block, *trace.Case) {
	pay := func(from, to, amount int) ledger.Tx {
		return ledger.Tx{Transfers: []ledger.Transfer{
			{From: account(from), To: account(to), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(uint64(amount)), LogIndex: ledger.NoLog},
		}}
	}
	blocks := []*ledger.Block{fannedBlock(ledger.Ethereum, 1, []ledger.Tx{pay(0, 1, 10*width)})}
	for hop := range hops {
		var txs []ledger.Tx
		for i := range width {
			from := 1
			if hop > 0 {
				from = hop*1000 + i
			}
			txs = append(txs, pay(from, (hop+1)*1000+i, 10))
		}
		blocks = append(blocks, fannedBlock(ledger.Ethereum, hop+2, txs))
	}
	return blocks, &trace.Case{File: "test", Name: "theft", Thefts: []trace.Theft{
		{Colour: "eth", Chain: string(ledger.Ethereum), Tx: ledger.Ethereum.FormatHash(blocks[0].Txs[0].ID)},
	}}
}

func fannedOutputs(hops, width int) ([]*ledger.Block, *trace.Case) {
	out := func(to, value int) ledger.Output { return ledger.Output{Value: uint64(value), Address: account(to)} }
	coinbase := func(value int) ledger.Tx { return ledger.Tx{Coinbase: true, Outputs: []ledger.Output{out(1, value)}} }
	blocks := []*ledger.Block{fannedBlock(ledger.Bitcoin, 1, []ledger.Tx{coinbase(10 * width)})}
	for hop := range hops {
		txs := []ledger.Tx{coinbase(1)}
		before := blocks[len(blocks)-1].Txs
		if hop == 0 {
			split := ledger.Tx{Inputs: []ledger.Outpoint{{Tx: before[0].ID}}}
			for i := range width {
				split.Outputs = append(split.Outputs, out(1000+i, 10))
			}
			txs = append(txs, split)
		}
		for i := range width {
			switch hop {
			case 0:
			case 1:
				txs = append(txs, ledger.Tx{Inputs: []ledger.Outpoint{{Tx: before[1].ID, Index: uint32(i)}}, Outputs: []ledger.Output{out(2000+i, 10)}})
			default:
				txs = append(txs, ledger.Tx{Inputs: []ledger.Outpoint{{Tx: before[1+i].ID}}, Outputs: []ledger.Output{out((hop+1)*1000+i, 10)}})
			}
		}
		blocks = append(blocks, fannedBlock(ledger.Bitcoin, hop+2, txs))
	}
	return blocks, &trace.Case{File: "test", Name: "theft", Thefts: []trace.Theft{
		{Colour: "btc", Chain: string(ledger.Bitcoin), Outpoint: blocks[0].Txs[0].ID.String() + ":0"},
	}}
}

// counted tells which questions cost how many round trips.
type counted struct {
	*clickhouse.Store
	questions, trips map[string]uint64
}

func (c *counted) count(question string) func() {
	before := c.Trips()
	return func() {
		c.questions[question]++
		c.trips[question] += c.Trips() - before
	}
}

func (c *counted) Movements(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Movement, error) {
	defer c.count("Movements")()
	return c.Store.Movements(ctx, chain, numbers)
}

func (c *counted) History(ctx context.Context, chain ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	defer c.count("History")()
	return c.Store.History(ctx, chain, questions)
}

func (c *counted) Balances(ctx context.Context, chain ledger.Chain, questions []store.HoldingAt) ([]store.Balance, error) {
	defer c.count("Balances")()
	return c.Store.Balances(ctx, chain, questions)
}

func (c *counted) Transactions(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]store.Transaction, error) {
	defer c.count("Transactions")()
	return c.Store.Transactions(ctx, chain, numbers)
}

func (c *counted) Outputs(ctx context.Context, chain ledger.Chain, numbers []store.OutputNumber) ([]store.Output, error) {
	defer c.count("Outputs")()
	return c.Store.Outputs(ctx, chain, numbers)
}

func (c *counted) IDs(ctx context.Context, chain ledger.Chain, numbers []store.TxNumber) ([]ledger.Hash, error) {
	defer c.count("IDs")()
	return c.Store.IDs(ctx, chain, numbers)
}

// tripsOf traces a fanned ledger by the targeted driver and gives the round trips.
func tripsOf(t *testing.T, s *clickhouse.Store, family ledger.Family, hops, width int) uint64 {
	t.Helper()
	if err := empty(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	blocks, c := fanned(family, hops, width)
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	reference := memory.New()
	if err := reference.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	options := trace.Options{Mode: trace.Targeted, Notations: plain}
	want, err := trace.Run(t.Context(), reference, []*trace.Case{c}, options)
	if err != nil {
		t.Fatal(err)
	}
	told := &counted{s, map[string]uint64{}, map[string]uint64{}}
	before := s.Trips()
	got, err := trace.Run(t.Context(), told, []*trace.Case{c}, options)
	if err != nil {
		t.Fatal(err)
	}
	trips := s.Trips() - before
	if got.Digest != want.Digest {
		t.Errorf("%d hops of %d: the trace differs from that in memory", hops, width)
	}
	if held := len(got.Dispositions); held != width {
		t.Errorf("%d hops of %d end at %d places", hops, width, held)
	}
	t.Logf("%d hops of %d: %d round trips; questions %v, their trips %v", hops, width, trips, told.questions, told.trips)
	return trips
}

// checkTrips wants a targeted trace to pay by hops, however many addresses each has. A hub,
// which the thief of a wide theft is, costs one question more.
func checkTrips(t *testing.T, s *clickhouse.Store) {
	t.Helper()
	const hub = 2
	for family, most := range map[ledger.Family]uint64{ledger.Account: 7, ledger.UTXO: 6} {
		narrow, wide := map[int]uint64{}, map[int]uint64{}
		for _, hops := range []int{3, 5, 7} {
			narrow[hops], wide[hops] = tripsOf(t, s, family, hops, 10), tripsOf(t, s, family, hops, 300)
			if wide[hops] < narrow[hops] || wide[hops] > narrow[hops]+hub {
				t.Errorf("family %d: %d hops of 10 cost %d round trips, of 300 %d", family, hops, narrow[hops], wide[hops])
			}
		}
		for _, trips := range []map[int]uint64{narrow, wide} {
			if trips[7]-trips[5] != trips[5]-trips[3] || trips[5]-trips[3] > 2*most {
				t.Errorf("family %d: 3, 5 and 7 hops cost %d, %d and %d round trips", family, trips[3], trips[5], trips[7])
			}
		}
	}
}

// TestTripsGrowWithHops counts on one server; TestPropertiesOnCluster does on a cluster.
func TestTripsGrowWithHops(t *testing.T) { checkTrips(t, openOn(t, clickhousetest.Single(t))) }
