package index

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// How a text is written: most are shared, and their number stands for them. Transaction
// identifiers and digests hardly ever are, and take half their length.
const (
	shared   = iota // the number of the text
	digits          // lower-case hexadecimal
	digits0x        // the same, after 0x
	forms
)

// leastDigits is from how many digits on a text is taken for an identifier.
const leastDigits = 16

// A writer encodes facts for a builder. The first error stays.
type writer struct {
	out     []byte
	builder *SetsBuilder
	err     error
}

func (w *writer) fact(f *exposure.Fact) {
	present := uint64(0)
	for i := range fields {
		if !fields[i].empty(f) {
			present |= 1 << i
		}
	}
	if len(f.Evidence) > 0 {
		present |= 1 << len(fields)
	}
	w.number(present)
	for i := range fields {
		if present&(1<<i) != 0 {
			fields[i].write(w, f)
		}
	}
	if len(f.Evidence) > 0 {
		w.number(uint64(len(f.Evidence)))
		for _, text := range f.Evidence {
			w.text(text)
		}
	}
}

func (w *writer) number(n uint64) { w.out = binary.AppendUvarint(w.out, n) }

func (w *writer) text(text string) {
	bare, prefixed := strings.CutPrefix(text, "0x")
	if len(bare) >= leastDigits && len(bare)%2 == 0 && isDigits(bare) {
		form := uint64(digits)
		if prefixed {
			form = digits0x
		}
		w.number(uint64(len(bare)/2)*forms + form)
		w.out, _ = hex.AppendDecode(w.out, []byte(bare)) // digits only: no error
		return
	}
	number, err := w.builder.text(text)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.number(uint64(number)*forms + shared)
}

func (w *writer) amount(a *ledger.Amount) {
	n := a.ByteLen()
	w.out = append(w.out, byte(n))
	whole := a.Bytes32()
	w.out = append(w.out, whole[32-n:]...)
}

func isDigits(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// A reader decodes what a writer wrote, which is never anything else: no encoding comes
// from outside.
type reader struct {
	rest []byte
	sets *Sets
}

func (r *reader) fact(f *exposure.Fact) {
	present := r.number()
	for i := range fields {
		if present&(1<<i) != 0 {
			fields[i].read(r, f)
		}
	}
	if present&(1<<len(fields)) != 0 {
		f.Evidence = make([]string, r.number())
		for i := range f.Evidence {
			f.Evidence[i] = r.text()
		}
	}
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	r.rest = r.rest[size:]
	return n
}

func (r *reader) bytes(n int) []byte {
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) text() string {
	n := r.number()
	switch n % forms {
	case digits:
		return hex.EncodeToString(r.bytes(int(n / forms)))
	case digits0x:
		return string(hex.AppendEncode([]byte("0x"), r.bytes(int(n/forms))))
	}
	at := n / forms
	return r.sets.texts[r.sets.bounds[at]:r.sets.bounds[at+1]]
}

func (r *reader) amount(a *ledger.Amount) { a.SetBytes(r.bytes(int(r.bytes(1)[0]))) }
