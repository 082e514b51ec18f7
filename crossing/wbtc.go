package crossing

import (
	"coldtrail/ledger"
)

// WBTC is bitcoin in custody, as a token: merchants ask for mints and burns. A burn
// says to which address of its merchant the custodian pays; which bitcoin transaction
// does is named by a later event, in words that people type. Source:
// WrappedBTC/bitcoin-token-smart-contracts, Factory.sol.
var WBTC = &Protocol{
	Name: "wbtc", Title: "WBTC", Kind: Recognised, Limit: wbtcLimit,
	Contracts: []Contract{{ledger.Ethereum, account("e5a5f138005e19a3e6d0fe68b039397eeef2322b"), "factory"}},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("Burned(uint256,address,uint256,string,uint256,bytes32)"): readWBTCBurned,
	},
}

const wbtcLimit = "a merchant's redemption: the custodian pays the merchant, who is a service of its own"

// readWBTCBurned reads Burned(nonce!, requester!, amount, btcDepositAddress,
// timestamp, requestHash).
func readWBTCBurned(e *Event, found *Found) {
	from, amount, to, key := e.TopicAddress(2), e.Amount(0), string(e.Bytes(1)), e.Word(3)
	_, _ = e.Topic(1), e.Small(2)
	if e.Bad() {
		e.Fault(found, "a burn that WBTC's factory does not emit")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: key, Position: e.Position, Asset: wbtcAsset, Amount: amount, From: from, Reason: wbtcLimit}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, zeroAccount); !ok {
		return
	}
	d.Targets = []Target{e.bitcoinTarget(to)}
	found.Deposits = append(found.Deposits, d)
}

const wbtcAsset ledger.Asset = "eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"

// bitcoinTarget is a bitcoin address as it is written.
func (e *Event) bitcoinTarget(address string) Target {
	t := Target{Protocol: e.Protocol, Text: clip(address)}
	chain, _ := e.ChainNamed("BTC")
	a, err := e.ParseAddress(chain, address)
	if err != nil {
		t.Open = "the address is written in a way that no bitcoin wallet accepts"
		return t
	}
	t.Chain, t.Asset, t.Address = chain, chain.Native(), a
	return t
}
