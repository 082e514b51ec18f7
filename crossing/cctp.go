package crossing

import (
	"encoding/binary"
	"fmt"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// CCTP is Circle's transfer protocol: dollars are burned on one chain and minted on
// another. The key is the burn's domain and number. Source: circlefin,
// evm-cctp-contracts, TokenMessenger.sol and MessageTransmitter.sol.
var CCTP = &Protocol{
	Name: "cctp", Title: "CCTP", Window: 30 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("bd3fa81b58ba92a82136038b25adec7066af3155"), "token messenger"},
		{"eip155:10", account("2b4069517957735be00cee0fadae88a26365528f"), "token messenger"},
		{"eip155:10", account("4d41f22c5a0e5c74090899e5a8fb597a8842b3e8"), "message transmitter"},
		{"eip155:137", account("9daf8c91aefae50b9c0e69629d3f6ca40ca3b3fe"), "token messenger"},
		{"eip155:137", account("f3be9355363857f3e001be68856a2f96b4c39ba9"), "message transmitter"},
		{"eip155:8453", account("1682ae6375c4e4a97e4b583bc394c861a46d8962"), "token messenger"},
		{"eip155:8453", account("ad09780d193884d503182ad4588450c416d6f9d4"), "message transmitter"},
		{"eip155:42161", account("19330d10d9cc8751218eaf51e8885d058642e08a"), "token messenger"},
		{"eip155:42161", account("c30362313fbba5cf9163f0bb16a0e01f01a896ca"), "message transmitter"},
		{"eip155:43114", account("6b25532e1060ce10cc3b0a99e5683b91bfde6982"), "token messenger"},
		{"eip155:43114", account("8186359af5f57fbb40c6b14a588d2a59c0c29880"), "message transmitter"},
		{ledger.Ethereum, account("0a992d191deec32afe36203ad87d7d289a738f81"), "message transmitter"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topicMessageSent:           readMessageSent,
		topic(messageReceivedCCTP): readMessageReceived,
	},
}

// CCTPv2 is its second version. A burn's number is only made by the attestation, so
// that both sides share no number on chain: the key is the hash of both domains and of
// the burn's own words, without the fee and expiry that the attestation fills in. Two
// equal burns have equal keys.
var CCTPv2 = &Protocol{
	Name: "cctp-v2", Title: "CCTP v2", Kind: Multiset, Window: 30 * 24 * 3600,
	Contracts: append(deployed("28b5a0e9c621a5badaa536219b3a228c8168cf5d", "token messenger", cctpChains...),
		deployed("81d40f21f12a8f0e3252bccb954d722d4c464b64", "message transmitter", cctpChains...)...),
	Events: map[ledger.Hash]func(*Event, *Found){
		topicMessageSent:             readMessageSentV2,
		topic(messageReceivedCCTPv2): readMessageReceivedV2,
	},
}

const (
	messageReceivedCCTP   = "MessageReceived(address,uint32,uint64,bytes32,bytes)"
	messageReceivedCCTPv2 = "MessageReceived(address,uint32,bytes32,bytes32,uint32,bytes)"
)

var (
	topicMessageSent      = topic("MessageSent(bytes)")
	topicMintAndWithdraw  = topic("MintAndWithdraw(address,uint256,address)")
	topicMintAndWithdraw2 = topic("MintAndWithdraw(address,uint256,address,uint256)")
	topicDepositForBurn   = topic("DepositForBurn(uint64,address,uint256,address,bytes32,uint32,bytes32,bytes32)")
	topicDepositForBurn2  = topic("DepositForBurn(address,uint256,address,bytes32,uint32,bytes32,bytes32,uint256,uint32,bytes)")
)

// cctpChains are the EVM chains of the second version, by EIP-155 number.
var cctpChains = []uint64{1, 10, 130, 137, 146, 480, 1329, 8453, 42161, 43114, 59144}

// cctpDomains are the chains by Circle's number; 5 is Solana.
var cctpDomains = map[uint32]ledger.Chain{
	0: ledger.Ethereum, 1: "eip155:43114", 2: "eip155:10", 3: "eip155:42161", 6: "eip155:8453", 7: "eip155:137", 10: "eip155:130",
	11: "eip155:59144", 13: "eip155:146", 14: "eip155:480", 16: "eip155:1329",
}

// burn is a message of CCTP that burns a token.
type burn struct {
	source, destination uint32
	number              []byte // 8 bytes, or 32 of zero before the attestation
	token, to, from     []byte // 32 bytes each
	amount, most        ledger.Amount
	key                 ledger.Hash
}

// The lengths of a message's head, and of the body of a burn.
const (
	cctpHead, cctpBody   = 116, 132
	cctpHead2, cctpBody2 = 148, 228
	cctpBurn, cctpBurn2  = 0, 1 // versions of the message
	cctpFeeTaken         = 164  // 32 bytes, in the body; then the expiry, 32 bytes
	cctpHookData         = 228
)

// parseBurn reads a message of the first version.
func parseBurn(m []byte) (b burn, ok bool) {
	if len(m) != cctpHead+cctpBody || binary.BigEndian.Uint32(m) != cctpBurn {
		return b, false
	}
	b.source, b.destination, b.number = binary.BigEndian.Uint32(m[4:]), binary.BigEndian.Uint32(m[8:]), m[12:20]
	b.body(m[cctpHead:])
	b.most = b.amount
	b.key = cctpKey(b.source, b.number)
	return b, true
}

