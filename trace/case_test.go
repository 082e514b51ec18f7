package trace_test

import (
	"strings"
	"testing"

	"coldtrail/trace"
)

// FuzzParseCase looks for panics in hostile case files; an error is one line.
func FuzzParseCase(f *testing.F) {
	f.Add("case: a\nthefts: [{colour: x, chain: bitcoin, outpoint: 'ab:0'}]\n")
	f.Add("a: &a [*a]\n")
	f.Add("case: [")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := trace.ParseCase("case.yaml", strings.NewReader(text))
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
		if err == nil && (c.Name == "" || len(c.Thefts) == 0) {
			t.Fatalf("an empty case was accepted: %q", text)
		}
	})
}
