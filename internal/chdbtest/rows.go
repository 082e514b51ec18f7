package chdbtest

import (
	"fmt"
	"strings"
)

// escapes are the escapes of ClickHouse's TabSeparated format. `\N`, which is NULL, is
// none of them: it stays as it is.
var escapes = map[byte]byte{'b': '\b', 'f': '\f', 'r': '\r', 'n': '\n', 't': '\t', '0': 0, '\'': '\'', '\\': '\\'}

// rows cuts TabSeparated text into fields.
func rows(text string) ([][]string, error) {
	var all [][]string
	for line := 1; text != ""; line++ {
		row, rest, ended := strings.Cut(text, "\n")
		if !ended {
			return nil, fmt.Errorf("line %d: the answer is cut short", line)
		}
		text = rest
		fields := strings.Split(row, "\t")
		for i, field := range fields {
			value, err := unescape(field)
			if err != nil {
				return nil, fmt.Errorf("line %d, field %d: %w", line, i+1, err)
			}
			fields[i] = value
		}
		all = append(all, fields)
	}
	return all, nil
}

// unescape is the value of a field.
func unescape(field string) (string, error) {
	if field == `\N` || !strings.Contains(field, `\`) {
		return field, nil
	}
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] != '\\' {
			b.WriteByte(field[i])
			continue
		}
		i++
		if i == len(field) {
			return "", fmt.Errorf("%q ends in an escape", field)
		}
		value, known := escapes[field[i]]
		if !known {
			return "", fmt.Errorf("%q has an unknown escape of %q", field, field[i])
		}
		b.WriteByte(value)
	}
	return b.String(), nil
}
