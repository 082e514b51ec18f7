package crossing_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// hopBridge is Hop's bridge of a token on a chain, by the tables.
func hopBridge(t *testing.T, chain ledger.Chain, token string) ledger.Address {
	t.Helper()
	for _, c := range crossing.Hop.Contracts {
		if c.Chain == chain && c.Role == token {
			return c.Address
		}
	}
	t.Fatalf("no bridge of %s on %s", token, chain)
	return ledger.Address{}
}

// TestHop follows a transfer between rollups by its identifier: the bonder's event
// names nobody, the deposit says who must have been paid.
func TestHop(t *testing.T) {
	from, far := ledger.Chain("eip155:10"), ledger.Chain("eip155:42161")
	user, to, bonder, zero := eth(t, strings.Repeat("c1", 20)), eth(t, strings.Repeat("d1", 20)), eth(t, strings.Repeat("b1", 20)), eth(t, strings.Repeat("00", 20))
	near, there, pool := hopBridge(t, from, "USDC"), hopBridge(t, far, "USDC"), eth(t, strings.Repeat("e1", 20))
	wrapped, paid := evm.AssetOf(from, eth(t, strings.Repeat("a1", 20))), evm.AssetOf(far, eth(t, strings.Repeat("a2", 20)))
	nonce := ledger.Hash{31: 9}
	id := evm.Keccak(word(42161), addressWord(to), word(1000), nonce[:], word(3), word(990), word(77))
	sent := func(id ledger.Hash) *crossing.View {
		return &crossing.View{Chain: from, Time: 1_740_000_000, Number: 1, Tx: &ledger.Tx{
			ID: ledger.Hash{1}, Fee: ledger.Fee{Payer: user}, Transfers: []ledger.Transfer{moved(user, zero, wrapped, ledger.NewAmount(1000))},
			Messages: []ledger.Message{event(1, near, "TransferSent(bytes32,uint256,address,uint256,bytes32,uint256,uint256,uint256,uint256)",
				[][]byte{id[:], word(42161), addressWord(to)}, word(1000), nonce[:], word(3), word(0), word(990), word(77))},
		}}
	}
	bonded := func(payee ledger.Address) *crossing.View {
		return &crossing.View{Chain: far, Time: 1_740_000_060, Number: 2, Tx: &ledger.Tx{
			ID: ledger.Hash{2}, Fee: ledger.Fee{Payer: bonder}, Transfers: []ledger.Transfer{
				moved(zero, bonder, wrapped, ledger.NewAmount(3)), moved(zero, pool, wrapped, ledger.NewAmount(997)), moved(pool, payee, paid, ledger.NewAmount(995)),
			},
			Messages: []ledger.Message{event(1, there, "WithdrawalBonded(bytes32,uint256)", [][]byte{id[:]}, word(1000))},
		}}
	}
	settle := func(views ...*crossing.View) ([]crossing.Crossing, []crossing.Forgery) {
		m := crossing.NewMatcher()
		for _, v := range views {
			found := decoders().Read(v)
			m.Add(&crossing.Place{Chain: v.Chain, Time: v.Time, Number: v.Number, Tx: v.Tx.ID}, &found)
		}
		return m.Settle(math.MaxInt64)
	}
	crossings, forged := settle(bonded(to), sent(id))
	if len(crossings) != 1 || len(forged) != 0 || len(crossings[0].Payouts) != 1 {
		t.Fatalf("%+v %+v", crossings, forged)
	}
	c := &crossings[0]
	if p := &c.Payouts[0]; c.Status != crossing.PaidOut || c.Asset != wrapped || c.Into != zero || p.Asset != paid || p.Amount != ledger.NewAmount(995) || p.To != to {
		t.Errorf("%+v", c)
	}
	if crossings, forged := settle(sent(id), bonded(user)); len(crossings) != 1 || crossings[0].Status != crossing.InTransit || len(forged) != 0 {
		t.Errorf("paid to another: %+v %+v", crossings, forged)
	}
	if crossings, forged := settle(sent(ledger.Hash{7})); len(crossings) != 0 || len(forged) != 1 {
		t.Errorf("an id that its words do not hash to: %+v %+v", crossings, forged)
	}
}

