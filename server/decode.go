package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// What texts of requests may be, in bytes.
const (
	maxSubject = 200
	maxName    = 200
	maxChain   = 80
	maxAsset   = 160
	maxDepth   = 32 // of nested JSON
	maxKeys    = 64 // fields of one JSON object
)

// invalid says what is wrong with a request.
func invalid(format string, arguments ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, arguments...)...)
}

// readBody reads a body of one of the types into a buffer of the server's. It says false
// where it has answered.
func (x *exchange) readBody(into *[]byte, types ...string) (contentType string, ok bool) {
	return x.readBodyUpTo(into, MaxBody, types...)
}

// readBodyUpTo reads a body that may have so many bytes.
func (x *exchange) readBodyUpTo(into *[]byte, most int64, types ...string) (contentType string, ok bool) {
	contentType = "application/json"
	if given := x.request.Header.Get("Content-Type"); given != "" {
		parsed, parameters, err := mime.ParseMediaType(given)
		if charset := parameters["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
			x.problem(problemMediaType, fmt.Sprintf("%.100q is no type that is understood", given))
			return "", false
		}
		contentType = parsed
	}
	found := false
	for _, t := range types {
		found = found || t == contentType
	}
	if !found || x.request.Header.Get("Content-Encoding") != "" {
		x.problem(problemMediaType, fmt.Sprintf("the body is %.100q, and this takes %s, not compressed", contentType, strings.Join(types, ", ")))
		return "", false
	}
	if x.request.ContentLength > most {
		x.tooLarge(most)
		return "", false
	}
	if n := int(x.request.ContentLength); n > cap(*into) {
		*into = make([]byte, 0, n+bytes.MinRead)
	}
	b := bytes.NewBuffer((*into)[:0])
	_, err := b.ReadFrom(http.MaxBytesReader(x.ResponseWriter, x.request.Body, most))
	*into = b.Bytes()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		x.tooLarge(most)
		return "", false
	case err != nil:
		x.Header().Set("Connection", "close")
		x.problem(problemInvalid, "the body did not arrive whole")
		return "", false
	}
	return contentType, true
}

func (x *exchange) tooLarge(most int64) {
	x.Header().Set("Connection", "close")
	x.problem(problemTooLarge, fmt.Sprintf("the body has more than %d bytes", most))
}

// decode reads a JSON body into a value. It says false where it has answered. What it
// gives back is the body, for the audit log.
func decode[T any](x *exchange, into *T) (body []byte, ok bool) {
	if _, ok := x.readBody(&body, "application/json"); !ok {
		return nil, false
	}
	if err := DecodeJSON(body, into); err != nil {
		x.fail(err)
		return nil, false
	}
	return body, true
}

// DecodeJSON reads one JSON value and refuses what could be understood in two ways: fields
// that are not known or come twice, texts that are not UTF-8, and anything that follows.
func DecodeJSON(body []byte, into any) error {
	if err := checkJSON(body); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return invalid("%s", plain(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("something follows the JSON")
	}
	return nil
}

// plain leaves the names of Go's types out of what callers read.
func plain(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("the field %q cannot be a %s", kind.Field, kind.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// checkJSON refuses JSON that is too deep, that is not UTF-8 or that names a field twice,
// in whichever capitals.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return invalid("the body is not UTF-8")
	}
	d := jx.DecodeBytes(body)
	return checkValue(d, 0)
}

func checkValue(d *jx.Decoder, depth int) error {
	if depth > maxDepth {
		return invalid("the JSON is nested more than %d deep", maxDepth)
	}
	var err error
	switch d.Next() {
	case jx.Object:
		var seen []string
		err = d.Obj(func(d *jx.Decoder, key string) error {
			key = strings.ToLower(key)
			for _, k := range seen {
				if k == key {
					return invalid("the field %.100q is there twice", key)
				}
			}
			if seen = append(seen, key); len(seen) > maxKeys {
				return invalid("an object has more than %d fields", maxKeys)
			}
			return checkValue(d, depth+1)
		})
	case jx.Array:
		err = d.Arr(func(d *jx.Decoder) error { return checkValue(d, depth+1) })
	case jx.Invalid, jx.String, jx.Number, jx.Null, jx.Bool:
		err = d.Skip()
	}
	if err == nil || errors.Is(err, ErrInvalid) {
		return unwrapInvalid(err)
	}
	return invalid("the body is not JSON")
}

// unwrapInvalid takes the decoder's own words off an error of ours.
func unwrapInvalid(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.HasPrefix(e.Error(), ErrInvalid.Error()) {
			return e
		}
	}
	return err
}

