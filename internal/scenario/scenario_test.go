package scenario_test

import (
	"os"
	"path/filepath"
	"testing"

	"coldtrail/internal/scenario"
	"coldtrail/store/memory"
)

// TestScenarios runs every scenario of the project.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("../../testdata/scenarios/*.scenario")
	if err != nil || len(files) < 26 {
		t.Fatalf("found %d scenario files (%v), want at least the worked examples", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := scenario.Parse(filepath.Base(file), f)
			if err != nil {
				t.Fatal(err)
			}
			failures, err := s.Run(t.Context(), memory.New())
			if err != nil {
				t.Fatal(err)
			}
			for _, failure := range failures {
				t.Error(failure)
			}
		})
	}
}
