package trace

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// digest is SHA-256 over the canonical JSON (sorted keys, no spaces) of the result
// without its digest.
func digest(result *Result) (string, error) {
	text, err := json.Marshal(result)
	if err != nil {
		return "", err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return "", err
	}
	delete(fields, "digest")
	h := sha256.New()
	if err := canonicalObject(h, fields); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// canonical writes a JSON value with sorted keys and without spaces, a piece at a
// time, because a result can be long.
func canonical(w io.Writer, raw json.RawMessage) error {
	switch raw[0] {
	case '{':
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			return err
		}
		return canonicalObject(w, fields)
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return err
		}
		return canonicalList(w, items)
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		return canonicalString(w, text)
	}
	_, err := w.Write(raw) // a number, true, false or null
	return err
}

func canonicalObject(w io.Writer, fields map[string]json.RawMessage) error {
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	before := "{"
	for _, key := range keys {
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if err := canonicalString(w, key); err != nil {
			return err
		}
		if _, err := io.WriteString(w, ":"); err != nil {
			return err
		}
		if err := canonical(w, fields[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		before = ","
	}
	return closeList(w, before, "{", "}")
}

func canonicalList(w io.Writer, items []json.RawMessage) error {
	before := "["
	for _, item := range items {
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if err := canonical(w, item); err != nil {
			return err
		}
		before = ","
	}
	return closeList(w, before, "[", "]")
}

// closeList ends an object or list, which an empty one has not begun yet.
func closeList(w io.Writer, before, begin, end string) error {
	if before == begin {
		end = begin + end
	}
	_, err := io.WriteString(w, end)
	return err
}

func canonicalString(w io.Writer, text string) error {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return err
	}
	_, err := w.Write(bytes.TrimRight(quoted.Bytes(), "\n"))
	return err
}
