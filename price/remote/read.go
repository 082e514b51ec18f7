package remote

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"

	"coldtrail/price"
	"coldtrail/price/table"
)

// read reads an answer.
func (s *Source) read(body []byte) ([]price.Quote, error) {
	if s.Format == "csv" {
		return table.Read(bytes.NewReader(body), table.Options{File: s.Name, Asset: s.asset, Source: s.Name})
	}
	if err := jx.DecodeBytes(body).Validate(); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	rows, err := walk(jx.Raw(body), s.Rows)
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	if rows.Type() != jx.Array {
		return nil, fmt.Errorf("rows: there is no list, but %s", rows.Type())
	}
	var quotes []price.Quote
	err = jx.DecodeBytes(rows).Arr(func(d *jx.Decoder) error {
		if len(quotes) == mostRows {
			return fmt.Errorf("more than %d rows", mostRows)
		}
		row, err := d.Raw()
		if err != nil {
			return err
		}
		q, err := s.row(row)
		if err != nil {
			return fmt.Errorf("row %d: %w", len(quotes)+1, err)
		}
		quotes = append(quotes, q)
		return nil
	})
	return quotes, err
}

func (s *Source) row(row jx.Raw) (q price.Quote, err error) {
	q = price.Quote{Asset: s.asset, Every: s.bar, Source: s.Name, Market: s.Market}
	text, err := scalar(row, s.Time)
	if err == nil {
		q.Close, err = s.moment(text)
	}
	if err != nil {
		return q, fmt.Errorf("time: %w", err)
	}
	if s.Stamps == "open" {
		q.Close += s.bar
	}
	if text, err = scalar(row, s.Close); err == nil {
		q.Value, err = price.Parse(s.decimal(text))
	}
	if err != nil {
		return q, fmt.Errorf("close: %w", err)
	}
	if s.Volume != "" {
		var volume uint64
		if text, err = scalar(row, s.Volume); err == nil {
			volume, err = price.ParseUnits(s.decimal(text))
		}
		if err != nil {
			return q, fmt.Errorf("volume: %w", err)
		}
		q.Volume = &volume
	}
	return q, q.Check()
}

// decimal cuts what stands after the eighth decimal, where that is allowed.
func (s *Source) decimal(text string) string {
	if whole, part, ok := strings.Cut(text, "."); ok && s.Cut && len(part) > price.Decimals {
		return whole + "." + part[:price.Decimals]
	}
	return text
}

func (s *Source) moment(text string) (int64, error) {
	switch s.Unit {
	case "day":
		return table.Day(text)
	case "rfc3339":
		moment, err := time.Parse(time.RFC3339, text)
		return moment.Unix(), err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is no time", clip(text))
	}
	if s.Unit == "ms" {
		n /= 1000
	}
	if n > 1<<40 {
		return 0, fmt.Errorf("%q is out of range; is the unit right", clip(text))
	}
	return n, nil
}

// scalar is a text or number at a path, as it is written.
func scalar(from jx.Raw, path string) (string, error) {
	at, err := walk(from, path)
	if err != nil {
		return "", err
	}
	switch at.Type() {
	case jx.String:
		return jx.DecodeBytes(at).Str()
	case jx.Number:
		n, err := jx.DecodeBytes(at).Num()
		return n.String(), err
	case jx.Null, jx.Bool, jx.Array, jx.Object, jx.Invalid:
	}
	return "", fmt.Errorf("there is no number or text, but %s", at.Type())
}

// walk follows a path into JSON.
func walk(at jx.Raw, path string) (jx.Raw, error) {
	if path == "" {
		return at, nil
	}
	for step := range strings.SplitSeq(path, ".") {
		next, err := into(at, step)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return nil, fmt.Errorf("nothing is at %q", clip(step))
		}
		at = next
	}
	return at, nil
}

// into takes one step: the member of a name, or the item at a position.
func into(at jx.Raw, step string) (found jx.Raw, err error) {
	d := jx.DecodeBytes(at)
	switch at.Type() {
	case jx.Object:
		err = d.Obj(func(d *jx.Decoder, key string) error {
			raw, err := d.Raw()
			if key == step && found == nil {
				found = raw
			}
			return err
		})
	case jx.Array:
		want, bad := strconv.ParseUint(step, 10, 31)
		if bad != nil {
			return nil, fmt.Errorf("%q is no position in a list", clip(step))
		}
		n := uint64(0)
		err = d.Arr(func(d *jx.Decoder) error {
			raw, err := d.Raw()
			if n == want {
				found = raw
			}
			n++
			return err
		})
	case jx.Null, jx.Bool, jx.Number, jx.String, jx.Invalid:
		return nil, errors.New("there is nothing to go into")
	}
	return found, err
}

func clip(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
