package crossing_test

import (
	"strings"
	"testing"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// acrossDeposit is the event of a deposit of ten for nine on chain 10.
func acrossDeposit(t *testing.T, emitter ledger.Address, number uint64, recipient []byte) ledger.Message {
	t.Helper()
	token, wanted, depositor := addressWord(eth(t, strings.Repeat("a1", 20))), addressWord(eth(t, strings.Repeat("b1", 20))), addressWord(eth(t, strings.Repeat("c1", 20)))
	return event(4, emitter, "FundsDeposited(bytes32,bytes32,uint256,uint256,uint256,uint256,uint32,uint32,uint32,bytes32,bytes32,bytes32,bytes)",
		[][]byte{word(10), word(number), depositor},
		token, wanted, word(10), word(9), word(1), word(2), word(0), recipient, word(0), word(320), padded(nil))
}

func acrossFill(t *testing.T, emitter ledger.Address, number uint64, updated ledger.Address, amount uint64) ledger.Message {
	t.Helper()
	a := func(digits string) []byte { return addressWord(eth(t, strings.Repeat(digits, 20))) }
	return event(7, emitter, "FilledRelay(bytes32,bytes32,uint256,uint256,uint256,uint256,uint256,uint32,uint32,bytes32,bytes32,bytes32,bytes32,bytes32,(bytes32,bytes32,uint256,uint8))",
		[][]byte{word(1), word(number), a("e1")},
		a("a1"), a("b1"), word(10), word(9), word(1), word(1), word(2), word(0), a("c1"), a("d1"), word(0), addressWord(updated), word(0), word(amount), word(0))
}

func TestAcross(t *testing.T) {
	pool, far := crossing.Across.Contracts[0].Address, crossing.Across.Contracts[1].Address
	token := ledger.Asset("eip155:1/erc20:0x" + strings.Repeat("a1", 20))
	paid := ledger.Asset("eip155:10/erc20:0x" + strings.Repeat("b1", 20))
	depositor, recipient, relayer := eth(t, strings.Repeat("c1", 20)), eth(t, strings.Repeat("d1", 20)), eth(t, strings.Repeat("e1", 20))
	nine, ten := ledger.NewAmount(9), ledger.NewAmount(10)
	view := func(chain ledger.Chain, m ledger.Message, moves ...ledger.Transfer) *crossing.View {
		return &crossing.View{Chain: chain, Tx: &ledger.Tx{ID: ledger.Hash{1}, Transfers: moves, Messages: []ledger.Message{m}}}
	}
	in := decoders().Read(view(ledger.Ethereum, acrossDeposit(t, pool, 77, addressWord(recipient)), moved(depositor, pool, token, ten)))
	if len(in.Deposits) != 1 || len(in.Faults) != 0 {
		t.Fatalf("deposit: %+v", in)
	}
	d := in.Deposits[0]
	if d.Into != pool || d.Asset != token || d.Amount != ten || d.From != depositor || d.Targets[0].Chain != "eip155:10" || d.Targets[0].Address != recipient || d.Targets[0].Most != nine {
		t.Errorf("deposit %+v", d)
	}
	out := decoders().Read(view("eip155:10", acrossFill(t, far, 77, recipient, 9), moved(relayer, recipient, paid, nine)))
	if len(out.Payouts) != 1 || out.Payouts[0].Key != d.Key || out.Payouts[0].To != recipient || out.Payouts[0].Amount != nine || !out.Payouts[0].Payer.IsZero() {
		t.Fatalf("fill: %+v", out)
	}
	unwrapped := decoders().Read(view("eip155:10", acrossFill(t, far, 77, recipient, 9), moved(far, recipient, "eip155:10/slip44:60", nine)))
	if len(unwrapped.Payouts) != 1 || unwrapped.Payouts[0].Asset != "eip155:10/slip44:60" {
		t.Errorf("paid as ether: %+v", unwrapped)
	}
	other := decoders().Read(view("eip155:10", acrossFill(t, far, 78, recipient, 9), moved(relayer, recipient, paid, nine)))
	if len(other.Payouts) != 1 || other.Payouts[0].Key == d.Key {
		t.Error("another deposit's fill has the same key")
	}
	for name, v := range map[string]*crossing.View{
		"nothing moved":    view("eip155:10", acrossFill(t, far, 77, recipient, 9)),
		"less moved":       view("eip155:10", acrossFill(t, far, 77, recipient, 9), moved(relayer, recipient, paid, ledger.NewAmount(1))),
		"nothing came":     view(ledger.Ethereum, acrossDeposit(t, pool, 77, addressWord(recipient))),
		"a broken address": view("eip155:10", acrossFill(t, far, 77, ledger.NewAddress(ledger.EVMAccount, make([]byte, 20)), 0)),
	} {
		if found := decoders().Read(v); len(found.Deposits)+len(found.Payouts) != 0 || len(found.Faults) != 1 {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if found := decoders().Read(view("eip155:10", acrossFill(t, relayer, 77, recipient, 9), moved(relayer, recipient, paid, nine))); len(found.Payouts)+len(found.Faults) != 0 {
		t.Errorf("another contract's event counts: %+v", found)
	}
	solana := decoders().Read(view(ledger.Ethereum, acrossDeposit(t, pool, 5, append([]byte{9}, make([]byte, 31)...)), moved(depositor, pool, token, ten)))
	if len(solana.Deposits) != 1 || solana.Deposits[0].Reason == "" || solana.Deposits[0].Targets[0].Chain != "" {
		t.Errorf("a recipient that is no EVM account: %+v", solana)
	}
}
