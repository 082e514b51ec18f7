package parquet

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/holiman/uint256"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"coldtrail/ledger"
)

// leaf is a column of a file, and how its values are to be understood.
type leaf struct {
	name     string
	index    int
	group    bool // a structure of several columns
	kind     pq.Kind
	repeated int
	list     int   // of a list: the definition level from which it has an element
	unsigned bool  // an integer without sign
	decimal  bool  // an integer in two's complement, whatever its width
	scale    int32 // decimal digits behind the point
	text     bool  // bytes that are text
	unit     int64 // of a timestamp, in parts of a second; 0 is none
}

func newLeaf(c *pq.Column, name string) *leaf {
	l := &leaf{name: name, index: c.Index(), kind: c.Type().Kind(), repeated: c.MaxRepetitionLevel()}
	logical := c.Type().LogicalType()
	if logical == nil {
		return l
	}
	switch t := logical.Value.(type) {
	case *format.IntType:
		l.unsigned = !t.IsSigned
	case *format.DecimalType:
		l.decimal, l.scale = true, t.Scale
	case *format.StringType, *format.EnumType, *format.JsonType:
		l.text = true
	case *format.TimestampType:
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			l.unit = 1e3
		case *format.MicroSeconds:
			l.unit = 1e6
		case *format.NanoSeconds:
			l.unit = 1e9
		}
	}
	return l
}

// unfit says why the column cannot be read as wanted; empty where it can.
func (l *leaf) unfit(f form) string {
	if l.group {
		return "the column is a structure; want a single value"
	}
	if (l.repeated > 0) != (f == asHashes) {
		return "the column is a list where one value is due, or one value where a list is due"
	}
	floating := l.kind == pq.Float || l.kind == pq.Double
	bytes := l.kind == pq.ByteArray || l.kind == pq.FixedLenByteArray
	integer := l.kind == pq.Int32 || l.kind == pq.Int64
	if l.scale != 0 {
		return fmt.Sprintf("the column counts with %d digits behind the point; amounts are whole numbers of base units", l.scale)
	}
	fits := false
	switch f {
	case asNumber:
		fits = integer
	case asAmount:
		if floating {
			return "the column is floating point, which cannot hold every whole number above 9007199254740992 (2^53): amounts of wei would be rounded. Export the amount as text, bytes or decimal instead"
		}
		fits = integer || bytes
	case asHash, asAddress, asText, asHashes:
		fits = bytes
	case asFlag:
		fits = integer || l.kind == pq.Boolean
	case asTime:
		fits = integer || l.kind == pq.Int96
	}
	if !fits {
		return fmt.Sprintf("the column has the type %s, which is not read here", l.kind)
	}
	return ""
}

// number is a value as a whole number up to 64 bits.
func (l *leaf) number(v pq.Value) (uint64, error) {
	var n int64
	switch v.Kind() {
	case pq.Int32:
		if l.unsigned {
			return uint64(v.Uint32()), nil
		}
		n = int64(v.Int32())
	case pq.Int64:
		if l.unsigned {
			return v.Uint64(), nil
		}
		n = v.Int64()
	case pq.Boolean, pq.Int96, pq.Float, pq.Double, pq.ByteArray, pq.FixedLenByteArray:
		return 0, fmt.Errorf("a value of type %s where a number is due", v.Kind())
	}
	if n < 0 {
		return 0, fmt.Errorf("%d is negative", n)
	}
	return uint64(n), nil
}

