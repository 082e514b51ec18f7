package index

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"coldtrail/screen/exposure"
)

// Sets numbers sets of facts, so that addresses which share all of theirs cost four
// bytes each. It never changes, and holds three pieces of memory however many sets
// there are. The zero Sets holds none.
type Sets struct {
	encoded []byte
	ends    []uint32 // of each set in encoded
	texts   string   // every text that is not written into the sets themselves
	bounds  []uint32 // of each text in texts, 0 first
}

// Len is how many sets there are: their numbers are those below.
func (s *Sets) Len() int { return len(s.ends) }

// Bytes is the memory that the sets take.
func (s *Sets) Bytes() uint64 {
	return uint64(len(s.encoded)) + uint64(len(s.texts)) + 4*uint64(len(s.ends)+len(s.bounds))
}

// At returns the facts of a set, in the order of Compare; the caller may change them. A
// number that no set has is an error and not a set without facts.
func (s *Sets) At(number uint32) ([]exposure.Fact, error) { return s.appendAt(nil, number) }

func (s *Sets) appendAt(facts []exposure.Fact, number uint32) ([]exposure.Fact, error) {
	if uint64(number) >= uint64(len(s.ends)) {
		return facts, &NumberError{number, len(s.ends)}
	}
	r := reader{rest: encodingAt(s.encoded, s.ends, number), sets: s}
	n := int(r.number())
	facts = slices.Grow(facts, n)
	for range n {
		facts = append(facts, exposure.Fact{})
		r.fact(&facts[len(facts)-1])
	}
	return facts, nil
}

// A NumberError says that a number is of no set: index and sets are not of one making.
type NumberError struct {
	Number uint32
	Sets   int
}

// Error names the number and how many sets there are.
func (e *NumberError) Error() string {
	return fmt.Sprintf("fact set %d of %d", e.Number, e.Sets)
}

// maxSets is how many sets there can be: with fewer bits than 32, half of the slots that
// find them stay free. Far more would not fit into four gigabytes.
const maxSets = 1 << 30

// ErrFull says that the sets or their texts take more than four gigabytes.
const ErrFull = fullError("fact sets take more than 4 GiB")

type fullError string

// Error says what is full.
func (e fullError) Error() string { return string(e) }

// A SetsBuilder numbers sets of facts in the order in which it first meets them. The
// zero SetsBuilder is ready.
type SetsBuilder struct {
	numbers numbering
	encoded []byte
	ends    []uint32
	known   map[string]uint32 // texts
	texts   []byte
	bounds  []uint32
	sorted  []*exposure.Fact // spare
	written []byte           // spare
}

// Intern returns the number of a set, the same for the same facts in any order; a fact
// that is given twice counts once. What the caller does to the facts later changes
// nothing. The error is ErrFull.
func (b *SetsBuilder) Intern(facts []exposure.Fact) (uint32, error) {
	if b.known == nil {
		b.known, b.bounds = map[string]uint32{}, []uint32{0}
	}
	b.sorted = b.sorted[:0]
	for i := range facts {
		b.sorted = append(b.sorted, &facts[i])
	}
	slices.SortFunc(b.sorted, Compare)
	b.sorted = slices.CompactFunc(b.sorted, func(x, y *exposure.Fact) bool { return Compare(x, y) == 0 })

	w := writer{out: binary.AppendUvarint(b.written[:0], uint64(len(b.sorted))), builder: b}
	for _, f := range b.sorted {
		w.fact(f)
	}
	b.written = w.out
	clear(b.sorted) // the facts are the caller's
	if w.err != nil {
		return Absent, w.err
	}
	number, hash, slot := b.numbers.find(b.written, b.at)
	if number != Absent {
		return number, nil
	}
	if uint64(len(b.encoded))+uint64(len(b.written)) > math.MaxUint32 || len(b.ends) == maxSets {
		return Absent, ErrFull
	}
	number = uint32(len(b.ends))
	b.encoded = append(b.encoded, b.written...)
	b.ends = append(b.ends, uint32(len(b.encoded)))
	b.numbers.note(number, hash, slot)
	return number, nil
}

func (b *SetsBuilder) at(number uint32) []byte { return encodingAt(b.encoded, b.ends, number) }

// encodingAt is what a set is written as.
func encodingAt(encoded []byte, ends []uint32, number uint32) []byte {
	start := uint32(0)
	if number > 0 {
		start = ends[number-1]
	}
	return encoded[start:ends[number]]
}

// Build returns what is numbered so far. The builder may be used further: numbers stay,
// and Sets that were built before do not change. It copies the texts and nothing else.
func (b *SetsBuilder) Build() *Sets {
	return &Sets{encoded: slices.Clip(b.encoded), ends: slices.Clip(b.ends), texts: string(b.texts), bounds: slices.Clip(b.bounds)}
}

// text numbers a text.
func (b *SetsBuilder) text(text string) (uint32, error) {
	if number, ok := b.known[text]; ok {
		return number, nil
	}
	if uint64(len(b.texts))+uint64(len(text)) > math.MaxUint32 {
		return 0, ErrFull
	}
	b.texts = append(b.texts, text...)
	b.bounds = append(b.bounds, uint32(len(b.texts)))
	number := uint32(len(b.bounds) - 2)
	b.known[text] = number
	return number, nil
}

// Compare orders facts by their fields, in the order in which a Fact names them; facts
// that are equal in all compare as 0.
func Compare(a, b *exposure.Fact) int {
	for i := range fields {
		if order := fields[i].compare(a, b); order != 0 {
			return order
		}
	}
	return slices.Compare(a.Evidence, b.Evidence)
}

// compareBy makes a comparison of one field.
func compareBy[T cmp.Ordered](of func(*exposure.Fact) *T) func(a, b *exposure.Fact) int {
	return func(a, b *exposure.Fact) int { return cmp.Compare(*of(a), *of(b)) }
}
