package document

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostMarks is how many combining characters may follow one another; more pile up over the
// lines around them.
const mostMarks = 3

// Plain writes others' text so that it is nothing but text where it is shown: what is not
// printable or changes the direction of writing is spelled out, and heaps of combining
// characters too. It does not escape for any format.
func Plain(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	marks := 0
	for i, c := range text {
		if unicode.Is(unicode.M, c) {
			marks++
		} else {
			marks = 0
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i])|0x100, 16)[1:])
		case c == '\n' || c == '\t':
			b.WriteByte(' ')
		case !unicode.IsGraphic(c) || marks > mostMarks:
			b.WriteString(`\u{` + strconv.FormatInt(int64(c), 16) + `}`)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// Short is Plain, cut to a number of characters; what is cut is told.
func Short(text string, most int) string {
	n := utf8.RuneCountInString(text)
	if n <= most {
		return Plain(text)
	}
	runes := []rune(text)
	return Plain(string(runes[:most])) + "… (" + strconv.Itoa(n) + " characters in all)"
}
