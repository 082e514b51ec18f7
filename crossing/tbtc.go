package crossing

import (
	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// TBTC is bitcoin in wallets of a threshold of signers, as a token. A redemption says
// which script is to be paid; the bitcoin transaction that pays is named by a later
// event. Source: keep-network/tbtc-v2, Bridge.sol and Redemption.sol.
var TBTC = &Protocol{
	Name: "tbtc", Title: "tBTC", Kind: Recognised, Limit: tbtcLimit,
	Contracts: []Contract{{ledger.Ethereum, account("5e4861a80b55f035d899f66772117f00fa0e8e7b"), "bridge"}},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("RedemptionRequested(bytes20,bytes,address,uint64,uint64,uint64)"): readRedemptionRequested,
	},
}

const (
	tbtcLimit                  = "which bitcoin transaction redeems it is named by a later event, which is not joined yet; look at the address it asks for"
	tbtcAsset     ledger.Asset = "eip155:1/erc20:0x18084fba666a33d37592fa2633fd49a74dd93a88"
	tbtcUnits                  = 10_000_000_000 // of the token in a satoshi
	tbtcScriptMax              = 35
)

// readRedemptionRequested reads RedemptionRequested(walletPubKeyHash!,
// redeemerOutputScript, redeemer!, requestedAmount, treasuryFee, txMaxFee); amounts are
// satoshi, the script stands behind its length in one byte.
func readRedemptionRequested(e *Event, found *Found) {
	wallet, script, redeemer := e.Topic(1), e.Bytes(0), e.TopicAddress(2)
	requested, treasury, miner := e.Small(1), e.Small(2), e.Small(3)
	if e.Bad() || len(script) < 2 || len(script) > tbtcScriptMax || int(script[0]) != len(script)-1 || treasury > requested || miner > requested-treasury {
		e.Fault(found, "a redemption that the bridge does not emit")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: evm.Keccak(wallet[:], script, e.Tx.ID[:]), Position: e.Position, Asset: tbtcAsset, From: redeemer, Refund: redeemer, Reason: tbtcLimit}
	unit := ledger.NewAmount(tbtcUnits)
	d.Amount = ledger.NewAmount(requested)
	d.Amount.Mul(&d.Amount, &unit)
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, zeroAccount); !ok {
		return
	}
	chain, _ := e.ChainNamed("BTC")
	t := Target{Protocol: e.Protocol, Chain: chain, Asset: chain.Native(), Least: ledger.NewAmount(requested - treasury - miner), Most: ledger.NewAmount(requested - treasury)}
	t.Address, _ = bitcoin.Classify(script[1:])
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}
