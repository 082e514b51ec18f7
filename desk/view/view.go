// Package view turns the answer of a trace into what people look at: a flow chart of the
// whole (Sankey), a time line, a graph of who passed value to whom, and the way to one place.
//
// Everything here follows from the answer alone, so that equal answers are drawn alike. Origins are base
// units of the stolen asset, so that those of different colours are never added up. A
// method that does not conserve claims no origins, and so has no flow chart.
package view

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// The errors that the caller can do something about.
var (
	// ErrSelection says that what was asked for cannot be selected.
	ErrSelection = errors.New("this cannot be selected")
	// ErrNothing says that the trace has nothing of the kind.
	ErrNothing = errors.New("the trace has nothing of it")
	// ErrUnbalanced says that a trace does not add up, so that it cannot be drawn.
	ErrUnbalanced = errors.New("origins do not add up")
)

// Of says which answer a view is of.
type Of struct {
	Case   string `json:"case"`
	Method string `json:"method"`
	// Note says what the method does not claim.
	Note   string `json:"note,omitempty"`
	Digest string `json:"digest"`
	// Current says that the chains have not gone on since.
	Current bool `json:"current"`
}

func of(r *trace.Result) Of {
	return Of{Case: r.Case, Method: r.Method, Note: r.Note, Digest: r.Digest}
}

// A Share is a part of what was stolen, in base units of the stolen asset.
type Share struct {
	Colour string `json:"colour"`
	Origin string `json:"origin"`
}

// unix reads a moment of a row; 0 where the source states none.
func unix(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return t.Unix()
}

// number reads an amount of a row.
func number(text string) (ledger.Amount, error) {
	a, err := ledger.ParseAmount(text)
	if err != nil {
		return a, fmt.Errorf("a row of the trace: %w", err)
	}
	return a, nil
}

// coloursOf lists the colours that are asked for, in the order of the trace.
func coloursOf(r *trace.Result, colour string) ([]trace.Colour, error) {
	if colour == "" {
		return r.Colours, nil
	}
	for i := range r.Colours {
		if r.Colours[i].Colour == colour {
			return r.Colours[i : i+1], nil
		}
	}
	return nil, fmt.Errorf("%w: the trace has no colour %.100q", ErrSelection, colour)
}

// Names says what people call an asset, empty where nobody knows.
type Names func(asset string) string

// of is what people call an asset, or its reference on its chain.
func (n Names) of(asset string) string {
	if n != nil {
		if name := n(asset); name != "" {
			return name
		}
	}
	_, reference, _ := strings.Cut(asset, "/")
	return reference
}

// chainOf is the chain of a CAIP-19 asset.
func chainOf(asset string) string {
	chain, _, _ := strings.Cut(asset, "/")
	return chain
}

// asserters names those who assert what no transaction shows, by what the trace calls it.
func asserters(r *trace.Result) map[string]bool {
	names := map[string]bool{}
	for i := range r.Crossings {
		for _, words := range []string{"asserted by ", "accepted by "} {
			if rest, ok := strings.CutPrefix(r.Crossings[i].Evidence, words); ok {
				name, _, _ := strings.Cut(rest, ": ")
				names[name] = true
			}
		}
	}
	return names
}
