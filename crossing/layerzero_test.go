package crossing_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// TestLayerZero follows a token from Ethereum to Arbitrum by the message that the
// endpoints vouch for, and leaves alone what they do not know of.
func TestLayerZero(t *testing.T) {
	endpoint := crossing.LayerZero.Contracts[0].Address
	token, far := eth(t, strings.Repeat("a5", 20)), eth(t, strings.Repeat("b5", 20))
	user, to, zero := eth(t, strings.Repeat("c5", 20)), eth(t, strings.Repeat("d5", 20)), eth(t, strings.Repeat("00", 20))
	near := ledger.Asset("eip155:1/erc20:0x" + strings.Repeat("a5", 20))
	paid := ledger.Asset("eip155:42161/erc20:0x" + strings.Repeat("b5", 20))
	ten := ledger.NewAmount(10)
	u32 := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	nonce := binary.BigEndian.AppendUint64(nil, 9)
	id := evm.Keccak(nonce, u32(30101), addressWord(token), u32(30110), addressWord(far))
	head := append(append(append(append(append(append([]byte{1}, nonce...), u32(30101)...), addressWord(token)...), u32(30110)...), addressWord(far)...), id[:]...)
	words := append(append(head, addressWord(to)...), nonce...) // any 8 bytes of amount
	sent := event(1, token, "OFTSent(bytes32,uint32,address,uint256,uint256)", [][]byte{id[:], addressWord(user)}, word(30110), word(10), word(10))
	packet := event(2, endpoint, "PacketSent(bytes,bytes,address)", nil, word(96), word(96+32+192), word(0), padded(words), padded(nil))
	read := func(chain ledger.Chain, moves []ledger.Transfer, messages ...ledger.Message) crossing.Found {
		return decoders().Read(&crossing.View{Chain: chain, Tx: &ledger.Tx{ID: ledger.Hash{3}, Transfers: moves, Messages: messages}})
	}
	burned := []ledger.Transfer{moved(user, zero, near, ten)}
	in := read(ledger.Ethereum, burned, sent, packet)
	if len(in.Deposits) != 1 || len(in.Faults) != 0 {
		t.Fatalf("sent: %+v", in)
	}
	d := in.Deposits[0]
	if d.Key != id || d.Into != zero || d.Asset != near || d.From != user || d.Targets[0].Chain != "eip155:42161" || d.Targets[0].Address != to {
		t.Errorf("deposit %+v", d)
	}
	if alone := read(ledger.Ethereum, burned, sent); len(alone.Deposits)+len(alone.Faults) != 0 {
		t.Errorf("no endpoint knows of it: %+v", alone)
	}
	if still := read(ledger.Ethereum, nil, sent, packet); len(still.Deposits) != 0 || len(still.Faults) != 1 {
		t.Errorf("nothing moved: %+v", still)
	}
	forged := packet
	forged.Contract = user
	if found := read(ledger.Ethereum, burned, sent, forged); len(found.Deposits) != 0 {
		t.Errorf("another contract vouches: %+v", found)
	}

	received := event(5, far, "OFTReceived(bytes32,uint32,address,uint256)", [][]byte{id[:], addressWord(to)}, word(30101), word(10))
	delivered := event(6, endpoint, "PacketDelivered((uint32,bytes32,uint64),address)", nil, word(30101), addressWord(token), word(9), addressWord(far))
	minted := []ledger.Transfer{moved(zero, to, paid, ten)}
	out := read("eip155:42161", minted, received, delivered)
	if len(out.Payouts) != 2 || out.Payouts[0].Key != id || out.Payouts[0].To != to || out.Payouts[0].Asset != paid || out.Payouts[0].Amount != ten {
		t.Fatalf("received: %+v", out)
	}
	other := event(6, endpoint, "PacketDelivered((uint32,bytes32,uint64),address)", nil, word(30101), addressWord(token), word(8), addressWord(far))
	if found := read("eip155:42161", minted, received, other); len(found.Payouts) != 0 {
		t.Errorf("another message was delivered: %+v", found)
	}
	if found := read("eip155:42161", nil, received, delivered); len(found.Payouts) != 0 || len(found.Faults) != 1 {
		t.Errorf("nothing was paid: %+v", found)
	}
}

