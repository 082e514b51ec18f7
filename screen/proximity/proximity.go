// Package proximity finds who is near to addresses that something grave is said of: what
// they paid out is followed from hand to hand, and what was paid to them is followed back
// to those it came from, by proportion, up to five hops.
//
// A payment is value that one address paid to another. What an address received of a
// source is spread over all that it held at that moment, and leaves with every payment in
// proportion (haircut): of a payment v out of a balance S that holds T of the source,
// v·T/S, rounded down, is the source's. The other direction is the same rule with time
// reversed: what an address paid towards a source is spread over what it held then, and
// so over what had been paid to it before. Both go by balances of whole addresses; the
// accounting of stolen value, which goes by coins and lots, is package taint.
//
// Haircut is of Möser, Böhme and Breuker, Towards Risk Scoring of Bitcoin Transactions
// (2014). It is linear, so that hops are worked out one after the other.
package proximity

import (
	"cmp"

	"coldtrail/ledger"
)

// MaxHops is how far value is followed. Further away hardly anybody knows of whom it once
// was, and the score counts no more of it.
const MaxHops = 5

// Direction says which way value went, seen from whoever is near to a source.
type Direction uint8

// The directions.
const (
	Received Direction = iota // of the source's value
	Sent                      // towards the source
	directions
)

// Place is where a payment stands in its chain: the number of its transaction and its
// position in there.
type Place struct{ Tx, Position uint64 }

// Compare orders places as the chain does.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Tx, q.Tx), cmp.Compare(p.Position, q.Position))
}

// Payment is value that one address paid to another.
type Payment struct {
	From, To ledger.Address
	Asset    ledger.Asset
	Amount   ledger.Amount // base units
	At       Place
	Time     int64 // of the block, Unix seconds
	// Mixed says that several owners mix in the transaction, so that nobody can tell
	// whose value went on.
	Mixed bool
}

// Part is what of a payment is of a class of sources.
type Part struct {
	At     Place
	Time   int64
	Asset  ledger.Asset
	Class  uint32
	Amount ledger.Amount
}

func compareParts(a, b Part) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Class, b.Class))
}

// leastPart is the part of a payment below which it is not followed: one in so many.
const leastPart = 10_000

// worthFollowing says whether a part of a payment is followed.
func worthFollowing(part, payment *ledger.Amount) bool {
	if part.IsZero() {
		return false
	}
	least := ledger.NewAmount(leastPart)
	scaled, over := new(ledger.Amount).MulOverflow(part, &least)
	return over || !scaled.Lt(payment)
}
