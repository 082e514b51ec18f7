package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Search finds what people may mean by a text.
type Search interface {
	// Search lists what a text may mean, the likeliest first. Whatever cannot be looked
	// through whole makes the answer incomplete, never an error.
	Search(ctx context.Context, q SearchQuestion) (Found, error)
}

// SearchQuestion is what somebody wrote.
type SearchQuestion struct {
	Text  string
	Limit int
}

// Found is what a text may mean.
type Found struct {
	Items []FoundItem `json:"items"`
	// Complete says that everything was looked through and that all of it is listed.
	Complete bool `json:"complete"`
}

// FoundKind says what was found.
type FoundKind string

// What can be found.
const (
	FoundAddress     FoundKind = "address"
	FoundTransaction FoundKind = "transaction"
	FoundOutpoint    FoundKind = "outpoint"
	FoundBlock       FoundKind = "block"
	FoundEntity      FoundKind = "entity"
	FoundIncident    FoundKind = "incident"
	FoundCase        FoundKind = "case"
	FoundAsset       FoundKind = "asset"
	FoundLabel       FoundKind = "label"
)

// FoundItem is one thing that a text may mean.
type FoundItem struct {
	Type  FoundKind `json:"type"`
	Chain string    `json:"chain,omitempty"` // CAIP-2, or a network that no ledger here holds
	// ID is what to ask with: the address, the transaction, the identifier. A block goes by
	// its height.
	ID     string `json:"id"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Held says that the ledger, the casebook or the register has it. An address that is
	// not held may be one all the same.
	Held bool `json:"held"`
}

// The bounds of a search.
const (
	maxSearch    = 500 // bytes
	searchLimit  = 20
	searchesMost = 100
)

// search finds what a text may mean.
func search(x *exchange) {
	q, limit := "", ""
	if !x.parametersUpTo(maxSearch, map[string]*string{"q": &q, "limit": &limit}) {
		return
	}
	question, err := searchQuestion(q, limit)
	if err != nil {
		x.fail(err)
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Search.Search(ctx, question)
	if err != nil {
		x.fail(err)
		return
	}
	if found.Items == nil {
		found.Items = []FoundItem{}
	}
	x.json(http.StatusOK, found)
}

func searchQuestion(q, limit string) (question SearchQuestion, err error) {
	question = SearchQuestion{Text: strings.TrimSpace(q), Limit: searchLimit}
	if limit != "" {
		if question.Limit, err = strconv.Atoi(limit); err != nil || question.Limit < 1 || question.Limit > searchesMost {
			return question, invalid("limit is a number from 1 to %d", searchesMost)
		}
	}
	return question, readable("q", question.Text)
}

// readable refuses a text that is empty, or that nobody can read.
func readable(field, text string) error {
	switch {
	case text == "":
		return invalid("%s is missing", field)
	case !utf8.ValidString(text):
		return invalid("%s is not UTF-8", field)
	case strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }):
		return invalid("%s has characters that cannot be printed", field)
	}
	return nil
}

// parametersUpTo reads the query, whose values may have so many bytes. One that is not
// known, or is there twice, is a problem.
func (x *exchange) parametersUpTo(most int, known map[string]*string) bool {
	query, err := url.ParseQuery(x.request.URL.RawQuery)
	if err != nil {
		x.problem(problemInvalid, "the query is none: "+err.Error())
		return false
	}
	for name, values := range query {
		to, ok := known[name]
		if !ok || len(values) != 1 || len(values[0]) > most {
			x.problem(problemInvalid, fmt.Sprintf("there is no parameter %.50q, or it is there twice or too long", name))
			return false
		}
		*to = values[0]
	}
	return true
}
