package crossing_test

import (
	"strings"
	"testing"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// transferPayload is the payload of a transfer to an account of a chain by Wormhole's
// number.
func transferPayload(kind byte, to []byte, chain byte) []byte {
	p := append([]byte{kind}, word(10)...)
	p = append(append(p, make([]byte, 32)...), 0, 2)
	return append(append(append(p, to...), 0, chain), word(0)...)
}

// TestWormhole follows a token from Ethereum to Arbitrum by the emitter's sequence.
func TestWormhole(t *testing.T) {
	contract := func(chain ledger.Chain, role string) ledger.Address {
		for _, c := range crossing.Wormhole.Contracts {
			if c.Chain == chain && c.Role == role {
				return c.Address
			}
		}
		t.Fatal(chain, role)
		return ledger.Address{}
	}
	core, bridge, far := contract(ledger.Ethereum, "core"), contract(ledger.Ethereum, "token bridge"), contract("eip155:42161", "token bridge")
	user, to, relayer, zero := eth(t, strings.Repeat("c6", 20)), eth(t, strings.Repeat("d6", 20)), eth(t, strings.Repeat("e6", 20)), eth(t, strings.Repeat("00", 20))
	token := ledger.Asset("eip155:1/erc20:0x" + strings.Repeat("a6", 20))
	minted := ledger.Asset("eip155:42161/erc20:0x" + strings.Repeat("b6", 20))
	ten, nine, one := ledger.NewAmount(10), ledger.NewAmount(9), ledger.NewAmount(1)
	read := func(chain ledger.Chain, moves []ledger.Transfer, m ledger.Message) crossing.Found {
		return decoders().Read(&crossing.View{Chain: chain, Tx: &ledger.Tx{Transfers: moves, Messages: []ledger.Message{m}, Fee: ledger.Fee{Payer: user}}})
	}
	publish := func(emitter, sender ledger.Address, payload []byte) ledger.Message {
		return event(1, emitter, "LogMessagePublished(address,uint64,uint32,bytes,uint8)", [][]byte{addressWord(sender)}, word(77), word(0), word(128), word(1), padded(payload))
	}
	locked := []ledger.Transfer{moved(user, bridge, token, ten)}
	in := read(ledger.Ethereum, locked, publish(core, bridge, transferPayload(1, addressWord(to), 23)))
	if len(in.Deposits) != 1 || len(in.Faults) != 0 {
		t.Fatalf("published: %+v", in)
	}
	d := in.Deposits[0]
	if d.Into != bridge || d.Asset != token || d.Amount != ten || d.From != user || d.Targets[0].Chain != "eip155:42161" || d.Targets[0].Address != to {
		t.Errorf("deposit %+v", d)
	}
	redeem := func(sequence uint64) ledger.Message {
		return event(3, far, "TransferRedeemed(uint16,bytes32,uint64)", [][]byte{word(2), addressWord(bridge), word(sequence)})
	}
	paid := []ledger.Transfer{moved(zero, relayer, minted, one), moved(zero, to, minted, nine)}
	out := read("eip155:42161", paid, redeem(77))
	if len(out.Payouts) != 1 || out.Payouts[0].Key != d.Key || out.Payouts[0].To != to || out.Payouts[0].Amount != nine || out.Payouts[0].Asset != minted {
		t.Fatalf("redeemed: %+v", out)
	}
	if other := read("eip155:42161", paid, redeem(78)); len(other.Payouts) != 1 || other.Payouts[0].Key == d.Key {
		t.Errorf("another sequence has the same key: %+v", other)
	}
	if nothing := read("eip155:42161", nil, redeem(77)); len(nothing.Payouts) != 0 || len(nothing.Faults) != 1 {
		t.Errorf("nothing was paid: %+v", nothing)
	}
	if solana := read(ledger.Ethereum, locked, publish(core, bridge, transferPayload(3, make([]byte, 32), 1))); len(solana.Deposits) != 1 || !strings.Contains(solana.Deposits[0].Reason, "chain 1") {
		t.Errorf("to Solana: %+v", solana)
	}
	for name, m := range map[string]ledger.Message{
		"another contract publishes": publish(user, bridge, transferPayload(1, addressWord(to), 23)),
		"another contract sends":     publish(core, user, transferPayload(1, addressWord(to), 23)),
		"an attestation":             publish(core, bridge, transferPayload(2, addressWord(to), 23)),
		"a short payload":            publish(core, bridge, []byte{1, 2, 3}),
	} {
		if found := read(ledger.Ethereum, locked, m); len(found.Deposits) != 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
