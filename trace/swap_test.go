package trace_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/taint"
	"coldtrail/trace"
)

// account is an EVM account of a small number.
func account(n int) ledger.Address {
	payload := make([]byte, 20)
	payload[0], payload[19] = 0x70+byte(n>>8), byte(n)
	return ledger.NewAddress(ledger.EVMAccount, payload)
}

// The cast of the market: traders are people, the others are contracts.
const (
	traders = 6
	router  = 100 // the first of several routers that call each other
	pools   = 200
	sink    = 300 // collects fees
)

// market draws trades through nested routers, with fees, other recipients and
// refunds, between plain payments. Traders never run dry: their balances are stated.
func market(t *rapid.T) []*ledger.Block {
	assets := []ledger.Asset{ledger.Ethereum.Native()}
	for i := range 3 {
		assets = append(assets, ledger.Asset(fmt.Sprintf("%s/erc20:0x%040x", ledger.Ethereum, 0xaa0+i)))
	}
	var blocks []*ledger.Block
	for height := range 6 {
		block := &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(height + 1), Time: int64(height + 1), Provenance: ledger.File}
		for index := range rapid.IntRange(1, 3).Draw(t, "transactions") {
			tx := ledger.Tx{ID: ledger.Hash{byte(height + 1), byte(index)}, Index: uint32(index)}
			move := func(from, to int, asset ledger.Asset, amount uint64) {
				if amount > 0 && from != to {
					tx.Transfers = append(tx.Transfers, ledger.Transfer{From: account(from), To: account(to), Asset: asset, Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog})
				}
			}
			who := rapid.IntRange(0, traders-1).Draw(t, "trader")
			to := rapid.IntRange(0, traders-1).Draw(t, "to")
			given := rapid.SampledFrom(assets).Draw(t, "given")
			amount := rapid.Uint64Range(20, 900).Draw(t, "amount")
			switch {
			case height == 0 && index == 0: // what is stolen
				to = (who + 1) % traders
				move(who, to, given, amount)
			case rapid.IntRange(0, 2).Draw(t, "pays") == 0:
				move(who, to, given, amount)
			default:
				trade(t, move, who, to, given, rapid.SampledFrom(slices.DeleteFunc(slices.Clone(assets), func(a ledger.Asset) bool { return a == given })).Draw(t, "wanted"), amount)
			}
			tx.Fee = ledger.Fee{Payer: account(who), Burned: ledger.NewAmount(1)}
			block.Txs = append(block.Txs, tx)
		}
		if height == 0 {
			for trader := range traders {
				for _, asset := range assets {
					block.Openings = append(block.Openings, ledger.Opening{Address: account(trader), Asset: asset, Amount: ledger.NewAmount(1_000_000), Before: 1})
				}
			}
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// trade moves value as an aggregator does.
func trade(t *rapid.T, move func(from, to int, asset ledger.Asset, amount uint64), who, to int, given, wanted ledger.Asset, amount uint64) { //nolint:revive // all of one trade
	depth := rapid.IntRange(1, 3).Draw(t, "routers")
	move(who, router, given, amount)
	if refund := rapid.Uint64Range(0, 3).Draw(t, "refund"); refund > 0 {
		move(router, who, given, refund)
		amount -= refund
	}
	for i := 1; i < depth; i++ {
		move(router+i-1, router+i, given, amount)
	}
	pool := pools + rapid.IntRange(0, 2).Draw(t, "pool")
	move(router+depth-1, pool, given, amount)
	out := max(1, amount*rapid.Uint64Range(1, 30).Draw(t, "price")/10)
	for i := depth - 1; i >= 0; i-- {
		from := pool
		if i < depth-1 {
			from = router + i + 1
		}
		move(from, router+i, wanted, out)
	}
	fee := out * rapid.Uint64Range(0, 5).Draw(t, "fee") / 100
	move(router, sink, wanted, fee)
	move(router, to, wanted, out-fee)
}

// TestSwapsConserve wants the property in memory, and enough swaps to say so.
func TestSwapsConserve(t *testing.T) {
	if swaps := checkSwapsConserve(t, inMemory); swaps < 100 {
		t.Errorf("only %d swaps of stolen money were drawn", swaps)
	}
}

// checkSwapsConserve trades stolen money at random: its origin is conserved (the
// engine refuses otherwise), both drivers agree over all stores, and routers, pools and
// collectors of fees never hold it.
func checkSwapsConserve(t *testing.T, stores ...fresh) (swaps int) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		blocks := market(rt)
		held := make([]store.Store, len(stores))
		for i, empty := range stores {
			held[i] = empty(rt)
			if err := held[i].Append(t.Context(), blocks); err != nil {
				rt.Fatal(err)
			}
		}
		first := &blocks[0].Txs[0]
		cases := []*trace.Case{{File: "test", Name: "theft", Thefts: []trace.Theft{{
			Colour: "a", Chain: string(ledger.Ethereum), Asset: string(first.Transfers[0].Asset), Transfer: first.ID.String() + ":0",
		}}}}
		for _, method := range []*taint.Method{taint.FIFO, taint.LIFO, taint.Haircut, taint.Seniority, taint.TIHO} {
			var results []*trace.Result
			for _, s := range held {
				for _, mode := range []trace.Mode{trace.Streaming, trace.Targeted} {
					result, err := trace.Run(t.Context(), s, cases, trace.Options{Method: method, Mode: mode, Notations: plain})
					if err != nil {
						rt.Fatal(err)
					}
					results = append(results, result)
					swaps += len(result.Swaps)
					if result.Digest != results[0].Digest {
						rt.Fatalf("%s: %s over %T differs", method.Name, mode, s)
					}
				}
			}
			for _, d := range results[0].Dispositions {
				if d.Kind == "held" && !slices.ContainsFunc(people(), func(p ledger.Address) bool { return string(p.Bytes()) == d.At }) {
					rt.Fatalf("%s: held by a contract: %+v", method.Name, d)
				}
			}
			for _, a := range results[0].Anomalies {
				if a.Kind != "unknown-opening-balance" {
					rt.Fatalf("%s: %+v", method.Name, a)
				}
			}
		}
	})
	return swaps
}

func people() (all []ledger.Address) {
	for i := range traders {
		all = append(all, account(i))
	}
	return all
}
