package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"coldtrail/ledger"
)

// chunk is how many rows a Builder gathers in one piece. Pieces are never moved while
// they fill, so nothing is copied twice and little is kept in reserve.
const chunk = 1 << 12

// A Builder gathers the addresses of an Index. The zero Builder is ready.
type Builder struct {
	// Merge gives the number of an address that was added with two, the lower first; where
	// it is nil, that is a ConflictError.
	Merge  func(first, second uint32) uint32
	chunks [len(widths)][][]byte // by ledger.AddressKind, of rows
	counts [len(widths)]int
}

// An AddressError says that an address has no kind or a length that its kind cannot
// have.
type AddressError struct{ Address ledger.Address }

// Error names kind and length.
func (e *AddressError) Error() string {
	return fmt.Sprintf("address of kind %d with %d bytes cannot be indexed", e.Address.Kind, e.Address.Size)
}

// A ConflictError says that one address was added with two numbers. To let either win
// would hide facts.
type ConflictError struct {
	Address       ledger.Address
	First, Second uint32 // the lowest two numbers
}

// Error names the address and both numbers.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("address of kind %d, %x, has fact sets %d and %d", e.Address.Kind, e.Address.Bytes(), e.First, e.Second)
}

// A SizeError says that there are more addresses of one kind than can be numbered.
type SizeError struct{ Addresses int }

// Error names how many there are.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%d addresses of one kind: at most %d fit", e.Addresses, uint32(math.MaxUint32))
}

// Add notes that an address has a fact set. The order in which addresses are added does
// not matter. The error is an AddressError, or says that the number is Absent.
func (b *Builder) Add(a ledger.Address, number uint32) error {
	if !addable(&a) {
		return &AddressError{a}
	}
	if number == Absent {
		return fmt.Errorf("fact set %d stands for none", number)
	}
	chunks := &b.chunks[a.Kind]
	size := widths[a.Kind] + 4
	if b.counts[a.Kind]%chunk == 0 {
		*chunks = append(*chunks, make([]byte, 0, chunk*size))
	}
	last := &(*chunks)[len(*chunks)-1]
	if a.Kind == ledger.Named {
		key := nameKey(&a)
		*last = append(*last, key[:]...)
	} else {
		*last = append(*last, a.Payload[:a.Size]...)
	}
	*last = binary.BigEndian.AppendUint32(*last, number)
	b.counts[a.Kind]++
	return nil
}

// Build makes the Index and leaves the Builder empty. An address that was added twice
// with the same number counts once; with two numbers it has what Merge makes of them, or is
// a ConflictError, the first in the order of Each.
func (b *Builder) Build() (*Index, error) {
	x := &Index{}
	for kind := range b.chunks {
		rows, err := b.take(ledger.AddressKind(kind))
		if err != nil {
			return nil, err
		}
		x.tables[kind] = newTable(widths[kind], rows)
		t := &x.tables[kind]
		x.length += t.len()
		for i := range t.len() {
			x.highest = max(x.highest, t.number(i))
		}
	}
	return x, nil
}

// take returns the rows of a kind sorted, each key once, and forgets the pieces as they
// are copied.
func (b *Builder) take(kind ledger.AddressKind) ([]byte, error) {
	count, chunks := b.counts[kind], b.chunks[kind]
	b.counts[kind], b.chunks[kind] = 0, nil
	if count == 0 {
		return nil, nil
	}
	if uint64(count) >= math.MaxUint32 {
		return nil, &SizeError{count}
	}
	size := widths[kind] + 4
	rows := make([]byte, 0, count*size)
	for i := range chunks {
		rows = append(rows, chunks[i]...)
		chunks[i] = nil
	}
	s := sorter{rows: rows, size: size}
	s.sort(0, count, 0)
	return unique(kind, rows, b.Merge)
}

// unique drops rows that repeat the one before.
func unique(kind ledger.AddressKind, rows []byte, merge func(first, second uint32) uint32) ([]byte, error) {
	t := table{width: widths[kind], rows: rows}
	kept := 0
	for i := range t.len() {
		switch {
		case i == 0 || !bytes.Equal(t.key(i), t.key(kept-1)):
			if kept != i {
				copy(t.row(kept), t.row(i))
			}
			kept++
		case t.number(i) != t.number(kept-1) && merge != nil:
			row := t.row(kept - 1)
			binary.BigEndian.PutUint32(row[t.width:], merge(t.number(kept-1), t.number(i)))
		case t.number(i) != t.number(kept-1):
			a := ledger.Address{Kind: kind}
			a.Size = uint8(copy(a.Payload[:], t.key(i)))
			if kind == ledger.Named {
				a.Size = t.key(i)[t.width-1]
			}
			return nil, &ConflictError{a, t.number(kept - 1), t.number(i)}
		}
	}
	if kept == t.len() {
		return rows, nil
	}
	fitting := make([]byte, kept*(t.width+4))
	copy(fitting, rows)
	return fitting, nil
}
