// Package index answers which facts are known of an address, from memory and in less
// than a microsecond, for ten million addresses and more.
//
// An Index is a sorted table that never changes once built. A directory says where the
// rows begin whose payloads share leading bits, so that a look-up touches two places in
// memory. Payloads are digests; their leading bits are spread evenly unless somebody
// looks for addresses that are not. Within one place of the directory the search is
// binary: whoever grinds addresses makes a look-up a little slower and can do no more,
// so that there is no seed to be kept secret and no bad luck to be repaired. Whole
// payloads are compared: an address is never taken for another.
//
// Facts are kept apart, in Sets, because most addresses share theirs with many others:
// all members of a cluster, all entries of one list.
package index

import (
	"encoding/binary"
	"iter"
	"math"

	"coldtrail/ledger"
)

// Absent is the number that stands for no facts at all: of addresses that an Index does
// not hold. No address can be added with it.
const Absent = math.MaxUint32

// widths says how many bytes tell the addresses of a kind apart. Names differ in length:
// theirs are filled up with zeros, and the length follows. Kinds without a width cannot
// be added.
var widths = [...]int{
	ledger.P2PKH:      20,
	ledger.P2SH:       20,
	ledger.P2WPKH:     20,
	ledger.P2WSH:      32,
	ledger.P2TR:       32,
	ledger.Script:     32,
	ledger.EVMAccount: 20,
	ledger.Named:      33,
}

// An Index holds which fact set each address has. It never changes, so any number of
// readers may share it, and it holds no pointers that the garbage collector would have
// to follow. The zero Index holds nothing.
type Index struct {
	tables  [len(widths)]table // by ledger.AddressKind
	length  int
	highest uint32
}

// Find is the number of the address's fact set, and whether the address is held. A kind
// of address that cannot be added is not held.
func (x *Index) Find(a ledger.Address) (uint32, bool) {
	if !addable(&a) {
		return Absent, false
	}
	if a.Kind == ledger.Named {
		key := nameKey(&a)
		return x.tables[a.Kind].find(key[:])
	}
	return x.tables[a.Kind].find(a.Payload[:a.Size])
}

// FindMany appends the number of each address's fact set to numbers, Absent for those
// that are not held. It is faster than asking one by one, because the processor waits
// for the memory of many look-ups at once.
func (x *Index) FindMany(numbers []uint32, addresses []ledger.Address) []uint32 {
	const batch = 64
	var spans [batch]span
	for len(addresses) > 0 {
		some := addresses[:min(batch, len(addresses))]
		addresses = addresses[len(some):]
		for i := range some {
			spans[i] = span{}
			if a := &some[i]; addable(a) && a.Kind != ledger.Named {
				spans[i] = x.tables[a.Kind].span(binary.BigEndian.Uint64(a.Payload[:]))
			}
		}
		for i := range some {
			a := &some[i]
			if addable(a) && a.Kind != ledger.Named {
				number, _ := x.tables[a.Kind].findIn(spans[i], a.Payload[:a.Size])
				numbers = append(numbers, number)
				continue
			}
			number, _ := x.Find(*a)
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// Len is how many addresses are held.
func (x *Index) Len() int { return x.length }

// Bytes is the memory that the tables take, reserves included.
func (x *Index) Bytes() uint64 {
	total := uint64(0)
	for kind := range x.tables {
		t := &x.tables[kind]
		total += uint64(cap(t.rows)) + 4*uint64(cap(t.directory))
	}
	return total
}

// Highest is the highest number that any address has; Absent where there is no address.
func (x *Index) Highest() uint32 {
	if x.length == 0 {
		return Absent
	}
	return x.highest
}

// Each goes through all addresses and their numbers, by kind, payload and length.
func (x *Index) Each() iter.Seq2[ledger.Address, uint32] {
	return func(yield func(ledger.Address, uint32) bool) {
		for kind := range x.tables {
			t := &x.tables[kind]
			for i := range t.len() {
				a := ledger.Address{Kind: ledger.AddressKind(kind)}
				key := t.key(i)
				a.Size = uint8(copy(a.Payload[:], key))
				if a.Kind == ledger.Named {
					a.Size = key[len(key)-1]
				}
				if !yield(a, t.number(i)) {
					return
				}
			}
		}
	}
}

// addable says whether the address has a kind and a length that belongs to it.
func addable(a *ledger.Address) bool {
	switch {
	case int(a.Kind) >= len(widths):
		return false
	case a.Kind == ledger.Named:
		return a.Size > 0 && int(a.Size) <= len(a.Payload)
	}
	return a.Size > 0 && int(a.Size) == widths[a.Kind]
}

// nameKey is what tells a name apart: its bytes, zeros, and its length.
func nameKey(a *ledger.Address) [33]byte {
	var key [33]byte
	copy(key[:], a.Payload[:a.Size])
	key[len(key)-1] = a.Size
	return key
}
