package desk

import "coldtrail/ledger"

// Issuer is who can stop an asset at any address.
type Issuer struct {
	Asset ledger.Asset
	Who   string
	Why   string
	Cites []Citation
}

// Issuers are the assets whose contracts let their issuer bind a holder, by the event with
// which each contract says so; package chain/evm reads the same events.
var Issuers = []Issuer{
	issuer("0xdac17f958d2ee523a2206206994597c13d831ec7", "Tether", "TetherToken", "AddedBlackList(address)"),
	issuer("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "Circle", "USDC, FiatToken", "Blacklisted(address)"),
	issuer("0x1abaea1f7c830bd89acc67ec4af516284b1bc33c", "Circle", "EURC, FiatToken", "Blacklisted(address)"),
	issuer("0x6c3ea9036406852006290770bedfcaba0e23a0e8", "Paxos", "PYUSD", "FreezeAddress(address)"),
	issuer("0x0000000000085d4780b73119b644ae5ecd22b376", "TrueUSD", "TrueUSD", "Blacklisted(address,bool)"),
}

// issuer is a row about a contract on Ethereum.
func issuer(contract, who, name, event string) Issuer {
	return Issuer{
		Asset: ledger.Asset(string(ledger.Ethereum) + "/erc20:" + contract), Who: who,
		Why:   who + " issued the token, and its contract lets the issuer stop any holder; it says so by the event " + event + ".",
		Cites: []Citation{{By: "Ethereum", Title: "Contract " + contract + " (" + name + ")"}},
	}
}
