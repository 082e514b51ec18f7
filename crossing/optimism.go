package crossing

import (
	"bytes"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Optimism is the native bridge of rollups of the OP stack: OP Mainnet and Base. The
// standard bridges send each other messages; the key is the hash of the message, which
// one side emits in parts and the other whole. Source: ethereum-optimism/optimism,
// StandardBridge.sol, CrossDomainMessenger.sol and Encoding.sol.
var Optimism = &Protocol{
	Name: "optimism", Title: "OP stack bridge", Window: 90 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("99c9fc46f92e8a1c0dec1b1747d010903e884be1"), "standard bridge of eip155:10"},
		{ledger.Ethereum, account("25ace71c97b33cc4729cf772ae268934f7ab5fa1"), "messenger of eip155:10"},
		{ledger.Ethereum, account("beb5fc579115071764c7423a4f12edde41f106ed"), "portal of eip155:10"},
		{ledger.Ethereum, account("3154cf16ccdb4c6d922629664174b904d80f2c35"), "standard bridge of eip155:8453"},
		{ledger.Ethereum, account("866e82a600a1414e583f7f13623f1ac5d58b0afa"), "messenger of eip155:8453"},
		{ledger.Ethereum, account("49048044d57e1c92a77f79988d21fa8faf74e97e"), "portal of eip155:8453"},
		{"eip155:10", rollupBridge, "standard bridge of eip155:1"},
		{"eip155:10", rollupMessenger, "messenger of eip155:1"},
		{"eip155:10", rollupPasser, "portal of eip155:1"},
		{"eip155:8453", rollupBridge, "standard bridge of eip155:1"},
		{"eip155:8453", rollupMessenger, "messenger of eip155:1"},
		{"eip155:8453", rollupPasser, "portal of eip155:1"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("ETHBridgeInitiated(address,address,uint256,bytes)"):                   readEtherInitiated,
		topic("ERC20BridgeInitiated(address,address,address,address,uint256,bytes)"): readTokenInitiated,
		topic("ETHBridgeFinalized(address,address,uint256,bytes)"):                   readEtherFinalized,
		topic("ERC20BridgeFinalized(address,address,address,address,uint256,bytes)"): readTokenFinalized,
	},
}

// The contracts that every rollup of the OP stack has from its first block.
var (
	rollupBridge    = account("4200000000000000000000000000000000000010")
	rollupMessenger = account("4200000000000000000000000000000000000007")
	rollupPasser    = account("4200000000000000000000000000000000000016")
)

const rollupBridgeRole = "standard bridge of "

var (
	topicSentMessage    = topic("SentMessage(address,address,bytes,uint256,uint256)")
	topicSentExtension  = topic("SentMessageExtension1(address,uint256)")
	topicRelayedMessage = topic("RelayedMessage(bytes32)")
	relayMessage        = evm.Keccak([]byte("relayMessage(uint256,address,address,uint256,uint256,bytes)"))
)

// otherSide is the chain that a standard bridge leads to.
func (e *Event) otherSide() (ledger.Chain, bool) {
	for _, list := range [][]Contract{e.Protocol.Contracts, e.decoders.config.Contracts[e.Protocol.Name]} {
		for _, c := range list {
			if c.Chain == e.Chain && c.Address == e.Contract && len(c.Role) > len(rollupBridgeRole) && c.Role[:len(rollupBridgeRole)] == rollupBridgeRole {
				return ledger.Chain(c.Role[len(rollupBridgeRole):]), true
			}
		}
	}
	return "", false
}

// lead lists the contracts of the same bridge in another role.
func (e *Event) lead(role string) (list []ledger.Address) {
	other, _ := e.otherSide()
	for _, contracts := range [][]Contract{e.Protocol.Contracts, e.decoders.config.Contracts[e.Protocol.Name]} {
		for _, c := range contracts {
			if c.Chain == e.Chain && c.Role == role+" of "+string(other) {
				list = append(list, c.Address)
			}
		}
	}
	return list
}

// behind is the first event of a kind behind this one that a contract emitted.
func (e *Event) behind(kind ledger.Hash, from []ledger.Address) (next *Event) {
	for i := range e.Tx.Messages {
		m := &e.Tx.Messages[i]
		if t, ok := firstTopic(m); !ok || m.Kind != ledger.Log || t != kind || m.Position <= e.Position {
			continue
		}
		for _, a := range from {
			if a == m.Contract && (next == nil || m.Position < next.Position) {
				next = newEvent(e.View, e.Protocol, m)
			}
		}
	}
	return next
}

