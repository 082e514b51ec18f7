package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"coldtrail/evidence"
	"coldtrail/ledger"
)

// maxBundle bounds a bundle that is read: more needs another form of zip.
const maxBundle = 4 << 30

// readBundle reads a bundle whole.
func readBundle(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBundle {
		return nil, fmt.Errorf("%s: %d bytes are more than a bundle can have", path, info.Size())
	}
	return os.ReadFile(path)
}

// verifyBundle checks a bundle with nothing but the bundle.
func (v *verifyVerb) verifyBundle(ctx context.Context, s *session) error {
	raw, err := readBundle(v.Path)
	if err != nil {
		return err
	}
	done := working(s, "checking the bundle")
	report, _, err := evidence.Verify(ctx, bytes.NewReader(raw), int64(len(raw)), notations)
	done()
	if err != nil {
		return err
	}
	if err := v.checkSignature(report, raw); err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(report)
	} else {
		printReport(s, report)
	}
	if err != nil {
		return err
	}
	return errOf(report.State)
}

// errOf is the exit code of a state.
func errOf(state evidence.State) error {
	switch state {
	case evidence.OK:
		return nil
	case evidence.Wrong:
		return errHit
	case evidence.Unknown, evidence.Open: // the latter is of a check, not of a bundle
	}
	return errCannotTell
}

func printReport(s *session, r *evidence.Report) {
	if r.Statement != nil {
		fmt.Fprintf(s.stdout, "case %s, method %s, digest %s\nmade by %s %s %s\n\n", inert(r.Statement.Case), inert(r.Statement.Method), inert(r.Statement.Digest),
			inert(r.Statement.Tool.Name), inert(r.Statement.Tool.Version), inert(r.Statement.Tool.Commit))
	}
	words := map[evidence.State]string{evidence.OK: "ok", evidence.Wrong: "WRONG", evidence.Unknown: "CANNOT TELL", evidence.Open: "not checked"}
	for i := range r.Checks {
		c := &r.Checks[i]
		fmt.Fprintf(s.stdout, "%-12s%s: ", words[c.State], c.What)
		if c.File != "" {
			fmt.Fprintf(s.stdout, "%s: ", inert(c.File))
		}
		fmt.Fprintln(s.stdout, inert(c.Detail))
	}
	if len(r.Proven) > 0 {
		fmt.Fprintln(s.stdout, "\nProven by the bundle:")
		for i := range r.Proven {
			fmt.Fprintf(s.stdout, "  %d %s%s\n", r.Proven[i].Count, inert(r.Proven[i].What), onChain(r.Proven[i].Chain))
		}
	}
	if len(r.Rests) > 0 {
		fmt.Fprintln(s.stdout, "\nProven by nothing in it, and on whose word it rests:")
		for i := range r.Rests {
			fmt.Fprintf(s.stdout, "  %d %s%s\n    on %s\n", r.Rests[i].Count, inert(r.Rests[i].What), onChain(r.Rests[i].Chain), inert(r.Rests[i].On))
		}
	}
	for i := range r.Decisions[:min(maxSwaps, len(r.Decisions))] {
		d := &r.Decisions[i]
		fmt.Fprintf(s.stdout, "  %s: %s, by %s: %s\n", d.Kind, inert(d.What), inert(d.By), inert(d.Why))
	}
	if more := len(r.Decisions) - maxSwaps; more > 0 {
		fmt.Fprintf(s.stdout, "  … and %d decisions more (--json lists all)\n", more)
	}
}

func onChain(chain string) string {
	if chain == "" {
		return ""
	}
	return " (" + ledger.Chain(chain).Short() + ")"
}
