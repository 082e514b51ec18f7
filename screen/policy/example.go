package policy

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// Example is a question with all that it takes to answer it: out of a policy's tests, or
// out of history.
type Example struct {
	Name     string            `json:"name"`
	Question exposure.Question `json:"question"`
	Subject  Subject           `json:"subject"`
	Facts    []exposure.Fact   `json:"facts"`
	Now      int64             `json:"now"`
}

// Test is an example and what has to come out.
type Test struct {
	Example

	Line    int              `json:"line"`
	Outcome exposure.Outcome `json:"outcome"`
	Level   exposure.Level   `json:"level,omitempty"`   // empty: any
	Reasons []string         `json:"reasons,omitempty"` // codes that have to be among the reasons
	Absent  []string         `json:"absent,omitempty"`  // and that may not
}

// Result is what came of a test.
type Result struct {
	Test    Test             `json:"test"`
	Verdict exposure.Verdict `json:"verdict"`
	// Wrong says what is not as the test wants it; empty where it passes.
	Wrong []string `json:"wrong,omitempty"`
}

// A TestError says that a policy fails tests of its own.
type TestError struct {
	Failed []Result
}

// Error names the first test that fails.
func (e *TestError) Error() string {
	f := &e.Failed[0]
	text := fmt.Sprintf("policy line %d: test %q: %s", f.Test.Line, f.Test.Name, strings.Join(f.Wrong, "; "))
	if more := len(e.Failed) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Run runs the tests in the policy's file.
func (p *Policy) Run() (results []Result) {
	for _, t := range p.tests {
		r := Result{Test: t, Verdict: p.decideExample(&t.Example)}
		v := &r.Verdict
		if v.Outcome != t.Outcome {
			r.Wrong = append(r.Wrong, fmt.Sprintf("outcome %s, want %s", v.Outcome, t.Outcome))
		}
		if t.Level != "" && v.Level != t.Level {
			r.Wrong = append(r.Wrong, fmt.Sprintf("level %s, want %s", v.Level, t.Level))
		}
		given := func(code string) bool {
			return slices.ContainsFunc(v.Reasons, func(r exposure.Reason) bool { return r.Code == code })
		}
		for _, code := range t.Reasons {
			if !given(code) {
				r.Wrong = append(r.Wrong, fmt.Sprintf("reason %s is missing", code))
			}
		}
		for _, code := range t.Absent {
			if given(code) {
				r.Wrong = append(r.Wrong, fmt.Sprintf("reason %s is given", code))
			}
		}
		if len(r.Wrong) > 0 {
			r.Wrong = append(r.Wrong, "reasons given: "+strings.Join(codes(v), ", "))
		}
		results = append(results, r)
	}
	return results
}

// Validate runs the policy's own tests. The error is a *TestError. Parse has done so
// already; a policy that fails it does not exist.
func (p *Policy) Validate() error {
	failed := slices.DeleteFunc(p.Run(), func(r Result) bool { return len(r.Wrong) == 0 })
	if len(failed) > 0 {
		return &TestError{failed}
	}
	return nil
}

func (p *Policy) decideExample(e *Example) exposure.Verdict {
	return p.Decide(&e.Question, e.Subject, e.Facts, e.Now)
}

// testNow is the present of tests that state none: 2025-06-01.
const testNow = 1748736000

// maxTestFacts bounds the facts of one test.
const maxTestFacts = 100

func (p *Policy) readTests(n *yaml.Node) error {
	return list(n, "tests", maxTests, func(i int, n *yaml.Node) error {
		t, err := readTest(n, fmt.Sprintf("tests[%d]", i))
		p.tests = append(p.tests, t)
		return err
	})
}

func readTest(n *yaml.Node, where string) (Test, error) {
	t := Test{Line: n.Line}
	t.Now, t.Subject.Held = testNow, true
	aged := int64(0)
	err := object(n, where, keys{
		"name":     func(n *yaml.Node) error { return text(n, where+".name", maxWhy, &t.Name) },
		"now":      func(n *yaml.Node) error { return moment(n, where+".now", &t.Now) },
		"question": func(n *yaml.Node) error { return readQuestion(n, where+".question", &t.Question) },
		"subject":  func(n *yaml.Node) error { return readSubject(n, where+".subject", &t.Subject, &aged) },
		"facts": func(n *yaml.Node) error {
			return list(n, where+".facts", maxTestFacts, func(i int, n *yaml.Node) error {
				f, err := readFact(n, fmt.Sprintf("%s.facts[%d]", where, i))
				t.Facts = append(t.Facts, f)
				return err
			})
		},
		"expect": func(n *yaml.Node) error { return readExpect(n, where+".expect", &t) },
	})
	if err == nil && (t.Name == "" || t.Outcome == "") {
		err = &Error{n.Line, where, "a test needs a name and an expected outcome"}
	}
	if t.Question.At != 0 {
		t.Subject.Seen = t.Question.At
	}
	t.Subject.Seen = max(t.Now, t.Subject.Seen) - aged
	return t, err
}

func readQuestion(n *yaml.Node, where string, q *exposure.Question) error {
	return object(n, where, keys{
		"purpose": func(n *yaml.Node) error {
			err := word(n, where+".purpose", purposes, &q.Purpose)
			if q.Purpose == anyPurpose {
				q.Purpose = exposure.AnyPurpose
			}
			return err
		},
		"asset":  func(n *yaml.Node) error { return loose(n, where+".asset", (*string)(&q.Asset)) },
		"amount": func(n *yaml.Node) error { return decimal(n, where+".amount", &q.Amount) },
		"at":     func(n *yaml.Node) error { return moment(n, where+".at", &q.At) },
		"known":  func(n *yaml.Node) error { return moment(n, where+".known", &q.Known) },
	})
}

func readSubject(n *yaml.Node, where string, s *Subject, aged *int64) error {
	return object(n, where, keys{
		"address":        func(n *yaml.Node) error { return loose(n, where+".address", &s.Address) },
		"chain":          func(n *yaml.Node) error { return loose(n, where+".chain", &s.Chain) },
		"held":           func(n *yaml.Node) error { return boolean(n, where+".held", &s.Held) },
		"stale":          func(n *yaml.Node) error { return boolean(n, where+".stale", &s.Stale) },
		"not_an_address": func(n *yaml.Node) error { return boolean(n, where+".not_an_address", &s.NotAnAddress) },
		"age_seconds":    func(n *yaml.Node) error { return whole(n, where+".age_seconds", 0, testNow, aged) },
	})
}

func readExpect(n *yaml.Node, where string, t *Test) error {
	words := func(n *yaml.Node, where string, to *[]string) error {
		return list(n, where, maxRules, func(_ int, n *yaml.Node) error {
			var code string
			err := name(n, where, &code)
			*to = append(*to, code)
			return err
		})
	}
	return object(n, where, keys{
		"outcome": func(n *yaml.Node) error { return outcome(n, where+".outcome", &t.Outcome) },
		"level":   func(n *yaml.Node) error { return word(n, where+".level", ranks, &t.Level) },
		"reasons": func(n *yaml.Node) error { return words(n, where+".reasons", &t.Reasons) },
		"absent":  func(n *yaml.Node) error { return words(n, where+".absent", &t.Absent) },
	})
}

// readFact reads a fact by the names that it has in a verdict.
func readFact(n *yaml.Node, where string) (f exposure.Fact, err error) {
	at := func(key string) string { return where + "." + key }
	texts := func(key string, to *string) func(*yaml.Node) error {
		return func(n *yaml.Node) error { return loose(n, at(key), to) }
	}
	amounts := func(key string, to *exposure.Decimal) func(*yaml.Node) error {
		return func(n *yaml.Node) error { return decimal(n, at(key), to) }
	}
	moments := func(key string, to *int64) func(*yaml.Node) error {
		return func(n *yaml.Node) error { return moment(n, at(key), to) }
	}
	asset := ""
	err = object(n, where, keys{
		"kind": func(n *yaml.Node) error { return word(n, at("kind"), kindNames, &f.Kind) },
		"direction": func(n *yaml.Node) error {
			return word(n, at("direction"), []exposure.Direction{exposure.Received, exposure.Sent}, &f.Direction)
		},
		"category":     func(n *yaml.Node) error { return concept(n, at("category"), &f.Category) },
		"sanction":     func(n *yaml.Node) error { return boolean(n, at("sanction"), &f.Sanction) },
		"confidence":   func(n *yaml.Node) error { return small(n, at("confidence"), 100, &f.Confidence) },
		"certainty_bp": func(n *yaml.Node) error { return small(n, at("certainty_bp"), 10000, &f.Certainty) },
		"share_bp":     func(n *yaml.Node) error { return small(n, at("share_bp"), 10000, &f.Share) },
		"hops":         func(n *yaml.Node) error { return small(n, at("hops"), 1<<32-1, &f.Hops) },
		"chain":        texts("chain", &f.Chain), "entity": texts("entity", &f.Entity), "authority": texts("authority", &f.Authority),
		"incident": texts("incident", &f.Incident), "colour": texts("colour", &f.Colour), "asset": texts("asset", &asset),
		"claim": texts("claim", &f.Claim), "by": texts("by", &f.By), "source": texts("source", &f.Source),
		"rule": texts("rule", &f.Rule), "about": texts("about", &f.About),
		"amount": amounts("amount", &f.Amount), "held": amounts("held", &f.Held), "origin": amounts("origin", &f.Origin), "total": amounts("total", &f.Total),
		"from": moments("from", &f.From), "to": moments("to", &f.To), "learned": moments("learned", &f.Learned),
	})
	f.Asset = ledger.Asset(asset)
	if err == nil && f.Kind == "" {
		err = &Error{n.Line, where, "a fact needs a kind"}
	}
	return f, err
}