// TestHopFromL1 follows a transfer from Ethereum by what both sides repeat; a transfer
// of another token with the same numbers is another.
func TestHopFromL1(t *testing.T) {
	far := ledger.Chain("eip155:8453")
	user, to := eth(t, strings.Repeat("c1", 20)), eth(t, strings.Repeat("d1", 20))
	read := func(chain ledger.Chain, bridge ledger.Address, move ledger.Transfer, signature string, indexed [][]byte) crossing.Found {
		return decoders().Read(&crossing.View{Chain: chain, Tx: &ledger.Tx{
			ID: ledger.Hash{1}, Fee: ledger.Fee{Payer: user}, Transfers: []ledger.Transfer{move},
			Messages: []ledger.Message{event(1, bridge, signature, indexed, word(1000), word(990), word(77), word(2))},
		}})
	}
	relayer := addressWord(user)
	keys := map[string]ledger.Hash{}
	for _, token := range []string{"ETH", "USDC"} {
		bridge := hopBridge(t, ledger.Ethereum, token)
		in := read(ledger.Ethereum, bridge, moved(user, bridge, ledger.Ethereum.Native(), ledger.NewAmount(1000)),
			"TransferSentToL2(uint256,address,uint256,uint256,uint256,address,uint256)", [][]byte{word(8453), addressWord(to), relayer})
		out := read(far, hopBridge(t, far, token), moved(bridge, to, far.Native(), ledger.NewAmount(998)),
			"TransferFromL1Completed(address,uint256,uint256,uint256,address,uint256)", [][]byte{addressWord(to), relayer})
		if len(in.Deposits) != 1 || len(out.Payouts) != 1 || in.Deposits[0].Key != out.Payouts[0].Key || in.Deposits[0].Targets[0].Address != to || in.Deposits[0].Into != bridge {
			t.Fatalf("%s: %+v %+v", token, in, out)
		}
		keys[token] = in.Deposits[0].Key
	}
	if keys["ETH"] == keys["USDC"] {
		t.Error("two tokens share a key")
	}
}

// lifiStarted is LiFiTransferStarted of 100 units for Optimism, with its tuple.
func lifiStarted(diamond ledger.Address, id ledger.Hash, token, receiver ledger.Address) ledger.Message {
	name, who := padded([]byte("newbridge")), padded([]byte("a wallet"))
	tuple := slices.Concat(id[:], word(320), word(320+uint64(len(name))), word(0), addressWord(token), addressWord(receiver), word(100), word(10), word(0), word(0), name, who)
	return event(1, diamond, "LiFiTransferStarted((bytes32,string,string,address,address,address,uint256,uint256,bool,bool))", nil, word(32), tuple)
}

// TestLiFi: before a bridge that is read here it is only named; before another it is
// the deposit itself, in transit until its receiver contract pays.
func TestLiFi(t *testing.T) {
	diamond, bridge := crossing.LiFi.Contracts[0].Address, eth(t, strings.Repeat("e1", 20))
	user, to, token := eth(t, strings.Repeat("c1", 20)), eth(t, strings.Repeat("d1", 20)), eth(t, strings.Repeat("a1", 20))
	asset := evm.AssetOf(ledger.Ethereum, token)
	id := ledger.Hash{5}
	view := func(receiver ledger.Address, more ...ledger.Message) *crossing.View {
		return &crossing.View{Chain: ledger.Ethereum, Tx: &ledger.Tx{
			ID: ledger.Hash{1}, Fee: ledger.Fee{Payer: user},
			Transfers: []ledger.Transfer{moved(user, diamond, asset, ledger.NewAmount(100)), moved(diamond, bridge, asset, ledger.NewAmount(100))},
			Messages:  append(more, lifiStarted(diamond, id, token, receiver)),
		}}
	}
	found := decoders().Read(view(to))
	if len(found.Deposits) != 1 {
		t.Fatalf("%+v", found)
	}
	if d := &found.Deposits[0]; d.Protocol != crossing.LiFi || d.Into != bridge || d.Key != id || d.Targets[0].Chain != "eip155:10" || d.Targets[0].Address != to || d.Reason != `LI.FI handed it to "newbridge", which is not read here` {
		t.Errorf("%+v", d)
	}
	out := decoders().Read(&crossing.View{Chain: "eip155:10", Tx: &ledger.Tx{
		Transfers: []ledger.Transfer{moved(diamond, to, ledger.Chain("eip155:10").Native(), ledger.NewAmount(99))},
		Messages: []ledger.Message{event(1, diamond, "LiFiTransferCompleted(bytes32,address,address,uint256,uint256)", [][]byte{id[:]},
			word(0), addressWord(to), word(99), word(1_740_000_000))},
	}})
	if len(out.Payouts) != 1 || out.Payouts[0].Key != id || out.Payouts[0].To != to {
		t.Errorf("%+v", out)
	}

	memo := "=:b:bc1qlu4a33zjspefa3tnq566xszcr0fvwz05ewhqfq"
	vault, router := eth(t, strings.Repeat("f1", 20)), crossing.THORChain.Contracts[0].Address
	v := view(eth(t, strings.Repeat("11f1", 10)),
		event(0, router, "Deposit(address,address,uint256,string)", [][]byte{addressWord(vault), addressWord(token)}, word(100), word(64), padded([]byte(memo))))
	v.Tx.Transfers = append(v.Tx.Transfers, moved(diamond, router, asset, ledger.NewAmount(100)))
	found = decoders().Read(v)
	if len(found.Deposits) != 1 || found.Deposits[0].Protocol != crossing.THORChain || found.Deposits[0].Front != "LI.FI for a wallet" {
		t.Errorf("before THORChain: %+v", found)
	}
}
