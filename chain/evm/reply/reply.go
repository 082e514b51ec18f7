// Package reply decodes what nodes of EVM chains answer over JSON-RPC: blocks,
// receipts and traces. It is pure, because every adapter that talks to a node reads
// the same answers, and strict, because answers are hostile: a field of the wrong
// form is a *FieldError that names it.
package reply

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-faster/jx"

	"coldtrail/ledger"
)

// A FieldError says which part of an answer is not what the protocol says.
type FieldError struct {
	Field  string // path within the answer
	Reason string
}

// Error is "field: reason".
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// within puts a field in front of an error's path.
func within(field string, err error) error {
	var have *FieldError
	if errors.As(err, &have) {
		if have.Field != "" {
			field += "." + have.Field
		}
		return &FieldError{Field: field, Reason: have.Reason}
	}
	return &FieldError{Field: field, Reason: err.Error()}
}

// object calls read for every field of an object; null is an object without fields.
func object(d *jx.Decoder, read func(d *jx.Decoder, key []byte) error) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	return plain(d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		if err := read(d, key); err != nil {
			return within(string(key), err)
		}
		return nil
	}))
}

// plain leaves of an error what the reader needs: the field and the reason.
func plain(err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		return field
	}
	if err != nil {
		return &FieldError{Reason: err.Error()}
	}
	return nil
}

// list calls read for every item of an array; null is an empty one.
func list(d *jx.Decoder, read func(d *jx.Decoder, i int) error) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	i := 0
	return plain(d.Arr(func(d *jx.Decoder) error {
		if err := read(d, i); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
		i++
		return nil
	}))
}

// digits reads a string that begins with 0x and gives what follows. null gives nil.
func digits(d *jx.Decoder) ([]byte, error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	text, err := d.StrBytes()
	if err != nil {
		return nil, err
	}
	if len(text) < 2 || text[0] != '0' || text[1] != 'x' {
		return nil, fmt.Errorf("%.20q does not begin with 0x", text)
	}
	return text[2:], nil
}

// amount reads a quantity of up to 256 bits.
func amount(d *jx.Decoder) (a ledger.Amount, err error) {
	text, err := digits(d)
	if err != nil {
		return a, err
	}
	if len(text) > 64 {
		return a, errors.New("the number does not fit 256 bits")
	}
	var word [32]byte
	if len(text)%2 == 1 { // quantities have no leading zeros
		low, ok := nibble(text[0])
		if !ok {
			return a, fmt.Errorf("%q is not hexadecimal", text)
		}
		word[31-len(text)/2] = low
		text = text[1:]
	}
	if _, err := hex.Decode(word[32-len(text)/2:], text); err != nil {
		return a, fmt.Errorf("%.70q is not hexadecimal", text)
	}
	a.SetBytes32(word[:])
	return a, nil
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// number reads a quantity of up to 64 bits. Some nodes write it as a plain number.
func number(d *jx.Decoder) (uint64, error) {
	if d.Next() == jx.Number {
		return d.UInt64()
	}
	text, err := digits(d)
	if err != nil {
		return 0, err
	}
	var n uint64
	if len(text) > 16 {
		return 0, errors.New("the number does not fit 64 bits")
	}
	for _, c := range text {
		low, ok := nibble(c)
		if !ok {
			return 0, fmt.Errorf("%q is not hexadecimal", text)
		}
		n = n<<4 | uint64(low)
	}
	return n, nil
}

// fixed reads bytes of one length into dst. null leaves it as it is.
func fixed(d *jx.Decoder, dst []byte) error {
	text, err := digits(d)
	if err != nil || text == nil {
		return err
	}
	if len(text) != 2*len(dst) {
		return fmt.Errorf("it has %d hexadecimal digits, want %d", len(text), 2*len(dst))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return errors.New("it is not hexadecimal")
	}
	return nil
}

func hash(d *jx.Decoder) (h common.Hash, err error) { return h, fixed(d, h[:]) }

// address reads an account; null is nil.
func address(d *jx.Decoder) (*common.Address, error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	a := &common.Address{}
	return a, fixed(d, a[:])
}

// account reads an account into the ledger's words; null is none.
func account(d *jx.Decoder) (ledger.Address, error) {
	if d.Next() == jx.Null {
		return ledger.Address{}, d.Null()
	}
	var payload [20]byte
	err := fixed(d, payload[:])
	return ledger.NewAddress(ledger.EVMAccount, payload[:]), err
}

// octets reads bytes of any length and appends them to dst.
func octets(d *jx.Decoder, dst []byte) ([]byte, error) {
	text, err := digits(d)
	if err != nil || len(text) == 0 {
		return dst, err
	}
	out, err := hex.AppendDecode(dst, text)
	if err != nil {
		return dst, errors.New("it is not hexadecimal")
	}
	return out, nil
}
