package trace_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
	"coldtrail/store/memory"
	"coldtrail/taint"
	"coldtrail/trace"
)

func abiWord(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24), n) }

func abiAddress(a ledger.Address) []byte { return append(make([]byte, 12), a.Bytes()...) }

func abiText(text string) []byte {
	out := append(abiWord(uint64(len(text))), text...)
	return append(out, make([]byte, (32-len(text)%32)%32)...)
}

// logged is an event: its signature, its indexed words, its data.
func logged(contract ledger.Address, signature string, indexed [][]byte, data ...[]byte) ledger.Message {
	id := evm.Keccak([]byte(signature))
	m := ledger.Message{Kind: ledger.Log, Contract: contract, Data: append([]byte{byte(1 + len(indexed))}, id[:]...)}
	for _, w := range append(indexed, data...) {
		m.Data = append(m.Data, w...)
	}
	return m
}

func realNotation(chain ledger.Chain) (ledger.Notation, error) {
	if chain.Family() == ledger.Account {
		return evm.Notation{}, nil
	}
	network, err := bitcoin.NetworkOf(chain)
	return bitcoin.Notation{Network: network}, err
}

func wallet(n byte) ledger.Address {
	return ledger.NewAddress(ledger.P2WPKH, slices.Repeat([]byte{n}, 20))
}

func inner(h ledger.Hash) []byte {
	slices.Reverse(h[:])
	return h[:]
}

