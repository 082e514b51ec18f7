package chdbtest_test

import (
	"reflect"
	"strings"
	"testing"

	"coldtrail/internal/chdbtest"
)

func TestRows(t *testing.T) {
	for text, wanted := range map[string][][]string{
		"":                            nil,
		"\n":                          {{""}},
		"1\t2\n3\t4\n":                {{"1", "2"}, {"3", "4"}},
		"a\\tb\\n\\\\\\'\\0\t\\N\n":   {{"a\tb\n\\'\x00", `\N`}},
		"\\b\\f\\r\t\n":               {{"\b\f\r", ""}},
		"\xff\xfe raw bytes remain\n": {{"\xff\xfe raw bytes remain"}},
	} {
		if got, err := chdbtest.Rows(text); err != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, wanted)
		}
	}
	for text, reason := range map[string]string{
		"1\t2":       "line 1: the answer is cut short",
		"1\n2\t\\\n": "line 2, field 2: ",
		"\\x\n":      "line 1, field 1: ",
	} {
		if got, err := chdbtest.Rows(text); err == nil || !strings.HasPrefix(err.Error(), reason) {
			t.Errorf("%q: %q, %v; want %s", text, got, err, reason)
		}
	}
}

// FuzzRows wants every field back that was written as the engine writes it.
func FuzzRows(f *testing.F) {
	escape := strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "'", `\'`, "\b", `\b`, "\f", `\f`)
	f.Add("", "plain", "1\t2\n")
	f.Add("\\", "a\tb\nc\x00", "\\N\t\\q\n")
	f.Add("'\r\b\f", "\xff", "cut")
	f.Fuzz(func(t *testing.T, first, second, hostile string) {
		got, err := chdbtest.Rows(escape.Replace(first) + "\t" + escape.Replace(second) + "\n")
		if err != nil || !reflect.DeepEqual(got, [][]string{{first, second}}) {
			t.Errorf("%q, %q came back as %q, %v", first, second, got, err)
		}
		if parsed, err := chdbtest.Rows(hostile); err == nil && len(parsed) != strings.Count(hostile, "\n") {
			t.Errorf("%q has %d lines and gives %d rows", hostile, strings.Count(hostile, "\n"), len(parsed))
		}
	})
}
