package crossing

import (
	"encoding/binary"
	"fmt"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Wormhole has token bridges that lock or burn on one chain and release or mint on
// another, on the word of guardians. The key is the message's emitter chain, emitter and
// sequence. Source: wormhole-foundation/wormhole, ethereum/contracts/bridge/Bridge.sol
// and whitepapers/0003_token_bridge.md.
var Wormhole = &Protocol{
	Name: "wormhole", Title: "Wormhole", Window: 30 * 24 * 3600,
	Contracts: []Contract{
		{ledger.Ethereum, account("98f3c9e6e3face36baad05fe09d375ef1464288b"), "core"},
		{ledger.Ethereum, account("3ee18b2214aff97000d974cf647e7c347e8fa585"), wormholeBridge},
		{"eip155:10", account("1d68124e65fafc907325e3edbf8c4d84499daa8b"), wormholeBridge},
		{"eip155:56", account("98f3c9e6e3face36baad05fe09d375ef1464288b"), "core"},
		{"eip155:56", account("b6f6d86a8f9879a9c87f643768d9efc38c1da6e7"), wormholeBridge},
		{"eip155:137", account("5a58505a96d1dbf8df91cb21b54419fc36e93fde"), wormholeBridge},
		{"eip155:250", account("126783a6cb203a3e35344528b26ca3a0489a1485"), "core"},
		{"eip155:250", account("7c9fc5741288cdfdd83ceb07f3ea7e22618d79d2"), wormholeBridge},
		{"eip155:8453", account("bebdb6c8ddc678ffa9f8748f85c815c556dd8ac6"), "core"},
		{"eip155:8453", account("8d2de8d2f73f1f4cab472ac9a881c9b123c79627"), wormholeBridge},
		{"eip155:42161", account("a5f208e072434bc67592e4c49c1b991ba79bca46"), "core"},
		{"eip155:42161", account("0b2402144bb366a632d14b83f244d2e0e21bd39c"), wormholeBridge},
		{"eip155:43114", account("54a8e5f9c4cba08f9943965859f6c34eaf03e26c"), "core"},
		{"eip155:43114", account("0e082f06ff657d94310cb8ce8b0d9a04541d8052"), wormholeBridge},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("LogMessagePublished(address,uint64,uint32,bytes,uint8)"): readMessagePublished,
		topic("TransferRedeemed(uint16,bytes32,uint64)"):                readTransferRedeemed,
	},
}

const wormholeBridge = "token bridge"

// wormholeChains are the chains by Wormhole's number; 1 is Solana.
var wormholeChains = map[uint16]ledger.Chain{
	2: ledger.Ethereum, 4: "eip155:56", 5: "eip155:137", 6: "eip155:43114", 10: "eip155:250", 23: "eip155:42161", 24: "eip155:10", 30: "eip155:8453",
	34: "eip155:534352", 38: "eip155:59144",
}

// wormholeKey hashes emitter chain (2 bytes), emitter (32) and sequence (8).
func wormholeKey(chain uint16, emitter *ledger.Hash, sequence uint64) ledger.Hash {
	return evm.Keccak(binary.BigEndian.AppendUint16(nil, chain), emitter[:], wide(sequence))
}

// The payload of a transfer: kind 1 byte, amount 32, token 32, its chain 2, recipient
// 32, its chain 2, and a fee or the sender 32.
const wormholeTransfer = 133

// readMessagePublished reads LogMessagePublished(sender!, sequence, nonce, payload,
// consistencyLevel) of the core contract, where a token bridge sent it.
func readMessagePublished(e *Event, found *Found) {
	sender, sequence, payload := e.TopicAddress(1), e.Small(0), e.Bytes(2)
	_ = e.Small(3)
	switch {
	case e.Bad():
		e.Fault(found, "a message that no core contract publishes")
		return
	case !e.isRole(sender, wormholeBridge) || len(payload) < wormholeTransfer || payload[0] != 1 && payload[0] != 3:
		return // somebody else's message, or one that moves nothing
	}
	own, ok := wormholeNumber(e.Chain)
	if !ok {
		return
	}
	var emitter ledger.Hash
	copy(emitter[12:], sender.Bytes())
	d := Deposit{Protocol: e.Protocol, Key: wormholeKey(own, &emitter, sequence), Position: e.Position, From: e.Sender()}
	if !e.lockedOrBurned(&d, sender) {
		e.Fault(found, "says that a token was taken in, but nothing moved")
		return
	}
	destination := binary.BigEndian.Uint16(payload[99:])
	t := Target{Protocol: e.Protocol, Chain: wormholeChains[destination], Text: foreignText(payload[67:99])}
	if to, isAccount := accountOf(payload[67:99]); isAccount && t.Chain != "" {
		t.Address, t.Text = to, ""
	} else {
		t.Chain, d.Reason = "", fmt.Sprintf("pays out on Wormhole's chain %d, which no ledger here holds", destination)
	}
	d.Targets = []Target{t}
	found.Deposits = append(found.Deposits, d)
}

func wormholeNumber(chain ledger.Chain) (uint16, bool) {
	for number, c := range wormholeChains {
		if c == chain {
			return number, true
		}
	}
	return 0, false
}

// isRole says whether an address is a contract of the protocol in a role, on the
// event's chain.
func (e *Event) isRole(address ledger.Address, role string) bool {
	for _, list := range [][]Contract{e.Protocol.Contracts, e.decoders.config.Contracts[e.Protocol.Name]} {
		for _, c := range list {
			if c.Chain == e.Chain && c.Address == address && c.Role == role {
				return true
			}
		}
	}
	return false
}

// lockedOrBurned finds what a bridge took: its last movement in, or the last burn.
func (e *Event) lockedOrBurned(d *Deposit, bridge ledger.Address) bool {
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		t := &e.Tx.Transfers[i]
		if (t.To == bridge || t.To == zeroAccount) && t.From != t.To && !t.Amount.IsZero() {
			d.Asset, d.Into, d.Amount = t.Asset, t.To, t.Amount
			return true
		}
	}
	return false
}