// TestWrappedBitcoin follows stolen bitcoin into tBTC and WBTC and out again. On
// Bitcoin nothing tells: the events on Ethereum name its transactions.
func TestWrappedBitcoin(t *testing.T) {
	const tbtc, wbtc = ledger.Asset("eip155:1/erc20:0x18084fba666a33d37592fa2633fd49a74dd93a88"), ledger.Asset("eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599")
	bridge, vault, factory := crossing.TBTC.Contracts[0].Address, crossing.TBTC.Contracts[1].Address, crossing.WBTC.Contracts[0].Address
	zero, mule, merchant := ledger.NewAddress(ledger.EVMAccount, make([]byte, 20)), account(1), account(2)
	tx := func(n byte) ledger.Hash { return ledger.Hash{31: n} }
	pay := func(n byte, input ledger.Outpoint, outputs ...ledger.Output) ledger.Tx {
		return ledger.Tx{ID: tx(n), Inputs: []ledger.Outpoint{input}, Outputs: outputs}
	}
	out := func(to ledger.Address, value uint64) ledger.Output { return ledger.Output{Address: to, Value: value} }
	ofBitcoin := func(height uint64, txs ...ledger.Tx) *ledger.Block {
		coinbase := ledger.Tx{ID: ledger.Hash{0: 1, 31: byte(height)}, Coinbase: true, Outputs: []ledger.Output{out(wallet(9), 5_000_000)}}
		b := &ledger.Block{Chain: ledger.Bitcoin, Height: ledger.Height(height), Time: 1_740_000_000 + int64(height)*600, Provenance: ledger.File, Txs: append([]ledger.Tx{coinbase}, txs...)}
		for i := range b.Txs {
			b.Txs[i].Index = uint32(i)
		}
		return b
	}
	move := func(from, to ledger.Address, asset ledger.Asset, amount ledger.Amount) []ledger.Transfer {
		return []ledger.Transfer{{From: from, To: to, Asset: asset, Amount: amount, LogIndex: ledger.NoLog}}
	}
	tokens := func(satoshi uint64) ledger.Amount {
		unit, n := ledger.NewAmount(10_000_000_000), ledger.NewAmount(satoshi)
		return *n.Mul(&n, &unit)
	}
	call := func(height uint64, id byte, transfers []ledger.Transfer, m ledger.Message) *ledger.Block {
		return &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(height), Time: 1_740_000_000 + int64(height)*600, Provenance: ledger.File, Txs: []ledger.Tx{
			{ID: ledger.Hash{0: 0xee, 31: id}, Transfers: transfers, Messages: []ledger.Message{m}, Fee: ledger.Fee{Payer: account(50)}},
		}}
	}
	stolen := ledger.Outpoint{Tx: ledger.Hash{0: 1, 31: 1}, Index: 0}
	custodian := bitcoin.Notation{Network: bitcoin.Mainnet}.FormatAddress(wallet(5))
	hash := inner(tx(2))
	depositKey := evm.Keccak(hash, []byte{0, 0, 0, 0})
	signers := append(slices.Repeat([]byte{7}, 20), make([]byte, 12)...)
	script := "\x16\x00\x14" + strings.Repeat("\x06", 20)
	tbtcMint, wbtcMint := tokens(2_999_000), ledger.NewAmount(1_900_000)
	blocks := []*ledger.Block{
		ofBitcoin(1),
		// 3,000,000 satoshi into tBTC, 1,900,000 to WBTC's custodian.
		ofBitcoin(2, pay(2, stolen, out(ledger.NewAddress(ledger.P2WSH, make([]byte, 32)), 3_000_000), out(wallet(5), 1_900_000), out(wallet(1), 90_000))),
		// The signers pay a redemption, with change; the custodian pays a merchant.
		ofBitcoin(7, pay(3, ledger.Outpoint{Tx: tx(2)}, out(wallet(6), 990_000), out(wallet(7), 2_000_000)), pay(4, ledger.Outpoint{Tx: tx(2), Index: 1}, out(wallet(8), 700_000), out(wallet(5), 1_190_000))),
		call(3, 1, nil, logged(bridge, "DepositRevealed(bytes32,uint32,address,uint64,bytes8,bytes20,bytes20,bytes4,address)",
			[][]byte{abiAddress(mule), signers}, hash, abiWord(0), abiWord(3_000_000), abiWord(0), abiWord(0), abiWord(0), abiAddress(vault))),
		call(4, 2, move(zero, mule, tbtc, tbtcMint), logged(vault, "OptimisticMintingFinalized(address,uint256,address,uint256)",
			[][]byte{abiAddress(account(51)), depositKey[:], abiAddress(mule)}, abiWord(0))),
		call(5, 3, move(zero, merchant, wbtc, wbtcMint), logged(factory, "MintConfirmed(uint256,address,uint256,string,string,uint256,bytes32)",
			[][]byte{abiWord(1), abiAddress(merchant)}, abiWord(1_900_000), abiWord(160), abiWord(256), abiWord(1), abiWord(77), abiText(custodian), abiText(strings.ToUpper(tx(2).String())))),
		call(6, 4, move(mule, zero, tbtc, tokens(1_000_000)), logged(bridge, "RedemptionRequested(bytes20,bytes,address,uint64,uint64,uint64)",
			[][]byte{signers, abiAddress(mule)}, abiWord(128), abiWord(1_000_000), abiWord(5_000), abiWord(8_000), abiText(script))),
		call(7, 5, move(merchant, zero, wbtc, ledger.NewAmount(700_000)), logged(factory, "Burned(uint256,address,uint256,string,uint256,bytes32)",
			[][]byte{abiWord(1), abiAddress(merchant)}, abiWord(700_000), abiWord(128), abiWord(1), abiWord(78), abiText(bitcoin.Notation{Network: bitcoin.Mainnet}.FormatAddress(wallet(8))))),
		call(8, 6, nil, logged(bridge, "RedemptionsCompleted(bytes20,bytes32)", [][]byte{signers}, inner(tx(3)))),
		call(9, 7, nil, logged(factory, "BurnConfirmed(uint256,address,uint256,string,string,uint256,bytes32)",
			[][]byte{abiWord(1), abiAddress(merchant)}, abiWord(700_000), abiWord(160), abiWord(256), abiWord(1), abiWord(79),
			abiText(bitcoin.Notation{Network: bitcoin.Mainnet}.FormatAddress(wallet(8))), abiText(fmt.Sprintf("%x", inner(tx(4)))))), // typed the wrong way round
	}
	s := memory.New()
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"fee 10000 BTC for 10000", "held 90000 BTC for 90000", "held 990000 BTC for 1000333", "held 700000 BTC for 700000",
		"held 19990000000000000 tBTC for 1999667", "held 1200000 WBTC for 1200000",
		"tbtc paid", "wbtc paid", "tbtc paid", "wbtc paid",
	}
	names := map[string]string{string(ledger.Bitcoin.Native()): "BTC", string(tbtc): "tBTC", string(wbtc): "WBTC"}
	for _, mode := range []trace.Mode{trace.Streaming, trace.Targeted} {
		r, err := trace.Run(t.Context(), s, []*trace.Case{{Name: "case", Thefts: []trace.Theft{{Colour: "btc", Chain: string(ledger.Bitcoin), Outpoint: stolen.Tx.String() + ":0"}}}},
			trace.Options{Method: taint.FIFO, Mode: mode, Notations: realNotation, Crossings: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range r.Dispositions {
			got = append(got, fmt.Sprintf("%s %s %s for %s", d.Kind, d.Amount, names[d.Asset], d.Origin))
		}
		for _, c := range r.Crossings {
			got = append(got, c.Protocol+" "+c.Status)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", mode, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
