package crossing

import (
	"slices"
	"strconv"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// DeBridge is the liquidity network DLN: a taker pays an order out of its own pocket
// on the chain where it is wanted and is paid on the chain where it was given. The
// key is the order's id, a hash of all its fields. Source: docs.debridge.com,
// Deterministic Order ID; dln-contracts, DlnSource.sol and DlnDestination.sol.
var DeBridge = &Protocol{
	Name: "debridge", Title: "deBridge DLN", Window: 30 * 24 * 3600,
	Contracts: append(deployed("ef4fb24ad0916217251f553c0596f8edc630eb66", "source", dlnChains...),
		deployed("e7351fd770a37282b91d153ee690b63579d6dd7f", "destination", dlnChains...)...),
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("CreatedOrder(" + dlnOrder + ",bytes32,bytes,uint256,uint256,uint32,bytes)"): readCreatedOrder,
		topic("FulfilledOrder(" + dlnOrder + ",bytes32,address,address)"):                  readFulfilledOrder,
		topic("ClaimedOrderCancel(bytes32,address,uint256,address)"):                       readClaimedOrderCancel,
	},
}

const dlnOrder = "(uint64,bytes,uint256,bytes,uint256,uint256,bytes,uint256,bytes,bytes,bytes,bytes,bytes,bytes)"

// dlnChains are the EIP-155 numbers of chains with both contracts.
var dlnChains = []uint64{1, 10, 56, 137, 8453, 42161, 43114, 59144}

// dlnOwnNumbers begin the numbers that deBridge made up itself.
const dlnOwnNumbers = 100_000_000

// dlnForeign are chains without ledger, by deBridge's number.
var dlnForeign = map[uint64]string{7565164: "Solana", 100_000_026: "Tron"}

// dlnGiven is an Order of DLN.
type dlnGiven struct {
	giveChain, takeChain            uint64
	giveToken, takeToken            []byte
	giveAmount, takeAmount          ledger.Amount
	maker, receiver, cancelReceiver []byte
	call                            bool
	id                              ledger.Hash // recomputed
}

// order reads the Order whose offset stands in the first word, and hashes it: each
// number in full width, each text of bytes behind its length in one byte, and last
// whether there is a call, with its hash.
func (e *Event) order() (o dlnGiven) {
	base := e.Tuple(0)
	text := func(i int) []byte {
		b := e.BytesFrom(base, i)
		if len(b) > 255 {
			e.bad = true
		}
		return b
	}
	sized := func(b []byte) []byte { return append([]byte{byte(len(b))}, b...) }
	number := func(i int) []byte {
		w := e.Word(base + i)
		return w[:]
	}
	o.giveChain, o.takeChain, o.giveAmount, o.takeAmount = e.Small(base+2), e.Small(base+5), e.Amount(base+4), e.Amount(base+7)
	o.maker, o.giveToken, o.takeToken, o.receiver, o.cancelReceiver = text(1), text(3), text(6), text(8), text(12)
	packed := slices.Concat(wide(e.Small(base)), sized(o.maker), number(2), sized(o.giveToken), number(4), number(5), sized(o.takeToken), number(7),
		sized(o.receiver), sized(text(9)), sized(text(10)), sized(text(11)), sized(o.cancelReceiver))
	call := e.BytesFrom(base, 13)
	if o.call = len(call) > 0; o.call {
		hash := evm.Keccak(call)
		packed = append(append(packed, 1), hash[:]...)
	} else {
		packed = append(packed, 0)
	}
	o.id = evm.Keccak(packed)
	return o
}

