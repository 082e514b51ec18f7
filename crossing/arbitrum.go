package crossing

import (
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Arbitrum is the native bridge of Arbitrum One. What leaves the rollup is numbered,
// and so unique; what enters it by the token gateway arrives without its number, so
// that equal deposits have equal keys. Source: OffchainLabs/nitro-contracts,
// Outbox.sol, ArbSys.sol; token-bridge-contracts, L1ERC20Gateway.sol and
// L2ArbitrumGateway.sol.
var Arbitrum = &Protocol{
	Name: "arbitrum", Title: "Arbitrum bridge", Window: 90 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("0b9857ae2d4a3dbe74ffe1d7df045bb7f96e4840"), "outbox"},
		{ledger.Ethereum, account("8315177ab297ba92a06054ce80a67ed4dbd7ed3a"), "bridge"},
		{ledger.Ethereum, account("a3a7b6f88361f48403514059f1f16c8e78d60eec"), "token gateway"},
		{ledger.Ethereum, account("cee284f754e854890e311e3280b767f80797180d"), "token gateway"},
		{arbitrumOne, account("0000000000000000000000000000000000000064"), "system"},
		{arbitrumOne, account("096760f208390250649e3e8763348e783aef5562"), "token gateway"},
		{arbitrumOne, account("09e9222e96e7b4ae2a407b98d48e330053351eee"), "token gateway"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topicL2ToL1:          readL2ToL1,
		topicOutboxExecuted:  readOutboxExecuted,
		topicGatewayDeposit:  readGatewayDeposit,
		topicGatewayArrival:  readGatewayArrival,
		topicGatewayWithdraw: readGatewayWithdraw,
		topicGatewayRelease:  readGatewayRelease,
	},
}

// ArbitrumTokens is the way of tokens into Arbitrum One.
var ArbitrumTokens = &Protocol{Name: "arbitrum-tokens", Title: "Arbitrum bridge", Kind: Multiset, Window: 7 * 24 * 3600}

const arbitrumOne ledger.Chain = "eip155:42161"

var (
	topicL2ToL1          = topic("L2ToL1Tx(address,address,uint256,uint256,uint256,uint256,uint256,uint256,bytes)")
	topicOutboxExecuted  = topic("OutBoxTransactionExecuted(address,address,uint256,uint256)")
	topicGatewayDeposit  = topic("DepositInitiated(address,address,address,uint256,uint256)")
	topicGatewayArrival  = topic("DepositFinalized(address,address,address,uint256)")
	topicGatewayWithdraw = topic("WithdrawalInitiated(address,address,address,uint256,uint256,uint256)")
	topicGatewayRelease  = topic("WithdrawalFinalized(address,address,address,uint256,uint256)")
)

// exitKey hashes the rollup's name and the number of what leaves it.
func exitKey(position *ledger.Hash) ledger.Hash {
	return evm.Keccak([]byte(arbitrumOne), position[:])
}

// readL2ToL1 reads L2ToL1Tx(caller, destination!, hash!, position!, arbBlockNum,
// ethBlockNum, timestamp, callvalue, data) of ether that leaves. Messages without
// value are those of gateways, read by their own events.
func readL2ToL1(e *Event, found *Found) {
	caller, to, position, value := e.Address(0), e.TopicAddress(1), e.Topic(3), e.Amount(4)
	_ = e.Bytes(5)
	switch {
	case e.Bad():
		e.Fault(found, "a message that ArbSys does not emit")
		return
	case value.IsZero():
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: exitKey(&position), Position: e.Position, Asset: e.Chain.Native(), Amount: value, From: caller}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, e.Contract, zeroAccount); !ok {
		return
	}
	d.Targets = []Target{{Protocol: e.Protocol, Chain: ledger.Ethereum, Asset: ledger.Ethereum.Native(), Address: to, Least: value, Most: value}}
	found.Deposits = append(found.Deposits, d)
}

// readOutboxExecuted reads OutBoxTransactionExecuted(to!, l2Sender!, zero!,
// transactionIndex): ether that the bridge pays, unless it is a gateway's message.
func readOutboxExecuted(e *Event, found *Found) {
	to, position := e.TopicAddress(1), e.Word(0)
	if e.Bad() {
		e.Fault(found, "an execution that no outbox emits")
		return
	}
	if e.isRole(to, "token gateway") {
		return
	}
	p := Payout{Key: exitKey(&position), To: to}
	if _, paid := e.Payment(found, e.Chain.Native(), to, nil); !paid {
		return // a message without value
	}
	e.settle(found, &p, e.Chain.Native())
}

