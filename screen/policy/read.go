package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"coldtrail/attribution/label"
	"coldtrail/screen/exposure"
)

// keys are what a mapping may hold, and who reads each.
type keys map[string]func(*yaml.Node) error

// document parses YAML as far as its nodes: one document, a mapping.
func document(text []byte) (*yaml.Node, error) {
	if len(text) > maxFile {
		return nil, &Error{Reason: fmt.Sprintf("the file has %d bytes, more than %d", len(text), maxFile)}
	}
	if !utf8.Valid(text) {
		return nil, &Error{Reason: "the file is no UTF-8"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		return nil, &Error{Reason: "the file is no YAML: " + err.Error()}
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &Error{Reason: "the file holds more than one document"}
	}
	return doc.Content[0], nil
}

// object reads a mapping strictly: a key that nobody reads, or that comes twice, is an
// error, as it would be a rule that does not do what its author believes.
func object(n *yaml.Node, where string, ks keys) error {
	if n.Kind != yaml.MappingNode {
		return &Error{n.Line, under(where, "policy"), "want a mapping of keys to values"}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		read := ks[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode || read == nil:
			return &Error{k.Line, under(where, "policy"), fmt.Sprintf("unknown key %q", clip(k.Value))}
		case seen[k.Value]:
			return &Error{k.Line, under(where, "policy"), fmt.Sprintf("key %q comes twice", clip(k.Value))}
		}
		seen[k.Value] = true
		if err := read(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// pairs reads a mapping whose keys are data.
func pairs(n *yaml.Node, where string, most int, read func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return &Error{n.Line, where, "want a mapping of keys to values"}
	}
	if len(n.Content)/2 > most {
		return &Error{n.Line, where, fmt.Sprintf("%d entries, more than %d", len(n.Content)/2, most)}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			return &Error{k.Line, where, "a key has to be a word"}
		}
		if seen[k.Value] {
			return &Error{k.Line, where, fmt.Sprintf("key %q comes twice", clip(k.Value))}
		}
		seen[k.Value] = true
		if err := read(k, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// list reads a sequence.
func list(n *yaml.Node, where string, most int, read func(i int, n *yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return &Error{n.Line, where, "want a list"}
	}
	if len(n.Content) > most {
		return &Error{n.Line, where, fmt.Sprintf("%d entries, more than %d", len(n.Content), most)}
	}
	for i, item := range n.Content {
		if err := read(i, item); err != nil {
			return err
		}
	}
	return nil
}

// scalar is a value of one of the YAML tags given. Aliases are refused everywhere: what
// a rule says stands where the rule stands.
func scalar(n *yaml.Node, where, want string, tags ...string) error {
	if n.Kind == yaml.AliasNode {
		return &Error{n.Line, where, "aliases are not allowed"}
	}
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags, n.Tag) {
		return &Error{n.Line, where, "want " + want}
	}
	return nil
}

// text reads a string of 1 to most bytes.
func text(n *yaml.Node, where string, most int, to *string) error {
	if err := scalar(n, where, "a text", "!!str"); err != nil {
		return err
	}
	value := strings.TrimSpace(n.Value)
	if value == "" || len(value) > most {
		return &Error{n.Line, where, fmt.Sprintf("want a text of 1 to %d bytes", most)}
	}
	*to = value
	return nil
}

// loose reads a text that may be empty, or written as a number or a date.
func loose(n *yaml.Node, where string, to *string) error {
	if err := scalar(n, where, "a text", "!!str", "!!int", "!!float", "!!timestamp"); err != nil {
		return err
	}
	if len(n.Value) > maxText {
		return &Error{n.Line, where, fmt.Sprintf("a text of more than %d bytes", maxText)}
	}
	*to = n.Value
	return nil
}

func version(n *yaml.Node, to *string) error {
	if err := loose(n, "version", to); err != nil {
		return err
	}
	if *to == "" || len(*to) > maxName || strings.ContainsAny(*to, "@ \t\r\n") {
		return &Error{n.Line, "version", "want 1 to 100 bytes without spaces and @"}
	}
	return nil
}

// name reads a name: lower-case letters, digits, - and _, a letter first.
func name(n *yaml.Node, where string, to *string) error {
	if err := text(n, where, maxName, to); err != nil {
		return err
	}
	if !isName(*to) {
		return &Error{n.Line, where, fmt.Sprintf("%q: want lower-case letters, digits, - and _, a letter first", *to)}
	}
	return nil
}

func isName(text string) bool {
	for i, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '_') {
			return false
		}
	}
	return text != "" && len(text) <= maxName
}

// concept reads a concept of the taxonomy.
func concept(n *yaml.Node, where string, to *string) error {
	if err := text(n, where, maxName, to); err != nil {
		return err
	}
	if !label.Known(*to) {
		return &Error{n.Line, where, fmt.Sprintf("category %q is not in the taxonomy", clip(*to))}
	}
	return nil
}

// whole reads an integer from least to most.
func whole(n *yaml.Node, where string, least, most int64, to *int64) error {
	if err := scalar(n, where, "a whole number", "!!int"); err != nil {
		return err
	}
	value, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64)
	if err != nil || value < least || value > most {
		return &Error{n.Line, where, fmt.Sprintf("want a whole number from %d to %d", least, most)}
	}
	*to = value
	return nil
}

// small reads an integer into a narrower type.
func small[T uint8 | uint32](n *yaml.Node, where string, most T, to *T) error {
	var value int64
	if err := whole(n, where, 0, int64(most), &value); err != nil {
		return err
	}
	*to = T(value)
	return nil
}

func boolean(n *yaml.Node, where string, to *bool) error {
	if err := scalar(n, where, "true or false", "!!bool"); err != nil {
		return err
	}
	*to = n.Value == "true"
	if n.Value != "true" && n.Value != "false" {
		return &Error{n.Line, where, "want true or false"}
	}
	return nil
}

// moment reads a date, RFC 3339 or Unix seconds, in UTC; 0 is none.
func moment(n *yaml.Node, where string, to *int64) error {
	if err := scalar(n, where, "a date", "!!str", "!!int", "!!timestamp"); err != nil {
		return err
	}
	if n.Tag == "!!int" {
		return whole(n, where, 0, math.MaxInt64, to)
	}
	for _, layout := range []string{"2006-01-02", time.RFC3339} {
		if t, err := time.Parse(layout, n.Value); err == nil && t.Unix() > 0 {
			*to = t.Unix()
			return nil
		}
	}
	return &Error{n.Line, where, fmt.Sprintf("%q is no date; want 2006-01-02, RFC 3339 or Unix seconds", clip(n.Value))}
}

// decimal reads an amount in base units. YAML takes whole numbers over 64 bits for floats;
// the digits are what counts.
func decimal(n *yaml.Node, where string, to *exposure.Decimal) error {
	if err := scalar(n, where, "an amount", "!!str", "!!int", "!!float"); err != nil {
		return err
	}
	if err := to.UnmarshalJSON([]byte(`"` + n.Value + `"`)); err != nil {
		return &Error{n.Line, where, fmt.Sprintf("%q is no amount in base units", clip(n.Value))}
	}
	return nil
}

// word reads one of a few words.
func word[T ~string](n *yaml.Node, where string, words []T, to *T) error {
	if err := scalar(n, where, "a word", "!!str"); err != nil {
		return err
	}
	if !slices.Contains(words, T(n.Value)) {
		return &Error{n.Line, where, fmt.Sprintf("%q is none of %v", clip(n.Value), words)}
	}
	*to = T(n.Value)
	return nil
}

func outcome(n *yaml.Node, where string, to *exposure.Outcome) error {
	return word(n, where, exposure.Outcomes, to)
}

// purposes are the words for purposes; any is the one of nobody in particular.
var purposes = []exposure.Purpose{anyPurpose, exposure.Deposit, exposure.Withdrawal, exposure.Swap, exposure.Refund}

const anyPurpose exposure.Purpose = "any"

// purposeNumber is a purpose's place among purposes. One that nobody knows counts as any.
func purposeNumber(p exposure.Purpose) int { return max(slices.Index(purposes, p), 0) }

// under joins a place and a key.
func under(where, key string) string {
	if where == "" {
		return key
	}
	return where
}

// clip shortens what is quoted.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	for i := range text { // at a rune's start
		if i > most-4 {
			return text[:i] + "…"
		}
	}
	return text
}
