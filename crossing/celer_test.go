package crossing_test

import (
	"encoding/binary"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// short is a number of 64 bits as abi.encodePacked writes it.
func short(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func hashOf(parts ...[]byte) []byte {
	h := evm.Keccak(parts...)
	return h[:]
}

func TestCelerTopics(t *testing.T) {
	assertTopics(t, crossing.Celer,
		"89d8051e597ab4178a863a5190407b98abfeff406aa8db90c59af76612e58f01", "79fa08de5149d912dce8e5e8da7a7c17ccdf23dd5d3bfe196802e6eb86347c7c",
		"48a1ab26f3aa7b62bb6b6e8eed182f292b84eb7b006c0254386b268af20774be", "15d2eeefbe4963b5b2178f239ddcc730dda55f1c23c22efb79ded0eb854ac789",
		"28d226819e371600e26624ebc4a9a3947117ee2760209f816c789d3a99bf481b", "5bc84ecccfced5bb04bfc7f3efcdbe7f5cd21949ef146811b4d1967fe41f777a",
		"75f1bf55bb1de41b63a775dc7d4500f01114ee62b688a6b11d34f4692c1f3d43", "6298d7b58f235730b3b399dc5c282f15dae8b022e5fbbf89cee21fd83c8810a3",
		"296a629c5265cb4e5319803d016902eb70a9079b89655fe2b7737821ed88beeb")
}

// TestCelerPool sends from Ethereum to BSC, and gets a transfer back.
func TestCelerPool(t *testing.T) {
	bridge, far := eth(t, "5427fefa711eff984124bfbb1ab6fbf5e3da1820"), eth(t, "dd90e5e87a2081dcf0391920868ebc2ffb81a1af")
	user, to, token := eth(t, hops), eth(t, "00000000000000000000000000000000000000aa"), eth(t, usdcText)
	id := hashOf(user.Bytes(), to.Bytes(), token.Bytes(), word(1000), short(56), short(7), short(1))
	send := func() *crossing.View {
		return logView(ledger.Ethereum, 1, []ledger.Transfer{moved(user, bridge, usdc, ledger.NewAmount(1000))},
			event(2, bridge, "Send(bytes32,address,address,address,uint256,uint64,uint64,uint32)", nil,
				id, addressWord(user), addressWord(to), addressWord(token), word(1000), word(56), word(7), word(5000)))
	}
	relay := func(asset ledger.Asset) *crossing.View {
		own := hashOf(user.Bytes(), to.Bytes(), token.Bytes(), word(990), short(1), short(56), id)
		return logView("eip155:56", 2, []ledger.Transfer{moved(far, to, asset, ledger.NewAmount(990))},
			event(5, far, "Relay(bytes32,address,address,address,uint256,uint64,bytes32)", nil,
				own, addressWord(user), addressWord(to), addressWord(token), word(990), word(1), id))
	}
	d := onlyDeposit(t, send())
	if d.Key != ledger.Hash(id) || d.Into != bridge || d.Asset != usdc || d.Amount != ledger.NewAmount(1000) || d.From != user || d.Refund != user {
		t.Errorf("deposit %+v", d)
	}
	if x := d.Targets[0]; len(d.Targets) != 1 || x.Chain != "eip155:56" || x.Address != to {
		t.Errorf("target %+v", x)
	}
	for _, asset := range []ledger.Asset{"eip155:56/erc20:0x" + usdcText, "eip155:56/slip44:60"} {
		if p := onlyPayout(t, relay(asset)); p.Key != d.Key || p.Kind != crossing.Paid || p.To != to || p.Asset != asset || p.Amount != ledger.NewAmount(990) || p.Transfer != 0 {
			t.Errorf("payout %+v", p)
		}
	}
	done := func(reference []byte) *crossing.View {
		own := hashOf(short(1), short(3), user.Bytes(), token.Bytes(), word(1000))
		return logView(ledger.Ethereum, 3, []ledger.Transfer{moved(bridge, user, usdc, ledger.NewAmount(1000))},
			event(1, bridge, "WithdrawDone(bytes32,uint64,address,address,uint256,bytes32)", nil, own, word(3), addressWord(user), addressWord(token), word(1000), reference))
	}
	if p := onlyPayout(t, done(id)); p.Key != d.Key || p.Kind != crossing.Refunded || p.To != user || p.Amount != d.Amount {
		t.Errorf("refund %+v", p)
	}
	wantNothing(t, done(word(0))) // a provider takes his own money

	wantFault(t, truncated(send()), "does not emit")
	wantFault(t, truncated(relay("eip155:56/slip44:60")), "does not emit")
	elsewhere := send()
	elsewhere.Chain = "eip155:10"
	wantNothing(t, elsewhere)
	forged := relay("eip155:56/slip44:60")
	forged.Tx.Messages[0].Data[1+32*7-1] ^= 1 // the id that it names
	forged.Tx.Messages[0].Data[40] ^= 1
	wantFault(t, forged, "do not hash")
	missing := send()
	missing.Tx.Transfers[0].To = to
	wantFault(t, missing, "nothing arrived")
	delayed := relay("eip155:56/slip44:60")
	delayed.Tx.Transfers = nil
	wantFault(t, delayed, "nothing of that reached")
	stranger := relay("eip155:56/slip44:60")
	stranger.Tx.Messages[0].Contract = bridge // of another chain
	wantNothing(t, stranger)
	twice := relay("eip155:56/slip44:60")
	twice.Tx.Messages = append(twice.Tx.Messages, twice.Tx.Messages[0])
	if found := decoders().Read(twice); len(found.Payouts) != 1 || len(found.Faults) != 1 {
		t.Errorf("one movement paid %d times", len(found.Payouts))
	}
}

// TestCelerPegged locks and mints, burns and withdraws, by both versions.
func TestCelerPegged(t *testing.T) {
	vault, pegged, pegged2 := eth(t, "7510792a3b1969f9307f3845ce88e39578f2bae1"), eth(t, "16365b45eb269b5b5dacb34b4a15399ec79b95eb"), eth(t, "52e4f244f380f8fa51816c8a10a63105dd4de084")
	user, to, token, zero := eth(t, hops), eth(t, "00000000000000000000000000000000000000aa"), eth(t, usdcText), eth(t, "0000000000000000000000000000000000000000")
	amount := ledger.NewAmount(1000)
	id := hashOf(user.Bytes(), token.Bytes(), word(1000), short(56), to.Bytes(), short(7), short(1), vault.Bytes())
	locked := func(id []byte) *crossing.View {
		return logView(ledger.Ethereum, 1, []ledger.Transfer{moved(user, vault, usdc, amount)},
			event(2, vault, "Deposited(bytes32,address,address,uint256,uint64,address,uint64)", nil, id, addressWord(user), addressWord(token), word(1000), word(56), addressWord(to), word(7)))
	}
	d := onlyDeposit(t, locked(id))
	if d.Key != ledger.Hash(id) || d.Into != vault || d.Asset != usdc || d.Amount != amount || d.Targets[0].Chain != "eip155:56" || d.Targets[0].Address != to {
		t.Errorf("deposit %+v", d)
	}
	wantFault(t, locked(word(1)), "do not hash")
	first := logView(ledger.Ethereum, 1, []ledger.Transfer{moved(user, vault, usdc, amount)},
		event(2, vault, "Deposited(bytes32,address,address,uint256,uint64,address)", nil, id, addressWord(user), addressWord(token), word(1000), word(56), addressWord(to)))
	if d := onlyDeposit(t, first); d.Key != ledger.Hash(id) || d.Targets[0].Address != to {
		t.Errorf("deposit %+v", d)
	}

	// A mint that names another chain pays; one that names its own gives back.
	mint := func(contract ledger.Address, source uint64, second bool) *crossing.View {
		parts := [][]byte{to.Bytes(), token.Bytes(), word(1000), user.Bytes(), short(source), id}
		if second {
			parts = append(parts, contract.Bytes())
		}
		return logView(ledger.Ethereum, 4, []ledger.Transfer{moved(zero, to, usdc, amount)},
			event(3, contract, "Mint(bytes32,address,address,uint256,uint64,bytes32,address)", nil, hashOf(parts...), addressWord(token), addressWord(to), word(1000), word(source), id, addressWord(user)))
	}
	for _, test := range []struct {
		view *crossing.View
		kind crossing.PayoutKind
	}{{mint(pegged, 56, false), crossing.Paid}, {mint(pegged2, 56, true), crossing.Paid}, {mint(pegged2, 1, true), crossing.Refunded}} {
		if p := onlyPayout(t, test.view); p.Key != d.Key || p.Kind != test.kind || p.To != to || p.Asset != usdc || p.Amount != amount {
			t.Errorf("payout %+v, want kind %d", p, test.kind)
		}
	}
	wantNothing(t, mint(pegged, 0, false)) // a fee of the bridge

	withdrawn := logView(ledger.Ethereum, 4, []ledger.Transfer{moved(vault, to, ether, amount)},
		event(3, vault, "Withdrawn(bytes32,address,address,uint256,uint64,bytes32,address)", nil,
			hashOf(to.Bytes(), token.Bytes(), word(1000), user.Bytes(), short(56), id, vault.Bytes()), addressWord(to), addressWord(token), word(1000), word(56), id, addressWord(user)))
	if p := onlyPayout(t, withdrawn); p.Key != d.Key || p.Kind != crossing.Paid || p.Asset != ether || p.To != to {
		t.Errorf("payout %+v", p)
	}

	burned := logView(ledger.Ethereum, 5, []ledger.Transfer{moved(user, zero, usdc, amount)},
		event(3, pegged, "Burn(bytes32,address,address,uint256,address)", nil, id, addressWord(token), addressWord(user), word(1000), addressWord(to)))
	if d := onlyDeposit(t, burned); d.Into != zero || len(d.Targets) < 2 || d.Targets[0].Chain != ledger.Ethereum || d.Targets[0].Address != to || d.From != user {
		t.Errorf("deposit %+v", d)
	}
	burn2 := hashOf(user.Bytes(), token.Bytes(), word(1000), short(10), to.Bytes(), short(9), short(1), pegged2.Bytes())
	burned = logView(ledger.Ethereum, 5, []ledger.Transfer{moved(user, zero, usdc, amount)},
		event(3, pegged2, "Burn(bytes32,address,address,uint256,uint64,address,uint64)", nil, burn2, addressWord(token), addressWord(user), word(1000), word(10), addressWord(to), word(9)))
	if d := onlyDeposit(t, burned); d.Key != ledger.Hash(burn2) || d.Into != zero || len(d.Targets) != 1 || d.Targets[0].Chain != "eip155:10" {
		t.Errorf("deposit %+v", d)
	}
	wantFault(t, truncated(burned), "does not emit")
}