// sentHash is the hash of the message that the bridge sent for this event: the call
// relayMessage(nonce, sender, target, value, gas, data), version 1.
func (e *Event) sentHash() (h ledger.Hash, ok bool) {
	messengers := e.lead("messenger")
	sent := e.behind(topicSentMessage, messengers)
	if sent == nil {
		return h, false
	}
	extension := sent.behind(topicSentExtension, messengers)
	target, sender, data, nonce, gas := sent.Topic(1), sent.Word(0), sent.Bytes(1), sent.Word(2), sent.Word(3)
	if extension == nil {
		return h, false
	}
	value := extension.Word(0)
	if sent.Bad() || extension.Bad() || !bytes.Equal(sender[12:], e.Contract.Bytes()) {
		return h, false
	}
	offset, size := ledger.NewAmount(192), ledger.NewAmount(uint64(len(data)))
	padding := make([]byte, (32-len(data)%32)%32)
	return evm.Keccak(relayMessage[:4], nonce[:], sender[:], target[:], value[:], gas[:], amountBytes(&offset), amountBytes(&size), data, padding), true
}

// readEtherInitiated reads ETHBridgeInitiated(from!, to!, amount, extraData).
func readEtherInitiated(e *Event, found *Found) {
	d := Deposit{From: e.TopicAddress(1), Asset: e.Chain.Native(), Amount: e.Amount(0)}
	_ = e.Bytes(1)
	e.initiated(found, &d, e.TopicAddress(2), "", e.lead("portal"))
}

// readTokenInitiated reads ERC20BridgeInitiated(localToken!, remoteToken!, from!, to,
// amount, extraData).
func readTokenInitiated(e *Event, found *Found) {
	d := Deposit{From: e.TopicAddress(3), Asset: e.Token(e.TopicAddress(1)), Amount: e.Amount(1)}
	_ = e.Bytes(2)
	other, _ := e.otherSide()
	e.initiated(found, &d, e.Address(0), tokenOf(other, e.TopicAddress(2)), []ledger.Address{e.Contract, zeroAccount})
}

func (e *Event) initiated(found *Found, d *Deposit, to ledger.Address, paid ledger.Asset, takers []ledger.Address) {
	other, isBridge := e.otherSide()
	key, sent := e.sentHash()
	if e.Bad() || !isBridge || !sent {
		e.Fault(found, "a deposit of which the bridge sent no message")
		return
	}
	d.Protocol, d.Key, d.Position = e.Protocol, key, e.Position
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, takers...); !ok {
		return
	}
	if paid == "" {
		paid = other.Native()
	}
	d.Targets = []Target{{Protocol: e.Protocol, Chain: other, Asset: paid, Address: to, Least: d.Amount, Most: d.Amount}}
	found.Deposits = append(found.Deposits, *d)
}

// readEtherFinalized reads ETHBridgeFinalized(from!, to!, amount, extraData).
func readEtherFinalized(e *Event, found *Found) {
	p := Payout{To: e.TopicAddress(2), Amount: e.Amount(0)}
	e.finalized(found, &p, e.Chain.Native())
}

// readTokenFinalized reads ERC20BridgeFinalized(localToken!, remoteToken!, from!, to,
// amount, extraData).
func readTokenFinalized(e *Event, found *Found) {
	p := Payout{To: e.Address(0), Amount: e.Amount(1)}
	e.finalized(found, &p, e.Token(e.TopicAddress(1)))
}

// finalized adds a payout; the messenger says behind it which message it relayed.
func (e *Event) finalized(found *Found, p *Payout, asset ledger.Asset) {
	relayed := e.behind(topicRelayedMessage, e.lead("messenger"))
	if e.Bad() || relayed == nil || p.Amount.IsZero() {
		e.Fault(found, "a payout for which no message was relayed")
		return
	}
	if p.Key = relayed.Topic(1); relayed.Bad() {
		e.Fault(found, "a payout for which no message was relayed")
		return
	}
	e.settle(found, p, asset)
}
