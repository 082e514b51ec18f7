package crossing

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// arrived is where the value of a deposit came to rest: the one of the accounts that
// the asset reached last. Where the source has no traces, native value inside the
// transaction is unknown, and its first receiver stands for the account. Where
// nothing arrived, it notes a fault.
func (e *Event) arrived(found *Found, asset ledger.Asset, amount *ledger.Amount, accounts ...ledger.Address) (into ledger.Address, ok bool) {
	if amount.IsZero() {
		e.Fault(found, "takes in nothing")
		return into, false
	}
	if into, ok = e.Received(asset, accounts...); ok {
		return into, true
	}
	if e.Tx.External && asset == e.Chain.Native() {
		for i := range e.Tx.Transfers {
			if t := &e.Tx.Transfers[i]; t.Asset == asset && !t.Amount.IsZero() {
				return t.To, true
			}
		}
	}
	e.Fault(found, "says it took in "+amount.Dec()+" of "+string(asset)+", but nothing arrived")
	return into, false
}

// settle adds a payout that a contract vouches for, once a movement of one of the
// assets to its recipient shows it: of the amount that the payout says or, where
// that is zero, of any. Tokens that wrap the native asset are often paid out
// unwrapped, so that several assets may stand for one.
func (e *Event) settle(found *Found, p *Payout, assets ...ledger.Asset) {
	p.Protocol, p.Position = e.Protocol, e.Position
	exact := &p.Amount
	if p.Amount.IsZero() {
		exact = nil
	}
	for _, asset := range assets {
		if index, ok := e.Payment(found, asset, p.To, exact); ok {
			p.Asset, p.Amount, p.Transfer = asset, e.Tx.Transfers[index].Amount, index
			found.Payouts = append(found.Payouts, *p)
			return
		}
	}
	for _, asset := range assets {
		if e.Tx.External && exact != nil && asset == e.Chain.Native() {
			p.Asset, p.Transfer = asset, Unseen
			found.Payouts = append(found.Payouts, *p)
			return
		}
	}
	e.Fault(found, "says that it paid "+string(assets[0])+", but nothing of that reached the recipient")
}

// settleLast adds a payout of whatever reached its recipient last.
func (e *Event) settleLast(found *Found, p *Payout) {
	for i := len(e.Tx.Transfers) - 1; i >= 0; i-- {
		t := &e.Tx.Transfers[i]
		if t.To != p.To || t.From == p.To {
			continue
		}
		if index, ok := e.Payment(found, t.Asset, p.To, &t.Amount); ok && index == i {
			p.Protocol, p.Position, p.Asset, p.Amount, p.Transfer = e.Protocol, e.Position, t.Asset, t.Amount, i
			found.Payouts = append(found.Payouts, *p)
			return
		}
	}
	e.Fault(found, "says that it paid, but nothing reached the recipient")
}

// wide is a number as eight bytes, most significant first.
func wide(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// amountBytes is an amount as 32 bytes, most significant first.
func amountBytes(a *ledger.Amount) []byte {
	b := a.Bytes32()
	return b[:]
}

// evmNumber is the EIP-155 number of a chain, or 0 where it has none.
func evmNumber(c ledger.Chain) uint64 {
	digits, _ := strings.CutPrefix(string(c), "eip155:")
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// foreignText writes the bytes of an address of a chain that no ledger here holds.
func foreignText(b []byte) string { return clip("0x" + hex.EncodeToString(b)) }

// deployed lists a contract that stands at one address on several chains.
func deployed(digits, role string, chains ...uint64) (list []Contract) {
	for _, id := range chains {
		list = append(list, Contract{evmChain(id), account(digits), role})
	}
	return list
}
