package crossing_test

import (
	"bytes"
	"slices"
	"testing"

	"coldtrail/chain/evm"
	"coldtrail/crossing"
	"coldtrail/ledger"
)

// dln is an order of 995 USDC on Ethereum for 990 on Base. The fees of 3 and 2 were
// taken off what was given.
type dln struct {
	take     uint64
	maker    []byte
	token    []byte
	paid     []byte
	receiver []byte
	cancel   []byte
	call     []byte
}

const dlnTuple = "(uint64,bytes,uint256,bytes,uint256,uint256,bytes,uint256,bytes,bytes,bytes,bytes,bytes,bytes)"

// id packs the order as docs.debridge.com, Deterministic Order ID, lists its fields.
func (o *dln) id() []byte {
	sized := func(b []byte) []byte { return append([]byte{byte(len(b))}, b...) }
	packed := slices.Concat([]byte{0, 0, 0, 0, 0, 0, 0, 5}, sized(o.maker), word(1), sized(o.token), word(995), word(o.take), sized(o.paid), word(990),
		sized(o.receiver), sized(o.maker), sized(o.maker), sized(nil), sized(o.cancel))
	if len(o.call) == 0 {
		packed = append(packed, 0)
	} else {
		hash := evm.Keccak(o.call)
		packed = append(append(packed, 1), hash[:]...)
	}
	id := evm.Keccak(packed)
	return id[:]
}

// tuple is the order in the Solidity ABI.
func (o *dln) tuple() []byte {
	var head, tail []byte
	number := func(n uint64) { head = append(head, word(n)...) }
	text := func(b []byte) {
		head = append(head, word(14*32+uint64(len(tail)))...)
		tail = append(tail, padded(b)...)
	}
	number(5)
	text(o.maker)
	number(1)
	text(o.token)
	number(995)
	number(o.take)
	text(o.paid)
	number(990)
	text(o.receiver)
	text(o.maker)
	text(o.maker)
	text(nil)
	text(o.cancel)
	text(o.call)
	return append(head, tail...)
}

func (o *dln) created(source ledger.Address, id []byte) ledger.Message {
	affiliate := append(bytes.Repeat([]byte{7}, 20), word(2)...)
	tuple := o.tuple()
	at := 7*32 + uint64(len(tuple))
	return event(3, source, "CreatedOrder("+dlnTuple+",bytes32,bytes,uint256,uint256,uint32,bytes)", nil,
		word(7*32), id, word(at), word(1), word(3), word(0), word(at+96), tuple, padded(affiliate), padded(nil))
}

func (o *dln) fulfilled(destination ledger.Address, id []byte) ledger.Message {
	return event(9, destination, "FulfilledOrder("+dlnTuple+",bytes32,address,address)", nil, word(128), id, word(1), word(1), o.tuple())
}

func TestDeBridge(t *testing.T) {
	assertTopics(t, crossing.DeBridge,
		"fc8703fd57380f9dd234a89dce51333782d49c5902f307b02f03e014d18fe471", "d281ee92bab1446041582480d2c0a9dc91f855386bb27ea295faac1e992f7fe4",
		"7d7d1c5b3eadbe275ceb358e65cd57410b35997187258dbaaae42ab6e1405fd8")
	source, destination := eth(t, "ef4fb24ad0916217251f553c0596f8edc630eb66"), eth(t, "e7351fd770a37282b91d153ee690b63579d6dd7f")
	user, taker := eth(t, hops), eth(t, "00000000000000000000000000000000000000aa")
	const onBase = ledger.Asset("eip155:8453/slip44:60")
	order := func() *dln {
		return &dln{take: 8453, maker: user.Bytes(), token: unhex(t, usdcText), paid: make([]byte, 20), receiver: taker.Bytes()}
	}
	give := func(o *dln) *crossing.View {
		return logView(ledger.Ethereum, 1, []ledger.Transfer{moved(user, source, usdc, ledger.NewAmount(1000))}, o.created(source, o.id()))
	}
	pay := func(o *dln, amount uint64) *crossing.View {
		return logView("eip155:8453", 2, []ledger.Transfer{moved(user, taker, onBase, ledger.NewAmount(amount))}, o.fulfilled(destination, o.id()))
	}

	o := order()
	d, p := onlyDeposit(t, give(o)), onlyPayout(t, pay(o, 990))
	if d.Key != ledger.Hash(o.id()) || d.Into != source || d.Asset != usdc || d.Amount != ledger.NewAmount(1000) || d.From != user || d.Refund != user || d.Reason != "" {
		t.Errorf("deposit %+v", d)
	}
	if x := d.Targets[0]; x.Chain != "eip155:8453" || x.Asset != onBase || x.Address != taker || x.Most != ledger.NewAmount(990) {
		t.Errorf("target %+v", x)
	}
	if p.Key != d.Key || p.Kind != crossing.Paid || p.To != taker || p.Asset != onBase || p.Amount != ledger.NewAmount(990) || p.Transfer != 0 || p.Position != 9 {
		t.Errorf("payout %+v", p)
	}
	if p := onlyPayout(t, pay(o, 980)); p.Amount != ledger.NewAmount(980) {
		t.Errorf("a lowered order paid %v, want 980", p.Amount)
	}
	cancelled := logView(ledger.Ethereum, 3, []ledger.Transfer{moved(source, user, usdc, ledger.NewAmount(1000))},
		event(1, source, "ClaimedOrderCancel(bytes32,address,uint256,address)", nil, o.id(), addressWord(user), word(1000), addressWord(eth(t, usdcText))))
	if p := onlyPayout(t, cancelled); p.Key != d.Key || p.Kind != crossing.Refunded || p.To != user || p.Amount != d.Amount {
		t.Errorf("refund %+v", p)
	}
	cancelled.Tx.Transfers = nil
	wantFault(t, cancelled, "nothing of that reached")

	withCall := order()
	withCall.call, withCall.cancel = []byte("call"), taker.Bytes()
	if d := onlyDeposit(t, give(withCall)); d.Refund != taker {
		t.Errorf("refund to %v, want the beneficiary that the order allows", d.Refund)
	}
	solana := order()
	solana.take, solana.receiver, solana.paid = 7565164, bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{4}, 32)
	if d := onlyDeposit(t, give(solana)); d.Reason != "pays out on Solana, which no ledger here holds" || d.Targets[0].Chain != "" {
		t.Errorf("deposit %+v", d)
	}

	wantFault(t, logView(ledger.Ethereum, 1, give(o).Tx.Transfers, o.created(source, word(1))), "does not hash")
	wantFault(t, logView("eip155:8453", 2, pay(o, 990).Tx.Transfers, o.fulfilled(destination, word(1))), "does not hash")
	wantFault(t, truncated(give(o)), "does not emit")
	wantFault(t, truncated(pay(o, 990)), "does not emit")
	missing := give(o)
	missing.Tx.Transfers = nil
	wantFault(t, missing, "nothing arrived")
	elsewhere := give(o)
	elsewhere.Chain = "eip155:10"
	wantFault(t, elsewhere, "another chain")
	elsewhere = pay(o, 990)
	elsewhere.Chain = "eip155:10"
	wantFault(t, elsewhere, "another chain")
	stranger := pay(o, 990)
	stranger.Tx.Messages[0].Contract = user
	wantNothing(t, stranger)
	twice := pay(o, 990)
	twice.Tx.Messages = append(twice.Tx.Messages, twice.Tx.Messages[0])
	if found := decoders().Read(twice); len(found.Payouts) != 1 || len(found.Faults) != 1 {
		t.Errorf("one movement paid %d times", len(found.Payouts))
	}
}
