package crossing

import (
	"slices"

	"coldtrail/ledger"
)

// vaultBook is what is known about addresses that act as vaults. Anybody can write
// a vault's messages, so an address is established as one only by what it did for
// several depositors, or by a move from a vault that is.
type vaultBook map[spot]*vault

// vault keeps two witnesses of each kind: more would say no more.
type vault struct {
	payees     []witness // depositors whom it paid
	depositors []witness // depositors whom it took value from
	heirs      []heir    // addresses to which it moved its holdings
	proven     bool
}

type witness struct {
	place Place
	who   ledger.Address
}

type heir struct {
	place Place
	to    ledger.Address
}

func (b vaultBook) of(chain ledger.Chain, address ledger.Address) *vault {
	at := spot{chain, address}
	v := b[at]
	if v == nil {
		v = &vault{}
		b[at] = v
	}
	return v
}

func (v *vault) paid(at *Place, who ledger.Address) { v.payees = addWitness(v.payees, at, who) }
func (v *vault) received(at *Place, who ledger.Address) {
	v.depositors = addWitness(v.depositors, at, who)
}

func addWitness(list []witness, at *Place, who ledger.Address) []witness {
	if len(list) >= enoughWitnesses || slices.ContainsFunc(list, func(w witness) bool { return w.who == who }) {
		return list
	}
	return append(list, witness{*at, who})
}

// enoughWitnesses is how many different depositors establish a vault.
const enoughWitnesses = 2

// maxHeirs bounds the successors kept for one vault.
const maxHeirs = 64

func (v *vault) moved(at *Place, to ledger.Address) {
	if len(v.heirs) < maxHeirs && !slices.ContainsFunc(v.heirs, func(h heir) bool { return h.to == to }) {
		v.heirs = append(v.heirs, heir{*at, to})
	}
}

// spread establishes vaults by their witnesses, and the successors of those.
func (b vaultBook) spread() {
	var open []spot
	for at, v := range b {
		v.proven = len(v.payees) >= enoughWitnesses || len(v.payees) > 0 && len(v.depositors) >= enoughWitnesses
		if v.proven {
			open = append(open, at)
		}
	}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, h := range b[at].heirs {
			next := spot{at.chain, h.to}
			if n := b.of(next.chain, next.address); !n.proven {
				n.proven = true
				open = append(open, next)
			}
		}
	}
}

func (b vaultBook) established(chain ledger.Chain, address ledger.Address) bool {
	v := b[spot{chain, address}]
	return v != nil && v.proven
}

// rewind forgets what blocks of a chain from a height on witnessed.
func (b vaultBook) rewind(chain ledger.Chain, from ledger.Height) {
	gone := func(p *Place) bool { return p.Chain == chain && p.Height >= from }
	for at, v := range b {
		v.payees = slices.DeleteFunc(v.payees, func(w witness) bool { return gone(&w.place) })
		v.depositors = slices.DeleteFunc(v.depositors, func(w witness) bool { return gone(&w.place) })
		v.heirs = slices.DeleteFunc(v.heirs, func(h heir) bool { return gone(&h.place) })
		if len(v.payees)+len(v.depositors)+len(v.heirs) == 0 {
			delete(b, at)
		}
	}
}

// Established says whether an address is known as a vault, from all that was
// settled so far.
func (m *Matcher) Established(chain ledger.Chain, address ledger.Address) bool {
	return m.vaults.established(chain, address)
}
