package server

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// ParseQuery reads a question out of a query string. Every parameter may come once.
func ParseQuery(query string, q *exposure.Question) error {
	*q = exposure.Question{}
	var seen [8]string
	for n := 0; query != ""; n++ {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(pair, "%+;") {
			var err1, err2 error
			name, err1 = url.QueryUnescape(name)
			value, err2 = url.QueryUnescape(value)
			if err1 != nil || err2 != nil || strings.Contains(pair, ";") {
				return invalid("the query is not encoded as it should be")
			}
		}
		if n >= len(seen) {
			return invalid("there are more than %d parameters", len(seen))
		}
		for _, s := range seen[:n] {
			if s == name {
				return invalid("the parameter %.50q is there twice", name)
			}
		}
		seen[n] = name
		if err := setField(q, name, value); err != nil {
			return err
		}
	}
	return checkQuestion(q)
}

// ParseQuestions reads questions: a JSON array of them, or an object with the array in
// "questions". It appends them and refuses fields that are not known.
func ParseQuestions(body []byte, into []exposure.Question) ([]exposure.Question, error) {
	if !utf8.Valid(body) {
		return nil, invalid("the body is not UTF-8")
	}
	d := jx.DecodeBytes(body)
	var err error
	switch d.Next() {
	case jx.Array:
		into, err = parseArray(d, into)
	case jx.Object:
		found := false
		err = d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
			if string(key) != "questions" || found {
				return invalid("there is no field %.50q, or it is there twice; there is questions", key)
			}
			found = true
			into, err = parseArray(d, into)
			return err
		})
		if err == nil && !found {
			err = invalid("the field questions is missing")
		}
	case jx.Invalid, jx.String, jx.Number, jx.Null, jx.Bool:
		err = invalid("the body is neither an array of questions nor an object with one")
	}
	if err != nil {
		return nil, decodeError(err)
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) {
		return nil, invalid("something follows the JSON")
	}
	return into, nil
}

// decodeError tells what is wrong without the decoder's own words.
func decodeError(err error) error {
	if e := unwrapInvalid(err); strings.HasPrefix(e.Error(), ErrInvalid.Error()) {
		return e
	}
	return invalid("the body is not JSON, or a field is of the wrong type: %.200s", err)
}

func parseArray(d *jx.Decoder, into []exposure.Question) ([]exposure.Question, error) {
	err := d.Arr(func(d *jx.Decoder) error {
		if len(into) >= MaxQuestions {
			return errTooMany
		}
		into = append(into, exposure.Question{})
		q := &into[len(into)-1]
		if err := parseQuestion(d, q); err != nil {
			return invalid("question %d: %s", len(into)-1, strings.TrimPrefix(decodeError(err).Error(), ErrInvalid.Error()+": "))
		}
		return nil
	})
	return into, err
}

var errTooMany = invalid("there are more than %d questions", MaxQuestions)

func parseQuestion(d *jx.Decoder, q *exposure.Question) error {
	var seen uint8
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		bit, err := parseField(d, key, q)
		if err != nil {
			return err
		}
		if seen&bit != 0 {
			return invalid("the field %.50q is there twice", key)
		}
		seen |= bit
		return nil
	})
	if err != nil {
		return err
	}
	return checkQuestion(q)
}

// parseField reads one field and gives a bit for it.
func parseField(d *jx.Decoder, key []byte, q *exposure.Question) (bit uint8, err error) {
	switch string(key) {
	case "subject":
		q.Subject, err = d.Str()
		return 1, err
	case "chain":
		q.Chain, err = d.Str()
		return 2, err
	case "purpose":
		var text []byte
		text, err = d.StrBytes()
		q.Purpose = purposeOf(text)
		return 4, err
	case "asset":
		var text string
		text, err = d.Str()
		q.Asset = ledger.Asset(text)
		return 8, err
	case "amount":
		var text string
		if text, err = d.Str(); err == nil {
			err = setField(q, "amount", text)
		}
		return 16, err
	case "at":
		q.At, err = parseWhen(d, "at")
		return 32, err
	case "known":
		q.Known, err = parseWhen(d, "known")
		return 64, err
	}
	return 0, invalid("there is no field %.50q; there are subject, chain, purpose, asset, amount, at and known", key)
}

// purposeOf gives the known purposes without a copy of their texts.
func purposeOf(text []byte) exposure.Purpose {
	for _, p := range []exposure.Purpose{exposure.AnyPurpose, exposure.Deposit, exposure.Withdrawal, exposure.Swap, exposure.Refund} {
		if string(text) == string(p) {
			return p
		}
	}
	return exposure.Purpose(text)
}

// parseWhen reads a moment: a number of seconds, or a text.
func parseWhen(d *jx.Decoder, field string) (int64, error) {
	if d.Next() == jx.Number {
		return d.Int64()
	}
	text, err := d.Str()
	if err != nil {
		return 0, err
	}
	return parseMoment(field, text)
}

func parseTime(text string) (int64, error) {
	at, err := time.Parse(time.RFC3339, text)
	return at.Unix(), err
}

// EachLine calls with every line of a text that is not empty, and its number from 1. The
// line is valid during the call.
func EachLine(text []byte, do func(number int, line []byte) error) error {
	for number := 1; len(text) > 0; number++ {
		end := bytes.IndexByte(text, '\n')
		line := text
		if end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := do(number, line); err != nil {
			return err
		}
	}
	return nil
}
