package crossing_test

import (
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// TestOptimism follows ether to Base and a token back, by the hash of the message.
func TestOptimism(t *testing.T) {
	of := func(chain ledger.Chain, role string) ledger.Address {
		for _, c := range crossing.Optimism.Contracts {
			if c.Chain == chain && c.Role == role {
				return c.Address
			}
		}
		t.Fatal(chain, role)
		return ledger.Address{}
	}
	const base = ledger.Chain("eip155:8453")
	bridge, messenger, portal := of(ledger.Ethereum, "standard bridge of eip155:8453"), of(ledger.Ethereum, "messenger of eip155:8453"), of(ledger.Ethereum, "portal of eip155:8453")
	far, farMessenger := of(base, "standard bridge of eip155:1"), of(base, "messenger of eip155:1")
	user, to, zero := eth(t, strings.Repeat("c9", 20)), eth(t, strings.Repeat("d9", 20)), eth(t, strings.Repeat("00", 20))
	ten := ledger.NewAmount(10)
	read := func(chain ledger.Chain, moves []ledger.Transfer, messages ...ledger.Message) crossing.Found {
		return decoders().Read(&crossing.View{Chain: chain, Tx: &ledger.Tx{Transfers: moves, Messages: messages}})
	}
	data := []byte("finalizeBridgeETH and so on, as long as it likes")
	sentBy := func(messenger, sender, target ledger.Address, value uint64) []ledger.Message {
		return []ledger.Message{
			event(3, messenger, "SentMessage(address,address,bytes,uint256,uint256)", [][]byte{addressWord(target)}, addressWord(sender), word(128), word(7), word(200_000), padded(data)),
			event(4, messenger, "SentMessageExtension1(address,uint256)", [][]byte{addressWord(sender)}, word(value)),
		}
	}
	hash := func(sender, target ledger.Address, value uint64) ledger.Hash {
		selector := evm.Keccak([]byte("relayMessage(uint256,address,address,uint256,uint256,bytes)"))
		return evm.Keccak(slices.Concat(selector[:4], word(7), addressWord(sender), addressWord(target), word(value), word(200_000), word(192), padded(data)))
	}
	initiated := event(1, bridge, "ETHBridgeInitiated(address,address,uint256,bytes)", [][]byte{addressWord(user), addressWord(to)}, word(10), word(64), padded(nil))
	ether := ledger.Ethereum.Native()
	moves := []ledger.Transfer{moved(user, bridge, ether, ten), moved(bridge, messenger, ether, ten), moved(messenger, portal, ether, ten)}
	in := read(ledger.Ethereum, moves, append([]ledger.Message{initiated}, sentBy(messenger, bridge, far, 10)...)...)
	if len(in.Deposits) != 1 || len(in.Faults) != 0 {
		t.Fatalf("initiated: %+v", in)
	}
	d := in.Deposits[0]
	if d.Key != hash(bridge, far, 10) || d.Into != portal || d.Asset != ether || d.From != user || d.Targets[0].Chain != base || d.Targets[0].Address != to || d.Targets[0].Most != ten {
		t.Errorf("deposit %+v", d)
	}
	finalized := event(1, far, "ETHBridgeFinalized(address,address,uint256,bytes)", [][]byte{addressWord(user), addressWord(to)}, word(10), word(64), padded(nil))
	relayed := event(5, farMessenger, "RelayedMessage(bytes32)", [][]byte{d.Key[:]})
	paid := []ledger.Transfer{moved(far, to, base.Native(), ten)}
	out := read(base, paid, finalized, relayed)
	if len(out.Payouts) != 1 || out.Payouts[0].Key != d.Key || out.Payouts[0].To != to || out.Payouts[0].Asset != base.Native() {
		t.Fatalf("finalized: %+v", out)
	}
	forged := event(2, to, "RelayedMessage(bytes32)", [][]byte{make([]byte, 32)}) // the recipient's own words, in between
	if found := read(base, paid, finalized, forged, relayed); len(found.Payouts) != 1 || found.Payouts[0].Key != d.Key {
		t.Errorf("a recipient's own event counts: %+v", found)
	}
	if found := read(base, paid, finalized); len(found.Payouts) != 0 || len(found.Faults) != 1 {
		t.Errorf("nothing was relayed: %+v", found)
	}
	if found := read(ledger.Ethereum, moves, initiated); len(found.Deposits) != 0 || len(found.Faults) != 1 {
		t.Errorf("nothing was sent: %+v", found)
	}

	local, remote := eth(t, strings.Repeat("a9", 20)), eth(t, strings.Repeat("b9", 20))
	burned := event(1, far, "ERC20BridgeInitiated(address,address,address,address,uint256,bytes)", [][]byte{addressWord(local), addressWord(remote), addressWord(user)},
		addressWord(to), word(10), word(96), padded(nil))
	back := read(base, []ledger.Transfer{moved(user, zero, evm.AssetOf(base, local), ten)}, append([]ledger.Message{burned}, sentBy(farMessenger, far, bridge, 0)...)...)
	if len(back.Deposits) != 1 || back.Deposits[0].Key != hash(far, bridge, 0) || back.Deposits[0].Into != zero || back.Deposits[0].Targets[0].Asset != evm.AssetOf(ledger.Ethereum, remote) {
		t.Fatalf("a token back: %+v", back)
	}
	released := event(2, bridge, "ERC20BridgeFinalized(address,address,address,address,uint256,bytes)", [][]byte{addressWord(remote), addressWord(local), addressWord(user)},
		addressWord(to), word(10), word(96), padded(nil))
	key := back.Deposits[0].Key
	home := read(ledger.Ethereum, []ledger.Transfer{moved(bridge, to, evm.AssetOf(ledger.Ethereum, remote), ten)}, released, event(3, messenger, "RelayedMessage(bytes32)", [][]byte{key[:]}))
	if len(home.Payouts) != 1 || home.Payouts[0].Key != key {
		t.Errorf("a token home: %+v", home)
	}
}