// TestStargateBus follows two passengers of one bus: their tickets are joined with its
// message when it is driven, each with the payment to him, whatever comes first.
func TestStargateBus(t *testing.T) {
	endpoint, messaging := crossing.LayerZero.Contracts[0].Address, crossing.LayerZero.Contracts[len(crossing.LayerZero.Contracts)-1].Address
	pool, far, app := eth(t, strings.Repeat("a5", 20)), eth(t, strings.Repeat("b5", 20)), eth(t, strings.Repeat("e5", 20))
	user, to, other := eth(t, strings.Repeat("c5", 20)), eth(t, strings.Repeat("d5", 20)), eth(t, strings.Repeat("d6", 20))
	there := ledger.Chain("eip155:42161")
	u32 := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	nonce := binary.BigEndian.AppendUint64(nil, 9)
	id := evm.Keccak(nonce, u32(30101), addressWord(messaging), u32(30110), addressWord(app))
	rides := func(n uint64, to ledger.Address, ticket uint64) *crossing.View {
		passenger := append(append(append([]byte{0, 1}, addressWord(to)...), nonce...), 0)
		return &crossing.View{Chain: ledger.Ethereum, Time: 1_740_000_000, Number: n, Tx: &ledger.Tx{
			ID: ledger.Hash{byte(n)}, Transfers: []ledger.Transfer{moved(user, pool, ledger.Ethereum.Native(), ledger.NewAmount(12))},
			Messages: []ledger.Message{
				event(1, messaging, "BusRode(uint32,uint72,uint80,bytes)", nil, word(30110), word(ticket), word(2), word(128), padded(passenger)),
				event(2, pool, "OFTSent(bytes32,uint32,address,uint256,uint256)", [][]byte{make([]byte, 32), addressWord(user)}, word(30110), word(10), word(10)),
			},
		}}
	}
	drives := &crossing.View{Chain: ledger.Ethereum, Time: 1_740_000_100, Number: 3, Tx: &ledger.Tx{
		ID: ledger.Hash{3}, Messages: []ledger.Message{event(1, messaging, "BusDriven(uint32,uint72,uint8,bytes32)", nil, word(30110), word(7), word(2), id[:])},
	}}
	received := func(position uint32, to ledger.Address) ledger.Message {
		return event(position, far, "OFTReceived(bytes32,uint32,address,uint256)", [][]byte{id[:], addressWord(to)}, word(30101), word(10))
	}
	arrives := &crossing.View{Chain: there, Time: 1_740_000_200, Number: 1, Tx: &ledger.Tx{
		ID: ledger.Hash{4}, Transfers: []ledger.Transfer{moved(far, other, there.Native(), ledger.NewAmount(10)), moved(far, to, there.Native(), ledger.NewAmount(10))},
		Messages: []ledger.Message{
			received(1, other), received(2, to),
			event(3, endpoint, "PacketDelivered((uint32,bytes32,uint64),address)", nil, word(30101), addressWord(messaging), word(9), addressWord(app)),
		},
	}}
	settle := func(views ...*crossing.View) []crossing.Crossing {
		m := crossing.NewMatcher()
		for _, v := range views {
			found := decoders().Read(v)
			m.Add(&crossing.Place{Chain: v.Chain, Time: v.Time, Number: v.Number, Tx: v.Tx.ID}, &found)
		}
		crossings, forged := m.Settle(math.MaxInt64)
		if len(forged) > 0 {
			t.Errorf("forged: %+v", forged)
		}
		return crossings
	}
	for name, got := range map[string][]crossing.Crossing{
		"in order":         settle(rides(1, to, 7), rides(2, other, 8), drives, arrives),
		"the other way":    settle(arrives, drives, rides(2, other, 8), rides(1, to, 7)),
		"bus not driven":   settle(rides(1, to, 7), arrives),
		"another's ticket": settle(rides(1, to, 9), drives, arrives),
	} {
		want := 0
		if len(got) == 2 {
			want = 1
		}
		for i, to := range []ledger.Address{to, other}[:len(got)] {
			c := &got[i]
			if len(c.Payouts) != want || want == 1 && (c.Payouts[0].To != to || c.Payouts[0].Asset != there.Native() || c.Status != crossing.PaidOut) {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}
