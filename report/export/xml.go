package export

import (
	"bufio"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// chainOf is the chain of an asset (CAIP-19).
func chainOf(asset string) string {
	chain, _, _ := strings.Cut(asset, "/")
	return chain
}

// writer writes XML a piece at a time; the first error ends it.
type writer struct {
	out *bufio.Writer
	err error
}

func newWriter(w io.Writer) *writer {
	x := &writer{out: bufio.NewWriter(w)}
	x.raw(xml.Header)
	return x
}

// raw writes markup of ours.
func (x *writer) raw(markup string) {
	if x.err == nil {
		_, x.err = x.out.WriteString(markup)
	}
}

// text writes others' text, escaped; what XML cannot hold becomes U+FFFD.
func (x *writer) text(text string) {
	if x.err == nil {
		x.err = xml.EscapeText(x.out, []byte(text))
	}
}

// open writes the beginning of an element with attributes, name and value in turn.
func (x *writer) open(name string, attributes ...string) {
	x.begin(name, attributes)
	x.raw(">")
}

// empty writes an element without content.
func (x *writer) empty(name string, attributes ...string) {
	x.begin(name, attributes)
	x.raw("/>\n")
}

func (x *writer) begin(name string, attributes []string) {
	x.raw("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		x.raw(" " + attributes[i] + `="`)
		x.text(attributes[i+1])
		x.raw(`"`)
	}
}

// closing writes the end of an element.
func (x *writer) closing(name string) { x.raw("</" + name + ">\n") }

// element writes an element with a text.
func (x *writer) element(name, text string, attributes ...string) {
	x.open(name, attributes...)
	x.text(text)
	x.closing(name)
}

func (x *writer) flush() error {
	if x.err != nil {
		return x.err
	}
	return x.out.Flush()
}
