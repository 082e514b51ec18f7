package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

type policyVerb struct {
	Show policyShowVerb `cmd:"" help:"Print the bundled policy, to copy and to change."`
	Test policyTestVerb `cmd:"" help:"Check a policy, run its own tests, and say what it would decide otherwise about everybody who is known."`
}

type policyShowVerb struct{}

// Run prints the bundled policy.
func (*policyShowVerb) Run(s *session) error {
	if s.json {
		p := policy.Default()
		return s.printJSON(map[string]string{"name": p.Name(), "version": p.Version(), "digest": p.Digest(), "text": policy.DefaultText})
	}
	_, err := fmt.Fprint(s.stdout, policy.DefaultText)
	return err
}

type policyTestVerb struct {
	File     string   `arg:"" name:"POLICY.yaml" type:"path" help:"The policy to try."`
	Against  string   `type:"path" placeholder:"FILE" help:"Compare with this policy; by default the bundled one."`
	Purposes []string `name:"purpose" default:"deposit,withdrawal" help:"What the verdicts would be wanted for."`
	Case     []string `type:"path" placeholder:"FILE" help:"Case files whose stolen value is followed, beside the open cases of the casebook."`
	Method   string   `default:"fifo" help:"Taint method."`
	Own      bool     `help:"Run only the policy's own tests."`
}

// policyReport is what came of trying a policy.
type policyReport struct {
	Policy   string                     `json:"policy"`
	Tests    int                        `json:"tests"`
	Failed   []policy.Result            `json:"failed"`
	Against  string                     `json:"against,omitempty"`
	Subjects int                        `json:"subjects"`
	Changes  map[string][]policy.Change `json:"changes,omitempty"` // by purpose
}

// Run tries a policy.
func (v *policyTestVerb) Run(ctx context.Context, s *session) error {
	text, err := os.ReadFile(v.File)
	if err != nil {
		return err
	}
	report := policyReport{Policy: v.File, Failed: []policy.Result{}}
	tried, err := policy.Parse(text)
	var failed *policy.TestError
	switch {
	case errors.As(err, &failed):
		report.Failed, err = failed.Failed, nil
	case err != nil:
		return fmt.Errorf("%s: %w", v.File, err)
	default:
		report.Policy, report.Tests = tried.String(), len(tried.Run())
		if !v.Own {
			err = v.compare(ctx, s, tried, &report)
		}
	}
	if err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(report)
	} else {
		v.print(s, &report)
	}
	if err == nil && len(report.Failed) > 0 {
		return errHit
	}
	return err
}

// compare tries the policy on everybody who is known.
func (v *policyTestVerb) compare(ctx context.Context, s *session, tried *policy.Policy, report *policyReport) (err error) {
	flags := screeningFlags{Case: v.Case, Policy: v.Against, Method: v.Method, Owners: true}
	o, err := flags.openScreening(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	o.hearAll(time.Now().Unix())
	known := o.engine.Now()
	report.Against, report.Changes = known.Policy().String(), map[string][]policy.Change{}
	for _, purpose := range v.Purposes {
		examples := slices.Collect(known.Examples(exposure.Purpose(purpose), nil))
		report.Subjects = len(examples)
		report.Changes[purpose] = policy.Compare(known.Policy(), tried, examples)
	}
	return nil
}

// mostChanges is how many are printed; --json lists all.
const mostChanges = 20

func (*policyTestVerb) print(s *session, r *policyReport) {
	fmt.Fprintf(s.stdout, "%s\n%d of its own tests pass, %d fail\n", inert(r.Policy), r.Tests, len(r.Failed))
	for _, f := range r.Failed {
		fmt.Fprintf(s.stdout, "  line %d, %s: %s\n", f.Test.Line, inert(f.Test.Name), inert(strings.Join(f.Wrong, "; ")))
	}
	if r.Against == "" {
		return
	}
	fmt.Fprintf(s.stdout, "against %s, on %d subjects:\n", r.Against, r.Subjects)
	for _, purpose := range sortedKeys(r.Changes) {
		changes := r.Changes[purpose]
		fmt.Fprintf(s.stdout, "%s: %d would have another verdict\n", purpose, len(changes))
		for i := range changes[:min(mostChanges, len(changes))] {
			c := &changes[i]
			fmt.Fprintf(s.stdout, "  %s: %s by %s, was %s by %s\n", inert(c.Subject),
				c.After.Outcome, strings.Join(c.After.Deciding, ", "), c.Before.Outcome, strings.Join(c.Before.Deciding, ", "))
		}
		if more := len(changes) - mostChanges; more > 0 {
			fmt.Fprintf(s.stdout, "  … and %d more (--json lists all)\n", more)
		}
	}
}
