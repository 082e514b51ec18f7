package evm

import (
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// Network is what differs from one EVM chain to another. The zero value behaves as
// Ethereum after the merge: the base fee is burned, the tip is the producer's.
type Network struct {
	ID   uint64 // EIP-155 chain identifier
	Name string // what people type
	// Wrapped is the contract that wraps the native asset one to one and reports it
	// by Deposit and Withdrawal instead of Transfer (WETH9), or none.
	Wrapped ledger.Address
	// Mirror is a contract whose Transfer events repeat moves of the native asset,
	// or none; they would count twice.
	Mirror ledger.Address
	// Fees says where fees go.
	Fees FeeFlow
	// Headers says how block hashes are made.
	Headers HeaderForm
	// Schedule gives the block reward by height, newest first; empty is none.
	Schedule []Reward
}

// FeeFlow says where a network's fees go.
type FeeFlow uint8

// The fee flows.
const (
	// BurnBase burns the base fee and pays the tip to the producer (EIP-1559).
	BurnBase FeeFlow = iota
	// ToVaults pays every fee to contracts of the network; none is burned, and
	// which contract gets what is not followed.
	ToVaults
)

// HeaderForm says how a network's block hash is made.
type HeaderForm uint8

// The header forms.
const (
	// StandardHeader hashes the RLP of the header as Ethereum does.
	StandardHeader HeaderForm = iota
	// OwnHeader is anything else; its hashes are taken as the node states them.
	OwnHeader
)

// Reward is the base reward from a height on, in wei (EIP-649, EIP-1234).
type Reward struct {
	From ledger.Height
	Wei  uint64
}

// Networks lists the networks known by name. Any other eip155 chain works as
// Ethereum does; a wrapped native asset can be named when it is ingested.
var Networks = []Network{
	{
		ID: 1, Name: "ethereum", Wrapped: account("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"),
		Schedule: []Reward{{15_537_394, 0}, {7_280_000, 2e18}, {4_370_000, 3e18}, {1, 5e18}, {0, 0}},
	},
	{ID: 10, Name: "optimism", Wrapped: account("4200000000000000000000000000000000000006"), Fees: ToVaults},
	{ID: 56, Name: "bsc", Wrapped: account("bb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c"), Fees: ToVaults},
	{ID: 100, Name: "gnosis", Wrapped: account("e91d153e0b41518a2ce8dd3d7944fa863463a97d"), Fees: ToVaults, Headers: OwnHeader},
	{ID: 130, Name: "unichain", Wrapped: account("4200000000000000000000000000000000000006"), Fees: ToVaults},
	{ID: 137, Name: "polygon", Wrapped: account("0d500b1d8e8ef31e21c99d1db9a6444d3adf1270"), Mirror: account("0000000000000000000000000000000000001010"), Fees: ToVaults},
	{ID: 250, Name: "fantom", Wrapped: account("21be370d5312f44cb42ce377bc9b8a0cef1a4c83"), Fees: ToVaults, Headers: OwnHeader},
	{ID: 324, Name: "zksync", Wrapped: account("5aea5775959fbc2557cc8789bc1bf90a239d9a91"), Mirror: account("000000000000000000000000000000000000800a"), Fees: ToVaults, Headers: OwnHeader},
	{ID: 8453, Name: "base", Wrapped: account("4200000000000000000000000000000000000006"), Fees: ToVaults},
	{ID: 42161, Name: "arbitrum", Wrapped: account("82af49447d8a07e3bd95bd0d56f35241523fbab1"), Fees: ToVaults},
	{ID: 42220, Name: "celo", Mirror: account("471ece3750da237f93b8e339c536989b8978a438"), Fees: ToVaults, Headers: OwnHeader},
	{ID: 43114, Name: "avalanche", Wrapped: account("b31f66aa3c1e785363f0875a1b74e27b85fd66c7"), Headers: OwnHeader},
	{ID: 59144, Name: "linea", Wrapped: account("e5d7c2a44ffddf6b295a15c148167daaaf5cf34f"), Fees: ToVaults},
	{ID: 81457, Name: "blast", Wrapped: account("4300000000000000000000000000000000000004"), Fees: ToVaults},
	{ID: 534352, Name: "scroll", Wrapped: account("5300000000000000000000000000000000000004"), Fees: ToVaults},
	{ID: 11155111, Name: "sepolia", Wrapped: account("fff9976782d46cc05630d1f6ebab18b2324d6b14")},
	{ID: 17000, Name: "holesky"},
	{ID: 560048, Name: "hoodi"},
	{ID: 1337, Name: "geth-dev"},
	{ID: 31337, Name: "anvil"},
}

// NetworkNamed finds a network by the name people type.
func NetworkNamed(name string) (Network, bool) {
	for _, n := range Networks {
		if n.Name == strings.ToLower(name) {
			return n, true
		}
	}
	return Network{}, false
}

// NetworkOf finds the network of a chain; a chain that is not listed behaves as
// Ethereum after the merge.
func NetworkOf(chain ledger.Chain) Network {
	id, err := strconv.ParseUint(strings.TrimPrefix(string(chain), "eip155:"), 10, 64)
	if err != nil {
		return Network{}
	}
	for _, n := range Networks {
		if n.ID == id {
			return n
		}
	}
	return Network{ID: id, Name: string(chain)}
}

// Chain is the network's CAIP-2 identifier.
func (n *Network) Chain() ledger.Chain {
	return ledger.Chain("eip155:" + strconv.FormatUint(n.ID, 10))
}

// reward is the base reward of a block in wei.
func (n *Network) reward(height ledger.Height) uint64 {
	for _, r := range n.Schedule {
		if height >= r.From {
			return r.Wei
		}
	}
	return 0
}

// account reads an address of the tables of this package; it panics on a mistake
// in them.
func account(digits string) ledger.Address {
	address, err := Notation{}.ParseAddress("0x" + digits)
	if err != nil {
		panic(err)
	}
	return address
}
