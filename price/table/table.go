// Package table reads prices from CSV: the project's own form, in which every row says
// what it is a price of, and the two columns of a day and its close that most sites hand
// out. A row that cannot be read refuses the file, with its place.
package table

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"coldtrail/ledger"
	"coldtrail/price"
)

// MostRows and MostBytes are how much a file may hold.
const (
	MostRows  = 5_000_000
	MostBytes = 1 << 29
)

// RowError says which cell of which file is wrong.
type RowError struct {
	File, Column, Reason string
	Line                 int
}

// Error is "file:line: column: reason".
func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Column, e.Reason)
}

// Options say what a file itself does not.
type Options struct {
	File   string       // its name, for messages, and the source where no column names one
	Asset  ledger.Asset // what it prices, where it has no asset column
	Source string       // who says so, where it has no source column
}

// columns are the names that a column may have.
var columns = map[string][]string{
	"time":     {"time", "timestamp", "close_time"}, // when the bar closed
	"date":     {"date", "day"},                     // the UTC day whose end is the close
	"asset":    {"asset"},
	"close":    {"close", "close_usd", "price", "price_usd"},
	"interval": {"interval"},
	"source":   {"source"},
	"market":   {"market"},
	"volume":   {"volume"}, // whole units of the asset traded within the bar
}

// Read reads a file of prices whole, or not at all.
func Read(from io.Reader, o Options) ([]price.Quote, error) {
	r := csv.NewReader(&bounded{from: from, left: MostBytes})
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &RowError{File: o.File, Line: 1, Reason: "no header"}
		}
		return nil, broken(o.File, err)
	}
	at, err := place(header)
	if err != nil {
		return nil, &RowError{File: o.File, Line: 1, Reason: err.Error()}
	}
	if at["asset"] < 0 && o.Asset == "" {
		return nil, &RowError{File: o.File, Line: 1, Reason: "no column says what is priced; name it before the file, as in bitcoin=FILE"}
	}
	var quotes []price.Quote
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return quotes, nil
		}
		if err != nil {
			return nil, broken(o.File, err)
		}
		line, _ := r.FieldPos(0)
		if len(quotes) == MostRows {
			return nil, &RowError{File: o.File, Line: line, Reason: fmt.Sprintf("more than %d rows", MostRows)}
		}
		q, column, err := row(record, at, &o)
		if err != nil {
			return nil, &RowError{File: o.File, Line: line, Column: column, Reason: err.Error()}
		}
		quotes = append(quotes, q)
	}
}

// broken places an error of the reader.
func broken(file string, err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &RowError{File: file, Line: parse.Line, Reason: parse.Err.Error()}
	}
	return fmt.Errorf("%s: %w", file, err)
}

// bounded ends a file that is too long with an error, so that one endless cell does not
// fill the memory.
type bounded struct {
	from io.Reader
	left int64
}

// Read reads on, up to the bound.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("more than %d bytes", MostBytes)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// place finds the columns; a name that stands twice or is not known is refused, as a
// column that is passed over may be the one that mattered.
func place(header []string) (map[string]int, error) {
	at := map[string]int{}
	for name := range columns {
		at[name] = -1
	}
	for i, cell := range header {
		cell = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(cell, "\ufeff")))
		found := ""
		for name, spellings := range columns {
			for _, s := range spellings {
				if s == cell {
					found = name
				}
			}
		}
		if found == "" {
			return nil, fmt.Errorf("column %q is not known; docs/formats/prices.md lists those that are", short(cell))
		}
		if at[found] >= 0 {
			return nil, fmt.Errorf("two columns say the %s", found)
		}
		at[found] = i
	}
	if at["close"] < 0 || (at["time"] < 0) == (at["date"] < 0) {
		return nil, errors.New("want a column close, and one of time and date")
	}
	return at, nil
}

func short(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}

// row reads one price, and names the column that is wrong.
func row(record []string, at map[string]int, o *Options) (q price.Quote, column string, err error) {
	cell := func(name string) string {
		column = name
		if at[name] < 0 {
			return ""
		}
		return strings.TrimSpace(record[at[name]])
	}
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	q = price.Quote{Source: strings.Clone(or(cell("source"), or(o.Source, o.File))), Market: strings.Clone(cell("market")), Every: price.Day}
	if q.Asset, err = asset(cell("asset"), o.Asset); err != nil {
		return q, column, err
	}
	if q.Value, err = price.Parse(cell("close")); err != nil {
		return q, column, err
	}
	if text := cell("interval"); text != "" {
		if q.Every, err = Interval(text); err != nil {
			return q, column, err
		}
	}
	if text := cell("volume"); text != "" {
		volume, err := price.ParseUnits(text)
		if err != nil {
			return q, column, err
		}
		q.Volume = &volume
	}
	if at["date"] >= 0 {
		q.Close, err = Day(cell("date"))
		q.Close += price.Day
	} else {
		q.Close, err = Moment(cell("time"))
	}
	if err != nil {
		return q, column, err
	}
	return q, "", q.Check()
}

// asset reads a CAIP-19 identifier, or the short name of a chain, which means its native
// asset.
func asset(text string, otherwise ledger.Asset) (ledger.Asset, error) {
	if text == "" {
		if otherwise == "" {
			return "", errors.New("no asset")
		}
		return otherwise, nil
	}
	return Asset(text)
}

// Asset reads a CAIP-19 identifier, or the name of a chain, which means its native asset.
func Asset(text string) (ledger.Asset, error) {
	place, _, token := strings.Cut(strings.ToLower(text), "/")
	chain, err := ledger.ParseChain(place)
	if err != nil {
		return "", err
	}
	if !token {
		return chain.Native(), nil
	}
	return chain.ParseAsset(strings.ToLower(text))
}

// Interval reads the length of a bar, such as 1d, 4h or 5m, in seconds.
func Interval(text string) (int64, error) {
	unit := map[byte]int64{'m': 60, 'h': 3600, 'd': price.Day}[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 16)
	if err != nil || unit == 0 || n == 0 {
		return 0, fmt.Errorf("%q is no length of a bar; want such as 1d, 4h or 5m", short(text))
	}
	return int64(n) * unit, nil
}

// Day reads the beginning of a day of the UTC calendar, in Unix seconds.
func Day(text string) (int64, error) {
	day, err := time.Parse("2006-01-02", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no day; want such as 2025-03-17", short(text))
	}
	return day.Unix(), nil
}

// Moment reads an RFC 3339 time or Unix seconds.
func Moment(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1<<40 {
		return n, nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time; want RFC 3339 or Unix seconds", short(text))
	}
	return moment.Unix(), nil
}
