package crossing_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// burnBody is the body of a burn message of either version.
func burnBody(t *testing.T, version int, to ledger.Address, amount, fee uint64) []byte {
	t.Helper()
	body := append(make([]byte, 4), addressWord(eth(t, strings.Repeat("a0", 20)))...)
	body = append(append(append(body, addressWord(to)...), word(amount)...), addressWord(eth(t, strings.Repeat("c0", 20)))...)
	if version == 2 {
		body = append(append(append(body, word(5)...), word(fee)...), word(fee*1000)...) // most fee, fee taken, expiry
	}
	return body
}

func burnMessage(version int, number uint64, body []byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, 0)
	size := 116
	if version == 2 {
		head, size = binary.BigEndian.AppendUint32(nil, 1), 148
	}
	head = binary.BigEndian.AppendUint32(head, 0)  // Ethereum
	head = binary.BigEndian.AppendUint32(head, 10) // Unichain
	if version == 1 {
		head = binary.BigEndian.AppendUint64(head, number)
	}
	return append(append(head, make([]byte, size-len(head))...), body...)
}

// TestCCTP follows a burn to its mint, in both versions.
func TestCCTP(t *testing.T) {
	user, to := eth(t, strings.Repeat("c0", 20)), eth(t, strings.Repeat("d0", 20))
	dollars := ledger.Asset("eip155:1/erc20:0x" + strings.Repeat("a0", 20))
	far := ledger.Asset("eip155:130/erc20:0x" + strings.Repeat("b0", 20))
	zero := eth(t, strings.Repeat("00", 20))
	hundred := ledger.NewAmount(100)
	for version := 1; version <= 2; version++ {
		second := version == 2
		p, burnEvent, received, minted := crossing.CCTP, "DepositForBurn(uint64,address,uint256,address,bytes32,uint32,bytes32,bytes32)",
			"MessageReceived(address,uint32,uint64,bytes32,bytes)", "MintAndWithdraw(address,uint256,address)"
		if second {
			p, burnEvent = crossing.CCTPv2, "DepositForBurn(address,uint256,address,bytes32,uint32,bytes32,bytes32,uint256,uint32,bytes)"
			received, minted = "MessageReceived(address,uint32,bytes32,bytes32,uint32,bytes)", "MintAndWithdraw(address,uint256,address,uint256)"
		}
		messenger, transmitter := p.Contracts[0].Address, p.Contracts[len(p.Contracts)-1].Address
		near := crossing.Config{Notation: notation, Contracts: map[string][]crossing.Contract{p.Name: {{Chain: "eip155:130", Address: messenger}, {Chain: "eip155:130", Address: transmitter}}}}
		decode := crossing.NewDecoders(near)
		burn := burnMessage(version, 42, burnBody(t, version, to, 100, 0))
		sent := event(1, transmitter, "MessageSent(bytes)", nil, word(32), padded(burn))
		stands := event(2, messenger, burnEvent, nil)
		in := decode.Read(&crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{
			Transfers: []ledger.Transfer{moved(user, messenger, dollars, hundred), moved(messenger, zero, dollars, hundred)}, Messages: []ledger.Message{sent, stands},
		}})
		if len(in.Deposits) != 1 || len(in.Faults) != 0 {
			t.Fatalf("%s: burn %+v", p.Name, in)
		}
		d := in.Deposits[0]
		if d.Protocol != p || d.Into != zero || d.Asset != dollars || d.From != user || d.Targets[0].Chain != "eip155:130" || d.Targets[0].Address != to || d.Targets[0].Most != hundred {
			t.Errorf("%s: deposit %+v", p.Name, d)
		}
		alone := decode.Read(&crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{Transfers: []ledger.Transfer{moved(messenger, zero, dollars, hundred)}, Messages: []ledger.Message{sent}}})
		if len(alone.Deposits) != 0 {
			t.Errorf("%s: a message without a burn is a deposit: %+v", p.Name, alone)
		}

		body, fee := burnBody(t, version, to, 100, 3), uint64(0)
		arrival := event(5, transmitter, received, [][]byte{addressWord(user), word(42)}, word(0), make([]byte, 32), word(96), padded(body))
		mint := event(6, messenger, minted, [][]byte{addressWord(to), addressWord(eth(t, strings.Repeat("b0", 20)))}, word(100))
		if second {
			fee = 3
			arrival = event(5, transmitter, received, [][]byte{addressWord(user), word(1), word(2000)}, word(0), make([]byte, 32), word(96), padded(body))
			mint = event(6, messenger, minted, [][]byte{addressWord(to), addressWord(eth(t, strings.Repeat("b0", 20)))}, word(97), word(3))
		}
		got := ledger.NewAmount(100 - fee)
		tx := &ledger.Tx{Transfers: []ledger.Transfer{moved(zero, to, far, got)}, Messages: []ledger.Message{arrival, mint}}
		out := decode.Read(&crossing.View{Chain: "eip155:130", Tx: tx})
		if len(out.Payouts) != 1 || out.Payouts[0].Key != d.Key || out.Payouts[0].To != to || out.Payouts[0].Amount != got || out.Payouts[0].Asset != far {
			t.Fatalf("%s: mint %+v", p.Name, out)
		}
		tx.Messages = tx.Messages[:1]
		if lonely := decode.Read(&crossing.View{Chain: "eip155:130", Tx: tx}); len(lonely.Payouts) != 0 || len(lonely.Faults) != 1 {
			t.Errorf("%s: received, but nothing minted: %+v", p.Name, lonely)
		}
	}
}
