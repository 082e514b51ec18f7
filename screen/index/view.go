package index

import (
	"fmt"
	"iter"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// A Layer is an Index and the sets that its numbers are of. Where it has Groups, the
// numbers are of groups of addresses instead, and Groups says which set each has by now:
// what is known of all members of a cluster changes at once, without another Index. A
// group may have none, which is Absent.
type Layer struct {
	Index  *Index
	Sets   *Sets
	Groups []uint32
}

// Find is the number of the address's fact set; false where the layer knows nothing of it.
func (l *Layer) Find(a ledger.Address) (set uint32, ok bool) {
	number, ok := l.Index.Find(a)
	if !ok {
		return Absent, false
	}
	number = l.set(number)
	return number, number != Absent
}

// set is the set that a number of the Index stands for.
func (l *Layer) set(number uint32) uint32 {
	if l.Groups != nil {
		return l.Groups[number]
	}
	return number
}

// Each goes through all addresses of which the layer knows something, and their sets.
func (l *Layer) Each() iter.Seq2[ledger.Address, uint32] {
	return func(yield func(ledger.Address, uint32) bool) {
		for a, number := range l.Index.Each() {
			if set := l.set(number); set != Absent && !yield(a, set) {
				return
			}
		}
	}
}

// check refuses numbers without a set or a group.
func (l *Layer) check() error {
	highest, sets := l.Index.Highest(), l.Sets.Len()
	if l.Groups == nil {
		if highest != Absent && uint64(highest) >= uint64(sets) {
			return &NumberError{highest, sets}
		}
		return nil
	}
	if highest != Absent && uint64(highest) >= uint64(len(l.Groups)) {
		return &NumberError{highest, len(l.Groups)}
	}
	for _, set := range l.Groups {
		if set != Absent && uint64(set) >= uint64(sets) {
			return &NumberError{set, sets}
		}
	}
	return nil
}

// A View looks an address up in several layers: in what changes rarely, such as labels
// and clusters, and in what each block changes, such as taint. It never changes.
type View struct{ layers []Layer }

// NewView makes a view of layers. One whose Index has numbers that its Sets or its Groups
// do not know is refused with a LayerError.
func NewView(layers ...Layer) (*View, error) {
	for i := range layers {
		if err := layers[i].check(); err != nil {
			return nil, &LayerError{i, err}
		}
	}
	return &View{append([]Layer(nil), layers...)}, nil
}

// A LayerError says which layer, counted from 0, is refused, and why.
type LayerError struct {
	Layer int
	Err   error
}

// Error names the layer and the reason.
func (e *LayerError) Error() string { return fmt.Sprintf("layer %d: %v", e.Layer, e.Err) }

// Unwrap is the reason.
func (e *LayerError) Unwrap() error { return e.Err }

// Has says whether any layer holds the address.
func (v *View) Has(a ledger.Address) bool {
	for i := range v.layers {
		if _, ok := v.layers[i].Find(a); ok {
			return true
		}
	}
	return false
}

// Facts appends what every layer knows of the address to facts, layer by layer. It
// appends nothing for an address that no layer holds.
func (v *View) Facts(facts []exposure.Fact, a ledger.Address) []exposure.Fact {
	for i := range v.layers {
		l := &v.layers[i]
		if set, ok := l.Find(a); ok {
			facts, _ = l.Sets.appendAt(facts, set) // NewView saw to it that there is one
		}
	}
	return facts
}

// Layers are what the view looks at, in order.
func (v *View) Layers() []Layer { return append([]Layer(nil), v.layers...) }