// readTransferRedeemed reads TransferRedeemed(emitterChainId!, emitterAddress!,
// sequence!). The event names no recipient: what the bridge released or minted most of
// is the payment; the rest is the relayer's fee.
func readTransferRedeemed(e *Event, found *Found) {
	chain, emitter, sequence := e.TopicSmall(1), e.Topic(2), e.TopicSmall(3)
	if e.Bad() || chain > 1<<16-1 || !e.isRole(e.Contract, wormholeBridge) {
		e.Fault(found, "a redemption that no token bridge emits")
		return
	}
	best := -1
	for i := range e.Tx.Transfers {
		t := &e.Tx.Transfers[i]
		released := t.From == e.Contract || t.From == zeroAccount
		if released && t.To != e.Contract && t.To != zeroAccount && !e.wraps(t.To) && (best < 0 || t.Amount.Gt(&e.Tx.Transfers[best].Amount)) {
			best = i
		}
	}
	if best < 0 {
		e.Fault(found, "says that a transfer was redeemed, but nothing was paid")
		return
	}
	t := &e.Tx.Transfers[best]
	found.Payouts = append(found.Payouts, Payout{
		Protocol: e.Protocol, Key: wormholeKey(uint16(chain), &emitter, sequence), Position: e.Position, Asset: t.Asset, Amount: t.Amount, To: t.To, Transfer: best,
	})
}

// wraps says whether an account is the contract of a token of this transaction: value
// that goes there is being unwrapped.
func (e *Event) wraps(a ledger.Address) bool {
	for i := range e.Tx.Transfers {
		if c := evm.ContractOf(e.Tx.Transfers[i].Asset); !c.IsZero() && c == a {
			return true
		}
	}
	return false
}
