// Package chainlink reads prices out of a chain itself: the events by which the contracts
// of Chainlink's data feeds publish a new answer.
//
//	AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt)
//
// An event counts only if a contract of the table emitted it: anybody can emit one.
package chainlink

import (
	"encoding/hex"
	"fmt"

	"github.com/holiman/uint256"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
	"coldtrail/price"
)

// Feed is a contract that emits a feed's answers. Behind the address that users ask (the
// proxy) stands one such contract after another, so that a feed has several rows.
type Feed struct {
	Pair       string
	Chain      ledger.Chain
	Aggregator string // lower case, without 0x
	Asset      ledger.Asset
	Decimals   uint8 // of its answers
	Heartbeat  int64 // seconds after which a new answer comes at the latest
}

// Feeds lists the contracts that are known. Sources: Chainlink's list of data feeds and
// their contracts' own descriptions. Events of the first two in block 19,426,586
// of Ethereum agree with the day's market.
var Feeds = []Feed{
	{"ETH / USD", ledger.Ethereum, "e62b71cf983019bff55bc83b48601ce8419650cc", "eip155:1/slip44:60", 8, 3600},
	{"BTC / USD", ledger.Ethereum, "dbe1941bfbe4410d6865b9b7078e0b49af144d2d", "bip122:000000000019d6689c085ae165831e93/slip44:0", 8, 3600},
	{"ETH / USD", ledger.Ethereum, "37bc7498f4ff12c19678ee8fe19d713b87f6a9e6", "eip155:1/slip44:60", 8, 3600},
	{"ETH / USD", ledger.Ethereum, "7d4e742018fb52e48b08be73d041c18b21de6fb5", "eip155:1/slip44:60", 8, 3600},
	{"BTC / USD", ledger.Ethereum, "4a3411ac2948b33c69666b35cc6d055b27ea84f1", "bip122:000000000019d6689c085ae165831e93/slip44:0", 8, 3600},
}

// Topic is the first topic of the event: the Keccak-256 of its signature.
var Topic = evm.Keccak([]byte("AnswerUpdated(int256,uint256,uint256)"))

// A DecodeError says why an event of a feed's contract is no price.
type DecodeError struct {
	Pair, Reason string
	Position     uint32 // of the log in its block
}

// Error names the feed, the log and the reason.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("%s, log %d: %s", e.Pair, e.Position, e.Reason)
}

// slack is by how many seconds an answer may be older or newer than its block.
const slack = price.Day

// Decode reads a message of a block of a chain; false where it is no answer of a feed of
// the table.
func Decode(chain ledger.Chain, blockTime int64, m *ledger.Message) (q price.Quote, ok bool, err error) {
	if m.Kind != ledger.Log || len(m.Data) < 33 || m.Data[0] == 0 || ledger.Hash(m.Data[1:33]) != Topic {
		return q, false, nil
	}
	feed := feedOf(chain, &m.Contract)
	if feed == nil {
		return q, false, nil
	}
	fail := func(reason string) (price.Quote, bool, error) {
		return price.Quote{}, false, &DecodeError{feed.Pair, reason, m.Position}
	}
	if m.Data[0] != 3 || len(m.Data) != 1+4*32 {
		return fail("want three topics and one word of data")
	}
	var current, updated uint256.Int
	current.SetBytes(m.Data[33:65])
	updated.SetBytes(m.Data[97:129])
	if current.Sign() <= 0 {
		return fail("the answer is not above 0")
	}
	scale := price.PowerOfTen(uint(price.Decimals - min(feed.Decimals, price.Decimals)))
	if _, over := current.MulOverflow(&current, &scale); over || !current.IsUint64() {
		return fail("the answer is out of range")
	}
	if !updated.IsUint64() || updated.Uint64() > 1<<40 {
		return fail("the time is out of range")
	}
	at := int64(updated.Uint64())
	if off := at - blockTime; at == 0 || off > slack || off < -slack {
		return fail("the time is more than a day from that of its block")
	}
	return price.Quote{Asset: feed.Asset, Value: price.Value(current.Uint64()), Close: at, Every: feed.Heartbeat, Source: "Chainlink", Market: feed.Pair + " at 0x" + feed.Aggregator}, true, nil
}

func feedOf(chain ledger.Chain, a *ledger.Address) *Feed {
	text := hex.EncodeToString(a.Bytes())
	for i := range Feeds {
		if Feeds[i].Chain == chain && Feeds[i].Aggregator == text {
			return &Feeds[i]
		}
	}
	return nil
}
