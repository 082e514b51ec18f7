package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldtrail/evidence/audit"
)

type verifyVerb struct {
	Path       string   `arg:"" optional:"" type:"path" help:"A bundle of evidence, a path that somebody submitted (YAML or JSON), or the folder of an audit log; by default the log beside the store."`
	Checkpoint []string `type:"path" placeholder:"FILE" help:"Of a log: signed heads that were taken of it before, which show that its end is there."`
	PublicKey  string   `placeholder:"KEY" help:"Who must have signed: of a log the Ed25519 key in base64, of a bundle minisign's key or its file."`
	Signature  string   `type:"path" placeholder:"FILE" help:"Of a bundle: its signature, where that is not beside it."`
	Bundle     string   `type:"path" placeholder:"BUNDLE.zip" help:"Of a submitted path: the bundle to check it against."`
	Case       []string `type:"path" placeholder:"CASE.yaml" help:"Of a submitted path: the cases to check it against, in the store."`
	Method     string   `default:"fifo" help:"Of a submitted path: the method by which the cases are traced."`
}

// Run checks what the path is: a folder is an audit log, a zip a bundle, YAML or JSON a
// submitted path.
func (v *verifyVerb) Run(ctx context.Context, s *session) error {
	info, err := os.Stat(v.Path)
	if v.Path != "" && err != nil {
		return err
	}
	if v.Path == "" || info.IsDir() {
		return v.verifyLog(s)
	}
	if v.isBundle() {
		return v.verifyBundle(ctx, s)
	}
	return v.verifyPath(ctx, s)
}

// verifyLog checks an audit log from its first record to its last.
func (v *verifyVerb) verifyLog(s *session) error {
	path := v.Path
	if path == "" {
		folder, err := s.folder()
		if err != nil {
			return err
		}
		path = filepath.Join(folder, audited)
	}
	heads, err := v.heads()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w; name the folder of the log", err)
	}
	report, err := audit.Verify(path, heads...)
	if err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(report)
	} else {
		printAudit(s, &report)
	}
	if err == nil && !report.Whole() {
		return errHit
	}
	return err
}

func (v *verifyVerb) heads() (heads []audit.Head, err error) {
	if len(v.Checkpoint) == 0 {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(v.PublicKey))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errors.New("--public-key: want the 32 bytes of an Ed25519 key in base64; without it anybody could have made the checkpoint")
	}
	for _, file := range v.Checkpoint {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		head, err := audit.ParseCheckpoint(text, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		heads = append(heads, head)
	}
	return heads, nil
}

func printAudit(s *session, r *audit.Report) {
	fmt.Fprintf(s.stdout, "%d records in %d files", r.Records, r.Segments)
	if r.Records > 0 {
		fmt.Fprintf(s.stdout, ", the last of %s: %s", time.UnixMilli(r.Head.Time).UTC().Format(time.RFC3339), r.Head.Hash)
	}
	fmt.Fprintln(s.stdout)
	if r.Refused > 0 {
		fmt.Fprintf(s.stdout, "%d records could not be kept when they came; the log says so itself\n", r.Refused)
	}
	switch {
	case r.Broken != nil:
		fmt.Fprintf(s.stdout, "BROKEN: %s\n", inert(r.Broken.String()))
	case r.Torn > 0:
		fmt.Fprintf(s.stdout, "TORN: %d bytes follow the last record: of a write under way, or of a process that was killed\n", r.Torn)
	default:
		fmt.Fprintln(s.stdout, "every record is as it was written, and none is missing before the last")
	}
}
