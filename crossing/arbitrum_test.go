package crossing_test

import (
	"strings"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// TestArbitrum follows ether and a token out of the rollup, and a token into it.
func TestArbitrum(t *testing.T) {
	const rollup = ledger.Chain("eip155:42161")
	of := func(chain ledger.Chain, role string) ledger.Address {
		for _, c := range crossing.Arbitrum.Contracts {
			if c.Chain == chain && c.Role == role {
				return c.Address
			}
		}
		t.Fatal(chain, role)
		return ledger.Address{}
	}
	outbox, bridge, gateway := of(ledger.Ethereum, "outbox"), of(ledger.Ethereum, "bridge"), of(ledger.Ethereum, "token gateway")
	system, far := of(rollup, "system"), of(rollup, "token gateway")
	user, to, zero := eth(t, strings.Repeat("ca", 20)), eth(t, strings.Repeat("da", 20)), eth(t, strings.Repeat("00", 20))
	token, minted := eth(t, strings.Repeat("aa", 20)), evm.AssetOf(rollup, eth(t, strings.Repeat("ba", 20)))
	ten, a := ledger.NewAmount(10), addressWord
	read := func(chain ledger.Chain, moves []ledger.Transfer, messages ...ledger.Message) crossing.Found {
		return decoders().Read(&crossing.View{Chain: chain, Tx: &ledger.Tx{Transfers: moves, Messages: messages}})
	}
	one := func(name string, in, out crossing.Found) {
		t.Helper()
		if len(in.Deposits) != 1 || len(out.Payouts) != 1 || len(in.Faults)+len(out.Faults) != 0 || in.Deposits[0].Key != out.Payouts[0].Key || in.Deposits[0].Protocol != out.Payouts[0].Protocol ||
			in.Deposits[0].Targets[0].Address != to || out.Payouts[0].To != to || in.Deposits[0].Amount != ten || out.Payouts[0].Amount != ten {
			t.Fatalf("%s: in %+v, out %+v", name, in, out)
		}
	}
	left := event(1, system, "L2ToL1Tx(address,address,uint256,uint256,uint256,uint256,uint256,uint256,bytes)", [][]byte{a(to), word(5), word(33)},
		a(user), word(1), word(2), word(3), word(10), word(192), padded(nil))
	executed := func(receiver ledger.Address, number uint64) ledger.Message {
		return event(0, outbox, "OutBoxTransactionExecuted(address,address,uint256,uint256)", [][]byte{a(receiver), a(user), word(0)}, word(number))
	}
	paid := []ledger.Transfer{moved(bridge, to, ledger.Ethereum.Native(), ten)}
	in := read(rollup, []ledger.Transfer{moved(user, system, rollup.Native(), ten)}, left)
	one("ether out", in, read(ledger.Ethereum, paid, executed(to, 33)))
	if other := read(ledger.Ethereum, paid, executed(to, 34)); other.Payouts[0].Key == in.Deposits[0].Key {
		t.Error("another number has the same key")
	}
	if none := read(rollup, nil, left); len(none.Deposits) != 0 || len(none.Faults) != 1 {
		t.Errorf("no ether left: %+v", none)
	}

	withdrawn := event(4, far, "WithdrawalInitiated(address,address,address,uint256,uint256,uint256)", [][]byte{a(user), a(to), word(40)}, a(token), word(6), word(10))
	released := event(4, gateway, "WithdrawalFinalized(address,address,address,uint256,uint256)", [][]byte{a(user), a(to), word(6)}, a(token), word(10))
	home := []ledger.Transfer{moved(gateway, to, evm.AssetOf(ledger.Ethereum, token), ten)}
	one("a token out", read(rollup, []ledger.Transfer{moved(user, zero, minted, ten)}, withdrawn), read(ledger.Ethereum, home, executed(gateway, 40), released))
	if none := read(ledger.Ethereum, home, released); len(none.Payouts) != 0 || len(none.Faults) != 1 {
		t.Errorf("no outbox executed it: %+v", none)
	}

	locked := event(4, gateway, "DepositInitiated(address,address,address,uint256,uint256)", [][]byte{a(user), a(to), word(77)}, a(token), word(10))
	arrived := event(1, far, "DepositFinalized(address,address,address,uint256)", [][]byte{a(token), a(user), a(to)}, word(10))
	one("a token in", read(ledger.Ethereum, []ledger.Transfer{moved(user, gateway, evm.AssetOf(ledger.Ethereum, token), ten)}, locked),
		read(rollup, []ledger.Transfer{moved(zero, to, minted, ten)}, arrived))
	if none := read(rollup, nil, arrived); len(none.Payouts) != 0 || len(none.Faults) != 1 {
		t.Errorf("nothing was minted: %+v", none)
	}
}
