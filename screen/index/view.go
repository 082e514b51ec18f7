package index

import (
	"fmt"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// A Layer is an Index and the sets that its numbers are of.
type Layer struct {
	Index *Index
	Sets  *Sets
}

// A View looks an address up in several layers: in what changes rarely, such as labels
// and clusters, and in what each block changes, such as taint. It never changes.
type View struct{ layers []Layer }

// NewView makes a view of layers. One whose Index has numbers that its Sets do not know
// is refused with a LayerError.
func NewView(layers ...Layer) (*View, error) {
	for i, l := range layers {
		if highest := l.Index.Highest(); highest != Absent && uint64(highest) >= uint64(l.Sets.Len()) {
			return nil, &LayerError{i, &NumberError{highest, l.Sets.Len()}}
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
		if _, ok := v.layers[i].Index.Find(a); ok {
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
		if number, ok := l.Index.Find(a); ok {
			facts, _ = l.Sets.appendAt(facts, number) // NewView saw to it that there is one
		}
	}
	return facts
}

// Layers are what the view looks at, in order.
func (v *View) Layers() []Layer { return append([]Layer(nil), v.layers...) }