// readGatewayWithdraw reads WithdrawalInitiated(l1Token, from!, to!, l2ToL1Id!,
// exitNum, amount): a token is burned on the rollup.
func readGatewayWithdraw(e *Event, found *Found) {
	token, from, to, position, amount := e.Address(0), e.TopicAddress(1), e.TopicAddress(2), e.Topic(3), e.Amount(2)
	if e.Bad() || !e.isRole(e.Contract, "token gateway") {
		e.Fault(found, "a withdrawal that no gateway emits")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: exitKey(&position), Position: e.Position, Amount: amount, From: from}
	if !e.burnedOf(&d) {
		e.Fault(found, "says that a token was burned, but nothing was")
		return
	}
	d.Targets = []Target{{Protocol: e.Protocol, Chain: ledger.Ethereum, Asset: tokenOf(ledger.Ethereum, token), Address: to, Least: amount, Most: amount}}
	found.Deposits = append(found.Deposits, d)
}

// burnedOf finds the burn of an amount.
func (e *Event) burnedOf(d *Deposit) bool {
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		if t := &e.Tx.Transfers[i]; t.To == zeroAccount && t.Asset != e.Chain.Native() && t.Amount.Eq(&d.Amount) {
			d.Asset, d.Into = t.Asset, t.To
			return true
		}
	}
	return false
}

// readGatewayRelease reads WithdrawalFinalized(l1Token, from!, to!, exitNum!, amount);
// the outbox said before it which message it executes.
func readGatewayRelease(e *Event, found *Found) {
	token, to, amount := e.Address(0), e.TopicAddress(2), e.Amount(1)
	var executed *Event
	e.others(topicOutboxExecuted, func(o *Event) {
		if o.TopicAddress(1) == e.Contract && o.Position < e.Position && (executed == nil || o.Position > executed.Position) {
			executed = o
		}
	})
	if e.Bad() || executed == nil || amount.IsZero() {
		e.Fault(found, "a release that no outbox executed")
		return
	}
	position := executed.Word(0)
	p := Payout{Key: exitKey(&position), To: to, Amount: amount}
	e.settle(found, &p, e.Token(token))
}

// gatewayKey hashes token, sender, recipient and amount of a token's way in.
func gatewayKey(token, from, to ledger.Address, amount *ledger.Amount) ledger.Hash {
	return evm.Keccak([]byte(arbitrumOne), token.Bytes(), from.Bytes(), to.Bytes(), amountBytes(amount))
}

// readGatewayDeposit reads DepositInitiated(l1Token, from!, to!, sequenceNumber!,
// amount): a token is locked for the rollup.
func readGatewayDeposit(e *Event, found *Found) {
	token, from, to, amount := e.Address(0), e.TopicAddress(1), e.TopicAddress(2), e.Amount(1)
	_ = e.Topic(3)
	if e.Bad() {
		e.Fault(found, "a deposit that no gateway emits")
		return
	}
	d := Deposit{
		Protocol: e.protocol("arbitrum-tokens"), Key: gatewayKey(token, from, to, &amount), Position: e.Position, Asset: e.Token(token), Amount: amount, From: from,
	}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, e.Contract); !ok {
		return
	}
	d.Targets = []Target{{Protocol: d.Protocol, Chain: arbitrumOne, Address: to, Least: amount, Most: amount}}
	found.Deposits = append(found.Deposits, d)
}

// readGatewayArrival reads DepositFinalized(l1Token!, from!, to!, amount): the
// rollup's token is minted.
func readGatewayArrival(e *Event, found *Found) {
	token, from, to, amount := e.TopicAddress(1), e.TopicAddress(2), e.TopicAddress(3), e.Amount(0)
	if e.Bad() || amount.IsZero() {
		e.Fault(found, "an arrival that no gateway emits")
		return
	}
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		if t := &e.Tx.Transfers[i]; t.From == zeroAccount && t.To == to && t.Amount.Eq(&amount) && t.Asset != e.Chain.Native() {
			before := len(found.Payouts)
			p := Payout{Key: gatewayKey(token, from, to, &amount), To: to, Amount: amount}
			e.settle(found, &p, t.Asset)
			for j := before; j < len(found.Payouts); j++ {
				found.Payouts[j].Protocol = e.protocol("arbitrum-tokens")
			}
			return
		}
	}
	e.Fault(found, "says that a token was minted, but nothing was")
}
