// Package drawing lays out the drawings of a report as plain shapes: who renders them
// writes them as SVG, without scripts or anything from elsewhere. Coordinates are whole
// numbers, so that the same figures give the same drawing everywhere. It draws what it is
// given and adds nothing up that has not been added up before.
package drawing

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Drawing is a picture of shapes, with a title and a description for who cannot see it.
type Drawing struct {
	Width, Height int
	Title, Desc   string
	Shapes        []Shape
}

// Shape is a path, or a text where Text says something. Class names its look; Tip is
// read out with it.
type Shape struct {
	Path   string
	Text   string
	X, Y   int
	Anchor string // of a text: start, middle or end
	Class  string
	Tip    string
}

// path writes commands and whole numbers as the data of an SVG path.
func path(parts ...any) string {
	var b strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			b.WriteString(p)
		case int:
			if n := b.Len(); n > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(strconv.Itoa(p))
		}
	}
	return b.String()
}

// rect is a path around a rectangle.
func rect(x, y, width, height int) string {
	return path("M", x, y, "h", width, "v", height, "h", -width, "z")
}

// shorten cuts a text to what fits beside a drawing.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	runes := []rune(text)
	return strings.TrimRight(string(runes[:most-1]), " ") + "…"
}
