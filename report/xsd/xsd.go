// Package xsd checks an XML file against a schema that the user has, by libxml2's xmllint,
// the validator that is everywhere. It never fetches anything.
package xsd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// ErrNoValidator says that there is no program to validate with.
var ErrNoValidator = errors.New("no xmllint on this machine; install libxml2's tools (package libxml2-utils, or libxml2), or validate the draft with a program of your own")

// An InvalidError says what in a file its schema does not allow.
type InvalidError struct {
	File, Schema string
	Reasons      []string // the first ones
	More         int      // how many are left out
}

// Error is the reasons in one text.
func (e *InvalidError) Error() string {
	text := fmt.Sprintf("%s does not meet %s: %s", e.File, e.Schema, strings.Join(e.Reasons, "; "))
	if e.More > 0 {
		text += fmt.Sprintf("; and %d more", e.More)
	}
	return text
}

// The bounds of a validation.
const (
	patience    = 2 * time.Minute
	mostReasons = 10
)

// What xmllint exits with (its manual, "Return codes").
const (
	exitInvalid    = 3
	exitInvalidToo = 4
	exitSchema     = 5
)

// Validate checks a file against a schema.
func Validate(ctx context.Context, file, schema string) error {
	program, err := exec.LookPath("xmllint")
	if err != nil {
		return ErrNoValidator
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var said bytes.Buffer
	command := exec.CommandContext(ctx, program, "--noout", "--nonet", "--schema", schema, file) //nolint:gosec // files that the user names
	command.Stderr = &said
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && (exit.ExitCode() == exitInvalid || exit.ExitCode() == exitInvalidToo):
		return invalid(file, schema, said.String())
	case errors.As(err, &exit) && exit.ExitCode() == exitSchema:
		return fmt.Errorf("%s is no schema that xmllint can use: %s", schema, firstLine(said.String()))
	}
	return fmt.Errorf("xmllint could not check %s against %s: %w: %s", file, schema, err, firstLine(said.String()))
}

// invalid collects the reasons.
func invalid(file, schema, said string) error {
	e := &InvalidError{File: file, Schema: schema}
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), file+":"))
		if line == "" || strings.HasSuffix(line, "fails to validate") {
			continue
		}
		if len(e.Reasons) == mostReasons {
			e.More++
			continue
		}
		e.Reasons = append(e.Reasons, line)
	}
	return e
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
