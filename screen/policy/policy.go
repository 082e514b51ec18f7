// Package policy decides: from the facts known of a subject, a question and the moments
// to the level of risk, the score, the outcome and every reason for it.
//
// A policy is a file that people can read, argue about and test: severities by concept,
// numbers, and rules in CEL. It decides by integers alone and without a clock, so that
// equal facts, question, moments and policy give an equal verdict on every machine. What
// cannot be told (a rule that fails, old data, a concept that nobody defined) never reads
// as clean.
package policy

import (
	"fmt"
	"sync"

	"gopkg.in/yaml.v3"

	"coldtrail/screen/exposure"
)

// Policy is a policy that was read, compiled and has passed its own tests. It is safe
// for use by many at once, and never changes.
type Policy struct {
	name, version string

	severities severities
	levels     levels
	numbers    numbers
	decay      []uint64 // by hops, in billionths
	assets     map[string]asset
	groups     []group
	unknown    exposure.Outcome
	taint      string // concept of tainted value whose fact names none

	rules   []*rule
	byKind  [kindCount][]*rule // of one fact
	overall []*rule            // of all facts together
	tests   []Test
	digest  string
	scenes  sync.Pool
}

// Bounds of a policy file, so that a hostile one costs bounded time.
const (
	maxFile    = 1 << 20
	maxRules   = 200
	maxTests   = 500
	maxNumbers = 200
	maxGroups  = 16
	maxAssets  = 2000
	maxName    = 100
	maxWhy     = 1000
	maxWhen    = 2000
)

// An Error says what is wrong with a policy file, and where.
type Error struct {
	Line   int    // from 1; 0 where it is of the file as a whole
	Where  string // the key, such as rules[2].when
	Reason string
}

// Error is line, place and reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return "policy: " + e.Reason
	}
	return fmt.Sprintf("policy line %d, %s: %s", e.Line, e.Where, e.Reason)
}

// Parse reads a policy, compiles its rules and runs its own tests. The errors are *Error,
// where the file is wrong, and *TestError, where a test of its own fails.
func Parse(text []byte) (*Policy, error) {
	root, err := document(text)
	if err != nil {
		return nil, err
	}
	p := &Policy{unknown: exposure.Review, levels: defaultLevels, taint: "service_hack"}
	if err := p.read(root); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// Default is the bundled policy.
var Default = sync.OnceValue(func() *Policy {
	p, err := Parse([]byte(DefaultText))
	if err != nil {
		panic("policy: the bundled policy is broken: " + err.Error()) // TestDefaultParses stands before it
	}
	return p
})

// Name is the policy's name.
func (p *Policy) Name() string { return p.name }

// Version is the policy's version.
func (p *Policy) Version() string { return p.version }

// Digest is "sha256:" and the digest of everything in the policy that a verdict depends
// on. Comments, layout and tests are no part of it.
func (p *Policy) Digest() string { return p.digest }

// String is what a verdict's basis names: name@version and the digest.
func (p *Policy) String() string { return p.name + "@" + p.version + " " + p.digest }

func (p *Policy) read(root *yaml.Node) error {
	var rules, groups *yaml.Node
	err := object(root, "", keys{
		"name":       func(n *yaml.Node) error { return name(n, "name", &p.name) },
		"version":    func(n *yaml.Node) error { return version(n, &p.version) },
		"severities": func(n *yaml.Node) error { return p.severities.read(n) },
		"levels":     func(n *yaml.Node) error { return p.levels.read(n) },
		"numbers":    func(n *yaml.Node) error { return p.numbers.read(n) },
		"assets":     func(n *yaml.Node) error { return p.readAssets(n) },
		"groups":     func(n *yaml.Node) error { groups = n; return nil },
		"unknown":    func(n *yaml.Node) error { return p.readUnknown(n) },
		"taint":      func(n *yaml.Node) error { return concept(n, "taint", &p.taint) },
		"rules":      func(n *yaml.Node) error { rules = n; return nil },
		"tests":      func(n *yaml.Node) error { return p.readTests(n) },
	})
	if err != nil {
		return err
	}
	if p.name == "" || p.version == "" || rules == nil {
		return &Error{root.Line, "policy", "a policy needs name, version and rules"}
	}
	if err := p.numbers.complete(root.Line); err != nil {
		return err
	}
	if groups != nil { // may name one another, and rules may name them
		if err := p.readGroups(groups); err != nil {
			return err
		}
	}
	return p.readRules(rules)
}

// readUnknown reads the outcome where nobody can tell. It may not be allow: not knowing
// is no reason to let something pass unwatched.
func (p *Policy) readUnknown(n *yaml.Node) error {
	if err := outcome(n, "unknown", &p.unknown); err != nil {
		return err
	}
	if p.unknown == exposure.Allow {
		return &Error{n.Line, "unknown", "may not be allow"}
	}
	return nil
}

// finish works out what follows from what was read.
func (p *Policy) finish() error {
	p.severities.resolve()
	p.decay = decays(p.numbers.engine.decay, p.numbers.engine.maxHops)
	for _, r := range p.rules {
		if r.overall {
			p.overall = append(p.overall, r)
			continue
		}
		for k := range kindCount {
			if r.kinds&(1<<k) != 0 {
				p.byKind[k] = append(p.byKind[k], r)
			}
		}
	}
	p.scenes.New = func() any { return newScene(p) }
	return p.sum()
}
