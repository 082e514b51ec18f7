package crossing

import (
	"encoding/binary"
	"fmt"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// LayerZero carries messages between chains; a token of its kind (OFT), or a pool of
// Stargate, tells the other side by one to pay. The key is the message's identifier.
// Any contract may call itself such a token, so the endpoint's own event of the same
// transaction has to name the same message. Source: LayerZero-v2, EndpointV2.sol,
// PacketV1Codec.sol, OFTCore.sol; stargate-v2, StargateBase.sol.
var LayerZero = &Protocol{
	Name: "layerzero", Title: "LayerZero", Window: 14 * 24 * 3600,
	Contracts: append(deployed("1a44076050125825900e736c501f859c50fe728c", "endpoint v2", 1, 10, 56, 137, 8453, 42161, 43114),
		Contract{ledger.Ethereum, account("6d6620efa72948c5f68a3c8646d58c00d3f4a980"), "Stargate's token messaging"}),
	Events: map[ledger.Hash]func(*Event, *Found){
		topicOFTSent:     readOFTSent,
		topicOFTReceived: readOFTReceived,
		topicBusDriven:   readBusDriven,
	},
	Anywhere: map[ledger.Hash]bool{topicOFTSent: true, topicOFTReceived: true},
}

var (
	topicOFTSent         = topic("OFTSent(bytes32,uint32,address,uint256,uint256)")
	topicOFTReceived     = topic("OFTReceived(bytes32,uint32,address,uint256)")
	topicPacketSent      = topic("PacketSent(bytes,bytes,address)")
	topicPacketDelivered = topic("PacketDelivered((uint32,bytes32,uint64),address)")
	topicBusRode         = topic("BusRode(uint32,uint72,uint80,bytes)")
	topicBusDriven       = topic("BusDriven(uint32,uint72,uint8,bytes32)")
)

// endpoints are the chains by LayerZero's number of the second version.
var endpoints = map[uint64]ledger.Chain{
	30101: ledger.Ethereum, 30102: "eip155:56", 30106: "eip155:43114", 30109: "eip155:137", 30110: "eip155:42161", 30111: "eip155:10", 30184: "eip155:8453",
}

// packet is a message as the endpoint encodes it: version 1 byte, nonce 8, source 4,
// sender 32, destination 4, receiver 32, identifier 32, then what it says.
type packet struct {
	destination uint64
	id          ledger.Hash
	words       []byte
}

const packetHead = 113

func parsePacket(b []byte) (p packet, ok bool) {
	if len(b) < packetHead || b[0] != 1 {
		return p, false
	}
	return packet{uint64(binary.BigEndian.Uint32(b[45:])), ledger.Hash(b[81:113]), b[packetHead:]}, true
}

// others visits the events of one kind that contracts of the protocol emitted in this
// transaction.
func (e *Event) others(kind ledger.Hash, visit func(*Event)) {
	for i := range e.Tx.Messages {
		m := &e.Tx.Messages[i]
		if t, ok := firstTopic(m); ok && m.Kind == ledger.Log && t == kind && e.IsContract(e.Protocol, m.Contract) {
			visit(newEvent(e.View, e.Protocol, m))
		}
	}
}

// readOFTSent reads OFTSent(guid!, dstEid, fromAddress!, amountSentLD,
// amountReceivedLD). A guid of zero is a seat on a bus of Stargate.
func readOFTSent(e *Event, found *Found) {
	id, destination, from, amount := e.Topic(1), e.Small(0), e.TopicAddress(2), e.Amount(1)
	if e.Bad() {
		return // another contract's event of that name
	}
	var words []byte
	if id.IsZero() {
		id, words = e.seat(destination)
	} else {
		e.others(topicPacketSent, func(sent *Event) {
			if p, ok := parsePacket(sent.Bytes(0)); ok && p.id == id && p.destination == destination {
				words = p.words
			}
		})
	}
	if len(words) < 40 {
		return // no endpoint knows of it
	}
	d := Deposit{Protocol: e.Protocol, Key: id, Position: e.Position, Amount: amount, From: from}
	if !e.takenIn(&d) {
		e.Fault(found, "says that "+amount.Dec()+" units were sent, but nothing moved")
		return
	}
	t := Target{Protocol: e.Protocol, Chain: endpoints[destination], Text: foreignText(words[:32])}
	if to, ok := accountOf(words[:32]); ok && t.Chain != "" {
		t.Address, t.Text = to, ""
	} else {
		t.Chain, d.Reason = "", fmt.Sprintf("pays out at LayerZero's endpoint %d, which no ledger here holds", destination)
	}
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

// seat finds the passenger of a bus of Stargate (asset 2 bytes, receiver 32, amount 8,
// drop 1) and his ticket, which is his key until the bus is driven.
func (e *Event) seat(destination uint64) (key ledger.Hash, words []byte) {
	e.others(topicBusRode, func(rode *Event) {
		number := rode.Word(1)
		if passenger := rode.Bytes(3); rode.Small(0) == destination && len(passenger) == 43 && !rode.Bad() {
			key, words = e.ticket(destination, number), passenger[2:42]
		}
	})
	return key, words
}

// ticket names a seat by the chain it leaves, where it goes to and its number.
func (e *Event) ticket(destination uint64, number ledger.Hash) ledger.Hash {
	return evm.Keccak([]byte("bus"), []byte(e.Chain), wide(destination), number[:])
}

// maxSeats bounds a bus; the contract's own limit is lower.
const maxSeats = 255

// readBusDriven reads BusDriven(dstEid, startTicketId, numPassengers, guid): the seats
// from a number on travel in one message.
func readBusDriven(e *Event, found *Found) {
	destination, first, n, id := e.Small(0), e.Amount(1), e.Small(2), e.Word(3)
	if e.Bad() || n > maxSeats || first.BitLen() > 72 {
		e.Fault(found, "a bus that Stargate does not drive")
		return
	}
	for i := range n {
		step := ledger.NewAmount(i)
		number := new(ledger.Amount).Add(&first, &step)
		found.Tickets = append(found.Tickets, Ticket{Protocol: e.Protocol, Key: e.ticket(destination, number.Bytes32()), Name: id})
	}
}

// takenIn finds what the sender gave: the token itself, burned or locked, another that
// it stands for, or the native asset with the fee of the message.
func (e *Event) takenIn(d *Deposit) bool {
	token := e.Token(e.Contract)
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		t := &e.Tx.Transfers[i]
		exact := t.Amount.Eq(&d.Amount)
		burned := t.To == zeroAccount && t.Asset == token
		if t.From != t.To && (exact && (t.To == e.Contract || burned) || t.To == e.Contract && t.Asset == e.Chain.Native() && t.Amount.Gt(&d.Amount)) {
			d.Asset, d.Into = t.Asset, t.To
			return true
		}
	}
	return false
}

// readOFTReceived reads OFTReceived(guid!, srcEid, toAddress!, amountReceivedLD). The
// endpoint says which message was delivered: its identifier is recomputed.
func readOFTReceived(e *Event, found *Found) {
	id, source, to, amount := e.Topic(1), e.Small(0), e.TopicAddress(2), e.Amount(1)
	if e.Bad() || amount.IsZero() {
		return
	}
	delivered := false
	e.others(topicPacketDelivered, func(d *Event) {
		delivered = delivered || d.Small(0) == source && e.delivers(d, &id)
	})
	if !delivered {
		return
	}
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		t := &e.Tx.Transfers[i]
		if t.To == to && t.Amount.Eq(&amount) && (t.From == e.Contract || t.From == zeroAccount) && t.From != t.To {
			p := Payout{Key: id, To: to, Amount: amount}
			if e.settle(found, &p, t.Asset); p.Transfer == i {
				p.Key = passengerKey(id, to) // where the message was a bus
				found.Payouts = append(found.Payouts, p)
			}
			return
		}
	}
	e.Fault(found, "says that it paid, but nothing reached the recipient")
}

// delivers says whether an endpoint's PacketDelivered((srcEid, sender, nonce),
// receiver) is the message: its identifier is the hash of nonce, source, sender,
// destination and receiver.
func (e *Event) delivers(d *Event, id *ledger.Hash) bool {
	source, sender, nonce, receiver := d.Small(0), d.Word(1), d.Small(2), d.Word(3)
	for number, chain := range endpoints {
		if chain == e.Chain && evm.Keccak(wide(nonce), wide(source)[4:], sender[:], wide(number)[4:], receiver[:]) == *id {
			return !d.Bad()
		}
	}
	return false
}
