package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"coldtrail/internal/scenario"
	"coldtrail/store/memory"
)

type testVerb struct {
	Files []string `arg:"" name:"FILE" type:"existingfile" help:"Scenario files."`
}

// Run checks scenario files: exit 0 where all hold, 1 where an expectation fails.
func (v *testVerb) Run(ctx context.Context, s *session) error {
	failed := false
	for _, file := range v.Files {
		failures, traces, err := runScenario(ctx, file)
		if err != nil {
			return err
		}
		for _, failure := range failures {
			fmt.Fprintln(s.stdout, failure)
		}
		if len(failures) > 0 {
			failed = true
			fmt.Fprintf(s.stdout, "FAIL  %s\n", file)
			continue
		}
		fmt.Fprintf(s.stdout, "ok    %s  (%d traces)\n", file, traces)
	}
	if failed {
		return errHit
	}
	return nil
}

func runScenario(ctx context.Context, file string) (failures []*scenario.FailureError, traces int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	parsed, err := scenario.Parse(file, f)
	if err != nil {
		return nil, 0, err
	}
	failures, err = parsed.Run(ctx, memory.New())
	return failures, parsed.Traces(), err
}
