package clickhouse

import (
	"strconv"
	"strings"

	"coldtrail/ledger"
)

// quote writes bytes as a string literal.
func quote(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	b.WriteByte('\'')
	for i := range len(text) {
		switch c := text[i]; c {
		case '\\', '\'':
			b.WriteByte('\\')
			b.WriteByte(c)
		case 0:
			b.WriteString(`\0`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// name writes an identifier.
func name(text string) string { return "`" + strings.ReplaceAll(text, "`", "") + "`" }

// list writes literals between brackets.
func list[T any](items []T, write func(T) string) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(write(item))
	}
	return "(" + b.String() + ")"
}

func decimal[T ~uint64 | ~uint32](n T) string { return strconv.FormatUint(uint64(n), 10) }

// addressBytes is how an address is kept: its kind, then its payload.
func addressBytes(a ledger.Address) string {
	if a.Kind == ledger.NoAddress {
		return ""
	}
	return string(append([]byte{byte(a.Kind)}, a.Bytes()...))
}

// readAddress is its inverse.
func readAddress(text string) ledger.Address {
	if text == "" {
		return ledger.Address{}
	}
	return ledger.NewAddress(ledger.AddressKind(text[0]), []byte(text[1:]))
}

// pieces cuts values into lists that every server takes; each becomes one statement of the
// same round trip.
func pieces[T any](items []T, most int) (cut [][]T) {
	for len(items) > most {
		cut = append(cut, items[:most])
		items = items[most:]
	}
	if len(items) > 0 {
		cut = append(cut, items)
	}
	return cut
}

// most is how many values one list has.
const most = 10_000
