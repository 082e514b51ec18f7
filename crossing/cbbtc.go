package crossing

import (
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// CBBTC is bitcoin that Coinbase holds for its customers, as a token: it is minted and
// burned against their balances, with no word of bitcoin on chain. Source: the token's
// contract, Circle's FiatToken.
var CBBTC = &Protocol{
	Name: "cbbtc", Title: "cbBTC", Kind: Recognised,
	Limit:     "Coinbase burns its wrapped bitcoin against balances on its own books; ask Coinbase",
	Contracts: deployed("cbb7c0000ab88b473b1f5afd9ef808440eed33bf", "token", 1, 8453, 42161),
	Events:    map[ledger.Hash]func(*Event, *Found){topic("Burn(address,uint256)"): readCBBTCBurn},
}

// readCBBTCBurn reads Burn(burner!, amount).
func readCBBTCBurn(e *Event, found *Found) {
	from, amount := e.TopicAddress(1), e.Amount(0)
	if e.Bad() {
		e.Fault(found, "a burn that cbBTC does not emit")
		return
	}
	d := Deposit{
		Protocol: e.Protocol, Key: evm.Keccak(e.Tx.ID[:], wide(uint64(e.Position))), Position: e.Position, Asset: e.Token(e.Contract), Amount: amount, From: from,
		Reason: e.Protocol.Limit,
	}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, zeroAccount); !ok {
		return
	}
	d.Targets = []Target{{Protocol: e.Protocol, Open: d.Reason, Text: "Coinbase"}}
	found.Deposits = append(found.Deposits, d)
}
