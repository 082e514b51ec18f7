package main

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"coldtrail/ledger"
	"coldtrail/price/chainlink"
	"coldtrail/store/memory"
)

// TestFeedPrices: answers of feeds that the ledger holds are prices up to the moment asked
// for; what a feed says and is no answer is told.
func TestFeedPrices(t *testing.T) {
	const noon = 1_742_212_800
	by, err := hex.DecodeString(chainlink.Feeds[1].Aggregator)
	if err != nil {
		t.Fatal(err)
	}
	said := func(current uint64, at int64) ledger.Message {
		data := append([]byte{3}, chainlink.Topic[:]...)
		for _, n := range []uint64{current, 1, uint64(at)} {
			data = binary.BigEndian.AppendUint64(append(data, make([]byte, 24)...), n)
		}
		return ledger.Message{Kind: ledger.Log, Contract: ledger.NewAddress(ledger.EVMAccount, by), Data: data}
	}
	var blocks []*ledger.Block
	for i, value := range []uint64{8_400_000_000_000, 0, 8_500_000_000_000, 8_600_000_000_000} {
		at := int64(noon + i*3600)
		b := &ledger.Block{Chain: ledger.Ethereum, Height: ledger.Height(i), Time: at, Provenance: ledger.Node, Hash: ledger.Hash{byte(i + 1)}, Txs: []ledger.Tx{{ID: ledger.Hash{byte(i + 1)}, Messages: []ledger.Message{said(value, at)}}}}
		if i > 0 {
			b.Parent = blocks[i-1].Hash
		}
		blocks = append(blocks, b)
	}
	s := memory.New()
	if err := s.Append(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	var told []string
	got, err := feedPrices(t.Context(), s, priced{from: noon, until: noon + 2*3600, log: func(text string) { told = append(told, text) }})
	if err != nil || len(got) != 2 || got[0].Value != 8_400_000_000_000 || got[1].Value != 8_500_000_000_000 || got[1].Asset != ledger.Bitcoin.Native() || got[1].Close != noon+2*3600 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(told) != 1 || told[0] != "no price in block 1 of ethereum: BTC / USD, log 0: the answer is not above 0" {
		t.Errorf("%q", told)
	}
}
