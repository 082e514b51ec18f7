package attribution

import (
	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

// Tokens are tokens of Ethereum that are known by their contracts. Behaviour counts no
// token that is not listed: a symbol proves nothing.
var Tokens = []struct {
	Symbol string
	Asset  ledger.Asset
}{
	{"USDT", "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"},
	{"USDC", "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"},
	{"DAI", "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"},
	{"WETH", "eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"},
	{"WBTC", "eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"},
	{"tBTC", "eip155:1/erc20:0x18084fba666a33d37592fa2633fd49a74dd93a88"},
	{"cbBTC", "eip155:1/erc20:0xcbb7c0000ab88b473b1f5afd9ef808440eed33bf"},
	{"stETH", "eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84"},
	{"mETH", "eip155:1/erc20:0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa"},
	{"cmETH", "eip155:1/erc20:0xe6829d9a7ee3040e1276fa75293bde931859e8fa"},
}

// gwei is 10^9 wei.
const gwei = 1_000_000_000

// ConductParameters are the defaults of package behaviour with what that leaves to its
// caller: the tokens above, and limits for the two native assets. The limits stand for
// about 100,000 US dollars (fan-out), 500 (gas) and 1 (dust) at 2,500 dollars an ether
// and 100,000 a bitcoin; they are wrong for any other price, and meant to be changed.
// There is no reporting threshold among them.
func ConductParameters() behaviour.Parameters {
	p := behaviour.DefaultParameters()
	p.Listed = map[ledger.Asset]bool{}
	for _, t := range Tokens {
		p.Listed[t.Asset] = true
	}
	p.Limits[ledger.Bitcoin.Native()] = behaviour.Limits{FanOut: ledger.NewAmount(100_000_000), Dust: ledger.NewAmount(1000)}
	p.Limits[ledger.Ethereum.Native()] = behaviour.Limits{
		FanOut: wei(40 * gwei), Gas: wei(gwei / 5), Dust: wei(gwei / 2500),
	}
	return p
}

// wei is an amount of gwei in wei.
func wei(ofGwei uint64) ledger.Amount {
	amount, unit := ledger.NewAmount(ofGwei), ledger.NewAmount(gwei)
	amount.Mul(&amount, &unit)
	return amount
}