// parseMoment reads Unix seconds or RFC 3339.
func parseMoment(field, text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return n, nil
	}
	at, err := parseTime(text)
	if err != nil || at < 0 {
		return 0, invalid("%s %.100q is neither Unix seconds nor a time such as 2025-02-21T14:13:35Z", field, text)
	}
	return at, nil
}

// checkQuestion refuses what is no question. Whether a subject is an address is not said
// here, but in the verdict.
func checkQuestion(q *exposure.Question) error {
	switch {
	case q.Subject == "":
		return invalid("the subject is missing")
	case len(q.Subject) > maxSubject:
		return invalid("the subject has %d bytes, at most %d are taken", len(q.Subject), maxSubject)
	case len(q.Chain) > maxChain || !isName(q.Chain):
		return invalid("the chain %.100q is none", q.Chain)
	case len(q.Asset) > maxAsset || !isName(string(q.Asset)):
		return invalid("the asset %.100q is none", string(q.Asset))
	case q.At < 0 || q.Known < 0:
		return invalid("a moment is before 1970")
	}
	switch q.Purpose {
	case exposure.AnyPurpose, exposure.Deposit, exposure.Withdrawal, exposure.Swap, exposure.Refund:
	default:
		return invalid("the purpose %.50q is none of deposit, withdrawal, swap and refund", string(q.Purpose))
	}
	for _, c := range []byte(q.Subject) {
		if c <= ' ' || c > '~' {
			return invalid("the subject %.100q has other characters than printable ASCII", q.Subject)
		}
	}
	return nil
}

// isName says whether a text holds only what identifiers hold.
func isName(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// setField sets one field of a question, as a query writes it.
func setField(q *exposure.Question, name, value string) error {
	var err error
	switch name {
	case "subject":
		q.Subject = value
	case "chain":
		q.Chain = value
	case "purpose":
		q.Purpose = exposure.Purpose(value)
	case "asset":
		q.Asset = ledger.Asset(value)
	case "amount":
		if q.Amount.Amount, err = ledger.ParseAmount(value); err != nil {
			return invalid("%s", err)
		}
	case "at":
		q.At, err = parseMoment("at", value)
	case "known":
		q.Known, err = parseMoment("known", value)
	default:
		return invalid("there is no parameter %.50q; there are subject, chain, purpose, asset, amount, at and known", name)
	}
	return err
}

// cursorOf hides how a list is walked, so that nobody builds on it.
func cursorOf(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// paging reads cursor and limit, and refuses parameters that the route does not know.
func (x *exchange) paging(known ...string) (after string, limit int, ok bool) {
	limit = 100
	for name, values := range x.request.URL.Query() {
		if len(values) != 1 {
			x.problem(problemInvalid, fmt.Sprintf("the parameter %.50q is there %d times", name, len(values)))
			return "", 0, false
		}
		switch name {
		case "cursor":
			raw, err := base64.RawURLEncoding.DecodeString(values[0])
			if err != nil || !utf8.Valid(raw) || len(raw) > 1000 {
				x.problem(problemInvalid, "the cursor is none that this server gave")
				return "", 0, false
			}
			after = string(raw)
		case "limit":
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 1 || n > 1000 {
				x.problem(problemInvalid, "limit is a number from 1 to 1000")
				return "", 0, false
			}
			limit = n
		default:
			if !isAmong(name, known) {
				x.problem(problemInvalid, fmt.Sprintf("there is no parameter %.50q", name))
				return "", 0, false
			}
		}
	}
	return after, limit, true
}

func isAmong(name string, known []string) bool {
	for _, k := range known {
		if k == name {
			return true
		}
	}
	return false
}

// numbered reads a cursor that is a number.
func (x *exchange) numbered(known ...string) (after int64, limit int, ok bool) {
	text, limit, ok := x.paging(known...)
	if !ok || text == "" {
		return 0, limit, ok
	}
	after, err := strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		x.problem(problemInvalid, "the cursor is none that this server gave")
		return 0, 0, false
	}
	return after, limit, true
}

// page is a part of a list.
type page[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor for what follows; missing at the end.
	Next string `json:"next,omitempty"`
}

// pageOf makes a page. A full one may have more behind it, after what its last item says.
func pageOf[T any](items []T, limit int, last func(*T) string) page[T] {
	if items == nil {
		items = []T{}
	}
	p := page[T]{Items: items}
	if len(items) >= limit && limit > 0 {
		p.Next = cursorOf(last(&items[len(items)-1]))
	}
	return p
}

// pathID reads an identifier out of the path.
func (x *exchange) pathID(name string) (string, bool) {
	id := x.request.PathValue(name)
	if id == "" || len(id) > maxName || !isName(id) {
		x.problem(problemInvalid, fmt.Sprintf("%.100q is no identifier", id))
		return "", false
	}
	return id, true
}
