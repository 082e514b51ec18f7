package crossing

import (
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// WBTC is bitcoin in custody, as a token: merchants ask for mints and burns, and the
// events that confirm them name the bitcoin transaction in words that people type.
// Source: WrappedBTC/bitcoin-token-smart-contracts, Factory.sol.
var WBTC = &Protocol{
	Name: "wbtc", Title: "WBTC", Window: 60 * 24 * 3600,
	Contracts: []Contract{{ledger.Ethereum, account("e5a5f138005e19a3e6d0fe68b039397eeef2322b"), "factory"}},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("MintConfirmed(uint256,address,uint256,string,string,uint256,bytes32)"): readWBTCMinted,
		topic("Burned(uint256,address,uint256,string,uint256,bytes32)"):               readWBTCBurned,
		topic("BurnConfirmed(uint256,address,uint256,string,string,uint256,bytes32)"): readWBTCPaid,
	},
}

const wbtcAsset ledger.Asset = "eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"

// wbtcKey names a request by its number; mints and burns are numbered apart.
func wbtcKey(kind string, nonce ledger.Hash) ledger.Hash { return evm.Keccak([]byte(kind), nonce[:]) }

// readWBTCBurned reads Burned(nonce!, requester!, amount, btcDepositAddress,
// timestamp, requestHash).
func readWBTCBurned(e *Event, found *Found) {
	nonce, from, amount, to := e.Topic(1), e.TopicAddress(2), e.Amount(0), string(e.Bytes(1))
	_, _ = e.Small(2), e.Word(3)
	if e.Bad() {
		e.Fault(found, "a burn that WBTC's factory does not emit")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: wbtcKey("burn", nonce), Position: e.Position, Asset: wbtcAsset, Amount: amount, From: from}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, zeroAccount); !ok {
		return
	}
	t := e.bitcoinTarget(to)
	t.Most = amount // a satoshi is a unit
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

// confirmed is what a mint or burn says once the bitcoin has moved.
type confirmed struct {
	nonce     ledger.Hash
	requester ledger.Address
	amount    ledger.Amount
	at        Target
	tx        ledger.Hash
}

// readConfirmed reads (nonce!, requester!, amount, btcDepositAddress, btcTxid,
// timestamp, requestHash).
func (e *Event) readConfirmed(found *Found) (c confirmed, ok bool) {
	c = confirmed{nonce: e.Topic(1), requester: e.TopicAddress(2), amount: e.Amount(0)}
	address, txid := string(e.Bytes(1)), string(e.Bytes(2))
	_, _ = e.Small(3), e.Word(4)
	if e.Bad() {
		e.Fault(found, "a confirmation that WBTC's factory does not emit")
		return c, false
	}
	c.at = e.bitcoinTarget(address)
	var err error
	if c.tx, err = ledger.ParseHash(txid); err != nil || c.at.Open != "" {
		e.Fault(found, "its bitcoin transaction "+clip(txid)+" or address "+clip(address)+" is no such thing")
		return c, false
	}
	return c, true
}

// elsewhere reads the bitcoin transaction of a confirmation, as it was typed and the
// other way round: at the first output that pays the address.
func (c *confirmed) elsewhere(found *Found, read func(v *View, output uint32, there *Found)) {
	for _, tx := range []ledger.Hash{c.tx, printedHash(c.tx)} {
		found.Elsewhere = append(found.Elsewhere, Elsewhere{Chain: c.at.Chain, Tx: tx, Read: func(v *View, there *Found) {
			paid := func(o ledger.Output) bool { return o.Address == c.at.Address }
			if i := slices.IndexFunc(v.Tx.Outputs, paid); i >= 0 {
				read(v, uint32(i), there)
			}
		}})
	}
}

// readWBTCMinted reads MintConfirmed: a merchant's bitcoin became tokens.
func readWBTCMinted(e *Event, found *Found) {
	c, ok := e.readConfirmed(found)
	if !ok {
		return
	}
	p := Payout{Key: wbtcKey("mint", c.nonce), To: c.requester, Amount: c.amount}
	e.settle(found, &p, wbtcAsset)
	c.elsewhere(found, func(v *View, output uint32, there *Found) {
		there.Deposits = append(there.Deposits, Deposit{
			Protocol: e.Protocol, Key: p.Key, Position: output, Into: c.at.Address, Output: output, Asset: v.Chain.Native(),
			Amount:  ledger.NewAmount(v.Tx.Outputs[output].Value),
			Targets: []Target{{Protocol: e.Protocol, Chain: e.Chain, Asset: wbtcAsset, Address: c.requester, Most: ledger.NewAmount(v.Tx.Outputs[output].Value)}},
		})
	})
}

// readWBTCPaid reads BurnConfirmed: the custodian paid a merchant's burn.
func readWBTCPaid(e *Event, found *Found) {
	c, ok := e.readConfirmed(found)
	if !ok {
		return
	}
	c.elsewhere(found, func(v *View, output uint32, there *Found) {
		there.Payouts = append(there.Payouts, Payout{
			Protocol: e.Protocol, Key: wbtcKey("burn", c.nonce), Position: output, Asset: v.Chain.Native(), Amount: ledger.NewAmount(v.Tx.Outputs[output].Value),
			To: c.at.Address, Transfer: int(output),
		})
	})
}

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
