// Package register is what people have written down about thefts, assets and holdings:
// every row says who said it, where and when, and what is not known is left open. Rows
// that contradict each other stand beside one another; nothing here decides between them.
package register

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Register is one file, or several merged.
type Register struct {
	Title     string      `yaml:"title" json:"title,omitempty"`
	Sources   []Source    `yaml:"sources" json:"sources"`
	Assets    []Asset     `yaml:"assets" json:"assets,omitempty"`
	Incidents []Incident  `yaml:"incidents" json:"incidents,omitempty"`
	Stated    []Statement `yaml:"stated" json:"stated,omitempty"`
	Prices    []Price     `yaml:"prices" json:"prices,omitempty"`
	Supplies  []Supply    `yaml:"supplies" json:"supplies,omitempty"`

	digests []string
}

// Source is a publication that rows refer to.
type Source struct {
	ID    string `yaml:"id" json:"id"`
	By    string `yaml:"by" json:"by"`
	Title string `yaml:"title" json:"title"`
	URI   string `yaml:"uri" json:"uri,omitempty"`
	Date  string `yaml:"date" json:"date"` // of publication: a day, a month or a year
	// Quotes is whom the publication repeats, where it is not first-hand.
	Quotes string `yaml:"quotes" json:"quotes,omitempty"`
}

// MostBytes is how large a file may be.
const MostBytes = 8 << 20

// A RowError says what is wrong in a register, and where.
type RowError struct{ File, Place, Reason string }

// Error is "file: place: reason".
func (e *RowError) Error() string { return e.File + ": " + e.Place + ": " + e.Reason }

// Parse reads one file and gives what onto holds, if anything, together with it: a file may
// refer to sources and assets that are there already, and may define none of them again.
// Unknown keys are errors, and so is a row without a source.
func Parse(file string, from io.Reader, onto *Register) (*Register, error) {
	text, err := io.ReadAll(io.LimitReader(from, MostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(text) > MostBytes {
		return nil, &RowError{file, "end", fmt.Sprintf("more than %d bytes", MostBytes)}
	}
	if err := plain(text); err != nil {
		return nil, &RowError{file, "YAML", strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	r := &Register{}
	if err := decoder.Decode(r); err != nil {
		return nil, &RowError{file, "YAML", strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")}
	}
	sum := sha256.Sum256(text)
	r.digests = []string{hex.EncodeToString(sum[:])}
	if onto != nil {
		r = onto.with(r)
	}
	if place, err := r.check(); err != nil {
		return nil, &RowError{file, place, err.Error()}
	}
	return r, nil
}

// plain refuses aliases, of which a few bytes can stand for gigabytes, and more than one
// document.
func plain(text []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("want one document")
	}
	return plainTree(&document, 0)
}

func plainTree(n *yaml.Node, depth int) error {
	switch {
	case depth > 12:
		return fmt.Errorf("line %d: nested too deep", n.Line)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return fmt.Errorf("line %d: anchors and aliases are refused", n.Line)
	}
	for _, child := range n.Content {
		if err := plainTree(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// with is a register and the rows of another behind its own.
func (r *Register) with(more *Register) *Register {
	return &Register{
		Title: r.Title, Sources: slices.Concat(r.Sources, more.Sources), Assets: slices.Concat(r.Assets, more.Assets),
		Incidents: slices.Concat(r.Incidents, more.Incidents), Stated: slices.Concat(r.Stated, more.Stated),
		Prices: slices.Concat(r.Prices, more.Prices), Supplies: slices.Concat(r.Supplies, more.Supplies), digests: slices.Concat(r.digests, more.digests),
	}
}

// Digest names the files that a register was read from.
func (r *Register) Digest() string {
	sum := sha256.Sum256([]byte(strings.Join(r.digests, "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Source finds a source by its identifier.
func (r *Register) Source(id string) (*Source, bool) {
	for i := range r.Sources {
		if r.Sources[i].ID == id {
			return &r.Sources[i], true
		}
	}
	return nil, false
}
