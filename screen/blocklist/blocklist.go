// Package blocklist makes lists of refused addresses that others subscribe to: the whole
// list, the difference between two revisions of it, and a signature over either that
// anybody can check with minisign.
//
// A list is a set of entries, and there is one way to write it down, so that its digest
// stands for its content. What is read is refused unless it is written in that way.
// The format is described in docs/formats/blocklist.md.
package blocklist

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// An Entry is one reason to refuse an address. An address may have several.
type Entry struct {
	// Chain is CAIP-2, or the name of a network that has no such identifier.
	Chain string
	// Address is in the one spelling that counts on its chain. The list cannot tell;
	// whoever makes it has to see to that.
	Address string
	// Category is a concept of the GraphSense taxonomy; Entity is who it is, for people.
	// Either may be empty.
	Category, Entity string
	// Reason is the code of the rule by which it is refused.
	Reason string
	// Since is from when on, in Unix seconds; 0 where it is not known.
	Since int64
}

// Compare orders entries by chain, address, reason, category, entity and moment, texts
// byte by byte.
func (e Entry) Compare(other Entry) int {
	return cmp.Or(
		strings.Compare(e.Chain, other.Chain), strings.Compare(e.Address, other.Address), strings.Compare(e.Reason, other.Reason),
		strings.Compare(e.Category, other.Category), strings.Compare(e.Entity, other.Entity), cmp.Compare(e.Since, other.Since))
}

// The longest that the texts of an entry may be, in bytes. Entries are then short enough
// for a line to be read in one piece.
const (
	maxChain   = 80
	maxAddress = 128
	maxCode    = 64
	maxEntity  = 256
)

// lastMoment is the end of the year 9999, the last that RFC 3339 can write.
const lastMoment = 253402300799

// check says what is wrong with an entry, or nothing.
func (e *Entry) check() string {
	switch {
	case !isName(e.Chain, maxChain):
		return fmt.Sprintf("chain %.100q is none", e.Chain)
	case !isName(e.Address, maxAddress):
		return fmt.Sprintf("address %.150q is none", e.Address)
	case e.Category != "" && !isName(e.Category, maxCode):
		return fmt.Sprintf("category %.100q is none", e.Category)
	case !isName(e.Reason, maxCode):
		return fmt.Sprintf("reason %.100q is no code", e.Reason)
	case !isText(e.Entity, maxEntity):
		return fmt.Sprintf("entity %.300q is not printable or over %d bytes", e.Entity, maxEntity)
	case e.Since < 0 || e.Since > lastMoment:
		return fmt.Sprintf("moment %d is before 1970 or after 9999", e.Since)
	}
	return ""
}

// isName says whether a text is of letters, digits and . : _ - and begins with one of
// the first two. Such texts need no quotes anywhere, and no spreadsheet computes them.
func isName(text string, longest int) bool {
	if text == "" || len(text) > longest {
		return false
	}
	for i, c := range []byte(text) {
		plain := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !plain && (i == 0 || !strings.ContainsRune(".:_-", rune(c))) {
			return false
		}
	}
	return true
}

// isText says whether a text can be shown to people: valid UTF-8 without control
// characters, line ends of any kind or marks that turn the direction of writing.
func isText(text string, longest int) bool {
	if len(text) > longest || !utf8.ValidString(text) {
		return false
	}
	for _, c := range text {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// Printable makes an Entity of a name that somebody else chose, so that no name can keep
// a list from being made: characters that cannot be shown become U+FFFD, and what is
// beyond 256 bytes is cut off.
func Printable(name string) string {
	var out strings.Builder
	for _, c := range name {
		if !unicode.IsPrint(c) {
			c = unicode.ReplacementChar
		}
		if out.Len()+utf8.RuneLen(c) > maxEntity {
			break
		}
		out.WriteRune(c)
	}
	return out.String()
}

// formatMoment writes a moment as RFC 3339 in UTC, 0 as nothing.
func formatMoment(moment int64) string {
	if moment == 0 {
		return ""
	}
	return time.Unix(moment, 0).UTC().Format(time.RFC3339)
}

// parseMoment reads what formatMoment writes, and more; lines are compared with what is
// written afterwards.
func parseMoment(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, err
	}
	return moment.Unix(), nil
}

// An Error says what is refused: a line of a file, counted from 1, or, where Line is 0,
// what the caller passed.
type Error struct {
	Line   int
	Reason string
}

// Error names line and reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

func refuse(line int, format string, arguments ...any) error {
	return &Error{line, fmt.Sprintf(format, arguments...)}
}