// parseBurnV2 reads a message of the second version.
func parseBurnV2(m []byte) (b burn, ok bool) {
	if len(m) < cctpHead2+cctpBody2 || binary.BigEndian.Uint32(m) != cctpBurn2 {
		return b, false
	}
	b.source, b.destination = binary.BigEndian.Uint32(m[4:]), binary.BigEndian.Uint32(m[8:])
	body := m[cctpHead2:]
	b.body(body)
	b.most = b.amount
	b.key = cctpKeyV2(b.source, b.destination, body)
	return b, true
}

func (b *burn) body(body []byte) {
	b.token, b.to = body[4:36], body[36:68]
	b.amount.SetBytes(body[68:100])
	b.from = body[100:132]
}

// cctpKey hashes the domain of the burn, 4 bytes, and its number, 8 bytes.
func cctpKey(source uint32, number []byte) ledger.Hash {
	return evm.Keccak(binary.BigEndian.AppendUint32(nil, source), number)
}

// readMessageSent reads MessageSent(message) of the first version.
func readMessageSent(e *Event, found *Found) { e.burned(found, parseBurn, topicDepositForBurn) }

// readMessageSentV2 reads MessageSent(message) of the second version.
func readMessageSentV2(e *Event, found *Found) { e.burned(found, parseBurnV2, topicDepositForBurn2) }

// burned adds a burn. A message without a burn of its token messenger in the same
// transaction is somebody else's.
func (e *Event) burned(found *Found, parse func([]byte) (burn, bool), stands ledger.Hash) {
	b, ok := parse(e.Bytes(0))
	if e.Bad() || !ok || !e.vouched(stands) {
		return // any message may be sent; only burns move dollars
	}
	token, ok1 := accountOf(b.token)
	from, ok2 := accountOf(b.from)
	if !ok1 || !ok2 || cctpDomains[b.source] != e.Chain {
		e.Fault(found, "a burn that says it was made elsewhere")
		return
	}
	d := Deposit{Protocol: e.Protocol, Key: b.key, Position: e.Position, Asset: e.Token(token), Amount: b.amount, From: from}
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, zeroAccount); !ok {
		return
	}
	t := Target{Protocol: e.Protocol, Chain: cctpDomains[b.destination], Text: foreignText(b.to), Most: b.most}
	if to, isAccount := accountOf(b.to); isAccount && t.Chain != "" {
		t.Address, t.Text = to, ""
	} else {
		t.Chain = ""
		d.Reason = fmt.Sprintf("pays out on Circle's domain %d, which no ledger here holds", b.destination)
	}
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

// vouched says that a contract of the protocol emitted an event of the kind in this
// transaction.
func (e *Event) vouched(kind ledger.Hash) bool {
	for i := range e.Tx.Messages {
		m := &e.Tx.Messages[i]
		if t, ok := firstTopic(m); ok && m.Kind == ledger.Log && t == kind && e.IsContract(e.Protocol, m.Contract) {
			return true
		}
	}
	return false
}

// readMessageReceived reads MessageReceived(caller!, sourceDomain, nonce!, sender,
// messageBody).
func readMessageReceived(e *Event, found *Found) {
	source, number, body := e.Small(0), e.Topic(2), e.Bytes(2)
	if e.Bad() || len(body) != cctpBody || source > 1<<32-1 {
		return // a message without a burn
	}
	e.minted(found, cctpKey(uint32(source), number[24:]), body, topicMintAndWithdraw)
}

// readMessageReceivedV2 reads MessageReceived(caller!, sourceDomain, nonce!, sender,
// finalityThresholdExecuted!, messageBody).
func readMessageReceivedV2(e *Event, found *Found) {
	source, body := e.Small(0), e.Bytes(2)
	destination, ok := cctpDomain(e.Chain)
	if e.Bad() || len(body) < cctpBody2 || source > 1<<32-1 || !ok {
		return
	}
	e.minted(found, cctpKeyV2(uint32(source), destination, body), body, topicMintAndWithdraw2)
}

// cctpDomain is Circle's number of a chain.
func cctpDomain(chain ledger.Chain) (uint32, bool) {
	for domain, c := range cctpDomains {
		if c == chain {
			return domain, true
		}
	}
	return 0, false
}

// cctpKeyV2 hashes both domains and the body of the burn, with the fee taken and the
// expiry at zero.
func cctpKeyV2(source, destination uint32, body []byte) ledger.Hash {
	blank := append([]byte(nil), body...)
	clear(blank[cctpFeeTaken:cctpHookData])
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, source), destination)
	return evm.Keccak(head, blank)
}

// minted adds what was minted for a burn: the movement of the transaction's own
// MintAndWithdraw event.
func (e *Event) minted(found *Found, key ledger.Hash, body []byte, kind ledger.Hash) {
	to, ok := accountOf(body[36:68])
	if !ok {
		e.Fault(found, "mints for an account that is none")
		return
	}
	for i := range e.Tx.Messages {
		m := &e.Tx.Messages[i]
		if t, is := firstTopic(m); !is || m.Kind != ledger.Log || t != kind || !e.IsContract(e.Protocol, m.Contract) {
			continue
		}
		mint := newEvent(e.View, e.Protocol, m)
		p := Payout{Key: key, To: mint.TopicAddress(1), Amount: mint.Amount(0)}
		token := mint.TopicAddress(2)
		if mint.Bad() || p.To != to || e.taken(found, m.Position) {
			continue
		}
		mint.settle(found, &p, e.Token(token))
		return
	}
	e.Fault(found, "says that a burn was received, but nothing was minted for it")
}

// taken says that a payout of this transaction stands on the event already.
func (*Event) taken(found *Found, position uint32) bool {
	for i := range found.Payouts {
		if found.Payouts[i].Position == position {
			return true
		}
	}
	return false
}
