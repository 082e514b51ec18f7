package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/internal/scenario"
	"coldtrail/store/memory"
)

// FuzzParse looks for panics in hostile scenarios, when read and when run.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../testdata/scenarios/*.scenario")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scenario.Parse("x", strings.NewReader(text))
		if err == nil {
			if _, err := s.Run(t.Context(), memory.New()); err != nil {
				t.Skip(err) // only a panic is of interest
			}
		}
	})
}
