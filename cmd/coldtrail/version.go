package main

import (
	"fmt"
	"runtime/debug"

	"coldtrail/trace"
)

type versionVerb struct{}

// Run prints the version of the program and of its accounting rules.
func (*versionVerb) Run(s *session) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(s.stdout, "coldtrail %s, rules %s\n", version, trace.RulesVersion)
	return err
}