// amount is a value as a whole number up to 256 bits: an integer, a decimal, decimal
// text, hexadecimal text, or big-endian bytes in a column that is named for them.
func (l *leaf) amount(v pq.Value) (ledger.Amount, error) {
	if v.Kind() != pq.ByteArray && v.Kind() != pq.FixedLenByteArray {
		n, err := l.number(v)
		return ledger.NewAmount(n), err
	}
	raw := v.ByteArray()
	hexadecimal := len(raw) > 2 && raw[0] == '0' && raw[1] == 'x'
	switch {
	case l.decimal:
		if len(raw) > 0 && raw[0] >= 0x80 {
			return ledger.Amount{}, errors.New("the amount is negative")
		}
		return bigEndian(raw)
	case hexadecimal && (l.text || len(raw) != 32):
		digits := string(raw[2:])
		if len(digits)%2 == 1 {
			digits = "0" + digits
		}
		bytes, err := hex.DecodeString(digits)
		if err != nil {
			return ledger.Amount{}, fmt.Errorf("amount %q is not hexadecimal", clip(raw))
		}
		return bigEndian(bytes)
	case strings.HasSuffix(l.name, "_binary") && !l.text:
		return bigEndian(raw)
	}
	if len(raw) > 80 {
		return ledger.Amount{}, fmt.Errorf("amount %q does not fit 256 bits", clip(raw))
	}
	return ledger.ParseAmount(string(raw))
}

func bigEndian(raw []byte) (a ledger.Amount, err error) {
	for len(raw) > 32 {
		if raw[0] != 0 {
			return a, fmt.Errorf("an amount of %d bytes does not fit 256 bits", len(raw))
		}
		raw = raw[1:]
	}
	return *new(uint256.Int).SetBytes(raw), nil
}

// bytes are the bytes of a value of a known length: as they are, or as 0x and digits.
func (*leaf) bytes(v pq.Value, into []byte) error {
	raw := v.ByteArray()
	if len(raw) == len(into) {
		copy(into, raw)
		return nil
	}
	if len(raw) != 2+2*len(into) || raw[0] != '0' || raw[1] != 'x' {
		return fmt.Errorf("%q: want %d bytes, or 0x and %d hexadecimal digits", clip(raw), len(into), 2*len(into))
	}
	if _, err := hex.Decode(into, raw[2:]); err != nil {
		return fmt.Errorf("%q is not hexadecimal", clip(raw))
	}
	return nil
}

// payload is a value of any length: the bytes as they are, or text of 0x and digits.
// Bytes that are not marked as text but are such text are taken as text, because some
// tools write it without the mark.
func (l *leaf) payload(v pq.Value) ([]byte, error) {
	raw := v.ByteArray()
	if len(raw) >= 2 && raw[0] == '0' && raw[1] == 'x' {
		out := make([]byte, hex.DecodedLen(len(raw)-2))
		if _, err := hex.Decode(out, raw[2:]); err == nil {
			return out, nil
		}
	}
	if l.text && len(raw) > 0 {
		return nil, fmt.Errorf("%q is not 0x and hexadecimal digits", clip(raw))
	}
	return raw, nil
}

func (l *leaf) flag(v pq.Value) (bool, error) {
	if v.Kind() == pq.Boolean {
		return v.Boolean(), nil
	}
	n, err := l.number(v)
	if err == nil && n > 1 {
		err = fmt.Errorf("%d is neither 0 nor 1", n)
	}
	return n == 1, err
}

// julianEpoch is the Julian day number of 1 January 1970, from which the old
// timestamps of 96 bits count days.
const julianEpoch = 2_440_588

// time is a value as Unix seconds.
func (l *leaf) time(v pq.Value) (int64, error) {
	if v.Kind() == pq.Int96 {
		parts := v.Int96()
		nanos := binary.LittleEndian.Uint64(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, parts[0]), parts[1]))
		if parts[2] < julianEpoch || nanos >= 86_400e9 {
			return 0, errors.New("the timestamp is before 1970, or not one")
		}
		return int64(parts[2]-julianEpoch)*86_400 + int64(nanos/1e9), nil
	}
	n, err := l.number(v)
	if err == nil && n > math.MaxInt64 {
		err = errors.New("the timestamp is beyond any clock")
	}
	if l.unit > 0 {
		n /= uint64(l.unit)
	}
	return int64(n), err
}

// clip is a value for a message.
func clip(raw []byte) string {
	if len(raw) > 80 {
		return string(raw[:80]) + "… (" + strconv.Itoa(len(raw)) + " bytes)"
	}
	return string(raw)
}
