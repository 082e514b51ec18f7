package crossing

import (
	"strings"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Synapse is a bridge of pools and minted tokens whose payouts carry the hash of the
// deposit's transaction as text. Several deposits of one transaction share it. Source:
// synapsecns/synapse-contracts, SynapseBridge.sol.
var Synapse = &Protocol{
	Name: "synapse", Title: "Synapse", Kind: Multiset, Window: 30 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("2796317b0ff8538f253012862c06787adfb8ceb6"), "bridge"},
		{"eip155:56", account("d123f70ae324d34a9e76b67a27bf77593ba8749f"), "bridge"},
		{"eip155:42161", account("6f4e8eba4d337f874ab57478acc2cb5bacdc19c9"), "bridge"},
		{"eip155:43114", account("c05e61d0e7a63d27546389b7ad62fdff5a91aace"), "bridge"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("TokenDeposit(address,uint256,address,uint256)"):                                              readSynapseIn,
		topic("TokenRedeem(address,uint256,address,uint256)"):                                               readSynapseIn,
		topic("TokenDepositAndSwap(address,uint256,address,uint256,uint8,uint8,uint256,uint256)"):           readSynapseIn,
		topic("TokenRedeemAndSwap(address,uint256,address,uint256,uint8,uint8,uint256,uint256)"):            readSynapseIn,
		topic("TokenRedeemAndRemove(address,uint256,address,uint256,uint8,uint256,uint256)"):                readSynapseIn,
		topic("TokenRedeemV2(bytes32,uint256,address,uint256)"):                                             readSynapseIn,
		topic("TokenWithdraw(address,address,uint256,uint256,bytes32)"):                                     readSynapseOut,
		topic("TokenMint(address,address,uint256,uint256,bytes32)"):                                         readSynapseOut,
		topic("TokenMintAndSwap(address,address,uint256,uint256,uint8,uint8,uint256,uint256,bool,bytes32)"): readSynapseOut,
		topic("TokenWithdrawAndRemove(address,address,uint256,uint256,uint8,uint256,uint256,bool,bytes32)"): readSynapseOut,
	},
}

// SynapseRFQ is Synapse's bridge by quotation: a relayer pays, and is paid later. The
// key is the hash of the request, which the deposit's event carries whole. Source:
// synapsecns/sanguine, packages/contracts-rfq, FastBridge.sol.
var SynapseRFQ = &Protocol{
	Name: "synapse-rfq", Title: "Synapse RFQ", Window: 7 * 24 * 3600,
	Contracts: deployed("5523d3c98809dddb82c686e152f5c58b1b0fb59e", "fast bridge", 1, 10, 8453, 42161),
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("BridgeRequested(bytes32,address,bytes,uint32,address,address,uint256,uint256,bool)"):    readBridgeRequested,
		topic("BridgeRelayed(bytes32,address,address,uint32,address,address,uint256,uint256,uint256)"): readBridgeRelayed,
	},
}

// readSynapseIn reads the events of deposits, which begin alike: to!, chainId, token,
// amount. What is redeemed is burned.
func readSynapseIn(e *Event, found *Found) {
	to, destination, token, amount := e.Topic(1), e.Small(0), e.Address(1), e.Amount(2)
	if e.Bad() {
		e.Fault(found, "a deposit that Synapse does not emit")
		return
	}
	d := Deposit{
		Protocol: e.Protocol, Key: evm.Keccak([]byte("0x" + strings.ToLower(e.Tx.ID.String()))), Position: e.Position, Asset: e.Token(token), Amount: amount, From: e.Sender(),
	}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, e.Contract, zeroAccount); !ok {
		return
	}
	t := Target{Protocol: e.Protocol, Text: foreignText(to[:])}
	if t.Address, ok = accountOf(to[:]); ok {
		t.Chain, t.Text = evmChain(destination), ""
	} else {
		d.Reason = "pays out on a chain that is not EVM, which no ledger here holds"
	}
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

// readSynapseOut reads the events of payouts, which begin with to!, token, amount, fee
// and end with kappa!. What is paid may have been swapped or unwrapped: it is what
// reached the recipient last.
func readSynapseOut(e *Event, found *Found) {
	to, kappa := e.TopicAddress(1), e.Topic(2)
	_, _, _ = e.Address(0), e.Amount(1), e.Amount(2)
	if e.Bad() {
		e.Fault(found, "a payout that Synapse does not emit")
		return
	}
	e.settleLast(found, &Payout{Key: kappa, To: to})
}

// requestWords is how long a request of the first version is; its fourth word is the
// recipient.
const requestWords = 12

// readBridgeRequested reads BridgeRequested(transactionId!, sender!, request,
// destChainId, originToken, destToken, originAmount, destAmount, sendChainGas).
func readBridgeRequested(e *Event, found *Found) {
	id, sender, request, destination := e.Topic(1), e.TopicAddress(2), e.Bytes(0), e.Small(1)
	token, wanted, given, most := e.Address(2), e.Address(3), e.Amount(4), e.Amount(5)
	switch {
	case e.Bad():
		e.Fault(found, "a request that no fast bridge emits")
		return
	case evm.Keccak(request) != id:
		e.Fault(found, "its request does not hash to its id")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: id, Position: e.Position, Asset: e.Token(token), Amount: given, From: sender, Refund: sender}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, e.Contract); !ok {
		return
	}
	t := Target{Protocol: e.Protocol, Chain: evmChain(destination), Most: most, Open: "its request is of a form that is not read"}
	t.Asset = tokenOf(t.Chain, wanted)
	if len(request) == 32*requestWords {
		if to, isAccount := accountOf(request[96:128]); isAccount {
			t.Address, t.Open = to, ""
		}
	}
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

// readBridgeRelayed reads BridgeRelayed(transactionId!, relayer!, to!, originChainId,
// originToken, destToken, originAmount, destAmount, chainGasAmount).
func readBridgeRelayed(e *Event, found *Found) {
	p := Payout{Key: e.Topic(1), To: e.TopicAddress(3), Amount: e.Amount(4)}
	token := e.Address(2)
	if e.Bad() || p.Amount.IsZero() {
		e.Fault(found, "a payout that no fast bridge emits")
		return
	}
	e.settle(found, &p, e.Token(token))
}
