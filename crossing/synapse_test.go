package crossing_test

import (
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// TestSynapse follows deposits by the hash of the source's transaction as text. The
// pair of hashes is the one that the protocol's own definition gives for a public
// transaction.
func TestSynapse(t *testing.T) {
	bridge, far := crossing.Synapse.Contracts[0].Address, crossing.Synapse.Contracts[2].Address
	user, to, zero := eth(t, strings.Repeat("c7", 20)), eth(t, strings.Repeat("d7", 20)), eth(t, strings.Repeat("00", 20))
	token := eth(t, strings.Repeat("a7", 20))
	asset, ether := evm.AssetOf(ledger.Ethereum, token), ledger.Chain("eip155:42161").Native()
	ten, nine := ledger.NewAmount(10), ledger.NewAmount(9)
	id := ledger.Hash(unhex(t, "46deef0f52e3a983b67abf4714448a41dd7ffd6d32d32da69d62081c68ad7882"))
	kappa := unhex(t, "058fd0a4cd2e9c26410688e652b9e295b7eceeedf09a13e80aa955cf87eba527")
	in := decoders().Read(&crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{
		ID: id, Transfers: []ledger.Transfer{moved(user, zero, asset, ten)}, Fee: ledger.Fee{Payer: user},
		Messages: []ledger.Message{event(1, bridge, "TokenRedeem(address,uint256,address,uint256)", [][]byte{addressWord(to)}, word(42161), addressWord(token), word(10))},
	}})
	if len(in.Deposits) != 1 || !slices.Equal(in.Deposits[0].Key[:], kappa) || in.Deposits[0].Into != zero || in.Deposits[0].Asset != asset || in.Deposits[0].Targets[0].Address != to {
		t.Fatalf("redeemed: %+v", in)
	}
	withdrawn := event(2, far, "TokenWithdraw(address,address,uint256,uint256,bytes32)", [][]byte{addressWord(to), kappa}, addressWord(token), word(10), word(1))
	out := decoders().Read(&crossing.View{Chain: "eip155:42161", Tx: &ledger.Tx{Transfers: []ledger.Transfer{moved(far, to, ether, nine)}, Messages: []ledger.Message{withdrawn}}})
	if len(out.Payouts) != 1 || out.Payouts[0].Key != in.Deposits[0].Key || out.Payouts[0].Asset != ether || out.Payouts[0].Amount != nine || out.Payouts[0].To != to {
		t.Fatalf("withdrawn: %+v", out)
	}
	if none := decoders().Read(&crossing.View{Chain: "eip155:42161", Tx: &ledger.Tx{Messages: []ledger.Message{withdrawn}}}); len(none.Payouts) != 0 || len(none.Faults) != 1 {
		t.Errorf("nothing was paid: %+v", none)
	}
}

// TestSynapseRFQ follows a request whose hash both sides carry.
func TestSynapseRFQ(t *testing.T) {
	fast := crossing.SynapseRFQ.Contracts[0].Address
	user, to, relayer, token := eth(t, strings.Repeat("c8", 20)), eth(t, strings.Repeat("d8", 20)), eth(t, strings.Repeat("e8", 20)), eth(t, strings.Repeat("a8", 20))
	native := eth(t, strings.Repeat("ee", 20))
	asset, ether := evm.AssetOf(ledger.Ethereum, token), ledger.Chain("eip155:10").Native()
	request := slices.Concat(word(1), word(10), addressWord(user), addressWord(to), addressWord(token), addressWord(native), word(10), word(9), word(0), word(0), word(5), word(6))
	id := evm.Keccak(request)
	ask := func(id ledger.Hash) ledger.Message {
		return event(1, fast, "BridgeRequested(bytes32,address,bytes,uint32,address,address,uint256,uint256,bool)", [][]byte{id[:], addressWord(user)},
			word(224), word(10), addressWord(token), addressWord(native), word(10), word(9), word(0), padded(request))
	}
	moves := []ledger.Transfer{moved(user, fast, asset, ledger.NewAmount(10))}
	in := decoders().Read(&crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{Transfers: moves, Messages: []ledger.Message{ask(id)}}})
	if len(in.Deposits) != 1 || in.Deposits[0].Key != id || in.Deposits[0].Targets[0].Address != to || in.Deposits[0].Targets[0].Asset != ether || in.Deposits[0].Refund != user {
		t.Fatalf("requested: %+v", in)
	}
	if forged := decoders().Read(&crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{Transfers: moves, Messages: []ledger.Message{ask(ledger.Hash{1})}}}); len(forged.Deposits) != 0 || len(forged.Faults) != 1 {
		t.Errorf("another id: %+v", forged)
	}
	relayed := event(2, fast, "BridgeRelayed(bytes32,address,address,uint32,address,address,uint256,uint256,uint256)", [][]byte{id[:], addressWord(relayer), addressWord(to)},
		word(1), addressWord(token), addressWord(native), word(10), word(9), word(0))
	out := decoders().Read(&crossing.View{Chain: "eip155:10", Tx: &ledger.Tx{Transfers: []ledger.Transfer{moved(fast, to, ether, ledger.NewAmount(9))}, Messages: []ledger.Message{relayed}}})
	if len(out.Payouts) != 1 || out.Payouts[0].Key != id || out.Payouts[0].Asset != ether || !out.Payouts[0].Payer.IsZero() {
		t.Fatalf("relayed: %+v", out)
	}
}