// readCreatedOrder reads CreatedOrder(order, orderId, affiliateFee, nativeFixFee,
// percentFee, referralCode, metadata). The order's own amount is what is left after
// the fees; a cancelled order gives the fees back, so that they count as given.
func readCreatedOrder(e *Event, found *Found) {
	o, id, affiliate, fee := e.order(), e.Word(1), e.Bytes(2), e.Amount(4)
	_, _, _ = e.Word(3), e.Small(5), e.Bytes(6)
	amount, over := new(ledger.Amount).AddOverflow(&o.giveAmount, &fee)
	if !over && len(affiliate) >= 52 {
		share := new(ledger.Amount).SetBytes(affiliate[20:52])
		_, over = amount.AddOverflow(amount, share)
	}
	switch {
	case e.Bad() || over || len(o.maker) != 20 || len(o.giveToken) != 20:
		e.Fault(found, "a CreatedOrder event that DLN does not emit")
		return
	case o.id != id:
		e.Fault(found, "its order does not hash to the order's id")
		return
	case evmChain(o.giveChain) != e.Chain:
		e.Fault(found, "its order was given on another chain")
		return
	}
	maker := ledger.NewAddress(ledger.EVMAccount, o.maker)
	d := Deposit{
		Protocol: e.Protocol, Key: id, Position: e.Position, Asset: e.Token(ledger.NewAddress(ledger.EVMAccount, o.giveToken)), Amount: *amount,
		From: maker, Refund: maker,
	}
	if len(o.cancelReceiver) == 20 {
		d.Refund = ledger.NewAddress(ledger.EVMAccount, o.cancelReceiver)
	}
	var ok bool
	if d.Into, ok = e.arrived(found, d.Asset, &d.Amount, e.Contract); !ok {
		return
	}
	d.Targets = []Target{{Protocol: e.Protocol, Text: foreignText(o.receiver)}}
	name, foreign := dlnForeign[o.takeChain]
	switch t := &d.Targets[0]; {
	case foreign:
		d.Reason = "pays out on " + name + ", which no ledger here holds"
	case o.takeChain >= dlnOwnNumbers || len(o.receiver) != 20 || len(o.takeToken) != 20:
		d.Reason = "pays out on chain " + strconv.FormatUint(o.takeChain, 10) + " of deBridge, which no ledger here holds"
	default:
		t.Chain, t.Address, t.Most = evmChain(o.takeChain), ledger.NewAddress(ledger.EVMAccount, o.receiver), o.takeAmount
		t.Asset = tokenOf(t.Chain, ledger.NewAddress(ledger.EVMAccount, o.takeToken))
	}
	found.Deposits = append(found.Deposits, d)
}

// readFulfilledOrder reads FulfilledOrder(order, orderId, sender, unlockAuthority).
// The maker may have lowered what he takes, so that less than the order says may be
// paid.
func readFulfilledOrder(e *Event, found *Found) {
	o, id := e.order(), e.Word(1)
	_, _ = e.Address(2), e.Address(3)
	switch {
	case e.Bad() || len(o.receiver) != 20 || len(o.takeToken) != 20:
		e.Fault(found, "a FulfilledOrder event that DLN does not emit")
		return
	case o.id != id:
		e.Fault(found, "its order does not hash to the order's id")
		return
	case evmChain(o.takeChain) != e.Chain:
		e.Fault(found, "its order is to be paid on another chain")
		return
	}
	to := ledger.NewAddress(ledger.EVMAccount, o.receiver)
	asset := e.Token(ledger.NewAddress(ledger.EVMAccount, o.takeToken))
	p := Payout{Key: id, To: to, Amount: o.takeAmount}
	if _, exact := e.Payment(found, asset, to, &p.Amount); !exact && !e.Tx.External {
		p.Amount = ledger.Amount{}
	}
	e.settle(found, &p, asset)
}

// readClaimedOrderCancel reads ClaimedOrderCancel(orderId, beneficiary, paidAmount,
// giveTokenAddress).
func readClaimedOrderCancel(e *Event, found *Found) {
	p := Payout{Key: e.Word(0), To: e.Address(1), Amount: e.Amount(2), Kind: Refunded}
	asset := e.Token(e.Address(3))
	if e.Bad() || p.Amount.IsZero() {
		e.Fault(found, "a ClaimedOrderCancel event that DLN does not emit")
		return
	}
	e.settle(found, &p, asset)
}
